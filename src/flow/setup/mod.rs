//! Guided set-up: create → publish → wait → verify → check → enable. Each step is computed from
//! the server's state, so that a second run resumes.

mod report;

use std::cell::RefCell;
use std::time::Duration;

use jiff::Timestamp;
pub use report::{EnableOptions, Event, Options, Report, Step, StepId};

use super::dns_provider::{DnsProvider, dns_provider};
use super::dry_run::DryRun;
use super::plan::Plan;
use super::preflight::{self, Facts, PublishedCode};
use super::publish::{self, DnsHost, TxtRecord, TxtRecords};
use super::steps::{StepLog, StepState};
use super::trial::{self, Subject};
use super::verify::{self, VerifyAction};
use super::{Env, Error, FlowError, connector, journaled_code};
use crate::api::connector::{BeginVerification, Connector, VerificationStatus};
use crate::api::zone::Zone;
use crate::dns::{self, Diagnosis, Lookup, LookupResult, Role, Scope, Verdict};

/// How long a record of a verified domain is looked for: no step depends on it.
const MAX_READ_BACK: Duration = Duration::from_mins(1);

type TrialEnd = (trial::Report, Result<(), FlowError>);

struct Setup<'a> {
    env: &'a Env<'a>,
    options: &'a Options,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: StepLog<'a, StepId>,
    report: RefCell<Report>,
}

/// `approve` is called before SSO is enabled; it may enable SSO itself, on trial. The report
/// shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    on_event: &dyn Fn(&Event<'_>),
    approve: impl AsyncFnOnce(&Subject) -> Result<Option<TrialEnd>, Error>,
) -> (Report, Result<(), Error>) {
    let report = Report {
        schema: "cfsso/setup/v1",
        ok: false,
        domain: options.domain.to_string(),
        steps: Vec::new(),
        checks: Vec::new(),
        txt_record: None,
        result: None,
        trial: None,
        next: None,
    };
    let steps = StepLog::new(|step| on_event(&Event::Step(step)));
    let setup = Setup { env, options, on_event, steps, report: RefCell::new(report) };
    let end = setup.run_steps(approve).await;
    if let Err(error) = &end {
        setup.steps.fail_current(error);
    }
    let mut report = setup.report.into_inner();
    report.ok = end.is_ok();
    report.next = end.is_err().then(|| options.rerun_command()).or(report.next);
    report.steps = setup.steps.into_finished();
    (report, end)
}

/// The checks and requests of [`run`], if each step succeeds.
pub async fn dry_run(env: &Env<'_>, options: &Options) -> Result<Plan, Error> {
    let dry_run = DryRun::default();
    let (report, end) =
        run(&env.with_dry_run(&dry_run), options, &|_| (), async |_| Ok(None)).await;
    end?;
    let changes = dry_run.into_changes();
    let mut checks = report.checks;
    if let (Some(enabling), true, false) = (&options.enable, checks.is_empty(), changes.is_empty())
    {
        // Those of the domain need a verified connector.
        let facts = Box::pin(preflight::gather(env, &enabling.asking)).await;
        let found = preflight::account_checks(&facts).into_iter();
        checks = found.map(|check| check.accept_risks(&enabling.accepted)).collect();
    }
    Ok(Plan::new(checks, changes))
}

