//! Identity providers: what a PUT keeps and what it loses.

use std::time::Duration;

use cfsso::sandbox::{Access, Options, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask, ask_text};
use super::sandbox;

fn path(sandbox: &Sandbox) -> String {
    format!("/accounts/{}/access/identity_providers", sandbox.account())
}

async fn call(sandbox: &Sandbox, method: &str, rest: &str, body: Option<Value>) -> Reply {
    ask(sandbox, Access::Full, &format!("{method} {}{rest}", path(sandbox)), body).await
}

async fn create(sandbox: &Sandbox, body: Value) -> Value {
    call(sandbox, "POST", "", Some(body)).await.result()
}

async fn put(sandbox: &Sandbox, id: &str, body: Value) -> Reply {
    call(sandbox, "PUT", &format!("/{id}"), Some(body)).await
}

fn id(object: &Value) -> &str {
    object["id"].as_str().unwrap()
}

fn okta(config: &Value) -> Value {
    json!({"name": "Okta", "type": "okta", "config": config})
}

#[tokio::test]
async fn the_first_account_signs_in_at_the_issuer_of_the_sandbox() {
    let (sandbox, _) = sandbox().await;
    let list = call(&sandbox, "GET", "", None).await;
    let info = json!({"page": 1, "per_page": 200, "count": 1, "total_count": 1, "total_pages": 1});
    assert_eq!(list.json()["result_info"], info);
    let provider = &list.result()[0];
    assert_eq!((&provider["type"], &provider["name"]), (&json!("oidc"), &json!("Company SSO")));
    let origin = sandbox.origin();
    assert_eq!(provider["config"]["certs_url"], format!("{origin}/oidc/company/jwks"));
    assert_eq!(provider["config"].get("client_secret"), None);
    assert_eq!(sandbox.stored_secret(id(provider)), Some(json!("sandbox-client-secret")));
    assert_eq!(sandbox.stored_secret("nobody"), None);
}

#[tokio::test]
async fn a_secret_is_kept_and_never_answered() {
    let (sandbox, _) = sandbox().await;
    let config = json!({"client_id": "c", "client_secret": "s-1", "api_token": "t-1",
        "okta_account": "https://cool.okta.com"});
    let made = create(&sandbox, okta(&config)).await;
    assert_eq!(made["config"], json!({"client_id": "c", "okta_account": "https://cool.okta.com"}));
    assert_eq!(made["id"], made["uid"]);
    let (text, rest) = (id(&made), format!("/{}", id(&made)));
    assert_eq!(call(&sandbox, "GET", &rest, None).await.result(), made);
    assert_eq!(sandbox.stored_secret(text), Some(json!("s-1")));
    assert_eq!(sandbox.stored_api_token(text), Some(json!("t-1")));
}

#[tokio::test]
async fn a_put_replaces_all_but_a_secret_that_is_absent() {
    let (sandbox, _) = sandbox().await;
    let full = json!({"client_id": "c", "client_secret": "s-1", "okta_account": "https://a.test"});
    let made = create(&sandbox, okta(&full)).await;
    for (config, secret) in [
        (json!({"client_id": "c"}), json!("s-1")),
        (json!({"client_id": "c", "client_secret": "s-2"}), json!("s-2")),
        (json!({"client_id": "c"}), json!("s-2")),
        (json!({"client_id": "c", "client_secret": "****************"}), json!("****************")),
        (json!({"client_id": "c", "client_secret": null}), json!(null)),
        (json!({"client_id": "c"}), json!(null)),
    ] {
        let read = put(&sandbox, id(&made), okta(&config)).await.result();
        assert_eq!(read["config"], json!({"client_id": "c"}), "the rest of it is gone");
        assert_eq!(sandbox.stored_secret(id(&made)), Some(secret), "{config}");
    }
}

#[tokio::test]
async fn what_nobody_understands_survives_a_put_of_what_was_read() {
    let (sandbox, _) = sandbox().await;
    let body = r#"{"z":12345678901234567890123,"name":"x","type":"passkeys","pi":3.10,"n":null,"config":{"z":1e5,"b":{"y":-0,"a":[]},"a":1.0}}"#;
    let request = format!("POST {}", path(&sandbox));
    let made = ask_text(&sandbox, Access::Full, &request, body).await.result_text();
    let all_but_end = body.strip_suffix('}').unwrap();
    assert!(made.starts_with(all_but_end), "{made}");
    let read: Value = serde_json::from_str(&made).unwrap();
    let request = format!("PUT {}/{}", path(&sandbox), id(&read));
    let after = ask_text(&sandbox, Access::Full, &request, &made).await.result_text();
    let changed: Value = serde_json::from_str(&after).unwrap();
    assert_ne!(changed["version"], read["version"], "each write has its own version");
    let version = |object: &Value| object["version"].as_str().unwrap().to_owned();
    assert_eq!(after, made.replace(&version(&read), &version(&changed)));
}

#[tokio::test]
async fn there_is_one_one_time_pin_and_it_may_be_nameless() {
    let (sandbox, _) = sandbox().await;
    let body = json!({"type": "onetimepin", "config": {}});
    let made = create(&sandbox, body.clone()).await;
    let url = "https://cool-cats.cloudflareaccess.com/cdn-cgi/access/callback";
    assert_eq!(made["config"], json!({"redirect_url": url}));
    let second = call(&sandbox, "POST", "", Some(body)).await;
    assert_eq!(second.refusal(), (409, 12132));
    let message = "access.api.error.conflict: a onetimepin connection already exists";
    assert_eq!(second.json()["errors"][0]["message"], message);
    let rest = format!("/{}", id(&made));
    assert_eq!(call(&sandbox, "DELETE", &rest, None).await.result(), json!({"id": made["id"]}));
    assert_eq!(call(&sandbox, "GET", &rest, None).await.refusal(), (404, 11021));
}

