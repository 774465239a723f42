//! Enforcement on trial: what keeps it, what reverts it, and what is left where
//! the process dies. The time is the sandbox's own.

use std::time::Duration;

use cfsso::sandbox::{Access, LogBehavior, LogRecords, SignInAttempt};
use serde_json::Value;

use crate::harness::World;
use crate::logins::person;

const TRIAL: &str = "enable cool.cats --confirm cool.cats --trial";

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

async fn is_enabled(world: &World) -> bool {
    world.connectors().await[0]["enabled"] == true
}

/// Comes back when a trial reads the logs.
async fn watched(world: &World) {
    let is_watched = || {
        let requests = world.requests();
        let patch = requests.iter().position(|request| request.starts_with("PATCH"));
        patch.is_some_and(|patch| requests[patch..].iter().any(|it| it.ends_with("/logs/audit")))
    };
    while !is_watched() {
        tokio::task::yield_now().await;
    }
}

/// The state of the connector, and the trials that are open, as `status` has them.
async fn rests(world: &World, enabled: bool) {
    assert_eq!(is_enabled(world).await, enabled);
    let status = world.ok("status -o json").await.json();
    assert_eq!(status["trials"].as_array().unwrap().len(), 0, "{status}");
}

#[tokio::test]
async fn a_sign_in_in_either_log_keeps_it() {
    for (records, source) in
        [(LogRecords::LoginLogOnly, "login_log"), (LogRecords::AuditLogOnly, "audit_log")]
    {
        let world = World::new().await.verified().await;
        world.sandbox.set_log_behavior(LogBehavior {
            records,
            login_delay: seconds(60),
            audit_delay: seconds(120),
        });
        world.sandbox.plan_sign_in(seconds(30), person("Ada@COOL.cats"));
        let report = world.ok(&format!("{TRIAL} -o json")).await.json();
        assert_eq!(
            (&report["ok"], &report["schema"]),
            (&Value::Bool(true), &"cfsso/trial/v1".into())
        );
        let trial = &report["trial"];
        assert_eq!(trial["outcome"], "kept");
        assert_eq!(trial["evidence"][0]["source"], source);
        assert_eq!(trial["evidence"][0]["email"], "Ada@COOL.cats");
        assert!(trial["evidence"][0]["ray_id"].is_string());
        assert_eq!(report["connector"]["enabled"], true);
        rests(&world, true).await;
    }
}

