//! Scenes of `doctor`: what is wrong is found, named, and counted.

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::{Ran, World};
use crate::logins::person;
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// What `doctor` found, held to its schema; it writes nothing.
async fn doctor(world: &World, options: &str, code: u8) -> Value {
    let before = world.writes();
    let ran = world.run(&format!("doctor {options} -o json")).await;
    assert_eq!(ran.code, code, "{ran:?}");
    let report = ran.json();
    assert_eq!(world.writes(), before);
    assert_eq!(report["ok"], code == 0);
    let schema = world.ok("schema doctor").await.json();
    assert_conforms(&schema, &report);
    report
}

/// The findings of that name.
fn of<'a>(report: &'a Value, id: &str) -> Vec<&'a Value> {
    let findings = report["findings"].as_array().unwrap();
    findings.iter().filter(|finding| finding["id"] == id).collect()
}

fn state<'a>(report: &'a Value, id: &str) -> &'a str {
    let found = of(report, id);
    assert_eq!(found.len(), 1, "{id} {report:#}");
    found[0]["state"].as_str().unwrap()
}

/// The findings that failed.
fn failed(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    let failed = findings.filter(|finding| finding["state"] == "failed");
    failed.map(|finding| finding["id"].as_str().unwrap()).collect()
}

/// An account in which `doctor` finds nothing.
async fn healthy() -> World {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    world.sandbox.remove_member("tom+audit@cool.cats").unwrap();
    world.sandbox.sign_in(&person("admin@cool.cats")).unwrap();
    world
}

/// Asks the simulator past the program, below the account.
async fn past(world: &World, method: &str, path: &str, body: Value) -> Value {
    let request = format!("{method} /accounts/{}/{path}", world.sandbox.account());
    ask(&world.sandbox, Access::Full, &request, Some(body)).await.result()
}

async fn sign_in(world: &World) -> String {
    let apps = past(world, "GET", "access/apps", Value::Null).await;
    let apps = apps.as_array().unwrap();
    let app = apps.iter().find(|app| app["type"] == "dash_sso").unwrap();
    app["id"].as_str().unwrap().to_owned()
}

async fn add_policy(world: &World, name: &str, include: Value) {
    let path = format!("access/apps/{}/policies", sign_in(world).await);
    let body = json!({ "name": name, "decision": "allow", "include": include, "precedence": 9 });
    past(world, "POST", &path, body).await;
}

#[tokio::test]
async fn a_healthy_account_has_no_finding_whatever_the_level() {
    let world = healthy().await;
    let report = doctor(&world, "--fail-on warn", 0).await;
    assert_eq!(failed(&report), Vec::<&str>::new());
    assert_eq!(report["counts"]["not_checked"], 0);
    assert_eq!(report["domains"], json!(["cool.cats"]));
    let (ran, mut requests) = world.requests_of("doctor -q").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    requests.retain(|request| !request.contains("/oidc/") && !request.contains("/.well-known/"));
    assert_eq!(requests.len(), 9, "each thing is read once: {requests:#?}");
    assert_eq!(world.ok("doctor -o name").await.stdout, "");
}

#[tokio::test]
async fn what_is_found_exits_with_10_from_the_level_on() {
    let world = World::new().await.enabled().await;
    let report = doctor(&world, "", 0).await;
    assert_eq!(failed(&report), ["members-plus-addressed", "login-seen", "fallback-login"]);
    assert_eq!(report["counts"]["warnings"], 3);
    doctor(&world, "--fail-on error", 0).await;
    doctor(&world, "--fail-on warn", 10).await;
    let accepted = "--accept-risk members-plus-addressed --accept-risk fallback-login \
                    --accept-risk login-seen";
    let report = doctor(&world, &format!("--fail-on warn {accepted}"), 0).await;
    assert_eq!(report["counts"]["accepted"], 3);
    world.ok("idp delete oidc --yes --force").await;
    let report = doctor(&world, "", 10).await;
    assert!(failed(&report).contains(&"idp-present"), "{report:#}");
    let error = world.fails("doctor --accept-risk no-such-thing", 2).await;
    assert!(error["message"].as_str().unwrap().contains("no-such-thing"), "{error}");
}

#[tokio::test]
async fn what_is_not_enforced_keeps_nobody_out() {
    let world = World::new().await.verified().await;
    world.ok("idp delete oidc --yes --force").await;
    let report = doctor(&world, "--fail-on error", 0).await;
    assert_eq!(of(&report, "idp-present")[0]["severity"], "warning");
}

