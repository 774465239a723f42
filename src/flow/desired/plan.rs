//! What has to change for an account to be as desired. Pure: the state in, the
//! changes out, in the order in which they are safe.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::facts::Facts;
use super::{Allowed, Desired, DesiredApp, DesiredConnector, DesiredIdp, DesiredShare};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::idp::{Idp, IdpFields, IdpType};
use crate::api::ids::{AccountId, ConnectorId, IdpId, IdpReference};
use crate::domain::EmailDomain;
use crate::flow::federation::decision::{self, ShareAction};
use crate::flow::federation::eligibility;
use crate::flow::federation::recipients::{Audience, RecipientArgs, resolve_recipients};
use crate::flow::federation::state::FederationState;
use crate::flow::plan::Difference;
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, FlowErrorKind, app, connector, diff};
use crate::idp::config::{self, Purpose};
use crate::idp::{discovery, kind};
use crate::input::nearest::nearest;

/// The groups of changes, in the order in which they are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Group {
    IdentityProviders,
    Federation,
    SsoApp,
    Connectors,
    Verification,
    Enforcement,
    /// Deletions, with `--prune` only.
    Removal,
}

impl Group {
    /// Every group, in order.
    pub const ALL: [Self; 7] = [
        Self::IdentityProviders,
        Self::Federation,
        Self::SsoApp,
        Self::Connectors,
        Self::Verification,
        Self::Enforcement,
        Self::Removal,
    ];

    /// Its heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::IdentityProviders => "Identity providers",
            Self::Federation => "Federation",
            Self::SsoApp => "SSO App",
            Self::Connectors => "Connectors",
            Self::Verification => "Verification",
            Self::Enforcement => "Enforcement",
            Self::Removal => "Removal",
        }
    }
}

/// A kind of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verb {
    Create,
    Update,
    Share,
    Verify,
    Enable,
    Disable,
    Delete,
}

/// A change to make.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct PlannedChange {
    /// Its group.
    pub group: Group,
    /// What it does.
    pub action: Verb,
    /// To what: a domain or a name.
    pub subject: String,
    /// The same in words.
    pub title: String,
    /// The fields that change.
    pub diff: Vec<Difference>,
    #[serde(skip)]
    pub task: Task,
}

/// What carries a change out; numbers are places in the sections of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Task {
    CreateIdp(usize),
    UpdateIdp(usize, IdpId),
    ShareIdp(usize),
    UpdateApp,
    CreateConnector(usize),
    SetFedramp(usize),
    Verify(usize),
    Enable(usize),
    Disable(usize),
    DeleteConnector(ConnectorId),
    DeleteIdp(IdpId),
}

/// All that changes, and what is worth a warning.
#[derive(Debug, Default)]
pub struct Changes {
    pub changes: Vec<PlannedChange>,
    pub warnings: Vec<String>,
}

/// The changes that make `facts` as `desired`. `prune` deletes what a section does
/// not name, but never an enabled connector.
///
/// # Errors
/// If the file does not fit the account: a name that selects nothing, a type that
/// cannot change, a field that the type does not have.
pub fn plan(
    facts: &Facts,
    desired: &Desired,
    own: &AccountId,
    prune: bool,
) -> Result<Changes, FlowError> {
    let mut planner = Planner { facts, desired, own, found: Changes::default() };
    planner.idps()?;
    planner.federation()?;
    if let Some(app) = &desired.sso_app {
        planner.app(app)?;
    }
    planner.connectors()?;
    if prune {
        planner.prune()?;
    }
    let mut found = planner.found;
    found.changes.sort_by_key(|change| change.group);
    Ok(found)
}

