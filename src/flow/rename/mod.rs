//! Renaming the team: disable all → delete all → rename → identity providers →
//! the connectors again, as they were. What is to do is computed from what was
//! written down before and what the server shows, so that taking a rename up,
//! and taking it back, is the same run with the same or the other name.

mod checklist;
mod checks;
mod name;
mod outlook;
mod refusal;
mod snapshot;
mod task;
mod under_way;

use std::cell::{Cell, RefCell};

use futures_util::future::join_all;
use jiff::Timestamp;
use serde_json::{Map, json};

pub use checklist::{Event, Outlook, Report, Stage, Step, StepId, Told, Wishes};
pub use checks::{Free, checks, probe};
pub use name::{InvalidName, TeamName};
pub use outlook::{outlook, places, plan};
pub use snapshot::{Open, Snapshot, Wanted};
pub use task::{Ask, Found, Task, decide, look};
pub use under_way::{UnderWay, check_origin, under_way};

use self::snapshot::{IdpState, Note, rival};
use self::task::word;
use super::check::CheckId;
use super::setup;
use super::steps::{StepState, Steps};
use super::target::Target;
use super::wait::DEFAULT_WAIT;
use super::{Error, Stop, StopKind, Tools, connector};
use crate::idp::check::{self, Subject, Terms};
use crate::words::counted;

struct Rename<'a> {
    tools: &'a Tools<'a>,
    wishes: &'a Wishes,
    task: &'a Task,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: Steps<'a, StepId>,
    /// Whether this run, or one before it, changed something.
    changed: Cell<bool>,
    off_since: Cell<Option<Timestamp>>,
    /// Whether the API refused the name, so that the way on is back.
    turned: Cell<bool>,
    report: RefCell<Report>,
}

