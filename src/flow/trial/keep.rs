//! Keeping a trial, while a process watches it or after that died.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use super::report::TrialOutcome;
use crate::api::connector::Connector;
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::flow::journal::{ClosedTrial, EnablingLock, Entry, Journal, OpenTrial};
use crate::flow::{Env, Error, FlowError, connector};
use crate::rfc3339;

/// How long the process that runs a trial, or that enables SSO, may take to react.
const PATIENCE: Duration = Duration::from_secs(15);
const STEP: Duration = Duration::from_millis(200);

/// Trials are rarely longer.
const RECENT: SignedDuration = SignedDuration::from_hours(1);

/// Moves trials that a later command ended to history.
pub fn open_trials(env: &Env<'_>) -> Vec<OpenTrial> {
    open_trials_of(env.journal, env.account)
}

pub fn open_trials_of(journal: &Journal<'_>, account: &AccountId) -> Vec<OpenTrial> {
    let Ok(store) = journal.store() else { return Vec::new() };
    let mut trials = store.open_trials();
    trials.retain(|trial| journal.is_own(&trial.entry, account));
    if trials.is_empty() {
        return trials;
    }
    let entries = store.read().map(|contents| contents.entries).unwrap_or_default();
    trials.retain(|trial| {
        let is_over = !trial.is_live && entries.iter().any(|entry| trial.is_ended_by(entry));
        if is_over {
            store.set_aside(&trial.entry.run);
        }
        !is_over
    });
    trials
}

/// A trial that has not ended.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TrialStatus {
    /// The email domain.
    pub domain: String,
    /// The ID of the connector.
    pub connector: String,
    /// When SSO was enabled (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub started_at: Timestamp,
    /// When SSO is to be disabled again (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub until: Timestamp,
    /// Whether a process on this machine runs the trial; if not, SSO is not disabled again.
    pub running: bool,
}

impl TrialStatus {
    pub fn commands(&self) -> [String; 2] {
        let domain = &self.domain;
        [format!("cfsso connector keep {domain}"), format!("cfsso bypass disable {domain}")]
    }

    pub fn describe(&self) -> String {
        let Self { domain, until, .. } = self;
        format!(
            "the trial of {domain} was interrupted (end: {}); SSO may still be on",
            rfc3339::format(*until)
        )
    }
}

impl From<OpenTrial> for TrialStatus {
    fn from(open: OpenTrial) -> Self {
        Self {
            domain: open.domain,
            connector: open.connector.to_string(),
            started_at: open.entry.started_at,
            until: open.until,
            running: open.is_live,
        }
    }
}

pub(super) fn note_end(
    env: &Env<'_>,
    entry: &str,
    domain: &EmailDomain,
    outcome: TrialOutcome,
    detail: &str,
) -> Result<(), FlowError> {
    let end = json!({ "trial": entry, "outcome": outcome });
    env.record_note(format!("trial of {domain} {detail}"), &end)
}

fn note_outcome(
    env: &Env<'_>,
    trial: &OpenTrial,
    domain: &EmailDomain,
    outcome: TrialOutcome,
) -> Result<(), FlowError> {
    note_end(env, &trial.entry.id, domain, outcome, outcome.label())
}

/// Ends interrupted trials that are over: their connector is disabled, or another one has its
/// domain, or none has (`is_complete`: `connectors` are all of the account).
pub fn end_obsolete(env: &Env<'_>, connectors: &[&Connector], is_complete: bool) {
    for trial in open_trials(env).into_iter().filter(|open| !open.is_live) {
        let outcome = match connectors.iter().find(|one| one.id == trial.connector) {
            Some(connector) if connector.enabled == Some(false) => TrialOutcome::DisabledElsewhere,
            None if is_complete || connectors.iter().any(|it| it.email_domain == trial.domain) => {
                TrialOutcome::ConnectorDeleted
            }
            _ => continue,
        };
        let Ok(domain) = trial.domain.parse() else { continue };
        if note_outcome(env, &trial, &domain, outcome).is_ok() {
            set_aside(env, &trial);
        }
    }
}

