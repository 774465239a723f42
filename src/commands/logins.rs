use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::{Outcome, fleet};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::login_log::{self, Filter, Login};
use crate::flow::{Env, FlowError, app};
use crate::input::time::Moment;
use crate::output::{Format, Page, Render, Rows, Status, Text};

const INTERVAL: Duration = Duration::from_secs(5);

/// The width in columns from which all columns fit.
const WIDE: usize = 100;

/// How far before the newest row `--watch` reads again: rows may arrive late.
const OVERLAP: Duration = Duration::from_mins(2);

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso logins
  cfsso logins tom@cool.cats --since 7d
  cfsso logins --denied --watch
  cfsso logins -o json | jq -r '.[] | [.at, .email, .allowed] | @tsv'

A sign-in that the identity provider rejects is not in the log. How long the log
is kept depends on the Zero Trust plan: Free 24 hours, others 30 to 180 days.
Permission: Access: Audit Logs Read.")]
pub struct Args {
    /// Only this email address
    #[arg(value_parser = email)]
    email: Option<String>,

    /// Oldest sign-in: a time, or how long ago
    #[arg(long, value_name = "TIME", default_value = "24h")]
    since: Moment,

    /// Newest sign-in: a time, or how long ago
    #[arg(long, value_name = "TIME", conflicts_with = "watch")]
    until: Option<Moment>,

    /// Only denied sign-ins
    #[arg(long)]
    denied: bool,

    /// Application: ID or name [default: the SSO App]
    #[arg(long, value_name = "APP", conflicts_with = "all_apps")]
    app: Option<String>,

    /// Sign-ins to every application
    #[arg(long)]
    all_apps: bool,

    /// Show at most N, the newest
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,

    /// Keep showing new sign-ins until Ctrl-C or --timeout
    #[arg(long)]
    pub watch: bool,

    #[command(flatten)]
    privacy: PrivacyArgs,
}

/// What is shown of people.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct PrivacyArgs {
    /// Show only the domain of email addresses
    #[arg(long)]
    redact_emails: bool,
}

impl PrivacyArgs {
    pub fn redacts(self, context: &Context) -> bool {
        self.redact_emails || !context.screen.shows_notes()
    }
}

#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<Login>);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::ensure_one(context, args.watch, "--watch")?;
    if args.watch && !prints_rows(context) && context.remaining().is_none() {
        let message = "--watch prints this format at its end, and has none";
        return Err(FlowError::usage(message).hint("`-o ndjson`, or `--timeout`").into());
    }
    let now = context.clock.now();
    if let Some(until) = args.until
        && until.before(now) <= args.since.before(now)
    {
        return Err(FlowError::usage("the period is empty: --until is not after --since")
            .hint("`--since 2h --until 1h` is the hour before the last")
            .into());
    }
    fleet::run(context, "logins", async |env| read(&args, context, env).await).await
}

fn email(text: &str) -> Result<String, String> {
    match text.split_once('@') {
        Some((user, domain)) if !user.is_empty() && domain.parse::<EmailDomain>().is_ok() => {
            Ok(text.to_owned())
        }
        _ => Err("not an email address, such as ada@cool.cats".to_owned()),
    }
}

async fn read(args: &Args, context: &Context, env: &Env<'_>) -> anyhow::Result<Outcome> {
    let now = context.clock.now();
    let app = if args.all_apps { None } else { Some(app::find(env, args.app.as_deref()).await?) };
    let filter = Filter {
        app,
        email: args.email.clone(),
        denied: args.denied,
        since: args.since.before(now),
        until: args.until.as_ref().map(|until| until.before(now)),
    };
    let redacts = args.privacy.redacts(context);
    let mut logins = login_log::read(env, &filter).await?;
    logins.truncate(args.limit.map_or(usize::MAX, NonZeroUsize::get));
    if redacts {
        logins = logins.into_iter().map(Login::redacted).collect();
    }
    if args.watch {
        return watch(env, filter, logins, redacts, context).await;
    }
    if logins.is_empty() && context.settings.accounts.is_one() {
        let denied = if args.denied { "denied " } else { "" };
        let of = filter.email.as_ref().map(|email| format!(" of {email}")).unwrap_or_default();
        context.screen.note(format!(
            "No {denied}sign-ins{of} in the log. The plan limits how long it is kept (Free: 24 \
             hours), and attempts that the identity provider rejects are not in it.",
        ));
    }
    Ok(Outcome::done(List(logins)))
}

