//! The end of a trial that was not kept: SSO is disabled again.

use std::time::Duration;

use super::countdown::Countdown;
use super::report::Findings;
use super::{Event, Report, Trial, TrialEnd, TrialOutcome, TrialReport, keep};
use crate::api::connector::Connector;
use crate::api::{self, ErrorKind};
use crate::flow::journal::Journal;
use crate::flow::{Env, Error, FlowError, FlowErrorKind, Signal, connector};

const REVERT: Duration = Duration::from_mins(2);

impl Trial<'_> {
    /// Tries for two minutes, and confirms that SSO is off.
    pub(super) async fn revert(&self, outcome: TrialOutcome) -> TrialEnd {
        (self.tell)(&Event::Reverting { reason: outcome, detail: &self.describe(outcome) });
        let clock = self.env.clock;
        let mut countdown = Countdown::new(REVERT, clock.now());
        let mut delay = Duration::from_secs(1);
        loop {
            let error = match self.disable().await {
                Ok(connector) => {
                    let outcome =
                        if connector.is_some() { outcome } else { TrialOutcome::ConnectorDeleted };
                    self.record_end(outcome);
                    return (self.report(outcome, connector), Ok(()));
                }
                Err(error) => error,
            };
            countdown.pass(Duration::ZERO, clock.now());
            if countdown.time_left().is_zero() {
                let report = self.report(TrialOutcome::NotReverted, None);
                return (report, Err(self.not_reverted_error(&error)));
            }
            (self.tell)(&Event::RevertFailed { message: &error.line() });
            let wait = delay.min(countdown.time_left());
            clock.sleep(wait).await;
            countdown.pass(wait, clock.now());
            delay = (delay * 2).min(Duration::from_secs(15));
        }
    }

    /// `None` if the connector no longer exists. A journal error does not prevent it.
    async fn disable(&self) -> Result<Option<Connector>, Error> {
        let action = connector::disable_action(self.env, &self.enabled).undoing(self.entry.clone());
        let id = &self.enabled.id;
        let failed = match connector::execute_disabling(self.env, id, &action).await {
            Ok(connector) => return Ok(Some(connector)),
            Err(Error::Flow(error)) if error.kind == FlowErrorKind::Journal => {
                let actor = self.env.journal.actor().clone();
                let clock = self.env.clock.clone();
                let journal = Journal::to_ticket(Box::new(|_, _| Ok(())), actor, clock);
                let env = Env { journal: &journal, ..*self.env };
                (self.tell)(&Event::RevertFailed { message: &error.messages().join(": ") });
                match connector::execute_disabling(&env, id, &action).await {
                    Ok(connector) => return Ok(Some(connector)),
                    Err(error) => error,
                }
            }
            Err(error) => error,
        };
        match self.env.client.send(&api::connector::get(self.env.account, id)).await {
            Ok(connector) if connector.enabled == Some(false) => Ok(Some(connector)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            _ => Err(failed),
        }
    }

    /// If it cannot be recorded, later commands warn of a trial that is over.
    pub(super) fn record_end(&self, outcome: TrialOutcome) {
        let Some(entry) = &self.entry else { return };
        let detail = self.describe(outcome);
        let is_noted = keep::note_end(self.env, entry, &self.subject.domain, outcome, &detail);
        if is_noted.is_ok() {
            self.env.journal.settle_trial();
        }
    }

    pub(super) fn report(&self, outcome: TrialOutcome, connector: Option<Connector>) -> Report {
        let detail = self.describe(outcome);
        let Findings { proofs: evidence, denied, .. } = self.findings.borrow().clone();
        let (started_at, until) = (self.started, self.until);
        let trial = TrialReport { started_at, until, outcome, detail, evidence, denied };
        let connector = connector.unwrap_or_else(|| self.enabled.clone());
        Report::new(self.subject.domain.as_str(), connector, trial)
    }

    pub(super) fn reverted_error(
        &self,
        outcome: TrialOutcome,
        signal: Option<Signal>,
    ) -> FlowError {
        let domain = &self.subject.domain;
        let kind = signal.map_or(FlowErrorKind::NotYet, FlowErrorKind::Signaled);
        let error = FlowError::new(kind, format!("SSO is off again for {domain}"))
            .cause(format!("trial {}", self.describe(outcome)));
        error.hint(if self.subject.is_kept_by_sign_in(self.options.keep_on) {
            format!("`cfsso diagnose <EMAIL> --assume-enabled`, `cfsso preflight {domain}`")
        } else {
            format!(
                "`cfsso enable {domain} --trial`, and then `cfsso connector keep {domain}` in time"
            )
        })
    }

    fn not_reverted_error(&self, error: &Error) -> FlowError {
        let domain = &self.subject.domain;
        let message = format!("SSO could not be disabled for {domain}; it may still be on");
        FlowError::half_done(message)
            .causes(error.sentences())
            .hint(format!("`cfsso bypass disable {domain}`"))
    }
}
