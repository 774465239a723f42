//! What a run is told: flags, then environment, then the profile in the
//! configuration file, then defaults. Reads files, sends nothing.

mod file;

use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;

use crate::api::ids::{AccountId, InvalidId};
use crate::api::mask::mask;
use crate::api::{BaseUrl, Credentials, Roots};
use crate::dns::ServerSpec;
use crate::output::{Call, Choice, Environment, Format};
use crate::sandbox::Fault;
use crate::shell::quoted;

use self::file::Profile;

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
    pub color: Choice,

    /// Leave out notes and progress
    #[arg(short, long, global = true)]
    pub quiet: bool,

    /// Show a line for each request
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

/// What a run goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The account, where it was named.
    pub account: Option<AccountId>,
    /// Where the token is, or that it was named nowhere.
    pub credentials: CredentialSource,
    /// The API.
    pub base: BaseUrl,
    /// The connector that commands mean when they are given none.
    pub connector: Option<String>,
    /// The form of the result.
    pub format: Format,
    /// The only name servers to ask, where any are named.
    pub servers: Vec<ServerSpec>,
    /// The certificates to trust.
    pub roots: Roots,
    /// Where the configuration file is, or would be.
    pub config: Option<PathBuf>,
    /// Whether to work against the built-in simulator.
    pub sandbox: bool,
    sandbox_state: Option<PathBuf>,
    /// The directory of the journal, where there is a place for one.
    pub journal: Option<PathBuf>,
    /// The local user.
    pub user: Option<String>,
    /// The global options, for what only they can set.
    pub options: Options,
}

/// An account that was named by nobody, and how to reach it.
pub struct Place {
    /// The account.
    pub account: AccountId,
    /// The credentials for it.
    pub credentials: Credentials,
    /// The API.
    pub base: BaseUrl,
    /// The one name server to ask.
    pub server: ServerSpec,
    /// The directory of the journal.
    pub journal: PathBuf,
}

/// Where the token comes from. Reading it waits until a request needs it.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// Given by the environment.
    Given(Credentials),
    /// The first line of a file.
    File(PathBuf),
    /// The first line of standard input.
    Stdin,
    /// The first line that a program prints.
    Command(Vec<String>),
    /// Named nowhere.
    Missing,
}

impl fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Given(_) => f.write_str("the environment"),
            Self::File(file) => write!(f, "the token file {}", file.display()),
            Self::Stdin => f.write_str("standard input"),
            Self::Command(command) => {
                write!(f, "the output of the token command `{}`", command.join(" "))
            }
            Self::Missing => f.write_str("the configuration"),
        }
    }
}

/// Why the settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The account ID is none.
    #[error("{origin}: {reason}")]
    Account {
        /// Where the value came from.
        origin: &'static str,
        /// What is wrong with it.
        reason: InvalidId,
    },
    /// A value that cannot be used.
    #[error("{origin}: {reason}")]
    Value {
        /// Where the value came from.
        origin: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The configuration file is there but cannot be read.
    #[error("cannot read the configuration file {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// The configuration file is malformed.
    #[error("configuration file {}, line {line}, column {column}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// No profile of that name.
    #[error("the configuration file {} has no profile `{name}`; it has {}", path.display(), listed(known))]
    NoProfile {
        /// The file.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// A profile was named, but there is no file to hold it.
    #[error("profile `{name}` was asked for, but there is no configuration file{}", at(path.as_deref()))]
    NoFile {
        /// The name that was asked for.
        name: String,
        /// Where the file would be.
        path: Option<PathBuf>,
    },
    /// There is no home directory to keep the simulator's state in.
    #[error("there is no home directory to keep the simulator's state in")]
    NoHome,
}

/// Settles what a run goes by.
pub fn resolve(options: Options, env: &Environment) -> Result<Settings, Error> {
    let profile = profile(&options, env)?;
    let credentials = credentials(&options, env, &profile)?;
    let sandbox = options.sandbox
        || env.get("CFSSO_SANDBOX").is_some_and(|value| !matches!(value.as_str(), "" | "0"));
    Ok(Settings {
        account: account(&options, env, profile.account)?,
        credentials,
        base: base(env, profile.base_url)?,
        connector: env
            .get("CLOUDFLARE_SSO_CONNECTOR_ID")
            .filter(|id| !id.is_empty())
            .cloned()
            .or(profile.connector),
        format: format(&options, env, profile.output)?,
        servers: servers(&options, env, profile.dns_servers)?,
        roots: Roots {
            ca_cert: options.ca_cert.clone().or(profile.ca_cert),
            cert_file: path(env, "SSL_CERT_FILE"),
            cert_dir: path(env, "SSL_CERT_DIR"),
        },
        config: config_path(env),
        sandbox,
        journal: journal(sandbox, &options, env),
        sandbox_state: sandbox_state(&options, env),
        user: ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| filled(env, name)),
        options,
    })
}