/// Whether a watch prints each row when it finds it.
fn prints_rows(context: &Context) -> bool {
    matches!(context.screen.format(), Format::Table | Format::Ndjson)
}

/// Oldest first.
async fn watch(
    env: &Env<'_>,
    mut filter: Filter,
    mut new: Vec<Login>,
    redacts: bool,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let mut shown = BTreeSet::new();
    let mut list = Vec::new();
    let end =
        |list| if prints_rows(context) { Outcome::silent() } else { Outcome::done(List(list)) };
    loop {
        for login in new.iter().rev() {
            let key = serde_json::to_string(login)?;
            if shown.insert(key) {
                show(login, context);
                list.push(login.clone());
            }
        }
        context.screen.start_wait("waiting for sign-ins (Ctrl-C to stop)");
        context.clock.sleep(context.remaining().unwrap_or(INTERVAL).min(INTERVAL)).await;
        if context.is_out_of_time() {
            return Ok(end(list));
        }
        let newest = new.iter().filter_map(|login| login.at).max();
        let since = newest.map(|at| at.saturating_sub(OVERLAP).unwrap_or(Timestamp::MIN));
        filter.since = filter.since.max(since.unwrap_or(filter.since));
        match login_log::read(env, &filter).await {
            Ok(read) if redacts => new = read.into_iter().map(Login::redacted).collect(),
            Ok(read) => new = read,
            Err(_) if context.is_out_of_time() => return Ok(end(list)),
            Err(crate::flow::Error::Api(error)) if error.is_retryable() => {
                context.screen.warn(error.line());
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn show(login: &Login, context: &Context) {
    context.screen.event(login);
    context.screen.show(&|page| {
        let [at, email, result, idp, country, ip, ray] = cells(login);
        let cells = [at, result, email, idp, country, ip, ray].into_iter();
        page.line(cells.reduce(|line, cell| line + "  " + cell).unwrap_or_default());
    });
}

fn cells(login: &Login) -> [Text; 7] {
    let or_unknown = |text: &Option<String>| match text {
        Some(text) => Text::plain(text),
        None => Text::dim("unknown"),
    };
    [
        login.at.map_or_else(|| Text::dim("unknown"), |at| Text::plain(crate::output::time(at))),
        Text::strong(&login.email),
        match login.allowed {
            Some(true) => Status::Done.paint("allowed"),
            Some(false) => Status::Failed.paint("denied"),
            None => Text::dim("unknown"),
        },
        or_unknown(&login.idp_type),
        or_unknown(&login.country),
        or_unknown(&login.ip),
        login.ray_id.as_ref().map_or_else(Text::default, Text::dim),
    ]
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let Rows { headers, cells } = self.rows(page);
        page.table(&headers, &cells);
        if !page.has_room(WIDE) {
            page.blank();
            page.line(Text::dim(format!("Ray IDs: `-o json`, or {WIDE} columns")));
        }
    }

    fn rows(&self, page: &Page) -> Rows {
        let mut headers = vec!["TIME", "ADDRESS", "RESULT", "IDP TYPE", "COUNTRY", "IP", "RAY ID"];
        // On a narrow terminal the ray ID would break the table; JSON has it.
        headers.truncate(if page.has_room(WIDE) { headers.len() } else { headers.len() - 1 });
        let cells = self.0.iter().map(|login| cells(login)[..headers.len()].to_vec()).collect();
        Rows { headers, cells }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|login| login.email.clone()).collect()
    }
}
