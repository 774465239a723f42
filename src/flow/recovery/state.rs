//! The state of an account that a recovery card describes.

use jiff::Timestamp;

use serde::Serialize;

use super::fingerprint::{Fingerprint, part};
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::hidden::hidden;
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::{AccountId, AppId, ConnectorId, IdpId, IdpReference};
use crate::api::member::Member;
use crate::api::odd::OddRecord;
use crate::domain::EmailDomain;
use crate::flow::doctor::RecoveryFacts;
use crate::flow::preflight::{Checked, NotChecked};

/// No fact is a secret.
#[derive(Clone, Debug)]
pub struct CardFacts {
    pub state: RecoveryState,
    pub token: TokenFacts,
    pub environment: Vec<(&'static str, String)>,
    pub made_at: Timestamp,
}

#[derive(Clone, Debug, Default)]
pub struct TokenFacts {
    /// Where it is kept, in the user's words.
    pub location: Option<String>,
    /// Absolute: the commands are used in another folder.
    pub file: Option<String>,
    pub id: Option<String>,
    /// RFC 3339; `None` if it does not expire.
    pub expires_on: Option<String>,
}

/// Lists are sorted: the same state has the same [`Fingerprint`].
#[derive(Clone, Debug)]
pub struct RecoveryState {
    pub account: AccountId,
    pub connectors: Checked<Vec<ConnectorState>>,
    /// `None` if the account has no SSO App.
    pub sso_app: Checked<Option<SsoAppState>>,
    pub idps: Checked<Vec<IdpState>>,
    pub super_admins: Checked<Vec<SuperAdmin>>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ConnectorState {
    pub domain: String,
    pub id: ConnectorId,
    pub enabled: Option<bool>,
}

#[derive(Clone, Debug, Serialize)]
pub struct SsoAppState {
    pub id: AppId,
    pub name: String,
    /// An empty list allows all.
    pub allowed_idps: Vec<IdpReference>,
    pub is_instant: bool,
    /// The fields that a PUT must leave out because the API hides their value.
    pub hidden_fields: Vec<String>,
}

#[derive(Clone, Debug, Serialize)]
pub struct IdpState {
    pub id: IdpId,
    pub name: String,
    #[serde(rename = "type")]
    pub kind: IdpType,
}

#[derive(Clone, Debug, Serialize)]
pub struct SuperAdmin {
    pub email: String,
    /// Whether SSO is enabled for the domain of the address.
    pub uses_sso: bool,
}

impl RecoveryState {
    /// `odd` are the records that could not be decoded: a connector among them may be enabled.
    pub fn of(account: &AccountId, read: &RecoveryFacts, odd: &[OddRecord]) -> Self {
        let RecoveryFacts { connectors, facts } = read;
        let app = facts.sso_app().map_err(NotChecked::clone);
        let members = facts.members.as_deref().map_err(NotChecked::clone);
        let mut states_of = states(connectors, ConnectorState::of, |one| one.domain.clone());
        if let Ok(states) = &mut states_of {
            states.extend(odd.iter().filter_map(ConnectorState::of_odd));
        }
        Self {
            account: account.clone(),
            connectors: states_of,
            sso_app: app.map(|app| app.map(SsoAppState::of)),
            idps: states(&facts.idps, IdpState::of, |one| one.id.to_string()),
            super_admins: members.map(|members| super_admins(members, connectors)),
        }
    }

    pub fn pin(&self) -> Option<&IdpId> {
        let mut idps = self.idps.iter().flatten();
        idps.find(|idp| idp.kind == IdpType::OneTimePin).map(|idp| &idp.id)
    }

    pub fn enabled(&self) -> impl Iterator<Item = &ConnectorState> {
        self.connectors.iter().flatten().filter(|one| one.enabled != Some(false))
    }

    pub fn fingerprint(&self) -> Fingerprint {
        let account = self.account.as_str();
        Fingerprint::new([
            self.connectors.as_ref().ok().map(|read| part(account, read)),
            self.sso_app.as_ref().ok().map(|read| part(account, read)),
            self.idps.as_ref().ok().map(|read| part(account, read)),
            self.super_admins.as_ref().ok().map(|read| part(account, read)),
        ])
    }
}

fn states<T, S>(
    read: &Checked<Vec<T>>,
    of: impl Fn(&T) -> S,
    key: impl Fn(&S) -> String,
) -> Checked<Vec<S>> {
    let read = read.as_ref().map_err(NotChecked::clone)?;
    let mut states: Vec<_> = read.iter().map(of).collect();
    states.sort_by_key(key);
    Ok(states)
}

fn super_admins(members: &[Member], connectors: &Checked<Vec<Connector>>) -> Vec<SuperAdmin> {
    let enabled = connectors.iter().flatten().filter(|one| one.enabled != Some(false));
    let domains: Vec<EmailDomain> =
        enabled.filter_map(|one| one.email_domain.parse().ok()).collect();
    let supers = members.iter().filter(|it| it.is_active_super_administrator());
    let mut admins: Vec<_> = supers
        .map(|member| SuperAdmin {
            email: member.email().to_owned(),
            uses_sso: domains.iter().any(|domain| domain.has_address(member.email())),
        })
        .collect();
    admins.sort_by(|a, b| (a.uses_sso, &a.email).cmp(&(b.uses_sso, &b.email)));
    admins
}

impl ConnectorState {
    fn of_odd(odd: &OddRecord) -> Option<Self> {
        let may_be_enabled = odd.noun == "connector" && odd.may_have("enabled", &true.into());
        let id = odd.id.as_ref().filter(|_| may_be_enabled)?.parse().ok()?;
        Some(Self { domain: "invalid record".to_owned(), id, enabled: None })
    }

    fn of(connector: &Connector) -> Self {
        Self {
            domain: connector.email_domain.clone(),
            id: connector.id.clone(),
            enabled: connector.enabled,
        }
    }
}

impl SsoAppState {
    fn of(app: &App) -> Self {
        let document = app.text().parse::<Document>();
        let hidden = document.map(|document| hidden(&document)).unwrap_or_default();
        let mut allowed_idps = app.listed_idps().to_vec();
        allowed_idps.sort_by_key(ToString::to_string);
        Self {
            id: app.id.clone(),
            name: app.name.clone(),
            allowed_idps,
            is_instant: app.is_instant(),
            hidden_fields: hidden.into_iter().map(|one| one.field).collect(),
        }
    }
}

impl IdpState {
    fn of(idp: &Idp) -> Self {
        Self { id: idp.id.clone(), name: idp.name.clone(), kind: idp.kind.clone() }
    }
}
