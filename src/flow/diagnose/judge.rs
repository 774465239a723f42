//! Evaluates each part of a sign-in: facts in, report out. Pure.

use serde_json::Value;

use super::Question;
use super::facts::Facts;
use super::history::{
    History, history, login_log, recent_changes, signed_in_just_now, signed_in_since, suspects,
};
use super::report::{Confidence, Report, Step, StepId, StepState, VerdictKind};
use crate::api::connector::Connector;
use crate::api::idp::Idp;
use crate::api::member::Member;
use crate::flow::bypass::pin_delivery::offers_pin;
use crate::flow::policy_decision::{Decision, DomainDecision};
use crate::flow::preflight::{self, NotChecked};
use crate::rfc3339::format as time;
use crate::shell::quoted;

use StepState::{Cause, NotChecked as Unread, Ok as Fine, Suspect, Unknown};

pub(super) fn report(facts: &Facts<'_>) -> Report {
    let Question { email, domain, .. } = facts.question;
    let history = history(facts);
    let mut steps = vec![or_unread_step(StepId::Address, address(facts))];
    let (step, is_off) = connector(facts);
    let is_elsewhere = matches!(step.state, Cause | Suspect);
    steps.push(step);
    if !is_off && !is_elsewhere && steps[0].state != Unknown {
        steps.extend(member(facts));
        steps.push(or_unread_step(StepId::SsoApp, sso_app(facts)));
        let policies = policies(facts);
        let is_allowed = policies.as_ref().is_some_and(|step| step.state == Fine);
        steps.extend(policies);
        steps.push(or_unread_step(StepId::IdentityProviders, identity_providers(facts)));
        steps.push(or_unread_step(StepId::LoginLog, login_log(facts, &history, is_allowed)));
        steps.push(or_unread_step(StepId::RecentChanges, recent_changes(facts, &history)));
    }
    let mut report = Report::new(email.clone(), domain.to_string(), steps);
    report.changes = suspects(facts, &history).into_iter().cloned().collect();
    conclude(&mut report, facts, &history, is_off);
    report
}

/// The first step that stops the sign-in is the cause.
fn conclude(report: &mut Report, facts: &Facts<'_>, history: &History, is_off: bool) {
    let who = report.who();
    let causes: Vec<&Step> = report.steps.iter().filter(|step| step.state == Cause).collect();
    let suspects: Vec<&Step> = report.steps.iter().filter(|step| step.state == Suspect).collect();
    let open: Vec<&Step> =
        report.steps.iter().filter(|step| matches!(step.state, Unknown | Unread)).collect();
    let is_log_read = matches!(facts.logins, None | Some(Ok(_))) && facts.gathered.logins.is_ok();
    let (verdict, confidence, summary) = if let Some(first) = causes.first() {
        // Not certain without the log, nor if the log shows a sign-in a moment ago.
        let is_sure = is_log_read && !signed_in_just_now(facts, history);
        let confidence = if is_sure { Confidence::Certain } else { Confidence::Likely };
        (VerdictKind::Cause, confidence, format!("{who} cannot sign in: {}", first.detail))
    } else if let [only] = suspects.as_slice()
        && only.id == StepId::IdentityProviders
        && facts.has_pin
    {
        let words = format!("{who} can sign in only with a one-time PIN: {}", only.detail);
        (VerdictKind::Cause, Confidence::Likely, words)
    } else if let Some(first) = suspects.first() {
        let words = format!("{who} cannot sign in; likely cause: {}", first.detail);
        (VerdictKind::Cause, Confidence::Likely, words)
    } else if is_off {
        let words = format!(
            "SSO is off for {}: it is not the cause; users sign in with a password",
            report.domain
        );
        (VerdictKind::SsoIsOff, Confidence::Certain, words)
    } else if let Some(first) =
        open.iter().find(|step| step.id != StepId::LoginLog && step.id != StepId::RecentChanges)
    {
        let words = format!("cannot tell why {who} cannot sign in: {}", first.detail);
        (VerdictKind::Unknown, Confidence::Unknown, words)
    } else {
        // Only a sign-in shows that one is possible.
        let is_sure = open.is_empty() && signed_in_since(facts, history);
        let confidence = if is_sure { Confidence::Certain } else { Confidence::Likely };
        let words = format!("nothing found that prevents {who} from signing in");
        (VerdictKind::NothingFound, confidence, words)
    };
    // A recent change led to the cause: it is not a second one.
    let more = causes.iter().chain(&suspects).skip(1);
    let more = more.filter(|step| step.id != StepId::RecentChanges);
    let more: Vec<_> = more.map(|step| step.id.label()).collect();
    report.summary = match more.as_slice() {
        [] => summary,
        more => format!("{summary} (also: {})", more.join(", ")),
    };
    let fixes = causes.iter().chain(&suspects).chain(&open).filter_map(|step| step.fix.clone());
    let mut next: Vec<_> = fixes.filter_map(|fix| command_in_fix(&fix)).collect();
    next.dedup();
    report.next = next;
    report.ok = !matches!(verdict, VerdictKind::Cause);
    (report.verdict, report.confidence) = (verdict, confidence);
}