#[tokio::test]
async fn a_stale_connector_is_found_after_two_days() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let report = doctor(&world, "", 0).await;
    assert_eq!(state(&report, "connector-stale"), "passed", "it may still come true");
    world.clock.sleep(std::time::Duration::from_hours(49)).await;
    let report = doctor(&world, "", 0).await;
    assert_eq!(state(&report, "connector-stale"), "failed");
    assert_eq!(of(&report, "connector-stale")[0]["domains"], json!(["cool.cats"]));
}

#[tokio::test]
async fn policies_that_match_no_connector_are_found() {
    let world = healthy().await;
    add_policy(&world, "everyone", json!([{ "everyone": {} }])).await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["policy-without-connector"]);

    let world = healthy().await;
    add_policy(&world, "one more", json!([{ "email": { "email": "a@cool.cats" } }])).await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["policy-duplicate"]);

    let world = healthy().await;
    add_policy(&world, "dogs", json!([{ "email_domain": { "domain": "dogs.test" } }])).await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["policy-unsupported"]);
}

#[tokio::test]
async fn an_enforced_connector_without_its_policy_is_an_error() {
    let world = healthy().await;
    let path = format!("access/apps/{}/policies", sign_in(&world).await);
    let policies = past(&world, "GET", &path, Value::Null).await;
    let id = policies[0]["id"].as_str().unwrap().to_owned();
    let path = format!("DELETE /accounts/{}/{path}/{id}", world.sandbox.account());
    world.ask(&path).await;
    let report = doctor(&world, "", 10).await;
    assert_eq!(failed(&report), ["policy-allows-domain", "connector-without-policy"]);
    assert_eq!(of(&report, "policy-allows-domain")[0]["severity"], "error");
}

#[tokio::test]
async fn an_application_without_connectors_is_found() {
    let world = healthy().await;
    world.ok("connector delete cool.cats --disable-first --yes").await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(report["domains"], json!([]));
    assert!(failed(&report).contains(&"sso-app-without-connector"), "{report:#}");
}

#[tokio::test]
async fn a_foreign_code_and_a_lost_record_are_found() {
    let world = healthy().await;
    let zones = world.ask("GET /zones?name=cool.cats&status=active").await;
    let records = format!("/zones/{}/dns_records", zones[0]["id"].as_str().unwrap());
    let all = world.ask(&format!("GET {records}?type=TXT")).await;
    let own =
        all.as_array().unwrap().iter().find(|one| one["content"].to_string().contains("_sso="));
    world.ask(&format!("DELETE {records}/{}", own.unwrap()["id"].as_str().unwrap())).await;
    let foreign = json!({
        "type": "TXT", "name": "cool.cats", "ttl": 1,
        "content": "\"cloudflare_dashboard_sso=0123\"",
    });
    ask(&world.sandbox, Access::Full, &format!("POST {records}"), Some(foreign)).await.result();
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["txt-still-published", "foreign-claim"]);
}

#[tokio::test]
async fn a_code_of_another_account_that_can_be_read_is_not_to_be_deleted() {
    let world = healthy().await;
    let (_, requests) = world.requests_of("doctor").await;
    assert!(!requests.iter().any(|line| line.ends_with("/accounts?page=1&per_page=50")));
    world.ok("create both.cats").await;
    let report = doctor(&world, "", 0).await;
    let claim = of(&report, "foreign-claim").into_iter().find(|it| it["state"] == "failed");
    let claim = claim.unwrap();
    let words = claim["detail"].as_str().unwrap();
    assert!(words.contains("is of the account Other Cats, SSO enabled there"), "{claim:#}");
    assert!(!claim["fix"].as_str().unwrap().contains("delete"), "{claim:#}");
    assert!(!words.contains("could claim it"), "{claim:#}");
    let preflight = world.run("preflight both.cats").await.stdout;
    assert!(preflight.contains("Other Cats"), "{preflight}");
    let status = world.ok("bypass status -o json").await.json();
    let both = status["sign_in"].as_array().unwrap();
    let both = both.iter().find(|it| it["domain"] == "both.cats").unwrap();
    assert_eq!((&both["enabled"], &both["methods"]), (&json!(false), &Value::Null));
    let text = world.ok("bypass status").await.stdout;
    assert!(text.contains("both.cats: SSO is off here"), "{text}");
    // What no readable account uses is still to be deleted.
    let zones = world.ask("GET /zones?name=both.cats&status=active").await;
    let records = format!("POST /zones/{}/dns_records", zones[0]["id"].as_str().unwrap());
    let unknown = json!({
        "type": "TXT", "name": "both.cats", "ttl": 1,
        "content": "\"cloudflare_dashboard_sso=f00\"",
    });
    ask(&world.sandbox, Access::Full, &records, Some(unknown)).await.result();
    let report = doctor(&world, "", 0).await;
    let claim = of(&report, "foreign-claim").into_iter().find(|it| it["state"] == "failed");
    let claim = claim.unwrap();
    assert!(claim["detail"].as_str().unwrap().contains("f00"), "{claim:#}");
    assert!(claim["fix"].as_str().unwrap().starts_with("delete"), "{claim:#}");
}

