//! Scenes of failure: the exit code, what is said, and that nothing is lost.

use cfsso::sandbox::{Access, Fault, FaultTiming};
use serde_json::Value;

use crate::harness::World;

/// The keys of an error, as documented.
const KEYS: [&str; 11] = [
    "kind",
    "message",
    "causes",
    "http_status",
    "api_errors",
    "ray_id",
    "request",
    "retryable",
    "hint",
    "required_permission",
    "exit_code",
];

/// A command of each kind, in a world with a verified `cool.cats`.
const COMMANDS: [&str; 10] = [
    "connector list",
    "connector get cool.cats",
    "create cool.dogs",
    "connector update cool.cats --fedramp",
    "verify cool.cats",
    "enable cool.cats --yes",
    "disable cool.cats --yes",
    "connector wait cool.cats --for enabled",
    "connector delete cool.cats --yes",
    "setup cool.cats --publish-txt --enable --yes",
];

fn is_whole(error: &Value, code: u8) {
    let keys: Vec<_> = error.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, KEYS, "{error}");
    assert_eq!(error["exit_code"], code, "{error}");
}

#[tokio::test]
async fn every_error_has_the_documented_keys_and_leaves_no_result() {
    let world = World::new().await.verified().await;
    for (line, code) in [
        ("connector get cool.dogs", 6),
        ("create cool.cats", 7),
        ("create gmail.com", 11),
        ("enable cool.cats", 3),
        ("connector delete", 2),
        ("connector frobnicate", 2),
        ("create", 2),
        ("connector list --account me", 2),
        ("schema nonsense", 2),
        ("connector wait cool.cats --for enabled --timeout 1s", 8),
    ] {
        for format in ["json", "ndjson", "yaml"] {
            let ran = world.run(&format!("{line} -o {format}")).await;
            let is_event = |line: &str| format == "ndjson" && line.starts_with(r#"{"event":"#);
            let has_result = ran.stdout.lines().any(|line| !is_event(line));
            assert_eq!((ran.code, has_result), (code, false), "{line}: {ran:?}");
            is_whole(&ran.error(), code);
        }
        let text = world.run(&format!("{line} -q")).await;
        assert_eq!((text.code, text.stdout.as_str()), (code, ""), "{line}: {text:?}");
        assert!(text.stderr.lines().any(|line| line.starts_with("error: ")), "{line}: {text:?}");
        assert!(text.stderr.lines().count() < 24, "one screen: {text:?}");
    }
}

#[tokio::test]
async fn a_token_that_may_only_read_is_told_which_permission_it_lacks() {
    let world = World::new().await.verified().await.with_token(Access::ReadOnly);
    for (line, permission) in [
        ("create cool.dogs", "SSO Connector Write"),
        ("connector update cool.cats --fedramp", "SSO Connector Write"),
        ("enable cool.cats --yes", "SSO Connector Write"),
        ("connector delete cool.cats --yes", "SSO Connector Write"),
    ] {
        let error = world.fails(line, 5).await;
        is_whole(&error, 5);
        assert_eq!(error["required_permission"], permission, "{line}");
        assert_eq!((&error["kind"], &error["http_status"]), (&"forbidden".into(), &403.into()));
        assert_eq!(error["api_errors"][0]["code"], 10000, "{line}");
        assert!(error["ray_id"].is_string() && error["request"].is_string(), "{error}");
        assert_eq!(error["retryable"], false);
        let text = world.run(line).await.stderr;
        assert!(text.contains(permission) && text.contains("10000"), "{text}");
    }
    world.ok("connector list").await;
    world.ok("connector get cool.cats").await;
}

#[tokio::test]
async fn a_token_that_may_not_write_dns_is_told_so() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let world = world.with_token(Access::ReadOnly);
    let ran = world.run("setup cool.cats --publish-txt -o json").await;
    assert_eq!(ran.code, 5, "{ran:?}");
    assert_eq!(ran.error()["required_permission"], "DNS Write");
    assert_eq!(ran.json()["ok"], false);
}

#[tokio::test]
async fn a_token_that_is_not_accepted_is_exit_4() {
    let world = World::new().await.verified().await.with_token(Access::Expired);
    let garbage = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "not-a-token");
    let unknown = World::new().await.with_env("CLOUDFLARE_API_TOKEN", &"x".repeat(40));
    let quoted = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "\"cfut_quoted\"");
    for world in [world, garbage, unknown, quoted] {
        for line in COMMANDS {
            let ran = world.run(&format!("{line} -o json")).await;
            assert_eq!(ran.code, 4, "{line}: {ran:?}");
            let error = ran.error();
            assert_eq!(error["kind"], "unauthenticated", "{line}");
            assert!(error["hint"].is_string(), "{line}");
        }
    }
}

