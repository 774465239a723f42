//! `cfsso config`: the source of each setting. Shows no secret.

use std::time::Duration;

use clap::Subcommand;
use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::Serialize;

use super::Outcome;
use crate::api::BaseUrl;
use crate::api::mask::mask;
use crate::context::Context;
use crate::output::{Page, Render, Text};
use crate::settings::CredentialSource;

const NOT_SET: &str = "not set";

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show each setting and where it comes from
    Show(ShowArgs),
    /// Print the path of the configuration file
    Path(PathArgs),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso config show
  cfsso config show --profile work -o json

Options take precedence over the environment, the environment over the profile.")]
pub struct ShowArgs {}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso config path
  $EDITOR \"$(cfsso config path)\"")]
pub struct PathArgs {}

/// A setting and its source.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Setting {
    /// The name of the setting.
    name: &'static str,
    /// The value; `null` if it is not set. Secrets are never printed.
    value: Option<String>,
    /// The option or environment variable that set the value, `profile`, `config` (the
    /// configuration file) or `default`.
    source: String,
    #[serde(skip)]
    is_run_option: bool,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Settings(Vec<Setting>);

#[derive(Serialize)]
struct File {
    path: Option<String>,
    exists: bool,
}

pub fn run(command: &Command, context: &Context) -> Outcome {
    match command {
        Command::Show(_) => Outcome::done(Settings(settings(context))),
        Command::Path(_) => {
            let path = context.settings.config.as_ref();
            Outcome::done(File {
                path: path.map(|path| path.display().to_string()),
                exists: path.is_some_and(|path| path.is_file()),
            })
        }
    }
}

fn settings(context: &Context) -> Vec<Setting> {
    let settings = &context.settings;
    let options = &settings.options;
    let row =
        |name, value: Option<String>, flag: Option<&str>, variables: &[&str], default: bool| {
            let variable = variables.iter().find(|name| is_set(context, name));
            let source = match (flag, variable) {
                (Some(flag), _) => flag.to_owned(),
                (None, Some(variable)) => (*variable).to_owned(),
                (None, None) if default || value.is_none() => "default".to_owned(),
                (None, None) => "profile".to_owned(),
            };
            Setting { name, value, source, is_run_option: false }
        };
    let given = |is_given: bool, flag| is_given.then_some(flag);
    let servers: Vec<_> = settings.servers.iter().map(ToString::to_string).collect();
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|it| it.display().to_string());
    let account = match options.account.as_slice() {
        [] => settings.account.as_ref().map(ToString::to_string),
        given => Some(given.join(", ")),
    };
    let mut rows = vec![
        row(
            "account",
            account.map(|account| mask(&account)),
            given(!options.account.is_empty(), "--account"),
            &["CLOUDFLARE_ACCOUNT_ID"],
            false,
        ),
        profile(context),
        Setting { name: "token", value: None, source: credential(context), is_run_option: false },
        row(
            "base_url",
            Some(mask(&settings.base.to_string())),
            None,
            &["CLOUDFLARE_BASE_URL", "CLOUDFLARE_API_BASE_URL"],
            settings.base == BaseUrl::default(),
        ),
        row("connector", settings.connector.clone(), None, &["CLOUDFLARE_SSO_CONNECTOR_ID"], false),
        row(
            "output",
            Some(settings.format.to_string()),
            match options {
                _ if options.output.is_some() => Some("--output"),
                _ if options.jq.is_some() => Some("--jq"),
                _ if !options.output_fields.is_empty() => Some("--fields"),
                _ => None,
            },
            &["CFSSO_OUTPUT"],
            settings.format == crate::output::Format::default(),
        ),
        row(
            "dns_servers",
            (!servers.is_empty()).then(|| servers.join(", ")),
            given(!options.servers.is_empty(), "--server"),
            &["CFSSO_DNS_SERVERS"],
            false,
        ),
        row(
            "ca_cert",
            path(&settings.roots.ca_cert),
            given(options.ca_cert.is_some(), "--ca-cert"),
            &["CFSSO_CA_CERT"],
            false,
        ),
        row(
            "sandbox",
            Some(settings.sandbox.to_string()),
            given(options.sandbox, "--sandbox"),
            &["CFSSO_SANDBOX"],
            true,
        ),
        row(
            "sandbox_state",
            settings.sandbox_state().ok().map(|it| it.display().to_string()),
            given(options.sandbox_state.is_some(), "--sandbox-state"),
            &["CFSSO_SANDBOX_STATE"],
            true,
        ),
        row("journal", path(&settings.journal), None, &["CFSSO_JOURNAL"], true),
        row("config", path(&settings.config), None, &["CFSSO_CONFIG"], true),
    ];
    rows.extend(run_options(settings));
    rows
}

