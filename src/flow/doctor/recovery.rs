//! Whether both bypasses would work in a lockout.

use super::{Audit, Finding, assemble_audit, audits};
use crate::api::connector::Connector;
use crate::api::odd::OddRecord;
use crate::domain::EmailDomain;
use crate::flow::bypass::pin_delivery::delivery_problems;
use crate::flow::check::{Check, CheckId, CheckState, Severity};
use crate::flow::policy_decision::{Applicant, Decision};
use crate::flow::preflight::{self, Checked, Facts, Sources, Thresholds};
use crate::flow::{Env, Error, connector};

pub struct RecoveryFacts {
    pub connectors: Checked<Vec<Connector>>,
    pub facts: Facts,
}

/// Fails if the connectors cannot be read, except for a missing permission.
pub async fn read_recovery(env: &Env<'_>, sources: &Sources) -> Result<RecoveryFacts, Error> {
    let (connectors, facts) =
        tokio::join!(connector::list(env), Box::pin(preflight::gather(env, sources)));
    Ok(RecoveryFacts { connectors: preflight::unless_forbidden(connectors)?, facts })
}

/// `odd` are records that could not be parsed.
pub fn check_recovery(read: &RecoveryFacts, thresholds: &Thresholds, odd: &[OddRecord]) -> Audit {
    let RecoveryFacts { connectors, facts } = read;
    let of = |check: Check, severity| Finding::from_check(check.with_severity(severity), true);
    let mut findings = Vec::new();
    for check in preflight::account_checks(facts) {
        match check.id {
            CheckId::SsoAppPresent => findings.push(of(check, Severity::Warning)),
            CheckId::FallbackLogin => {
                let check = pin_for_admins(check, facts);
                findings.push(of(check, Severity::Warning));
            }
            _ => {}
        }
    }
    match connectors {
        Err(not_checked) => {
            let detail = format!("this token cannot disable SSO: {}", not_checked.reason);
            let fix = "create a token with the permission SSO Connector Write";
            let check = Check::failed(CheckId::RecoveryToken, detail, fix);
            findings.push(of(check, Severity::Error));
        }
        Ok(all) => {
            let looked_at: Vec<_> = all.iter().map(|one| &**one).collect();
            let checks =
                preflight::connector_checks(all, &looked_at, facts, thresholds).into_iter();
            let token = checks.filter(|check| check.id == CheckId::RecoveryToken);
            findings.extend(token.map(|check| of(check, Severity::Error)));
            let enabled = all.iter().filter(|one| one.is_enabled());
            findings.extend(enabled.flat_map(|one| {
                let domain = one.email_domain.parse::<EmailDomain>().ok();
                let checks = domain.into_iter().flat_map(|domain| {
                    let policy = preflight::allows_domain(&domain, facts);
                    let admin = preflight::super_admin(&domain, facts);
                    [
                        Check::or_not_checked(CheckId::PolicyAllowsDomain, policy),
                        Check::or_not_checked(CheckId::MembersSuperAdmin, admin),
                    ]
                });
                checks.map(|check| Finding::from_check(check, true).for_domain(&one.email_domain))
            }));
        }
    }
    findings.push(audits::records(odd));
    assemble_audit(connectors.as_deref().ok(), |one| one, findings)
}

/// Failed if no policy allows a super administrator to sign in with a PIN.
fn pin_for_admins(check: Check, facts: &Facts) -> Check {
    let id = CheckId::FallbackLogin;
    let app = facts.sso_app().ok().flatten();
    let (Some(app), Ok(pins)) = (app, facts.otp_idps()) else { return check };
    let problems = delivery_problems(app.text(), pins.first().map(|pin| &pin.id));
    if problems.admits_nobody {
        return Check::failed(id, problems.texts.join("; "), "`cfsso app policies`");
    }
    let (Some(pin), Ok(members), Ok(Some(context))) =
        (pins.first(), &facts.members, facts.policy_context())
    else {
        return check;
    };
    let supers = members.iter().filter(|it| it.is_active_super_administrator());
    let decisions: Vec<_> = supers
        .filter_map(|member| {
            let (_, domain) = member.email().rsplit_once('@')?;
            let who = Applicant {
                email: Some(member.email()),
                domain: &domain.parse().ok()?,
                idp: Some(pin.id.as_str()),
                account: facts.account.as_str(),
                is_member: Some(true),
            };
            Some((member.email(), context.decide(who)))
        })
        .collect();
    if !decisions.is_empty() && decisions.iter().all(|(_, decision)| decision.is_denial()) {
        let all = preflight::names(decisions.iter().map(|(email, _)| *email));
        let detail = format!("no policy allows a super administrator to use a PIN: {all}");
        return Check::failed(id, detail, "`cfsso app policies`");
    }
    let allowed = decisions.iter().filter(|(_, it)| matches!(it, Decision::Allowed(_)));
    let allowed: Vec<_> = allowed.map(|(email, _)| *email).collect();
    if check.state != CheckState::Passed || allowed.is_empty() {
        return check;
    }
    let detail = format!("{}; super admins: {}", check.detail, preflight::names(allowed));
    Check::passed(id, detail)
}
