//! The federation of an account. Requests recipients concurrently, with a limit.

use futures_util::{StreamExt, TryStreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::accounts::{self, AccountDirectory};
use super::orphan::{self, Inventory, Orphan};
use super::recipient_progress::RecipientProgress;
use super::state::{self, MAX_CONCURRENT, ShareWithResources};
use super::{grant, shares};
use crate::api::grant::Grant;
use crate::api::idp::Idp;
use crate::api::{ErrorKind, app, idp};
use crate::flow::{Env, Error};

/// The result of `cfsso federation status`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Status {
    schema: &'static str,
    /// Whether there are no orphans and no recipient has failed.
    pub ok: bool,
    /// The identity providers with a federation grant.
    pub sources: Vec<Source>,
    /// Objects and references whose counterpart no longer exists.
    pub orphans: Vec<Orphan>,
    /// The areas that could not be read, each with the reason.
    pub not_checked: Vec<String>,
}

/// A shared identity provider and its recipients.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Source {
    /// The ID of the identity provider.
    pub idp_id: String,
    /// The name of the identity provider; `null` if it no longer exists.
    pub idp_name: Option<String>,
    /// The type of the identity provider; `null` if it no longer exists.
    pub idp_type: Option<String>,
    /// The ID of the federation grant.
    pub grant_id: String,
    /// When the grant was created (RFC 3339); `null` if the API does not report it.
    pub granted_at: Option<String>,
    /// The shares that contain the grant.
    pub shares: Vec<ShareStatus>,
}

/// A share that contains a grant.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ShareStatus {
    /// The ID of the share.
    pub id: String,
    /// The name of the share.
    pub name: String,
    /// Whether the recipient is a whole organization.
    pub entire_organization: bool,
    /// The recipients and their association progress.
    pub recipients: Vec<RecipientProgress>,
}

impl Status {
    pub const SCHEMA: &'static str = "cfsso/federation-status/v1";
}

pub async fn read(env: &Env<'_>) -> Result<Status, Error> {
    let idps = idp::list(env.account);
    let apps = app::list(env.account);
    let (grants, sent, idps, received, apps, directory) = tokio::join!(
        grant::list(env),
        state::shares_of_grants(env, "sent"),
        env.client.list(&idps),
        state::shares_of_grants(env, "received"),
        env.client.list(&apps),
        accounts::read(env),
    );
    let mut not_checked = Vec::new();
    let received = optional(received, "shares received", &mut not_checked)?;
    let apps = optional(apps.map_err(Error::from), "applications", &mut not_checked)?;
    let (grants, idps, directory) = (grants?, idps?, directory?);
    if let Some(reason) = &directory.unlisted {
        not_checked.push(format!("names of accounts: {reason}"));
    }
    let sent = state::with_resources(env, sent?).await?;
    let shares = recipients(env, &sent, &directory).await?;
    let of: Vec<_> = sent.iter().map(|(share, of)| (share, of.as_slice())).collect();
    let received = received.map(|shares| shares.iter().filter(|share| share.is_active()).count());
    let orphans = orphan::find(&Inventory {
        grants: &grants,
        sent: &of,
        idps: &idps,
        received,
        apps: apps.as_deref(),
    });
    Ok(put_in_order(&grants, &idps, &sent, shares, orphans, not_checked))
}

/// In the order of the shares. Keeps only what is shown, to limit the responses in memory.
async fn recipients(
    env: &Env<'_>,
    sent: &[ShareWithResources],
    directory: &AccountDirectory,
) -> Result<Vec<ShareStatus>, Error> {
    stream::iter(sent)
        .map(async |(share, _)| {
            let all = shares::recipients(env, &share.id).await?;
            Ok::<_, Error>(ShareStatus {
                id: share.id.to_string(),
                name: share.name.clone(),
                entire_organization: share.is_for_organization(),
                recipients: all.iter().map(|one| RecipientProgress::of(one, directory)).collect(),
            })
        })
        .buffered(MAX_CONCURRENT)
        .try_collect()
        .await
}

/// A part without permission is listed as not checked.
fn optional<T>(
    read: Result<T, Error>,
    what: &str,
    not_checked: &mut Vec<String>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(Error::Api(error))
            if matches!(
                error.kind(),
                ErrorKind::Forbidden | ErrorKind::Invalid | ErrorKind::NotFound
            ) =>
        {
            not_checked.push(format!("{what}: {}", error.reason()));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// A share of several grants is listed at each.
fn put_in_order(
    grants: &[Grant],
    idps: &[Idp],
    sent: &[ShareWithResources],
    shares: Vec<ShareStatus>,
    orphans: Vec<Orphan>,
    not_checked: Vec<String>,
) -> Status {
    let mut recipients = shares.iter().flat_map(|shared| &shared.recipients);
    let ok = orphans.is_empty() && recipients.all(|one| one.errors.is_empty());
    let mut sources: Vec<_> = grants.iter().map(|grant| source(grant, idps)).collect();
    for ((_, resources), shared) in sent.iter().zip(shares) {
        let is_of = |source: &&mut Source| {
            resources.iter().any(|resource| resource.grant() == Some(source.grant_id.as_str()))
        };
        let mut its: Vec<_> = sources.iter_mut().filter(is_of).collect();
        let Some(last) = its.pop() else { continue };
        for other in its {
            other.shares.push(shared.clone());
        }
        last.shares.push(shared);
    }
    sources.sort_by(|a, b| (&a.idp_name, &a.grant_id).cmp(&(&b.idp_name, &b.grant_id)));
    Status { schema: Status::SCHEMA, ok, sources, orphans, not_checked }
}

fn source(grant: &Grant, idps: &[Idp]) -> Source {
    let idp = idps.iter().find(|idp| idp.id == grant.idp_id);
    Source {
        idp_id: grant.idp_id.to_string(),
        idp_name: idp.map(|idp| idp.name.clone()),
        idp_type: idp.map(|idp| idp.kind.as_str().to_owned()),
        grant_id: grant.id.to_string(),
        granted_at: grant.created_at.clone(),
        shares: Vec::new(),
    }
}
