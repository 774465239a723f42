//! Which changes of bypasses are still active, and restoring just these.

use serde_json::value::RawValue;

use super::otp;
use crate::api::app::{self, App};
use crate::api::document::Document;
use crate::api::idp;
use crate::api::ids::IdpReference;
use crate::flow::app::ensure_sign_in_possible;
use crate::flow::journal::{
    Cause, Entry, Inverse, NotUndoable, Outcome, ResourceKind, by_origin, inverse, ticket,
};
use crate::flow::undo::{self, ObjectCache, Ready, UndoPlan};
use crate::flow::{Env, Error, FlowError};

/// Two bypasses started from the same state if these fields are equal.
const FIELDS: [&str; 3] = ["enabled", "allowed_idps", "auto_redirect_to_identity"];

pub const COMMAND: &str = "cfsso bypass undo";

pub struct BypassWrite {
    pub entry: Entry,
    pub status: Result<WriteStatus, Error>,
    /// When the object was changed again, if it was since the bypass.
    pub changed_at: Option<String>,
    inverse: Option<Inverse>,
}

pub enum WriteStatus {
    /// Unchanged since the bypass.
    Active(Box<Ready>),
    /// Changed since the bypass; with the differences.
    Changed(Box<Ready>, Vec<String>),
    Reverted(String),
    Blocked(FlowError),
    /// Undoing it would block every sign-in to the dashboard.
    Refused(FlowError),
}

impl BypassWrite {
    pub fn is_of_connector(&self) -> bool {
        self.entry.resource == Some(ResourceKind::Connector)
    }

    /// Whether it is not undone if `earlier` could not be: the list of the SSO App, then the PIN.
    pub fn depends_on(&self, earlier: &Self) -> bool {
        match (self.is_of_connector(), earlier.is_of_connector()) {
            (true, true) => self.target() == earlier.target(),
            (false, false) => true,
            _ => false,
        }
    }

    /// The ID of the changed object; `None` for a creation.
    pub fn target(&self) -> Option<String> {
        let sent = self.entry.sent();
        let path = sent["path"].as_str().filter(|_| sent["method"] != "POST")?;
        path.rsplit('/').next().map(str::to_owned)
    }
}

/// A connector that someone disabled anew looks as the bypass left it, but for its time.
fn changed_at(entry: &Entry, now: &Document) -> Option<String> {
    let time_of = |object: &Document| object.parse_at::<String>(&["updated_on"]);
    let then = entry.after.as_deref().and_then(document).as_ref().and_then(time_of)?;
    time_of(now).filter(|now| *now != then)
}

/// Latest first.
pub fn open_entries(entries: &[Entry]) -> Vec<Entry> {
    let is_open = |at: usize| {
        let entry = &entries[at];
        is_bypass(entry)
            && entry.undone_by.is_none()
            && entry.outcome != Outcome::Failed
            && !entries[at + 1..].iter().any(|later| reverts(later, entry, entries))
    };
    (0..entries.len()).rev().filter(|&at| is_open(at)).map(|at| entries[at].clone()).collect()
}

/// Whether the journal shows that each bypass was undone, and that there was one.
pub fn is_undone(entries: &[Entry]) -> bool {
    let bypasses = entries.iter().filter(|entry| is_bypass(entry));
    let mut applied = bypasses.filter(|entry| entry.outcome != Outcome::Failed).peekable();
    applied.peek().is_some() && applied.all(|entry| entry.undone_by.is_some())
}

/// Runs with a bypass that was not undone, of any account. Whether it is still active, the server
/// knows alone.
pub fn open_runs(entries: &[Entry]) -> Vec<String> {
    let groups = by_origin(entries).into_iter();
    groups.flat_map(|entries| open_entries(&entries)).map(|entry| entry.run).collect()
}

fn is_bypass(entry: &Entry) -> bool {
    entry.cause == Some(Cause::Bypass) && entry.undoes.is_none()
}

/// Whether `later` leaves nothing of `entry` to restore.
fn reverts(later: &Entry, entry: &Entry, all: &[Entry]) -> bool {
    let (of_later, of_entry) = (later.sent(), entry.sent());
    if of_later["path"] != of_entry["path"] || of_later["method"] != of_entry["method"] {
        return false;
    }
    if is_bypass(later) {
        // Both started from the same state: `entry`, which got no response, had no effect.
        return entry.outcome != Outcome::Done && same_before(later, entry);
    }
    let undoes_bypass = later
        .undoes
        .as_ref()
        .is_some_and(|id| all.iter().any(|other| other.id == *id && is_bypass(other)));
    // A later request that enables or disables the connector is a new decision.
    of_later["method"] == "PATCH" && later.outcome == Outcome::Done && !undoes_bypass
}

