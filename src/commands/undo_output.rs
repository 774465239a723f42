//! Shows what an undo of journal entries would change, and undoes them one by one.

use schemars::JsonSchema;
use serde::Serialize;

use super::plan_output;
use super::preflight::CheckArgs;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::connector::Selector;
use crate::flow::journal::Entry;
use crate::flow::plan::Plan;
use crate::flow::preflight::RunIf;
use crate::flow::undo::Ready;
use crate::flow::{Env, Error, FlowError};
use crate::output::{Page, Status, Text};

/// A journal entry that was undone or skipped.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UndoneEntry {
    /// The ID of the journal entry.
    pub entry: String,
    /// What was undone, or why the entry was skipped.
    pub description: String,
}

impl UndoneEntry {
    pub fn of(entry: &Entry, text: impl Into<String>) -> Self {
        Self { entry: entry.id.clone(), description: text.into() }
    }
}

#[derive(Debug, Default)]
pub struct UndoResult {
    pub undone: Vec<UndoneEntry>,
    pub skipped: Vec<UndoneEntry>,
    /// The entry that failed after others were undone; the error says how to continue.
    pub failed: Option<(UndoneEntry, FlowError)>,
}

/// Fails if the undo would enable SSO for a domain whose users could not sign in.
pub async fn ensure_sign_in_possible<'r>(
    context: &Context,
    env: &Env<'_>,
    ready: impl Iterator<Item = &'r Ready>,
) -> anyhow::Result<()> {
    let enabling = ready.filter(|ready| ready.enforces()).filter_map(Ready::subject);
    for domain in enabling.filter_map(|domain| domain.parse::<EmailDomain>().ok()) {
        let selector = Selector::Domain(domain.clone());
        let wanted = (RunIf::Disabled, false);
        let preflight = CheckArgs::default().run_checks(context, env, &selector, wanted).await?;
        let mut checks = preflight.checks;
        checks.retain(|check| check.id.locks_users_out());
        let plan = Plan::new(checks, Vec::new());
        plan.ensure_allowed(&format!("enabling `{domain}`")).map_err(|error| {
            error.hint("repair the sign-in first: `cfsso doctor`, or `--force` to override")
        })?;
    }
    Ok(())
}

/// Prints nothing in a dry run, whose result is the plan itself.
pub fn show(context: &Context, plan: &Plan) {
    if !context.settings.options.dry_run {
        context.screen.show(&|page| {
            for planned in &plan.changes {
                plan_output::show_question(planned, page);
                page.blank();
            }
        });
    }
}

pub fn show_result(
    undone: &[UndoneEntry],
    (status, skipped): (Status, &[UndoneEntry]),
    page: &mut Page,
) {
    for undone in undone {
        page.status_line(Status::Done, Text::prose(&undone.description));
    }
    for skipped in skipped {
        page.status_line(
            status,
            Text::prose(format!("{}: {}", skipped.entry, skipped.description)),
        );
    }
}

/// Fails if nothing was undone before the error; otherwise the error is part of the result.
pub async fn undo_each<T>(
    todo: &[T],
    entry: impl Fn(&T) -> &Entry,
    apply: impl AsyncFn(&T) -> Result<Option<String>, Error>,
    again: impl Fn(&Entry) -> String,
) -> Result<UndoResult, Error> {
    let mut done = UndoResult::default();
    for each in todo {
        let entry = entry(each);
        match apply(each).await {
            Ok(Some(title)) => done.undone.push(UndoneEntry::of(entry, title)),
            Ok(None) => done.skipped.push(UndoneEntry::of(entry, "no longer active")),
            Err(error) if done.undone.is_empty() => return Err(error),
            Err(error) => {
                let message = format!("{} of {} undone", done.undone.len(), todo.len());
                let failure = FlowError::half_done(message)
                    .cause(format!("entry {}: {}", entry.id, error.line()))
                    .hint(format!("`{}`", again(entry)));
                done.failed = Some((UndoneEntry::of(entry, error.line()), failure));
                break;
            }
        }
    }
    Ok(done)
}
