//! A rename that has not ended: connectors may be missing, and SSO off, on purpose. Pure.

use std::collections::HashSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::name::word;
use super::report::Mode;
use super::snapshot::{OpenRename, history, of_same_account, open_anywhere, snapshot_in};
use crate::api::ids::AccountId;
use crate::flow::journal::Entry;
use crate::flow::{Env, FlowError};
use crate::rfc3339;

/// A team rename that was started on this machine and has not ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RenameInProgress {
    /// The team domain after the rename.
    pub goal: String,
    /// When the rename started (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub since: Timestamp,
    /// When the rename disabled SSO (RFC 3339); `null` if it did not disable SSO.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub sso_off_since: Option<Timestamp>,
    /// The command that resumes the rename.
    pub command: String,
}

/// Refuses to resume a rename that only another account or API has.
pub fn check_origin(env: &Env<'_>, ask: &Mode) -> Result<(), FlowError> {
    if matches!(ask, Mode::Rename(_)) {
        return Ok(());
    }
    let entries = env.journal.read()?.entries;
    let (open, done) = history(&env.own(&entries), env.account);
    if open.is_some() || done.is_some() {
        return Ok(());
    }
    env.check_origin(&open_anywhere(&entries))
}

pub fn rename_in_progress(entries: &[Entry], account: &AccountId) -> Option<RenameInProgress> {
    let (open, _) = history(entries, account);
    let OpenRename { snapshot, since, off_since, .. } = open?;
    let (name, how) = snapshot.resume_title(snapshot.from.as_ref() == Some(&snapshot.goal));
    let command = format!("cfsso team rename {} {how}", word(name));
    Some(RenameInProgress { goal: snapshot.goal, since, sso_off_since: off_since, command })
}

/// The runs that are renames. Undone one by one, their writes delete the new connectors and
/// cannot bring the previous ones back.
pub fn runs(entries: &[Entry]) -> HashSet<&str> {
    let snapshots = entries.iter().filter(|entry| snapshot_in(entry).is_some());
    snapshots.map(|entry| entry.run.as_str()).collect()
}

/// The error for undoing the steps of a rename, with the command that does undo it.
pub fn undo_refusal<'a>(entries: &[Entry], selected: &'a [Entry]) -> Option<FlowError> {
    let of_run = |run: &str| entries.iter().filter(|entry| entry.run == run).find_map(snapshot_in);
    let find = |entry: &'a Entry| Some((entry, of_run(&entry.run)?));
    let (entry, snapshot) = selected.iter().find_map(find)?;
    let (open, done) = match snapshot.account.parse() {
        Ok(account) => history(&of_same_account(entries, entry), &account),
        Err(_) => (None, None),
    };
    let rollback = |to: &str| format!("`cfsso team rename {} --rollback`", word(to));
    let is_back = snapshot.from.as_ref() == Some(&snapshot.goal);
    let previous = if is_back { Some(&snapshot.to) } else { snapshot.from.as_ref() };
    let command = match (&open, &done) {
        (Some(open), _) => rollback(&open.snapshot.to),
        (None, Some(done)) if done.snapshot.to == snapshot.goal => rollback(&done.snapshot.to),
        _ => {
            let name = previous.map_or_else(|| "<OLD-NAME>".to_owned(), |name| word(name));
            format!("`cfsso team rename {name}`")
        }
    };
    let message = format!("run {} is a team rename; its writes cannot be undone", entry.run);
    let cause = "that would delete the connectors and leave SSO off; nothing was sent";
    Some(FlowError::refused(message).cause(cause).hint(command))
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::tests::{ACCOUNT, disabling, noted, snapshot};
    use super::super::snapshot::{JournalNote, Snapshot};
    use super::*;
    use crate::flow::journal::Outcome;

    #[test]
    fn what_goes_on_is_what_was_under_way() {
        let there = snapshot("cooler-cats.cloudflareaccess.com");
        let back = Snapshot { goal: "a".to_owned(), ..there.clone() };
        for (snapshot, goal, command) in [
            (&there, there.goal.as_str(), "cfsso team rename cooler-cats --resume"),
            (&back, "a", "cfsso team rename cooler-cats --rollback"),
        ] {
            let begun = noted("r1", 1, &JournalNote::Snapshot(snapshot.clone()));
            let account = ACCOUNT.parse().unwrap();
            assert_eq!(
                rename_in_progress(std::slice::from_ref(&begun), &account),
                None,
                "nothing is done"
            );
            let found =
                rename_in_progress(&[begun, disabling("r1", 2, Outcome::Done)], &account).unwrap();
            assert_eq!((found.goal.as_str(), found.command.as_str()), (goal, command));
            assert_eq!(found.since.as_second(), 1);
            assert_eq!(found.sso_off_since.map(Timestamp::as_second), Some(2));
        }
    }

    #[test]
    fn steps_of_a_rename_are_not_undone_one_by_one() {
        let there = snapshot("cooler-cats.cloudflareaccess.com");
        let other = snapshot("wild-cats.cloudflareaccess.com");
        let back = Snapshot { goal: "a".to_owned(), ..there.clone() };
        let begin = |run: &str, number, snapshot: &Snapshot| {
            noted(run, number, &JournalNote::Snapshot(snapshot.clone()))
        };
        let end = |run: &str, number, domain: &str| {
            let auth_domain = domain.to_owned();
            let account = ACCOUNT.to_owned();
            let note = JournalNote::Completed { account, auth_domain, sso_off_seconds: None };
            noted(run, number, &note)
        };
        let write = disabling("r1", 2, Outcome::Done);
        for (entries, command) in [
            (vec![begin("r1", 1, &there)], "`cfsso team rename cooler-cats --rollback`"),
            (
                vec![begin("r1", 1, &there), end("r1", 3, &there.to)],
                "`cfsso team rename cooler-cats --rollback`",
            ),
            (
                vec![begin("r1", 1, &there), end("r1", 3, &there.to), begin("r2", 4, &other)],
                "`cfsso team rename cooler-cats --rollback`",
            ),
            (
                vec![
                    begin("r1", 1, &there),
                    end("r1", 3, &there.to),
                    begin("r2", 4, &other),
                    disabling("r2", 5, Outcome::Done),
                    end("r2", 6, &other.to),
                ],
                "`cfsso team rename a`",
            ),
            (vec![begin("r1", 1, &back), end("r1", 3, "a")], "`cfsso team rename cooler-cats`"),
        ] {
            let mut entries = entries;
            entries.insert(1, write.clone());
            assert!(runs(&entries).contains(write.run.as_str()));
            let error = undo_refusal(&entries, std::slice::from_ref(&write)).unwrap();
            assert_eq!(error.hint.as_deref(), Some(command));
        }
        let alone = std::slice::from_ref(&write);
        assert!(undo_refusal(alone, alone).is_none());
    }
}