impl Settings {
    /// The options that said where this run works.
    #[must_use]
    pub fn call(&self) -> Call {
        let Options { account, profile, token_file, servers, ca_cert, sandbox_state, .. } =
            &self.options;
        let file = |file: &Option<PathBuf>| Some(file.as_ref()?.display().to_string());
        let named = [
            ("--account", account.clone()),
            ("--profile", profile.clone()),
            ("--token-file", file(token_file)),
            ("--ca-cert", file(ca_cert)),
            ("--sandbox-state", file(sandbox_state)),
        ];
        let servers = servers.iter().map(|server| ("--server", Some(server.to_string())));
        let named = named.into_iter().chain(servers);
        let named = named.filter_map(|(flag, value)| Some((flag, quoted(&mask(&value?)))));
        let call = named.fold(Call::default(), |call, (flag, value)| call.with(flag, Some(value)));
        if self.options.sandbox { call.with("--sandbox", None) } else { call }
    }

    /// The file that keeps the simulator's state.
    pub fn sandbox_state(&self) -> Result<PathBuf, Error> {
        self.sandbox_state.clone().ok_or(Error::NoHome)
    }

    /// The settings of somebody else, of whom nothing but the user's name and
    /// how requests are sent is taken over.
    #[must_use]
    pub fn elsewhere(&self, place: Place) -> Self {
        let given = &self.options;
        let options = Options {
            account: None,
            profile: None,
            token_file: None,
            token_stdin: false,
            output: None,
            yes: true,
            confirm: None,
            dry_run: false,
            detailed_exitcode: false,
            servers: Vec::new(),
            sandbox: false,
            sandbox_state: None,
            faults: Vec::new(),
            ..given.clone()
        };
        Self {
            account: Some(place.account),
            credentials: CredentialSource::Given(place.credentials),
            base: place.base,
            connector: None,
            format: Format::Table,
            servers: vec![place.server],
            roots: self.roots.clone(),
            config: None,
            sandbox: false,
            sandbox_state: None,
            journal: Some(place.journal),
            user: self.user.clone(),
            options,
        }
    }
}

fn sandbox_state(options: &Options, env: &Environment) -> Option<PathBuf> {
    let named = options.sandbox_state.clone().or_else(|| path(env, "CFSSO_SANDBOX_STATE"));
    named.or_else(|| Some(directory(env, Purpose::State)?.join("cfsso").join("sandbox.json")))
}

/// Where the journal is: `CFSSO_JOURNAL`, or the user's state directory. What
/// is rehearsed in the simulator stays beside its state, never among what was
/// really changed.
fn journal(sandbox: bool, options: &Options, env: &Environment) -> Option<PathBuf> {
    if sandbox {
        let mut name = sandbox_state(options, env)?.into_os_string();
        name.push(".journal");
        return Some(PathBuf::from(name));
    }
    let named = path(env, "CFSSO_JOURNAL");
    named.or_else(|| Some(directory(env, Purpose::State)?.join("cfsso").join("journal")))
}

fn path(env: &Environment, name: &str) -> Option<PathBuf> {
    env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Configuration,
    State,
}

