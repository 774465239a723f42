//! Putting a write back: what its inverse is, by the entry alone; whether it
//! still fits, by the object as it is now; and sending it.

mod inverse;
mod prospect;
mod shared;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub use inverse::{Inverse, Why, inverse};
pub use prospect::{Prospect, Ready};

use self::inverse::Deed;
use self::prospect::Write;
use super::resource::Resource;
use super::{Entry, Intent};
use crate::api::document::Document;
use crate::api::ids::{AccountId, AppId};
use crate::api::request::Request;
use crate::api::{self, Kind};
use crate::flow::{Error, Stop, StopKind, Tools};

/// The objects that a run of undoing has read, as they will be by then.
pub type Seen = BTreeMap<String, Option<Document>>;

impl Inverse {
    /// Reads the object as it is now; none where it is gone.
    pub async fn look(&self, tools: &Tools<'_>) -> Result<Option<Document>, Error> {
        match &self.deed {
            Deed::Recreate { before: known, .. } | Deed::RemoveLost { sent: known } => {
                Ok(twin(tools, &self.resource, known).await?)
            }
            Deed::Fields { .. } | Deed::Object { .. } | Deed::Remove { .. } => {
                let read = Request::<Document>::get(&self.resource.segments(&self.account));
                match tools.client.send(&read).await {
                    Err(error) if error.kind() == Kind::NotFound => Ok(None),
                    answer => Ok(Some(answer?)),
                }
            }
        }
    }

    /// Judges the object as it is now, or as it will be by then where `seen` has
    /// it; what it becomes goes to `seen` with [`Self::undone`].
    pub async fn survey(
        &self,
        tools: &Tools<'_>,
        entry: &Entry,
        seen: &mut Seen,
    ) -> Result<Prospect, Error> {
        let key = self.key();
        if !seen.contains_key(&key) {
            seen.insert(key.clone(), self.look(tools).await?);
        }
        Ok(self.judge(entry, seen.get(&key).and_then(Option::as_ref)))
    }

    /// Notes what an object becomes when it is put back.
    pub fn undone(&self, ready: &Ready, seen: &mut Seen) {
        seen.insert(self.key(), ready.after().cloned());
    }
}

/// The key under which [`Seen`] has an application.
pub fn path_of_app(account: &AccountId, app: &AppId) -> String {
    Resource::App(app.clone()).path(account)
}

/// What became of a write whose answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The object is as it was written.
    CarriedOut,
    /// The object is as it was before.
    NotCarriedOut,
    ChangedSince,
}

/// What became of a write, by the object as it is now; none where that does not
/// tell, or cannot be read.
pub async fn fate(tools: &Tools<'_>, entry: &Entry) -> Option<Fate> {
    let inverse = inverse(entry).ok()?;
    let now = inverse.look(tools).await.ok()?;
    Some(match inverse.judge(entry, now.as_ref()) {
        Prospect::Ready(_) => Fate::CarriedOut,
        Prospect::AsBefore(_) => Fate::NotCarriedOut,
        Prospect::Drifted(..) | Prospect::Blocked(_) => Fate::ChangedSince,
    })
}

/// Reads again, judges again, sends, and sees that it is as it was. `None`
/// where there is nothing to put back by now.
pub async fn apply(
    tools: &Tools<'_>,
    entry: &Entry,
    inverse: &Inverse,
    force: bool,
    command: &str,
) -> Result<Option<String>, Error> {
    tools.check_origin(std::slice::from_ref(entry))?;
    let now = inverse.look(tools).await?;
    let ready = match inverse.judge(entry, now.as_ref()) {
        Prospect::AsBefore(_) => return Ok(None),
        Prospect::Ready(ready) => ready,
        Prospect::Drifted(ready, _) if force => ready,
        Prospect::Drifted(_, drift) => return Err(drift_stop(entry, &drift, command).into()),
        Prospect::Blocked(stop) => return Err(stop.into()),
    };
    let title = ready.change.title.clone();
    let request = match &ready.write {
        Write::Request(request) => request,
        Write::Edit(edit) => {
            let edited = edit.send(tools, title.clone(), Some(&entry.id), |_| {}).await?;
            return edited.alarm(edit).map_or(Ok(Some(title)), |stop| Err(stop.into()));
        }
    };
    let before = ready.before.as_ref().map(Document::to_raw);
    let intent = Intent {
        title: title.as_str().into(),
        before: before.as_deref().map(RawValue::get),
        undoes: Some(&entry.id),
    };
    if let Deed::Recreate { before, .. } = &inverse.deed {
        let look = async || {
            let twin = twin(tools, &inverse.resource, before).await?;
            Ok(twin.map(|twin| serde_json::to_value(twin.to_raw()).unwrap_or_default()))
        };
        tools.create_as(request, look, intent).await?;
    } else {
        tools.write_as(request, intent).await?;
    }
    let seen = inverse.look(tools).await?;
    let is_back = match (&inverse.deed, &seen) {
        (Deed::Recreate { .. }, seen) => seen.is_some(),
        (_, seen) => matches!(inverse.judge(entry, seen.as_ref()), Prospect::AsBefore(_)),
    };
    if is_back {
        return Ok(Some(title));
    }
    Err(Stop::new(StopKind::NotSeen, format!("`{title}` was sent, but does not read back so"))
        .hint(format!("`cfsso journal show {}`", entry.id))
        .into())
}

/// Stops because somebody changed it since. `command` is the one that undoes it.
pub fn drift_stop(entry: &Entry, drift: &[String], command: &str) -> Stop {
    Stop::new(
        StopKind::Conflict,
        format!("what entry {} wrote was changed since: nothing was sent", entry.id),
    )
    .causes(drift.iter().cloned())
    .hint(format!("`{command} --force` puts it back all the same"))
}

/// What stands in the place of something that was removed, or of which it is not
/// known whether it was made.
async fn twin(
    tools: &Tools<'_>,
    collection: &Resource,
    before: &Document,
) -> Result<Option<Document>, api::Error> {
    let request = Request::<Vec<Document>>::get(&collection.segments(tools.account));
    if let Some(identity) = shared::identity(collection.kind()) {
        let is_paged = !matches!(collection, Resource::Grants);
        let request = if is_paged { request.paged(100) } else { request };
        let all = tools.client.list(&request).await?;
        return Ok(all.into_iter().find(|object| shared::is_same(identity, before, object)));
    }
    let name: String = before.read(&["name"]).unwrap_or_default();
    let is_record = matches!(collection, Resource::Records(_));
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
