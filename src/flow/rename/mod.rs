//! Team rename: disable all → delete all → rename → identity providers → restore the connectors.
//! Steps follow from the snapshot and the server's state, so that resume and rollback are the
//! same run with the same or the other name.

mod checks;
mod errors;
mod in_progress;
mod name;
mod preview;
mod report;
mod restore;
mod snapshot;
mod task;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::json;

pub use checks::{NameAvailability, checks, probe};
pub use in_progress::{RenameInProgress, check_origin, rename_in_progress, runs, undo_refusal};
pub use name::{InvalidName, TeamName};
pub use preview::{places, preview};
pub use report::{Event, IdpChange, Mode, Options, PlannedStep, Preview, Report, Step, StepId};
pub use snapshot::{ConnectorSnapshot, open_runs};
pub use task::{RenamePlan, plan_rename, read_state};

use self::name::word;
use self::snapshot::{IdpState, JournalNote, concurrent_run};
use super::check::{Check, CheckId, CheckState};
use super::dry_run::DryRun;
use super::plan::{Change, Plan};
use super::preflight::{SharedFacts, health};
use super::steps::{StepLog, StepState};
use super::target::Target;
use super::update::Update;
use super::{Env, Error, FlowError, FlowErrorKind, connector};
use crate::plural::count_noun;

/// The title of the write that changes nothing.
const WRITE_ACCESS: &str = "test write access to the organization (no change)";

struct Renamer<'a> {
    env: &'a Env<'a>,
    options: &'a Options,
    task: &'a RenamePlan,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: StepLog<'a, StepId>,
    /// Whether this run or an earlier one changed something.
    changed: Cell<bool>,
    off_since: Cell<Option<Timestamp>>,
    /// The domains that enforced SSO before and may not any longer.
    off: RefCell<BTreeSet<String>>,
    /// Whether the API rejected the name: the command that continues is then the rollback.
    name_rejected: Cell<bool>,
    /// The checks that stopped it after it had begun.
    blocking: RefCell<Vec<CheckId>>,
    report: RefCell<Report>,
    /// The account after the rename.
    facts: Rc<SharedFacts>,
}

impl Report {
    fn of(task: &RenamePlan) -> Self {
        Self {
            schema: "cfsso/team-rename/v1",
            ok: false,
            old_domain: task.snapshot.from.clone(),
            new_domain: task.goal.clone(),
            steps: Vec::new(),
            idps: task.idps.clone(),
            connectors: Vec::new(),
            sso_off_seconds: None,
            next: None,
        }
    }

    pub fn unchanged(task: &RenamePlan) -> Self {
        Self { ok: true, ..Self::of(task) }
    }
}

/// `updated` waits until the user confirms that the identity providers are changed. The report
/// shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    task: &RenamePlan,
    on_event: &dyn Fn(&Event<'_>),
    updated: impl AsyncFnOnce() -> Result<(), Error>,
) -> (Report, Result<(), Error>) {
    env.client.wait_for_rate_limit();
    let rename = Renamer::new(env, options, task, on_event);
    let end = rename.run_steps(updated).await;
    let end = end.map_err(|error| rename.with_resume_hint(error));
    let seconds = rename.seconds_off();
    let mut report = rename.report.into_inner();
    report.ok = end.is_ok();
    report.steps = rename.steps.into_finished();
    report.sso_off_seconds = seconds;
    (report, end)
}

/// The requests of [`run`], if each step succeeds, and the checks of what it enables.
pub async fn dry_run(
    env: &Env<'_>,
    options: &Options,
    task: &RenamePlan,
) -> Result<(Vec<Check>, Vec<Change>), Error> {
    let dry_run = DryRun::default();
    let env = env.with_dry_run(&dry_run);
    let report = {
        let rename = Renamer::new(&env, options, task, &|_| ());
        rename.run_steps(async || Ok(())).await?;
        rename.report.into_inner()
    };
    let checks = report.connectors.into_iter().flat_map(|report| report.checks).collect();
    Ok((checks, dry_run.into_changes()))
}

