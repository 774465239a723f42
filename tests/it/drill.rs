//! Scenes of `cfsso drill`: what it plays, what it takes for proven, and that
//! nothing of anybody's is touched.

use std::path::{Path, PathBuf};

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::schema::assert_conforms;

/// Every file below `dir`.
fn files(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn column<'a>(report: &'a Value, name: &str) -> Vec<&'a Value> {
    report["steps"].as_array().unwrap().iter().map(|step| &step[name]).collect()
}

fn assert_is_a_drill(result: &Value, schema: &Value) {
    assert_conforms(schema, result);
}

#[tokio::test]
async fn every_step_is_seen_and_counted() {
    let world = World::new().await;
    let report = world.ok("drill --unattended -o json").await.json();
    assert_is_a_drill(&report, &world.ok("schema drill -o json").await.json());
    assert_eq!((&report["ok"], &report["target"]), (&json!(true), &json!("simulator")));
    let commands = column(&report, "command");
    assert_eq!(
        commands,
        [
            "cfsso setup cool.cats --publish-txt",
            "cfsso app instant-auth on --only oidc --yes",
            "cfsso enable cool.cats --trial --yes",
            "cfsso enable cool.cats --trial --yes",
            "cfsso idp check oidc",
            "cfsso bypass otp --yes",
            "cfsso bypass undo --yes",
            "cfsso bypass disable --all --yes",
            "cfsso bypass undo --yes",
            "cfsso idp check oidc",
        ]
    );
    // The fewest that a recovery can take: see the scenes of `bypass`.
    let counts = |at: usize| (&report["steps"][at]["requests"], &report["steps"][at]["writes"]);
    assert_eq!(counts(5), (&json!(5), &json!(2)));
    assert_eq!(counts(7), (&json!(2), &json!(1)));
    let seen: Vec<_> =
        column(&report, "observed").into_iter().map(|it| it.as_str().unwrap()).collect();
    let ways = [
        "with a password",
        "with a password",
        "no user could sign in. SSO off, sign-in with a password",
        "a user signed in. SSO on, sign-in through Company SSO",
        "no sign-in possible",
        "with a one-time PIN",
        "no sign-in possible",
        "with a password",
        "no sign-in possible",
        "through Company SSO",
    ];
    for (at, (seen, way)) in seen.iter().zip(ways).enumerate() {
        assert!(seen.contains(way), "{at} {seen}");
        let is_before = [2, 4, 6, 8, 9].contains(&at);
        assert_eq!(seen.contains("everything else unchanged"), is_before, "{at} {seen}");
    }
    let sum: u64 = column(&report, "requests").into_iter().map(|it| it.as_u64().unwrap()).sum();
    assert_eq!(report["requests"], sum);
    // What the simulator waits for is no time of the person's.
    assert_eq!(report["duration_ms"], 0, "{report}");
}

#[tokio::test]
async fn nothing_of_anybodys_is_touched() {
    let home = tempfile::tempdir().unwrap();
    let dir = home.path().display().to_string();
    let state = home.path().join("state.json").display().to_string();
    let world = World::new().await.with_env("XDG_STATE_HOME", &dir);
    for line in [
        "drill --unattended".to_owned(),
        format!("drill --unattended --sandbox --sandbox-state {state}"),
        // Not even where the options would have nothing written, or name others.
        "drill --unattended --dry-run --account 0123456789abcdef0123456789abcdef".to_owned(),
    ] {
        let ran = world.ok(&line).await;
        assert!(ran.stdout.contains("All 10 steps passed in"), "{ran:?}");
    }
    assert_eq!(world.requests(), [""; 0], "the API of the environment was not asked");
    assert_eq!(files(world.journal.path()), Vec::<PathBuf>::new());
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
}

#[tokio::test]
async fn a_step_that_fails_ends_it_and_is_told() {
    let world = World::new().await;
    for (fault, at, cause) in [
        ("500x*@POST", 0, "Internal server error"),
        ("no-keysx*", 1, "does not work"),
        ("500x*@PATCH", 2, "Internal server error"),
        ("500#2x*@PATCH", 2, "Internal server error"),
        ("500#2x*@PUT", 5, "does not allow it yet"),
        ("500#3x*@PUT", 6, "Internal server error"),
        ("500#4x*@PATCH", 7, "Internal server error"),
    ] {
        let ran =
            world.run(&format!("drill --unattended --fault {fault} --max-retries 0 -o json")).await;
        assert_eq!(ran.code, 1, "{fault} {ran:?}");
        let report = ran.json();
        assert_eq!(report["ok"], false);
        let steps = report["steps"].as_array().unwrap();
        assert_eq!(steps.len(), at + 1, "{fault} {report:#}");
        assert_eq!(steps[at]["state"], "failed", "{fault}");
        assert!(steps[at]["exit_code"].is_number(), "{fault} {report:#}");
        assert!(steps[..at].iter().all(|step| step["state"] == "done"), "{fault}");
        let error = ran.error();
        let told = error["causes"].to_string();
        assert!(told.contains(cause), "{fault} {told}");
        let command = steps[at]["command"].as_str().unwrap();
        assert_eq!(error["message"], format!("the drill failed at `{command}`"));
    }
}

