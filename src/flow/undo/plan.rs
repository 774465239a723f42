//! Whether an undo still fits the current object. Pure.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::allowed_list::ListUndo;
use super::share;
use crate::api::document::Document;
use crate::api::hidden::without_hidden;
use crate::api::request::WriteRequest;
use crate::flow::journal::inverse::{InverseAction, is_secret, subject};
use crate::flow::journal::recreate::{is_code_record, set};
use crate::flow::journal::resource::Resource;
use crate::flow::journal::{Cause, Entry, Inverse, ResourceKind};
use crate::flow::plan::{Change, Difference};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, FlowErrorKind, diff};

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

pub enum UndoPlan {
    Ready(Ready),
    Unchanged(String),
    /// Changed since; with the differences from what was written.
    Drifted(Ready, Vec<String>),
    Blocked(FlowError),
    /// It would block every sign-in to the dashboard.
    Refused(Ready, FlowError),
}

pub struct Ready {
    pub change: Change,
    pub(super) write: Write,
    pub(super) before: Option<Document>,
    after: Option<Document>,
}

pub(super) enum Write {
    Request(WriteRequest<Value>),
    Edit(Update),
}

impl Inverse {
    pub fn undo_plan(&self, entry: &Entry, now: Option<&Document>) -> UndoPlan {
        match (&self.action, now) {
            (InverseAction::Recreate { before, body }, None) => {
                UndoPlan::Ready(self.plan_recreate(entry, before, body))
            }
            (InverseAction::Recreate { .. }, Some(now)) => {
                let id = now.parse_at::<String>(&["id"]).unwrap_or_default();
                UndoPlan::Unchanged(format!("it exists again ({id})"))
            }
            (InverseAction::DeleteIfFound { .. }, None) => {
                UndoPlan::Unchanged("it does not exist".to_owned())
            }
            (InverseAction::DeleteIfFound { .. }, Some(now))
                if existed_before(now, entry.started_at) =>
            {
                UndoPlan::Unchanged("the existing object is older".to_owned())
            }
            (InverseAction::DeleteIfFound { sent }, Some(now)) => {
                self.plan_delete(entry, sent, now)
            }
            (InverseAction::Delete { .. }, Some(now)) if self.is_leaving(now) => {
                UndoPlan::Unchanged("already deleted or being deleted".to_owned())
            }
            (InverseAction::Delete { .. }, None) => {
                UndoPlan::Unchanged("already deleted".to_owned())
            }
            (InverseAction::Fields { .. } | InverseAction::Object { .. }, None) => {
                UndoPlan::Blocked(
                    FlowError { kind: FlowErrorKind::Conflict, ..entry.not_undoable() }
                        .cause(format!("`{}` was deleted", self.resource.path(&self.account))),
                )
            }
            (InverseAction::Delete { written }, Some(now)) => self.plan_delete(entry, written, now),
            (InverseAction::Fields { before, written }, Some(now)) => {
                self.plan_restore_fields(entry, before, written, now)
            }
            (InverseAction::Object { target, fields, before, written }, Some(now)) => {
                self.plan_replace(entry, target, fields, (before, written), now)
            }
        }
    }

    fn is_leaving(&self, now: &Document) -> bool {
        share::identity(self.resource.kind()).is_some() && share::is_disassociating(now)
    }

    fn plan_recreate(&self, entry: &Entry, before: &Document, body: &Document) -> Ready {
        let request =
            WriteRequest::post(&self.resource.segments(&self.account)).body(&without_hidden(body));
        let title = format!("undo {}: recreate {}", entry.id, subject(before));
        let diff = relevant_differences(&Document::default(), body, &|_| true);
        Ready {
            change: Change::new(title, &request, diff),
            write: Write::Request(request),
            before: None,
            after: Some(body.clone()),
        }
    }

    /// The resource with its ID, which is unknown if the response was lost.
    fn located_resource(&self, now: &Document) -> Option<Resource> {
        if !matches!(self.action, InverseAction::DeleteIfFound { .. }) {
            return Some(self.resource.clone());
        }
        self.resource.member(&now.parse_at::<String>(&["id"])?)
    }

