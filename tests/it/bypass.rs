//! Scenes of `cfsso bypass`: what it sends, and that it is put back.

mod at_once;
mod bare_box;
mod ticket;
mod worlds;

use std::collections::BTreeSet;

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::{Ran, World};
use crate::sandbox::client::{ask, ask_text};
use crate::schema::assert_conforms;

/// The texts of all that a bypass may touch, as they were.
async fn state(world: &World) -> String {
    let mut texts = Vec::new();
    for path in ["sso_connectors", "access/apps", "access/identity_providers"] {
        let request = format!("GET /accounts/{}/{path}", world.sandbox.account());
        let reply = ask(&world.sandbox, Access::Full, &request, None).await;
        texts.push(without_times(reply.result_text()));
    }
    texts.join("\n")
}

/// Times change with every write, and so does the order of texts never.
fn without_times(mut text: String) -> String {
    for name in ["\"updated_at\":\"", "\"updated_on\":\""] {
        let mut from = 0;
        while let Some(at) = text[from..].find(name) {
            let start = from + at + name.len();
            let end = start + text[start..].find('"').unwrap();
            text.replace_range(start..end, "");
            from = start;
        }
    }
    text
}

fn below(world: &World, from: usize) -> Vec<String> {
    world.requests().split_off(from).into_iter().map(|request| short(&request)).collect()
}

/// `VERB path`, IDs left out.
fn short(request: &str) -> String {
    let is_id = |part: &&str| part.len() < 31;
    request.split('/').filter(is_id).collect::<Vec<_>>().join("/")
}

async fn sent(world: &World, line: &str) -> (Ran, Vec<String>, BTreeSet<u64>) {
    let from = world.sandbox.log().len();
    let ran = world.run(line).await;
    let connections = world.sandbox.log()[from..].iter().map(|it| it.connection).collect();
    (ran, below(world, from), connections)
}

impl World {
    /// Another identity provider; returns its ID.
    async fn create_idp(&self, name: &str) -> Value {
        let body = json!({ "type": "github", "name": name,
            "config": { "client_id": "a", "client_secret": "b" } });
        let path = format!("POST /accounts/{}/access/identity_providers", self.sandbox.account());
        ask(&self.sandbox, Access::Full, &path, Some(body)).await.result()["id"].clone()
    }
}

/// The application of the sign-in: its path and text.
async fn sign_in(world: &World) -> (String, Value) {
    let apps = world.ask(&format!("GET /accounts/{}/access/apps", world.sandbox.account())).await;
    let app = apps.as_array().unwrap().iter().find(|app| app["type"] == "dash_sso").unwrap();
    let path = format!(
        "/accounts/{}/access/apps/{}",
        world.sandbox.account(),
        app["id"].as_str().unwrap()
    );
    (path, app.clone())
}

