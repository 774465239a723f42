//! Trials of enforcement, by the journal. Pure.

use jiff::Timestamp;
use serde::Deserialize;

use super::entry::{Entry, Outcome};
use crate::api::ids::ConnectorId;

#[derive(Clone, Debug)]
pub struct OpenTrial {
    /// The entry that started or resumed the trial.
    pub entry: Entry,
    pub connector: ConnectorId,
    pub domain: String,
    pub until: Timestamp,
    /// A process watches it.
    pub is_live: bool,
}

/// A trial that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClosedTrial {
    /// The ID of the entry that started or resumed it.
    pub entry: String,
    pub ended_at: Timestamp,
    /// In words.
    pub outcome: String,
}

#[derive(Debug, Deserialize)]
pub struct TrialEnd {
    pub trial: String,
    pub outcome: String,
}

#[derive(Deserialize)]
struct Before {
    id: ConnectorId,
    email_domain: String,
}

#[derive(Deserialize)]
struct Changed {
    updated_on: Option<String>,
}

impl OpenTrial {
    /// A request that the API rejected started no trial.
    pub(super) fn find(entries: &[Entry], is_live: bool) -> Option<Self> {
        let began = |entry: &&Entry| entry.trial.is_some() && entry.outcome != Outcome::Failed;
        let entry = entries.iter().rfind(began)?.clone();
        if entries.iter().any(|other| other.trial_end().is_some_and(|end| end.trial == entry.id)) {
            return None;
        }
        Self::of(entry, is_live)
    }

    fn of(entry: Entry, is_live: bool) -> Option<Self> {
        let before: Before = serde_json::from_str(entry.before.as_ref()?.get()).ok()?;
        let (connector, domain) = (before.id, before.email_domain);
        Some(Self { until: entry.trial?.until, connector, domain, is_live, entry })
    }

    /// When the connector was last changed, as far as this trial knows: by its own request, or as
    /// it was when the trial was resumed.
    pub fn last_known_change(&self) -> Option<Timestamp> {
        let is_resumed = self.entry.is_note();
        let object = if is_resumed { &self.entry.before } else { &self.entry.after };
        let known: Changed = serde_json::from_str(object.as_ref()?.get()).ok()?;
        known.updated_on?.parse().ok()
    }

    /// By a note, or by a request that disabled or deleted the connector.
    pub fn is_ended_by(&self, later: &Entry) -> bool {
        if later.trial_end().is_some_and(|end| end.trial == self.entry.id) {
            return true;
        }
        if later.order() <= self.entry.order() || later.outcome != Outcome::Done {
            return false;
        }
        let line = later.request_line();
        let is_of_connector = line.ends_with(&format!("/sso_connectors/{}", self.connector));
        let disables = || later.request.get().contains(r#""enabled":false"#);
        is_of_connector && (line.starts_with("DELETE ") || disables())
    }
}

impl ClosedTrial {
    /// The last trial of the connector, unless it is open.
    pub fn find(entries: &[Entry], connector: &ConnectorId) -> Option<Self> {
        let began = |entry: &&Entry| entry.trial.is_some() && entry.outcome != Outcome::Failed;
        let latest_first = entries.iter().rev().filter(began);
        let trial = latest_first
            .filter_map(|entry| OpenTrial::of(entry.clone(), false))
            .find(|trial| trial.connector == *connector)?;
        // A note says more than the request that disabled SSO before it.
        let noted = entries.iter().find_map(|entry| {
            let end = entry.trial_end().filter(|end| end.trial == trial.entry.id)?;
            Some((entry, end.outcome.replace('_', " ")))
        });
        let request = || {
            let entry = entries.iter().find(|entry| trial.is_ended_by(entry))?;
            Some((entry, format!("ended by entry {}", entry.id)))
        };
        let (end, outcome) = noted.or_else(request)?;
        Some(Self { entry: trial.entry.id, ended_at: end.started_at, outcome })
    }
}

impl Entry {
    pub fn trial_end(&self) -> Option<TrialEnd> {
        self.is_note().then_some(())?;
        serde_json::from_str(self.before.as_ref()?.get()).ok()
    }

