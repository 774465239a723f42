use super::Context;
use crate::api::account::{self, Account};
use crate::api::ids::AccountId;
use crate::api::{Client, ErrorKind};
use crate::flow::FlowError;
use crate::sandbox;

impl Context {
    /// Uses an account that the user chose, unless one is in use already.
    pub fn use_account(&self, account: &AccountId) {
        if self.account.set(account.clone()).is_ok() {
            self.warn_unknown_outcomes(account);
        }
    }

    /// The account, if it was named; the user is not asked for it.
    pub async fn named_account(&self) -> anyhow::Result<Option<AccountId>> {
        if let Some(given) = self.given_account().await? {
            return Ok(Some(given));
        }
        let sandbox = self.sandbox().await?;
        let account = match sandbox {
            Some(sandbox) => Some(sandbox.account().clone()),
            None => self.running_simulator.get().map(|_| sandbox::first_account()),
        };
        Ok(account.or_else(|| self.settings.account.clone()))
    }

    /// The account's name, if it was named by it or found in the list of accounts: no request is sent
    /// for it.
    pub fn account_name(&self) -> Option<&str> {
        self.account_name.get().map(String::as_str)
    }

    pub(super) fn remember_name(&self, name: Option<String>) {
        if let Some(name) = name {
            // A second one is the same: a run has one account.
            let _ = self.account_name.set(name);
        }
    }

    /// The named account, or the only one that the token has access to.
    pub async fn account(&self) -> anyhow::Result<&AccountId> {
        self.account
            .get_or_try_init(async || {
                let account = match self.named_account().await? {
                    Some(account) => account,
                    None => self.only_account().await?,
                };
                self.warn_unknown_outcomes(&account);
                Ok(account)
            })
            .await
    }

    async fn only_account(&self) -> anyhow::Result<AccountId> {
        let only = only_account(self.client().await?).await?;
        self.remember_name(only.name.clone());
        Ok(only.id.clone())
    }
}

async fn only_account(client: &Client) -> anyhow::Result<Account> {
    let accounts = match client.list(&account::list()).await {
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            let message = "no account was specified, and this token cannot list accounts";
            return Err(FlowError::usage(message)
                .cause(error.to_string())
                .hint("`--account <ID>`, or `export CLOUDFLARE_ACCOUNT_ID=<ID>`")
                .into());
        }
        accounts => accounts?,
    };
    match accounts.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(FlowError::usage("no account was specified, and this token has access to none")
            .hint("`--account <ID>`, or `export CLOUDFLARE_ACCOUNT_ID=<ID>`")
            .into()),
        several => {
            let message =
                format!("no account was specified, and this token has access to {}", several.len());
            let describe = |account: &Account| {
                format!("{}  {}", account.id, account.name.as_deref().unwrap_or_default())
            };
            Err(FlowError::usage(message)
                .causes(several.iter().map(describe))
                .hint("add `--account <ID>`")
                .into())
        }
    }
}
