use std::collections::HashSet;

use schemars::JsonSchema;
use serde::Serialize;

use super::super::undo_output::{self, UndoneEntry};
use super::super::{Outcome, plan_output};
use super::{read, select};
use crate::context::Context;
use crate::flow::journal::{Entry, Inverse, NotUndoable, inverse};
use crate::flow::plan::Plan;
use crate::flow::rename;
use crate::flow::undo::{self, ObjectCache, Ready, UndoPlan};
use crate::flow::{Env, FlowError};
use crate::output::{Page, Render, Status};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal undo
  cfsso journal undo 20260301-120000 --dry-run
  cfsso journal undo 20260301-120000.2 --yes")]
pub struct Args {
    /// ID of an entry or run (default: the latest run that can be undone)
    name: Option<String>,

    /// Undo even if the object has changed since
    #[arg(long)]
    force: bool,
}

/// The result of `cfsso journal undo`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether every entry that can be undone was undone.
    ok: bool,
    /// The entries that were undone, in that order.
    undone: Vec<UndoneEntry>,
    /// The entries that were not undone, with the reason.
    left: Vec<UndoneEntry>,
}

struct UndoSet<'a> {
    todo: Vec<(&'a Entry, Inverse, Ready)>,
    left: Vec<UndoneEntry>,
    blocked: Vec<FlowError>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let all = read(context)?.entries;
    let runs = runs(&all, args.name.as_deref())?;
    let mut cache = ObjectCache::new();
    let mut already_undone = None;
    for entries in &runs {
        // Also with `--force`: nothing that the user knows better makes it right.
        let undoable: Vec<_> =
            entries.iter().filter(|entry| inverse(entry).is_ok()).cloned().collect();
        if let Some(error) = rename::undo_refusal(&all, &undoable) {
            return Err(error.into());
        }
        context.journal().check_api(entries)?;
        let env = context.env().await?;
        env.check_origin(entries)?;
        let work = plan_all(&env, entries, args.force, &mut cache).await?;
        if !work.todo.is_empty() {
            return undo_run(&args, context, &env, work).await;
        }
        let is_blocked = !work.blocked.is_empty();
        let error = nothing_to_undo_error(entries, work);
        if is_blocked {
            return Err(error.into());
        }
        already_undone.get_or_insert(error);
    }
    Err(already_undone.expect("there is a run").into())
}

async fn undo_run(
    args: &Args,
    context: &Context,
    env: &Env<'_>,
    work: UndoSet<'_>,
) -> anyhow::Result<Outcome> {
    if !args.force {
        let ready = work.todo.iter().map(|(_, _, ready)| ready);
        undo_output::ensure_sign_in_possible(context, env, ready).await?;
    }
    let changes = work.todo.iter().map(|(_, _, ready)| ready.change.clone()).collect();
    let plan = Plan::new(Vec::new(), changes);
    undo_output::show(context, &plan);
    warn(context, &work);
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "undoing it")? {
        return Ok(outcome);
    }
    // The word to type comes from the server's current object, not from the journal entry.
    let subject = work.todo[0].2.subject();
    let action = match &subject {
        Some(subject) => format!("restore {subject}"),
        None => "create it again".to_owned(),
    };
    context.confirm(subject.as_deref().unwrap_or("undo"), &action).await?;
    undo_all(env, work, args.force).await
}

/// The named entries, or each run that can be undone, latest first.
fn runs(entries: &[Entry], name: Option<&str>) -> Result<Vec<Vec<Entry>>, FlowError> {
    if let Some(name) = name {
        return Ok(vec![select(entries.to_vec(), name)?]);
    }
    let is_undoable = |entry: &&Entry| entry.undoes.is_none() && inverse(entry).is_ok();
    let latest_first = entries.iter().rev().filter(is_undoable).map(|entry| entry.run.as_str());
    let mut seen = HashSet::new();
    let names: Vec<_> = latest_first.filter(|run| seen.insert(*run)).collect();
    if names.is_empty() {
        let error = FlowError::not_found("nothing to undo in the journal");
        return Err(error.hint("`cfsso journal list`"));
    }
    let of_run = |run: &str| entries.iter().filter(|entry| entry.run == run).cloned().collect();
    Ok(names.into_iter().map(of_run).collect())
}

