//! Whether what puts a write back still fits, by the object as it is now. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::inverse::{Deed, Inverse, is_connector, is_one_segment};
use super::{segments, shared};
use crate::api::document::Document;
use crate::api::hidden::without_hidden;
use crate::api::request::WriteRequest;
use crate::flow::journal::{Entry, NOT_KEPT};
use crate::flow::plan::{Change, Difference};
use crate::flow::{Stop, StopKind, diff};
use crate::input::secret_name::is_secret_name;

/// Members of an application that are not sent back: absent, the API leaves
/// them alone (an empty list of policies would remove them all).
const LEFT_OUT: [&str; 3] = ["policies", "created_at", "updated_at"];

/// Members that change by themselves with every write.
const BOOKKEEPING: [&str; 8] = [
    "created_at",
    "updated_at",
    "created_on",
    "updated_on",
    "modified_on",
    "version",
    "app_count",
    "verification",
];

/// What an entry's undoing comes to, as things stand.
pub enum Prospect {
    /// This request would put it back.
    Ready(Ready),
    /// It is as it was already.
    AsBefore(String),
    /// Somebody changed it since: what differs from what was written.
    Drifted(Ready, Vec<String>),
    /// It cannot be, and why.
    Blocked(Stop),
}

/// A request that puts an entry back.
pub struct Ready {
    /// The request.
    pub request: WriteRequest<Value>,
    /// What it does, in words.
    pub title: String,
    /// What it turns into what.
    pub diff: Vec<Difference>,
    pub(super) before: Option<Document>,
    after: Option<Document>,
}

impl Inverse {
    /// Holds the object as it is now against what was written. Pure.
    #[must_use]
    pub fn judge(&self, entry: &Entry, now: Option<&Document>) -> Prospect {
        match (&self.deed, now) {
            (Deed::Recreate { collection, before }, None) => {
                Prospect::Ready(self.recreation(entry, collection, before))
            }
            (Deed::Recreate { .. }, Some(now)) => {
                let id = now.read::<String>(&["id"]).unwrap_or_default();
                Prospect::AsBefore(format!("it stands again, with the ID {id}"))
            }
            (Deed::RemoveLost { .. }, None) => Prospect::AsBefore(
                "it is not there: it was not made, or is gone already".to_owned(),
            ),
            (Deed::RemoveLost { .. }, Some(now)) if stood_before(now, entry.at) => {
                Prospect::AsBefore("what is there stood there before".to_owned())
            }
            (Deed::RemoveLost { sent }, Some(now)) => self.removal(entry, sent, now),
            (Deed::Remove { .. }, Some(now)) if self.is_shared() && shared::is_leaving(now) => {
                Prospect::AsBefore("it is gone already, or going".to_owned())
            }
            (Deed::Remove { .. }, None) => Prospect::AsBefore("it is gone already".to_owned()),
            (Deed::Fields { .. } | Deed::Object { .. }, None) => Prospect::Blocked(
                Stop::new(StopKind::Conflict, format!("entry {} cannot be undone", entry.id))
                    .cause(format!("`{}` is gone", self.path)),
            ),
            (Deed::Remove { written }, Some(now)) => self.removal(entry, written, now),
            (Deed::Fields { before, written }, Some(now)) => {
                self.restored_fields(entry, before, written, now)
            }
            (Deed::Object { before, written, is_answer }, Some(now)) => {
                self.restored_object(entry, before, written, *is_answer, now)
            }
        }
    }

    fn recreation(&self, entry: &Entry, collection: &str, before: &Document) -> Ready {
        let known = shared::body(collection, before).ok().flatten();
        let is_connector = is_connector(&self.path);
        let is_known = known.is_some();
        let mut body = known.unwrap_or_else(|| "{}".parse().expect("an object is a document"));
        let kept: &[&str] = if is_connector {
            body.set(&["email_domain"], &before.read::<String>(&["email_domain"]))
                .expect("the document is an object");
            body.set(&["begin_verification"], &false).expect("the document is an object");
            &["use_fedramp_language"]
        } else if is_known {
            &[]
        } else {
            &["type", "name", "content", "ttl", "comment", "tags", "proxied", "settings"]
        };
        for name in kept {
            if let Some(value) = before.get(&[name]).filter(|value| value.get() != "null") {
                body.set(&[name], &value).expect("the document is an object");
            }
        }
        let segments = segments(collection);
        let request = WriteRequest::post(&segments).body(&without_hidden(&body));
        let gone: Document = "{}".parse().expect("an object is a document");
        Ready {
            request,
            title: format!("undo {}: create {} again", entry.id, subject(before)),
            diff: differences(&gone, &body, &|_| true),
            before: None,
            after: Some(body),
        }
    }

