//! Applies a desired state. Each step is computed from the server's state, so that a second
//! run resumes. A failed domain does not stop the others.

mod account;
mod domain;
mod report;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use jiff::Timestamp;

pub(super) use self::account::{edit_app, ensure_idp_works, ensure_sign_in_left, unshare_actions};
pub(super) use self::domain::look_up;
pub use self::report::{ApplyReport, DomainResult, Event, Result as ChangeResult};

use self::domain::Domain;
use super::Desired;
use super::change::{Group, PlannedChange, Task};
use super::facts::Facts;
use crate::api::ErrorKind;
use crate::api::connector as requests;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::api::ids::ConnectorId;
use crate::domain::EmailDomain;
use crate::flow::connector::{self, Selector};
use crate::flow::setup::EnableOptions;
use crate::flow::steps::StepState;
use crate::flow::trial::{Subject, TrialEnd};
use crate::flow::update::Update;
use crate::flow::{Env, Error, FlowError, FlowErrorKind};
use crate::plural::count_noun;

const DEPENDS: &str = "not tried, because this failed:";

pub struct Options {
    pub desired: Desired,
    /// The bodies of identity providers to create, by their index in the file.
    pub bodies: BTreeMap<usize, Document>,
    pub enable: Rc<EnableOptions>,
    /// When waiting for DNS and verification ends.
    pub deadline: Timestamp,
    /// The command that resumes.
    pub next: String,
}

/// Decisions during a run that the command makes.
pub trait Decisions {
    /// Fails if the SSO App may not be changed like this.
    fn check_app(&self, edit: &Update, idps: &[Idp]) -> impl Future<Output = Result<(), Error>>;

    /// Fails if an identity provider in use for sign-in may not be changed like this.
    fn check_idp(&self, edit: &Update, idps: &[Idp]) -> impl Future<Output = Result<(), Error>>;

    /// Fails if what the SSO App allows after a deletion may not be all that is left.
    fn check_remaining(
        &self,
        allowed: &[&Idp],
        idps: &[Idp],
    ) -> impl Future<Output = Result<(), Error>>;

    /// Enables SSO on trial, if the options request it.
    fn try_enable(
        &self,
        subject: &Subject,
    ) -> impl Future<Output = Result<Option<TrialEnd>, Error>>;
}

pub struct Apply<'a, D> {
    env: &'a Env<'a>,
    options: &'a Options,
    decisions: &'a D,
    on_event: &'a dyn Fn(&Event<'_>),
    facts: Facts,
    domains: Vec<Domain>,
    results: Vec<ChangeResult>,
    /// The first failure of the account, not of one domain.
    failure: Option<Error>,
    /// Whether a change that is not done has written something.
    is_partly_made: Cell<bool>,
}

/// `changes` were planned from `facts`. The report shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    (facts, changes): (Facts, &[PlannedChange]),
    on_event: &dyn Fn(&Event<'_>),
    decisions: &impl Decisions,
) -> (ApplyReport, Result<(), Error>) {
    env.client.wait_for_rate_limit();
    let domains = domain::all(&options.desired, &facts);
    let results = changes.iter().map(ChangeResult::running).collect();
    let mut apply = Apply {
        env,
        options,
        decisions,
        on_event,
        facts,
        domains,
        results,
        failure: None,
        is_partly_made: Cell::default(),
    };
    let end = apply.run_groups(changes).await;
    // Another run may have changed what this one did not reach.
    let is_readable = end.as_ref().err().is_none_or(|error| !ends_all(error));
    if is_readable && apply.results.iter().any(|it| it.state != StepState::Done) {
        apply.read_domains().await;
    }
    let end = apply.conclude_run(end);
    (apply.into_report(end.is_ok()), end)
}

