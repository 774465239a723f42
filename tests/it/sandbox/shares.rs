//! Shares: how an identity provider gets to other accounts, and back.

use std::time::Duration;

use cfsso::api::ids::AccountId;
use cfsso::sandbox::{Access, AccountRelation, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask};
use super::sandbox;

async fn call(sandbox: &Sandbox, request: &str, body: Option<Value>) -> Reply {
    let request = request.replacen(' ', &format!(" /accounts/{}", sandbox.account()), 1);
    ask(sandbox, Access::Full, &request, body).await
}

/// Grants the identity provider of the first account; the grant's ID.
async fn grant(sandbox: &Sandbox) -> String {
    let list = call(sandbox, "GET /access/identity_providers", None).await.result();
    let body = json!({"idp_id": list[0]["id"]});
    let made = call(sandbox, "POST /access/idp_federation_grants", Some(body)).await.result();
    made["id"].as_str().unwrap().to_owned()
}

fn body(sandbox: &Sandbox, grant: &str, recipients: &Value) -> Value {
    json!({
        "name": "Identity provider: Company SSO",
        "recipients": recipients,
        "resources": [{"meta": {}, "resource_account_id": sandbox.account(),
            "resource_id": grant, "resource_type": "idp-federation-grant"}],
    })
}

fn to(account: &AccountId) -> Value {
    json!({"recipient_account_id": account})
}

/// Shares with the recipients; the path to the share.
async fn share(sandbox: &Sandbox, grant: &str, recipients: Value) -> String {
    let body = body(sandbox, grant, &recipients);
    let reply = call(sandbox, "POST /shares", Some(body)).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let json = reply.json();
    assert_eq!(json.get("messages"), None, "this part of the API has none");
    assert_eq!(json["result"]["status"], "active");
    format!("/shares/{}", json["result"]["id"].as_str().unwrap())
}

async fn received(sandbox: &Sandbox, account: &AccountId) -> Vec<Value> {
    let request = format!("GET /accounts/{account}/access/identity_providers");
    let list = ask(sandbox, Access::Full, &request, None).await.result();
    list.as_array().unwrap().iter().filter(|idp| idp["read_only"] == true).cloned().collect()
}