/// The identity provider that an entry of the file is about; none means that it is
/// to be created.
pub fn existing_idp<'a>(
    facts: &'a Facts,
    entry: &DesiredIdp,
) -> Result<Option<&'a Idp>, FlowError> {
    let usage = |message: String| FlowError::new(FlowErrorKind::Usage, message);
    if let Some(id) = &entry.id {
        let found = facts.idps.iter().find(|idp| idp.id.as_str() == id.as_str());
        return found.map(Some).ok_or_else(|| {
            FlowError::new(
                FlowErrorKind::NotFound,
                format!("no identity provider `{id}` in this account"),
            )
            .hint("without `id`, it is found by its name and type, or created")
        });
    }
    let kind = IdpType::named(&entry.kind);
    let named: Vec<_> = facts.idps.iter().filter(|idp| idp.name == entry.name).collect();
    let mut fitting = named.iter().filter(|idp| idp.kind == kind);
    if let Some(first) = fitting.next() {
        return match fitting.next() {
            None => Ok(Some(first)),
            Some(second) => Err(usage(format!("`{}` names two identity providers", entry.name))
                .cause(format!("IDs: {}, {}", first.id, second.id))
                .hint(format!("add `id: {}`", first.id))),
        };
    }
    if let Some(other) = named.first() {
        return Err(usage(format!(
            "`{}` has the type {}, not {}; a type cannot be changed",
            entry.name,
            other.kind.as_str(),
            kind.as_str()
        ))
        .hint("use another name"));
    }
    // An account has at most one.
    Ok(facts.idps.iter().find(|idp| kind == IdpType::OneTimePin && idp.kind == kind))
}

/// The edit that gives an identity provider what its entry names.
pub fn edit_idp(document: &mut Document, entry: &DesiredIdp) -> Result<(), FlowError> {
    if document.parse_at::<String>(&["name"]).as_ref() != Some(&entry.name) {
        document.set(&["name"], &entry.name)?;
    }
    for (name, value) in &entry.config {
        let now = document.parse_at::<Value>(&["config", name]);
        if now.unwrap_or_default() != *value {
            document.set(&["config", name], value)?;
        }
    }
    Ok(())
}

/// The body that creates an identity provider, its secrets included.
pub fn idp_body(entry: &DesiredIdp, secrets: &Map<String, Value>) -> Result<Document, FlowError> {
    let kind = kind::find(&entry.kind);
    let kind_name = kind.map_or(entry.kind.as_str(), |kind| kind.name);
    let mut config = entry.config.clone();
    config.extend(secrets.clone());
    // Without scopes, the API would choose: an email address is always needed.
    if kind_name == "oidc" && !config.contains_key("scopes") {
        config.insert("scopes".to_owned(), json!(discovery::SCOPES));
    }
    if let Some(kind) = kind {
        let problems = config::problems(kind, &config, Purpose::Create);
        ensure_no_problems(&entry.name, &problems)?;
    }
    let mut body: Document = "{}".parse().expect("an object is a document");
    body.set(&["name"], &entry.name)?;
    body.set(&["type"], &kind_name)?;
    body.set(&["config"], &config)?;
    Ok(body)
}

fn ensure_no_problems(name: &str, problems: &[config::FieldError]) -> Result<(), FlowError> {
    if problems.is_empty() {
        return Ok(());
    }
    let message = format!("`{name}`: invalid configuration of an identity provider");
    Err(FlowError::new(FlowErrorKind::Usage, message)
        .causes(problems.iter().map(ToString::to_string))
        .hint("`cfsso idp types` lists the fields of each type"))
}

/// The list that `allowed` means; empty allows all.
pub(super) fn resolve_allowed(
    allowed: &Allowed,
    now: &[IdpReference],
    facts: &Facts,
    created: &[&str],
) -> Result<Vec<IdpReference>, FlowError> {
    let Allowed::Only(names) = allowed else { return Ok(Vec::new()) };
    let resolve = |name: &String| match facts.find(name) {
        Some(idp) => Ok(idp.id.clone().into()),
        // A deleted one that is listed already.
        None => match now.iter().find(|listed| listed.to_string() == *name) {
            Some(listed) => Ok(listed.clone()),
            None => Err(unknown_idp("sso_app.allowed_idps", name, created, facts)),
        },
    };
    names.iter().map(resolve).collect()
}