impl<D: Decisions> Apply<'_, D> {
    async fn run_groups(&mut self, changes: &[PlannedChange]) -> Result<(), Error> {
        self.each(changes, Group::Disabling).await?;
        self.each(changes, Group::IdentityProviders).await?;
        self.each(changes, Group::Federation).await?;
        let has_app = self.facts.app.is_some();
        if has_app {
            self.each(changes, Group::SsoApp).await?;
        }
        self.each(changes, Group::Connectors).await?;
        if !has_app {
            // The first connector created it.
            self.each(changes, Group::SsoApp).await?;
        }
        self.verify_and_enable(changes).await?;
        self.check_deletions(changes).await?;
        self.each(changes, Group::Removal).await
    }

    /// A refusal has to come before the first removal, not between two of them.
    async fn check_deletions(&mut self, changes: &[PlannedChange]) -> Result<(), Error> {
        let deletions = changes.iter().enumerate().filter_map(|(at, change)| match &change.task {
            Task::DeleteIdp(id) => Some((at, id)),
            _ => None,
        });
        let (places, deleted): (Vec<_>, Vec<_>) = deletions.unzip();
        let Some(first) = places.first().copied() else { return Ok(()) };
        if self.blocked(&changes[first]).is_some() {
            return Ok(());
        }
        match self.ensure_sign_in_left(&deleted).await {
            Ok(()) => Ok(()),
            refused => self.conclude(first, refused.map(|()| String::new())),
        }
    }

    /// One after the other. A failure in the account ends the group; a failed domain is skipped.
    async fn each(&mut self, changes: &[PlannedChange], group: Group) -> Result<(), Error> {
        for (at, change) in changes.iter().enumerate().filter(|(_, it)| it.group == group) {
            if self.has_ended(at) {
                continue;
            }
            if let Some(reason) = self.blocked(change) {
                self.end(at, StepState::Blocked, reason);
                continue;
            }
            (self.on_event)(&Event::Started { title: &change.title });
            let done = Box::pin(self.make(&change.task)).await;
            self.conclude(at, done)?;
        }
        Ok(())
    }

    /// The earlier failure because of which a change cannot be made.
    fn blocked(&self, change: &PlannedChange) -> Option<String> {
        let account = |of: &[Group]| self.failed(|it| of.contains(&it.group));
        let domain = || self.failed(|it| it.subject == change.subject);
        match change.group {
            Group::Disabling => None,
            // What follows may lock users out.
            Group::IdentityProviders => account(&[Group::Disabling]),
            Group::Federation | Group::SsoApp => {
                account(&[Group::Disabling, Group::IdentityProviders])
            }
            Group::Removal => account(&Group::ALL),
            Group::Connectors | Group::Verification => domain(),
            Group::Enforcement => {
                account(&[Group::IdentityProviders, Group::SsoApp]).or_else(domain)
            }
        }
    }

    /// The first failure among these results, as a reason.
    fn failed(&self, is_among: impl Fn(&ChangeResult) -> bool) -> Option<String> {
        let is_failed =
            |it: &&ChangeResult| matches!(it.state, StepState::Failed | StepState::Blocked);
        let failed = self.results.iter().filter(is_failed).find(|it| is_among(it));
        failed.map(|it| format!("{DEPENDS} {}", it.title))
    }

    /// Records the result. An error that would stop every change ends the run.
    fn conclude(&mut self, at: usize, done: Result<String, Error>) -> Result<(), Error> {
        match done {
            Ok(detail) => self.end(at, StepState::Done, detail),
            Err(error) => {
                self.end(at, StepState::from_error(&error), error.line());
                if ends_all(&error) {
                    return Err(error);
                }
                let group = self.results[at].group;
                let is_of_domain =
                    matches!(group, Group::Connectors | Group::Verification | Group::Enforcement);
                if !is_of_domain || is_forbidden(&error) {
                    self.failure.get_or_insert(error);
                }
            }
        }
        Ok(())
    }

    fn has_ended(&self, at: usize) -> bool {
        self.results[at].state != StepState::Running
    }

    fn end(&mut self, at: usize, state: StepState, detail: impl Into<String>) {
        let result = &mut self.results[at];
        (result.state, result.detail) = (state, detail.into());
        (self.on_event)(&Event::Change(result));
    }

    async fn make(&mut self, task: &Task) -> Result<String, Error> {
        match task {
            Task::CreateIdp(at) => self.create_idp(*at).await,
            Task::UpdateIdp(at, id) => self.update_idp(*at, id).await,
            Task::ShareIdp(at) => self.share_idp(*at).await,
            Task::UpdateApp => self.update_app().await,
            Task::CreateConnector(at) => self.create_connector(*at).await,
            Task::SetFedramp(at) => self.set_fedramp(*at).await,
            Task::Disable(at) => self.disable(*at).await,
            Task::DeleteConnector(id) => self.delete_connector(id).await,
            Task::DeleteIdp(id) => self.delete_idp(id).await,
            Task::Unshare(id, from) => self.unshare(id, from.as_deref()).await,
            Task::DeleteShare(id) => self.delete_share(id).await,
            Task::Verify(_) | Task::Enable(_) => unreachable!("made together with the others"),
        }
    }

    async fn create_connector(&mut self, at: usize) -> Result<String, Error> {
        let wanted = &self.options.desired.connectors()[at];
        let domain: EmailDomain = wanted.domain.parse().map_err(FlowError::from)?;
        // Verification begins when the TXT record can be found.
        let begin = requests::BeginVerification::Later;
        let created = connector::create(self.env, &domain, begin, wanted.fedramp).await;
        let (connector, detail) = match created {
            Ok(created) => (created, "connector created"),
            Err(Error::Api(error)) if error.kind() == ErrorKind::Conflict => {
                // Another client was faster, or another account has the domain.
                let connectors = connector::list(self.env).await?;
                match connector::select_by_domain(&connectors, &domain)? {
                    Some(existing) => (existing.clone(), "connector exists already"),
                    None => return Err(error.into()),
                }
            }
            Err(error) => return Err(error),
        };
        let detail = format!("{detail}  {}", connector.id);
        self.domain(at).connector = Some(connector);
        Ok(detail)
    }

    async fn set_fedramp(&mut self, at: usize) -> Result<String, Error> {
        let wanted = self.options.desired.connectors()[at].fedramp == Some(true);
        let connector = self.domain(at).connector()?.clone();
        let action = connector::fedramp_action(self.env, &connector, wanted);
        let read = requests::get(self.env.account, &connector.id);
        let is_as_sent =
            |it: &requests::Connector| it.use_fedramp_language.unwrap_or(false) == wanted;
        let changed = self.env.execute_and_confirm(&action, &read, is_as_sent).await?;
        self.domain(at).connector = Some(changed);
        Ok("FedRAMP language changed (confirmed)".to_owned())
    }

    async fn disable(&mut self, at: usize) -> Result<String, Error> {
        let connector = self.domain(at).connector()?.clone();
        let disabled = connector::disable(self.env, &connector).await?;
        self.domain(at).connector = Some(disabled);
        Ok("SSO disabled (confirmed)".to_owned())
    }

    async fn delete_connector(&mut self, id: &ConnectorId) -> Result<String, Error> {
        let connector = connector::find(self.env, &Selector::Id(id.clone())).await?;
        if connector.enabled != Some(false) {
            let message = format!("{} is enabled: not deleted", connector.email_domain);
            return Err(FlowError::conflict(message).into());
        }
        connector::delete(self.env, &connector).await?;
        Ok("connector deleted (confirmed); its TXT record is no longer needed".to_owned())
    }

    fn domain(&mut self, at: usize) -> &mut Domain {
        &mut self.domains[at]
    }

    async fn read_domains(&mut self) {
        let Ok(connectors) = connector::list(self.env).await else { return };
        for domain in &mut self.domains {
            let known = connector::select_by_domain(&connectors, &domain.name);
            domain.connector = known.ok().flatten().cloned();
        }
    }

    /// If no change was made, the first failure becomes the error: nothing is half done.
    fn conclude_run(&mut self, end: Result<(), Error>) -> Result<(), Error> {
        if end.as_ref().is_err_and(is_signal) {
            return end;
        }
        let unfinished: Vec<_> =
            self.results.iter().filter(|it| it.state != StepState::Done).collect();
        let is_untouched = unfinished.len() == self.results.len() && !self.is_partly_made.get();
        let ended_by = end.as_ref().err().map(Error::line);
        if is_untouched && let Some(failure) = end.err().or_else(|| self.failure.take()) {
            return Err(failure);
        }
        if unfinished.is_empty() && ended_by.is_none() {
            return Ok(());
        }
        let message =
            format!("{} of {} left", unfinished.len(), count_noun(self.results.len(), "change"));
        // Only time, DNS or a person finishes what is pending: nothing is half done.
        let is_waiting =
            ended_by.is_none() && unfinished.iter().all(|it| it.state == StepState::Pending);
        let kind = if is_waiting { FlowErrorKind::NotYet } else { FlowErrorKind::HalfDone };
        let tried = unfinished.iter().filter(|it| it.state != StepState::Running);
        let causes = tried.filter(|it| !it.detail.starts_with(DEPENDS)).take(10);
        let causes = causes.map(|it| format!("{}: {}", it.title, it.detail));
        let ended_by =
            ended_by.filter(|line| unfinished.iter().all(|result| result.detail != *line));
        Err(FlowError::new(kind, message)
            .causes(ended_by)
            .causes(causes)
            .hint(format!("`{}` resumes", self.options.next))
            .into())
    }

    fn into_report(mut self, ok: bool) -> ApplyReport {
        // Not reached by the run.
        for result in self.results.iter_mut().filter(|it| it.state == StepState::Running) {
            result.state = StepState::Pending;
        }
        let domains = self.domains.iter().filter(|domain| {
            self.results.iter().any(|result| result.subject == domain.name.as_str())
        });
        let domains = domains.map(|domain| domain.result(&self.results)).collect();
        let next = (!ok).then(|| self.options.next.clone());
        ApplyReport::new(ok, self.results, domains, next)
    }
}

/// Whether the error would stop every later change, too.
fn ends_all(error: &Error) -> bool {
    match error {
        Error::Flow(error) => matches!(
            error.kind,
            FlowErrorKind::Journal | FlowErrorKind::Signaled(_) | FlowErrorKind::Declined
        ),
        error => api_error(error).is_some_and(is_fatal),
    }
}

fn is_signal(error: &Error) -> bool {
    matches!(error, Error::Flow(error) if matches!(error.kind, FlowErrorKind::Signaled(_)))
}

fn is_forbidden(error: &Error) -> bool {
    api_error(error).is_some_and(|error| error.kind() == ErrorKind::Forbidden)
}

fn api_error(error: &Error) -> Option<&crate::api::Error> {
    match error {
        Error::Api(error) => Some(error),
        Error::ApiContext(context) => Some(&context.error),
        Error::Flow(_) => None,
    }
}

fn is_fatal(error: &crate::api::Error) -> bool {
    error.is_retryable()
        || matches!(error.kind(), ErrorKind::Unauthenticated | ErrorKind::OutOfTime)
}
