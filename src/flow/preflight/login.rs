//! The check that users signed in through each identity provider that the SSO App allows.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::facts::{Facts, NotChecked};
use super::provider::is_company_idp;
use super::{Thresholds, names};
use crate::api::access_log::LoginRow;
use crate::api::app::App;
use crate::api::idp::Idp;
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId};

pub(super) fn recent_sign_ins<'a>(
    domain: &EmailDomain,
    facts: &'a Facts,
    thresholds: &Thresholds,
) -> Result<Check, &'a NotChecked> {
    let id = CheckId::LoginSeen;
    let (logins, idps) = (facts.logins.as_ref()?, facts.idps.as_ref()?);
    let app = facts.sso_app().ok().flatten();
    let admitted = allowed_idps(idps, app);
    if admitted.is_empty() {
        let evidence = "the SSO App allows no identity provider of the company";
        return Ok(Check::not_checked(id, evidence));
    }
    let oldest = thresholds.now.saturating_sub(thresholds.login_within).unwrap_or(Timestamp::MIN);
    let newest = |idp: &Idp| {
        let rows = through(idp, idps, logins.iter());
        let of_users = facts.identities.iter().filter(|identity| {
            identity.idp.as_ref().and_then(|of| of.id.as_deref()) == Some(idp.id.as_str())
        });
        let of_users = of_users.filter_map(|identity| Timestamp::from_second(identity.iat?).ok());
        rows.chain(of_users).max()
    };
    let (mut recent, mut missing) = (Vec::new(), Vec::new());
    for idp in admitted {
        match newest(idp) {
            Some(at) if at >= oldest => recent.push(format!("{} on {}", idp.name, day(at))),
            Some(at) => missing.push((idp, format!("{} (last on {})", idp.name, day(at)))),
            None => missing.push((idp, idp.name.clone())),
        }
    }
    let members = members(domain, facts, oldest);
    let Some((first, _)) = missing.first() else {
        let recent = names(recent.iter().map(String::as_str));
        return Ok(Check::passed(id, format!("last sign-in through {recent}{members}")));
    };
    let days = thresholds.login_within.as_secs() / 86_400;
    let by_hand = |idp: &Idp| {
        let test = facts.hand_tests.iter().find(|it| it.test.tested_idp == idp.id.as_str());
        test.map(|test| format!(", {}", test.describe())).unwrap_or_default()
    };
    let missing: Vec<_> =
        missing.iter().map(|(idp, words)| format!("{words}{}", by_hand(idp))).collect();
    let missing = names(missing.iter().map(String::as_str));
    let evidence = format!("no sign-in in the last {days} days through {missing}{members}");
    Ok(Check::failed(id, evidence, format!("`cfsso idp test {}`", first.id)))
}

/// A row names only the type: it counts for none of several identity providers of that type.
pub(in crate::flow) fn through<'a>(
    idp: &'a Idp,
    all: &[Idp],
    rows: impl Iterator<Item = &'a LoginRow>,
) -> impl Iterator<Item = Timestamp> {
    let is_only = all.iter().filter(|other| other.kind == idp.kind).count() == 1;
    let is_through = move |row: &&LoginRow| {
        is_only && row.allowed == Some(true) && row.connection.as_deref() == Some(idp.kind.as_str())
    };
    rows.filter(is_through).filter_map(|row| row.at())
}

fn members(domain: &EmailDomain, facts: &Facts, oldest: Timestamp) -> String {
    let (Ok(members), Ok(users)) = (&facts.members, &facts.users) else { return String::new() };
    let mut last = BTreeMap::<String, Option<Timestamp>>::new();
    for user in users {
        let email = user.email.as_deref().unwrap_or_default().to_lowercase();
        let at = user.last_successful_login.as_ref().and_then(|at| at.parse().ok());
        let known = last.entry(email).or_default();
        *known = (*known).max(at);
    }
    let of_domain =
        members.iter().filter(|member| member.is_accepted() && domain.has_address(member.email()));
    let (mut lately, mut never) = (0, 0);
    for member in of_domain {
        match last.get(&member.email().to_lowercase()).copied().flatten() {
            Some(at) if at >= oldest => lately += 1,
            Some(_) => {}
            None => never += 1,
        }
    }
    format!("; members of {domain}: {lately} signed in, {never} never")
}

fn day(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

pub(in crate::flow) fn allowed_idps<'a>(idps: &'a [Idp], sign_in: Option<&App>) -> Vec<&'a Idp> {
    let admits = |idp: &&Idp| sign_in.is_none_or(|app| app.admits(&idp.id));
    idps.iter().filter(|idp| is_company_idp(idp)).filter(admits).collect()
}
