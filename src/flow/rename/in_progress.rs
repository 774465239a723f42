//! A rename that has not ended: connectors may be missing, and SSO off, on purpose. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::name::word;
use super::report::Mode;
use super::snapshot::{OpenRename, history, open_anywhere};
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
}