/// Fails while SSO is on trial: it is not enabled for good.
pub fn ensure_not_on_trial(env: &Env<'_>, connector: &Connector) -> Result<(), FlowError> {
    let trials = open_trials(env);
    let trial = trials.iter().find(|trial| trial.connector == connector.id);
    trial.map_or(Ok(()), |trial| Err(on_trial_error(trial)))
}

fn on_trial_error(trial: &OpenTrial) -> FlowError {
    let domain = &trial.domain;
    let until = rfc3339::format(trial.until);
    let message = if trial.is_live {
        format!("SSO of {domain} is on trial until {until}")
    } else {
        format!("the trial of {domain} was interrupted (end: {until})")
    };
    FlowError::conflict(message)
        .cause("SSO is enabled, but not for good")
        .hint(format!("`cfsso connector keep {domain}`"))
}

/// [`connector::enable`], unless a trial of the connector runs on this machine: it would disable
/// SSO again.
pub async fn enable_for_good(
    env: &Env<'_>,
    domain: &EmailDomain,
    connector: &Connector,
) -> Result<Connector, Error> {
    let lock = lock_enabling(env, connector).await?;
    let enabled = connector::enable(env, domain, connector).await;
    drop(lock);
    enabled
}

/// From the check of the journal to the response: two processes that enable SSO at the same time
/// would both find it off and not on trial. `None` where files cannot be locked.
pub(super) async fn lock_enabling(
    env: &Env<'_>,
    connector: &Connector,
) -> Result<Option<EnablingLock>, FlowError> {
    let Ok(store) = env.journal.store() else { return Ok(None) };
    if env.is_dry_run() {
        return Ok(None);
    }
    let mut waited = Duration::ZERO;
    let lock = loop {
        match store.lock_enabling(&connector.id) {
            Ok(Some(lock)) => break Some(lock),
            // If nothing can be written there, the journal entry fails as well.
            Err(_) => break None,
            Ok(None) if waited >= PATIENCE => {
                let domain = &connector.email_domain;
                let message = format!("another process is enabling SSO for {domain}");
                return Err(FlowError::conflict(message)
                    .cause("nothing was sent")
                    .hint(format!("`cfsso status {domain}`")));
            }
            Ok(None) => {
                env.clock.sleep(STEP).await;
                waited += STEP;
            }
        }
    };
    let trials = open_trials(env);
    let running = trials.iter().find(|trial| trial.connector == connector.id && trial.is_live);
    running.map_or(Ok(lock), |trial| Err(on_trial_error(trial)))
}

/// Fails if another process resumed or ended the trial since it was found.
pub(super) fn ensure_still_open(env: &Env<'_>, trial: &OpenTrial) -> Result<(), FlowError> {
    if open_trials(env).iter().any(|open| open.entry.id == trial.entry.id) {
        return Ok(());
    }
    let domain = &trial.domain;
    Err(FlowError::conflict(format!("another process ended the trial of {domain}"))
        .hint(format!("`cfsso status {domain}`")))
}

/// When another client changed the connector within the last hour, by the journal of this machine.
pub fn recent_foreign_change(env: &Env<'_>, connector: &Connector) -> Option<Timestamp> {
    let changed = connector.updated_on.as_deref()?;
    let at: Timestamp = changed.parse().ok()?;
    let age = at.duration_until(env.clock.now());
    let is_own =
        |entry: &Entry| entry.after.as_ref().is_some_and(|after| after.get().contains(changed));
    (age <= RECENT && !env.journal.connector_entries()?.iter().any(is_own)).then_some(at)
}

