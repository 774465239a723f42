//! The inverse of a write, by its entry only. Pure. The entry may have been edited: only known
//! resources, and the methods and fields that this program writes, are taken from it.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::origin::NOT_RECORDED;
use super::resource::Resource;
use super::{Cause, Entry, NOT_KEPT, Outcome, ResourceKind, recreate};
use crate::api::document::{Document, members};
use crate::api::ids::AccountId;
use crate::api::request::WriteRequest;
use crate::flow::diff;
use crate::flow::plan::Difference;
use crate::flow::target::Target;
use crate::input::secret_name::is_secret_name;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotUndoable {
    #[error("{0}")]
    NothingWritten(String),
    #[error("{0}")]
    Irreversible(String),
}

#[derive(Clone, Debug)]
pub struct Inverse {
    pub(in crate::flow) account: AccountId,
    /// For a creation, the collection.
    pub(in crate::flow) resource: Resource,
    pub(in crate::flow) action: InverseAction,
}

#[derive(Clone, Debug)]
pub(in crate::flow) enum InverseAction {
    Fields {
        before: Document,
        written: Document,
    },
    /// Reset fields of an object that is replaced as a whole.
    Object {
        target: Target,
        fields: Vec<Vec<String>>,
        before: Document,
        written: Document,
    },
    Delete {
        written: Document,
    },
    /// Find and delete an object whose creation got no response.
    DeleteIfFound {
        sent: Document,
    },
    Recreate {
        before: Document,
        body: Document,
    },
}

#[derive(Deserialize)]
struct SentRequest {
    method: String,
    path: String,
    query: Option<Value>,
    body: Option<Box<RawValue>>,
}

pub fn inverse(entry: &Entry) -> Result<Inverse, NotUndoable> {
    let nothing = |text: String| Err(NotUndoable::NothingWritten(text));
    if let Some(by) = &entry.undone_by {
        return nothing(format!("already undone by entry {by}"));
    }
    let is_of_run =
        |undone: &&String| undone.rsplit_once('.').is_some_and(|(run, _)| run == entry.run);
    if let Some(undone) = entry.undoes.as_ref().filter(is_of_run) {
        return nothing(format!("it took back entry {undone} of the same run"));
    }
    if entry.is_note() {
        return nothing("a note: nothing was sent".to_owned());
    }
    if entry.outcome == Outcome::Failed {
        return nothing("the request was not applied".to_owned());
    }
    if entry.changes_nothing() {
        return nothing("the request changed nothing".to_owned());
    }
    let sent: SentRequest = serde_json::from_str(entry.request.get())
        .map_err(|_| irreversible("its request is invalid"))?;
    if sent.query.is_some() {
        return Err(irreversible("a request with a query cannot be undone"));
    }
    let (Some(account), Some(_)) = (&entry.account, &entry.base_url) else {
        return Err(irreversible(NOT_RECORDED));
    };
    let resource = Resource::parse(account, &sent.path)
        .filter(|resource| entry.resource == Some(resource.kind()))
        .ok_or_else(|| {
            irreversible(format!("`{}` is not a resource that cfsso writes", sent.path))
        })?;
    let document = |text: Option<&RawValue>| text.and_then(|text| text.get().parse().ok());
    let write = Write {
        method: &sent.method,
        body: document(sent.body.as_deref()),
        before: document(entry.before.as_deref()),
        after: document(unwrapped(entry.after.as_deref()).as_deref()),
        cause: entry.cause,
        resolved_by: entry.resolved_by.as_deref(),
    };
    let (resource, action) = write.invert(resource)?;
    Ok(Inverse { account: account.clone(), resource, action })
}

/// The reason why a write of this program, once sent, cannot be undone.
pub(in crate::flow) fn irreversible_reason<T>(
    request: &WriteRequest<T>,
    before: Option<&str>,
    cause: Option<Cause>,
) -> Option<String> {
    let request = serde_json::to_string(request).expect("a request is plain data");
    let sent: SentRequest = serde_json::from_str(&request).expect("a request has these members");
    let created = (sent.method == "POST").then_some(r#"{"id":"new"}"#);
    let write = Write {
        method: &sent.method,
        body: sent.body.and_then(|body| body.get().parse().ok()),
        before: before.and_then(|before| before.parse().ok()),
        after: created.and_then(|created| created.parse().ok()),
        cause,
        resolved_by: None,
    };
    match write.invert(Resource::from_path(&sent.path)?) {
        Err(NotUndoable::Irreversible(reason)) => Some(reason),
        Ok(_) | Err(NotUndoable::NothingWritten(_)) => None,
    }
}

/// A write that was sent or is to be sent.
struct Write<'a> {
    method: &'a str,
    body: Option<Document>,
    before: Option<Document>,
    after: Option<Document>,
    cause: Option<Cause>,
    resolved_by: Option<&'a str>,
}