/// The user's directory for a purpose: the XDG Base Directory Specification's,
/// or Windows' application data. A service may have none.
fn directory(env: &Environment, purpose: Purpose) -> Option<PathBuf> {
    let (xdg, under_home, windows) = match purpose {
        Purpose::Configuration => ("XDG_CONFIG_HOME", ".config", "APPDATA"),
        Purpose::State => ("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA"),
    };
    // The specification has relative paths ignored.
    if let Some(dir) = path(env, xdg).filter(|dir| dir.is_absolute()) {
        return Some(dir);
    }
    if cfg!(windows) {
        path(env, windows)
    } else {
        path(env, "HOME").map(|home| home.join(under_home))
    }
}

fn account(
    options: &Options,
    env: &Environment,
    profile: Option<AccountId>,
) -> Result<Option<AccountId>, Error> {
    let given = [
        ("--account", options.account.as_ref()),
        ("CLOUDFLARE_ACCOUNT_ID", env.get("CLOUDFLARE_ACCOUNT_ID").filter(|id| !id.is_empty())),
    ];
    let Some((origin, text)) = given.into_iter().find_map(|(origin, text)| Some((origin, text?)))
    else {
        return Ok(profile);
    };
    text.parse().map(Some).map_err(|reason| Error::Account { origin, reason })
}

fn credentials(
    options: &Options,
    env: &Environment,
    profile: &Profile,
) -> Result<CredentialSource, Error> {
    if options.token_stdin {
        return Ok(CredentialSource::Stdin);
    }
    if let Some(file) = &options.token_file {
        return Ok(CredentialSource::File(file.clone()));
    }
    if let Some(token) = filled(env, "CLOUDFLARE_API_TOKEN") {
        return Ok(CredentialSource::Given(Credentials::Token(SecretString::from(token))));
    }
    if let Some(file) = path(env, "CLOUDFLARE_API_TOKEN_FILE") {
        return Ok(CredentialSource::File(file));
    }
    if let (Some(email), Some(key)) =
        (filled(env, "CLOUDFLARE_EMAIL"), filled(env, "CLOUDFLARE_API_KEY"))
    {
        return Ok(CredentialSource::Given(Credentials::Key {
            email,
            key: SecretString::from(key),
        }));
    }
    if let Some(file) = &profile.token_file {
        return Ok(CredentialSource::File(file.clone()));
    }
    if let Some(name) = &profile.token_env {
        let token = filled(env, name).ok_or_else(|| Error::Value {
            origin: "`token_env` of the profile".to_owned(),
            reason: format!("the environment variable `{name}` is not set"),
        })?;
        return Ok(CredentialSource::Given(Credentials::Token(SecretString::from(token))));
    }
    Ok(profile.token_command.clone().map_or(CredentialSource::Missing, CredentialSource::Command))
}

fn filled(env: &Environment, name: &str) -> Option<String> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn base(env: &Environment, profile: Option<BaseUrl>) -> Result<BaseUrl, Error> {
    let given = [
        ("CLOUDFLARE_BASE_URL", filled(env, "CLOUDFLARE_BASE_URL")),
        ("CLOUDFLARE_API_BASE_URL", filled(env, "CLOUDFLARE_API_BASE_URL")),
    ];
    let Some((origin, text)) = given.into_iter().find_map(|(origin, text)| Some((origin, text?)))
    else {
        return Ok(profile.unwrap_or_default());
    };
    text.parse().map_err(|error| value(origin, &error))
}

fn format(options: &Options, env: &Environment, profile: Option<Format>) -> Result<Format, Error> {
    if let Some(format) = options.output {
        return Ok(format);
    }
    match filled(env, "CFSSO_OUTPUT") {
        Some(text) => text.parse().map_err(|error| value("CFSSO_OUTPUT", &error)),
        None => Ok(profile.unwrap_or_default()),
    }
}