impl<'a> Renamer<'a> {
    fn new(
        env: &'a Env<'a>,
        options: &'a Options,
        task: &'a RenamePlan,
        on_event: &'a dyn Fn(&Event<'_>),
    ) -> Self {
        Self {
            env,
            options,
            task,
            on_event,
            steps: StepLog::new(|step| on_event(&Event::Step(step))),
            changed: Cell::new(task.is_open),
            off_since: Cell::new(task.off_since),
            off: RefCell::new(task.off_domains().map(str::to_owned).collect()),
            name_rejected: Cell::new(false),
            blocking: RefCell::default(),
            report: RefCell::new(Report::of(task)),
            facts: Rc::default(),
        }
    }

    async fn run_steps(
        &self,
        updated: impl AsyncFnOnce() -> Result<(), Error>,
    ) -> Result<(), Error> {
        self.save_snapshot()?;
        if self.task.needs_rename() {
            self.test_write_access().await?;
            self.remove_connectors().await?;
            if let Err(error) = self.rename().await {
                return if errors::is_final(&error) && !self.task.is_back {
                    self.restore_after(error).await
                } else {
                    Err(error)
                };
            }
        } else {
            for id in [StepId::WriteAccess, StepId::Disable, StepId::Delete, StepId::Rename] {
                self.steps.end(id, StepState::Skipped, format!("the team is {}", self.task.goal));
            }
        }
        self.idps(updated).await?;
        self.check_idps().await?;
        self.restore().await?;
        self.complete(&self.task.goal)
    }

    /// Fails if another run of this machine is renaming.
    fn save_snapshot(&self) -> Result<(), Error> {
        let snapshot = &self.task.snapshot;
        self.steps.begin(StepId::Snapshot);
        self.ensure_only_run()?;
        let from = snapshot.from.as_deref().map(|from| format!(" {}", word(from)));
        let up = if self.task.is_open { ", resumed" } else { "" };
        let title = if self.task.is_back {
            format!("restore the team name {}{up}: saved state", word(&self.task.goal))
        } else {
            format!(
                "rename the team{} to {}{up}: saved state",
                from.unwrap_or_default(),
                word(&snapshot.to)
            )
        };
        self.env.record_note(title, &JournalNote::Snapshot(snapshot.clone()))?;
        if let Err(error) = self.ensure_only_run() {
            let account = snapshot.account.clone();
            self.env.record_note(
                "cancelled: another rename is running",
                &JournalNote::Cancelled { account },
            )?;
            return Err(error.into());
        }
        let enforced = snapshot.connectors.iter().filter(|wanted| wanted.enabled).count();
        let count = snapshot.connectors.len();
        let count = count_noun(count, "connector");
        let detail = format!("{count}, {enforced} enabled; saved in the journal");
        self.steps.end(StepId::Snapshot, StepState::Done, detail);
        Ok(())
    }

    fn ensure_only_run(&self) -> Result<(), FlowError> {
        let journal = self.env.journal;
        let live = journal.store()?.pending_runs();
        let own = journal.run();
        let entries = self.env.own(&journal.read()?.entries);
        concurrent_run(&entries, &live, self.env.account, own.as_deref())
            .map_or(Ok(()), |run| Err(errors::concurrent_run(&run)))
    }

    /// A token that cannot rename the team must not get as far as the deletions.
    async fn test_write_access(&self) -> Result<(), Error> {
        let Self { env, task, .. } = *self;
        if task.connectors.is_empty() {
            self.steps.end(StepId::WriteAccess, StepState::Skipped, "no connector to delete");
            return Ok(());
        }
        self.steps.begin(StepId::WriteAccess);
        match Update::send_unchanged(env, Target::Organization, WRITE_ACCESS).await {
            Err(error) if !errors::is_dash_sso(&error) => return Err(errors::no_access(error)),
            _ => {}
        }
        let detail = "the organization was sent unchanged";
        self.steps.end(StepId::WriteAccess, StepState::Done, detail);
        Ok(())
    }

    async fn remove_connectors(&self) -> Result<(), Error> {
        let Self { env, task, .. } = *self;
        let enforced: Vec<_> =
            task.connectors.iter().filter(|connector| connector.enabled != Some(false)).collect();
        if enforced.is_empty() {
            self.steps.end(StepId::Disable, StepState::Skipped, "no connector is enabled");
        } else {
            self.steps.begin(StepId::Disable);
            if self.off_since.get().is_none() {
                self.off_since.set(Some(env.clock.now()));
            }
            // Concurrently: SSO is off for none of them longer than for another.
            let runs = enforced.iter().map(|connector| connector::disable(env, connector));
            let results = join_all(runs).await;
            let disabled = enforced.iter().zip(&results).filter(|(_, result)| may_be_done(result));
            self.off.borrow_mut().extend(disabled.map(|(it, _)| it.email_domain.clone()));
            self.all(results)?;
            let names: Vec<_> = enforced.iter().map(|it| it.email_domain.as_str()).collect();
            self.steps.end(StepId::Disable, StepState::Done, names.join(", "));
        }
        if task.connectors.is_empty() {
            self.steps.end(StepId::Delete, StepState::Skipped, "no connector");
            return Ok(());
        }
        self.steps.begin(StepId::Delete);
        let runs = task.connectors.iter().map(|connector| connector::delete(env, connector));
        self.all(join_all(runs).await)?;
        let names: Vec<_> = task.connectors.iter().map(|it| it.email_domain.as_str()).collect();
        self.steps.end(StepId::Delete, StepState::Done, names.join(", "));
        Ok(())
    }

    fn all<T>(&self, results: Vec<Result<T, Error>>) -> Result<(), Error> {
        if results.iter().any(may_be_done) {
            self.changed.set(true);
        } else if !self.changed.get() {
            self.off_since.set(None);
        }
        results.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    async fn rename(&self) -> Result<(), Error> {
        let Self { env, task, .. } = *self;
        self.steps.begin(StepId::Rename);
        let organization = env.client.send(&Target::Organization.read(env.account)).await?;
        let edit = task.edit(organization)?;
        let title = format!("rename the team {} to {}", word(&task.now), word(&task.goal));
        let edited = edit.send(env, title, None, |_| ()).await;
        self.changed.set(true);
        let edited = edited.map_err(|error| {
            errors::with_context(error, &task.goal, &task.organization, self.options)
        })?;
        if let Some(alarm) = edited.unexpected_change_error(&edit) {
            let text = alarm.messages().join("; ");
            self.emit(&Event::Warning { text: &text });
        }
        let changed: Vec<_> = edited.changed.iter().map(ToString::to_string).collect();
        self.steps.end(
            StepId::Rename,
            StepState::Done,
            format!("{} (confirmed)", changed.join(", ")),
        );
        Ok(())
    }

    /// The API rejected the name: restores SSO immediately under the old one.
    async fn restore_after(&self, error: Error) -> Result<(), Error> {
        self.steps.end(StepId::Rename, StepState::Failed, error.line());
        let text = format!("the team stays {}: its connectors are restored now", self.task.now);
        self.emit(&Event::Warning { text: &text });
        self.name_rejected.set(true);
        self.restore().await.map_err(|failure| errors::restore_failed(&error, &failure))?;
        self.complete(&self.task.now)?;
        self.changed.set(false);
        Err(errors::restored_error(error, &self.task.now))
    }

    async fn idps(&self, updated: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let idps = &self.task.idps;
        if idps.is_empty() {
            for id in [StepId::ShowIdpChanges, StepId::ConfirmIdpChanges] {
                self.steps.end(id, StepState::Skipped, "no URLs to change");
            }
            return Ok(());
        }
        let names: Vec<_> = idps.iter().map(|idp| idp.name.as_str()).collect();
        let names = names.join(", ");
        self.steps.begin(StepId::ShowIdpChanges);
        self.note_idps(format!("show the new URLs for {names}"), IdpState::Shown)?;
        self.steps.end(StepId::ShowIdpChanges, StepState::Done, &names);
        self.emit(&Event::Idps { idps });
        self.steps.begin(StepId::ConfirmIdpChanges);
        let by = if self.options.idps_updated {
            "by `--idps-updated`"
        } else {
            updated().await?;
            "at the terminal"
        };
        self.note_idps(format!("{names}: updated ({by})"), IdpState::Updated)?;
        self.steps.end(
            StepId::ConfirmIdpChanges,
            StepState::Done,
            format!("confirmed {by} (sign-in not tested)"),
        );
        Ok(())
    }

    fn note_idps(&self, title: String, state: IdpState) -> Result<(), FlowError> {
        let note = JournalNote::IdpProgress {
            account: self.task.snapshot.account.clone(),
            auth_domain: self.task.goal.clone(),
            state,
            idps: json!(self.task.idps),
        };
        self.env.record_note(title, &note)
    }

    async fn check_idps(&self) -> Result<(), Error> {
        let idps = &self.task.allowed;
        let Some(fetcher) = &self.options.enabling.asking.fetcher else { return Ok(()) };
        if self.env.is_dry_run() {
            return Ok(());
        }
        if idps.is_empty() {
            self.steps.end(StepId::IdpCheck, StepState::Skipped, "none");
            return Ok(());
        }
        self.steps.begin(StepId::IdpCheck);
        let looks = idps.iter().map(|idp| health(fetcher, idp, 1, self.env.clock));
        let all = join_all(looks).await;
        let check = checks::idps_work(&all).accept_risks(&self.options.enabling.accepted);
        let names: Vec<_> = all.iter().map(|one| one.name.as_str()).collect();
        let failed = check.fix.is_some().then_some(&check.detail);
        self.record_observation(
            "test the identity providers",
            json!({ "looked_at": names, "failed": failed }),
        )?;
        if check.blocks() {
            let plan = Plan::new(vec![check], Vec::new());
            self.blocking.borrow_mut().push(CheckId::IdpHealthy);
            return Ok(plan.ensure_allowed("enabling SSO")?);
        }
        let detail = match check.state {
            CheckState::Accepted => format!("risk accepted: {}", check.detail),
            _ => check.detail,
        };
        self.steps.end(StepId::IdpCheck, StepState::Done, detail);
        Ok(())
    }

    fn record_observation(&self, title: &str, seen: serde_json::Value) -> Result<(), FlowError> {
        let account = self.task.snapshot.account.clone();
        self.env.record_note(title, &JournalNote::Observation { account, seen })
    }

    fn complete(&self, auth_domain: &str) -> Result<(), Error> {
        let enforced = self.task.snapshot.connectors.iter().any(|wanted| wanted.enabled);
        let stays_off = enforced && self.options.no_enable;
        if stays_off {
            let off = self.task.snapshot.connectors.iter().filter(|wanted| wanted.enabled);
            let next: Vec<_> =
                off.map(|it| format!("cfsso connector enable {}", it.domain)).collect();
            self.report.borrow_mut().next = Some(next.join("; "));
        }
        let note = JournalNote::Completed {
            account: self.task.snapshot.account.clone(),
            auth_domain: auth_domain.to_owned(),
            sso_off_seconds: self.seconds_off(),
        };
        let off = match self.seconds_off() {
            Some(_) if stays_off => "; SSO stays off, as requested".to_owned(),
            Some(seconds) => format!("; SSO was off for {seconds} s"),
            None => String::new(),
        };
        Ok(self.env.record_note(format!("done: the team is {}{off}", word(auth_domain)), &note)?)
    }

    fn seconds_off(&self) -> Option<i64> {
        let since = self.off_since.get()?;
        Some(self.env.clock.now().duration_since(since).as_secs())
    }

    fn with_resume_hint(&self, error: Error) -> Error {
        self.steps.fail_current(&error);
        if !self.changed.get() {
            return error;
        }
        let task = self.task;
        let (resume, undo) = if self.name_rejected.get() {
            (task.rollback_command(), None)
        } else {
            (task.resume_command(self.options), Some(task.undo_command()))
        };
        self.report.borrow_mut().next = Some(resume.clone());
        let off = self.off.take().into_iter().collect::<Vec<_>>();
        let enforced = task.snapshot.connectors.iter().filter(|wanted| wanted.enabled).count();
        let off = errors::sso_off(&off, enforced);
        let report = self.report.borrow();
        let checks = report.connectors.iter().flat_map(|connector| &connector.checks);
        let blocking = checks.filter(|check| check.blocks()).map(|check| check.id);
        let mut blocking: Vec<_> = blocking.chain(self.blocking.take()).collect();
        blocking.sort();
        blocking.dedup();
        errors::half_done(&error, &resume, (undo.as_deref(), &blocking), off)
    }

    fn emit(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}

fn may_be_done<T>(result: &Result<T, Error>) -> bool {
    match result {
        Ok(_) | Err(Error::Flow(FlowError { kind: FlowErrorKind::NotConfirmed, .. })) => true,
        Err(Error::Api(error)) => error.outcome_unknown(),
        Err(_) => false,
    }
}
