//! The sign-in chain, link by link, with the state of each. Pure.

use schemars::JsonSchema;
use serde::Serialize;

use super::{Domain, Facts, NotChecked};
use crate::api::app::App;
use crate::api::connector::{ConnectorFields as Connector, VerificationStatus};
use crate::api::idp::{Idp, IdpType};
use crate::api::policy::PolicyFields as Policy;
use crate::flow::bypass::status::{Bypass, BypassState as Standing, BypassStatus};
use crate::flow::preflight;
use crate::flow::rename::RenameInProgress;
use crate::flow::trial::keep::TrialStatus;
use crate::flow::without_repeats;
use crate::idp::config;

/// A link of the sign-in chain: an object that a sign-in passes through.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Link {
    /// The role of the object in a sign-in.
    pub role: Role,
    /// The ID of the object; `null` if the link is not a single object.
    pub id: Option<String>,
    /// The state of the link.
    pub state: LinkState,
    /// The state in one sentence.
    pub summary: String,
}

/// The role of a link in a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The SSO connector of the domain.
    Connector,
    /// The SSO App.
    App,
    /// The policy that allows the domain's users.
    Policy,
    /// An identity provider.
    Idp,
}

/// The state of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LinkState {
    /// No problem was found.
    Ok,
    /// The object does not exist yet.
    Pending,
    /// The object needs attention.
    Warning,
    /// The object blocks sign-in.
    Error,
    /// The object cannot be read.
    NotChecked,
}

pub(super) fn domain_chain(one: &Connector, facts: &Facts) -> Vec<Link> {
    let mut links = vec![connector(one), app(facts, one.is_enabled())];
    if facts.apps.as_deref().is_none_or(|apps| sso_app(apps).is_some()) {
        links.push(policy(&one.email_domain, facts.policies.as_deref(), one.is_enabled()));
    }
    links.extend(idps(facts));
    links
}

pub(super) fn shared(facts: &Facts) -> Vec<Link> {
    [app(facts, false)].into_iter().chain(idps(facts)).collect()
}

/// `None` if there are several.
pub(super) fn sso_app(apps: &[App]) -> Option<&App> {
    let mut found = apps.iter().filter(|app| app.is_dash_sso());
    found.next().filter(|_| found.next().is_none())
}

fn link(role: Role, state: LinkState, words: impl Into<String>) -> Link {
    Link { role, id: None, state, summary: words.into() }
}

fn connector(one: &Connector) -> Link {
    let (state, proof) = match one.status() {
        Some(VerificationStatus::Verified) => (LinkState::Ok, "verified".to_owned()),
        Some(VerificationStatus::Pending) => {
            (LinkState::Pending, "verification pending".to_owned())
        }
        Some(VerificationStatus::Awaiting) => {
            (LinkState::Pending, "verification not begun".to_owned())
        }
        Some(VerificationStatus::Failed) => (LinkState::Error, "verification failed".to_owned()),
        Some(VerificationStatus::Other(other)) => {
            (LinkState::Warning, format!("verification {other}"))
        }
        None => (LinkState::Warning, "verification unknown".to_owned()),
    };
    let (state, enforced) = match (one.enabled, state) {
        (Some(true), LinkState::Pending) => (LinkState::Warning, "enforced"),
        (Some(true), state) => (state, "enforced"),
        (Some(false), LinkState::Ok) => (LinkState::Pending, "not enforced"),
        (Some(false), state) => (state, "not enforced"),
        (None, _) => (LinkState::Warning, "SSO state unknown"),
    };
    let id = Some(one.id.to_string());
    Link { id, ..link(Role::Connector, state, format!("{proof}, {enforced}")) }
}

fn app(facts: &Facts, is_enabled: bool) -> Link {
    let missing = if is_enabled { LinkState::Error } else { LinkState::Pending };
    let link = |state, words: String| link(Role::App, state, words);
    let Some(apps) = &facts.apps else {
        return link(LinkState::NotChecked, "applications cannot be read".to_owned());
    };
    if facts.lacks_access {
        return link(missing, "this account has no Zero Trust organization".to_owned());
    }
    let Some(app) = sso_app(apps) else {
        let count = apps.iter().filter(|app| app.is_dash_sso()).count();
        let state = if count == 0 { missing } else { LinkState::Warning };
        return link(state, format!("{count} SSO Apps instead of one"));
    };
    let listed = app.listed_idps().len();
    let admits = match listed {
        0 => "all identity providers".to_owned(),
        1 => "one identity provider".to_owned(),
        several => format!("{several} identity providers"),
    };
    let skips = app.auto_redirect_to_identity == Some(true);
    let (state, note) = match (skips, listed) {
        (true, 1) => (LinkState::Ok, ", instant authentication"),
        // Valid with exactly one allowed identity provider (API reference, section 4).
        (true, _) => (LinkState::Warning, ", but instant authentication is on"),
        (false, _) => (LinkState::Ok, ""),
    };
    Link { id: Some(app.id.to_string()), ..link(state, format!("{admits}{note}")) }
}

