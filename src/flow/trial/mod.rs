//! Trial of enforcement: SSO is enabled, and disabled again unless the logs show a user's sign-in
//! or the user keeps it (as `commit confirmed` of Junos). The journal has the trial on disk before
//! the request: if the process dies, every later command on this machine warns of it.

mod countdown;
mod evidence;
pub mod keep;
mod report;
mod revert;
mod subject;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::{Stream, StreamExt as _};
use jiff::{SignedDuration, Timestamp};

use self::countdown::Countdown;
use self::evidence::{Claim, OWN_CHANGE_WINDOW, Verdict};
pub use self::evidence::{PinRule, SignIn, Source};
use self::report::Findings;
pub use self::report::{Event, Report, TrialOutcome, TrialReport};
pub use self::subject::Subject;
use super::api_error::ApiErrorContext;
use super::journal::{OpenTrial, TrialTerms};
use super::journaled::Written;
use super::{Env, Error, FlowError, Signal, connector};
use crate::api::access_log::{self, LoginRow};
use crate::api::audit_log::{self, AuditRow};
use crate::api::connector::Connector;
use crate::api::{self, ErrorKind};
use crate::domain::EmailDomain;
use crate::rfc3339;

/// How often the logs are read: three requests each time, of 1200 in 5 minutes.
const POLL: Duration = Duration::from_secs(3);

/// How long the last look at the logs may take before SSO is disabled again.
const LAST_ROUND: Duration = Duration::from_secs(15);

const TICK: Duration = Duration::from_secs(1);

/// Maximum difference between the clocks of the logs and of the API.
const SKEW: SignedDuration = SignedDuration::from_mins(1);

/// The length of a trial if none is given.
pub const DEFAULT_DURATION: Duration = Duration::from_mins(10);

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub duration: Duration,
    pub accept_otp: bool,
    pub keep_on: KeepOn,
    pub redact_emails: bool,
}

/// What keeps enforcement on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum KeepOn {
    /// A user signs in
    #[default]
    SignIn,
    /// `cfsso connector keep`, or `keep` on the terminal
    Confirm,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    Keep,
    Revert,
    Signal(Signal),
}

/// The report of a finished trial, and the result for its domain.
pub type TrialEnd = (Report, Result<(), FlowError>);

type Tell<'a> = &'a dyn Fn(&Event<'_>);

struct Trial<'a> {
    env: &'a Env<'a>,
    subject: &'a Subject,
    options: Options,
    claim: Claim,
    enabled: Connector,
    entry: Option<String>,
    /// The Ray ID of the request that enabled SSO, as in the response.
    own_ray: Option<String>,
    started: Timestamp,
    until: Timestamp,
    tell: Tell<'a>,
    reported: RefCell<BTreeSet<Verdict>>,
    reported_failures: RefCell<BTreeSet<String>>,
    findings: RefCell<Findings>,
    longest_gap: Cell<Duration>,
}

/// A log that could not be read before the trial is `None`.
struct Round {
    logins: Option<Result<Vec<LoginRow>, api::Error>>,
    audit: Option<Result<Vec<AuditRow>, api::Error>>,
    connector: Result<Connector, api::Error>,
}

#[derive(Clone, Copy)]
enum End {
    Kept(TrialOutcome),
    Revert(TrialOutcome),
    /// Another client changed it.
    Left(TrialOutcome),
}

pub async fn run(
    env: &Env<'_>,
    subject: &Subject,
    options: Options,
    orders: impl Stream<Item = Order>,
    tell: Tell<'_>,
) -> Result<TrialEnd, Error> {
    let client = env.client.without_deadline();
    let env = &Env { client: &client, ..*env };
    let Subject { domain, connector, .. } = subject;
    let read = api::connector::get(env.account, &connector.id);
    let lock = keep::lock_enabling(env, connector).await?;
    // What was enabled for good since the checks must not be disabled at the end.
    let connector = &env.client.send(&read).await?;
    if connector.is_enabled() {
        return Err(enabled_meanwhile(domain).into());
    }
    let started = env.clock.now();
    let until = started.saturating_add(options.duration).unwrap_or(Timestamp::MAX);
    let action = connector::enable_action(env, domain, connector).on_trial(options.terms(until));
    let trial = |enabled: Connector| {
        let changed =
            enabled.updated_on.as_ref().filter(|it| connector.updated_on.as_ref() != Some(it));
        let enabled_at = changed.and_then(|at| at.parse().ok()).unwrap_or(started);
        let own_ray = own_ray(env);
        let times = (started, until, enabled_at);
        Trial::new(env, subject, options, times, own_ray, enabled, tell)
    };
    let is_enabled = |now: &Connector| now.is_enabled();
    let find = async || env.client.send(&read).await.ok().filter(is_enabled);
    let answer = env.execute_or_find(&action, find).await;
    drop(lock);
    let enabled = match answer {
        Ok(Written::Answered(answer)) => env.client.send(&read).await.unwrap_or(answer),
        Ok(Written::Found(read)) => read,
        Err(Error::Api(error)) if error.outcome_unknown() => {
            // It may be enabled later: it has to be disabled in any case.
            let (_, reverted) = trial(connector.clone()).revert(TrialOutcome::ResponseLost).await;
            reverted?;
            let off = format!("SSO is off again for {domain}");
            return Err(ApiErrorContext::new(error).cause(off).into());
        }
        Err(error) => {
            env.journal.settle_trial();
            return Err(error);
        }
    };
    if !enabled.is_enabled() {
        let observed = "the API accepted the request, but SSO is not enabled";
        let (_, reverted) = trial(enabled).revert(TrialOutcome::Reverted).await;
        reverted?;
        return Err(action.not_confirmed(observed).into());
    }
    let by_sign_in = subject.is_kept_by_sign_in(options.keep_on);
    tell(&Event::TrialStarted { domain: domain.as_str(), until, resumed: false, by_sign_in });
    trial(enabled).watch(orders).await
}

