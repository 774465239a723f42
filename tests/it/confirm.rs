//! Scenes of confirmation and dry runs: nothing is written before somebody
//! meant it.

use cfsso::sandbox::Access;
use serde_json::json;

use crate::harness::World;

/// The commands that ask, in a world where the domain is verified, and what
/// has to be done first.
const ASKING: [(&str, Option<&str>); 5] = [
    ("connector enable cool.cats", None),
    ("setup cool.cats --enable", None),
    ("connector disable cool.cats", Some("enable cool.cats --yes")),
    ("connector delete cool.cats", None),
    ("connector delete cool.cats --disable-first", Some("enable cool.cats --yes")),
];

async fn ready(first: Option<&str>) -> World {
    let world = World::new().await.verified().await;
    if let Some(line) = first {
        world.ok(line).await;
    }
    world
}

#[tokio::test]
async fn without_a_terminal_nothing_is_asked_and_nothing_is_written() {
    for (line, first) in ASKING {
        let world = ready(first).await;
        let writes = world.writes();
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!((ran.code, ran.stdout.as_str()), (3, ""), "{line}: {ran:?}");
        let error = ran.error();
        assert_eq!(error["kind"], "declined", "{line}");
        assert!(error["hint"].as_str().unwrap().contains("`--confirm cool.cats`"), "{error}");
        assert_eq!(world.writes(), writes, "{line}");
    }
}

#[tokio::test]
async fn a_confirmation_of_another_domain_is_none() {
    for (line, first) in ASKING {
        let world = ready(first).await;
        let writes = world.writes();
        let error = world.fails(&format!("{line} --confirm cool.dogs"), 3).await;
        assert!(error["message"].as_str().unwrap().contains("cool.dogs"), "{error}");
        assert!(error["hint"].as_str().unwrap().contains("`--confirm cool.cats`"), "{error}");
        assert_eq!(world.writes(), writes, "{line}");
    }
    let world = World::new().await;
    assert_eq!(world.run("enable cool.cats --yes --confirm cool.cats").await.code, 2);
}

#[tokio::test]
async fn setup_that_cannot_ask_at_its_end_does_not_begin() {
    let world = World::new().await;
    let error = world.fails("setup cool.cats --publish-txt --enable", 3).await;
    assert!(error["hint"].as_str().unwrap().contains("--confirm cool.cats"), "{error}");
    assert_eq!(world.writes(), [""; 0]);
    assert_eq!(world.run("setup cool.cats --enable --confirm cool.dogs").await.code, 3);
    assert_eq!(world.writes(), [""; 0]);
}

