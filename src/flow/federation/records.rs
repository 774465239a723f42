//! The writes on shares, one small function each, and their read-backs.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::ids::{AccountId, RecipientId, ResourceId, ShareId};
use crate::api::share::filter::{self, Paging};
use crate::api::share::resource::Shared;
use crate::api::share::{self, Filter, Include, Recipient, Share, Status, To, recipient, resource};
use crate::api::{self, Kind};
use crate::flow::plan::{Change, Difference};
use crate::flow::wait::poll;
use crate::flow::{Error, Stop, StopKind, Tools};

/// The shares that `filter` lets through, by name and then ID.
pub async fn list(tools: &Tools<'_>, filter: &Filter, paging: Paging) -> Result<Vec<Share>, Error> {
    let mut shares = tools.client.list(&filter::list(tools.account, filter, paging)).await?;
    if filter.order.is_none() {
        shares.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    }
    Ok(shares)
}

/// The share with this ID.
pub async fn find(tools: &Tools<'_>, id: &ShareId) -> Result<Share, Error> {
    match tools.client.send(&share::get(tools.account, id, Include::ALL)).await {
        Err(error) if error.kind() == Kind::NotFound => {
            Err(Stop::new(StopKind::NotFound, format!("this account has no share `{id}`"))
                .cause(error.reason())
                .hint("`cfsso share list`")
                .into())
        }
        answer => Ok(answer?),
    }
}

/// The recipients of a share, those that were removed included.
pub async fn recipients(tools: &Tools<'_>, id: &ShareId) -> Result<Vec<Recipient>, Error> {
    let mut all = tools.client.list(&recipient::list(tools.account, id, Paging::default())).await?;
    all.sort_by(|a, b| by_account(a).cmp(&by_account(b)));
    Ok(all)
}

/// The recipient with this ID.
pub async fn recipient(
    tools: &Tools<'_>,
    id: &ShareId,
    recipient: &RecipientId,
) -> Result<Recipient, Error> {
    let answer = tools.client.send(&recipient::get(tools.account, id, recipient)).await;
    within(answer, id, recipient.as_str(), "recipient")
}

/// The resource with this ID.
pub async fn resource(
    tools: &Tools<'_>,
    id: &ShareId,
    resource: &ResourceId,
) -> Result<resource::Resource, Error> {
    let answer = tools.client.send(&resource::get(tools.account, id, resource)).await;
    within(answer, id, resource.as_str(), "resource")
}

/// What a share has not is answered with the list of what it has.
fn within<T>(
    answer: Result<T, api::Error>,
    share: &ShareId,
    id: &str,
    what: &str,
) -> Result<T, Error> {
    match answer {
        Err(error) if error.kind() == Kind::NotFound => {
            let message = format!("the share `{share}` has no {what} `{id}`");
            Err(Stop::new(StopKind::NotFound, message)
                .cause(error.reason())
                .hint(format!("`cfsso share {what}s list {share}`"))
                .into())
        }
        answer => Ok(answer?),
    }
}

fn by_account(recipient: &Recipient) -> (Option<&str>, &str) {
    (recipient.account().map(AccountId::as_str), recipient.id.as_str())
}

/// What a share is of.
pub async fn resources(tools: &Tools<'_>, id: &ShareId) -> Result<Vec<resource::Resource>, Error> {
    let request = resource::list(tools.account, id, (None, None), Paging::default());
    Ok(tools.client.list(&request).await?)
}

/// Shares `shared` with `to`. Where the answer is lost, looks for a share of
/// the same before sending again.
pub async fn create(
    tools: &Tools<'_>,
    name: &str,
    to: &[To],
    shared: &Shared,
) -> Result<Share, Error> {
    let request = share::create(tools.account, name, to, std::slice::from_ref(shared));
    let look = async || {
        let filter = Filter {
            status: Some("active".to_owned()),
            kind: Some("sent".to_owned()),
            resource_types: vec![shared.kind().clone()],
            include: Include { resources: true, recipient_counts: false },
            ..Filter::default()
        };
        let all =
            tools.client.list(&filter::list(tools.account, &filter, Paging::default())).await?;
        Ok(all.into_iter().find(|share| {
            let is_of = |resource: &resource::Fields| resource.resource_id == shared.id();
            share.is_active() && share.name == name && share.resources.iter().flatten().any(is_of)
        }))
    };
    let title = format!("create the share {name}");
    Ok(tools.create(&request, look, title).await?.into_inner())
}

