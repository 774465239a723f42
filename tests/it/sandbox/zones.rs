//! Zones and their records.

use cfsso::sandbox::{Access, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask};
use super::sandbox;

async fn full(sandbox: &Sandbox, request: &str, body: Option<Value>) -> Reply {
    ask(sandbox, Access::Full, request, body).await
}

async fn zone(sandbox: &Sandbox, name: &str) -> String {
    let request = format!("GET /zones?name={name}");
    full(sandbox, &request, None).await.result()[0]["id"].as_str().unwrap().to_owned()
}

fn names(list: &Value) -> Vec<&str> {
    list.as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn zones_are_found_by_name_account_status_and_type() {
    let (sandbox, _) = sandbox().await;
    let [first, second, ..] = sandbox.accounts() else { panic!("there are more") };
    for (query, expected) in [
        ("", vec!["cool.cats", "partial.cats", "pending.cats", "both.cats", "both.cats"]),
        ("name=cool.cats", vec!["cool.cats"]),
        ("name=ool.cats", vec![]),
        ("name=contains:art", vec!["partial.cats"]),
        ("name=both.cats", vec!["both.cats", "both.cats"]),
        (&format!("name=both.cats&account.id={first}&status=active"), vec!["both.cats"]),
        (&format!("account.id={second}"), vec!["both.cats"]),
        ("status=pending", vec!["pending.cats", "both.cats"]),
        ("type=partial", vec!["partial.cats"]),
        ("per_page=5&page=2", vec![]),
    ] {
        let reply = full(&sandbox, &format!("GET /zones?{query}"), None).await;
        assert_eq!(names(&reply.result()), expected, "{query}");
        assert!(reply.json()["result_info"]["total_pages"].is_u64(), "{query}");
    }
    for (query, refusal) in [
        ("tag=a", (501, 1501)),
        ("name=matches:a", (501, 1501)),
        ("per_page=1", (400, 1006)),
        ("account.id=1", (400, 1006)),
    ] {
        let reply = full(&sandbox, &format!("GET /zones?{query}"), None).await;
        assert_eq!(reply.refusal(), refusal, "{query}");
    }
}

#[tokio::test]
async fn a_zone_is_added_once() {
    let (sandbox, _) = sandbox().await;
    let body = json!({"name": "New.Cats", "account": {"id": sandbox.account()}, "type": "full"});
    let made = full(&sandbox, "POST /zones", Some(body.clone())).await.result();
    assert_eq!((&made["name"], &made["status"]), (&json!("new.cats"), &json!("active")));
    assert_eq!(full(&sandbox, "POST /zones", Some(body)).await.refusal(), (400, 1061));
    let path = format!("GET /zones/{}", made["id"].as_str().unwrap());
    assert_eq!(full(&sandbox, &path, None).await.result(), made);
    for (path, refusal) in
        [("GET /zones/1", (400, 7003)), (&format!("GET /zones/{}", "0".repeat(32)), (404, 1001))]
    {
        assert_eq!(full(&sandbox, path, None).await.refusal(), refusal, "{path}");
    }
}

#[tokio::test]
async fn a_text_is_kept_in_quotes_and_an_identical_one_refused() {
    let (sandbox, _) = sandbox().await;
    let path = format!("/zones/{}/dns_records", zone(&sandbox, "cool.cats").await);
    let post = format!("POST {path}");
    let bare = json!({"type": "TXT", "name": "cool.cats", "content": "a=b", "ttl": 120});
    let made = full(&sandbox, &post, Some(bare.clone())).await.result();
    assert_eq!(made["content"], r#""a=b""#);
    assert_eq!(made["ttl"], 120);
    let quoted = json!({"type": "txt", "name": "Cool.Cats.", "content": "\"a=b\"", "ttl": 1});
    for same in [bare, quoted] {
        let refused = full(&sandbox, &post, Some(same)).await;
        assert_eq!(refused.refusal(), (400, 81058));
        assert!(refused.text.contains("An identical record already exists."));
    }
    let delete = format!("DELETE {path}/{}", made["id"].as_str().unwrap());
    assert_eq!(full(&sandbox, &delete, None).await.result(), json!({"id": made["id"]}));
    assert_eq!(full(&sandbox, &delete, None).await.refusal(), (404, 81044));
}

#[tokio::test]
async fn a_patch_changes_the_fields_of_a_record_that_it_names() {
    let (sandbox, _) = sandbox().await;
    let path = format!("/zones/{}/dns_records", zone(&sandbox, "cool.cats").await);
    let body = json!({"type": "TXT", "name": "cool.cats", "content": "a=b", "ttl": 120});
    let made = full(&sandbox, &format!("POST {path}"), Some(body)).await.result();
    let request = format!("PATCH {path}/{}", made["id"].as_str().unwrap());
    let changed = full(&sandbox, &request, Some(json!({"content": "a=c"}))).await.result();
    assert_eq!((&changed["content"], &changed["ttl"]), (&json!("\"a=c\""), &json!(120)));
    assert_eq!((&changed["id"], &changed["name"]), (&made["id"], &made["name"]));
    let refused = full(&sandbox, &request, Some(json!({"ttl": 7}))).await;
    assert_eq!(refused.refusal(), (400, 1004));
    let unknown = format!("PATCH {path}/{}", "0".repeat(32));
    assert_eq!(full(&sandbox, &unknown, Some(json!({}))).await.refusal(), (404, 81044));
}

#[tokio::test]
async fn records_are_found_by_type_name_and_content() {
    let (sandbox, _) = sandbox().await;
    let path = format!("/zones/{}/dns_records", zone(&sandbox, "cool.cats").await);
    for (kind, name, content) in
        [("TXT", "mail", "a=B"), ("A", "www.cool.cats", "192.0.2.1"), ("TXT", "@", "a=C")]
    {
        let body = json!({"type": kind, "name": name, "content": content, "ttl": 1});
        full(&sandbox, &format!("POST {path}"), Some(body)).await.result();
    }
    for (query, count) in [
        ("", 4),
        ("type=TXT", 3),
        ("type=TXT&name=cool.cats", 2),
        ("name.exact=mail.cool.cats", 1),
        ("content.exact=%22A%3Db%22", 1),
        ("content.exact=a%3Db", 0),
        ("content.contains=a%3D", 2),
        ("content.startswith=%22v", 1),
        ("content.endswith=.1", 1),
        ("content=192.0.2.1", 1),
        ("per_page=3&page=2", 1),
    ] {
        let reply = full(&sandbox, &format!("GET {path}?{query}"), None).await;
        assert_eq!(reply.result().as_array().unwrap().len(), count, "{query}");
    }
    let unmodelled = full(&sandbox, &format!("GET {path}?search=a"), None).await;
    assert_eq!(unmodelled.refusal(), (501, 1501));
}

#[tokio::test]
async fn a_record_that_cannot_be_is_refused() {
    let (sandbox, _) = sandbox().await;
    let post = format!("POST /zones/{}/dns_records", zone(&sandbox, "cool.cats").await);
    let alias = json!({"type": "CNAME", "name": "www", "content": "cool.cats", "ttl": 1});
    full(&sandbox, &post, Some(alias)).await.result();
    for (body, refusal, cause) in [
        (json!({"type": "A", "name": "a", "content": "x", "ttl": 1}), (400, 1004), Some(9007)),
        (json!({"type": "TXT", "name": "a", "content": "\"x", "ttl": 1}), (400, 1004), Some(9007)),
        (json!({"type": "TXT", "name": "a", "content": "x", "ttl": 59}), (400, 1004), Some(9021)),
        (json!({"type": "TXT", "name": "a..b", "content": "x"}), (400, 1004), Some(9000)),
        (json!({"type": "A", "name": "www", "content": "192.0.2.1"}), (400, 81053), None),
        (json!({"type": "SRV", "name": "a", "content": "x"}), (501, 1501), None),
        (json!({"type": "CNAME", "name": "@", "content": "a.b"}), (501, 1501), None),
        (json!({"type": "TXT", "name": "a"}), (400, 1001), None),
    ] {
        let reply = full(&sandbox, &post, Some(body.clone())).await;
        assert_eq!(reply.refusal(), refusal, "{body}");
        let chain = &reply.json()["errors"][0]["error_chain"][0]["code"];
        assert_eq!(chain.as_u64(), cause, "{body}");
    }
}
