//! Finding, creating and deleting identity providers.

use super::action::Action;
use super::plan::Difference;
use super::preflight::is_sign_in_idp;
use super::select::{self, Candidate, Noun};
use super::target::Target;
use super::update::Update;
use super::{Env, Error, FlowError, app, diff};
use crate::api::ErrorKind;
use crate::api::app::App;
use crate::api::document::Document;
use crate::api::grant::Grant;
use crate::api::idp::{self, Idp, IdpType};
use crate::api::ids::IdpId;
use crate::idp::text::is_uuid;
use crate::idp::{IdpTypeSpec, kind};
use crate::plural::code_list;
use crate::shell::quoted;

const NOUN: Noun = Noun { singular: "identity provider", list_command: "cfsso idp list" };

pub async fn list(env: &Env<'_>) -> Result<Vec<Idp>, Error> {
    let mut idps = env.client.list(&idp::list(env.account)).await?;
    idps.sort_by(|a, b| (&a.name, a.id.as_str()).cmp(&(&b.name, b.id.as_str())));
    Ok(idps)
}

/// A wrong ID fails with the list of existing identity providers.
pub async fn find(env: &Env<'_>, text: &str) -> Result<Idp, Error> {
    if let Some(id) = as_id(text) {
        match env.client.send(&idp::get(env.account, &id)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let Ok(idps) = list(env).await else { return Err(error.into()) };
                let found = pick(&idps, text).map_err(|error| {
                    error.cause(
                        "an ID of another account is not found in this one; check `--account`",
                    )
                })?;
                return Ok(found.clone());
            }
            answer => return Ok(answer?),
        }
    }
    let idps = list(env).await?;
    Ok(pick(&idps, text)?.clone())
}

pub fn pick<'a>(idps: &'a [Idp], text: &str) -> Result<&'a Idp, FlowError> {
    let candidates: Vec<_> = idps
        .iter()
        .map(|idp| Candidate { id: idp.id.as_str(), name: &idp.name, kind: idp.kind.as_str() })
        .collect();
    // In exact case only: `Okta` may be the name of a deleted one.
    let is_type = |kind: &&IdpTypeSpec| kind.name == text || kind.aliases.contains(&text);
    let kind = kind::find(text).filter(is_type).map(|kind| kind.name);
    Ok(&idps[select::select_one(NOUN, &candidates, text, kind)?])
}

/// IDs of Access objects are UUIDs.
pub fn as_id(text: &str) -> Option<IdpId> {
    is_uuid(text).then(|| text.parse().ok()).flatten()
}

/// Of the same type and name, or the account's one-time PIN, of which there is at most one.
pub fn find_existing<'a>(idps: &'a [Idp], body: &Document) -> Result<Option<&'a Idp>, FlowError> {
    let (Some(kind), Some(name)) =
        (body.parse_at::<IdpType>(&["type"]), body.parse_at::<String>(&["name"]))
    else {
        return Err(FlowError::usage("`name` and `type` must be strings"));
    };
    let is_taken =
        |idp: &&Idp| idp.kind == kind && (idp.name == name || kind == IdpType::OneTimePin);
    Ok(idps.iter().find(is_taken))
}

pub fn already_exists_error(existing: &Idp) -> FlowError {
    let message = if existing.kind == IdpType::OneTimePin {
        format!("one-time PIN already exists: `{}`", existing.name)
    } else {
        format!(
            "identity provider already exists: `{}` ({})",
            existing.name,
            existing.kind.as_str()
        )
    };
    FlowError::conflict(message)
        .hint(format!("`cfsso idp get {}`, or add `--if-not-exists`", existing.id))
}

pub fn create_action(env: &Env<'_>, body: &Document) -> Action<Idp> {
    let name: String = body.parse_at(&["name"]).unwrap_or_default();
    Action::new(
        format!("create the identity provider {name}"),
        idp::create(env.account, body),
        diff::diff(&Document::default(), body),
    )
}

/// The response goes to `answered` first: it may hold a secret that is never returned again.
pub async fn create(
    env: &Env<'_>,
    body: &Document,
    answered: impl FnOnce(Option<&Document>),
) -> Result<Idp, Error> {
    let look = async || {
        let idps = env.client.list(&idp::list(env.account)).await?;
        Ok(find_existing(&idps, body).ok().flatten().cloned())
    };
    let created = env.execute_once(&create_action(env, body), look).await?.into_inner();
    answered(created.text().parse().ok().as_ref());
    let seen = env.client.send(&idp::get(env.account, &created.id)).await?;
    let wanted = Update::of(Target::Idp(created.id.clone()), body.clone(), |_| Ok(()))?;
    let unexpected = match seen.text().parse::<Document>() {
        Ok(seen) => wanted.compare_with(seen)?.unexpected,
        Err(_) => Vec::new(),
    };
    if unexpected.is_empty() {
        return Ok(seen);
    }
    let message = format!("`{}` was created with other values than sent", seen.name);
    Err(FlowError::not_confirmed(message)
        .causes(unexpected.iter().map(Difference::brief))
        .hint(format!("`cfsso idp get {}`", seen.id))
        .into())
}

