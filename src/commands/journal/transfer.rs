//! `cfsso journal export` and `cfsso journal import`: entries for another machine.

use std::path::PathBuf;

use serde::Serialize;

use super::super::Outcome;
use super::{read, select};
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::journal::transfer;
use crate::output::{Page, Render, Status};
use crate::plural::count_noun;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal export > journal.json
  cfsso journal export 20260301-120000 > run.json

Entries contain no secrets. Undone on another machine after `journal import`, they
are checked as there: account, API and changes since.")]
pub struct ExportArgs {
    /// IDs of entries or runs (default: all)
    names: Vec<String>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal import journal.json
  ssh ops cfsso journal export | cfsso journal import -

Imported runs have names that end in `-imported`. Runs that were imported before
are left as they are.")]
pub struct ImportArgs {
    /// File of `journal export`; `-` for stdin
    file: PathBuf,
}

#[derive(Serialize)]
#[serde(transparent)]
struct Imported(Vec<String>);

pub fn export(args: &ExportArgs, context: &Context) -> anyhow::Result<Outcome> {
    let mut entries = read(context)?.entries;
    if !args.names.is_empty() {
        let named = args.names.iter().map(|name| select(entries.clone(), name));
        entries = named.collect::<Result<Vec<_>, _>>()?.concat();
    }
    let store = context.journal().store()?;
    let document = transfer::export(store, &entries).map_err(|error| {
        let message = format!("the journal in {} cannot be read", store.dir().display());
        FlowError::journal(message).cause(error.to_string())
    })?;
    context.screen.literal(&format!("{document}\n"))?;
    Ok(Outcome::silent())
}

pub async fn import(args: &ImportArgs, context: &Context) -> anyhow::Result<Outcome> {
    let text = context.read_file(&args.file, transfer::MAX_SIZE, "exported journal").await?;
    let store = context.journal().store()?;
    if context.settings.options.dry_run {
        context.screen.note("dry run: nothing was imported");
        return Ok(Outcome::silent());
    }
    let report = transfer::import(store, &text)?;
    if !report.known.is_empty() {
        let runs = count_noun(report.known.len(), "run");
        context.screen.note(format!("{runs} imported before: left as they are"));
    }
    let failure = conflict(&report.conflicting).map(Into::into);
    Ok(Outcome::done(Imported(report.imported)).failed(failure))
}

fn conflict(runs: &[String]) -> Option<FlowError> {
    let first = runs.first()?;
    let message =
        format!("not imported, with another content in this journal: {}", runs.join(", "));
    let causes = "an imported run is never changed: the file has it with more, fewer or other \
                  records";
    Some(FlowError::conflict(message).cause(causes).hint(format!("`cfsso journal show {first}`")))
}

impl Render for Imported {
    fn show(&self, page: &mut Page) {
        page.status_line(Status::Done, format!("runs imported: {}", self.0.len()));
        self.0.iter().for_each(|run| page.line(format!("  {run}")));
    }

    fn names(&self) -> Vec<String> {
        self.0.clone()
    }
}
