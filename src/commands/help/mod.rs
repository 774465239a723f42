use clap::Command;
use serde::Serialize;

use self::Content::{Made, Prose};
use super::{Outcome, schema};
use crate::flow::FlowError;
use crate::flow::check::Severity;
use crate::flow::doctor::FindingId;
use crate::input::nearest::nearest;
use crate::output::{ExitCode, Literal, Page, Render, Report, Text};

/// Arguments of `help`.
#[derive(clap::Args, Debug)]
#[command(after_help = format!("Topics:\n{}\n\nExamples:\n  cfsso help tour\n  cfsso help connector enable", list_topics()))]
pub struct Args {
    /// Command or topic
    #[arg(value_name = "COMMAND|TOPIC")]
    words: Vec<String>,

    /// Do not use a pager
    #[arg(long)]
    pub no_pager: bool,
}

struct Topic {
    name: &'static str,
    about: &'static str,
    content: Content,
}

enum Content {
    Prose(&'static str),
    /// Generated from the command tree.
    Made(fn(&Command) -> Box<dyn Report>),
}

const fn topic(name: &'static str, about: &'static str, content: Content) -> Topic {
    Topic { name, about, content }
}

const TOPICS: &[Topic] = &[
    topic("options", "options of every command", Made(options)),
    topic("tour", "set up, break and recover SSO in the simulator", Prose(include_str!("tour.md"))),
    topic(
        "trial",
        "enable SSO on trial: what keeps it, what ends it",
        Prose(include_str!("trial.md")),
    ),
    topic(
        "recovery",
        "locked out: restore access to the dashboard",
        Prose(include_str!("recovery.md")),
    ),
    topic("ci", "connectors from a pipeline, without prompts", Prose(include_str!("ci.md"))),
    topic("accounts", "read several accounts with one command", Prose(include_str!("accounts.md"))),
    topic(
        "desired-state",
        "many domains in one file: export, plan, apply",
        Prose(include_str!("desired-state.md")),
    ),
    topic("permissions", "permissions that a token needs", Prose(include_str!("permissions.md"))),
    topic("checks", "every check and finding", Made(|_| Box::new(findings()))),
    topic("exit-codes", "meaning of each exit code", Made(|_| Box::new(exit_codes()))),
    topic(
        "environment",
        "environment variables and configuration file",
        Made(|_| Box::new(Literal(include_str!("environment.txt").to_owned()))),
    ),
    topic("json", "output for programs", Made(|_| Box::new(Literal(json())))),
    topic(
        "identity-providers",
        "one-time PIN, Okta, authentik and others",
        Prose(include_str!("identity-providers.md")),
    ),
    topic(
        "federation",
        "one identity provider for many accounts",
        Prose(include_str!("federation.md")),
    ),
    topic("team-rename", "rename the team", Prose(include_str!("team-rename.md"))),
    topic("sandbox", "the simulator and its faults", Prose(include_str!("sandbox.md"))),
];

fn list_topics() -> String {
    let lines: Vec<_> =
        TOPICS.iter().map(|topic| format!("  {:<19} {}", topic.name, topic.about)).collect();
    lines.join("\n")
}

/// Markdown that reads well as plain text: headings, lists, fenced blocks, one-line paragraphs.
#[derive(Serialize)]
#[serde(transparent)]
struct Markdown(&'static str);

impl Render for Markdown {
    fn show(&self, page: &mut Page) {
        // An example as wide as the terminal leaves no room for an indent.
        let code = self.0.split("```").skip(1).step_by(2).flat_map(str::lines);
        let widest = code.map(|line| line.chars().count()).max().unwrap_or(0);
        let indent = if page.has_room(widest + 2) { "  " } else { "" };
        let mut is_code = false;
        for line in self.0.lines() {
            if line.starts_with("```") {
                is_code = !is_code;
            } else if is_code {
                page.literal(&format!("{indent}{line}"));
            } else if line.is_empty() {
                page.blank();
            } else if let Some(title) = line.strip_prefix("## ").or(line.strip_prefix("# ")) {
                page.line(Text::strong(title));
            } else if let Some((mark, item)) =
                line.split_once(' ').filter(|(mark, _)| is_bullet(mark))
            {
                page.labeled(format!("{mark} "), Text::prose(item));
            } else {
                page.paragraph(Text::prose(line));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.lines().map(str::to_owned).collect()
    }
}

fn is_bullet(mark: &str) -> bool {
    mark == "-" || mark.strip_suffix('.').is_some_and(|number| number.parse::<u8>().is_ok())
}

#[derive(Serialize)]
#[serde(transparent)]
struct ExitCodes(Vec<Row>);

#[derive(Serialize)]
struct Row {
    code: u8,
    name: &'static str,
    meaning: &'static str,
}

pub fn run(args: &Args, tree: Command) -> anyhow::Result<Outcome> {
    let words: Vec<_> = args.words.iter().map(String::as_str).collect();
    let topic = match words.as_slice() {
        ["findings"] => Some("checks"),
        [word] => Some(*word),
        _ => None,
    };
    match topic.and_then(|name| TOPICS.iter().find(|topic| topic.name == name)) {
        Some(Topic { content: Prose(text), .. }) => Ok(Outcome::done(Markdown(text))),
        Some(Topic { content: Made(make), .. }) => Ok(Outcome::of(make(&tree))),
        None => command(&words, tree),
    }
}

/// Minimum similarity for suggesting a topic or command for a mistyped name.
const SIMILAR: f64 = 0.85;

fn command(words: &[&str], mut tree: Command) -> anyhow::Result<Outcome> {
    let commands = tree.get_subcommands().map(|command| command.get_name().to_owned());
    let names: Vec<_> = TOPICS.iter().map(|topic| topic.name.to_owned()).chain(commands).collect();
    let mut found = &mut tree;
    for word in words {
        let names = names.iter().map(String::as_str);
        found = found.find_subcommand_mut(word).ok_or_else(|| {
            let message = format!("no command and no topic `{}`", words.join(" "));
            let lists = "`cfsso help help` lists the topics, `cfsso --help` the commands";
            let hint = match nearest(word, names, SIMILAR) {
                Some(name) => format!("`cfsso help {name}`\n{lists}"),
                None => lists.to_owned(),
            };
            FlowError::usage(message).hint(hint)
        })?;
    }
    Ok(Outcome::done(Literal(found.render_help().to_string())))
}

fn options(tree: &Command) -> Box<dyn Report> {
    let options = tree.get_arguments().filter(|arg| arg.is_global_set()).cloned();
    let mut page = Command::new("cfsso")
        .disable_help_flag(true)
        .max_term_width(100)
        .help_template("Options of every command:\n{options}{after-help}")
        .after_help(
            "Or as a variable: CFSSO_MAX_RETRIES=2, CFSSO_QUIET=1, ... (`cfsso help environment`).",
        )
        .args(options);
    Box::new(Literal(page.render_help().to_string()))
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

#[derive(Serialize)]
#[serde(transparent)]
struct Findings(Vec<Explained>);

#[derive(Serialize)]
struct Explained {
    id: String,
    severity: Severity,
    permission: Option<&'static str>,
    about: &'static str,
}

fn findings() -> Findings {
    let explained = FindingId::all().iter().map(|id| Explained {
        id: id.name(),
        severity: id.severity(),
        permission: id.permission(),
        about: id.description(),
    });
    Findings(explained.collect())
}

impl Render for Findings {
    fn show(&self, page: &mut Page) {
        page.paragraph(
            "Errors block sign-in if SSO is enforced; otherwise they are reported as warnings.",
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
                page.labeled("  ", Text::dim(format!("required permission: {permission}")));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|one| one.id.clone()).collect()
    }
}

fn json() -> String {
    let width = schema::KINDS.iter().map(|kind| kind.name.len()).max().unwrap_or(0);
    let kinds: Vec<_> = schema::KINDS
        .iter()
        .map(|kind| format!("  {:<width$}  {}", kind.name, kind.about))
        .collect();
    format!("{}\n{}\n", include_str!("json.txt"), kinds.join("\n"))
}
