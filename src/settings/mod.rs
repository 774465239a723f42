//! The settings of a run: flags, environment, profile, defaults. Reads files, sends nothing.

mod account_selection;
mod credentials;
mod directories;
mod error;
mod file;
mod options;
mod profile;
mod proxy;

use std::io::ErrorKind;
use std::path::PathBuf;

pub use self::account_selection::{AccountRef, AccountSelection};
pub use self::credentials::CredentialSource;
use self::credentials::Origin;
pub use self::directories::{cache_directory, config_path, journal_of_sandbox};
use self::directories::{journal, path, sandbox_state};
pub use self::error::Error;
use self::file::Profile;
pub use self::options::Options;
use self::options::switch;
pub use self::profile::{TokenSource, add_profile};
use crate::api::ids::AccountId;
use crate::api::mask::mask;
use crate::api::{BaseUrl, Credentials, TrustRoots};
use crate::dns::ServerSpec;
use crate::input::permissions::exposure;
use crate::input::proxy::ProxySettings;
use crate::input::text;
use crate::output::{Environment, Format, Invocation};
use crate::shell::quoted;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Set if the account was given by ID.
    pub account: Option<AccountId>,
    pub accounts: AccountSelection,
    pub credentials: CredentialSource,
    pub base: BaseUrl,
    /// The default connector.
    pub connector: Option<String>,
    pub format: Format,
    /// The only name servers to ask; empty for the default.
    pub servers: Vec<ServerSpec>,
    pub roots: TrustRoots,
    pub proxy: ProxySettings,
    /// Problems that do not stop the run.
    pub warnings: Vec<String>,
    /// The path of the configuration file, whether it exists or not.
    pub config: Option<PathBuf>,
    pub sandbox: bool,
    sandbox_state: Option<PathBuf>,
    pub journal: Option<PathBuf>,
    pub user: Option<String>,
    /// The profile in use, wherever it was named; `None` if the configuration has none.
    pub profile: Option<String>,
    /// The global options, which a profile cannot set.
    pub options: Options,
    /// The variables that some of those options come from.
    pub variables: Vec<&'static str>,
}

/// An account that the user did not name, and how to reach it.
pub struct DrillTarget {
    pub account: AccountId,
    pub credentials: Credentials,
    pub base: BaseUrl,
    pub server: ServerSpec,
    pub journal: PathBuf,
}

/// How a command depends on the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileUse {
    /// A file that cannot be used is an error.
    Required,
    /// It is a warning if flags or variables give what decides where requests go: the token, the
    /// account and the API. For commands of a lockout.
    Fallback,
    /// The same for commands of a lockout that send no request.
    Offline,
    /// It is a warning: no setting of it matters, and the command may serve to repair it.
    Unneeded,
}

pub fn resolve(options: Options, env: &Environment, file_use: FileUse) -> Result<Settings, Error> {
    let (options, variables) = options.with_env(env)?;
    let (named, broken) = match profile(&options, env) {
        Ok(named) => (named, None),
        Err(error) if can_ignore_file(&options, env, file_use)? => {
            (Named::default(), Some(ignored(&error)))
        }
        Err(error) => return Err(error),
    };
    let mut warnings = named.warnings();
    warnings.extend(broken);
    let Named { name, profile, is_in_file, .. } = named;
    let (credentials, origin) = credentials::resolve(&options, env, &profile)?;
    let sandbox = options.sandbox || switch(env, "CFSSO_SANDBOX")?;
    let own_base = profile.base_url.clone();
    let (base, base_origin) = base(env, profile.base_url)?;
    let is_profiles_base = own_base.is_none_or(|own| own == base);
    if !sandbox && !credentials::may_be_sent(&origin, &base_origin, is_profiles_base) {
        return Err(Error::credential_for_other_base(&origin, &base_origin, &name, &base));
    }
    let accounts = AccountSelection::of(&options)?;
    Ok(Settings {
        account: account(&accounts, env, profile.account)?,
        accounts,
        credentials,
        base,
        connector: non_empty_env(env, "CLOUDFLARE_SSO_CONNECTOR_ID").or(profile.connector),
        format: format(&options, env, profile.output)?,
        servers: servers(&options, env, profile.dns_servers)?,
        roots: TrustRoots {
            ca_cert: options.ca_cert.clone().or(path(env, "CFSSO_CA_CERT")).or(profile.ca_cert),
            cert_file: path(env, "SSL_CERT_FILE"),
            cert_dir: path(env, "SSL_CERT_DIR"),
        },
        proxy: proxy::resolve(env),
        warnings,
        config: config_path(env),
        sandbox,
        journal: journal(sandbox, &options, env),
        sandbox_state: sandbox_state(&options, env),
        profile: is_in_file.then_some(name),
        user: ["USER", "LOGNAME", "USERNAME"].into_iter().find_map(|name| non_empty_env(env, name)),
        options,
        variables,
    })
}

