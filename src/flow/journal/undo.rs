//! Putting a write back: what its inverse is, by the entry alone; whether it
//! still fits, by the object as it is now; and sending it.

mod shared;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Entry, Intent, NOT_KEPT, Outcome};
use crate::api::document::{Document, members};
use crate::api::mask::is_secret_field;
use crate::api::request::Request;
use crate::api::{self, Kind};
use crate::flow::plan::{Change, Difference};
use crate::flow::target::is_hidden;
use crate::flow::{Error, Stop, StopKind, Tools, diff};

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
    path: String,
    deed: Deed,
}

#[derive(Clone, Debug)]
enum Deed {
    /// Set fields to what they were.
    Fields { before: Document, written: Document },
    /// Replace the object by what it was.
    Object { before: Document, written: Document, is_answer: bool },
    /// Remove what was created.
    Remove { written: Document },
    /// Create again what was removed.
    Recreate { collection: String, before: Document },
}

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
    pub request: Request<Value>,
    /// What it does, in words.
    pub title: String,
    /// What it turns into what.
    pub diff: Vec<Difference>,
    before: Option<Document>,
    after: Option<Document>,
}

/// The objects that a run of undoing has read, as they will be by then.
pub type Seen = BTreeMap<String, Option<Document>>;

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
        "POST" => return created(&sent.path, after),
        "DELETE" => removed(&sent.path, before.ok_or_else(not_recorded)?)?,
        method => return Err(Why::Impossible(format!("a {method} has no inverse"))),
    };
    Ok(Inverse { path: sent.path, deed })
}

/// A PATCH's answer comes as an object or as an array of one.
fn unwrapped(answer: Option<&RawValue>) -> Option<Box<RawValue>> {
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

fn created(path: &str, after: Option<Document>) -> Result<Inverse, Why> {
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
        _ => Err(Why::Impossible(
            "its answer was lost: the ID of what it made is not known".to_owned(),
        )),
    }
}