/// The command between backticks.
fn command_in_fix(fix: &str) -> Option<String> {
    let start = fix.find("`cfsso ")? + 1;
    let end = start + fix[start..].find('`')?;
    Some(fix[start..end].to_owned())
}

fn own<'a>(facts: &'a Facts<'_>) -> Option<&'a Connector> {
    let connectors = facts.connectors.as_ref().ok()?;
    connectors.iter().find(|known| facts.question.domain.is_named(&known.email_domain))
}

fn address<'a>(facts: &'a Facts<'_>) -> Result<Step, &'a NotChecked> {
    let id = StepId::Address;
    let Question { email, domain, .. } = facts.question;
    if let Some(email) = email
        && email.rsplit_once('@').is_some_and(|(local, _)| local.contains('+'))
        && own(facts).is_some()
    {
        let words = "it is a plus address, which cannot use SSO";
        return Ok(Step::new(id, Cause, words).fix("invite the user without the plus"));
    }
    let connectors = facts.connectors.as_ref()?;
    if own(facts).is_some() {
        return Ok(Step::new(id, Fine, format!("{domain} has a connector")));
    }
    let parent = connectors.iter().find(|known| {
        domain.ancestors().skip(1).any(|name| name.eq_ignore_ascii_case(&known.email_domain))
    });
    if let Some(parent) = parent {
        let words = format!(
            "{domain} has no connector; the one of {} does not cover it",
            parent.email_domain
        );
        return Ok(Step::new(id, Unknown, words).fix(format!("`cfsso setup {domain}`")));
    }
    let words = format!("no connector for {domain} in this account");
    Ok(Step::new(id, Unknown, words).fix("`cfsso connector list --all-accounts`"))
}

/// Also returns whether SSO is off.
fn connector(facts: &Facts<'_>) -> (Step, bool) {
    let id = StepId::Connector;
    let domain = &facts.question.domain;
    if let Err(not_checked) = facts.connectors {
        return (unread_step(id, not_checked), false);
    }
    let code = own(facts).and_then(|own| own.code());
    let foreign =
        facts.codes.iter().find(|found| Some(found.as_slice()) != code.map(str::as_bytes));
    let is_on = own(facts).is_some_and(|own| own.enabled != Some(false));
    if let (Some(foreign), false) = (foreign, is_on) {
        let words = format!(
            "another account likely has SSO enabled for {domain}: it has the TXT record {}",
            String::from_utf8_lossy(foreign).escape_debug()
        );
        let step = Step::new(id, Suspect, words);
        return (
            step.fix("ask the owner of that account, or `cfsso connector list --all-accounts`"),
            false,
        );
    }
    let Some(own) = own(facts) else {
        return (Step::new(id, Unknown, format!("no connector for {domain}")), false);
    };
    if !is_on {
        let assumed = facts.question.assume_enabled;
        let words = if assumed { ", assumed to be on" } else { "" };
        return (Step::new(id, Fine, format!("SSO is off for {domain}{words}")), !assumed);
    }
    let trial = facts.trials.iter().find(|trial| trial.connector == own.id.as_str());
    let trial = trial.map(|_| ", on trial").unwrap_or_default();
    let changed = own.updated_on.as_deref().and_then(|at| at.parse().ok());
    let changed = changed.map(|at| format!(", changed at {}", time(at))).unwrap_or_default();
    (Step::new(id, Fine, format!("SSO is on for {domain}{trial}{changed}")), false)
}

