//! What puts a write back, by its entry alone. Pure.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::prospect::subject;
use super::shared;
use crate::api::document::Document;
use crate::flow::journal::{Entry, NOT_KEPT, Outcome};

/// Why an entry has no inverse.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is nothing to put back.
    #[error("{0}")]
    Nothing(String),
    /// It cannot be put back.
    #[error("{0}")]
    Impossible(String),
}

/// What puts a write back.
#[derive(Clone, Debug)]
pub struct Inverse {
    /// The object's path; for what was created, with its ID.
    pub(super) path: String,
    pub(super) deed: Deed,
}

#[derive(Clone, Debug)]
pub(super) enum Deed {
    /// Set fields to what they were.
    Fields { before: Document, written: Document },
    /// Replace the object by what it was.
    Object { before: Document, written: Document, is_answer: bool },
    /// Remove what was created.
    Remove { written: Document },
    /// Find what was created, of which the answer was lost, and remove it.
    RemoveLost { sent: Document },
    /// Create again what was removed.
    Recreate { collection: String, before: Document },
}

#[derive(Deserialize)]
struct Sent {
    method: String,
    path: String,
    query: Option<Value>,
    body: Option<Box<RawValue>>,
}

/// The inverse of an entry, or why there is none.
pub fn inverse(entry: &Entry) -> Result<Inverse, Why> {
    let nothing = |text: String| Err(Why::Nothing(text));
    if let Some(by) = &entry.undone_by {
        return nothing(format!("entry {by} has put it back already"));
    }
    if entry.is_note() {
        return nothing("it is a note: nothing was sent".to_owned());
    }
    if entry.outcome == Outcome::Failed {
        return nothing("the request was not carried out: there is nothing to undo".to_owned());
    }
    let impossible = |text: &str| Why::Impossible(text.to_owned());
    let sent: Sent = serde_json::from_str(entry.request.get())
        .map_err(|_| impossible("its request cannot be read"))?;
    if sent.query.is_some() {
        return Err(impossible("a request with a query has no inverse that is known"));
    }
    let document = |text: Option<&RawValue>| text.and_then(|text| text.get().parse().ok());
    let before: Option<Document> = document(entry.before.as_deref());
    let after: Option<Document> = document(unwrapped(entry.after.as_deref()).as_deref());
    let body = document(sent.body.as_deref());
    let not_recorded = || impossible("the object before it is not recorded");
    let deed = match sent.method.as_str() {
        "PATCH" => fields(before.ok_or_else(not_recorded)?, &body.ok_or_else(not_recorded)?)?,
        // A share and a resource in it take just the fields that change.
        "PUT" if sent.path.contains("/shares/") => {
            fields(before.ok_or_else(not_recorded)?, &body.ok_or_else(not_recorded)?)?
        }
        "PUT" => {
            let before = before.ok_or_else(not_recorded)?;
            let is_answer = after.is_some();
            let written = after.or(body).ok_or_else(not_recorded)?;
            Deed::Object { before, written, is_answer }
        }
        "POST" => return created(&sent.path, body, after, entry.settled_by.as_deref()),
        "DELETE" => removed(&sent.path, before.ok_or_else(not_recorded)?)?,
        method => return Err(Why::Impossible(format!("a {method} has no inverse"))),
    };
    Ok(Inverse { path: sent.path, deed })
}

/// A PATCH's answer comes as an object or as an array of one.
pub(super) fn unwrapped(answer: Option<&RawValue>) -> Option<Box<RawValue>> {
    let answer = answer?;
    match serde_json::from_str::<[Box<RawValue>; 1]>(answer.get()) {
        Ok([only]) => Some(only),
        Err(_) => Some(answer.to_owned()),
    }
}

fn fields(before: Document, body: &Document) -> Result<Deed, Why> {
    for (name, _) in body.members() {
        let Some(value) = before.get(&[name]) else {
            return Err(Why::Impossible(format!("what `{name}` was before is not recorded")));
        };
        if value.get().contains(NOT_KEPT) {
            return Err(Why::Impossible(format!("`{name}` was a secret, which is not kept")));
        }
    }
    Ok(Deed::Fields { before, written: body.clone() })
}

fn created(
    path: &str,
    body: Option<Document>,
    after: Option<Document>,
    settled_by: Option<&str>,
) -> Result<Inverse, Why> {
    let collection = path.rsplit('/').next().unwrap_or_default();
    match collection {
        "sso_connectors" | "dns_records" | "identity_providers" => {}
        _ if shared::COLLECTIONS.contains(&collection) => {}
        "begin_verification" => {
            return Err(Why::Impossible(
                "a verification that has begun cannot be taken back; it changes nothing else"
                    .to_owned(),
            ));
        }
        "tokens" => {
            return Err(Why::Impossible(
                "a token is revoked in the dashboard, not here".to_owned(),
            ));
        }
        _ => return Err(Why::Impossible(format!("a POST to `{collection}` has no known inverse"))),
    }
    let id = after.as_ref().and_then(|after| after.read::<String>(&["id"]));
    match (after, id) {
        (Some(written), Some(id)) if is_one_segment(&id) => {
            Ok(Inverse { path: format!("{path}/{id}"), deed: Deed::Remove { written } })
        }
        // What is there was made by that one.
        (None, _) if settled_by.is_some() => {
            let by = settled_by.unwrap_or_default();
            Err(Why::Nothing(format!("its answer was lost, and entry {by} made the same later")))
        }
        // These are known again by what was sent.
        (None, _) if matches!(collection, "sso_connectors" | "dns_records") && body.is_some() => {
            let sent = body.expect("there is one");
            Ok(Inverse { path: format!("{path}/"), deed: Deed::RemoveLost { sent } })
        }
        _ => Err(Why::Impossible(
            "its answer was lost: the ID of what it made is not known".to_owned(),
        )),
    }
}

