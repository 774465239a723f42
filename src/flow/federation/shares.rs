use jiff::Timestamp;
use serde_json::{Value, json};

use crate::api::ids::{AccountId, RecipientId, ResourceId, ShareId};
use crate::api::share::filter::{self, Paging};
use crate::api::share::resource::NewResource;
use crate::api::share::{
    self, Filter, Include, Recipient, RecipientSpec, Share, Status, recipient, resource,
};
use crate::api::{self, ErrorKind};
use crate::flow::action::Action;
use crate::flow::journaled::Written;
use crate::flow::plan::Difference;
use crate::flow::wait::poll;
use crate::flow::{Env, Error, FlowError};

pub async fn list(env: &Env<'_>, filter: &Filter, paging: Paging) -> Result<Vec<Share>, Error> {
    let mut shares = env.client.list(&filter::list(env.account, filter, paging)).await?;
    if filter.order.is_none() {
        shares.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    }
    Ok(shares)
}

pub async fn find(env: &Env<'_>, id: &ShareId) -> Result<Share, Error> {
    match env.client.send(&share::get(env.account, id, Include::ALL)).await {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(FlowError::not_found(format!("no share `{id}` in this account"))
                .cause(error.reason())
                .hint("`cfsso share list`")
                .into())
        }
        answer => Ok(answer?),
    }
}

/// Including removed recipients.
pub async fn recipients(env: &Env<'_>, id: &ShareId) -> Result<Vec<Recipient>, Error> {
    let mut all = env.client.list(&recipient::list(env.account, id, Paging::default())).await?;
    all.sort_by(|a, b| by_account(a).cmp(&by_account(b)));
    Ok(all)
}

pub async fn recipient(
    env: &Env<'_>,
    id: &ShareId,
    recipient: &RecipientId,
) -> Result<Recipient, Error> {
    let answer = env.client.send(&recipient::get(env.account, id, recipient)).await;
    find_in_share(answer, id, recipient.as_str(), "recipient")
}

pub async fn resource(
    env: &Env<'_>,
    id: &ShareId,
    resource: &ResourceId,
) -> Result<resource::Resource, Error> {
    let answer = env.client.send(&resource::get(env.account, id, resource)).await;
    find_in_share(answer, id, resource.as_str(), "resource")
}

/// A missing object fails with the list of existing ones.
fn find_in_share<T>(
    answer: Result<T, api::Error>,
    share: &ShareId,
    id: &str,
    what: &str,
) -> Result<T, Error> {
    match answer {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = format!("no {what} `{id}` in the share `{share}`");
            Err(FlowError::not_found(message)
                .cause(error.reason())
                .hint(format!("`cfsso share {what}s list {share}`"))
                .into())
        }
        answer => Ok(answer?),
    }
}

pub fn by_account(recipient: &Recipient) -> (Option<&str>, &str) {
    (recipient.account().map(AccountId::as_str), recipient.id.as_str())
}

pub async fn resources(env: &Env<'_>, id: &ShareId) -> Result<Vec<resource::Resource>, Error> {
    let request = resource::list(env.account, id, (None, None), Paging::default());
    Ok(env.client.list(&request).await?)
}

pub fn create_action(
    env: &Env<'_>,
    name: &str,
    to: &[RecipientSpec],
    shared: &NewResource,
) -> Action<Share> {
    let recipients = to.iter().map(describe_recipient).collect::<Vec<_>>().join(", ");
    Action::new(
        format!("create the share {name}"),
        share::create(env.account, name, to, std::slice::from_ref(shared)),
        [
            Difference::new("name", (), name),
            Difference::new("recipients", (), recipients),
            Difference::new("resources", (), shared.id()),
        ],
    )
}

pub async fn create(
    env: &Env<'_>,
    name: &str,
    to: &[RecipientSpec],
    shared: &NewResource,
) -> Result<Share, Error> {
    let find = async || {
        let filter = Filter {
            status: Some("active".to_owned()),
            kind: Some("sent".to_owned()),
            resource_types: vec![shared.kind().clone()],
            include: Include { resources: true, recipient_counts: false },
            ..Filter::default()
        };
        let all = env.client.list(&filter::list(env.account, &filter, Paging::default())).await?;
        Ok(all.into_iter().find(|share| {
            let is_of = |resource: &resource::ResourceFields| resource.resource_id == shared.id();
            share.is_active() && share.name == name && share.resources.iter().flatten().any(is_of)
        }))
    };
    let action = create_action(env, name, to, shared);
    Ok(env.execute_once(&action, find).await?.into_inner())
}

pub fn add_recipient_action(env: &Env<'_>, id: &ShareId, to: &RecipientSpec) -> Action<Recipient> {
    Action::new(
        format!("add {} to the share {id}", describe_recipient(to)),
        recipient::add(env.account, id, to),
        [Difference::new("recipients", (), describe_recipient(to))],
    )
}

pub async fn add(env: &Env<'_>, id: &ShareId, to: &RecipientSpec) -> Result<Recipient, Error> {
    let find = async || {
        let request = recipient::list(env.account, id, Paging::default());
        let all = env.client.list(&request).await?;
        Ok(all.into_iter().find(|recipient| recipient.is_active() && is(recipient, to)))
    };
    Ok(env.execute_once(&add_recipient_action(env, id, to), find).await?.into_inner())
}