pub(super) fn is_same(a: &[IdpReference], b: &[IdpReference]) -> bool {
    let sorted =
        |list: &[IdpReference]| list.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    sorted(a) == sorted(b)
}

fn unknown_idp(place: &str, name: &str, created: &[&str], facts: &Facts) -> FlowError {
    let twice = facts.idps.iter().filter(|idp| idp.name == name).count() > 1;
    let message = if twice {
        format!("`{place}`: `{name}` names several identity providers; use an ID")
    } else {
        format!("`{place}`: no identity provider `{name}` in the file or the account")
    };
    let stop = FlowError::new(FlowErrorKind::Usage, message);
    let names = facts.idps.iter().map(|idp| idp.name.as_str()).chain(created.iter().copied());
    match nearest(name, names, 0.8).filter(|_| !twice) {
        Some(meant) => stop.hint(format!("did you mean `{meant}`?")),
        None => stop.hint("`cfsso idp list`"),
    }
}

struct Planner<'a> {
    facts: &'a Facts,
    desired: &'a Desired,
    own: &'a AccountId,
    found: Changes,
}

impl<'a> Planner<'a> {
    fn push(
        &mut self,
        (group, action, task): (Group, Verb, Task),
        subject: &str,
        title: String,
        diff: Vec<Difference>,
    ) {
        let subject = subject.to_owned();
        self.found.changes.push(PlannedChange { group, action, subject, title, diff, task });
    }

    fn idps(&mut self) -> Result<(), FlowError> {
        let mut taken = BTreeSet::new();
        for (at, entry) in self.desired.idps().iter().enumerate() {
            let Some(idp) = existing_idp(self.facts, entry)? else {
                self.new_idp(at, entry)?;
                continue;
            };
            if !taken.insert(idp.id.to_string()) {
                let message = format!("`{}` is listed twice in `identity_providers`", entry.name);
                return Err(FlowError::new(FlowErrorKind::Usage, message));
            }
            let before = document(idp)?;
            let edit = Update::of(Target::Idp(idp.id.clone()), before, |document| {
                if IdpType::named(&entry.kind) != idp.kind {
                    document.set(&["type"], &entry.kind)?;
                }
                edit_idp(document, entry)
            })?;
            if edit.is_empty() {
                continue;
            }
            if let Some(kind) = kind::find(idp.kind.as_str()) {
                let changed = entry
                    .config
                    .iter()
                    .filter(|(name, value)| idp.config[name.as_str()] != **value);
                let wrong = changed
                    .filter_map(|(name, value)| config::check_field(kind, name, value).err());
                ensure_no_problems(&entry.name, &wrong.collect::<Vec<_>>())?;
                let config = edit.desired.parse_at(&["config"]).unwrap_or_default();
                let wrong = config::lacks_email(idp.kind.as_str(), &config).filter(|_| {
                    edit.requested.iter().any(|asked| asked.field.starts_with("config."))
                });
                ensure_no_problems(&entry.name, wrong.as_slice())?;
            }
            let title = format!("change the identity provider {}", idp.name);
            let task =
                (Group::IdentityProviders, Verb::Update, Task::UpdateIdp(at, idp.id.clone()));
            self.push(task, &entry.name, title, edit.requested);
        }
        Ok(())
    }

    fn new_idp(&mut self, at: usize, entry: &DesiredIdp) -> Result<(), FlowError> {
        // The secrets themselves are read when they are sent.
        let placeholder = |(field, _): (&'static str, _)| (field.to_owned(), Value::from("secret"));
        let secrets = entry.secrets().into_iter().map(placeholder).collect();
        let body = idp_body(entry, &secrets)?;
        let nothing = "{}".parse().expect("an object is a document");
        let mut diff = diff::diff(&nothing, &body);
        diff.retain(|it| it.after != json!({}));
        let title = format!("create the identity provider {}", entry.name);
        let task = (Group::IdentityProviders, Verb::Create, Task::CreateIdp(at));
        self.push(task, &entry.name, title, diff);
        Ok(())
    }

    /// The names of identity providers that are to be created.
    fn created(&self) -> Vec<&'a str> {
        let idps = self.desired.idps();
        let new = self.found.changes.iter().filter_map(|change| match change.task {
            Task::CreateIdp(at) => Some(idps[at].name.as_str()),
            _ => None,
        });
        new.collect()
    }

