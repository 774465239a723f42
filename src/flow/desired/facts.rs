//! The state of an account, as far as a desired state can express it.

use std::fmt::Write as _;

use serde_json::value::RawValue;

use crate::api::ErrorKind;
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::api::ids::{IdpId, IdpReference};
use crate::api::share::Share;
use crate::flow::bypass::status::Bypass;
use crate::flow::federation::accounts::{self, AccountDirectory};
use crate::flow::federation::state::{self, FederationState};
use crate::flow::preflight::{Checked, unless_forbidden};
use crate::flow::target::Target;
use crate::flow::{Env, Error, FlowError, FlowErrorKind, app, connector, idp};
use crate::sha256;

#[derive(Default)]
pub struct Facts {
    pub connectors: Vec<Connector>,
    pub idps: Vec<Idp>,
    pub app: Option<App>,
    /// Identity providers with a federation grant; empty if not read.
    pub federation: Vec<(IdpId, FederationState)>,
    /// The shares of grants that no longer exist.
    pub orphans: Vec<Share>,
    /// Empty if federation was not read.
    pub directory: AccountDirectory,
    /// Bypasses of this machine that are not reverted; empty if not read.
    pub bypasses: Vec<Bypass>,
}

/// What to read in addition to the connectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parts {
    /// Identity providers and the SSO App.
    pub access: bool,
    pub federation: bool,
}

pub const ACCESS: &str = "identity providers and applications";

/// A part for which the token lacks a permission.
#[derive(Debug)]
pub struct Unread {
    pub what: &'static str,
    pub reason: String,
}

/// Reads concurrently. Parts without permission are empty and listed.
pub async fn read(env: &Env<'_>, parts: Parts) -> Result<(Facts, Vec<Unread>), Error> {
    let access = async {
        if !parts.access {
            return Ok(Ok(Default::default()));
        }
        let (idps, apps) = tokio::join!(idp::list(env), app::list(env));
        let both = without_access(idps).and_then(|idps| Ok((idps, without_access(apps)?)));
        unless_forbidden(both)
    };
    let federation = async {
        if !parts.federation {
            return Ok(Ok(Default::default()));
        }
        let read = async { tokio::try_join!(state::read_all(env), accounts::read(env)) };
        unless_forbidden(without_access(read.await))
    };
    let (connectors, access, federation) =
        tokio::join!(connector::list(env), access, Box::pin(federation));
    let mut unread = Vec::new();
    let (idps, apps) = or_unread(access?, ACCESS, &mut unread);
    let ((federation, orphans), directory) =
        or_unread(federation?, "federation grants", &mut unread);
    let app = sso_app(env, &apps)?;
    let connectors = connectors?;
    let bypasses = Vec::new();
    Ok((Facts { connectors, idps, app, federation, orphans, directory, bypasses }, unread))
}

fn or_unread<T: Default>(read: Checked<T>, what: &'static str, unread: &mut Vec<Unread>) -> T {
    read.unwrap_or_else(|error| {
        unread.push(Unread { what, reason: error.reason });
        T::default()
    })
}

/// An account without Zero Trust has none of these objects.
fn without_access<T: Default>(read: Result<T, Error>) -> Result<T, Error> {
    match read {
        Err(Error::Api(error)) if error.kind() == ErrorKind::AccessNotEnabled => Ok(T::default()),
        read => read,
    }
}