fn enabled_meanwhile(domain: &EmailDomain) -> FlowError {
    FlowError::conflict(format!("another client enabled SSO for {domain} meanwhile"))
        .cause("no trial was started; SSO was left as it is")
        .hint(format!("`cfsso status {domain}`"))
}

/// Of the request of this run that enabled SSO on trial.
fn own_ray(env: &Env<'_>) -> Option<String> {
    let entries = env.journal.own_entries();
    entries.into_iter().rfind(|entry| entry.trial.is_some())?.ray_id
}

/// With the remaining time; reverts immediately if there is none.
pub async fn resume(
    env: &Env<'_>,
    subject: &Subject,
    open: &OpenTrial,
    options: Options,
    orders: impl Stream<Item = Order>,
    tell: Tell<'_>,
) -> Result<TrialEnd, Error> {
    let client = env.client.without_deadline();
    let env = &Env { client: &client, ..*env };
    let connector = &subject.connector;
    ensure_unchanged(open, connector)?;
    let options = options.with_terms(open.entry.trial);
    let title = format!("resume the trial of {}", open.domain);
    let lock = keep::lock_enabling(env, connector).await?;
    keep::ensure_still_open(env, open)?;
    env.record_resumed_trial(title, connector.text(), options.terms(open.until))?;
    if let Ok(store) = env.journal.store() {
        store.set_aside(&open.entry.run);
    }
    drop(lock);
    let started = open.entry.started_at;
    let enabled_at =
        connector.updated_on.as_ref().and_then(|at| at.parse().ok()).unwrap_or(started);
    let times = (started, open.until, enabled_at);
    let own_ray = open.entry.ray_id.clone();
    let trial = Trial::new(env, subject, options, times, own_ray, connector.clone(), tell);
    let (domain, until) = (&*open.domain, open.until);
    if until > env.clock.now() {
        let by_sign_in = subject.is_kept_by_sign_in(options.keep_on);
        tell(&Event::TrialStarted { domain, until, resumed: true, by_sign_in });
    } else {
        tell(&Event::TimeIsOver { domain, until });
    }
    trial.watch(orders).await
}

/// A change by another client since may have been meant to last.
fn ensure_unchanged(open: &OpenTrial, connector: &Connector) -> Result<(), FlowError> {
    let changed: Option<Timestamp> = connector.updated_on.as_ref().and_then(|at| at.parse().ok());
    let (Some(known), Some(changed)) = (open.last_known_change(), changed) else { return Ok(()) };
    if changed <= known.saturating_add(OWN_CHANGE_WINDOW).unwrap_or(Timestamp::MAX) {
        return Ok(());
    }
    let domain = &open.domain;
    let message = format!(
        "the trial of {domain} was interrupted, and another client changed the connector at {}",
        rfc3339::format(changed)
    );
    Err(FlowError::conflict(message)
        .cause("SSO may have been enabled for good; it was left as it is")
        .hint(format!("`cfsso connector keep {domain}`, or `cfsso bypass disable {domain}`")))
}

impl Options {
    fn terms(&self, until: Timestamp) -> TrialTerms {
        let keep_on_confirm = self.keep_on == KeepOn::Confirm;
        TrialTerms { until, keep_on_confirm, accept_otp: self.accept_otp }
    }

