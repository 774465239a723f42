use std::num::NonZeroUsize;

use serde::Serialize;

use super::super::Outcome;
use super::{outcome_text, read};
use crate::context::Context;
use crate::flow::journal::Entry;
use crate::output::{Page, Render, Text, ago};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal list
  cfsso journal list --limit 5
  cfsso journal list -o json | jq -r '.[] | [.started_at, .title, .ray_id] | @tsv'")]
pub struct Args {
    /// Show only the latest N entries
    #[arg(long, value_name = "N")]
    limit: Option<NonZeroUsize>,
}

/// Oldest first in JSON, newest first on screen.
#[derive(Serialize)]
#[serde(transparent)]
struct List(Vec<Entry>);

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let mut entries = read(context)?.entries;
    if let Some(limit) = args.limit {
        entries.drain(..entries.len().saturating_sub(limit.get()));
    }
    if entries.is_empty() {
        context.screen.note("No journal entries.");
    }
    Ok(Outcome::done(List(entries)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        let now = page.now();
        let rows: Vec<_> = self
            .0
            .iter()
            .rev()
            .map(|entry| {
                vec![
                    Text::strong(&entry.id),
                    Text::plain(ago(entry.started_at, now)),
                    Text::plain(&entry.title),
                    outcome_text(entry),
                ]
            })
            .collect();
        page.table(&["ENTRY", "WHEN", "WHAT", "OUTCOME"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|entry| entry.id.clone()).collect()
    }
}
