//! Restores the connectors after the rename, each by its own set-up.

use std::rc::Rc;

use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use serde_json::json;

use super::report::{Event, StepId};
use super::snapshot::ConnectorSnapshot;
use super::{Renamer, errors};
use crate::api::connector::Connector;
use crate::domain::EmailDomain;
use crate::flow::steps::StepState;
use crate::flow::wait::DEFAULT_WAIT;
use crate::flow::{Error, FlowError, FlowErrorKind, connector, setup};

impl Renamer<'_> {
    /// All domains concurrently, each as fast as its own name servers allow.
    pub(super) async fn restore(&self) -> Result<(), Error> {
        let wanted = &self.task.snapshot.connectors;
        if wanted.is_empty() {
            self.steps.end(StepId::Restore, StepState::Skipped, "no connector");
            return Ok(());
        }
        self.steps.begin(StepId::Restore);
        let connectors: Rc<[_]> = if self.env.is_dry_run() && self.task.needs_rename() {
            Rc::default()
        } else {
            connector::list(self.env).await?.into()
        };
        // In a dry run, the changes of each domain stay together.
        let concurrent = if self.env.is_dry_run() { 1 } else { wanted.len() };
        let runs = wanted.iter().map(|wanted| self.restore_one(wanted, Rc::clone(&connectors)));
        let runs: Vec<_> = stream::iter(runs).buffered(concurrent).collect().await;
        let mut failures = Vec::new();
        let mut restored = 0;
        for (wanted, end) in wanted.iter().zip(runs) {
            match end {
                Ok(()) => restored += 1,
                Err(error) => failures.push((wanted, error)),
            }
        }
        let detail = format!("{restored} of {} restored", wanted.len());
        self.record_observation(
            "check the restored connectors",
            json!({
                "as_before": restored,
                "of": wanted.len(),
                "missing": failures.iter().map(|(wanted, error)| {
                    format!("{}: {}", wanted.domain, error.line())
                }).collect::<Vec<_>>(),
            }),
        )?;
        // Errors that a user has to fix come before those that may resolve themselves.
        let is_late = |error: &Error| matches!(error, Error::Flow(flow_error) if flow_error.kind == FlowErrorKind::NotYet);
        failures.sort_by_key(|(_, error)| is_late(error));
        let mut failures = failures.into_iter();
        let Some((_, first)) = failures.next() else {
            self.steps.end(StepId::Restore, StepState::Done, detail);
            return Ok(());
        };
        let state = if is_late(&first) { StepState::Pending } else { StepState::Failed };
        self.steps.end(StepId::Restore, state, detail);
        Err(errors::with_others(first, failures.map(|(_, error)| error)))
    }

    async fn restore_one(
        &self,
        wanted: &ConnectorSnapshot,
        connectors: Rc<[Connector]>,
    ) -> Result<(), Error> {
        let domain = wanted.domain.parse::<EmailDomain>().map_err(FlowError::from)?;
        let deadline = self.options.deadline.unwrap_or_else(|| {
            let now = self.env.clock.now();
            now.saturating_add(DEFAULT_WAIT).unwrap_or(Timestamp::MAX)
        });
        let enables = wanted.enabled && !self.options.no_enable;
        let options = setup::Options {
            domain,
            publish_txt: self.options.publish_txt,
            replace_stale_txt: self.options.replace_stale_txt,
            enable: enables.then(|| self.options.enabling.clone()),
            wait: wanted.was_verified(),
            fedramp: wanted.fedramp,
            deadline,
            connectors: Some(connectors),
            facts: Rc::clone(&self.facts),
        };
        let on_event = |event: &setup::Event<'_>| {
            self.emit(&Event::Domain { domain: &wanted.domain, of: event });
        };
        self.changed.set(true);
        let (report, end) = setup::run(self.env, &options, &on_event, async |_| Ok(None)).await;
        if report.is_enabled() {
            self.off.borrow_mut().remove(&wanted.domain);
        }
        self.report.borrow_mut().connectors.push(report);
        match end {
            // It was not verified before either.
            Err(Error::Flow(FlowError { kind: FlowErrorKind::NotYet, .. }))
                if !wanted.was_verified() =>
            {
                Ok(())
            }
            end => end,
        }
    }
}
