//! `cfsso journal list`: the entries, oldest first.

use serde::Serialize;

use super::super::Outcome;
use super::{outcome_text, read, undoable};
use crate::context::Context;
use crate::flow::journal::Entry;
use crate::output::{Page, Render, Text, ago};

/// Arguments of `journal list`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal list
  cfsso journal list --limit 5
  cfsso journal list -o json | jq -r '.[] | [.at, .title, .ray] | @tsv'")]
pub struct Args {
    /// Only the latest N entries
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// Entries, oldest first.
#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<Entry>);

/// Lists the journal.
pub fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let mut entries = read(context)?.entries;
    if let Some(limit) = args.limit {
        entries.drain(..entries.len().saturating_sub(limit));
    }
    if entries.is_empty() {
        context.screen.note("this machine has changed nothing yet, as far as its journal tells");
    }
    Ok(Outcome::done(List(entries)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let now = page.now();
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|entry| {
                vec![
                    Text::strong(&entry.id),
                    Text::plain(ago(entry.at, now)),
                    Text::plain(&entry.title),
                    outcome_text(entry),
                    undoable(entry),
                ]
            })
            .collect();
        page.table(&["ENTRY", "WHEN", "WHAT", "OUTCOME", "UNDOABLE"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|entry| entry.id.clone()).collect()
    }
}