fn is_set(context: &Context, variable: &str) -> bool {
    context.variable(variable).is_some_and(|value| !value.trim().is_empty())
}

/// A profile that is not named by option or variable is named by the file, or is `default`.
fn profile(context: &Context) -> Setting {
    let profile = &context.settings.profile;
    let source = match profile.as_deref() {
        _ if context.settings.options.profile.is_some() => "--profile",
        _ if is_set(context, "CFSSO_PROFILE") => "CFSSO_PROFILE",
        None | Some("default") => "default",
        Some(_) => "config",
    };
    let source = source.to_owned();
    Setting { name: "profile", value: profile.clone(), source, is_run_option: false }
}

fn run_options(settings: &crate::settings::Settings) -> impl Iterator<Item = Setting> {
    let options = &settings.options;
    let on = |is_on: bool| is_on.then(|| "true".to_owned());
    let time = |limit: Duration| {
        SignedDuration::try_from(limit)
            .map_or_else(|_| format!("{limit:?}"), |it| format!("{it:#}"))
    };
    let list = |words: Vec<String>| (!words.is_empty()).then(|| words.join(","));
    let faults = options.faults.iter().map(ToString::to_string).collect();
    let rows = [
        ("yes", on(options.yes), "false".to_owned()),
        ("confirm", options.confirm.clone(), String::new()),
        ("dry_run", on(options.dry_run), "false".to_owned()),
        ("detailed_exitcode", on(options.detailed_exitcode), "false".to_owned()),
        ("timeout", options.timeout.map(time), String::new()),
        ("request_timeout", options.request_timeout.map(time), time(options.request_timeout())),
        (
            "max_retries",
            options.max_retries.map(|n| n.to_string()),
            options.max_retries().to_string(),
        ),
        ("color", options.color.map(|it| it.name().to_owned()), options.color().name().to_owned()),
        ("quiet", on(options.quiet), "false".to_owned()),
        ("verbose", on(options.verbose), "false".to_owned()),
        ("debug", on(options.debug), "false".to_owned()),
        ("fields", list(options.output_fields.clone()), String::new()),
        ("jq", options.jq.clone(), String::new()),
        ("fault", list(faults), String::new()),
    ];
    rows.into_iter().map(|(name, given, default)| {
        let variable = format!("CFSSO_{}", name.to_uppercase());
        let source = match &given {
            None => "default".to_owned(),
            Some(_) if settings.variables.contains(&variable.as_str()) => variable,
            Some(_) => format!("--{}", name.replace('_', "-")),
        };
        let value = given.or(Some(default).filter(|it| !it.is_empty())).map(|it| mask(&it));
        Setting { name, value, source, is_run_option: true }
    })
}

fn credential(context: &Context) -> String {
    if context.settings.sandbox {
        return "the simulator".to_owned();
    }
    match &context.settings.credentials {
        CredentialSource::Missing => NOT_SET.to_owned(),
        CredentialSource::Inline(_) => {
            let names = ["CLOUDFLARE_API_TOKEN", "CLOUDFLARE_API_KEY"];
            let name = names.into_iter().find(|name| context.variable(name).is_some());
            name.unwrap_or("the environment").to_owned()
        }
        source => mask(&source.to_string()),
    }
}

impl Render for Settings {
    fn show(&self, page: &mut Page) {
        // Disabled switches are listed only with `-v`.
        let is_listed = |setting: &&Setting| {
            !setting.is_run_option || setting.source != "default" || page.is_verbose()
        };
        let rows = self.0.iter().filter(is_listed).map(|setting| {
            let value = match (&setting.value, setting.name) {
                (Some(value), _) => Text::plain(value),
                (None, "token") if setting.source != NOT_SET => Text::dim("not shown"),
                (None, _) => Text::dim("none"),
            };
            vec![Text::strong(setting.name), value, Text::dim(&setting.source)]
        });
        page.table(&["SETTING", "VALUE", "SOURCE"], &rows.collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|setting| setting.name.to_owned()).collect()
    }
}

impl Render for File {
    fn show(&self, page: &mut Page) {
        match &self.path {
            Some(path) => page.literal(path),
            None => page.line("No configuration file: there is no home directory."),
        }
    }

    fn names(&self) -> Vec<String> {
        self.path.iter().cloned().collect()
    }
}
