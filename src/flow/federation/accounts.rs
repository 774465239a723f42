//! The accounts that the token sees: what they are called, and which
//! organization they belong to.

use crate::api::account::{self, Account};
use crate::api::ids::AccountId;
use crate::flow::{Env, Error};

/// The accounts that the token sees.
#[derive(Debug, Default)]
pub struct AccountDirectory {
    accounts: Vec<Account>,
    /// Why the accounts cannot be listed, where they cannot.
    pub unlisted: Option<String>,
}

/// The organization of an account, as far as it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership<'a> {
    Member(&'a str),
    /// It belongs to none, while others that the token sees belong to one.
    NoOrganization,
    /// The token does not see it, or no account says what it belongs to.
    Unknown,
}

/// Lists the accounts. A token without permission does not fail: the API makes the
/// final decision on recipients.
pub async fn read(tools: &Env<'_>) -> Result<AccountDirectory, Error> {
    match tools.client.list(&account::list()).await {
        Ok(accounts) => Ok(AccountDirectory::new(accounts)),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => Ok(AccountDirectory { accounts: Vec::new(), unlisted: Some(error.reason()) }),
    }
}

impl AccountDirectory {
    /// A directory of these accounts.
    pub fn new(accounts: Vec<Account>) -> Self {
        Self { accounts, unlisted: None }
    }

    /// The accounts.
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Whether it knows the account.
    pub fn knows(&self, id: &AccountId) -> bool {
        self.find(id).is_some()
    }

    /// The account's name.
    pub fn name(&self, id: &AccountId) -> Option<&str> {
        self.find(id)?.name.as_deref()
    }

    /// The account as people are told of it: by its name where that is known.
    pub fn display_name(&self, id: &AccountId) -> String {
        self.name(id).map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    }

    /// The organization of an account. That a list names no organization at
    /// all says nothing: the field is a hint (API reference, section 6).
    pub fn membership(&self, id: &AccountId) -> Membership<'_> {
        let Some(account) = self.find(id) else { return Membership::Unknown };
        match organization(account) {
            Some(organization) => Membership::Member(organization),
            None if self.accounts.iter().any(|other| organization(other).is_some()) => {
                Membership::NoOrganization
            }
            None => Membership::Unknown,
        }
    }

    fn find(&self, id: &AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id.as_str().eq_ignore_ascii_case(id.as_str()))
    }
}

fn organization(account: &Account) -> Option<&str> {
    let id = account.managed_by.as_ref()?.parent_org_id.as_deref()?;
    (!id.is_empty()).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(digit: char, managed_by: &str) -> Account {
        let id: String = std::iter::repeat_n(digit, 32).collect();
        let text = format!(r#"{{"id":"{id}","name":"Account {digit}","managed_by":{managed_by}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn no_organization_is_known_only_where_another_account_names_one() {
        let one = r#"{"parent_org_id":"o1"}"#;
        let id = |digit: char| -> AccountId {
            std::iter::repeat_n(digit, 32).collect::<String>().parse().unwrap()
        };
        for (accounts, asked, membership) in [
            (vec![account('a', one)], 'a', Membership::Member("o1")),
            (vec![account('a', "null"), account('b', one)], 'a', Membership::NoOrganization),
            (vec![account('a', "null"), account('b', "null")], 'a', Membership::Unknown),
            (vec![account('a', r#"{"parent_org_id":""}"#)], 'a', Membership::Unknown),
            (vec![account('a', one)], 'c', Membership::Unknown),
        ] {
            let directory = AccountDirectory::new(accounts);
            assert_eq!(directory.membership(&id(asked)), membership);
        }
    }
}
