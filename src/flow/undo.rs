//! Undo of journaled writes: the check of an inverse with the current object, the request.

mod allowed_list;
mod lockout;
mod plan;
mod share;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub use plan::{Ready, UndoPlan};

use self::plan::Write;
use super::journal::inverse::InverseAction;
use super::journal::resource::Resource;
use super::journal::{Entry, Inverse, WriteIntent, inverse};
use super::journaled::Written;
use crate::api::document::Document;
use crate::api::ids::{AccountId, AppId};
use crate::api::request::Request;
use crate::api::{self, ErrorKind};
use crate::flow::{Env, Error, FlowError};

/// Objects that an undo has read, as they will be after its earlier steps.
pub type ObjectCache = BTreeMap<String, Option<Document>>;

impl Inverse {
    pub async fn read_object(&self, env: &Env<'_>) -> Result<Option<Document>, Error> {
        match &self.action {
            InverseAction::Recreate { before: known, .. }
            | InverseAction::DeleteIfFound { sent: known } => {
                Ok(find_duplicate(env, &self.resource, known).await?)
            }
            InverseAction::Fields { .. }
            | InverseAction::Object { .. }
            | InverseAction::Delete { .. } => {
                let read = Request::<Document>::get(&self.resource.segments(&self.account));
                match env.client.send(&read).await {
                    Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                    answer => Ok(Some(answer?)),
                }
            }
        }
    }

    /// The caller updates `cache` with [`Self::undone`].
    pub async fn plan_checked(
        &self,
        env: &Env<'_>,
        entry: &Entry,
        cache: &mut ObjectCache,
    ) -> Result<UndoPlan, Error> {
        let key = self.key();
        if !cache.contains_key(&key) {
            cache.insert(key.clone(), self.read_object(env).await?);
        }
        let plan = self.undo_plan(entry, cache.get(&key).and_then(Option::as_ref));
        let (UndoPlan::Ready(ready) | UndoPlan::Drifted(ready, _)) = &plan else {
            return Ok(plan);
        };
        let Some(error) = self.lockout(env, ready, cache).await? else { return Ok(plan) };
        Ok(match plan {
            UndoPlan::Ready(ready) | UndoPlan::Drifted(ready, _) => UndoPlan::Refused(ready, error),
            plan => plan,
        })
    }

    pub fn undone(&self, ready: &Ready, cache: &mut ObjectCache) {
        cache.insert(self.key(), ready.after().cloned());
    }
}

