//! The task of a rename, from the options and the current state.

use jiff::Timestamp;

use super::errors;
use super::name::word;
use super::report::{IdpChange, Mode, Options, resume_command};
use super::snapshot::{ConnectorSnapshot, OpenRename, Snapshot, history};
use crate::api::app::{self, App};
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::AccountId;
use crate::api::odd::OddRecord;
use crate::flow::preflight::{Checked, allowed_idps, checked};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{Env, Error, FlowError, connector, idp};
use crate::idp::guide::{self, Product};

pub struct CurrentState {
    pub organization: Document,
    pub connectors: Vec<Connector>,
    pub idps: Vec<Idp>,
    pub apps: Checked<Vec<App>>,
    pub open: Option<OpenRename>,
    pub done: Option<OpenRename>,
}

#[derive(Debug)]
pub struct RenamePlan {
    pub snapshot: Snapshot,
    pub now: String,
    pub goal: String,
    pub is_back: bool,
    pub organization: Document,
    pub connectors: Vec<Connector>,
    /// Domains of `--domains` that nothing shows to have been enabled.
    pub(super) assumed: Vec<String>,
    /// Changes at the identity providers; empty if these have the new name.
    pub idps: Vec<IdpChange>,
    /// The identity providers of the sign-in to the dashboard.
    pub(super) allowed: Vec<Idp>,
    pub(super) off_since: Option<Timestamp>,
    /// Whether the journal knows of no rename that this run resumes or rolls back.
    pub(super) is_first: bool,
    /// Whether an earlier run changed something.
    pub(super) is_open: bool,
}

pub async fn read_state(env: &Env<'_>) -> Result<CurrentState, Error> {
    let organization =
        async { Ok(env.client.send(&Target::Organization.read(env.account)).await?) };
    let apps = async { Ok(checked(env.client.list(&app::list(env.account)).await)) };
    let (organization, connectors, idps, apps) =
        tokio::try_join!(organization, connector::list(env), idp::list(env), apps)?;
    let odd = env.client.odd_records(Some("connector"));
    if !odd.is_empty() {
        let message = "cannot rename the team: a connector record is invalid; nothing was sent";
        let causes = odd.iter().map(OddRecord::describe);
        return Err(FlowError::refused(message).causes(causes).into());
    }
    let entries = env.own(&env.journal.read()?.entries);
    let (open, done) = history(&entries, env.account);
    Ok(CurrentState { organization, connectors, idps, apps, open, done })
}

pub fn plan_rename(
    account: &AccountId,
    ask: &Mode,
    found: CurrentState,
    options: &Options,
) -> Result<RenamePlan, FlowError> {
    let now: String = found.organization.parse_at(&["auth_domain"]).unwrap_or_default();
    let ended =
        found.done.filter(|done| matches!(ask, Mode::Rollback(_)) && done.snapshot.to == now);
    let is_open = found.open.is_some();
    let taken_up = found.open.or(ended);
    let goal = goal(ask, taken_up.as_ref(), &now, !options.domains.is_empty())?;
    let is_rename = matches!(ask, Mode::Rename(_));
    let is_first = is_rename && taken_up.is_none();
    let (mut snapshot, known_domain) = if let Some(open) = &taken_up {
        (open.snapshot.clone(), known_domain(open))
    } else {
        let fresh = Snapshot {
            account: account.to_string(),
            from: (is_rename || now != goal).then(|| now.clone()),
            name: found.organization.parse_at(&["name"]),
            to: goal.clone(),
            goal: goal.clone(),
            also_name: options.also_name,
            connectors: Vec::new(),
        };
        (fresh, is_rename.then(|| now.clone()))
    };
    let is_back =
        matches!(ask, Mode::Rollback(_)) || (!is_first && snapshot.from.as_ref() == Some(&goal));
    if !is_back {
        snapshot.to.clone_from(&goal);
    }
    snapshot.goal.clone_from(&goal);
    snapshot.also_name |= options.also_name;
    let mut snapshot = snapshot.merge_connectors(&found.connectors);
    let mut assumed = Vec::new();
    for domain in &options.domains {
        if snapshot.add(ConnectorSnapshot::assumed_enabled(domain)) {
            assumed.push(domain.to_string());
        }
    }
    let before = if is_back { Some(&snapshot.to) } else { snapshot.from.as_ref() };
    let before = before.map(String::as_str);
    let sso_app = found.apps.iter().flatten().find(|app| app.is_dash_sso());
    let allowed = allowed_idps(&found.idps, sso_app).into_iter().cloned().collect();
    let idp_change = |idp: &Idp| idp_change(idp, before, &goal);
    let idps = if known_domain.as_ref() == Some(&goal) {
        Vec::new()
    } else {
        let has_url = |idp: &&Idp| has_external_config(idp) && !idp.is_read_only();
        found.idps.iter().filter(has_url).map(idp_change).collect()
    };
    let plan = RenamePlan {
        snapshot,
        assumed,
        now,
        goal,
        is_back,
        organization: found.organization,
        connectors: found.connectors,
        idps,
        allowed,
        off_since: taken_up.as_ref().and_then(|open| open.off_since),
        is_first,
        is_open,
    };
    if plan.is_unchanged() && !plan.edit(plan.organization.clone())?.is_empty() {
        let error = FlowError::usage(format!("the team name is already `{}`", plan.word()));
        return Err(error.hint("omit `--also-name`"));
    }
    Ok(plan)
}

