//! A rename that has begun and not ended, for those who look at the account: its
//! connectors may be gone, and SSO off, on purpose. Pure: entries in.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::snapshot::{Open, history, open_anywhere};
use super::task::{Ask, word};
use crate::api::ids::AccountId;
use crate::flow::journal::Entry;
use crate::flow::{Stop, Tools};

/// A rename that has begun and not ended, as far as this machine knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UnderWay {
    /// The team's domain that it is to reach.
    pub goal: String,
    /// When it began.
    #[schemars(with = "String")]
    pub since: Timestamp,
    /// Since when it keeps SSO off; `null` where it did not turn any off.
    #[schemars(with = "Option<String>")]
    pub sso_off_since: Option<Timestamp>,
    /// The command that goes on with it.
    pub command: String,
}

/// Stops a run that takes a rename up if only others have begun one: before
/// anything is asked.
pub fn check_origin(tools: &Tools<'_>, ask: &Ask) -> Result<(), Stop> {
    if matches!(ask, Ask::Rename(_)) {
        return Ok(());
    }
    let entries = tools.journal.read()?.entries;
    let (open, done) = history(&tools.own(&entries), tools.account);
    if open.is_some() || done.is_some() {
        return Ok(());
    }
    tools.check_origin(&open_anywhere(&entries))
}

/// The rename in `account` that has changed something and not ended.
pub fn under_way(entries: &[Entry], account: &AccountId) -> Option<UnderWay> {
    let (open, _) = history(entries, account);
    let Open { snapshot, since, off_since, .. } = open?;
    let (name, how) = snapshot.taken_up(snapshot.from.as_ref() == Some(&snapshot.goal));
    let command = format!("cfsso team rename {} {how}", word(name));
    Some(UnderWay { goal: snapshot.goal, since, sso_off_since: off_since, command })
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::tests::{ACCOUNT, disabling, noted, snapshot};
    use super::super::snapshot::{Note, Snapshot};
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
            let begun = noted("r1", 1, &Note::Before(snapshot.clone()));
            let account = ACCOUNT.parse().unwrap();
            assert_eq!(under_way(std::slice::from_ref(&begun), &account), None, "nothing is done");
            let found = under_way(&[begun, disabling("r1", 2, Outcome::Done)], &account).unwrap();
            assert_eq!((found.goal.as_str(), found.command.as_str()), (goal, command));
            assert_eq!(found.since.as_second(), 1);
            assert_eq!(found.sso_off_since.map(Timestamp::as_second), Some(2));
        }
    }
}