pub fn path_of_app(account: &AccountId, app: &AppId) -> String {
    Resource::App(app.clone()).path(account)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteOutcome {
    Applied,
    NotApplied,
    ChangedSince,
}

/// `None` if the object does not show it, or cannot be read.
pub async fn write_outcome(env: &Env<'_>, entry: &Entry) -> Option<WriteOutcome> {
    let inverse = inverse(entry).ok()?;
    let now = inverse.read_object(env).await.ok()?;
    Some(match inverse.undo_plan(entry, now.as_ref()) {
        UndoPlan::Ready(_) => WriteOutcome::Applied,
        UndoPlan::Unchanged(_) => WriteOutcome::NotApplied,
        UndoPlan::Drifted(..) | UndoPlan::Blocked(_) | UndoPlan::Refused(..) => {
            WriteOutcome::ChangedSince
        }
    })
}

/// Returns `None` if there is nothing left to restore.
pub async fn apply(
    env: &Env<'_>,
    entry: &Entry,
    inverse: &Inverse,
    force: bool,
    command: &str,
) -> Result<Option<String>, Error> {
    env.check_origin(std::slice::from_ref(entry))?;
    let now = inverse.read_object(env).await?;
    let ready = match inverse.undo_plan(entry, now.as_ref()) {
        UndoPlan::Unchanged(_) => return Ok(None),
        UndoPlan::Ready(ready) => ready,
        UndoPlan::Drifted(ready, _) if force => ready,
        UndoPlan::Drifted(_, drift) => return Err(drift_error(entry, &drift, command).into()),
        UndoPlan::Blocked(error) | UndoPlan::Refused(_, error) => return Err(error.into()),
    };
    let title = ready.change.title.clone();
    let request = match &ready.write {
        Write::Request(request) => {
            if !force && let Some(error) = inverse.lockout(env, &ready, &ObjectCache::new()).await?
            {
                return Err(or_force(error).into());
            }
            request
        }
        Write::Edit(edit) => {
            let edited = edit.send(env, title.clone(), Some(&entry.id), |_| {}).await?;
            return edited
                .unexpected_change_error(edit)
                .map_or(Ok(Some(title)), |error| Err(error.into()));
        }
    };
    let before = ready.before.as_ref().map(Document::to_raw);
    let intent = WriteIntent {
        undoes: Some(&entry.id),
        ..WriteIntent::new(title.as_str().into(), before.as_deref().map(RawValue::get))
    };
    if let InverseAction::Recreate { before, .. } = &inverse.action {
        let look = async || {
            let duplicate = find_duplicate(env, &inverse.resource, before).await?;
            Ok(duplicate
                .map(|duplicate| serde_json::to_value(duplicate.to_raw()).unwrap_or_default()))
        };
        env.send_create(request, look, intent).await?;
        if inverse.read_object(env).await?.is_some() {
            return Ok(Some(title));
        }
    } else {
        let is_back = |seen: &Option<Document>| {
            matches!(inverse.undo_plan(entry, seen.as_ref()), UndoPlan::Unchanged(_))
        };
        let find = async || inverse.read_object(env).await.ok().filter(is_back);
        match env.send_write_or_find(request, intent, find).await {
            Ok(Written::Found(_)) => return Ok(Some(title)),
            Ok(Written::Answered(_)) => {}
            Err(Error::Api(error)) if ready.after().is_none() && is_not_found(&error) => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        if is_back(&inverse.read_object(env).await?) {
            return Ok(Some(title));
        }
    }
    Err(FlowError::not_confirmed(format!("not confirmed: {title}"))
        .hint(format!("`cfsso journal show {}`", entry.id))
        .into())
}

/// For an undo that can be forced.
pub fn or_force(error: FlowError) -> FlowError {
    match error.hint.clone() {
        Some(hint) => error.hint(format!("{hint}, or `--force` to override")),
        None => error,
    }
}

fn is_not_found(error: &api::Error) -> bool {
    error.kind() == ErrorKind::NotFound
}

/// `command` is the one that undoes the entry.
pub fn drift_error(entry: &Entry, drift: &[String], command: &str) -> FlowError {
    FlowError::conflict(format!("changed since entry {}; nothing was sent", entry.id))
        .causes(drift.iter().cloned())
        .hint(format!("`{command} --force` to override"))
}

async fn find_duplicate(
    env: &Env<'_>,
    collection: &Resource,
    before: &Document,
) -> Result<Option<Document>, api::Error> {
    let request = Request::<Vec<Document>>::get(&collection.segments(env.account));
    if let Some(identity) = share::identity(collection.kind()) {
        let is_paged = !matches!(collection, Resource::Grants);
        let request = if is_paged { request.paged(100) } else { request };
        let all = env.client.list(&request).await?;
        return Ok(all.into_iter().find(|object| share::is_same(identity, before, object)));
    }
    let name: String = before.parse_at(&["name"]).unwrap_or_default();
    let is_record = matches!(collection, Resource::Records(_));
    let request = if is_record {
        request.query("type", "TXT").query("name.exact", name).paged(100)
    } else {
        request
    };
    let identity: &[&str] = if is_record { &["name", "content"] } else { &["email_domain"] };
    let same = |object: &Document| {
        identity.iter().all(|field| {
            object.parse_at::<String>(&[field]).map(|text| text.to_lowercase())
                == before.parse_at::<String>(&[field]).map(|text| text.to_lowercase())
        })
    };
    Ok(env.client.list(&request).await?.into_iter().find(same))
}
