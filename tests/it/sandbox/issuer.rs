//! What Identity providers publish, and how it breaks.

use cfsso::sandbox::Sandbox;
use serde_json::{Value, json};

use super::client::visit;
use super::sandbox;

const CONFIGURATION: &str = "GET /oidc/company/.well-known/openid-configuration";
const KEYS: &str = "GET /oidc/company/jwks";
const METADATA: &str = "GET /saml/company/metadata";

async fn json_of(sandbox: &Sandbox, request: &str) -> Value {
    let reply = visit(sandbox, request).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    reply.json()
}

fn inject(sandbox: &Sandbox, fault: &str) {
    sandbox.inject(fault.parse().unwrap());
}

#[tokio::test]
async fn an_openid_issuer_publishes_its_endpoints_and_a_key() {
    let (sandbox, _) = sandbox().await;
    let configuration = json_of(&sandbox, CONFIGURATION).await;
    let issuer = format!("{}/oidc/company", sandbox.origin());
    assert_eq!(configuration["issuer"], issuer);
    assert_eq!(configuration["jwks_uri"], format!("{issuer}/jwks"));
    let keys = json_of(&sandbox, KEYS).await;
    let key = &keys["keys"][0];
    assert_eq!((&key["kty"], &key["e"]), (&json!("RSA"), &json!("AQAB")));
    let modulus = key["n"].as_str().unwrap();
    assert_eq!(modulus.len(), 342, "2048 bits in base64url");
    for endpoint in ["authorization_endpoint", "token_endpoint"] {
        let url = configuration[endpoint].as_str().unwrap();
        let path = url.strip_prefix(&sandbox.origin()).unwrap();
        let reply = visit(&sandbox, &format!("GET {path}")).await;
        assert_eq!((reply.status, &reply.json()["error"]), (400, &json!("invalid_request")));
    }
}

#[tokio::test]
async fn an_openid_issuer_can_be_broken() {
    let (sandbox, _) = sandbox().await;
    let good = json_of(&sandbox, CONFIGURATION).await;
    inject(&sandbox, "wrong-issuer");
    let bad = json_of(&sandbox, CONFIGURATION).await;
    assert_eq!(bad["issuer"], format!("{}/oidc/company-elsewhere", sandbox.origin()));
    assert_eq!(json_of(&sandbox, CONFIGURATION).await, good);
    inject(&sandbox, "no-keys");
    assert_eq!(json_of(&sandbox, KEYS).await, json!({"keys": []}));
    assert_ne!(json_of(&sandbox, KEYS).await, json!({"keys": []}));
    inject(&sandbox, "500@/openid-configuration");
    assert_eq!(visit(&sandbox, KEYS).await.status, 200);
    assert_eq!(visit(&sandbox, CONFIGURATION).await.status, 500);
}

#[tokio::test]
async fn saml_metadata_holds_a_certificate_that_can_be_one_of_the_past() {
    let (sandbox, _) = sandbox().await;
    let metadata = visit(&sandbox, METADATA).await;
    assert_eq!(metadata.headers["content-type"], "application/samlmetadata+xml");
    let sso = format!("Location=\"{}/saml/company/sso\"", sandbox.origin());
    assert!(metadata.text.contains(&sso), "{metadata:?}");
    inject(&sandbox, "expired-certificate");
    let expired = visit(&sandbox, METADATA).await;
    assert_ne!(expired.text, metadata.text);
    assert_eq!(visit(&sandbox, METADATA).await.text, metadata.text);
    inject(&sandbox, "500@GET/metadata");
    assert_eq!(visit(&sandbox, METADATA).await.status, 500);
}

#[tokio::test]
async fn what_is_taken_down_answers_nobody_until_it_is_back() {
    let (sandbox, _) = sandbox().await;
    let before = sandbox.snapshot();
    sandbox.take_down("company");
    for request in [CONFIGURATION, KEYS, METADATA, "GET /oidc/company/authorize"] {
        assert_eq!(visit(&sandbox, request).await.status, 503, "{request}");
    }
    let other = "GET /oidc/another/.well-known/openid-configuration";
    assert_eq!(visit(&sandbox, other).await.status, 200);
    sandbox.bring_up("company");
    assert_eq!(visit(&sandbox, CONFIGURATION).await.status, 200);
    assert_eq!(sandbox.snapshot(), before, "it is no part of what an account holds");
}