fn servers(
    options: &Options,
    env: &Environment,
    profile: Vec<ServerSpec>,
) -> Result<Vec<ServerSpec>, Error> {
    if !options.servers.is_empty() {
        return Ok(options.servers.clone());
    }
    let Some(list) = filled(env, "CFSSO_DNS_SERVERS") else { return Ok(profile) };
    list.split([',', ' '])
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|error| value("CFSSO_DNS_SERVERS", &error)))
        .collect()
}

fn value(origin: &str, reason: &impl ToString) -> Error {
    Error::Value { origin: origin.to_owned(), reason: reason.to_string() }
}

fn profile(options: &Options, env: &Environment) -> Result<Profile, Error> {
    let named = options.profile.clone().or_else(|| filled(env, "CFSSO_PROFILE"));
    let path = config_path(env);
    let text = match path.as_deref().map(std::fs::read_to_string) {
        Some(Ok(text)) => text,
        // A home such as /dev/null holds no file either.
        Some(Err(error))
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            return Err(Error::Unreadable { path: path.unwrap_or_default(), source: error });
        }
        _ => {
            return named
                .map_or_else(|| Ok(Profile::default()), |name| Err(Error::NoFile { name, path }));
        }
    };
    let path = path.unwrap_or_default();
    let mut file = file::read(&path, &text)?;
    let Some(name) = named.or(file.profile) else {
        return Ok(file.profiles.remove("default").unwrap_or_default());
    };
    let known = file.profiles.keys().cloned().collect();
    file.profiles.remove(&name).ok_or(Error::NoProfile { path, name, known })
}

/// Where the configuration file is: `CFSSO_CONFIG`, or `cfsso/config.toml` in
/// the platform's configuration directory.
#[must_use]
pub fn config_path(env: &Environment) -> Option<PathBuf> {
    if let Some(file) = path(env, "CFSSO_CONFIG") {
        return Some(file);
    }
    Some(directory(env, Purpose::Configuration)?.join("cfsso").join("config.toml"))
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none".to_owned();
    }
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

