use std::fmt::Write;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::Outcome;
use super::{outcome_text, read, select, undoable};
use crate::api::document::Document;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::diff;
use crate::flow::journal::{Entry, Outcome as Fate};
use crate::flow::plan::Difference;
use crate::output::{Literal, Page, Render, Text, time};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso journal show
  cfsso journal show 20260301-120000
  cfsso journal show 20260301-120000.2 -o json
  cfsso journal show 20260301-120000 --markdown > post-mortem.md")]
pub struct Args {
    /// ID of an entry or run (default: the latest run)
    name: Option<String>,

    /// Print a Markdown timeline for a post-mortem
    #[arg(long)]
    markdown: bool,
}

/// The journal entries of one run of cfsso.
#[expect(clippy::struct_field_names, reason = "the field is called so in JSON")]
#[derive(Serialize, JsonSchema)]
pub struct Run {
    schema: &'static str,
    /// The ID of the run.
    run: String,
    /// The command line, without secrets.
    command: String,
    /// The local user.
    user: Option<String>,
    /// The entries of the run, or the requested one.
    entries: Vec<Entry>,
}

pub fn run(args: &Args, context: &Context) -> anyhow::Result<Outcome> {
    let entries = read(context)?.entries;
    let latest = entries.last().map(|entry| entry.run.clone());
    let Some(name) = args.name.clone().or(latest) else {
        return Err(FlowError::not_found("no journal entries").into());
    };
    let entries = select(entries, &name)?;
    let first = &entries[0];
    let run = Run {
        schema: "cfsso/journal-run/v1",
        run: first.run.clone(),
        command: first.command.clone(),
        user: first.user.clone(),
        entries,
    };
    if args.markdown {
        return Ok(Outcome::done(Literal(markdown(&run))));
    }
    Ok(Outcome::done(run))
}

impl Render for Run {
    fn show(&self, page: &mut Page) {
        page.fields(&[
            ("run", Text::strong(&self.run)),
            ("command", Text::code(&self.command)),
            ("user", Text::plain(self.user.as_deref().unwrap_or("unknown"))),
        ]);
        for entry in &self.entries {
            page.blank();
            page.line(Text::strong(format!("{}  {}", entry.id, entry.title)));
            page.fields(&fields(entry));
            for difference in changes(entry) {
                page.labeled("  ", Text::prose(difference.to_string()));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.id.clone()).collect()
    }
}

fn fields(entry: &Entry) -> Vec<(&'static str, Text)> {
    let mut fields = vec![
        ("  at", Text::plain(time(entry.started_at))),
        ("  request", request(entry).map_or_else(|| Text::dim("none: a note"), Text::plain)),
        ("  outcome", outcome_text(entry)),
    ];
    if let Some(status) = entry.status {
        fields.push(("  status", Text::plain(status.to_string())));
    }
    for (label, value) in [
        ("  ray", &entry.ray_id),
        ("  error", &entry.error),
        ("  API", &entry.base_url),
        ("  undoes", &entry.undoes),
    ] {
        fields.extend(value.as_ref().map(|value| (label, Text::plain(value))));
    }
    fields.push(("  undoable", undoable(entry)));
    if let (Some(reason), None) = (&entry.irreversible_reason, &entry.undone_by) {
        fields.push(("  because", Text::prose(reason)));
    }
    if !entry.redacted_fields.is_empty() {
        let text = format!("{}: cannot be undone", entry.redacted_fields.join(", "));
        fields.push(("  redacted", Text::prose(text)));
    }
    fields
}

fn request(entry: &Entry) -> Option<String> {
    (!entry.is_note()).then(|| entry.request_line())
}

fn changes(entry: &Entry) -> Vec<Difference> {
    let document = |image: &Option<Box<RawValue>>| -> Option<Document> {
        image.as_ref().and_then(|image| image.get().parse().ok())
    };
    let id = |object: &Document| object.parse_at::<String>(&["id"]);
    match (document(&entry.before), document(&entry.after)) {
        (Some(before), Some(after)) => diff::diff(&before, &after),
        // For a created or deleted object, the ID stands for the whole change.
        (None, Some(created)) => vec![Difference::new("id", (), id(&created))],
        (Some(deleted), None) if entry.request_line().starts_with("DELETE ") => {
            vec![Difference::new("id", id(&deleted), ())]
        }
        _ => Vec::new(),
    }
}

fn markdown(run: &Run) -> String {
    let mut text = format!(
        "# Changes of `{}`\n\nRun {}, by {}.\n\n## Timeline (UTC)\n\n\
         | time | what | request | outcome | ray |\n|---|---|---|---|---|\n",
        run.command,
        run.run,
        run.user.as_deref().unwrap_or("unknown user")
    );
    for entry in &run.entries {
        let status = entry.status.map(|status| format!(" ({status})")).unwrap_or_default();
        line(
            &mut text,
            &format!(
                "| {} | {} | {} | {}{status} | {} |",
                time(entry.started_at),
                cell(&entry.title),
                request(entry).map_or_else(|| "-".to_owned(), |line| format!("`{}`", cell(&line))),
                entry.outcome.label(),
                entry.ray_id.as_deref().unwrap_or("-")
            ),
        );
    }
    for entry in &run.entries {
        detail(&mut text, entry);
    }
    text
}

fn detail(text: &mut String, entry: &Entry) {
    line(text, &format!("\n## {} {}\n", entry.id, entry.title));
    if let Some(error) = &entry.error {
        line(text, &format!("Error: {error}\n"));
    }
    if entry.outcome == Fate::Unfinished {
        line(text, "The command ended before a response; the request may have been applied.\n");
    }
    if let Some(by) = &entry.undone_by {
        line(text, &format!("Undone by entry {by}.\n"));
    }
    if entry.is_note() {
        let noted = entry.before.as_deref().map(RawValue::get);
        line(text, &format!("- noted: `{}`", noted.unwrap_or("nothing")));
    }
    for difference in changes(entry) {
        line(text, &format!("- {difference}"));
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string takes all that is written");
}