impl Setup<'_> {
    async fn run_steps(
        &self,
        approve: impl AsyncFnOnce(&Subject) -> Result<Option<TrialEnd>, Error>,
    ) -> Result<(), Error> {
        let domain = &self.options.domain;
        let connectors = async {
            match &self.options.connectors {
                Some(connectors) => Ok(connectors.to_vec()),
                None => connector::list(self.env).await,
            }
        };
        let lookup = self.env.resolver.lookup(domain, None, Scope::Authoritative);
        let (connectors, lookup) = tokio::join!(connectors, lookup);
        let connectors = connectors?;
        let existing = connector::select_by_domain(&connectors, domain)?.cloned();
        let (connector, place) = if let Some(connector) = existing {
            (self.use_existing(connector), None)
        } else {
            // The zone is looked up while the connector is created.
            let (connector, place) = tokio::join!(self.create(), self.place());
            (connector?, place?)
        };
        let (found, is_new) = self.publish(&connector, &connectors, lookup, place).await?;
        let found = self.await_visible(&connector, found, is_new).await?;
        // Without a wait, the run ends where one would begin.
        let ends_early = self.env.is_dry_run() && !self.options.wait && !connector.is_verified();
        let is_visible = found.diagnosis.verdict == Verdict::Visible;
        if ends_early && !is_visible && !self.options.publish_txt {
            return Ok(());
        }
        let connector = self.verify(connector).await?;
        if ends_early {
            return Ok(());
        }
        self.enable(connector, connectors, &found, approve).await
    }

    fn use_existing(&self, connector: Connector) -> Connector {
        if self.options.fedramp == Some(true) && connector.use_fedramp_language != Some(true) {
            let text = format!(
                "the existing connector does not use the FedRAMP language; \
                 `cfsso connector update {} --fedramp` sets it",
                self.options.domain
            );
            self.emit(&Event::Warning { text: &text });
        }
        self.steps.end(
            StepId::Create,
            StepState::Skipped,
            format!("already exists  {}", connector.id),
        );
        self.record_connector(&connector);
        connector
    }

    async fn create(&self) -> Result<Connector, Error> {
        self.steps.begin(StepId::Create);
        // Cloudflare looks for the record for two days: with a wait, these start once it exists.
        let begin =
            if self.options.wait { BeginVerification::Later } else { BeginVerification::Now };
        let connector =
            connector::create(self.env, &self.options.domain, begin, self.options.fedramp).await?;
        self.record_connector(&connector);
        self.steps.end(StepId::Create, StepState::Done, format!("created  {}", connector.id));
        Ok(connector)
    }

    async fn place(&self) -> Result<Option<DnsHost>, Error> {
        if self.options.publish_txt {
            publish::dns_host(self.env, &self.options.domain).await.map(Some)
        } else {
            Ok(None)
        }
    }

    /// Also returns whether a record was created that the name servers have to return soon.
    async fn publish(
        &self,
        connector: &Connector,
        connectors: &[Connector],
        lookup: Lookup,
        place: Option<DnsHost>,
    ) -> Result<(LookupResult, bool), Error> {
        let domain = &self.options.domain;
        let code = code(connector)?;
        let record = TxtRecord::new(domain, code);
        self.report.borrow_mut().txt_record = Some(record.clone());
        let found = self.diagnose(connector, lookup);
        let is_visible = found.diagnosis.verdict == Verdict::Visible;
        // Whether Cloudflare checks a verified domain again is not documented.
        let skip_reason = match (connector.is_verified(), is_visible) {
            (true, false) if self.options.publish_txt => None,
            (true, _) => Some("not needed: the domain is verified"),
            (false, _) => is_visible.then_some(code),
        };
        // Stale codes are looked up even if the record is no longer needed.
        if let Some(detail) = skip_reason
            && !self.options.replace_stale_txt
        {
            self.steps.end(StepId::PublishTxt, StepState::Skipped, detail);
            return Ok((found, false));
        }
        self.steps.begin(StepId::PublishTxt);
        let place = match place {
            Some(place) => place,
            None => self
                .place()
                .await?
                .unwrap_or_else(|| DnsHost::External("--publish-txt not given".to_owned())),
        };
        let (zone, warning) = match place {
            DnsHost::Cloudflare { zone, warning } => (zone, warning),
            DnsHost::External(reason) => {
                match skip_reason {
                    Some(detail) => {
                        self.steps.end(StepId::PublishTxt, StepState::Skipped, detail);
                    }
                    None => self.publish_by_hand(&record, &reason, &found),
                }
                return Ok((found, false));
            }
        };
        // Another provider serves the domain: the record is needed there, too.
        if let Some(text) = &warning
            && skip_reason.is_none()
        {
            self.emit(&Event::Warning { text });
            let dns_provider = provider(&found.lookup);
            self.emit(&Event::Publish { record: &record, reason: text, dns_provider });
        }
        let records = match self.publish_in(&zone, &record, connector, connectors).await {
            Ok(records) => records,
            Err(error) => {
                let reason = publish::unpermitted(&error, &zone);
                let Some(reason) = reason.filter(|_| skip_reason.is_none()) else {
                    return Err(error);
                };
                if connector.is_verified() {
                    self.emit(&Event::Warning { text: &reason });
                    self.publish_by_hand(&record, &reason, &found);
                    return Ok((found, false));
                }
                let dns_provider = provider(&found.lookup);
                self.emit(&Event::Publish { record: &record, reason: &reason, dns_provider });
                return Err(error);
            }
        };
        let removed = self.remove_stale(&zone, &record, &records).await?;
        let is_new = !records.current && warning.is_none();
        if removed {
            let lookup = self.env.resolver.lookup(domain, None, Scope::Authoritative).await;
            return Ok((self.diagnose(connector, lookup), is_new));
        }
        Ok((found, is_new))
    }

    fn publish_by_hand(&self, record: &TxtRecord, reason: &str, found: &LookupResult) {
        self.steps.end(StepId::PublishTxt, StepState::Pending, format!("by hand: {reason}"));
        let dns_provider = provider(&found.lookup);
        self.emit(&Event::Publish { record, reason, dns_provider });
    }

    /// Creates the record; returns the records before.
    async fn publish_in(
        &self,
        zone: &Zone,
        record: &TxtRecord,
        connector: &Connector,
        connectors: &[Connector],
    ) -> Result<TxtRecords, Error> {
        let domain = &self.options.domain;
        let records = publish::records(self.env, &zone.id, domain, connector, connectors).await?;
        for code in &records.left_over {
            self.emit(&Event::Warning {
                text: &format!(
                    "the verification code of a deleted connector of this account (journal) at {} \
                     is left alone: {code}",
                    record.name
                ),
            });
        }
        for code in &records.foreign {
            self.emit(&Event::Warning {
                text: &format!(
                    "another verification code at {} is left alone: {code}",
                    record.name
                ),
            });
        }
        if !records.current {
            publish::create(self.env, &zone.id, record, &connector.id).await?;
        }
        Ok(records)
    }

    /// Returns whether a record was deleted, and ends the step.
    async fn remove_stale(
        &self,
        zone: &Zone,
        record: &TxtRecord,
        records: &TxtRecords,
    ) -> Result<bool, Error> {
        for stale in &records.stale {
            if self.options.replace_stale_txt {
                self.env.execute(&publish::delete_action(&zone.id, stale)).await?;
            } else {
                let text = format!(
                    "outdated verification code of cfsso at {}: {}; --replace-stale-txt deletes it",
                    record.name,
                    stale.txt().unwrap_or_default()
                );
                self.emit(&Event::Warning { text: &text });
            }
        }
        let removed = self.options.replace_stale_txt && !records.stale.is_empty();
        let stood = records.current && !removed;
        let state = if stood { StepState::Skipped } else { StepState::Done };
        self.steps.end(StepId::PublishTxt, state, format!("published in zone {}", zone.name));
        Ok(removed)
    }

    async fn await_visible(
        &self,
        connector: &Connector,
        found: LookupResult,
        is_new: bool,
    ) -> Result<LookupResult, Error> {
        if found.diagnosis.verdict == Verdict::Visible {
            let detail = preflight::describe_published(&found.lookup, &found.diagnosis);
            self.steps.end(StepId::TxtVisible, StepState::Skipped, detail);
            return Ok(found);
        }
        let is_verified = connector.is_verified();
        if is_verified && (!is_new || found.diagnosis.verdict == Verdict::Unreachable) {
            let detail = format!("not needed: {}", found.diagnosis.summary);
            self.steps.end(StepId::TxtVisible, StepState::Skipped, detail);
            return Ok(found);
        }
        if self.env.is_dry_run() {
            return Ok(found);
        }
        self.steps.begin(StepId::TxtVisible);
        let now = self.env.clock.now();
        let mut deadline = if self.options.wait { self.options.deadline } else { now };
        if is_verified {
            let limit = now.saturating_add(MAX_READ_BACK).unwrap_or(Timestamp::MAX);
            deadline = deadline.min(limit);
        }
        let found = dns::wait_until_visible(
            self.env.resolver,
            &self.options.domain,
            Some(code(connector)?.as_bytes()),
            deadline,
            |_, diagnosis| self.emit(&Event::Waiting { text: &diagnosis.summary, since: now }),
        )
        .await;
        if is_verified && !found.diagnosis.verdict.is_visible() {
            let detail = found.diagnosis.summary.clone();
            self.steps.end(StepId::TxtVisible, StepState::Pending, detail);
            return Ok(found);
        }
        if !found.diagnosis.verdict.is_visible() {
            return Err(not_visible(self.options, &found.diagnosis).into());
        }
        self.steps.end(
            StepId::TxtVisible,
            StepState::Done,
            preflight::describe_published(&found.lookup, &found.diagnosis),
        );
        Ok(found)
    }

    async fn verify(&self, connector: Connector) -> Result<Connector, Error> {
        if connector.is_verified() {
            self.steps.end(StepId::Verify, StepState::Skipped, "verified");
            return Ok(connector);
        }
        if self.env.is_dry_run() {
            return match verify::next_action(&connector) {
                VerifyAction::Begin => verify::begin(self.env, &connector).await,
                VerifyAction::Wait | VerifyAction::None => Ok(connector),
            };
        }
        self.steps.begin(StepId::Verify);
        let since = self.env.clock.now();
        let deadline = if self.options.wait { self.options.deadline } else { since };
        let on_look = |connector: &Connector| {
            let status = connector.status().map_or("unknown", VerificationStatus::as_str);
            self.emit(&Event::Waiting { text: &format!("verification: {status}"), since });
        };
        // `connector verify` would not run the later steps.
        let resume = self.options.rerun_command();
        let connector =
            verify::wait_until_verified(self.env, connector, deadline, &resume, &on_look).await?;
        self.record_connector(&connector);
        self.steps.end(StepId::Verify, StepState::Done, "verified");
        Ok(connector)
    }

    async fn enable(
        &self,
        connector: Connector,
        others: Vec<Connector>,
        found: &LookupResult,
        approve: impl AsyncFnOnce(&Subject) -> Result<Option<TrialEnd>, Error>,
    ) -> Result<(), Error> {
        if connector.is_enabled() {
            if self.options.enable.is_some() {
                self.steps.begin(StepId::Enable);
                trial::keep::ensure_not_on_trial(self.env, &connector)?;
            }
            self.steps.end(StepId::Enable, StepState::Skipped, "already enabled");
            return Ok(());
        }
        let Some(enabling) = &self.options.enable else {
            self.steps.end(StepId::Enable, StepState::Pending, "not requested");
            self.report.borrow_mut().next =
                Some(format!("cfsso connector enable {}", self.options.domain));
            return Ok(());
        };
        if self.env.is_dry_run() {
            // The checks would fail on what the dry run assumes.
            if connector.is_verified() {
                self.preflight(&connector, others, found, enabling).await?;
            }
            let domain = &self.options.domain;
            return connector::enable(self.env, domain, &connector).await.map(drop);
        }
        let facts = self.preflight(&connector, others, found, enabling).await?;
        self.steps.begin(StepId::Enable);
        let subject = Subject::new(self.options.domain.clone(), connector, &facts);
        if let Some((ended, end)) = approve(&subject).await? {
            self.record_connector(&ended.connector);
            let detail = format!("enabled ({})", ended.trial.outcome.label());
            self.report.borrow_mut().trial = Some(ended.trial);
            end?;
            self.steps.end(StepId::Enable, StepState::Done, detail);
            return Ok(());
        }
        let connector =
            connector::enable(self.env, &self.options.domain, &subject.connector).await?;
        self.record_connector(&connector);
        self.steps.end(StepId::Enable, StepState::Done, "enabled (confirmed)");
        Ok(())
    }

    async fn preflight(
        &self,
        connector: &Connector,
        mut connectors: Vec<Connector>,
        found: &LookupResult,
        enabling: &EnableOptions,
    ) -> Result<Facts, Error> {
        self.steps.begin(StepId::Preflight);
        // The list was read before this run created the connector.
        connectors.retain(|other| other.id != connector.id);
        connectors.push(connector.clone());
        let facts = Box::pin(preflight::gather(self.env, &enabling.asking)).await;
        let LookupResult { lookup, diagnosis } = found;
        let codes = dns::sso_codes(lookup);
        let left_over = &journaled_code::of_deleted_connectors(self.env, codes, &connectors);
        let subject = preflight::Subject {
            connector,
            domain: &self.options.domain,
            served: PublishedCode { lookup, diagnosis, left_over, elsewhere: &[] },
        };
        let checks = enabling.checks(subject, &connectors, &facts, self.env.clock.now());
        self.report.borrow_mut().checks.clone_from(&checks);
        let plan = Plan::new(checks, Vec::new());
        let passes = plan.ensure_allowed(&format!("enabling `{}`", self.options.domain));
        let state = if passes.is_ok() { StepState::Done } else { StepState::Blocked };
        self.steps.end(StepId::Preflight, state, plan.summary());
        self.emit(&Event::Checks { checks: &plan.checks });
        if !self.env.is_dry_run() {
            passes?;
        }
        Ok(facts)
    }

    fn diagnose(&self, connector: &Connector, lookup: Lookup) -> LookupResult {
        let expected = connector.code().map(str::as_bytes);
        let diagnosis = dns::diagnose(&lookup, expected, self.env.clock.now());
        LookupResult { lookup, diagnosis }
    }

    fn record_connector(&self, connector: &Connector) {
        self.report.borrow_mut().result = Some(connector.clone());
    }

    fn emit(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}

fn provider(lookup: &Lookup) -> Option<&'static DnsProvider> {
    let servers = lookup.servers.iter().filter(|server| server.role == Role::Authoritative);
    dns_provider(servers.filter_map(|server| server.name.as_deref()))
}

fn code(connector: &Connector) -> Result<&str, FlowError> {
    connector.code().ok_or_else(|| {
        FlowError::not_yet(format!(
            "the API returned no verification code for {}",
            connector.email_domain
        ))
        .hint(format!("`cfsso connector get {} -o json`", connector.id))
    })
}

fn not_visible(options: &Options, diagnosis: &Diagnosis) -> FlowError {
    let domain = &options.domain;
    FlowError::not_yet(format!("the TXT record of {domain} is not visible everywhere yet"))
        .cause(diagnosis.summary.clone())
        .hint(match &diagnosis.remedy {
            Some(remedy) => format!("{remedy}; then `{}`", options.rerun_command()),
            None => format!("`{}`", options.rerun_command()),
        })
}