impl Settings {
    /// The options that a printed command needs to work where this run does.
    pub fn invocation(&self) -> Invocation {
        let Options { account, profile, token_file, servers, ca_cert, sandbox_state, .. } =
            &self.options;
        let file = |file: &Option<PathBuf>| Some(file.as_ref()?.display().to_string());
        let account = match account.as_slice() {
            [only] => Some(only.clone()),
            // A printed command is for one account.
            _ => None,
        };
        let named = [
            ("--account", account),
            ("--profile", profile.clone()),
            ("--token-file", file(token_file)),
            ("--ca-cert", file(ca_cert)),
            ("--sandbox-state", file(sandbox_state).filter(|_| self.sandbox)),
        ];
        let servers = servers.iter().map(|server| ("--server", Some(server.to_string())));
        let named = named.into_iter().chain(servers);
        let named = named.filter_map(|(flag, value)| Some((flag, quoted(&mask(&value?)))));
        let invocation = named.fold(Invocation::default(), |invocation, (flag, value)| {
            invocation.with(flag, Some(value))
        });
        if self.options.sandbox { invocation.with("--sandbox", None) } else { invocation }
    }

    pub fn sandbox_state(&self) -> Result<PathBuf, Error> {
        self.sandbox_state.clone().ok_or(Error::NoHome)
    }

    /// The settings for another account. Keeps only the user's name and how requests are sent.
    pub fn for_account(&self, place: DrillTarget) -> Self {
        let given = &self.options;
        let options = Options {
            account: Vec::new(),
            all_accounts: false,
            profile: None,
            token_file: None,
            token_stdin: false,
            output: None,
            output_fields: Vec::new(),
            jq: None,
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
            accounts: AccountSelection::Default,
            credentials: CredentialSource::Inline(place.credentials),
            base: place.base,
            connector: None,
            format: Format::Table,
            servers: vec![place.server],
            roots: self.roots.clone(),
            proxy: self.proxy.clone(),
            warnings: Vec::new(),
            config: None,
            sandbox: false,
            sandbox_state: None,
            journal: Some(place.journal),
            user: self.user.clone(),
            profile: None,
            options,
            variables: Vec::new(),
        }
    }
}

fn account(
    selection: &AccountSelection,
    env: &Environment,
    profile: Option<AccountId>,
) -> Result<Option<AccountId>, Error> {
    match selection {
        AccountSelection::Default => {}
        AccountSelection::Given(accounts) => {
            return Ok(match accounts.as_slice() {
                [AccountRef::Id(id)] => Some(id.clone()),
                _ => None,
            });
        }
        AccountSelection::All => return Ok(None),
    }
    let origin = "CLOUDFLARE_ACCOUNT_ID";
    let Some(text) = env.get(origin).filter(|id| !id.trim().is_empty()) else { return Ok(profile) };
    text.parse().map(Some).map_err(|reason| Error::Account { origin, reason })
}

