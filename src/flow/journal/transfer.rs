//! Runs of a journal as a document that another machine imports. What is imported is
//! trusted no more than a journal that was edited (see [`super::undo`]), is history,
//! and has a name that says so.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::entry::{self, Entry};
use super::store::Store;
use super::{FlowError, FlowErrorKind};
use crate::input::depth;

/// The name and version of the format.
const SCHEMA: &str = "cfsso/journal/v1";

/// Ends the name of an imported run.
const IMPORTED: &str = "-imported";

/// The largest document in bytes.
pub const MAX_SIZE: usize = 64 * 1024 * 1024;

/// Runs as they are in their files.
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
    records: Vec<Box<RawValue>>,
}

/// The document of `entries`: the records of their runs that belong to them.
pub fn export(store: &Store, entries: &[Entry]) -> std::io::Result<String> {
    let names: BTreeSet<&str> = entries.iter().map(|entry| entry.run.as_str()).collect();
    let mut runs = Vec::new();
    for run in names {
        let numbers: BTreeSet<&str> = entries
            .iter()
            .filter(|entry| entry.run == run)
            .filter_map(|entry| entry.id.rsplit_once('.').map(|(_, number)| number))
            .collect();
        let mut records = Vec::new();
        for line in store.lines(run)? {
            let record: Value = serde_json::from_str(&line).unwrap_or_default();
            let number = ["started", "begun", "finished", "ended"]
                .iter()
                .find_map(|kind| record[kind]["entry"].as_u64());
            if number.is_some_and(|number| numbers.contains(number.to_string().as_str())) {
                records.push(RawValue::from_string(line)?);
            }
        }
        runs.push(Run { run: run.to_owned(), records });
    }
    Ok(serde_json::to_string(&Document { schema: SCHEMA.to_owned(), runs })?)
}

/// Adds the runs of a document to the journal; returns their names here.
///
/// # Errors
/// If the format differs, if a record cannot be read, or if a run was imported
/// before.
pub fn import(store: &Store, text: &[u8]) -> Result<Vec<String>, FlowError> {
    if text.len() > MAX_SIZE {
        return Err(unusable("it is larger than 64 MiB"));
    }
    depth::check(text).map_err(|error| unusable(error.to_string()))?;
    let document: Document =
        serde_json::from_slice(text).map_err(|error| unusable(error.to_string()))?;
    if document.schema != SCHEMA {
        return Err(unusable(format!("its format is `{}`, expected `{SCHEMA}`", document.schema)));
    }
    let own: BTreeSet<String> = document.runs.iter().map(|run| run.run.clone()).collect();
    let mut files = Vec::new();
    for Run { run, records } in &document.runs {
        let is_name = run.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && !run.is_empty();
        if !is_name || run.len() > 80 {
            return Err(unusable(format!("`{}` is not the name of a run", run.escape_debug())));
        }
        let lines: Vec<_> = records.iter().map(|record| renamed(record.get(), &own)).collect();
        let text = lines.join("\n") + "\n";
        let (_, corrupt) = entry::parse(run, text.as_bytes());
        if let Some(line) = corrupt.first() {
            return Err(unusable(format!("run {run}, record {}: {}", line.number, line.reason)));
        }
        files.push((imported(run), text));
    }
    if let Some((run, _)) = files.iter().find(|(run, _)| store.has(run)) {
        let message = format!("run {run} exists already; nothing was imported");
        return Err(FlowError::new(FlowErrorKind::Conflict, message).hint("`cfsso journal list`"));
    }
    for (run, text) in &files {
        store.add(run, text).map_err(|error| {
            let message = format!("run {run} cannot be imported");
            FlowError::new(FlowErrorKind::Journal, message).cause(error.to_string())
        })?;
    }
    Ok(files.into_iter().map(|(run, _)| run).collect())
}

fn imported(run: &str) -> String {
    format!("{run}{IMPORTED}")
}

/// A record on one line, whose reference to an entry of the same document goes to
/// the imported one.
fn renamed(record: &str, own: &BTreeSet<String>) -> String {
    let line = record.replace(['\n', '\r'], " ");
    let Ok(value) = serde_json::from_str::<Value>(&line) else { return line };
    let undoes = value["started"]["undoes"].as_str();
    match undoes.and_then(|id| id.rsplit_once('.')) {
        Some((run, number)) if own.contains(run) => {
            let (old, new) = (format!("{run}.{number}"), format!("{}.{number}", imported(run)));
            line.replace(&format!("\"undoes\":\"{old}\""), &format!("\"undoes\":\"{new}\""))
        }
        _ => line,
    }
}

fn unusable(reason: impl Into<String>) -> FlowError {
    FlowError::new(FlowErrorKind::Usage, "this is not an exported journal; nothing was imported")
        .cause(reason)
        .hint("`cfsso journal export > FILE` writes one")
}
