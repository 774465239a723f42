//! What the answers mean. Pure.

use serde_json::{Map, Value};
use url::Url;

use super::facts::{Facts, NoKeys};
use super::plan::{Certainty, Expected, Plan, text};
use super::point::{Point, PointId};
use super::{DASHBOARD, Subject, Terms, saml};
use crate::idp::config::{self, Purpose, Wrong};
use crate::idp::discovery::{Discovered, DiscoveryError};
use crate::idp::issuer::Issuer;
use crate::idp::jwks::{Jwks, Why};
use crate::idp::kind::{self, Kind};
use crate::idp::probe::Failure;

pub(super) fn all(subject: Subject<'_>, plan: &Plan, facts: &Facts, terms: &Terms) -> Vec<Point> {
    let kind = kind::find(subject.kind);
    let mut points: Vec<Point> =
        kind.map(|kind| configuration(kind, subject.config)).into_iter().collect();
    match kind.map_or("", |kind| kind.name) {
        "onetimepin" => points.push(one_time_pin(terms.one_time_pins)),
        "saml" => points.extend(saml::certificates(subject.config, terms)),
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

fn configuration(kind: &Kind, config: &Map<String, Value>) -> Point {
    let wrong: Vec<_> = config::problems(kind, config, Purpose::Update)
        .into_iter()
        // The API may keep certificates to itself (API reference, section 3).
        .filter(|invalid| {
            invalid.field != "idp_public_certs" || !matches!(invalid.wrong, Wrong::Missing { .. })
        })
        .map(|invalid| invalid.to_string())
        .collect();
    if wrong.is_empty() {
        return Point::proven(
            PointId::Configuration,
            format!("it has what the type `{}` needs", kind.name),
        );
    }
    Point::failed(PointId::Configuration, wrong.join("; "))
        .lasting(true)
        .remedy("set the fields with `cfsso idp update`")
}

fn one_time_pin(count: usize) -> Point {
    match count {
        1 => Point::proven(PointId::OtpOnce, "the account has one one-time PIN provider"),
        0 => Point::failed(PointId::OtpOnce, "the account has no one-time PIN provider")
            .remedy("create it with `cfsso idp create onetimepin`"),
        more => Point::failed(
            PointId::OtpOnce,
            format!("the account has {more} one-time PIN providers, and only one can be in use"),
        )
        .remedy("delete the others with `cfsso idp delete`"),
    }
}

fn document(
    expected: &Expected,
    asked: &Issuer,
    found: &Result<Discovered, DiscoveryError>,
    config: &Map<String, Value>,
) -> Vec<Point> {
    let url = asked.document();
    let answers = || Point::proven(expected.proves, format!("`{url}` answers"));
    match found {
        Ok(found) => {
            let mut there = answers();
            if !found.notes.is_empty() {
                there.evidence = format!("{}; {}", there.evidence, found.notes.join("; "));
            }
            vec![there, issuer(expected, found, config)]
        }
        Err(error @ DiscoveryError::Unread { source, .. }) => {
            vec![unread(expected, &url, &told(error), source)]
        }
        Err(error @ DiscoveryError::NoDocument { .. }) => {
            vec![by_certainty(expected, expected.proves, &error.to_string())]
        }
        Err(error @ (DiscoveryError::OtherIssuer { .. } | DiscoveryError::ManyTenants { .. })) => {
            vec![answers(), by_certainty(expected, PointId::Issuer, &error.to_string())]
        }
    }
}

fn issuer(expected: &Expected, found: &Discovered, config: &Map<String, Value>) -> Point {
    match expected.certainty {
        Certainty::Sure => {
            Point::proven(PointId::Issuer, format!("the issuer is `{}`", found.issuer))
        }
        // The document stands where this issuer's does, and leads to the same
        // endpoints: it is theirs.
        Certainty::Guessed if other_endpoints(found, config).is_empty() => Point::proven(
            PointId::Issuer,
            format!("the issuer is `{}`, which names these endpoints", found.issuer),
        ),
        Certainty::Guessed => Point::not_proven(
            PointId::Issuer,
            format!(
                "the document names `{}`; the configuration names no issuer to hold it against",
                found.issuer
            ),
        ),
    }
}

fn unread(expected: &Expected, url: &Url, evidence: &str, source: &Failure) -> Point {
    if source.is_unasked() {
        return Point::not_proven(expected.proves, evidence)
            .remedy(format!("open `{url}` in a browser"));
    }
    let point = by_certainty(expected, expected.proves, evidence);
    // Okta and Entra answer so for tenants that they do not have.
    let is_none = matches!(source, Failure::Status { status: 400 | 404, .. });
    match expected.proves {
        PointId::Tenant if is_none => {
            point.remedy("set the account or directory that exists with `cfsso idp update`")
        }
        _ => point.remedy(format!("open `{url}` in a browser")),
    }
}

/// A failure, if the place is sure; where it was guessed, nothing is proven.
fn by_certainty(expected: &Expected, id: PointId, evidence: &str) -> Point {
    match expected.certainty {
        Certainty::Sure => Point::failed(id, evidence),
        Certainty::Guessed => Point::not_proven(id, evidence),
    }
}

fn other_endpoints(found: &Discovered, config: &Map<String, Value>) -> Vec<String> {
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

fn same_endpoints(expected: &Expected, found: &Discovered, config: &Map<String, Value>) -> Point {
    let others = other_endpoints(found, config);
    if others.is_empty() {
        let evidence = "the endpoints are those of the discovery document";
        return Point::proven(PointId::EndpointsMatch, evidence);
    }
    // Other endpoints may work all the same, old ones above all.
    by_certainty(expected, PointId::EndpointsMatch, &others.join("; "))
        .warning()
        .remedy("set them with `cfsso idp update`")
}

fn keys(url: &Url, found: &Result<Jwks, NoKeys>) -> Point {
    let jwks = match found {
        Ok(jwks) => jwks,
        Err(NoKeys::Unread(failure)) if failure.is_unasked() => {
            return Point::not_proven(PointId::Jwks, told(failure));
        }
        Err(NoKeys::Unread(failure)) => {
            return Point::failed(PointId::Jwks, told(failure))
                .remedy(format!("open `{url}` in a browser"));
        }
        Err(error @ NoKeys::Other(_)) => {
            return Point::failed(PointId::Jwks, format!("`{url}` answers, and {error}"))
                .remedy("set `certs_url` to the `jwks_uri` of the discovery document");
        }
    };
    let unusable: Vec<_> = jwks.unusable.iter().map(ToString::to_string).collect();
    if jwks.usable.is_empty() {
        let why = if unusable.is_empty() { "it is empty".to_owned() } else { unusable.join("; ") };
        // A key set that is being replaced has no such keys for a moment.
        let is_lasting =
            !unusable.is_empty() && jwks.unusable.iter().all(|key| key.why == Why::Encryption);
        return Point::failed(
            PointId::Jwks,
            format!("no key of `{url}` can verify a login: {why}"),
        )
        .lasting(is_lasting)
        .remedy("give the application a signing key at the IdP");
    }
    let keys = format!("keys that can verify a login: {}", jwks.usable.join(", "));
    Point::proven(PointId::Jwks, [&[keys][..], &jwks.notes].concat().join("; "))
}

/// Whether an endpoint is there: called without a request of OpenID Connect or
/// SAML, most refuse with a status of 400 and more, which is an answer too.
fn endpoint(id: PointId, url: &Url, found: &Result<u16, Failure>) -> Point {
    let answered = |status: &u16| format!("`{}` answered {status}", short(url));
    match found {
        Err(failure) if failure.is_unasked() && !matches!(failure, Failure::Plain { .. }) => {
            Point::not_proven(id, told(failure))
        }
        Err(failure) => Point::failed(id, told(failure)),
        Ok(status @ 500..) => Point::failed(id, answered(status)),
        Ok(status @ (404 | 410)) if id == PointId::AuthEndpoint => {
            Point::failed(id, answered(status)).remedy("set `auth_url` with `cfsso idp update`")
        }
        // Some answer so to all but a POST.
        Ok(status @ (404 | 410)) => Point::not_proven(id, answered(status)),
        Ok(status) => Point::proven(id, answered(status)),
    }
}

/// A URL without its query, which may hold what is nobody's business.
fn short(url: &Url) -> String {
    format!("{}{}", url.origin().ascii_serialization(), url.path())
}

/// An error with its causes, on one line.
fn told(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut layer = error.source();
    while let Some(cause) = layer {
        text = format!("{text}: {cause}");
        layer = cause.source();
    }
    text
}

fn login(kind: Option<&Kind>) -> Point {
    let evidence = match kind.map(|kind| kind.name) {
        Some("onetimepin") => "that a mail with a code arrives and signs somebody in is not proven",
        _ => "that somebody can really sign in is not proven by any of this",
    };
    Point::not_proven(PointId::Login, evidence).remedy(format!(
        "press Test beside the identity provider at {DASHBOARD} (Zero Trust, Integrations, \
         Identity providers)"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::point::State;
    use super::*;
    use crate::idp::jwks;

    fn url() -> Url {
        "https://a.cats/authorize?secret=1".parse().unwrap()
    }

    fn offline(kind: &str, config: &Value, one_time_pins: usize) -> Vec<Point> {
        let subject = Subject { kind, config: config.as_object().unwrap() };
        let terms = Terms::new(jiff::Timestamp::UNIX_EPOCH, one_time_pins);
        all(subject, &Plan::default(), &Facts::default(), &terms)
    }

    #[test]
    fn a_login_is_never_proven() {
        for kind in kind::all().iter().map(|kind| kind.name).chain(["retina-scan"]) {
            let found = offline(kind, &json!({}), 1);
            let last = found.last().unwrap();
            assert_eq!((last.id, last.state), (PointId::Login, State::NotProven), "{kind}");
            assert!(last.remedy.as_ref().unwrap().contains(DASHBOARD));
        }
        assert_eq!(offline("retina-scan", &json!({ "new": 1 }), 1).len(), 1);
    }

    #[test]
    fn there_is_one_one_time_pin_provider() {
        for (count, state) in [(0, State::Failed), (1, State::Proven), (2, State::Failed)] {
            let found = offline("onetimepin", &json!({}), count);
            assert_eq!((found[1].id, found[1].state), (PointId::OtpOnce, state));
        }
    }

    #[test]
    fn what_a_type_needs_is_looked_for_but_not_its_secret() {
        let account = json!({ "client_id": "a", "okta_account": "https://a.okta.com" });
        assert_eq!(offline("okta", &account, 1)[0].state, State::Proven);
        let found = offline("okta", &json!({ "client_id": "a", "okta_account": "http://a" }), 1);
        assert!(found[0].is_failure() && found[0].evidence.contains("`https://`"), "{found:?}");
        let saml = json!({ "sso_target_url": "https://a.cats/", "issuer_url": "a" });
        assert_eq!(offline("saml", &saml, 1)[0].state, State::Proven, "certificates are not shown");
    }

    #[test]
    fn an_endpoint_that_refuses_answers_all_the_same() {
        use PointId::{AuthEndpoint, SsoEndpoint, TokenEndpoint};
        for (id, status, state) in [
            (AuthEndpoint, 200, State::Proven),
            (AuthEndpoint, 302, State::Proven),
            (AuthEndpoint, 400, State::Proven),
            (AuthEndpoint, 404, State::Failed),
            (TokenEndpoint, 405, State::Proven),
            (TokenEndpoint, 404, State::NotProven),
            (SsoEndpoint, 410, State::NotProven),
            (SsoEndpoint, 500, State::Failed),
            (TokenEndpoint, 503, State::Failed),
        ] {
            let point = endpoint(id, &url(), &Ok(status));
            assert_eq!((point.id, point.state), (id, state), "{status}");
            assert!(!point.evidence.contains("secret"), "{}", point.evidence);
        }
    }

    #[test]
    fn what_was_not_asked_is_not_proven_and_what_did_not_answer_failed() {
        let host = "a.cats".to_owned();
        let private = Failure::Private { host: host.clone(), address: [10, 0, 0, 1].into() };
        let plain = Failure::Plain { url: "http://a.cats".to_owned() };
        let gone = Failure::Unreachable { host, reason: "connection refused".to_owned() };
        for (failure, state) in
            [(private, State::NotProven), (plain, State::Failed), (gone, State::Failed)]
        {
            let point = endpoint(PointId::TokenEndpoint, &url(), &Err(failure));
            assert_eq!(point.state, state, "{}", point.evidence);
        }
    }

    #[test]
    fn keys_for_encryption_alone_fail_until_they_are_changed() {
        let enc = json!({ "kty": "RSA", "use": "enc" });
        let good = json!({ "kty": "EC", "x": "AAAA", "y": "AAAA" });
        for (list, failed, is_lasting) in [
            (json!([enc]), true, true),
            (json!([enc, enc]), true, true),
            (json!([enc, { "kty": "oct" }]), true, false),
            (json!([]), true, false),
            (json!(null), true, false),
            (json!([enc, good]), false, false),
        ] {
            let body = json!({ "keys": list }).to_string();
            let found = jwks::read(body.as_bytes(), jiff::Timestamp::UNIX_EPOCH).unwrap();
            let point = keys(&url(), &Ok(found));
            assert_eq!((point.is_failure(), point.is_lasting), (failed, is_lasting), "{list}");
        }
    }

    #[test]
    fn a_guessed_place_proves_nothing_by_being_empty() {
        let issuer: Issuer = "https://a.cats".parse().unwrap();
        let source = Failure::Status { host: "a.cats".to_owned(), status: 404, said: None };
        let error = DiscoveryError::Unread { url: issuer.document().to_string(), source };
        for (certainty, state) in
            [(Certainty::Sure, State::Failed), (Certainty::Guessed, State::NotProven)]
        {
            let (proves, or_else) = (PointId::Discovery, None);
            let expected = Expected { issuer: issuer.clone(), or_else, certainty, proves };
            let found = document(&expected, &issuer, &Err(error.clone()), &Map::new());
            assert_eq!((found.len(), found[0].state), (1, state));
            assert!(found[0].evidence.contains("answered 404"), "{}", found[0].evidence);
        }
    }
}