    fn plan_delete(&self, entry: &Entry, written: &Document, now: &Document) -> UndoPlan {
        let kind = self.resource.kind();
        if kind == ResourceKind::Connector && now.parse_at(&["enabled"]) != Some(false) {
            let domain = subject(now);
            return UndoPlan::Blocked(
                FlowError::refused(format!("the connector of `{domain}` is enabled"))
                    .cause("an enabled connector is not deleted: its users would lose their way to sign in")
                    .hint(format!("`cfsso connector disable {domain}`, then undo again")),
            );
        }
        if kind == ResourceKind::DnsRecord && !is_code_record(now) {
            return UndoPlan::Blocked(
                entry.not_undoable().cause("not a TXT record with a verification code"),
            );
        }
        let Some(resource) = self.located_resource(now) else {
            return UndoPlan::Blocked(entry.not_undoable().cause("its ID is invalid in a path"));
        };
        let identity: &[&str] = match kind {
            ResourceKind::Connector => &["email_domain"],
            ResourceKind::DnsRecord => &["type", "name", "content"],
            kind => share::identity(kind).unwrap_or_default(),
        };
        let counts = |field: &str| {
            if identity.is_empty() {
                is_relevant(field)
            } else {
                identity.contains(&top_level_field(field))
            }
        };
        let drift = relevant_differences(written, now, &counts);
        let request = WriteRequest::delete(&resource.segments(&self.account))
            .with_decoder(|_| Ok(Value::Null));
        let title = format!("undo {}: delete {}", entry.id, subject(now));
        let diff = vec![Difference::new("id", now.parse_at::<String>(&["id"]), ())];
        let ready = Ready {
            change: Change::new(title, &request, diff),
            write: Write::Request(request),
            before: Some(now.clone()),
            after: None,
        };
        drifted(ready, &drift)
    }

    fn plan_restore_fields(
        &self,
        entry: &Entry,
        before: &Document,
        written: &Document,
        now: &Document,
    ) -> UndoPlan {
        let named = |field: &str| written.get(&[top_level_field(field)]).is_some();
        let diff = relevant_differences(now, before, &named);
        if diff.is_empty() {
            return UndoPlan::Unchanged("already as before".to_owned());
        }
        let changes = relevant_differences(written, now, &named);
        let drift: Vec<_> = changes
            .into_iter()
            .filter(|change| {
                diff.iter()
                    .any(|diff| top_level_field(&diff.field) == top_level_field(&change.field))
            })
            .collect();
        let mut body = Document::default();
        let mut after = now.clone();
        for (name, _) in written.members() {
            let value = before.get(&[name]).expect("the inverse has it");
            set(&mut body, name, &value);
            set(&mut after, name, &value);
        }
        // Shares and their resources take only the changed fields, by PUT.
        let is_patch = self.resource.kind() == ResourceKind::Connector;
        let change = if is_patch { WriteRequest::patch } else { WriteRequest::put };
        let request = change(&self.resource.segments(&self.account))
            .body(&without_hidden(&body))
            .with_decoder(|_| Ok(Value::Null));
        let title = format!("undo {}: restore {}", entry.id, subject(now));
        let ready = Ready {
            change: Change::new(title, &request, diff),
            write: Write::Request(request),
            before: Some(now.clone()),
            after: Some(after),
        };
        drifted(ready, &drift)
    }

    fn plan_replace(
        &self,
        entry: &Entry,
        target: &Target,
        fields: &[Vec<String>],
        (before, written): (&Document, &Document),
        now: &Document,
    ) -> UndoPlan {
        // A list that another user has changed since the bypass is not replaced.
        let list = match entry.cause {
            Some(Cause::Bypass) => ListUndo::of(before, written, now),
            None => ListUndo::Restore,
        };
        let edit = Update::of(target.clone(), now.clone(), |wanted| {
            for field in fields {
                let path: Vec<_> = field.iter().map(String::as_str).collect();
                match &list {
                    ListUndo::Restore => {}
                    ListUndo::Without(left) if path == ["allowed_idps"] => {
                        wanted.set(&path, left)?;
                        continue;
                    }
                    // Instant authentication belongs to the previous list.
                    ListUndo::Without(_) | ListUndo::Keep => continue,
                }
                match before.get(&path) {
                    Some(value) => wanted.set(&path, &value)?,
                    None => {
                        wanted.remove(&path);
                    }
                }
            }
            Ok(())
        });
        let edit = match edit {
            Ok(edit) => edit,
            Err(error) => return UndoPlan::Blocked(error),
        };
        if edit.is_empty() {
            let text = match list {
                ListUndo::Restore => "already as before",
                ListUndo::Without(_) | ListUndo::Keep => {
                    "other identity providers were allowed since, which stay allowed"
                }
            };
            return UndoPlan::Unchanged(text.to_owned());
        }
        let is_restored = |field: &str| {
            edit.requested
                .iter()
                .any(|asked| top_level_field(&asked.field) == top_level_field(field))
        };
        let is_changed = |field: &str| fields.iter().any(|path| is_within(field, path));
        let mut drift =
            relevant_differences(written, now, &|field| is_restored(field) && is_changed(field));
        drift.retain(|difference| {
            !target.is_equal(difference) && !matches!(list, ListUndo::Without(_))
        });
        let is_config = |field: &str| field.starts_with("config.");
        let has_new_secret = entry.redacted_fields.iter().any(|field| field.contains(".config."));
        let request = target.replace(&self.account, &edit.desired);
        let title = format!("undo {}: restore {}", entry.id, edit.name());
        let splits = has_new_secret && edit.requested.iter().any(|it| is_config(&it.field));
        let ready = Ready {
            change: Change::new(title, &request, edit.requested.clone()),
            before: Some(now.clone()),
            after: Some(edit.desired.clone()),
            write: Write::Edit(edit),
        };
        match drifted(ready, &drift) {
            UndoPlan::Ready(ready) if splits => {
                let text =
                    "the secret that was set with it stays: the previous one is not recorded";
                UndoPlan::Drifted(ready, vec![text.to_owned()])
            }
            plan => plan,
        }
    }
}