impl Write<'_> {
    fn invert(self, resource: Resource) -> Result<(Resource, InverseAction), NotUndoable> {
        let Self { method, body, before, after, cause, resolved_by } = self;
        let not_recorded = || irreversible("the previous object is not recorded");
        match (method, resource) {
            ("POST", resource) => invert_create(resource, body, after, resolved_by),
            ("DELETE", resource) => invert_delete(&resource, before.ok_or_else(not_recorded)?),
            ("PATCH", resource @ Resource::Connector(_))
            | ("PUT", resource @ (Resource::Share(_) | Resource::Content(..))) => {
                let before = before.ok_or_else(not_recorded)?;
                let body = body.ok_or_else(not_recorded)?;
                let action = invert_update(&resource, before, body)?;
                Ok((resource, action))
            }
            ("PUT", resource) => {
                let target = target(&resource)?;
                let before = before.ok_or_else(not_recorded)?;
                let body = body.ok_or_else(not_recorded)?;
                let fields = changed_fields(&target, cause, &before, &body)?;
                let written = after.unwrap_or(body);
                Ok((resource, InverseAction::Object { target, fields, before, written }))
            }
            (method, resource) => Err(no_inverse(method, &resource)),
        }
    }
}

pub(super) fn irreversible(text: impl Into<String>) -> NotUndoable {
    NotUndoable::Irreversible(text.into())
}

fn no_inverse(method: &str, resource: &Resource) -> NotUndoable {
    irreversible(format!("a {method} of a {} cannot be undone", noun(resource.kind())))
}

fn noun(kind: ResourceKind) -> &'static str {
    match kind {
        ResourceKind::Connector => "connector",
        ResourceKind::Verification => "verification",
        ResourceKind::DnsRecord => "DNS record",
        ResourceKind::IdentityProvider => "identity provider",
        ResourceKind::Application => "application",
        ResourceKind::Organization => "Zero Trust organization",
        ResourceKind::Grant => "federation grant",
        ResourceKind::Share => "share",
        ResourceKind::Recipient => "recipient",
        ResourceKind::SharedResource => "shared resource",
        ResourceKind::Token => "token",
    }
}

fn target(resource: &Resource) -> Result<Target, NotUndoable> {
    match resource {
        Resource::Idp(id) => Ok(Target::Idp(id.clone())),
        Resource::App(id) => Ok(Target::App(id.clone())),
        Resource::Organization => Ok(Target::Organization),
        resource => Err(no_inverse("PUT", resource)),
    }
}

/// Commands for an application accept any field that the API does not fix.
fn is_written(target: &Target, cause: Option<Cause>, top: &str) -> bool {
    match (target, cause) {
        (Target::App(_), Some(Cause::Bypass)) => {
            ["allowed_idps", "auto_redirect_to_identity"].contains(&top)
        }
        (Target::App(_), None) => !target.is_fixed(top),
        (Target::Idp(_), None) => ["name", "config", "scim_config"].contains(&top),
        (Target::Organization, None) => ["name", "auth_domain"].contains(&top),
        _ => false,
    }
}

/// Fields that differ between what was read and what was sent: whole members, or one in an object.
fn changed_fields(
    target: &Target,
    cause: Option<Cause>,
    before: &Document,
    body: &Document,
) -> Result<Vec<Vec<String>>, NotUndoable> {
    let mut fields: Vec<Vec<String>> = Vec::new();
    let mut has_secret = false;
    for difference in diff::diff(before, body) {
        let field = difference.field.as_str();
        let mut parts = field.split('.');
        let top = parts.next().unwrap_or_default();
        let is_left_out = target.is_fixed(top) && body.get(&[top]).is_none();
        let is_secret = is_secret(&difference);
        has_secret |= is_secret && !difference.after.is_null();
        if is_left_out || is_secret || target.is_bookkeeping(field) || target.is_equal(&difference)
        {
            continue;
        }
        if !is_written(target, cause, top) {
            let noun = target.noun();
            return Err(irreversible(format!("`{field}` of an {noun} is not written by cfsso")));
        }
        let inner = parts.next().map(|inner| [top, inner]).filter(|path| {
            let is_object = |of: &Document| of.get(&[top]).is_some_and(|it| members(it).is_some());
            is_object(before)
                && is_object(body)
                && (before.get(path).is_some() || body.get(path).is_some())
        });
        let path: Vec<_> = inner.map_or_else(|| vec![top], Vec::from);
        if before.get(&path).is_some_and(|value| value.get().contains(NOT_KEPT)) {
            return Err(irreversible(format!("`{field}` was a secret, which is not recorded")));
        }
        let path: Vec<_> = path.into_iter().map(str::to_owned).collect();
        if !fields.contains(&path) {
            fields.push(path);
        }
    }
    if fields.is_empty() && has_secret {
        return Err(irreversible(
            "only a secret was changed, and the previous one is not recorded",
        ));
    }
    Ok(fields)
}

