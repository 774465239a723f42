//! `cfsso help`: commands, and the topics that belong to none.

use clap::Command;
use serde::Serialize;

use super::{Outcome, schema};
use crate::flow::check::Severity;
use crate::flow::doctor::{self, FindingId};
use crate::flow::{FlowError, FlowErrorKind};
use crate::output::{ExitCode, Page, Render, Text};

/// Arguments of `help`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Topics:
  exit-codes    what each exit code means
  environment   every environment variable, and the configuration file
  json          the forms of JSON, and where they are promised
  findings      what each check and each finding of doctor means

Examples:
  cfsso help exit-codes
  cfsso help connector enable")]
pub struct Args {
    /// Command or topic
    words: Vec<String>,
}

/// Text that is printed as it is.
#[derive(Serialize)]
#[serde(transparent)]
pub struct HelpText(pub String);

impl Render for HelpText {
    fn show(&self, page: &mut Page) {
        page.literal(&self.0);
    }

    fn names(&self) -> Vec<String> {
        self.0.lines().map(str::to_owned).collect()
    }
}

/// The table of exit codes.
#[derive(Serialize)]
#[serde(transparent)]
struct ExitCodes(Vec<Row>);

#[derive(Serialize)]
struct Row {
    code: u8,
    name: &'static str,
    meaning: &'static str,
}

/// Explains.
pub fn run(args: &Args, tree: Command) -> anyhow::Result<Outcome> {
    let words: Vec<_> = args.words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["exit-codes"] => Ok(Outcome::done(exit_codes())),
        ["environment"] => Ok(Outcome::done(HelpText(ENVIRONMENT.to_owned()))),
        ["json"] => Ok(Outcome::done(HelpText(json()))),
        ["findings"] => Ok(Outcome::done(findings())),
        words => command(words, tree),
    }
}

fn command(words: &[&str], mut tree: Command) -> anyhow::Result<Outcome> {
    tree.build();
    let mut found = &mut tree;
    for word in words {
        found = found.find_subcommand_mut(word).ok_or_else(|| {
            FlowError::new(FlowErrorKind::Usage, format!("there is no command and no topic `{}`", words.join(" ")))
                .hint("the topics are `exit-codes`, `environment`, `json` and `findings`; the commands are in `cfsso --help`")
        })?;
    }
    Ok(Outcome::done(HelpText(found.render_long_help().to_string())))
}

fn exit_codes() -> ExitCodes {
    let rows = ExitCode::ALL.iter().map(|code| Row {
        code: code.code(),
        name: code.name(),
        meaning: code.meaning(),
    });
    ExitCodes(rows.collect())
}

impl Render for ExitCodes {
    fn show(&self, page: &mut Page) {
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|row| {
                vec![
                    Text::strong(row.code.to_string()),
                    Text::plain(row.name),
                    Text::plain(row.meaning),
                ]
            })
            .collect();
        page.table(&["CODE", "NAME", "MEANING"], &rows);
    }
}

/// What each check and each finding of `doctor` means.
#[derive(Serialize)]
#[serde(transparent)]
struct Findings(Vec<Explained>);

#[derive(Serialize)]
struct Explained {
    id: &'static str,
    severity: Severity,
    permission: Option<&'static str>,
    about: &'static str,
}

fn findings() -> Findings {
    let explained = FindingId::ALL.iter().map(|id| Explained {
        id: id.as_str(),
        severity: id.severity(),
        permission: id.permission(),
        about: doctor::description(*id),
    });
    Findings(explained.collect())
}

impl Render for Findings {
    fn show(&self, page: &mut Page) {
        page.paragraph(
            "An error keeps people out where SSO is enforced, and is a warning where it is not.",
        );
        for Explained { id, severity, permission, about } in &self.0 {
            let severity = match severity {
                Severity::Error => Text::bad("error"),
                Severity::Warning => Text::warn("warning"),
            };
            page.blank();
            page.line(Text::strong(id) + Text::plain("  ") + severity);
            page.labeled("  ", Text::prose(about));
            if let Some(permission) = permission {
                page.labeled("  ", Text::dim(format!("needs the permission {permission}")));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|one| one.id.to_owned()).collect()
    }
}

fn json() -> String {
    let kinds: Vec<_> =
        schema::KINDS.iter().map(|kind| format!("  {:<12} {}", kind.name, kind.about)).collect();
    format!("{JSON}\n{}\n", kinds.join("\n"))
}

const JSON: &str = "\
JSON

-o json    one document: an object as itself, a list as an array. Objects of
           the API are printed as the API sent them, fields that cfsso does not
           know included.
-o ndjson  one object a line. Guided commands print their events as they
           happen, {\"event\":…}, and their report as the last line.
-o yaml    the same as json, as YAML.
-o name    the domains alone, one a line.

Results go to standard output and nothing else does. A failure is one object on
standard error: {\"error\":{\"kind\",\"message\",\"causes\",\"http_status\",
\"api_errors\",\"ray_id\",\"request\",\"retryable\",\"hint\",
\"required_permission\",\"exit_code\"}}. A warning is {\"warning\":…}.

Guided commands print one report: {\"schema\":\"cfsso/<kind>/v1\",\"ok\":…,
\"steps\":[…],\"result\":…}. Fields are added, never renamed.

`cfsso schema <KIND>` prints the JSON Schema of each kind:
";

const ENVIRONMENT: &str = "\
ENVIRONMENT

A flag counts before the environment, and the environment before the profile.

CLOUDFLARE_API_TOKEN         the API token
CLOUDFLARE_API_TOKEN_FILE    a file whose first line is the API token
CLOUDFLARE_EMAIL             with CLOUDFLARE_API_KEY: the Global API Key
CLOUDFLARE_API_KEY
CLOUDFLARE_ACCOUNT_ID        the account; found by asking where a token sees one
CLOUDFLARE_BASE_URL          the API; https, or http on this machine alone
CLOUDFLARE_API_BASE_URL      the same, where the one above is not set
CLOUDFLARE_SSO_CONNECTOR_ID  the connector, where a command is given none

CFSSO_CONFIG                 the configuration file
CFSSO_PROFILE                the profile to use
CFSSO_OUTPUT                 table, json, ndjson, yaml or name
CFSSO_DNS_SERVERS            name servers to ask in place of all others,
                             HOST or HOST:PORT, commas between them
CFSSO_JOURNAL                the directory of the journal; that of the
                             simulator is beside its state
CFSSO_SANDBOX                1: work against the built-in simulator
CFSSO_SANDBOX_STATE          the file that keeps the simulator's state

SSL_CERT_FILE, SSL_CERT_DIR  certificates to trust in place of the system's
HTTPS_PROXY, NO_PROXY        the proxy, and what not to use it for
NO_COLOR, CLICOLOR_FORCE     no colour, or colour in any case
TERM=dumb, CI                no redrawn lines
GITHUB_STEP_SUMMARY          where doctor --format github appends its summary

FILES

$XDG_CONFIG_HOME/cfsso/config.toml, or ~/.config/cfsso/config.toml:

  profile = \"work\"                    # used when none is named

  [profiles.work]
  account = \"0123456789abcdef0123456789abcdef\"
  token_file = \"/run/secrets/cloudflare\"
  # token_env = \"WORK_TOKEN\"
  # token_command = [\"pass\", \"show\", \"cloudflare\"]
  # base_url, connector, output, dns_servers, ca_cert

No dotenv file is read, and no flag takes the token itself.
";