#[tokio::test]
async fn of_one_domain_no_other_is_looked_up() {
    let world = healthy().await;
    world.ok("create cool.dogs").await;
    let report = doctor(&world, "cool.cats", 0).await;
    assert_eq!(report["domains"], json!(["cool.cats"]));
    assert!(!report["findings"].to_string().contains("cool.dogs"), "{report:#}");
    assert_eq!(of(&report, "connector-stale").len(), 1);
}

#[tokio::test]
async fn a_check_of_several_domains_is_listed_once() {
    let world = healthy().await;
    world.ok("create cool.dogs").await;
    let text = world.with_token(Access::ConnectorOnly).run("doctor").await.stdout;
    assert_eq!(text.matches("policy-allows-domain").count(), 1, "{text}");
}

#[tokio::test]
async fn a_certificate_that_ended_is_found_though_nobody_is_sent_there() {
    let world = healthy().await;
    let expired = include_str!("../../src/sandbox/issuer/expired.pem");
    let config = json!({
        "issuer_url": "https://idp.test", "sso_target_url": "https://idp.test/sso",
        "idp_public_certs": [expired],
    });
    let body = json!({ "name": "Old", "type": "saml", "config": config });
    past(&world, "POST", "access/identity_providers", body).await;
    world.ok("app idps --only oidc --only onetimepin --yes").await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["idp-certificate"]);
}

#[tokio::test]
async fn a_bypass_left_in_force_is_found() {
    let world = healthy().await;
    world.ok("bypass disable --all --yes").await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    assert_eq!(failed(&report), ["bypass-active"]);
    assert_eq!(of(&report, "bypass-active")[0]["fix"], "`cfsso bypass undo`");
    world.ok("bypass undo --yes").await;
    doctor(&world, "--fail-on warn", 0).await;
}

#[tokio::test]
async fn a_write_without_an_end_is_told_by_what_it_was_about() {
    for (fault, became) in [("close-after", "was applied"), ("close-before", "was not applied")] {
        let world = healthy().await;
        let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
        world.fault(&format!("{fault}@PATCH/sso_connectors"));
        // Nor can the connector be read then, which shows what became of it.
        world.fault(&format!("500#2x1@GET/sso_connectors/{id}"));
        let ran = world.run(&format!("disable {id} --yes --max-retries 0")).await;
        assert_ne!(ran.code, 0, "{ran:?}");
        let report = doctor(&world, "", 0).await;
        let found = &of(&report, "journal-unfinished")[0];
        assert_eq!(found["state"], "passed", "{found}");
        assert!(found["detail"].as_str().unwrap().contains(became), "{found}");
    }
}

#[tokio::test]
async fn a_write_of_which_nothing_tells_is_found() {
    let world = healthy().await;
    world.fault("close-after@POST/tokens");
    world.fails("token create-break-glass --max-retries 0 --yes", 9).await;
    let report = doctor(&world, "--fail-on warn", 10).await;
    let found = &of(&report, "journal-unfinished")[0];
    assert_eq!(found["state"], "failed", "{found}");
    assert!(found["fix"].as_str().unwrap().contains("the dashboard"), "{found}");
}

#[tokio::test]
async fn a_damaged_journal_is_named_and_the_rest_is_looked_at() {
    let world = healthy().await;
    let runs = world.journal.path().join("runs");
    let name = std::fs::read_dir(&runs).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&name, "no journal\n").unwrap();
    let ran = world.run("doctor --fail-on warn -o json").await;
    assert_eq!(ran.code, 10, "{ran:?}");
    assert_eq!(failed(&ran.json()), ["journal-damaged"]);
    assert!(ran.stderr.contains("corrupt"), "{ran:?}");
    assert_eq!(std::fs::read_to_string(&name).unwrap(), "no journal\n");
}

#[tokio::test]
async fn a_token_that_ends_soon_is_found() {
    let world = healthy().await;
    let report = doctor(&world, "--fail-on warn --min-token-days 400", 0).await;
    assert_eq!(state(&report, "token-expiry"), "passed", "it does not end");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), world.sandbox.token(Access::Expired)).unwrap();
    let option = format!("--recovery-token-file {}", file.path().display());
    let report = doctor(&world, &option, 10).await;
    assert_eq!(failed(&report), ["recovery-token"]);
    assert_eq!(state(&report, "token-expiry"), "passed", "that is the token in use");
}