fn same_before(a: &Entry, b: &Entry) -> bool {
    let fields = |entry: &Entry| {
        let before: Option<Document> = entry.before.as_deref().and_then(document);
        before.map(|before| {
            let read = |name| before.get(&[name]).map(|value: &RawValue| value.get().to_owned());
            FIELDS.map(read)
        })
    };
    fields(a) == fields(b)
}

fn document(text: &RawValue) -> Option<Document> {
    text.get().parse().ok()
}

/// Each is evaluated as if those before it were undone.
pub async fn check_all(env: &Env<'_>, entries: Vec<Entry>) -> Vec<BypassWrite> {
    let mut cache = ObjectCache::new();
    let mut writes = Vec::new();
    for entry in entries {
        writes.push(check_entry(env, entry, &mut cache).await);
    }
    writes
}

/// Whether an undo may need the ticket with these entries. One that was made in advance is always
/// needed: it undoes a bypass that is yet to come.
pub async fn is_needed(env: &Env<'_>, entries: &[Entry]) -> bool {
    let is_prepared = |entry: &Entry| {
        entry.outcome == Outcome::Unfinished && entry.command.contains("recovery prepare")
    };
    if entries.iter().any(is_prepared) || env.check_origin(entries).is_err() {
        return true;
    }
    let writes = check_all(env, open_entries(entries)).await;
    writes.iter().any(|write| !matches!(write.status, Ok(WriteStatus::Reverted(_))))
}

async fn check_entry(env: &Env<'_>, mut entry: Entry, cache: &mut ObjectCache) -> BypassWrite {
    let without_inverse =
        |entry, status| BypassWrite { entry, status, changed_at: None, inverse: None };
    match find_created_idp(env, &mut entry).await {
        Err(error) => return without_inverse(entry, Err(error)),
        Ok(false) => {
            let text = "no one-time PIN exists: it was not created".to_owned();
            return without_inverse(entry, Ok(WriteStatus::Reverted(text)));
        }
        Ok(true) => {}
    }
    if !ticket::is_bypass_write(&entry) {
        let error = entry.not_undoable();
        let cause = format!("`{}` is not a request of a bypass", entry.request_line());
        return without_inverse(entry, Ok(WriteStatus::Blocked(error.cause(cause))));
    }
    match inverse(&entry) {
        Err(NotUndoable::NothingWritten(text)) => {
            without_inverse(entry, Ok(WriteStatus::Reverted(text)))
        }
        Err(NotUndoable::Irreversible(text)) => {
            let error = entry.not_undoable();
            without_inverse(entry, Ok(WriteStatus::Blocked(error.cause(text))))
        }
        Ok(inverse) => {
            let plan = inverse.plan_checked(env, &entry, cache).await;
            let now = cache.get(&inverse.key()).and_then(Option::as_ref);
            if let Some(error) = now.and_then(|now| foreign_object(&entry, now)) {
                return without_inverse(entry, Ok(WriteStatus::Blocked(error)));
            }
            let changed_at = now.and_then(|now| changed_at(&entry, now));
            let status = match plan {
                Ok(plan) => write_status(env, &inverse, plan, cache).await,
                Err(error) => Err(error),
            };
            let status = match status {
                Ok(WriteStatus::Reverted(_)) if entry.outcome != Outcome::Done => {
                    let text = "the request was not applied, or was reverted since";
                    Ok(WriteStatus::Reverted(text.to_owned()))
                }
                status => status,
            };
            BypassWrite { entry, status, changed_at, inverse: Some(inverse) }
        }
    }
}

/// A bypass changes connectors, the SSO App and the one-time PIN, whatever its entry says: an
/// entry that was edited could lead to any other object.
fn foreign_object(entry: &Entry, now: &Document) -> Option<FlowError> {
    let (wanted, name) = match entry.resource {
        Some(ResourceKind::Connector) => return None,
        Some(ResourceKind::Application) => ("dash_sso", "the SSO App"),
        Some(ResourceKind::IdentityProvider) => ("onetimepin", "one-time PIN"),
        _ => ("", "an object of a bypass"),
    };
    let kind: Option<String> = now.parse_at(&["type"]);
    if kind.as_deref() == Some(wanted) {
        return None;
    }
    let object = now.parse_at::<String>(&["name"]).unwrap_or_else(|| entry.request_line());
    let error = entry.not_undoable();
    Some(error.cause(format!("`{object}` is not {name}: a bypass does not change it")))
}