/// The change that [`create`] makes.
#[must_use]
pub fn creation(tools: &Tools<'_>, name: &str, to: &[To], shared: &Shared) -> Change {
    let request = share::create(tools.account, name, to, std::slice::from_ref(shared));
    let recipients = to.iter().map(told).collect::<Vec<_>>().join(", ");
    Change::new(
        format!("create the share {name}"),
        &request,
        vec![
            Difference::new("name", (), name),
            Difference::new("recipients", (), recipients),
            Difference::new("resources", (), shared.id()),
        ],
    )
}

/// Adds a recipient in place. Where the answer is lost, looks for it among the
/// recipients before sending again.
pub async fn add(tools: &Tools<'_>, id: &ShareId, to: &To) -> Result<Recipient, Error> {
    let look = async || {
        let request = recipient::list(tools.account, id, Paging::default());
        let all = tools.client.list(&request).await?;
        Ok(all.into_iter().find(|recipient| recipient.is_in() && is(recipient, to)))
    };
    let request = recipient::add(tools.account, id, to);
    let title = format!("add {} to the share {id}", told(to));
    Ok(tools.create(&request, look, title).await?.into_inner())
}

fn is(recipient: &Recipient, to: &To) -> bool {
    match to {
        To::Account(account) => recipient.account() == Some(account),
        To::Organization(id) => recipient.organization_id.as_deref() == Some(id.as_str()),
        To::EntireOrganization => recipient.account().is_none(),
    }
}

/// The change that [`add`] makes.
#[must_use]
pub fn addition(tools: &Tools<'_>, id: &ShareId, to: &To) -> Change {
    Change::new(
        format!("add {} to the share {id}, and leave the others alone", told(to)),
        &recipient::add(tools.account, id, to),
        vec![Difference::new("recipients", (), told(to))],
    )
}

/// Begins to remove a recipient.
pub async fn remove(tools: &Tools<'_>, id: &ShareId, who: &Recipient) -> Result<(), Error> {
    let title = format!("remove {} from the share {id}", name(who));
    let request = recipient::remove(tools.account, id, &who.id);
    tools.write(&request, Some(who.text()), title).await
}

fn name(recipient: &Recipient) -> &str {
    recipient.account().map_or(recipient.id.as_str(), AccountId::as_str)
}

/// The change that [`remove`] makes.
#[must_use]
pub fn removal(tools: &Tools<'_>, id: &ShareId, who: &Recipient) -> Change {
    let name = name(who);
    Change::new(
        format!("remove {name} from the share {id}"),
        &recipient::remove(tools.account, id, &who.id),
        vec![Difference::new("recipients", name, ())],
    )
}

/// Begins to delete a share, and sees it going: `deleting`, `deleted` or gone.
pub async fn delete(tools: &Tools<'_>, share: &Share) -> Result<Option<Share>, Error> {
    let id = &share.id;
    let title = format!("delete the share {}", share.name);
    tools.write(&share::delete(tools.account, id), Some(share.text()), title).await?;
    let seen = look(tools, id).await?;
    match seen {
        Some(share) if share.status.is_none() || share.status == Some(Status::Active) => {
            Err(Stop::new(
                StopKind::NotSeen,
                format!("deleting the share `{id}` was sent, but it still stands"),
            )
            .hint(format!("`cfsso share get {id}`"))
            .into())
        }
        seen => Ok(seen),
    }
}

/// The change that [`delete`] makes.
#[must_use]
pub fn deletion(tools: &Tools<'_>, share: &Share) -> Change {
    let status = share.status.as_ref().map(Status::as_str);
    Change::new(
        format!("delete the share {}", share.name),
        &share::delete(tools.account, &share.id),
        vec![Difference::new("status", status, "deleting")],
    )
}

/// Waits until a share is deleted.
pub async fn until_deleted(
    tools: &Tools<'_>,
    id: &ShareId,
    deadline: Timestamp,
) -> Result<(), Error> {
    let gone = poll(tools.clock, deadline, async || {
        let seen = look(tools, id).await?;
        Ok(seen.is_none_or(|share| share.status == Some(Status::Deleted)).then_some(()))
    })
    .await?;
    gone.ok_or_else(|| {
        Stop::new(StopKind::NotYet, format!("the share `{id}` is still being deleted"))
            .hint(format!("`cfsso share get {id}`"))
            .into()
    })
}

