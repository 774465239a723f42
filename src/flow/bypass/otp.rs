//! The second bypass: the SSO App allows one-time PINs, and SSO stays enforced.

use super::pin_delivery::{delivery_problems, offers_pin};
use super::title;
use crate::api::app::{self, App};
use crate::api::document::Document;
use crate::api::idp::{self, Idp, IdpType};
use crate::api::ids::IdpId;
use crate::api::{Error as ApiError, ErrorKind};
use crate::flow::app::{AllowedIdps, disable_instant_auth, new_allowed_list, sign_in};
use crate::flow::journal::{Cause, Title};
use crate::flow::plan::Change;
use crate::flow::target::Target;
use crate::flow::update::{Update, UpdateResult};
use crate::flow::{Env, Error, FlowError, idp as flow_idp};

/// Placeholder in a dry run for the ID of a PIN that does not exist yet.
pub const NEW_PIN: &str = "ID-OF-THE-NEW-PIN";

/// With a name, as the API's schema requires (API reference, section 3).
pub const PIN: &str = r#"{"name":"One-time PIN","type":"onetimepin","config":{}}"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OtpScope {
    PinOnly,
    AllIdps,
}

pub struct CurrentState {
    pub app: App,
    pub idps: Vec<Idp>,
    pub pin: Option<IdpId>,
}

impl CurrentState {
    pub fn has_pin_as_well(&self) -> bool {
        let is_allowed = self.pin.as_ref().is_some_and(|pin| self.app.admits(pin));
        is_allowed && self.allowed_idps().next().is_some()
    }

    pub fn allowed_idps(&self) -> impl Iterator<Item = &Idp> {
        let others = self.idps.iter().filter(|idp| idp.kind != IdpType::OneTimePin);
        others.filter(|idp| self.app.admits(&idp.id))
    }

    pub fn admits_nobody_with_pin(&self) -> bool {
        delivery_problems(self.app.text(), self.pin.as_ref()).admits_nobody
    }

    pub fn offers_pin(&self) -> bool {
        offers_pin(&self.app, &self.pin.iter().collect::<Vec<_>>())
    }
}

pub async fn read_state(env: &Env<'_>) -> Result<CurrentState, Error> {
    let (idps, apps) = (idp::list(env.account), app::list(env.account));
    let (idps, apps) = tokio::join!(env.client.list(&idps), env.client.list(&apps));
    Ok(state_of(env, idps?, &apps?)?)
}

pub fn state_of(env: &Env<'_>, idps: Vec<Idp>, apps: &[App]) -> Result<CurrentState, FlowError> {
    let pin = pin_among(env, &idps);
    Ok(CurrentState { app: sign_in(env, apps)?.clone(), idps, pin })
}

/// An account has at most one PIN.
pub fn pin_of(idps: Vec<Idp>) -> Option<Idp> {
    idps.into_iter().find(|idp| idp.kind == IdpType::OneTimePin)
}

async fn pin(env: &Env<'_>) -> Result<Option<IdpId>, ApiError> {
    let idps = env.client.list(&idp::list(env.account)).await?;
    Ok(pin_among(env, &idps))
}

/// Only its type and ID are needed: the rest of the record may be unreadable.
fn pin_among(env: &Env<'_>, idps: &[Idp]) -> Option<IdpId> {
    if let Some(pin) = idps.iter().find(|idp| idp.kind == IdpType::OneTimePin) {
        return Some(pin.id.clone());
    }
    let odd = env.client.odd_records(Some("identity provider")).into_iter();
    let mut pins = odd.filter(|odd| odd.has("type", &"onetimepin".into()));
    pins.find_map(|odd| odd.id?.parse().ok())
}

pub fn body() -> Document {
    PIN.parse().expect("it is an object")
}

/// Fields that need no change keep their text.
pub fn edit(app: &App, pin: &IdpId, scope: OtpScope) -> Result<Update, FlowError> {
    let admission = match scope {
        OtpScope::PinOnly => AllowedIdps::Change { add: vec![pin.clone()], remove: Vec::new() },
        OtpScope::AllIdps => AllowedIdps::All,
    };
    let list = new_allowed_list(app.listed_idps(), &admission, &[])?;
    let before: Document = app.text().parse().map_err(|error: serde_json::Error| {
        FlowError::conflict(format!("`{}` cannot be updated", app.name)).cause(error.to_string())
    })?;
    Update::of(Target::App(app.id.clone()), before, |document| {
        if list != app.listed_idps() {
            document.set(&["allowed_idps"], &list)?;
        }
        // With the PIN alone, instant authentication leads to the PIN.
        if list.len() == 1 { Ok(()) } else { disable_instant_auth(document) }
    })
}