    /// With the terms of the trial that is resumed.
    fn with_terms(self, terms: Option<TrialTerms>) -> Self {
        let Some(terms) = terms else { return self };
        let keep_on = if terms.keep_on_confirm { KeepOn::Confirm } else { self.keep_on };
        Self { keep_on, accept_otp: self.accept_otp || terms.accept_otp, ..self }
    }
}

impl<'a> Trial<'a> {
    fn new(
        env: &'a Env<'a>,
        subject: &'a Subject,
        options: Options,
        (started, until, enabled_at): (Timestamp, Timestamp, Timestamp),
        own_ray: Option<String>,
        enabled: Connector,
        tell: Tell<'a>,
    ) -> Self {
        let claim = Claim {
            app: subject.app.as_ref().map(|app| app.id.to_string()).unwrap_or_default(),
            aud: subject.app.as_ref().and_then(|app| app.aud.clone()),
            domain: subject.domain.clone(),
            enabled_at,
            pin: subject.pin_rule(options.accept_otp),
            members: subject.members.clone(),
        };
        Self {
            env,
            subject,
            options,
            claim,
            enabled,
            entry: env.journal.last_entry(),
            own_ray,
            started,
            until,
            tell,
            reported: RefCell::default(),
            reported_failures: RefCell::default(),
            findings: RefCell::default(),
            longest_gap: Cell::default(),
        }
    }

    async fn watch(&self, orders: impl Stream<Item = Order>) -> Result<TrialEnd, Error> {
        let time_left = self.until.duration_since(self.env.clock.now());
        let time_left = time_left.max(SignedDuration::ZERO).unsigned_abs().min(self.length());
        let mut orders = pin!(orders);
        let mut countdown = Countdown::new(time_left, self.env.clock.now());
        let mut signal = None;
        let end = loop {
            self.longest_gap.set(countdown.longest_gap());
            let step = self.step(&mut countdown);
            let order = tokio::select! {
                biased;
                Some(order) = orders.next() => order,
                end = step => match end {
                    Some(end) => break end,
                    None => continue,
                },
            };
            match order {
                Order::Keep => break End::Kept(TrialOutcome::KeptByHand),
                Order::Revert => break End::Revert(TrialOutcome::RevertedByHand),
                Order::Signal(which) => {
                    signal = Some(which);
                    break End::Revert(TrialOutcome::RevertedBySignal);
                }
            }
        };
        Ok(match end {
            End::Kept(outcome) => {
                self.record_end(outcome);
                (self.report(outcome, None), Ok(()))
            }
            End::Left(outcome) => {
                self.record_end(outcome);
                let error = FlowError::conflict(format!("trial {}", self.describe(outcome)))
                    .cause("nothing more was sent")
                    .hint(format!("`cfsso status {}`", self.subject.domain));
                (self.report(outcome, None), Err(error))
            }
            End::Revert(outcome) => {
                let (report, reverted) = self.revert(outcome).await;
                (report, reverted.and_then(|()| Err(self.reverted_error(outcome, signal))))
            }
        })
    }

    /// Limits the remaining time if the clock was set back.
    fn length(&self) -> Duration {
        self.until.duration_since(self.started).max(SignedDuration::ZERO).unsigned_abs()
    }

    async fn step(&self, countdown: &mut Countdown) -> Option<End> {
        let clock = self.env.clock;
        self.tell_waiting(countdown);
        if countdown.time_left().is_zero() {
            // The logs may have a sign-in since the last round.
            let round = clock.timeout(LAST_ROUND, self.read()).await;
            if round.is_none() {
                self.findings.borrow_mut().unread = Findings::default().unread;
            }
            let end = round.and_then(|round| self.evaluate_round(round));
            return Some(end.unwrap_or(End::Revert(TrialOutcome::Reverted)));
        }
        let round = clock.timeout(countdown.time_left(), self.read()).await;
        countdown.pass(Duration::ZERO, clock.now());
        if let Some(end) = round.and_then(|round| self.evaluate_round(round)) {
            return Some(end);
        }
        let mut waited = Duration::ZERO;
        while waited < POLL && !countdown.time_left().is_zero() {
            if self.is_keep_requested() {
                return Some(End::Kept(TrialOutcome::KeptElsewhere));
            }
            let tick = TICK.min(countdown.time_left());
            clock.sleep(tick).await;
            countdown.pass(tick, clock.now());
            waited += tick;
            self.tell_waiting(countdown);
        }
        None
    }

    fn tell_waiting(&self, countdown: &Countdown) {
        (self.tell)(&Event::Waiting {
            time_left: countdown.time_left(),
            denied: self.findings.borrow().denied.len(),
            by_sign_in: self.subject.is_kept_by_sign_in(self.options.keep_on),
        });
    }