fn known_domain(open: &OpenRename) -> Option<String> {
    match (&open.updated, &open.shown) {
        (Some(updated), _) => Some(updated.clone()),
        (None, Some(_)) => None,
        (None, None) => open.snapshot.from.clone(),
    }
}

fn has_external_config(idp: &Idp) -> bool {
    !matches!(idp.kind, IdpType::OneTimePin | IdpType::Cloudflare | IdpType::Passkeys)
}

fn idp_change(idp: &Idp, before: Option<&str>, after: &str) -> IdpChange {
    let values = |domain: &str| guide::values(domain, Some(idp.id.as_str()));
    let product = Product::of_idp(idp.kind.as_str(), &idp.config);
    // Any other name shows which fields depend on it.
    let mut change =
        guide::url_change(product, &values(before.unwrap_or_default()), &values(after));
    if before.is_none() {
        for field in &mut change.fields {
            field.before = None;
        }
    }
    IdpChange { id: idp.id.to_string(), name: idp.name.clone(), change }
}

/// Without a journal, the domains come from the command line.
fn goal(
    ask: &Mode,
    open: Option<&OpenRename>,
    now: &str,
    names_domains: bool,
) -> Result<String, FlowError> {
    match (ask, open) {
        (Mode::Rename(name), Some(open)) if open.snapshot.to == name.domain() => Ok(name.domain()),
        (Mode::Rename(name), Some(open)) => Err(errors::rename_in_progress(name, open)),
        (Mode::Rename(name), None) if name.domain() == now && names_domains => {
            Err(errors::no_rename_in_progress(ask))
        }
        (Mode::Rename(name) | Mode::Resume(Some(name)), None | Some(_))
            if open.is_some() || matches!(ask, Mode::Rename(_)) || names_domains =>
        {
            Ok(name.domain())
        }
        (Mode::Resume(None), Some(open)) => Ok(open.snapshot.goal.clone()),
        (Mode::Rollback(name), Some(open)) => {
            if let Some(name) = name.as_ref().filter(|name| name.domain() != open.snapshot.to) {
                return Err(errors::different_rename_in_progress(name, open));
            }
            open.snapshot.from.clone().ok_or_else(errors::old_name_unknown)
        }
        (Mode::Rollback(name), None) if names_domains => match name {
            Some(name) if name.domain() == now => Err(errors::old_name_unknown()),
            _ => Ok(now.to_owned()),
        },
        _ => Err(errors::no_rename_in_progress(ask)),
    }
}

impl RenamePlan {
    pub fn needs_rename(&self) -> bool {
        self.now != self.goal
    }

    /// Whether the team has the name already, and no rename is to be completed.
    pub fn is_unchanged(&self) -> bool {
        self.is_first && !self.needs_rename()
    }

    /// Whether nothing is deleted yet, but will be.
    pub(super) fn starts_deleting(&self) -> bool {
        self.needs_rename() && !self.connectors.is_empty() && !self.is_open
    }

    /// How many connectors have to be created again.
    pub(super) fn missing_connectors(&self) -> usize {
        let exists = |wanted: &ConnectorSnapshot| {
            let mut now = self.connectors.iter();
            now.any(|connector| wanted.is_of(&connector.email_domain))
        };
        let wanted = self.snapshot.connectors.iter();
        wanted.filter(|wanted| self.needs_rename() || !exists(wanted)).count()
    }

    pub fn is_sso_off(&self) -> bool {
        self.off_since.is_some()
    }

    /// Domains that enforced SSO before, and do not since an earlier run.
    pub(super) fn off_domains(&self) -> impl Iterator<Item = &str> {
        let is_enabled = |wanted: &ConnectorSnapshot| {
            let mut now = self.connectors.iter();
            now.any(|it| it.is_enabled() && wanted.is_of(&it.email_domain))
        };
        let wanted = self.snapshot.connectors.iter().filter(|wanted| wanted.enabled);
        let off = wanted.filter(move |wanted| self.is_sso_off() && !is_enabled(wanted));
        off.map(|wanted| wanted.domain.as_str())
    }

    /// The word that confirms it: the new name of the team.
    pub fn word(&self) -> String {
        word(&self.goal)
    }

