//! The checks of the policies that decide which users can sign in to the dashboard.

use serde_json::Value;
use serde_json::value::RawValue;

use super::facts::Facts;
use super::names;
use super::sign_in::sign_in;
use crate::api::connector::Connector;
use crate::api::policy::{Policy, PolicyFields};
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId, Severity};

const SHOW: &str = "`cfsso app policies`";

/// No command creates policies: Cloudflare makes the policy of a domain with its connector.
const ADD: &str = "in the dashboard (Zero Trust, Access controls, Applications, SSO App), add a policy \
                   that allows the email domain; `cfsso app policies` lists those there are";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Coverage {
    None,
    /// Part of the domain, or unknown, as for groups, claims and countries.
    Partial,
    Full,
}

pub(super) fn allows_domain(domain: &EmailDomain, facts: &Facts) -> Check {
    let id = CheckId::PolicyAllowsDomain;
    if let Err(check) = sign_in(id, facts) {
        return check;
    }
    match &facts.policies {
        Ok(policies) => by_policies(domain, policies),
        Err(not_checked) => Check::not_checked(id, &not_checked.reason),
    }
}

/// The first policy that covers the whole domain decides; earlier ones leave a doubt.
fn by_policies(domain: &EmailDomain, policies: &[Policy]) -> Check {
    let id = CheckId::PolicyAllowsDomain;
    let mut ordered: Vec<_> = policies.iter().collect();
    ordered.sort_by_key(|policy| policy.precedence.unwrap_or(i64::MAX));
    let mut doubt = None;
    for policy in ordered {
        match (policy.decision.as_str(), cover(policy, domain)) {
            ("allow", Coverage::Full) if doubt.is_none() => {
                return Check::passed(id, format!("`{}` allows {domain}", policy.name));
            }
            ("allow", Coverage::Full) => break,
            ("deny", Coverage::Full) if doubt.is_none() => {
                let evidence = format!("`{}` denies {domain}", policy.name);
                return Check::failed(id, evidence, SHOW);
            }
            (_, Coverage::None) | ("non_identity", _) => {}
            _ => {
                doubt.get_or_insert(policy);
            }
        }
    }
    let Some(policy) = doubt else {
        return Check::failed(
            id,
            format!("no policy of the SSO App allows {domain}; every sign-in would be denied"),
            ADD,
        );
    };
    let evidence = format!(
        "whether the policy `{}` allows {domain} cannot be determined from its rules",
        policy.name
    );
    Check::failed(id, evidence, SHOW).with_severity(Severity::Warning)
}

fn cover(policy: &PolicyFields, domain: &EmailDomain) -> Coverage {
    let each = |rules: &Option<Vec<Box<RawValue>>>| -> Vec<Coverage> {
        rules.iter().flatten().map(|rule| rule_coverage(rule, domain)).collect()
    };
    let included = each(&policy.include).into_iter().max().unwrap_or(Coverage::None);
    let required = each(&policy.require).into_iter().min().unwrap_or(Coverage::Full);
    let kept = match each(&policy.exclude).into_iter().max().unwrap_or(Coverage::None) {
        Coverage::None => Coverage::Full,
        Coverage::Partial => Coverage::Partial,
        Coverage::Full => Coverage::None,
    };
    included.min(required).min(kept)
}

/// API reference, section 4. An unknown rule may cover some of the domain.
fn rule_coverage(rule: &RawValue, domain: &EmailDomain) -> Coverage {
    let rule: Value = serde_json::from_str(rule.get()).unwrap_or_default();
    if rule.get("everyone").is_some() {
        return Coverage::Full;
    }
    if let Some(named) = rule["email_domain"]["domain"].as_str() {
        return if is(named, domain) { Coverage::Full } else { Coverage::None };
    }
    if let Some(address) = rule["email"]["email"].as_str() {
        return if is(domain_of(address), domain) { Coverage::Partial } else { Coverage::None };
    }
    if rule.get("service_token").is_some() || rule.get("any_valid_service_token").is_some() {
        return Coverage::None;
    }
    Coverage::Partial
}

/// Email rules for domains without a connector (API reference, section 4, limits).
pub(super) fn unsupported(connectors: &[Connector], facts: &Facts) -> Check {
    let id = CheckId::PolicyUnsupported;
    if let Err(check) = sign_in(id, facts) {
        return check;
    }
    let policies = match &facts.policies {
        Ok(policies) => policies,
        Err(not_checked) => return Check::not_checked(id, &not_checked.reason),
    };
    let domains: Vec<EmailDomain> =
        connectors.iter().filter_map(|connector| connector.email_domain.parse().ok()).collect();
    let found: Vec<_> =
        policies.iter().flat_map(|policy| foreign_domains(policy, &domains)).collect();
    if found.is_empty() {
        return Check::passed(id, "policies use only domains with a connector");
    }
    let evidence = format!(
        "email rules of domains without a connector are not supported: {}",
        names(found.iter().map(String::as_str))
    );
    Check::failed(id, evidence, SHOW)
}

fn foreign_domains(policy: &PolicyFields, domains: &[EmailDomain]) -> Vec<String> {
    let rules = [&policy.include, &policy.require, &policy.exclude];
    let rules = rules.into_iter().flatten().flatten();
    let named = rules.filter_map(|rule| {
        let rule: Value = serde_json::from_str(rule.get()).ok()?;
        let whole = rule["email_domain"]["domain"].as_str();
        whole.or(rule["email"]["email"].as_str()).map(str::to_owned)
    });
    let is_strange = |text: &String| !domains.iter().any(|domain| is(domain_of(text), domain));
    named.filter(is_strange).map(|text| format!("{text} in `{}`", policy.name)).collect()
}

fn domain_of(text: &str) -> &str {
    text.rsplit_once('@').map_or(text, |(_, domain)| domain)
}

fn is(text: &str, domain: &EmailDomain) -> bool {
    text.parse::<EmailDomain>().is_ok_and(|named| named == *domain)
}