/// There is at most one PIN. Returns whether there is something to restore.
async fn find_created_idp(env: &Env<'_>, entry: &mut Entry) -> Result<bool, Error> {
    if entry.sent()["method"] != "POST" || entry.after.is_some() {
        return Ok(true);
    }
    let idps = env.client.list(&idp::list(env.account)).await?;
    let name: Option<String> = otp::body().parse_at(&["name"]);
    let Some(pin) = otp::pin_of(idps).filter(|pin| Some(&pin.name) == name.as_ref()) else {
        return Ok(false);
    };
    entry.after = RawValue::from_string(pin.text().to_owned()).ok();
    Ok(true)
}

async fn write_status(
    env: &Env<'_>,
    inverse: &Inverse,
    plan: UndoPlan,
    cache: &mut ObjectCache,
) -> Result<WriteStatus, Error> {
    let (ready, mut drift) = match plan {
        UndoPlan::Unchanged(text) => return Ok(WriteStatus::Reverted(text)),
        UndoPlan::Blocked(_) if matches!(cache.get(&inverse.key()), Some(None)) => {
            return Ok(WriteStatus::Reverted("the object was deleted".to_owned()));
        }
        UndoPlan::Blocked(error) => return Ok(WriteStatus::Blocked(error)),
        UndoPlan::Refused(ready, error) => {
            if blocks_sign_in(env, &ready).await? {
                let text = "the one-time PIN that it allowed was deleted".to_owned();
                return Ok(WriteStatus::Reverted(text));
            }
            inverse.undone(&ready, cache);
            return Ok(WriteStatus::Refused(error));
        }
        UndoPlan::Ready(ready) => (ready, Vec::new()),
        UndoPlan::Drifted(ready, drift) => (ready, drift),
    };
    if ready.after().is_none() {
        let pin = cache.get(&inverse.key()).and_then(Option::as_ref);
        drift.extend(apps_using_idp(env, pin, cache).await?);
    }
    inverse.undone(&ready, cache);
    let ready = Box::new(ready);
    Ok(if drift.is_empty() {
        WriteStatus::Active(ready)
    } else {
        WriteStatus::Changed(ready, drift)
    })
}

/// Whether the SSO App allows nothing that exists even before the undo.
async fn blocks_sign_in(env: &Env<'_>, ready: &Ready) -> Result<bool, Error> {
    let is_app = ready.after().is_some_and(|app| app.get(&["allowed_idps"]).is_some());
    let now = ready.now().filter(|_| is_app);
    let list = now.and_then(|app| app.parse_at::<Vec<IdpReference>>(&["allowed_idps"]));
    let Some(list) = list else { return Ok(false) };
    Ok(ensure_sign_in_possible(&list, &env.client.list(&idp::list(env.account)).await?).is_err())
}

async fn apps_using_idp(
    env: &Env<'_>,
    pin: Option<&Document>,
    cache: &ObjectCache,
) -> Result<Vec<String>, Error> {
    let pin = pin.and_then(|pin| pin.parse_at::<String>(&["id"])).unwrap_or_default();
    let apps = env.client.list(&app::list(env.account)).await?;
    let listed = |app: &App| {
        let path = undo::path_of_app(env.account, &app.id);
        let restored = cache.get(&path).and_then(Option::as_ref);
        let list = restored.map(|app| app.parse_at::<Vec<String>>(&["allowed_idps"]));
        list.unwrap_or_else(|| Some(app.listed_idps().iter().map(ToString::to_string).collect()))
    };
    let names = apps.iter().filter(|app| listed(app).is_some_and(|list| list.contains(&pin)));
    Ok(names.map(|app| format!("the application `{}` allows the one-time PIN", app.name)).collect())
}

impl BypassWrite {
    /// Returns `None` if there is nothing left to restore.
    /// `command` is the one that undoes it.
    pub async fn restore(
        &self,
        env: &Env<'_>,
        force: bool,
        command: &str,
    ) -> Result<Option<String>, Error> {
        match &self.inverse {
            None => Ok(None),
            Some(inverse) => undo::apply(env, &self.entry, inverse, force, command).await,
        }
    }

