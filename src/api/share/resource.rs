use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Status;
use super::filter::Paging;
use crate::api::ids::{AccountId, GrantId, ResourceId, ShareId};
use crate::api::object::Object;
use crate::api::request::{Request, WriteRequest};

pub type Resource = Object<ResourceFields>;

/// A shared resource as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ResourceFields {
    /// The ID of the resource within its share.
    #[schemars(with = "String")]
    pub id: ResourceId,
    /// The ID of the shared object, such as a federation grant.
    pub resource_id: String,
    /// The type of the shared object.
    pub resource_type: ResourceType,
    /// The ID of the account that owns the object.
    pub resource_account_id: Option<String>,
    /// The version of the resource.
    pub resource_version: Option<u64>,
    /// The state of the resource.
    pub status: Option<Status>,
    /// The metadata for the recipients.
    #[serde(default)]
    pub meta: Value,
    /// When it was added (RFC 3339).
    pub created: Option<String>,
    /// When it was last changed (RFC 3339).
    pub modified: Option<String>,
}

/// The type of a shared resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ResourceType {
    /// A WAF ruleset.
    CustomRuleset,
    /// A Gateway policy.
    GatewayPolicy,
    /// A Gateway destination IP address.
    GatewayDestinationIp,
    /// The settings of the Gateway block page.
    GatewayBlockPageSettings,
    /// The Gateway setting for extended email matching.
    GatewayExtendedEmailMatching,
    /// The federation grant of an identity provider.
    IdpFederationGrant,
    /// A trust grant.
    TrustGrant,
    /// A type unknown to this version, as the API returns it.
    #[serde(untagged)]
    Other(String),
}

impl ResourceType {
    pub const ALL: [Self; 7] = [
        Self::CustomRuleset,
        Self::GatewayPolicy,
        Self::GatewayDestinationIp,
        Self::GatewayBlockPageSettings,
        Self::GatewayExtendedEmailMatching,
        Self::IdpFederationGrant,
        Self::TrustGrant,
    ];

    /// Unknown types are passed through.
    pub fn named(text: &str) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::CustomRuleset => "custom-ruleset",
            Self::GatewayPolicy => "gateway-policy",
            Self::GatewayDestinationIp => "gateway-destination-ip",
            Self::GatewayBlockPageSettings => "gateway-block-page-settings",
            Self::GatewayExtendedEmailMatching => "gateway-extended-email-matching",
            Self::IdpFederationGrant => "idp-federation-grant",
            Self::TrustGrant => "trust-grant",
            Self::Other(text) => text,
        }
    }
}

impl ResourceFields {
    /// A missing status counts as active.
    pub fn is_active(&self) -> bool {
        self.status.as_ref().is_none_or(|status| *status == Status::Active)
    }

    /// The ID of the grant, if this is an active grant.
    pub fn grant(&self) -> Option<&str> {
        let is_grant = self.resource_type == ResourceType::IdpFederationGrant;
        (is_grant && self.is_active()).then_some(self.resource_id.as_str())
    }
}

#[derive(Clone, Debug, Serialize)]
pub struct NewResource {
    meta: Value,
    resource_account_id: String,
    resource_id: String,
    resource_type: ResourceType,
}

impl NewResource {
    pub fn new(account: &AccountId, kind: ResourceType, id: &str) -> Self {
        Self {
            meta: json!({}),
            resource_account_id: account.to_string(),
            resource_id: id.to_owned(),
            resource_type: kind,
        }
    }

    pub fn grant(account: &AccountId, grant: &GrantId) -> Self {
        Self::new(account, ResourceType::IdpFederationGrant, grant.as_str())
    }

    pub fn kind(&self) -> &ResourceType {
        &self.resource_type
    }

    pub fn id(&self) -> &str {
        &self.resource_id
    }

    pub fn meta(mut self, meta: Value) -> Self {
        self.meta = meta;
        self
    }
}

pub fn list(
    account: &AccountId,
    share: &ShareId,
    narrowed: (Option<&str>, Option<&ResourceType>),
    paging: Paging,
) -> Request<Vec<Resource>> {
    let mut request = Request::get(&collection(account, share));
    if let Some(status) = narrowed.0 {
        request = request.query("status", status);
    }
    if let Some(kind) = narrowed.1 {
        request = request.query("resource_type", kind.as_str());
    }
    paging.of(request)
}

pub fn get(account: &AccountId, share: &ShareId, id: &ResourceId) -> Request<Resource> {
    Request::get(&item_path(account, share, id))
}

pub fn add(account: &AccountId, share: &ShareId, shared: &NewResource) -> WriteRequest<Resource> {
    WriteRequest::post(&collection(account, share)).body(shared)
}

pub fn set_meta(
    account: &AccountId,
    share: &ShareId,
    id: &ResourceId,
    meta: &Value,
) -> WriteRequest<Resource> {
    WriteRequest::put(&item_path(account, share, id)).body(&json!({ "meta": meta }))
}

pub fn remove(account: &AccountId, share: &ShareId, id: &ResourceId) -> WriteRequest<()> {
    WriteRequest::delete(&item_path(account, share, id)).with_decoder(|_| Ok(()))
}

fn collection<'a>(account: &'a AccountId, share: &'a ShareId) -> [&'a str; 5] {
    ["accounts", account.as_str(), "shares", share.as_str(), "resources"]
}

fn item_path<'a>(account: &'a AccountId, share: &'a ShareId, id: &'a ResourceId) -> [&'a str; 6] {
    ["accounts", account.as_str(), "shares", share.as_str(), "resources", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_and_written_as_the_api_has_it() {
        for kind in ResourceType::ALL {
            let text = format!("\"{}\"", kind.as_str());
            assert_eq!(serde_json::to_string(&kind).unwrap(), text);
            assert_eq!(serde_json::from_str::<ResourceType>(&text).unwrap(), kind);
            assert_eq!(ResourceType::named(&kind.as_str().to_uppercase()), kind);
        }
        assert_eq!(ResourceType::named("new-thing"), ResourceType::Other("new-thing".to_owned()));
    }

    #[test]
    fn only_a_grant_that_is_still_shared_is_one() {
        for (kind, status, grant) in [
            ("idp-federation-grant", "active", Some("g1")),
            ("idp-federation-grant", "deleting", None),
            ("idp-federation-grant", "frozen", None),
            ("trust-grant", "active", None),
        ] {
            let text = format!(
                r#"{{"id":"x1","resource_id":"g1","resource_type":"{kind}","status":"{status}"}}"#
            );
            let resource: Resource = serde_json::from_str(&text).unwrap();
            assert_eq!(resource.grant(), grant, "{text}");
        }
    }
}