fn policy<P: std::ops::Deref<Target = Policy>>(
    domain: &str,
    policies: Option<&[P]>,
    is_enabled: bool,
) -> Link {
    let link = |state, words: String| link(Role::Policy, state, words);
    let Some(policies) = policies else {
        return link(LinkState::NotChecked, "policies cannot be read".to_owned());
    };
    let allowing: Vec<_> = policies.iter().filter(|one| one.decision == "allow").collect();
    let Some(found) = allowing.iter().find(|one| policy_names_domain(one, domain)) else {
        let words = match allowing.len() {
            0 => format!("no policy allows {domain}"),
            _ => format!("no policy for {domain}; others may allow its users"),
        };
        let state = match (allowing.is_empty(), is_enabled) {
            (true, true) => LinkState::Error,
            (true, false) => LinkState::Pending,
            (false, _) => LinkState::Warning,
        };
        return link(state, words);
    };
    let is_narrowed = [&found.require, &found.exclude]
        .into_iter()
        .any(|rules| rules.as_ref().is_some_and(|rules| !rules.is_empty()));
    let (state, note) = if is_narrowed {
        (LinkState::Warning, ", with further conditions")
    } else {
        (LinkState::Ok, "")
    };
    Link { id: Some(found.id.to_string()), ..link(state, format!("{}{note}", found.name)) }
}

fn policy_names_domain(policy: &Policy, domain: &str) -> bool {
    policy.include.iter().flatten().any(|rule| match rule.kind() {
        "everyone" => true,
        "email_domain" => rule.field("domain").eq_ignore_ascii_case(domain),
        _ => false,
    })
}

fn idps(facts: &Facts) -> Vec<Link> {
    let link = |state, words: &str| link(Role::Idp, state, words);
    let Some(idps) = &facts.idps else {
        return vec![link(LinkState::NotChecked, "identity providers cannot be read")];
    };
    let app = facts.apps.as_deref().and_then(sso_app);
    let admitted: Vec<_> =
        idps.iter().filter(|idp| app.is_none_or(|app| app.admits(&idp.id))).collect();
    let mut links: Vec<_> = admitted.iter().map(|idp| seen_idp_link(idp, idps, facts)).collect();
    let listed = app.map(|app| app.listed_idps()).unwrap_or_default();
    let mut has_invalid = false;
    for id in listed.iter().filter(|id| idps.iter().all(|idp| **id != idp.id)) {
        let is_invalid = facts.invalid_idps.iter().any(|invalid| id.to_string() == *invalid);
        has_invalid |= is_invalid;
        let link = if is_invalid {
            link(LinkState::NotChecked, "allowed, but its record is invalid")
        } else {
            link(LinkState::Warning, "allowed, but deleted")
        };
        links.push(Link { id: Some(id.to_string()), ..link });
    }
    if admitted.is_empty() && has_invalid {
        // It may be what users sign in with.
    } else if admitted.is_empty() {
        links.push(link(LinkState::Error, "no existing identity provider is allowed"));
    } else if admitted.iter().all(|idp| idp.kind == IdpType::OneTimePin) {
        links.push(link(LinkState::Warning, "only one-time PIN is allowed"));
    }
    links
}

/// With the last known sign-in through it, or the last report of a user that it works.
fn seen_idp_link(idp: &Idp, all: &[Idp], facts: &Facts) -> Link {
    let mut link = idp_link(idp);
    let last = preflight::logins_through(idp, all, facts.logins.iter()).max();
    let test = facts.hand_tests.iter().find(|it| it.test.tested_idp == idp.id.as_str());
    let evidence = match (last, test) {
        (Some(at), _) => format!("last sign-in on {}", at.strftime("%Y-%m-%d")),
        (None, Some(test)) => test.describe(),
        (None, None) => return link,
    };
    link.summary = format!("{}, {evidence}", link.summary);
    link
}