pub async fn keep(
    env: &Env<'_>,
    connector: Connector,
    trial: &OpenTrial,
) -> Result<Connector, Error> {
    let domain: EmailDomain = trial.domain.parse().map_err(FlowError::from)?;
    if trial.is_live {
        wait_for_process(env, trial, &domain).await?;
        // Not read again: that process changed nothing, and its simulator ended with it.
        return Ok(connector);
    }
    if !connector.is_enabled() {
        note_outcome(env, trial, &domain, TrialOutcome::DisabledElsewhere)?;
        set_aside(env, trial);
        return Err(nothing_to_keep(&domain).into());
    }
    note_outcome(env, trial, &domain, TrialOutcome::KeptElsewhere)?;
    set_aside(env, trial);
    Ok(connector)
}

/// The error if no trial of the connector is open on this machine.
pub fn no_open_trial(env: &Env<'_>, connector: &Connector) -> FlowError {
    let domain = &connector.email_domain;
    let entries = env.journal.read().map(|contents| env.own(&contents.entries));
    let elsewhere = format!("on another machine: `--trial-of {}`", connector.id);
    let Some(trial) = ClosedTrial::find(&entries.unwrap_or_default(), &connector.id) else {
        let message = format!("no trial of {domain} was started on this machine");
        return FlowError::not_found(message).hint(elsewhere);
    };
    let ClosedTrial { entry, ended_at, outcome } = trial;
    let message = format!("the trial of {domain} is over: {outcome}");
    let cause = format!("ended at {} (journal entry {entry})", rfc3339::format(ended_at));
    if connector.is_enabled() {
        return FlowError::not_found(message).cause(cause).hint(elsewhere);
    }
    FlowError::conflict(message)
        .cause(cause)
        .cause("SSO is off: there is nothing to keep")
        .hint(format!("`cfsso connector enable {domain} --trial`"))
}

fn nothing_to_keep(domain: &EmailDomain) -> FlowError {
    let message = format!("SSO is off for {domain}: there is nothing to keep");
    FlowError::conflict(message).hint(format!("`cfsso connector enable {domain} --trial`"))
}

fn set_aside(env: &Env<'_>, trial: &OpenTrial) {
    if let Ok(store) = env.journal.store() {
        store.set_aside(&trial.entry.run);
    }
}

/// Asks the watching process, and waits for the end of the trial.
async fn wait_for_process(
    env: &Env<'_>,
    trial: &OpenTrial,
    domain: &EmailDomain,
) -> Result<(), Error> {
    let store = env.journal.store()?;
    store.request_keep(trial).map_err(|error| {
        FlowError::journal("cannot ask the process that runs the trial").cause(error.to_string())
    })?;
    let mut waited = Duration::ZERO;
    while waited < PATIENCE {
        let is_open = store.open_trials().iter().any(|open| open.entry.id == trial.entry.id);
        if !is_open {
            // It may have ended before it saw the request.
            store.take_keep_request(&trial.entry.run);
            let entries = env.journal.read()?.entries;
            let end =
                entries.iter().filter_map(Entry::trial_end).find(|end| end.trial == trial.entry.id);
            let outcome = end.map(|end| end.outcome).unwrap_or_default();
            if outcome.starts_with("kept") {
                return Ok(());
            }
            let message = format!("the trial of {domain} is over: {}", outcome.replace('_', " "));
            return Err(FlowError::conflict(message)
                .hint(format!("`cfsso connector enable {domain} --trial`"))
                .into());
        }
        env.clock.sleep(STEP).await;
        waited += STEP;
    }
    store.take_keep_request(&trial.entry.run);
    let message = format!("the process that runs the trial of {domain} does not respond");
    Err(FlowError::not_yet(message)
        .hint(format!(
            "`cfsso connector get {domain}`, then type `keep` in the terminal of the trial"
        ))
        .into())
}

/// Enables SSO once more: the other machine sees that in the audit log.
pub async fn keep_elsewhere(env: &Env<'_>, connector: &Connector) -> Result<Connector, Error> {
    let domain: EmailDomain = connector.email_domain.parse().map_err(FlowError::from)?;
    if !connector.is_enabled() {
        return Err(nothing_to_keep(&domain).into());
    }
    connector::enable(env, &domain, connector).await
}