async fn look(tools: &Tools<'_>, id: &ShareId) -> Result<Option<Share>, Error> {
    match tools.client.send(&share::get(tools.account, id, Include::default())).await {
        Err(error) if error.kind() == Kind::NotFound => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

/// Begins to remove a resource from a share.
pub async fn remove_resource(
    tools: &Tools<'_>,
    id: &ShareId,
    what: &resource::Fields,
) -> Result<(), Error> {
    let title = format!("remove {} from the share {id}", what.resource_id);
    let before = json!({
        "id": what.id,
        "resource_id": what.resource_id,
        "resource_type": what.resource_type,
        "resource_account_id": what.resource_account_id,
        "meta": what.meta,
    });
    let request = resource::remove(tools.account, id, &what.id);
    tools.write(&request, Some(&before.to_string()), title).await
}

/// Changes what recipients are told with a resource, and sees it read back.
pub async fn set_meta(
    tools: &Tools<'_>,
    id: &ShareId,
    what: &resource::Resource,
    meta: &Value,
) -> Result<resource::Resource, Error> {
    let title = meta_title(id, what);
    let request = resource::set_meta(tools.account, id, &what.id, meta);
    tools.write(&request, Some(what.text()), title).await?;
    let seen = resource(tools, id, &what.id).await?;
    if seen.meta == *meta {
        return Ok(seen);
    }
    let message =
        format!("the meta of the resource `{}` was sent, but does not read back", what.id);
    Err(Stop::new(StopKind::NotSeen, message)
        .hint(format!("`cfsso share resources get {id} {}`", what.id))
        .into())
}

/// The change that [`set_meta`] makes.
#[must_use]
pub fn meta_change(
    tools: &Tools<'_>,
    id: &ShareId,
    what: &resource::Resource,
    meta: &Value,
) -> Change {
    Change::new(
        meta_title(id, what),
        &resource::set_meta(tools.account, id, &what.id, meta),
        vec![Difference::new("meta", what.meta.clone(), meta.clone())],
    )
}

fn meta_title(id: &ShareId, what: &resource::Fields) -> String {
    format!("change the meta of {} in the share {id}", what.resource_id)
}

/// The change that [`remove_resource`] makes.
#[must_use]
pub fn resource_removal(tools: &Tools<'_>, id: &ShareId, what: &resource::Fields) -> Change {
    Change::new(
        format!("remove {} from the share {id}", what.resource_id),
        &resource::remove(tools.account, id, &what.id),
        vec![Difference::new("resources", what.resource_id.as_str(), ())],
    )
}

/// Gives a share another name, and sees it read back.
pub async fn rename(tools: &Tools<'_>, share: &Share, name: &str) -> Result<Share, Error> {
    let title = format!("rename the share {}", share.name);
    let request = share::rename(tools.account, &share.id, name);
    tools.write(&request, Some(share.text()), title).await?;
    let seen = find(tools, &share.id).await?;
    if seen.name == name {
        return Ok(seen);
    }
    let message = format!("the name of the share `{}` was sent, but does not read back", share.id);
    Err(Stop::new(StopKind::NotSeen, message)
        .hint(format!("`cfsso share get {}`", share.id))
        .into())
}

/// The change that [`rename`] makes.
#[must_use]
pub fn renaming(tools: &Tools<'_>, share: &Share, name: &str) -> Change {
    Change::new(
        format!("rename the share {}", share.name),
        &share::rename(tools.account, &share.id, name),
        vec![Difference::new("name", share.name.as_str(), name)],
    )
}

/// Adds a resource to a share. Where the answer is lost, looks for it first.
pub async fn add_resource(
    tools: &Tools<'_>,
    id: &ShareId,
    shared: &Shared,
) -> Result<resource::Resource, Error> {
    let look = async || {
        let request = resource::list(tools.account, id, (None, None), Paging::default());
        let all = tools.client.list(&request).await?;
        Ok(all.into_iter().find(|one| one.is_active() && one.resource_id == shared.id()))
    };
    let title = format!("add {} to the share {id}", shared.id());
    let request = resource::add(tools.account, id, shared);
    Ok(tools.create(&request, look, title).await?.into_inner())
}

/// The change that [`add_resource`] makes.
#[must_use]
pub fn resource_addition(tools: &Tools<'_>, id: &ShareId, shared: &Shared) -> Change {
    Change::new(
        format!("add {} to the share {id}", shared.id()),
        &resource::add(tools.account, id, shared),
        vec![Difference::new("resources", (), shared.id())],
    )
}

/// A recipient in words.
#[must_use]
pub fn told(to: &To) -> String {
    match to {
        To::Account(id) => id.to_string(),
        To::Organization(id) => format!("every account of the organization {id}"),
        To::EntireOrganization => "every account of this organization".to_owned(),
    }
}
