//! Accounts (API reference, section 8.2).

use serde::Deserialize;

use super::ids::AccountId;
use super::object::Object;
use super::request::Request;

pub type Account = Object<AccountFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct AccountFields {
    pub id: AccountId,
    pub name: Option<String>,
    pub managed_by: Option<Manager>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Manager {
    pub parent_org_id: Option<String>,
}

pub fn list() -> Request<Vec<Account>> {
    Request::get(&["accounts"]).paged(50)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_optional_fields_is_read_and_kept() {
        let text = r#"{"id":"01a7362d577a6c3019a474fd6f485823","settings":{"enforce_twofactor":false},"managed_by":null}"#;
        let account: Account = serde_json::from_str(text).unwrap();
        assert_eq!(account.id.as_str(), "01a7362d577a6c3019a474fd6f485823");
        assert_eq!(account.text(), text);
    }
}
