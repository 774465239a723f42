//! The checks of the policies that decide which users can sign in to the dashboard.

use std::collections::BTreeSet;

use super::facts::{Facts, NotChecked};
use super::sign_in::NO_APP;
use super::{at_domain, has_plus, names};
use crate::api::connector::Connector;
use crate::api::policy::Rule;
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId, Severity};
use crate::flow::policy_decision::{DomainDecision, PolicyContext};

const SHOW: &str = "`cfsso app policies`";

/// No command creates policies: Cloudflare makes the policy of a domain with its connector.
const ADD: &str = "in the dashboard (Zero Trust, Access controls, Applications, SSO App), add a policy \
                   that allows the email domain; `cfsso app policies` lists those there are";

pub(in crate::flow) fn allows_domain<'a>(
    domain: &EmailDomain,
    facts: &'a Facts,
) -> Result<Check, &'a NotChecked> {
    let context = facts.policy_context()?;
    let check = context.map(|context| by_policies(domain, &context, facts));
    Ok(check.unwrap_or_else(|| Check::not_checked(CheckId::PolicyAllowsDomain, NO_APP)))
}

/// That no user of the domain, or no known one, can sign in is an error.
fn by_policies(domain: &EmailDomain, context: &PolicyContext<'_>, facts: &Facts) -> Check {
    let id = CheckId::PolicyAllowsDomain;
    let members = at_domain(facts.members.as_deref().unwrap_or_default(), domain);
    // Plus addresses, which cannot use SSO, are another check's.
    let known = members.filter(|member| member.is_accepted() && !has_plus(member.email()));
    let (denied, others): (Vec<_>, Vec<_>) = known.partition(|member| {
        context.decide_for_user(Some(member.email()), domain, Some(true)).1.is_denial()
    });
    let evidence = match context.decide_for_domain(domain) {
        DomainDecision::NoOne { denied_by: Some(policy) } => {
            return Check::failed(id, format!("`{policy}` denies {domain}"), SHOW);
        }
        DomainDecision::NoOne { denied_by: None } => {
            return Check::failed(
                id,
                format!("no policy of the SSO App allows {domain}; every sign-in would be denied"),
                ADD,
            );
        }
        DomainDecision::Allowed { policy, .. } if context.excludes_company_idps(domain) => {
            format!("`{policy}` allows {domain}, but through no identity provider of the company")
        }
        DomainDecision::Allowed { policy, except } => {
            let words = format!("`{policy}` allows {domain}");
            if except.is_empty() && denied.is_empty() {
                return Check::passed(id, words);
            }
            words + &describe_except(&except)
        }
        DomainDecision::Only(emails) => describe_narrowed(domain, &emails),
        DomainDecision::Depends { policy, on } => format!(
            "whether the policy `{policy}` allows {domain} cannot be determined: it depends on {on}"
        ),
    };
    if denied.is_empty() {
        return Check::failed(id, evidence, SHOW).with_severity(Severity::Warning);
    }
    let emails = names(denied.iter().map(|member| member.email()));
    if others.is_empty() {
        let evidence = format!("{evidence}; every known member of {domain} is denied: {emails}");
        return Check::failed(id, evidence, SHOW);
    }
    Check::failed(id, format!("{evidence}; denied members: {emails}"), SHOW)
        .with_severity(Severity::Warning)
}

/// The end of a sentence; empty if no address is denied.
pub(in crate::flow) fn describe_except(emails: &[String]) -> String {
    match emails {
        [] => String::new(),
        emails => format!(", but not {}", names(emails.iter().map(String::as_str))),
    }
}

pub(in crate::flow) fn describe_narrowed(domain: &EmailDomain, emails: &[String]) -> String {
    let emails = names(emails.iter().map(String::as_str));
    format!("no policy of the SSO App allows any user of {domain} except {emails}")
}

/// Email rules for domains without a connector (API reference, section 4, limits).
pub(super) fn unsupported<'a>(
    connectors: &[Connector],
    facts: &'a Facts,
) -> Result<Check, &'a NotChecked> {
    let id = CheckId::PolicyUnsupported;
    let Some(_) = facts.sso_app()? else { return Ok(Check::not_checked(id, NO_APP)) };
    let policies = facts.policies.as_ref()?;
    let domains: BTreeSet<EmailDomain> =
        connectors.iter().filter_map(|connector| connector.email_domain.parse().ok()).collect();
    let is_foreign = |rule: &&Rule| rule.domain().is_none_or(|domain| !domains.contains(domain));
    let found: Vec<_> = policies
        .iter()
        .flat_map(|policy| {
            let foreign = policy.rules().filter(is_foreign).filter_map(Rule::email_text);
            foreign.map(|text| format!("{text} in `{}`", policy.name))
        })
        .collect();
    if found.is_empty() {
        return Ok(Check::passed(id, "policies use only domains with a connector"));
    }
    let evidence = format!(
        "email rules of domains without a connector are not supported: {}",
        names(found.iter().map(String::as_str))
    );
    Ok(Check::failed(id, evidence, SHOW))
}
