//! Recipients of shares. An empty one would mean the caller's whole organization, so that has a
//! variant of its own.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::filter::Paging;
use crate::api::ids::{AccountId, OrganizationId, RecipientId, ShareId};
use crate::api::object::Object;
use crate::api::request::{Request, WriteRequest};

pub type Recipient = Object<RecipientFields>;

/// A recipient of a share as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct RecipientFields {
    /// The ID of the recipient within its share.
    #[schemars(with = "String")]
    pub id: RecipientId,
    /// The ID of the recipient account, in the current API field.
    #[schemars(with = "Option<String>")]
    pub recipient_account_id: Option<AccountId>,
    /// The ID of the recipient account, in the older API field.
    #[schemars(with = "Option<String>")]
    pub account_id: Option<AccountId>,
    /// The ID of the recipient organization.
    pub organization_id: Option<String>,
    /// The association state.
    pub association_status: Option<Association>,
    /// The state of each shared resource at this recipient, if requested.
    #[serde(default)]
    pub resources: Option<Vec<ResourceStatus>>,
    /// When it was added (RFC 3339).
    pub created: Option<String>,
    /// When it was last changed (RFC 3339).
    pub modified: Option<String>,
}

/// The association state of a recipient.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Association {
    /// The share is being associated with the recipient.
    Associating,
    /// The recipient has access to the share.
    Associated,
    /// The share is being removed from the recipient.
    Disassociating,
    /// The share was removed from the recipient; the API still lists its record.
    Disassociated,
    /// A state unknown to this version; treat it as not associated.
    #[serde(untagged)]
    Other(String),
}

/// The state of one shared resource at a recipient.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ResourceStatus {
    /// The error of the association, if it failed.
    pub error: Option<String>,
    /// The ID of the shared resource.
    pub resource_id: Option<String>,
    /// The version of the resource.
    pub resource_version: Option<u64>,
    /// Whether the failure is permanent: the API does not retry.
    pub terminal: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum RecipientSpec {
    #[serde(rename = "recipient_account_id")]
    Account(AccountId),
    #[serde(rename = "organization_id")]
    Organization(OrganizationId),
    /// Every account of the caller's organization: sent as an empty object.
    #[serde(untagged)]
    EntireOrganization {},
}

impl RecipientFields {
    /// The old field name is valid until 2027-05-26 (API reference, section 7).
    pub fn account(&self) -> Option<&AccountId> {
        self.recipient_account_id.as_ref().or(self.account_id.as_ref())
    }

    /// Has the share, or is about to.
    pub fn is_active(&self) -> bool {
        matches!(
            self.association_status,
            None | Some(Association::Associated | Association::Associating)
        )
    }

    /// Errors after which the API stops trying.
    pub fn failures(&self) -> impl Iterator<Item = &str> {
        self.errors(true)
    }

    /// Errors after which the API tries again.
    pub fn retryable_errors(&self) -> impl Iterator<Item = &str> {
        self.errors(false)
    }

    fn errors(&self, terminal: bool) -> impl Iterator<Item = &str> {
        self.resources.iter().flatten().filter_map(move |delivery| {
            let error = delivery.error.as_deref().filter(|error| !error.is_empty());
            match error {
                Some(error) if delivery.is_terminal() == terminal => Some(error),
                None if terminal && delivery.is_terminal() => Some("no reason was given"),
                _ => None,
            }
        })
    }
}

impl ResourceStatus {
    fn is_terminal(&self) -> bool {
        self.terminal == Some(true)
    }
}

impl Association {
    /// As the API writes it. Known states take no memory: there can be thousands.
    pub fn text(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Self::Associating => "associating",
            Self::Associated => "associated",
            Self::Disassociating => "disassociating",
            Self::Disassociated => "disassociated",
            Self::Other(text) => return text.clone().into(),
        })
    }
}

/// Includes recipients that were removed.
pub fn list(account: &AccountId, share: &ShareId, paging: Paging) -> Request<Vec<Recipient>> {
    let request = Request::get(&collection(account, share));
    paging.of(request.query("include_resources", "true"))
}

