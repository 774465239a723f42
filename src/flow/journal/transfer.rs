//! Export and import of runs as a document. Imported runs are trusted no more than an edited
//! journal (see [`crate::flow::undo`]), are history, and have a name that says so.

use std::collections::BTreeSet;
use std::io;

use serde::{Deserialize, Serialize};

use super::FlowError;
use super::entry::{self, Cause, Entry, Record};
use super::resource::Resource;
use super::store::Store;
use super::ticket::is_bypass_write;
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

pub fn export(store: &Store, entries: &[Entry]) -> io::Result<String> {
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

/// What became of the runs of a document, by their new names.
#[derive(Debug, Default)]
pub struct ImportReport {
    pub imported: Vec<String>,
    /// The journal has them already.
    pub known: Vec<String>,
    /// The journal has another run of that name.
    pub conflicting: Vec<String>,
}

/// Fails for another format, an unreadable record, or a bypass that no bypass of cfsso is.
pub fn import(store: &Store, text: &[u8]) -> Result<ImportReport, FlowError> {
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
        let (entries, corrupt) = entry::parse(run, text.as_bytes());
        if let Some(line) = corrupt.first() {
            return Err(unusable(format!("run {run}, record {}: {}", line.number, line.reason)));
        }
        if let Some(entry) = entries.iter().find(|entry| is_false_bypass(entry)) {
            let request = entry.request_line();
            return Err(unusable(format!(
                "entry {}: `{request}` is not a request of a bypass",
                entry.id
            )));
        }
        files.push((imported(run), text));
    }
    let mut report = ImportReport::default();
    for (run, text) in files {
        let failed = |error: io::Error| {
            let message = format!("run {run} cannot be imported");
            FlowError::journal(message).cause(error.to_string())
        };
        let group = if !store.has(&run) {
            store.add(&run, &text).map_err(failed)?;
            &mut report.imported
        } else if store.lines(&run).map_err(failed)?.iter().eq(text.lines()) {
            &mut report.known
        } else {
            &mut report.conflicting
        };
        group.push(run);
    }
    Ok(report)
}

/// `bypass undo` without arguments undoes every bypass of the journal: a forged one must not be
/// among them.
fn is_false_bypass(entry: &Entry) -> bool {
    let sent = entry.sent();
    let resource = entry.account.as_ref().zip(sent["path"].as_str());
    let resource = resource.and_then(|(account, path)| Resource::parse(account, path));
    let is_real = is_bypass_write(entry) && entry.resource == resource.map(|it| it.kind());
    entry.cause == Some(Cause::Bypass) && entry.undoes.is_none() && !is_real
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

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::flow::journal::ResourceKind;

    #[test]
    fn a_bypass_of_an_imported_run_is_one_that_cfsso_makes() {
        use ResourceKind::{Application, Connector, Token};
        let account = Entry::sample("r", 1, "{}").account.unwrap();
        let own = |below: &str| format!("/accounts/{account}/{below}");
        let off = r#"{"enabled":false}"#;
        for (method, path, body, resource, is_false) in [
            ("PATCH", own("sso_connectors/c"), off, Connector, false),
            ("PUT", own("access/apps/a"), "{}", Application, false),
            ("PATCH", own("sso_connectors/c/x"), off, Connector, true),
            ("PATCH", own("sso_connectors/c"), "{}", Connector, true),
            ("PATCH", "/user/tokens/x".to_owned(), off, Connector, true),
            ("PATCH", own("tokens/x"), off, Token, true),
            ("PUT", own("sso_connectors/c"), "{}", Application, true),
        ] {
            let request = format!(r#"{{"method":"{method}","path":"{path}","body":{body}}}"#);
            let entry = Entry {
                request: RawValue::from_string(request).unwrap(),
                resource: Some(resource),
                cause: Some(Cause::Bypass),
                ..Entry::sample("r", 1, "{}")
            };
            assert_eq!(is_false_bypass(&entry), is_false, "{method} {path} {body}");
            assert!(!is_false_bypass(&Entry { cause: None, ..entry }));
        }
    }
}
