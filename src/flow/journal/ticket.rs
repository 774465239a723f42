//! Undo tickets: the journal of one run as a document for another machine. A ticket is trusted no
//! more than an edited journal: requests are built from typed fields (see [`crate::flow::undo`]).

use std::cell::RefCell;
use std::io;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};

use super::entry::{self, Cause, Entry, Record, Started};
use super::{FlowError, ResourceKind};
use crate::api::ids::AccountId;
use crate::input::depth;
use crate::rfc3339;

pub const SCHEMA: &str = "cfsso/undo/v1";

/// In bytes: a bypass of many connectors has some hundred kilobytes.
pub const MAX_SIZE: usize = 1024 * 1024;

pub const REMEDY: &str = "another file for `--ticket`";

/// Takes the whole ticket, as one line of JSON, before each request and after each response.
pub type Sink<'p> = Box<dyn Fn(&str, Stage) -> io::Result<()> + 'p>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The request is sent only if the ticket is written.
    BeforeRequest,
    AfterResponse,
}

pub(super) struct Writer<'p> {
    sink: Sink<'p>,
    document: RefCell<Option<Document>>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    schema: String,
    #[serde(serialize_with = "rfc3339::time")]
    created_at: Timestamp,
    account: Option<AccountId>,
    base_url: String,
    run: String,
    records: Vec<Box<RawValue>>,
}

impl<'p> Writer<'p> {
    pub fn new(sink: Sink<'p>) -> Self {
        Self { sink, document: RefCell::default() }
    }

    /// `run` is its name in the journal, if there is one.
    pub fn add(&self, record: &Record, run: Option<&str>) -> io::Result<()> {
        let mut document = self.document.borrow_mut();
        let stage = match record {
            Record::Started(started) => {
                document.get_or_insert_with(|| Document::new(started, run));
                Stage::BeforeRequest
            }
            Record::Finished(_) => Stage::AfterResponse,
        };
        let Some(document) = &mut *document else { return Ok(()) };
        document.records.push(to_raw_value(record)?);
        (self.sink)(&serde_json::to_string(document)?, stage)
    }
}

impl Document {
    /// Without a journal, the run gets a name that no journal has.
    fn new(first: &Started, run: Option<&str>) -> Self {
        let name = || first.started_at.strftime("%Y%m%d-%H%M%S-ticket").to_string();
        Self {
            schema: SCHEMA.to_owned(),
            created_at: first.started_at,
            account: first.account.clone(),
            base_url: first.base_url.clone().unwrap_or_default(),
            run: run.map_or_else(name, str::to_owned),
            records: Vec::new(),
        }
    }
}

/// Oldest first. A bypass prints its ticket before each request: the last one counts. A text may
/// have those of several bypasses. Fails without a ticket, or if a change to one can be detected.
pub fn read(text: &[u8]) -> Result<Vec<Entry>, FlowError> {
    if text.len() > MAX_SIZE {
        return Err(unusable("it is larger than 1 MiB"));
    }
    if text.trim_ascii().is_empty() {
        return Err(unusable("it is empty"));
    }
    depth::check(text).map_err(|error| unusable(error.to_string()))?;
    let parse = |text: &[u8]| serde_json::from_slice::<Document>(text);
    let documents = match parse(text) {
        Ok(only) => vec![only],
        Err(error) => {
            let lines = text.split(|&byte| byte == b'\n');
            let all = last_of_each(lines.filter_map(|line| parse(line).ok()));
            if all.is_empty() {
                return Err(unusable(error.to_string()));
            }
            all
        }
    };
    let mut bypasses = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        // Runs without a journal that started in the same second have the same name.
        let is_repeated = documents[..at].iter().any(|other| other.run == document.run);
        let suffix = if is_repeated { format!("-{}", at + 1) } else { String::new() };
        bypasses.push(entries_of(document, &format!("{}{suffix}", document.run))?);
    }
    // A text may have them in any order.
    bypasses.sort_by_key(|entries| entries.first().map(|entry| entry.started_at));
    Ok(bypasses.concat())
}

/// Without the tickets that a later one of the same bypass continues.
fn last_of_each(tickets: impl Iterator<Item = Document>) -> Vec<Document> {
    let mut all: Vec<Document> = Vec::new();
    for ticket in tickets {
        let records = |of: &Document| -> Vec<String> {
            of.records.iter().map(|record| record.get().to_owned()).collect()
        };
        let own = records(&ticket);
        let is_continued =
            |known: &Document| known.run == ticket.run && own.starts_with(&records(known));
        match all.iter().position(is_continued) {
            Some(at) => all[at] = ticket,
            None => all.push(ticket),
        }
    }
    all
}

