//! Evaluates the fetched facts. No I/O.

use anyhow::Chain;
use serde_json::{Map, Value};
use url::Url;

use super::facts::{Facts, JwksFailure};
use super::plan::{Confidence, ExpectedIssuer, Plan, text};
use super::result::{IdpCheck, IdpCheckId};
use super::{CheckOptions, DASHBOARD, Subject, saml};
use crate::idp::config::{self, FieldProblem, Purpose};
use crate::idp::discovery::{Discovery, DiscoveryError};
use crate::idp::fetch::FetchError;
use crate::idp::issuer::Issuer;
use crate::idp::jwks::Jwks;
use crate::idp::kind::{self, IdpTypeSpec};

pub(super) fn evaluate(
    subject: Subject<'_>,
    plan: &Plan,
    facts: &Facts,
    options: &CheckOptions,
) -> Vec<IdpCheck> {
    let kind = kind::find(subject.kind);
    if subject.is_shared {
        let detail = "in the account that shares it; not visible here";
        return vec![IdpCheck::not_proven(IdpCheckId::Configuration, detail), login(kind)];
    }
    let mut points: Vec<IdpCheck> =
        kind.map(|kind| configuration(kind, subject.config)).into_iter().collect();
    match kind.map_or("", |kind| kind.name) {
        "onetimepin" => points.push(one_time_pin(options.one_time_pins)),
        "saml" => points.extend(saml::certificates(subject.config, options)),
        _ => {}
    }
    if let (Some(expected), Some((issuer, found))) = (&plan.issuer, &facts.discovery) {
        points.extend(document(expected, issuer, found, subject.config));
        if let (Ok(found), true) = (found, plan.certs.is_some()) {
            points.push(same_endpoints(expected, found, subject.config));
        }
    }
    if let Some((url, found)) = &facts.keys {
        points.push(keys(url, found));
    }
    points.extend(facts.endpoints.iter().map(|(id, url, found)| endpoint(*id, url, found)));
    points.push(login(kind));
    points
}

fn configuration(kind: &IdpTypeSpec, config: &Map<String, Value>) -> IdpCheck {
    let wrong: Vec<_> = config::problems(kind, config, Purpose::Update)
        .into_iter()
        // The API may hide certificates (API reference, section 3).
        .filter(|invalid| {
            invalid.field != "idp_public_certs"
                || !matches!(invalid.wrong, FieldProblem::Missing { .. })
        })
        .map(|invalid| invalid.to_string())
        .collect();
    if wrong.is_empty() {
        if let Some(claim) = config::claim_without_email_scope(kind.name, config) {
            let detail =
                format!("the scope `email` is not requested: only the claim `{claim}` names users");
            return IdpCheck::failed(IdpCheckId::Configuration, detail)
                .warning()
                .remedy("add `email` with `cfsso idp update --scopes`, or test a sign-in");
        }
        return IdpCheck::proven(
            IdpCheckId::Configuration,
            format!("complete for type `{}`", kind.name),
        );
    }
    IdpCheck::failed(IdpCheckId::Configuration, wrong.join("; "))
        .certain(true)
        .remedy("set the fields with `cfsso idp update`")
}

fn one_time_pin(count: usize) -> IdpCheck {
    match count {
        1 => IdpCheck::proven(IdpCheckId::SingleOtp, "the account has one one-time PIN"),
        0 => IdpCheck::failed(IdpCheckId::SingleOtp, "the account has no one-time PIN")
            .remedy("create it with `cfsso idp create onetimepin`"),
        more => IdpCheck::failed(
            IdpCheckId::SingleOtp,
            format!("the account has {more} one-time PINs, but only one can be used"),
        )
        .remedy("delete the others with `cfsso idp delete`"),
    }
}

fn document(
    expected: &ExpectedIssuer,
    asked: &Issuer,
    found: &Result<Discovery, DiscoveryError>,
    config: &Map<String, Value>,
) -> Vec<IdpCheck> {
    let url = asked.document();
    let answers = || IdpCheck::proven(expected.check_id, format!("`{url}` responds"));
    match found {
        Ok(found) => {
            let mut there = answers();
            if !found.notes.is_empty() {
                there.detail = format!("{}; {}", there.detail, found.notes.join("; "));
            }
            vec![there, issuer(expected, found, config)]
        }
        Err(error @ DiscoveryError::Fetch { source, .. }) => {
            vec![not_fetched(expected, &url, &error_chain(error), source)]
        }
        Err(error @ DiscoveryError::NotADocument { .. }) => {
            vec![failure_by_confidence(expected, expected.check_id, &error.to_string())]
        }
        Err(
            error @ (DiscoveryError::IssuerMismatch { .. } | DiscoveryError::MultiTenant { .. }),
        ) => {
            vec![answers(), failure_by_confidence(expected, IdpCheckId::Issuer, &error.to_string())]
        }
    }
}

