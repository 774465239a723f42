//! The accounts that the token sees, with their names and organizations.

use crate::api::account::{self, Account};
use crate::api::ids::AccountId;
use crate::flow::{Env, Error};

#[derive(Debug, Default)]
pub struct AccountDirectory {
    accounts: Vec<Account>,
    /// The reason why the accounts cannot be listed.
    pub unlisted: Option<String>,
}

/// The organization of an account: `Member` contains its ID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership<'a> {
    Member(&'a str),
    /// In no organization, while another account that the token sees is in one.
    NoOrganization,
    /// The token does not see the account, or no account shows an organization.
    Unknown,
}

/// A missing permission is not an error: the API makes the final decision on recipients.
pub async fn read(env: &Env<'_>) -> Result<AccountDirectory, Error> {
    match env.client.list(&account::list()).await {
        Ok(accounts) => Ok(AccountDirectory::new(accounts)),
        Err(error) if error.is_retryable() => Err(error.into()),
        Err(error) => Ok(AccountDirectory { accounts: Vec::new(), unlisted: Some(error.reason()) }),
    }
}

impl AccountDirectory {
    pub fn new(accounts: Vec<Account>) -> Self {
        Self { accounts, unlisted: None }
    }

    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    pub fn knows(&self, id: &AccountId) -> bool {
        self.find(id).is_some()
    }

    pub fn name(&self, id: &AccountId) -> Option<&str> {
        self.find(id)?.name.as_deref()
    }

    /// With the name if it is known.
    pub fn display_name(&self, id: &AccountId) -> String {
        self.name(id).map_or_else(|| id.to_string(), |name| format!("{name} ({id})"))
    }

    /// Unknown if no account shows one: the field is a hint (API reference, section 6).
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
