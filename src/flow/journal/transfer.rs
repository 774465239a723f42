//! Export and import of runs as a document. Imported runs are trusted no more than an edited
//! journal (see [`crate::flow::undo`]), are history, and have a name that says so.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::FlowError;
use super::entry::{self, Entry, Record};
use super::store::Store;
use crate::input::depth;

const SCHEMA: &str = "cfsso/journal/v1";

const IMPORTED: &str = "-imported";

/// In bytes.
pub const MAX_SIZE: usize = 64 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    runs: Vec<Run>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    run: String,
    records: Vec<Record>,
}

pub fn export(store: &Store, entries: &[Entry]) -> std::io::Result<String> {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.run.as_str()).collect();
    let mut runs = Vec::new();
    for run in names {
        let ids: BTreeSet<&str> = entries.iter().map(|entry| entry.id.as_str()).collect();
        let records = store.lines(run)?.into_iter();
        // An unreadable line belongs to no entry.
        let records = records.filter_map(|line| serde_json::from_str::<Record>(&line).ok());
        let is_of = |record: &Record| ids.contains(format!("{run}.{}", record.entry()).as_str());
        runs.push(Run { run: run.to_owned(), records: records.filter(is_of).collect() });
    }
    Ok(serde_json::to_string(&Document { schema: SCHEMA.to_owned(), runs })?)
}

/// Returns the new names. Fails for another format, an unreadable record, or a run that was
/// imported before.
pub fn import(store: &Store, text: &[u8]) -> Result<Vec<String>, FlowError> {
    if text.len() > MAX_SIZE {
        return Err(unusable("it is larger than 64 MiB"));
    }
    depth::check(text).map_err(|error| unusable(error.to_string()))?;
    let mut document: Document =
        serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
    if document.schema != SCHEMA {
        return Err(unusable(format!("its format is `{}`, expected `{SCHEMA}`", document.schema)));
    }
    let own: BTreeSet<String> = document.runs.iter().map(|run| run.run.clone()).collect();
    let mut files = Vec::new();
    for Run { run, records } in &mut document.runs {
        let is_name = run.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !run.is_empty();
        if !is_name || run.len() > 80 {
            return Err(unusable(format!("`{}` is not the name of a run", run.escape_debug())));
        }
        let mut text = String::new();
        for record in records {
            rename(record, &own);
            text += &serde_json::to_string(record).expect("a record is plain data");
            text.push('\n');
        }
        let (_, corrupt) = entry::parse(run, text.as_bytes());
        if let Some(line) = corrupt.first() {
            return Err(unusable(format!("run {run}, record {}: {}", line.number, line.reason)));
        }
        files.push((imported(run), text));
    }
    if let Some((run, _)) = files.iter().find(|(run, _)| store.has(run)) {
        let message = format!("run {run} exists already; nothing was imported");
        return Err(FlowError::conflict(message).hint("`cfsso journal list`"));
    }
    for (run, text) in &files {
        store.add(run, text).map_err(|error| {
            let message = format!("run {run} cannot be imported");
            FlowError::journal(message).cause(error.to_string())
        })?;
    }
    Ok(files.into_iter().map(|(run, _)| run).collect())
}

fn imported(run: &str) -> String {
    format!("{run}{IMPORTED}")
}

/// Makes `undoes` refer to the imported entry.
fn rename(record: &mut Record, own: &BTreeSet<String>) {
    if let Record::Started(started) = record
        && let Some(undone) = &mut started.undoes
        && let Some((run, number)) = undone.rsplit_once('.')
        && own.contains(run)
    {
        *undone = format!("{}.{number}", imported(run));
    }
}

fn unusable(reason: impl Into<String>) -> FlowError {
    FlowError::usage("this is not an exported journal; nothing was imported")
        .cause(reason)
        .hint("`cfsso journal export > FILE` writes one")
}
