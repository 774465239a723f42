//! Connectors: existence, verification, enforcement.

use super::super::DesiredConnector;
use super::super::change::{Group, Task, Verb};
use super::Planner;
use crate::api::connector::Connector;
use crate::domain::EmailDomain;
use crate::flow::plan::Difference;
use crate::flow::{FlowError, connector};

impl Planner<'_> {
    pub(super) fn connectors(&mut self) -> Result<(), FlowError> {
        for (at, wanted) in self.desired.connectors().iter().enumerate() {
            let domain: EmailDomain = wanted.domain.parse()?;
            let existing = connector::select_by_domain(&self.facts.connectors, &domain)?;
            if existing.is_none() {
                connector::ensure_eligible(&domain)
                    .map_err(|error| error.hint("leave it out of `connectors`"))?;
                let diff = wanted.fedramp.map(|it| Difference::new("use_fedramp_language", (), it));
                let task = (Group::Connectors, Verb::Create, Task::CreateConnector(at));
                let title = format!("create the connector of {domain}");
                self.push(task, domain.as_str(), title, diff.into_iter().collect());
            }
            self.connector(at, wanted, &domain, existing);
        }
        Ok(())
    }

    fn connector(
        &mut self,
        at: usize,
        wanted: &DesiredConnector,
        domain: &EmailDomain,
        existing: Option<&Connector>,
    ) {
        let subject = domain.as_str();
        if let (Some(fedramp), Some(connector)) = (wanted.fedramp, existing)
            && connector.use_fedramp_language.unwrap_or(false) != fedramp
        {
            let before = connector.use_fedramp_language;
            let diff = vec![Difference::new("use_fedramp_language", before, fedramp)];
            let task = (Group::Connectors, Verb::Update, Task::SetFedramp(at));
            self.push(task, subject, format!("change the FedRAMP language of {domain}"), diff);
        }
        let is_enabled = existing.is_some_and(|connector| connector.is_enabled());
        let is_verified = existing.is_some_and(|connector| connector.is_verified());
        if wanted.wants_verification() && !is_verified && !is_enabled {
            let status = existing.and_then(|connector| connector.status());
            let status = status.map(|status| status.as_str().to_owned());
            let diff = vec![Difference::new("verification.status", status, "verified")];
            let task = (Group::Verification, Verb::Verify, Task::Verify(at));
            self.push(task, subject, format!("verify {domain}"), diff);
        }
        match wanted.enabled {
            Some(true) if !is_enabled => {
                let task = (Group::Enforcement, Verb::Enable, Task::Enable(at));
                let diff = vec![Difference::new("enabled", false, true)];
                self.push(task, subject, format!("enable SSO for {domain}"), diff);
            }
            Some(false) if is_enabled => {
                let task = (Group::Disabling, Verb::Disable, Task::Disable(at));
                let diff = vec![Difference::new("enabled", true, false)];
                self.push(task, subject, format!("disable SSO for {domain}"), diff);
            }
            _ => {}
        }
    }
}
