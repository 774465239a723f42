//! Guided set-up: create → publish → wait → verify → check → enable. Each step is computed from
//! the server's state, so that a second run resumes.

mod report;
mod txt;

use std::cell::RefCell;
use std::rc::Rc;

pub use report::{EnableOptions, Event, Options, Report, Step, StepId};

use super::dry_run::DryRun;
use super::plan::Plan;
use super::preflight::{self, Facts};
use super::steps::{StepLog, StepState};
use super::trial::{self, Subject, TrialEnd};
use super::verify::{self, VerifyAction};
use super::{Env, Error, connector};
use crate::api::connector::{BeginVerification, Connector, VerificationStatus};
use crate::dns::{LookupResult, Scope, Verdict};

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
        let facts = options.facts.read(env, &enabling.asking).await;
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
            let detail = format!("enabled ({})", ended.trial.detail);
            self.report.borrow_mut().trial = Some(ended.trial);
            end?;
            self.steps.end(StepId::Enable, StepState::Done, detail);
            return Ok(());
        }
        let domain = &self.options.domain;
        let connector = trial::keep::enable_for_good(self.env, domain, &subject.connector).await?;
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
    ) -> Result<Rc<Facts>, Error> {
        self.steps.begin(StepId::Preflight);
        // The list was read before this run created the connector.
        connectors.retain(|other| other.id != connector.id);
        connectors.push(connector.clone());
        let facts = self.options.facts.read(self.env, &enabling.asking).await;
        let LookupResult { lookup, diagnosis } = found;
        let subject = (connector, &self.options.domain);
        let checks = enabling.checks(self.env, subject, (lookup, diagnosis), &connectors, &facts);
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

    fn record_connector(&self, connector: &Connector) {
        self.report.borrow_mut().result = Some(connector.clone());
    }

    fn emit(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}
