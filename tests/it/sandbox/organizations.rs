//! The Zero Trust organization.

use cfsso::sandbox::{Access, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask, ask_text};
use super::sandbox;

async fn call(sandbox: &Sandbox, method: &str, account: usize, body: Option<Value>) -> Reply {
    let account = &sandbox.accounts()[account];
    let request = format!("{method} /accounts/{account}/access/organizations");
    ask(sandbox, Access::Full, &request, body).await
}

#[tokio::test]
async fn a_put_sets_what_is_given_and_keeps_the_rest_as_it_was() {
    let (sandbox, clock) = sandbox().await;
    let before = call(&sandbox, "GET", 0, None).await.result_text();
    assert!(before.contains(r#""auth_domain":"cool-cats.cloudflareaccess.com""#), "{before}");
    for kept in ["98765432109876543210987", "2.50", "1e2"] {
        assert!(before.contains(kept), "{before}");
    }
    let request = format!("PUT /accounts/{}/access/organizations", sandbox.account());
    clock.sleep(std::time::Duration::from_secs(1)).await;
    let body = r#"{"session_duration":"1h","x_new":1.50}"#;
    let after = ask_text(&sandbox, Access::Full, &request, body).await.result_text();
    let updated = "2025-09-25T21:05:21.000000Z";
    let expected = before
        .replace(r#""session_duration":"12h""#, r#""session_duration":"1h""#)
        .replace(r#""updated_at":"2025-01-01T12:21:02Z""#, &format!(r#""updated_at":"{updated}""#));
    assert_eq!(after, format!("{},\"x_new\":1.50}}", expected.strip_suffix('}').unwrap()));
}

#[tokio::test]
async fn an_account_without_access_says_so_on_every_route() {
    let (sandbox, _) = sandbox().await;
    assert_eq!(call(&sandbox, "GET", 1, None).await.refusal(), (404, 9999));
    assert_eq!(call(&sandbox, "PUT", 1, Some(json!({}))).await.refusal(), (404, 9999));
    let account = &sandbox.accounts()[1];
    for route in ["identity_providers", "apps", "idp_federation_grants"] {
        let request = format!("GET /accounts/{account}/access/{route}");
        let reply = ask(&sandbox, Access::Full, &request, None).await;
        assert_eq!(reply.refusal(), (404, 9999), "{route}");
        assert!(reply.text.contains("access.api.error.not_enabled"), "{route}");
    }
    let body = json!({"auth_domain": "other-cats.cloudflareaccess.com", "name": "Other Cats"});
    call(&sandbox, "POST", 1, Some(body.clone())).await.result();
    assert_eq!(call(&sandbox, "GET", 1, None).await.result()["name"], "Other Cats");
    assert_eq!(call(&sandbox, "POST", 1, Some(body)).await.refusal(), (409, 12132));
    let request = format!("GET /accounts/{account}/access/apps");
    let apps = ask(&sandbox, Access::Full, &request, None).await.result();
    let app = &apps[0];
    assert_eq!(app["saas_app"]["idp_entity_id"], "https://other-cats.cloudflareaccess.com");
}

#[tokio::test]
async fn a_team_is_not_renamed_while_a_connector_exists() {
    let (sandbox, _) = sandbox().await;
    let connectors = format!("/accounts/{}/sso_connectors", sandbox.account());
    let body = Some(json!({"email_domain": "cool.cats"}));
    let made = ask(&sandbox, Access::Full, &format!("POST {connectors}"), body).await.result();
    let name = |team: &str| json!({"auth_domain": format!("{team}.cloudflareaccess.com")});
    let refused = call(&sandbox, "PUT", 0, Some(name("cooler-cats"))).await;
    assert_eq!(refused.refusal(), (400, 12106));
    assert!(refused.text.contains("auth_domain_cannot_be_updated_dash_sso"));
    assert_eq!(call(&sandbox, "PUT", 0, Some(name("cool-cats"))).await.status, 200);
    let one = format!("DELETE {connectors}/{}", made["id"].as_str().unwrap());
    ask(&sandbox, Access::Full, &one, None).await.result();
    let renamed = call(&sandbox, "PUT", 0, Some(name("cooler-cats"))).await.result();
    assert_eq!(renamed["auth_domain"], "cooler-cats.cloudflareaccess.com");
    assert_eq!(renamed["name"], "Cool Cats");
    let apps = format!("GET /accounts/{}/access/apps?search=SSO", sandbox.account());
    let apps = ask(&sandbox, Access::Full, &apps, None).await.result();
    let entity = &apps[0]["saas_app"]["idp_entity_id"];
    assert_eq!(entity, "https://cooler-cats.cloudflareaccess.com");
}

#[tokio::test]
async fn a_name_that_is_taken_or_none_is_refused() {
    let (sandbox, _) = sandbox().await;
    for (domain, refusal) in [
        ("dogs.cloudflareaccess.com", (409, 12132)),
        ("cooler-cats.example.com", (400, 12130)),
        (".cloudflareaccess.com", (400, 12130)),
        ("Cool Cats.cloudflareaccess.com", (400, 12130)),
    ] {
        let body = json!({"auth_domain": domain});
        assert_eq!(call(&sandbox, "PUT", 0, Some(body)).await.refusal(), refusal, "{domain}");
        let body = json!({"auth_domain": domain, "name": "a"});
        assert_eq!(call(&sandbox, "POST", 1, Some(body)).await.refusal(), refusal, "{domain}");
    }
    let body = json!({"name": "a"});
    assert_eq!(call(&sandbox, "POST", 1, Some(body)).await.refusal(), (400, 12130));
    let free = json!({"auth_domain": "wild-cats.cloudflareaccess.com"});
    call(&sandbox, "PUT", 0, Some(free)).await.result();
    let old = json!({"auth_domain": "cool-cats.cloudflareaccess.com", "name": "a"});
    call(&sandbox, "POST", 1, Some(old)).await.result();
}
