//! Shares: resources that other accounts may use (API reference, section 7). Deletions are
//! asynchronous.

pub(crate) mod filter;
pub(crate) mod recipient;
pub(crate) mod resource;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use filter::Filter;
pub use recipient::{Association, Recipient, RecipientSpec};
pub use resource::ResourceType;

use super::ids::{AccountId, ShareId};
use super::object::Object;
use super::request::{Request, WriteRequest};

/// The maximum (API reference, section 1.5).
pub const PAGE: u32 = 100;

pub type Share = Object<ShareFields>;

/// A resource share as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ShareFields {
    /// The ID of the share.
    #[schemars(with = "String")]
    pub id: ShareId,
    /// The name of the share.
    #[serde(default)]
    pub name: String,
    /// The ID of the account that shares.
    pub account_id: Option<String>,
    /// The name of the account that shares.
    pub account_name: Option<String>,
    /// The ID of the organization of both accounts.
    pub organization_id: Option<String>,
    /// The state of the share.
    pub status: Option<Status>,
    /// Whether the recipients are single accounts or a whole organization.
    pub target_type: Option<Target>,
    /// Whether this account sends or receives the share.
    pub kind: Option<Kind>,
    /// When it was created (RFC 3339).
    pub created: Option<String>,
    /// When it was last changed (RFC 3339).
    pub modified: Option<String>,
    /// The number of associated recipients, if requested.
    pub associated_recipient_count: Option<u64>,
    /// The number of recipients that are being associated.
    pub associating_recipient_count: Option<u64>,
    /// The number of removed recipients.
    pub disassociated_recipient_count: Option<u64>,
    /// The number of recipients that are being removed.
    pub disassociating_recipient_count: Option<u64>,
    /// The resources in the share, if requested.
    pub resources: Option<Vec<resource::ResourceFields>>,
}

/// The state of a share or of a shared resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The object exists.
    Active,
    /// The object is being deleted.
    Deleting,
    /// The object was deleted; the API still lists its record.
    Deleted,
    /// A state unknown to this version; treat it as not active.
    #[serde(untagged)]
    Other(String),
}

/// The kind of recipient of a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Single accounts.
    Account,
    /// A whole organization.
    Organization,
    /// A kind unknown to this version.
    #[serde(untagged)]
    Other(String),
}

/// Whether this account sends or receives a share.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// This account sends the share.
    Sent,
    /// This account receives the share.
    Received,
    /// A kind unknown to this version.
    #[serde(untagged)]
    Other(String),
}

impl ShareFields {
    /// A missing status counts as active.
    pub fn is_active(&self) -> bool {
        self.status.as_ref().is_none_or(|status| *status == Status::Active)
    }

    pub fn is_for_organization(&self) -> bool {
        self.target_type == Some(Target::Organization)
    }
}

impl Status {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Active => "active",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
            Self::Other(text) => text,
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Include {
    pub resources: bool,
    pub recipient_counts: bool,
}

impl Include {
    pub const ALL: Self = Self { resources: true, recipient_counts: true };

    fn of<T>(self, mut request: Request<T>) -> Request<T> {
        if self.resources {
            request = request.query("include_resources", "true");
        }
        if self.recipient_counts {
            request = request.query("include_recipient_counts", "true");
        }
        request
    }
}

pub fn get(account: &AccountId, id: &ShareId, include: Include) -> Request<Share> {
    include.of(Request::get(&item_path(account, id)))
}

pub fn create(
    account: &AccountId,
    name: &str,
    recipients: &[RecipientSpec],
    resources: &[resource::NewResource],
) -> WriteRequest<Share> {
    WriteRequest::post(&collection(account)).body(&json!({
        "name": name,
        "recipients": recipients,
        "resources": resources,
    }))
}

/// Only the name can be changed.
pub fn rename(account: &AccountId, id: &ShareId, name: &str) -> WriteRequest<()> {
    WriteRequest::put(&item_path(account, id))
        .body(&json!({ "name": name }))
        .with_decoder(|_| Ok(()))
}

/// Starts the deletion; the response says `deleting`.
pub fn delete(account: &AccountId, id: &ShareId) -> WriteRequest<()> {
    WriteRequest::delete(&item_path(account, id)).with_decoder(|_| Ok(()))
}

fn collection(account: &AccountId) -> [&str; 3] {
    ["accounts", account.as_str(), "shares"]
}

fn item_path<'a>(account: &'a AccountId, id: &'a ShareId) -> [&'a str; 4] {
    ["accounts", account.as_str(), "shares", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_that_says_little_is_read_and_kept() {
        for (text, active, organization) in [
            (r#"{"id":"s1","name":"a","status":"active","target_type":"account"}"#, true, false),
            (r#"{"id":"s1","status":"deleting","target_type":"organization"}"#, false, true),
            (r#"{"id":"s1","status":"frozen","kind":"lent","target_type":"planet"}"#, false, false),
            (r#"{"id":"s1","new":1.50}"#, true, false),
        ] {
            let share: Share = serde_json::from_str(text).unwrap();
            assert_eq!(share.is_active(), active, "{text}");
            assert_eq!(share.is_for_organization(), organization, "{text}");
            assert_eq!(share.text(), text);
        }
    }

    #[test]
    fn a_creation_carries_every_required_field() {
        let account: AccountId = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let resource = resource::NewResource::grant(&account, &"g1".parse().unwrap());
        let request = create(
            &account,
            "Identity provider: Okta",
            &[RecipientSpec::Account(account.clone())],
            &[resource],
        );
        assert_eq!(
            request.body_text(),
            Some(
                r#"{"name":"Identity provider: Okta","recipients":[{"recipient_account_id":"0123456789abcdef0123456789abcdef"}],"resources":[{"meta":{},"resource_account_id":"0123456789abcdef0123456789abcdef","resource_id":"g1","resource_type":"idp-federation-grant"}]}"#
            )
        );
    }
}
