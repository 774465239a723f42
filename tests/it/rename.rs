//! Scenes of `cfsso team rename`: wherever it ends, it is taken up and taken back.

use cfsso::sandbox::Access;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::harness::{Ran, Scene, World};
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

const RENAME: &str =
    "team rename cooler-cats --publish-txt --replace-stale-txt --idps-updated --yes";
const ON: &str = "--publish-txt --replace-stale-txt --idps-updated --yes";

/// Two enforced domains, one of them with the `FedRAMP` wording, and one that
/// was never proven.
async fn three() -> World {
    static SCENE: OnceCell<Scene> = OnceCell::const_new();
    let scene = SCENE.get_or_init(async || {
        let world = World::new().await.enabled().await;
        world.ok("setup mail.cool.cats --fedramp --publish-txt --enable --yes").await;
        world.ok("create cool.dogs").await;
        world.scene()
    });
    scene.await.world().await
}

/// What has to be the same in the end, whatever happened on the way.
async fn standing(world: &World) -> (String, Vec<(String, Value, Value, Value)>) {
    let path = format!("GET /accounts/{}/access/organizations", world.sandbox.account());
    let organization = world.ask(&path).await;
    let mut connectors: Vec<_> = world
        .connectors()
        .await
        .into_iter()
        .map(|it| {
            let domain = it["email_domain"].as_str().unwrap().to_owned();
            let status = it["verification"]["status"].clone();
            (domain, it["enabled"].clone(), it["use_fedramp_language"].clone(), status)
        })
        .collect();
    connectors.sort_by(|a, b| a.0.cmp(&b.0));
    (organization["auth_domain"].as_str().unwrap().to_owned(), connectors)
}

fn expected(team: &str) -> (String, Vec<(String, Value, Value, Value)>) {
    let of = |domain: &str, enabled: bool, fedramp: bool, status: &str| {
        (domain.to_owned(), json!(enabled), json!(fedramp), json!(status))
    };
    let connectors = vec![
        of("cool.cats", true, false, "verified"),
        of("cool.dogs", false, false, "pending"),
        of("mail.cool.cats", true, true, "verified"),
    ];
    (format!("{team}.cloudflareaccess.com"), connectors)
}

async fn organization(world: &World) -> String {
    let path = format!("GET /accounts/{}/access/organizations", world.sandbox.account());
    ask(&world.sandbox, Access::Full, &path, None).await.result_text()
}

