//! Account and API of an entry. Entries of another one are never undone or resumed.

use super::{Entry, Journal};
use crate::api::ids::AccountId;
use crate::flow::{Env, FlowError};
use crate::shell::quoted;

impl Journal<'_> {
    pub fn check_api(&self, entries: &[Entry]) -> Result<(), FlowError> {
        entries.iter().try_for_each(|entry| same_api(entry, &self.actor().base_url))
    }

    pub fn is_own(&self, entry: &Entry, account: &AccountId) -> bool {
        is_of(entry, &self.actor().base_url, account)
    }
}

impl Env<'_> {
    pub fn check_origin(&self, entries: &[Entry]) -> Result<(), FlowError> {
        self.journal.check_api(entries)?;
        entries.iter().try_for_each(|entry| same_account(entry, self.account))
    }

    /// The entries of the account and the API in use.
    pub fn own(&self, entries: &[Entry]) -> Vec<Entry> {
        let own = entries.iter().filter(|entry| self.journal.is_own(entry, self.account));
        own.cloned().collect()
    }
}

/// The entries of each account and API, in their order.
pub fn by_origin(entries: &[Entry]) -> Vec<Vec<Entry>> {
    let mut groups: Vec<Vec<Entry>> = Vec::new();
    for entry in entries {
        let is_same = |group: &&mut Vec<Entry>| {
            (&group[0].account, &group[0].base_url) == (&entry.account, &entry.base_url)
        };
        match groups.iter_mut().find(is_same) {
            Some(group) => group.push(entry.clone()),
            None => groups.push(vec![entry.clone()]),
        }
    }
    groups
}

fn is_of(entry: &Entry, base_url: &str, account: &AccountId) -> bool {
    entry.base_url.as_deref() == Some(base_url) && entry.account.as_ref() == Some(account)
}

fn same_api(entry: &Entry, in_use: &str) -> Result<(), FlowError> {
    let Some(base_url) = &entry.base_url else {
        return Err(entry.not_undoable().cause(NOT_RECORDED));
    };
    if base_url == in_use {
        return Ok(());
    }
    let error = elsewhere(entry)
        .cause(format!("it was written to the API at {base_url}, this run uses {in_use}"));
    // A ticket or an imported journal may be forged: no hint sends the token to its URL.
    Err(match base_url.strip_prefix(SANDBOX) {
        Some(state) => error.hint(format!("`--sandbox --sandbox-state {}`", quoted(state))),
        None => error.hint(
            "undo it with the profile or the machine that made it; if no one here uses that API, \
             do not trust this entry",
        ),
    })
}

fn same_account(entry: &Entry, in_use: &AccountId) -> Result<(), FlowError> {
    let Some(account) = &entry.account else {
        return Err(entry.not_undoable().cause(NOT_RECORDED));
    };
    if account == in_use {
        return Ok(());
    }
    Err(elsewhere(entry)
        .cause(format!("it belongs to the account {account}, this run uses {in_use}"))
        .hint(format!("`--account {account}`")))
}

fn elsewhere(entry: &Entry) -> FlowError {
    let message = format!("entry {} is of another account or API; nothing was sent", entry.id);
    FlowError::conflict(message)
}

impl Entry {
    /// The refusal to undo it, still without a cause.
    pub fn not_undoable(&self) -> FlowError {
        FlowError::refused(format!("entry {} cannot be undone", self.id))
    }
}

/// For entries of format 1.
pub(in crate::flow) const NOT_RECORDED: &str = "an earlier version of cfsso wrote it without account and API; cannot verify that \
     undoing it reaches the same object";

/// Prefix of `base_url` for a simulator that ends with the command: its port differs each time.
pub const SANDBOX: &str = "sandbox:";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    #[test]
    fn an_entry_of_another_account_or_api_is_refused_with_what_selects_it() {
        let entry = Entry::sample("r1", 1, "{}");
        let (account, other) = (entry.account.clone().unwrap(), "f".repeat(32));
        let base_url = entry.base_url.clone().unwrap();
        assert!(same_account(&entry, &account).is_ok() && same_api(&entry, &base_url).is_ok());
        let error = same_account(&entry, &other.parse().unwrap()).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Conflict);
        assert_eq!(error.hint.unwrap(), format!("`--account {account}`"));
        for (at, hint) in [
            ("https://api.staging.example", "do not trust this entry"),
            ("sandbox:/s.json", "--sandbox-state /s.json"),
        ] {
            let entry = Entry { base_url: Some(at.to_owned()), ..entry.clone() };
            let error = same_api(&entry, &base_url).unwrap_err();
            assert_eq!(error.kind, FlowErrorKind::Conflict);
            assert!(error.causes[0].contains(at) && error.causes[0].contains(&base_url), "{at}");
            let shown = error.hint.unwrap();
            assert!(shown.contains(hint) && !shown.contains("https://"), "{at}: {shown}");
        }
        let old = Entry { account: None, base_url: None, ..entry };
        assert_eq!(same_api(&old, &base_url).unwrap_err().kind, FlowErrorKind::Refused);
        assert!(!is_of(&old, &base_url, &account));
    }
}
