//! Scenes of answers that are not as documented: odd records in lists, and what
//! is larger, longer or deeper than it should be.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::harness::World;

const ODD: &str = r#"{"id":"c9","email_domain":null,"enabled":true,"client_secret":"planted"}"#;

/// An API that answers lists by the end of their path, and keeps what is written.
#[derive(Clone, Default)]
struct Api {
    lists: Arc<Mutex<Vec<(&'static str, String)>>>,
    writes: Arc<Mutex<Vec<(String, String)>>>,
}

impl Respond for Api {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let path = request.url.path();
        let answer = |result: &str| {
            let body = format!(r#"{{"success":true,"errors":[],"result":{result}}}"#);
            ResponseTemplate::new(200).set_body_raw(body, "application/json")
        };
        let lists = self.lists.lock().unwrap();
        let records = lists.iter().find(|(end, _)| path.ends_with(end));
        if request.method.as_str() != "GET" {
            let body = String::from_utf8(request.body.clone()).unwrap();
            self.writes.lock().unwrap().push((format!("{} {path}", request.method), body.clone()));
            return match path.rsplit('/').next().unwrap() {
                id @ ("c1" | "c2" | "c9") => answer(&format!(
                    r#"{{"id":"{id}","email_domain":"{id}.example","enabled":false}}"#
                )),
                _ if request.method.as_str() == "POST" => {
                    answer(&body.replacen('{', r#"{"id":"p7","#, 1))
                }
                _ => answer(&body),
            };
        }
        if let Some((_, records)) = records {
            return answer(records);
        }
        let writes = self.writes.lock().unwrap();
        match writes.iter().rev().find(|(name, _)| name == &format!("PUT {path}")) {
            // The policies, which were left out, are as they were.
            Some((_, body)) => {
                let app = &lists.iter().find(|(end, _)| *end == "/access/apps").unwrap().1;
                let policies = app.rfind(r#","policies""#).unwrap();
                let policies = app[policies..].trim_end_matches(']').to_owned() + "]}";
                answer(
                    &format!("{}{policies}", body.strip_suffix('}').unwrap()).replace("]}]}", "]}"),
                )
            }
            None => answer("[]"),
        }
    }
}

/// A world whose API has these lists.
async fn world(lists: &[(&'static str, &str)]) -> (World, Api, MockServer) {
    let api = Api::default();
    api.lists.lock().unwrap().extend(lists.iter().map(|(end, text)| (*end, (*text).to_owned())));
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(api.clone()).mount(&server).await;
    let base = format!("{}/client/v4", server.uri());
    (World::new().await.with_env("CLOUDFLARE_BASE_URL", &base), api, server)
}

fn connectors(odd: &str) -> String {
    format!(
        r#"[{{"id":"c1","email_domain":"c1.example","enabled":true}},{odd},
            {{"id":"c2","email_domain":"c2.example","enabled":false}}]"#
    )
}

#[tokio::test]
async fn a_field_that_is_there_twice_does_not_keep_sso_on() {
    let list = r#"[{"id":"c1","email_domain":"c1.example","enabled":true,"x":1,"x":2}]"#;
    let (world, api, _server) = world(&[("/sso_connectors", list)]).await;
    world.ok("bypass disable --all --yes").await;
    assert_eq!(api.writes.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn an_odd_record_is_shown_in_its_list() {
    let list = connectors(ODD);
    let (world, _api, _server) = world(&[("/sso_connectors", &list)]).await;
    let ran = world.ok("connector list").await;
    let text = "connector 2 of the list (ID c9): `email_domain`: invalid type: null";
    assert!(ran.stdout.contains(text) && ran.stdout.contains("c1.example"), "{ran:?}");
    let ran = world.ok("connector list -o json").await;
    let records = ran.json();
    assert_eq!(records.as_array().unwrap().len(), 3, "{records}");
    assert_eq!(records[2]["email_domain"], Value::Null);
    assert!(records[2]["id"] == "c9" && !ran.stdout.contains("planted"), "{ran:?}");
    assert_eq!(world.ok("connector list -o name").await.stdout, "c1.example\nc2.example\nc9\n");
}

#[tokio::test]
async fn an_odd_connector_is_disabled_by_its_id() {
    let odd = r#"{"id":"c9","email_domain":"odd.example","enabled":"yes"}"#;
    let list = connectors(odd);
    let (world, api, _server) =
        world(&[("/sso_connectors/c9", odd), ("/sso_connectors", &list)]).await;
    let error = world.fails("bypass disable --all --yes", 12).await;
    assert!(error["hint"].as_str().unwrap().starts_with("`cfsso bypass disable c9`"), "{error}");
    world.ok("bypass disable c9 --yes").await;
    let (request, body) = api.writes.lock().unwrap().last().unwrap().clone();
    assert!(request.starts_with("PATCH ") && request.ends_with("/c9"), "{request}");
    assert_eq!(body, r#"{"enabled":false}"#);
    let entries = world.ok("journal list -o json").await.json();
    assert!(entries.to_string().contains("disable SSO for odd.example"), "{entries}");
}

#[tokio::test]
async fn a_bypass_goes_on_without_an_odd_connector_and_says_so() {
    for (odd, code) in [
        (ODD, 12),
        (r#"{"id":"c9","email_domain":null}"#, 12),
        ("null", 12),
        ("[[]]", 12),
        (r#"{"id":"c9","email_domain":null,"enabled":false}"#, 0),
    ] {
        let list = connectors(odd);
        let (world, api, _server) = world(&[("/sso_connectors", &list)]).await;
        let rehearsed = world.run("bypass disable --all --dry-run -o json").await;
        assert_eq!(rehearsed.code, code, "{odd}: {rehearsed:?}");
        let ran = world.run("bypass disable --all --yes -o json").await;
        assert_eq!(ran.code, code, "{odd}: {ran:?}");
        assert!(ran.stderr.contains("connector 2 of the list"), "{ran:?}");
        let writes = api.writes.lock().unwrap().clone();
        assert_eq!(writes.len(), 1, "{writes:?}");
        assert!(writes[0].0.ends_with("/sso_connectors/c1"), "{writes:?}");
        assert_eq!(ran.json()["ok"], code == 0);
    }
    // Where nothing else is enabled, it is not claimed that nothing is.
    let (world, api, _server) = world(&[("/sso_connectors", &format!("[{ODD}]"))]).await;
    let ran = world.run("bypass disable --all --yes").await;
    assert!(ran.code == 12 && !ran.stderr.contains("nothing to do"), "{ran:?}");
    assert!(api.writes.lock().unwrap().is_empty());
}

const APP: &str = r#"{"id":"a1","name":"SSO App","type":"dash_sso","allowed_idps":["",null,12345678901234567890123,"p1"],"z":[3.10,null],"policies":[{"id":"y","name":"D","decision":"allow","include":[{"email_domain":{"domain":"c1.example"}}]}]}"#;
const PIN: &str = r#"{"id":"p9","name":"PIN","type":"onetimepin","config":{}}"#;

#[tokio::test]
async fn the_sso_app_keeps_its_oddities_when_it_is_opened() {
    let idps = format!(r#"[{{"name":null}},{PIN},7]"#);
    let apps = format!(r#"[{{"id":"a0","name":null}},{APP}]"#);
    let (world, api, _server) =
        world(&[("/identity_providers", &idps), ("/access/apps", &apps)]).await;
    let ran = world.ok("bypass otp --yes").await;
    assert!(ran.stderr.contains("identity provider 1 of the list"), "{ran:?}");
    assert!(ran.stderr.contains("application 1 of the list (ID a0)"), "{ran:?}");
    let writes = api.writes.lock().unwrap().clone();
    let policies = APP.find(r#","policies""#).unwrap();
    let sent = format!("{}}}", &APP[..policies]).replace(r#""p1"]"#, r#""p1","p9"]"#);
    assert_eq!(writes, [(writes[0].0.clone(), sent)]);
}

#[tokio::test]
async fn an_identity_provider_that_may_be_the_pin_makes_a_bypass_incomplete() {
    let apps = format!("[{APP}]");
    let idps = r#"[{"id":"p9","name":null}]"#;
    let (world, api, _server) =
        world(&[("/identity_providers", idps), ("/access/apps", &apps)]).await;
    let ran = world.run("bypass otp --yes -o json").await;
    assert_eq!(ran.code, 12, "{ran:?}");
    assert!(ran.stderr.contains("identity provider 1 of the list (ID p9)"), "{ran:?}");
    assert!(api.writes.lock().unwrap().iter().any(|(name, _)| name.starts_with("POST")));
}

#[tokio::test]
async fn a_pin_without_a_name_is_the_pin() {
    let apps = format!("[{APP}]");
    let idps = r#"[{"id":"p9","name":null,"type":"onetimepin"}]"#;
    let (world, api, _server) =
        world(&[("/identity_providers", idps), ("/access/apps", &apps)]).await;
    let ran = world.ok("bypass otp --yes").await;
    assert!(ran.stderr.contains("(ID p9)"), "{ran:?}");
    let writes = api.writes.lock().unwrap().clone();
    assert_eq!(writes.len(), 1, "{writes:?}");
    assert!(writes[0].0.starts_with("PUT ") && writes[0].1.contains(r#""p9""#), "{writes:?}");
}

#[tokio::test]
async fn what_needs_an_odd_record_is_refused_before_any_write() {
    let organization = r#"{"name":"cool","auth_domain":"cool.cloudflareaccess.com"}"#;
    let every = APP.replace(r#"["",null,12345678901234567890123,"p1"]"#, "[]");
    assert_ne!(every, APP);
    let okta = r#"{"id":"p1","name":"Okta","type":"okta","config":{}}"#;
    let other = r#"{"id":"p2","name":"Two","type":"okta","config":{}}"#;
    let odd_idp = r#"{"id":"p3","name":null,"type":"okta"}"#;
    let idps = format!("[{okta},{other},{odd_idp}]");
    for (command, connectors, apps) in [
        ("team rename warm --yes", connectors(ODD), format!("[{APP}]")),
        ("app idps --remove Okta --yes", "[]".to_owned(), format!("[{every}]")),
        (
            "idp delete Two --yes",
            "[]".to_owned(),
            r#"[{"id":"a1","name":null,"type":"dash_sso"}]"#.to_owned(),
        ),
    ] {
        let lists = [
            ("/identity_providers", idps.as_str()),
            ("/access/apps", &apps),
            ("/access/apps/a1", &every),
            ("/sso_connectors", &connectors),
            ("/access/organizations", organization),
        ];
        let (world, api, _server) = world(&lists).await;
        let error = world.fails(command, 11).await;
        assert!(error["causes"][0].as_str().unwrap().contains("(ID "), "{command}: {error}");
        assert!(api.writes.lock().unwrap().is_empty(), "{command}");
    }
}

#[tokio::test]
async fn bypass_status_reports_odd_records_and_warns_of_twenty_at_most() {
    let list = format!("[{}{ODD}]", "7,".repeat(30));
    let (world, _api, _server) = world(&[("/sso_connectors", &list)]).await;
    let ran = world.ok("bypass status -o json").await;
    assert_eq!(ran.json()["odd_records"].as_array().unwrap().len(), 31);
    assert_eq!(ran.stderr.matches("invalid record left out").count(), 20, "{ran:?}");
    assert!(ran.stderr.contains("11 more"), "{ran:?}");
}

#[tokio::test]
async fn an_sso_app_that_cannot_be_understood_is_named() {
    let apps = r#"[{"id":"a1","name":null,"type":"dash_sso"}]"#;
    let idps = format!("[{PIN}]");
    let (world, api, _server) =
        world(&[("/identity_providers", &idps), ("/access/apps", apps)]).await;
    let error = world.fails("bypass otp --yes", 7).await;
    assert!(error["causes"][0].as_str().unwrap().contains("`name`"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("bypass disable"), "{error}");
    assert!(api.writes.lock().unwrap().is_empty());
}

#[tokio::test]
async fn a_pin_that_admits_nobody_is_refused_before_any_write() {
    let demanding = r#"{"id":"y","name":"D","decision":"allow","include":[{"email_domain":{"domain":"c1.example"}}],"require":[{"login_method":{"id":"p1"}}]}"#;
    let denying = r#"{"id":"y","name":"D","decision":"allow","include":[{"everyone":{}}]},{"id":"x","name":"N","decision":"deny","include":[{"everyone":{}}],"exclude":[{"login_method":{"id":"p1"}}]}"#;
    for policies in ["", demanding, denying] {
        let at = APP.find(r#""policies""#).unwrap();
        let apps = format!(r#"[{}"policies":[{policies}]}}]"#, &APP[..at]);
        let idps = format!("[{PIN}]");
        let (world, api, _server) =
            world(&[("/identity_providers", &idps), ("/access/apps", &apps)]).await;
        let error = world.fails("bypass otp --yes", 11).await;
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("cfsso bypass disable") && hint.contains("pin-not-allowed"));
        assert!(api.writes.lock().unwrap().is_empty());
        world.ok("bypass otp --yes --accept-risk pin-not-allowed").await;
        assert_eq!(api.writes.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn status_and_doctor_report_odd_records() {
    let list = connectors(ODD);
    let (world, _api, _server) = world(&[("/sso_connectors", &list)]).await;
    let ran = world.run("status -o json").await;
    let report = ran.json();
    assert_eq!(report["ok"], false);
    assert!(report["odd_records"][0].as_str().unwrap().contains("(ID c9)"), "{report}");
    let ran = world.run("doctor -o json").await;
    let report = ran.json();
    let finding =
        report["findings"].as_array().unwrap().iter().find(|it| it["id"] == "records-understood");
    assert_eq!(finding.unwrap()["state"], "failed", "{report:#}");
    let ran = world.run("status").await;
    assert!(ran.stderr.contains("(ID c9)"), "{ran:?}");
}

#[tokio::test]
async fn odd_records_of_several_accounts_are_named_with_their_account() {
    let list = connectors(ODD);
    let accounts = r#"[{"id":"00000000000000000000000000000001","name":"One"},
        {"id":"x","name":"Odd"},{"id":"00000000000000000000000000000002","name":"Two"}]"#;
    let (world, _api, _server) =
        world(&[("/accounts", accounts), ("/sso_connectors", &list)]).await;
    let ran = world.run("status --all-accounts").await;
    assert!(ran.stderr.contains("account 2 of the list (ID x)"), "{ran:?}");
    for name in ["One", "Two"] {
        let text = format!("{name}: 1 invalid record left out: connector 2 of the list (ID c9)");
        assert!(ran.stderr.contains(&text), "{ran:?}");
        assert!(ran.stdout.contains(&format!("{name}      c1.example")), "{ran:?}");
    }
}

#[tokio::test]
async fn what_needs_the_odd_record_stops_and_names_it() {
    let list = connectors(ODD);
    let (world, _api, _server) = world(&[("/sso_connectors", &list)]).await;
    let ran = world.run("connector get c3.example").await;
    assert!(ran.code == 6 && ran.stderr.contains("(ID c9)"), "{ran:?}");
    world.ok("connector get c1.example").await;
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let deep = "[".repeat(200_000) + &"]".repeat(200_000);
    let list = connectors(&format!(
        r#"{{"id":"c9","email_domain":"c9.example","enabled":true,"x":{deep}}}"#
    ));
    let (world, api, _server) = world(&[("/sso_connectors", &list)]).await;
    for line in ["bypass disable --all --yes", "connector list", "status"] {
        let error = world.fails(&format!("{line} --max-retries 0"), 9).await;
        assert!(error["causes"].to_string().contains("deeper than 128"), "{error}");
    }
    assert!(api.writes.lock().unwrap().is_empty());
    let file = world.journal.path().join("deep.json");
    std::fs::write(&file, format!(r#"{{"type":"okta","config":{deep}}}"#)).unwrap();
    let ran = world.run(&format!("idp create --config-file {} --yes", file.display())).await;
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[tokio::test]
async fn pages_without_end_are_given_up_by_size() {
    let app = json!({ "id": "a1", "name": "x".repeat(64 * 1024) }).to_string();
    let page = format!("[{}]", vec![app; 400].join(","));
    let server = MockServer::start().await;
    let body = format!(
        r#"{{"success":true,"result":{page},"result_info":{{"per_page":400,"total_pages":9999}}}}"#
    );
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    let world = World::new().await.with_env("CLOUDFLARE_BASE_URL", &server.uri());
    let error = world.fails("app list", 9).await;
    assert!(error["causes"].to_string().contains("64 MiB"), "{error}");
    assert!(server.received_requests().await.unwrap().len() <= 4);
}

/// Any value of JSON, up to three levels deep.
fn any_value(random: &mut fastrand::Rng, depth: u8) -> Value {
    match random.u8(0..if depth == 0 { 4 } else { 6 }) {
        0 => Value::Null,
        1 => random.bool().into(),
        2 => random.i64(..).into(),
        3 => "x".repeat(random.usize(0..4)).into(),
        4 => (0..random.u8(0..3)).map(|_| any_value(random, depth - 1)).collect(),
        _ => {
            let name = ["id", "email_domain", "enabled", "name"][random.usize(0..4)];
            json!({ name: any_value(random, depth - 1) })
        }
    }
}

#[tokio::test]
async fn a_plan_names_exactly_the_enabled_connectors_among_anything() {
    for seed in 0..40 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut enabled = Vec::new();
        let list: Vec<Value> = (0..random.usize(0..9))
            .map(|n| {
                if random.bool() {
                    return any_value(&mut random, 3);
                }
                let (id, is_enabled) = (format!("c{n}"), random.bool());
                enabled.extend(is_enabled.then(|| id.clone()));
                json!({ "id": id, "email_domain": format!("d{n}.example"), "enabled": is_enabled })
            })
            .collect();
        let list = json!(list).to_string();
        let (world, api, _server) = world(&[("/sso_connectors", &list)]).await;
        let ran = world.run("bypass disable --all --yes --dry-run -o json").await;
        // 12: a record that was left out may be an enabled connector.
        assert!([0, 12].contains(&ran.code), "{list}: {ran:?}");
        let plan = ran.json();
        let path = |change: &Value| change["request"]["path"].as_str().unwrap().to_owned();
        let planned: Vec<_> = plan["changes"].as_array().unwrap().iter().map(path).collect();
        let mut planned: Vec<_> =
            planned.iter().map(|path| path.rsplit('/').next().unwrap()).collect();
        planned.sort_unstable();
        assert_eq!(planned, enabled, "{list}");
        assert!(api.writes.lock().unwrap().is_empty());
    }
}
