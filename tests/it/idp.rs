//! Identity providers over a real network: what is fetched, what is refused,
//! and what a check makes of it.

#![allow(
    clippy::unwrap_used,
    reason = "the functions that prepare a scene are no tests themselves"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cfsso::api::TrustRoots;
use cfsso::idp::check::{
    CheckOptions, CheckState, IdpCheck, IdpCheckId, KnownIssuers, Subject, check,
};
use cfsso::idp::discovery::discover;
use cfsso::idp::fetch::{AllowedHosts, FetchError};
use cfsso::idp::metadata::{self, MetadataError};
use cfsso::idp::{FetchLimits, Fetcher, LoopbackPolicy};
use jiff::Timestamp;
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use serde_json::{Value, json};
use url::Url;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::api::server::{Reply, Server, answer, bytes};

fn limits() -> FetchLimits {
    FetchLimits { loopback: LoopbackPolicy::Allowed, ..FetchLimits::default() }
}

fn fetcher(limits: FetchLimits) -> Fetcher {
    Fetcher::new(cfsso::api::tls::none(), limits)
}

fn now() -> Timestamp {
    "2026-06-01T00:00:00Z".parse().unwrap()
}

fn url(server: &MockServer, path: &str) -> Url {
    format!("{}{path}", server.uri()).parse().unwrap()
}

async fn serve(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at)).respond_with(response).mount(server).await;
}

async fn read(fetcher: &Fetcher, url: &Url) -> Result<Vec<u8>, FetchError> {
    fetcher.read(url, &AllowedHosts::of([url])).await
}

fn redirect(to: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("location", to)
}

#[tokio::test]
async fn redirects_are_followed_three_times() {
    let server = MockServer::start().await;
    for (from, to) in [("/0", "/1"), ("/1", "/2"), ("/2", "/3"), ("/3", "/4")] {
        serve(&server, from, redirect(to)).await;
    }
    serve(&server, "/4", ResponseTemplate::new(200).set_body_string("end")).await;
    let fetcher = fetcher(limits());
    assert_eq!(read(&fetcher, &url(&server, "/1")).await.unwrap(), b"end");
    let error = read(&fetcher, &url(&server, "/0")).await.unwrap_err();
    assert!(matches!(error, FetchError::Redirects { limit: 3, .. }), "{error}");
    assert_eq!(server.received_requests().await.unwrap().len(), 8);
}

#[tokio::test]
async fn no_redirect_leads_to_a_private_address_another_host_or_plain_http() {
    let server = MockServer::start().await;
    let hosts = ["10.0.0.1", "169.254.169.254", "[fd00::1]", "[::ffff:10.0.0.1]"]
        .map(|host| format!("https://{host}/").parse::<Url>().unwrap());
    let start = url(&server, "/");
    let all = AllowedHosts::of(hosts.iter().chain([&start]));
    for (to, expected) in [
        ("https://10.0.0.1/", "10.0.0.1 is not a public address"),
        ("https://169.254.169.254/latest/meta-data", "169.254.169.254 is not a public address"),
        ("https://[fd00::1]/", "fd00::1 is not a public address"),
        ("https://[::ffff:10.0.0.1]/", "is not a public address"),
        ("https://other.cats/", "not in the configuration"),
        ("http://10.0.0.1/", "does not start with `https://`"),
        ("file:///etc/passwd", "does not start with `https://`"),
    ] {
        server.reset().await;
        serve(&server, "/", redirect(to)).await;
        let error = fetcher(limits()).read(&start, &all).await.unwrap_err();
        let FetchError::Redirected { source, .. } = &error else { panic!("{error}") };
        assert!(source.to_string().contains(expected), "{source}");
        assert!(error.was_not_sent());
    }
}

