use std::collections::BTreeSet;

use serde_json::Value;

use super::super::change::{Group, Task, Verb};
use super::super::facts::Facts;
use super::super::{DesiredApp, Selection};
use super::{Planner, unknown_idp};
use crate::api::ids::IdpReference;
use crate::flow::plan::Difference;
use crate::flow::{FlowError, app};

/// An empty list allows all identity providers.
pub fn resolve_allowed(
    allowed: &Selection,
    now: &[IdpReference],
    facts: &Facts,
    created: &[&str],
) -> Result<Vec<IdpReference>, FlowError> {
    let Selection::Only(names) = allowed else { return Ok(Vec::new()) };
    let resolve = |name: &String| match facts.find(name) {
        Some(idp) => Ok(idp.id.clone().into()),
        // Deleted, but listed already.
        None => match now.iter().find(|listed| listed.to_string() == *name) {
            Some(listed) => Ok(listed.clone()),
            None => Err(unknown_idp("sso_app.allowed_idps", name, created, facts)),
        },
    };
    names.iter().map(resolve).collect()
}

pub fn is_same(a: &[IdpReference], b: &[IdpReference]) -> bool {
    let sorted =
        |list: &[IdpReference]| list.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    sorted(a) == sorted(b)
}

impl Planner<'_> {
    pub(super) fn app(&mut self, wanted: &DesiredApp) -> Result<(), FlowError> {
        let created = self.created();
        let (now, is_instant) = match &self.facts.app {
            Some(app) => (app.listed_idps(), app.is_instant()),
            None => (&[][..], false),
        };
        let mut diff = Vec::new();
        let mut count = now.len();
        if let Some(allowed) = &wanted.allowed_idps {
            let is_new =
                |name: &String| created.contains(&name.as_str()) && self.facts.find(name).is_none();
            let (new, known): (Vec<_>, Vec<_>) = match allowed {
                Selection::All(_) => (Vec::new(), Vec::new()),
                Selection::Only(names) => names.iter().cloned().partition(is_new),
            };
            let known = resolve_allowed(&Selection::Only(known), now, self.facts, &created)?;
            count = new.len() + known.len();
            if !new.is_empty() || !is_same(&known, now) {
                if new.is_empty() {
                    app::ensure_sign_in_possible(&known, &self.facts.idps)?;
                }
                let after = known.iter().map(|id| self.facts.reference(id)).chain(new);
                diff.push(Difference::new("allowed_idps", self.names(now), list(after.collect())));
            }
        }
        let stays = is_instant && (count == 1 || diff.is_empty());
        match wanted.auto_redirect {
            Some(true) if count != 1 && !is_instant => {
                let message =
                    "`sso_app.auto_redirect` requires exactly one allowed identity provider";
                return Err(FlowError::usage(message).hint("name it in `sso_app.allowed_idps`"));
            }
            Some(true) if !stays => diff.push(Difference::new("auto_redirect", is_instant, true)),
            Some(false) if is_instant => diff.push(Difference::new("auto_redirect", true, false)),
            None if is_instant && !stays => {
                diff.push(Difference::new("auto_redirect", true, false));
            }
            _ => {}
        }
        if diff.is_empty() {
            return Ok(());
        }
        if self.facts.app.is_none()
            && self.facts.connectors.is_empty()
            && self.desired.connectors().is_empty()
        {
            let message = "this account has no SSO App (type `dash_sso`)";
            return Err(FlowError::not_found(message)
                .cause("Cloudflare creates it with the first connector")
                .hint("name a domain in `connectors`"));
        }
        let task = (Group::SsoApp, Verb::Update, Task::UpdateApp);
        self.push(task, "SSO App", "change the SSO App".to_owned(), diff);
        Ok(())
    }

    fn names(&self, listed: &[IdpReference]) -> Value {
        list(listed.iter().map(|id| self.facts.reference(id)).collect())
    }
}

fn list(names: Vec<String>) -> Value {
    if names.is_empty() { Value::from("all") } else { names.into() }
}