fn find_member<'a>(members: &'a [Member], email: &str) -> Option<&'a Member> {
    members.iter().find(|member| member.email().eq_ignore_ascii_case(email))
}

fn member(facts: &Facts<'_>) -> Option<Step> {
    let id = StepId::Member;
    let email = facts.question.email.as_ref()?;
    let members = match &facts.gathered.members {
        Ok(members) => members,
        Err(not_checked) => return Some(unread_step(id, not_checked)),
    };
    Some(match find_member(members, email) {
        None if facts.has_odd_members => Step::new(
            id,
            Unknown,
            format!("{email} is not among the valid members; others are invalid"),
        ),
        None => Step::new(id, Cause, "not a member of the account")
            .fix("invite the address in the dashboard: Manage Account, Members"),
        Some(member) if member.is_accepted() => {
            let roles = member.roles.iter().flatten().filter_map(|role| role.name.as_deref());
            let roles: Vec<_> = roles.collect();
            Step::new(id, Fine, format!("member: {}", roles.join(", ")))
        }
        Some(member) => {
            let status = member.status.as_deref().unwrap_or("unknown");
            Step::new(id, Cause, format!("the invitation is {status}, not accepted"))
                .fix("accept the invitation, or invite the address again")
        }
    })
}

fn sso_app<'a>(facts: &'a Facts<'_>) -> Result<Step, &'a NotChecked> {
    let id = StepId::SsoApp;
    let Some(app) = facts.gathered.sso_app()? else {
        let words = "SSO is on, but the account has no SSO App";
        let domain = &facts.question.domain;
        return Ok(Step::new(id, Cause, words).fix(format!("`cfsso bypass disable {domain}`")));
    };
    let idps = facts.gathered.idps.as_ref()?;
    let listed = app.listed_idps();
    let missing = listed.iter().filter(|id| idps.iter().all(|idp| **id != idp.id)).count();
    if missing > 0 && missing == listed.len() {
        let words =
            "the SSO App allows only identity providers that are deleted or no longer shared";
        return Ok(Step::new(id, Cause, words).fix("`cfsso app idps --only <IDP>`"));
    }
    if facts.is_mfa_forced {
        let words = "Access requires multi-factor authentication for the SSO App; users without a \
                     registered method are stopped";
        return Ok(
            Step::new(id, Suspect, words).fix("Zero Trust dashboard: Settings, Authentication")
        );
    }
    if app.is_instant() && listed.len() != 1 {
        let words = "instant authentication is on, but the SSO App does not allow exactly one identity provider";
        return Ok(Step::new(id, Suspect, words).fix("`cfsso app instant-auth off`"));
    }
    let lost = if missing > 0 {
        format!(", {missing} of them deleted or no longer shared")
    } else {
        String::new()
    };
    let count = if listed.is_empty() { "all".to_owned() } else { listed.len().to_string() };
    let organization = facts.gathered.organization.as_ref().ok();
    let is_read_only = organization.is_some_and(|it| it.is_ui_read_only == Some(true));
    let read_only = if is_read_only { "; Zero Trust is read-only in the dashboard" } else { "" };
    Ok(Step::new(id, Fine, format!("allowed identity providers: {count}{lost}{read_only}")))
}

/// Undocumented: whether MFA that Access itself requires applies to the SSO App.
pub(super) fn is_mfa_forced(gathered: &preflight::Facts) -> bool {
    let (Ok(Some(app)), Ok(organization)) = (gathered.sso_app(), &gathered.organization) else {
        return false;
    };
    let app: Value = serde_json::from_str(app.text()).unwrap_or_default();
    let organization: Value = serde_json::from_str(organization.text()).unwrap_or_default();
    let is_exempt = app["mfa_config"]["mfa_disabled"] == true;
    let is_forced = organization["mfa_required_for_all_apps"] == true && !is_exempt;
    let own = app["mfa_config"]["allowed_authenticators"].as_array();
    is_forced || own.is_some_and(|own| !own.is_empty()) && !is_exempt
}

fn admitted<'a>(facts: &'a Facts<'_>) -> Vec<&'a Idp> {
    let app = facts.gathered.sso_app().ok().flatten();
    let idps = facts.gathered.idps.as_deref().unwrap_or_default();
    idps.iter().filter(|idp| app.is_none_or(|app| app.admits(&idp.id))).collect()
}