    pub fn drift_error(&self, drift: &[String], command: &str) -> FlowError {
        undo::drift_error(&self.entry, drift, command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    fn entry(number: u32, title: &str, outcome: Outcome) -> Entry {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let request = format!(
            r#"{{"method":"PATCH","path":"/accounts/{ACCOUNT}/sso_connectors/c","body":{{"enabled":false}}}}"#
        );
        Entry {
            cause: title.starts_with("bypass").then_some(Cause::Bypass),
            before: Some(raw(r#"{"id":"c","enabled":true}"#)),
            outcome,
            ..Entry::sample("r", number, &request)
        }
    }

    fn open_ones(entries: &[Entry]) -> String {
        let open = open_entries(entries);
        open.iter().map(|entry| entry.id.clone()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_in_force_is_what_was_neither_undone_nor_decided_anew() {
        use Outcome::{Done, Failed, Unfinished, Unknown};
        for (entries, expected) in [
            (vec![entry(1, "bypass", Done)], "r.1"),
            (vec![entry(1, "x", Done)], ""),
            (vec![entry(1, "bypass", Failed)], ""),
            (vec![entry(1, "bypass", Unknown)], "r.1"),
            (vec![entry(1, "bypass", Done), entry(2, "enable", Done)], ""),
            (vec![entry(1, "bypass", Done), entry(2, "enable", Failed)], "r.1"),
            (vec![entry(1, "bypass", Unfinished), entry(2, "bypass", Done)], "r.2"),
            (vec![entry(1, "bypass", Done), entry(2, "bypass", Done)], "r.2 r.1"),
        ] {
            assert_eq!(open_ones(&entries), expected, "{entries:?}");
        }
        let mut undone = [entry(1, "bypass", Done), entry(2, "undo r.1", Done)];
        undone[1].undoes = Some("r.1".to_owned());
        assert_eq!(open_ones(&undone), "r.1", "undoing decides nothing anew");
        undone[0].undone_by = Some("r.2".to_owned());
        assert_eq!(open_ones(&undone), "");
        let titled = Entry { title: "bypass: x".to_owned(), ..entry(1, "x", Done) };
        assert_eq!(open_ones(&[titled]), "", "no title makes it one");
    }

    #[test]
    fn an_undo_changes_no_object_that_a_bypass_does_not_change() {
        use ResourceKind::{Application, Connector, DnsRecord, IdentityProvider};
        for (resource, kind, is_foreign) in [
            (Application, "dash_sso", false),
            (Application, "self_hosted", true),
            (IdentityProvider, "onetimepin", false),
            (IdentityProvider, "oidc", true),
            (Connector, "", false),
            (DnsRecord, "TXT", true),
        ] {
            let entry = Entry { resource: Some(resource), ..entry(1, "bypass", Outcome::Done) };
            let now: Document = format!(r#"{{"name":"X","type":"{kind}"}}"#).parse().unwrap();
            assert_eq!(foreign_object(&entry, &now).is_some(), is_foreign, "{resource:?} {kind}");
        }
        let untyped: Document = r#"{"name":"X"}"#.parse().unwrap();
        let entry = Entry { resource: Some(Application), ..entry(1, "bypass", Outcome::Done) };
        assert!(foreign_object(&entry, &untyped).is_some());
    }

    #[test]
    fn just_what_the_bypass_changed_is_put_back() {
        let object = |fields: &str| format!(r#"{{"id":"a","name":"S",{fields}}}"#);
        let mut opened = entry(1, "bypass", Outcome::Done);
        let body = object(r#""allowed_idps":["o","p"],"auto_redirect_to_identity":false"#);
        let request = format!(
            r#"{{"method":"PUT","path":"/accounts/{ACCOUNT}/access/apps/a","body":{body}}}"#
        );
        opened.request = RawValue::from_string(request).unwrap();
        opened.resource = Some(ResourceKind::Application);
        let before = object(r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#);
        opened.before = RawValue::from_string(before).ok();
        for (now, wanted, drifted) in [
            (
                r#""allowed_idps":["o","p"],"auto_redirect_to_identity":false,"x":1.0"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true,"x":1.0"#,
                false,
            ),
            (
                r#""allowed_idps":["p","o"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                false,
            ),
            (
                r#""allowed_idps":["p"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                true,
            ),
            (
                r#""allowed_idps":["q"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["q"],"auto_redirect_to_identity":true"#,
                false,
            ),
            (
                r#""allowed_idps":["o","p","q"],"auto_redirect_to_identity":false"#,
                r#""allowed_idps":["o","q"],"auto_redirect_to_identity":false"#,
                false,
            ),
            (
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                false,
            ),
        ] {
            let wanted = object(wanted);
            let now: Document = object(now).parse().unwrap();
            let (ready, has_drift) = match inverse(&opened).unwrap().undo_plan(&opened, Some(&now))
            {
                UndoPlan::Ready(ready) => (Some(ready), false),
                UndoPlan::Drifted(ready, _) => (Some(ready), true),
                _ => (None, false),
            };
            let after = ready.as_ref().and_then(Ready::after).unwrap_or(&now);
            assert_eq!(after.to_raw().get(), wanted);
            assert_eq!(has_drift, drifted, "{wanted}");
        }
    }
}
