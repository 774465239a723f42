//! Access groups: the rules and lists of addresses that policies refer to.

use serde::Deserialize;

use super::ids::{AccountId, GroupId, ListId};
use super::policy::PolicyFields;
use super::request::Request;

const PAGE: u32 = 1000;

#[derive(Clone, Debug, Deserialize)]
pub struct ListItem {
    pub value: Option<String>,
}

pub fn get(account: &AccountId, id: &GroupId) -> Request<PolicyFields> {
    Request::get(&["accounts", account.as_str(), "access", "groups", id.as_str()])
}

pub fn list_items(account: &AccountId, id: &ListId) -> Request<Vec<ListItem>> {
    Request::get(&["accounts", account.as_str(), "gateway", "lists", id.as_str(), "items"])
        .paged(PAGE)
}