pub fn changes(env: &Env<'_>, pin: Option<&IdpId>, edit: &Update) -> Vec<Change> {
    let creation = pin.is_none().then(|| flow_idp::create_action(env, &body()).change());
    creation.into_iter().chain(edit.changes(env)).collect()
}

pub struct PinProvider {
    pub pin: IdpId,
    pub is_new: bool,
}

/// If another client created one in the meantime, that one is used.
pub async fn create(env: &Env<'_>) -> Result<PinProvider, Error> {
    let look = async || {
        let idps = env.client.list(&idp::list(env.account)).await?;
        Ok(pin_of(idps))
    };
    let action = flow_idp::create_action(env, &body()).caused_by(Cause::Bypass);
    let created = match env.execute_once(&action, look).await {
        Err(Error::Api(error)) if error.kind() == ErrorKind::Conflict => {
            let theirs = pin(env).await?;
            return theirs.map(|pin| PinProvider { pin, is_new: false }).ok_or(error.into());
        }
        created => created?.into_inner(),
    };
    if created.kind == IdpType::OneTimePin {
        return Ok(PinProvider { pin: created.id.clone(), is_new: true });
    }
    let message = format!("`{}` was created, but is not a one-time PIN", created.name);
    Err(FlowError::not_confirmed(message).hint(format!("`cfsso idp get {}`", created.id)).into())
}

/// One PUT and one read-back. The application is not read again before the PUT: a lockout
/// has no round trip to spare, and the journal has the state before.
pub async fn allow_pin(env: &Env<'_>, edit: &Update) -> Result<UpdateResult, Error> {
    edit.send(env, edit_title(edit), None, |_| {}).await
}

pub fn record_unsent(env: &Env<'_>, edit: &Update) -> Result<(), FlowError> {
    edit.record_unsent(env, edit_title(edit))
}

fn edit_title(edit: &Update) -> Title {
    title(format!("allow one-time PIN in {}", edit.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sign_in_is_opened_just_as_far_as_needed() {
        for (before, scope, after) in [
            (r#""allowed_idps":["o"]"#, OtpScope::PinOnly, r#""allowed_idps":["o","p"]"#),
            (r#""allowed_idps":["o"]"#, OtpScope::AllIdps, r#""allowed_idps":[]"#),
            (r#""allowed_idps":["p","o"]"#, OtpScope::PinOnly, r#""allowed_idps":["p","o"]"#),
            (r#""allowed_idps":[]"#, OtpScope::PinOnly, r#""allowed_idps":[]"#),
            (r#""allowed_idps":null"#, OtpScope::AllIdps, r#""allowed_idps":null"#),
            (r#""x":1"#, OtpScope::PinOnly, r#""x":1"#),
            (
                r#""allowed_idps":["o"],"auto_redirect_to_identity":true"#,
                OtpScope::PinOnly,
                r#""allowed_idps":["o","p"],"auto_redirect_to_identity":false"#,
            ),
            (
                r#""auto_redirect_to_identity":true,"allowed_idps":null"#,
                OtpScope::PinOnly,
                r#""auto_redirect_to_identity":false,"allowed_idps":null"#,
            ),
            (
                r#""allowed_idps":["p"],"auto_redirect_to_identity":true"#,
                OtpScope::PinOnly,
                r#""allowed_idps":["p"],"auto_redirect_to_identity":true"#,
            ),
            (
                r#""allowed_idps":["o"],"auto_redirect_to_identity":null"#,
                OtpScope::PinOnly,
                r#""allowed_idps":["o","p"],"auto_redirect_to_identity":null"#,
            ),
        ] {
            let object = |fields: &str| {
                format!(r#"{{"id":"a","type":"dash_sso",{fields},"n":12345678901234567890123}}"#)
            };
            let app: App = serde_json::from_str(&object(before)).unwrap();
            let edit = edit(&app, &"p".parse().unwrap(), scope).unwrap();
            assert_eq!(edit.desired.to_raw().get(), object(after), "{before}");
            assert_eq!(edit.is_empty(), before == after, "{before}");
        }
    }

    #[test]
    fn policies_stay_out_of_what_is_sent() {
        let text = r#"{"id":"a","type":"dash_sso","allowed_idps":["o"],"policies":[{"id":"y"}]}"#;
        let app: App = serde_json::from_str(text).unwrap();
        let edit = edit(&app, &"p".parse().unwrap(), OtpScope::PinOnly).unwrap();
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let request = edit.target.replace(&account, &edit.desired);
        let sent = r#"{"id":"a","type":"dash_sso","allowed_idps":["o","p"]}"#;
        assert_eq!(request.body_text(), Some(sent));
    }
}
