//! The requests that `apply` would send, from reads only. Values that the API chooses are
//! placeholders.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::apply::{
    Decisions, Options, edit_app, ensure_idp_works, ensure_sign_in_left, look_up, unshare_actions,
};
use super::change::{Group, PlannedChange, Task};
use super::facts::Facts;
use super::plan::{edit_idp, missing_recipients};
use crate::api::app::App;
use crate::api::connector::{BeginVerification, Connector};
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::api::ids::IdpId;
use crate::dns::{Diagnosis, Lookup, Verdict};
use crate::domain::EmailDomain;
use crate::flow::federation::recipients::resolve_recipients;
use crate::flow::federation::state::{FederationState, MAX_CONCURRENT};
use crate::flow::federation::{self, share, shares, unshare};
use crate::flow::plan::{Change, Plan};
use crate::flow::preflight;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::verify::{self, VerifyAction};
use crate::flow::{Env, Error, FlowError, app, connector, idp, publish};

#[derive(Default)]
pub struct DryRun {
    pub changes: Vec<Change>,
    /// Changes without a request yet, with the reason.
    pub notes: Vec<String>,
    /// The first refusal that a run would end with.
    pub refusal: Option<Error>,
}

struct Reader<'a, D> {
    env: &'a Env<'a>,
    options: &'a Options,
    decisions: &'a D,
    facts: Facts,
    /// By the index of the domain in the file.
    served: BTreeMap<usize, (Lookup, Diagnosis)>,
    found: DryRun,
}

pub async fn run(
    env: &Env<'_>,
    options: &Options,
    (facts, changes): (Facts, &[PlannedChange]),
    decisions: &impl Decisions,
) -> Result<DryRun, Error> {
    let (served, found) = (BTreeMap::new(), DryRun::default());
    let mut reader = Reader { env, options, decisions, facts, served, found };
    let domains = changes.iter().filter_map(|change| match change.task {
        Task::Verify(at) | Task::Enable(at) => Some(at),
        _ => None,
    });
    reader.lookup(domains).await;
    for group in Group::ALL {
        let of_group = changes.iter().filter(|change| change.group == group);
        match group {
            // A run changes none of these after a refusal of what comes before.
            Group::SsoApp | Group::Enforcement if reader.found.refusal.is_some() => {
                reader.skip(of_group);
            }
            Group::Verification => reader.verify(of_group).await?,
            Group::Enforcement => reader.enforce(of_group).await,
            Group::Removal => reader.remove(of_group.collect()).await?,
            _ => {
                for change in of_group {
                    reader.add(&change.task).await?;
                }
            }
        }
    }
    Ok(reader.found)
}

