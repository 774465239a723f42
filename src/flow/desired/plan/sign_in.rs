//! What a run leaves of the ways to sign in: where SSO is enforced, an identity provider that
//! no user signed in through may lock all of them out.

use std::collections::BTreeSet;

use super::super::change::{Changes, PlannedChange, Task};
use super::super::facts::Facts;
use super::super::{Desired, DesiredIdp, Selection};
use super::bypass::is_domain;
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::IdpId;
use crate::flow::FlowError;
use crate::flow::check::CheckId;
use crate::flow::preflight::is_sign_in_idp;
use crate::plural::code_list;

/// Fails if users could sign in through nothing, or only through what the run itself creates or
/// changes. Returns those of which one has to work; empty if the run does not decide it.
pub fn ensure_sign_in_kept<'a>(
    facts: &'a Facts,
    desired: &Desired,
    changes: &[PlannedChange],
    accepted: &[CheckId],
) -> Result<Vec<&'a Idp>, FlowError> {
    let after = SignIn::after(facts, desired, changes);
    if after.is_lost() && !accepted.contains(&CheckId::IdpHealthy) {
        return Err(FlowError::refused(LOST)
            .cause("accounts of Cloudflare are no single sign-on")
            .hint("name one in `sso_app.allowed_idps`, or `--accept-risk idp-healthy`"));
    }
    if !after.replaces() || accepted.contains(&CheckId::LoginSeen) {
        return Ok(Vec::new());
    }
    if after.kept.is_empty() {
        return Err(untested_error(
            format!("a sign-in through {} is not tested", code_list(&after.untested())),
            after.deleted.iter().map(|idp| format!("this run would delete {}", idp.name)),
        ));
    }
    Ok(after.kept)
}

const LOST: &str = "the SSO App would allow neither an identity provider of the company nor \
                    one-time PIN";

/// The old way to sign in, which may not come back, has to wait for a sign-in by the new one.
pub fn untested_error(message: String, causes: impl IntoIterator<Item = String>) -> FlowError {
    FlowError::refused(message).causes(causes).hint(
        "apply without `--prune`, sign in, then apply with `--prune`; or `--accept-risk login-seen`",
    )
}

pub(super) fn warnings(facts: &Facts, desired: &Desired, changes: &Changes) -> Vec<String> {
    let after = SignIn::after(facts, desired, &changes.changes);
    let mut warnings = Vec::new();
    if after.is_lost() {
        warnings.push(format!("{LOST}; `apply` refuses it"));
    }
    if !after.is_enforced {
        return warnings;
    }
    for name in after.untested() {
        warnings.push(format!(
            "sign-in through {name} is not tested: this run creates, changes or newly allows it; \
             after it: `cfsso logins --watch`"
        ));
    }
    if after.replaces() && after.kept.is_empty() {
        let names: Vec<_> = after.deleted.iter().map(|idp| idp.name.as_str()).collect();
        warnings.push(format!(
            "`apply` refuses to delete {} before a sign-in through a new one",
            code_list(&names)
        ));
    }
    if !after.deleted.is_empty() && !after.kept.is_empty() {
        let names = |idps: &[&Idp]| {
            code_list(&idps.iter().map(|idp| idp.name.as_str()).collect::<Vec<_>>())
        };
        warnings.push(format!(
            "users of {} will have to sign in through {}: `cfsso logins` shows who has",
            names(&after.deleted),
            names(&after.kept)
        ));
    }
    // An active bypass of this machine has a warning of its own.
    if after.loses_pin && facts.bypasses.is_empty() {
        warnings.push(
            "one-time PIN will no longer be allowed: if a bypass is active on another machine, \
             this reverts it"
                .to_owned(),
        );
    }
    warnings
}

/// The ways to sign in after a run.
struct SignIn<'a> {
    is_enforced: bool,
    /// Whether the run decides what the SSO App allows, or deletes what it allows.
    is_decided: bool,
    /// One-time PIN, or allowed before and after, and neither edited nor deleted by the run.
    kept: Vec<&'a Idp>,
    created: Vec<String>,
    edited: Vec<&'a Idp>,
    newly_allowed: Vec<&'a Idp>,
    /// Allowed before.
    deleted: Vec<&'a Idp>,
    loses_pin: bool,
}