/// Renames the team, or goes on with it. `updated` waits until somebody says that
/// the identity providers are changed. The report tells how far it came, also
/// where it ended early.
pub async fn run(
    tools: &Tools<'_>,
    wishes: &Wishes,
    task: &Task,
    on_event: &dyn Fn(&Event<'_>),
    updated: impl AsyncFnOnce() -> Result<(), Error>,
) -> (Report, Result<(), Error>) {
    let report = Report {
        schema: Report::SCHEMA,
        ok: false,
        from: task.snapshot.from.clone(),
        to: task.goal.clone(),
        steps: Vec::new(),
        idps: task.idps.clone(),
        connectors: Vec::new(),
        sso_off_seconds: None,
        next: None,
    };
    let rename = Rename {
        tools,
        wishes,
        task,
        on_event,
        steps: Steps::new(|step| on_event(&Event::Step(step))),
        changed: Cell::new(task.is_open),
        off_since: Cell::new(task.off_since),
        turned: Cell::new(false),
        report: RefCell::new(report),
    };
    let end = rename.go(updated).await;
    let end = end.map_err(|error| rename.told(error));
    let seconds = rename.seconds_off();
    let mut report = rename.report.into_inner();
    report.ok = end.is_ok();
    report.steps = rename.steps.into_ended();
    report.sso_off_seconds = seconds;
    (report, end)
}

impl Rename<'_> {
    async fn go(&self, updated: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
        self.write_down()?;
        if self.task.renames() {
            self.lower().await?;
            if let Err(error) = self.rename().await {
                return if refusal::is_final(&error) && !self.task.is_back {
                    self.put_back(error).await
                } else {
                    Err(error)
                };
            }
        } else {
            for id in [StepId::Disable, StepId::Delete, StepId::Rename] {
                self.steps.end(
                    id,
                    StepState::DoneAlready,
                    format!("the team is {}", self.task.goal),
                );
            }
        }
        self.idps(updated).await?;
        self.check_idps().await?;
        self.restore().await?;
        self.finish(&self.task.goal)
    }

    /// What stands goes to the journal before anything is sent, and no other
    /// run of this machine may be at it.
    fn write_down(&self) -> Result<(), Error> {
        let snapshot = &self.task.snapshot;
        self.steps.begin(StepId::Snapshot);
        self.alone()?;
        let from = snapshot.from.as_deref().unwrap_or("its old name");
        let up = if self.task.is_open { ", taken up" } else { "" };
        let title = if self.task.is_back {
            format!("put the team back to {}{up}: what stands", word(&self.task.goal))
        } else {
            format!("rename the team {} to {}{up}: what stands", word(from), word(&snapshot.to))
        };
        self.tools.note(title, &Note::Before(snapshot.clone()))?;
        if let Err(stop) = self.alone() {
            let account = snapshot.account.clone();
            self.tools
                .note("another rename is at work: withdrawn", &Note::Withdrawn { account })?;
            return Err(stop.into());
        }
        let enforced = snapshot.connectors.iter().filter(|wanted| wanted.enabled).count();
        let count = snapshot.connectors.len();
        let count = counted(count, "connector");
        let detail = format!("{count}, {enforced} enforced; in the journal");
        self.steps.end(StepId::Snapshot, StepState::Done, detail);
        Ok(())
    }

    fn alone(&self) -> Result<(), Stop> {
        let journal = self.tools.journal;
        let live = journal.store()?.under_way();
        let own = journal.run();
        let entries = self.tools.own(&journal.read()?.entries);
        rival(&entries, &live, self.tools.account, own.as_deref())
            .map_or(Ok(()), |run| Err(refusal::rival(&run)))
    }

    async fn lower(&self) -> Result<(), Error> {
        let Self { tools, task, .. } = *self;
        let enforced: Vec<_> =
            task.standing.iter().filter(|connector| connector.enabled != Some(false)).collect();
        if enforced.is_empty() {
            self.steps.end(StepId::Disable, StepState::DoneAlready, "no connector is enforced");
        } else {
            self.steps.begin(StepId::Disable);
            if self.off_since.get().is_none() {
                self.off_since.set(Some(tools.clock.now()));
            }
            // All at once: SSO is off for none of them longer than for another.
            let deeds = enforced.iter().map(|connector| connector::disable(tools, connector));
            self.all(join_all(deeds).await)?;
            let names: Vec<_> = enforced.iter().map(|it| it.email_domain.as_str()).collect();
            self.steps.end(StepId::Disable, StepState::Done, names.join(", "));
        }
        if task.standing.is_empty() {
            self.steps.end(StepId::Delete, StepState::DoneAlready, "there is no connector");
            return Ok(());
        }
        self.steps.begin(StepId::Delete);
        let deeds = task.standing.iter().map(|connector| connector::delete(tools, connector));
        self.all(join_all(deeds).await)?;
        let names: Vec<_> = task.standing.iter().map(|it| it.email_domain.as_str()).collect();
        self.steps.end(
            StepId::Delete,
            StepState::Done,
            format!("{}, seen to be gone", names.join(", ")),
        );
        Ok(())
    }

    /// Whether all went well; else the first failure.
    fn all<T>(&self, results: Vec<Result<T, Error>>) -> Result<(), Error> {
        let may_be_done = |result: &Result<T, Error>| match result {
            Ok(_) | Err(Error::Stop(Stop { kind: StopKind::NotSeen, .. })) => true,
            Err(Error::Api(error)) => error.outcome_unknown(),
            Err(_) => false,
        };
        if results.iter().any(may_be_done) {
            self.changed.set(true);
        } else if !self.changed.get() {
            self.off_since.set(None);
        }
        results.into_iter().find_map(Result::err).map_or(Ok(()), Err)
    }

    async fn rename(&self) -> Result<(), Error> {
        let Self { tools, task, .. } = *self;
        self.steps.begin(StepId::Rename);
        let organization = tools.client.send(&Target::Organization.read(tools.account)).await?;
        let edit = task.edit(organization)?;
        let title = format!("rename the team {} to {}", word(&task.now), word(&task.goal));
        let edited = edit.send(tools, title, None, |_| ()).await;
        self.changed.set(true);
        let edited = edited.map_err(|error| refusal::explained(error, task, self.wishes))?;
        if let Some(alarm) = edited.alarm(&edit) {
            let text = alarm.sentences().join("; ");
            self.tell(&Event::Warning { text: &text });
        }
        let changed: Vec<_> = edited.changed.iter().map(ToString::to_string).collect();
        self.steps.end(
            StepId::Rename,
            StepState::Done,
            format!("read back: {}", changed.join(", ")),
        );
        Ok(())
    }

    /// The API will not have the name: SSO comes back under the old one at once,
    /// without waiting for anybody to decide.
    async fn put_back(&self, error: Error) -> Result<(), Error> {
        self.steps.end(StepId::Rename, StepState::Failed, error.line());
        let text = format!("the team stays {}: its connectors are put back now", self.task.now);
        self.tell(&Event::Warning { text: &text });
        self.turned.set(true);
        self.restore().await.map_err(|failure| refusal::half_way_back(&error, &failure))?;
        self.finish(&self.task.now)?;
        self.changed.set(false);
        Err(refusal::put_back(error, &self.task.now))
    }

    async fn idps(&self, updated: impl AsyncFnOnce() -> Result<(), Error>) -> Result<(), Error> {
        let idps = &self.task.idps;
        if idps.is_empty() {
            for id in [StepId::TellIdps, StepId::IdpsUpdated] {
                self.steps.end(id, StepState::DoneAlready, "nothing is to be entered anywhere");
            }
            return Ok(());
        }
        let names: Vec<_> = idps.iter().map(|idp| idp.name.as_str()).collect();
        let names = names.join(", ");
        self.steps.begin(StepId::TellIdps);
        self.note_idps(format!("tell what to enter at {names}"), IdpState::Told)?;
        self.steps.end(StepId::TellIdps, StepState::Done, &names);
        self.tell(&Event::Idps { idps });
        self.steps.begin(StepId::IdpsUpdated);
        let by = if self.wishes.idps_updated {
            "by `--idps-updated`"
        } else {
            updated().await?;
            "by somebody at the terminal"
        };
        self.note_idps(format!("{names} said to know the new name, {by}"), IdpState::Updated)?;
        self.steps.end(
            StepId::IdpsUpdated,
            StepState::Done,
            format!("said {by}; a login is not proven"),
        );
        Ok(())
    }

    fn note_idps(&self, title: String, state: IdpState) -> Result<(), Stop> {
        let note = Note::Idps {
            account: self.task.snapshot.account.clone(),
            auth_domain: self.task.goal.clone(),
            state,
            idps: json!(self.task.idps),
        };
        self.tools.note(title, &note)
    }

    async fn check_idps(&self) -> Result<(), Error> {
        let idps = &self.task.looked_at;
        let Some(fetcher) = &self.wishes.enabling.asking.fetcher else { return Ok(()) };
        if idps.is_empty() {
            self.steps.end(StepId::IdpCheck, StepState::DoneAlready, "there is none to look at");
            return Ok(());
        }
        self.steps.begin(StepId::IdpCheck);
        let terms = Terms::new(self.tools.clock.now(), 1);
        let looks = idps.iter().map(async |idp| {
            let empty = Map::new();
            let config = idp.config.as_object().unwrap_or(&empty);
            check::check(fetcher, Subject { kind: idp.kind.as_str(), config }, &terms).await
        });
        let mut failed = Vec::new();
        for (idp, points) in idps.iter().zip(join_all(looks).await) {
            failed.extend(
                points.iter().filter(|point| point.is_failure()).map(|point| {
                    format!("{}: {}: {}", idp.name, point.id.as_str(), point.evidence)
                }),
            );
        }
        let names: Vec<_> = idps.iter().map(|idp| idp.name.as_str()).collect();
        self.note_seen(
            "look at what the identity providers publish",
            json!({ "looked_at": names, "failed": failed }),
        )?;
        if failed.is_empty() {
            let detail = format!("nothing is seen to be wrong with {}", names.join(", "));
            self.steps.end(StepId::IdpCheck, StepState::Done, detail);
            return Ok(());
        }
        if self.wishes.enabling.accepted.contains(&CheckId::IdpHealthy) {
            let detail = format!("risk accepted: {}", failed.join("; "));
            self.steps.end(StepId::IdpCheck, StepState::Done, detail);
            return Ok(());
        }
        Err(refusal::unhealthy(failed).into())
    }

    fn note_seen(&self, title: &str, seen: serde_json::Value) -> Result<(), Stop> {
        let account = self.task.snapshot.account.clone();
        self.tools.note(title, &Note::Seen { account, seen })
    }

    /// All domains at once, each as fast as its own name servers let it.
    async fn restore(&self) -> Result<(), Error> {
        let wanted = &self.task.snapshot.connectors;
        if wanted.is_empty() {
            self.steps.end(StepId::Restore, StepState::DoneAlready, "there was no connector");
            return Ok(());
        }
        self.steps.begin(StepId::Restore);
        let runs = join_all(wanted.iter().map(|wanted| self.restore_one(wanted))).await;
        let mut trouble = Vec::new();
        let mut standing = 0;
        for (wanted, end) in wanted.iter().zip(runs) {
            match end {
                Ok(()) => standing += 1,
                Err(error) => trouble.push((wanted, error)),
            }
        }
        let detail = format!("{standing} of {} as before", wanted.len());
        self.note_seen(
            "see the connectors stand again",
            json!({
                "as_before": standing,
                "of": wanted.len(),
                "missing": trouble.iter().map(|(wanted, error)| {
                    format!("{}: {}", wanted.domain, error.line())
                }).collect::<Vec<_>>(),
            }),
        )?;
        // What will not come by itself is told before what may.
        let is_late =
            |error: &Error| matches!(error, Error::Stop(stop) if stop.kind == StopKind::NotYet);
        trouble.sort_by_key(|(_, error)| is_late(error));
        let mut trouble = trouble.into_iter();
        let Some((_, first)) = trouble.next() else {
            self.steps.end(StepId::Restore, StepState::Done, detail);
            return Ok(());
        };
        let state = if is_late(&first) { StepState::Todo } else { StepState::Failed };
        self.steps.end(StepId::Restore, state, detail);
        Err(refusal::with_others(first, trouble.map(|(_, error)| error)))
    }

    async fn restore_one(&self, wanted: &Wanted) -> Result<(), Error> {
        let domain = wanted.domain.parse().map_err(|error: crate::domain::InvalidDomain| {
            Stop::new(StopKind::Conflict, error.to_string())
        })?;
        let deadline = self.wishes.deadline.unwrap_or_else(|| {
            let now = self.tools.clock.now();
            now.saturating_add(DEFAULT_WAIT).unwrap_or(Timestamp::MAX)
        });
        let enables = wanted.enabled && !self.wishes.no_enable;
        let wishes = setup::Wishes {
            domain,
            publish_txt: self.wishes.publish_txt,
            replace_stale_txt: self.wishes.replace_stale_txt,
            enable: enables.then(|| self.wishes.enabling.clone()),
            wait: wanted.was_verified(),
            fedramp: wanted.fedramp,
            deadline,
        };
        let on_event = |event: &setup::Event<'_>| {
            self.tell(&Event::Domain { domain: &wanted.domain, of: event });
        };
        self.changed.set(true);
        let (report, end) = setup::run(self.tools, &wishes, &on_event, async || Ok(())).await;
        self.report.borrow_mut().connectors.push(report);
        match end {
            // It was not proven before either.
            Err(Error::Stop(Stop { kind: StopKind::NotYet, .. })) if !wanted.was_verified() => {
                Ok(())
            }
            end => end,
        }
    }

    fn finish(&self, auth_domain: &str) -> Result<(), Error> {
        let enforced = self.task.snapshot.connectors.iter().any(|wanted| wanted.enabled);
        let stays_off = enforced && self.wishes.no_enable;
        if stays_off {
            let off = self.task.snapshot.connectors.iter().filter(|wanted| wanted.enabled);
            let next: Vec<_> =
                off.map(|it| format!("cfsso connector enable {}", it.domain)).collect();
            self.report.borrow_mut().next = Some(next.join("; "));
        }
        let note = Note::End {
            account: self.task.snapshot.account.clone(),
            auth_domain: auth_domain.to_owned(),
            sso_off_seconds: self.seconds_off(),
        };
        let off = match self.seconds_off() {
            Some(_) if stays_off => "; SSO stays off, as asked".to_owned(),
            Some(seconds) => format!("; SSO was off for {seconds} s"),
            None => String::new(),
        };
        Ok(self.tools.note(format!("done: the team is {}{off}", word(auth_domain)), &note)?)
    }

    fn seconds_off(&self) -> Option<i64> {
        let since = self.off_since.get()?;
        Some(self.tools.clock.now().duration_since(since).as_secs())
    }

    /// An error, with the command that goes on; half way, it says so.
    fn told(&self, error: Error) -> Error {
        self.steps.conclude(&error);
        if !self.changed.get() {
            return error;
        }
        let task = self.task;
        let again = if self.turned.get() { task.back() } else { task.again(self.wishes) };
        self.report.borrow_mut().next = Some(again.clone());
        refusal::half_done(&error, &again, &self.task.back(), self.off_since.get().is_some())
    }

    fn tell(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }
}