#[tokio::test]
async fn setup_that_has_nothing_to_ask_needs_no_confirmation() {
    let world = World::new().await.enabled().await;
    let writes = world.writes();
    let again = world.ok("setup cool.cats --publish-txt --enable -o json").await.json();
    assert_eq!(again["ok"], true);
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_person_types_the_domain() {
    for (line, first) in ASKING {
        for typed in ["cool.cats\n", "COOL.cats.\r\n"] {
            let world = ready(first).await.with_person(typed);
            let ran = world.ok(line).await;
            assert!(ran.stderr.contains("Type cool.cats to "), "{line}: {ran:?}");
        }
    }
}

#[tokio::test]
async fn a_wrong_answer_is_shown_and_asked_again_three_times_in_all() {
    let world = World::new().await.enabled().await.with_person("y\n\u{1b}[Acool.cats\ncool.cats\n");
    let ran = world.ok("disable cool.cats").await;
    assert_eq!(ran.stderr.matches("Type cool.cats to ").count(), 3, "{ran:?}");
    assert!(ran.stderr.contains("got `y`"), "{ran:?}");
    assert!(ran.stderr.contains(r"got `\u{1b}[Acool.cats`"), "{ran:?}");
    let world = World::new().await.enabled().await.with_person("a\nb\nc\ncool.cats\n");
    let ran = world.run("disable cool.cats").await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert_eq!(world.connectors().await[0]["enabled"], true);
}

#[tokio::test]
async fn anything_else_that_a_person_types_is_a_no() {
    for (line, first) in ASKING {
        for typed in ["", "\n", "y\n", "yes\n", "cool.dogs\n", "cool.cats.evil\n"] {
            let world = ready(first).await.with_person(typed);
            let writes = world.writes();
            let ran = world.run(line).await;
            assert_eq!(ran.code, 3, "{line} {typed:?}: {ran:?}");
            assert!(ran.stderr.contains("declined: expected"), "{line} {typed:?}: {ran:?}");
            assert!(ran.stderr.contains("and type `cool.cats`"), "{line} {typed:?}: {ran:?}");
            assert_eq!(world.writes(), writes, "{line} {typed:?}");
        }
    }
}

#[tokio::test]
async fn a_declined_setup_says_at_which_step() {
    let world = World::new().await.with_person("no\n");
    let ran = world.run("setup cool.cats --publish-txt --enable -o json").await;
    assert_eq!(ran.code, 3, "{ran:?}");
    let report = ran.json();
    let last = report["steps"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["id"], &last["state"]), (&json!("enable"), &json!("blocked")));
    assert_eq!(world.connectors().await[0]["enabled"], false);
}

/// Every command that writes, with a dry run's method, path end and difference.
const WRITING: [(&str, &str, &str); 9] = [
    ("create cool.dogs", "POST", "email_domain"),
    ("connector update cool.cats --fedramp", "PATCH", "use_fedramp_language"),
    ("connector verify cool.eels", "POST", "verification.status"),
    ("enable cool.cats", "PATCH", "enabled"),
    ("setup cool.cats --enable", "PATCH", "enabled"),
    ("setup mail.cool.cats --publish-txt --enable", "POST", "email_domain"),
    ("connector delete cool.cats", "DELETE", "id"),
    ("disable cool.fish", "PATCH", "enabled"),
    ("connector delete cool.fish --disable-first", "PATCH", "enabled"),
];

async fn with_everything() -> World {
    let world = World::new().await.verified().await;
    for (domain, verbs) in [
        ("cool.eels", &[][..]),
        ("cool.fish", &["verify cool.fish --wait", "enable cool.fish --yes"][..]),
    ] {
        let made = world.ok(&format!("create {domain} --no-verification -o json")).await.json();
        let code = made["verification"]["code"].as_str().unwrap();
        world.sandbox.publish(domain, code).await.unwrap();
        for verb in verbs {
            world.ok(verb).await;
        }
    }
    world
}

#[tokio::test]
async fn a_dry_run_shows_the_requests_and_the_difference_and_writes_nothing() {
    let world = with_everything().await;
    let writes = world.writes();
    for (line, method, field) in WRITING {
        // Nobody is asked either: there is no terminal here.
        let plan = world.ok(&format!("{line} --dry-run -o json")).await.json();
        assert_eq!(plan["schema"], "cfsso/plan/v1");
        let change = &plan["changes"][0];
        assert_eq!(change["request"]["method"], method, "{line}: {plan:#}");
        assert!(change["request"]["path"].as_str().unwrap().starts_with("/accounts/"), "{line}");
        assert_eq!(change["diff"][0]["field"], field, "{line}: {plan:#}");
        assert_ne!(change["diff"][0]["before"], change["diff"][0]["after"], "{line}");
        let text = world.ok(&format!("{line} --dry-run")).await.stdout;
        assert!(text.contains(&format!("  {method} /accounts/")), "{line}: {text}");
        assert!(text.contains(&format!("{field}: ")), "{line}: {text}");
        let ran = world.run(&format!("{line} --dry-run --detailed-exitcode -o json")).await;
        assert_eq!((ran.code, ran.stderr.as_str()), (10, ""), "{line}: {ran:?}");
    }
    assert_eq!(world.writes(), writes);
    assert_eq!(world.run("enable cool.cats --detailed-exitcode").await.code, 2);
}