#[tokio::test]
async fn without_a_token_it_is_said_where_it_was_looked_for() {
    let world = World::new()
        .await
        .with_env("CLOUDFLARE_API_TOKEN", "")
        .with_env("CFSSO_CONFIG", "/nowhere/cfsso.toml");
    for line in COMMANDS {
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!(ran.code, 4, "{line}: {ran:?}");
        let causes = ran.error()["causes"].to_string();
        for place in [
            "CLOUDFLARE_API_TOKEN",
            "CLOUDFLARE_API_TOKEN_FILE",
            "CLOUDFLARE_API_KEY",
            "--token-file",
            "/nowhere/cfsso.toml",
        ] {
            assert!(causes.contains(place), "{place}: {causes}");
        }
    }
    assert!(world.requests().is_empty());
    // What needs no token runs without one.
    world.run("dig cool.cats").await;
    world.ok("help exit-codes").await;
}

#[tokio::test]
async fn an_account_that_is_none_is_refused_before_any_request() {
    let world = World::new().await;
    for account in ["c001ca7500000000000000000001", "c001ca7500000000000000000000000g"] {
        for line in COMMANDS {
            let error = world.fails(&format!("{line} --account {account}"), 2).await;
            assert!(
                error["message"].as_str().unwrap().contains("not a valid account ID"),
                "{error}"
            );
            assert!(error["message"].as_str().unwrap().contains("--account"), "{error}");
        }
    }
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn an_account_of_somebody_else_is_not_the_tokens_fault() {
    let world = World::new().await;
    let other = "0123456789abcdef0123456789abcdef";
    let error = world.fails(&format!("connector list --account {other}"), 5).await;
    assert!(error["hint"].as_str().unwrap().contains("--account"), "{error}");
    let world = world.with_token(Access::ConnectorOnly);
    let second = world.sandbox.accounts()[1].to_string();
    let error = world.fails(&format!("connector list --account {second}"), 5).await;
    assert!(error["message"].as_str().unwrap().contains(&second), "{error}");
}

#[tokio::test]
async fn an_account_that_cannot_be_chosen_has_to_be_named() {
    let world = World::new().await.with_env("CLOUDFLARE_ACCOUNT_ID", "");
    let error = world.fails("connector list", 2).await;
    let causes = error["causes"].to_string();
    assert!(causes.contains("Cool Cats") && causes.contains("Other Cats"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--account"), "{error}");
    let world = world.with_token(Access::ConnectorOnly);
    let error = world.fails("connector list", 2).await;
    assert!(error["hint"].as_str().unwrap().contains("--account"), "{error}");
}

#[tokio::test]
async fn a_failing_api_is_asked_again_and_then_given_up() {
    for (fault, status) in [
        ("500x*", Some(500)),
        ("502-htmlx*", Some(502)),
        ("429x*", Some(429)),
        ("close-beforex*", None),
    ] {
        for line in COMMANDS {
            let world = World::new().await;
            // Made while the API is well.
            world.ok("setup cool.cats --publish-txt").await;
            world.fault(fault);
            let (ran, requests) = world.requests_of(&format!("{line} --timeout 10m -o json")).await;
            if line.contains(" wait ") && ran.code == 8 {
                continue;
            }
            assert_eq!(ran.code, 9, "{fault} {line}: {ran:?}");
            let error = ran.error();
            // Others may have been under way at the same time.
            let failed = error["request"].as_str().unwrap();
            let (verb, path) = failed.split_once(' ').unwrap();
            let is_it = |request: &&String| {
                let (other, below) = request.split_once(' ').unwrap();
                other == verb && path.ends_with(below)
            };
            assert_eq!(requests.iter().filter(is_it).count(), 5, "{fault} {line}: {requests:?}");
            is_whole(&error, 9);
            assert_eq!(error["retryable"], true, "{fault} {line}");
            assert_eq!(error["http_status"], serde_json::json!(status), "{fault} {line}");
            assert!(error["message"].as_str().unwrap().contains("after 5 attempts"), "{error}");
            assert!(!ran.stderr.contains("<html>"), "{ran:?}");
        }
    }
}

#[tokio::test]
async fn a_write_that_fails_for_good_is_exit_9_and_says_what_may_have_happened() {
    for line in COMMANDS {
        let world = World::new().await;
        world.ok("setup cool.cats --publish-txt").await;
        if line.starts_with("disable") {
            world.ok("enable cool.cats --yes").await;
        }
        let before = world.connectors().await;
        for method in ["POST", "PATCH", "DELETE"] {
            world.fault(&format!("500x*@{method}"));
        }
        let ran = world.run(&format!("{line} -o json")).await;
        if ran.code != 9 {
            // Nothing was to be written.
            assert!(matches!(ran.code, 0 | 8), "{line}: {ran:?}");
            continue;
        }
        let error = ran.error();
        assert!(error["hint"].as_str().unwrap().contains("may have been applied"), "{error}");
        assert_eq!(world.connectors().await, before, "{line}");
    }
}

#[tokio::test]
async fn a_wait_asked_for_by_the_api_is_waited() {
    let world = World::new().await.verified().await;
    world.fault("429:retry-after=40");
    let before = world.clock.now();
    world.ok("connector list").await;
    assert!(world.clock.now().duration_since(before).as_secs() >= 40);
    // One that does not fit into the time of the command is not begun.
    world.fault("429:retry-after=40");
    let before = world.clock.now();
    let error = world.fails("connector list --timeout 30s", 9).await;
    assert_eq!(error["kind"], "rate-limited");
    assert!(world.clock.now().duration_since(before).as_secs() < 30);
}

#[tokio::test]
async fn a_creation_whose_answer_is_lost_is_found_and_not_repeated() {
    for fault in ["close-after@POST", "500:applied@POST", "502-html:applied@POST", "truncate@POST"]
    {
        for retries in [0, 4] {
            let world = World::new().await;
            world.fault(fault);
            let line = format!("create cool.cats --max-retries {retries} -o json");
            let made = world.ok(&line).await.json();
            let connectors = world.connectors().await;
            assert_eq!(connectors.len(), 1, "{fault}");
            assert_eq!(connectors[0]["id"], made["id"], "{fault}");
            assert_eq!(world.writes().len(), 1, "{fault}");
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_is_seen_to_be_made() {
    for fault in ["close-after@PATCH", "500:applied@PATCH", "close-before@PATCH", "502-html@PATCH"]
    {
        let world = World::new().await.verified().await;
        world.fault(fault);
        let ran = world.ok("enable cool.cats --yes -o json").await;
        assert_eq!(ran.json()["enabled"], true, "{fault}");
        world.fault(fault);
        let ran = world.ok("disable cool.cats --yes -o json").await;
        assert_eq!(ran.json()["enabled"], false, "{fault}");
        world.fault(fault);
        world.ok("connector update cool.cats --fedramp").await;
    }
}

#[tokio::test]
async fn a_beginning_whose_answer_is_lost_is_seen_to_have_begun() {
    for fault in ["close-after", "500:applied", "close-before", "500", "502-html"] {
        let world = World::new().await;
        let made = world.ok("create cool.dogs --no-verification -o json").await.json();
        let code = made["verification"]["code"].as_str().unwrap();
        world.sandbox.publish("cool.dogs", code).await.unwrap();
        world.fault(&format!("{fault}@POST"));
        let verified = world.ok("verify cool.dogs --wait -o json").await.json();
        assert_eq!(verified["verification"]["status"], "verified", "{fault}");
    }
}

#[tokio::test]
async fn an_answer_that_ends_in_the_middle_is_no_result() {
    let world = World::new().await.verified().await;
    for line in ["connector list", "connector get cool.cats"] {
        world.fault("truncatex5");
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!(ran.stdout, "", "{line}: {ran:?}");
        assert_eq!(ran.code, 9, "{line}: {ran:?}");
        is_whole(&ran.error(), ran.code);
    }
}

#[tokio::test]
async fn an_api_that_cannot_be_reached_is_exit_9() {
    let world = World::new().await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}/client/v4", listener.local_addr().unwrap());
    drop(listener);
    let world = world.with_env("CLOUDFLARE_BASE_URL", &nobody);
    let error = world.fails("connector list", 9).await;
    is_whole(&error, 9);
    assert!(error["causes"].to_string().contains("cannot be reached"), "{error}");
    for (url, word) in [
        ("http://api.cloudflare.com/client/v4", "unencrypted"),
        ("https://user:secret@api.cloudflare.com", "user name"),
        ("cats", "invalid"),
    ] {
        let world = World::new().await.with_env("CLOUDFLARE_BASE_URL", url);
        let error = world.fails("connector list", 2).await;
        assert!(error.to_string().contains(word), "{error}");
        assert!(error["message"].as_str().unwrap().contains("CLOUDFLARE_BASE_URL"), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_command_that_runs_out_of_time_says_so() {
    let world = World::new().await.verified().await;
    world.fault("500x*");
    let ran = world.run("connector list --timeout 2s --max-retries 100 -o json").await;
    assert_eq!(ran.code, 9, "{ran:?}");
}

#[tokio::test]
async fn no_output_ever_holds_a_token() {
    let world = World::new().await;
    let token = world.sandbox.token(Access::Full).to_owned();
    let (_, key) = world.sandbox.global_key();
    world.run("setup cool.cats --publish-txt").await;
    let verified = world.scene();
    for line in COMMANDS.iter().chain(&["dig cool.cats", "connector get nowhere.cats"]) {
        for flags in ["", "--debug", "-v", "--debug -o json", "--debug --dry-run"] {
            let world = verified.world().await;
            let ran = world.run(&format!("{line} --timeout 5m {flags}")).await;
            for text in [&ran.stdout, &ran.stderr] {
                assert!(!text.contains(&token), "{line} {flags}: {ran:?}");
                assert!(!text.contains("c0ffee01"), "{line} {flags}: {ran:?}");
            }
        }
        let ran = world.run(&format!("{line} --timeout 5m --debug")).await;
        assert!(line.starts_with("dig") || ran.stderr.contains("GET "), "it traces: {ran:?}");
    }
    // A token that is refused, malformed or in the wrong place.
    let planted = "cfut_planted0000000000000000000000000000secret";
    for world in [
        World::new().await.with_env("CLOUDFLARE_API_TOKEN", planted),
        World::new().await.with_env("CLOUDFLARE_API_TOKEN", &format!("'{planted}'")),
        World::new()
            .await
            .with_env("CLOUDFLARE_API_TOKEN_FILE", "/dev/null")
            .with_env("CLOUDFLARE_API_TOKEN", ""),
        World::new().await.with_env("CLOUDFLARE_ACCOUNT_ID", planted),
        World::new().await.with_env("CFSSO_OUTPUT", planted),
        World::new().await.with_env("CFSSO_DNS_SERVERS", planted),
    ] {
        for line in COMMANDS {
            for flags in ["--debug", "-o json --debug"] {
                let ran = world.run(&format!("{line} {flags}")).await;
                assert!(!ran.stderr.contains("planted"), "{line}: {ran:?}");
                assert!(!ran.stdout.contains("planted"), "{line}: {ran:?}");
            }
        }
    }
    let world = World::new().await;
    for line in [
        "connector get {}",
        "create {}",
        "connector list --account {}",
        "{}",
        "connector {} -o json",
    ] {
        let ran = world.run(&line.replace("{}", planted)).await;
        assert_ne!(ran.code, 0, "{line}");
        assert!(!ran.stderr.contains("planted"), "{line}: {ran:?}");
    }
    let world = World::new()
        .await
        .with_env("CLOUDFLARE_API_TOKEN", "")
        .with_env("CLOUDFLARE_EMAIL", "admin@cool.cats")
        .with_env("CLOUDFLARE_API_KEY", key);
    let ran = world.ok("connector list --debug").await;
    assert!(!ran.stderr.contains(key), "{ran:?}");
}

#[tokio::test]
async fn a_failure_in_the_middle_of_a_list_of_zones_does_not_lose_the_connector() {
    let world = World::new().await;
    world.fault("500x*@GET/zones");
    let ran = world.run("setup cool.cats --publish-txt -o json").await;
    assert_eq!(ran.code, 9, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["ok"], false);
    assert_eq!(report["next"], "cfsso setup cool.cats --publish-txt");
    assert_eq!(world.connectors().await.len(), 1);
    assert_eq!(report["steps"][0]["id"], "create");
    assert_eq!(report["steps"][0]["state"], "done");
}

#[tokio::test]
async fn a_verified_domain_that_cannot_be_enabled_reads_back_as_it_is() {
    let world = World::new().await.verified().await;
    // The PATCH is carried out, and every read after it fails.
    let whole = World::new().await.verified().await;
    let (_, requests) = whole.requests_of("enable cool.cats --yes").await;
    let patch = requests.iter().position(|request| request.starts_with("PATCH")).unwrap();
    let first = u32::try_from(patch).unwrap() + 2;
    world.sandbox.inject(Fault { first, times: 9, ..Fault::cut(1, FaultTiming::Before) });
    let ran = world.run("enable cool.cats --yes -o json").await;
    assert_eq!((ran.code, ran.stdout.as_str()), (9, ""), "{ran:?}");
    assert_eq!(ran.error()["retryable"], true);
}
