//! Federation of an identity provider: its grants, their shares, and the recipients.

use futures_util::future::try_join_all;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::{grant, shares};
use crate::api::grant::Grant;
use crate::api::ids::{AccountId, IdpId};
use crate::api::share::filter::Paging;
use crate::api::share::{Filter, Include, Recipient, ResourceType, Share, resource};
use crate::flow::{Env, Error};

/// Enough to hide the round trips, and far from the limit of 200 requests a second per address
/// (API reference, section 1.4).
pub const MAX_CONCURRENT: usize = 8;

#[derive(Debug, Default)]
pub struct FederationState {
    /// Usually one.
    pub grants: Vec<Grant>,
    /// Active shares of those grants.
    pub shares: Vec<ShareState>,
    /// Active shares of grants that no longer exist.
    pub orphans: Vec<Share>,
}

impl FederationState {
    /// Accounts that receive it as single recipients.
    pub fn recipients(&self) -> impl Iterator<Item = &AccountId> {
        let all = self.shares.iter().flat_map(|share_state| &share_state.recipients);
        all.filter(|one| one.is_active()).filter_map(|one| one.account())
    }

    pub fn is_for_organization(&self) -> bool {
        self.shares.iter().any(|share_state| share_state.share.is_for_organization())
    }
}

#[derive(Debug)]
pub struct ShareState {
    pub share: Share,
    pub resources: Vec<resource::ResourceFields>,
    /// Including removed recipients.
    pub recipients: Vec<Recipient>,
}

/// Active ones; `kind` is `sent` or `received`.
pub async fn shares_of_grants(env: &Env<'_>, kind: &str) -> Result<Vec<Share>, Error> {
    let filter = Filter {
        status: Some("active".to_owned()),
        kind: Some(kind.to_owned()),
        resource_types: vec![ResourceType::IdpFederationGrant],
        include: Include { resources: true, recipient_counts: false },
        ..Filter::default()
    };
    shares::list(env, &filter, Paging::default()).await
}

pub async fn read(env: &Env<'_>, idp: &IdpId) -> Result<FederationState, Error> {
    let (grants, shares) = lists(env).await?;
    of_idp(env, &grants, idp, shares).await
}

/// In the order of the grants; with the shares of grants that no longer exist.
pub async fn read_all(env: &Env<'_>) -> Result<(Vec<(IdpId, FederationState)>, Vec<Share>), Error> {
    let (grants, shares) = lists(env).await?;
    let mut idps: Vec<IdpId> = Vec::new();
    for grant in &grants {
        if !idps.contains(&grant.idp_id) {
            idps.push(grant.idp_id.clone());
        }
    }
    let states = idps.into_iter().map(async |idp| {
        let state = of_idp(env, &grants, &idp, shares.clone()).await?;
        Ok::<_, Error>((idp, state))
    });
    let states = try_join_all(states).await?;
    let orphans = shares.into_iter().filter(|(_, resources)| is_orphan(resources, &grants));
    Ok((states, orphans.map(|(share, _)| share).collect()))
}

async fn lists(env: &Env<'_>) -> Result<(Vec<Grant>, Vec<ShareWithResources>), Error> {
    let (grants, shares) = tokio::join!(grant::list(env), shares_of_grants(env, "sent"));
    Ok((grants?, with_resources(env, shares?).await?))
}

async fn of_idp(
    env: &Env<'_>,
    grants: &[Grant],
    idp: &IdpId,
    shares: Vec<ShareWithResources>,
) -> Result<FederationState, Error> {
    let (shares, orphans) = split_by_idp(grants, idp, shares);
    let grants = grants.iter().filter(|grant| grant.idp_id == *idp).cloned().collect();
    let shares = stream::iter(shares)
        .map(async |(share, resources)| {
            let recipients = shares::recipients(env, &share.id).await?;
            Ok::<_, Error>(ShareState { share, resources, recipients })
        })
        .buffered(MAX_CONCURRENT)
        .try_collect()
        .await?;
    Ok(FederationState { grants, shares, orphans })
}

pub type ShareWithResources = (Share, Vec<resource::ResourceFields>);

/// Requests resources that the list does not contain. Drops inactive shares.
pub async fn with_resources(
    env: &Env<'_>,
    shares: Vec<Share>,
) -> Result<Vec<ShareWithResources>, Error> {
    stream::iter(shares.into_iter().filter(|share| share.is_active()))
        .map(async |share| {
            let resources = if let Some(resources) = &share.resources {
                resources.clone()
            } else {
                let asked = shares::resources(env, &share.id).await?;
                asked.iter().map(|resource| (**resource).clone()).collect()
            };
            Ok((share, resources))
        })
        .buffered(MAX_CONCURRENT)
        .try_collect()
        .await
}

/// Returns its shares and the orphans. Correct even if the server ignores the filter.
fn split_by_idp(
    grants: &[Grant],
    idp: &IdpId,
    shares: Vec<ShareWithResources>,
) -> (Vec<ShareWithResources>, Vec<Share>) {
    let (mut its, mut orphans) = (Vec::new(), Vec::new());
    for (share, resources) in shares {
        let of: Vec<_> = resources.iter().filter_map(resource::ResourceFields::grant).collect();
        let find_grant = |id: &str| grants.iter().find(|grant| grant.id.as_str() == id);
        if of.iter().any(|id| find_grant(id).is_some_and(|grant| grant.idp_id == *idp)) {
            its.push((share, resources));
        } else if is_orphan(&resources, grants) {
            orphans.push(share);
        }
    }
    (its, orphans)
}

/// Whether the active resources are all grants, and none of these exists.
pub fn is_orphan(resources: &[resource::ResourceFields], grants: &[Grant]) -> bool {
    let mut active = resources.iter().filter(|resource| resource.is_active()).peekable();
    active.peek().is_some()
        && active.all(|resource| {
            let stands = |id| grants.iter().any(|grant| grant.id.as_str() == id);
            resource.grant().is_some_and(|id| !stands(id))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_told_apart_by_what_they_are_of() {
        let grants: Vec<Grant> =
            serde_json::from_str(r#"[{"id":"g1","idp_id":"p1"},{"id":"g2","idp_id":"p2"}]"#)
                .unwrap();
        let grant = |id: &str| {
            format!(
                r#"{{"id":"x","resource_id":"{id}","resource_type":"idp-federation-grant","status":"active"}}"#
            )
        };
        let ruleset = r#"{"id":"y","resource_id":"w1","resource_type":"custom-ruleset"}"#;
        let mixed = format!("{},{ruleset}", grant("gone"));
        for (resources, its, orphans) in [
            (grant("g1"), 1, 0),
            (grant("g2"), 0, 0),
            (grant("gone"), 0, 1),
            (format!("{},{}", grant("gone"), grant("g1")), 1, 0),
            (mixed, 0, 0),
            (ruleset.to_owned(), 0, 0),
            (String::new(), 0, 0),
        ] {
            let share: Share = serde_json::from_str(r#"{"id":"s1","name":"a"}"#).unwrap();
            let resources_read = serde_json::from_str(&format!("[{resources}]")).unwrap();
            let found =
                split_by_idp(&grants, &"p1".parse().unwrap(), vec![(share, resources_read)]);
            assert_eq!((found.0.len(), found.1.len()), (its, orphans), "{resources}");
        }
    }
}
