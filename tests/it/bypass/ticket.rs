//! A bypass on one machine, undone on another by its ticket.

use std::fs;

use serde_json::Value;

use super::{COMPANY, locked};
use crate::harness::World;

/// The same account and server, seen from a machine without that journal.
fn elsewhere(world: World) -> World {
    let other = world.journal.path().join("elsewhere").display().to_string();
    world.with_env("CFSSO_JOURNAL", &other)
}

fn file(world: &World, name: &str) -> String {
    world.journal.path().join(name).display().to_string()
}

#[tokio::test]
async fn both_bypasses_are_undone_on_another_machine_and_only_once() {
    for bypass in ["disable --all", "otp"] {
        let world = locked().await;
        let before = world.sandbox.snapshot();
        let ticket = file(&world, "t.json");
        let made = world.ok(&format!("bypass {bypass} --yes --ticket {ticket} -o json")).await;
        let undo = made.json()["undo_command"].to_string();
        assert!(undo.contains(&format!("bypass undo --ticket {ticket}")), "{undo}");
        let text = fs::read_to_string(&ticket).unwrap();
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["schema"], "cfsso/undo/v1");
        let entry = world.ok("journal list -o json").await.json();
        let entry = entry.as_array().unwrap().last().unwrap();
        assert_eq!(document["run"], entry["run"], "its names are those of the journal");
        assert!(!text.contains("cfut_") && text.len() < 20_000, "{text}");

        let world = elsewhere(world);
        let line = format!("bypass undo --ticket {ticket}");
        world.ok(&format!("{line} --dry-run")).await;
        assert_ne!(world.sandbox.snapshot(), before, "{bypass}");
        world.ok(&format!("{line} --yes")).await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");
        let writes = world.writes();
        world.ok(&format!("{line} --yes")).await;
        assert_eq!(world.writes(), writes, "{bypass}");
    }
}

#[tokio::test]
async fn what_is_printed_without_a_journal_is_a_ticket() {
    for bypass in ["disable --all", "otp"] {
        let world = locked().await.with_env("CFSSO_JOURNAL", "").with_env("HOME", "/dev/null");
        let before = world.sandbox.snapshot();
        let printed = world.ok(&format!("bypass {bypass} --yes --no-journal")).await.stdout;
        let world = elsewhere(world).with_input(&printed);
        world.ok("bypass undo --ticket - --yes").await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");
    }
}

#[tokio::test]
async fn drift_in_between_stops_the_undo_unless_forced() {
    let world = locked().await;
    let ticket = file(&world, "t.json");
    world.ok(&format!("bypass otp --yes --ticket {ticket}")).await;
    world.ok("app idps --only onetimepin --yes").await;
    let world = elsewhere(world);
    let writes = world.writes();
    let error = world.fails(&format!("bypass undo --ticket {ticket} --yes"), 7).await;
    assert!(error["causes"][0].as_str().unwrap().contains("allowed_idps"), "{error}");
    let force = format!("`cfsso bypass undo --ticket {ticket} --force` to override");
    assert_eq!(error["hint"], force);
    assert_eq!(world.writes(), writes);
    world.ok(&format!("bypass undo --ticket {ticket} --yes --force")).await;
    let app = world.ok("app get -o json").await.json();
    assert_eq!(app["allowed_idps"], serde_json::json!([COMPANY]));
}