    fn federation(&mut self) -> Result<(), FlowError> {
        let created = self.created();
        for (at, share) in self.desired.shares().iter().enumerate() {
            let nothing = FederationState::default();
            let state = match self.facts.find(&share.idp) {
                Some(idp) => {
                    let states = &self.facts.federation;
                    let state = states.iter().find(|(id, _)| *id == idp.id).map(|(_, state)| state);
                    if state.is_none() {
                        eligibility::ensure_shareable(idp)?;
                    }
                    state.unwrap_or(&nothing)
                }
                None if created.contains(&share.idp.as_str()) => {
                    let mut new = self.desired.idps().iter().filter(|idp| idp.name == share.idp);
                    new.try_for_each(|idp| eligibility::ensure_shareable(&fields(idp)))?;
                    &nothing
                }
                None => {
                    let place = format!("federation[{at}].idp");
                    return Err(unknown_idp(&place, &share.idp, &created, self.facts));
                }
            };
            let missing = missing_accounts(share, state)?;
            if missing.is_empty() {
                continue;
            }
            let recipients =
                RecipientArgs::Accounts(missing.iter().map(ToString::to_string).collect());
            let directory = &self.facts.directory;
            let (_, warnings) = resolve_recipients(recipients, self.own, directory, true)?;
            self.found.warnings.extend(warnings);
            let names: Vec<_> = missing.iter().map(|id| directory.display_name(id)).collect();
            let title = format!("share {} with {}", share.idp, names.join(", "));
            let diff = names.iter().map(|name| Difference::new("account", (), name.as_str()));
            let diff = diff.collect();
            self.push(
                (Group::Federation, Verb::Share, Task::ShareIdp(at)),
                &share.idp,
                title,
                diff,
            );
        }
        Ok(())
    }

    fn app(&mut self, wanted: &DesiredApp) -> Result<(), FlowError> {
        let created = self.created();
        let (now, is_instant) = match &self.facts.app {
            Some(app) => (app.listed_idps(), app.is_instant()),
            None => (&[][..], false),
        };
        let mut diff = Vec::new();
        let mut count = now.len();
        if let Some(allowed) = &wanted.allowed_idps {
            let is_new =
                |name: &String| created.contains(&name.as_str()) && self.facts.find(name).is_none();
            let (new, known): (Vec<_>, Vec<_>) = match allowed {
                Allowed::All(_) => (Vec::new(), Vec::new()),
                Allowed::Only(names) => names.iter().cloned().partition(is_new),
            };
            let known = resolve_allowed(&Allowed::Only(known), now, self.facts, &created)?;
            count = new.len() + known.len();
            if !new.is_empty() || !is_same(&known, now) {
                if new.is_empty() {
                    app::ensure_sign_in_possible(&known, &self.facts.idps)?;
                }
                let after = known.iter().map(|id| self.facts.reference(id)).chain(new);
                diff.push(Difference::new("allowed_idps", self.names(now), list(after.collect())));
            }
        }
        let stays = is_instant && (count == 1 || diff.is_empty());
        match wanted.auto_redirect {
            Some(true) if count != 1 && !is_instant => {
                let message =
                    "`sso_app.auto_redirect` requires exactly one allowed identity provider";
                return Err(FlowError::new(FlowErrorKind::Usage, message)
                    .hint("name it in `sso_app.allowed_idps`"));
            }
            Some(true) if !stays => diff.push(Difference::new("auto_redirect", is_instant, true)),
            Some(false) if is_instant => diff.push(Difference::new("auto_redirect", true, false)),
            None if is_instant && !stays => {
                diff.push(Difference::new("auto_redirect", true, false));
            }
            _ => {}
        }
        if diff.is_empty() {
            return Ok(());
        }
        if self.facts.app.is_none()
            && self.facts.connectors.is_empty()
            && self.desired.connectors().is_empty()
        {
            let message = "this account has no SSO App (type `dash_sso`)";
            return Err(FlowError::new(FlowErrorKind::NotFound, message)
                .cause("Cloudflare creates it with the first connector")
                .hint("name a domain in `connectors`"));
        }
        let task = (Group::SsoApp, Verb::Update, Task::UpdateApp);
        self.push(task, "SSO App", "change the SSO App".to_owned(), diff);
        Ok(())
    }

