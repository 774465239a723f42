//! The accounts that the options select, looked up where they are given by name.

use super::Context;
use crate::api::account;
use crate::api::ids::AccountId;
use crate::flow::federation::accounts::AccountDirectory;
use crate::flow::federation::recipients::find_account;
use crate::flow::{FlowError, FlowErrorKind};
use crate::output::Text;
use crate::settings::{AccountRef, AccountSelection};

/// One of several accounts.
#[derive(Clone, Debug)]
pub struct NamedAccount {
    pub id: AccountId,
    /// Its name, where the token can list accounts.
    pub name: Option<String>,
}

impl Context {
    /// The account, if it was specified by its ID: no request is needed for it.
    pub fn account_by_id(&self) -> Option<&AccountId> {
        match &self.settings.accounts {
            AccountSelection::Given(accounts) => match accounts.as_slice() {
                [AccountRef::Id(id)] => Some(id),
                _ => None,
            },
            AccountSelection::Default => self.settings.account.as_ref(),
            AccountSelection::All => None,
        }
    }

    /// The one account that `--account` gives.
    pub(super) async fn given_account(&self) -> anyhow::Result<Option<AccountId>> {
        match &self.settings.accounts {
            AccountSelection::Given(accounts) => match accounts.as_slice() {
                [AccountRef::Id(id)] => Ok(Some(id.clone())),
                [AccountRef::Name(name)] => {
                    let listed = self.client().await?.list(&account::list()).await?;
                    Ok(Some(find(name, &AccountDirectory::new(listed))?))
                }
                _ => Ok(None),
            },
            AccountSelection::Default | AccountSelection::All => Ok(None),
        }
    }

    /// The accounts of a command that reads several, by name and ID; `None` if the
    /// options select one.
    ///
    /// # Errors
    /// If a name is unknown or ambiguous, and if the token cannot list accounts and
    /// not all are given by ID.
    pub async fn several_accounts(&self) -> anyhow::Result<Option<Vec<NamedAccount>>> {
        if self.settings.accounts.is_one() {
            return Ok(None);
        }
        // It counts, and heeds, what is left of the rate limit for all that follows.
        let client = self.client().await?.for_one_of_many();
        let directory = match client.list(&account::list()).await {
            Ok(listed) => AccountDirectory::new(listed),
            // Without the list they have no names.
            Err(_) if self.settings.accounts.is_by_id() => AccountDirectory::default(),
            Err(error) => return Err(error.into()),
        };
        for odd in client.odd_records(None) {
            self.screen.warn(Text::plain(format!("invalid record left out: {}", odd.describe())));
        }
        let mut ids = match &self.settings.accounts {
            AccountSelection::Given(given) => {
                let find = |account: &AccountRef| match account {
                    AccountRef::Id(id) => Ok(id.clone()),
                    AccountRef::Name(name) => find(name, &directory),
                };
                given.iter().map(find).collect::<Result<Vec<_>, _>>()?
            }
            AccountSelection::All | AccountSelection::Default => {
                directory.accounts().iter().map(|account| account.id.clone()).collect()
            }
        };
        if ids.is_empty() {
            let message = "this token has access to no account";
            return Err(FlowError::usage(message).into());
        }
        ids.sort_by(|a, b| (directory.name(a), a.as_str()).cmp(&(directory.name(b), b.as_str())));
        ids.dedup_by(|a, b| a.as_str().eq_ignore_ascii_case(b.as_str()));
        let named = ids.into_iter().map(|id| {
            let name = directory.name(&id).map(str::to_owned);
            NamedAccount { id, name }
        });
        Ok(Some(named.collect()))
    }
}

/// The account of that name. A name that is unknown or ambiguous is an error of usage
/// that lists the candidates.
fn find(name: &str, directory: &AccountDirectory) -> Result<AccountId, FlowError> {
    find_account(name, directory).map_err(|mut error| {
        error.kind = FlowErrorKind::Usage;
        error
    })
}
