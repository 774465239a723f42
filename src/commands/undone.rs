//! What commands that put entries of the journal back have in common: showing
//! what would be put back, and putting it back one after the other.

use schemars::JsonSchema;
use serde::Serialize;

use super::change;
use crate::context::Context;
use crate::flow::journal::Entry;
use crate::flow::plan::Plan;
use crate::flow::{Error, Stop, StopKind};

/// One entry of a report.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Line {
    /// The journal's entry.
    pub entry: String,
    /// What was done to it, or why nothing was.
    pub text: String,
}

impl Line {
    /// A line about `entry`.
    pub fn of(entry: &Entry, text: impl Into<String>) -> Self {
        Self { entry: entry.id.clone(), text: text.into() }
    }
}

/// What putting entries back came to.
#[derive(Debug, Default)]
pub struct Done {
    /// What was put back, in that order.
    pub undone: Vec<Line>,
    /// What was back already.
    pub left: Vec<Line>,
    /// The one that failed after others were put back, and how to go on.
    pub failed: Option<(Line, Stop)>,
}

/// Shows what would be put back before it is asked about; a dry run prints it
/// anyway.
pub fn show(context: &Context, plan: &Plan) {
    if !context.settings.options.dry_run {
        context.screen.show(&|page| {
            for planned in &plan.changes {
                change::show_change(planned, page);
                page.blank();
            }
        });
    }
}

/// Puts `todo` back one after the other, until one fails. That is an error
/// where nothing was put back before it.
pub async fn put_back<T>(
    todo: &[T],
    entry: impl Fn(&T) -> &Entry,
    apply: impl AsyncFn(&T) -> Result<Option<String>, Error>,
    again: impl Fn(&Entry) -> String,
) -> Result<Done, Error> {
    let mut done = Done::default();
    for each in todo {
        let entry = entry(each);
        match apply(each).await {
            Ok(Some(title)) => done.undone.push(Line::of(entry, title)),
            Ok(None) => done.left.push(Line::of(entry, "it is as it was by now")),
            Err(error) if done.undone.is_empty() => return Err(error),
            Err(error) => {
                let message = format!("{} of {} were put back", done.undone.len(), todo.len());
                let stop = Stop::new(StopKind::HalfDone, message)
                    .cause(format!("entry {}: {}", entry.id, error.line()))
                    .hint(format!("`{}` goes on", again(entry)));
                done.failed = Some((Line::of(entry, error.line()), stop));
                break;
            }
        }
    }
    Ok(done)
}
