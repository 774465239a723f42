use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::dns::ServerSpec;
use crate::input::time::duration;
use crate::input::value::visible;
use crate::output::{ColorChoice, Environment, Format};
use crate::sandbox::Fault;

use super::error::Error;
use super::non_empty_env;

const DEFAULT_REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
const DEFAULT_RETRIES: u32 = 4;

/// Options that every command takes.
#[derive(clap::Args, Debug, Clone, Default)]
#[expect(clippy::doc_markdown, reason = "the comments are the help, where backticks stay")]
pub struct Options {
    /// Account by ID or name; read commands take several [env: CLOUDFLARE_ACCOUNT_ID]
    #[arg(long, global = true, value_name = "ACCOUNT")]
    pub account: Vec<String>,

    /// Read every account of the token (`cfsso help accounts`)
    #[arg(long, global = true, conflicts_with = "account")]
    pub all_accounts: bool,

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

    /// Print only these fields (json, ndjson, yaml): `id,verification.status` (implies -o json)
    #[arg(long = "fields", global = true, value_name = "FIELDS", value_delimiter = ',')]
    pub output_fields: Vec<String>,

    /// Filter the JSON output with a jq expression (implies -o json)
    #[arg(long, global = true, value_name = "EXPR", conflicts_with = "output_fields")]
    pub jq: Option<String>,

    /// Skip confirmation prompts
    #[arg(short = 'y', long, global = true)]
    pub yes: bool,

    /// Confirm for this name only: what the prompt asks for (safer than --yes)
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "yes")]
    pub confirm: Option<String>,

    /// Print the requests without sending them
    #[arg(long, global = true)]
    pub dry_run: bool,

    /// With --dry-run or `plan`, exit 10 if there are changes
    #[arg(long, global = true)]
    pub detailed_exitcode: bool,

    /// Time limit for the command (90s, 10m, 2h)
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,

    /// Time limit for one request [default: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = duration)]
    pub request_timeout: Option<Duration>,

    /// Maximum retries of a safe request [default: 4]
    #[arg(long, global = true, value_name = "N")]
    pub max_retries: Option<u32>,

    /// Query only this name server (repeatable) [env: CFSSO_DNS_SERVERS]
    #[arg(long = "server", global = true, value_name = "HOST[:PORT]")]
    pub servers: Vec<ServerSpec>,

    /// Additional CA certificates (PEM file)
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_cert: Option<PathBuf>,

    /// Color: auto, always or never [default: auto]
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<ColorChoice>,

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

impl Options {
    /// Adds options from environment variables, and returns the names of those used.
    pub fn with_env(mut self, env: &Environment) -> Result<(Self, Vec<&'static str>), Error> {
        let mut from = Variables { env, used: Vec::new() };
        // The confirmations exclude each other; `--confirm` with its domain is the safer one.
        if !self.yes {
            from.value("CFSSO_CONFIRM", &mut self.confirm, str::parse)?;
        }
        if self.confirm.is_none() {
            from.switch("CFSSO_YES", &mut self.yes)?;
        }
        if self.account.is_empty() {
            from.switch("CFSSO_ALL_ACCOUNTS", &mut self.all_accounts)?;
        }
        if self.token_file.is_none() {
            from.switch("CFSSO_TOKEN_STDIN", &mut self.token_stdin)?;
        }
        for (name, given) in [
            ("CFSSO_DRY_RUN", &mut self.dry_run),
            ("CFSSO_DETAILED_EXITCODE", &mut self.detailed_exitcode),
            ("CFSSO_QUIET", &mut self.quiet),
            ("CFSSO_VERBOSE", &mut self.verbose),
            ("CFSSO_DEBUG", &mut self.debug),
        ] {
            from.switch(name, given)?;
        }
        if self.jq.is_none() {
            from.list("CFSSO_FIELDS", &mut self.output_fields)?;
        }
        if self.output_fields.is_empty() {
            from.value("CFSSO_JQ", &mut self.jq, str::parse)?;
        }
        from.value("CFSSO_TIMEOUT", &mut self.timeout, duration)?;
        from.value("CFSSO_REQUEST_TIMEOUT", &mut self.request_timeout, duration)?;
        from.value("CFSSO_MAX_RETRIES", &mut self.max_retries, str::parse)?;
        from.value("CFSSO_COLOR", &mut self.color, str::parse)?;
        from.list("CFSSO_FAULT", &mut self.faults)?;
        Ok((self, from.used))
    }

    pub fn request_timeout(&self) -> Duration {
        self.request_timeout.unwrap_or(DEFAULT_REQUEST_TIMEOUT)
    }

    /// The most retries of a safe request.
    pub fn max_retries(&self) -> u32 {
        self.max_retries.unwrap_or(DEFAULT_RETRIES)
    }

    pub fn color(&self) -> ColorChoice {
        self.color.unwrap_or_default()
    }
}

/// Fills options that were not given. An empty variable counts as unset.
struct Variables<'a> {
    env: &'a Environment,
    used: Vec<&'static str>,
}