#[tokio::test]
async fn nobody_signs_in_and_it_is_reverted_at_the_deadline() {
    let world = World::new().await.verified().await;
    let before = world.clock.now();
    let ran = world.run(&format!("{TRIAL} 15m -o json")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert_eq!(ran.json()["trial"]["outcome"], "reverted");
    assert_eq!(ran.json()["connector"]["enabled"], false);
    assert_eq!(before.duration_until(world.clock.now()).as_mins(), 15);
    rests(&world, false).await;
    let journal = world.ok("journal list -o json").await.json();
    let entries = journal.as_array().unwrap();
    let enabling = entries.iter().find(|entry| entry["trial"]["until"].is_string()).unwrap();
    let reverting = entries.iter().find(|entry| entry["undoes"] == enabling["id"]).unwrap();
    assert_eq!(enabling["undone_by"], reverting["id"]);
    let keep = world.fails("connector keep cool.cats", 7).await;
    assert_eq!(keep["message"], "the trial of cool.cats is over: reverted");
    let cause = keep["causes"][0].as_str().unwrap();
    assert!(cause.contains(enabling["id"].as_str().unwrap()), "{keep:#}");
    assert!(cause.contains("ended at 20"), "{keep:#}");
    let hint = keep["hint"].as_str().unwrap();
    assert!(hint.contains("connector enable cool.cats --trial"), "{keep:#}");
}

#[tokio::test]
async fn a_trial_reads_the_audit_log_and_the_connector_once_more_before_its_request() {
    let world = World::new().await.verified().await;
    world.sandbox.plan_sign_in(seconds(2), person("ada@cool.cats"));
    let (_, requests) = world.requests_of(&format!("{TRIAL} -o json")).await;
    let patch = requests.iter().position(|request| request.starts_with("PATCH")).unwrap();
    let (before, after) = requests.split_at(patch);
    let world = World::new().await.verified().await;
    let (_, plain) = world.requests_of("enable cool.cats --yes -o json").await;
    let plain_patch = plain.iter().position(|request| request.starts_with("PATCH")).unwrap();
    let mut more: Vec<_> =
        before.iter().filter(|request| !plain[..plain_patch].contains(request)).collect();
    more.dedup();
    // The read-back, then rounds of three.
    let id = after[1].strip_prefix("GET /sso_connectors/").unwrap();
    // What another command enabled for good since the checks must not be disabled at the end.
    assert_eq!(more, ["GET /logs/audit", &format!("GET /sso_connectors/{id}")]);
    assert_eq!(after[0], format!("PATCH /sso_connectors/{id}"));
    for round in after[2..].chunks(3) {
        let mut round = round.to_vec();
        round.sort();
        let connector = format!("GET /sso_connectors/{id}");
        assert_eq!(round, ["GET /access/logs/access_requests", "GET /logs/audit", &connector]);
    }
}

#[tokio::test]
async fn a_person_at_the_terminal_keeps_or_reverts_it() {
    let world = World::new().await.verified().await.with_person("what\nkeep\n");
    let ran = world.ok(TRIAL).await;
    assert!(ran.screen.contains("expected `keep` or `revert`"), "{}", ran.screen);
    assert!(ran.screen.contains("SSO stays on for cool.cats: kept by hand"), "{}", ran.screen);
    rests(&world, true).await;
    let world = World::new().await.verified().await.with_person("revert\n");
    let ran = world.run(TRIAL).await;
    assert_eq!(ran.code, 8, "{}", ran.screen);
    assert!(ran.screen.contains("reverted by hand"), "{}", ran.screen);
    rests(&world, false).await;
}

#[tokio::test]
async fn another_terminal_keeps_it() {
    let world = World::new().await.verified().await;
    let keep = async {
        watched(&world).await;
        let shown = world.ok("status").await;
        assert!(shown.stdout.contains("SSO is on trial for cool.cats"), "{shown:?}");
        assert!(!shown.stderr.contains("interrupted"), "{shown:?}");
        let conflict = world.fails(TRIAL, 7).await;
        assert!(conflict.to_string().contains("another process runs the trial"), "{conflict}");
        world.ok("connector keep cool.cats").await
    };
    let line = format!("{TRIAL} 24h -o json");
    let (ran, kept) = tokio::join!(world.run(&line), keep);
    assert_eq!(ran.json()["trial"]["outcome"], "kept_elsewhere", "{ran:?}");
    assert!(kept.stderr.contains("SSO stays on for cool.cats"), "{kept:?}");
    rests(&world, true).await;
    let error = world.fails("connector keep cool.cats", 6).await;
    assert!(error.to_string().contains("the trial of cool.cats is over: kept"), "{error}");
}

#[tokio::test]
async fn another_machine_keeps_it() {
    // The own request is in the audit log as well, and is older.
    for pause in [1, 10] {
        let world = World::new().await.verified().await;
        let keep = async {
            watched(&world).await;
            world.clock.sleep(seconds(pause)).await;
            switch(&world, true).await;
        };
        let line = format!("{TRIAL} 24h -o json");
        let (ran, ()) = tokio::join!(world.run(&line), keep);
        let trial = &ran.json()["trial"];
        assert_eq!(trial["outcome"], "kept_by_other_client", "{ran:?}");
        assert_eq!(trial["detail"], "kept: another client enabled SSO again");
    }
    let world = World::new().await.enabled().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let folder = tempfile::tempdir().unwrap();
    let other = format!("{}", folder.path().join("journal").display());
    let world = world.with_env("CFSSO_JOURNAL", &other);
    for line in ["enable cool.cats --yes", "connector wait cool.cats --for enabled"] {
        let ran = world.ok(line).await;
        assert!(ran.stderr.contains("a trial on another machine would disable SSO"), "{ran:?}");
    }
    let kept = world.ok(&format!("connector keep cool.cats --trial-of {id}")).await;
    assert!(kept.stderr.contains("the trial has not confirmed it"), "{kept:?}");
    let ran = world.ok("enable cool.cats --yes").await;
    assert!(!ran.stderr.contains("on another machine"), "its own change: {ran:?}");
    let error = world.fails("connector keep cool.cats --trial-of 00ff", 7).await;
    assert!(error.to_string().contains("another ID"), "{error}");
}

#[tokio::test]
async fn another_change_of_the_connector_does_not_keep_it() {
    let world = World::new().await.verified().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let change = async {
        watched(&world).await;
        world.clock.sleep(seconds(10)).await;
        let request = format!("PATCH /accounts/{}/sso_connectors/{id}", world.sandbox.account());
        let fedramp = serde_json::json!({ "use_fedramp_language": true });
        crate::sandbox::client::ask(&world.sandbox, Access::Full, &request, Some(fedramp))
            .await
            .result();
    };
    let line = format!("{TRIAL} 5m -o json");
    let (ran, ()) = tokio::join!(world.run(&line), change);
    assert_eq!((ran.code, &ran.json()["trial"]["outcome"]), (8, &"reverted".into()), "{ran:?}");
    rests(&world, false).await;
}

#[tokio::test]
async fn what_proves_nothing_does_not_keep_it() {
    let world = World::new().await.enabled().await;
    // Before it began; and then to another domain, and to nothing.
    world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    world.ok("disable cool.cats --yes").await;
    world.clock.sleep(seconds(1)).await;
    world.sandbox.plan_sign_in(seconds(5), person("ada@both.cats"));
    let wrong = SignInAttempt { is_password_wrong: true, ..person("ada@cool.cats") };
    world.sandbox.plan_sign_in(seconds(6), wrong);
    let ran = world.run(&format!("{TRIAL} -o json")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert_eq!(ran.json()["trial"]["evidence"].as_array().unwrap().len(), 0);
    assert_eq!(ran.json()["trial"]["detail"], "reverted: no sign-in in the logs");
    rests(&world, false).await;
}

#[tokio::test]
async fn a_one_time_pin_counts_only_where_the_operator_says_so() {
    let pin = SignInAttempt { idp: Some("PIN".to_owned()), ..person("ada@cool.cats") };
    for (option, code) in [("", 8), (" --accept-otp", 0)] {
        let world = World::new().await.verified().await;
        world.ok("idp create onetimepin --name PIN --yes").await;
        world.sandbox.plan_sign_in(seconds(5), pin.clone());
        let ran = world.run(&format!("{TRIAL} 10m{option}")).await;
        assert_eq!(ran.code, code, "{option} {ran:?}");
        assert_eq!(ran.stderr.contains("--accept-otp counts it"), code == 8, "{ran:?}");
        let reason = "no sign-in that counts in the logs (1 that may have used a one-time PIN)";
        assert_eq!(ran.stderr.contains(reason), code == 8, "{ran:?}");
    }
}

#[tokio::test]
async fn a_denied_sign_in_is_shown_and_does_not_end_it() {
    let world = World::new().await.verified().await;
    let app = world.ok("app get -o json").await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{}/access/apps/{app}/policies", world.sandbox.account());
    let policies = world.ask(&format!("GET {path}")).await;
    let delete = format!("DELETE {path}/{}", policies[0]["id"].as_str().unwrap());
    crate::sandbox::client::ask(&world.sandbox, Access::Full, &delete, None).await.result();
    world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
    let line = format!("{TRIAL} 10m --accept-risk policy-allows-domain --redact-emails -o ndjson");
    let ran = world.run(&line).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let events: Vec<_> = lines.iter().filter_map(|line| line["event"].as_str()).collect();
    assert_eq!(events, ["trial_started", "denied", "reverting"]);
    assert_eq!(lines[1]["email"], "***@cool.cats");
    let report = lines.last().unwrap();
    assert_eq!(report["trial"]["denied"][0]["email"], "***@cool.cats");
    assert!(!ran.stdout.contains("ada@"), "{}", ran.stdout);
}

#[tokio::test]
async fn logs_that_fail_for_a_while_end_nothing() {
    for fault in ["500x30@GET", "502-htmlx30@GET", "429:retry-after=2x5@GET"] {
        let world = World::new().await.verified().await;
        world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
        let fail = async {
            watched(&world).await;
            world.fault(fault);
        };
        let line = format!("{TRIAL} 24h -o json --max-retries 1");
        let (ran, ()) = tokio::join!(world.run(&line), fail);
        assert_eq!(ran.code, 0, "{fault} {ran:?}");
        rests(&world, true).await;
    }
}

// Permission groups of the simulator.
const CONNECTORS: &str = "901ca5e292584c6aa1b4cdb39248bb07";
const APPS: &str = "7ea222f6d5064cfa89ea366d7c1fee89";
const IDPS: &str = "26bc23f853634eb4bff59983b9064fde";
const LOGS: &str = "c001ca7569000000000000000000a004";

/// A token with these permission groups.
async fn token(world: &World, groups: &[&str]) -> String {
    let groups: Vec<_> = groups.iter().map(|id| serde_json::json!({ "id": id })).collect();
    let account = world.sandbox.account();
    let body = serde_json::json!({
        "name": "trial",
        "policies": [{
            "effect": "allow",
            "permission_groups": groups,
            "resources": { (format!("com.cloudflare.api.account.{account}")): "*" },
        }],
    });
    let request = format!("POST /accounts/{account}/tokens");
    let made = crate::sandbox::client::ask(&world.sandbox, Access::Full, &request, Some(body));
    made.await.result()["value"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_missing_permission_for_one_log_is_told_and_for_both_refused() {
    let world = World::new().await.verified().await;
    let (one, none) = (
        token(&world, &[CONNECTORS, APPS, IDPS, LOGS]).await,
        token(&world, &[CONNECTORS, APPS, IDPS]).await,
    );
    let mut world = world.with_env("CLOUDFLARE_API_TOKEN", &one);
    world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
    let ran = world.ok(TRIAL).await;
    assert!(ran.stderr.contains("the audit log cannot be read"), "{ran:?}");
    assert!(ran.stderr.contains("Account Settings Read"), "{ran:?}");
    world.ok("disable cool.cats --yes").await;
    let writes = world.writes().len();
    world = world.with_env("CLOUDFLARE_API_TOKEN", &none);
    let error = world.fails(TRIAL, 5).await.to_string();
    assert!(error.contains("Access: Audit Logs Read"), "{error}");
    assert!(error.contains("Account Settings Read"), "{error}");
    assert_eq!(world.writes().len(), writes);
    let ran = world.run(&format!("{TRIAL} 10m --keep-on confirm")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.stderr.contains("trial reverted: not confirmed"), "{ran:?}");
    let world = world.with_person("keep\n");
    world.ok(TRIAL).await;
    assert!(is_enabled(&world).await);
}

#[tokio::test]
async fn with_keep_on_confirm_a_sign_in_alone_does_not_keep_it() {
    let world = World::new().await.verified().await;
    world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
    let ran = world.run(&format!("{TRIAL} 10m --keep-on confirm -o json")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(!ran.json()["trial"]["evidence"].as_array().unwrap().is_empty());
    let reason = "reverted: not confirmed (1 sign-in in the logs)";
    assert_eq!(ran.json()["trial"]["detail"], reason);
    let hint = ran.error()["hint"].as_str().unwrap().to_owned();
    assert!(hint.contains("connector keep cool.cats") && !hint.contains("diagnose"), "{hint}");
    let journal = world.ok("journal list -o json").await.stdout;
    assert!(journal.contains(&format!("trial of cool.cats {reason}")), "{journal}");
    let ran = world.run(&format!("{TRIAL} 10m --keep-on confirm")).await;
    assert!(ran.stdout.contains("Only `cfsso connector keep cool.cats` keeps SSO on"), "{ran:?}");
    assert!(!ran.stdout.contains("A sign-in in the logs keeps SSO on"), "{ran:?}");
}

#[tokio::test]
async fn a_sign_in_of_no_member_keeps_it_with_a_warning() {
    for (email, member) in [("stranger@cool.cats", false), ("tom@cool.cats", true)] {
        let world = World::new().await.verified().await;
        world.sandbox.plan_sign_in(seconds(5), person(email));
        let ran = world.ok(&format!("{TRIAL} 10m")).await;
        assert_eq!(ran.stderr.contains("not a member of this account"), !member, "{ran:?}");
        assert_eq!(ran.stdout.contains("who is not a member of this account"), !member, "{ran:?}");
    }
    // The dashboard does not accept a plus address.
    let world = World::new().await.verified().await;
    world.sandbox.plan_sign_in(seconds(5), person("tom+audit@cool.cats"));
    assert_eq!(world.run(&format!("{TRIAL} 10m")).await.code, 8);
}

#[tokio::test]
async fn a_log_that_could_not_be_read_is_not_called_empty() {
    let world = World::new().await.verified().await;
    let fail = async {
        watched(&world).await;
        world.fault("500x*@GET");
    };
    let line = format!("{TRIAL} 1m -o json --max-retries 0");
    let (ran, ()) = tokio::join!(world.run(&line), fail);
    assert_eq!(ran.code, 8, "{ran:?}");
    assert_eq!(ran.json()["trial"]["detail"], "reverted: neither log could be read");
}

#[tokio::test]
async fn of_two_commands_that_enable_sso_at_once_none_undoes_what_the_other_promised() {
    let trial = format!("{TRIAL} 9s");
    let plain = "enable cool.cats --yes";
    for lines in [[&*trial, &*trial], [&*trial, plain], [plain, &*trial]] {
        let world = World::new().await.verified().await;
        world.sandbox.plan_sign_in(seconds(2), person("ada@cool.cats"));
        let (one, other) = tokio::join!(world.run(lines[0]), world.run(lines[1]));
        let mut codes = [one.code, other.code];
        codes.sort_unstable();
        assert_eq!(codes, [0, 7], "{one:?} {other:?}");
        rests(&world, true).await;
        assert_eq!(world.writes().iter().filter(|it| it.starts_with("PATCH")).count(), 1);
    }
}

#[tokio::test]
async fn what_was_enabled_since_the_checks_is_not_put_on_trial() {
    let world = World::new().await.verified().await;
    let enable = async {
        while !world.requests().iter().any(|request| request.ends_with("/logs/audit")) {
            tokio::task::yield_now().await;
        }
        switch(&world, true).await;
    };
    let (error, ()) = tokio::join!(world.fails(TRIAL, 7), enable);
    assert_eq!(error["message"], "another client enabled SSO for cool.cats meanwhile");
    rests(&world, true).await;
}

#[tokio::test]
async fn a_change_by_somebody_else_is_left_alone() {
    for (change, outcome) in [("disable", "disabled_elsewhere"), ("delete", "connector_deleted")] {
        let world = World::new().await.verified().await;
        let path = {
            let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
            format!("/accounts/{}/sso_connectors/{id}", world.sandbox.account())
        };
        let other = async {
            watched(&world).await;
            let ask = async |request: String, body| {
                crate::sandbox::client::ask(&world.sandbox, Access::Full, &request, body)
                    .await
                    .result()
            };
            ask(format!("PATCH {path}"), Some(serde_json::json!({ "enabled": false }))).await;
            if change == "delete" {
                ask(format!("DELETE {path}"), None).await;
            }
        };
        let line = format!("{TRIAL} 24h -o json");
        let (ran, ()) = tokio::join!(world.run(&line), other);
        assert_eq!(ran.code, 7, "{ran:?}");
        let told = ran.json()["trial"]["outcome"].as_str().unwrap().to_owned();
        assert!(told == outcome || told == "disabled_elsewhere", "{told}");
        assert_eq!(world.ok("status -o json").await.json()["trials"].as_array().unwrap().len(), 0);
    }
}

#[tokio::test]
async fn a_revert_that_fails_is_tried_for_two_minutes() {
    for (times, code, enabled) in [("5", 8, false), ("*", 12, true)] {
        let world = World::new().await.verified().await;
        let fail = async {
            watched(&world).await;
            world.fault(&format!("500x{times}@PATCH"));
        };
        let line = format!("{TRIAL} 10m --max-retries 0 -o json");
        let (ran, ()) = tokio::join!(world.run(&line), fail);
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(is_enabled(&world).await, enabled);
        if enabled {
            assert!(
                ran.error()["hint"].as_str().unwrap().contains("cfsso bypass disable cool.cats")
            );
            assert_eq!(ran.json()["trial"]["outcome"], "not_reverted");
            let status = world.ok("status -o json").await.json();
            assert_eq!(status["trials"][0]["running"], false);
        }
    }
}

#[tokio::test]
async fn a_trial_goes_on_if_the_lost_request_was_applied_and_ends_with_sso_off_if_not() {
    for (fault, code) in [("close-after@PATCH", 0), ("close-before@PATCH", 9)] {
        let world = World::new().await.verified().await;
        world.fault(fault);
        world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
        let ran = world.run(&format!("{TRIAL} 10m --max-retries 0 -o json")).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert!(code == 0 || ran.stderr.contains("SSO is off again for cool.cats"), "{ran:?}");
        rests(&world, code == 0).await;
    }
}

#[tokio::test]
async fn two_trials_of_two_domains_run_at_once() {
    let world = World::new().await.verified().await;
    let code = world.ok("create dogs.test -o json").await.json()["verification"]["code"].clone();
    world.sandbox.publish("dogs.test", code.as_str().unwrap()).await.unwrap();
    world.ok("verify dogs.test --wait").await;
    world.sandbox.plan_sign_in(seconds(30), person("ada@cool.cats"));
    let other = TRIAL.replace("cool.cats", "dogs.test");
    let (first, second) = (format!("{TRIAL} 24h -o json"), format!("{other} 10m -o json"));
    let (first, second) = tokio::join!(world.run(&first), world.run(&second));
    assert_eq!((first.code, second.code), (0, 8), "{first:?} {second:?}");
}

#[tokio::test]
async fn a_dry_run_of_a_trial_sends_nothing() {
    let world = World::new().await.verified().await;
    let writes = world.writes().len();
    let ran = world.ok(&format!("{TRIAL} --dry-run")).await;
    assert!(ran.stdout.contains("enable SSO for cool.cats"), "{ran:?}");
    assert_eq!(world.writes().len(), writes);
}

#[tokio::test]
async fn a_dry_run_of_keep_keeps_nothing() {
    let world = World::new().await.verified().await;
    killed(&world, TRIAL, watched(&world)).await;
    world.ok("connector keep cool.cats --dry-run").await;
    warned(&world, true).await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let line = format!("connector keep cool.cats --trial-of {id} --dry-run -o json");
    assert_eq!(world.ok(&line).await.json()["changes"][0]["title"], "enable SSO for cool.cats");
    world.ok("connector keep cool.cats").await;
    warned(&world, false).await;
}

#[tokio::test]
async fn a_trial_lasts_at_most_a_day() {
    let world = World::new().await.verified().await;
    for (length, code) in [("24h", 0), ("25h", 2), ("0s", 2), ("cool.cats", 2)] {
        let ran = world.run(&format!("enable cool.cats --trial {length} --dry-run")).await;
        assert_eq!(ran.code, code, "{length} {ran:?}");
    }
}

/// Runs a trial and kills it, as by a signal that nobody can catch, once `when`
/// comes back.
async fn killed(world: &World, line: &str, when: impl Future<Output = ()>) {
    tokio::select! {
        biased;
        () = when => {}
        ran = world.run(line) => panic!("{line} ended: {ran:?}"),
    }
}

async fn warned(world: &World, is_warned: bool) {
    let told = world.ok("connector list").await.stderr;
    assert_eq!(told.contains("the trial of cool.cats was interrupted"), is_warned, "{told}");
    assert_eq!(told.contains("`cfsso bypass disable cool.cats`"), is_warned, "{told}");
}

#[tokio::test]
async fn a_killed_trial_is_warned_of_until_it_is_kept_or_ended() {
    for (line, enabled) in [
        ("connector keep cool.cats", true),
        ("bypass disable cool.cats --yes", false),
        ("disable cool.cats --yes", false),
    ] {
        let world = World::new().await.verified().await;
        killed(&world, TRIAL, watched(&world)).await;
        warned(&world, true).await;
        warned(&world, true).await;
        let status = world.ok("status").await;
        assert!(status.stdout.contains("trial-open"), "{status:?}");
        assert!(status.stdout.contains("cfsso connector keep cool.cats"), "{status:?}");
        let doctor = world.run("doctor -o json").await;
        assert_eq!(doctor.code, 10);
        let findings = doctor.json()["findings"].clone();
        let findings = findings.as_array().unwrap();
        let found = findings.iter().find(|one| one["id"] == "trial-open").unwrap();
        assert_eq!((&found["severity"], &found["state"]), (&"error".into(), &"failed".into()));
        world.ok(line).await;
        warned(&world, false).await;
        rests(&world, enabled).await;
    }
    let world = World::new().await.verified().await;
    killed(&world, TRIAL, watched(&world)).await;
    let world = world.with_person("no\n");
    let bypass = world.run("bypass").await;
    assert!(bypass.screen.contains("trial-open"), "{}", bypass.screen);
}

#[tokio::test]
async fn a_killed_trial_that_somebody_else_ended_is_put_to_rest() {
    for line in ["bypass disable cool.cats", "disable cool.cats", "connector keep cool.cats"] {
        let world = World::new().await.verified().await;
        killed(&world, TRIAL, watched(&world)).await;
        let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
        let request = format!("PATCH /accounts/{}/sso_connectors/{id}", world.sandbox.account());
        let off = Some(serde_json::json!({ "enabled": false }));
        crate::sandbox::client::ask(&world.sandbox, Access::Full, &request, off).await.result();
        warned(&world, true).await;
        let ran = world.run(&format!("{line} --yes")).await;
        assert_eq!(ran.code, if line.starts_with("connector") { 7 } else { 0 }, "{ran:?}");
        warned(&world, false).await;
    }
}

/// As another client of the account would.
async fn switch(world: &World, enabled: bool) {
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let request = format!("PATCH /accounts/{}/sso_connectors/{id}", world.sandbox.account());
    let body = Some(serde_json::json!({ "enabled": enabled }));
    crate::sandbox::client::ask(&world.sandbox, Access::Full, &request, body).await.result();
}

#[tokio::test]
async fn what_another_client_enabled_since_is_not_disabled_by_an_interrupted_trial() {
    let world = World::new().await.verified().await;
    killed(&world, TRIAL, watched(&world)).await;
    world.clock.sleep(seconds(20)).await;
    switch(&world, false).await;
    switch(&world, true).await;
    for pause in [0, 900] {
        world.clock.sleep(seconds(pause)).await;
        let error = world.fails(TRIAL, 7).await;
        assert!(error["hint"].as_str().unwrap().contains("connector keep"), "{error}");
        assert!(is_enabled(&world).await);
    }
    world.ok("connector keep cool.cats").await;
    rests(&world, true).await;
}

#[tokio::test]
async fn the_logs_are_read_once_more_before_a_trial_is_reverted() {
    // Interrupted, and its time has run out; and shorter than the time between two reads.
    let world = World::new().await.verified().await;
    world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
    killed(&world, TRIAL, watched(&world)).await;
    world.clock.sleep(seconds(900)).await;
    let report = world.ok(&format!("{TRIAL} -o json")).await.json();
    assert_eq!(report["trial"]["outcome"], "kept", "{report:#}");
    let world = World::new().await.verified().await;
    world.sandbox.plan_sign_in(seconds(1), person("ada@cool.cats"));
    let report = world.ok(&format!("{TRIAL} 2s -o json")).await.json();
    assert_eq!(report["trial"]["outcome"], "kept", "{report:#}");
}

#[tokio::test]
async fn sso_on_trial_is_not_taken_for_enabled() {
    let world = World::new().await.verified().await;
    let others = async {
        watched(&world).await;
        for line in [
            "enable cool.cats --confirm cool.cats",
            "setup cool.cats --enable --yes",
            "connector wait cool.cats --for enabled",
        ] {
            let error = world.fails(line, 7).await;
            assert!(error["message"].as_str().unwrap().contains("on trial until"), "{error}");
        }
        world.ok("connector keep cool.cats").await;
        world.ok("enable cool.cats --yes").await;
    };
    let line = format!("{TRIAL} 24h -o json");
    let (ran, ()) = tokio::join!(world.run(&line), others);
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[tokio::test]
async fn a_resumed_trial_has_its_own_terms() {
    let world = World::new().await.verified().await;
    killed(&world, &format!("{TRIAL} --keep-on confirm"), watched(&world)).await;
    world.sandbox.plan_sign_in(seconds(1), person("ada@cool.cats"));
    let ran = world.run(&format!("{TRIAL} -o json")).await;
    assert_eq!((ran.code, &ran.json()["trial"]["outcome"]), (8, &"reverted".into()), "{ran:?}");
}

#[tokio::test]
async fn a_trial_whose_connector_was_replaced_is_over() {
    for line in ["connector keep cool.cats", "status", "bypass disable cool.cats --yes"] {
        let world = World::new().await.verified().await;
        killed(&world, TRIAL, watched(&world)).await;
        switch(&world, false).await;
        let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
        let path = format!("/accounts/{}/sso_connectors/{id}", world.sandbox.account());
        world.ask(&format!("DELETE {path}")).await;
        world.ok("setup cool.cats --publish-txt --yes").await;
        warned(&world, true).await;
        world.ok(line).await;
        warned(&world, false).await;
    }
}

#[tokio::test]
async fn a_timeout_that_ends_before_the_trial_is_refused() {
    let world = World::new().await.verified().await;
    let writes = world.writes().len();
    for line in [TRIAL, "setup cool.cats --enable --yes --trial"] {
        world.fails(&format!("{line} --timeout 3s"), 2).await;
    }
    assert_eq!(world.writes().len(), writes);
}

#[tokio::test]
async fn a_trial_that_was_bypassed_is_not_enabled_without_another() {
    let world = World::new().await.verified().await;
    killed(&world, TRIAL, watched(&world)).await;
    let report = world.ok("bypass disable cool.cats --yes -o json").await.json();
    let undo = report["undo_command"].to_string();
    assert!(undo.contains("connector enable cool.cats --trial"), "{report:#}");
    let error = world.fails("bypass undo --yes", 11).await;
    assert!(error["hint"].as_str().unwrap().contains("--trial"), "{error}");
    assert!(!is_enabled(&world).await);
    world.ok("bypass undo --yes --force").await;
    assert!(is_enabled(&world).await);
    // What was kept before the bypass is enabled as it was.
    let world = World::new().await.verified().await;
    killed(&world, TRIAL, watched(&world)).await;
    world.ok("connector keep cool.cats").await;
    world.ok("bypass disable cool.cats --yes").await;
    world.ok("bypass undo --yes").await;
    assert!(is_enabled(&world).await);
}

#[tokio::test]
async fn a_killed_trial_is_resumed_with_the_time_that_is_left_or_reverted() {
    // In the middle; when its time has run out; and one that is longer than the default.
    for (length, pause, sign_in, code, outcome) in [
        (10, 60, true, 0, "kept"),
        (10, 60, false, 8, "reverted"),
        (10, 601, true, 8, "reverted"),
        (60, 60, false, 8, "reverted"),
    ] {
        let world = World::new().await.verified().await;
        let began = world.clock.now();
        killed(&world, &format!("{TRIAL} {length}m"), watched(&world)).await;
        world.clock.sleep(seconds(pause)).await;
        if sign_in {
            world.sandbox.plan_sign_in(seconds(5), person("ada@cool.cats"));
        }
        let ran = world.run(&format!("{TRIAL} -o ndjson")).await;
        assert_eq!(ran.code, code, "{ran:?}");
        let lines: Vec<Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["resumed"] == true, pause < 600, "{lines:?}");
        assert_eq!(lines[0]["event"] == "time_is_over", pause > 600, "{lines:?}");
        assert_eq!(lines.last().unwrap()["trial"]["outcome"], outcome);
        if code == 8 && pause == 60 {
            assert_eq!(began.duration_until(world.clock.now()).as_mins(), length);
        }
        warned(&world, false).await;
        rests(&world, code == 0).await;
    }
}

#[tokio::test]
async fn a_trial_killed_at_any_request_ends_well_when_it_is_run_again() {
    let world = World::new().await.verified().await;
    let scene = world.scene();
    let mut ended = false;
    for number in 1.. {
        let world = scene.world().await;
        world.sandbox.plan_sign_in(seconds(1200), person("ada@cool.cats"));
        let count = async {
            while world.requests().len() < number {
                tokio::task::yield_now().await;
            }
        };
        let line = format!("{TRIAL} 9s");
        tokio::select! {
            biased;
            () = count => {}
            ran = world.run(&line) => ended = ran.code == 8,
        }
        let ran = world.run(&format!("{TRIAL} 9s -o json")).await;
        assert_eq!(ran.code, 8, "{number} {ran:?}");
        assert!(!is_enabled(&world).await, "{number} {ran:?}");
        warned(&world, false).await;
        if ended {
            break;
        }
    }
    assert!(ended);
}

#[tokio::test]
async fn a_set_up_may_end_in_a_trial() {
    World::new().await.fails("setup cool.cats --trial --yes", 2).await;
    for (signs_in, code) in [(true, 0), (false, 8)] {
        let world = World::new().await;
        if signs_in {
            world.sandbox.plan_sign_in(seconds(120), person("ada@cool.cats"));
        }
        let line = "setup cool.cats --publish-txt --enable --trial --yes -o json";
        let ran = world.run(line).await;
        assert_eq!(ran.code, code, "{ran:?}");
        let report = ran.json();
        assert_eq!(report["trial"]["outcome"], if signs_in { "kept" } else { "reverted" });
        assert_eq!(report["ok"], signs_in);
        assert_eq!(report["result"]["enabled"], signs_in);
        rests(&world, signs_in).await;
    }
}

#[tokio::test]
async fn a_test_by_hand_is_remembered_and_shown_as_no_proof() {
    let world = World::new().await.verified().await;
    let idp = "c001ca75-1d90-4000-8000-000000000001";
    let url = format!("https://cool-cats.cloudflareaccess.com/cdn-cgi/access/test-idp/{idp}");
    let report = world.ok("idp test oidc -o json").await.json();
    assert_eq!((&report["url"], &report["succeeded"]), (&url.clone().into(), &Value::Null));
    assert_eq!(world.ok("idp test oidc --yes").await.stdout, format!("{url}\n"));
    let detail = async |world: &World| {
        let report = world.ok("preflight cool.cats -o json").await.json();
        let checks = report["checks"].as_array().unwrap().clone();
        let check = checks.into_iter().find(|check| check["id"] == "login-seen").unwrap();
        assert_eq!(check["state"], "failed");
        check["detail"].as_str().unwrap().to_owned()
    };
    assert!(!detail(&world).await.contains("by hand"));
    let world = world.with_person("maybe\nno\n");
    assert_eq!(world.run("idp test oidc").await.code, 10);
    assert!(detail(&world).await.contains("test by hand failed on 2026-03-01"));
    let world = world.with_person("yes\n");
    let shown = world.ok("idp test oidc").await;
    assert!(shown.screen.contains(&url), "{}", shown.screen);
    assert!(detail(&world).await.contains("tested by hand on 2026-03-01"));
    let status = world.ok("status -o json").await.json().to_string();
    assert!(status.contains("Company SSO (oidc), tested by hand on 2026-03-01"), "{status}");
    world.ok("enable cool.cats --yes").await;
    world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    let status = world.ok("status -o json").await.json().to_string();
    assert!(status.contains("Company SSO (oidc), last sign-in on 2026-03-01"), "{status}");
    let preflight = world.ok("preflight cool.cats -o json").await.json().to_string();
    assert!(preflight.contains("last sign-in through Company SSO on 2026-03-01"), "{preflight}");
    // The log of the free plan ends after a day: what users last did is asked for.
    world.clock.sleep(Duration::from_hours(48)).await;
    let (ran, requests) = world.requests_of("preflight cool.cats -o json").await;
    assert!(ran.stdout.contains("last sign-in through Company SSO on 2026-03-01"), "{ran:?}");
    assert!(requests.iter().any(|request| request.ends_with("/last_seen_identity")));
    world.clock.sleep(Duration::from_hours(24 * 40)).await;
    assert!(detail(&world).await.contains("through Company SSO (last on 2026-03-01)"));
    let within = world.ok("preflight cool.cats --login-within 90d -o json").await;
    assert!(within.stdout.contains("last sign-in through Company SSO"), "{within:?}");
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_make_a_trial_longer() {
    let world = World::new().await.verified().await;
    let began = world.clock.now();
    let set_back = async {
        watched(&world).await;
        world.clock.set(began.saturating_sub(Duration::from_hours(1)).unwrap());
    };
    let (ran, ()) = tokio::join!(world.run(TRIAL), set_back);
    assert_eq!(ran.code, 8, "{ran:?}");
    // An hour back, and the ten minutes that were waited since.
    let late = world.clock.now().duration_until(began).as_mins();
    assert!((49..=50).contains(&late), "{late}");
    assert!(!is_enabled(&world).await);
}
