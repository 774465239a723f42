//! Access applications and the identity providers that they allow.

mod assignment;

pub use assignment::Assignment;

use super::select::{self, Candidate, Noun};
use super::{Env, Error, FlowError, FlowErrorKind, without_repeats};
use crate::api::ErrorKind;
use crate::api::app::{self, App};
use crate::api::document::Document;
use crate::api::idp::Idp;
use crate::api::ids::{AppId, IdpId, IdpReference};
use crate::api::odd::OddRecord;
use crate::idp::text::is_uuid;

const NOUN: Noun = Noun { singular: "application", list_command: "cfsso app list" };

pub async fn list(env: &Env<'_>) -> Result<Vec<App>, Error> {
    let mut apps = env.client.list(&app::list(env.account)).await?;
    apps.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    Ok(apps)
}

/// `text` is an ID or a name; `None` means the SSO App.
pub async fn find(env: &Env<'_>, text: Option<&str>) -> Result<App, Error> {
    let Some(text) = text else {
        let apps = list(env).await?;
        return Ok(sign_in(env, &apps)?.clone());
    };
    if let Some(id) = is_uuid(text).then(|| text.parse::<AppId>().ok()).flatten() {
        match env.client.send(&app::get(env.account, &id)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Ok(apps) = list(env).await else { return Err(error.into()) };
                return Ok(pick(&apps, text)?.clone());
            }
            answer => return Ok(answer?),
        }
    }
    let apps = list(env).await?;
    Ok(pick(&apps, text)?.clone())
}

fn pick<'a>(apps: &'a [App], text: &str) -> Result<&'a App, FlowError> {
    let candidates: Vec<_> = apps
        .iter()
        .map(|app| Candidate { id: app.id.as_str(), name: &app.name, kind: app.type_name() })
        .collect();
    Ok(&apps[select::select_one(NOUN, &candidates, text, None)?])
}

/// An unreadable SSO App is an error of its own, not a missing one.
pub fn sign_in<'a>(env: &Env<'_>, apps: &'a [App]) -> Result<&'a App, FlowError> {
    dash_sso(apps).map_err(|error| {
        let odd = unreadable_sign_in(env).filter(|_| error.kind == FlowErrorKind::NotFound);
        let unreadable = odd.map(|odd| {
            let message = "the record of the SSO App is invalid; nothing was sent";
            FlowError::conflict(message).cause(odd.describe())
        });
        unreadable.unwrap_or(error)
    })
}

/// An unreadable application that may be the SSO App, among those read so far.
pub fn unreadable_sign_in(env: &Env<'_>) -> Option<OddRecord> {
    let mut odd = env.client.odd_records(Some("application")).into_iter();
    odd.find(|odd| odd.may_have("type", &"dash_sso".into()))
}

