//! The accounts that `--account` and `--all-accounts` select. Pure: names are looked up later.

use super::error::Error;
use super::options::Options;
use crate::api::ids::AccountId;
use crate::input::value;

/// Texts of as many letters and digits, or over half as many hexadecimal ones, are mistyped IDs.
const ID_LENGTH: usize = 32;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccountSelection {
    /// The account of the environment or the profile, or the only one.
    #[default]
    Default,
    /// Without duplicates.
    Given(Vec<AccountRef>),
    All,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountRef {
    Id(AccountId),
    Name(String),
}

impl AccountSelection {
    pub(super) fn of(options: &Options) -> Result<Self, Error> {
        if options.all_accounts {
            return Ok(Self::All);
        }
        let mut given = Vec::new();
        for text in &options.account {
            let account = account_ref(text)?;
            if !given.contains(&account) {
                given.push(account);
            }
        }
        Ok(if given.is_empty() { Self::Default } else { Self::Given(given) })
    }

    pub fn is_by_id(&self) -> bool {
        let is_id = |account: &AccountRef| matches!(account, AccountRef::Id(_));
        matches!(self, Self::Given(accounts) if accounts.iter().all(is_id))
    }

    pub fn is_one(&self) -> bool {
        self.option_of_several().is_none()
    }

    /// The option that selects several accounts; `None` if one is selected.
    pub fn option_of_several(&self) -> Option<&'static str> {
        match self {
            Self::All => Some("--all-accounts"),
            Self::Given(accounts) if accounts.len() > 1 => Some("--account"),
            Self::Given(_) | Self::Default => None,
        }
    }
}

/// What looks like an ID but is invalid is refused before any request.
fn account_ref(text: &str) -> Result<AccountRef, Error> {
    let reason = match text.parse::<AccountId>() {
        Ok(id) => return Ok(AccountRef::Id(id)),
        Err(reason) => reason,
    };
    let resembles_id = |name: &str| {
        let is_long = name.len() > ID_LENGTH / 2;
        is_long && name.bytes().all(|byte| byte.is_ascii_hexdigit())
            || name.len() == ID_LENGTH && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    match value::trim(text) {
        Ok(name) if !name.is_empty() && !resembles_id(name) => {
            Ok(AccountRef::Name(name.to_owned()))
        }
        _ => Err(Error::Account { origin: "--account", reason }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_given_by_id_or_name() {
        let id = "c001ca75000000000000000000000001";
        for (text, expected) in [
            (id, Some(AccountRef::Id(id.parse().unwrap()))),
            (" Cool Cats ", Some(AccountRef::Name("Cool Cats".to_owned()))),
            ("cafe", Some(AccountRef::Name("cafe".to_owned()))),
            ("../../user", Some(AccountRef::Name("../../user".to_owned()))),
            ("c001ca7500000000000000000000001", None),
            ("c001ca7500000000000000000000000g", None),
            (" ", None),
            ("Cool\u{200b}Cats", None),
        ] {
            assert_eq!(account_ref(text).ok(), expected, "{text:?}");
        }
    }
}