async fn associations(sandbox: &Sandbox, share: &str) -> Vec<String> {
    let list = call(sandbox, &format!("GET {share}/recipients"), None).await.result();
    let status = |item: &Value| item["association_status"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(status).collect()
}

#[tokio::test]
async fn a_recipient_gets_a_read_only_identity_provider_and_loses_it_with_the_grant() {
    let (sandbox, clock) = sandbox().await;
    let third = sandbox.accounts()[2].clone();
    let grant = grant(&sandbox).await;
    let share = share(&sandbox, &grant, json!([to(&third)])).await;
    assert_eq!(associations(&sandbox, &share).await, ["associating"]);
    assert!(received(&sandbox, &third).await.is_empty());
    clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(associations(&sandbox, &share).await, ["associated"]);
    let copy = &received(&sandbox, &third).await[0];
    assert_eq!((&copy["name"], &copy["type"]), (&json!("Company SSO"), &json!("oidc")));
    assert_eq!(copy["config"], json!({}));
    let one =
        format!("/accounts/{third}/access/identity_providers/{}", copy["id"].as_str().unwrap());
    for method in ["PUT", "DELETE"] {
        let request = format!("{method} {one}");
        let reply = ask(&sandbox, Access::Full, &request, Some(copy.clone())).await;
        assert_eq!(reply.refusal(), (400, 12130), "{method}");
    }
    let again = json!({"idp_id": copy["id"]});
    let request = format!("POST /accounts/{third}/access/idp_federation_grants");
    let reply = ask(&sandbox, Access::Full, &request, Some(again)).await;
    assert_eq!(reply.refusal(), (400, 12130), "a read-only one cannot be federated");
    let request = format!("DELETE /access/idp_federation_grants/{grant}");
    call(&sandbox, &request, None).await.result();
    assert!(received(&sandbox, &third).await.is_empty(), "at once");
    let left = call(&sandbox, &format!("GET {share}"), None).await.result();
    assert_eq!(left["status"], "active", "the record stays");
}

#[tokio::test]
async fn recipients_come_and_go_without_the_others_noticing() {
    let (sandbox, clock) = sandbox().await;
    let [third, fourth] = [2, 3].map(|at| sandbox.accounts()[at].clone());
    let new = sandbox.add_account("New Cats", AccountRelation::SameOrg).unwrap();
    let grant = grant(&sandbox).await;
    // The old name of the field is still taken.
    let old = json!({"account_id": fourth});
    let share = share(&sandbox, &grant, json!([to(&third), old])).await;
    clock.sleep(Duration::from_secs(5)).await;
    let request = format!("POST {share}/recipients");
    let reply = call(&sandbox, &request, Some(to(&new))).await;
    let added = &reply.json()["result"];
    assert_eq!((reply.status, &added["recipient_account_id"]), (201, &json!(new)));
    assert_eq!(added["account_id"], added["recipient_account_id"]);
    assert_eq!(call(&sandbox, &request, Some(to(&new))).await.refusal(), (409, 1001));
    let statuses = associations(&sandbox, &share).await;
    assert_eq!(statuses, ["associated", "associated", "associating"]);
    assert_eq!(received(&sandbox, &third).await.len(), 1);
    clock.sleep(Duration::from_secs(5)).await;
    assert_eq!(received(&sandbox, &new).await.len(), 1);
    let list = call(&sandbox, &format!("GET {share}/recipients"), None).await.result();
    let one = format!("{share}/recipients/{}", list[0]["id"].as_str().unwrap());
    let gone = call(&sandbox, &format!("DELETE {one}"), None).await.result();
    assert_eq!(gone["association_status"], "disassociating");
    assert_eq!(received(&sandbox, &third).await.len(), 1);
    clock.sleep(Duration::from_secs(5)).await;
    assert!(received(&sandbox, &third).await.is_empty());
    assert_eq!(received(&sandbox, &fourth).await.len(), 1);
    let one = call(&sandbox, &format!("GET {one}"), None).await.result();
    assert_eq!(one["association_status"], "disassociated", "the record stays");
    let counts = call(&sandbox, &format!("GET {share}?include_recipient_counts=true"), None).await;
    let counts = counts.result();
    assert_eq!(counts["associated_recipient_count"], 2);
    assert_eq!(counts["disassociated_recipient_count"], 1);
}

#[tokio::test]
async fn nobody_named_is_the_whole_organization() {
    let (sandbox, clock) = sandbox().await;
    let grant = grant(&sandbox).await;
    let share = share(&sandbox, &grant, json!([{}])).await;
    clock.sleep(Duration::from_secs(5)).await;
    for (account, count) in [(0, 0), (2, 1), (3, 1), (4, 0)] {
        let list = received(&sandbox, &sandbox.accounts()[account]).await;
        assert_eq!(list.len(), count, "{account}");
    }
    let read = call(&sandbox, &format!("GET {share}"), None).await.result();
    assert_eq!(read["target_type"], "organization");
    let request = format!("POST {share}/recipients");
    let third = to(&sandbox.accounts()[2]);
    assert_eq!(call(&sandbox, &request, Some(third)).await.refusal(), (400, 1001));
}

#[tokio::test]
async fn a_share_is_deleted_after_a_while() {
    let (sandbox, clock) = sandbox().await;
    let third = sandbox.accounts()[2].clone();
    let grant = grant(&sandbox).await;
    let share = share(&sandbox, &grant, json!([to(&third)])).await;
    clock.sleep(Duration::from_secs(5)).await;
    let renamed = call(&sandbox, &format!("PUT {share}"), Some(json!({"name": "new"}))).await;
    assert_eq!(renamed.result()["name"], "new");
    let gone = call(&sandbox, &format!("DELETE {share}"), None).await.result();
    assert_eq!(gone["status"], "deleting");
    assert_eq!(associations(&sandbox, &share).await, ["disassociating"]);
    let request = format!("PUT {share}");
    let reply = call(&sandbox, &request, Some(json!({"name": "newer"}))).await;
    assert_eq!(reply.refusal(), (409, 1001));
    clock.sleep(Duration::from_secs(5)).await;
    assert!(received(&sandbox, &third).await.is_empty());
    let read = call(&sandbox, &format!("GET {share}"), None).await.result();
    assert_eq!(read["status"], "deleted");
    let active = call(&sandbox, "GET /shares?status=active", None).await.result();
    assert_eq!(active, json!([]));
    assert_eq!(call(&sandbox, "GET /shares/1", None).await.refusal(), (404, 1004));
}

#[tokio::test]
async fn lists_come_whole_or_in_pages() {
    let (sandbox, _) = sandbox().await;
    let third = sandbox.accounts()[2].clone();
    let grant = grant(&sandbox).await;
    let share = share(&sandbox, &grant, json!([to(&third)])).await;
    let whole = call(&sandbox, "GET /shares?include_resources=true", None).await;
    assert_eq!(whole.json().get("result_info"), None);
    assert_eq!(whole.result()[0]["resources"][0]["resource_id"], grant.as_str());
    let page = call(&sandbox, "GET /shares?page=1", None).await.json();
    assert_eq!(page["result_info"]["per_page"], 20);
    assert_eq!(page["result"][0].get("resources"), None);
    let page = call(&sandbox, &format!("GET {share}/recipients?per_page=1"), None).await.json();
    assert_eq!(page["result_info"]["total_count"], 1);
    for (query, count) in [("kind=sent", 1), ("kind=received", 0), ("target_type=account", 1)] {
        let list = call(&sandbox, &format!("GET /shares?{query}"), None).await.result();
        assert_eq!(list.as_array().unwrap().len(), count, "{query}");
    }
    let request = format!("GET /accounts/{third}/shares?kind=received");
    let list = ask(&sandbox, Access::ReadOnly, &request, None).await.result();
    assert_eq!(list[0]["account_name"], "Cool Cats");
    let resources = call(&sandbox, &format!("GET {share}/resources"), None).await.result();
    let one = format!("{share}/resources/{}", resources[0]["id"].as_str().unwrap());
    let changed = call(&sandbox, &format!("PUT {one}"), Some(json!({"meta": {"a": 1}}))).await;
    assert_eq!(changed.result()["resource_version"], 2);
    let gone = call(&sandbox, &format!("DELETE {one}"), None).await.result();
    assert_eq!((&gone["status"], &gone["meta"]), (&json!("deleting"), &json!({"a": 1})));
}

#[tokio::test]
async fn an_account_without_access_never_gets_what_is_shared() {
    let (sandbox, clock) = sandbox().await;
    let bare = sandbox.add_account("Bare Cats", AccountRelation::SameOrgNoAccess).unwrap();
    let grant = grant(&sandbox).await;
    let share = share(&sandbox, &grant, json!([to(&bare)])).await;
    clock.sleep(Duration::from_hours(1)).await;
    let request = format!("GET {share}/recipients?include_resources=true");
    let list = call(&sandbox, &request, None).await.result();
    assert_eq!(list[0]["association_status"], "associating");
    let resource = &list[0]["resources"][0];
    assert_eq!((&resource["resource_id"], &resource["terminal"]), (&json!(grant), &json!(true)));
    assert!(resource["error"].as_str().unwrap().contains("not_enabled"));
}

#[tokio::test]
async fn what_cannot_be_shared_is_refused() {
    let (sandbox, _) = sandbox().await;
    let stranger = sandbox.add_account("Strange Dogs", AccountRelation::OtherOrg).unwrap();
    let grant = grant(&sandbox).await;
    let third = to(&sandbox.accounts()[2]);
    let mut both = third.clone();
    both["organization_id"] = "c001ca750a6000000000000000000001".into();
    for recipients in [
        json!([]),
        json!([both]),
        json!([to(&stranger)]),
        json!([to(sandbox.account())]),
        json!([{"organization_id": "0".repeat(32)}]),
    ] {
        let body = body(&sandbox, &grant, &recipients);
        let reply = call(&sandbox, "POST /shares", Some(body)).await;
        assert_eq!(reply.refusal(), (400, 1001), "{recipients}");
    }
    let twice = body(&sandbox, &grant, &json!([third, third]));
    assert_eq!(call(&sandbox, "POST /shares", Some(twice)).await.refusal(), (409, 1001));
    let nothing = body(&sandbox, "nobodys", &json!([third]));
    assert_eq!(call(&sandbox, "POST /shares", Some(nothing)).await.refusal(), (400, 1001));
    let mut rules = body(&sandbox, &grant, &json!([third]));
    rules["resources"][0]["resource_type"] = "custom-ruleset".into();
    assert_eq!(call(&sandbox, "POST /shares", Some(rules)).await.refusal(), (501, 1501));
    let shares = format!("/accounts/{}/shares", sandbox.account());
    for (access, method) in
        [(Access::AccessOnly, "GET"), (Access::ConnectorOnly, "GET"), (Access::ReadOnly, "POST")]
    {
        let body = body(&sandbox, &grant, &json!([third]));
        let reply = ask(&sandbox, access, &format!("{method} {shares}"), Some(body)).await;
        assert_eq!(reply.refusal(), (403, 10000), "{access:?}");
    }
    assert_eq!(call(&sandbox, "GET /shares", None).await.result(), json!([]));
}