fn policies(facts: &Facts<'_>) -> Option<Step> {
    let id = StepId::Policies;
    facts.gathered.sso_app().ok().flatten()?;
    let context = match facts.gathered.policy_context() {
        Ok(context) => context?,
        Err(not_checked) => return Some(unread_step(id, not_checked)),
    };
    if facts.gathered.idps.is_ok() && admitted(facts).is_empty() {
        return None;
    }
    let Question { email, domain, .. } = facts.question;
    let step = |state, words: String| Some(Step::new(id, state, words).fix("`cfsso app policies`"));
    let denied = |by: Option<String>| {
        let words = match by {
            Some(policy) => format!("the policy `{policy}` denies the user"),
            None => "no policy of the SSO App allows the user".to_owned(),
        };
        step(Cause, words)
    };
    let open = |policy, on| step(Unknown, format!("whether `{policy}` decides depends on {on}"));
    let Some(email) = email else {
        return match context.decide_for_domain(domain) {
            DomainDecision::Allowed { policy, except } => {
                let but = preflight::describe_except(&except);
                Some(Step::new(id, Fine, format!("`{policy}` allows{but}")))
            }
            DomainDecision::Only(emails) => {
                step(Suspect, preflight::describe_narrowed(domain, &emails))
            }
            DomainDecision::NoOne { denied_by } => denied(denied_by),
            DomainDecision::Depends { policy, on } => open(policy, on),
        };
    };
    let members = facts.gathered.members.as_ref().ok();
    let is_member = members
        .map(|members| find_member(members, email).is_some_and(|member| member.is_accepted()));
    let (idp, decision) = context.decide_for_user(Some(email), domain, is_member);
    match decision {
        Decision::Allowed(policy) => {
            let idp = idp.filter(|_| admitted(facts).len() > 1);
            let through = idp.map(|idp| format!(" through {}", idp.name)).unwrap_or_default();
            Some(Step::new(id, Fine, format!("`{policy}` allows{through}")))
        }
        Decision::Depends { policy, on } => open(policy, on),
        Decision::Denied(policy) => denied(Some(policy)),
        Decision::NoMatch => denied(None),
    }
}

fn identity_providers<'a>(facts: &'a Facts<'_>) -> Result<Step, &'a NotChecked> {
    let id = StepId::IdentityProviders;
    facts.gathered.idps.as_ref()?;
    let admitted = admitted(facts);
    if admitted.is_empty() {
        let words = "no identity provider is allowed: no user can sign in";
        return Ok(Step::new(id, Cause, words).fix("`cfsso bypass`, then `cfsso idp create`"));
    }
    let health = |idp: &Idp| {
        let health = facts.gathered.health.iter().find(|health| health.id == idp.id.as_str())?;
        let failed = health.points.as_ref()?.iter().find(|point| point.is_failure());
        Some(failed.map(|point| point.detail.clone()))
    };
    let is_checked = |idp: &&&Idp| preflight::is_company_idp(idp);
    let broken: Vec<_> =
        admitted.iter().filter(is_checked).filter_map(|idp| Some((*idp, health(idp)??))).collect();
    if let Some((idp, detail)) = broken.first() {
        let words = format!("{} does not work: {detail}", idp.name);
        // If another one works, users may still choose the broken one.
        let state = if broken.len() == admitted.len() { Cause } else { Suspect };
        let check = format!("`cfsso idp check {}`", quoted(&idp.name));
        // Access first: the repair may require the administrator of the identity provider.
        let fix = if facts.has_pin { check } else { format!("`cfsso bypass`, then {check}") };
        return Ok(Step::new(id, state, words).fix(fix));
    }
    let unknown = admitted.iter().filter(is_checked).find(|idp| health(idp).is_none());
    if let Some(idp) = unknown {
        let words = format!("{} was not checked in time", idp.name);
        return Ok(Step::new(id, Unread, words).fix(format!("`cfsso idp check {}`", idp.id)));
    }
    let names: Vec<_> = admitted.iter().map(|idp| idp.name.as_str()).collect();
    Ok(Step::new(id, Fine, format!("no problem found: {}", names.join(", "))))
}

