//! The SSO App, its policies, and what a PUT does to them.

use cfsso::sandbox::{Access, Sandbox};
use serde_json::{Value, json};

use super::client::{Reply, ask, ask_text};
use super::sandbox;

fn path(sandbox: &Sandbox) -> String {
    format!("/accounts/{}/access/apps", sandbox.account())
}

async fn call(sandbox: &Sandbox, method: &str, rest: &str, body: Option<Value>) -> Reply {
    ask(sandbox, Access::Full, &format!("{method} {}{rest}", path(sandbox)), body).await
}

/// Creates a connector and returns its ID.
async fn connect(sandbox: &Sandbox, domain: &str) -> String {
    let request = format!("POST /accounts/{}/sso_connectors", sandbox.account());
    let body = Some(json!({"email_domain": domain}));
    let made = ask(sandbox, Access::Full, &request, body).await.result();
    made["id"].as_str().unwrap().to_owned()
}

/// The SSO App, and the path to it.
async fn sso_app(sandbox: &Sandbox) -> (Value, String) {
    let list = call(sandbox, "GET", "", None).await.result();
    let app = list.as_array().unwrap().iter().find(|app| app["type"] == "dash_sso");
    let app = app.expect("there is one").clone();
    let rest = format!("/{}", app["id"].as_str().unwrap());
    (app, rest)
}

fn names(app: &Value) -> Vec<&str> {
    let policies = app["policies"].as_array().unwrap().iter();
    policies.map(|policy| policy["name"].as_str().unwrap()).collect()
}

fn without(app: &Value, keys: &[&str]) -> Value {
    let mut app = app.clone();
    for key in keys {
        app.as_object_mut().unwrap().remove(*key);
    }
    app
}

#[tokio::test]
async fn the_sso_app_appears_with_the_first_connector_and_policies_follow() {
    let (sandbox, _) = sandbox().await;
    let list = call(&sandbox, "GET", "", None).await;
    assert_eq!(list.result().as_array().unwrap().len(), 1, "only the wiki");
    assert_eq!(list.json()["result_info"]["per_page"], 1000);
    let first = connect(&sandbox, "cool.cats").await;
    connect(&sandbox, "dogs.test").await;
    let (app, _) = sso_app(&sandbox).await;
    assert_eq!(app["name"], "SSO App");
    assert!(app.as_object().unwrap().len() >= 30);
    assert_eq!(names(&app), ["allow email domain cool.cats", "allow email domain dogs.test"]);
    let include = json!([{"email_domain": {"domain": "cool.cats"}}]);
    assert_eq!(app["policies"][0]["include"], include);
    assert_eq!(app["policies"][0]["decision"], "allow");
    let request = format!("DELETE /accounts/{}/sso_connectors/{first}", sandbox.account());
    ask(&sandbox, Access::Full, &request, None).await.result();
    let (after, _) = sso_app(&sandbox).await;
    assert_eq!(after["id"], app["id"]);
    assert_eq!(names(&after), ["allow email domain dogs.test"]);
}