#[tokio::test]
async fn a_ticket_of_elsewhere_or_a_changed_one_sends_nothing() {
    let world = locked().await;
    let ticket = file(&world, "t.json");
    world.ok(&format!("bypass disable --all --yes --ticket {ticket}")).await;
    let good = fs::read_to_string(&ticket).unwrap();
    let document: Value = serde_json::from_str(&good).unwrap();
    let account = document["account"].as_str().unwrap();
    let base = document["base_url"].as_str().unwrap();
    let world = elsewhere(world);
    let writes = world.writes();
    let changed = file(&world, "changed.json");
    for (text, code, says) in [
        (good.replace(account, &"f".repeat(32)), 7, "it belongs to the account"),
        (good.replace(base, "https://evil.example"), 7, "it was written to the API at"),
        (good.replace("sso_connectors/", "members/"), 11, "is not a resource that cfsso writes"),
        (good.replace("/sso_connectors/", "/sso_connectors/../"), 11, "is not a resource"),
        (good.replace("\"PATCH\"", "\"DELETE\""), 2, "not a change of its bypass"),
        (
            good.replace(r#""body":{"enabled":false}"#, r#""body":{"enabled":true}"#),
            2,
            "not a change",
        ),
        (
            good.replace(r#"{"enabled":false}"#, r#"{"enabled":false,"email_domain":"x"}"#),
            2,
            "not a change of its bypass",
        ),
        (good.replace(r#""run":"#, r#""host":"evil","run":"#), 2, "unknown field `host`"),
        (good.replace(r#""cause":"bypass""#, r#""cause":null"#), 2, "not a change of its bypass"),
        (format!("{good}{}", " ".repeat(20 * 1024 * 1024)), 2, "larger than 1 MiB"),
        ("<html>".to_owned(), 2, "expected value"),
    ] {
        fs::write(&changed, &text).unwrap();
        let error = world.fails(&format!("bypass undo --ticket {changed} --yes"), code).await;
        assert!(error["causes"].to_string().contains(says), "{says}: {error}");
        assert_eq!(world.writes(), writes, "{says}");
    }
    world.fails("bypass undo --ticket /nonexistent/t.json --yes", 2).await;
}

#[tokio::test]
async fn a_ticket_that_leads_to_another_application_sends_nothing() {
    let world = locked().await;
    world.ok("idp create onetimepin").await;
    let ticket = file(&world, "t.json");
    world.ok(&format!("bypass otp --yes --ticket {ticket}")).await;
    let apps = world.ok("app list -o json").await.json();
    let wiki = apps.as_array().unwrap().iter().find(|app| app["name"] == "Wiki").unwrap().clone();
    let mut document: Value = serde_json::from_str(&fs::read_to_string(&ticket).unwrap()).unwrap();
    for record in document["records"].as_array_mut().unwrap() {
        if record["finished"].is_object() {
            record["finished"]["after"] = wiki.clone();
            continue;
        }
        let started = &mut record["started"];
        let id = wiki["id"].as_str().unwrap();
        started["request"]["path"] =
            format!("/accounts/{}/access/apps/{id}", world.sandbox.account()).into();
        started["request"]["body"] = wiki.clone();
        started["before"] = wiki.clone();
        started["before"]["allowed_idps"] = serde_json::json!([COMPANY]);
    }
    fs::write(&ticket, document.to_string()).unwrap();
    let writes = world.writes();
    for force in ["", "--force"] {
        let error = world.fails(&format!("bypass undo --ticket {ticket} --yes {force}"), 11).await;
        assert!(error["causes"].to_string().contains("`Wiki` is not the SSO App"), "{error}");
    }
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_ticket_that_cannot_be_written_stops_the_bypass() {
    let world = locked().await;
    let kept = file(&world, "kept.json");
    fs::write(&kept, "of another bypass").unwrap();
    let writes = world.writes();
    world.fails(&format!("bypass otp --yes --ticket {kept}"), 2).await;
    let folder = world.journal.path().display().to_string();
    world.fails(&format!("bypass otp --yes --ticket {folder}"), 2).await;
    let error = world.fails("bypass otp --yes --ticket /nonexistent/t.json", 1).await;
    assert!(error["message"].as_str().unwrap().contains("nothing was sent"), "{error}");
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("`--ticket -`") && hint.contains("`cfsso bypass otp`"), "{hint}");
    assert_eq!(world.writes(), writes);
    assert_eq!(fs::read_to_string(&kept).unwrap(), "of another bypass");
}

#[tokio::test]
async fn a_bypass_that_changed_nothing_can_be_run_again_as_it_is() {
    for (bypass, fault) in [("disable --all", "500@PATCH"), ("otp", "429@POST")] {
        let world = locked().await;
        let before = world.sandbox.snapshot();
        let ticket = file(&world, "t.json");
        let line = format!("bypass {bypass} --yes --ticket {ticket}");
        world.fault(fault);
        let error = world.fails(&format!("{line} --max-retries 0"), 9).await;
        // A request that failed with 500 may still be applied; one that was rejected is not.
        assert_eq!(fs::exists(&ticket).unwrap(), fault.starts_with("500"), "{bypass}");
        let hint = error["hint"].as_str().unwrap();
        let again = format!("again: `cfsso bypass {bypass} --ticket {ticket}`; alternative: ");
        assert!(hint.starts_with(&again), "{hint}");
        world.ok(&line).await;
        let world = elsewhere(world);
        world.ok(&format!("bypass undo --yes --ticket {ticket}")).await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");

        // As after Ctrl-C: no outcome, and nothing was applied.
        let mut cut: Value = serde_json::from_slice(&fs::read(&ticket).unwrap()).unwrap();
        cut["records"].as_array_mut().unwrap().retain(|record| record["started"].is_object());
        fs::write(&ticket, cut.to_string()).unwrap();
        world.ok(&line).await;
        assert!(!fs::exists(format!("{ticket}.2")).unwrap(), "{bypass}");
        world.ok(&format!("bypass undo --yes --ticket {ticket}")).await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");
    }
}

#[tokio::test]
async fn a_ticket_that_an_undo_needs_is_kept_and_stops_no_bypass() {
    let world = locked().await;
    let before = world.sandbox.snapshot();
    let ticket = file(&world, "t.json");
    world.ok(&format!("bypass otp --yes --ticket {ticket}")).await;
    let kept = fs::read_to_string(&ticket).unwrap();
    let ran = world.ok(&format!("bypass disable --all --yes --ticket {ticket}")).await;
    assert!(ran.stderr.contains("t.json may be needed to undo an earlier bypass"), "{ran:?}");
    assert!(ran.stdout.contains(&format!("bypass undo --ticket {ticket}.2")), "{ran:?}");
    assert_eq!(fs::read_to_string(&ticket).unwrap(), kept);
    let ran = world.ok(&format!("bypass disable --all --yes --ticket {ticket}")).await;
    assert!(!ran.stderr.contains("t.json.3"), "nothing was written: {ran:?}");
    let world = elsewhere(world);
    world.ok(&format!("bypass undo --yes --ticket {ticket}.2")).await;
    world.ok(&format!("bypass undo --yes --ticket {ticket}")).await;
    assert_eq!(world.sandbox.snapshot(), before);
}

#[tokio::test]
async fn of_several_bypasses_in_one_file_all_are_undone() {
    let world = locked().await;
    let before = world.sandbox.snapshot();
    let mut text = String::new();
    for bypass in ["otp", "disable --all"] {
        text += &world.ok(&format!("bypass {bypass} --yes --no-journal")).await.stdout;
    }
    let world = elsewhere(world).with_input(&text);
    world.ok("bypass undo --ticket - --yes").await;
    assert_eq!(world.sandbox.snapshot(), before);
}

#[tokio::test]
async fn without_a_record_here_both_ways_are_named_and_what_looks_like_a_bypass() {
    let world = elsewhere(locked().await);
    world.ok("bypass otp --yes --no-journal").await;
    let error = world.fails("bypass undo --yes", 6).await;
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("`cfsso bypass undo --ticket FILE`"), "{hint}");
    assert!(hint.contains("`cfsso app idps --remove onetimepin`"), "{hint}");
    world.ok("bypass disable --all --yes --no-journal").await;
    let error = world.fails("bypass undo --yes", 6).await;
    let causes = error["causes"].to_string();
    assert!(causes.contains("SSO is disabled for cool.cats; if a bypass"), "{error}");
    // It may be off on purpose.
    assert!(!error["hint"].as_str().unwrap().contains("cfsso enable"), "{error}");
}

#[tokio::test]
async fn an_earlier_bypass_that_was_undone_does_not_hide_a_later_one() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    world.ok("bypass undo --yes").await;
    world.ok("bypass undo --yes").await;
    world.fault("500x2");
    world.fails("bypass undo --yes --max-retries 0", 6).await;
    world.ok("bypass disable --all --yes --no-journal").await;
    let error = world.fails("bypass undo --yes", 6).await;
    assert!(error["hint"].as_str().unwrap().contains("--ticket FILE"), "{error}");
}

/// A pipe that no one writes to does not keep a signal from ending the program.
#[cfg(target_os = "linux")]
#[test]
fn a_ticket_that_never_comes_can_be_interrupted() {
    use std::os::unix::fs::OpenOptionsExt as _;
    use std::process::{Command, Stdio};
    const O_NONBLOCK: i32 = 0o4000;
    let home = tempfile::tempdir().unwrap();
    let fifo = home.path().join("ticket");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let mut child = Command::new(env!("CARGO_BIN_EXE_cfsso"))
        .args(["--sandbox", "bypass", "undo", "--yes", "--ticket"])
        .arg(&fifo)
        .env_clear()
        .env("HOME", home.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // It can be opened like this only once there is a reader.
    let writer = loop {
        let opened = fs::OpenOptions::new().write(true).custom_flags(O_NONBLOCK).open(&fifo);
        match opened {
            Ok(writer) => break writer,
            Err(_) => std::thread::yield_now(),
        }
    };
    assert!(
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap().success()
    );
    assert_eq!(child.wait().unwrap().code(), Some(130));
    drop(writer);
}
