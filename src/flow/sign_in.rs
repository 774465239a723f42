//! How users sign in to the dashboard, as far as it is known without a sign-in.

use std::fmt;

use futures_util::future::join_all;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::bypass::otp::CurrentState;
use super::bypass::pin_delivery::offers_pin;
use super::preflight::{Facts, NotChecked, health};
use crate::api::connector::{Connector, ConnectorFields};
use crate::clock::Clock;
use crate::idp::Fetcher;
use crate::idp::check::IdpCheck;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignInMethod {
    Password,
    Pin,
    Provider(String),
}

impl fmt::Display for SignInMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Password => f.write_str("with a password"),
            Self::Pin => f.write_str("with a one-time PIN"),
            Self::Provider(name) => write!(f, "through {name}"),
        }
    }
}

impl Serialize for SignInMethod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// An identity provider that did not answer in time is not included.
pub fn sign_in_methods(
    connector: &ConnectorFields,
    facts: &Facts,
) -> Result<Vec<SignInMethod>, NotChecked> {
    if connector.enabled == Some(false) {
        return Ok(vec![SignInMethod::Password]);
    }
    let pins = facts.otp_idps().map_err(Clone::clone)?;
    let Some(app) = facts.sso_app().map_err(Clone::clone)? else { return Ok(Vec::new()) };
    let pins: Vec<_> = pins.iter().map(|pin| &pin.id).collect();
    let providers = facts.health.iter().filter(|one| {
        let checks = one.points.as_ref();
        checks.is_some_and(|points| points.iter().all(|point| !point.is_failure()))
    });
    let mut methods: Vec<_> =
        providers.map(|one| SignInMethod::Provider(one.name.clone())).collect();
    if offers_pin(app, &pins) {
        methods.push(SignInMethod::Pin);
    }
    Ok(methods)
}

/// `None` if one of them may work.
pub async fn failing_providers(
    state: &CurrentState,
    fetcher: &Fetcher,
    clock: &Clock,
) -> Option<Vec<String>> {
    let pins = usize::from(state.pin.is_some());
    let checks = state.allowed_idps().map(|idp| health(fetcher, idp, pins, clock));
    let failing = join_all(checks).await.into_iter().map(|one| {
        let failed = one.points?.into_iter().find(IdpCheck::is_failure)?;
        Some(format!("{}: {}", one.name, failed.detail))
    });
    failing.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}

/// How the users of a domain can sign in according to the configuration. Whether
/// an identity provider works is not checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DomainSignIn {
    /// The email domain.
    pub domain: String,
    /// Whether SSO is enabled; `null` if the API does not report it.
    pub enabled: Option<bool>,
    /// The sign-in methods, worded to follow "users sign in"; `null` if not checked, or if the
    /// domain is not verified here: another account can have SSO enabled for it.
    #[schemars(with = "Option<Vec<String>>")]
    pub methods: Option<Vec<SignInMethod>>,
    #[serde(skip)]
    is_unverified: bool,
}

pub fn allowed_methods(
    connectors: &[Connector],
    state: Option<&CurrentState>,
) -> Vec<DomainSignIn> {
    let through_app = state.map(|state| {
        let providers = state.allowed_idps().map(|idp| SignInMethod::Provider(idp.name.clone()));
        providers.chain(state.offers_pin().then_some(SignInMethod::Pin)).collect::<Vec<_>>()
    });
    let of = |connector: &Connector| {
        let methods = match connector.enabled {
            Some(false) if !connector.is_verified() => None,
            Some(false) => Some(vec![SignInMethod::Password]),
            _ => through_app.clone(),
        };
        let is_unverified = connector.enabled == Some(false) && !connector.is_verified();
        let domain = connector.email_domain.clone();
        DomainSignIn { domain, enabled: connector.enabled, methods, is_unverified }
    };
    connectors.iter().map(of).collect()
}