fn non_empty_env(env: &Environment, name: &str) -> Option<String> {
    env.get(name).map(|value| value.trim()).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn base(env: &Environment, profile: Option<BaseUrl>) -> Result<(BaseUrl, Origin), Error> {
    let given = ["CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL"]
        .into_iter()
        .find_map(|name| Some((name, non_empty_env(env, name)?)));
    let Some((origin, text)) = given else {
        return Ok(match profile {
            // A profile that spells out the default URL does not use another host.
            Some(base) if base != BaseUrl::default() => (base, Origin::Profile),
            _ => (BaseUrl::default(), Origin::Default),
        });
    };
    let base = text.parse().map_err(|error| value(origin, &error))?;
    Ok((base, Origin::Environment(origin)))
}

fn format(options: &Options, env: &Environment, profile: Option<Format>) -> Result<Format, Error> {
    if let Some(format) = options.output {
        return Ok(format);
    }
    if options.jq.is_some() || !options.output_fields.is_empty() {
        return Ok(Format::Json);
    }
    match non_empty_env(env, "CFSSO_OUTPUT") {
        Some(text) => text.parse().map_err(|error| value("CFSSO_OUTPUT", &error)),
        None => Ok(profile.unwrap_or_default()),
    }
}

/// The format if the settings are not read, or cannot be. Invalid variables do not count.
pub fn format_without_profile(options: &Options, env: &Environment) -> Format {
    format(options, env, None).unwrap_or_default()
}

fn servers(
    options: &Options,
    env: &Environment,
    profile: Vec<ServerSpec>,
) -> Result<Vec<ServerSpec>, Error> {
    if !options.servers.is_empty() {
        return Ok(options.servers.clone());
    }
    let Some(list) = non_empty_env(env, "CFSSO_DNS_SERVERS") else { return Ok(profile) };
    list.split([',', ' '])
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().map_err(|error| value("CFSSO_DNS_SERVERS", &error)))
        .collect()
}

fn value(origin: &str, reason: &impl ToString) -> Error {
    Error::Value { origin: origin.to_owned(), reason: reason.to_string() }
}

#[derive(Default)]
struct Named {
    name: String,
    profile: Profile,
    file: PathBuf,
    is_in_file: bool,
}

impl Named {
    /// Warns if other users can access a file that names a program to run.
    fn warnings(&self) -> Vec<String> {
        let names_program = self.profile.token_command.is_some();
        let exposure = names_program.then(|| exposure(&self.file)).flatten();
        exposure.map(|exposure| exposure.describe(&self.file)).into_iter().collect()
    }
}

/// Never a file or a profile that the user named, unless no setting of it matters.
fn can_ignore_file(options: &Options, env: &Environment, file_use: FileUse) -> Result<bool, Error> {
    if file_use == FileUse::Unneeded {
        return Ok(true);
    }
    let is_named = path(env, "CFSSO_CONFIG").is_some() || profile_name(options, env).is_some();
    if is_named || file_use == FileUse::Required {
        return Ok(false);
    }
    if file_use == FileUse::Offline || options.sandbox || switch(env, "CFSSO_SANDBOX")? {
        return Ok(true);
    }
    let (_, credential) = credentials::resolve(options, env, &Profile::default())?;
    let has_account = AccountSelection::of(options)? != AccountSelection::Default
        || non_empty_env(env, "CLOUDFLARE_ACCOUNT_ID").is_some();
    let may_be_sent = match base(env, None)? {
        (_, Origin::Environment(_)) => true,
        // Only the file could name another API, to which alone the token may belong.
        _ => match config_path(env).map(std::fs::read) {
            // With an escape, a key is not found as text.
            Some(Ok(text)) => text::decode(&text)
                .is_ok_and(|text| !text.contains("base_url") && !text.contains('\\')),
            _ => matches!(credential, Origin::Environment(_)),
        },
    };
    Ok(credential != Origin::Default && has_account && may_be_sent)
}

fn ignored(error: &Error) -> String {
    let source = std::error::Error::source(error).map(|source| format!(": {source}"));
    let reason = format!("{error}{}", source.unwrap_or_default());
    mask(&format!("the configuration file is ignored; this command does not need it: {reason}"))
}