#[tokio::test]
async fn a_dry_run_of_what_is_so_already_finds_nothing_to_change() {
    let world = World::new().await.enabled().await;
    for line in [
        "setup cool.cats --publish-txt --enable",
        "connector update cool.cats --no-fedramp",
        "enable cool.cats",
        "verify cool.cats",
        "create cool.cats --if-not-exists",
    ] {
        let ran = world.run(&format!("{line} --dry-run --detailed-exitcode -o json")).await;
        assert_eq!(ran.code, 0, "{line}: {ran:?}");
        assert_eq!(ran.json()["schema"], "cfsso/plan/v1", "{line}: {ran:?}");
        assert_eq!(ran.json()["changes"], json!([]), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn a_dry_run_refuses_what_the_run_would_refuse() {
    let world = World::new().await;
    world.ok("create cool.cats --no-verification").await;
    for (line, code) in [
        ("enable cool.cats", 11),
        ("create cool.cats", 7),
        ("create gmail.com", 11),
        ("connector verify cool.cats", 8),
        ("connector get nowhere.cats", 6),
    ] {
        for flags in ["--dry-run", "--dry-run --detailed-exitcode"] {
            let ran = world.run(&format!("{line} {flags} -o json")).await;
            assert_eq!(ran.code, code, "{line} {flags}: {ran:?}");
            assert_eq!(ran.error()["exit_code"], code, "{line}");
        }
    }
}

#[tokio::test]
async fn a_dry_run_of_set_up_ends_where_the_run_ends() {
    let titles = async |world: &World, options: &str, code: u8| {
        let ran = world.run(&format!("setup cool.cats {options} --dry-run -o json")).await;
        assert_eq!(ran.code, code, "{options} {ran:?}");
        let changes = ran.json()["changes"].as_array().unwrap().clone();
        changes.len()
    };
    for (options, count) in [
        ("--publish-txt --enable", 4),
        ("--publish-txt --enable --no-wait", 2),
        ("--enable --no-wait", 1),
    ] {
        assert_eq!(titles(&World::new().await, options, 0).await, count, "{options}");
    }
    let world = World::new().await.verified().await;
    assert_eq!(titles(&world, "--enable --no-wait", 0).await, 1);
    let world = World::new().await;
    world.ok("create cool.cats --no-verification").await;
    assert_eq!(titles(&world, "--enable --no-wait", 0).await, 0);
    assert_eq!(titles(&world, "--publish-txt --enable --no-wait", 0).await, 2);
    // What can be checked before the domain is verified is checked.
    world.ok("idp delete oidc --yes --force").await;
    assert_eq!(titles(&world, "--publish-txt --enable", 11).await, 3);
}

#[tokio::test]
async fn a_dry_run_needs_no_right_to_write() {
    let world = World::new().await.with_token(Access::ReadOnly);
    world.ok("setup cool.cats --publish-txt --enable --dry-run").await;
    world.ok("create cool.cats --dry-run").await;
}

#[tokio::test]
async fn who_is_affected_is_said_before_the_question() {
    for (line, first) in [
        ("connector disable cool.cats", Some("enable cool.cats --yes")),
        ("connector delete cool.cats", None),
    ] {
        let ran = ready(first).await.with_person("cool.cats\n").ok(line).await;
        let note = ran.screen.find("4 members with an address at cool.cats");
        assert!(note.is_some() && note < ran.screen.find("Type cool.cats"), "{}", ran.screen);
    }
    // Without a prompt, the members are not read.
    let world = ready(None).await;
    let (_, requests) = world.requests_of("connector delete cool.cats --yes").await;
    assert!(!requests.iter().any(|request| request.contains("/members")), "{requests:?}");
}