    fn names(&self, listed: &[IdpReference]) -> Value {
        list(listed.iter().map(|id| self.facts.reference(id)).collect())
    }

    fn connectors(&mut self) -> Result<(), FlowError> {
        for (at, wanted) in self.desired.connectors().iter().enumerate() {
            let domain: EmailDomain = wanted.domain.parse()?;
            let existing = connector::select_by_domain(&self.facts.connectors, &domain)?;
            if existing.is_none() {
                connector::ensure_eligible(&domain)
                    .map_err(|stop| stop.hint("leave it out of `connectors`"))?;
                let diff = wanted.fedramp.map(|it| Difference::new("use_fedramp_language", (), it));
                let task = (Group::Connectors, Verb::Create, Task::CreateConnector(at));
                let title = format!("create the connector of {domain}");
                self.push(task, domain.as_str(), title, diff.into_iter().collect());
            }
            self.connector(at, wanted, &domain, existing);
        }
        Ok(())
    }

    fn connector(
        &mut self,
        at: usize,
        wanted: &DesiredConnector,
        domain: &EmailDomain,
        existing: Option<&Connector>,
    ) {
        let subject = domain.as_str();
        if let (Some(fedramp), Some(connector)) = (wanted.fedramp, existing)
            && connector.use_fedramp_language.unwrap_or(false) != fedramp
        {
            let before = connector.use_fedramp_language;
            let diff = vec![Difference::new("use_fedramp_language", before, fedramp)];
            let task = (Group::Connectors, Verb::Update, Task::SetFedramp(at));
            self.push(task, subject, format!("change the FedRAMP language of {domain}"), diff);
        }
        let is_enabled = existing.is_some_and(|connector| connector.is_enabled());
        let is_verified = existing.is_some_and(|connector| connector.is_verified());
        if wanted.wants_verification() && !is_verified && !is_enabled {
            let status = existing.and_then(|connector| connector.status());
            let status = status.map(|status| status.as_str().to_owned());
            let diff = vec![Difference::new("verification.status", status, "verified")];
            let task = (Group::Verification, Verb::Verify, Task::Verify(at));
            self.push(task, subject, format!("verify {domain}"), diff);
        }
        match wanted.enabled {
            Some(true) if !is_enabled => {
                let task = (Group::Enforcement, Verb::Enable, Task::Enable(at));
                let diff = vec![Difference::new("enabled", false, true)];
                self.push(task, subject, format!("enable SSO for {domain}"), diff);
            }
            Some(false) if is_enabled => {
                let task = (Group::Enforcement, Verb::Disable, Task::Disable(at));
                let diff = vec![Difference::new("enabled", true, false)];
                self.push(task, subject, format!("disable SSO for {domain}"), diff);
            }
            _ => {}
        }
    }