    async fn read(&self) -> Round {
        let (client, account) = (self.env.client, self.env.account);
        let since = self.claim.enabled_at.saturating_sub(SKEW).unwrap_or(Timestamp::MIN);
        let now = self.env.clock.now().max(self.claim.enabled_at);
        let before = now.saturating_add(SKEW).unwrap_or(Timestamp::MAX);
        let logs = &self.subject.logs;
        let logins = async {
            logs.login.as_ref().ok()?;
            Some(client.list(&access_log::list(account, since, None)).await)
        };
        let audit = async {
            logs.audit.as_ref().ok()?;
            Some(client.list(&audit_log::list(account, since, before)).await)
        };
        let connector = api::connector::get(account, &self.enabled.id);
        let (logins, audit, connector) = tokio::join!(logins, audit, client.send(&connector));
        Round { logins, audit, connector }
    }

    /// Reports what is new in the round.
    fn evaluate_round(&self, round: Round) -> Option<End> {
        let Round { logins, audit, connector } = round;
        let logins = self.readable(Source::LoginLog, logins);
        let audit = self.readable(Source::AuditLog, audit);
        let found = logins.iter().filter_map(|row| self.claim.judge_login(row));
        let found: Vec<_> =
            found.chain(audit.iter().filter_map(|row| self.claim.judge_audit(row))).collect();
        for verdict in found {
            if self.reported.borrow_mut().insert(verdict.clone()) {
                self.tell_of(verdict);
            }
        }
        // The audit log does not tell what was changed: FedRAMP wording keeps nothing.
        let shows_keeping = connector.as_ref().is_ok_and(|now| {
            now.is_enabled() && now.use_fedramp_language == self.enabled.use_fedramp_language
        });
        match connector {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Some(End::Left(TrialOutcome::ConnectorDeleted));
            }
            Ok(connector) if connector.enabled == Some(false) => {
                return Some(End::Left(TrialOutcome::DisabledElsewhere));
            }
            _ => {}
        }
        let (id, own_ray) = (self.enabled.id.as_str(), self.own_ray.as_deref());
        let has_change = || evidence::has_later_change(&audit, id, own_ray, self.claim.enabled_at);
        if shows_keeping && has_change() {
            return Some(End::Kept(TrialOutcome::KeptByOtherClient));
        }
        let is_proven = !self.findings.borrow().proofs.is_empty();
        (is_proven && self.options.keep_on == KeepOn::SignIn)
            .then_some(End::Kept(TrialOutcome::Kept))
    }

    fn readable<T>(&self, source: Source, rows: Option<Result<Vec<T>, api::Error>>) -> Vec<T> {
        match rows {
            Some(Ok(rows)) => {
                self.findings.borrow_mut().unread.remove(&source);
                rows
            }
            Some(Err(error)) => {
                self.findings.borrow_mut().unread.insert(source);
                let message = error.line();
                if self.reported_failures.borrow_mut().insert(format!("{source:?} {message}")) {
                    (self.tell)(&Event::Unreadable { source, message: &message });
                }
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn tell_of(&self, verdict: Verdict) {
        let shown = |sign_in: SignIn| {
            if self.options.redact_emails { sign_in.redacted() } else { sign_in }
        };
        let findings = &mut *self.findings.borrow_mut();
        let (event, sign_in, list): (fn(&SignIn) -> Event<'_>, _, _) = match verdict {
            Verdict::Proof(sign_in) => (|it| Event::SignIn(it), sign_in, &mut findings.proofs),
            Verdict::Denied(sign_in) => (|it| Event::Denied(it), sign_in, &mut findings.denied),
            Verdict::Pin(sign_in) => (|it| Event::Pin(it), sign_in, &mut findings.pins),
            Verdict::PlusAddress(sign_in) => {
                (|it| Event::PlusAddress(it), sign_in, &mut findings.plus_addresses)
            }
        };
        let sign_in = shown(sign_in);
        (self.tell)(&event(&sign_in));
        list.push(sign_in);
    }

    /// The outcome with its reason.
    fn describe(&self, outcome: TrialOutcome) -> String {
        let findings = self.findings.borrow();
        match outcome {
            TrialOutcome::Kept if findings.are_no_members() => {
                "kept: a user signed in who is not a member of this account".to_owned()
            }
            TrialOutcome::Reverted => {
                let reason = findings.why_reverted(self.options.keep_on, self.longest_gap.get());
                format!("reverted: {reason}")
            }
            other => other.label().to_owned(),
        }
    }

    fn is_keep_requested(&self) -> bool {
        let (Ok(store), Some(run)) = (self.env.journal.store(), self.env.journal.run()) else {
            return false;
        };
        store.take_keep_request(&run) || store.is_set_aside(&run)
    }
}