    /// The object's own path, where its ID was not known before.
    fn path_of(&self, now: &Document) -> Option<String> {
        if !matches!(self.deed, Deed::RemoveLost { .. }) {
            return Some(self.path.clone());
        }
        let id: String = now.read(&["id"])?;
        is_one_segment(&id).then(|| format!("{}{id}", self.path))
    }

    fn removal(&self, entry: &Entry, written: &Document, now: &Document) -> Prospect {
        if is_connector(&self.path) && now.read(&["enabled"]) != Some(false) {
            let domain = subject(now);
            return Prospect::Blocked(
                Stop::new(StopKind::Refused, format!("the connector of `{domain}` is enabled"))
                    .cause("an enabled connector is not deleted: its users would lose their way to sign in")
                    .hint(format!("`cfsso connector disable {domain}`, then undo again")),
            );
        }
        let Some(path) = self.path_of(now) else {
            let message = format!("entry {} cannot be undone", entry.id);
            return Prospect::Blocked(
                Stop::new(StopKind::Refused, message).cause("its ID cannot stand in a path"),
            );
        };
        let identity: &[&str] = if is_connector(&self.path) {
            &["email_domain"]
        } else if self.path.contains("/dns_records/") {
            &["type", "name", "content"]
        } else {
            shared::identity(self.collection()).unwrap_or_default()
        };
        let counts = |field: &str| {
            if identity.is_empty() { counts(field) } else { identity.contains(&top(field)) }
        };
        let drift = differences(written, now, &counts);
        let ready = Ready {
            request: WriteRequest::delete(&segments(&path)).decoded_by(|_| Ok(Value::Null)),
            title: format!("undo {}: delete {}", entry.id, subject(now)),
            diff: vec![Difference::new("id", now.read::<String>(&["id"]), ())],
            before: Some(now.clone()),
            after: None,
        };
        drifted(ready, &drift)
    }

    fn restored_fields(
        &self,
        entry: &Entry,
        before: &Document,
        written: &Document,
        now: &Document,
    ) -> Prospect {
        let named = |field: &str| written.get(&[top(field)]).is_some();
        let diff = differences(now, before, &named);
        if diff.is_empty() {
            return Prospect::AsBefore("it reads as it did before".to_owned());
        }
        let strayed = differences(written, now, &named);
        let drift: Vec<_> = strayed
            .into_iter()
            .filter(|strayed| diff.iter().any(|diff| top(&diff.field) == top(&strayed.field)))
            .collect();
        let mut body: Document = "{}".parse().expect("an object is a document");
        let mut after = now.clone();
        for (name, _) in written.members() {
            let value = before.get(&[name]).expect("the inverse has it");
            body.set(&[name], &value).expect("the document is an object");
            after.set(&[name], &value).expect("the document is an object");
        }
        let is_put = self.path.contains("/shares/");
        let change = if is_put { WriteRequest::put } else { WriteRequest::patch };
        let ready = Ready {
            request: change(&segments(&self.path))
                .body(&without_hidden(&body))
                .decoded_by(|_| Ok(Value::Null)),
            title: format!("undo {}: change {} back", entry.id, subject(now)),
            diff,
            before: Some(now.clone()),
            after: Some(after),
        };
        drifted(ready, &drift)
    }

    fn restored_object(
        &self,
        entry: &Entry,
        before: &Document,
        written: &Document,
        is_answer: bool,
        now: &Document,
    ) -> Prospect {
        let sent_back = |field: &str| counts(field) && !LEFT_OUT.contains(&top(field));
        let diff = differences(now, before, &sent_back);
        if diff.is_empty() {
            return Prospect::AsBefore("it reads as it did before".to_owned());
        }
        // A body says nothing of the members that the API adds.
        let known =
            |field: &str| sent_back(field) && (is_answer || written.get(&[top(field)]).is_some());
        let drift: Vec<_> = differences(written, now, &known)
            .into_iter()
            .filter(|strayed| diff.iter().any(|diff| top(&diff.field) == top(&strayed.field)))
            .collect();
        let mut body = before.clone();
        for name in LEFT_OUT {
            body.remove(&[name]);
        }
        let body = without_hidden(&body);
        let ready = Ready {
            request: WriteRequest::put(&segments(&self.path))
                .body(&body)
                .decoded_by(|_| Ok(Value::Null)),
            title: format!("undo {}: put {} back", entry.id, subject(now)),
            diff,
            before: Some(now.clone()),
            after: Some(before.clone()),
        };
        drifted(ready, &drift)
    }
}