fn issuer(expected: &ExpectedIssuer, found: &Discovery, config: &Map<String, Value>) -> IdpCheck {
    match expected.certainty {
        Confidence::Known => {
            IdpCheck::proven(IdpCheckId::Issuer, format!("the issuer is `{}`", found.issuer))
        }
        // At the expected URL, with the configured endpoints: it is the issuer's document.
        Confidence::Guessed if other_endpoints(found, config).is_empty() => IdpCheck::proven(
            IdpCheckId::Issuer,
            format!("issuer `{}` has these endpoints", found.issuer),
        ),
        Confidence::Guessed => IdpCheck::not_proven(
            IdpCheckId::Issuer,
            format!("issuer `{}` (the configuration has none to compare)", found.issuer),
        ),
    }
}

fn not_fetched(
    expected: &ExpectedIssuer,
    url: &Url,
    evidence: &str,
    source: &FetchError,
) -> IdpCheck {
    if source.was_not_sent() {
        return IdpCheck::not_proven(expected.check_id, evidence)
            .remedy(format!("open `{url}` in a browser"));
    }
    let point = failure_by_confidence(expected, expected.check_id, evidence);
    // The response of Okta and Entra for unknown tenants.
    let is_none = matches!(source, FetchError::Status { status: 400 | 404, .. });
    match expected.check_id {
        IdpCheckId::Tenant if is_none => {
            point.remedy("`cfsso idp update` with an existing account or directory")
        }
        _ => point.remedy(format!("open `{url}` in a browser")),
    }
}

/// A failure if the URL is known; not tested if it was guessed.
fn failure_by_confidence(expected: &ExpectedIssuer, id: IdpCheckId, evidence: &str) -> IdpCheck {
    match expected.certainty {
        Confidence::Known => IdpCheck::failed(id, evidence),
        Confidence::Guessed => IdpCheck::not_proven(id, evidence),
    }
}

fn other_endpoints(found: &Discovery, config: &Map<String, Value>) -> Vec<String> {
    let pairs = [
        ("auth_url", &found.auth_url),
        ("token_url", &found.token_url),
        ("certs_url", &found.certs_url),
    ];
    pairs
        .into_iter()
        .filter(|(field, url)| {
            text(config, field).and_then(|text| Url::parse(text).ok()).as_ref() != Some(*url)
        })
        .map(|(field, url)| format!("`{field}` is `{url}` in the discovery document"))
        .collect()
}

fn same_endpoints(
    expected: &ExpectedIssuer,
    found: &Discovery,
    config: &Map<String, Value>,
) -> IdpCheck {
    let others = other_endpoints(found, config);
    if others.is_empty() {
        let evidence = "endpoints match the discovery document";
        return IdpCheck::proven(IdpCheckId::EndpointsMatch, evidence);
    }
    // Other endpoints may work nevertheless, especially old ones.
    failure_by_confidence(expected, IdpCheckId::EndpointsMatch, &others.join("; "))
        .warning()
        .remedy("set them with `cfsso idp update`")
}

fn keys(url: &Url, found: &Result<Jwks, JwksFailure>) -> IdpCheck {
    let jwks = match found {
        Ok(jwks) => jwks,
        Err(JwksFailure::Fetch(failure)) if failure.was_not_sent() => {
            return IdpCheck::not_proven(IdpCheckId::Jwks, error_chain(failure));
        }
        Err(JwksFailure::Fetch(failure)) => {
            return IdpCheck::failed(IdpCheckId::Jwks, error_chain(failure))
                .remedy(format!("open `{url}` in a browser"));
        }
        Err(error @ JwksFailure::Invalid(_)) => {
            return IdpCheck::failed(IdpCheckId::Jwks, format!("`{url}`: {error}"))
                .remedy("set `certs_url` to the `jwks_uri` of the discovery document");
        }
    };
    let unusable: Vec<_> = jwks.rejected.iter().map(ToString::to_string).collect();
    if jwks.valid.is_empty() {
        let reason =
            if unusable.is_empty() { "it is empty".to_owned() } else { unusable.join("; ") };
        // Cloudflare may accept short keys, expired ones and algorithms that are new.
        let is_certain = jwks.rejected.iter().all(|key| key.reason.is_certain());
        return IdpCheck::failed(
            IdpCheckId::Jwks,
            format!("no key of `{url}` can verify signatures: {reason}"),
        )
        .certain(is_certain)
        .remedy("add a signing key to the application at the identity provider");
    }
    let keys = format!("valid keys: {}", jwks.valid.join(", "));
    IdpCheck::proven(IdpCheckId::Jwks, [&[keys][..], &jwks.notes].concat().join("; "))
}

