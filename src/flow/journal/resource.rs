//! Resources of journaled requests. A path is parsed into typed IDs, and is valid only if these
//! give the same path again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::api::ids::{
    AccountId, AppId, ConnectorId, GrantId, IdpId, RecipientId, RecordId, ResourceId, ShareId,
    ZoneId,
};

/// A kind of object that cfsso changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResourceKind {
    /// An SSO connector.
    Connector,
    /// The verification of a connector.
    Verification,
    /// A TXT record with a verification code.
    DnsRecord,
    /// An identity provider.
    IdentityProvider,
    /// An Access application.
    Application,
    /// The Zero Trust organization.
    Organization,
    /// A federation grant.
    Grant,
    /// A resource share.
    Share,
    /// A recipient of a share.
    Recipient,
    /// A resource in a share.
    SharedResource,
    /// An API token.
    Token,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::flow) enum Resource {
    Connectors,
    Connector(ConnectorId),
    Verification(ConnectorId),
    Records(ZoneId),
    Record(ZoneId, RecordId),
    Idps,
    Idp(IdpId),
    App(AppId),
    Organization,
    Grants,
    Grant(GrantId),
    Shares,
    Share(ShareId),
    Recipients(ShareId),
    Recipient(ShareId, RecipientId),
    Contents(ShareId),
    Content(ShareId, ResourceId),
    Tokens,
    Token(String),
}

impl Resource {
    /// `None` if it is of another account, or this program does not write it.
    pub fn parse(account: &AccountId, path: &str) -> Option<Self> {
        Self::from_path(path).filter(|resource| resource.path(account) == path)
    }

    /// For a path of this program: that of any account, not compared with its own spelling.
    pub fn from_path(path: &str) -> Option<Self> {
        let segments: Vec<_> = path.strip_prefix('/')?.split('/').collect();
        match segments.as_slice() {
            ["zones", zone, "dns_records"] => Some(Self::Records(zone.parse().ok()?)),
            ["zones", zone, "dns_records", id] => {
                Some(Self::Record(zone.parse().ok()?, id.parse().ok()?))
            }
            ["accounts", _, below @ ..] => Self::from_segments(below),
            _ => None,
        }
    }

    fn from_segments(segments: &[&str]) -> Option<Self> {
        Some(match segments {
            ["sso_connectors"] => Self::Connectors,
            ["sso_connectors", id] => Self::Connector(id.parse().ok()?),
            ["sso_connectors", id, "begin_verification"] => Self::Verification(id.parse().ok()?),
            ["access", "identity_providers"] => Self::Idps,
            ["access", "identity_providers", id] => Self::Idp(id.parse().ok()?),
            ["access", "apps", id] => Self::App(id.parse().ok()?),
            ["access", "organizations"] => Self::Organization,
            ["access", "idp_federation_grants"] => Self::Grants,
            ["access", "idp_federation_grants", id] => Self::Grant(id.parse().ok()?),
            ["shares"] => Self::Shares,
            ["shares", id] => Self::Share(id.parse().ok()?),
            ["shares", id, "recipients"] => Self::Recipients(id.parse().ok()?),
            ["shares", share, "recipients", id] => {
                Self::Recipient(share.parse().ok()?, id.parse().ok()?)
            }
            ["shares", id, "resources"] => Self::Contents(id.parse().ok()?),
            ["shares", share, "resources", id] => {
                Self::Content(share.parse().ok()?, id.parse().ok()?)
            }
            ["tokens"] => Self::Tokens,
            ["tokens", id] => Self::Token((*id).to_owned()),
            _ => return None,
        })
    }

    pub fn segments<'a>(&'a self, account: &'a AccountId) -> Vec<&'a str> {
        let below: &[&str] = match self {
            Self::Records(zone) => return vec!["zones", zone.as_str(), "dns_records"],
            Self::Record(zone, id) => {
                return vec!["zones", zone.as_str(), "dns_records", id.as_str()];
            }
            Self::Connectors => &["sso_connectors"],
            Self::Connector(id) => &["sso_connectors", id.as_str()],
            Self::Verification(id) => &["sso_connectors", id.as_str(), "begin_verification"],
            Self::Idps => &["access", "identity_providers"],
            Self::Idp(id) => &["access", "identity_providers", id.as_str()],
            Self::App(id) => &["access", "apps", id.as_str()],
            Self::Organization => &["access", "organizations"],
            Self::Grants => &["access", "idp_federation_grants"],
            Self::Grant(id) => &["access", "idp_federation_grants", id.as_str()],
            Self::Shares => &["shares"],
            Self::Share(id) => &["shares", id.as_str()],
            Self::Recipients(share) => &["shares", share.as_str(), "recipients"],
            Self::Recipient(share, id) => &["shares", share.as_str(), "recipients", id.as_str()],
            Self::Contents(share) => &["shares", share.as_str(), "resources"],
            Self::Content(share, id) => &["shares", share.as_str(), "resources", id.as_str()],
            Self::Tokens => &["tokens"],
            Self::Token(id) => &["tokens", id.as_str()],
        };
        [&["accounts", account.as_str()], below].concat()
    }