#[tokio::test]
async fn this_machine_is_not_asked_unless_that_is_allowed() {
    let server = Server::start([answer(200, "", "secret")]).await;
    let port = server.address.split(':').nth(1).unwrap().to_owned();
    let strict = Fetcher::new(cfsso::api::tls::none(), FetchLimits::default());
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("https://{host}:{port}/").parse().unwrap();
        let error = read(&strict, &url).await.unwrap_err();
        assert!(matches!(error, FetchError::PrivateAddress { .. }), "{host}: {error}");
        let plain = format!("http://{host}:{port}/").parse().unwrap();
        let error = read(&strict, &plain).await.unwrap_err();
        assert!(matches!(error, FetchError::PlainHttp { .. }), "{host}: {error}");
    }
    assert_eq!(server.connections(), 0);
    let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
    assert_eq!(read(&fetcher(limits()), &url).await.unwrap(), b"secret");
}

#[tokio::test]
async fn large_pages_are_cut_off_announced_or_not() {
    let body = "a".repeat(2000);
    let chunked =
        format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n7d0\r\n{body}\r\n0\r\n\r\n");
    let fetcher = fetcher(FetchLimits { body: 1999, ..limits() });
    for reply in [answer(200, "", &body), Reply::SendAndClose(chunked.into_bytes())] {
        let server = Server::start([reply]).await;
        let url = format!("http://{}/", server.address).parse().unwrap();
        let error = read(&fetcher, &url).await.unwrap_err();
        assert!(matches!(error, FetchError::TooLarge { limit: 1999, .. }), "{error}");
        let server = Server::start([answer(200, "", &body[..1999])]).await;
        let url = format!("http://{}/", server.address).parse().unwrap();
        assert_eq!(read(&fetcher, &url).await.unwrap().len(), 1999);
    }
}

#[tokio::test]
async fn a_page_that_stalls_is_given_up() {
    let whole = bytes(200, "", "slow");
    for sent in [whole[..10].to_vec(), whole[..whole.len() - 2].to_vec()] {
        let server = Server::start([Reply::SendAndStall(sent)]).await;
        let url = format!("http://{}/", server.address).parse().unwrap();
        let fetcher = fetcher(FetchLimits { time: Duration::from_millis(300), ..limits() });
        let error = read(&fetcher, &url).await.unwrap_err();
        assert!(matches!(error, FetchError::Timeout { .. }), "{error}");
    }
}

#[tokio::test]
async fn encrypted_pages_are_read_where_their_authority_is_trusted() {
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().self_signed(&key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
        )
        .unwrap();
    let tls = Some(Arc::new(config).into());
    let server = Server::start_with([answer(200, "", "{}"), answer(200, "", "{}")], tls).await;
    let folder = tempfile::tempdir().unwrap();
    let file: PathBuf = folder.path().join("authority.pem");
    std::fs::write(&file, certificate.pem()).unwrap();
    let roots = TrustRoots { cert_file: Some(file), ..TrustRoots::default() };
    let url: Url = format!("https://{}/", server.address).parse().unwrap();
    let trusting = Fetcher::new(roots.tls().unwrap(), limits());
    assert_eq!(read(&trusting, &url).await.unwrap(), b"{}");
    let error = read(&fetcher(limits()), &url).await.unwrap_err();
    assert!(matches!(error, FetchError::Unreachable { .. }), "{error}");
    assert_eq!(server.requests().len(), 1);
}

fn document(base: &str, issuer: &str) -> Value {
    json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{base}/application/o/authorize/"),
        "token_endpoint": format!("{base}/application/o/token/"),
        "jwks_uri": format!("{base}/application/o/cf/jwks/"),
        "code_challenge_methods_supported": ["S256"],
    })
}

const DOCUMENT: &str = "/application/o/cf/.well-known/openid-configuration";

