//! The life of a connector, as the documentation tells it with curl.

use std::time::Duration;

use cfsso::api::connector::{Connector, VerificationStatus};
use cfsso::sandbox::{Access, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask};
use super::sandbox;

async fn connectors(sandbox: &Sandbox, verb: &str, rest: &str, body: Option<Value>) -> Reply {
    let path = format!("{verb} /accounts/{}/sso_connectors{rest}", sandbox.account());
    ask(sandbox, Access::Full, &path, body).await
}

async fn create(sandbox: &Sandbox, body: Value) -> Value {
    connectors(sandbox, "POST", "", Some(body)).await.result()
}

async fn status(sandbox: &Sandbox, id: &str) -> Value {
    connectors(sandbox, "GET", &format!("/{id}"), None).await.result()["verification"]["status"]
        .clone()
}

/// Publishes a TXT record in the zone of this name, through the API.
async fn publish(sandbox: &Sandbox, name: &str, text: &Value) -> Value {
    let zone = format!("GET /zones?name={name}&account.id={}", sandbox.account());
    let zone = ask(sandbox, Access::Full, &zone, None).await.result()[0]["id"].clone();
    let path = format!("POST /zones/{}/dns_records", zone.as_str().unwrap());
    let record = json!({"type": "TXT", "name": name, "content": text, "ttl": 1});
    ask(sandbox, Access::Full, &path, Some(record)).await.result()
}

#[tokio::test]
async fn the_documented_way_from_creation_to_deletion() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!(id.len(), 32);
    assert_eq!(made["enabled"], false);
    assert_eq!(made["use_fedramp_language"], false);
    assert_eq!(made["verification"]["status"], "pending");
    assert_eq!(made["created_on"], "2025-09-25T21:05:20.000000Z");
    let code = &made["verification"]["code"];
    assert!(code.as_str().unwrap().starts_with("cloudflare_dashboard_sso="));

    publish(&sandbox, "cool.cats", code).await;
    assert_eq!(status(&sandbox, id).await, "pending", "no look is due yet");
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&sandbox, id).await, "verified");

    let begun = connectors(&sandbox, "POST", &format!("/{id}/begin_verification"), None).await;
    assert_eq!(begun.json(), json!({"success": true, "errors": [], "messages": []}));
    assert_eq!(status(&sandbox, id).await, "verified", "a verified connector stays verified");

    let path = format!("/{id}");
    let enabled = connectors(&sandbox, "PATCH", &path, Some(json!({"enabled": true}))).await;
    assert_eq!(enabled.result()["enabled"], true);
    let list = connectors(&sandbox, "GET", "", None).await.result();
    assert_eq!(list.as_array().unwrap().len(), 1);
    assert_eq!(list[0]["enabled"], true);

    let refused = connectors(&sandbox, "DELETE", &path, None).await;
    assert_eq!(refused.refusal().0, 409, "an enabled connector is not deleted");
    let disabled = connectors(&sandbox, "PATCH", &path, Some(json!({"enabled": false}))).await;
    assert_eq!(disabled.result()["enabled"], false);
    assert_eq!(connectors(&sandbox, "DELETE", &path, None).await.result(), json!({"id": id}));
    assert_eq!(connectors(&sandbox, "GET", &path, None).await.status, 404);

    let again = create(&sandbox, json!({"email_domain": "COOL.cats."})).await;
    assert_eq!(again["email_domain"], "cool.cats");
    assert_ne!(&again["verification"]["code"], code, "a recreated connector has a new code");
}

#[tokio::test]
async fn the_answers_are_what_the_client_reads() {
    let (sandbox, _) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    let made: Connector = serde_json::from_str(&made.to_string()).unwrap();
    assert_eq!(made.status(), Some(&VerificationStatus::Pending));
    assert!(made.code().is_some());
    let other = format!("GET /accounts/{}/sso_connectors", sandbox.accounts()[1]);
    let list = ask(&sandbox, Access::Full, &other, None).await.result();
    let list: Vec<Connector> = serde_json::from_str(&list.to_string()).unwrap();
    assert!(list[0].is_enabled() && list[0].is_verified());
}

