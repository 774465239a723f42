//! Federation grants.

use cfsso::sandbox::{Access, Options, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask};
use super::sandbox;

async fn call(sandbox: &Sandbox, account: usize, request: &str, body: Option<Value>) -> Reply {
    let account = &sandbox.accounts()[account];
    let request = request.replacen(' ', &format!(" /accounts/{account}/access"), 1);
    ask(sandbox, Access::Full, &request, body).await
}

async fn provider(sandbox: &Sandbox, account: usize, kind: &str) -> String {
    let body = json!({"name": kind, "type": kind, "config": {}});
    let made = call(sandbox, account, "POST /identity_providers", Some(body)).await.result();
    made["id"].as_str().unwrap().to_owned()
}

async fn grant(sandbox: &Sandbox, account: usize, provider: &str) -> Reply {
    let body = json!({"idp_id": provider});
    call(sandbox, account, "POST /idp_federation_grants", Some(body)).await
}

#[tokio::test]
async fn a_grant_keeps_its_identity_provider_from_being_deleted() {
    let (sandbox, _) = sandbox().await;
    let okta = provider(&sandbox, 0, "okta").await;
    let made = grant(&sandbox, 0, &okta).await.result();
    assert_eq!(made["idp_id"], okta.as_str());
    assert_eq!(grant(&sandbox, 0, &okta).await.refusal(), (409, 12132));
    let remove = format!("DELETE /identity_providers/{okta}");
    assert_eq!(call(&sandbox, 0, &remove, None).await.refusal(), (409, 12132));
    let one = format!("/idp_federation_grants/{}", made["id"].as_str().unwrap());
    assert_eq!(call(&sandbox, 0, &format!("GET {one}"), None).await.result(), made);
    let list = call(&sandbox, 0, "GET /idp_federation_grants", None).await.result();
    assert_eq!(list, json!([made]));
    assert_eq!(call(&sandbox, 2, &format!("GET {one}"), None).await.refusal(), (404, 11021));
    let gone = call(&sandbox, 0, &format!("DELETE {one}"), None).await.result();
    assert_eq!(gone, json!({"id": made["id"]}));
    assert_eq!(call(&sandbox, 0, &format!("DELETE {one}"), None).await.refusal(), (404, 11021));
    call(&sandbox, 0, &remove, None).await.result();
}

#[tokio::test]
async fn what_cannot_be_federated_is_refused() {
    let (sandbox, _) = sandbox().await;
    let pin = provider(&sandbox, 0, "onetimepin").await;
    let cloudflare = provider(&sandbox, 0, "cloudflare").await;
    let strangers = provider(&sandbox, 4, "okta").await;
    for (account, provider, refusal) in [
        (0, pin.as_str(), (400, 12130)),
        (0, &cloudflare, (400, 12130)),
        (0, &strangers, (404, 11021)),
        (0, "nobodys", (404, 11021)),
        (4, &strangers, (400, 12130)),
    ] {
        let reply = grant(&sandbox, account, provider).await;
        assert_eq!(reply.refusal(), refusal, "{account} {provider}");
    }
    let list = ask(&sandbox, Access::Full, "GET /accounts", None).await.result();
    let parents: Vec<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account.get("managed_by").is_some())
        .collect();
    assert_eq!(parents, [true, false, true, true, false]);
    assert_eq!(list[0]["managed_by"], list[3]["managed_by"]);
}

#[tokio::test]
async fn an_account_holds_as_many_grants_as_it_is_told() {
    for limit in [1, 5] {
        let options = Options { federation_grants: limit, ..Options::default() };
        let sandbox = sandbox::start(options).await.unwrap();
        for _ in 0..limit {
            let okta = provider(&sandbox, 0, "okta").await;
            grant(&sandbox, 0, &okta).await.result();
        }
        let okta = provider(&sandbox, 0, "okta").await;
        assert_eq!(grant(&sandbox, 0, &okta).await.refusal(), (409, 12132), "{limit}");
    }
}