    pub fn path(&self, account: &AccountId) -> String {
        format!("/{}", self.segments(account).join("/"))
    }

    pub fn kind(&self) -> ResourceKind {
        match self {
            Self::Connectors | Self::Connector(_) => ResourceKind::Connector,
            Self::Verification(_) => ResourceKind::Verification,
            Self::Records(_) | Self::Record(..) => ResourceKind::DnsRecord,
            Self::Idps | Self::Idp(_) => ResourceKind::IdentityProvider,
            Self::App(_) => ResourceKind::Application,
            Self::Organization => ResourceKind::Organization,
            Self::Grants | Self::Grant(_) => ResourceKind::Grant,
            Self::Shares | Self::Share(_) => ResourceKind::Share,
            Self::Recipients(_) | Self::Recipient(..) => ResourceKind::Recipient,
            Self::Contents(_) | Self::Content(..) => ResourceKind::SharedResource,
            Self::Tokens | Self::Token(_) => ResourceKind::Token,
        }
    }

    /// `None` if this is not a collection, or `id` is not an ID.
    pub fn member(&self, id: &str) -> Option<Self> {
        Some(match self {
            Self::Connectors => Self::Connector(id.parse().ok()?),
            Self::Records(zone) => Self::Record(zone.clone(), id.parse().ok()?),
            Self::Idps => Self::Idp(id.parse().ok()?),
            Self::Grants => Self::Grant(id.parse().ok()?),
            Self::Shares => Self::Share(id.parse().ok()?),
            Self::Recipients(share) => Self::Recipient(share.clone(), id.parse().ok()?),
            Self::Contents(share) => Self::Content(share.clone(), id.parse().ok()?),
            _ => return None,
        })
    }

    pub fn collection(&self) -> Option<Self> {
        Some(match self {
            Self::Connector(_) => Self::Connectors,
            Self::Record(zone, _) => Self::Records(zone.clone()),
            Self::Idp(_) => Self::Idps,
            Self::Grant(_) => Self::Grants,
            Self::Share(_) => Self::Shares,
            Self::Recipient(share, _) => Self::Recipients(share.clone()),
            Self::Content(share, _) => Self::Contents(share.clone()),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_resource_only_if_typed_ids_build_it_again() {
        let account: AccountId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let own = |below: &str| format!("/accounts/{account}/{below}");
        for below in [
            "sso_connectors",
            "sso_connectors/c1",
            "sso_connectors/c1/begin_verification",
            "access/identity_providers",
            "access/identity_providers/i1",
            "access/apps/a1",
            "access/organizations",
            "access/idp_federation_grants",
            "access/idp_federation_grants/g1",
            "shares",
            "shares/s1",
            "shares/s1/recipients",
            "shares/s1/recipients/r1",
            "shares/s1/resources",
            "shares/s1/resources/r1",
            "tokens",
            "tokens/t1",
        ] {
            let resource = Resource::parse(&account, &own(below)).unwrap();
            assert_eq!(resource.path(&account), own(below));
            if let Some(collection) = resource.collection() {
                let id = below.rsplit('/').next().unwrap();
                assert_eq!(collection.member(id), Some(resource), "{below}");
            }
        }
        assert!(Resource::parse(&account, "/zones/z1/dns_records/r1").is_some());
        let other = "f".repeat(32);
        for path in [
            format!("/accounts/{other}/sso_connectors/c1"),
            own("sso_connectors/../members/m1"),
            own("sso_connectors/.."),
            own("sso_connectors/%2e%2e"),
            own("sso_connectors/c1%2f..%2fx"),
            own("sso_connectors/c1?x=1"),
            own("sso_connectors//c1"),
            own("sso_connectors/c1/"),
            own("sso_connectors/c1/begin_verification/x"),
            own("members/m1"),
            own("access/apps/a1/policies/p1"),
            "/zones/z1/settings/ssl".to_owned(),
            "/zones/../dns_records/r1".to_owned(),
            "https://evil.example/accounts".to_owned(),
            "/user/tokens/t1".to_owned(),
            "//accounts".to_owned(),
            String::new(),
        ] {
            assert_eq!(Resource::parse(&account, &path), None, "{path}");
        }
    }
}