fn at(path: Option<&Path>) -> String {
    path.map(|path| format!(" at {}", path.display())).unwrap_or_default()
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
    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    const ONE: &str = "00000000000000000000000000000001";
    const TWO: &str = "00000000000000000000000000000002";
    const THREE: &str = "00000000000000000000000000000003";

    fn settle(line: &str, env: &[(&str, &str)]) -> Result<Settings, Error> {
        let args = ["cfsso", "connector", "list"].into_iter().chain(line.split_whitespace());
        let options = Cli::try_parse_from(args).unwrap().options;
        resolve(
            options,
            &env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        )
    }

    fn config(text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        let path = file.display().to_string();
        (dir, path)
    }

    #[test]
    fn a_flag_counts_before_the_environment_and_that_before_the_profile() {
        let (_dir, path) = config(&format!(
            "profile = \"work\"\n[profiles.work]\naccount = \"{THREE}\"\noutput = \"yaml\"\n"
        ));
        let flag = format!("--account {ONE} -o json");
        let environment = [
            ("CFSSO_CONFIG", path.as_str()),
            ("CLOUDFLARE_ACCOUNT_ID", TWO),
            ("CFSSO_OUTPUT", "name"),
        ];
        for (line, env, account, format) in [
            (flag.as_str(), &environment[..], ONE, Format::Json),
            ("", &environment[..], TWO, Format::Name),
            ("", &environment[..1], THREE, Format::Yaml),
        ] {
            let settings = settle(line, env).unwrap();
            assert_eq!(settings.account.unwrap().as_str(), account, "{line}");
            assert_eq!(settings.format, format, "{line}");
        }
    }

    #[test]
    fn the_token_is_taken_from_the_first_place_that_names_one() {
        let (_dir, path) = config("[profiles.default]\ntoken_file = \"/profile\"\n");
        let config = ("CFSSO_CONFIG", path.as_str());
        let token = ("CLOUDFLARE_API_TOKEN", "t");
        let file = ("CLOUDFLARE_API_TOKEN_FILE", "/environment");
        let email = ("CLOUDFLARE_EMAIL", "ada@cool.cats");
        let key = ("CLOUDFLARE_API_KEY", "k");
        for (line, env, source) in [
            ("--token-stdin", vec![token, config], "standard input"),
            ("--token-file /flag", vec![token, config], "the token file /flag"),
            ("", vec![token, file, email, key, config], "the environment"),
            ("", vec![file, email, key, config], "the token file /environment"),
            ("", vec![email, key, config], "the environment"),
            ("", vec![email, config], "the token file /profile"),
            ("", vec![("CLOUDFLARE_API_TOKEN", "  "), config], "the token file /profile"),
            ("", vec![("CFSSO_CONFIG", "/nonexistent/config.toml")], "the configuration"),
        ] {
            let settings = settle(line, &env).unwrap();
            assert_eq!(settings.credentials.to_string(), source, "{line} {env:?}");
        }
    }

    #[test]
    fn a_profile_that_is_not_there_is_answered_with_those_there_are() {
        let (_dir, path) = config("[profiles.home]\n[profiles.work]\n");
        let error = settle("--profile wrk", &[("CFSSO_CONFIG", &path)]).unwrap_err();
        assert!(
            error.to_string().ends_with("has no profile `wrk`; it has `home`, `work`"),
            "{error}"
        );
        let error = settle("--profile work", &[]).unwrap_err();
        assert!(matches!(error, Error::NoFile { .. }), "{error}");
    }

    #[test]
    fn values_that_cannot_be_used_name_where_they_came_from() {
        for (env, says) in [
            (("CLOUDFLARE_ACCOUNT_ID", "cool"), "CLOUDFLARE_ACCOUNT_ID"),
            (("CLOUDFLARE_BASE_URL", "http://api.example"), "CLOUDFLARE_BASE_URL: "),
            (("CFSSO_DNS_SERVERS", "https://dns.example"), "CFSSO_DNS_SERVERS: "),
            (("CFSSO_OUTPUT", "xml"), "CFSSO_OUTPUT: "),
        ] {
            let error = settle("", &[env]).unwrap_err().to_string();
            assert!(error.starts_with(says), "{error}");
        }
    }

    #[test]
    fn the_state_is_kept_where_the_platform_keeps_it() {
        for (env, file) in [
            (&[("CFSSO_SANDBOX_STATE", "/a/b.json"), ("HOME", "/home/ada")][..], Some("/a/b.json")),
            (
                &[("XDG_STATE_HOME", "/state"), ("HOME", "/home/ada")],
                Some("/state/cfsso/sandbox.json"),
            ),
            (
                &[("XDG_STATE_HOME", "relative"), ("HOME", "/home/ada")],
                Some("/home/ada/.local/state/cfsso/sandbox.json"),
            ),
            (&[], None),
        ] {
            let found = settle("", env).unwrap().sandbox_state().ok();
            assert_eq!(found.as_deref(), file.map(Path::new), "{env:?}");
        }
    }

    #[test]
    fn the_journal_of_a_rehearsal_is_not_the_real_one() {
        let home = ("HOME", "/home/ada");
        for (line, env, dir) in [
            ("", &[home][..], Some("/home/ada/.local/state/cfsso/journal")),
            ("", &[home, ("XDG_STATE_HOME", "/state")], Some("/state/cfsso/journal")),
            ("", &[home, ("CFSSO_JOURNAL", "/j")], Some("/j")),
            ("", &[("CFSSO_JOURNAL", "/j")], Some("/j")),
            ("", &[], None),
            (
                "--sandbox",
                &[home, ("CFSSO_JOURNAL", "/j")],
                Some("/home/ada/.local/state/cfsso/sandbox.json.journal"),
            ),
            ("--sandbox --sandbox-state /s.json", &[home], Some("/s.json.journal")),
        ] {
            let settings = settle(line, env).unwrap();
            assert_eq!(settings.journal.as_deref(), dir.map(Path::new), "{line} {env:?}");
        }
    }

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