async fn plan_all<'a>(
    env: &Env<'_>,
    entries: &'a [Entry],
    force: bool,
    cache: &mut ObjectCache,
) -> anyhow::Result<UndoSet<'a>> {
    let mut work = UndoSet { todo: Vec::new(), left: Vec::new(), blocked: Vec::new() };
    for entry in entries.iter().rev() {
        let leave = |text: String| UndoneEntry::of(entry, text);
        let inverse = match inverse(entry) {
            Ok(inverse) => inverse,
            Err(reason) => {
                if let NotUndoable::Irreversible(reason) = &reason {
                    work.blocked.push(entry.not_undoable().cause(reason.clone()));
                }
                work.left.push(leave(reason.to_string()));
                continue;
            }
        };
        let ready = match inverse.plan_checked(env, entry, cache).await? {
            UndoPlan::Ready(ready) => ready,
            UndoPlan::Drifted(ready, _) | UndoPlan::Refused(ready, _) if force => ready,
            UndoPlan::Drifted(_, drift) => {
                return Err(undo::drift_error(entry, &drift, &command(entry)).into());
            }
            UndoPlan::Unchanged(text) => {
                work.left.push(leave(text));
                continue;
            }
            UndoPlan::Blocked(error) => {
                work.left.push(leave(error.messages().join(": ")));
                work.blocked.push(error);
                continue;
            }
            UndoPlan::Refused(_, error) => {
                work.left.push(leave(error.messages().join(": ")));
                work.blocked.push(undo::or_force(error));
                continue;
            }
        };
        inverse.undone(&ready, cache);
        work.todo.push((entry, inverse, ready));
    }
    Ok(work)
}

fn command(entry: &Entry) -> String {
    format!("cfsso journal undo {}", entry.id)
}

fn nothing_to_undo_error(entries: &[Entry], work: UndoSet<'_>) -> FlowError {
    if let Some(error) = work.blocked.into_iter().next() {
        return error;
    }
    let what = if let [entry] = entries { &entry.id } else { &entries[0].run };
    FlowError::not_found(format!("nothing to undo in `{what}`"))
        .causes(
            work.left
                .into_iter()
                .map(|skipped| format!("{}: {}", skipped.entry, skipped.description)),
        )
        .hint("`cfsso journal list`")
}

fn warn(context: &Context, work: &UndoSet<'_>) {
    for skipped in &work.left {
        context.screen.warn(format!("entry {} skipped: {}", skipped.entry, skipped.description));
    }
    for (entry, inverse, ready) in &work.todo {
        if !entry.redacted_fields.is_empty() {
            context.screen.warn(format!(
                "entry {} cannot be undone in {}: secrets are not recorded",
                entry.id,
                entry.redacted_fields.join(", ")
            ));
        }
        if inverse.makes_new_code() {
            context.screen.warn(format!(
                "{}: the new connector gets a new verification code and must be verified again",
                ready.change.title
            ));
        }
        if ready.enforces() {
            context.screen.warn(format!("{}: this enables SSO", ready.change.title));
        }
    }
}

async fn undo_all(env: &Env<'_>, work: UndoSet<'_>, force: bool) -> anyhow::Result<Outcome> {
    let done = undo_output::undo_each(
        &work.todo,
        |(entry, ..)| entry,
        async |(entry, inverse, _)| undo::apply(env, entry, inverse, force, &command(entry)).await,
        |entry| format!("cfsso journal undo {}", entry.run),
    );
    let mut done = done.await?;
    let mut skipped = work.left;
    skipped.append(&mut done.skipped);
    let failure = match done.failed {
        Some((line, error)) => {
            skipped.push(line);
            Some(error)
        }
        None => blocked_error(&done.undone, &work.blocked),
    };
    let ok = failure.is_none();
    let report = Report { schema: "cfsso/journal-undo/v1", ok, undone: done.undone, left: skipped };
    Ok(Outcome::done(report).failed(failure.map(Into::into)))
}

/// What the other entries of the run wrote stays.
fn blocked_error(undone: &[UndoneEntry], blocked: &[FlowError]) -> Option<FlowError> {
    let (done, all) = (undone.len(), undone.len() + blocked.len());
    let error = FlowError::half_done(format!("{done} of {all} undone: the rest cannot be"));
    let causes = blocked.iter().map(|error| error.messages().join(": "));
    (!blocked.is_empty()).then(|| error.causes(causes))
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        undo_output::show_result(&self.undone, (Status::NotChecked, &self.left), page);
    }

    fn names(&self) -> Vec<String> {
        self.undone.iter().map(|undone| undone.entry.clone()).collect()
    }
}