pub fn dash_sso(apps: &[App]) -> Result<&App, FlowError> {
    let found: Vec<_> = apps.iter().filter(|app| app.is_dash_sso()).collect();
    match found.as_slice() {
        [only] => Ok(only),
        [] => Err(FlowError::not_found("this account has no SSO App (type `dash_sso`)")
            .cause("Cloudflare creates it with the first connector")
            .hint("`cfsso setup <DOMAIN>`, or `cfsso app list`")),
        several => Err(FlowError::conflict(format!(
            "this account has {} SSO Apps (type `dash_sso`)",
            several.len()
        ))
        .causes(several.iter().map(|app| format!("{}  {}", app.id, app.name)))
        .hint(format!(
            "specify one by its ID, `{}`, and ask Cloudflare about the others",
            several[0].id
        ))),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AllowedIdps {
    Change {
        add: Vec<IdpId>,
        remove: Vec<IdpId>,
    },
    Only(Vec<IdpId>),
    /// Allow all identity providers, including those created later.
    All,
}

/// An empty list allows all identity providers. `all` lists those that exist.
pub fn new_allowed_list(
    now: &[IdpReference],
    admission: &AllowedIdps,
    all: &[IdpId],
) -> Result<Vec<IdpReference>, FlowError> {
    let ids =
        |ids: &[IdpId]| -> Vec<IdpReference> { ids.iter().cloned().map(Into::into).collect() };
    let (add, remove) = match admission {
        AllowedIdps::All => return Ok(Vec::new()),
        AllowedIdps::Only(only) => return Ok(without_repeats(ids(only))),
        AllowedIdps::Change { add, remove } => (add, remove),
    };
    // An empty list already allows all of them: adding to it would narrow it.
    let start = if now.is_empty() && !remove.is_empty() { ids(all) } else { now.to_vec() };
    if start.is_empty() {
        return Ok(Vec::new());
    }
    let mut list = without_repeats([start, ids(add)].concat());
    list.retain(|listed| !remove.iter().any(|id| listed == id));
    if list.is_empty() {
        return Err(FlowError::refused("the last allowed identity provider cannot be removed")
            .cause("an empty list would allow all identity providers")
            .hint("`cfsso app idps --only <IDP>`, or `cfsso app idps --all`"));
    }
    Ok(list)
}

/// Fails if the list names no existing identity provider.
pub fn ensure_sign_in_possible(list: &[IdpReference], idps: &[Idp]) -> Result<(), FlowError> {
    let is_live = |listed: &IdpReference| idps.iter().any(|idp| *listed == idp.id);
    if list.is_empty() || list.iter().any(is_live) {
        return Ok(());
    }
    let error = FlowError::refused("this would block every sign-in to the dashboard")
        .causes(list.iter().map(|id| format!("this account has no identity provider {id}")));
    Err(error.hint("`cfsso idp list`, or `--force` to override"))
}

/// Instant authentication is valid with exactly one (API reference, section 4).
pub fn set_allowed_idps(document: &mut Document, list: &[IdpReference]) -> Result<(), FlowError> {
    document.set(&["allowed_idps"], &list)?;
    if list.len() == 1 { Ok(()) } else { disable_instant_auth(document) }
}

pub fn disable_instant_auth(document: &mut Document) -> Result<(), FlowError> {
    if document.parse_at(&["auto_redirect_to_identity"]) == Some(true) {
        document.set(&["auto_redirect_to_identity"], &false)?;
    }
    Ok(())
}

pub fn enable_instant_auth(document: &mut Document, idps: &[Idp]) -> Result<(), FlowError> {
    let list: Vec<IdpReference> = document.parse_at(&["allowed_idps"]).unwrap_or_default();
    if list.len() == 1 {
        return Ok(document.set(&["auto_redirect_to_identity"], &true)?);
    }
    let admitted = match list.len() {
        0 => "all".to_owned(),
        several => several.to_string(),
    };
    let candidates =
        idps.iter().filter(|idp| list.is_empty() || list.iter().any(|listed| *listed == idp.id));
    let candidates: Vec<_> = candidates.collect();
    let name = if let [only] = candidates.as_slice() { only.id.as_str() } else { "<IDP>" };
    let lines =
        candidates.iter().map(|idp| format!("{}  {} ({})", idp.id, idp.name, idp.kind.as_str()));
    Err(FlowError::refused("instant authentication requires exactly one allowed identity provider")
        .cause(format!("the application allows {admitted}"))
        .causes(lines)
        .hint(format!("`cfsso app instant-auth on --only {name}`")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<IdpId> {
        text.split_whitespace().map(|id| id.parse().unwrap()).collect()
    }

    fn app(id: &str, kind: &str) -> App {
        serde_json::from_str(&format!(r#"{{"id":"{id}","name":"SSO App","type":"{kind}"}}"#))
            .unwrap()
    }

    fn listed(text: &str) -> Vec<IdpReference> {
        ids(text).into_iter().map(Into::into).collect()
    }

    #[test]
    fn the_list_is_what_was_asked_and_never_empty_by_accident() {
        let change =
            |add: &str, remove: &str| AllowedIdps::Change { add: ids(add), remove: ids(remove) };
        for (now, admission, expected) in [
            ("", AllowedIdps::All, Some("")),
            ("a", AllowedIdps::All, Some("")),
            ("a", AllowedIdps::Only(ids("b b c")), Some("b c")),
            ("a", change("b", ""), Some("a b")),
            ("a", change("a", ""), Some("a")),
            ("", change("a", ""), Some("")),
            ("", change("", "a"), Some("b c")),
            ("", change("c", "a"), Some("b c")),
            ("a b", change("", "a"), Some("b")),
            ("a", change("b", "a"), Some("b")),
            ("a", change("", "a"), None),
            ("a b", change("", "a b"), None),
        ] {
            let list = new_allowed_list(&listed(now), &admission, &ids("a b c")).ok();
            assert_eq!(list, expected.map(listed), "{now} {admission:?}");
        }
    }

    #[test]
    fn removing_from_all_where_only_one_is_there_is_refused() {
        let admission = AllowedIdps::Change { add: Vec::new(), remove: ids("a") };
        assert!(new_allowed_list(&[], &admission, &ids("a")).is_err());
    }

    #[test]
    fn a_list_of_nothing_but_the_dead_is_refused() {
        let idps: Vec<Idp> = vec![serde_json::from_str(r#"{"id":"a","type":"okta"}"#).unwrap()];
        for (list, allowed) in
            [("", true), ("a", true), ("a x", true), ("x", false), ("x y", false)]
        {
            assert_eq!(ensure_sign_in_possible(&listed(list), &idps).is_ok(), allowed, "{list}");
        }
    }

    #[test]
    fn the_choice_is_skipped_with_exactly_one_and_offered_otherwise() {
        let switch = |app: &str, list: &str| {
            let mut app: Document = app.parse().unwrap();
            set_allowed_idps(&mut app, &listed(list)).unwrap();
            app.to_raw().get().to_owned()
        };
        for (app, list, expected) in [
            (
                r#"{"allowed_idps":["a"],"auto_redirect_to_identity":true}"#,
                "b",
                r#"{"allowed_idps":["b"],"auto_redirect_to_identity":true}"#,
            ),
            (
                r#"{"allowed_idps":["a"],"auto_redirect_to_identity":true}"#,
                "",
                r#"{"allowed_idps":[],"auto_redirect_to_identity":false}"#,
            ),
            (
                r#"{"allowed_idps":["a"],"auto_redirect_to_identity":null}"#,
                "a b",
                r#"{"allowed_idps":["a","b"],"auto_redirect_to_identity":null}"#,
            ),
            ("{}", "a b", r#"{"allowed_idps":["a","b"]}"#),
        ] {
            assert_eq!(switch(app, list), expected);
        }
        for (list, allowed) in
            [(r#"["a"]"#, true), ("[]", false), ("null", false), (r#"["a","b"]"#, false)]
        {
            let mut app: Document = format!(r#"{{"allowed_idps":{list}}}"#).parse().unwrap();
            assert_eq!(enable_instant_auth(&mut app, &[]).is_ok(), allowed, "{list}");
        }
    }

    #[test]
    fn one_dash_sso_application_is_expected() {
        let only = [app("a1", "saas"), app("a2", "dash_sso")];
        assert_eq!(dash_sso(&only).unwrap().id.as_str(), "a2");
        assert_eq!(dash_sso(&only[..1]).unwrap_err().kind, FlowErrorKind::NotFound);
        let two = [app("a1", "dash_sso"), app("a2", "dash_sso")];
        let error = dash_sso(&two).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Conflict);
        assert_eq!(error.causes, ["a1  SSO App", "a2  SSO App"]);
    }
}