/// Sets the fields that a bypass changes, past the program.
async fn set_up(world: &World, allowed: &[&str], instant: bool) {
    let (path, _) = sign_in(world).await;
    let reply = ask(&world.sandbox, Access::Full, &format!("GET {path}"), None).await;
    let list = serde_json::to_string(allowed).unwrap();
    let text = reply
        .result_text()
        .replacen(r#""allowed_idps":[]"#, &format!(r#""allowed_idps":{list}"#), 1)
        .replacen(
            r#""auto_redirect_to_identity":false"#,
            &format!(r#""auto_redirect_to_identity":{instant}"#),
            1,
        );
    let reply = ask_text(&world.sandbox, Access::Full, &format!("PUT {path}"), &text).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}

const COMPANY: &str = "c001ca75-1d90-4000-8000-000000000001";

/// Enforced, with instant authentication through one identity provider.
async fn locked() -> World {
    let world = World::new().await.enabled().await;
    set_up(&world, &[COMPANY], true).await;
    world
}

#[tokio::test]
async fn disabling_takes_one_read_and_one_write_per_enabled_connector() {
    let world = World::new().await.enabled().await;
    world.ok("connector create dogs.example").await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    for (line, requests) in [
        ("bypass disable --all --yes".to_owned(), ["GET /sso_connectors", "PATCH /sso_connectors"]),
        ("bypass disable --yes".to_owned(), ["GET /sso_connectors", "PATCH /sso_connectors"]),
        (
            "bypass disable cool.cats --yes".to_owned(),
            ["GET /sso_connectors", "PATCH /sso_connectors"],
        ),
        (format!("bypass disable {id} --yes"), ["GET /sso_connectors", "PATCH /sso_connectors"]),
    ] {
        let (ran, sent, connections) = sent(&world, &line).await;
        assert_eq!(ran.code, 0, "{ran:?}");
        assert_eq!(sent, requests, "{line}");
        assert_eq!(connections.len(), 1, "{line}");
        assert!(ran.stdout.contains("confirmed"), "{ran:?}");
        assert!(ran.stdout.contains("`cfsso bypass undo`"), "{ran:?}");
        world.ok("bypass undo --yes").await;
        assert!(world.connectors().await.iter().any(|it| it["enabled"] == true), "{line}");
    }
}

#[tokio::test]
async fn opening_takes_two_reads_at_once_and_two_writes() {
    let world = locked().await;
    let before = state(&world).await;
    let (ran, mut requests, _) = sent(&world, "bypass otp --yes").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    requests[..2].sort();
    assert_eq!(
        requests,
        [
            "GET /access/apps",
            "GET /access/identity_providers",
            "POST /access/identity_providers",
            "PUT /access/apps",
            "GET /access/apps"
        ]
    );
    let (_, app) = sign_in(&world).await;
    assert_eq!(app["allowed_idps"].as_array().unwrap().len(), 2);
    assert_eq!(app["auto_redirect_to_identity"], false);
    assert_eq!(app["policies"].as_array().unwrap().len(), 1);
    let (ran, requests, _) = sent(&world, "bypass otp --yes").await;
    assert!(ran.code == 0 && requests.len() == 2, "{requests:?} {ran:?}");
    let ran = world.ok("bypass otp --all-idps --yes").await;
    assert!(ran.stdout.contains("allowed_idps"), "{ran:?}");
    world.ok("bypass undo --yes").await;
    assert_eq!(state(&world).await, before);
    let ran = world.ok("bypass undo --yes").await;
    assert!(ran.stderr.contains("the bypass is no longer active"), "{ran:?}");
}

#[tokio::test]
async fn without_an_enabled_connector_nothing_is_written() {
    let world = World::new().await.verified().await;
    let writes = world.writes().len();
    for line in ["bypass disable --all", "bypass disable cool.cats", "bypass disable"] {
        let ran = world.ok(line).await;
        assert!(ran.stdout.contains("SSO is already off for cool.cats"), "{ran:?}");
    }
    assert_eq!(world.writes().len(), writes);
    // A mistyped domain does not look as if users could sign in again.
    let world = World::new().await.enabled().await;
    world.ok("create cool.dogs").await;
    let ran = world.ok("bypass disable cool.dogs").await;
    assert!(ran.stdout.contains("SSO is still enabled for cool.cats"), "{ran:?}");
}

#[tokio::test]
async fn a_run_killed_at_any_request_is_completed_and_undone_to_the_very_first_state() {
    for line in ["bypass otp --yes", "bypass otp --all-idps --yes", "bypass disable --all --yes"] {
        let count = sent(&locked().await, line).await.1.len();
        for kind in ["close-before", "close-after"] {
            for at in 1..=count {
                let world = locked().await;
                let before = state(&world).await;
                world.fault(&format!("{kind}#{at}"));
                world.run(&format!("{line} --max-retries 0")).await;
                let is_cut = world.sandbox.log().iter().any(|it| it.status.is_none());
                assert!(is_cut, "{line} {kind}#{at}");
                world.ok(line).await;
                assert_ne!(state(&world).await, before, "{line} {kind}#{at}");
                world.ok("bypass undo --yes").await;
                assert_eq!(state(&world).await, before, "{line} {kind}#{at}");
                let status = world.ok("bypass status -o json").await.json();
                assert_eq!(status["active"], false, "{line} {kind}#{at}: {status}");
            }
        }
    }
}

/// As by a signal: the program is gone when the server has applied the n-th
/// request, and nothing more is written down.
#[tokio::test]
async fn a_process_that_is_gone_leaves_what_undo_needs() {
    for line in ["bypass otp --yes", "bypass disable --all --yes"] {
        let count = sent(&locked().await, line).await.1.len();
        for at in 1..=count {
            let world = locked().await;
            let before = state(&world).await;
            let from = world.sandbox.log().len();
            let reached = async {
                while world.sandbox.log().len() < from + at {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                () = reached => {}
                ran = world.run(line) => assert_eq!(ran.code, 0, "{ran:?}"),
            }
            world.ok(line).await;
            world.ok("bypass undo --yes").await;
            assert_eq!(state(&world).await, before, "{line} {at}");
        }
    }
}

#[tokio::test]
async fn a_failing_option_ends_with_the_others_command() {
    for (access, line, code, other) in [
        (Access::ConnectorOnly, "bypass otp --yes", 5, "`cfsso bypass disable --all`"),
        (Access::AccessOnly, "bypass disable --all --yes", 5, "`cfsso bypass otp`"),
        (Access::ReadOnly, "bypass disable --all --yes", 5, "`cfsso bypass otp`"),
        (Access::ReadOnly, "bypass otp --yes", 5, "`cfsso bypass disable --all`"),
    ] {
        let world = locked().await.with_token(access);
        let error = world.fails(line, code).await;
        assert!(error["hint"].as_str().unwrap().contains(other), "{error}");
        assert!(error["required_permission"].is_string(), "{error}");
    }
    for (line, fault, code, other) in [
        ("bypass otp --yes", "500x*@GET", 9, "`cfsso bypass disable --all`"),
        ("bypass otp --yes", "500x*@PUT", 12, "`cfsso bypass disable --all`"),
        ("bypass disable --all --yes", "500x*@PATCH", 9, "`cfsso bypass otp`"),
    ] {
        let world = locked().await;
        world.fault(fault);
        let error = world.fails(&format!("{line} --max-retries 0"), code).await;
        assert!(error["hint"].as_str().unwrap().contains(other), "{error}");
    }
}

#[tokio::test]
async fn without_a_journal_the_state_before_is_printed_and_a_bare_box_will_do() {
    let world = locked().await.with_env("CFSSO_JOURNAL", "");
    let error = world.fails("bypass disable --all --yes", 1).await;
    assert!(
        error["hint"].as_str().unwrap().contains("`cfsso bypass disable --all --no-journal`"),
        "{error}"
    );
    let ran = world.ok("bypass otp --yes --no-journal").await;
    let lines: Vec<Value> = ran
        .stdout
        .lines()
        .filter(|line| line.starts_with('{'))
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(lines.len(), 2, "{ran:?}");
    let last = lines[1]["records"].as_array().unwrap().last().unwrap();
    assert_eq!(last["started"]["before"]["allowed_idps"], json!([COMPANY]));
    for command in ["app idps --only", "app instant-auth on", "idp delete"] {
        assert!(ran.stdout.contains(command), "{command} {ran:?}");
    }
    let ran = world.ok("bypass disable --all --yes --no-journal").await;
    assert!(ran.stdout.contains(r#""before":{"#), "{ran:?}");
    assert!(ran.stdout.contains("`cfsso connector enable cool.cats`"), "{ran:?}");
}

#[tokio::test]
async fn drift_stops_the_undoing_unless_forced() {
    let world = locked().await;
    world.ok("bypass otp --yes").await;
    world.ok("app idps --only onetimepin --yes").await;
    let writes = world.writes().len();
    let error = world.fails("bypass undo --yes", 7).await;
    assert!(error["causes"][0].as_str().unwrap().contains("allowed_idps"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--force"), "{error}");
    assert_eq!(world.writes().len(), writes);
    world.ok("bypass undo --yes --force").await;
    assert_eq!(sign_in(&world).await.1["allowed_idps"], json!([COMPANY]));
}

#[tokio::test]
async fn what_somebody_else_changed_stays() {
    let world = locked().await;
    world.ok("bypass otp --yes").await;
    let (path, _) = sign_in(&world).await;
    let reply = ask(&world.sandbox, Access::Full, &format!("GET {path}"), None).await;
    let text = reply.result_text().replacen(
        r#""session_duration":"24h""#,
        r#""session_duration":"1h""#,
        1,
    );
    ask_text(&world.sandbox, Access::Full, &format!("PUT {path}"), &text).await;
    world.ok("bypass undo --yes").await;
    let (_, app) = sign_in(&world).await;
    assert_eq!(app["session_duration"], "1h");
    assert_eq!(app["auto_redirect_to_identity"], true);
}

#[tokio::test]
async fn it_is_confirmed_by_a_word() {
    let world = locked().await;
    let writes = world.writes().len();
    for (line, word) in [
        ("bypass disable --all", "cool.cats"),
        ("bypass disable", "cool.cats"),
        ("bypass otp", "otp"),
    ] {
        let error = world.fails(line, 3).await;
        assert!(error["hint"].as_str().unwrap().contains(&format!("--confirm {word}")), "{error}");
        let plan = world.ok(&format!("{line} --dry-run -o json")).await.json();
        assert_ne!(plan["changes"], json!([]));
    }
    assert_eq!(world.writes().len(), writes);
    world.ok("bypass disable --all --confirm cool.cats").await;
    world.ok("bypass undo --confirm cool.cats").await;
    world.ok("bypass otp --confirm otp").await;
    let status = world.ok("bypass status").await.stdout;
    assert!(status.contains("bypass active"), "{status}");
    world.ok("bypass undo --confirm undo").await;
    assert!(world.ok("bypass status").await.stdout.contains("no active bypass"));
}

/// `cool.cats` and `partial.cats`, both enforced.
async fn two_enforced() -> World {
    let world = World::new().await.enabled().await;
    world.ok("connector create partial.cats").await;
    let connectors = world.connectors().await;
    let second = connectors.iter().find(|it| it["email_domain"] == "partial.cats").unwrap();
    let code = second["verification"]["code"].as_str().unwrap();
    world.sandbox.publish("partial.cats", code).await.unwrap();
    world.ok("connector verify partial.cats --wait --timeout 3d").await;
    world.ok("connector enable partial.cats --yes").await;
    world
}

#[tokio::test]
async fn several_connectors_are_confirmed_by_all_and_stop_half_way() {
    let world = two_enforced().await;
    let before = state(&world).await;
    let error = world.fails("bypass disable --yes", 2).await;
    assert!(error["hint"].as_str().unwrap().contains("bypass disable --all"), "{error}");
    assert_eq!(world.fails("bypass disable --all --confirm cool.cats", 3).await["exit_code"], 3);
    let (ran, requests, connections) = sent(&world, "bypass disable --all --confirm all").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(requests, ["GET /sso_connectors", "PATCH /sso_connectors", "PATCH /sso_connectors"]);
    assert_eq!(connections.len(), 1);
    world.ok("bypass undo --confirm undo").await;
    assert_eq!(state(&world).await, before);
    world.fault("500#2@PATCH");
    let error = world.fails("bypass disable --all --yes --max-retries 0", 12).await;
    for command in ["`cfsso bypass disable --all`", "`cfsso bypass undo`", "`cfsso bypass otp`"] {
        assert!(error["hint"].as_str().unwrap().contains(command), "{error}");
    }
    world.ok("bypass disable --all --yes").await;
    world.ok("bypass undo --yes").await;
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn a_connector_that_fails_keeps_no_other_from_its_bypass_or_undo() {
    let world = two_enforced().await;
    let before = state(&world).await;
    let path = |connector: &Value| format!("sso_connectors/{}", connector["id"].as_str().unwrap());
    let enabled = async || -> Vec<Value> {
        world.connectors().await.iter().map(|it| it["enabled"].clone()).collect()
    };
    let connectors = world.connectors().await;
    let first = connectors.iter().find(|it| it["email_domain"] == "cool.cats").unwrap();
    let fault = format!("500@PATCH/{}", path(first));
    world.fault(&fault);
    let error = world.fails("bypass disable --all --yes --max-retries 0", 12).await;
    assert_eq!(error["message"], "SSO disabled for 1 of 2 domains");
    let causes = error["causes"].to_string();
    assert!(causes.contains("cool.cats: `PATCH") && !causes.contains("partial.cats"), "{error}");
    assert_eq!(enabled().await.iter().filter(|it| **it == false).count(), 1);
    world.fault(&fault);
    let error = world.fails("bypass disable --all --yes --max-retries 0", 9).await;
    assert!(error["hint"].as_str().unwrap().contains("`cfsso bypass otp`"), "{error}");
    world.ok("bypass disable --all --yes").await;

    // One that could not be read is not left out without a word.
    world.fault(&format!("500@GET/{}", path(first)));
    let dry_run = world.run("bypass undo --dry-run --max-retries 0").await;
    assert!(dry_run.code == 9 && dry_run.stderr.contains("not read: "), "{dry_run:?}");
    world.fault(&fault);
    let error = world.fails("bypass undo --yes --max-retries 0", 12).await;
    assert_eq!(error["message"], "1 of 2 undone");
    assert!(error["causes"].to_string().contains("cool.cats (entry "), "{error}");
    assert_eq!(enabled().await.iter().filter(|it| **it == true).count(), 1);
    world.ok("bypass undo --yes").await;
    assert_eq!(state(&world).await, before);
}

#[tokio::test]
async fn what_an_undo_did_not_try_is_counted_and_named() {
    let world = two_enforced().await;
    world.ok("setup a.cool.cats --publish-txt --enable --yes").await;
    world.ok("bypass disable --all --yes").await;
    world.fault("429:retry-after=1#2@PATCH");
    let ran = world.run("bypass undo --yes --max-retries 0 -o json").await;
    assert_eq!(ran.error()["message"], "1 of 3 undone", "{ran:?}");
    let left = ran.json()["left"].clone();
    assert_eq!(left[0]["description"], "not tried after the failure", "{left}");
    world.ok("bypass undo --yes").await;
    assert!(world.connectors().await.iter().all(|it| it["enabled"] == true));
}

#[tokio::test]
async fn a_list_that_was_opened_to_all_since_is_a_changed_one() {
    let world = World::new().await.enabled().await;
    world.ok("app idps --only oidc --yes").await;
    world.ok("bypass otp --yes").await;
    world.ok("app idps --all --yes").await;
    world.fails("bypass undo --yes", 7).await;
    world.ok("bypass undo --yes --force").await;
    let (_, app) = sign_in(&world).await;
    assert_eq!(app["allowed_idps"], json!([COMPANY]));
}

#[tokio::test]
async fn a_policy_that_keeps_the_pin_from_being_mailed_is_told() {
    let world = locked().await;
    let quiet = world.ok("bypass otp --yes").await;
    assert!(!quiet.stderr.contains("warning"), "{quiet:?}");
    world.ok("bypass undo --yes").await;
    let (path, app) = sign_in(&world).await;
    let mut policy = app["policies"][0].clone();
    policy["require"] = json!([{ "login_method": { "id": COMPANY } }]);
    let request = format!("PUT {path}/policies/{}", policy["id"].as_str().unwrap());
    let reply = ask(&world.sandbox, Access::Full, &request, Some(policy)).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let error = world.fails("bypass otp --yes", 11).await;
    assert!(error["causes"].to_string().contains("no policy allows sign-in with a PIN"), "{error}");
    let world = world.with_person("no\n");
    let screen = world.run("bypass").await.stdout;
    assert!(screen.contains("2  disable (recommended)"), "{screen}");
    assert!(screen.contains("Not usable now"), "{screen}");
    let ran = world.ok("bypass otp --yes --accept-risk pin-not-allowed").await;
    assert!(ran.stderr.contains("no policy allows sign-in with a PIN"), "{ran:?}");
}

#[tokio::test]
async fn a_pin_that_is_used_elsewhere_since_is_not_deleted() {
    let world = locked().await;
    world.ok("bypass otp --yes").await;
    world.ok("app idps Wiki --only onetimepin --yes").await;
    let error = world.fails("bypass undo --yes", 7).await;
    assert!(error["causes"][0].as_str().unwrap().contains("`Wiki`"), "{error}");
}

#[tokio::test]
async fn what_a_lost_response_undid_is_undone() {
    for fault in ["close-afterx*@DELETE", "close-after@PATCH"] {
        let world = locked().await;
        world.ok("bypass otp --yes").await;
        world.ok("bypass disable --all --yes").await;
        world.fault(fault);
        world.ok("bypass undo --yes --max-retries 0").await;
        assert_eq!(world.connectors().await[0]["enabled"], true, "{fault}");
        assert!(!world.ok("idp list").await.stdout.contains("onetimepin"), "{fault}");
    }
}

#[tokio::test]
async fn the_status_fails_with_a_token_that_is_rejected() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", Access::Expired.token());
    let ran = world.run("bypass status -o json").await;
    assert_eq!((ran.code, &ran.json()["active"]), (4, &Value::Null), "{ran:?}");
}

#[tokio::test]
async fn a_wrong_token_is_named_rather_than_the_other_bypass() {
    let world = World::new().await.enabled().await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", Access::Expired.token());
    for line in ["bypass otp --yes", "bypass disable --all --yes"] {
        let error = world.fails(line, 4).await;
        assert!(error["hint"].as_str().unwrap().contains("`cfsso token check`"), "{error}");
    }
}

#[tokio::test]
async fn a_decision_made_since_is_not_undone() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    world.ok("enable cool.cats --yes").await;
    world.ok("disable cool.cats --yes").await;
    world.fails("bypass undo --yes", 6).await;
    assert_eq!(world.connectors().await[0]["enabled"], false);
}

#[tokio::test]
async fn bare_bypass_asks_on_a_terminal_alone() {
    let world = locked().await;
    let error = world.fails("bypass", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("`cfsso bypass otp --yes`"), "{error}");
    let world = world.with_person("disable\ncool.cats\n");
    let ran = world.ok("bypass").await;
    assert!(ran.stdout.contains("otp (recommended)"), "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], false);
    let world = world.with_token(Access::ConnectorOnly).with_person("no\n");
    let ran = world.run("bypass").await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stdout.contains("lacks the permission"), "{ran:?}");
    assert!(ran.stdout.starts_with("u  undo (a bypass is active)"), "{ran:?}");
    assert!(!ran.stdout.contains("recommended"), "{ran:?}");
    world.ok("bypass undo --yes").await;
    let ran = world.run("bypass").await;
    assert!(ran.stdout.contains("disable (recommended)"), "{ran:?}");
}

#[tokio::test]
async fn an_undo_warns_of_a_lockout_only_if_no_way_is_left() {
    let world = locked().await;
    world.sandbox.take_down("company");
    world.ok("bypass otp --yes").await;
    let warning = "after this undo, users cannot sign in: Company SSO";
    let dry = world.ok("bypass undo --dry-run").await;
    assert!(dry.stderr.contains(warning), "the PIN is no longer allowed then: {dry:?}");
    let world = locked().await;
    world.ok("bypass otp --yes --no-journal").await;
    world.sandbox.take_down("company");
    world.ok("bypass disable --all --yes").await;
    let ran = world.ok("bypass undo --yes").await;
    assert!(!ran.stderr.contains(warning), "one-time PIN stays allowed: {ran:?}");
}

#[tokio::test]
async fn a_domain_can_be_named_before_the_choice() {
    let world = locked().await;
    world.ok("create dogs.example").await;
    let world = world.with_person("2\ndogs.example\n");
    world.ok("bypass dogs.example").await;
    assert_eq!(world.connectors().await[0]["enabled"], true);
    let world = world.with_person("2\ncool.cats\n");
    let ran = world.ok("bypass cool.cats").await;
    assert!(
        ran.stdout.contains("`enabled`: true -> false")
            || ran.stdout.contains("enabled: true -> false"),
        "{ran:?}"
    );
    assert!(ran.stdout.contains("Then: users sign in at https://dash.cloudflare.com"), "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], false);
    let world = World::new().await.enabled().await;
    let error = world.fails("bypass cool.cats", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("bypass disable cool.cats --yes"), "{error}");
    let error = world.fails("bypass disabel", 2).await;
    assert!(error["message"].as_str().unwrap().contains("otp, disable, status, undo"), "{error}");
}

#[tokio::test]
async fn how_users_sign_in_is_said_before_and_after() {
    let world = locked().await;
    let shown = world.ok("bypass status").await.stdout;
    assert!(shown.contains("no active bypass of this machine\n"), "{shown}");
    assert!(
        shown.contains("Now:   cool.cats: users sign in through Company SSO (not tested)\n"),
        "{shown}"
    );
    world.ok("bypass otp --yes").await;
    let both = "cool.cats: users sign in through Company SSO or with a one-time PIN (not tested)";
    let shown = world.ok("bypass status").await.stdout;
    assert!(shown.contains("    undo: `allowed_idps`: "), "{shown}");
    assert!(shown.contains(&format!("Now:   {both}\nUndo:  `cfsso bypass undo`\n")), "{shown}");

    // The undo comes first on a terminal.
    let world = world.with_person("u\nundo\n");
    let ran = world.ok("bypass").await;
    assert!(ran.stdout.starts_with("u  undo (a bypass is active)\n"), "{ran:?}");
    assert!(ran.stdout.contains("SSO or with a one-time"), "{ran:?}");
    assert!(!ran.stdout.contains("PUT /accounts"), "{ran:?}");
    let end = "Now:   cool.cats: users sign in through Company SSO (not tested)\n\
               Check: sign in in a private window before you close this session\n";
    assert!(ran.stdout.ends_with(end), "{ran:?}");

    // A bypass by another machine shows in the SSO App.
    world.ok("bypass otp --yes --no-journal").await;
    let status = world.ok("bypass status -o json").await.json();
    assert_eq!(status["has_pin_as_well"], true);
    assert_eq!(status["sign_in"][0]["methods"][1], "with a one-time PIN");
    let shown = world.ok("bypass status").await.stdout;
    assert!(shown.contains("allowed, perhaps"), "{shown}");
}

#[tokio::test]
async fn results_are_as_their_schemas_say() {
    let world = locked().await;
    for (kind, line) in [
        ("bypass", "bypass otp --yes -o json"),
        ("bypass-status", "bypass status -o json"),
        ("bypass-undo", "bypass undo --yes -o json"),
        ("bypass", "bypass disable --all --yes -o json"),
    ] {
        let schema = world.ok(&format!("schema {kind} -o json")).await.json();
        let result = world.ok(line).await.json();
        assert_conforms(&schema, &result);
    }
}

#[tokio::test]
async fn a_method_is_chosen_by_name_letter_or_number() {
    for (typed, enabled) in [
        ("1\notp\n", true),
        ("o\notp\n", true),
        ("x\n2\ncool.cats\n", false),
        ("Disable\ncool.cats\n", false),
    ] {
        let world = World::new().await.enabled().await.with_person(typed);
        let ran = world.ok("bypass").await;
        assert_eq!(world.connectors().await[0]["enabled"], enabled, "{typed:?} {ran:?}");
    }
    let world = World::new().await.enabled().await.with_person("x\ny\nz\n1\n");
    let writes = world.writes();
    assert_eq!(world.run("bypass").await.code, 3);
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn nothing_is_recommended_that_would_change_nothing() {
    let world = World::new().await.verified().await.with_person("");
    let screen = world.ok("bypass").await.screen;
    assert!(screen.contains("No bypass is needed: SSO is off."), "{screen}");
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    let screen = world.with_person("").run("bypass").await.screen;
    assert!(screen.contains("One-time PIN:    allowed"), "{screen}");
    assert!(screen.contains("2  disable (recommended)"), "{screen}");
}

#[tokio::test]
async fn an_undo_leaves_nobody_without_a_sign_in() {
    let account = World::new().await.sandbox.account().to_string();
    let company = "c001ca75-1d90-4000-8000-000000000001";
    let delete = format!("DELETE /accounts/{account}/access/identity_providers/{company}");
    // The only provider was deleted meanwhile: the PIN stays, and SSO off.
    for bypass in ["bypass otp --yes", "bypass disable --all --yes"] {
        let world = World::new().await.enabled().await;
        world.ok(bypass).await;
        world.ask(&delete).await;
        let writes = world.writes();
        for undo in ["bypass undo --yes", "journal undo --yes"] {
            let ran = world.run(undo).await;
            assert_eq!(ran.code, 11, "{bypass}, {undo}: {ran:?}");
        }
        // That nothing would be allowed is certain: it is not overridden.
        world.fails("bypass undo --yes --force", 11).await;
        assert_eq!(world.writes(), writes, "{bypass}");
        world.create_idp("New").await;
        world.ok("bypass undo --yes").await;
    }
    // A deleted connector does not block the undo of the others.
    let world = World::new().await.enabled().await;
    world.ok("setup mail.cool.cats --publish-txt --enable --yes").await;
    world.ok("bypass disable --all --yes").await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    world.ask(&format!("DELETE /accounts/{account}/sso_connectors/{id}")).await;
    world.ok("bypass undo --yes").await;
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

/// The only allowed identity provider was deleted, and one-time PIN is allowed.
async fn deleted() -> World {
    let world = locked().await;
    world.ok("bypass otp --yes").await;
    let account = world.sandbox.account();
    world.ask(&format!("DELETE /accounts/{account}/access/identity_providers/{COMPANY}")).await;
    world
}

#[tokio::test]
async fn an_undo_takes_out_just_the_pin_once_a_replacement_is_allowed() {
    let world = deleted().await;
    for undo in ["bypass undo --yes", "bypass undo --yes --force"] {
        let error = world.fails(undo, 11).await;
        assert_eq!(error["hint"], "`cfsso app idps --add <IDP>` first");
    }
    let new = world.create_idp("New").await;
    world.ok("app idps --add New --yes").await;
    let dry = world.ok("bypass undo --dry-run").await;
    assert!(!dry.stderr.contains("Company SSO"), "{dry:?}");
    world.ok("bypass undo --yes").await;
    let app = sign_in(&world).await.1;
    assert_eq!(app["allowed_idps"], json!([COMPANY, new]));
    assert_eq!(app["auto_redirect_to_identity"], false);
    assert!(!world.ok("idp list").await.stdout.contains("onetimepin"));
    assert_eq!(world.ok("bypass status -o json").await.json()["active"], false);
}

#[tokio::test]
async fn a_bypass_that_was_taken_back_by_hand_is_no_longer_active() {
    let world = deleted().await;
    world.create_idp("New").await;
    world.ok("app idps --only New --yes").await;
    world.ok("idp delete onetimepin --yes").await;
    let left = world.ok("bypass undo --yes -o json").await.json();
    assert_eq!(left["undone"], json!([]), "{left:#}");
    assert_eq!(world.ok("bypass status -o json").await.json()["active"], false);
    // The PIN is gone, and nothing else was done yet.
    let world = deleted().await;
    let idps = format!("/accounts/{}/access/identity_providers", world.sandbox.account());
    let all = world.ask(&format!("GET {idps}")).await;
    let pin = all.as_array().unwrap().iter().find(|idp| idp["type"] == "onetimepin").unwrap();
    world.ask(&format!("DELETE {idps}/{}", pin["id"].as_str().unwrap())).await;
    assert_eq!(world.ok("bypass status -o json").await.json()["active"], false);
    // All were allowed: a list is set, not extended.
    let world = locked().await;
    world.ok("bypass otp --all-idps --yes").await;
    let account = world.sandbox.account();
    world.ask(&format!("DELETE /accounts/{account}/access/identity_providers/{COMPANY}")).await;
    let error = world.fails("bypass undo --yes", 11).await;
    assert_eq!(error["hint"], "`cfsso app idps --only <IDP>` first");
    world.create_idp("New").await;
    world.ok("app idps --only New --yes").await;
    world.ok("bypass undo --yes").await;
}

#[tokio::test]
async fn what_was_applied_is_no_failure() {
    for fault in ["500:appliedx*@PATCH", "close-afterx*@PATCH"] {
        let world = World::new().await.verified().await;
        world.fault(fault);
        world.ok("enable cool.cats --yes --max-retries 0").await;
        world.ok("disable cool.cats --yes --max-retries 0").await;
        assert_eq!(world.connectors().await[0]["enabled"], false, "{fault}");
    }
    for fault in ["500:appliedx*@PATCH", "close-afterx*@PATCH"] {
        let world = World::new().await.enabled().await;
        world.fault(fault);
        let report = world.ok("bypass disable --all --yes --max-retries 0 -o json").await.json();
        assert_eq!(report["ok"], true, "{fault}: {report:#}");
        assert_eq!(world.connectors().await[0]["enabled"], false, "{fault}");
    }
    for fault in ["500:appliedx*@PUT", "close-afterx*@PUT"] {
        let world = World::new().await.enabled().await;
        world.fault(fault);
        let report = world.ok("bypass otp --yes --max-retries 0 -o json").await.json();
        assert_eq!(report["ok"], true, "{fault}: {report:#}");
        assert_eq!(world.ok("bypass status -o json").await.json()["active"], true, "{fault}");
    }
}

#[tokio::test]
async fn an_entry_that_cannot_be_undone_stops_no_other_and_is_not_imported() {
    let world = locked().await;
    world.ok("bypass disable cool.cats --yes").await;
    let run = world.ok("bypass status -o json").await.json()["bypasses"][0]["entry"].clone();
    let run = run.as_str().unwrap().split('.').next().unwrap().to_owned();
    let runs = world.journal.path().join("runs");
    let text = std::fs::read_to_string(runs.join(format!("{run}.ndjson"))).unwrap();
    let exported = world.ok(&format!("journal export {run}")).await.stdout;
    let file = world.journal.path().join("run.json");
    let writes = world.writes();
    let forge = |text: &str| {
        let path = text.split(r#""path":""#).nth(1).unwrap().split('"').next().unwrap();
        [text.replace(path, "/user/tokens/x"), text.replace(path, &format!("{path}/x"))]
    };
    for forged in forge(&exported) {
        std::fs::write(&file, forged).unwrap();
        let error = world.fails(&format!("journal import {}", file.display()), 2).await;
        let causes = error["causes"].to_string();
        assert!(causes.contains("is not a request of a bypass"), "{error}");
    }
    let bad = runs.join("20200101-000000.ndjson");
    std::fs::write(&bad, &forge(&text)[0]).unwrap();
    assert_eq!(world.writes(), writes);
    let ran = world.run("bypass undo --yes -o json").await;
    assert_eq!(ran.code, 12, "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], true);
    let error = ran.error();
    assert!(error["causes"].to_string().contains("entry 20200101-000000.1"), "{error}");
    let show = "`cfsso journal show 20200101-000000.1`";
    assert!(error["hint"].as_str().unwrap().contains(show), "{error}");
    // Alone, it is refused, and the way on is named.
    let error = world.fails("bypass undo --yes", 11).await;
    assert_eq!(error["hint"], show);
    std::fs::remove_file(bad).unwrap();
    world.ok("bypass undo --yes").await;
}

#[tokio::test]
async fn a_disable_by_another_user_after_the_bypass_is_named() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let quiet = world.ok("bypass undo --dry-run").await.screen;
    assert!(!quiet.contains("after the bypass"), "{quiet}");
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{}/sso_connectors/{id}", world.sandbox.account());
    world.clock.sleep(std::time::Duration::from_mins(1)).await;
    for enabled in [true, false] {
        let body = Some(json!({ "enabled": enabled }));
        ask(&world.sandbox, Access::Full, &format!("PATCH {path}"), body).await.result();
    }
    let told = world.ok("bypass undo --yes").await.screen;
    assert!(told.contains("cool.cats was changed at"), "{told}");
}

#[tokio::test]
async fn without_a_journal_it_is_unknown_whether_a_bypass_is_active() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let world = world.with_env("CFSSO_JOURNAL", "/dev/null/journal");
    let report = world.ok("bypass status -o json").await.json();
    assert_eq!(report["active"], Value::Null, "{report:#}");
}

#[tokio::test]
async fn a_ticket_is_not_followed_by_words_of_a_run_that_changed_nothing() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    for line in ["bypass otp --yes --no-journal", "bypass disable --all --yes --no-journal"] {
        world.ok(line).await;
        for format in ["", " -o json"] {
            let again = world.ok(&format!("{line}{format}")).await;
            assert_eq!(again.stdout, "", "{line}: {again:?}");
        }
    }
}