    /// Deletions of what a section does not name.
    fn prune(&mut self) -> Result<(), FlowError> {
        if let Some(named) = &self.desired.connectors {
            let named: BTreeSet<EmailDomain> =
                named.iter().filter_map(|it| it.domain.parse().ok()).collect();
            for connector in &self.facts.connectors {
                let Ok(domain) = connector.email_domain.parse::<EmailDomain>() else { continue };
                if named.contains(&domain) {
                    continue;
                }
                if connector.enabled != Some(false) {
                    self.found
                        .warnings
                        .push(format!("{domain} is not in the file, but enabled: kept"));
                    continue;
                }
                let task =
                    (Group::Removal, Verb::Delete, Task::DeleteConnector(connector.id.clone()));
                let title = format!("delete the connector of {domain}");
                self.push(task, domain.as_str(), title, Vec::new());
            }
        }
        let Some(named) = &self.desired.identity_providers else { return Ok(()) };
        let mut kept = BTreeSet::new();
        for entry in named {
            kept.extend(existing_idp(self.facts, entry)?.map(|idp| idp.id.to_string()));
        }
        for idp in self.facts.idps.iter().filter(|idp| !kept.contains(idp.id.as_str())) {
            if let Some(reason) = self.reason_to_keep(idp) {
                let text = format!("{} is not in the file, but {reason}: kept", idp.name);
                self.found.warnings.push(text);
                continue;
            }
            let task = (Group::Removal, Verb::Delete, Task::DeleteIdp(idp.id.clone()));
            let title = format!("delete the identity provider {}", idp.name);
            self.push(task, &idp.name, title, Vec::new());
        }
        Ok(())
    }

    fn reason_to_keep(&self, idp: &Idp) -> Option<&'static str> {
        if idp.is_read_only() {
            return Some("shared by another account");
        }
        let wanted = self.desired.sso_app.as_ref().and_then(|app| app.allowed_idps.as_ref());
        let is_listed = match wanted {
            Some(Allowed::Only(names)) => names
                .iter()
                .any(|name| self.facts.find(name).is_some_and(|found| found.id == idp.id)),
            Some(Allowed::All(_)) => false,
            None => {
                let is_it = |app: &App| app.listed_idps().iter().any(|listed| *listed == idp.id);
                self.facts.app.as_ref().is_some_and(is_it)
            }
        };
        if is_listed {
            return Some("allowed by the SSO App");
        }
        let is_granted = self.facts.federation.iter().any(|(id, _)| *id == idp.id);
        is_granted.then_some("shared with other accounts")
    }
}

/// The accounts of a share that do not receive the identity provider yet.
pub fn missing_accounts(
    share: &DesiredShare,
    state: &FederationState,
) -> Result<Vec<AccountId>, FlowError> {
    let parse = |text: &String| {
        let id = text.to_ascii_lowercase().parse::<AccountId>();
        id.map_err(|error| FlowError::new(FlowErrorKind::Usage, error.to_string()))
    };
    let accounts: Vec<_> = share.accounts.iter().map(parse).collect::<Result<_, _>>()?;
    let has_grant = !state.grants.is_empty();
    let decided = decision::decide(state, &Audience::Accounts(accounts.clone()));
    if has_grant && decided.sharing == ShareAction::Keep {
        return Ok(Vec::new());
    }
    let has = |id: &AccountId| state.shares.iter().any(|held| decision::has_recipient(held, id));
    Ok(accounts.into_iter().filter(|id| !has(id)).collect())
}

fn document(idp: &Idp) -> Result<Document, FlowError> {
    idp.text().parse().map_err(|error: serde_json::Error| {
        let message = format!("the record of `{}` is invalid; nothing was sent", idp.name);
        FlowError::new(FlowErrorKind::Conflict, message).cause(error.to_string())
    })
}

/// What an entry says of an identity provider that does not exist yet.
fn fields(entry: &DesiredIdp) -> IdpFields {
    IdpFields {
        id: "new".parse().expect("letters make an ID"),
        name: entry.name.clone(),
        kind: IdpType::named(&entry.kind),
        config: Value::Null,
        scim_config: None,
        read_only: None,
    }
}