/// An ID that a server sent goes into a path.
fn is_one_segment(id: &str) -> bool {
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
    /// Reads the object as it is now; none where it is gone.
    pub async fn look(&self, tools: &Tools<'_>) -> Result<Option<Document>, Error> {
        let Deed::Recreate { collection, before } = &self.deed else {
            let read = Request::<Document>::get(&segments(&self.path));
            return match tools.client.send(&read).await {
                Err(error) if error.kind() == Kind::NotFound => Ok(None),
                answer => Ok(Some(answer?)),
            };
        };
        Ok(twin(tools, collection, before).await?)
    }

    /// Whether it creates a connector, which gets a new TXT code.
    #[must_use]
    pub fn makes_new_code(&self) -> bool {
        matches!(self.deed, Deed::Recreate { .. }) && is_connector(&self.path)
    }

    fn collection(&self) -> &str {
        self.path.rsplit_once('/').unwrap_or_default().0
    }

    /// Whether it is about a grant, a share, or something in a share.
    fn is_shared(&self) -> bool {
        shared::identity(self.collection()).is_some()
    }

    /// The key under which [`Seen`] has the object.
    #[must_use]
    pub fn key(&self) -> String {
        match &self.deed {
            Deed::Recreate { .. } => format!("{} again", self.path),
            _ => self.path.clone(),
        }
    }

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
        let request = Request::post(&segments).body(&body);
        let gone: Document = "{}".parse().expect("an object is a document");
        Ready {
            request,
            title: format!("undo {}: create {} again", entry.id, subject(before)),
            diff: differences(&gone, &body, &|_| true),
            before: None,
            after: Some(body),
        }
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
            request: Request::delete(&segments(&self.path)).decoded_by(|_| Ok(Value::Null)),
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
        let change = if is_put { Request::put } else { Request::patch };
        let ready = Ready {
            request: change(&segments(&self.path)).body(&body).decoded_by(|_| Ok(Value::Null)),
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
        without_secrets(&mut body);
        let ready = Ready {
            request: Request::put(&segments(&self.path))
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

/// Reads again, judges again, sends, and sees that it is as it was. `None`
/// where there is nothing to put back by now.
pub async fn apply(
    tools: &Tools<'_>,
    entry: &Entry,
    inverse: &Inverse,
    force: bool,
) -> Result<Option<String>, Error> {
    let now = inverse.look(tools).await?;
    let ready = match inverse.judge(entry, now.as_ref()) {
        Prospect::AsBefore(_) => return Ok(None),
        Prospect::Ready(ready) => ready,
        Prospect::Drifted(ready, _) if force => ready,
        Prospect::Drifted(_, drift) => return Err(drift_stop(entry, &drift).into()),
        Prospect::Blocked(stop) => return Err(stop.into()),
    };
    let before = ready.before.as_ref().map(Document::to_raw);
    let intent = Intent {
        title: ready.title.clone(),
        before: before.as_deref().map(RawValue::get),
        undoes: Some(&entry.id),
    };
    if let Deed::Recreate { collection, before } = &inverse.deed {
        let look = async || {
            let twin = twin(tools, collection, before).await?;
            Ok(twin.map(|twin| serde_json::to_value(twin.to_raw()).unwrap_or_default()))
        };
        tools.create_as(&ready.request, look, intent).await?;
    } else {
        tools.write_as(&ready.request, intent).await?;
    }
    let seen = inverse.look(tools).await?;
    let is_back = match (&inverse.deed, &seen) {
        (Deed::Recreate { .. }, seen) => seen.is_some(),
        (_, seen) => matches!(inverse.judge(entry, seen.as_ref()), Prospect::AsBefore(_)),
    };
    if is_back {
        return Ok(Some(ready.title));
    }
    Err(Stop::new(
        StopKind::NotSeen,
        format!("`{}` was sent, but does not read back so", ready.title),
    )
    .hint(format!("`cfsso journal show {}`", entry.id))
    .into())
}

/// Stops because somebody changed it since.
#[must_use]
pub fn drift_stop(entry: &Entry, drift: &[String]) -> Stop {
    Stop::new(
        StopKind::Conflict,
        format!("what entry {} wrote was changed since: nothing was sent", entry.id),
    )
    .causes(drift.iter().cloned())
    .hint(format!("`cfsso journal undo {} --force` puts it back all the same", entry.id))
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
        difference.field.split('.').any(is_secret_field)
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

/// Takes out the secrets that are not known: absent, the API keeps the one
/// that stands.
fn without_secrets(body: &mut Document) {
    let unknown = |name: &str, value: &RawValue| {
        value.get().contains(NOT_KEPT) || (is_secret_field(name) && is_hidden(value.get()))
    };
    let mut paths: Vec<Vec<String>> = Vec::new();
    for (name, value) in body.members() {
        let inner = members(value).unwrap_or_default();
        for (child, value) in &inner {
            if unknown(child, value) {
                paths.push(vec![name.to_owned(), child.clone()]);
            }
        }
        if inner.is_empty() && unknown(name, value) {
            paths.push(vec![name.to_owned()]);
        }
    }
    for path in paths {
        let path: Vec<_> = path.iter().map(String::as_str).collect();
        body.remove(&path);
    }
}

fn is_connector(path: &str) -> bool {
    path.contains("/sso_connectors/")
}

/// What an object is called by people.
fn subject(object: &Document) -> String {
    ["email_domain", "name", "recipient_account_id", "account_id", "idp_id", "resource_id", "id"]
        .iter()
        .find_map(|name| object.read::<String>(&[name]))
        .unwrap_or_else(|| "the object".to_owned())
}

/// What an entry is about, as people call it, for a confirmation.
#[must_use]
pub fn about(entry: &Entry) -> String {
    let images = [entry.before.as_deref(), entry.after.as_deref()];
    let object = images.into_iter().find_map(|image| unwrapped(image)?.get().parse().ok());
    object.as_ref().map_or_else(|| entry.id.clone(), subject)
}

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/').split('/').collect()
}

/// What stands in the place of something that was removed.
async fn twin(
    tools: &Tools<'_>,
    collection: &str,
    before: &Document,
) -> Result<Option<Document>, api::Error> {
    let request = Request::<Vec<Document>>::get(&segments(collection));
    if let Some(identity) = shared::identity(collection) {
        let paged = !collection.ends_with("/idp_federation_grants");
        let request = if paged { request.paged(100) } else { request };
        let all = tools.client.list(&request).await?;
        return Ok(all.into_iter().find(|object| shared::is_same(identity, before, object)));
    }
    let name: String = before.read(&["name"]).unwrap_or_default();
    let is_record = collection.ends_with("/dns_records");
    let request = if is_record {
        request.query("type", "TXT").query("name.exact", name).paged(100)
    } else {
        request
    };
    let identity: &[&str] = if is_record { &["name", "content"] } else { &["email_domain"] };
    let same = |object: &Document| {
        identity.iter().all(|field| {
            object.read::<String>(&[field]).map(|text| text.to_lowercase())
                == before.read::<String>(&[field]).map(|text| text.to_lowercase())
        })
    };
    Ok(tools.client.list(&request).await?.into_iter().find(same))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(method: &str, path: &str, body: &str, before: &str, after: &str) -> Entry {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let object = |text: &str| Some(raw(text)).filter(|object| object.get() != "null");
        let request = format!(r#"{{"method":"{method}","path":"{path}","body":{body}}}"#);
        let sample = Entry::sample("r1", 1, &request);
        Entry { before: object(before), after: object(after), ..sample }
    }

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
            (entry("POST", "/z/dns_records", "{}", "null", "null"), "answer was lost"),
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
