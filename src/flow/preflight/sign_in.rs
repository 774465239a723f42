//! The checks of the SSO App, the Access application `dash_sso`.

use super::facts::{Facts, NotChecked};
use super::names;
use super::provider::is_company_idp;
use crate::api::app::App;
use crate::api::idp::{Idp, IdpType};
use crate::flow::check::{Check, CheckId, Severity};

pub(super) const NO_APP: &str = "no SSO App yet";

pub(super) fn present(facts: &Facts) -> Result<Check, &NotChecked> {
    let id = CheckId::SsoAppPresent;
    let apps = facts.apps.as_ref()?;
    let found: Vec<_> = apps.iter().filter(|app| app.is_dash_sso()).collect();
    Ok(match found.as_slice() {
        [app] => Check::passed(id, format!("`{}`, {}", app.name, app.id)),
        [] => Check::failed(
            id,
            "no SSO App (type `dash_sso`); Cloudflare creates it with the first connector",
            "`cfsso app list`",
        ),
        several => {
            let ids = names(several.iter().map(|app| app.id.as_str()));
            let evidence = format!("{} applications of the type `dash_sso`: {ids}", several.len());
            Check::failed(id, evidence, "`cfsso app list`")
        }
    })
}

pub(super) fn reaches_idp(facts: &Facts) -> Result<Check, &NotChecked> {
    let id = CheckId::SsoAppReachesIdp;
    let Some(app) = facts.sso_app()? else { return Ok(Check::not_checked(id, NO_APP)) };
    let idps = facts.idps.as_ref()?;
    if idps.is_empty() {
        let evidence = "the account has no identity provider to allow";
        return Ok(Check::failed(id, evidence, "`cfsso idp create --help`"));
    }
    if app.listed_idps().is_empty() {
        return Ok(Check::passed(id, format!("`{}` allows all identity providers", app.name)));
    }
    Ok(check_allowed_list(app, idps))
}

fn check_allowed_list(app: &App, idps: &[Idp]) -> Check {
    let id = CheckId::SsoAppReachesIdp;
    let missing = app.listed_idps().iter().filter(|id| !idps.iter().any(|idp| **id == idp.id));
    let missing: Vec<_> = missing.map(ToString::to_string).collect();
    let live: Vec<_> = idps.iter().filter(|idp| app.admits(&idp.id)).collect();
    if live.is_empty() {
        let evidence = format!(
            "`{}` allows only deleted identity providers: {}",
            app.name,
            names(missing.iter().map(String::as_str))
        );
        return Check::repairable(id, evidence, &["app", "idps", "--all"]);
    }
    let admitted = names(live.iter().map(|idp| idp.name.as_str()));
    if let Some(first) = missing.first() {
        let remedy = format!("`cfsso app idps --remove {first}`");
        let evidence = format!(
            "`{}` allows {admitted}, and deleted ones: {}",
            app.name,
            names(missing.iter().map(String::as_str))
        );
        return Check::failed(id, evidence, remedy).with_severity(Severity::Warning);
    }
    if !live.iter().any(|idp| is_company_idp(idp)) {
        let what = if live.iter().all(|idp| idp.kind == IdpType::OneTimePin) {
            "one-time PIN".to_owned()
        } else {
            format!("{admitted}: no identity provider of the company")
        };
        let evidence = format!("`{}` allows only {what}", app.name);
        return Check::failed(id, evidence, "`cfsso app idps --add <IDP>`")
            .with_severity(Severity::Warning);
    }
    Check::passed(id, format!("`{}` allows {admitted}", app.name))
}

/// Valid with exactly one allowed identity provider (API reference, section 4).
pub(super) fn instant_auth(facts: &Facts) -> Result<Check, &NotChecked> {
    let id = CheckId::InstantAuthConsistent;
    let Some(app) = facts.sso_app()? else { return Ok(Check::not_checked(id, NO_APP)) };
    Ok(match (app.is_instant(), app.listed_idps().len()) {
        (false, _) => Check::passed(id, "instant authentication is off"),
        (true, 1) => {
            Check::passed(id, "instant authentication is on, one identity provider is allowed")
        }
        (true, listed) => {
            let listed = if listed == 0 { "every one".to_owned() } else { listed.to_string() };
            let evidence = format!(
                "instant authentication requires exactly one allowed identity provider, but {listed} \
                 is allowed"
            );
            Check::repairable(id, evidence, &["app", "instant-auth", "off"])
        }
    })
}
