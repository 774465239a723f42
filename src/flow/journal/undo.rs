//! Putting a write back: what its inverse is, by the entry alone; whether it
//! still fits, by the object as it is now; and sending it.

mod inverse;
mod prospect;
mod shared;

use std::collections::BTreeMap;

use serde_json::value::RawValue;

pub use inverse::{Inverse, Why, inverse};
pub use prospect::{Prospect, Ready};

use self::inverse::{Deed, unwrapped};
use self::prospect::subject;
use super::{Entry, Intent};
use crate::api::document::Document;
use crate::api::request::Request;
use crate::api::{self, Kind};
use crate::flow::{Error, Stop, StopKind, Tools};

/// The objects that a run of undoing has read, as they will be by then.
pub type Seen = BTreeMap<String, Option<Document>>;

impl Inverse {
    /// Reads the object as it is now; none where it is gone.
    pub async fn look(&self, tools: &Tools<'_>) -> Result<Option<Document>, Error> {
        match &self.deed {
            Deed::Recreate { collection, before } => Ok(twin(tools, collection, before).await?),
            Deed::RemoveLost { sent } => Ok(twin(tools, self.collection(), sent).await?),
            Deed::Fields { .. } | Deed::Object { .. } | Deed::Remove { .. } => {
                let read = Request::<Document>::get(&segments(&self.path));
                match tools.client.send(&read).await {
                    Err(error) if error.kind() == Kind::NotFound => Ok(None),
                    answer => Ok(Some(answer?)),
                }
            }
        }
    }
}

/// What became of a write whose answer did not come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The object is as it was written.
    CarriedOut,
    /// The object is as it was before.
    NotCarriedOut,
    /// Somebody changed it since.
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

/// What an entry is about, as people call it, for a confirmation.
#[must_use]
pub fn about(entry: &Entry) -> String {
    let images = [entry.before.as_deref(), entry.after.as_deref()];
    let object = images.into_iter().find_map(|image| unwrapped(image)?.get().parse().ok());
    object.as_ref().map_or_else(|| entry.id.clone(), subject)
}

/// What stands in the place of something that was removed, or of which it is not
/// known whether it was made.
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

fn segments(path: &str) -> Vec<&str> {
    path.trim_start_matches('/').split('/').collect()
}