#[tokio::test]
async fn three_domains_go_straight_through_and_stand_as_before() {
    let world = three().await;
    let before = organization(&world).await;
    let ran = world.ok(&format!("{RENAME} -o json")).await;
    let report = ran.json();
    assert_eq!((&report["schema"], &report["ok"]), (&json!("cfsso/team-rename/v1"), &json!(true)));
    assert_eq!(standing(&world).await, expected("cooler-cats"));
    for domain in ["cool.cats", "mail.cool.cats"] {
        let connectors = world.connectors().await;
        let its = connectors.iter().find(|it| it["email_domain"] == domain).unwrap();
        assert!(
            world
                .codes("cool.cats")
                .await
                .contains(&its["verification"]["code"].as_str().unwrap().to_owned())
        );
    }
    assert_eq!(world.codes("cool.cats").await.len(), 2, "the codes before are gone");
    // Nothing but the name changed in the organization, 23-digit integers included.
    let after = organization(&world).await;
    let put_back = after.replace("cooler-cats", "cool-cats");
    let without_time = |text: &str| text.split(r#""updated_at":"#).next().unwrap().to_owned();
    assert_eq!(without_time(&put_back), without_time(&before));
    assert!(after.contains(r#""name":"Cool Cats""#), "{after}");
    let schema = world.ok("schema team-rename -o json").await.json();
    assert_conforms(&schema, &report);
    assert_eq!(world.ok("team show -o name").await.stdout, "cooler-cats.cloudflareaccess.com\n");
    let writes = world.writes();
    for line in [RENAME.to_owned(), format!("{RENAME} --also-name --dry-run --detailed-exitcode")] {
        let ran = world.run(&line).await;
        let is_other_name = line.contains("--also-name");
        assert_eq!(ran.code, if is_other_name { 2 } else { 0 }, "{ran:?}");
        assert!(ran.stderr.contains("the team name is already"), "{ran:?}");
    }
    world.ok(&format!("{RENAME} --dry-run --detailed-exitcode")).await;
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn the_organization_is_called_by_the_new_name_where_asked() {
    let world = three().await;
    world.ok(&format!("{RENAME} --also-name")).await;
    assert!(organization(&world).await.contains(r#""name":"cooler-cats""#));
    world.ok(&format!("team rename cooler-cats --rollback {ON}")).await;
    assert!(organization(&world).await.contains(r#""name":"Cool Cats""#));
    assert_eq!(standing(&world).await, expected("cool-cats"));
}

/// The requests of a whole run, from the last read before the first write on:
/// before it nothing is changed that could be taken up.
async fn boundaries() -> std::ops::RangeInclusive<usize> {
    let (_, requests) = three().await.requests_of(RENAME).await;
    let writes = requests.iter().position(|request| !request.starts_with("GET")).unwrap();
    writes..=requests.len()
}

#[tokio::test]
async fn a_run_cut_at_any_request_is_taken_up_to_the_same_end() {
    for kind in ["close-before", "close-after"] {
        for at in boundaries().await {
            let after = format!("{kind}#{at}");
            let world = three().await;
            world.fault(&after);
            let ran = world.run(&format!("{RENAME} --max-retries 0")).await;
            assert!(matches!(ran.code, 0 | 1 | 8 | 9 | 11 | 12), "{after}: {ran:?}");
            if ran.code == 12 {
                assert!(ran.stderr.contains("--resume"), "{after}: {ran:?}");
                assert!(ran.stderr.contains("--rollback"), "{after}: {ran:?}");
            }
            if ran.code != 0 {
                // With and without the flag it is the same run.
                let flag = if at % 2 == 0 && ran.code == 12 { "--resume" } else { "" };
                world.ok(&format!("{RENAME} {flag}")).await;
            }
            assert_eq!(standing(&world).await, expected("cooler-cats"), "{after}");
        }
    }
}

/// As by a signal: the program is gone when the server has applied the n-th
/// request, and nothing more is written down.
async fn gone_at(at: usize) -> (World, bool) {
    let world = three().await;
    let from = world.sandbox.log().len();
    let reached = async {
        while world.sandbox.log().len() < from + at {
            tokio::task::yield_now().await;
        }
    };
    let is_gone = tokio::select! {
        biased;
        () = reached => true,
        ran = world.run(RENAME) => {
            assert_eq!(ran.code, 0, "{ran:?}");
            false
        }
    };
    (world, is_gone)
}

#[tokio::test]
async fn a_process_that_is_gone_leaves_what_resuming_needs() {
    let mut noted = 0;
    for at in boundaries().await {
        let (world, is_gone) = gone_at(at).await;
        let seen = standing(&world).await;
        if is_gone && seen != expected("cool-cats") && seen != expected("cooler-cats") {
            let ran = world.ok("status -o json").await;
            let status = ran.json();
            let next = &status["next"][0];
            assert_eq!(next, "cfsso team rename cooler-cats --resume", "gone at {at}: {status:#}");
            if ran.stderr.contains("outcome unknown") {
                noted += 1;
                let commands = "`cfsso team rename cooler-cats --resume`, undo with \
                                `cfsso team rename cooler-cats --rollback`";
                assert!(ran.stderr.contains(commands), "gone at {at}: {ran:?}");
                assert!(!ran.stderr.contains("journal undo"), "gone at {at}: {ran:?}");
            }
        }
        if is_gone && seen != expected("cooler-cats") {
            world.ok(RENAME).await;
        }
        assert_eq!(standing(&world).await, expected("cooler-cats"), "gone at {at}");
    }
    assert!(noted > 0);
}

#[tokio::test]
async fn one_that_stays_half_way_is_told_by_status_and_doctor() {
    let world = World::new().await.enabled().await;
    let ran = world.run("team rename cooler-cats --idps-updated --yes --timeout 2m").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let text = world.ok("status").await.stdout;
    let first: Vec<_> = text.lines().take(2).collect();
    insta::assert_snapshot!(first.join("\n"), @"
    warning     rename to cooler-cats.cloudflareaccess.com incomplete since 2 minutes ago
      SSO is off since 2 minutes ago
    ");
    assert!(text.ends_with("Next: `cfsso team rename cooler-cats --resume`\n"), "{text}");
    let of = |report: &Value| {
        let findings = report["findings"].as_array().unwrap().iter();
        let mut of = findings.filter(|finding| finding["id"] == "rename-in-progress").cloned();
        of.next().unwrap()
    };
    let found = of(&world.run("doctor -o json").await.json());
    assert_eq!(found["state"], "failed", "{found}");
    assert_eq!(found["fix"], "`cfsso team rename cooler-cats --resume`");
    let ran = world.run("team rename --rollback --idps-updated --yes --timeout 2m").await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let undo = "`cfsso team rename cooler-cats --rollback --idps-updated`, undo with \
                `cfsso team rename cooler-cats --resume`";
    assert_eq!(
        ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ").matches(undo).count(),
        1,
        "{ran:?}"
    );
    let status = world.ok("status -o json").await.json();
    assert_eq!(status["rename"]["goal"], "cool-cats.cloudflareaccess.com");
    assert_eq!(status["next"], json!(["cfsso team rename cooler-cats --rollback"]));
    world.ok(&format!("team rename --rollback {ON}")).await;
    let status = world.ok("status -o json").await.json();
    assert_eq!((&status["rename"], &status["ok"]), (&Value::Null, &json!(true)), "{status:#}");
    assert_eq!(of(&world.run("doctor -o json").await.json())["state"], "passed");
}

#[tokio::test]
async fn it_is_said_for_which_domains_sso_is_off() {
    let world = three().await;
    // The second of the two connectors is not enabled again.
    world.fault("500#4@PATCH");
    let error = world.fails(&format!("{RENAME} --max-retries 0"), 12).await;
    let connectors = world.connectors().await;
    let is_off = |it: &&Value| it["enabled"] == false && it["email_domain"] != "cool.dogs";
    let off: Vec<_> = connectors.iter().filter(is_off).collect();
    assert_eq!(off.len(), 1, "{connectors:?}");
    let domain = off[0]["email_domain"].as_str().unwrap();
    let sentence =
        format!("SSO is off for 1 of 2 domains ({domain}): users sign in with a password there");
    assert!(error["causes"].to_string().contains(&sentence), "{error}");
    let ran = world.ok("team rename --resume --yes --dry-run").await;
    let text = ran.screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(text.contains("enable 1 of 3 connectors"), "{text}");
    assert!(text.contains("off already for 1 of 2 domains"), "{text}");
    world.ok("team rename --resume --yes").await;
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn a_full_window_of_the_rate_limit_does_not_leave_it_half_way() {
    let world = three().await;
    world.fault("429:retry-after=240#3@PATCH");
    let ran = world.ok(RENAME).await;
    assert!(ran.stderr.contains("waiting 240 s for the rate limit"), "{ran:?}");
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn what_all_domains_share_is_read_once() {
    let world = three().await;
    for name in ["a", "b", "c", "d", "e"] {
        world.ok(&format!("setup {name}.cool.cats --publish-txt --enable --yes")).await;
    }
    let reads = |path: &str| world.requests().iter().filter(|it| it.contains(path)).count();
    let before = (reads("GET /members"), reads("GET /access/logs"));
    world.ok(RENAME).await;
    // For the checks before it, for the first of seven restored connectors, and for the others.
    let now = (reads("GET /members"), reads("GET /access/logs"));
    assert!(now.0 - before.0 <= 4 && now.1 - before.1 <= 4, "{before:?} {now:?}");
}

#[tokio::test]
async fn what_undoes_a_rollback_is_not_the_rollback() {
    let world = three().await;
    world.ok(RENAME).await;
    world.fault("500#2@PUT/access/organizations");
    let line = format!("team rename --rollback {ON} --max-retries 0");
    let error = world.fails(&line, 12).await;
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("undo: `cfsso team rename cooler-cats --resume`"), "{hint}");
    world.ok(&format!("team rename cooler-cats --resume {ON}")).await;
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn a_rename_is_rolled_back_from_every_step() {
    for at in boundaries().await {
        let (world, _) = gone_at(at).await;
        let before = standing(&world).await;
        let ran = world.run(&format!("team rename cooler-cats --rollback {ON}")).await;
        // Before the first write there is nothing to roll back.
        let is_untouched = before == expected("cool-cats");
        assert!(ran.code == 0 || is_untouched && ran.code == 6, "gone at {at}: {ran:?}");
        assert_eq!(standing(&world).await, expected("cool-cats"), "gone at {at}");
    }
}

#[tokio::test]
async fn a_rename_that_is_done_is_rolled_back_too() {
    let world = three().await;
    world.ok(RENAME).await;
    let error = world.fails("team rename --rollback --idps-updated --confirm cooler-cats", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("--confirm cool-cats"), "{error}");
    let ran = world.ok(&format!("team rename --rollback {ON} -o json")).await;
    assert_eq!(standing(&world).await, expected("cool-cats"));
    let told = ran.json()["idps"][0]["change"]["fields"][0].clone();
    assert!(told["after"].as_str().unwrap().contains("//cool-cats."), "{told}");
    world.fails("team rename --rollback --yes", 6).await;
}

#[tokio::test]
async fn without_the_journal_the_server_and_the_domains_are_enough() {
    for at in [8, 14, 20, 24, 30] {
        let (world, _) = gone_at(at).await;
        let elsewhere = tempfile::tempdir().unwrap();
        let world = world.with_env("CFSSO_JOURNAL", elsewhere.path().to_str().unwrap());
        let team = standing(&world).await.0;
        if !team.starts_with("cooler-cats") {
            let error = world.fails("team rename cooler-cats --resume --yes", 6).await;
            assert!(error["hint"].as_str().unwrap().contains("--domains"), "{error}");
        }
        world
            .ok(&format!(
                "team rename cooler-cats --resume --domains cool.cats,mail.cool.cats {ON}"
            ))
            .await;
        let (team, connectors) = standing(&world).await;
        assert_eq!(team, "cooler-cats.cloudflareaccess.com", "{at}");
        let enabled = connectors.iter().filter(|it| it.1 == json!(true)).count();
        assert_eq!(enabled, 2, "{at}: {connectors:?}");
    }
}

#[tokio::test]
async fn a_name_that_is_seen_to_be_taken_is_refused_before_anything_is_disabled() {
    let world = three().await;
    let writes = world.writes();
    let error = world.fails("team rename dogs --idps-updated --yes", 11).await;
    assert!(error["causes"][0].as_str().unwrap().contains("team-name-available"), "{error}");
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_name_that_the_api_refuses_puts_everything_back_at_once() {
    let world = three().await;
    let line = format!("team rename dogs --accept-risk team-name-available {ON}");
    let error = world.fails(&line, 7).await;
    assert_eq!(error["api_errors"][0]["code"], 12132, "{error}");
    let causes = error["causes"].to_string();
    assert!(causes.contains("restored") && causes.contains("reserved"), "{error}");
    assert_eq!(standing(&world).await, expected("cool-cats"));
    world.ok(RENAME).await;
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn a_connector_made_meanwhile_is_told_and_taken_along() {
    let world = three().await;
    // What the API answers where another administrator was quicker.
    world.fault("500#2@PUT/access/organizations");
    let error = world.fails(&format!("{RENAME} --max-retries 0"), 12).await;
    assert!(error["causes"].to_string().contains("SSO is off"), "{error}");
    world.ok("create partial.cats --no-verification").await;
    world.ok(RENAME).await;
    let (team, connectors) = standing(&world).await;
    assert_eq!(team, "cooler-cats.cloudflareaccess.com");
    let partial = connectors.iter().find(|it| it.0 == "partial.cats").unwrap();
    assert_eq!(partial.1, json!(false));
    assert_eq!(connectors.len(), 4);
}

#[tokio::test]
async fn a_connector_made_before_the_name_is_changed_is_named_as_what_is_in_the_way() {
    let world = three().await;
    let is_deletion = |request: &&String| request.starts_with("DELETE /sso_connectors");
    let quicker = async {
        while world.requests().iter().filter(is_deletion).count() < 3 {
            tokio::task::yield_now().await;
        }
        let path = format!("POST /accounts/{}/sso_connectors", world.sandbox.account());
        let body = json!({ "email_domain": "partial.cats", "begin_verification": false });
        ask(&world.sandbox, Access::Full, &path, Some(body)).await.result()
    };
    let line = format!("{RENAME} -o json");
    let (ran, _) = tokio::join!(world.run(&line), quicker);
    assert_eq!(ran.code, 12, "{ran:?}");
    let told = &ran.stderr;
    for words in ["12106", "a connector was created meanwhile", "SSO is off", "--resume"] {
        assert!(told.contains(words), "{words}\n{ran:?}");
    }
    world.ok(RENAME).await;
    let (team, connectors) = standing(&world).await;
    assert_eq!((team.as_str(), connectors.len()), ("cooler-cats.cloudflareaccess.com", 4));
}

#[tokio::test]
async fn an_organization_that_is_read_only_in_the_dashboard_is_told() {
    let world = three().await;
    let path = format!("PUT /accounts/{}/access/organizations", world.sandbox.account());
    let body = json!({ "is_ui_read_only": true, "ui_read_only_toggle_reason": "Terraform" });
    ask(&world.sandbox, Access::Full, &path, Some(body)).await.result();
    let ran = world.ok(&format!("{RENAME} --dry-run -o json")).await;
    let check = ran.json()["checks"].as_array().unwrap()[1].clone();
    assert_eq!((&check["id"], &check["state"]), (&json!("team-not-read-only"), &json!("failed")));
    assert!(check["detail"].as_str().unwrap().contains("Terraform"), "{check}");
    let line = format!("team rename dogs --accept-risk team-name-available {ON}");
    let error = world.fails(&line, 7).await;
    assert!(error["causes"].to_string().contains("Terraform"), "{error}");
}

async fn code_of(world: &World) -> String {
    world.connectors().await[0]["verification"]["code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn records_by_hand_are_printed_and_waited_for() {
    let world = World::new().await;
    world.run("setup cool.dogs --no-wait").await;
    world.sandbox.publish("cool.dogs", &code_of(&world).await).await.unwrap();
    world.ok("setup cool.dogs --enable --yes").await;
    let line = "team rename cooler-cats --idps-updated --yes --timeout 2h";
    let ran = world.run(line).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    let fresh = code_of(&world).await;
    assert!(ran.stdout.contains(&format!("cool.dogs. 300 IN TXT \"{fresh}\"")), "{ran:?}");
    assert!(
        ran.stderr.contains("cooler-cats --resume") && ran.stderr.contains("SSO is off"),
        "{ran:?}"
    );
    world.sandbox.publish("cool.dogs", &fresh).await.unwrap();
    let report = world.ok("team rename --resume --yes -o json").await.json();
    assert_eq!(world.connectors().await[0]["enabled"], true);
    assert!(report["sso_off_seconds"].as_i64().unwrap() >= 2 * 3600, "{report}");
    assert_eq!(report["idps"], json!([]), "they were said to know the name");
}

#[tokio::test]
async fn an_identity_provider_that_fails_stops_it_before_and_on_the_way() {
    let world = three().await;
    let writes = world.writes();
    world.fault("no-keys");
    let error = world.fails(RENAME, 11).await;
    assert!(error["causes"][0].as_str().unwrap().contains("idp-healthy"), "{error}");
    assert_eq!(world.writes(), writes, "nothing is disabled for it");
    // Sound at first, and no more when it is looked at again.
    world.fault("no-keys#2");
    let error = world.fails(RENAME, 12).await;
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("--resume") && hint.contains("--rollback"), "{error}");
    assert!(hint.contains("--accept-risk idp-healthy`"), "{error}");
    assert!(error["causes"].to_string().contains("idp-healthy: Company SSO"), "{error}");
    assert_eq!(world.connectors().await.len(), 0);
    world.ok(&format!("{RENAME} --resume")).await;
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn an_identity_provider_that_the_sso_app_does_not_allow_stops_nothing() {
    let world = three().await;
    world.ok("app idps --only oidc --yes").await;
    let path = format!("POST /accounts/{}/access/identity_providers", world.sandbox.account());
    let url = "https://127.0.0.1:1/a";
    let config = json!({
        "client_id": "c", "client_secret": "s", "auth_url": url, "token_url": url, "certs_url": url,
    });
    let body = json!({ "name": "Old", "type": "oidc", "config": config });
    let old = ask(&world.sandbox, Access::Full, &path, Some(body)).await.result();
    let writes = world.writes();
    let add = format!("app idps --add {}", old["id"].as_str().unwrap());
    world.ok(&format!("{add} --yes")).await;
    let error = world.fails(RENAME, 11).await;
    assert!(error["causes"].to_string().contains("idp-healthy: Old"), "{error}");
    assert_eq!(world.writes().len(), writes.len() + 1, "nothing is disabled for it");
    world.ok(&format!("{} --yes", add.replace("--add", "--remove"))).await;
    let report = world.ok(&format!("{RENAME} -o json")).await.json();
    assert_eq!(report["idps"].as_array().unwrap().len(), 2, "its URLs change, too");
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn bad_names_are_refused_before_anything_is_asked() {
    let world = three().await;
    for (name, says) in [
        ("-x", "unexpected argument"),
        ("Cats", "lower case"),
        ("https://new.cloudflareaccess.com/", "`new`"),
        ("new.cloudflareaccess.com", "`new`"),
        ("a.b", "it has a dot"),
    ] {
        let writes = world.writes();
        let error = world.fails(&format!("team rename {name} --yes"), 2).await;
        assert!(error["message"].as_str().unwrap().contains(says), "{error}");
        assert_eq!(world.writes(), writes);
    }
}

#[tokio::test]
async fn nobody_to_ask_stops_it_before_anything_is_disabled() {
    let world = three().await;
    let writes = world.writes();
    let error = world.fails("team rename cooler-cats --publish-txt --yes", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("--idps-updated"), "{error}");
    let error = world.fails("team rename cooler-cats --idps-updated", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("--confirm cooler-cats"), "{error}");
    world.fails("team rename cooler-cats --idps-updated --confirm cats", 3).await;
    let plan = world.ok(&format!("{RENAME} --dry-run -o json")).await.json();
    let methods: Vec<_> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["request"]["method"].as_str().unwrap())
        .collect();
    assert_eq!(methods[..7], ["PUT", "PATCH", "PATCH", "DELETE", "DELETE", "DELETE", "PUT"]);
    assert_eq!(methods.iter().filter(|method| **method == "POST").count(), 7);
    assert_eq!(world.writes(), writes);
    let world = world.with_env("CFSSO_JOURNAL", "");
    assert_eq!(world.run(RENAME).await.code, 1);
    assert_eq!(world.writes(), writes, "nothing is sent without a journal");
}

#[tokio::test]
async fn a_person_types_the_name_and_says_when_it_is_done() {
    let world = three().await.with_person("cooler-cats\nyes\ndone\n");
    let ran = world.ok("team rename cooler-cats --publish-txt --replace-stale-txt").await;
    assert!(ran.stdout.contains("enter it now"), "{ran:?}");
    assert_eq!(standing(&world).await, expected("cooler-cats"));
    let world = three().await.with_person("cooler-cats\n");
    let ran = world.run("team rename cooler-cats --publish-txt").await;
    assert_eq!(ran.code, 12, "{ran:?}");
    assert!(ran.stderr.contains("--rollback"), "{ran:?}");
    let world = world.with_person("cool-cats\ndone\n");
    world.ok("team rename --rollback --publish-txt --replace-stale-txt").await;
    assert_eq!(standing(&world).await, expected("cool-cats"));
}

#[tokio::test]
async fn the_codes_of_the_replaced_connectors_are_outdated_without_an_older_journal() {
    let world = World::new().await.enabled().await;
    let old = world.codes("cool.cats").await;
    let world = world.scene().world().await;
    let deletes_record = |text: &str| text.contains("delete an outdated TXT record of cool.cats");
    let plan = world.ok(&format!("{} --dry-run", RENAME.trim_end_matches(" --yes"))).await;
    assert!(deletes_record(&plan.stdout), "{plan:?}");
    world.ok(RENAME).await;
    let codes = world.codes("cool.cats").await;
    assert!(codes.len() == 1 && codes != old, "{codes:?}");
    assert!(deletes_record(&world.ok("journal list -o json").await.stdout));
}

#[tokio::test]
async fn two_runs_at_once_do_not_meet() {
    let world = three().await;
    let (one, two): (Ran, Ran) = tokio::join!(world.run(RENAME), world.run(RENAME));
    let mut codes = [one.code, two.code];
    codes.sort_unstable();
    assert!(codes == [0, 7] || codes == [7, 7], "{one:?} {two:?}");
    if codes[0] == 7 {
        world.ok(RENAME).await;
    }
    assert_eq!(standing(&world).await, expected("cooler-cats"));
}

#[tokio::test]
async fn another_rename_does_not_begin_before_the_first_has_ended() {
    let world = three().await;
    world.fault("500#2@PUT/access/organizations");
    world.fails(&format!("{RENAME} --max-retries 0"), 12).await;
    let error = world.fails("team rename wild-cats --idps-updated --yes", 7).await;
    let hint = error["hint"].as_str().unwrap();
    assert!(
        hint.contains("cooler-cats --resume") && hint.contains("wild-cats --resume"),
        "{error}"
    );
    world.ok(&format!("team rename wild-cats --resume {ON}")).await;
    assert_eq!(standing(&world).await, expected("wild-cats"));
}

#[tokio::test]
async fn enforcement_stays_off_where_asked() {
    let world = three().await;
    let report = world.ok(&format!("{RENAME} --no-enable -o json")).await.json();
    assert!(report["next"].as_str().unwrap().contains("cfsso connector enable cool.cats"));
    assert!(world.connectors().await.iter().all(|it| it["enabled"] == false));
}

#[tokio::test]
async fn the_journal_reads_as_a_change_record() {
    let world = three().await;
    world.ok(RENAME).await;
    let entries = world.ok("journal list -o json").await.json();
    let run = entries.as_array().unwrap().last().unwrap()["run"].as_str().unwrap().to_owned();
    let text = world.ok(&format!("journal show {run} --markdown")).await.stdout;
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with("| 2026")).collect();
    for title in [
        "rename the team cool-cats to cooler-cats: saved state | - |",
        "disable SSO for cool.cats | `PATCH",
        "delete the connector of cool.dogs | `DELETE",
        "rename the team cool-cats to cooler-cats | `PUT",
        "show the new URLs for Company SSO | - |",
        "Company SSO: updated (by `--idps-updated`) | - |",
        "test the identity providers | - |",
        "create the connector of mail.cool.cats | `POST",
        "enable SSO for cool.cats | `PATCH",
        "done: the team is cooler-cats; SSO was off for",
    ] {
        assert!(rows.iter().any(|row| row.contains(title)), "{title}\n{}", rows.join("\n"));
    }
    let note = entries.as_array().unwrap().iter().find(|entry| entry["run"] == run).unwrap();
    assert_eq!(note["before"]["connectors"].as_array().unwrap().len(), 3);
    assert!(note["irreversible_reason"].as_str().unwrap().contains("note"), "{note}");
}

#[tokio::test]
async fn a_rollback_before_any_deletion_promises_no_new_codes() {
    let world = World::new().await.enabled().await;
    world.fault("500x*@DELETE");
    world.fails("team rename cooler-cats --idps-updated --yes --max-retries 0", 12).await;
    let ran = world.ok("team rename --rollback --dry-run").await;
    assert!(ran.screen.contains("enable 1 of 1 connector"), "{}", ran.screen);
    for words in ["recreate", "verification code", "up to two days", "new TXT records"] {
        assert!(!ran.screen.contains(words), "{words}: {}", ran.screen);
    }
    let plan = world.ok("team rename --rollback --dry-run -o json").await.stdout;
    assert!(plan.contains("enable SSO for cool.cats"), "{plan}");
}

#[tokio::test]
async fn a_rename_of_another_account_is_not_taken_up() {
    let world = World::new().await.enabled().await;
    world.run("team rename cooler-cats --idps-updated --yes --timeout 2m").await;
    let other = "f".repeat(32);
    for how in ["--resume", "--rollback"] {
        let line = format!("--account {other} team rename {how} --yes -o json");
        let (ran, requests) = world.requests_of(&line).await;
        assert_eq!((ran.code, requests), (7, Vec::new()), "{ran:?}");
        let hint = format!("--account {}", world.sandbox.account());
        assert!(ran.error()["hint"].as_str().unwrap().contains(&hint), "{ran:?}");
    }
}

#[tokio::test]
async fn a_rename_is_not_undone_write_by_write() {
    let world = three().await;
    world.ok("idp update oidc --name Staff --yes").await;
    let last_write = async |world: &World| {
        let entries = world.ok("journal list -o json").await.json();
        let is_undoable = |entry: &&Value| {
            let is_part = |reason: &str| reason.contains("part of a team rename");
            entry["irreversible_reason"].as_str().is_some_and(is_part)
        };
        let entry = entries.as_array().unwrap().iter().rev().find(is_undoable).unwrap();
        ["run", "id"].map(|name| entry[name].as_str().unwrap().to_owned())
    };
    for is_complete in [false, true] {
        if is_complete {
            world.ok(RENAME).await;
        } else {
            world.fault("500#2@PUT/access/organizations");
            world.fails(&format!("{RENAME} --max-retries 0"), 12).await;
        }
        let (before, writes) = (standing(&world).await, world.writes());
        let [run, entry] = last_write(&world).await;
        for line in [
            "journal undo".to_owned(),
            format!("journal undo {run} --force"),
            format!("journal undo {entry} --dry-run"),
        ] {
            let error = world.fails(&format!("{line} --yes"), 11).await;
            assert_eq!(error["hint"], "`cfsso team rename cooler-cats --rollback`", "{line}");
        }
        assert_eq!((standing(&world).await, world.writes()), (before, writes));
    }
    world.ok(&format!("team rename cooler-cats --rollback {ON}")).await;
    let [run, _] = last_write(&world).await;
    let error = world.fails(&format!("journal undo {run} --yes"), 11).await;
    assert_eq!(error["hint"], "`cfsso team rename cooler-cats`", "{error}");
}

#[tokio::test]
async fn a_token_that_cannot_rename_the_team_deletes_nothing() {
    const PROVIDERS_READ: &str = "26bc23f853634eb4bff59983b9064fde";
    const CONNECTOR_WRITE: &str = "901ca5e292584c6aa1b4cdb39248bb07";
    let world = three().await;
    let key = format!("com.cloudflare.api.account.{}", world.sandbox.account());
    let groups = [PROVIDERS_READ, CONNECTOR_WRITE].map(|id| json!({ "id": id }));
    let body = json!({
        "name": "no rename",
        "policies": [{ "effect": "allow", "permission_groups": groups, "resources": { key: "*" } }],
    });
    let path = format!("POST /accounts/{}/tokens", world.sandbox.account());
    let token = ask(&world.sandbox, Access::Full, &path, Some(body)).await.result();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", token["value"].as_str().unwrap());
    let error = world.fails("team rename cooler-cats --idps-updated --yes", 5).await;
    let permission = "Access: Organizations, Identity Providers, and Groups Write";
    assert_eq!(error["required_permission"], permission, "{error}");
    assert!(error["causes"].to_string().contains("no connector was disabled"), "{error}");
    assert_eq!(standing(&world).await, expected("cool-cats"));
    assert_eq!(world.ok("status -o json").await.json()["rename"], Value::Null);
}

#[tokio::test]
async fn records_that_cannot_be_published_are_refused_before_anything_is_disabled() {
    let world = World::new().await;
    world.run("setup cool.dogs --no-wait").await;
    world.sandbox.publish("cool.dogs", &code_of(&world).await).await.unwrap();
    world.ok("setup cool.dogs --enable --yes").await;
    let writes = world.writes();
    let line = "team rename cooler-cats --publish-txt --idps-updated --yes --timeout 2m";
    let error = world.fails(line, 11).await;
    assert!(error["causes"][0].as_str().unwrap().contains("txt-can-be-published"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("--accept-risk txt-can-be"), "{error}");
    assert_eq!(world.writes(), writes);
    let ran = world.run(&format!("{line} --accept-risk txt-can-be-published")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    // Once SSO is off, there is nothing left to protect.
    world.sandbox.publish("cool.dogs", &code_of(&world).await).await.unwrap();
    world.ok(line).await;
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

#[tokio::test]
async fn a_rename_that_stopped_on_another_machine_is_not_taken_for_done() {
    for (fault, is_renamed) in [("500#2@PUT/access/organizations", false), ("no-keys#2", true)] {
        let world = three().await;
        world.fault(fault);
        world.fails(&format!("{RENAME} --max-retries 0"), 12).await;
        let other = tempfile::tempdir().unwrap();
        let world = world.with_env("CFSSO_JOURNAL", other.path().to_str().unwrap());
        let writes = world.writes();
        for dry in ["", "--dry-run"] {
            let error = world.fails(&format!("{RENAME} {dry}"), 11).await;
            let resume = "`cfsso team rename cooler-cats --resume --domains <DOMAIN>,<DOMAIN>`";
            assert!(error["hint"].as_str().unwrap().contains(resume), "{error}");
        }
        let resume = "team rename cooler-cats --resume --domains cool.cats,mail.cool.cats";
        let shown = world.ok(&format!("{resume} {ON} --dry-run")).await.screen;
        let shown = shown.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(shown.contains("cool.cats unknown unknown unknown"), "{shown}");
        assert!(shown.contains("will be enabled for cool.cats, mail.cool.cats"), "{shown}");
        assert_eq!(shown.contains(" was https://cool-cats."), !is_renamed, "{shown}");
        assert!(!shown.contains("old-name"), "{shown}");
        if is_renamed {
            world.ok(&format!("{RENAME} --accept-risk connectors-present")).await;
        }
        assert_eq!(world.writes(), writes);
        world.ok(&format!("{resume} {ON}")).await;
        let connectors = standing(&world).await.1;
        assert!(connectors.iter().all(|it| it.1 == json!(true)), "{connectors:?}");
    }
}
