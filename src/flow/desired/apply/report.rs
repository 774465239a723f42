use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::change::{Group, PlannedChange, Verb};
use crate::flow::check::Check;
use crate::flow::publish::TxtRecord;
use crate::flow::steps::StepState;
use crate::rfc3339;

/// A change, and how it ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChangeResult")]
pub struct Result {
    /// Its group.
    pub group: Group,
    /// What it does.
    pub action: Verb,
    /// To what: a domain or a name.
    pub subject: String,
    /// The same in words.
    pub title: String,
    /// How it ended.
    pub state: StepState,
    /// The result in words.
    pub detail: String,
}

/// A domain after the run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DomainResult {
    /// The email domain.
    pub domain: String,
    /// The connector's identifier.
    pub connector: Option<String>,
    /// The state of the verification.
    pub verification: Option<String>,
    /// Whether SSO is enforced.
    pub enabled: Option<bool>,
    /// How its changes ended: `done` if all did.
    pub state: StepState,
    /// Why it is not as desired.
    pub detail: String,
    /// The TXT record, if it has to be published by hand.
    pub txt_record: Option<TxtRecord>,
    /// The checks before enforcement, if they were made.
    pub checks: Vec<Check>,
}

/// What was applied.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApplyReport {
    schema: &'static str,
    /// Whether the account is as desired.
    pub ok: bool,
    /// The changes, in the order in which they were planned.
    pub changes: Vec<Result>,
    /// The domains that had changes.
    pub domains: Vec<DomainResult>,
    /// The command that resumes, if something is left to do.
    pub next: Option<String>,
}

impl ApplyReport {
    pub(super) fn new(
        ok: bool,
        changes: Vec<Result>,
        domains: Vec<DomainResult>,
        next: Option<String>,
    ) -> Self {
        Self { schema: "cfsso/apply/v1", ok, changes, domains, next }
    }

    /// A run without changes.
    pub fn without_changes() -> Self {
        Self::new(true, Vec::new(), Vec::new(), None)
    }
}

impl Result {
    /// A change that has not ended.
    pub(super) fn running(change: &PlannedChange) -> Self {
        let PlannedChange { group, action, subject, title, .. } = change.clone();
        Self {
            group,
            action,
            subject,
            title,
            state: StepState::Running,
            detail: "not made".to_owned(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    Started {
        title: &'a str,
    },
    Change(&'a Result),
    /// Records to publish by hand, each with its reason.
    Publish {
        records: &'a [TxtRecord],
        reasons: &'a [String],
    },
    Waiting {
        verified: usize,
        total: usize,
        #[serde(serialize_with = "rfc3339::time")]
        since: Timestamp,
    },
    Checks {
        domain: &'a str,
        checks: &'a [Check],
    },
}
