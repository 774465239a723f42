//! `cfsso bypass undo`: just what bypasses changed, the latest first.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::undo_output::{self, UndoneEntry};
use super::super::{Outcome, plan_output};
use crate::context::Context;
use crate::flow::bypass::otp;
use crate::flow::bypass::undo::{self, BypassWrite, WriteStatus};
use crate::flow::journal::undo::Ready;
use crate::flow::plan::Plan;
use crate::flow::sign_in::{DomainSignIn, allowed_methods, describe_methods};
use crate::flow::{Env, FlowError, FlowErrorKind, connector};
use crate::output::{Page, Render, Status, Text};

/// Arguments of `bypass undo`.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Asks for the domain if one connector is enabled again, otherwise for `undo`.

Examples:
  cfsso bypass undo
  cfsso bypass undo --yes"
)]
pub struct Args {
    /// Undo even if it changed since
    #[arg(long)]
    force: bool,
}

impl Args {
    /// Without options.
    pub fn plain() -> Self {
        Self { force: false }
    }
}

/// What was put back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether all that can be put back was.
    ok: bool,
    /// What was put back, in that order.
    undone: Vec<UndoneEntry>,
    /// What was as it was before.
    left: Vec<UndoneEntry>,
    /// How users can sign in now, domain by domain; null where that was not seen.
    sign_in: Option<Vec<DomainSignIn>>,
}

/// Puts back what bypasses changed.
pub async fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let entries = super::super::journal::read(context)?.entries;
    let tools = context.tools().await?;
    let open = undo::open_entries(&tools.own(&entries));
    if open.is_empty() {
        // Those of another account are named, and not undone.
        tools.check_origin(&undo::open_entries(&entries))?;
    }
    let measures = undo::check_all(&tools, open).await;
    let mut report = Report {
        schema: "cfsso/bypass-undo/v1",
        ok: true,
        undone: Vec::new(),
        left: Vec::new(),
        sign_in: None,
    };
    let mut todo: Vec<(BypassWrite, Box<Ready>)> = Vec::new();
    for mut measure in measures {
        let taken =
            std::mem::replace(&mut measure.status, Ok(WriteStatus::Reverted(String::new())));
        match taken? {
            WriteStatus::Active(ready) => todo.push((measure, ready)),
            WriteStatus::Changed(ready, _) if args.force => todo.push((measure, ready)),
            WriteStatus::Changed(_, drift) => return Err(measure.drift_error(&drift).into()),
            WriteStatus::Blocked(stop) => return Err(stop.into()),
            WriteStatus::Reverted(text) => {
                report.left.push(UndoneEntry { entry: measure.entry.id, description: text });
            }
        }
    }
    if todo.is_empty() {
        return Err(nothing(report).into());
    }
    let (todo, ready): (Vec<_>, Vec<_>) = todo.into_iter().unzip();
    let changes = ready.iter().map(|ready| ready.change.clone()).collect();
    let plan = Plan::new(Vec::new(), changes);
    undo_output::show(context, &plan);
    let (word, deed) = question(&ready);
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "undoing")? {
        return Ok(outcome);
    }
    context.confirm(&word, deed).await?;
    put_back(&tools, &todo, args.force, report).await
}

fn nothing(report: Report) -> FlowError {
    FlowError::new(FlowErrorKind::NotFound, "no active bypass of this machine: nothing to undo")
        .causes(report.left.into_iter().map(|left| format!("{}: {}", left.entry, left.description)))
        .hint("`cfsso journal list`")
}

/// The word to type, and what for: turning enforcement on takes the domain.
fn question(ready: &[Box<Ready>]) -> (String, &'static str) {
    let enforcing: Vec<_> = ready.iter().filter(|ready| ready.enforces()).collect();
    let deed = if enforcing.is_empty() { "restore the SSO App" } else { "enable SSO again" };
    let word = match enforcing.as_slice() {
        [only] => only.subject(),
        _ => None,
    };
    (word.unwrap_or_else(|| "undo".to_owned()), deed)
}

async fn put_back(
    tools: &Env<'_>,
    todo: &[BypassWrite],
    force: bool,
    mut report: Report,
) -> anyhow::Result<Outcome> {
    let done = undo_output::undo_each(
        todo,
        |measure| &measure.entry,
        async |measure| measure.restore(tools, force).await,
        |_| undo::COMMAND.to_owned(),
    );
    let done = done.await?;
    report.ok = done.failed.is_none();
    report.undone.extend(done.undone);
    report.left.extend(done.skipped);
    let (connectors, state) = tokio::join!(connector::list(tools), otp::read_state(tools));
    report.sign_in = connectors.ok().map(|all| allowed_methods(&all, state.ok().as_ref()));
    Ok(Outcome::done(report).failed(done.failed.map(|(_, stop)| stop.into())))
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        for undone in &self.undone {
            page.status_line(Status::Done, Text::prose(&undone.description));
        }
        for left in &self.left {
            page.status_line(
                Status::Skipped,
                Text::prose(format!("{}: {}", left.entry, left.description)),
            );
        }
        page.blank();
        match &self.sign_in {
            None => page.labeled(Text::strong("Now:   "), "sign-in not checked"),
            Some(all) => describe_methods(all)
                .into_iter()
                .for_each(|line| page.labeled(Text::strong("Now:   "), Text::prose(line))),
        }
        page.labeled(
            Text::strong("Check: "),
            "sign in in a private window before you close this session",
        );
    }

    fn names(&self) -> Vec<String> {
        self.undone.iter().map(|undone| undone.entry.clone()).collect()
    }
}