pub fn get(account: &AccountId, share: &ShareId, id: &RecipientId) -> Request<Recipient> {
    Request::get(&item_path(account, share, id)).query("include_resources", "true")
}

pub fn add(account: &AccountId, share: &ShareId, to: &RecipientSpec) -> WriteRequest<Recipient> {
    WriteRequest::post(&collection(account, share)).body(to)
}

/// Starts the removal. The record stays.
pub fn remove(account: &AccountId, share: &ShareId, id: &RecipientId) -> WriteRequest<()> {
    WriteRequest::delete(&item_path(account, share, id)).with_decoder(|_| Ok(()))
}

fn collection<'a>(account: &'a AccountId, share: &'a ShareId) -> [&'a str; 5] {
    ["accounts", account.as_str(), "shares", share.as_str(), "recipients"]
}

fn item_path<'a>(account: &'a AccountId, share: &'a ShareId, id: &'a RecipientId) -> [&'a str; 6] {
    ["accounts", account.as_str(), "shares", share.as_str(), "recipients", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = "0123456789abcdef0123456789abcdef";
    const B: &str = "11111111111111111111111111111111";

    #[test]
    fn the_account_is_read_by_its_new_and_by_its_old_name() {
        for (names, account) in [
            (format!(r#""recipient_account_id":"{A}""#), Some(A)),
            (format!(r#""account_id":"{A}""#), Some(A)),
            (format!(r#""recipient_account_id":"{A}","account_id":"{B}""#), Some(A)),
            (r#""organization_id":"o1","account_id":null"#.to_owned(), None),
        ] {
            let recipient: Recipient =
                serde_json::from_str(&format!(r#"{{"id":"r1",{names}}}"#)).unwrap();
            assert_eq!(recipient.account().map(AccountId::as_str), account, "{names}");
        }
    }

    #[test]
    fn only_what_was_given_up_is_a_failure() {
        for (resources, failures, retried) in [
            (r#"[{"error":"no seats","terminal":true}]"#, &["no seats"][..], &[][..]),
            (r#"[{"error":"busy","terminal":false}]"#, &[], &["busy"]),
            (r#"[{"error":"busy"}]"#, &[], &["busy"]),
            (r#"[{"error":"","terminal":false}]"#, &[], &[]),
            (r#"[{"terminal":true}]"#, &["no reason was given"], &[]),
            ("null", &[], &[]),
        ] {
            let text = format!(r#"{{"id":"r1","resources":{resources}}}"#);
            let recipient: Recipient = serde_json::from_str(&text).unwrap();
            assert_eq!(recipient.failures().collect::<Vec<_>>(), failures, "{resources}");
            assert_eq!(recipient.retryable_errors().collect::<Vec<_>>(), retried, "{resources}");
        }
    }

    #[test]
    fn an_empty_recipient_is_written_by_its_own_name_alone() {
        for (to, body) in [
            (
                RecipientSpec::Account(A.parse().unwrap()),
                format!(r#"{{"recipient_account_id":"{A}"}}"#),
            ),
            (
                RecipientSpec::Organization("o1".parse().unwrap()),
                r#"{"organization_id":"o1"}"#.to_owned(),
            ),
            (RecipientSpec::EntireOrganization {}, "{}".to_owned()),
        ] {
            assert_eq!(serde_json::to_string(&to).unwrap(), body);
        }
    }

    #[test]
    fn who_has_a_share_or_is_about_to_is_active() {
        for (state, is_active) in [
            (r#""associated""#, true),
            (r#""associating""#, true),
            (r#""disassociated""#, false),
            (r#""frozen""#, false),
            ("null", true),
        ] {
            let text = format!(r#"{{"id":"r1","association_status":{state}}}"#);
            let recipient: Recipient = serde_json::from_str(&text).unwrap();
            assert_eq!(recipient.is_active(), is_active, "{state}");
        }
    }
}