impl<'a> SignIn<'a> {
    fn after(facts: &'a Facts, desired: &Desired, changes: &[PlannedChange]) -> Self {
        let wanted = desired.sso_app.as_ref().and_then(|app| app.allowed_idps.as_ref());
        let listed = facts.app.as_ref().map(|app| app.listed_idps()).unwrap_or_default();
        let is_allowed = |idp: &Idp| match wanted {
            Some(Selection::All(_)) => true,
            Some(Selection::Only(names)) => {
                names.iter().any(|name| facts.find(name).is_some_and(|found| found.id == idp.id))
            }
            None => listed.is_empty() || listed.iter().any(|id| *id == idp.id),
        };
        let is_new_allowed = |entry: &DesiredIdp| match wanted {
            Some(Selection::All(_)) => true,
            Some(Selection::Only(names)) => {
                names.contains(&entry.name) && facts.find(&entry.name).is_none()
            }
            None => listed.is_empty(),
        };
        let was_allowed = |id: &IdpId| facts.app.as_ref().is_some_and(|app| app.admits(id));
        let (mut deleted, mut edited) = (BTreeSet::new(), BTreeSet::new());
        let mut created = Vec::new();
        let mut lists = false;
        for change in changes {
            match &change.task {
                Task::DeleteIdp(id) => drop(deleted.insert(id.as_str())),
                Task::UpdateIdp(_, id) if changes_config(change) => {
                    edited.insert(id.as_str());
                }
                Task::CreateIdp(at) => created.push(&desired.idps()[*at]),
                Task::UpdateApp => {
                    lists |= matches!(wanted, Some(Selection::Only(_)))
                        && change.diff.iter().any(|it| it.field == "allowed_idps");
                }
                _ => {}
            }
        }
        created.retain(|entry| is_new_allowed(entry));
        let sign_in = facts.idps.iter().filter(|idp| is_sign_in_idp(idp));
        let (gone, left): (Vec<_>, Vec<_>) =
            sign_in.partition(|idp| deleted.contains(idp.id.as_str()));
        let gone: Vec<_> = gone.into_iter().filter(|idp| was_allowed(&idp.id)).collect();
        let left = left.into_iter().filter(|idp| is_allowed(idp));
        let is_newly_allowed = |idp: &Idp| {
            facts.app.is_some() && idp.kind != IdpType::OneTimePin && !was_allowed(&idp.id)
        };
        let (edited, left): (Vec<_>, Vec<_>) =
            left.partition(|idp| edited.contains(idp.id.as_str()));
        let (newly_allowed, kept) = left.into_iter().partition(|idp| is_newly_allowed(idp));
        let pins = facts.idps.iter().filter(|idp| idp.kind == IdpType::OneTimePin);
        let loses_pin = pins
            .filter(|pin| was_allowed(&pin.id))
            .any(|pin| deleted.contains(pin.id.as_str()) || (wanted.is_some() && !is_allowed(pin)));
        let is_new_sign_in =
            |entry: &&&DesiredIdp| IdpType::named(&entry.kind) != IdpType::Cloudflare;
        Self {
            is_enforced: is_enforced(facts, changes),
            is_decided: lists || !gone.is_empty(),
            kept,
            created: created.iter().filter(is_new_sign_in).map(|it| it.name.clone()).collect(),
            edited,
            newly_allowed,
            deleted: gone,
            loses_pin,
        }
    }

    fn is_lost(&self) -> bool {
        self.is_decided && self.kept.is_empty() && self.untested().is_empty()
    }

    /// Whether what users sign in through makes way for what none of them has tried.
    fn replaces(&self) -> bool {
        self.is_enforced && !self.deleted.is_empty() && !self.untested().is_empty()
    }

    /// What is newly allowed matters only if nothing else is left.
    fn untested(&self) -> Vec<&str> {
        let newly_allowed = self.newly_allowed.iter().filter(|_| self.kept.is_empty());
        let existing = self.edited.iter().chain(newly_allowed).map(|idp| idp.name.as_str());
        self.created.iter().map(String::as_str).chain(existing).collect()
    }
}

fn changes_config(change: &PlannedChange) -> bool {
    // More claims cannot end a sign-in.
    let is_relevant = |field: &str| field.starts_with("config") && field != "config.claims";
    change.diff.iter().any(|difference| is_relevant(&difference.field))
}

/// Whether SSO is enforced for a domain after the run.
fn is_enforced(facts: &Facts, changes: &[PlannedChange]) -> bool {
    let is_disabled = |name: &str| {
        let disables = |it: &PlannedChange| {
            matches!(it.task, Task::Disable(_)) && is_domain(name, &it.subject)
        };
        changes.iter().any(disables)
    };
    let mut enabled = facts.connectors.iter().filter(|it| it.is_enabled());
    changes.iter().any(|change| matches!(change.task, Task::Enable(_)))
        || enabled.any(|it| !is_disabled(&it.email_domain))
}
