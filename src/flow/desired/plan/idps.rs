use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::DesiredIdp;
use super::super::change::{Group, Task, Verb};
use super::super::facts::Facts;
use super::Planner;
use crate::api::document::Document;
use crate::api::idp::{Idp, IdpType};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, diff};
use crate::idp::config::{self, Purpose};
use crate::idp::{discovery, kind};

/// `None` means that it has to be created.
pub fn existing_idp<'a>(
    facts: &'a Facts,
    entry: &DesiredIdp,
) -> Result<Option<&'a Idp>, FlowError> {
    let usage = |message: String| FlowError::usage(message);
    if let Some(id) = &entry.id {
        let found = facts.idps.iter().find(|idp| idp.id.as_str() == id.as_str());
        return found.map(Some).ok_or_else(|| {
            FlowError::not_found(format!("no identity provider `{id}` in this account"))
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
    // An account has at most one PIN.
    Ok(facts.idps.iter().find(|idp| kind == IdpType::OneTimePin && idp.kind == kind))
}

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
    let mut body = Document::default();
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
    Err(FlowError::usage(message)
        .causes(problems.iter().map(ToString::to_string))
        .hint("`cfsso idp types` lists the fields of each type"))
}

impl Planner<'_> {
    pub(super) fn idps(&mut self) -> Result<(), FlowError> {
        let mut planned = BTreeSet::new();
        for (at, entry) in self.desired.idps().iter().enumerate() {
            let Some(idp) = existing_idp(self.facts, entry)? else {
                self.new_idp(at, entry)?;
                continue;
            };
            if !planned.insert(idp.id.to_string()) {
                let message = format!("`{}` is listed twice in `identity_providers`", entry.name);
                return Err(FlowError::usage(message));
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
        if kind::find(&entry.kind).is_none() {
            let text = format!("`{}`: unknown type `{}`", entry.name, entry.kind);
            if let Some(near) = kind::nearest(&entry.kind) {
                return Err(FlowError::usage(text)
                    .hint(format!("did you mean `{}`? `cfsso idp types`", near.name)));
            }
            self.found.warnings.push(format!("{text}: its fields are not checked"));
        }
        // The secrets themselves are read when they are sent.
        let placeholder = |(field, _): (&'static str, _)| (field.to_owned(), Value::from("secret"));
        let secrets = entry.secrets().into_iter().map(placeholder).collect();
        let body = idp_body(entry, &secrets)?;
        let mut diff = diff::diff(&Document::default(), &body);
        diff.retain(|it| it.after != json!({}));
        // A reader of the plan sees which secret the identity provider gets.
        for (field, place) in entry.secrets() {
            for config in diff.iter_mut().filter(|it| it.field == "config") {
                config.after[field] = place.to_string().into();
            }
        }
        let title = format!("create the identity provider {}", entry.name);
        let task = (Group::IdentityProviders, Verb::Create, Task::CreateIdp(at));
        self.push(task, &entry.name, title, diff);
        Ok(())
    }
}

fn document(idp: &Idp) -> Result<Document, FlowError> {
    idp.text().parse().map_err(|error: serde_json::Error| {
        let message = format!("the record of `{}` is invalid; nothing was sent", idp.name);
        FlowError::conflict(message).cause(error.to_string())
    })
}