pub(super) fn has_pin(gathered: &preflight::Facts) -> bool {
    let pins = gathered.otp_idps().unwrap_or_default();
    let pins: Vec<_> = pins.iter().map(|pin| &pin.id).collect();
    gathered.sso_app().ok().flatten().is_some_and(|app| offers_pin(app, &pins))
}

fn or_unread_step(id: StepId, step: Result<Step, &NotChecked>) -> Step {
    step.unwrap_or_else(|not_checked| unread_step(id, not_checked))
}

fn unread_step(id: StepId, not_checked: &NotChecked) -> Step {
    Step::new(id, Unread, &not_checked.reason)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::api::access_log::LoginRow;
    use crate::flow::changes::Change;
    use crate::flow::preflight::Checked;

    use crate::flow::preflight::tests::{facts, forbidden, object};

    fn row(allowed: bool, minute: u8) -> Value {
        json!({ "app_uid": "a1", "allowed": allowed, "user_email": "a@cool.cats",
            "connection": "okta", "created_at": format!("2026-03-01T12:{minute:02}:00Z") })
    }

    fn change(method: &str, path: &str, minute: u8) -> Change {
        let row = json!({ "action": { "time": format!("2026-03-01T12:{minute:02}:00Z") },
            "actor": { "email": "b@cool.cats" },
            "raw": { "method": method, "uri": format!("/client/v4/accounts/x/{path}") } });
        Change::of(&object(&row)).unwrap()
    }

    /// At 12:59.
    fn verdict(rows: Checked<Value>, changes: &Checked<Vec<Change>>) -> (VerdictKind, Confidence) {
        let question = Question {
            email: Some("a@cool.cats".to_owned()),
            domain: "cool.cats".parse().unwrap(),
            since: Duration::from_hours(1),
            assume_enabled: false,
        };
        let rows: Checked<Vec<LoginRow>> = rows.map(|rows| object(&rows));
        let mut gathered = facts();
        gathered.logins = rows.clone();
        let connectors =
            Ok(object(&json!([{ "id": "c1", "email_domain": "cool.cats", "enabled": true }])));
        let found = report(&Facts {
            question: &question,
            connectors: &connectors,
            codes: Vec::new(),
            has_odd_members: false,
            gathered: &gathered,
            is_mfa_forced: false,
            has_pin: has_pin(&gathered),
            logins: &Some(rows),
            changes,
            trials: &[],
            now: "2026-03-01T12:59:00Z".parse().unwrap(),
        });
        (found.verdict, found.confidence)
    }

    #[test]
    fn a_change_is_suspected_between_the_last_sign_in_and_the_first_that_failed() {
        use Confidence::{Certain, Likely};
        use VerdictKind::{Cause, NothingFound};
        let idp = |minute| change("PUT", "access/identity_providers/p1", minute);
        let app = |minute| change("PUT", "access/apps/a1", minute);
        let new = |minute| change("POST", "access/identity_providers", minute);
        for (rows, changes, expected) in [
            (json!([]), vec![], (NothingFound, Likely)),
            // No sign-in is known to have succeeded.
            (json!([]), vec![idp(30)], (NothingFound, Likely)),
            (json!([row(true, 20)]), vec![], (NothingFound, Certain)),
            (json!([row(true, 20)]), vec![idp(10)], (NothingFound, Certain)),
            // Changes that break sign-in without a row in the log, and others.
            (json!([row(true, 20)]), vec![idp(30)], (Cause, Likely)),
            (json!([row(true, 20)]), vec![app(30)], (NothingFound, Likely)),
            (json!([row(true, 20)]), vec![new(30)], (NothingFound, Likely)),
            (json!([row(true, 20), row(false, 40)]), vec![app(30)], (Cause, Likely)),
            (json!([row(true, 20), row(false, 40)]), vec![app(50)], (NothingFound, Likely)),
            (
                json!([row(true, 20), row(false, 40), row(true, 45)]),
                vec![app(30)],
                (NothingFound, Certain),
            ),
        ] {
            assert_eq!(verdict(Ok(rows.clone()), &Ok(changes)), expected, "{rows}");
        }
        assert_eq!(verdict(Err(forbidden()), &Ok(vec![idp(30)])), (NothingFound, Likely));
        assert_eq!(verdict(Ok(json!([row(true, 20)])), &Err(forbidden())), (NothingFound, Likely));
    }
}
