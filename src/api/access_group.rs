//! What rules of policies refer to: Access groups, and lists of addresses.

use serde::Deserialize;

use super::ids::{AccountId, GroupId, ListId};
use super::policy::PolicyFields;
use super::request::Request;

const PAGE: u32 = 1000;

#[derive(Clone, Debug, Deserialize)]
pub struct ListItem {
    pub value: Option<String>,
}

/// The rules of a group: include, exclude and require as a policy has them.
pub fn get(account: &AccountId, id: &GroupId) -> Request<PolicyFields> {
    Request::get(&["accounts", account.as_str(), "access", "groups", id.as_str()])
}

pub fn list_items(account: &AccountId, id: &ListId) -> Request<Vec<ListItem>> {
    Request::get(&["accounts", account.as_str(), "gateway", "lists", id.as_str(), "items"])
        .paged(PAGE)
}