fn list(names: Vec<String>) -> Value {
    if names.is_empty() { Value::from("all") } else { names.into() }
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    const OWN: &str = "0123456789abcdef0123456789abcdef";
    const OTHER: &str = "1123456789abcdef0123456789abcdef";

    fn facts(value: &Value) -> Facts {
        let read = |name: &str| value[name].as_array().cloned().unwrap_or_default();
        let object = |value: Value| value.to_string();
        Facts {
            connectors: read("connectors")
                .into_iter()
                .map(object)
                .map(|it| serde_json::from_str(&it).unwrap())
                .collect(),
            idps: read("idps")
                .into_iter()
                .map(object)
                .map(|it| serde_json::from_str(&it).unwrap())
                .collect(),
            app: value.get("app").map(|app| serde_json::from_str(&app.to_string()).unwrap()),
            ..Facts::default()
        }
    }

    fn planned(state: &Value, wanted: &Value, prune: bool) -> Result<Vec<String>, FlowError> {
        let mut file = wanted.as_object().unwrap().clone();
        file.insert("version".to_owned(), 1.into());
        let desired = parse::parse(&file).unwrap();
        let changes = plan(&facts(state), &desired, &OWN.parse().unwrap(), prune)?;
        let told = changes.changes.iter().map(|change| {
            let diff: Vec<_> = change.diff.iter().map(ToString::to_string).collect();
            if diff.is_empty() {
                change.title.clone()
            } else {
                format!("{}: {}", change.title, diff.join("; "))
            }
        });
        Ok(told
            .chain(changes.warnings.iter().map(|warning| format!("warning: {warning}")))
            .collect())
    }

    /// Okta (p1), PIN (p2), a shared one (p3), an SSO App, one enabled and one
    /// unverified connector.
    fn account() -> Value {
        json!({
            "idps": [
                { "id": "p1", "name": "Okta", "type": "okta", "config": { "client_id": "a", "okta_account": "https://a.okta.com" } },
                { "id": "p2", "name": "PIN", "type": "onetimepin", "config": {} },
                { "id": "p3", "name": "Theirs", "type": "oidc", "config": {}, "read_only": true },
            ],
            "app": { "id": "a1", "name": "SSO App", "type": "dash_sso", "allowed_idps": ["p1"], "auto_redirect_to_identity": true },
            "connectors": [
                { "id": "c1", "email_domain": "on.test", "enabled": true, "verification": { "status": "verified" } },
                { "id": "c2", "email_domain": "off.test", "enabled": false, "verification": { "status": "awaiting" } },
            ],
        })
    }

    #[test]
    fn what_differs_is_planned_and_what_is_not_named_is_not_touched() {
        for (wanted, expected) in [
            (json!({}), vec![]),
            (json!({ "identity_providers": [], "connectors": [] }), vec![]),
            (
                json!({ "identity_providers": [{ "name": "Okta", "type": "okta", "config": { "client_id": "a" } }] }),
                vec![],
            ),
            (
                json!({ "identity_providers": [{ "name": "Okta", "type": "Okta", "config": { "client_id": "b" } }] }),
                vec!["change the identity provider Okta: `config.client_id`: a -> b"],
            ),
            (
                json!({ "identity_providers": [{ "id": "p1", "name": "Staff", "type": "okta" }] }),
                vec!["change the identity provider Okta: `name`: Okta -> Staff"],
            ),
            // An account has one PIN, whatever it is called.
            (
                json!({ "identity_providers": [{ "name": "Code", "type": "onetimepin" }] }),
                vec!["change the identity provider PIN: `name`: PIN -> Code"],
            ),
            (json!({ "sso_app": { "allowed_idps": ["Okta"], "auto_redirect": true } }), vec![]),
            (json!({ "sso_app": { "allowed_idps": ["p1"] } }), vec![]),
            (
                json!({ "sso_app": { "allowed_idps": ["PIN", "Okta"] } }),
                vec![
                    r#"change the SSO App: `allowed_idps`: ["Okta"] -> ["PIN","Okta"]; `auto_redirect`: true -> false"#,
                ],
            ),
            (
                json!({ "sso_app": { "allowed_idps": "all" } }),
                vec![
                    r#"change the SSO App: `allowed_idps`: ["Okta"] -> all; `auto_redirect`: true -> false"#,
                ],
            ),
            (
                json!({ "sso_app": { "auto_redirect": false } }),
                vec!["change the SSO App: `auto_redirect`: true -> false"],
            ),
            (
                json!({ "connectors": [{ "domain": "ON.test." }, { "domain": "off.test", "enabled": false }] }),
                vec![],
            ),
            (
                json!({ "connectors": [{ "domain": "off.test", "verified": true }] }),
                vec!["verify off.test: `verification.status`: awaiting -> verified"],
            ),
            (
                json!({ "connectors": [{ "domain": "on.test", "enabled": false, "fedramp": true }, { "domain": "off.test", "enabled": true }] }),
                vec![
                    "change the FedRAMP language of on.test: `use_fedramp_language`: none -> true",
                    "verify off.test: `verification.status`: awaiting -> verified",
                    "disable SSO for on.test: `enabled`: true -> false",
                    "enable SSO for off.test: `enabled`: false -> true",
                ],
            ),
            (
                json!({ "connectors": [{ "domain": "new.test" }] }),
                vec!["create the connector of new.test"],
            ),
            (
                json!({ "federation": [{ "idp": "Okta", "accounts": [OTHER] }] }),
                vec![
                    "share Okta with 1123456789abcdef0123456789abcdef: `account`: none -> 1123456789abcdef0123456789abcdef",
                    "warning: not checked whether 1123456789abcdef0123456789abcdef is in the organization of this account",
                ],
            ),
        ] {
            assert_eq!(planned(&account(), &wanted, false).unwrap(), expected, "{wanted}");
        }
    }

    #[test]
    fn pruning_spares_what_is_in_use() {
        for (wanted, expected) in [
            (json!({}), vec![]),
            (
                json!({ "connectors": [] }),
                vec![
                    "delete the connector of off.test",
                    "warning: on.test is not in the file, but enabled: kept",
                ],
            ),
            (
                json!({ "identity_providers": [] }),
                vec![
                    "delete the identity provider PIN",
                    "warning: Okta is not in the file, but allowed by the SSO App: kept",
                    "warning: Theirs is not in the file, but shared by another account: kept",
                ],
            ),
        ] {
            assert_eq!(planned(&account(), &wanted, true).unwrap(), expected, "{wanted}");
        }
    }

    #[test]
    fn what_does_not_fit_the_account_is_refused() {
        for (wanted, message) in [
            (
                json!({ "identity_providers": [{ "id": "p9", "name": "Okta", "type": "okta" }] }),
                "no identity provider `p9` in this account",
            ),
            (
                json!({ "identity_providers": [{ "name": "Theirs", "type": "oidc", "config": { "client_id": "x" } }] }),
                "this identity provider is read-only and cannot be changed here",
            ),
            (
                json!({ "identity_providers": [{ "id": "p1", "name": "Okta", "type": "saml" }] }),
                "`type` of this identity provider cannot be changed",
            ),
            (
                json!({ "identity_providers": [{ "name": "Okta", "type": "okta", "config": { "okta_acount": "x" } }] }),
                "`Okta`: invalid configuration of an identity provider",
            ),
            (
                json!({ "sso_app": { "allowed_idps": ["Theirs", "gone"] } }),
                "`sso_app.allowed_idps`: no identity provider `gone` in the file or the account",
            ),
            (
                json!({ "federation": [{ "idp": "PIN", "accounts": [OTHER] }] }),
                "`PIN` cannot be shared with other accounts",
            ),
        ] {
            let stop = planned(&account(), &wanted, false).unwrap_err();
            assert_eq!(stop.message, message, "{wanted}");
        }
    }
}