#[tokio::test]
async fn a_put_of_what_was_read_changes_nothing_to_the_byte() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    let (_, rest) = sso_app(&sandbox).await;
    let before = call(&sandbox, "GET", &rest, None).await.result_text();
    for kept in ["12345678901234567890123", "3.10", "1E+2", r"Cool \u0043ats", r#""b":-0"#] {
        assert!(before.contains(kept), "{kept}: {before}");
    }
    // The time stamps and the policies come last.
    let sent = format!("{}}}", &before[..before.find(r#","created_at""#).unwrap()]);
    let request = format!("PUT {}{rest}", path(&sandbox));
    for sent in [&sent, &before] {
        assert_eq!(ask_text(&sandbox, Access::Full, &request, sent).await.status, 200);
        let after = call(&sandbox, "GET", &rest, None).await.result_text();
        assert_eq!(after, before);
    }
}

#[tokio::test]
async fn a_put_replaces_what_the_server_did_not_make() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    let (app, rest) = sso_app(&sandbox).await;
    let pin = json!(["f174e90a-fafe-4643-bbbc-4a0ed4fc8415"]);
    let body = json!({"id": app["id"], "uid": app["uid"], "type": "dash_sso", "name": "SSO App",
        "allowed_idps": pin});
    let after = call(&sandbox, "PUT", &rest, Some(body)).await.result();
    assert_eq!(after["allowed_idps"], pin);
    assert_eq!(after.get("x_serial"), None, "what is left out is gone");
    for kept in ["id", "uid", "aud", "saas_app", "created_at", "policies"] {
        assert_eq!(after[kept], app[kept], "{kept}");
    }
    let mut changed = after.clone();
    changed["aud"] = "mine".into();
    changed["saas_app"] = json!({"sso_endpoint": "https://evil.test", "name_id_format": "id"});
    let after = call(&sandbox, "PUT", &rest, Some(changed)).await.result();
    assert_eq!(after["aud"], app["aud"]);
    assert_eq!(after["saas_app"]["sso_endpoint"], app["saas_app"]["sso_endpoint"]);
    assert_eq!(after["saas_app"]["name_id_format"], "id");
}

#[tokio::test]
async fn policies_in_a_put_of_the_app_mean_what_is_documented() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    connect(&sandbox, "dogs.test").await;
    let (app, rest) = sso_app(&sandbox).await;
    let (cats, dogs) = ("allow email domain cool.cats", "allow email domain dogs.test");
    let [first, second] = [0, 1].map(|at| app["policies"][at]["id"].clone());
    let inline = json!({"name": "new", "decision": "allow", "include": [{"everyone": {}}]});
    let mut renamed = app["policies"][1].clone();
    renamed["name"] = "renamed".into();
    renamed["precedence"] = 9.into();
    let base = without(&app, &["policies"]);
    for (policies, expected) in [
        (None, vec![cats, dogs]),
        (Some(json!(null)), vec![cats, dogs]),
        (Some(json!([second, first])), vec![dogs, cats]),
        (
            Some(json!([{"id": first, "precedence": 1}, {"id": second, "precedence": 2}])),
            vec![cats, dogs],
        ),
        (Some(json!([first, renamed, inline])), vec![cats, "new", "renamed"]),
        (Some(json!([])), vec![]),
    ] {
        let mut body = base.clone();
        if let Some(policies) = &policies {
            body["policies"] = policies.clone();
        }
        let after = call(&sandbox, "PUT", &rest, Some(body)).await.result();
        assert_eq!(names(&after), expected, "{policies:?}");
    }
    for (policies, refusal) in [
        (json!([first]), (404, 11021)),
        (json!("all"), (400, 12130)),
        (json!([1]), (400, 12130)),
        (
            json!([{"name": "new", "decision": "maybe", "include": [{"everyone": {}}]}]),
            (400, 12130),
        ),
    ] {
        let mut body = base.clone();
        body["policies"] = policies.clone();
        let reply = call(&sandbox, "PUT", &rest, Some(body)).await;
        assert_eq!(reply.refusal(), refusal, "{policies}");
    }
}

#[tokio::test]
async fn instant_authentication_needs_exactly_one_identity_provider() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    let (app, rest) = sso_app(&sandbox).await;
    for (allowed, status) in [
        (json!([]), 400),
        (json!(["a"]), 200),
        (json!(["a", "b"]), 400),
        (json!("a"), 400),
        (json!(null), 400),
    ] {
        let mut body = without(&app, &["policies"]);
        body["allowed_idps"] = allowed.clone();
        body["auto_redirect_to_identity"] = true.into();
        assert_eq!(call(&sandbox, "PUT", &rest, Some(body)).await.status, status, "{allowed}");
    }
}

