//! Options that every command takes.

use std::path::PathBuf;
use std::time::Duration;

use crate::dns::ServerSpec;
use crate::output::{ColorChoice, Format};
use crate::sandbox::Fault;

/// Options that every command takes.
#[derive(clap::Args, Debug, Clone)]
#[command(next_help_heading = "Global options")]
#[expect(clippy::doc_markdown, reason = "the comments are the help, where backticks stay")]
pub struct Options {
    /// Account ID, 32 hexadecimal digits [env: CLOUDFLARE_ACCOUNT_ID]
    #[arg(long, global = true, value_name = "ID")]
    pub account: Option<String>,

    /// Profile of the configuration file to use [env: CFSSO_PROFILE]
    #[arg(long, global = true, value_name = "NAME")]
    pub profile: Option<String>,

    /// Read the API token from a file [env: CLOUDFLARE_API_TOKEN_FILE]
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        conflicts_with = "token_stdin",
        hide_short_help = true
    )]
    pub token_file: Option<PathBuf>,

    /// Read the API token from the first line of standard input
    #[arg(long, global = true, hide_short_help = true)]
    pub token_stdin: bool,

    /// Form of the result: table, json, ndjson, yaml or name
    #[arg(short, long, global = true, value_name = "FORMAT")]
    pub output: Option<Format>,

    /// Confirm every question
    #[arg(long, global = true)]
    pub yes: bool,

    /// Confirm for this domain only: safer in scripts than --yes
    #[arg(long, global = true, value_name = "DOMAIN", conflicts_with = "yes")]
    pub confirm: Option<String>,

    /// Show the requests that would be sent, and send none that writes
    #[arg(long, global = true)]
    pub dry_run: bool,

    /// With --dry-run: exit with 10 where changes would be made
    #[arg(long, global = true, requires = "dry_run", hide_short_help = true)]
    pub detailed_exitcode: bool,

    /// How long the whole command may take, such as 90s, 10m or 2h
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// How long one request may take
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration, default_value = "30s", hide_short_help = true)]
    pub request_timeout: Duration,

    /// How often a request that is safe to repeat is repeated
    #[arg(long, global = true, value_name = "N", default_value_t = 4, hide_short_help = true)]
    pub max_retries: u32,

    /// Ask just these name servers for DNS, HOST or HOST:PORT, repeatable [env: CFSSO_DNS_SERVERS]
    #[arg(long = "server", global = true, value_name = "HOST[:PORT]", hide_short_help = true)]
    pub servers: Vec<ServerSpec>,

    /// Trust the certificates in this PEM file as well
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub ca_cert: Option<PathBuf>,

    /// When to colour: auto, always or never
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        hide_short_help = true
    )]
    pub color: ColorChoice,

    /// Leave out notes and progress
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show a line for each request, and list passed checks
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Show headers and bodies too, with secrets masked
    #[arg(long, global = true, hide_short_help = true)]
    pub debug: bool,

    /// Work against the built-in simulator, no account needed [env: CFSSO_SANDBOX=1]
    #[arg(long, global = true)]
    pub sandbox: bool,

    /// File that keeps the simulator's state [env: CFSSO_SANDBOX_STATE]
    #[arg(long, global = true, value_name = "FILE", hide_short_help = true)]
    pub sandbox_state: Option<PathBuf>,

    /// Make the simulator misbehave, such as 500, 429:retry-after=1 or close-after@PATCH, repeatable
    #[arg(long = "fault", global = true, value_name = "FAULT", hide_short_help = true)]
    pub faults: Vec<Fault>,
}

/// Reads `90s`, `10m`, `2h` or `1d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refused =
        || format!("`{text}` is no duration; write a number and a unit, such as 90s, 10m or 2h");
    let span: jiff::SignedDuration = text.parse().or_else(|_| {
        let days: i64 =
            text.strip_suffix('d').and_then(|days| days.parse().ok()).ok_or_else(refused)?;
        Ok::<_, String>(jiff::SignedDuration::from_hours(days.checked_mul(24).ok_or_else(refused)?))
    })?;
    let duration = Duration::try_from(span).map_err(|_| refused())?;
    if duration.is_zero() { Err(refused()) } else { Ok(duration) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_is_not_nothing() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
            ("1h30m", Some(5400)),
        ] {
            assert_eq!(duration(text).ok().map(|duration| duration.as_secs()), seconds, "{text}");
        }
        for text in ["", "10", "0s", "-5s", "soon", "99999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
