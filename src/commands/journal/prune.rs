use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use super::super::Outcome;
use crate::context::Context;
use crate::flow::journal::{Entry, PruneReport};
use crate::flow::{FlowError, bypass, rename};
use crate::input::time::duration;
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal prune --older-than 90d --dry-run
  cfsso journal prune --older-than 90d")]
pub struct Args {
    /// Delete entries older than this (90d)
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Duration,
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let store = context.journal().store()?;
    let limit = context.clock.now().saturating_sub(args.older_than).unwrap_or_default();
    let failed = |error: io::Error| {
        let message = format!("the journal in {} cannot be pruned", store.dir().display());
        FlowError::journal(message).cause(error.to_string())
    };
    let needed = needed(&store.read().map_err(failed)?.entries);
    let pruned = store.prune(limit, &needed, context.settings.options.dry_run).map_err(failed)?;
    Ok(Outcome::done(pruned))
}

/// The runs that another command needs, with the reason.
fn needed(entries: &[Entry]) -> BTreeMap<String, &'static str> {
    let bypasses = bypass::undo::open_runs(entries).into_iter();
    let renames = rename::open_runs(entries).into_iter();
    let bypasses =
        bypasses.map(|run| (run, "`cfsso bypass undo` needs it: the bypass was not undone"));
    let renames =
        renames.map(|run| (run, "`cfsso team rename --resume` needs it: the rename has not ended"));
    bypasses.chain(renames).collect()
}

impl Render for PruneReport {
    fn show(&self, page: &mut Page) {
        let word = if self.dry_run { "would be deleted" } else { "removed" };
        page.status_line(Status::Done, format!("runs {word}: {}", self.deleted.len()));
        for run in &self.deleted {
            page.line(format!("  {run}"));
        }
        for kept in &self.retained {
            page.status_line(
                Status::Warning,
                Text::prose(format!("run {} retained: {}", kept.run, kept.reason)),
            );
        }
    }

    fn names(&self) -> Vec<String> {
        self.deleted.clone()
    }
}