impl Ready {
    /// The change of a plan.
    #[must_use]
    pub fn change(&self) -> Change {
        Change::new(self.title.clone(), &self.request, self.diff.clone())
    }

    /// Whether it turns enforcement on.
    #[must_use]
    pub fn enforces(&self) -> bool {
        self.diff.iter().any(|diff| diff.field == "enabled" && diff.after == Value::Bool(true))
    }

    /// The object as it will be.
    #[must_use]
    pub fn after(&self) -> Option<&Document> {
        self.after.as_ref()
    }
}

/// Whether an object was made before a write began, a minute allowed for clocks
/// that differ.
fn stood_before(now: &Document, began: Timestamp) -> bool {
    let made = now.read::<Timestamp>(&["created_on"]);
    made.is_some_and(|made| made < began - SignedDuration::from_mins(1))
}

fn drifted(ready: Ready, drift: &[Difference]) -> Prospect {
    if drift.is_empty() {
        return Prospect::Ready(ready);
    }
    Prospect::Drifted(ready, drift.iter().map(|drift| format!("since then, {drift}")).collect())
}

/// What differs, as far as `counts` says; secrets never do, since they are not kept.
fn differences(
    before: &Document,
    after: &Document,
    counts: &dyn Fn(&str) -> bool,
) -> Vec<Difference> {
    let is_secret = |difference: &Difference| {
        difference.field.split('.').any(is_secret_name)
            || [&difference.before, &difference.after]
                .iter()
                .any(|value| value.as_str() == Some(NOT_KEPT))
    };
    let mut found = diff::between(before, after);
    found.retain(|difference| counts(&difference.field) && !is_secret(difference));
    found
}

fn counts(field: &str) -> bool {
    !field.split('.').any(|part| BOOKKEEPING.contains(&part))
}

fn top(field: &str) -> &str {
    field.split('.').next().unwrap_or_default()
}