fn is(recipient: &Recipient, to: &RecipientSpec) -> bool {
    match to {
        RecipientSpec::Account(account) => recipient.account() == Some(account),
        RecipientSpec::Organization(id) => {
            recipient.organization_id.as_deref() == Some(id.as_str())
        }
        RecipientSpec::EntireOrganization {} => recipient.account().is_none(),
    }
}

/// Removal continues after the response.
pub fn remove_recipient_action(env: &Env<'_>, id: &ShareId, recipient: &Recipient) -> Action<()> {
    let name = recipient.account().map_or(recipient.id.as_str(), AccountId::as_str);
    Action::new(
        format!("remove {name} from the share {id}"),
        recipient::remove(env.account, id, &recipient.id),
        [Difference::new("recipients", name, ())],
    )
    .before(recipient.text())
}

/// Deletion continues after the response.
pub fn delete_action(env: &Env<'_>, share: &Share) -> Action<()> {
    let status = share.status.as_ref().map(Status::as_str);
    Action::new(
        format!("delete the share {}", share.name),
        share::delete(env.account, &share.id),
        [Difference::new("status", status, "deleting")],
    )
    .before(share.text())
    .shown_by(format!("cfsso share get {}", share.id))
}

/// Afterwards, the share is `deleting`, `deleted` or gone (`None`).
pub async fn delete(env: &Env<'_>, share: &Share) -> Result<Option<Share>, Error> {
    let action = delete_action(env, share);
    let find =
        async || find_share(env, &share.id).await.ok().filter(|now| !may_be_active(now.as_ref()));
    let now = match env.execute_or_find(&action, find).await? {
        Written::Answered(()) => find_share(env, &share.id).await?,
        Written::Found(now) => now,
    };
    if may_be_active(now.as_ref()) {
        let observed = "the API accepted the request; the share is still active";
        return Err(action.not_confirmed(observed).into());
    }
    Ok(now)
}

fn may_be_active(share: Option<&Share>) -> bool {
    share.is_some_and(|share| share.status.is_none() || share.status == Some(Status::Active))
}

pub async fn wait_until_deleted(
    env: &Env<'_>,
    id: &ShareId,
    deadline: Timestamp,
) -> Result<(), Error> {
    let deleted = poll(env.clock, deadline, async || {
        let share = find_share(env, id).await?;
        Ok(share.is_none_or(|share| share.status == Some(Status::Deleted)).then_some(()))
    })
    .await?;
    deleted.ok_or_else(|| {
        FlowError::not_yet(format!("the share `{id}` is still being deleted"))
            .hint(format!("`cfsso share get {id}`"))
            .into()
    })
}

async fn find_share(env: &Env<'_>, id: &ShareId) -> Result<Option<Share>, Error> {
    match env.client.send(&share::get(env.account, id, Include::default())).await {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        answer => Ok(Some(answer?)),
    }
}

/// Removal continues after the response.
pub fn remove_resource_action(
    env: &Env<'_>,
    id: &ShareId,
    what: &resource::ResourceFields,
) -> Action<()> {
    let before = json!({
        "id": what.id,
        "resource_id": what.resource_id,
        "resource_type": what.resource_type,
        "resource_account_id": what.resource_account_id,
        "meta": what.meta,
    });
    Action::new(
        format!("remove {} from the share {id}", what.resource_id),
        resource::remove(env.account, id, &what.id),
        [Difference::new("resources", what.resource_id.as_str(), ())],
    )
    .before(&before.to_string())
}

/// Recipients get the metadata with the resource.
pub fn set_metadata_action(
    env: &Env<'_>,
    id: &ShareId,
    what: &resource::Resource,
    meta: &Value,
) -> Action<resource::Resource> {
    Action::new(
        format!("update the metadata of {} in the share {id}", what.resource_id),
        resource::set_meta(env.account, id, &what.id, meta),
        [Difference::new("meta", what.meta.clone(), meta.clone())],
    )
    .before(what.text())
    .shown_by(format!("cfsso share resources get {id} {}", what.id))
}

pub fn rename_action(env: &Env<'_>, share: &Share, name: &str) -> Action<()> {
    Action::new(
        format!("rename the share {}", share.name),
        share::rename(env.account, &share.id, name),
        [Difference::new("name", share.name.as_str(), name)],
    )
    .before(share.text())
    .shown_by(format!("cfsso share get {}", share.id))
}

pub fn add_resource_action(
    env: &Env<'_>,
    id: &ShareId,
    shared: &NewResource,
) -> Action<resource::Resource> {
    Action::new(
        format!("add {} to the share {id}", shared.id()),
        resource::add(env.account, id, shared),
        [Difference::new("resources", (), shared.id())],
    )
}

pub async fn add_resource(
    env: &Env<'_>,
    id: &ShareId,
    shared: &NewResource,
) -> Result<resource::Resource, Error> {
    let find = async || {
        let request = resource::list(env.account, id, (None, None), Paging::default());
        let all = env.client.list(&request).await?;
        Ok(all.into_iter().find(|one| one.is_active() && one.resource_id == shared.id()))
    };
    Ok(env.execute_once(&add_resource_action(env, id, shared), find).await?.into_inner())
}

pub fn describe_recipient(to: &RecipientSpec) -> String {
    match to {
        RecipientSpec::Account(id) => id.to_string(),
        RecipientSpec::Organization(id) => format!("every account of the organization {id}"),
        RecipientSpec::EntireOrganization {} => "every account of this organization".to_owned(),
    }
}