/// The response to a PATCH is an object or an array of one.
pub(in crate::flow) fn unwrapped(answer: Option<&RawValue>) -> Option<Box<RawValue>> {
    let answer = answer?;
    match serde_json::from_str::<[Box<RawValue>; 1]>(answer.get()) {
        Ok([only]) => Some(only),
        Err(_) => Some(answer.to_owned()),
    }
}

/// A field, and the check of its value.
type Field = (&'static str, fn(&Value) -> bool);

/// Only fields that this program sets.
fn invert_update(
    resource: &Resource,
    before: Document,
    body: Document,
) -> Result<InverseAction, NotUndoable> {
    let written: &[Field] = match resource {
        Resource::Connector(_) => {
            &[("enabled", Value::is_boolean), ("use_fedramp_language", Value::is_boolean)]
        }
        Resource::Share(_) => &[("name", Value::is_string)],
        Resource::Content(..) => &[("meta", Value::is_object)],
        resource => return Err(no_inverse("PATCH", resource)),
    };
    for (name, _) in body.members() {
        let Some((_, fits)) = written.iter().find(|(known, _)| *known == name) else {
            let noun = noun(resource.kind());
            return Err(irreversible(format!("`{name}` of a {noun} is not written by cfsso")));
        };
        let Some(value) = before.get(&[name]) else {
            return Err(irreversible(format!("the previous value of `{name}` is not recorded")));
        };
        if value.get().contains(NOT_KEPT) {
            return Err(irreversible(format!("`{name}` was a secret, which is not recorded")));
        }
        if !before.parse_at::<Value>(&[name]).is_some_and(|value| fits(&value)) {
            return Err(irreversible(format!(
                "the previous value of `{name}` is not one that cfsso writes"
            )));
        }
    }
    Ok(InverseAction::Fields { before, written: body })
}

fn invert_create(
    collection: Resource,
    body: Option<Document>,
    after: Option<Document>,
    settled_by: Option<&str>,
) -> Result<(Resource, InverseAction), NotUndoable> {
    match collection {
        Resource::Verification(_) => {
            let text = "a started verification cannot be undone; it changes nothing else";
            return Err(NotUndoable::NothingWritten(text.to_owned()));
        }
        Resource::Tokens => {
            return Err(irreversible("tokens are revoked in the dashboard"));
        }
        _ => {}
    }
    let id = after.as_ref().and_then(|after| after.parse_at::<String>(&["id"]));
    let made = id.and_then(|id| collection.member(&id));
    match (after, made) {
        (Some(written), Some(made)) => Ok((made, InverseAction::Delete { written })),
        // The later entry created the existing object.
        (None, _) if settled_by.is_some() => {
            let by = settled_by.unwrap_or_default();
            Err(NotUndoable::NothingWritten(format!(
                "its response was lost, and entry {by} created the same later"
            )))
        }
        // Can be identified by what was sent.
        (None, _) if matches!(collection, Resource::Connectors | Resource::Records(_)) => {
            let sent = body.ok_or_else(|| irreversible("the request is not recorded"))?;
            Ok((collection, InverseAction::DeleteIfFound { sent }))
        }
        _ => Err(irreversible("its response was lost: the ID of the new object is unknown")),
    }
}

fn invert_delete(
    resource: &Resource,
    before: Document,
) -> Result<(Resource, InverseAction), NotUndoable> {
    let body = recreate::body(resource, &before)?;
    let collection = resource.collection().ok_or_else(|| no_inverse("DELETE", resource))?;
    Ok((collection, InverseAction::Recreate { before, body }))
}

impl Inverse {
    /// Recreating a connector gives it a new TXT code.
    pub fn makes_new_code(&self) -> bool {
        matches!(
            (&self.action, &self.resource),
            (InverseAction::Recreate { .. }, Resource::Connectors)
        )
    }

    pub fn key(&self) -> String {
        let path = self.resource.path(&self.account);
        match &self.action {
            InverseAction::Recreate { before, .. } => format!("{path}/{} again", subject(before)),
            InverseAction::DeleteIfFound { sent } => format!("{path}/{}", subject(sent)),
            _ => path,
        }
    }
}

pub(in crate::flow) fn subject(object: &Document) -> String {
    ["email_domain", "name", "recipient_account_id", "account_id", "idp_id", "resource_id", "id"]
        .iter()
        .find_map(|name| object.parse_at::<String>(&[name]))
        .unwrap_or_else(|| "the object".to_owned())
}

pub(in crate::flow) fn is_secret(difference: &Difference) -> bool {
    let is_not_kept = |value: &Value| value.as_str() == Some(NOT_KEPT);
    difference.field.split('.').any(is_secret_name)
        || is_not_kept(&difference.before)
        || is_not_kept(&difference.after)
}

#[cfg(test)]
pub(in crate::flow) mod tests {
    use super::*;

    pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    /// `A` in the path stands for the account.
    pub fn entry(method: &str, path: &str, body: &str, before: &str, after: &str) -> Entry {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let object = |text: &str| Some(raw(text)).filter(|object| object.get() != "null");
        let path = path.replace("/accounts/A/", &format!("/accounts/{ACCOUNT}/"));
        let request = format!(r#"{{"method":"{method}","path":"{path}","body":{body}}}"#);
        let sample = Entry::sample("r1", 1, &request);
        Entry { before: object(before), after: object(after), ..sample }
    }

    const CONNECTOR: &str = "/accounts/A/sso_connectors/c1";
    const OFF: &str = r#"{"enabled":false}"#;
    const ON: &str = r#"{"id":"c1","enabled":true}"#;

    #[test]
    fn what_has_no_inverse_says_why() {
        let mut failed = entry("PATCH", CONNECTOR, OFF, ON, "null");
        failed.outcome = Outcome::Failed;
        let mut undone = entry("PATCH", CONNECTOR, OFF, ON, "null");
        undone.undone_by = Some("r2.1".to_owned());
        let mut old = entry("PATCH", CONNECTOR, OFF, ON, "null");
        (old.account, old.base_url, old.resource) = (None, None, None);
        let (records, idps) = ("/zones/z/dns_records", "/accounts/A/access/identity_providers");
        let idp = format!("{idps}/i");
        let begin = format!("{CONNECTOR}/begin_verification");
        for (entry, says) in [
            (failed, "not applied"),
            (undone, "already undone by entry r2.1"),
            (old, "an earlier version of cfsso wrote it"),
            (entry("POST", &begin, "null", "null", "null"), "cannot be undone"),
            (entry("POST", "/accounts/A/tokens", "{}", "null", r#"{"id":"t"}"#), "revoked"),
            (
                entry("DELETE", "/accounts/A/shares/s", "null", r#"{"name":"a"}"#, "null"),
                "cannot be restored",
            ),
            (entry("POST", records, "null", "null", "null"), "not recorded"),
            (entry("POST", idps, "{}", "null", "null"), "response was lost"),
            (entry("POST", records, "{}", "null", r#"{"id":"../x"}"#), "ID of the new object"),
            (entry("PATCH", CONNECTOR, OFF, "null", "null"), "not recorded"),
            (entry("PATCH", CONNECTOR, OFF, r#"{"y":1}"#, "null"), "`enabled`"),
            (
                entry("PATCH", CONNECTOR, OFF, r#"{"enabled":"[secret, not kept]"}"#, "null"),
                "secret",
            ),
            (entry("DELETE", &idp, "null", "{}", "null"), "idp create"),
        ] {
            let why = inverse(&entry).unwrap_err().to_string();
            assert!(why.contains(says), "{why}");
        }
    }

    #[test]
    fn a_planned_write_says_why_it_will_have_no_inverse() {
        let own = |below: &[&'static str]| [&["accounts", ACCOUNT], below].concat();
        let body = serde_json::json!({"name": "a", "enabled": false});
        for (request, before, says) in [
            (WriteRequest::<()>::post(&own(&["shares"])).body(&body), None, ""),
            (WriteRequest::post(&own(&["tokens"])).body(&body), None, "revoked"),
            (WriteRequest::post(&own(&["sso_connectors", "c", "begin_verification"])), None, ""),
            (WriteRequest::delete(&own(&["shares", "s"])), Some("{}"), "cannot be restored"),
            (WriteRequest::delete(&own(&["sso_connectors", "c"])), None, "not recorded"),
            (
                WriteRequest::delete(&own(&["sso_connectors", "c"])),
                Some(r#"{"email_domain":"cool.cats"}"#),
                "",
            ),
            (
                WriteRequest::delete(&["zones", "z", "dns_records", "r"]),
                Some(r#"{"type":"MX","name":"a","content":"b"}"#),
                "not a TXT record",
            ),
        ] {
            let path = request.segments().join("/");
            let reason = irreversible_reason(&request, before, None).unwrap_or_default();
            assert!(
                reason.contains(says) && reason.is_empty() == says.is_empty(),
                "{path}: {reason}"
            );
        }
    }

    #[test]
    fn an_edited_entry_reaches_nothing_but_what_this_program_writes() {
        let (app, idp) = ("/accounts/A/access/apps/a", "/accounts/A/access/identity_providers/i");
        let (team, record) = ("/accounts/A/access/organizations", "/zones/z/dns_records/r");
        let share = "/accounts/A/shares/s";
        let other = format!("/accounts/{}/sso_connectors/c1", "f".repeat(32));
        for (method, path, body, before, says) in [
            ("PATCH", "/accounts/A/members/m", OFF, ON, "not a resource"),
            ("PATCH", "/zones/z/settings/ssl", OFF, ON, "not a resource"),
            ("PATCH", other.as_str(), OFF, ON, "not a resource"),
            ("PATCH", "/accounts/A/sso_connectors/../members", OFF, ON, "not a resource"),
            ("PATCH", "/accounts/A/sso_connectors/..", OFF, ON, "not a resource"),
            ("PATCH", "/accounts/A/sso_connectors/c%2f..%2fx", OFF, ON, "not a resource"),
            ("PATCH", "/accounts/A/sso_connectors/c1?a=b", OFF, ON, "not a resource"),
            ("PATCH", "https://evil.example/c1", OFF, ON, "not a resource"),
            ("PATCH", record, OFF, ON, "cannot be undone"),
            ("PUT", CONNECTOR, OFF, ON, "cannot be undone"),
            ("TRACE", CONNECTOR, OFF, ON, "cannot be undone"),
            ("PATCH", CONNECTOR, r#"{"enabled":false,"x":1}"#, r#"{"enabled":true,"x":2}"#, "`x`"),
            ("PATCH", CONNECTOR, OFF, r#"{"enabled":{"x":1}}"#, "not one that cfsso writes"),
            ("PUT", share, r#"{"name":"a","x":1}"#, r#"{"name":"b","x":2}"#, "`x`"),
            ("PUT", idp, r#"{"type":"saml"}"#, r#"{"type":"oidc"}"#, "`type`"),
            ("PUT", idp, r#"{"name":"a","x":1}"#, r#"{"name":"a","x":2}"#, "`x`"),
            ("PUT", team, r#"{"is_ui_read_only":true}"#, "{}", "`is_ui_read_only`"),
            ("PUT", app, r#"{"policies":[{"id":"p"}]}"#, r#"{"policies":[]}"#, "`policies"),
            ("PUT", app, r#"{"id":"b"}"#, r#"{"id":"a"}"#, "`id`"),
            (
                "DELETE",
                record,
                "null",
                r#"{"type":"MX","name":"a","content":"b"}"#,
                "not a TXT record",
            ),
            ("DELETE", record, "null", r#"{"type":"TXT","name":"a","content":"spf"}"#, "not a TXT"),
            ("DELETE", CONNECTOR, "null", r#"{"email_domain":"a b"}"#, "not recorded"),
            ("DELETE", app, "null", "{}", "cannot be recreated"),
        ] {
            let why = inverse(&entry(method, path, body, before, "null")).unwrap_err().to_string();
            assert!(why.contains(says), "{method} {path} {body}: {why}");
        }
        let mut other_kind = entry("PATCH", CONNECTOR, OFF, ON, "null");
        other_kind.resource = Some(ResourceKind::Token);
        assert!(inverse(&other_kind).is_err());
        let put = entry("PUT", app, r#"{"session_duration":"1h"}"#, "{}", "null");
        assert!(inverse(&put).is_ok());
        let bypass = Entry { cause: Some(Cause::Bypass), ..put };
        assert!(inverse(&bypass).unwrap_err().to_string().contains("`session_duration`"));
    }
}