/// What an object is called by people.
pub(super) fn subject(object: &Document) -> String {
    ["email_domain", "name", "recipient_account_id", "account_id", "idp_id", "resource_id", "id"]
        .iter()
        .find_map(|name| object.read::<String>(&[name]))
        .unwrap_or_else(|| "the object".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::inverse::inverse;
    use super::super::inverse::tests::entry;
    use super::*;

    fn judged(entry: &Entry, now: &str) -> String {
        let now: Option<Document> = now.parse().ok();
        match inverse(entry).unwrap().judge(entry, now.as_ref()) {
            Prospect::Ready(ready) => serde_json::to_string(&ready.request).unwrap(),
            Prospect::AsBefore(_) => "as before".to_owned(),
            Prospect::Drifted(_, drift) => drift.join("; "),
            Prospect::Blocked(stop) => stop.message,
        }
    }

    #[test]
    fn a_patch_is_put_back_field_by_field() {
        let entry = entry(
            "PATCH",
            "/accounts/a/sso_connectors/c1",
            r#"{"enabled":false}"#,
            r#"{"id":"c1","enabled":true,"use_fedramp_language":true}"#,
            r#"[{"id":"c1","enabled":false}]"#,
        );
        for (now, expected) in [
            (
                r#"{"id":"c1","enabled":false,"use_fedramp_language":false}"#,
                r#"{"method":"PATCH","path":"/accounts/a/sso_connectors/c1","body":{"enabled":true}}"#,
            ),
            (r#"{"id":"c1","enabled":true}"#, "as before"),
            (r#"{"id":"c1","enabled":"new"}"#, "since then, `enabled`: false -> new"),
            ("", "entry r1.1 cannot be undone"),
        ] {
            assert_eq!(judged(&entry, now), expected, "{now}");
        }
    }

    #[test]
    fn a_replacement_is_put_back_without_policies_and_unknown_secrets() {
        let entry = entry(
            "PUT",
            "/accounts/a/access/apps/p1",
            r#"{"name":"a","allowed_idps":[]}"#,
            r#"{"id":"p1","name":"a","allowed_idps":["i1"],"big":12345678901234567890123,"policies":[{"id":"q"}],"updated_at":"1","config":{"client_secret":"[secret, not kept]","x":null}}"#,
            r#"{"id":"p1","name":"a","allowed_idps":[],"updated_at":"2"}"#,
        );
        let put = r#"{"method":"PUT","path":"/accounts/a/access/apps/p1","body":{"id":"p1","name":"a","allowed_idps":["i1"],"big":12345678901234567890123,"config":{"x":null}}}"#;
        for (now, expected) in [
            (r#"{"id":"p1","name":"a","allowed_idps":[],"updated_at":"3"}"#, put),
            (
                r#"{"id":"p1","name":"b","allowed_idps":[],"updated_at":"3"}"#,
                "since then, `name`: a -> b",
            ),
        ] {
            assert_eq!(judged(&entry, now), expected, "{now}");
        }
    }

    #[test]
    fn what_was_created_is_removed_where_it_is_still_that() {
        let connector = entry(
            "POST",
            "/accounts/a/sso_connectors",
            r#"{"email_domain":"cool.cats"}"#,
            "null",
            r#"{"id":"c1","email_domain":"cool.cats","enabled":false}"#,
        );
        let record = entry(
            "POST",
            "/zones/z/dns_records",
            r#"{"content":"\"x\""}"#,
            "null",
            r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"x\"","ttl":1}"#,
        );
        for (entry, now, expected) in [
            (
                &connector,
                r#"{"id":"c1","email_domain":"cool.cats","enabled":false,"verification":{"status":"verified"}}"#,
                r#"{"method":"DELETE","path":"/accounts/a/sso_connectors/c1"}"#,
            ),
            (
                &connector,
                r#"{"id":"c1","email_domain":"cool.cats","enabled":true}"#,
                "the connector of `cool.cats` is enabled",
            ),
            (&connector, "", "as before"),
            (
                &record,
                r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"x\"","ttl":300}"#,
                r#"{"method":"DELETE","path":"/zones/z/dns_records/r1"}"#,
            ),
            (
                &record,
                r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"y\""}"#,
                "since then, `content`: \"x\" -> \"y\"",
            ),
        ] {
            assert_eq!(judged(entry, now), expected, "{now}");
        }
    }

    #[test]
    fn what_was_created_without_an_answer_is_known_by_what_was_sent() {
        let made = entry(
            "POST",
            "/accounts/a/sso_connectors",
            r#"{"email_domain":"cool.cats"}"#,
            "null",
            "null",
        );
        let made = Entry { at: "2026-03-01T12:00:00Z".parse().unwrap(), ..made };
        let now = |id: &str, created: &str| {
            format!(
                r#"{{"id":"{id}","email_domain":"cool.cats","enabled":false,"created_on":"{created}"}}"#
            )
        };
        for (now, expected) in [
            (String::new(), "as before"),
            (now("c1", "2026-03-01T11:00:00Z"), "as before"),
            (
                now("c1", "2026-03-01T11:59:30Z"),
                r#"{"method":"DELETE","path":"/accounts/a/sso_connectors/c1"}"#,
            ),
            (now("../x", "2026-03-01T12:00:01Z"), "entry r1.1 cannot be undone"),
            (
                now("c1", "2026-03-01T12:00:01Z").replace("false", "true"),
                "the connector of `cool.cats` is enabled",
            ),
        ] {
            assert_eq!(judged(&made, &now), expected, "{now}");
        }
    }

    #[test]
    fn what_was_deleted_is_created_again() {
        let record = entry(
            "DELETE",
            "/zones/z/dns_records/r1",
            "null",
            r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"x\"","ttl":1,"comment":"c","created_on":"1"}"#,
            "null",
        );
        assert_eq!(
            judged(&record, ""),
            r#"{"method":"POST","path":"/zones/z/dns_records","body":{"type":"TXT","name":"cool.cats","content":"\"x\"","ttl":1,"comment":"c"}}"#
        );
        assert_eq!(judged(&record, r#"{"id":"r2"}"#), "as before");
    }
}