fn idp_link(idp: &Idp) -> Link {
    let words = format!("{} ({})", idp.name, idp.kind.as_str());
    let config = idp.config.as_object();
    let wrong = config.and_then(|config| config::rejects_everyone(idp.kind.as_str(), config));
    let (state, words) = match wrong {
        Some(wrong) => (LinkState::Error, format!("{words}: {wrong}")),
        None => (LinkState::Ok, words),
    };
    Link { id: Some(idp.id.to_string()), ..link(Role::Idp, state, words) }
}

/// The commands to run next: first those that end interrupted trials and an active bypass;
/// then the one that continues a rename, which handles the domains itself; otherwise one per
/// domain that needs one, unless it only needs the bypass to end.
pub(super) fn next(
    domains: Option<&[Domain]>,
    (bypass, rename, trials): (&BypassStatus, Option<&RenameInProgress>, &[TrialStatus]),
    not_checked: &[NotChecked],
) -> Vec<String> {
    let is_bypassed = |domain: &Domain| {
        bypass.bypasses.iter().any(|one| {
            one.state == Standing::Active && one.target.as_ref() == Some(&domain.connector)
        })
    };
    let interrupted = trials.iter().filter(|trial| !trial.running);
    let mut commands: Vec<String> = interrupted.flat_map(TrialStatus::commands).collect();
    if bypass.active == Some(true) {
        // SSO that blocks every sign-in is not enabled again before it is repaired.
        let has_error =
            |domain: &&Domain| domain.chain.iter().any(|link| link.state == LinkState::Error);
        let bypassed = domains.unwrap_or_default().iter().filter(|domain| is_bypassed(domain));
        commands.extend(bypassed.filter(has_error).filter_map(next_step));
        // `bypass undo` would be refused; `bypass status` has the reason.
        let is_refused =
            |bypass: &Bypass| matches!(bypass.state, Standing::Changed | Standing::Blocked);
        let verb = if bypass.bypasses.iter().any(is_refused) { "status" } else { "undo" };
        commands.push(format!("cfsso bypass {verb}"));
    }
    match (rename, domains) {
        (Some(rename), _) => commands.push(rename.command.clone()),
        (None, Some([])) => commands.push("cfsso setup <DOMAIN>".to_owned()),
        (None, domains) => {
            let domains = domains.unwrap_or_default().iter();
            commands.extend(domains.filter(|domain| !is_bypassed(domain)).filter_map(next_step));
        }
    }
    if not_checked.iter().any(|gap| gap.error.is_none()) {
        commands.push("cfsso token check".to_owned());
    }
    without_repeats(commands)
}

/// The first step for a domain, in the order of the chain.
fn next_step(domain: &Domain) -> Option<String> {
    let name = &domain.domain;
    let first = domain.chain.iter().find(|link| {
        matches!(link.state, LinkState::Pending | LinkState::Warning | LinkState::Error)
            && !can_enable(domain, link)
    });
    match first {
        Some(link) => Some(match link.role {
            Role::Connector if domain.verification.as_deref() == Some("pending") => {
                format!("cfsso connector verify {name} --wait")
            }
            Role::Connector => format!("cfsso connector verify {name}"),
            Role::App => "cfsso app list".to_owned(),
            Role::Policy => "cfsso app policies".to_owned(),
            Role::Idp
                if domain.chain.iter().any(|link| link.role == Role::Idp && link.id.is_some()) =>
            {
                "cfsso app idps".to_owned()
            }
            Role::Idp => "cfsso idp types".to_owned(),
        }),
        // Another account has SSO enabled: enabling would fail once more.
        None if domain.enabling_conflicted && domain.enforced == Some(false) => {
            Some(format!("cfsso preflight {name}"))
        }
        None if domain.enforced == Some(false) => Some(format!("cfsso enable {name}")),
        None => None,
    }
}