impl Variables<'_> {
    fn switch(&mut self, name: &'static str, given: &mut bool) -> Result<(), Error> {
        if !*given && switch(self.env, name)? {
            *given = true;
            self.used.push(name);
        }
        Ok(())
    }

    fn value<T, E: ToString>(
        &mut self,
        name: &'static str,
        given: &mut Option<T>,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> Result<(), Error> {
        if let (None, Some(text)) = (&given, non_empty_env(self.env, name)) {
            *given = Some(parse(&text).map_err(|error| super::value(name, &error))?);
            self.used.push(name);
        }
        Ok(())
    }

    fn list<T: FromStr<Err: ToString>>(
        &mut self,
        name: &'static str,
        given: &mut Vec<T>,
    ) -> Result<(), Error> {
        let mut values = (!given.is_empty()).then(Vec::new);
        self.value(name, &mut values, |text| {
            text.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::parse).collect()
        })?;
        given.extend(values.into_iter().flatten());
        Ok(())
    }
}

/// Whether a variable is set to `1` or the like.
pub(super) fn switch(env: &Environment, name: &'static str) -> Result<bool, Error> {
    let Some(text) = non_empty_env(env, name) else { return Ok(false) };
    match text.to_ascii_lowercase().as_str() {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(super::value(name, &format!("`{}` is neither 1 nor 0", visible(&text)))),
    }
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;
    use crate::cli::Cli;

    fn options(line: &str, env: &[(&str, &str)]) -> Result<(Options, Vec<&'static str>), Error> {
        let args = ["cfsso", "connector", "list"].into_iter().chain(line.split_whitespace());
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Cli::try_parse_from(args).unwrap().options.with_env(&env.collect())
    }

    #[test]
    fn a_variable_counts_where_the_option_is_not_given() {
        let (all, used) = options(
            "",
            &[
                ("CFSSO_YES", "yes"),
                ("CFSSO_TOKEN_STDIN", "1"),
                ("CFSSO_DRY_RUN", "TRUE"),
                ("CFSSO_DETAILED_EXITCODE", "on"),
                ("CFSSO_QUIET", " 1 "),
                ("CFSSO_VERBOSE", "0"),
                ("CFSSO_DEBUG", ""),
                ("CFSSO_FIELDS", "id, verification.status"),
                ("CFSSO_TIMEOUT", "2m"),
                ("CFSSO_REQUEST_TIMEOUT", "5s"),
                ("CFSSO_MAX_RETRIES", "0"),
                ("CFSSO_COLOR", "always"),
                ("CFSSO_FAULT", "500x2,429@GET/sso_connectors"),
            ],
        )
        .unwrap();
        assert!(all.yes && all.token_stdin && all.dry_run && all.detailed_exitcode && all.quiet);
        assert!(!all.verbose && !all.debug);
        assert_eq!(all.output_fields, ["id", "verification.status"]);
        assert_eq!(all.timeout, Some(Duration::from_mins(2)));
        assert_eq!((all.request_timeout(), all.max_retries()), (Duration::from_secs(5), 0));
        assert_eq!((all.color(), all.faults.len()), (ColorChoice::Always, 2));
        assert_eq!(used.len(), 11, "{used:?}");
        // The used ones, the two that are off, and those that `resolve` reads.
        let mut known = used;
        known.extend([
            "CFSSO_VERBOSE",
            "CFSSO_DEBUG",
            "CFSSO_ALL_ACCOUNTS",
            "CFSSO_CONFIRM",
            "CFSSO_CA_CERT",
            "CFSSO_JQ",
        ]);
        for option in Cli::command().get_arguments().filter(|arg| arg.is_global_set()) {
            let name = option.get_long().unwrap().to_uppercase().replace('-', "_");
            let is_named = option.get_help().unwrap().to_string().contains("[env: C");
            let variable = format!("CFSSO_{name}");
            assert_ne!(is_named, known.contains(&variable.as_str()), "{variable}");
        }

        for (line, name, value) in [
            ("--yes", "CFSSO_CONFIRM", "cool.cats"),
            ("--confirm a.example", "CFSSO_YES", "1"),
            ("--confirm a.example", "CFSSO_CONFIRM", "b.example"),
            ("--max-retries 1", "CFSSO_MAX_RETRIES", "9"),
            ("--timeout 1s", "CFSSO_TIMEOUT", "nonsense"),
            ("--token-file /t", "CFSSO_TOKEN_STDIN", "1"),
            ("--fields id", "CFSSO_FIELDS", "name"),
        ] {
            let plain = options(line, &[]).unwrap().0;
            let (with, used) = options(line, &[(name, value)]).unwrap();
            assert_eq!(format!("{with:?}"), format!("{plain:?}"), "{line} {name}");
            assert!(used.is_empty(), "{used:?}");
        }
        let both = [("CFSSO_YES", "1"), ("CFSSO_CONFIRM", "cool.cats")];
        let (both, _) = options("", &both).unwrap();
        assert!(!both.yes && both.confirm.as_deref() == Some("cool.cats"));
    }

    #[test]
    fn a_value_that_cannot_be_used_names_its_variable() {
        for (name, value) in [
            ("CFSSO_YES", "maybe"),
            ("CFSSO_TIMEOUT", "soon"),
            ("CFSSO_MAX_RETRIES", "-1"),
            ("CFSSO_COLOR", "red"),
            ("CFSSO_FAULT", "nonsense"),
        ] {
            let error = options("", &[(name, value)]).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{name}: ")), "{error}");
        }
    }
}