#[tokio::test]
async fn a_scim_secret_is_shown_once() {
    let (sandbox, _) = sandbox().await;
    let mut body = okta(&json!({}));
    body["scim_config"] = json!({"enabled": false});
    let made = create(&sandbox, body.clone()).await;
    assert_eq!(made["scim_config"], json!({"enabled": false}));
    body["scim_config"] = json!({"enabled": true, "user_deprovision": true});
    let on = put(&sandbox, id(&made), body.clone()).await.result();
    assert_eq!(on["scim_config"]["secret"].as_str().unwrap().len(), 32);
    let base = format!("https://cool-cats.cloudflareaccess.com/scim/{}", id(&made));
    assert_eq!(on["scim_config"]["scim_base_url"], base);
    let again = put(&sandbox, id(&made), on).await.result();
    assert_eq!(again["scim_config"].get("secret"), None);
    let list = call(&sandbox, "GET", "?scim_enabled=true", None).await.result();
    assert_eq!(list, json!([again]));
    let list = call(&sandbox, "GET", "?scim_enabled=false", None).await.result();
    assert_eq!(list[0]["name"], "Company SSO");
}

#[tokio::test]
async fn what_makes_no_identity_provider_is_refused() {
    let (sandbox, _) = sandbox().await;
    let pin = json!({"type": "onetimepin", "config": {}, "scim_config": {"enabled": true}});
    let seats = json!({"name": "a", "type": "okta", "config": {},
        "scim_config": {"enabled": true, "seat_deprovision": true}});
    for body in [
        json!({}),
        json!({"name": "a", "config": {}}),
        json!({"name": "a", "type": "okta"}),
        json!({"type": "okta", "config": {}}),
        pin,
        seats,
    ] {
        let reply = call(&sandbox, "POST", "", Some(body.clone())).await;
        assert_eq!(reply.refusal(), (400, 12130), "{body}");
    }
    let made = create(&sandbox, okta(&json!({}))).await;
    let other = json!({"name": "a", "type": "oidc", "config": {}});
    assert_eq!(put(&sandbox, id(&made), other).await.refusal(), (400, 12130));
}

#[tokio::test]
async fn pages_hold_up_to_a_thousand() {
    let (sandbox, _) = sandbox().await;
    create(&sandbox, okta(&json!({}))).await;
    let page = call(&sandbox, "GET", "?per_page=1&page=2", None).await;
    assert_eq!(page.result()[0]["name"], "Okta");
    assert_eq!(page.json()["result_info"]["total_pages"], 2);
    assert_eq!(call(&sandbox, "GET", "?per_page=1000", None).await.status, 200);
    assert_eq!(call(&sandbox, "GET", "?per_page=1001", None).await.status, 400);
}

#[tokio::test]
async fn an_identity_provider_of_another_account_is_not_found() {
    let (sandbox, _) = sandbox().await;
    let third = format!("/accounts/{}/access/identity_providers", sandbox.accounts()[2]);
    let made = ask(&sandbox, Access::Full, &format!("POST {third}"), Some(okta(&json!({})))).await;
    let rest = format!("/{}", id(&made.result()));
    for method in ["GET", "PUT", "DELETE"] {
        let reply = call(&sandbox, method, &rest, Some(okta(&json!({})))).await;
        assert_eq!(reply.refusal(), (404, 11021), "{method}");
    }
}

#[tokio::test]
async fn all_of_it_is_there_after_a_restart_with_the_new_port_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let options = || Options {
        state: Some(folder.path().join("state.json")),
        lock_wait: Duration::from_secs(1),
        ..Options::default()
    };
    let sandbox = sandbox::start(options()).await.unwrap();
    let mut provider = call(&sandbox, "GET", "", None).await.result()[0].clone();
    provider["config"]["x_local"] = format!("{}/oidc/other", sandbox.origin()).into();
    put(&sandbox, id(&provider), provider.clone()).await.result();
    let request = format!("POST {}", path(&sandbox));
    let body = r#"{"name":"n","type":"saml","config":{"big":12345678901234567890123,"f":3.10}}"#;
    let made = ask_text(&sandbox, Access::Full, &request, body).await.result_text();
    sandbox.stop().await;
    let sandbox = sandbox::start(options()).await.unwrap();
    let list = call(&sandbox, "GET", "", None).await;
    assert!(list.text.contains(&made), "{}", list.text);
    let config = &list.result()[0]["config"];
    assert_eq!(config["x_local"], format!("{}/oidc/other", sandbox.origin()));
    let id = id(&provider);
    assert_eq!(sandbox.stored_secret(id), Some(json!("sandbox-client-secret")));
}

#[tokio::test]
async fn creations_are_201_and_deletions_202() {
    let (sandbox, _) = sandbox().await;
    let account = sandbox.account();
    let base = format!("/accounts/{account}/access");
    let ask = async |request: String, body| ask(&sandbox, Access::Full, &request, body).await;
    let body = json!({"name": "Okta", "type": "okta", "config": {}});
    let idp = ask(format!("POST {base}/identity_providers"), Some(body)).await;
    let id = idp.result()["id"].as_str().unwrap().to_owned();
    let grants = format!("{base}/idp_federation_grants");
    let grant = ask(format!("POST {grants}"), Some(json!({ "idp_id": id }))).await;
    assert_eq!((idp.status, grant.status), (201, 201));
    let grant = grant.result()["id"].as_str().unwrap().to_owned();
    assert_eq!(ask(format!("DELETE {grants}/{grant}"), None).await.status, 202);
    assert_eq!(ask(format!("DELETE {base}/identity_providers/{id}"), None).await.status, 202);
}
