use super::Outcome;
use super::diagnose::escaped;
use super::logins::PrivacyArgs;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::bypass::status;
use crate::flow::login_log::redact_email;
use crate::flow::timeline::{self, Options, Row, RowSource, Timeline};
use crate::input::time::Moment;
use crate::output::{Format, Page, Render, Text, ago, time};

const PART: usize = 1000;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso timeline
  cfsso timeline --since 7d --domain cool.cats
  cfsso timeline --since 3h -o markdown > post-mortem.md
  cfsso timeline -o json | jq '.rows[] | select(.journal_entry)'

Changes are from the audit log (up to 8 minutes late), sign-ins from the login log,
`*` marks what this machine wrote. Permissions: Account Settings Read, Access: Audit
Logs Read, Access: Apps and Policies Read.")]
pub struct Args {
    /// Oldest row: a time, or how long ago
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Moment,

    /// Newest row: a time, or how long ago
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,

    /// Only sign-ins and connectors of this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<EmailDomain>,

    /// Every change in the account
    #[arg(long)]
    all: bool,

    /// Every sign-in, not only denied ones and the first after them
    #[arg(long)]
    logins: bool,

    #[command(flatten)]
    privacy: PrivacyArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let now = context.clock.now();
    let options = Options {
        since: args.since.before(now),
        until: args.until.map_or(now, |until| until.before(now)),
        domain: args.domain,
        all: args.all,
        logins: args.logins,
    };
    context.screen.start_progress("reading the audit log and the login log");
    let mut found = timeline::read(&env, &options).await?;
    context.screen.end_progress();
    if args.privacy.redacts(context) {
        for row in found.rows.iter_mut().filter(|row| row.who.contains('@')) {
            row.who = redact_email(&row.who);
        }
    }
    for gap in &found.not_checked {
        context.screen.warn(Text::prose(format!("not checked, {gap}")));
    }
    if let Some(newest) = found.newest_audit_row {
        let age = ago(newest, now);
        context.screen.note(format!(
            "the newest row of the audit log is from {age}; rows can be up to 8 minutes late"
        ));
    }
    if context.screen.format() == Format::Markdown {
        let entries = super::journal::read(context).map(|read| read.entries).unwrap_or_default();
        found.bypass = Some(status::read_status(&env, &env.own(&entries)).await);
    }
    if found.rows.is_empty() {
        context.screen.note("No changes and no denied sign-ins.");
    }
    Ok(Outcome::done(found))
}

impl RowSource {
    fn label(self) -> &'static str {
        match self {
            Self::AuditLog => "audit log",
            Self::LoginLog => "login log",
            Self::Journal => "journal",
        }
    }
}

fn object(row: &Row) -> String {
    let now = row.now.as_ref().map(|now| format!(" (at present: {now})")).unwrap_or_default();
    format!("{}{now}", row.object.as_deref().unwrap_or_default())
}

fn source(row: &Row) -> String {
    let mark = if row.journal_entry.is_some() { " *" } else { "" };
    format!("{}{mark}", row.source.label())
}

impl Render for Timeline {
    fn show(&self, page: &mut Page) {
        if self.rows.is_empty() {
            return;
        }
        let cells = |row: &Row| {
            vec![
                Text::plain(time(row.at)),
                Text::strong(&row.who),
                Text::plain(&row.what),
                Text::plain(object(row)),
                Text::dim(source(row)),
            ]
        };
        // In parts: one table of all rows would need a multiple of their memory.
        for part in self.rows.chunks(PART) {
            let rows: Vec<_> = part.iter().map(cells).collect();
            page.table(&["TIME", "WHO", "WHAT", "OBJECT", "SOURCE"], &rows);
        }
    }

    fn names(&self) -> Vec<String> {
        self.rows.iter().filter_map(|row| row.ray_id.clone()).collect()
    }

    fn markdown(&self) -> Option<String> {
        Some(markdown(self))
    }
}

fn markdown(found: &Timeline) -> String {
    let or_unknown = |at: Option<jiff::Timestamp>| at.map_or_else(|| "unknown".to_owned(), time);
    let mut lines = vec![
        "# Post-mortem: dashboard SSO\n\n## Summary\n".to_owned(),
        "(what happened, who was affected, why)\n\n## Impact\n".to_owned(),
        format!("- first denied sign-in: {}", or_unknown(found.first_denied)),
        format!("- first allowed sign-in after it: {}", or_unknown(found.first_allowed_after)),
        "\n## Timeline\n".to_owned(),
        format!("From {} to {} (UTC).", time(found.since), time(found.until)),
        "`*`: made by cfsso on this machine.\n".to_owned(),
        "| time | who | what | object | source |\n|---|---|---|---|---|".to_owned(),
    ];
    lines.extend(found.rows.iter().map(|row| {
        let cells = [time(row.at), row.who.clone(), row.what.clone(), object(row), source(row)];
        format!("| {} |", cells.map(|cell| escaped(&cell)).join(" | "))
    }));
    lines.push("\n## Still changed\n".to_owned());
    let open: Vec<_> = found.bypass.iter().flat_map(|open| &open.bypasses).collect();
    if open.is_empty() {
        lines.push("No bypass of this machine is active.".to_owned());
    } else {
        lines.extend(open.iter().map(|one| {
            let (title, state) = (escaped(&one.title), one.state.label());
            format!("- {title} ({state}), entry {}", one.entry)
        }));
        lines.push("\nUndo: `cfsso bypass undo`".to_owned());
    }
    lines.extend(found.not_checked.iter().map(|gap| format!("\nNot checked, {}", escaped(gap))));
    lines.push("\n## Actions\n\n- [ ]\n".to_owned());
    lines.join("\n")
}
