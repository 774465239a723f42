//! Scenes of `cfsso connector …`.

use std::collections::BTreeSet;

use cfsso::sandbox::{Fault, FaultTiming};
use serde_json::{Value, json};

use crate::harness::World;
use crate::schema::assert_conforms;

/// Holds a value to `cfsso schema KIND`.
async fn conforms(world: &World, kind: &str, value: &Value) {
    let schema = world.ok(&format!("schema {kind}")).await.json();
    assert_conforms(&schema, value);
}

#[tokio::test]
async fn an_id_and_a_domain_however_written_name_the_same_connector() {
    let world = World::new().await;
    let made = world.ok("create cool.cats -o json").await.json();
    let id = made["id"].as_str().unwrap();
    for name in [id, "cool.cats", "COOL.Cats", "cool.cats.", "Cool.CATS."] {
        let got = world.ok(&format!("connector get {name} -o json")).await.json();
        assert_eq!(got["id"], id, "{name}");
    }
    world.ok("create bücher.example").await;
    for name in ["bücher.example", "BÜCHER.example.", "xn--bcher-kva.example"] {
        let got = world.ok(&format!("connector get {name} -o json")).await.json();
        assert_eq!(got["email_domain"], "xn--bcher-kva.example", "{name}");
    }
}

#[tokio::test]
async fn every_verb_takes_an_id_and_a_domain_in_any_case() {
    for by_id in [false, true] {
        let world = World::new().await.verified().await;
        let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
        let name = if by_id { id.as_str() } else { "COOL.cats." };
        for (line, field, value) in [
            ("update {} --fedramp", "use_fedramp_language", json!(true)),
            ("update {} --no-fedramp", "use_fedramp_language", json!(false)),
            ("verify {}", "enabled", json!(false)),
            ("wait {} --for txt", "enabled", json!(false)),
            ("wait {} --for verified", "enabled", json!(false)),
            ("wait {} --for disabled", "enabled", json!(false)),
            ("enable {} --confirm cool.cats", "enabled", json!(true)),
            ("wait {} --for enabled", "enabled", json!(true)),
            ("disable {} --confirm cool.cats", "enabled", json!(false)),
            ("get {}", "enabled", json!(false)),
            ("delete {} --confirm cool.cats", "deleted", json!(true)),
        ] {
            let line = format!("connector {} -o json", line.replace("{}", name));
            assert_eq!(world.ok(&line).await.json()[field], value, "{line}");
        }
        assert!(world.connectors().await.is_empty());
    }
}

#[tokio::test]
async fn reading_takes_one_request() {
    let world = World::new().await.verified().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let list = vec!["GET /sso_connectors".to_owned()];
    assert_eq!(world.requests_of("connector list").await.1, list);
    assert_eq!(world.requests_of("connector get cool.cats").await.1, list);
    let one = vec![format!("GET /sso_connectors/{id}")];
    assert_eq!(world.requests_of(&format!("connector get {id}")).await.1, one);
}

#[tokio::test]
async fn a_change_takes_a_read_a_write_and_a_read_back() {
    let world = World::new().await.verified().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let list = "GET /sso_connectors".to_owned();
    let (patch, get) = (format!("PATCH /sso_connectors/{id}"), format!("GET /sso_connectors/{id}"));
    let mut enabling = world.requests_of("enable cool.cats --yes").await.1;
    enabling.retain(|request| request.contains("/sso_connectors"));
    assert_eq!(enabling, [list.clone(), patch.clone(), get]);
    // The lockout path: the answer of the PATCH is the read-back.
    assert_eq!(world.requests_of("disable cool.cats --yes").await.1, [list, patch]);
}

#[tokio::test]
async fn a_list_is_sorted_and_its_names_are_the_domains() {
    let world = World::new().await;
    assert_eq!(world.ok("connector list -o json").await.json(), json!([]));
    assert_eq!(world.ok("connector list -o ndjson").await.stdout, "");
    for domain in ["zebra.example", "cool.cats", "ant.example"] {
        world.ok(&format!("create {domain}")).await;
    }
    let names = world.ok("connector list -o name").await.stdout;
    assert_eq!(names, "ant.example\ncool.cats\nzebra.example\n");
    let lines = world.ok("connector list -o ndjson").await.stdout;
    let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["email_domain"], "ant.example");
}

