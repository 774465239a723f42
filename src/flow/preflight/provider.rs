//! The checks of the Zero Trust organization and its identity providers.

use super::facts::{Facts, Health, NotChecked};
use super::names;
use crate::api::ErrorKind;
use crate::api::idp::{Idp, IdpType};
use crate::flow::check::{Check, CheckId, Severity};
use crate::idp::check::IdpCheck;

const CREATE_ORGANIZATION: &str =
    "create a Zero Trust organization (any plan) at https://one.dash.cloudflare.com";

pub(super) fn zero_trust_org(facts: &Facts) -> Check {
    let id = CheckId::ZeroTrustOrg;
    match &facts.organization {
        Ok(organization) => {
            let team = organization.auth_domain.as_deref().unwrap_or("without a team name");
            Check::passed(id, format!("Zero Trust team {team}"))
        }
        Err(not_checked) => missing_or_not_checked(id, not_checked),
    }
}

pub(super) fn idp_present(facts: &Facts) -> Check {
    let id = CheckId::IdpPresent;
    let idps = match &facts.idps {
        Ok(idps) => idps,
        Err(not_checked) => return missing_or_not_checked(id, not_checked),
    };
    let others: Vec<_> = idps.iter().filter(|idp| is_company_idp(idp)).collect();
    if others.is_empty() {
        let evidence = match idps.len() {
            0 => "the account has no identity provider",
            _ => "the account has no identity provider other than one-time PIN and Cloudflare",
        };
        return Check::failed(id, evidence, "`cfsso idp create --help`");
    }
    Check::passed(id, names(others.iter().map(|idp| idp.name.as_str())))
}

/// One-time PIN and Cloudflare's own accounts are no single sign-on.
pub fn is_company_idp(idp: &Idp) -> bool {
    !matches!(idp.kind, IdpType::OneTimePin | IdpType::Cloudflare)
}

/// Whether users can sign in to the dashboard through it: by single sign-on, or by the PIN, the
/// documented fallback.
pub fn is_sign_in_idp(idp: &Idp) -> bool {
    is_company_idp(idp) || idp.kind == IdpType::OneTimePin
}

pub(in crate::flow) fn idp_healthy(facts: &Facts) -> Check {
    let id = CheckId::IdpHealthy;
    if let Err(not_checked) = &facts.idps {
        return Check::not_checked(id, &not_checked.reason);
    }
    if facts.health.is_empty() {
        return Check::not_checked(id, "no identity provider to check");
    }
    let wrong: Vec<_> = facts.health.iter().filter_map(|one| Some((one, problem(one)?))).collect();
    if let Some((first, _)) = wrong.first() {
        let evidence: Vec<_> = wrong.iter().map(|(_, words)| words.as_str()).collect();
        let check =
            Check::failed(id, evidence.join("; "), format!("`cfsso idp check {}`", first.id));
        let mut points = facts.health.iter().flat_map(|one| one.points.iter().flatten());
        let is_certain = points.any(|point| point.is_failure() && point.is_certain);
        return if is_certain { check.with_severity(Severity::Error) } else { check };
    }
    let late = facts.health.iter().filter(|one| one.points.is_none());
    let late: Vec<_> = late.map(|one| one.name.as_str()).collect();
    if !late.is_empty() {
        return Check::not_checked(id, format!("no response in time from {}", names(late)));
    }
    let tested = names(facts.health.iter().map(|one| one.name.as_str()));
    Check::passed(id, format!("{tested}: no problems found (sign-in not tested)"))
}

fn problem(health: &Health) -> Option<String> {
    let points = health.points.iter().flatten();
    let problems = points.filter(|point| point.is_failure() || point.is_warning());
    let words = |point: &IdpCheck| format!("{}: {}", point.id.as_str(), point.detail);
    let words: Vec<_> = problems.map(words).collect();
    (!words.is_empty()).then(|| format!("{}: {}", health.name, words.join("; ")))
}

pub(super) fn fallback_login(facts: &Facts) -> Result<Check, &NotChecked> {
    let id = CheckId::FallbackLogin;
    let pins = facts.otp_idps()?;
    let Some(pin) = pins.first() else {
        let evidence =
            "one-time PIN is not configured: no fallback if the identity provider is down";
        return Ok(Check::repairable(id, evidence, &["idp", "create", "onetimepin"]));
    };
    let Ok(Some(app)) = facts.sso_app() else {
        let evidence = "one-time PIN is configured; whether the SSO App allows it is not checked";
        return Ok(Check::passed(id, evidence));
    };
    if !pins.iter().any(|pin| app.admits(&pin.id)) {
        let evidence = format!("one-time PIN is configured, but `{}` does not allow it", app.name);
        return Ok(Check::repairable(id, evidence, &["app", "idps", "--add", pin.id.as_str()]));
    }
    if app.is_instant() && app.listed_idps().len() != 1 {
        let evidence = "one-time PIN is configured, but instant authentication skips it";
        return Ok(Check::repairable(id, evidence, &["app", "instant-auth", "off"]));
    }
    Ok(Check::passed(id, format!("one-time PIN is configured and allowed by `{}`", app.name)))
}

fn missing_or_not_checked(id: CheckId, not_checked: &NotChecked) -> Check {
    if not_checked.kind == ErrorKind::AccessNotEnabled {
        return Check::failed(id, &not_checked.reason, CREATE_ORGANIZATION);
    }
    Check::not_checked(id, &not_checked.reason)
}
