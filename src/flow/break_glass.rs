//! The emergency token: its permissions, and a test that it works.

use std::time::Duration;

use super::{Env, Error};
use crate::api::ids::AccountId;
use crate::api::token::{self, ACCOUNT_SCOPE, PermissionGroup};
use crate::api::{self, Client, ErrorKind, connector};
use crate::clock::Clock;

/// In seconds. A new token takes a moment to be known everywhere.
const RETRY_DELAYS: [Duration; 3] =
    [Duration::from_secs(1), Duration::from_secs(2), Duration::from_secs(4)];

/// A permission, by its name and its ID in the API reference (sections 2 to 4).
type KnownPermission = (&'static str, &'static str);

const CONNECTORS: KnownPermission = ("SSO Connector Write", "901ca5e292584c6aa1b4cdb39248bb07");
const ACCESS: [KnownPermission; 2] = [
    (
        "Access: Organizations, Identity Providers, and Groups Write",
        "bfe0d8686a584fa680f4c53b5eb0de6d",
    ),
    ("Access: Apps and Policies Write", "1e13c5124ca64b72b1969a67e8829049"),
];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenPermission {
    pub name: &'static str,
    pub id: String,
    /// Whether the API listed it under that name; else the ID is the reference's.
    pub looked_up: bool,
}

pub async fn permissions(env: &Env<'_>, with_access: bool) -> Result<Vec<TokenPermission>, Error> {
    let catalogue = match env.client.list(&token::permission_groups(env.account)).await {
        // If the caller cannot read the catalogue, the known IDs are used.
        Err(error) if matches!(error.kind(), ErrorKind::Forbidden | ErrorKind::NotFound) => {
            Vec::new()
        }
        catalogue => catalogue?,
    };
    Ok(choose(&catalogue, with_access))
}

/// Names are not unique: Access has the same ones for zones.
fn choose(catalogue: &[PermissionGroup], with_access: bool) -> Vec<TokenPermission> {
    let access = if with_access { &ACCESS[..] } else { &[] };
    let wanted = [CONNECTORS].into_iter().chain(access.iter().copied());
    wanted
        .map(|(name, id)| {
            let is_match = |group: &&PermissionGroup| {
                group.name == name
                    && group.scopes.iter().flatten().any(|scope| scope == ACCOUNT_SCOPE)
            };
            let listed = catalogue.iter().find(is_match);
            let id = listed.map_or_else(|| id.to_owned(), |group| group.id.clone());
            TokenPermission { name, id, looked_up: listed.is_some() }
        })
        .collect()
}

pub async fn test_token(
    client: &Client,
    account: &AccountId,
    clock: &Clock,
) -> Result<(), api::Error> {
    let request = connector::list(account);
    for delay in RETRY_DELAYS {
        match client.list(&request).await {
            Err(error)
                if matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::Forbidden) =>
            {
                clock.sleep(delay).await;
            }
            answer => return answer.map(drop),
        }
    }
    client.list(&request).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str, name: &str, scope: &str) -> PermissionGroup {
        PermissionGroup {
            id: id.to_owned(),
            name: name.to_owned(),
            scopes: Some(vec![scope.to_owned()]),
        }
    }

    #[test]
    fn names_count_in_the_scope_of_accounts_and_ids_are_the_last_resort() {
        let zone = "com.cloudflare.api.account.zone";
        let catalogue = [
            group("z", "Access: Apps and Policies Write", zone),
            group("r", "SSO Connector Read", ACCOUNT_SCOPE),
            group("w", "SSO Connector Write", ACCOUNT_SCOPE),
        ];
        let chosen = |with_access| -> Vec<(String, bool)> {
            let granted = choose(&catalogue, with_access);
            granted.into_iter().map(|granted| (granted.id, granted.looked_up)).collect()
        };
        let connectors = || ("w".to_owned(), true);
        assert_eq!(chosen(false), [connectors()]);
        let [idps, apps] = ACCESS.map(|(_, id)| (id.to_owned(), false));
        assert_eq!(chosen(true), [connectors(), idps, apps]);
        assert_eq!(choose(&[], false)[0].id, CONNECTORS.1);
    }
}