/// A verified connector only needs to be enabled, which comes last.
fn can_enable(domain: &Domain, link: &Link) -> bool {
    link.role == Role::Connector && domain.verification.as_deref() == Some("verified")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api;

    fn read<T: serde::de::DeserializeOwned>(text: &str) -> T {
        serde_json::from_str(text).unwrap()
    }

    fn one(enabled: &str, status: &str) -> Connector {
        read(&format!(
            r#"{{"id":"c1","email_domain":"cool.cats","enabled":{enabled},"verification":{{"status":"{status}"}}}}"#
        ))
    }

    #[test]
    fn a_connector_is_well_when_it_is_verified_and_enforced() {
        for (enabled, status, state) in [
            ("true", "verified", LinkState::Ok),
            ("false", "verified", LinkState::Pending),
            ("false", "pending", LinkState::Pending),
            ("false", "awaiting", LinkState::Pending),
            ("false", "failed", LinkState::Error),
            ("true", "pending", LinkState::Warning),
            ("true", "failed", LinkState::Error),
            ("true", "new", LinkState::Warning),
            ("null", "verified", LinkState::Warning),
        ] {
            assert_eq!(connector(&one(enabled, status)).state, state, "{enabled} {status}");
        }
    }

    #[test]
    fn a_policy_has_to_name_the_domain_without_conditions() {
        let rule = r#"{"email_domain":{"domain":"COOL.cats"}}"#;
        for (policies, enabled, state) in [
            (
                format!(r#"[{{"id":"p","decision":"allow","include":[{rule}]}}]"#),
                true,
                LinkState::Ok,
            ),
            (
                r#"[{"id":"p","decision":"allow","include":[{"everyone":{}}]}]"#.into(),
                true,
                LinkState::Ok,
            ),
            (
                format!(r#"[{{"id":"p","decision":"allow","include":[{rule}],"require":[{{}}]}}]"#),
                true,
                LinkState::Warning,
            ),
            (
                format!(r#"[{{"id":"p","decision":"deny","include":[{rule}]}}]"#),
                true,
                LinkState::Error,
            ),
            (
                r#"[{"id":"p","decision":"allow","include":[{"email":{"email":"a@cool.cats"}}]}]"#
                    .into(),
                true,
                LinkState::Warning,
            ),
            ("[]".into(), true, LinkState::Error),
            ("[]".into(), false, LinkState::Pending),
        ] {
            let list: Vec<api::policy::Policy> = read(&policies);
            assert_eq!(policy("cool.cats", Some(&list), enabled).state, state, "{policies}");
        }
        let none = policy::<api::policy::Policy>("cool.cats", None, true);
        assert_eq!(none.state, LinkState::NotChecked);
    }

    #[test]
    fn an_identity_provider_that_rejects_everyone_is_wrong() {
        for (kind, config, state) in [
            ("azureAD", r#"{"directory_id":"common"}"#, LinkState::Error),
            (
                "oidc",
                r#"{"auth_url":"https://login.microsoftonline.com/common/oauth2/v2.0/authorize"}"#,
                LinkState::Error,
            ),
            ("oidc", r#"{"scopes":["openid"]}"#, LinkState::Error),
            ("oidc", r#"{"scopes":null}"#, LinkState::Ok),
        ] {
            let idp: Idp =
                read(&format!(r#"{{"id":"p","name":"P","type":"{kind}","config":{config}}}"#));
            assert_eq!(idp_link(&idp).state, state, "{kind} {config}");
        }
    }

    #[test]
    fn identity_providers_have_to_be_there_and_more_than_pins() {
        let oidc = r#"{"id":"p1","name":"Company","type":"oidc"}"#;
        let pin = r#"{"id":"p2","name":"","type":"onetimepin"}"#;
        for (there, listed, states) in [
            (format!("[{oidc},{pin}]"), "[]", vec![LinkState::Ok, LinkState::Ok]),
            (format!("[{oidc},{pin}]"), r#"["p1"]"#, vec![LinkState::Ok]),
            (format!("[{oidc},{pin}]"), r#"["p2"]"#, vec![LinkState::Ok, LinkState::Warning]),
            (format!("[{oidc}]"), r#"["p1","p9"]"#, vec![LinkState::Ok, LinkState::Warning]),
            (format!("[{oidc}]"), r#"["p9"]"#, vec![LinkState::Warning, LinkState::Error]),
            ("[]".to_owned(), "[]", vec![LinkState::Error]),
            // p8 is there, and its record is invalid.
            ("[]".to_owned(), r#"["p8"]"#, vec![LinkState::NotChecked]),
            (format!("[{oidc}]"), r#"["p1","p8"]"#, vec![LinkState::Ok, LinkState::NotChecked]),
        ] {
            let app = format!(r#"[{{"id":"a","type":"dash_sso","allowed_idps":{listed}}}]"#);
            let facts = Facts {
                apps: Some(read(&app)),
                policies: None,
                idps: Some(read(&there)),
                invalid_idps: vec!["p8".to_owned()],
                lacks_access: false,
                logins: Vec::new(),
                hand_tests: Vec::new(),
                conflicts: Vec::new(),
            };
            let seen: Vec<_> = idps(&facts).iter().map(|link| link.state).collect();
            assert_eq!(seen, states, "{there} {listed}");
        }
    }
}
