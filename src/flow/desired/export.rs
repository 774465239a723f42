//! An account's state as a desired state: planning it changes nothing. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::facts::Facts;
use super::{
    All, Desired, DesiredApp, DesiredConnector, DesiredIdp, DesiredShare, Selection, VERSION,
};
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::domain::EmailDomain;
use crate::idp::kind::{self, Requirement};
use crate::input::secret_name::is_secret_name;

/// Also returns what cannot be expressed. `has_access`: identity providers were read.
pub fn export(facts: &Facts, has_access: bool) -> (Desired, Vec<String>) {
    let mut left_out = Vec::new();
    let own = facts.idps.iter().filter(|idp| !idp.is_read_only());
    let provisioned = own.clone().filter(|idp| has_scim(idp));
    left_out.extend(
        provisioned.map(|idp| format!("the SCIM settings of {}: a file has none", idp.name)),
    );
    let identity_providers = own.map(|idp| exported_idp(idp, facts)).collect();
    let sso_app = facts.app.as_ref().map(|app| DesiredApp {
        allowed_idps: Some(match app.listed_idps() {
            [] => Selection::All(All::All),
            listed => {
                let mut names: Vec<_> = listed.iter().map(|id| facts.reference(id)).collect();
                names.sort();
                names.dedup();
                Selection::Only(names)
            }
        }),
        auto_redirect: Some(app.is_instant())
            .filter(|is_instant| !is_instant || app.listed_idps().len() == 1),
    });
    let mut connectors: Vec<DesiredConnector> = Vec::new();
    for connector in &facts.connectors {
        let Ok(domain) = connector.email_domain.parse::<EmailDomain>() else {
            left_out.push(format!("the connector {}: its domain is invalid", connector.id));
            continue;
        };
        if connectors.iter().any(|known| known.domain == domain.as_str()) {
            left_out.push(format!("the connector {}: {domain} has several", connector.id));
            continue;
        }
        connectors.push(exported_connector(&domain, connector));
    }
    let federation = shares(facts);
    let desired = Desired {
        schema: None,
        version: VERSION,
        identity_providers: has_access.then_some(identity_providers),
        sso_app,
        connectors: Some(connectors),
        federation: (!federation.is_empty()).then_some(federation),
    };
    (desired, left_out)
}

fn exported_connector(domain: &EmailDomain, connector: &Connector) -> DesiredConnector {
    DesiredConnector {
        domain: domain.to_string(),
        enabled: connector.enabled,
        verified: (connector.is_verified() && !connector.is_enabled()).then_some(true),
        fedramp: connector.use_fedramp_language,
    }
}

/// Whether users are provisioned by SCIM, which a desired state does not manage.
fn has_scim(idp: &Idp) -> bool {
    let Ok(document) = idp.text().parse::<Document>() else { return false };
    document.parse_at(&["scim_config", "enabled"]) == Some(true)
}

fn exported_idp(idp: &Idp, facts: &Facts) -> DesiredIdp {
    let is_same = |other: &&Idp| other.name == idp.name;
    let is_unique = facts.idps.iter().filter(is_same).count() == 1 && !idp.name.trim().is_empty();
    let kind = kind::find(idp.kind.as_str());
    let has_secret = kind.is_some_and(|kind| kind.secrets().any(|field| field == "client_secret"));
    DesiredIdp {
        id: (!is_unique).then(|| idp.id.to_string()),
        name: idp.name.clone(),
        kind: idp.kind.as_str().to_owned(),
        config: exported_config(idp),
        client_secret_env: has_secret.then(|| variable(&idp.name)),
        ..DesiredIdp::default()
    }
}

/// Fields that a person sets: those of a known type, otherwise all but secrets. Numbers that
/// no file keeps exactly are left out.
pub(super) fn exported_config(idp: &Idp) -> Map<String, Value> {
    let kind = kind::find(idp.kind.as_str());
    let is_input = |name: &str| {
        kind.is_none_or(|kind| {
            kind.field(name)
                .is_some_and(|field| field.need != Requirement::Returned && !field.secret)
        })
    };
    let config = idp.config.as_object().into_iter().flatten();
    config
        .filter(|(name, value)| {
            is_input(name) && !value.is_null() && !is_secret_name(name) && is_plain(value)
        })
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::String(_) => true,
        Value::Number(number) => number.is_i64() || number.is_u64(),
        Value::Array(items) => items.iter().all(is_plain),
        Value::Object(members) => {
            members.iter().all(|(name, value)| !is_secret_name(name) && is_plain(value))
        }
    }
}

/// The variable for an identity provider's secret: `OKTA_CLIENT_SECRET`.
pub(super) fn variable(name: &str) -> String {
    let upper = identifier(name).to_ascii_uppercase();
    let start = if upper.starts_with(|c: char| c.is_ascii_alphabetic()) { "" } else { "IDP_" };
    let joined = format!("{start}{upper}_CLIENT_SECRET");
    joined.replace("__", "_")
}

/// Runs of ASCII letters and digits, joined by `_`.
pub(super) fn identifier(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

fn shares(facts: &Facts) -> Vec<DesiredShare> {
    let mut shares = Vec::new();
    for (idp, state) in &facts.federation {
        if !facts.idps.iter().any(|known| known.id == *idp) {
            continue;
        }
        let accounts: BTreeSet<_> = state.recipients().map(ToString::to_string).collect();
        let accounts = match (state.is_for_organization(), accounts.is_empty()) {
            (true, _) => Selection::All(All::All),
            (false, false) => Selection::Only(accounts.into_iter().collect()),
            (false, true) => continue,
        };
        shares.push(DesiredShare { idp: facts.reference(&idp.clone().into()), accounts });
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variable_of_a_secret_is_one_that_a_shell_takes() {
        for (name, expected) in [
            ("Okta", "OKTA_CLIENT_SECRET"),
            ("Company SSO", "COMPANY_SSO_CLIENT_SECRET"),
            ("2nd (é)", "IDP_2ND_CLIENT_SECRET"),
            ("猫", "IDP_CLIENT_SECRET"),
        ] {
            assert_eq!(variable(name), expected);
        }
    }
}
