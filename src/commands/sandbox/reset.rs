//! `cfsso sandbox reset`: back to the state that a new simulator starts with.

use std::path::PathBuf;

use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::output::{Page, Render, Status};
use crate::sandbox;

/// Arguments of `sandbox reset`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso sandbox reset
  cfsso sandbox reset --sandbox-state ./sandbox.json")]
pub struct Args {}

/// What became of the state.
#[derive(Serialize)]
struct Reset {
    state: PathBuf,
    removed: bool,
}

/// Removes the state.
pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let state = context.settings.sandbox_state()?;
    let removed =
        sandbox::reset(&state, &context.clock, sandbox::Options::default().lock_wait).await?;
    Ok(Outcome::done(Reset { state, removed }))
}

impl Render for Reset {
    fn show(&self, page: &mut Page) {
        let text =
            if self.removed { "simulator state deleted" } else { "no simulator state to delete" };
        page.status_line(Status::Done, format!("{text}: {}", self.state.display()));
    }

    fn names(&self) -> Vec<String> {
        vec![self.state.display().to_string()]
    }
}