#[tokio::test]
async fn a_connector_created_without_verification_awaits_its_beginning() {
    let (sandbox, clock) = sandbox().await;
    let body = json!({"email_domain": "cool.cats", "begin_verification": false});
    let made = create(&sandbox, body).await;
    let id = made["id"].as_str().unwrap();
    publish(&sandbox, "cool.cats", &made["verification"]["code"]).await;
    clock.sleep(Duration::from_hours(1)).await;
    assert_eq!(status(&sandbox, id).await, "awaiting");
    connectors(&sandbox, "POST", &format!("/{id}/begin_verification"), None).await;
    assert_eq!(status(&sandbox, id).await, "pending");
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&sandbox, id).await, "verified");
}

#[tokio::test]
async fn verification_fails_after_two_days_and_can_begin_again() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    let id = made["id"].as_str().unwrap();
    clock.sleep(Duration::from_secs(172_799)).await;
    assert_eq!(status(&sandbox, id).await, "pending");
    clock.sleep(Duration::from_secs(1)).await;
    // Nobody looks before the record is there: it is too late all the same.
    publish(&sandbox, "cool.cats", &made["verification"]["code"]).await;
    assert_eq!(status(&sandbox, id).await, "failed");
    connectors(&sandbox, "POST", &format!("/{id}/begin_verification"), None).await;
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&sandbox, id).await, "verified");
}

#[tokio::test]
async fn a_record_published_in_time_verifies_even_if_nobody_asks_for_days() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    publish(&sandbox, "cool.cats", &made["verification"]["code"]).await;
    clock.sleep(Duration::from_secs(400_000)).await;
    assert_eq!(status(&sandbox, made["id"].as_str().unwrap()).await, "verified");
}

#[tokio::test]
async fn only_the_whole_code_in_one_record_at_the_apex_verifies() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    let (id, code) = (made["id"].as_str().unwrap(), made["verification"]["code"].as_str().unwrap());
    for wrong in [&code[..40], &format!(" {code}"), "cloudflare_dashboard_sso=1"] {
        publish(&sandbox, "cool.cats", &json!(format!("\"{wrong}\""))).await;
    }
    clock.sleep(Duration::from_mins(1)).await;
    assert_eq!(status(&sandbox, id).await, "pending");
    let split = format!("\"{}\" \"{}\"", &code[..30], &code[30..]);
    publish(&sandbox, "cool.cats", &json!(split)).await;
    clock.sleep(Duration::from_mins(2)).await;
    assert_eq!(status(&sandbox, id).await, "verified", "strings of one record are joined");
}

#[tokio::test]
async fn a_domain_hosted_elsewhere_is_verified_there() {
    let (sandbox, clock) = sandbox().await;
    for domain in ["dogs.test", "mail.dogs.test", "partial.cats", "pending.cats"] {
        let made = create(&sandbox, json!({"email_domain": domain})).await;
        let code = made["verification"]["code"].as_str().unwrap();
        sandbox.publish(domain, code).await.unwrap();
        clock.sleep(Duration::from_secs(1)).await;
        assert_eq!(status(&sandbox, made["id"].as_str().unwrap()).await, "verified", "{domain}");
    }
    let refused = sandbox.publish("cool.cats", "text").await.unwrap_err();
    assert!(refused.to_string().contains("create its records through the API"), "{refused}");
}

#[tokio::test]
async fn a_withdrawn_record_verifies_nothing() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "dogs.test"})).await;
    let code = made["verification"]["code"].as_str().unwrap();
    sandbox.publish("dogs.test", code).await.unwrap();
    sandbox.withdraw("dogs.test", code).await.unwrap();
    clock.sleep(Duration::from_secs(1)).await;
    assert_eq!(status(&sandbox, made["id"].as_str().unwrap()).await, "pending");
}

