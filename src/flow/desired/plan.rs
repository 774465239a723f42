//! The changes that make an account as desired, in the order in which they are safe. Pure.

mod app;
mod bypass;
mod connectors;
mod federation;
mod idps;
mod prune;
mod sign_in;
#[cfg(test)]
mod tests;

use super::Desired;
use super::change::{Changes, Group, PlannedChange, Task, Verb};
use super::facts::Facts;
use crate::api::ids::AccountId;
use crate::flow::FlowError;
use crate::flow::plan::Difference;
use crate::input::nearest::nearest;

pub use app::{is_same, resolve_allowed};
pub use bypass::ensure_bypasses_kept;
pub use federation::missing_recipients;
pub use idps::{edit_idp, existing_idp, idp_body};
pub use sign_in::{ensure_sign_in_kept, untested_error};

/// `prune` deletes what a section does not name, but never an enabled connector. Fails if the
/// file does not fit the account: an unknown name, another type, a field that the type lacks.
pub fn plan(
    facts: &Facts,
    desired: &Desired,
    own: &AccountId,
    prune: bool,
) -> Result<Changes, FlowError> {
    let mut planner = Planner { facts, desired, own, found: Changes::default() };
    planner.idps()?;
    planner.federation()?;
    if let Some(app) = &desired.sso_app {
        planner.app(app)?;
    }
    planner.connectors()?;
    if prune {
        planner.prune()?;
    }
    let mut found = planner.found;
    found.changes.sort_by_key(|change| change.group);
    found.warnings.extend(sign_in::warnings(facts, desired, &found));
    found.warnings.extend(bypass::warning(facts, &found.changes));
    Ok(found)
}

fn unknown_idp(place: &str, name: &str, created: &[&str], facts: &Facts) -> FlowError {
    let twice = facts.idps.iter().filter(|idp| idp.name == name).count() > 1;
    let message = if twice {
        format!("`{place}`: `{name}` names several identity providers; use an ID")
    } else {
        format!("`{place}`: no identity provider `{name}` in the file or the account")
    };
    let error = FlowError::usage(message);
    let names = facts.idps.iter().map(|idp| idp.name.as_str()).chain(created.iter().copied());
    match nearest(name, names, 0.8).filter(|_| !twice) {
        Some(suggestion) => error.hint(format!("did you mean `{suggestion}`?")),
        None => error.hint("`cfsso idp list`"),
    }
}

struct Planner<'a> {
    facts: &'a Facts,
    desired: &'a Desired,
    own: &'a AccountId,
    found: Changes,
}

impl<'a> Planner<'a> {
    fn push(
        &mut self,
        (group, action, task): (Group, Verb, Task),
        subject: &str,
        title: String,
        diff: Vec<Difference>,
    ) {
        let subject = subject.to_owned();
        self.found.changes.push(PlannedChange { group, action, subject, title, diff, task });
    }

    /// Names of identity providers that will be created.
    fn created(&self) -> Vec<&'a str> {
        let idps = self.desired.idps();
        let new = self.found.changes.iter().filter_map(|change| match change.task {
            Task::CreateIdp(at) => Some(idps[at].name.as_str()),
            _ => None,
        });
        new.collect()
    }
}
