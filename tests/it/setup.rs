//! Scenes of `cfsso setup`.

use cfsso::sandbox::{Access, Fault, FaultTiming};
use serde_json::{Value, json};

use crate::harness::{Ran, World};
use crate::sandbox::client::ask;

const ALL: &str = "setup cool.cats --publish-txt --enable --yes";

/// The states of the steps, by name.
fn states(report: &Value) -> Vec<(String, String)> {
    let steps = report["steps"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    steps.map(|step| (text(&step["id"]), text(&step["state"]))).collect()
}

fn state_of(report: &Value, id: &str) -> Option<String> {
    states(report).into_iter().find(|(step, _)| step == id).map(|(_, state)| state)
}

/// The lines of `ndjson`, each of which has to parse.
fn lines(ran: &Ran) -> Vec<Value> {
    ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Enforced, with one connector and its one record.
async fn is_set_up(world: &World, after: &str) {
    let connectors = world.connectors().await;
    assert_eq!(connectors.len(), 1, "{after}: {connectors:?}");
    assert_eq!(connectors[0]["enabled"], true, "{after}");
    let codes = world.codes("cool.cats").await;
    assert_eq!(codes, [connectors[0]["verification"]["code"].as_str().unwrap()], "{after}");
}

#[tokio::test]
async fn a_domain_goes_all_the_way_and_a_second_run_finds_it_done() {
    let world = World::new().await;
    let ran = world.ok(&format!("{ALL} -o json")).await;
    let report = ran.json();
    assert_eq!(report["schema"], "cfsso/setup/v1");
    assert_eq!(report["ok"], true);
    assert_eq!(report["result"]["enabled"], true);
    let states: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| step["state"].clone()).collect();
    assert_eq!(states, vec![json!("done"); 6]);
    is_set_up(&world, "a first run").await;
    let writes = world.writes();

    let (again, requests) = world.requests_of(&format!("{ALL} -o json")).await;
    let again = again.json();
    let steps = again["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["state"] == "skipped"), "{steps:#?}");
    assert_eq!(requests, ["GET /sso_connectors"], "a second run reads once");
    assert_eq!(world.writes(), writes, "a second run writes nothing");
    let text = world.ok(ALL).await.stdout;
    assert!(text.contains("Nothing to do"), "{text}");
}

#[tokio::test]
async fn a_run_takes_few_requests() {
    let world = World::new().await;
    let (_, requests) = world.requests_of(ALL).await;
    let writes: Vec<_> =
        world.writes().iter().map(|write| write.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(writes, ["POST", "POST", "POST", "PATCH"], "{requests:?}");
    let of_api = requests.iter().filter(|request| !request.contains("/oidc/"));
    assert!(of_api.count() <= 20, "{requests:#?}");
}

#[tokio::test]
async fn a_run_cut_at_any_request_is_taken_up_by_the_next() {
    let whole = World::new().await;
    let (_, requests) = whole.requests_of(ALL).await;
    for moment in [FaultTiming::Before, FaultTiming::After] {
        for nth in 1..=u32::try_from(requests.len()).unwrap() {
            let after = format!("cut {moment:?} at {nth}");
            let world = World::new().await;
            world.sandbox.inject(Fault::cut(nth, moment));
            let ran = world.run(&format!("{ALL} --max-retries 0 -o json")).await;
            let report: Option<Value> = serde_json::from_str(&ran.stdout).ok();
            if let Some(report) = &report {
                assert_eq!(report["ok"], ran.code == 0, "{after}: {ran:?}");
            }
            assert!(matches!(ran.code, 0 | 9), "{after}: {ran:?}");
            let again = world.run(&format!("{ALL} -o json")).await;
            assert_eq!(again.code, 0, "{after}: {again:?}");
            is_set_up(&world, &after).await;
        }
    }
}

#[tokio::test]
async fn passing_trouble_at_any_request_is_overcome_in_one_run() {
    let whole = World::new().await;
    let count = whole.requests_of(ALL).await.1.len();
    for kind in ["close-before", "close-after", "500", "500:applied", "502-html", "429"] {
        for nth in 1..=count {
            let world = World::new().await;
            world.fault(&format!("{kind}#{nth}"));
            let ran = world.run(&format!("{ALL} -o json")).await;
            assert_eq!(ran.code, 0, "{kind} at {nth}: {ran:?}");
            is_set_up(&world, &format!("{kind} at {nth}")).await;
        }
    }
}

#[tokio::test]
async fn an_answer_cut_short_is_never_taken_for_a_failed_creation() {
    let whole = World::new().await;
    let count = whole.requests_of(ALL).await.1.len();
    for nth in 1..=count {
        let world = World::new().await;
        world.fault(&format!("truncate#{nth}"));
        let ran = world.run(&format!("{ALL} -o json")).await;
        assert!(matches!(ran.code, 0 | 1 | 9), "{nth}: {ran:?}");
        world.ok(ALL).await;
        is_set_up(&world, &format!("truncated at {nth}")).await;
    }
}

#[tokio::test]
async fn every_partial_state_is_taken_up() {
    for (steps, already) in [
        (vec!["create cool.cats --no-verification"], vec!["create"]),
        (vec!["create cool.cats"], vec!["create"]),
        (
            vec!["setup cool.cats --publish-txt --no-wait"],
            vec!["create", "publish-txt", "txt-visible"],
        ),
        (
            vec!["setup cool.cats --publish-txt"],
            vec!["create", "publish-txt", "txt-visible", "verify"],
        ),
        (
            vec!["setup cool.cats --publish-txt --enable --yes", "disable cool.cats --yes"],
            vec!["create", "publish-txt", "txt-visible", "verify"],
        ),
    ] {
        let world = World::new().await;
        for step in &steps {
            world.run(step).await;
        }
        let report = world.ok(&format!("{ALL} -o json")).await.json();
        let done_already: Vec<_> = states(&report)
            .into_iter()
            .filter(|(_, state)| state == "skipped")
            .map(|(step, _)| step)
            .collect();
        assert_eq!(done_already, already, "{steps:?}");
        is_set_up(&world, &format!("{steps:?}")).await;
    }
}

#[tokio::test]
async fn without_waiting_what_can_be_done_now_is_done() {
    let world = World::new().await;
    let ran = world.run("setup cool.cats --publish-txt --no-wait -o json").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let report = ran.json();
    assert_eq!(
        (&report["ok"], state_of(&report, "publish-txt")),
        (&json!(false), Some("done".into()))
    );
    let next = report["next"].as_str().unwrap().to_owned();
    assert_eq!(next, "cfsso setup cool.cats --publish-txt");
    assert_eq!(ran.error()["kind"], "not-yet");
    world.ok(next.strip_prefix("cfsso ").unwrap()).await;
    assert_eq!(world.connectors().await[0]["verification"]["status"], "verified");
}

#[tokio::test]
async fn a_record_to_publish_by_hand_is_printed_ready_to_paste() {
    let world = World::new().await;
    let ran = world.run("setup cool.dogs --no-wait").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let code = world.connectors().await[0]["verification"]["code"].as_str().unwrap().to_owned();
    for paste in [
        format!("cool.dogs. 300 IN TXT \"{code}\""),
        "`cfsso connector get cool.dogs --format bind|terraform|route53|gcloud`".to_owned(),
    ] {
        assert!(ran.stdout.contains(&paste), "{paste}\n{}", ran.stdout);
    }
    world.sandbox.publish("cool.dogs", &code).await.unwrap();
    let ran = world.ok("setup cool.dogs --enable --confirm cool.dogs").await;
    assert!(!ran.stdout.contains("gcloud"), "it is published: {}", ran.stdout);
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

#[tokio::test]
async fn a_record_that_never_comes_ends_the_wait() {
    let world = World::new().await;
    let before = world.clock.now();
    let ran = world.run("setup cool.dogs --timeout 3h -o ndjson").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(world.clock.now().duration_since(before).as_secs() >= 3 * 3600);
    let lines = lines(&ran);
    assert_eq!(lines.last().unwrap()["schema"], "cfsso/setup/v1");
    assert_eq!(lines.last().unwrap()["ok"], false);
    assert!(lines.iter().any(|line| line["event"] == "publish"), "{lines:#?}");
    assert!(lines.iter().any(|line| line["event"] == "waiting" && line["since"].is_string()));
    assert_eq!(world.writes().len(), 1, "verification is not begun in vain");
}

#[tokio::test]
async fn zones_that_are_not_served_here_are_told() {
    let world = World::new().await;
    let ran = world.run("setup pending.cats --publish-txt --timeout 1m").await;
    assert_eq!(ran.code, 8);
    assert!(ran.stdout.contains("pending, not active"), "{ran:?}");
    assert!(ran.stdout.contains("300 IN TXT"), "{ran:?}");
    let code = world.connectors().await[0]["verification"]["code"].as_str().unwrap().to_owned();
    world.sandbox.publish("pending.cats", &code).await.unwrap();
    world.ok("setup pending.cats --enable --yes").await;

    let world = World::new().await;
    let ran = world.run("setup partial.cats --publish-txt --timeout 1m").await;
    assert_eq!(ran.code, 8);
    assert!(ran.stderr.contains("is partial"), "{ran:?}");
    let code = world.connectors().await[0]["verification"]["code"].as_str().unwrap().to_owned();
    assert!(ran.stdout.contains(&code) && ran.stdout.contains("300 IN TXT"), "{ran:?}");
    world.sandbox.publish("partial.cats", &code).await.unwrap();
    world.ok("setup partial.cats --enable --yes").await;
}

#[tokio::test]
async fn a_domain_below_a_zone_is_published_in_it() {
    let world = World::new().await;
    world.ok("setup mail.cool.cats --publish-txt --enable --yes").await;
    assert_eq!(world.codes("cool.cats").await.len(), 1);
}

#[tokio::test]
async fn a_domain_enforced_by_another_account_stops_at_the_last_step() {
    let world = World::new().await;
    let ran = world.run("setup both.cats --publish-txt --enable --yes -o json").await;
    assert_eq!(ran.code, 7, "{ran:?}");
    let report = ran.json();
    assert_eq!(state_of(&report, "verify").as_deref(), Some("done"));
    assert_eq!(state_of(&report, "enable").as_deref(), Some("failed"));
    assert_eq!(ran.error()["api_errors"][0]["code"], 12507);
    let claim =
        report["checks"].as_array().unwrap().iter().find(|check| check["id"] == "foreign-claim");
    assert_eq!(claim.unwrap()["state"], "failed");
}

/// Deletes the records with a verification code, as a user does in the dashboard.
async fn lose_records(world: &World) {
    let zones = world.ask("GET /zones?name=cool.cats&status=active").await;
    let path = format!("/zones/{}/dns_records", zones[0]["id"].as_str().unwrap());
    for record in world.ask(&format!("GET {path}?type=TXT")).await.as_array().unwrap() {
        if record["content"].to_string().contains("cloudflare_dashboard_sso=") {
            world.ask(&format!("DELETE {path}/{}", record["id"].as_str().unwrap())).await;
        }
    }
}

#[tokio::test]
async fn the_lost_record_of_a_verified_domain_is_published_if_asked_for() {
    for enabled in [false, true] {
        let world = World::new().await;
        let world = if enabled { world.enabled().await } else { world.verified().await };
        let codes = world.codes("cool.cats").await;
        lose_records(&world).await;
        let checks = world.run("preflight cool.cats -o json").await.json()["checks"].clone();
        let mut checks = checks.as_array().unwrap().iter();
        let lost = checks.find(|check| check["id"] == "txt-still-published").unwrap();
        assert_eq!(lost["fix"], "`cfsso setup cool.cats --publish-txt`", "{lost:#}");
        let writes = world.writes().len();
        let report = world.ok("setup cool.cats -o json").await.json();
        assert_eq!(state_of(&report, "publish-txt").as_deref(), Some("skipped"));
        let line = "setup cool.cats --publish-txt";
        let plan = world.ok(&format!("{line} --dry-run -o json")).await.json();
        let titles: Vec<_> =
            plan["changes"].as_array().unwrap().iter().map(|change| &change["title"]).collect();
        assert_eq!(titles, ["publish the TXT record of cool.cats"]);
        assert_eq!(world.writes().len(), writes);

        let report = world.ok(&format!("{line} -o json")).await.json();
        for (step, state) in
            [("publish-txt", "done"), ("txt-visible", "done"), ("verify", "skipped")]
        {
            assert_eq!(state_of(&report, step).as_deref(), Some(state), "{report:#}");
        }
        assert_eq!(report["result"]["enabled"], enabled);
        assert_eq!(world.codes("cool.cats").await, codes);
        assert_eq!(world.writes().len(), writes + 1);
        let journal = world.ok("journal list -o json").await.json();
        let of_record = |entry: &&Value| entry["title"] == "publish the TXT record of cool.cats";
        assert_eq!(journal.as_array().unwrap().iter().filter(of_record).count(), 2);
        let again = world.ok(&format!("{line} -o json")).await.json();
        assert_eq!(state_of(&again, "publish-txt").as_deref(), Some("skipped"));
        assert_eq!(world.writes().len(), writes + 1);
    }
}

#[tokio::test]
async fn without_waiting_the_hint_is_the_same_set_up_again() {
    for flags in
        ["--publish-txt", "--publish-txt --enable --trial 20m --accept-risk fallback-login"]
    {
        let world = World::new().await;
        let ran = world.run(&format!("setup cool.cats {flags} --no-wait --yes -o json")).await;
        assert_eq!(ran.code, 8, "{ran:?}");
        let error = ran.error();
        assert_eq!(error["message"], "cool.cats is not verified yet");
        assert_eq!(error["hint"], format!("`cfsso setup cool.cats {flags}`"));
        assert_eq!(ran.json()["next"], format!("cfsso setup cool.cats {flags}"));
    }
}

#[tokio::test]
async fn a_stale_code_is_removed_only_when_asked_and_even_late() {
    let world = World::new().await.verified().await;
    let old = world.codes("cool.cats").await;
    world.ok("connector delete cool.cats --yes").await;
    let ran = world.ok("setup cool.cats --publish-txt").await;
    assert!(ran.stderr.contains("--replace-stale-txt"), "{ran:?}");
    assert!(ran.stderr.contains(&old[0]), "{ran:?}");
    assert_eq!(world.codes("cool.cats").await.len(), 2);

    let plan =
        world.ok("setup cool.cats --publish-txt --replace-stale-txt --dry-run -o json").await;
    assert_eq!(plan.json()["changes"][0]["request"]["method"], "DELETE", "{plan:?}");
    assert_eq!(plan.json()["changes"].as_array().unwrap().len(), 1, "{plan:?}");
    world.ok("setup cool.cats --publish-txt --replace-stale-txt --enable --yes").await;
    is_set_up(&world, "a late replacement").await;
    let writes = world.writes().len();
    world.ok("setup cool.cats --publish-txt --replace-stale-txt --enable --yes").await;
    assert_eq!(world.writes().len(), writes);
    assert_eq!(world.run("setup cool.cats --replace-stale-txt").await.code, 2);
}

/// Adds a TXT record at `cool.cats` past the program.
async fn add_record(world: &World, code: &str, comment: Option<&str>) {
    let zones = world.ask("GET /zones?name=cool.cats&status=active").await;
    let request = format!("POST /zones/{}/dns_records", zones[0]["id"].as_str().unwrap());
    let record = json!({
        "type": "TXT", "name": "cool.cats", "ttl": 1, "content": format!("\"{code}\""),
        "comment": comment,
    });
    ask(&world.sandbox, Access::Full, &request, Some(record)).await.result();
}

#[tokio::test]
async fn the_code_of_ones_own_deleted_connector_is_not_called_that_of_another_account() {
    let world = World::new().await.verified().await;
    let old = world.codes("cool.cats").await[0].clone();
    world.ok("connector delete cool.cats --yes").await;
    lose_records(&world).await;
    add_record(&world, &old, None).await;
    let ran = world.run("diagnose ada@cool.cats").await;
    assert!(!ran.stdout.contains("another account"), "{ran:?}");
    let ran = world.ok("setup cool.cats --publish-txt --replace-stale-txt").await;
    let says = "the verification code of a deleted connector of this account (journal)";
    assert!(ran.stderr.contains(says), "{ran:?}");
    assert!(world.codes("cool.cats").await.contains(&old), "nothing says that cfsso made it");

    // The journal of another machine knows nothing of it.
    let elsewhere = world.scene().world().await;
    for (world, says) in [
        (&world, "of deleted connectors of this account (journal)"),
        (&elsewhere, "another account could claim it"),
    ] {
        for line in ["preflight cool.cats", "doctor"] {
            let ran = world.run(&format!("{line} -o json")).await;
            assert!(ran.stdout.contains(says), "{line} {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_copied_comment_does_not_have_a_record_deleted() {
    let world = World::new().await.verified().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let old = world.codes("cool.cats").await[0].clone();
    world.ok("connector delete cool.cats --yes").await;
    let theirs = "cloudflare_dashboard_sso=theirs";
    add_record(&world, theirs, Some(&format!("cfsso: SSO connector {id}"))).await;
    let ran = world.ok("setup cool.cats --publish-txt --replace-stale-txt").await;
    let codes = world.codes("cool.cats").await;
    assert!(codes.contains(&theirs.to_owned()) && !codes.contains(&old), "{codes:?}");
    assert!(ran.stderr.contains("is left alone: cloudflare_dashboard_sso=theirs"), "{ran:?}");
}

#[tokio::test]
async fn the_code_of_another_accounts_connector_stays() {
    let world = World::new().await.verified().await;
    let old = world.codes("cool.cats").await[0].clone();
    world.ok("connector delete cool.cats --yes").await;
    // A zone that came from another account, with the comments that cfsso wrote there.
    let theirs = "cloudflare_dashboard_sso=theirs";
    add_record(&world, theirs, Some("cfsso: SSO connector c001ca7500000000000000000000e0e1")).await;
    // The journal of another machine does not know its own deleted connector either.
    let elsewhere = world.scene().world().await;
    for (world, expected) in [(&world, vec![theirs]), (&elsewhere, vec![&*old, theirs])] {
        let ran = world.ok("setup cool.cats --publish-txt --replace-stale-txt").await;
        let codes = world.codes("cool.cats").await;
        let left: Vec<_> = codes.iter().filter(|it| expected.contains(&it.as_str())).collect();
        assert_eq!((left.len(), codes.len()), (expected.len(), expected.len() + 1), "{codes:?}");
        for code in expected {
            assert!(ran.stderr.contains(&format!("is left alone: {code}")), "{ran:?}");
        }
    }
}

#[tokio::test]
async fn a_record_that_the_token_may_not_create_is_printed() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let ran = world.with_token(Access::ReadOnly).run("setup cool.cats --publish-txt").await;
    assert!(ran.code == 5 && ran.stdout.contains("cool.cats. 300 IN TXT"), "{ran:?}");
    // A verified domain does not fail for it.
    let world = World::new().await.verified().await;
    lose_records(&world).await;
    let world = world.with_token(Access::ReadOnly);
    let line = "setup cool.cats --publish-txt";
    let ran = world.ok(line).await;
    assert!(ran.stdout.contains("cool.cats. 300 IN TXT"), "{ran:?}");
    let reason = "no permission for the zone cool.cats (DNS Write)";
    assert!(ran.stderr.contains(reason), "{ran:?}");
    let report = world.ok(&format!("{line} -o json")).await.json();
    assert_eq!(state_of(&report, "publish-txt").as_deref(), Some("pending"));
    assert_eq!(state_of(&report, "enable").as_deref(), Some("pending"), "{report:#}");
}

#[tokio::test]
async fn a_replaced_code_is_no_foreign_claim() {
    let world = World::new().await.verified().await;
    world.ok("connector delete cool.cats --yes").await;
    world.ok("setup cool.cats --publish-txt").await;
    let report = world
        .ok("setup cool.cats --publish-txt --replace-stale-txt --enable --yes -o json")
        .await
        .json();
    let checks = report["checks"].as_array().unwrap();
    for id in ["foreign-claim", "txt-still-published"] {
        let check = checks.iter().find(|check| check["id"] == id).unwrap();
        assert_eq!(check["state"], "passed", "{check:#}");
    }
}

#[tokio::test]
async fn a_verification_that_fails_once_is_begun_again() {
    let world = World::new().await;
    world.fault("verification-fails");
    world.ok(ALL).await;
    is_set_up(&world, "a failed verification").await;

    let world = World::new().await;
    world.fault("verification-failsx*");
    let ran = world.run(&format!("{ALL} -o json")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert_ne!(state_of(&ran.json(), "verify").as_deref(), Some("done"));
    assert_eq!(world.connectors().await[0]["enabled"], false);
}

#[tokio::test]
async fn a_token_without_zones_has_the_record_published_by_hand() {
    let world = World::new().await.with_token(Access::ConnectorOnly);
    let ran = world.run("setup cool.cats --publish-txt --no-wait").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    assert!(ran.stdout.contains("Zone Read"), "{ran:?}");
    assert!(ran.stdout.contains("300 IN TXT"), "{ran:?}");
}

#[tokio::test]
async fn a_connector_that_stands_is_not_reworded_in_passing() {
    let world = World::new().await.verified().await;
    let ran = world.ok("setup cool.cats --fedramp").await;
    assert!(ran.stderr.contains("`cfsso connector update cool.cats --fedramp`"), "{ran:?}");
    assert_eq!(world.connectors().await[0]["use_fedramp_language"], false);
}

#[tokio::test]
async fn what_is_verified_but_served_no_more_is_not_called_served() {
    let world = World::new().await;
    world.run("setup cool.dogs --no-wait").await;
    let code = world.connectors().await[0]["verification"]["code"].as_str().unwrap().to_owned();
    world.sandbox.publish("cool.dogs", &code).await.unwrap();
    world.ok("setup cool.dogs").await;
    world.sandbox.withdraw("cool.dogs", &code).await.unwrap();
    let report = world.ok("setup cool.dogs -o json").await.json();
    let step = report["steps"].as_array().unwrap().iter().find(|step| step["id"] == "txt-visible");
    let detail = step.unwrap()["detail"].as_str().unwrap();
    assert!(detail.starts_with("not needed"), "{detail}");
    // Where cfsso cannot publish it, it is printed, and the domain stays verified.
    let ran = world.ok("setup cool.dogs --publish-txt").await;
    assert!(ran.stdout.contains("cool.dogs. 300 IN TXT"), "{ran:?}");
    let report = world.ok("setup cool.dogs --publish-txt -o json").await.json();
    assert_eq!(state_of(&report, "publish-txt").as_deref(), Some("pending"));
}

#[tokio::test]
async fn every_line_is_json_and_the_last_is_the_report() {
    let world = World::new().await;
    let ran = world.ok(&format!("{ALL} -o ndjson")).await;
    let lines = lines(&ran);
    let (report, events) = lines.split_last().unwrap();
    assert_eq!((&report["schema"], &report["ok"]), (&json!("cfsso/setup/v1"), &json!(true)));
    assert!(events.iter().all(|event| event["event"].is_string()), "{events:#?}");
    let ended: Vec<_> = events
        .iter()
        .filter(|event| event["event"] == "step" && event["state"] == "done")
        .map(|event| event["id"].as_str().unwrap())
        .collect();
    assert_eq!(ended, ["create", "publish-txt", "txt-visible", "verify", "preflight", "enable"]);
    assert_eq!(world.ok(&format!("{ALL} -o name")).await.stdout, "cool.cats\n");
    assert!(world.ok(&format!("{ALL} -o yaml")).await.stdout.contains("ok: true"));
}
