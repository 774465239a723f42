use std::path::PathBuf;

use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::journal::Store;
use crate::output::{Page, Render, Status};
use crate::sandbox;
use crate::settings::journal_of_sandbox;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso sandbox reset
  cfsso sandbox reset --sandbox-state ./sandbox.json")]
pub struct Args {}

#[derive(Serialize)]
struct Reset {
    state: PathBuf,
    removed: bool,
    /// Set by a dry run.
    would_remove: bool,
}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let state = context.settings.sandbox_state()?;
    if context.settings.options.dry_run {
        context.screen.note("dry run: nothing was deleted");
        let would_remove = state.exists();
        return Ok(Outcome::done(Reset { state, removed: false, would_remove }));
    }
    let removed =
        sandbox::reset(&state, &context.clock, sandbox::Options::default().lock_wait).await?;
    let journal = journal_of_sandbox(&state);
    Store::new(journal.clone()).clear().map_err(|error| {
        let message = format!("the journal in {} cannot be deleted", journal.display());
        FlowError::journal(message).cause(error.to_string())
    })?;
    Ok(Outcome::done(Reset { state, removed, would_remove: false }))
}

impl Render for Reset {
    fn show(&self, page: &mut Page) {
        let (status, text) = match (self.removed, self.would_remove) {
            (true, _) => (Status::Done, "simulator state deleted"),
            (false, true) => (Status::Pending, "would delete the simulator state"),
            (false, false) => (Status::Done, "no simulator state to delete"),
        };
        page.status_line(status, format!("{text}: {}", self.state.display()));
    }

    fn names(&self) -> Vec<String> {
        vec![self.state.display().to_string()]
    }
}
