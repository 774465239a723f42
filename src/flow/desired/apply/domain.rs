//! The domains of a run: publish, verify together, enable.

use futures_util::{StreamExt as _, stream};

use super::super::Desired;
use super::super::change::{PlannedChange, Task};
use super::super::facts::Facts;
use super::{Apply, ChangeResult, Decisions, DomainResult, Event, ends_all};
use crate::api::connector::{Connector, VerificationStatus};
use crate::dns::{self, Diagnosis, Lookup, Scope, Verdict};
use crate::domain::EmailDomain;
use crate::flow::check::Check;
use crate::flow::federation::state::MAX_CONCURRENT;
use crate::flow::plan::Plan;
use crate::flow::preflight;
use crate::flow::publish::{self, DnsHost, TxtRecord};
use crate::flow::steps::StepState;
use crate::flow::trial::{Subject, keep};
use crate::flow::verify::{self, VerifyAction};
use crate::flow::{Env, Error, FlowError, connector, wait};

/// How often verification of a domain is started in one run.
const MOST_STARTS: u32 = 2;

pub(super) struct Domain {
    pub name: EmailDomain,
    pub connector: Option<Connector>,
    served: Option<(Lookup, Diagnosis)>,
    starts: u32,
    by_hand: Option<TxtRecord>,
    checks: Vec<Check>,
}

/// In the order of the file. Their names are valid: they were planned.
pub(super) fn all(desired: &Desired, facts: &Facts) -> Vec<Domain> {
    let domains = desired.connectors().iter().filter_map(|wanted| {
        let name: EmailDomain = wanted.domain.parse().ok()?;
        let known = connector::select_by_domain(&facts.connectors, &name).ok().flatten();
        Some(Domain {
            connector: known.cloned(),
            name,
            served: None,
            starts: 0,
            by_hand: None,
            checks: Vec::new(),
        })
    });
    domains.collect()
}

impl Domain {
    pub(super) fn connector(&self) -> Result<&Connector, FlowError> {
        self.connector
            .as_ref()
            .ok_or_else(|| FlowError::not_found(format!("no connector for {}", self.name)))
    }

    fn code(&self) -> Option<&str> {
        self.connector.as_ref()?.code()
    }

    fn is_verified(&self) -> bool {
        self.connector.as_ref().is_some_and(|connector| connector.is_verified())
    }

    /// The reason why it is not verified yet.
    fn unverified(&self) -> String {
        let status = self.connector.as_ref().and_then(|connector| connector.status());
        let status = status.map_or("unknown", VerificationStatus::as_str);
        match &self.served {
            Some((_, diagnosis)) if diagnosis.verdict != Verdict::Visible => {
                format!("TXT record not visible: {}", diagnosis.summary)
            }
            _ => format!("verification: {status}"),
        }
    }

    pub(super) fn result(&self, results: &[ChangeResult]) -> DomainResult {
        let connector = self.connector.as_ref();
        let own = results.iter().filter(|result| result.subject == self.name.as_str());
        let first_left = own.clone().find(|result| result.state != StepState::Done);
        DomainResult {
            domain: self.name.to_string(),
            connector: connector.map(|connector| connector.id.to_string()),
            verification: connector
                .and_then(|connector| connector.status())
                .map(|status| status.as_str().to_owned()),
            enabled: connector.and_then(|connector| connector.enabled),
            state: first_left.map_or(StepState::Done, |result| result.state),
            detail: first_left.map_or_else(String::new, |result| result.detail.clone()),
            txt_record: self.by_hand.clone().filter(|_| !self.is_verified()),
            checks: self.checks.clone(),
        }
    }
}

