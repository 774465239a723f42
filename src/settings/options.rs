//! Options that every command takes.

use std::path::PathBuf;
use std::time::Duration;

use crate::dns::ServerSpec;
use crate::input::time::duration;
use crate::output::{ColorChoice, Format};
use crate::sandbox::Fault;

/// Options that every command takes.
#[derive(clap::Args, Debug, Clone)]
#[expect(clippy::doc_markdown, reason = "the comments are the help, where backticks stay")]
pub struct Options {
    /// Account ID (32 hexadecimal digits) [env: CLOUDFLARE_ACCOUNT_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub account: Option<String>,

    /// Configuration profile [env: CFSSO_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Read the API token from a file [env: CLOUDFLARE_API_TOKEN_FILE]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "token_stdin")]
    pub token_file: Option<PathBuf>,

    /// Read the API token from the first line of standard input
    #[arg(long, global = true)]
    pub token_stdin: bool,

    /// Output format: table, json, ndjson, yaml, name or markdown [env: CFSSO_OUTPUT]
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,

    /// Print only these fields (json, ndjson, yaml): `id,verification.status`
    #[arg(long = "fields", global = true, value_name = "FIELDS", value_delimiter = ',')]
    pub output_fields: Vec<String>,

    /// Skip confirmation prompts
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,

    /// Confirm for this domain only (safer than --yes)
    #[arg(long, global = true, value_name = "DOMAIN", conflicts_with = "yes")]
    pub confirm: Option<String>,

    /// Print the requests without sending them
    #[arg(long, global = true)]
    pub dry_run: bool,

    /// With --dry-run, exit 10 if there are changes
    #[arg(long, global = true, requires = "dry_run")]
    pub detailed_exitcode: bool,

    /// Time limit for the command (90s, 10m, 2h)
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Time limit for one request
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "30s")]
    pub request_timeout: Duration,

    /// Maximum retries of a safe request
    #[arg(long, global = true, value_name = "N", default_value_t = 4)]
    pub max_retries: u32,

    /// Query only this name server (repeatable) [env: CFSSO_DNS_SERVERS]
    #[arg(long = "server", global = true, value_name = "HOST[:PORT]")]
    pub servers: Vec<ServerSpec>,

    /// Additional CA certificates (PEM file)
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,

    /// Color: auto, always or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorChoice,

    /// Suppress notes and progress
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Print each request, and list passed checks
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Print headers and bodies too (secrets masked)
    #[arg(long, global = true)]
    pub debug: bool,

    /// Use the built-in simulator, no account needed [env: CFSSO_SANDBOX=1]
    #[arg(long, global = true)]
    pub sandbox: bool,

    /// State file of the simulator [env: CFSSO_SANDBOX_STATE]
    #[arg(long, global = true, value_name = "FILE")]
    pub sandbox_state: Option<PathBuf>,

    /// Inject a fault into the simulator (repeatable), see `cfsso help sandbox`
    #[arg(long = "fault", global = true, value_name = "FAULT")]
    pub faults: Vec<Fault>,
}