/// One line for each group of domains with the same methods.
pub fn describe_methods(all: &[DomainSignIn]) -> Vec<String> {
    let mut groups: Vec<(&DomainSignIn, Vec<&str>)> = Vec::new();
    let key = |one: &DomainSignIn| (one.methods.clone(), one.is_unverified);
    for one in all {
        match groups.iter_mut().find(|(first, _)| key(first) == key(one)) {
            Some((_, domains)) => domains.push(&one.domain),
            None => groups.push((one, vec![&one.domain])),
        }
    }
    let lines = groups.into_iter().map(|(one, domains)| {
        let how = match one.methods.as_deref() {
            None if one.is_unverified => {
                "SSO is off here, but another account can have it enabled: the domain is not \
                 verified here"
                    .to_owned()
            }
            None => "sign-in not checked".to_owned(),
            Some([]) => "no user can sign in: nothing is allowed".to_owned(),
            Some(methods) => {
                let texts: Vec<_> = methods.iter().map(ToString::to_string).collect();
                let is_tested = methods == [SignInMethod::Password];
                let note = if is_tested { "" } else { " (not tested)" };
                format!("users sign in {}{note}", texts.join(" or "))
            }
        };
        format!("{}: {how}", domains.join(", "))
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;
    use crate::flow::policy_decision::References;
    use crate::flow::preflight::Health;
    use crate::idp::check::{CheckOptions, Subject, offline};

    fn not_checked<T>() -> Result<T, NotChecked> {
        Err(NotChecked { kind: ErrorKind::Forbidden, reason: "no".to_owned() })
    }

    /// A provider fails if its configuration names no key set.
    fn facts(allowed: &str, instant: bool, idps: &[&str], healthy: Option<bool>) -> Facts {
        let idp = |kind: &&str| {
            let text =
                format!(r#"{{"id":"{kind}","name":"{kind}","type":"{kind}","config":{{}}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let app = format!(
            r#"{{"id":"a","name":"S","type":"dash_sso","allowed_idps":[{allowed}],
                "auto_redirect_to_identity":{instant},
                "policies":[{{"decision":"allow","include":[{{"everyone":{{}}}}]}}]}}"#
        );
        let points = healthy.map(|healthy| {
            let config = serde_json::from_str(if healthy {
                "{}"
            } else {
                r#"{"auth_url":"http://sso.example/"}"#
            });
            let kind = if healthy { "okta" } else { "oidc" };
            let config = config.unwrap();
            let thresholds = CheckOptions::new(jiff::Timestamp::UNIX_EPOCH, 1);
            let points = offline(Subject::new(kind, &config), &thresholds);
            points.into_iter().filter(|point| !healthy || !point.is_failure()).collect()
        });
        let health = Health { name: "oidc".to_owned(), id: "oidc".to_owned(), points };
        Facts {
            account: "0123456789abcdef0123456789abcdef".parse().unwrap(),
            references: References::default(),
            organization: not_checked(),
            idps: Ok(idps.iter().map(idp).collect()),
            health: vec![health],
            apps: Ok(vec![serde_json::from_str(&app).unwrap()]),
            policies: not_checked(),
            members: not_checked(),
            logins: not_checked(),
            users: not_checked(),
            identities: Vec::new(),
            hand_tests: Vec::new(),
            audit_log: None,
            token: not_checked(),
            recovery: None,
        }
    }

    fn methods(enabled: &str, facts: &Facts) -> String {
        let text = format!(r#"{{"id":"c","email_domain":"cool.cats","enabled":{enabled}}}"#);
        let connector = serde_json::from_str(&text).unwrap();
        let methods = sign_in_methods(&connector, facts).unwrap();
        methods.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn people_get_in_by_what_is_admitted_offered_and_works() {
        const PIN: &str = "with a one-time PIN";
        let both = ["oidc", "onetimepin"];
        for (enabled, allowed, instant, idps, healthy, expected) in [
            ("false", r#""oidc""#, true, &both[..], Some(false), "with a password"),
            ("true", r#""oidc""#, true, &both, Some(true), "through oidc"),
            ("true", r#""oidc""#, true, &both, Some(false), ""),
            ("true", r#""oidc""#, true, &both, None, ""),
            ("null", r#""oidc""#, false, &both, Some(false), ""),
            ("true", "", false, &both, Some(false), PIN),
            ("true", "", false, &both[..1], Some(false), ""),
            ("true", r#""oidc","onetimepin""#, false, &both, Some(false), PIN),
            ("true", r#""oidc","onetimepin""#, true, &both, Some(false), ""),
            ("true", r#""onetimepin""#, true, &both, Some(false), PIN),
        ] {
            let facts = facts(allowed, instant, idps, healthy);
            assert_eq!(
                methods(enabled, &facts),
                expected,
                "{enabled} {allowed} {instant} {healthy:?}"
            );
        }
    }

    #[test]
    fn domains_with_the_same_sign_in_share_a_line() {
        let connector = |domain: &str, enabled: &str| -> Connector {
            let text = format!(r#"{{"id":"c","email_domain":"{domain}",{enabled}}}"#);
            serde_json::from_str(&text).unwrap()
        };
        let connectors = [
            connector("a.example", r#""enabled":true"#),
            connector("b.example", r#""enabled":false,"verification":{"status":"verified"}"#),
            connector("c.example", r#""enabled":null"#),
            connector("d.example", r#""enabled":false,"verification":{"status":"pending"}"#),
        ];
        let idps = ["okta", "onetimepin"].map(|kind| {
            let text =
                format!(r#"{{"id":"{kind}","name":"{kind}","type":"{kind}","config":{{}}}}"#);
            serde_json::from_str(&text).unwrap()
        });
        let off = "b.example: users sign in with a password";
        let elsewhere = "d.example: SSO is off here, but another account can have it enabled: the \
                         domain is not verified here";
        for (allowed, expected) in [
            (
                Some("[]"),
                "a.example, c.example: users sign in through okta or with a one-time PIN (not tested)",
            ),
            (Some(r#"["okta"]"#), "a.example, c.example: users sign in through okta (not tested)"),
            (Some(r#"["gone"]"#), "a.example, c.example: no user can sign in: nothing is allowed"),
            (None, "a.example, c.example: sign-in not checked"),
        ] {
            let state = allowed.map(|allowed| CurrentState {
                app: serde_json::from_str(&format!(
                    r#"{{"id":"a","name":"S","type":"dash_sso","allowed_idps":{allowed},
                        "policies":[{{"decision":"allow","include":[{{"everyone":{{}}}}]}}]}}"#
                ))
                .unwrap(),
                idps: idps.to_vec(),
                pin: Some("onetimepin".parse().unwrap()),
            });
            let lines = describe_methods(&allowed_methods(&connectors, state.as_ref()));
            assert_eq!(lines, [expected, off, elsewhere]);
        }
    }

    #[test]
    fn what_may_not_be_read_is_no_way_in_and_no_lockout() {
        let connector = serde_json::from_str(r#"{"id":"c","email_domain":"d","enabled":true}"#);
        let facts = Facts { apps: not_checked(), ..facts("", false, &[], None) };
        assert!(sign_in_methods(&connector.unwrap(), &facts).is_err());
    }
}