impl<D: Decisions> Apply<'_, D> {
    /// Domains whose records a person has to publish come last: they may take long.
    pub(super) async fn verify_and_enable(
        &mut self,
        changes: &[PlannedChange],
    ) -> Result<(), Error> {
        let mut waiting = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let Task::Verify(domain) = change.task else { continue };
            match self.blocked(change) {
                Some(reason) => self.end(at, StepState::Blocked, reason),
                None => waiting.push((at, domain)),
            }
        }
        self.lookup(waiting.iter().map(|(_, domain)| *domain)).await;
        self.publish(&mut waiting).await?;
        let is_ours = |(_, domain): &(usize, usize)| self.domains[*domain].by_hand.is_none();
        let (ours, by_hand): (Vec<_>, Vec<_>) = waiting.into_iter().partition(is_ours);
        self.wait_and_conclude(ours).await?;
        self.enable_ready(changes).await?;
        self.wait_and_conclude(by_hand).await?;
        self.enable_ready(changes).await?;
        for (at, change) in changes.iter().enumerate() {
            if matches!(change.task, Task::Enable(_)) && !self.has_ended(at) {
                self.end(at, StepState::Pending, "the domain is not verified yet");
            }
        }
        Ok(())
    }

    async fn wait_and_conclude(&mut self, mut waiting: Vec<(usize, usize)>) -> Result<(), Error> {
        if waiting.is_empty() {
            return Ok(());
        }
        let end = self.wait(&mut waiting).await;
        for (at, domain) in waiting {
            let domain = &self.domains[domain];
            if domain.is_verified() {
                self.end(at, StepState::Done, "verified");
            } else {
                let detail = domain.unverified();
                let has_failed = domain.has_failed();
                let state = if has_failed { StepState::Failed } else { StepState::Pending };
                self.end(at, state, detail);
            }
        }
        end
    }

    /// Looks up the TXT records of these domains.
    async fn lookup(&mut self, domains: impl Iterator<Item = usize>) {
        let (env, known) = (self.env, &self.domains);
        let looks = domains.map(|at| async move {
            let domain = &known[at];
            (at, look_up(env, &domain.name, domain.code()).await)
        });
        let results: Vec<_> = stream::iter(looks).buffer_unordered(MAX_CONCURRENT).collect().await;
        for (at, served) in results {
            self.domains[at].served = Some(served);
        }
    }

    fn is_visible(&self, at: usize) -> bool {
        let served = self.domains[at].served.as_ref();
        served.is_some_and(|(_, diagnosis)| diagnosis.verdict == Verdict::Visible)
    }

    /// Creates records in zones of this account and shows the others. Drops failed domains.
    async fn publish(&mut self, waiting: &mut Vec<(usize, usize)>) -> Result<(), Error> {
        let missing: Vec<_> =
            waiting.iter().copied().filter(|(_, domain)| !self.is_visible(*domain)).collect();
        let env = self.env;
        let names: Vec<_> = missing.iter().map(|(_, at)| self.domains[*at].name.clone()).collect();
        let hosts = names.iter().map(|name| publish::dns_host(env, name));
        let hosts: Vec<_> = stream::iter(hosts).buffered(MAX_CONCURRENT).collect().await;
        let (mut records, mut reasons) = (Vec::new(), Vec::new());
        for ((at, domain), host) in missing.into_iter().zip(hosts) {
            let published = match host {
                Ok(host) => self.publish_one(domain, host).await,
                Err(error) => Err(error),
            };
            match published {
                Ok(None) => {}
                Ok(Some((record, reason))) => {
                    self.domains[domain].by_hand = Some(record.clone());
                    records.push(record);
                    reasons.push(reason);
                }
                Err(error) => {
                    waiting.retain(|(waiting, _)| *waiting != at);
                    self.conclude(at, Err(error))?;
                }
            }
        }
        if !records.is_empty() {
            (self.on_event)(&Event::Publish { records: &records, reasons: &reasons });
        }
        Ok(())
    }

    /// Returns a record that a person has to publish, with the reason.
    async fn publish_one(
        &self,
        at: usize,
        host: DnsHost,
    ) -> Result<Option<(TxtRecord, String)>, Error> {
        let domain = &self.domains[at];
        let connector = domain.connector()?;
        let Some(code) = domain.code() else {
            let message = format!("the API returned no verification code for {}", domain.name);
            return Err(FlowError::not_yet(message).into());
        };
        let record = TxtRecord::new(&domain.name, code);
        let (zone, warning) = match host {
            DnsHost::External(reason) => return Ok(Some((record, reason))),
            DnsHost::Cloudflare { zone, warning } => (zone, warning),
        };
        let created = async {
            if !publish::is_published(self.env, &zone.id, &domain.name, code).await? {
                publish::create(self.env, &zone.id, &record, &connector.id).await?;
                self.is_partly_made.set(true);
            }
            Ok(())
        };
        match created.await {
            Ok(()) => Ok(warning.map(|warning| (record, warning))),
            Err(error) => match publish::unpermitted(&error, &zone) {
                Some(reason) => Ok(Some((record, reason))),
                None => Err(error),
            },
        }
    }

    /// Starts each verification once its record is visible; waits for all or the deadline.
    async fn wait(&mut self, waiting: &mut Vec<(usize, usize)>) -> Result<(), Error> {
        let (clock, deadline, since) =
            (self.env.clock, self.options.deadline, self.env.clock.now());
        let total = waiting.len();
        let ended = wait::poll(clock, deadline, async || {
            let hidden: Vec<_> = waiting
                .iter()
                .map(|(_, domain)| *domain)
                .filter(|domain| !self.domains[*domain].is_verified() && !self.is_visible(*domain))
                .collect();
            self.lookup(hidden.into_iter()).await;
            self.start(waiting).await?;
            let connectors = connector::list(self.env).await?;
            for (_, domain) in waiting.iter() {
                let domain = &mut self.domains[*domain];
                let known = connectors
                    .iter()
                    .find(|it| Some(&it.id) == domain.connector.as_ref().map(|own| &own.id));
                domain.connector = known.cloned().or(domain.connector.take());
            }
            let is_open = |domain: &Domain| !domain.is_verified() && !domain.has_failed();
            let verified = waiting.iter().filter(|(_, at)| self.domains[*at].is_verified()).count();
            (self.on_event)(&Event::Waiting { verified, total, since });
            let is_over = !waiting.iter().any(|(_, at)| is_open(&self.domains[*at]));
            Ok(is_over.then_some(()))
        });
        ended.await.map(|_| ())
    }

    async fn start(&mut self, waiting: &mut Vec<(usize, usize)>) -> Result<(), Error> {
        for (at, place) in waiting.clone() {
            let domain = &self.domains[place];
            let can_succeed =
                domain.served.as_ref().is_some_and(|(_, diagnosis)| verify::can_succeed(diagnosis));
            let connector = domain.connector()?.clone();
            let is_due = verify::next_action(&connector) == VerifyAction::Begin;
            if !is_due || !can_succeed || domain.starts >= MOST_STARTS {
                continue;
            }
            match verify::begin(self.env, &connector).await {
                Ok(begun) => {
                    self.is_partly_made.set(true);
                    let domain = &mut self.domains[place];
                    domain.starts += 1;
                    domain.connector = Some(begun);
                }
                Err(error) if ends_all(&error) => return Err(error),
                Err(error) => {
                    waiting.retain(|(waiting, _)| *waiting != at);
                    self.conclude(at, Err(error))?;
                }
            }
        }
        Ok(())
    }

    async fn enable_ready(&mut self, changes: &[PlannedChange]) -> Result<(), Error> {
        let mut ready = Vec::new();
        for (at, change) in changes.iter().enumerate() {
            let Task::Enable(domain) = change.task else { continue };
            if self.has_ended(at) {
                continue;
            }
            if let Some(reason) = self.blocked(change) {
                self.end(at, StepState::Blocked, reason);
            } else if self.domains[domain].is_verified() {
                ready.push((at, domain));
            }
        }
        if ready.is_empty() { Ok(()) } else { self.enable_all(changes, &ready).await }
    }

    async fn enable_all(
        &mut self,
        changes: &[PlannedChange],
        ready: &[(usize, usize)],
    ) -> Result<(), Error> {
        let env = self.env;
        let is_unseen = |at: &usize| self.domains[*at].served.is_none();
        let not_looked_up: Vec<_> =
            ready.iter().map(|(_, domain)| *domain).filter(is_unseen).collect();
        self.lookup(not_looked_up.into_iter()).await;
        let (connectors, facts) = tokio::join!(
            connector::list(env),
            Box::pin(preflight::gather(env, &self.options.enable.asking))
        );
        let connectors = connectors?;
        for (at, place) in ready.iter().copied() {
            (self.on_event)(&Event::Started { title: &changes[at].title });
            let done = Box::pin(self.enable(place, &connectors, &facts)).await;
            self.conclude(at, done)?;
        }
        Ok(())
    }

    async fn enable(
        &mut self,
        place: usize,
        connectors: &[Connector],
        facts: &preflight::Facts,
    ) -> Result<String, Error> {
        let enabling = &self.options.enable;
        let domain = &self.domains[place];
        let name = domain.name.clone();
        let Some(connector) = connector::select_by_domain(connectors, &name)?.cloned() else {
            return Err(FlowError::not_found(format!("no connector for {name}")).into());
        };
        if connector.is_enabled() {
            self.domains[place].connector = Some(connector);
            return Ok("SSO already enabled".to_owned());
        }
        let (lookup, diagnosis) = domain.served.as_ref().expect("looked at before");
        let (subject, served) = ((&connector, &name), (lookup, diagnosis));
        let checks = enabling.checks(self.env, subject, served, connectors, facts);
        (self.on_event)(&Event::Checks { domain: name.as_str(), checks: &checks });
        self.domains[place].checks.clone_from(&checks);
        let plan = Plan::new(checks, Vec::new());
        plan.ensure_allowed(&format!("enabling `{name}`"))?;
        let subject = Subject::new(name.clone(), connector, facts);
        if let Some((report, end)) = self.decisions.try_enable(&subject).await? {
            self.domains[place].connector = Some(report.connector);
            end?;
            return Ok(format!("SSO enabled ({})", report.trial.detail));
        }
        let enabled = keep::enable_for_good(self.env, &name, &subject.connector).await?;
        self.domains[place].connector = Some(enabled);
        Ok(format!("SSO enabled (confirmed); preflight: {}", plan.summary()))
    }
}

pub(in crate::flow::desired) async fn look_up(
    env: &Env<'_>,
    domain: &EmailDomain,
    code: Option<&str>,
) -> (Lookup, Diagnosis) {
    let code = code.map(str::as_bytes);
    let lookup = env.resolver.lookup(domain, code, Scope::Authoritative).await;
    let diagnosis = dns::diagnose(&lookup, code, env.clock.now());
    (lookup, diagnosis)
}

impl Domain {
    fn has_failed(&self) -> bool {
        let is_due = |connector: &Connector| verify::next_action(connector) == VerifyAction::Begin;
        self.starts >= MOST_STARTS && self.connector.as_ref().is_some_and(is_due)
    }
}