/// An authentik with one application.
async fn authentik() -> MockServer {
    let server = MockServer::start().await;
    let issuer = format!("{}/application/o/cf/", server.uri());
    let found = ResponseTemplate::new(200).set_body_json(document(&server.uri(), &issuer));
    serve(&server, DOCUMENT, found).await;
    let keys = json!({ "keys": [{ "kty": "EC", "alg": "ES256", "kid": "k1", "x": "AAAA" }] });
    serve(&server, "/application/o/cf/jwks/", ResponseTemplate::new(200).set_body_json(keys)).await;
    serve(&server, "/application/o/authorize/", ResponseTemplate::new(400)).await;
    serve(&server, "/application/o/token/", ResponseTemplate::new(405)).await;
    server
}

#[tokio::test]
async fn an_issuer_fills_the_configuration() {
    let server = authentik().await;
    let issuer = format!("{}/application/o/cf/", server.uri()).parse().unwrap();
    let found = discover(&fetcher(limits()), &issuer).await.unwrap();
    assert_eq!(found.issuer, issuer.to_string());
    assert_eq!(found.config()["pkce_enabled"], json!(true));
    let slashless = format!("{}/application/o/cf", server.uri()).parse().unwrap();
    let error = discover(&fetcher(limits()), &slashless).await.unwrap_err();
    assert!(error.to_string().ends_with("the trailing slash belongs to it"), "{error}");
}

#[tokio::test]
async fn metadata_from_a_url_says_what_is_wrong_with_it() {
    let server = MockServer::start().await;
    let html = ResponseTemplate::new(200).set_body_string("<!DOCTYPE html><html></html>");
    serve(&server, "/html", html).await;
    let large = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 1024 * 1024 + 1]);
    serve(&server, "/large", large).await;
    let fetcher = fetcher(limits());
    for (at, expected) in [
        ("/html", "web page"),
        ("/large", "the limit for SAML metadata is 16777216"),
        ("/none", "cannot be read"),
    ] {
        let error = metadata::from_url(&fetcher, &url(&server, at), None, now()).await.unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(at == "/none", matches!(error, MetadataError::HtmlPage { .. }));
    }
}

async fn points(kind: &str, config: &Value, issuers: KnownIssuers) -> Vec<IdpCheck> {
    let subject = Subject::new(kind, config.as_object().unwrap());
    let terms = CheckOptions { issuers, ..CheckOptions::new(now(), 1) };
    check(&fetcher(limits()), subject, &terms).await
}

fn states(points: &[IdpCheck]) -> Vec<(IdpCheckId, CheckState)> {
    points.iter().map(|point| (point.id, point.state)).collect()
}

fn oidc(base: &str) -> Value {
    json!({
        "client_id": "id",
        "auth_url": format!("{base}/application/o/authorize/"),
        "token_url": format!("{base}/application/o/token/"),
        "certs_url": format!("{base}/application/o/cf/jwks/"),
    })
}

#[tokio::test]
async fn a_healthy_provider_is_proven_but_for_the_login() {
    use IdpCheckId::{
        AuthEndpoint, Configuration, Discovery, EndpointsMatch, Issuer, Jwks, SignIn, TokenEndpoint,
    };
    let server = authentik().await;
    let found = points("oidc", &oidc(&server.uri()), KnownIssuers::default()).await;
    let mut expected =
        [Configuration, Discovery, Issuer, EndpointsMatch, Jwks, AuthEndpoint, TokenEndpoint]
            .map(|id| (id, CheckState::Passed))
            .to_vec();
    expected.push((SignIn, CheckState::NotTested));
    assert_eq!(states(&found), expected, "{found:?}");
    assert!(found.last().unwrap().fix.as_ref().unwrap().contains("use Test"));
}

