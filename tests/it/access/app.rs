//! Scenes of `cfsso app`.

use serde_json::json;

use super::server::{APP, Double, OKTA, PIN, app, idp};

/// With what no serialiser of this program would write, and no field sorted.
const OBJECT: &str = r#"{"id":"3537a672-e4d8-4d89-aab9-26cb622918a1","uid":"3537a672-e4d8-4d89-aab9-26cb622918a1","type":"dash_sso","name":"SSO App","created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z","zeta":12345678901234567890123,"ratio":3.10,"allowed_idps":["f174e90a-fafe-4643-bbbc-4a0ed4fc8415"],"nothing":null,"deep":{"b":[1.0,{"x":null}],"a":1e3},"text":"caf\u00e9","auto_redirect_to_identity":false,"policies":[{"id":"y1","updated_at":"2026-01-01T00:00:00Z"}]}"#;

async fn double() -> Double {
    with_app(OBJECT).await
}

async fn with_app(object: &str) -> Double {
    Double::new()
        .await
        .with(&app(), object)
        .with(
            &idp(OKTA),
            &format!(r#"{{"id":"{OKTA}","name":"Okta","type":"okta","config":{{}}}}"#),
        )
        .with(
            &idp(PIN),
            &format!(r#"{{"id":"{PIN}","name":"PIN","type":"onetimepin","config":{{}}}}"#),
        )
}

/// What is sent for an object: without the members that stay out.
fn sent(object: &str) -> String {
    let (head, _) = object.split_once(r#","policies""#).unwrap();
    format!("{head}}}")
        .replace(r#""created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-02T00:00:00Z","#, "")
}

#[tokio::test]
async fn adding_an_idp_sends_the_object_as_read_but_for_that_list() {
    let double = double().await;
    let ran = double.ok("app idps --add onetimepin --yes -o json").await;
    let list = format!(r#"["{OKTA}","{PIN}"]"#);
    assert_eq!(double.written(), sent(OBJECT).replace(&format!(r#"["{OKTA}"]"#), &list));
    assert_eq!(ran.json()["allowed_idps"], json!([OKTA, PIN]));
    assert!(ran.stdout.contains("12345678901234567890123"), "{}", ran.stdout);
}

#[tokio::test]
async fn an_update_sends_the_object_as_read_but_for_its_fields() {
    let double = double().await;
    let line = "app update --name Dashboard --set deep.a=7 --set session_duration=12h --yes";
    let ran = double.ok(&format!("{line} -o json")).await;
    let expected = sent(OBJECT)
        .replace(r#""name":"SSO App""#, r#""name":"Dashboard""#)
        .replace("\"a\":1e3", "\"a\":7")
        .replace(":false}", r#":false,"session_duration":"12h"}"#);
    assert_eq!(double.written(), expected);
    assert_eq!(ran.json()["session_duration"], "12h");
    let ran = double.ok("app update --set session_duration=12h").await;
    assert!(ran.stderr.contains("no change"), "{ran:?}");
}

#[tokio::test]
async fn an_update_leaves_alone_what_it_may_not_change() {
    let double = double().await;
    for (line, code, says) in [
        ("app update", 2, "nothing to change was specified"),
        ("app update --set allowed_idps=[]", 2, "cannot be set this way"),
        ("app update --set auto_redirect_to_identity=true", 2, "cannot be set this way"),
        ("app update --set policies=[] --yes", 11, "`policies` of this application"),
        ("app update --set type=saas --yes", 11, "`type` of this application"),
        ("app update --set text.x=1 --yes", 2, "`text` is not an object"),
        ("app update --set saas_app.client_secret=plantedsecret", 2, "is a secret"),
        ("app update --name Dashboard", 3, "confirmation required"),
    ] {
        let ran = double.run(&format!("{line} -o json")).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{line}: {ran:?}");
        let message = ran.error()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says), "{line}: {message}");
        assert!(!ran.stderr.contains("plantedsecret"), "{ran:?}");
    }
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn what_is_so_already_is_not_sent() {
    let double = double().await;
    for line in ["app idps --add Okta", "app idps --only okta", "app instant-auth off"] {
        let ran = double.ok(line).await;
        assert!(ran.stderr.contains("no change"), "{line} {ran:?}");
    }
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn a_dry_run_shows_the_request_and_sends_none() {
    let double = double().await;
    let plan = double.ok("app idps --all --dry-run -o json").await.json();
    assert_eq!(
        plan["changes"][0]["diff"],
        json!([{"field": "allowed_idps", "before": [OKTA], "after": []}])
    );
    assert_eq!(plan["changes"][0]["request"]["method"], "PUT");
    assert_eq!(plan["changes"][0]["request"]["body"].get("policies"), None);
    let ran = double.run("app idps --all --dry-run --detailed-exitcode").await;
    assert_eq!(ran.code, 10);
    assert!(ran.stdout.contains(r#""zeta":12345678901234567890123,"ratio":3.10,"#), "{ran:?}");
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn nothing_is_sent_without_a_confirmation() {
    let double = double().await;
    let ran = double.run("app idps --all -o json").await;
    assert_eq!(ran.code, 3);
    assert_eq!(ran.error()["hint"], "`--confirm 'SSO App'`");
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn a_change_by_somebody_else_in_between_stops_it() {
    let double = double().await.changing_meanwhile(|object| object.replace("3.10", "3.11"));
    let ran = double.run("app idps --all --yes -o json").await;
    assert_eq!(ran.code, 7);
    assert_eq!(ran.error()["causes"], json!(["`ratio`: 3.1 -> 3.11"]));
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn a_field_that_nobody_asked_to_change_is_said_loudly() {
    let double = double().await.twisting_writes(|object| object.replace("0123,", "0000,"));
    let ran = double.run("app idps --all --yes -o json").await;
    assert_eq!(ran.code, 1);
    let error = ran.error();
    assert_eq!(
        error["causes"],
        json!(["`zeta`: 12345678901234567890123 -> 12345678901234567890000"])
    );
    assert!(error["hint"].as_str().unwrap().contains("cfsso journal undo"));
    assert_eq!(ran.json()["allowed_idps"], json!([]), "the object is shown all the same");
}

#[tokio::test]
async fn policies_that_are_gone_after_a_change_are_said_loudly() {
    let double = double().await.twisting_writes(|object| {
        object.replace(r#"[{"id":"y1","updated_at":"2026-01-01T00:00:00Z"}]"#, "[]")
    });
    let ran = double.run("app idps --all --yes -o json").await;
    assert_eq!(ran.code, 1);
    assert!(ran.error()["causes"][0].as_str().unwrap().starts_with("`policies`"), "{ran:?}");
}

#[tokio::test]
async fn times_that_the_server_changes_are_shown_and_no_alarm() {
    let double = double().await.twisting_writes(|object| {
        object.replace("2026-01-02T00:00:00Z\"", "2026-03-01T12:00:00Z\",\"extra\":1")
    });
    let ran = double.ok("app idps --all --yes").await;
    for shown in
        ["`updated_at`: 2026-01-02T00:00:00Z -> 2026-03-01T12:00:00Z", "`extra`: none -> 1"]
    {
        assert!(ran.stdout.contains(shown), "{}", ran.stdout);
    }
}

#[tokio::test]
async fn a_list_that_reads_back_otherwise_is_a_failure() {
    let double = double().await.twisting_writes(|object| {
        object.replace(r#""allowed_idps":[]"#, r#""allowed_idps":["x"]"#)
    });
    let ran = double.run("app idps --all --yes -o json").await;
    assert_eq!(ran.code, 1);
    assert_eq!(ran.error()["causes"], json!([r#"`allowed_idps`: sent [], now ["x"]"#]));
}

#[tokio::test]
async fn the_last_way_in_is_not_removed() {
    let double = double().await;
    let gone = "00000000-0000-4000-8000-000000000000";
    let listed = OBJECT.replace(&format!(r#"["{OKTA}"]"#), &format!(r#"["{OKTA}","{gone}"]"#));
    for (line, code) in [
        ("app idps --remove Okta --yes".to_owned(), 11),
        ("app idps --only nobody --yes".to_owned(), 6),
        (format!("app idps --only {gone} --yes"), 6),
        (format!("app instant-auth on --only {gone} --yes"), 6),
    ] {
        assert_eq!(double.run(&line).await.code, code, "{line}");
    }
    assert_eq!(double.writes(), []);
    let double = with_app(&listed).await;
    assert_eq!(double.run("app idps --remove Okta --yes").await.code, 11);
    assert_eq!(double.run(&format!("app idps --only {gone} --yes")).await.code, 11);
    assert_eq!(double.writes(), []);
    double.ok(&format!("app idps --only {gone} --yes --force")).await;
    assert_eq!(double.writes().len(), 1);
}

#[tokio::test]
async fn instant_authentication_goes_with_exactly_one_idp() {
    let double = with_app(&OBJECT.replace(&format!(r#"["{OKTA}"]"#), "[]")).await;
    let ran = double.run("app instant-auth on --yes -o json").await;
    assert_eq!(ran.code, 11);
    assert!(ran.error()["hint"].as_str().unwrap().contains("--only"), "{ran:?}");
    let on = double.ok("app instant-auth on --only PIN --yes -o json").await.json();
    assert_eq!(
        (&on["allowed_idps"], &on["auto_redirect_to_identity"]),
        (&json!([PIN]), &json!(true))
    );
    let wide = double.ok("app idps --add Okta --yes -o json").await.json();
    assert_eq!(wide["allowed_idps"], json!([PIN, OKTA]));
    assert_eq!(wide["auto_redirect_to_identity"], json!(false), "off where it widens");
}

#[tokio::test]
async fn one_idp_that_is_seen_not_to_work_is_not_left_alone() {
    // Its configuration has nothing of what its type needs.
    let double = with_app(&OBJECT.replace(&format!(r#"["{OKTA}"]"#), "[]")).await;
    for line in
        ["app idps --only Okta --yes -o json", "app instant-auth on --only Okta --yes -o json"]
    {
        let ran = double.run(line).await;
        assert_eq!(ran.code, 11, "{line} {ran:?}");
        assert_eq!(
            ran.error()["message"],
            "`Okta` would be the only allowed identity provider, and it does not work"
        );
    }
    assert_eq!(double.writes(), []);
    double.ok("app idps --only Okta --yes --force").await;
    assert_eq!(double.writes().len(), 1);
}

#[tokio::test]
async fn an_app_is_found_by_its_type_name_or_id() {
    let double =
        double().await.with("apps/a2", r#"{"id":"a2","name":"Wiki","type":"self_hosted"}"#);
    for (line, id) in [
        ("app get -o json".to_owned(), APP),
        (format!("app get {APP} -o json"), APP),
        ("app get wiki -o json".to_owned(), "a2"),
        ("app get a2 -o json".to_owned(), "a2"),
    ] {
        assert_eq!(double.ok(&line).await.json()["id"], id, "{line}");
    }
    assert_eq!(double.ok("app list -o name").await.stdout, "SSO App\nWiki\n");
    let ran = double.run("app get nothing -o json").await;
    assert_eq!((ran.code, ran.error()["causes"].as_array().unwrap().len()), (6, 2));
}

#[tokio::test]
async fn none_or_several_dash_sso_apps_are_said_plainly() {
    let ran = Double::new().await.run("app get -o json").await;
    assert_eq!(ran.code, 6);
    assert_eq!(ran.error()["message"], "this account has no SSO App (type `dash_sso`)");
    let double = double().await.with("apps/a2", r#"{"id":"a2","name":"Other","type":"dash_sso"}"#);
    let ran = double.run("app idps --all --yes -o json").await;
    assert_eq!(ran.code, 7);
    assert_eq!(ran.error()["causes"], json!(["a2  Other", format!("{APP}  SSO App")]));
}

#[tokio::test]
async fn policies_are_shown_in_order_and_in_words() {
    let double = double()
        .await
        .with(&format!("{}/policies/y1", app()), r#"{"id":"y1","name":"Second","precedence":2,"decision":"deny","include":[{"user_risk_score":{"n":1.50}}]}"#)
        .with(&format!("{}/policies/y2", app()), r#"{"id":"y2","name":"First","precedence":1,"decision":"allow","include":[{"email_domain":{"domain":"cool.cats"}}]}"#);
    let ran = double.ok("app policies").await;
    let first = ran.stdout.find("allow email domain cool.cats").unwrap();
    let second = ran.stdout.find(r#"deny {"user_risk_score":{"n":1.50}}"#).unwrap();
    assert!(first < second, "{}", ran.stdout);
    assert!(double.ok("app policies -o json").await.stdout.contains("1.50"));
}

#[tokio::test]
async fn admitted_idps_are_shown_with_those_that_are_gone() {
    let gone = "00000000-0000-4000-8000-000000000000";
    let listed = OBJECT.replace(&format!(r#"["{OKTA}"]"#), &format!(r#"["{OKTA}","{gone}"]"#));
    let shown = with_app(&listed).await.ok("app idps -o json").await.json();
    assert_eq!(shown["all"], false);
    assert_eq!(shown["idps"][0]["name"], "Okta");
    assert_eq!(shown["idps"][1], json!({"id": gone, "name": null, "type": null, "exists": false}));
}

#[tokio::test]
async fn idp_initiated_values_say_where_they_come_from() {
    let double = with_app(&OBJECT.replace(r#""zeta""#, r#""aud":"f00","zeta""#))
        .await
        .with("organizations", r#"{"auth_domain":"cats.cloudflareaccess.com","name":"Cats"}"#);
    let shown = double.ok("app idp-initiated -o json").await.json();
    assert_eq!(shown["sso_endpoint"]["source"], "guessed");
    assert_eq!(
        shown["sso_endpoint"]["value"],
        "https://cats.cloudflareaccess.com/cdn-cgi/access/sso/saml/f00"
    );
    let text = double.ok("app idp-initiated").await.stdout;
    assert!(text.contains("Name ID format: EmailAddress; Application username: Email"), "{text}");
}