#[tokio::test]
async fn creating_twice_is_a_conflict_unless_the_one_that_stands_will_do() {
    let world = World::new().await;
    let made = world.ok("connector create cool.cats --no-verification -o json").await.json();
    assert_eq!(made["verification"]["status"], "awaiting");
    let writes = world.writes();
    let error = world.fails("create Cool.Cats.", 7).await;
    assert!(error["hint"].as_str().unwrap().contains("--if-not-exists"), "{error}");
    let mut stands = world.ok("create cool.cats --if-not-exists -o json").await.json();
    assert_eq!(stands.as_object_mut().unwrap().remove("created"), Some(false.into()));
    assert_eq!(stands, made);
    let stands = world.run("create cool.cats --if-not-exists --fedramp").await;
    assert_eq!(stands.code, 0);
    assert!(stands.stderr.contains("`cfsso connector update cool.cats --fedramp`"), "{stands:?}");
    assert_eq!(world.writes(), writes);
    let new = world.ok("create bee.example --if-not-exists -o json").await.json();
    assert_eq!(new["created"], true);
}

#[tokio::test]
async fn the_record_to_publish_is_printed_as_fields_and_ready_to_paste() {
    let world = World::new().await;
    let bind = world.ok("create ant.example --format bind").await.stdout;
    let made = world.ok("connector get ant.example -o json").await.json();
    let code = made["verification"]["code"].as_str().unwrap();
    let txt = serde_json::json!({"name": "ant.example", "type": "TXT", "value": code, "ttl": 300});
    assert_eq!(made["txt"], txt);
    assert_eq!(bind, format!("ant.example. 300 IN TXT \"{code}\"\n"));
    assert_eq!(world.ok("create ant.example --if-not-exists --format bind").await.stdout, bind);
    world.ok("create bee.example").await;
    let both = world.ok("connector list --format bind").await.stdout;
    assert_eq!(both.lines().count(), 2, "{both}");
    assert!(both.starts_with(&bind), "{both}");
    let route53 = world.ok("connector get ant.example --format route53").await.stdout;
    assert!(route53.contains(&format!(r#"\"{code}\""#)), "{route53}");
    let listed = world.ok("connector list -o json").await.json();
    assert_eq!(listed[0]["txt"], txt);
    world.fails("connector get ant.example --format bind", 2).await;
    world.fails("connector get ant.example --format zone", 2).await;
}

#[tokio::test]
async fn what_is_asked_for_at_creation_is_what_is_created() {
    let world = World::new().await;
    let plain = world.ok("create ant.example -o json").await.json();
    assert_eq!(plain["use_fedramp_language"], false);
    assert_eq!(plain["verification"]["status"], "pending");
    let fedramp = world.ok("create bee.example --fedramp -o json").await.json();
    assert_eq!(fedramp["use_fedramp_language"], true);
}

#[tokio::test]
async fn what_cannot_be_a_domain_is_refused_before_any_request() {
    let world = World::new().await;
    for verb in ["create", "setup", "dig"] {
        for domain in [
            "admin@cool.cats",
            "https://cool.cats",
            "localhost",
            "cool..cats",
            "192.0.2.1",
            "*.cool.cats",
            &format!("{}.cats", "a".repeat(64)),
        ] {
            let ran = world.run(&format!("{verb} {domain} -o json")).await;
            assert_eq!(ran.code, 2, "{verb} {domain}: {ran:?}");
            assert_eq!(ran.stdout, "");
            assert_eq!(ran.error()["kind"], "usage");
        }
    }
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn shared_domains_are_refused_before_any_request_unless_forced() {
    let world = World::new().await;
    for verb in ["create", "setup"] {
        for (domain, reason) in [("gmail.com", "public")] {
            let error = world.fails(&format!("{verb} {domain}"), 11).await;
            assert!(error["causes"][0].as_str().unwrap().contains(reason), "{error}");
        }
    }
    assert!(world.requests().is_empty());
    // Forced, the API decides.
    let error = world.fails("create gmail.com --force", 1).await;
    assert_eq!(error["http_status"], 400);
    assert_eq!(error["request"].as_str().unwrap().split(' ').next(), Some("POST"));
    assert!(world.connectors().await.is_empty());
}

#[tokio::test]
async fn wording_that_is_so_already_is_not_written_again() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let writes = world.writes().len();
    world.ok("connector update cool.cats --no-fedramp").await;
    assert_eq!(world.writes().len(), writes);
    let ran = world.ok("connector update cool.cats --fedramp -o json").await;
    assert_eq!(ran.json()["use_fedramp_language"], true);
    assert_eq!(world.writes().len(), writes + 1);
    assert_eq!(world.run("connector update cool.cats").await.code, 2);
    assert_eq!(world.run("connector update cool.cats --fedramp --no-fedramp").await.code, 2);
}

#[tokio::test]
async fn verification_begins_only_when_it_can_succeed() {
    let world = World::new().await;
    let made = world.ok("create cool.dogs --no-verification -o json").await.json();
    let code = made["verification"]["code"].as_str().unwrap();
    let writes = world.writes().len();
    let error = world.fails("verify cool.dogs", 8).await;
    assert!(error["causes"].to_string().contains(code), "the record to publish: {error}");
    assert!(error["hint"].as_str().unwrap().contains("cfsso setup cool.dogs"), "{error}");
    assert_eq!(error["retryable"], true);
    assert_eq!(world.writes().len(), writes);

    world.sandbox.publish("cool.dogs", code).await.unwrap();
    let ran = world.run("verify cool.dogs -o json").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert_eq!(ran.json()["verification"]["status"], "pending");
    assert!(ran.error()["hint"].as_str().unwrap().contains("--wait"), "{ran:?}");
    assert_eq!(world.writes().len(), writes + 1);

    let verified = world.ok("verify cool.dogs --wait -o json").await.json();
    assert_eq!(verified["verification"]["status"], "verified");
    assert_eq!(world.writes().len(), writes + 1, "the run under way is followed");
    world.ok("verify cool.dogs").await;
    assert_eq!(world.writes().len(), writes + 1);
}

#[tokio::test]
async fn a_wait_for_a_verification_that_nobody_proves_ends() {
    let world = World::new().await;
    world.ok("create cool.dogs --no-verification").await;
    let before = world.clock.now();
    let error = world.fails("verify cool.dogs --wait --timeout 2h", 8).await;
    assert_eq!(error["kind"], "not-yet");
    let waited = world.clock.now().duration_since(before).as_secs();
    assert!((7200..7260).contains(&waited), "{waited}");
}

#[tokio::test]
async fn a_verification_that_failed_is_begun_again() {
    let world = World::new().await;
    let made = world.ok("create cool.dogs -o json").await.json();
    let code = made["verification"]["code"].as_str().unwrap();
    world.sandbox.publish("cool.dogs", code).await.unwrap();
    world.fault("verification-fails");
    let verified = world.ok("verify cool.dogs --wait -o json").await.json();
    assert_eq!(verified["verification"]["status"], "verified");

    let world = World::new().await;
    let made = world.ok("create cool.dogs -o json").await.json();
    let code = made["verification"]["code"].as_str().unwrap();
    world.sandbox.publish("cool.dogs", code).await.unwrap();
    world.fault("verification-failsx*");
    let error = world.fails("verify cool.dogs --wait", 8).await;
    assert!(error["message"].as_str().unwrap().contains("failed"), "{error}");
}

#[tokio::test]
async fn every_wait_ends_at_its_deadline_and_says_what_it_waited_for() {
    let world = World::new().await;
    world.ok("create cool.dogs --no-verification").await;
    for (state, word) in [("txt", "TXT"), ("verified", "verified"), ("enabled", "enabled")] {
        let before = world.clock.now();
        let ran = world
            .run(&format!("connector wait cool.dogs --for {state} --timeout 10m -o json"))
            .await;
        assert_eq!((ran.code, ran.stdout.as_str()), (8, ""), "{state}: {ran:?}");
        let message = ran.error()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(word) && message.contains("cool.dogs"), "{message}");
        let waited = world.clock.now().duration_since(before).as_secs();
        assert!((600..660).contains(&waited), "{state}: {waited}");
    }
    let world = World::new().await.enabled().await;
    let error = world.fails("connector wait cool.cats --for disabled --timeout 1m", 8).await;
    assert!(error["message"].as_str().unwrap().contains("disabled"), "{error}");
    assert_eq!(world.run("connector wait cool.cats --for peace").await.code, 2);
}

#[tokio::test]
async fn a_wait_prints_its_events() {
    let world = World::new().await;
    world.ok("create cool.dogs --no-verification").await;
    for (line, key) in [
        ("connector wait cool.dogs --for verified --timeout 1m", "state"),
        ("connector wait cool.dogs --for txt --timeout 1m", "verdict"),
        ("verify cool.dogs --wait --timeout 1m", "verdict"),
    ] {
        let ran = world.run(&format!("{line} -o ndjson")).await;
        let first = ran.stdout.lines().next().unwrap_or_else(|| panic!("{line}: {ran:?}"));
        let event: Value = serde_json::from_str(first).unwrap();
        assert_eq!(event["event"], "waiting", "{line}");
        assert!(event[key].is_string() && event["text"].is_string(), "{line}: {event}");
    }
}

/// `both.cats` has the code of another account.
#[tokio::test]
async fn dig_compares_with_the_connector_of_the_domain() {
    let world = World::new().await;
    let any = world.ok("dig both.cats").await.stdout;
    assert!(any.contains("has a code") && any.contains("not compared"), "{any}");
    world.fails("dig both.cats --wait", 2).await;
    world.ok("create both.cats --yes").await;
    let ran = world.run("dig both.cats -o json").await;
    assert_eq!((ran.code, &ran.json()["verdict"]), (8, &"wrong-value".into()), "{ran:?}");

    // DNS can be checked without the API.
    for (name, value) in [("CLOUDFLARE_API_TOKEN", ""), ("CLOUDFLARE_ACCOUNT_ID", "")] {
        let world = World::new().await.with_env(name, value);
        world.ok("dig both.cats").await;
    }
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "wrong");
    let ran = world.ok("dig both.cats").await;
    assert!(ran.stderr.contains("not compared with a connector"), "{ran:?}");
    world.fails("dig both.cats --wait", 4).await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    world.fails("dig both.cats --wait", 2).await;
}

#[tokio::test]
async fn dig_normalises_or_refuses_the_expected_code() {
    let world = World::new().await;
    let code = "0123456789abcdef";
    for text in [code.to_owned(), format!("\"cloudflare_dashboard_sso={code}\"")] {
        let ran = world.run(&format!("dig both.cats --expect {text} -o json")).await;
        let expected = format!("cloudflare_dashboard_sso={code}");
        assert_eq!((ran.code, &ran.json()["expected"]), (8, &expected.into()), "{ran:?}");
    }
    for text in ["--expect=", "--expect=v=spf1", "--expect=\"\""] {
        let line = format!("dig both.cats {text}");
        assert_eq!(world.run(&line).await.code, 2, "{line}");
    }
}

#[tokio::test]
async fn a_server_of_the_command_line_is_used_with_the_simulator_and_within_the_time_limit() {
    let silent = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let server = silent.local_addr().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("s.json").display().to_string();
    let world = World::new().await;
    for simulator in [String::new(), format!("--sandbox --sandbox-state {state}")] {
        let line = format!("dig both.cats --server {server} --timeout 50ms {simulator}");
        let ran = world.run(&line).await;
        assert_eq!(ran.code, 8, "{ran:?}");
        assert!(ran.stdout.contains("no response within 50 ms"), "{ran:?}");
        assert!(ran.stdout.contains("`--server`") && !ran.stdout.contains("delegation"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_passing_failure_does_not_end_a_wait() {
    let world = World::new().await;
    let made = world.ok("create cool.dogs -o json").await.json();
    let id = made["id"].as_str().unwrap();
    world.fault("500#3x8");
    world.fault("502-html#12x6");
    let ran = world
        .run(&format!("connector wait {id} --for enabled --timeout 30m --max-retries 0 -o json"))
        .await;
    assert_eq!(ran.code, 8, "it waited on: {ran:?}");
}

#[tokio::test]
async fn an_unverified_domain_is_not_enabled_and_nothing_is_sent() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let writes = world.writes();
    for line in ["enable cool.cats --yes", "enable cool.cats"] {
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (11, ""), "{ran:?}");
        let error = ran.error();
        assert!(error["causes"][0].as_str().unwrap().starts_with("domain-verified:"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("cfsso connector verify"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    // The risk can be taken; the API has the last word.
    let error = world.fails("enable cool.cats --yes --accept-risk domain-verified", 1).await;
    assert_eq!(error["api_errors"][0]["code"], 12506);
    assert_eq!(world.run("enable cool.cats --yes --accept-risk luck").await.code, 2);
}

#[tokio::test]
async fn a_missing_txt_record_warns_and_does_not_stand_in_the_way() {
    let world = World::new().await;
    let made = world.ok("create cool.dogs -o json").await.json();
    let code = made["verification"]["code"].as_str().unwrap();
    world.sandbox.publish("cool.dogs", code).await.unwrap();
    world.ok("verify cool.dogs --wait").await;
    world.sandbox.withdraw("cool.dogs", code).await.unwrap();
    world.sandbox.publish("cool.dogs", "cloudflare_dashboard_sso=f00").await.unwrap();
    let ran = world.ok("enable cool.dogs --yes").await;
    assert!(ran.stderr.contains("txt-still-published"), "{ran:?}");
    assert!(ran.stderr.contains("foreign-claim"), "{ran:?}");
    assert!(ran.stderr.contains("cloudflare_dashboard_sso=f00"), "{ran:?}");
}

#[tokio::test]
async fn a_domain_that_another_account_enforces_is_a_conflict() {
    let world = World::new().await;
    world.ok("setup both.cats --publish-txt").await;
    let error = world.fails("enable both.cats --yes", 7).await;
    assert_eq!(error["kind"], "conflict");
    assert_eq!(error["http_status"], 409);
    assert_eq!(error["api_errors"][0]["code"], 12507);
    assert!(!error["ray_id"].is_null());
    assert!(error["hint"].is_string(), "what to do: {error}");
    assert_eq!(world.connectors().await[0]["enabled"], false);
    // Enabling once more would fail once more.
    let status = world.ok("status -o json").await.json();
    let next = status["next"].to_string();
    assert!(next.contains("cfsso preflight both.cats") && !next.contains("enable"), "{next}");
}

#[tokio::test]
async fn what_is_so_already_is_not_sent_again_and_asks_nobody() {
    let world = World::new().await.enabled().await;
    let writes = world.writes().len();
    let ran = world.ok("enable cool.cats -o json").await;
    assert_eq!(ran.json()["enabled"], true);
    assert_eq!(world.writes().len(), writes);
    world.ok("disable cool.cats --yes").await;
    world.ok("disable cool.cats").await;
    assert_eq!(world.writes().len(), writes + 1);
}

#[tokio::test]
async fn an_enabled_connector_is_deleted_only_when_it_is_disabled_first() {
    let world = World::new().await.enabled().await;
    let writes = world.writes().len();
    let error = world.fails("connector delete cool.cats --yes", 11).await;
    assert!(error["hint"].as_str().unwrap().contains("--disable-first"), "{error}");
    assert_eq!(world.writes().len(), writes);
    let gone = world.ok("connector delete cool.cats --disable-first --yes -o json").await.json();
    assert_eq!(gone["deleted"], true);
    assert_eq!(gone["connector"]["email_domain"], "cool.cats");
    conforms(&world, "deleted", &gone).await;
    assert!(world.connectors().await.is_empty());
}

#[tokio::test]
async fn a_deletion_that_stops_after_disabling_is_half_done() {
    for fault in ["500x*@DELETE", "close-beforex*@DELETE", "429:retry-after=100@DELETE"] {
        let world = World::new().await.enabled().await;
        world.fault(fault);
        let ran = world.run("connector delete cool.cats --disable-first --yes -o json").await;
        assert_eq!((ran.code, ran.stdout.as_str()), (12, ""), "{fault}: {ran:?}");
        let error = ran.error();
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.contains("`cfsso connector delete cool.cats`"), "{error}");
        assert!(hint.contains("`cfsso connector enable cool.cats`"), "{error}");
        assert_eq!(world.connectors().await[0]["enabled"], false, "{fault}");
    }
}

#[tokio::test]
async fn a_deletion_whose_answer_is_lost_is_seen_to_be_done() {
    let world = World::new().await.verified().await;
    world.fault("close-after@DELETE");
    let gone = world.ok("connector delete cool.cats --yes -o json").await.json();
    assert_eq!(gone["deleted"], true);
    assert!(world.connectors().await.is_empty());
}

#[tokio::test]
async fn a_deletion_that_cannot_be_read_back_says_so() {
    let world = World::new().await.verified().await;
    // The list, the DELETE, and the reads that follow it.
    world.sandbox.inject(Fault { first: 3, times: 5, ..Fault::cut(1, FaultTiming::Before) });
    let error = world.fails("connector delete cool.cats --yes", 1).await;
    let message = error["message"].as_str().unwrap();
    assert!(message.contains("not confirmed: delete the connector of cool.cats"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("cfsso connector list"), "{error}");
}

#[tokio::test]
async fn a_connector_that_is_unknown_is_answered_with_those_there_are() {
    let world = World::new().await;
    let error = world.fails("connector get cool.cats", 6).await;
    assert!(error["hint"].as_str().unwrap().contains("cfsso setup cool.cats"), "{error}");
    for domain in ["ant.example", "bee.example"] {
        world.ok(&format!("create {domain}")).await;
    }
    let writes = world.writes();
    for name in ["cool.cats", "0123456789abcdef0123456789abcdef"] {
        for line in [
            "connector get {}",
            "connector update {} --fedramp",
            "connector verify {}",
            "connector verify {} --wait",
            "connector enable {} --yes",
            "connector disable {} --yes",
            "connector delete {} --yes",
            "connector wait {} --for txt",
            "dig cool.cats --connector {}",
        ] {
            let line = line.replace("{}", name);
            let ran = world.run(&format!("{line} -o json")).await;
            assert_eq!((ran.code, ran.stdout.as_str()), (6, ""), "{line}: {ran:?}");
            let error = ran.error();
            assert_eq!(error["kind"], "not-found", "{line}");
            let causes = error["causes"].to_string();
            assert!(causes.contains("ant.example, bee.example"), "{line}: {causes}");
        }
    }
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn the_default_connector_comes_from_the_environment() {
    let world = World::new().await.verified().await;
    let error = world.fails("connector delete", 2).await;
    assert!(error["hint"].as_str().unwrap().contains("CLOUDFLARE_SSO_CONNECTOR_ID"), "{error}");
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let world = world.with_env("CLOUDFLARE_SSO_CONNECTOR_ID", &id);
    assert_eq!(world.ok("connector get -o json").await.json()["email_domain"], "cool.cats");
}

#[tokio::test]
async fn every_result_conforms_to_its_schema() {
    let world = World::new().await;
    for (line, kind) in [
        ("create cool.cats --no-verification", "connector"),
        ("setup cool.cats --publish-txt --dry-run", "plan"),
        ("setup cool.cats --publish-txt", "setup"),
        ("dig cool.cats --connector cool.cats", "dig"),
        ("connector get cool.cats", "connector"),
        ("connector list", "connectors"),
        ("connector update cool.cats --fedramp", "connector"),
        ("connector update cool.cats --no-fedramp --dry-run", "plan"),
        ("verify cool.cats", "connector"),
        ("enable cool.cats --dry-run", "plan"),
        ("enable cool.cats --yes", "connector"),
        ("connector wait cool.cats --for enabled", "connector"),
        ("disable cool.cats --dry-run", "plan"),
        ("disable cool.cats --yes", "connector"),
        ("connector delete cool.cats --dry-run", "plan"),
        ("connector delete cool.cats --yes", "deleted"),
    ] {
        // A plan changes nothing: every format of it can be looked at.
        if kind == "plan" || line.starts_with("dig") || line.starts_with("connector get") {
            let yaml = world.ok(&format!("{line} -o yaml")).await.stdout;
            assert!(yaml.contains(": "), "{yaml}");
            world.ok(&format!("{line} -o name")).await;
        }
        let value = world.ok(&format!("{line} -o json")).await.json();
        conforms(&world, kind, &value).await;
    }
    let error = world.run("connector get cool.cats -o json").await;
    let error: Value = serde_json::from_str(&error.stderr).unwrap();
    conforms(&world, "error", &error).await;
}

#[tokio::test]
async fn a_connector_in_yaml_and_in_names_is_the_one_in_json() {
    let world = World::new().await.verified().await;
    assert_eq!(world.ok("connector get cool.cats -o name").await.stdout, "cool.cats\n");
    let json = world.ok("connector get cool.cats -o json").await.json();
    let yaml = world.ok("connector get cool.cats -o yaml").await.stdout;
    // Every scalar stands there, each key on a line of its own.
    let keys: BTreeSet<_> = yaml
        .lines()
        .filter(|line| !line.starts_with(' '))
        .filter_map(|line| line.split(':').next())
        .collect();
    let wanted: BTreeSet<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, wanted);
    assert!(yaml.contains(json["verification"]["code"].as_str().unwrap()), "{yaml}");
}

#[tokio::test]
async fn the_only_connector_needs_no_name_but_to_be_deleted() {
    let world = World::new().await.verified().await;
    let only = world.ok("connector get -o json").await.json();
    assert_eq!(only["email_domain"], "cool.cats");
    world.ok("enable --confirm cool.cats").await;
    assert_eq!(world.run("disable --confirm cool.dogs").await.code, 3);
    world.ok("disable --confirm cool.cats").await;
    let stop = world.fails("connector delete --yes", 2).await;
    assert_eq!(stop["message"], "no connector was specified");
    world.ok("create cool.dogs").await;
    let stop = world.fails("connector get", 2).await;
    assert!(stop["causes"][0].as_str().unwrap().contains("cool.dogs"), "{stop}");
    assert_eq!(World::new().await.run("connector get").await.code, 2);
}

#[tokio::test]
async fn some_fields_are_printed_in_the_formats_for_programs() {
    let world = World::new().await.verified().await;
    let list = world.ok("connector list -o json --fields email_domain,verification.status").await;
    assert_eq!(
        list.json(),
        serde_json::json!([{ "email_domain": "cool.cats", "verification.status": "verified" }])
    );
    let lines = world.ok("connector list -o ndjson --fields enabled").await.stdout;
    assert_eq!(lines, "{\"enabled\":false}\n");
    let implied = world.ok("connector list --fields domain").await;
    assert_eq!(implied.json(), serde_json::json!([{ "domain": null }]));
    assert!(implied.stderr.contains("no object has the field `domain`"), "{implied:?}");
    let error = world.run("connector list --fields id -o table").await;
    assert_eq!(error.code, 2);
    assert!(error.stderr.contains("needs `-o json`"), "{error:?}");
}