/// Fails if there are several, or if one cannot be parsed.
fn sso_app(env: &Env<'_>, apps: &[App]) -> Result<Option<App>, FlowError> {
    match app::sign_in(env, apps) {
        Ok(app) => Ok(Some(app.clone())),
        Err(error) if error.kind == FlowErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Facts {
    /// The name for a file; the ID if the name would not select it, or if it was deleted.
    pub fn reference(&self, id: &IdpReference) -> String {
        let Some(idp) = self.idps.iter().find(|idp| *id == idp.id) else { return id.to_string() };
        match self.find(&idp.name) {
            Some(found) if found.id == idp.id && !idp.name.trim().is_empty() => idp.name.clone(),
            _ => idp.id.to_string(),
        }
    }

    /// By ID, otherwise by name if only one has it.
    pub fn find(&self, text: &str) -> Option<&Idp> {
        let by_id = self.idps.iter().find(|idp| idp.id.as_str() == text);
        by_id.or_else(|| {
            let mut named = self.idps.iter().filter(|idp| idp.name == text);
            named.next().filter(|_| named.next().is_none())
        })
    }

    pub fn shared(&self, id: &IdpId) -> Option<&FederationState> {
        self.federation.iter().find(|(of, _)| of == id).map(|(_, state)| state)
    }

    /// SHA-256 in hexadecimal of what a plan depends on, without times and versions.
    pub fn fingerprint(&self) -> String {
        let mut text = String::new();
        for connector in &self.connectors {
            let status = connector.status().map(|status| status.as_str().to_owned());
            let _ = writeln!(
                text,
                "connector {} {} {:?} {:?} {status:?}",
                connector.id,
                connector.email_domain,
                connector.enabled,
                connector.use_fedramp_language
            );
        }
        for idp in &self.idps {
            let target = Target::Idp(idp.id.clone());
            let _ = writeln!(text, "idp {}", without_bookkeeping(idp.text(), &target));
        }
        if let Some(app) = &self.app {
            let target = Target::App(app.id.clone());
            let _ = writeln!(text, "app {}", without_bookkeeping(app.text(), &target));
        }
        for (idp, state) in &self.federation {
            let grants: Vec<_> = state.grants.iter().map(|grant| grant.id.as_str()).collect();
            let _ = writeln!(text, "grants {idp} {grants:?}");
            for share_state in &state.shares {
                let active =
                    share_state.recipients.iter().filter(|recipient| recipient.is_active());
                let accounts: Vec<_> = active.map(|recipient| recipient.account()).collect();
                let _ = writeln!(text, "share {} {accounts:?}", share_state.share.id);
            }
        }
        for share in &self.orphans {
            let _ = writeln!(text, "orphan {}", share.id);
        }
        sha256::of(text.as_bytes())
    }
}

/// An object without the top-level members that change by themselves.
fn without_bookkeeping(text: &str, target: &Target) -> String {
    let Ok(document) = text.parse::<Document>() else { return text.to_owned() };
    let kept = document.members().filter(|(name, _)| !target.is_bookkeeping(name));
    let kept = kept.map(|(name, value)| (name.to_owned(), RawValue::to_owned(value)));
    Document::from_members(kept).to_raw().get().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idp(id: &str, name: &str, version: &str) -> Idp {
        let text = format!(
            r#"{{"id":"{id}","name":"{name}","type":"okta","version":"{version}","config":{{}}}}"#
        );
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn a_reference_selects_what_it_names() {
        let idps = vec![
            idp("p1", "Okta", ""),
            idp("p2", "Twice", ""),
            idp("p3", "Twice", ""),
            idp("p4", "p1", ""),
            idp("p5", "", ""),
        ];
        let facts = Facts { idps, ..Facts::default() };
        for (id, expected) in [
            ("p1", "Okta"),
            ("p2", "p2"),
            ("p3", "p3"),
            ("p4", "p4"),
            ("p5", "p5"),
            ("gone", "gone"),
        ] {
            let id: IdpId = id.parse().unwrap();
            let reference = facts.reference(&id.clone().into());
            assert_eq!(reference, expected);
            assert_eq!(
                facts.find(&reference).map(|idp| idp.id.as_str()),
                (expected != "gone").then_some(id.as_str())
            );
        }
    }

    #[test]
    fn the_fingerprint_changes_with_what_a_plan_depends_on() {
        let of = |idps: Vec<Idp>| Facts { idps, ..Facts::default() }.fingerprint();
        let one = of(vec![idp("p1", "Okta", "v1")]);
        assert_eq!(one.len(), 64);
        assert_eq!(one, of(vec![idp("p1", "Okta", "v2")]));
        assert_ne!(one, of(vec![idp("p1", "Other", "v1")]));
        assert_ne!(one, of(vec![]));
    }
}