    pub fn resume_command(&self, options: &Options) -> String {
        let (name, how) = self.snapshot.resume_title(self.is_back);
        resume_command(&word(name), how, options)
    }

    pub fn rollback_command(&self) -> String {
        format!("cfsso team rename {} --rollback", word(&self.snapshot.to))
    }

    /// The rename undoes its rollback.
    pub fn undo_command(&self) -> String {
        if self.is_back {
            format!("cfsso team rename {} --resume", word(&self.snapshot.to))
        } else {
            self.rollback_command()
        }
    }

    /// `None` if the organization keeps its name.
    fn new_name(&self) -> Option<String> {
        if !self.snapshot.also_name {
            return None;
        }
        if self.is_back {
            return self.snapshot.name.clone();
        }
        // If its name is the whole team domain, so is the new one.
        let is_whole = self.snapshot.name.is_some() && self.snapshot.name == self.snapshot.from;
        Some(if is_whole { self.goal.clone() } else { word(&self.goal) })
    }

    pub(super) fn edit(&self, organization: Document) -> Result<Update, FlowError> {
        Update::of(Target::Organization, organization, |wanted| {
            wanted
                .set(&["auth_domain"], &self.goal)
                .map_err(|error| errors::unexpected_response(&error))?;
            if let Some(name) = self.new_name() {
                wanted
                    .set(&["name"], &name)
                    .map_err(|error| errors::unexpected_response(&error))?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::JournalNote;
    use super::super::snapshot::tests::{ACCOUNT, disabling, noted, snapshot};
    use super::*;
    use crate::flow::FlowErrorKind;
    use crate::flow::journal::Outcome;
    use crate::flow::rename::TeamName;

    fn open(from: Option<&str>) -> Option<OpenRename> {
        let from = from.map(|name| name.parse::<TeamName>().unwrap().domain());
        let to = "bees".parse::<TeamName>().unwrap().domain();
        let begun = JournalNote::Snapshot(Snapshot { from, ..snapshot(&to) });
        let entries = [noted("r1", 1, &begun), disabling("r1", 2, Outcome::Done)];
        history(&entries, &ACCOUNT.parse().unwrap()).0
    }

    #[test]
    fn the_goal_is_what_is_asked_for_unless_something_is_in_between() {
        let name = |text: &str| text.parse::<TeamName>().unwrap();
        let some = |text: &str| Some(name(text));
        let begun = || open(Some("ants"));
        for (ask, open, names_domains, goal) in [
            (Mode::Rename(name("bees")), None, false, Ok("bees")),
            (Mode::Rename(name("ants")), None, false, Ok("ants")),
            (Mode::Rename(name("ants")), None, true, Err(FlowErrorKind::NotFound)),
            (Mode::Rename(name("bees")), begun(), false, Ok("bees")),
            (Mode::Rename(name("cows")), begun(), false, Err(FlowErrorKind::Conflict)),
            (Mode::Resume(None), begun(), false, Ok("bees")),
            (Mode::Resume(some("cows")), begun(), false, Ok("cows")),
            (Mode::Resume(None), None, false, Err(FlowErrorKind::NotFound)),
            (Mode::Resume(some("cows")), None, false, Err(FlowErrorKind::NotFound)),
            (Mode::Resume(some("cows")), None, true, Ok("cows")),
            (Mode::Rollback(None), begun(), false, Ok("ants")),
            (Mode::Rollback(some("bees")), begun(), false, Ok("ants")),
            (Mode::Rollback(some("cows")), begun(), false, Err(FlowErrorKind::Usage)),
            (Mode::Rollback(None), open(None), false, Err(FlowErrorKind::Usage)),
            (Mode::Rollback(None), None, false, Err(FlowErrorKind::NotFound)),
            (Mode::Rollback(None), None, true, Ok("ants")),
            (Mode::Rollback(some("ants")), None, true, Err(FlowErrorKind::Usage)),
        ] {
            let now = name("ants").domain();
            let found = super::goal(&ask, open.as_ref(), &now, names_domains);
            let found = found.as_ref().map(|domain| word(domain)).map_err(|error| error.kind);
            let goal = goal.map(str::to_owned);
            assert_eq!(found, goal, "{ask:?}, begun: {}, {names_domains}", open.is_some());
        }
    }

    #[test]
    fn without_the_old_name_no_old_value_is_made_up() {
        let idp: Idp =
            serde_json::from_str(r#"{"id":"p1","name":"SSO","type":"saml","config":{}}"#).unwrap();
        for before in [Some("a.cloudflareaccess.com"), None] {
            let change = idp_change(&idp, before, "b.cloudflareaccess.com").change;
            assert_eq!(change.fields.len(), 3);
            assert!(change.fields.iter().all(|field| field.before.is_some() == before.is_some()));
        }
    }
}
