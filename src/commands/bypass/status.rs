//! `cfsso bypass status`: what the journal says was bypassed, and what the
//! server says of it now.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use super::super::connector::view::age;
use crate::api::connector::Connector;
use crate::context::Context;
use crate::flow::bypass::undo::{self, Measure, Standing};
use crate::flow::connector;
use crate::output::{Mark, Page, Show, Text};

/// Arguments of `bypass status`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso bypass status
  cfsso bypass status -o json | jq .in_force")]
pub struct Args {}

/// Whether a bypass is in force.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether any bypass of this machine is; null where that was not seen.
    in_force: Option<bool>,
    /// Since when.
    #[schemars(with = "Option<String>")]
    since: Option<Timestamp>,
    /// What bypasses of this machine changed and nobody put back, latest first.
    bypasses: Vec<Bypass>,
    /// The domains for which SSO is enforced; null where that was not seen.
    enforced: Option<Vec<String>>,
    /// The domains for which it is not.
    not_enforced: Option<Vec<String>>,
}

/// One write of a bypass.
#[derive(Debug, Serialize, JsonSchema)]
struct Bypass {
    /// The journal's entry.
    entry: String,
    /// When.
    #[schemars(with = "String")]
    at: Timestamp,
    /// Who.
    user: Option<String>,
    /// What it did.
    title: String,
    /// `in_force`, `changed`, `put_back`, `blocked` or `not_checked`.
    state: &'static str,
    /// What was seen.
    detail: String,
}

/// Shows it.
pub async fn run(_: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let entries = match super::super::journal::read(context) {
        Ok(reading) => reading.entries,
        Err(stop) => {
            context.screen.warn(format!("the journal was not read: {}", stop.message));
            Vec::new()
        }
    };
    let tools = context.tools().await?;
    let open = undo::open(&entries, tools.account);
    let (connectors, measures) = tokio::join!(connector::list(&tools), undo::survey(&tools, open));
    if measures.is_empty() {
        // Nothing else to show: what cannot be read is a failure.
        return Ok(Outcome::done(report(Vec::new(), Some(&connectors?))));
    }
    if let Err(error) = &connectors {
        context.screen.warn(format!("not checked whether SSO is enforced: {error}"));
    }
    Ok(Outcome::done(report(measures, connectors.as_deref().ok())))
}

fn report(measures: Vec<Measure>, connectors: Option<&[Connector]>) -> Report {
    let bypasses: Vec<_> = measures.into_iter().map(bypass).collect();
    let is = |state: &str| bypasses.iter().any(|bypass| bypass.state == state);
    let in_force = if is("in_force") || is("changed") || is("blocked") {
        Some(true)
    } else {
        (!is("not_checked")).then_some(false)
    };
    let since = bypasses.iter().filter(|it| it.state != "put_back").map(|it| it.at).min();
    let domains = |enabled: bool| {
        connectors.map(|all| {
            let of = all.iter().filter(|it| it.is_enabled() == enabled);
            of.map(|it| it.email_domain.clone()).collect()
        })
    };
    Report {
        schema: "cfsso/bypass-status/v1",
        in_force,
        since,
        enforced: domains(true),
        not_enforced: domains(false),
        bypasses,
    }
}

fn bypass(measure: Measure) -> Bypass {
    let (state, detail) = match measure.standing {
        Ok(Standing::InForce(change)) => {
            let diff: Vec<_> = change.diff.iter().map(ToString::to_string).collect();
            ("in_force", format!("undoing it: {}", diff.join(", ")))
        }
        Ok(Standing::Changed(_, drift)) => ("changed", drift.join(", ")),
        Ok(Standing::PutBack(text)) => ("put_back", text),
        Ok(Standing::Blocked(stop)) => ("blocked", stop.causes.join(", ")),
        Err(error) => ("not_checked", error.to_string()),
    };
    let entry = measure.entry;
    let title = entry.title.trim_start_matches(crate::flow::bypass::TITLE).to_owned();
    Bypass { entry: entry.id, at: entry.at, user: entry.user, title, state, detail }
}

impl Show for Report {
    fn show(&self, page: &mut Page) {
        let since = self.since.map(|at| at.to_string());
        match self.in_force {
            Some(true) => page.marked(
                Mark::Warning,
                Text::strong("a bypass is in force since ")
                    + age(since.as_deref(), page.now(), true),
            ),
            Some(false) => page.marked(Mark::Passed, "no bypass of this machine is in force"),
            None => page.marked(Mark::Skipped, "whether a bypass is in force was not checked"),
        }
        for bypass in &self.bypasses {
            let by = bypass.user.as_deref().map(|user| format!(" by {user}")).unwrap_or_default();
            page.line(
                Text::plain("  ")
                    + Text::strong(&bypass.title)
                    + Text::dim(format!(
                        "{by}, entry {}, {}",
                        bypass.entry,
                        bypass.state.replace('_', " ")
                    )),
            );
            page.line(Text::plain("    ") + Text::prose(&bypass.detail));
        }
        for (label, domains) in [("enforced", &self.enforced), ("not enforced", &self.not_enforced)]
        {
            let text = match domains {
                None => "not checked".to_owned(),
                Some(none) if none.is_empty() => "no domain".to_owned(),
                Some(domains) => domains.join(", "),
            };
            page.line(Text::plain(format!("SSO {label}: {text}")));
        }
        if self.in_force == Some(true) {
            page.blank();
            page.hanging(Text::strong("undo:  "), Text::prose("`cfsso bypass undo`"));
        }
    }

    fn names(&self) -> Vec<String> {
        self.bypasses.iter().map(|bypass| bypass.entry.clone()).collect()
    }
}
