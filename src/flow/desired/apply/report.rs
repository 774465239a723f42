use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::change::{Group, PlannedChange, Verb};
use crate::flow::check::Check;
use crate::flow::publish::TxtRecord;
use crate::flow::steps::StepState;
use crate::rfc3339;

/// A change and its outcome.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "ChangeResult")]
pub struct Result {
    /// The group of the change.
    pub group: Group,
    /// The kind of change.
    pub action: Verb,
    /// The changed object: a domain or a name.
    pub subject: String,
    /// The description of the change.
    pub title: String,
    /// The outcome of the change.
    pub state: StepState,
    /// The outcome in words.
    pub detail: String,
}

/// The state of a domain after the run.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct DomainResult {
    /// The email domain.
    pub domain: String,
    /// The ID of the connector.
    pub connector: Option<String>,
    /// The state of the verification.
    pub verification: Option<String>,
    /// Whether SSO is enabled.
    pub enabled: Option<bool>,
    /// The combined outcome of the domain's changes: `done` if all are done.
    pub state: StepState,
    /// The reason why the domain is not in its desired state.
    pub detail: String,
    /// The TXT record, if you have to publish it by hand.
    pub txt_record: Option<TxtRecord>,
    /// The checks before SSO is enabled, if they ran.
    pub checks: Vec<Check>,
}

/// The result of `cfsso apply`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ApplyReport {
    schema: &'static str,
    /// Whether the account is in its desired state.
    pub ok: bool,
    /// The changes, in the planned order.
    pub changes: Vec<Result>,
    /// The domains that had changes.
    pub domains: Vec<DomainResult>,
    /// The command that resumes the run; `null` if nothing remains to do.
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