#[tokio::test]
async fn what_a_token_may_not_read_is_a_warning_said_once() {
    let world = healthy().await.with_token(Access::ConnectorOnly);
    let report = doctor(&world, "", 0).await;
    assert!(report["counts"]["not_checked"].as_u64().unwrap() > 5, "{report:#}");
    doctor(&world, "--fail-on warn", 10).await;
    let world = world.with_person("");
    insta::assert_snapshot!(world.run("doctor").await.stdout, @"
    not checked not checked (the token lacks the permission Access: Organizations,
                Identity Providers, and Groups Read): zero-trust-org, idp-present,
                idp-healthy, fallback-login, idp-certificate
    not checked not checked (the token lacks the permission Access: Apps and
                Policies Read): sso-app-present, sso-app-reaches-idp,
                instant-auth-consistent, policy-allows-domain, policy-unsupported,
                connector-without-policy, policy-without-connector,
                policy-duplicate, sso-app-without-connector
    not checked not checked (the token lacks the permission Account Settings Read):
                members-plus-addressed, members-super-admin
    not checked not checked (the token lacks the permission Access: Audit Logs
                Read): login-seen

    cool.cats: 17 not checked, 13 passed
    ");
    let world = healthy().await.with_token(Access::AccessOnly);
    let report = doctor(&world, "", 0).await;
    assert_eq!(report["domains"], Value::Null);
    assert_eq!(state(&report, "domain-verified"), "not_checked");
    assert_eq!(state(&report, "idp-present"), "passed");
    world.with_token(Access::Expired).fails("doctor", 4).await;
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_no_finding() {
    let world = healthy().await;
    world.fault("500x*@GET/sso_connectors");
    world.fails("doctor --max-retries 0", 9).await;
}

#[tokio::test]
async fn github_gets_annotations_and_a_summary() {
    let world = World::new().await.enabled().await;
    let summary = tempfile::NamedTempFile::new().unwrap();
    let world = world.with_env("GITHUB_STEP_SUMMARY", &summary.path().display().to_string());
    let ran = world.run("doctor --format github --fail-on warn").await;
    assert_eq!(ran.code, 10, "{ran:?}");
    let lines: Vec<_> = ran.stdout.lines().collect();
    assert_eq!(lines.len(), 3, "{ran:?}");
    assert!(lines[0].starts_with("::warning title=cfsso members-plus-addressed::"), "{ran:?}");
    let text = std::fs::read_to_string(summary.path()).unwrap();
    assert!(text.contains("| warning | `fallback-login` |"), "{text}");
    let world = world.with_env("GITHUB_STEP_SUMMARY", "/dev/null/nowhere");
    let Ran { code, stderr, .. } = world.run("doctor --format github --fail-on warn").await;
    assert_eq!(code, 10);
    assert!(stderr.contains("cannot write the step summary"), "{stderr}");
}

#[tokio::test]
async fn junit_fails_where_the_command_does() {
    let world = World::new().await.enabled().await;
    for (level, code, failures) in [("error", 0, 0), ("warn", 10, 3)] {
        let ran = world.run(&format!("doctor --format junit --fail-on {level}")).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(ran.stdout.matches("<failure").count(), failures, "{ran:?}");
        assert!(ran.stdout.contains("<testsuite name=\"cool.cats\""), "{ran:?}");
    }
}

#[tokio::test]
async fn every_finding_is_explained() {
    let world = World::new().await.enabled().await;
    let explained = world.ok("help findings -o json").await.json();
    let explained: Vec<_> =
        explained.as_array().unwrap().iter().map(|one| one["id"].clone()).collect();
    let report = doctor(&world, "", 0).await;
    for finding in report["findings"].as_array().unwrap() {
        assert!(explained.contains(&finding["id"]), "{finding}");
    }
    let world = world.with_person("");
    let text = world.ok("help findings").await.stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[tokio::test]
async fn one_domain_is_audited_by_its_name() {
    let world = World::new().await.enabled().await;
    world.ok("create cool.dogs").await;
    let all = world.run("doctor -o json").await.json();
    let one = world.run("doctor cool.dogs -o json").await.json();
    assert_eq!(one["domains"], json!(["cool.dogs"]));
    let findings = |report: &Value| report["findings"].as_array().unwrap().len();
    assert!(findings(&one) < findings(&all), "{one:#}");
    for finding in one["findings"].as_array().unwrap() {
        let domains = finding["domains"].as_array().unwrap();
        assert!(domains.iter().all(|domain| domain == "cool.dogs"), "{finding}");
    }
    world.fails("doctor other.dogs", 6).await;
}