fn entries_of(document: &Document, run: &str) -> Result<Vec<Entry>, FlowError> {
    if document.schema != SCHEMA {
        return Err(unusable(format!("its format is `{}`, expected `{SCHEMA}`", document.schema)));
    }
    let lines: Vec<_> = document.records.iter().map(|record| record.get()).collect();
    let (entries, corrupt) = entry::parse(run, lines.join("\n").as_bytes());
    if let Some(line) = corrupt.first() {
        return Err(unusable(format!("record {}: {}", line.number, line.reason)));
    }
    if entries.is_empty() {
        return Err(unusable("it has no records"));
    }
    let is_of_ticket = |entry: &Entry| {
        entry.account == document.account
            && entry.base_url.as_ref() == Some(&document.base_url)
            && entry.cause == Some(Cause::Bypass)
            && is_bypass_write(entry)
    };
    if let Some(other) = entries.iter().find(|entry| !is_of_ticket(entry)) {
        return Err(unusable(format!("`{}` is not a change of its bypass", other.title)));
    }
    Ok(entries)
}

/// A modified ticket could otherwise disable SSO as the undo of an enabling.
pub(in crate::flow) fn is_bypass_write(entry: &Entry) -> bool {
    let request = entry.sent();
    let body = &request["body"];
    match (request["method"].as_str(), entry.resource) {
        (Some("PATCH"), Some(ResourceKind::Connector)) => *body == json!({ "enabled": false }),
        (Some("POST"), Some(ResourceKind::IdentityProvider)) => body["type"] == "onetimepin",
        (Some("PUT"), Some(ResourceKind::Application)) => true,
        _ => false,
    }
}

fn unusable(reason: impl Into<String>) -> FlowError {
    FlowError::usage("this is not a usable undo ticket; nothing was sent")
        .cause(reason)
        .hint("`cfsso bypass status` shows what looks like a bypass")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    const STARTED: &str = r#"{"started":{"format":2,"entry":1,"started_at":"2026-03-01T12:00:00Z",
        "user":null,"credential":null,"account":"0123456789abcdef0123456789abcdef","base_url":"b",
        "resource":"connector","cause":"bypass","command":"c","title":"disable","request":{"method":"PATCH","body":{"enabled":false}},
        "before":null,"redacted_fields":[],"undoes":null}}"#;

    fn ticket(record: &str) -> String {
        let record = record.replace('\n', " ");
        format!(
            r#"{{"schema":"cfsso/undo/v1","created_at":"2026-03-01T12:00:00Z","account":"0123456789abcdef0123456789abcdef","base_url":"b","run":"r","records":[{record}]}}"#
        )
    }

    #[test]
    fn of_each_bypass_the_last_ticket_of_a_text_counts() {
        let first = ticket(STARTED);
        let later = STARTED.replace("\"disable\"", "\"later\"");
        let next = later.replace(r#""entry":1"#, r#""entry":2"#);
        let continued = ticket(&format!("{STARTED},{next}"));
        let other = ticket(&later);
        let earlier = ticket(&later.replace("12:00", "11:59"));
        for (text, expected) in [
            (first.clone(), "r.1 disable"),
            (format!("{first}\n{continued}\n"), "r.1 disable, r.2 later"),
            (format!("✓ a step\n{other}\nUndo: `x`\n"), "r.1 later"),
            (format!("{first}\n{other}\n"), "r.1 disable, r-2.1 later"),
            (format!("{first}\n{continued}\n{other}\n"), "r.1 disable, r.2 later, r-2.1 later"),
            (format!("{first}\n{earlier}\n"), "r-2.1 later, r.1 disable"),
        ] {
            let entries = read(text.as_bytes()).unwrap();
            let entries = entries.iter().map(|entry| format!("{} {}", entry.id, entry.title));
            assert_eq!(entries.collect::<Vec<_>>().join(", "), expected);
        }
    }

    #[test]
    fn what_is_no_ticket_of_one_bypass_is_refused() {
        let good = ticket(STARTED);
        let large = format!("{good}{}", " ".repeat(MAX_SIZE));
        let deep = "[".repeat(200);
        for (text, reason) in [
            (String::new(), "it is empty"),
            ("nonsense".to_owned(), "expected"),
            (large, "larger than 1 MiB"),
            (deep, "nested deeper"),
            (good.replace("undo/v1", "undo/v9"), "its format is `cfsso/undo/v9`"),
            (good.replace(r#""run":"#, r#""host":"evil","run":"#), "unknown field `host`"),
            (ticket(""), "it has no records"),
            (ticket(r#"{"started":{}}"#), "record 1: it cannot be read"),
            (ticket(&STARTED.replace("\"bypass\"", "null")), "not a change of its bypass"),
            (ticket(&STARTED.replace(":false", ":true")), "not a change of its bypass"),
            (ticket(&STARTED.replace("PATCH", "DELETE")), "not a change of its bypass"),
            (ticket(&STARTED.replace("\"b\"", "\"other\"")), "not a change of its bypass"),
            (ticket(&STARTED.replace("\"0123", "\"9123")), "not a change of its bypass"),
        ] {
            let error = read(text.as_bytes()).unwrap_err();
            assert_eq!(error.kind, FlowErrorKind::Usage);
            assert!(error.causes[0].contains(reason), "{reason}: {:?}", error.causes);
        }
    }
}
