//! What rules of policies refer to: Access groups, and lists of addresses.

use serde::Deserialize;

use super::ids::{AccountId, GroupId, ListId};
use super::policy::PolicyFields;
use super::request::Request;

/// The most items of a page of a list.
const PAGE: u32 = 1000;

/// An item of a list.
#[derive(Clone, Debug, Deserialize)]
pub struct ListItem {
    /// The address.
    pub value: Option<String>,
}

/// The rules of a group: include, exclude and require as a policy has them.
pub fn get(account: &AccountId, id: &GroupId) -> Request<PolicyFields> {
    Request::get(&["accounts", account.as_str(), "access", "groups", id.as_str()])
}

/// The items of a list.
pub fn list_items(account: &AccountId, id: &ListId) -> Request<Vec<ListItem>> {
    Request::get(&["accounts", account.as_str(), "gateway", "lists", id.as_str(), "items"])
        .paged(PAGE)
}