#[tokio::test]
async fn what_is_broken_fails_at_its_own_point() {
    for (at, broken, id) in [
        (DOCUMENT, ResponseTemplate::new(404), IdpCheckId::Discovery),
        (DOCUMENT, ResponseTemplate::new(200).set_body_string("<html>"), IdpCheckId::Discovery),
        (
            DOCUMENT,
            ResponseTemplate::new(200)
                .set_body_json(document("https://b.cats", "https://b.cats/application/o/cf/")),
            IdpCheckId::Issuer,
        ),
        ("/application/o/cf/jwks/", ResponseTemplate::new(500), IdpCheckId::Jwks),
        (
            "/application/o/cf/jwks/",
            ResponseTemplate::new(200).set_body_json(json!({ "keys": [] })),
            IdpCheckId::Jwks,
        ),
        ("/application/o/authorize/", ResponseTemplate::new(404), IdpCheckId::AuthEndpoint),
        ("/application/o/token/", ResponseTemplate::new(503), IdpCheckId::TokenEndpoint),
    ] {
        let server = authentik().await;
        Mock::given(path(at)).respond_with(broken).with_priority(1).mount(&server).await;
        let found = points("oidc", &oidc(&server.uri()), KnownIssuers::default()).await;
        let failed: Vec<_> =
            found.iter().filter(|point| point.is_failure()).map(|point| point.id).collect();
        assert_eq!(failed, [id], "{at} {found:?}");
    }
}

#[tokio::test]
async fn tenants_of_okta_and_entra_answer_or_are_said_not_to() {
    let server = MockServer::start().await;
    let base = server.uri();
    let directory = "4b1f8c6e-0d7a-4f0e-9f5c-1c2d3e4f5a6b";
    let keys = json!({ "keys": [{ "kty": "EC", "x": "AAAA" }] });
    serve(&server, "/application/o/cf/jwks/", ResponseTemplate::new(200).set_body_json(keys)).await;
    for (at, issuer) in [
        ("/.well-known/openid-configuration".to_owned(), base.clone()),
        (
            format!("/{directory}/v2.0/.well-known/openid-configuration"),
            format!("{base}/{directory}/v2.0"),
        ),
    ] {
        let found = ResponseTemplate::new(200).set_body_json(document(&base, &issuer));
        serve(&server, &at, found).await;
    }
    let none = json!({ "error": "invalid_tenant", "error_description": "AADSTS90002: no tenant" });
    let none = ResponseTemplate::new(400).set_body_json(none);
    serve(&server, "/gone/v2.0/.well-known/openid-configuration", none).await;
    let issuers =
        KnownIssuers { microsoft: base.clone(), google: base.clone(), ..KnownIssuers::default() };
    for (kind, config, state) in [
        ("okta", json!({ "client_id": "a", "okta_account": base }), CheckState::Passed),
        ("azureAD", json!({ "client_id": "a", "directory_id": directory }), CheckState::Passed),
        ("azureAD", json!({ "client_id": "a", "directory_id": "gone" }), CheckState::Failed),
    ] {
        let found = points(kind, &config, issuers.clone()).await;
        let tenant = found.iter().find(|point| point.id == IdpCheckId::Tenant).unwrap();
        assert_eq!(tenant.state, state, "{found:?}");
        let keys = found.iter().find(|point| point.id == IdpCheckId::Jwks);
        assert_eq!(keys.map(|point| point.state), (state == CheckState::Passed).then_some(state));
        assert_eq!(tenant.detail.contains("AADSTS90002: no tenant"), state == CheckState::Failed);
    }
    let named = ResponseTemplate::new(200).set_body_json(document(&base, "https://{tenantid}/"));
    serve(&server, "/common/v2.0/.well-known/openid-configuration", named).await;
    let common = json!({ "client_id": "a", "directory_id": "common" });
    let found = points("azureAD", &common, issuers.clone()).await;
    let failed: Vec<_> = found.iter().filter(|point| point.is_failure()).map(|it| it.id).collect();
    assert_eq!(failed, [IdpCheckId::Configuration, IdpCheckId::Issuer], "{found:?}");
    let google = points("google", &json!({ "client_id": "a" }), issuers).await;
    assert_eq!(google[1].id, IdpCheckId::Discovery);
    assert_eq!(google[1].state, CheckState::Passed, "{google:?}");
}