pub fn ensure_deletable(found: &Idp) -> Result<(), FlowError> {
    if !found.is_read_only() {
        return Ok(());
    }
    let message = format!("`{}` is read-only: another account shares it", found.name);
    Err(FlowError::refused(message).hint("stop sharing it in that account"))
}

/// The API refuses to delete an identity provider with a grant.
pub fn ensure_not_granted(found: &Idp, grants: &[Grant]) -> Result<(), FlowError> {
    let Some(grant) = grants.iter().find(|grant| grant.idp_id == found.id) else { return Ok(()) };
    let message = format!("`{}` is shared with other accounts", found.name);
    Err(FlowError::conflict(message)
        .cause(format!("federation grant {}", grant.id))
        .hint(format!("`cfsso federation delete {}`", grant.id)))
}

/// What `app` allows without `deleted`; `None` if it allows none of these.
pub fn allowed_without<'a>(deleted: &[&Idp], app: &App, idps: &'a [Idp]) -> Option<Vec<&'a Idp>> {
    let is_left = |idp: &&Idp| deleted.iter().all(|one| one.id != idp.id) && app.admits(&idp.id);
    let left = idps.iter().filter(is_left);
    deleted.iter().any(|one| app.admits(&one.id)).then(|| left.collect())
}

/// [`ensure_not_last_idp`]; fails, too, if the SSO App cannot be checked.
pub fn ensure_sign_in_without(
    env: &Env<'_>,
    deleted: &[&Idp],
    apps: &[App],
    idps: &[Idp],
) -> Result<(), FlowError> {
    if let Some(odd) = app::unreadable_sign_in(env) {
        let message = "cannot check whether the SSO App needs it; nothing was sent";
        return Err(FlowError::refused(message).cause(odd.describe()));
    }
    ensure_not_last_idp(deleted, apps, idps)
}

/// Fails if an application would allow no identity provider without `deleted`.
pub fn ensure_not_last_idp(deleted: &[&Idp], apps: &[App], idps: &[Idp]) -> Result<(), FlowError> {
    let needs_it = |app: &&App| allowed_without(deleted, app, idps).is_some_and(|it| it.is_empty());
    let mut apps: Vec<_> = apps.iter().filter(needs_it).collect();
    apps.sort_by_key(|app| !app.is_dash_sso());
    let Some(first) = apps.first() else { return Ok(()) };
    let argument =
        if first.is_dash_sso() { String::new() } else { format!(" {}", quoted(&first.name)) };
    let needed = deleted.iter().filter(|idp| first.admits(&idp.id));
    let needed: Vec<_> = needed.map(|idp| idp.name.as_str()).collect();
    let is_only = if needed.len() == 1 {
        "is the only identity provider"
    } else {
        "are the only identity providers"
    };
    let message = format!("{} {is_only} that {} allows", code_list(&needed), first.name);
    let others = apps.iter().skip(1).map(|app| format!("{} allows no other one either", app.name));
    Err(FlowError::refused(message)
        .causes(others)
        .hint(format!("`cfsso app idps{argument} --add <IDP>` first")))
}

/// Those of `allowed` that may sign users in to the dashboard. Fails if there is none, unless
/// nothing is allowed by name.
pub fn sign_in_idps<'a>(allowed: &[&'a Idp]) -> Result<Vec<&'a Idp>, FlowError> {
    let usable: Vec<_> = allowed.iter().copied().filter(|idp| is_sign_in_idp(idp)).collect();
    if allowed.is_empty() || !usable.is_empty() {
        return Ok(usable);
    }
    let names: Vec<_> = allowed.iter().map(|idp| idp.name.as_str()).collect();
    let message = format!(
        "the SSO App would allow only {}: no identity provider of the company, no one-time PIN",
        code_list(&names)
    );
    Err(FlowError::refused(message)
        .cause("accounts of Cloudflare are no single sign-on")
        .hint("`cfsso app idps --add <IDP>`, or `--force` to override"))
}

pub fn delete_action(env: &Env<'_>, found: &Idp) -> Action<()> {
    Action::new(
        format!("delete the identity provider {}", found.name),
        idp::delete(env.account, &found.id),
        [Difference::new("id", found.id.as_str(), ())],
    )
    .before(found.text())
    .shown_by(format!("cfsso idp get {}", found.id))
}