/// Empty if the configuration file cannot be read.
pub fn profiles(env: &Environment) -> Vec<String> {
    let read = || {
        let path = config_path(env)?;
        let text = text::decode(&std::fs::read(&path).ok()?).ok()?;
        Some(file::read(&path, &text).ok()?.profiles.into_keys().collect())
    };
    read().unwrap_or_default()
}

fn profile_name(options: &Options, env: &Environment) -> Option<String> {
    let named = options.profile.as_deref().map(str::trim).map(str::to_owned);
    named.or_else(|| non_empty_env(env, "CFSSO_PROFILE"))
}

fn profile(options: &Options, env: &Environment) -> Result<Named, Error> {
    let named = profile_name(options, env);
    let path = config_path(env);
    let bytes = match path.as_deref().map(std::fs::read) {
        Some(Ok(bytes)) => bytes,
        // If the home is not a directory, such as /dev/null, the file does not exist either.
        Some(Err(error))
            if !matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) =>
        {
            return Err(Error::Unreadable { path: path.unwrap_or_default(), source: error });
        }
        _ => {
            return named
                .map_or_else(|| Ok(Named::default()), |name| Err(Error::NoFile { name, path }));
        }
    };
    let path = path.unwrap_or_default();
    if let Some(exposure) = exposure(&path).filter(|exposure| exposure.is_writable()) {
        return Err(Error::Exposed(exposure.describe(&path)));
    }
    let text =
        text::decode(&bytes).map_err(|source| Error::Undecodable { path: path.clone(), source })?;
    let mut file = file::read(&path, &text)?;
    let (name, profile) = match named.or(file.profile) {
        None => ("default".to_owned(), file.profiles.remove("default")),
        Some(name) => {
            let known = file.profiles.keys().cloned().collect();
            let Some(profile) = file.profiles.remove(&name) else {
                return Err(Error::NoProfile { path, name, known });
            };
            (name, Some(profile))
        }
    };
    let is_in_file = profile.is_some();
    Ok(Named { name, profile: profile.unwrap_or_default(), file: path, is_in_file })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::Parser;

    use super::*;
    use crate::cli::Cli;

    const ONE: &str = "00000000000000000000000000000001";
    const TWO: &str = "00000000000000000000000000000002";
    const THREE: &str = "00000000000000000000000000000003";

    fn settle(line: &str, env: &[(&str, &str)]) -> Result<Settings, Error> {
        settle_for(FileUse::Required, line, env)
    }

    fn settle_for(file_use: FileUse, line: &str, env: &[(&str, &str)]) -> Result<Settings, Error> {
        let args = ["cfsso", "connector", "list"].into_iter().chain(line.split_whitespace());
        let options = Cli::try_parse_from(args).unwrap().options;
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        resolve(options, &env.collect(), file_use)
    }

    fn config(text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("config.toml");
        std::fs::write(&file, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
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
    fn a_credential_is_sent_only_where_it_belongs() {
        const OWN: &str = "https://api.staging.example/client/v4";
        const OTHER: &str = "https://api.other.example/client/v4";
        const DEFAULT: &str = "https://api.cloudflare.com/client/v4";
        let flag = ("--token-file /flag", None, "");
        let environment = ("", Some(("CLOUDFLARE_API_TOKEN", "t")), "");
        let environment_file = ("", Some(("CLOUDFLARE_API_TOKEN_FILE", "/f")), "");
        let profile_file = ("", None, "token_file = \"/profile\"\n");
        let profile_variable =
            ("", Some(("STAGING_TOKEN", "t")), "token_env = \"STAGING_TOKEN\"\n");
        let nowhere = ("", None, "");
        for (credential, profiles_base, variable, allowed) in [
            (flag, Some(OWN), None, true),
            (flag, Some(OWN), Some(OTHER), true),
            (flag, None, Some(OTHER), true),
            (environment, Some(OWN), None, false),
            (environment, Some(OWN), Some(OWN), true),
            (environment, Some(OWN), Some(OTHER), true),
            (environment, Some(DEFAULT), None, true),
            (environment, None, Some(OTHER), true),
            (environment, None, None, true),
            (environment_file, Some(OWN), None, false),
            (environment_file, None, Some(OTHER), true),
            (profile_file, Some(OWN), None, true),
            (profile_file, Some(OWN), Some(OWN), true),
            (profile_file, Some(OWN), Some(OTHER), false),
            (profile_file, None, Some(OTHER), true),
            (profile_file, Some(OWN), Some(DEFAULT), false),
            (profile_variable, Some(OWN), None, true),
            (profile_variable, Some(OWN), Some(OTHER), false),
            (nowhere, Some(OWN), None, true),
            (nowhere, Some(OWN), Some(OTHER), true),
        ] {
            for account in [None, Some(ONE)] {
                let (line, token, in_profile) = credential;
                let base = profiles_base.map(|it| format!("base_url = \"{it}\"\n"));
                let text = format!("[profiles.default]\n{in_profile}{}", base.unwrap_or_default());
                let (_dir, path) = config(&text);
                let mut env = vec![("CFSSO_CONFIG", path.as_str())];
                env.extend(token);
                env.extend(variable.map(|it| ("CLOUDFLARE_BASE_URL", it)));
                env.extend(account.map(|it| ("CLOUDFLARE_ACCOUNT_ID", it)));
                let result = settle(line, &env);
                assert_eq!(result.is_ok(), allowed, "{line} {env:?} {text} {result:?}");
                if let Err(error) = result {
                    assert!(matches!(error, Error::CredentialForOtherBase { .. }), "{error}");
                }
                // The simulator has its own token.
                assert!(settle(&format!("{line} --sandbox"), &env).is_ok());
            }
        }
    }

    #[test]
    fn both_sources_of_a_refused_credential_are_named() {
        let (_dir, path) = config("[profiles.staging]\nbase_url = \"https://staging.example\"\n");
        let env = [("CFSSO_CONFIG", path.as_str()), ("CLOUDFLARE_API_TOKEN", "planted")];
        let error = settle("--profile staging", &env).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`CLOUDFLARE_API_TOKEN` would be sent to https://staging.example, \
             the base URL of profile `staging`"
        );
    }

    #[test]
    fn values_are_trimmed_wherever_they_come_from() {
        let (_dir, path) = config(&format!(
            "profile = \"work\"\n[profiles.work]\naccount = \" {THREE}\\n\"\noutput = \"yaml \"\n"
        ));
        let settings = settle("", &[("CFSSO_CONFIG", &path)]).unwrap();
        assert_eq!(settings.account.unwrap().as_str(), THREE);
        assert_eq!(settings.format, Format::Yaml);
        let padded = format!("\u{feff}{TWO}\r\n");
        let env = [
            ("CLOUDFLARE_ACCOUNT_ID", padded.as_str()),
            ("CLOUDFLARE_BASE_URL", " https://api.example/v4\n"),
            ("CLOUDFLARE_SSO_CONNECTOR_ID", " cool.cats\n"),
        ];
        let settings = settle("", &env).unwrap();
        assert_eq!(settings.account.unwrap().as_str(), TWO);
        assert_eq!(settings.base.to_string(), "https://api.example/v4");
        assert_eq!(settings.connector.as_deref(), Some("cool.cats"));
        let error = settle("", &[("CLOUDFLARE_ACCOUNT_ID", "ab\u{200b}c")]).unwrap_err();
        assert!(error.to_string().contains("zero-width space (U+200B) at position 3"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_configuration_that_others_can_change_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let text = "[profiles.default]\ntoken_command = [\"true\"]\n";
        for (mode, text, refused, warned) in [
            (0o600, text, false, false),
            (0o644, text, false, true),
            (0o644, "", false, false),
            (0o666, text, true, false),
            (0o620, "", true, false),
        ] {
            let (_dir, path) = config(text);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let result = settle("", &[("CFSSO_CONFIG", &path)]);
            assert_eq!(result.is_err(), refused, "{mode:o}");
            let warnings = result.map(|settings| settings.warnings).unwrap_or_default();
            assert_eq!(warnings.len(), usize::from(warned), "{mode:o} {warnings:?}");
            assert!(warnings.iter().all(|warning| warning.contains("chmod go-rwx")));
        }
    }

    #[test]
    fn a_broken_file_is_ignored_only_where_nothing_of_it_is_needed() {
        use FileUse::{Fallback, Offline, Required, Unneeded};
        const BROKEN: &str = "[profiles.default]\noutput = \"xml\"\n";
        const OTHER_API: &str = "[profiles.default]\nbase_url = \"https://api.example\"\nx = 1\n";
        const ESCAPED: &str =
            "[profiles.default]\n\"base\\u005furl\" = \"https://api.example\"\nx = 1\n";
        let home = tempfile::tempdir().unwrap();
        let file = home.path().join("cfsso/config.toml");
        std::fs::create_dir(home.path().join("cfsso")).unwrap();
        let home = ("XDG_CONFIG_HOME", home.path().to_str().unwrap());
        let token = ("CLOUDFLARE_API_TOKEN", "t");
        let account = ("CLOUDFLARE_ACCOUNT_ID", ONE);
        let base = ("CLOUDFLARE_BASE_URL", "https://api.example");
        for (file_use, text, line, env, is_ignored) in [
            (Required, BROKEN, "", vec![token, account], false),
            (Fallback, BROKEN, "", vec![token, account], true),
            (Fallback, "nonsense", "", vec![token, account], true),
            (Fallback, "profile = \"gone\"\n", "", vec![token, account], true),
            (Fallback, BROKEN, "--token-file /t --account Cats", vec![], true),
            (Fallback, BROKEN, "", vec![token], false),
            (Fallback, BROKEN, "", vec![account], false),
            (Fallback, BROKEN, "--sandbox", vec![], true),
            (Fallback, BROKEN, "--profile default", vec![token, account], false),
            (Fallback, BROKEN, "", vec![token, account, ("CFSSO_PROFILE", "default")], false),
            (Fallback, OTHER_API, "", vec![token, account], false),
            (Fallback, ESCAPED, "", vec![token, account], false),
            (Fallback, OTHER_API, "", vec![token, account, base], true),
            (Offline, BROKEN, "", vec![], true),
            (Offline, BROKEN, "--profile default", vec![], false),
            (Unneeded, BROKEN, "--profile default", vec![], true),
        ] {
            std::fs::write(&file, text).unwrap();
            let mut env = env;
            env.push(home);
            let settings = settle_for(file_use, line, &env);
            assert_eq!(settings.is_ok(), is_ignored, "{file_use:?} {line} {env:?} {settings:?}");
            if let Ok(settings) = settings {
                assert_eq!(settings.profile, None);
                let warning = &settings.warnings[0];
                assert!(warning.contains("is ignored") && warning.contains("config.toml"));
            }
        }
        let named = ("CFSSO_CONFIG", file.to_str().unwrap());
        assert!(settle_for(Fallback, "", &[named, token, account]).is_err());
        // A folder cannot be read as a file.
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(settle_for(Fallback, "", &[home, token, account]).is_ok());
        let settings = settle_for(Fallback, "--token-file /t", &[home, account]);
        assert!(matches!(settings, Err(Error::Unreadable { .. })), "{settings:?}");
        assert!(settle_for(Fallback, "--token-file /t", &[home, account, base]).is_ok());
    }

    #[test]
    fn a_profile_that_is_not_there_is_answered_with_those_there_are() {
        let (_dir, path) = config("[profiles.home]\n[profiles.work]\n");
        let error = settle("--profile wrk", &[("CFSSO_CONFIG", &path)]).unwrap_err();
        assert!(error.to_string().ends_with("(profiles: `home`, `work`)"), "{error}");
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
}
