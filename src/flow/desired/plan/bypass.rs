//! Changes that would revert an active bypass: during a lockout, they lock users out again.

use serde_json::Value;

use super::super::change::{PlannedChange, Task};
use super::super::facts::Facts;
use crate::api::connector::Connector;
use crate::api::idp::IdpType;
use crate::api::ids::IdpId;
use crate::domain::EmailDomain;
use crate::flow::FlowError;
use crate::flow::bypass::status::{Bypass, BypassState};
use crate::flow::bypass::undo::COMMAND;
use crate::flow::plan::Difference;

/// Refuses changes that would revert an active bypass. A trial reverts itself (`on_trial`).
pub fn ensure_bypasses_kept(
    facts: &Facts,
    changes: &[PlannedChange],
    on_trial: bool,
) -> Result<(), FlowError> {
    let mut reverting = reverting(facts, changes);
    reverting.retain(|change| !(on_trial && matches!(change.task, Task::Enable(_))));
    if reverting.is_empty() {
        return Ok(());
    }
    let causes = reverting.into_iter().take(10).map(|change| change.title.clone());
    Err(FlowError::refused("these changes would revert an active bypass")
        .causes(causes)
        .hint(format!("`{COMMAND}`")))
}

pub(super) fn warning(facts: &Facts, changes: &[PlannedChange]) -> Option<String> {
    let titles: Vec<_> = facts.bypasses.iter().map(|bypass| bypass.title.as_str()).collect();
    if titles.is_empty() {
        return None;
    }
    let refusal = if reverting(facts, changes).is_empty() {
        ""
    } else {
        "; `apply` refuses the changes that would revert it"
    };
    Some(format!("a bypass is active: {}{refusal}; undo it: `{COMMAND}`", titles.join(", ")))
}

fn reverting<'c>(facts: &Facts, changes: &'c [PlannedChange]) -> Vec<&'c PlannedChange> {
    changes.iter().filter(|change| reverts(facts, change)).collect()
}

fn reverts(facts: &Facts, change: &PlannedChange) -> bool {
    let is_bypassed = |connector: &&Connector| is_target(facts, connector.id.as_str());
    let mut bypassed = facts.connectors.iter().filter(is_bypassed);
    match &change.task {
        Task::Enable(_) => {
            bypassed.any(|connector| is_domain(&connector.email_domain, &change.subject))
        }
        Task::DeleteConnector(id) => bypassed.any(|connector| connector.id == *id),
        Task::UpdateApp => is_app_bypassed(facts) && !change.diff.iter().all(widens),
        Task::DeleteIdp(id) => {
            is_pin(facts, id)
                && (is_app_bypassed(facts) || active(facts).any(|bypass| bypass.target.is_none()))
        }
        _ => false,
    }
}

/// Whether a difference of the SSO App keeps every way to sign in.
fn widens(difference: &Difference) -> bool {
    match (&difference.before, &difference.after) {
        (Value::Array(before), Value::Array(after)) => before.iter().all(|idp| after.contains(idp)),
        (_, after) => *after == "all" || *after == false,
    }
}

fn is_target(facts: &Facts, id: &str) -> bool {
    active(facts).any(|bypass| bypass.target.as_deref() == Some(id))
}

/// Without those that `bypass undo` would refuse: nothing else could change the objects then.
fn active(facts: &Facts) -> impl Iterator<Item = &Bypass> {
    let is_active =
        |bypass: &&Bypass| matches!(bypass.state, BypassState::Active | BypassState::NotChecked);
    facts.bypasses.iter().filter(is_active)
}

fn is_app_bypassed(facts: &Facts) -> bool {
    facts.app.as_ref().is_some_and(|app| is_target(facts, app.id.as_str()))
}

fn is_pin(facts: &Facts, id: &IdpId) -> bool {
    facts.idps.iter().any(|idp| idp.id == *id && idp.kind == IdpType::OneTimePin)
}

pub(super) fn is_domain(name: &str, domain: &str) -> bool {
    name.parse::<EmailDomain>().is_ok_and(|name| name.as_str() == domain)
}