#[tokio::test]
async fn the_rules_of_the_documentation_are_enforced() {
    let (sandbox, _) = sandbox().await;
    for (body, refusal) in [
        (json!({}), (400, 1001)),
        (json!({"email_domain": 1}), (400, 1001)),
        (json!({"email_domain": ""}), (400, 12501)),
        (json!({"email_domain": "a@cool.cats"}), (400, 12501)),
        (json!({"email_domain": "gmail.com"}), (400, 12503)),
    ] {
        let reply = connectors(&sandbox, "POST", "", Some(body.clone())).await;
        assert_eq!(reply.refusal(), refusal, "{body}");
    }
    let made = create(&sandbox, json!({"email_domain": "cool.cats"})).await;
    let path = format!("/{}", made["id"].as_str().unwrap());
    for (verb, path, body, refusal) in [
        ("POST", "", json!({"email_domain": "Cool.Cats"}), (409, 12502)),
        ("PATCH", path.as_str(), json!({"enabled": true}), (400, 12506)),
        ("PATCH", &path, json!({"enabled": "yes"}), (400, 1001)),
        ("GET", "/0123", json!({}), (404, 12504)),
        ("PATCH", "/0123", json!({"enabled": false}), (404, 12504)),
        ("DELETE", "/0123", json!({}), (404, 12504)),
        ("POST", "/0123/begin_verification", json!({}), (404, 12504)),
        ("PUT", &path, json!({}), (501, 1501)),
    ] {
        let reply = connectors(&sandbox, verb, path, Some(body)).await;
        assert_eq!(reply.refusal(), refusal, "{verb} {path}");
    }
    let fedramp = json!({"use_fedramp_language": true});
    let changed = connectors(&sandbox, "PATCH", &path, Some(fedramp)).await.result();
    assert_eq!(changed["use_fedramp_language"], true);
    assert_eq!(changed["enabled"], false, "what is not named is not changed");
}

#[tokio::test]
async fn a_domain_enabled_in_another_account_is_enabled_after_it_is_disabled_there() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, json!({"email_domain": "both.cats"})).await;
    publish(&sandbox, "both.cats", &made["verification"]["code"]).await;
    clock.sleep(Duration::from_secs(1)).await;
    let path = format!("/{}", made["id"].as_str().unwrap());
    let refused = connectors(&sandbox, "PATCH", &path, Some(json!({"enabled": true}))).await;
    assert_eq!(refused.refusal(), (409, 12507));

    let other = format!("/accounts/{}/sso_connectors", sandbox.accounts()[1]);
    let theirs = ask(&sandbox, Access::Full, &format!("GET {other}"), None).await.result();
    assert_eq!(theirs[0]["email_domain"], "both.cats");
    let theirs = format!("PATCH {other}/{}", theirs[0]["id"].as_str().unwrap());
    let off = Some(json!({"enabled": false}));
    assert_eq!(ask(&sandbox, Access::Full, &theirs, off).await.result()["enabled"], false);
    let enabled = connectors(&sandbox, "PATCH", &path, Some(json!({"enabled": true}))).await;
    assert_eq!(enabled.result()["enabled"], true);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_and_the_log_names_no_token() {
    let (sandbox, _) = sandbox().await;
    let headers = format!("Authorization: Bearer {}\r\n", sandbox.token(Access::Full));
    let path = format!("POST /accounts/{}/sso_connectors", sandbox.account());
    let reply = super::client::ask_with(&sandbox, &headers, &path, Some(json!("{"))).await;
    assert_eq!(reply.status, 400);
    let log = format!("{:?}", sandbox.log());
    assert!(log.contains("/sso_connectors"), "{log}");
    assert!(!log.contains("cfut_"), "{log}");
}
