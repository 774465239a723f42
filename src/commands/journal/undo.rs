//! `cfsso journal undo`: looks at what is there, shows what would be put back,
//! and puts it back, the latest first.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::undone::{self, Line};
use super::super::{Outcome, change};
use super::{named, read};
use crate::context::Context;
use crate::flow::journal::Entry;
use crate::flow::journal::undo::{self, Inverse, Prospect, Ready, Seen, Why};
use crate::flow::plan::Plan;
use crate::flow::{Stop, StopKind, Tools};
use crate::output::{Mark, Page, Show, Text};

/// Arguments of `journal undo`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal undo
  cfsso journal undo 20260301-120000 --dry-run
  cfsso journal undo 20260301-120000.2 --yes")]
pub struct Args {
    /// Entry or run; without it, the latest run that can be undone
    name: Option<String>,

    /// Put it back even where it was changed since
    #[arg(long)]
    force: bool,
}

/// What was put back.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether all that can be put back was.
    ok: bool,
    /// What was put back, in that order.
    undone: Vec<Line>,
    /// What was not, and why.
    left: Vec<Line>,
}

/// What there is to do.
struct Work<'a> {
    todo: Vec<(&'a Entry, Inverse, Ready)>,
    left: Vec<Line>,
    /// What cannot be put back at all.
    blocked: Vec<Stop>,
}

/// Puts entries back.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let entries = chosen(read(context)?.entries, args.name.as_deref())?;
    context.journal().check_api(&entries)?;
    let tools = context.tools().await?;
    tools.check_origin(&entries)?;
    let work = survey(&tools, &entries, args.force).await?;
    if work.todo.is_empty() {
        return Err(nothing(&entries, work).into());
    }
    let changes = work.todo.iter().map(|(_, _, ready)| ready.change.clone()).collect();
    let plan = Plan::new(Vec::new(), changes);
    undone::show(context, &plan);
    if let Some(outcome) = change::settle(context, plan, "undoing it")? {
        return Ok(outcome);
    }
    warn(context, &work);
    // The entry does not choose the word: the server says what it is about.
    let subject = work.todo[0].2.subject();
    let deed = match &subject {
        Some(subject) => format!("put {subject} back as it was"),
        None => "create it again".to_owned(),
    };
    context.confirm(subject.as_deref().unwrap_or("undo"), &deed).await?;
    put_back(&tools, work, args.force).await
}

/// The entries to undo: as named, or the latest run that has any to undo.
fn chosen(entries: Vec<Entry>, name: Option<&str>) -> Result<Vec<Entry>, Stop> {
    if let Some(name) = name {
        return named(entries, name);
    }
    let latest = entries
        .iter()
        .rev()
        .find(|entry| entry.undoes.is_none() && entry.not_undoable.is_none())
        .map(|entry| entry.run.clone());
    match latest {
        Some(run) => named(entries, &run),
        None => Err(Stop::new(StopKind::NotFound, "the journal has nothing to undo")
            .hint("`cfsso journal list` shows what there is")),
    }
}

/// Reads each object once, and judges what can be put back, the latest first.
async fn survey<'a>(
    tools: &Tools<'_>,
    entries: &'a [Entry],
    force: bool,
) -> anyhow::Result<Work<'a>> {
    let mut work = Work { todo: Vec::new(), left: Vec::new(), blocked: Vec::new() };
    let mut seen = Seen::new();
    for entry in entries.iter().rev() {
        let leave = |text: String| Line::of(entry, text);
        let inverse = match undo::inverse(entry) {
            Ok(inverse) => inverse,
            Err(why) => {
                if let Why::Impossible(reason) = &why {
                    let stop = Stop::new(
                        StopKind::Refused,
                        format!("entry {} cannot be undone", entry.id),
                    );
                    work.blocked.push(stop.cause(reason.clone()));
                }
                work.left.push(leave(why.to_string()));
                continue;
            }
        };
        let ready = match inverse.survey(tools, entry, &mut seen).await? {
            Prospect::Ready(ready) => ready,
            Prospect::Drifted(ready, _) if force => ready,
            Prospect::Drifted(_, drift) => {
                return Err(undo::drift_stop(entry, &drift, &command(entry)).into());
            }
            Prospect::AsBefore(text) => {
                work.left.push(leave(text));
                continue;
            }
            Prospect::Blocked(stop) => {
                work.left.push(leave(stop.sentences().join(": ")));
                work.blocked.push(stop);
                continue;
            }
        };
        inverse.undone(&ready, &mut seen);
        work.todo.push((entry, inverse, ready));
    }
    Ok(work)
}

fn command(entry: &Entry) -> String {
    format!("cfsso journal undo {}", entry.id)
}

fn nothing(entries: &[Entry], work: Work<'_>) -> Stop {
    if let Some(stop) = work.blocked.into_iter().next() {
        return stop;
    }
    let what = if let [entry] = entries { &entry.id } else { &entries[0].run };
    Stop::new(StopKind::NotFound, format!("there is nothing to undo in `{what}`"))
        .causes(work.left.into_iter().map(|left| format!("{}: {}", left.entry, left.text)))
        .hint("`cfsso journal list` shows what can be undone")
}

fn warn(context: &Context, work: &Work<'_>) {
    for left in &work.left {
        context.screen.warn(format!("entry {} stays as it is: {}", left.entry, left.text));
    }
    for (entry, inverse, ready) in &work.todo {
        if !entry.not_kept.is_empty() {
            context.screen.warn(format!(
                "entry {} cannot be undone in {}: secrets are not kept",
                entry.id,
                entry.not_kept.join(", ")
            ));
        }
        if inverse.makes_new_code() {
            context.screen.warn(format!(
                "{}: the new connector gets a new TXT code and has to be verified again",
                ready.change.title
            ));
        }
        if ready.enforces() {
            context.screen.warn(format!(
                "{}: this enforces sign-in through the identity provider",
                ready.change.title
            ));
        }
    }
}

async fn put_back(tools: &Tools<'_>, work: Work<'_>, force: bool) -> anyhow::Result<Outcome> {
    let done = undone::put_back(
        &work.todo,
        |(entry, ..)| entry,
        async |(entry, inverse, _)| {
            undo::apply(tools, entry, inverse, force, &command(entry)).await
        },
        |entry| format!("cfsso journal undo {}", entry.run),
    );
    let mut done = done.await?;
    let mut left = work.left;
    left.append(&mut done.left);
    let ok = done.failed.is_none();
    let failure = done.failed.map(|(line, stop)| {
        left.push(line);
        stop.into()
    });
    let report = Report { schema: "cfsso/undo/v1", ok, undone: done.undone, left };
    Ok(Outcome::done(report).failed(failure))
}

impl Show for Report {
    fn show(&self, page: &mut Page) {
        for undone in &self.undone {
            page.marked(Mark::Done, Text::prose(&undone.text));
        }
        for left in &self.left {
            page.marked(Mark::Skipped, Text::prose(format!("{}: {}", left.entry, left.text)));
        }
    }

    fn names(&self) -> Vec<String> {
        self.undone.iter().map(|undone| undone.entry.clone()).collect()
    }
}