    /// Whether this request disabled SSO that was on trial: nothing had confirmed yet that
    /// users can sign in with it.
    pub fn ended_trial(&self, entries: &[Self]) -> bool {
        let connector = |entry: &Self| {
            let before: Option<Before> = serde_json::from_str(entry.before.as_ref()?.get()).ok();
            Some(before?.id)
        };
        let is_trial = |entry: &&Self| {
            entry.trial.is_some()
                && entry.outcome != Outcome::Failed
                && entry.order() < self.order()
                && connector(entry) == connector(self)
        };
        entries.iter().rfind(is_trial).is_some_and(|trial| {
            let ends = |entry: &&Self| entry.trial_end().is_some_and(|end| end.trial == trial.id);
            entries.iter().find(ends).is_none_or(|end| end.order() > self.order())
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;
    use crate::flow::journal::TrialTerms;

    const ON: &str =
        r#"{"method":"PATCH","path":"/accounts/a/sso_connectors/c1","body":{"enabled":true}}"#;

    fn entry(number: u32, request: &str, before: &str) -> Entry {
        let before = RawValue::from_string(before.to_owned()).ok();
        Entry { before, ..Entry::sample("r", number, request) }
    }

    fn trial() -> Entry {
        let until = Timestamp::from_second(600).unwrap();
        let trial = Some(TrialTerms { until, keep_on_confirm: false, accept_otp: false });
        Entry { trial, ..entry(1, ON, r#"{"id":"c1","email_domain":"cool.cats"}"#) }
    }

    #[test]
    fn a_trial_is_open_until_its_end_is_noted() {
        let note =
            |trial: &str| entry(2, "{}", &format!(r#"{{"trial":"{trial}","outcome":"kept"}}"#));
        let refused = Entry { outcome: Outcome::Failed, ..trial() };
        let unfinished = Entry { outcome: Outcome::Unfinished, ..trial() };
        for (entries, is_open) in [
            (vec![trial()], true),
            (vec![unfinished], true),
            (vec![refused], false),
            (vec![trial(), note("r.1")], false),
            (vec![trial(), note("r.7")], true),
            (vec![entry(1, ON, "null")], false),
            (vec![], false),
        ] {
            let open = OpenTrial::find(&entries, true);
            assert_eq!(open.is_some(), is_open, "{entries:?}");
            assert!(open.is_none_or(|open| open.connector.as_str() == "c1"));
        }
    }

    #[test]
    fn whoever_disables_or_deletes_the_connector_ends_its_trial() {
        let open = OpenTrial::find(&[trial()], false).unwrap();
        for (later, ends) in [
            (entry(2, &ON.replace("true", "false"), "null"), true),
            (entry(2, &ON.replace("PATCH", "DELETE"), "null"), true),
            (entry(2, ON, "null"), false),
            (entry(2, &ON.replace("true", "false").replace("c1", "c2"), "null"), false),
            (entry(0, &ON.replace("true", "false"), "null"), false),
            (entry(2, "{}", r#"{"trial":"r.1","outcome":"kept"}"#), true),
            (
                Entry {
                    outcome: Outcome::Failed,
                    ..entry(2, &ON.replace("true", "false"), "null")
                },
                false,
            ),
        ] {
            assert_eq!(open.is_ended_by(&later), ends, "{}", later.request.get());
        }
    }

    #[test]
    fn a_trial_that_is_over_is_found_with_its_outcome() {
        let off = || entry(2, &ON.replace("true", "false"), "null");
        let note = |number: u32, outcome: &str| {
            entry(number, "{}", &format!(r#"{{"trial":"r.1","outcome":"{outcome}"}}"#))
        };
        let again = || Entry { id: "r.4".to_owned(), ..trial() };
        for (entries, expected) in [
            (vec![], None),
            (vec![trial()], None),
            (vec![trial(), note(2, "reverted_by_hand")], Some(("reverted by hand", 2))),
            (vec![trial(), off(), note(3, "reverted")], Some(("reverted", 3))),
            (vec![trial(), off()], Some(("ended by entry r.2", 2))),
            (vec![trial(), note(2, "reverted"), again()], None),
            (vec![Entry { outcome: Outcome::Failed, ..trial() }, off()], None),
        ] {
            let found = ClosedTrial::find(&entries, &"c1".parse().unwrap());
            let found = found.as_ref().map(|it| (&*it.outcome, it.ended_at.as_second()));
            assert_eq!(found, expected, "{entries:?}");
            assert_eq!(ClosedTrial::find(&entries, &"c2".parse().unwrap()), None);
        }
    }

    #[test]
    fn a_trial_is_ended_by_what_disabled_it_before_its_end_was_noted() {
        const OFF: &str =
            r#"{"method":"PATCH","path":"/accounts/a/sso_connectors/c1","body":{"enabled":false}}"#;
        let off = |number: u32, id: &str| {
            entry(number, OFF, &format!(r#"{{"id":"{id}","email_domain":"cool.cats"}}"#))
        };
        let note = |number: u32, outcome: &str| {
            entry(number, "{}", &format!(r#"{{"trial":"r.1","outcome":"{outcome}"}}"#))
        };
        for (entries, at, expected) in [
            (vec![trial(), off(2, "c1")], 1, true),
            (vec![trial(), off(2, "c1"), note(3, "disabled_elsewhere")], 1, true),
            (vec![trial(), note(2, "kept"), off(3, "c1")], 2, false),
            (vec![trial(), note(2, "reverted"), off(3, "c1")], 2, false),
            (vec![trial(), off(2, "c2")], 1, false),
            (vec![Entry { outcome: Outcome::Failed, ..trial() }, off(2, "c1")], 1, false),
            (vec![off(2, "c1")], 0, false),
        ] {
            assert_eq!(entries[at].ended_trial(&entries), expected, "{entries:?}");
        }
    }
}