/// Any response counts: without a valid login request, most endpoints return 400 or higher.
fn endpoint(id: IdpCheckId, url: &Url, found: &Result<u16, FetchError>) -> IdpCheck {
    let answered = |status: &u16| format!("`{}`: HTTP {status}", short(url));
    match found {
        Err(failure)
            if failure.was_not_sent() && !matches!(failure, FetchError::PlainHttp { .. }) =>
        {
            IdpCheck::not_proven(id, error_chain(failure))
        }
        Err(failure) => IdpCheck::failed(id, error_chain(failure)),
        Ok(status @ 500..) => IdpCheck::failed(id, answered(status)),
        Ok(status @ (404 | 410)) if id == IdpCheckId::AuthEndpoint => {
            IdpCheck::failed(id, answered(status)).remedy("set `auth_url` with `cfsso idp update`")
        }
        // Some endpoints return these for everything but POST.
        Ok(status @ (404 | 410)) => IdpCheck::not_proven(id, answered(status)),
        Ok(status) => IdpCheck::proven(id, answered(status)),
    }
}

/// Without the query, which may contain private data.
fn short(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

fn error_chain(error: &(dyn std::error::Error + 'static)) -> String {
    Chain::new(error).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn login(kind: Option<&IdpTypeSpec>) -> IdpCheck {
    let evidence = match kind.map(|kind| kind.name) {
        Some("onetimepin") => "email delivery of the PIN is not tested",
        _ => "a real sign-in is not tested",
    };
    IdpCheck::not_proven(IdpCheckId::SignIn, evidence).remedy(format!(
        "use Test at {DASHBOARD} (Zero Trust, Integrations, \
         Identity providers)"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::result::CheckState;
    use super::*;
    use crate::idp::jwks;

    fn url() -> Url {
        "https://a.cats/authorize?secret=1".parse().unwrap()
    }

    fn offline(kind: &str, config: &Value, one_time_pins: usize) -> Vec<IdpCheck> {
        let subject = Subject::new(kind, config.as_object().unwrap());
        let options = CheckOptions::new(jiff::Timestamp::UNIX_EPOCH, one_time_pins);
        evaluate(subject, &Plan::default(), &Facts::default(), &options)
    }

    #[test]
    fn a_login_is_never_proven() {
        for kind in kind::all().iter().map(|kind| kind.name).chain(["retina-scan"]) {
            let found = offline(kind, &json!({}), 1);
            let last = found.last().unwrap();
            assert_eq!(
                (last.id, last.state),
                (IdpCheckId::SignIn, CheckState::NotTested),
                "{kind}"
            );
            assert!(last.fix.as_ref().unwrap().contains(DASHBOARD));
        }
        assert_eq!(offline("retina-scan", &json!({ "new": 1 }), 1).len(), 1);
    }

    #[test]
    fn what_another_account_shares_is_configured_there() {
        let shared = r#"{"id":"p1","name":"Okta","type":"okta","read_only":true,"config":{}}"#;
        let shared: crate::api::idp::Idp = serde_json::from_str(shared).unwrap();
        let options = CheckOptions::new(jiff::Timestamp::UNIX_EPOCH, 1);
        let found = evaluate(Subject::of(&shared), &Plan::default(), &Facts::default(), &options);
        let states: Vec<_> = found.iter().map(|check| (check.id, check.state)).collect();
        let expected =
            [IdpCheckId::Configuration, IdpCheckId::SignIn].map(|id| (id, CheckState::NotTested));
        assert_eq!(states, expected);
    }

    #[test]
    fn there_is_one_one_time_pin_provider() {
        for (count, state) in
            [(0, CheckState::Failed), (1, CheckState::Passed), (2, CheckState::Failed)]
        {
            let found = offline("onetimepin", &json!({}), count);
            assert_eq!((found[1].id, found[1].state), (IdpCheckId::SingleOtp, state));
        }
    }

    #[test]
    fn what_a_type_needs_is_looked_for_but_not_its_secret() {
        let account = json!({ "client_id": "a", "okta_account": "https://a.okta.com" });
        assert_eq!(offline("okta", &account, 1)[0].state, CheckState::Passed);
        let found = offline("okta", &json!({ "client_id": "a", "okta_account": "http://a" }), 1);
        assert!(found[0].is_failure() && found[0].detail.contains("`https://`"), "{found:?}");
        let saml = json!({ "sso_target_url": "https://a.cats/", "issuer_url": "a" });
        assert_eq!(
            offline("saml", &saml, 1)[0].state,
            CheckState::Passed,
            "certificates are not shown"
        );
    }

    #[test]
    fn an_endpoint_that_refuses_answers_all_the_same() {
        use IdpCheckId::{AuthEndpoint, SsoEndpoint, TokenEndpoint};
        for (id, status, state) in [
            (AuthEndpoint, 200, CheckState::Passed),
            (AuthEndpoint, 302, CheckState::Passed),
            (AuthEndpoint, 400, CheckState::Passed),
            (AuthEndpoint, 404, CheckState::Failed),
            (TokenEndpoint, 405, CheckState::Passed),
            (TokenEndpoint, 404, CheckState::NotTested),
            (SsoEndpoint, 410, CheckState::NotTested),
            (SsoEndpoint, 500, CheckState::Failed),
            (TokenEndpoint, 503, CheckState::Failed),
        ] {
            let point = endpoint(id, &url(), &Ok(status));
            assert_eq!((point.id, point.state), (id, state), "{status}");
            assert!(!point.detail.contains("secret"), "{}", point.detail);
        }
    }

    #[test]
    fn what_was_not_asked_is_not_proven_and_what_did_not_answer_failed() {
        let host = "a.cats".to_owned();
        let private =
            FetchError::PrivateAddress { host: host.clone(), address: [10, 0, 0, 1].into() };
        let plain = FetchError::PlainHttp { url: "http://a.cats".to_owned() };
        let no_connection =
            FetchError::Unreachable { host, reason: "connection refused".to_owned() };
        for (failure, state) in [
            (private, CheckState::NotTested),
            (plain, CheckState::Failed),
            (no_connection, CheckState::Failed),
        ] {
            let point = endpoint(IdpCheckId::TokenEndpoint, &url(), &Err(failure));
            assert_eq!(point.state, state, "{}", point.detail);
        }
    }

    #[test]
    fn without_a_key_that_can_verify_no_user_can_sign_in() {
        let enc = json!({ "kty": "RSA", "use": "enc" });
        let good = json!({ "kty": "EC", "x": "AAAA", "y": "AAAA" });
        let short = json!({ "kty": "RSA", "n": "AQAB", "e": "AQAB" });
        for (list, failed, is_certain) in [
            (json!([enc]), true, true),
            (json!([enc, enc]), true, true),
            (json!([enc, { "kty": "oct" }]), true, true),
            (json!([enc, short]), true, false),
            (json!([]), true, true),
            (json!(null), true, true),
            (json!([enc, good]), false, false),
        ] {
            let body = json!({ "keys": list }).to_string();
            let found = jwks::read(body.as_bytes(), jiff::Timestamp::UNIX_EPOCH).unwrap();
            let point = keys(&url(), &Ok(found));
            assert_eq!((point.is_failure(), point.is_certain), (failed, is_certain), "{list}");
        }
    }

    #[test]
    fn a_guessed_place_proves_nothing_by_being_empty() {
        let issuer: Issuer = "https://a.cats".parse().unwrap();
        let source = FetchError::Status { host: "a.cats".to_owned(), status: 404, message: None };
        let error = DiscoveryError::Fetch { url: issuer.document().to_string(), source };
        for (certainty, state) in
            [(Confidence::Known, CheckState::Failed), (Confidence::Guessed, CheckState::NotTested)]
        {
            let (check_id, or_else) = (IdpCheckId::Discovery, None);
            let expected =
                ExpectedIssuer { issuer: issuer.clone(), fallback: or_else, certainty, check_id };
            let found = document(&expected, &issuer, &Err(error.clone()), &Map::new());
            assert_eq!((found.len(), found[0].state), (1, state));
            assert!(found[0].detail.contains("HTTP 404"), "{}", found[0].detail);
        }
    }
}