impl Ready {
    pub fn enforces(&self) -> bool {
        let diff = &self.change.diff;
        diff.iter().any(|diff| diff.field == "enabled" && diff.after == Value::Bool(true))
    }

    /// The current name of the object; `None` if it does not exist.
    pub fn subject(&self) -> Option<String> {
        self.before.as_ref().map(subject)
    }

    /// The current object; `None` if it does not exist.
    pub fn now(&self) -> Option<&Document> {
        self.before.as_ref()
    }

    pub fn after(&self) -> Option<&Document> {
        self.after.as_ref()
    }
}

/// Allows a minute for clocks that differ.
fn existed_before(now: &Document, began: Timestamp) -> bool {
    let made = now.parse_at::<Timestamp>(&["created_on"]);
    made.is_some_and(|made| made < began - SignedDuration::from_mins(1))
}

fn drifted(ready: Ready, drift: &[Difference]) -> UndoPlan {
    if drift.is_empty() {
        return UndoPlan::Ready(ready);
    }
    UndoPlan::Drifted(ready, drift.iter().map(|drift| format!("since then, {drift}")).collect())
}

/// Only fields that `counts` accepts. Secrets never differ: they are not kept.
fn relevant_differences(
    before: &Document,
    after: &Document,
    counts: &dyn Fn(&str) -> bool,
) -> Vec<Difference> {
    let mut found = diff::diff(before, after);
    found.retain(|difference| counts(&difference.field) && !is_secret(difference));
    found
}

fn is_relevant(field: &str) -> bool {
    !field.split('.').any(|part| BOOKKEEPING.contains(&part))
}

fn top_level_field(field: &str) -> &str {
    field.split('.').next().unwrap_or_default()
}

