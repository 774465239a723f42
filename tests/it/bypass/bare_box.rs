//! Scenes of `cfsso bypass` where no journal can be kept: nothing is sent, and
//! `--no-journal` does without. A full disk is among the unit tests: it takes a
//! writer that fails.

use std::path::Path;

use serde_json::{Value, json};

use super::{COMPANY, locked};
use crate::harness::World;

/// Worlds whose journal cannot be written, and what they are called.
async fn read_only() -> Vec<(&'static str, World, tempfile::TempDir)> {
    let mut worlds = Vec::new();
    for place in ["below a file", "no folder for a home", "without the right to write"] {
        let dir = tempfile::tempdir().unwrap();
        let world = locked().await;
        let world = match place {
            "below a file" => {
                let file = dir.path().join("file");
                std::fs::write(&file, "").unwrap();
                world.with_env("CFSSO_JOURNAL", &file.join("x").display().to_string())
            }
            "no folder for a home" => {
                world.with_env("CFSSO_JOURNAL", "").with_env("HOME", "/dev/null")
            }
            _ if !is_shut(dir.path()) => continue,
            _ => world
                .with_env("CFSSO_JOURNAL", "")
                .with_env("XDG_STATE_HOME", &dir.path().display().to_string()),
        };
        worlds.push((place, world, dir));
    }
    worlds
}

/// Takes the right to write away, and tells whether that holds: root has it all
/// the same.
fn is_shut(dir: &Path) -> bool {
    let mut permissions = std::fs::metadata(dir).unwrap().permissions();
    permissions.set_readonly(true);
    std::fs::set_permissions(dir, permissions).unwrap();
    std::fs::write(dir.join("probe"), "").is_err()
}

fn printed(stdout: &str) -> Vec<Value> {
    let mut tickets = stdout.lines().rev().filter(|line| line.starts_with('{'));
    let last: Value = serde_json::from_str(tickets.next().unwrap()).unwrap();
    let records = last["records"].as_array().unwrap().iter();
    records.filter(|record| record["started"].is_object()).map(|it| it["started"].clone()).collect()
}

#[tokio::test]
async fn a_read_only_home_stops_the_write_and_no_journal_does_without() {
    for (place, world, _dir) in read_only().await {
        let before = world.sandbox.snapshot();
        let writes = world.writes().len();
        for option in ["bypass otp", "bypass disable --all", "bypass disable cool.cats"] {
            let error = world.fails(&format!("{option} --yes"), 1).await;
            assert_eq!(error["kind"], "journal", "{place} {option}");
            let message = error["message"].as_str().unwrap();
            assert!(message.contains("nothing was sent"), "{place} {option}: {error}");
            let hint = error["hint"].as_str().unwrap();
            let without = format!("`cfsso {option} --no-journal`");
            assert!(hint.contains(&without), "{place} {option}: {error}");
        }
        assert_eq!(world.writes().len(), writes, "{place}");
        assert_eq!(world.sandbox.snapshot(), before, "{place}");

        let ran = world.ok("bypass otp --yes --no-journal").await;
        let lines = printed(&ran.stdout);
        assert_eq!(lines.len(), 2, "{place} {ran:?}");
        assert_eq!(lines[0]["request"]["method"], "POST", "{place}");
        assert_eq!(lines[1]["before"]["allowed_idps"], json!([COMPANY]), "{place}");
        assert_eq!(lines[1]["before"]["auto_redirect_to_identity"], true, "{place}");

        let ran = world.ok("bypass disable --all --yes --no-journal").await;
        let lines = printed(&ran.stdout);
        assert_eq!(lines.len(), 1, "{place} {ran:?}");
        assert_eq!(lines[0]["before"]["enabled"], true, "{place}");
        assert_eq!(world.connectors().await[0]["enabled"], false, "{place}");
    }
}

/// What `--no-journal` says puts it back does put it back.
#[cfg(unix)]
#[tokio::test]
async fn a_journal_that_others_can_change_names_what_ends_that_and_what_does_without() {
    use std::os::unix::fs::PermissionsExt as _;

    let world = locked().await;
    let dir = world.journal.path().join("shared");
    std::fs::create_dir(&dir).unwrap();
    std::fs::set_permissions(&dir, std::fs::Permissions::from_mode(0o770)).unwrap();
    let world = world.with_env("CFSSO_JOURNAL", &dir.display().to_string());
    let writes = world.writes();
    for line in ["bypass otp", "bypass disable cool.cats"] {
        let error = world.fails(&format!("{line} --yes"), 1).await;
        let hint = error["hint"].as_str().unwrap();
        for words in [format!("cfsso {line} --no-journal"), format!("chmod go-w {}", dir.display())]
        {
            assert!(hint.contains(&format!("`{words}`")), "{error}");
        }
        assert!(!hint.contains("alternative"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    world.ok("bypass disable cool.cats --no-journal --yes").await;
}

#[tokio::test]
async fn what_was_done_without_a_journal_can_be_put_back_by_hand() {
    let world = locked().await;
    let before = world.sandbox.snapshot();
    let kept = world.journal.path().join("kept").display().to_string();
    let bare = world.with_env("CFSSO_JOURNAL", "").with_env("HOME", "/dev/null");
    let mut lines = Vec::new();
    for line in ["bypass otp --yes --no-journal", "bypass disable --all --yes --no-journal"] {
        let report = bare.ok(&format!("{line} -o json")).await.stdout;
        // The state before comes first, a line each.
        let from = report.find("{\n").unwrap();
        let report: Value = serde_json::from_str(&report[from..]).unwrap();
        let undo = report["undo_command"].as_array().unwrap().iter();
        let commands = undo.map(|it| it.as_str().unwrap().to_owned());
        lines.extend(commands.collect::<Vec<_>>());
    }
    let world = bare.with_env("CFSSO_JOURNAL", &kept);
    // What refuses to leave no way in comes after the enforcement it is about.
    for line in &lines {
        world.ok(&format!("{} --yes", line.strip_prefix("cfsso ").unwrap())).await;
    }
    assert_eq!(world.sandbox.snapshot(), before, "{lines:?}");
}

#[tokio::test]
async fn a_ticket_is_undone_without_a_journal_and_says_what_is_not_recorded() {
    for bypass in ["otp", "disable --all"] {
        for (place, world, _dir) in read_only().await {
            let before = world.sandbox.snapshot();
            let printed = world.ok(&format!("bypass {bypass} --yes --no-journal")).await.stdout;
            let world = world.with_input(&printed);
            let ran = world.ok("bypass undo --ticket - --yes").await;
            assert_eq!(world.sandbox.snapshot(), before, "{place} {bypass}");
            assert!(ran.stderr.contains("not recorded in the journal: "), "{place} {ran:?}");
        }
    }
}