#[tokio::test]
async fn what_cannot_be_an_app_is_refused() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    let (app, rest) = sso_app(&sandbox).await;
    let nobodys = "/f174e90a-fafe-4643-bbbc-4a0ed4fc8415";
    for (method, rest, body, refusal) in [
        ("GET", nobodys, json!({}), (404, 11021)),
        ("PUT", nobodys, json!({}), (404, 11021)),
        ("GET", "/sso", json!({}), (400, 12045)),
        ("PUT", rest.as_str(), without(&app, &["type"]), (400, 12130)),
        ("PUT", &rest, json!({"type": "saas"}), (400, 12130)),
        ("DELETE", &rest, json!({}), (501, 1501)),
        ("POST", "", json!({}), (501, 1501)),
    ] {
        let reply = call(&sandbox, method, rest, Some(body)).await;
        assert_eq!(reply.refusal(), refusal, "{method} {rest}");
    }
    let other = format!("GET /accounts/{}/access/apps{rest}", sandbox.accounts()[2]);
    assert_eq!(ask(&sandbox, Access::Full, &other, None).await.refusal(), (404, 11021));
}

#[tokio::test]
async fn apps_are_found_by_their_filters() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    for (query, expected) in [
        ("name=SSO", vec!["SSO App"]),
        ("name=SSO&exact=true", vec![]),
        ("name=Wiki&exact=true", vec!["Wiki"]),
        ("domain=wiki.cool", vec!["Wiki"]),
        ("search=cool", vec!["Wiki", "SSO App"]),
        ("per_page=1&page=2", vec!["SSO App"]),
    ] {
        let list = call(&sandbox, "GET", &format!("?{query}"), None).await.result();
        let list: Vec<_> = list.as_array().unwrap().iter().map(|app| app["name"].clone()).collect();
        assert_eq!(list, expected, "{query}");
    }
}

#[tokio::test]
async fn a_policy_is_created_changed_and_removed() {
    let (sandbox, _) = sandbox().await;
    connect(&sandbox, "cool.cats").await;
    let (_, rest) = sso_app(&sandbox).await;
    let policies = format!("{rest}/policies");
    let rule = json!({"name": "new", "decision": "allow", "include": [{"everyone": {}}]});
    let made = call(&sandbox, "POST", &policies, Some(rule.clone())).await.result();
    assert_eq!(made["precedence"], 2);
    let mut taken = rule.clone();
    taken["precedence"] = 1.into();
    let reply = call(&sandbox, "POST", &policies, Some(taken.clone())).await;
    assert_eq!(reply.refusal(), (400, 12130));
    assert!(reply.text.contains("policy precedences must be unique"));
    let one = format!("{policies}/{}", made["id"].as_str().unwrap());
    assert_eq!(call(&sandbox, "PUT", &one, Some(taken)).await.refusal(), (400, 12130));
    let mut changed = made.clone();
    changed["x_unknown"] = json!({"a": null});
    let after = call(&sandbox, "PUT", &one, Some(changed)).await.result();
    assert_eq!(after["x_unknown"], json!({"a": null}));
    assert_eq!(call(&sandbox, "GET", &one, None).await.result(), after);
    let list = call(&sandbox, "GET", &policies, None).await;
    assert_eq!(list.result()[1], after);
    assert_eq!(list.json()["result_info"]["total_count"], 2);
    call(&sandbox, "DELETE", &one, None).await.result();
    assert_eq!(call(&sandbox, "GET", &one, None).await.refusal(), (404, 11021));
    for body in [
        json!({}),
        json!({"name": "new", "decision": "allow"}),
        json!({"name": "new", "decision": "allow", "include": []}),
        json!({"name": "", "decision": "allow", "include": [{"everyone": {}}]}),
    ] {
        let reply = call(&sandbox, "POST", &policies, Some(body.clone())).await;
        assert_eq!(reply.refusal(), (400, 12130), "{body}");
    }
}