/// Whether a field is at, above or below `path`.
fn is_within(field: &str, path: &[String]) -> bool {
    field.split('.').zip(path).all(|(a, b)| a == b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::journal::inverse;
    use crate::flow::journal::inverse::tests::{ACCOUNT, entry};

    fn judged(entry: &Entry, now: &str) -> String {
        let now: Option<Document> = now.parse().ok();
        match inverse(entry).unwrap().undo_plan(entry, now.as_ref()) {
            UndoPlan::Ready(ready) => ready.change.request.get().replace(ACCOUNT, "A"),
            UndoPlan::Unchanged(_) => "as before".to_owned(),
            UndoPlan::Drifted(_, drift) => drift.join("; "),
            UndoPlan::Blocked(error) | UndoPlan::Refused(_, error) => error.message,
        }
    }

    #[test]
    fn a_patch_is_put_back_field_by_field() {
        let entry = entry(
            "PATCH",
            "/accounts/A/sso_connectors/c1",
            r#"{"enabled":false}"#,
            r#"{"id":"c1","enabled":true,"use_fedramp_language":true}"#,
            r#"[{"id":"c1","enabled":false}]"#,
        );
        for (now, expected) in [
            (
                r#"{"id":"c1","enabled":false,"use_fedramp_language":false}"#,
                r#"{"method":"PATCH","path":"/accounts/A/sso_connectors/c1","body":{"enabled":true}}"#,
            ),
            (r#"{"id":"c1","enabled":true}"#, "as before"),
            (r#"{"id":"c1","enabled":"new"}"#, "since then, `enabled`: false -> new"),
            ("", "entry r1.1 cannot be undone"),
        ] {
            assert_eq!(judged(&entry, now), expected, "{now}");
        }
    }

    #[test]
    fn of_a_replacement_just_the_changed_fields_are_put_back() {
        let entry = entry(
            "PUT",
            "/accounts/A/access/apps/p1",
            r#"{"id":"p1","name":"a","allowed_idps":[],"big":12345678901234567890123,"c":{"x":2}}"#,
            r#"{"id":"p1","name":"a","allowed_idps":["i1"],"big":12345678901234567890123,"policies":[{"id":"q"}],"updated_at":"1","c":{"x":1,"client_secret":"[secret, not kept]"}}"#,
            r#"{"id":"p1","name":"a","allowed_idps":[],"updated_at":"2","c":{"x":2}}"#,
        );
        let now = |rest: &str| format!(r#"{{"id":"p1","policies":[],"updated_at":"3",{rest}}}"#);
        let put = |rest: &str| {
            format!(
                r#"{{"method":"PUT","path":"/accounts/A/access/apps/p1","body":{{"id":"p1",{rest}}}}}"#
            )
        };
        for (now, expected) in [
            (
                now(r#""name":"a","allowed_idps":[],"c":{"x":2}"#),
                put(r#""name":"a","allowed_idps":["i1"],"c":{"x":1}"#),
            ),
            (
                now(r#""name":"b","allowed_idps":[],"c":{"x":2,"y":3}"#),
                put(r#""name":"b","allowed_idps":["i1"],"c":{"x":1,"y":3}"#),
            ),
            (now(r#""name":"b","allowed_idps":["i1"],"c":{"x":1}"#), "as before".to_owned()),
            (
                now(r#""name":"a","allowed_idps":["i2"],"c":{"x":1}"#),
                r#"since then, `allowed_idps`: [] -> ["i2"]"#.to_owned(),
            ),
        ] {
            assert_eq!(judged(&entry, &now), expected, "{now}");
        }
    }

    #[test]
    fn a_record_of_another_kind_is_not_deleted() {
        let mx = r#"{"id":"r1","type":"MX","name":"cool.cats","content":"mail"}"#;
        let created = entry("POST", "/zones/z/dns_records", mx, "null", mx);
        assert_eq!(judged(&created, mx), "entry r1.1 cannot be undone");
    }

    #[test]
    fn the_word_to_type_is_what_the_server_calls_it() {
        let edited = entry(
            "PATCH",
            "/accounts/A/sso_connectors/c1",
            r#"{"enabled":false}"#,
            r#"{"id":"c1","email_domain":"easy.example","enabled":true}"#,
            "null",
        );
        let now = r#"{"id":"c1","email_domain":"cool.cats","enabled":false}"#.parse().unwrap();
        let UndoPlan::Ready(ready) = inverse(&edited).unwrap().undo_plan(&edited, Some(&now))
        else {
            panic!("it is ready");
        };
        assert_eq!(ready.subject().as_deref(), Some("cool.cats"));
        assert!(ready.enforces());
    }

    #[test]
    fn what_was_created_is_removed_where_it_is_still_that() {
        let connector = entry(
            "POST",
            "/accounts/A/sso_connectors",
            r#"{"email_domain":"cool.cats"}"#,
            "null",
            r#"{"id":"c1","email_domain":"cool.cats","enabled":false}"#,
        );
        let record = entry(
            "POST",
            "/zones/z/dns_records",
            r#"{"content":"\"cloudflare_dashboard_sso=x\""}"#,
            "null",
            r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"cloudflare_dashboard_sso=x\"","ttl":1}"#,
        );
        for (entry, now, expected) in [
            (
                &connector,
                r#"{"id":"c1","email_domain":"cool.cats","enabled":false,"verification":{"status":"verified"}}"#,
                r#"{"method":"DELETE","path":"/accounts/A/sso_connectors/c1"}"#,
            ),
            (
                &connector,
                r#"{"id":"c1","email_domain":"cool.cats","enabled":true}"#,
                "the connector of `cool.cats` is enabled",
            ),
            (&connector, "", "as before"),
            (
                &record,
                r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"cloudflare_dashboard_sso=x\"","ttl":300}"#,
                r#"{"method":"DELETE","path":"/zones/z/dns_records/r1"}"#,
            ),
            (
                &record,
                r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"cloudflare_dashboard_sso=y\""}"#,
                "since then, `content`: \"cloudflare_dashboard_sso=x\" -> \"cloudflare_dashboard_sso=y\"",
            ),
        ] {
            assert_eq!(judged(entry, now), expected, "{now}");
        }
    }

    #[test]
    fn what_was_created_without_an_answer_is_known_by_what_was_sent() {
        let made = entry(
            "POST",
            "/accounts/A/sso_connectors",
            r#"{"email_domain":"cool.cats"}"#,
            "null",
            "null",
        );
        let made = Entry { started_at: "2026-03-01T12:00:00Z".parse().unwrap(), ..made };
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
                r#"{"method":"DELETE","path":"/accounts/A/sso_connectors/c1"}"#,
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
            r#"{"id":"r1","type":"TXT","name":"cool.cats","content":"\"cloudflare_dashboard_sso=x\"","ttl":1,"comment":"c","created_on":"1"}"#,
            "null",
        );
        assert_eq!(
            judged(&record, ""),
            r#"{"method":"POST","path":"/zones/z/dns_records","body":{"type":"TXT","name":"cool.cats","content":"\"cloudflare_dashboard_sso=x\"","ttl":1,"comment":"c"}}"#
        );
        assert_eq!(judged(&record, r#"{"id":"r2"}"#), "as before");
    }
}
