//! Deletions of what a section does not name.

use std::collections::BTreeSet;

use super::super::Selection;
use super::super::change::{Group, Task, Verb};
use super::Planner;
use super::federation::parse_accounts;
use super::idps::existing_idp;
use crate::api::app::App;
use crate::api::idp::Idp;
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::flow::FlowError;
use crate::flow::plan::Difference;

impl Planner<'_> {
    /// Unshares before it deletes.
    pub(super) fn prune(&mut self) -> Result<(), FlowError> {
        self.prune_federation()?;
        self.prune_connectors();
        self.prune_idps()
    }

    fn prune_federation(&mut self) -> Result<(), FlowError> {
        let (facts, desired) = (self.facts, self.desired);
        let Some(named) = &desired.federation else { return Ok(()) };
        for (id, state) in &facts.federation {
            let name = facts.reference(&id.clone().into());
            let is_it = |text: &str| facts.find(text).is_some_and(|idp| idp.id == *id);
            let task = |from| (Group::Removal, Verb::Unshare, Task::Unshare(id.clone(), from));
            let Some(share) = named.iter().find(|share| is_it(&share.idp)) else {
                if facts.idps.iter().any(|idp| idp.id == *id) {
                    self.warn_losing(&name, state.recipients());
                    self.push(task(None), &name, format!("stop sharing {name}"), Vec::new());
                }
                continue;
            };
            let Selection::Only(accounts) = &share.accounts else { continue };
            if state.is_for_organization() {
                let message = format!(
                    "{name} is shared with the whole organization, and cannot be taken from \
                     single accounts"
                );
                return Err(FlowError::refused(message).hint(format!(
                    "`cfsso federation unshare {id}`, then the same command again"
                )));
            }
            let kept = parse_accounts(accounts)?;
            let extra: Vec<_> = state.recipients().filter(|id| !kept.contains(id)).collect();
            if extra.is_empty() {
                continue;
            }
            self.warn_losing(&name, extra.iter().copied());
            let losing: Vec<_> = extra.iter().map(|id| facts.directory.display_name(id)).collect();
            let diff = losing.iter().map(|name| Difference::new("account", &**name, ())).collect();
            let title = format!("stop sharing {name} with {}", losing.join(", "));
            self.push(task(Some(extra.into_iter().cloned().collect())), &name, title, diff);
        }
        for share in &facts.orphans {
            let task = (Group::Removal, Verb::Delete, Task::DeleteShare(share.id.clone()));
            let title = format!("delete the share {}: its grant no longer exists", share.id);
            self.push(task, &share.name, title, Vec::new());
        }
        Ok(())
    }

    fn warn_losing<'i>(&mut self, idp: &str, accounts: impl Iterator<Item = &'i AccountId>) {
        let directory = &self.facts.directory;
        self.found.warnings.extend(accounts.map(|account| {
            let account = directory.display_name(account);
            format!("{account} loses {idp}; its policies that use it stop matching")
        }));
    }

    fn prune_connectors(&mut self) {
        let Some(named) = &self.desired.connectors else { return };
        let named: BTreeSet<EmailDomain> =
            named.iter().filter_map(|it| it.domain.parse().ok()).collect();
        for connector in &self.facts.connectors {
            let Ok(domain) = connector.email_domain.parse::<EmailDomain>() else { continue };
            if named.contains(&domain) {
                continue;
            }
            if connector.enabled != Some(false) {
                let text = format!("{domain} is not in the file, but enabled: kept");
                self.found.warnings.push(text);
                continue;
            }
            let task = (Group::Removal, Verb::Delete, Task::DeleteConnector(connector.id.clone()));
            let title = format!("delete the connector of {domain}");
            self.push(task, domain.as_str(), title, Vec::new());
        }
    }

    fn prune_idps(&mut self) -> Result<(), FlowError> {
        let Some(named) = &self.desired.identity_providers else { return Ok(()) };
        let mut kept = BTreeSet::new();
        for entry in named {
            kept.extend(existing_idp(self.facts, entry)?.map(|idp| idp.id.to_string()));
        }
        for idp in self.facts.idps.iter().filter(|idp| !kept.contains(idp.id.as_str())) {
            if let Some(reason) = self.reason_to_keep(idp) {
                let text = format!("{} is not in the file, but {reason}: kept", idp.name);
                self.found.warnings.push(text);
                continue;
            }
            let task = (Group::Removal, Verb::Delete, Task::DeleteIdp(idp.id.clone()));
            let title = format!("delete the identity provider {}", idp.name);
            self.push(task, &idp.name, title, Vec::new());
        }
        Ok(())
    }

    fn reason_to_keep(&self, idp: &Idp) -> Option<&'static str> {
        if idp.is_read_only() {
            return Some("shared by another account");
        }
        let wanted = self.desired.sso_app.as_ref().and_then(|app| app.allowed_idps.as_ref());
        let is_listed = match wanted {
            Some(Selection::Only(names)) => names
                .iter()
                .any(|name| self.facts.find(name).is_some_and(|found| found.id == idp.id)),
            Some(Selection::All(_)) => false,
            None => {
                let is_it = |app: &App| app.listed_idps().iter().any(|listed| *listed == idp.id);
                self.facts.app.as_ref().is_some_and(is_it)
            }
        };
        if is_listed {
            return Some("allowed by the SSO App");
        }
        let ends = |task: &Task| matches!(task, Task::Unshare(id, None) if *id == idp.id);
        let is_shared = self.facts.shared(&idp.id).is_some()
            && !self.found.changes.iter().any(|change| ends(&change.task));
        is_shared.then_some("shared with other accounts")
    }
}
