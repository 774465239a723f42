//! The accounts that the options select; names are resolved.

use super::Context;
use crate::api::account;
use crate::api::ids::AccountId;
use crate::flow::federation::accounts::AccountDirectory;
use crate::flow::federation::recipients::find_account;
use crate::flow::{FlowError, FlowErrorKind};
use crate::output::Text;
use crate::settings::{AccountRef, AccountSelection};

#[derive(Clone, Debug)]
pub struct NamedAccount {
    pub id: AccountId,
    /// `None` if the token cannot list accounts.
    pub name: Option<String>,
}

impl Context {
    /// The account of a single `--account`.
    pub(super) async fn given_account(&self) -> anyhow::Result<Option<AccountId>> {
        match &self.settings.accounts {
            AccountSelection::Given(accounts) => match accounts.as_slice() {
                [AccountRef::Id(id)] => Ok(Some(id.clone())),
                [AccountRef::Name(name)] => {
                    let listed = self.client().await?.list(&account::list()).await?;
                    let directory = AccountDirectory::new(listed);
                    let id = find(name, &directory)?;
                    self.remember_name(directory.name(&id).map(str::to_owned));
                    Ok(Some(id))
                }
                _ => Ok(None),
            },
            AccountSelection::Default | AccountSelection::All => Ok(None),
        }
    }

    /// The accounts that the options select; `None` if they select one. Fails for an unknown or
    /// ambiguous name, and if the token cannot list accounts, unless all are given by ID.
    pub async fn several_accounts(&self) -> anyhow::Result<Option<Vec<NamedAccount>>> {
        if self.settings.accounts.is_one() {
            return Ok(None);
        }
        // This client tracks and respects the rate limit for all following requests.
        let client = self.client().await?.for_account();
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

/// An unknown or ambiguous name is a usage error that lists the candidates.
fn find(name: &str, directory: &AccountDirectory) -> Result<AccountId, FlowError> {
    find_account(name, directory).map_err(|mut error| {
        error.kind = FlowErrorKind::Usage;
        error
    })
}
