pub mod list;
pub mod prune;
pub mod show;
pub mod transfer;
pub mod undo;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::journal::{Contents, Entry, Outcome as Fate, inverse};
use crate::flow::rename;
use crate::output::{Status, Text};

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List journal entries
    List(list::Args),
    /// Show an entry or run with before and after state
    Show(show::Args),
    /// Undo an entry or a whole run
    Undo(undo::Args),
    /// Print entries for another machine
    Export(transfer::ExportArgs),
    /// Add entries of another machine
    Import(transfer::ImportArgs),
    /// Delete old entries
    Prune(prune::Args),
}

impl Command {
    pub fn sends_requests(&self) -> bool {
        matches!(self, Self::Undo(_))
    }
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(&args, context),
        Command::Show(args) => show::run(&args, context),
        Command::Undo(args) => undo::run(args, context).await,
        Command::Export(args) => transfer::export(&args, context),
        Command::Import(args) => transfer::import(&args, context).await,
        Command::Prune(args) => prune::run(&args, context),
    }
}

/// Reads the journal, and warns of what cannot be read.
pub(super) fn read(context: &Context) -> Result<Contents, FlowError> {
    let mut reading = context.journal().read()?;
    let renames = rename::runs(&reading.entries);
    let reasons: Vec<_> = reading
        .entries
        .iter()
        .map(|entry| match inverse(entry) {
            Ok(_) if renames.contains(entry.run.as_str()) => {
                Some("part of a team rename; `cfsso team rename --rollback` undoes it".to_owned())
            }
            Ok(_) => None,
            Err(reason) => Some(reason.to_string()),
        })
        .collect();
    for (entry, reason) in reading.entries.iter_mut().zip(reasons) {
        entry.irreversible_reason = reason;
    }
    if let Some(readable) = &reading.readable {
        context.screen.warn(format!("the journal: {readable}"));
    }
    for damage in &reading.damaged {
        context.screen.warn(format!("corrupt journal file (left as it is): {damage}"));
    }
    Ok(reading)
}

/// `name`: the ID of an entry or of a run.
fn select(entries: Vec<Entry>, name: &str) -> Result<Vec<Entry>, FlowError> {
    let found: Vec<_> =
        entries.into_iter().filter(|entry| entry.id == name || entry.run == name).collect();
    if found.is_empty() {
        return Err(FlowError::not_found(format!("no entry or run `{name}` in the journal"))
            .hint("`cfsso journal list`"));
    }
    Ok(found)
}

fn outcome_text(entry: &Entry) -> Text {
    if entry.undone_by.is_some() {
        return Text::dim("undone");
    }
    let mark = match entry.outcome {
        Fate::Done => Status::Done,
        Fate::Failed => Status::Failed,
        Fate::Unknown | Fate::Unfinished => Status::Warning,
    };
    mark.paint(entry.outcome.label())
}

fn undoable(entry: &Entry) -> Text {
    match (&entry.undone_by, &entry.irreversible_reason) {
        (Some(by), _) => Text::dim(format!("undone by {by}")),
        (None, Some(_)) => Text::dim("no"),
        (None, None) => Text::plain("yes"),
    }
}
