//! Tokens that are made through the API, and what they may do.

use std::time::Duration;

use cfsso::sandbox::{Access, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask, ask_with};
use super::sandbox;

const CONNECTOR_WRITE: &str = "901ca5e292584c6aa1b4cdb39248bb07";

fn path(sandbox: &Sandbox) -> String {
    format!("/accounts/{}/tokens", sandbox.account())
}

fn body(sandbox: &Sandbox, groups: &[&str]) -> Value {
    let groups: Vec<Value> = groups.iter().map(|id| json!({"id": id})).collect();
    let key = format!("com.cloudflare.api.account.{}", sandbox.account());
    json!({
        "name": "break glass",
        "expires_on": "2025-09-26T00:00:00Z",
        "policies": [{"effect": "allow", "permission_groups": groups, "resources": {key: "*"}}],
    })
}

async fn create(sandbox: &Sandbox, access: Access, body: Value) -> Reply {
    ask(sandbox, access, &format!("POST {}", path(sandbox)), Some(body)).await
}

async fn with(sandbox: &Sandbox, value: &str, request: &str) -> Reply {
    let headers = format!("Authorization: Bearer {value}\r\n");
    let request = request.replace("ACCOUNT", sandbox.account().as_str());
    ask_with(sandbox, &headers, &request, None).await
}

#[tokio::test]
async fn permission_groups_are_found_by_name_and_scope() {
    let (sandbox, _) = sandbox().await;
    let account = "com.cloudflare.api.account";
    for (query, count) in [
        ("?name=SSO%20Connector%20Write".to_owned(), 1),
        ("?name=Access:%20Apps%20and%20Policies%20Write".to_owned(), 2),
        (format!("?name=Access:%20Apps%20and%20Policies%20Write&scope={account}"), 1),
        ("?name=sso".to_owned(), 0),
        (String::new(), 18),
    ] {
        let request = format!("GET {}/permission_groups{query}", path(&sandbox));
        let list = ask(&sandbox, Access::ReadOnly, &request, None).await.result();
        assert_eq!(list.as_array().unwrap().len(), count, "{query}");
    }
    let of_user = "GET /user/tokens/permission_groups?name=SSO%20Connector%20Write";
    let list = ask(&sandbox, Access::Full, of_user, None).await.result();
    let expected =
        json!([{"id": CONNECTOR_WRITE, "name": "SSO Connector Write", "scopes": [account]}]);
    assert_eq!(list, expected);
    let reply = ask(&sandbox, Access::ConnectorOnly, of_user, None).await;
    assert_eq!(reply.refusal(), (403, 9109));
}

#[tokio::test]
async fn a_token_that_is_created_works_until_it_expires_or_is_deleted() {
    let (sandbox, clock) = sandbox().await;
    let made = create(&sandbox, Access::Full, body(&sandbox, &[CONNECTOR_WRITE])).await.result();
    let value = made["value"].as_str().unwrap();
    assert!(value.starts_with("cfat_") && value.len() > 45, "{value}");
    assert_eq!(made["policies"][0]["permission_groups"][0]["name"], "SSO Connector Write");
    let id = made["id"].as_str().unwrap();
    let one = format!("{}/{id}", path(&sandbox));
    let read = ask(&sandbox, Access::Full, &format!("GET {one}"), None).await.result();
    assert_eq!((read.get("value"), &read["status"]), (None, &json!("active")));
    for (request, refusal) in [
        ("GET /accounts/ACCOUNT/sso_connectors", None),
        ("GET /accounts/ACCOUNT/tokens/verify", None),
        ("GET /user/tokens/verify", Some((401, 1000))),
        ("GET /accounts/ACCOUNT/access/apps", Some((403, 10000))),
        ("GET /accounts", Some((403, 10000))),
        ("GET /zones", Some((403, 10000))),
    ] {
        let reply = with(&sandbox, value, request).await;
        match refusal {
            Some(refusal) => assert_eq!(reply.refusal(), refusal, "{request}"),
            None => assert_eq!(reply.status, 200, "{request}: {reply:?}"),
        }
    }
    let second = create(&sandbox, Access::Full, body(&sandbox, &[CONNECTOR_WRITE])).await.result();
    let other = second["value"].as_str().unwrap();
    ask(&sandbox, Access::Full, &format!("DELETE {one}"), None).await.result();
    let list = "GET /accounts/ACCOUNT/sso_connectors";
    assert_eq!(with(&sandbox, value, list).await.refusal(), (400, 9109));
    assert_eq!(with(&sandbox, other, list).await.status, 200);
    clock.sleep(Duration::from_hours(3)).await;
    assert_eq!(with(&sandbox, other, list).await.refusal(), (400, 9109));
    let request = format!("GET {}", path(&sandbox));
    let list = ask(&sandbox, Access::Full, &request, None).await.result();
    let statuses: Vec<_> = list.as_array().unwrap().iter().map(|token| &token["status"]).collect();
    assert_eq!(statuses, ["active", "active", "expired"]);
}

#[tokio::test]
async fn a_denial_takes_away_what_another_policy_allows() {
    let (sandbox, _) = sandbox().await;
    let apps = "1e13c5124ca64b72b1969a67e8829049";
    let mut given = body(&sandbox, &[CONNECTOR_WRITE, apps]);
    let mut denial = body(&sandbox, &[apps])["policies"][0].clone();
    denial["effect"] = "deny".into();
    given["policies"].as_array_mut().unwrap().push(denial);
    let made = create(&sandbox, Access::Full, given).await.result();
    let value = made["value"].as_str().unwrap();
    assert_eq!(with(&sandbox, value, "GET /accounts/ACCOUNT/sso_connectors").await.status, 200);
    let reply = with(&sandbox, value, "GET /accounts/ACCOUNT/access/apps").await;
    assert_eq!(reply.refusal(), (403, 10000));
}

#[tokio::test]
async fn nobody_gives_away_what_they_do_not_hold() {
    let (sandbox, _) = sandbox().await;
    let tokens = "5bc3f8b21c554832afc660159ab75fa4";
    let made = create(&sandbox, Access::Full, body(&sandbox, &[tokens])).await.result();
    let headers = format!("Authorization: Bearer {}\r\n", made["value"].as_str().unwrap());
    let request = format!("POST {}", path(&sandbox));
    let given = body(&sandbox, &[CONNECTOR_WRITE]);
    let reply = ask_with(&sandbox, &headers, &request, Some(given.clone())).await;
    assert_eq!(reply.refusal(), (400, 1001));
    assert!(reply.text.contains("Failed common permission check against resources"));
    let mut strange = given.clone();
    let key = format!("com.cloudflare.api.account.{}", sandbox.accounts()[1]);
    strange["policies"][0]["resources"] = json!({key: "*"});
    for (access, body, refusal) in [
        (Access::ReadOnly, given.clone(), (403, 10000)),
        (Access::ConnectorOnly, given, (403, 10000)),
        (Access::Full, strange, (400, 1001)),
        (Access::Full, body(&sandbox, &["nobodys"]), (400, 1001)),
        (Access::Full, body(&sandbox, &[]), (400, 1001)),
        (Access::Full, json!({"name": "a", "policies": []}), (400, 1001)),
    ] {
        let reply = create(&sandbox, access, body.clone()).await;
        assert_eq!(reply.refusal(), refusal, "{access:?} {body}");
    }
}