impl<D: Decisions> Reader<'_, D> {
    async fn add(&mut self, task: &Task) -> Result<(), Error> {
        let (env, desired) = (self.env, &self.options.desired);
        match task {
            Task::CreateIdp(at) => {
                let body = &self.options.bodies[at];
                self.found.changes.push(idp::create_action(env, body).change());
                let mut new = body.clone();
                new.set(&["id"], &format!("NEW-IDP-{}", at + 1)).map_err(FlowError::from)?;
                let new = serde_json::from_str(new.to_raw().get());
                self.facts.idps.push(new.expect("the body has a name and a type"));
            }
            Task::UpdateIdp(at, id) => {
                let entry = &desired.idps()[*at];
                let target = Target::Idp(id.clone());
                let edit = Update::prepare(env, target, |idp| edit_idp(idp, entry)).await?;
                let works = ensure_idp_works(&self.facts, id, &edit, self.decisions).await;
                if !self.is_accepted(works) {
                    return Ok(());
                }
                self.found.changes.extend(edit.changes(env));
                if let Some(idp) = self.facts.idps.iter_mut().find(|idp| idp.id == *id)
                    && let Ok(updated) = serde_json::from_str(edit.desired.to_raw().get())
                {
                    *idp = updated;
                }
            }
            Task::ShareIdp(at) => self.share(*at)?,
            Task::UpdateApp => {
                let wanted = desired.sso_app.as_ref().expect("it is in the plan");
                let Some(app) = &self.facts.app else {
                    let text = "the SSO App: Cloudflare creates it with the first connector";
                    self.found.notes.push(text.to_owned());
                    return Ok(());
                };
                let target = Target::App(app.id.clone());
                let edit = Update::prepare(env, target, |it| edit_app(it, wanted, &self.facts));
                let edit = edit.await?;
                let works = self.decisions.check_app(&edit, &self.facts.idps).await;
                if self.is_accepted(works) {
                    self.found.changes.extend(edit.changes(env));
                }
            }
            Task::CreateConnector(at) => {
                let wanted = &desired.connectors()[*at];
                let (domain, later) = (self.domain(*at)?, BeginVerification::Later);
                let action = connector::create_action(env, &domain, later, wanted.fedramp);
                self.found.changes.push(action.change());
            }
            Task::SetFedramp(at) => {
                let wanted = desired.connectors()[*at].fedramp == Some(true);
                if let Some(connector) = self.connector(*at)? {
                    let action = connector::fedramp_action(env, connector, wanted);
                    self.found.changes.push(action.change());
                }
            }
            Task::Disable(at) => {
                let connector = self.connector(*at)?;
                let disable = connector.map(|it| connector::disable_action(env, it).change());
                self.found.changes.extend(disable);
            }
            Task::DeleteConnector(id) => {
                let connector = self.facts.connectors.iter().find(|it| it.id == *id);
                let delete = connector.map(|it| connector::delete_action(env, it).change());
                self.found.changes.extend(delete);
            }
            Task::DeleteIdp(id) => {
                let delete = self.idp(id).map(|it| idp::delete_action(env, it).change());
                self.found.changes.extend(delete);
            }
            Task::Unshare(id, from) => {
                if let (Some(idp), Some(state)) = (self.idp(id), self.facts.shared(id)) {
                    let actions = unshare_actions(state, idp, from.as_deref())?;
                    self.found.changes.extend(unshare::plan(env, idp, &actions).changes);
                }
            }
            Task::DeleteShare(id) => {
                let share = self.facts.orphans.iter().find(|share| share.id == *id);
                let delete = share.map(|share| shares::delete_action(env, share).change());
                self.found.changes.extend(delete);
            }
            Task::Verify(_) | Task::Enable(_) => {
                unreachable!("listed with the others of their group")
            }
        }
        Ok(())
    }

    /// After a failure, a run removes nothing.
    async fn remove(&mut self, changes: Vec<&PlannedChange>) -> Result<(), Error> {
        let deleted = changes.iter().filter_map(|change| match &change.task {
            Task::DeleteIdp(id) => Some(id),
            _ => None,
        });
        let deleted: Vec<_> = deleted.collect();
        if !deleted.is_empty() && self.found.refusal.is_none() {
            let apps = self.future_apps().await?;
            let known = (&*apps, &*self.facts.idps);
            let left = ensure_sign_in_left(self.env, &deleted, known, self.decisions).await;
            self.is_accepted(left);
        }
        if self.found.refusal.is_some() {
            self.skip(changes.into_iter());
            return Ok(());
        }
        for change in changes {
            self.add(&change.task).await?;
        }
        Ok(())
    }

    fn skip<'c>(&mut self, changes: impl Iterator<Item = &'c PlannedChange>) {
        let notes = changes.map(|change| format!("{}: not tried after a refusal", change.title));
        self.found.notes.extend(notes);
    }

    /// Records a refusal.
    fn is_accepted(&mut self, result: Result<(), impl Into<Error>>) -> bool {
        let Err(error) = result.map_err(Into::into) else { return true };
        match self.found.refusal {
            Some(_) => self.found.notes.push(error.line()),
            None => self.found.refusal = Some(error),
        }
        false
    }

    /// By the time of the deletions, the SSO App is as the file has it.
    async fn future_apps(&self) -> Result<Vec<App>, Error> {
        let mut apps = app::list(self.env).await?;
        let Some(wanted) = &self.options.desired.sso_app else { return Ok(apps) };
        for app in apps.iter_mut().filter(|app| app.is_dash_sso()) {
            let Ok(mut document) = app.text().parse::<Document>() else { continue };
            edit_app(&mut document, wanted, &self.facts)?;
            *app = serde_json::from_str(document.to_raw().get()).expect("it was an application");
        }
        Ok(apps)
    }

    fn share(&mut self, at: usize) -> Result<(), Error> {
        let wanted = &self.options.desired.shares()[at];
        let Some(idp) = self.facts.find(&wanted.idp).cloned() else { return Ok(()) };
        let nothing = FederationState::default();
        let state = self.facts.shared(&idp.id).unwrap_or(&nothing);
        let Some(named) = missing_recipients(wanted, state)? else { return Ok(()) };
        let directory = &self.facts.directory;
        let (audience, _) = resolve_recipients(named, self.env.account, directory, true)?;
        let name = federation::default_name(&idp);
        let deadline = self.options.deadline;
        let options = share::Options { idp, audience, name, wait: false, deadline };
        self.found.changes.extend(share::plan(self.env, &options, state).changes);
        Ok(())
    }

    /// Publishes for all domains first, then starts the verifications.
    async fn verify<'c>(
        &mut self,
        changes: impl Iterator<Item = &'c PlannedChange>,
    ) -> Result<(), Error> {
        let mut domains = Vec::new();
        for change in changes {
            let Task::Verify(at) = change.task else { continue };
            domains.push((at, self.domain(at)?, self.connector_or_placeholder(at)?));
        }
        let hidden = domains.iter().filter(|(at, ..)| !self.is_visible(*at));
        let published =
            hidden.map(|(_, domain, connector)| publish::creation(self.env, domain, connector));
        let published: Vec<_> =
            stream::iter(published).buffered(MAX_CONCURRENT).try_collect().await?;
        self.found.changes.extend(published.into_iter().flatten());
        for (_, domain, connector) in &domains {
            if verify::next_action(connector) != VerifyAction::Wait {
                let begin = verify::begin_action(self.env, domain.as_str(), &connector.id);
                self.found.changes.push(begin.change());
            }
        }
        Ok(())
    }

    /// Enables the domains whose checks pass.
    async fn enforce<'c>(&mut self, changes: impl Iterator<Item = &'c PlannedChange>) {
        let enabling = changes.filter_map(|change| match change.task {
            Task::Enable(at) => Some(at),
            _ => None,
        });
        let enabling: Vec<_> = enabling.collect();
        let is_verified = |at: &usize| {
            self.connector(*at).is_ok_and(|known| known.is_some_and(|it| it.is_verified()))
        };
        let facts = if enabling.iter().any(is_verified) {
            Some(Box::pin(preflight::gather(self.env, &self.options.enable.asking)).await)
        } else {
            None
        };
        for at in enabling {
            let enabled = self.enable(at, facts.as_ref());
            self.is_accepted(enabled);
        }
    }

    fn enable(&mut self, at: usize, facts: Option<&preflight::Facts>) -> Result<(), FlowError> {
        let domain = self.domain(at)?;
        let connector = &self.connector_or_placeholder(at)?;
        if connector.is_verified()
            && let (Some(facts), Some((lookup, diagnosis))) = (facts, self.served.get(&at))
        {
            let (subject, served) = ((connector, &domain), (lookup, diagnosis));
            let all = &self.facts.connectors;
            let checks = self.options.enable.checks(self.env, subject, served, all, facts);
            Plan::new(checks, Vec::new()).ensure_allowed(&format!("enabling `{domain}`"))?;
        }
        let action = connector::enable_action(self.env, &domain, connector);
        self.found.changes.push(action.change());
        Ok(())
    }

    async fn lookup(&mut self, domains: impl Iterator<Item = usize>) {
        let places: BTreeSet<_> = domains.collect();
        let looks = places.into_iter().map(async |at| {
            let domain = self.domain(at).ok()?;
            let code = self.connector(at).ok()?.and_then(|it| it.code());
            Some((at, look_up(self.env, &domain, code).await))
        });
        let results = stream::iter(looks).buffer_unordered(MAX_CONCURRENT);
        self.served = results.filter_map(async |it| it).collect().await;
    }

    fn is_visible(&self, at: usize) -> bool {
        let has_code = self.connector(at).is_ok_and(|it| it.is_some_and(|it| it.code().is_some()));
        let found = self.served.get(&at);
        has_code && found.is_some_and(|(_, found)| found.verdict == Verdict::Visible)
    }

    fn domain(&self, at: usize) -> Result<EmailDomain, FlowError> {
        Ok(self.options.desired.connectors()[at].domain.parse()?)
    }

    fn connector(&self, at: usize) -> Result<Option<&Connector>, FlowError> {
        connector::select_by_domain(&self.facts.connectors, &self.domain(at)?)
    }

    fn connector_or_placeholder(&self, at: usize) -> Result<Connector, FlowError> {
        let new = || Ok(connector::placeholder(&self.domain(at)?, BeginVerification::Later));
        self.connector(at)?.cloned().map_or_else(new, Ok)
    }

    fn idp(&self, id: &IdpId) -> Option<&Idp> {
        self.facts.idps.iter().find(|idp| idp.id == *id)
    }
}