/// The answers are good and the identity provider is not: only reading back
/// tells.
#[tokio::test]
async fn what_is_not_seen_is_not_claimed() {
    let world = World::new().await;
    // The looks before are the commands' own and those after them, and find nothing wrong.
    let ran = world.run("drill --unattended --fault no-keys#5x* -o json").await;
    assert_eq!(ran.code, 1, "{ran:?}");
    let report = ran.json();
    let last = report["steps"].as_array().unwrap().last().unwrap();
    assert_eq!(last["command"], "cfsso enable cool.cats --trial --yes");
    assert!(
        last["observed"].as_str().unwrap().contains("no sign-in possible; expected:"),
        "{last}"
    );
}

#[tokio::test]
async fn events_come_as_they_happen() {
    let world = World::new().await;
    let ran = world.ok("drill -o ndjson").await;
    let lines: Vec<Value> =
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    assert_eq!((of("act"), of("step"), lines.len()), (6, 10, 17));
    assert_eq!(lines[0], json!({"event": "act", "act": "Set-up"}));
    assert_eq!(lines[16]["schema"], "cfsso/drill/v1");
}

#[tokio::test]
async fn somebody_who_reads_along_leads_from_act_to_act() {
    let world = World::new().await.with_person("\n\n\n\n\n");
    let ran = world.ok("drill").await;
    assert_eq!(ran.stderr.matches("for the next phase:").count(), 5, "{ran:?}");
    for line in ["drill --unattended", "drill --yes", "drill -o json"] {
        let ran = world.ok(line).await;
        assert!(!ran.stderr.contains("next phase"), "{line} {ran:?}");
    }
    let ran = World::new().await.with_person("\n").run("drill").await;
    assert_eq!(ran.code, 3, "{ran:?}");
    assert!(ran.stderr.contains("stopped after phase 2 of 6"), "{ran:?}");
    assert!(ran.stderr.contains("`cfsso drill --unattended`"), "{ran:?}");
    // Nobody reads along where there is no terminal, and nothing is at stake.
    assert!(!World::new().await.ok("drill").await.stderr.contains("next phase"));
}

#[tokio::test]
async fn a_practice_without_a_repair_ends_at_its_time_limit() {
    let world = World::new().await;
    for (limit, seconds) in [(" --timeout 2s", 2), ("", 1800)] {
        let start = world.clock.now();
        let error = world.fails(&format!("drill --scenario idp-deleted{limit}"), 8).await;
        assert_eq!(start.duration_until(world.clock.now()).as_secs(), seconds, "{error}");
        let message = error["message"].as_str().unwrap();
        assert_eq!(message, "tom@cool.cats still cannot sign in: time limit reached");
    }
}

#[tokio::test]
async fn against_the_account_it_reads_and_writes_nothing() {
    let world = World::new().await.enabled().await;
    let journal = |world: &World| {
        let mut all = files(world.journal.path());
        all.sort();
        all.into_iter().map(|file| (std::fs::read(&file).unwrap(), file)).collect::<Vec<_>>()
    };
    let (before, kept) = (world.sandbox.snapshot(), journal(&world));
    let (ran, requests) = world.requests_of("drill --against-profile -o json").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:#?}");
    let report = ran.json();
    assert_is_a_drill(&report, &world.ok("schema drill -o json").await.json());
    assert_eq!((&report["ok"], &report["target"]), (&json!(true), &json!("account")));
    assert_eq!(
        column(&report, "command"),
        [
            "cfsso status",
            "cfsso preflight cool.cats",
            "cfsso bypass otp --dry-run",
            "cfsso bypass disable --all --dry-run",
        ]
    );
    let results = column(&report, "result");
    assert_eq!(results[0]["schema"], "cfsso/status/v1");
    assert_eq!(results[1]["schema"], "cfsso/preflight/v1");
    assert_eq!(results[2]["changes"][0]["request"]["method"], "POST");
    assert_eq!(results[3]["changes"][0]["diff"][0]["field"], "enabled");
    assert!(column(&report, "requests").into_iter().all(|count| count.as_u64() > Some(0)));
    assert_eq!(world.sandbox.snapshot(), before);
    assert_eq!(journal(&world), kept);
    let shown = world.ok("drill --against-profile").await.stdout;
    for line in ["PATCH /accounts/", "{\"enabled\":false}", "nothing was written"] {
        assert!(shown.contains(line), "{line} {shown}");
    }
}

/// A run that ended early is told of, and its place in the journal is left.
#[tokio::test]
async fn against_the_account_unfinished_entries_stay_where_they_are() {
    let world = World::new().await.enabled().await;
    let open = world.journal.path().join("open");
    let run = files(&world.journal.path().join("runs")).remove(0);
    let text = std::fs::read_to_string(&run).unwrap();
    let half = open.join(run.file_name().unwrap());
    std::fs::write(&half, format!("{}\n", text.lines().next().unwrap())).unwrap();
    let ran = world.ok("drill --against-profile").await;
    assert!(ran.stderr.contains("an earlier run was interrupted"), "{ran:?}");
    assert_eq!(files(&open), [half]);
}

#[tokio::test]
async fn against_the_account_what_may_not_be_read_fails_and_the_rest_is_read() {
    let world = World::new().await.enabled().await.with_token(Access::ConnectorOnly);
    let ran = world.run("drill --against-profile -o json").await;
    assert_eq!(ran.code, 5, "{ran:?}");
    let report = ran.json();
    assert_eq!(column(&report, "state"), ["done", "done", "failed", "done"]);
    assert_eq!(report["steps"][2]["exit_code"], 5);
    assert_eq!(ran.error()["required_permission"].as_str().map(str::is_empty), Some(false));

    let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "");
    assert_eq!(world.fails("drill --against-profile", 4).await["exit_code"], 4);
}