pub async fn delete(env: &Env<'_>, found: &Idp) -> Result<(), Error> {
    let read = idp::get(env.account, &found.id);
    env.execute_deletion(&delete_action(env, found), &read).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idp(id: &str, name: &str, kind: &str) -> Idp {
        let text = format!(r#"{{"id":"{id}","name":"{name}","type":"{kind}","config":{{}}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    #[test]
    fn the_only_way_in_is_told() {
        let all = [idp("p1", "Okta", "okta"), idp("p2", "PIN", "onetimepin")];
        for (admitted, idps, refused) in [
            ("[]", &all[..], false),
            ("[]", &all[..1], true),
            (r#"["p1"]"#, &all[..], true),
            (r#"["p1","p2"]"#, &all[..], false),
            (r#"["p1","gone"]"#, &all[..], true),
            (r#"["p2"]"#, &all[..], false),
        ] {
            let app = format!(r#"{{"id":"a1","name":"SSO App","allowed_idps":{admitted}}}"#);
            let app: App = serde_json::from_str(&app).unwrap();
            let error = ensure_not_last_idp(&[&all[0]], std::slice::from_ref(&app), idps).err();
            assert_eq!(error.is_some(), refused, "{admitted}");
        }
    }

    #[test]
    fn what_several_deletions_leave_is_one_question() {
        let all = [idp("p1", "Okta", "okta"), idp("p2", "PIN", "onetimepin")];
        let all = [&all[..], &[idp("p3", "Hub", "github")]].concat();
        for (admitted, deleted, expected) in [
            ("[]", &[0, 1][..], None),
            (r#"["p1","p3"]"#, &[0, 1], None),
            ("[]", &[0, 1, 2], Some("`Okta`, `PIN`, `Hub` are the only identity providers")),
            (r#"["p1","p2"]"#, &[0, 1], Some("`Okta`, `PIN` are the only identity providers")),
            (r#"["p2"]"#, &[0, 1], Some("`PIN` is the only identity provider")),
            (r#"["p3"]"#, &[0, 1], None),
        ] {
            let app = format!(r#"{{"id":"a1","name":"SSO App","allowed_idps":{admitted}}}"#);
            let app: App = serde_json::from_str(&app).unwrap();
            let deleted: Vec<_> = deleted.iter().map(|at| &all[*at]).collect();
            let error = ensure_not_last_idp(&deleted, std::slice::from_ref(&app), &all).err();
            let message = error.map(|error| error.message);
            let expected = expected.map(|text| format!("{text} that SSO App allows"));
            assert_eq!(message, expected, "{admitted}");
        }
    }

    #[test]
    fn accounts_of_cloudflare_are_no_way_to_sign_in_alone() {
        let all = [
            idp("p1", "Okta", "okta"),
            idp("p2", "PIN", "onetimepin"),
            idp("p3", "Cloudflare", "cloudflare"),
        ];
        for (allowed, expected) in [
            (&[][..], Some("")),
            (&[0], Some("Okta")),
            (&[1], Some("PIN")),
            (&[2], None),
            (&[0, 2], Some("Okta")),
            (&[1, 2], Some("PIN")),
        ] {
            let allowed: Vec<_> = allowed.iter().map(|at: &usize| &all[*at]).collect();
            let usable = sign_in_idps(&allowed).ok();
            let names = usable.map(|all| all.iter().map(|idp| idp.name.as_str()).collect());
            assert_eq!(names.map(|all: Vec<_>| all.join(" ")).as_deref(), expected);
        }
    }

    #[test]
    fn one_of_the_same_type_and_name_stands_in_the_way() {
        let all = [idp("p1", "Okta", "okta"), idp("p2", "PIN", "onetimepin")];
        for (kind, name, expected) in [
            ("okta", "Okta", Some("p1")),
            ("okta", "Other", None),
            ("oidc", "Okta", None),
            ("onetimepin", "Other", Some("p2")),
        ] {
            let body = format!(r#"{{"type":"{kind}","name":"{name}"}}"#).parse().unwrap();
            let found = find_existing(&all, &body).unwrap();
            assert_eq!(found.map(|idp| idp.id.as_str()), expected, "{kind} {name}");
        }
        assert!(find_existing(&all, &"{}".parse().unwrap()).is_err());
    }

    #[test]
    fn a_name_is_not_taken_for_an_id() {
        for (text, is_id) in [
            ("f174e90a-fafe-4643-bbbc-4a0ed4fc8415", true),
            ("f174e90afafe4643bbbc4a0ed4fc8415", false),
            ("okta", false),
            ("", false),
            ("f174e90a-fafe-4643-bbbc-4a0ed4fc841g", false),
        ] {
            assert_eq!(as_id(text).is_some(), is_id, "{text}");
        }
    }
}
