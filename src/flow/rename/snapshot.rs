//! What a rename has to restore, and its progress by the journal. Pure.

use std::collections::HashSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::api::connector::{Connector, ConnectorFields, VerificationStatus};
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::flow::journal::{Entry, Outcome, by_origin};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    pub account: String,
    /// The previous team domain; `None` if it was not recorded.
    pub from: Option<String>,
    pub name: Option<String>,
    pub to: String,
    /// The team domain to reach: in a rollback, the previous one.
    pub goal: String,
    pub also_name: bool,
    pub connectors: Vec<ConnectorSnapshot>,
}

/// The state of a connector before the rename, to be restored afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConnectorSnapshot {
    /// The email domain.
    pub domain: String,
    /// Whether SSO was enabled.
    pub enabled: bool,
    /// Whether the sign-in page used the FedRAMP language.
    pub fedramp: Option<bool>,
    /// The state of the verification.
    pub verification: Option<String>,
}

/// What a rename records in addition to its requests.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "schema")]
pub(super) enum JournalNote {
    #[serde(rename = "cfsso/team-rename-snapshot/v1")]
    Snapshot(Snapshot),
    #[serde(rename = "cfsso/team-rename-idps/v1")]
    IdpProgress { account: String, auth_domain: String, state: IdpState, idps: Value },
    #[serde(rename = "cfsso/team-rename-seen/v1")]
    Observation { account: String, seen: Value },
    #[serde(rename = "cfsso/team-rename-end/v1")]
    Completed { account: String, auth_domain: String, sso_off_seconds: Option<i64> },
    /// A run that found another one in progress, and did nothing.
    #[serde(rename = "cfsso/team-rename-withdrawn/v1")]
    Cancelled { account: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum IdpState {
    Shown,
    Updated,
}

#[derive(Clone, Debug)]
pub struct OpenRename {
    pub snapshot: Snapshot,
    pub since: Timestamp,
    /// As far as this machine knows.
    pub off_since: Option<Timestamp>,
    /// The last team domain that the user had to enter at the identity providers.
    pub shown: Option<String>,
    /// The team domain that the identity providers are known to have.
    pub updated: Option<String>,
    runs: Vec<String>,
    wrote: bool,
}

impl ConnectorSnapshot {
    pub fn of(connector: &ConnectorFields) -> Self {
        Self {
            domain: connector.email_domain.clone(),
            enabled: connector.is_enabled(),
            fedramp: connector.use_fedramp_language,
            verification: connector.status().map(|status| status.as_str().to_owned()),
        }
    }

    /// Nothing is known of it except that it was enabled.
    pub fn assumed_enabled(domain: &EmailDomain) -> Self {
        let verification = Some(VerificationStatus::Verified.as_str().to_owned());
        Self { domain: domain.to_string(), enabled: true, fedramp: None, verification }
    }

    /// A connector that was never verified is not waited for: it does not block others.
    pub fn was_verified(&self) -> bool {
        self.enabled || self.verification.as_deref() == Some(VerificationStatus::Verified.as_str())
    }

    pub(super) fn is_of(&self, domain: &str) -> bool {
        match (self.domain.parse::<EmailDomain>(), domain.parse::<EmailDomain>()) {
            (Ok(a), Ok(b)) => a == b,
            _ => self.domain == domain,
        }
    }
}

impl Snapshot {
    pub(super) fn resume_title(&self, is_back: bool) -> (&str, &'static str) {
        if is_back { (&self.to, "--rollback") } else { (&self.goal, "--resume") }
    }

    /// A known one was disabled by the rename; an unknown one belongs to another client.
    pub fn merge_connectors(mut self, connectors: &[Connector]) -> Self {
        for connector in connectors {
            self.add(ConnectorSnapshot::of(connector));
        }
        self
    }

    /// Whether that makes an enabled one of it.
    pub fn add(&mut self, wanted: ConnectorSnapshot) -> bool {
        let known = self.connectors.iter_mut().find(|known| known.is_of(&wanted.domain));
        let enables = wanted.enabled && known.as_ref().is_none_or(|known| !known.enabled);
        if let Some(known) = known {
            known.enabled |= wanted.enabled;
            known.fedramp = known.fedramp.or(wanted.fedramp);
        } else {
            self.connectors.push(wanted);
        }
        self.connectors.sort_by(|a, b| a.domain.cmp(&b.domain));
        enables
    }
}

fn note(entry: &Entry) -> Option<JournalNote> {
    let image = entry.before.as_ref().filter(|_| entry.is_note())?;
    serde_json::from_str(image.get()).ok()
}

pub(super) fn snapshot_in(entry: &Entry) -> Option<Snapshot> {
    match note(entry)? {
        JournalNote::Snapshot(snapshot) => Some(snapshot),
        _ => None,
    }
}

/// Snapshots of renames in progress, in any account.
pub(super) fn open_anywhere(entries: &[Entry]) -> Vec<Entry> {
    let begins = entries.iter().filter_map(|entry| Some((entry, snapshot_in(entry)?.account)));
    let is_open = |(entry, account): &(&Entry, String)| {
        let entries = of_same_account(entries, entry);
        account.parse().is_ok_and(|account| history(&entries, &account).0.is_some())
    };
    begins.filter(is_open).map(|(entry, _)| entry.clone()).collect()
}

/// Runs of renames that have not ended, in any account.
pub fn open_runs(entries: &[Entry]) -> Vec<String> {
    let open = by_origin(entries).into_iter().filter_map(|entries| {
        let account = entries[0].account.clone()?;
        history(&entries, &account).0
    });
    open.flat_map(|open| open.runs).collect()
}

pub(super) fn of_same_account(entries: &[Entry], entry: &Entry) -> Vec<Entry> {
    let is_same =
        |other: &&Entry| other.account == entry.account && other.base_url == entry.base_url;
    entries.iter().filter(is_same).cloned().collect()
}

fn cancelled_runs(entries: &[Entry]) -> HashSet<&str> {
    let is_cancelled = |entry: &&Entry| matches!(note(entry), Some(JournalNote::Cancelled { .. }));
    entries.iter().filter(is_cancelled).map(|entry| entry.run.as_str()).collect()
}

pub fn history(entries: &[Entry], account: &AccountId) -> (Option<OpenRename>, Option<OpenRename>) {
    let account = account.as_str();
    let (mut open, mut done): (Option<OpenRename>, Option<OpenRename>) = (None, None);
    let cancelled = cancelled_runs(entries);
    for entry in entries.iter().filter(|entry| !cancelled.contains(entry.run.as_str())) {
        match note(entry) {
            Some(JournalNote::Snapshot(snapshot)) if snapshot.account == account => {
                open = Some(start(open.take(), snapshot, entry));
            }
            Some(JournalNote::IdpProgress { account: of, auth_domain, state, .. })
                if of == account =>
            {
                let Some(open) = &mut open else { continue };
                match state {
                    IdpState::Shown => {
                        // The user may have changed it since it was shown.
                        open.updated = open.updated.take().filter(|known| *known == auth_domain);
                        open.shown = Some(auth_domain);
                    }
                    IdpState::Updated => open.updated = Some(auth_domain),
                }
            }
            Some(JournalNote::Completed { account: of, auth_domain, .. }) if of == account => {
                let ended = open.take().filter(|open| open.snapshot.to == auth_domain);
                // SSO is no longer off, and the identity providers have the new name.
                done = ended.map(|open| OpenRename {
                    off_since: None,
                    updated: Some(auth_domain),
                    ..open
                });
            }
            Some(_) => {}
            None => {
                let Some(open) = &mut open else { continue };
                let counts = !entry.is_note()
                    && entry.outcome != Outcome::Failed
                    && !entry.changes_nothing();
                if counts && open.runs.contains(&entry.run) {
                    open.wrote = true;
                    if disables_sso(entry) {
                        open.off_since.get_or_insert(entry.started_at);
                    }
                }
            }
        }
    }
    (open.filter(|open| open.wrote), done)
}

/// A later run continues an earlier one, or replaces one that wrote nothing.
fn start(open: Option<OpenRename>, snapshot: Snapshot, entry: &Entry) -> OpenRename {
    match open.filter(|open| open.wrote) {
        Some(mut open) => {
            open.snapshot = snapshot;
            open.runs.push(entry.run.clone());
            open
        }
        None => OpenRename {
            snapshot,
            since: entry.started_at,
            off_since: None,
            shown: None,
            updated: None,
            runs: vec![entry.run.clone()],
            wrote: false,
        },
    }
}

fn disables_sso(entry: &Entry) -> bool {
    let before = entry.before.as_ref();
    let before: Option<Value> = before.and_then(|it| serde_json::from_str(it.get()).ok());
    entry.sent()["body"]["enabled"] == false && before.is_some_and(|it| it["enabled"] == true)
}

pub fn concurrent_run(
    entries: &[Entry],
    under_way: &[String],
    account: &AccountId,
    own: Option<&str>,
) -> Option<String> {
    let is_rival = |run: &&String| {
        let its = || entries.iter().filter(|entry| entry.run == **run).filter_map(note);
        let begun = its().any(
            |note| matches!(note, JournalNote::Snapshot(it) if it.account == account.as_str()),
        );
        let ended = its().any(|note| {
            matches!(note, JournalNote::Completed { .. } | JournalNote::Cancelled { .. })
        });
        Some(run.as_str()) != own && begun && !ended
    };
    under_way.iter().find(is_rival).cloned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    fn entry(run: &str, number: u32, request: &str, outcome: Outcome, before: &str) -> Entry {
        let before = serde_json::value::RawValue::from_string(before.to_owned()).unwrap();
        Entry { outcome, before: Some(before), ..Entry::sample(run, number, request) }
    }

    pub fn noted(run: &str, number: u32, note: &JournalNote) -> Entry {
        entry(run, number, "{}", Outcome::Done, &serde_json::to_string(note).unwrap())
    }

    pub fn disabling(run: &str, number: u32, outcome: Outcome) -> Entry {
        entry(
            run,
            number,
            r#"{"method":"PATCH","body":{"enabled":false}}"#,
            outcome,
            r#"{"enabled":true}"#,
        )
    }

    pub fn snapshot(to: &str) -> Snapshot {
        Snapshot {
            account: ACCOUNT.to_owned(),
            from: Some("a".to_owned()),
            name: None,
            to: to.to_owned(),
            goal: to.to_owned(),
            also_name: false,
            connectors: Vec::new(),
        }
    }

    fn ended() -> JournalNote {
        JournalNote::Completed {
            account: ACCOUNT.to_owned(),
            auth_domain: "b".to_owned(),
            sso_off_seconds: None,
        }
    }

    #[test]
    fn a_rename_is_open_from_its_first_write_to_its_end() {
        let account: AccountId = ACCOUNT.parse().unwrap();
        let before =
            |run: &str, number, to: &str| noted(run, number, &JournalNote::Snapshot(snapshot(to)));
        let other = JournalNote::Snapshot(Snapshot { account: "f".repeat(32), ..snapshot("x") });
        let withdrawn = JournalNote::Cancelled { account: ACCOUNT.to_owned() };
        let wrote = || vec![before("r1", 1, "b"), disabling("r1", 2, Outcome::Unknown)];
        for (more, expected) in [
            (vec![], Some("b")),
            (vec![noted("r1", 3, &ended())], None),
            (vec![before("r2", 3, "c")], Some("c")),
            (vec![noted("r2", 3, &other)], Some("b")),
            (vec![before("r2", 3, "c"), noted("r2", 4, &withdrawn)], Some("b")),
            (vec![noted("r1", 3, &ended()), before("r2", 4, "c")], None),
        ] {
            let entries: Vec<_> = wrote().into_iter().chain(more).collect();
            let (open, _) = history(&entries, &account);
            assert_eq!(open.as_ref().map(|open| open.snapshot.to.as_str()), expected);
            if let Some(open) = open {
                assert_eq!(open.off_since.map(Timestamp::as_second), Some(2));
            }
        }
        let open = [wrote(), vec![before("r2", 3, "c"), noted("r3", 4, &other)]].concat();
        assert_eq!(open_runs(&open), ["r1", "r2"], "what resuming reads is not deleted");
        let over = [wrote(), vec![noted("r1", 3, &ended())]].concat();
        assert!(open_runs(&over).is_empty());
        let nothing = [before("r1", 1, "b"), disabling("r1", 2, Outcome::Failed)];
        assert!(history(&nothing, &account).0.is_none(), "nothing was changed");
        let mut whole = wrote();
        whole.push(noted("r1", 3, &ended()));
        let done = history(&whole, &account).1.unwrap();
        assert_eq!(
            (done.snapshot.from.as_deref(), done.updated.as_deref()),
            (Some("a"), Some("b"))
        );
    }

    #[test]
    fn another_run_at_work_is_seen_until_it_ends() {
        let account: AccountId = ACCOUNT.parse().unwrap();
        let mut entries = vec![noted("r1", 1, &JournalNote::Snapshot(snapshot("b")))];
        let seen = |entries: &[Entry], live: &[&str], own| {
            let live: Vec<_> = live.iter().map(|run| (*run).to_owned()).collect();
            concurrent_run(entries, &live, &account, own)
        };
        assert_eq!(seen(&entries, &["r1"], None).as_deref(), Some("r1"));
        assert_eq!(seen(&entries, &["r1"], Some("r1")), None);
        assert_eq!(seen(&entries, &[], None), None);
        entries.push(noted("r1", 2, &ended()));
        assert_eq!(seen(&entries, &["r1"], None), None);
    }

    #[test]
    fn what_stands_is_added_to_what_was_written_down() {
        let text = |domain: &str, enabled: bool| {
            format!(
                r#"{{"id":"c1","email_domain":"{domain}","enabled":{enabled},"use_fedramp_language":true,"verification":{{"status":"pending"}}}}"#
            )
        };
        let connector = |domain, enabled| -> Connector {
            serde_json::from_str(&text(domain, enabled)).unwrap()
        };
        let mut snapshot = snapshot("b");
        snapshot.add(ConnectorSnapshot::assumed_enabled(&"b.example".parse().unwrap()));
        let merged = snapshot
            .merge_connectors(&[connector("B.example", false), connector("a.example", true)]);
        let seen: Vec<_> = merged
            .connectors
            .iter()
            .map(|it| (it.domain.as_str(), it.enabled, it.fedramp, it.was_verified()))
            .collect();
        assert_eq!(
            seen,
            [("a.example", true, Some(true), true), ("b.example", true, Some(true), true)]
        );
        assert!(!ConnectorSnapshot::of(&connector("c.example", false)).was_verified());
    }
}