/// An ID that a server sent goes into a path.
pub(super) fn is_one_segment(id: &str) -> bool {
    !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
}

fn removed(path: &str, before: Document) -> Result<Deed, Why> {
    let (collection, _) = path.rsplit_once('/').unwrap_or_default();
    if shared::body(collection, &before)?.is_some() {
        return Ok(Deed::Recreate { collection: collection.to_owned(), before });
    }
    match collection.rsplit('/').next() {
        Some("sso_connectors" | "dns_records") => {
            Ok(Deed::Recreate { collection: collection.to_owned(), before })
        }
        Some("identity_providers") => Err(Why::Impossible(
            "the identity provider's secret is not kept: create it anew with `cfsso idp create`"
                .to_owned(),
        )),
        _ => Err(Why::Impossible("what was deleted cannot be created as it was".to_owned())),
    }
}

impl Inverse {
    /// Whether it creates a connector, which gets a new TXT code.
    #[must_use]
    pub fn makes_new_code(&self) -> bool {
        matches!(self.deed, Deed::Recreate { .. }) && is_connector(&self.path)
    }

    pub(super) fn collection(&self) -> &str {
        self.path.rsplit_once('/').unwrap_or_default().0
    }

    /// Whether it is about a grant, a share, or something in a share.
    pub(super) fn is_shared(&self) -> bool {
        shared::identity(self.collection()).is_some()
    }

    /// The key under which [`Seen`](super::Seen) has the object.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.deed {
            Deed::Recreate { .. } => format!("{} again", self.path),
            Deed::RemoveLost { sent } => format!("{}{}", self.path, subject(sent)),
            _ => self.path.clone(),
        }
    }
}

pub(super) fn is_connector(path: &str) -> bool {
    path.contains("/sso_connectors/")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub fn entry(method: &str, path: &str, body: &str, before: &str, after: &str) -> Entry {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let object = |text: &str| Some(raw(text)).filter(|object| object.get() != "null");
        let request = format!(r#"{{"method":"{method}","path":"{path}","body":{body}}}"#);
        let sample = Entry::sample("r1", 1, &request);
        Entry { before: object(before), after: object(after), ..sample }
    }

    #[test]
    fn what_has_no_inverse_says_why() {
        let mut failed = entry("PATCH", "/a/b", r#"{"x":1}"#, r#"{"x":2}"#, "null");
        failed.outcome = Outcome::Failed;
        let mut undone = entry("PATCH", "/a/b", r#"{"x":1}"#, r#"{"x":2}"#, "null");
        undone.undone_by = Some("r2.1".to_owned());
        for (entry, says) in [
            (failed, "not carried out"),
            (undone, "r2.1 has put it back"),
            (
                entry("POST", "/c/begin_verification", "null", "null", "null"),
                "cannot be taken back",
            ),
            (entry("POST", "/accounts/a/tokens", "{}", "null", r#"{"id":"t"}"#), "revoked"),
            (entry("POST", "/accounts/a/things", "{}", "null", r#"{"id":"t"}"#), "`things`"),
            (
                entry("DELETE", "/accounts/a/shares/s", "null", r#"{"name":"a"}"#, "null"),
                "for good",
            ),
            (entry("POST", "/z/dns_records", "null", "null", "null"), "answer was lost"),
            (entry("POST", "/access/identity_providers", "{}", "null", "null"), "answer was lost"),
            (entry("POST", "/z/dns_records", "{}", "null", r#"{"id":"../x"}"#), "answer was lost"),
            (entry("PATCH", "/a/b", r#"{"x":1}"#, "null", "null"), "not recorded"),
            (entry("PATCH", "/a/b", r#"{"x":1}"#, r#"{"y":1}"#, "null"), "`x`"),
            (
                entry("PATCH", "/a/b", r#"{"x":1}"#, r#"{"x":"[secret, not kept]"}"#, "null"),
                "secret",
            ),
            (entry("DELETE", "/a/access/identity_providers/i", "null", "{}", "null"), "idp create"),
            (entry("DELETE", "/a/grants/g", "null", "{}", "null"), "cannot be created"),
        ] {
            let why = inverse(&entry).unwrap_err().to_string();
            assert!(why.contains(says), "{why}");
        }
    }
}
