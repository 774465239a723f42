//! The commands of a recovery card, run in a shell by a person without cfsso.

use std::fs;

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::sandbox::client::{ask, ask_text};

const COMPANY: &str = "c001ca75-1d90-4000-8000-000000000001";

/// Numbers that jq 1.6 does not keep, and texts that look like numbers or markup.
const UNKNOWN: &str = r#""n":12345678901234567890123,"f":[1.10,-0.50,1E+2],"t":{"s":"a \"12\" \\ é 7","u":{"v":null}},"number":"number"#;

/// Whether a shell with curl and jq can run a card.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn has_shell() -> bool {
    let missing: Vec<_> = ["sh", "curl", "jq", "sed"]
        .into_iter()
        .filter(|tool| std::process::Command::new(tool).arg("--help").output().is_err())
        .collect();
    if missing.is_empty() {
        return true;
    }
    let reason = format!("the commands of the card need {}: install them", missing.join(", "));
    eprintln!("skipped: {reason}");
    false
}

/// The lines for a shell below a label of a card in Markdown.
fn script(card: &str, label: &str) -> String {
    let (_, rest) = card.split_once(&format!("\n{label}")).unwrap_or_else(|| panic!("{label}"));
    let (_, rest) = rest.split_once("```sh\n").unwrap();
    rest.split_once("\n```").unwrap().0.to_owned()
}

/// The path of the SSO App and its text.
async fn sso_app(world: &World) -> (String, String) {
    let apps = format!("/accounts/{}/access/apps", world.sandbox.account());
    let listed = world.ask(&format!("GET {apps}")).await;
    let app = listed.as_array().unwrap().iter().find(|app| app["type"] == "dash_sso").unwrap();
    let path = format!("{apps}/{}", app["id"].as_str().unwrap());
    let reply = ask(&world.sandbox, Access::Full, &format!("GET {path}"), None).await;
    (path, reply.result_text())
}

/// Locked out: SSO is enabled, and only the identity provider that is down is allowed.
async fn locked(allowed: &str, instant: bool) -> World {
    let world = World::new().await.enabled().await;
    let (path, text) = sso_app(&world).await;
    let text =
        text.replacen(r#""allowed_idps":[]"#, &format!(r#""allowed_idps":{allowed}"#), 1).replacen(
            r#""auto_redirect_to_identity":false"#,
            &format!(r#""auto_redirect_to_identity":{instant}"#),
            1,
        );
    let text = format!(r#"{},{UNKNOWN}"}}"#, text.strip_suffix('}').unwrap());
    let put = ask_text(&world.sandbox, Access::Full, &format!("PUT {path}"), &text).await;
    assert_eq!(put.status, 200, "{}", put.text);
    world.sandbox.take_down("company");
    world
}

/// A folder with the emergency token and a card, and the text of the card.
async fn prepared(world: &World) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name).display().to_string();
    let (token, card) = (file("token"), file("card.md"));
    world.run(&format!("recovery prepare --token-out {token} --card {card} --yes")).await;
    let card = fs::read_to_string(card).unwrap();
    (folder, card)
}

/// Runs blocks of a card in one new shell.
async fn paste(folder: &tempfile::TempDir, card: &str, labels: &[&str]) -> String {
    let lines: Vec<_> = labels.iter().map(|label| script(card, label)).collect();
    let script = format!("set -e\n{}\n", lines.join("\n"));
    let ran = tokio::process::Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path())
        .output()
        .await
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(ran.status.success(), "{script}\n{}{}", text(&ran.stdout), text(&ran.stderr));
    assert_eq!(text(&ran.stderr), "");
    text(&ran.stdout)
}

const START: [&str; 2] = ["Environment:", "Functions:"];

#[tokio::test]
async fn method_1_disables_sso_and_enables_it_again() {
    if !has_shell() {
        return;
    }
    let world = locked(&json!([COMPANY]).to_string(), true).await;
    let (folder, card) = prepared(&world).await;
    let before = world.sandbox.snapshot();
    let of = |label: &'static str| [&START[..], &[label]].concat();
    let printed = paste(&folder, &card, &of("Method 1, with curl:")).await;
    assert_eq!(printed, "true\n");
    assert_eq!(world.connectors().await[0]["enabled"], false);
    let state = paste(&folder, &card, &of("State, with curl:")).await;
    assert!(state.contains(r#"{"email_domain":"cool.cats","enabled":false}"#), "{state}");
    paste(&folder, &card, &of("Undo of method 1, with curl:")).await;
    assert_eq!(world.sandbox.snapshot(), before);
}

#[tokio::test]
async fn method_2_allows_the_pin_and_keeps_every_other_byte_of_the_sso_app() {
    if !has_shell() {
        return;
    }
    for (allowed, instant, has_pin) in
        [(json!([COMPANY]), true, true), (json!([COMPANY]), true, false), (json!([]), false, false)]
    {
        let world = locked(&allowed.to_string(), instant).await;
        if has_pin {
            world.ok("idp create onetimepin").await;
        }
        let (folder, card) = prepared(&world).await;
        assert_eq!(world.run("sandbox login admin@cool.cats").await.code, 10);
        let before = (world.sandbox.snapshot(), sso_app(&world).await.1);
        let of = |label: &'static str| [&START[..], &["Functions for method 2", label]].concat();
        paste(&folder, &card, &of("Method 2, with curl:")).await;
        // Once more, as one does who is not sure: the state before is not lost.
        paste(&folder, &card, &of("Method 2, with curl:")).await;

        let after = sso_app(&world).await.1;
        let app: Value = serde_json::from_str(&after).unwrap();
        let ids = app["allowed_idps"].as_array().unwrap();
        assert_eq!(ids.len(), if allowed == json!([]) { 0 } else { 2 }, "{after}");
        assert_eq!(app["auto_redirect_to_identity"], false);
        assert_eq!(app["policies"].as_array().unwrap().len(), 1);
        let restored =
            after.replacen(&app["allowed_idps"].to_string(), &allowed.to_string(), 1).replacen(
                r#""auto_redirect_to_identity":false"#,
                &format!(r#""auto_redirect_to_identity":{instant}"#),
                1,
            );
        assert_eq!(without_update(&restored), without_update(&before.1));
        world.ok("sandbox login admin@cool.cats --idp onetimepin").await;
        assert_eq!(world.connectors().await[0]["enabled"], true);
        paste(&folder, &card, &of("Undo of method 2, with curl:")).await;
        assert_eq!(world.sandbox.snapshot(), before.0);
    }
}

/// The time of the last change is the API's.
fn without_update(app: &str) -> String {
    let (start, rest) = app.split_once(r#""updated_at":""#).unwrap();
    start.to_owned() + rest.split_once('"').unwrap().1
}

#[tokio::test]
async fn an_error_of_the_api_is_printed_and_changes_nothing() {
    if !has_shell() {
        return;
    }
    let world = locked(&json!([COMPANY]).to_string(), true).await;
    world.ok("idp create onetimepin").await;
    let (folder, card) = prepared(&world).await;
    let before = world.sandbox.snapshot();
    fs::write(folder.path().join("token"), "wrong\n").unwrap();
    for label in ["Method 1, with curl:", "Method 2, with curl:"] {
        let labels = [&START[..], &["Functions for method 2", label]].concat();
        let lines: Vec<_> = labels.iter().map(|label| script(&card, label)).collect();
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", &lines.join("\n")]).current_dir(folder.path());
        let ran = shell.output().await.unwrap();
        assert!(!ran.status.success(), "{ran:?}");
        let said = String::from_utf8_lossy(&ran.stderr);
        assert!(said.contains("code"), "the error of the API: {said}");
        assert!(!folder.path().join("before.json").exists());
    }
    assert_eq!(world.sandbox.snapshot(), before);
}

/// The methods need each of their requests: without one, the rest is not sent.
#[tokio::test]
async fn a_failure_half_way_sends_nothing_more_and_the_command_can_be_repeated() {
    if !has_shell() {
        return;
    }
    let undo = "Undo of method 2, with curl:";
    for (fault, label, sent) in [
        ("429x1@GET/identity_providers", "Method 2, with curl:", vec![]),
        ("500x1@POST/identity_providers", "Method 2, with curl:", vec!["POST"]),
        ("429x1@GET/access/apps", undo, vec![]),
        ("500x1@PUT/access/apps", undo, vec!["PUT"]),
        ("500x1@DELETE/identity_providers", undo, vec!["PUT", "DELETE"]),
    ] {
        let world = locked(&json!([COMPANY]).to_string(), true).await;
        let (folder, card) = prepared(&world).await;
        let before = world.sandbox.snapshot();
        let of = |label: &'static str| [&START[..], &["Functions for method 2", label]].concat();
        if label == undo {
            paste(&folder, &card, &of("Method 2, with curl:")).await;
        }
        let writes = world.writes().len();
        world.fault(fault);
        let lines: Vec<_> = of(label).into_iter().map(|label| script(&card, label)).collect();
        let mut shell = tokio::process::Command::new("sh");
        shell.args(["-c", &lines.join("\n")]).current_dir(folder.path());
        let ran = shell.output().await.unwrap();
        assert!(!ran.status.success() && !ran.stderr.is_empty(), "{fault}: {ran:?}");
        let writes = world.writes().split_off(writes);
        let verbs: Vec<_> = writes.iter().filter_map(|write| write.split(' ').next()).collect();
        assert_eq!(verbs, sent, "{fault}: {ran:?}");

        assert_eq!(paste(&folder, &card, &of(label)).await.lines().last(), Some("true"), "{fault}");
        if label != undo {
            paste(&folder, &card, &of(undo)).await;
        }
        assert_eq!(world.sandbox.snapshot(), before, "{fault}");
    }
}

#[tokio::test]
async fn an_undo_without_a_bypass_sends_nothing() {
    if !has_shell() {
        return;
    }
    let world = locked(&json!([COMPANY]).to_string(), true).await;
    let (folder, card) = prepared(&world).await;
    let writes = world.writes();
    let labels = [&START[..], &["Functions for method 2", "Undo of method 2, with curl:"]].concat();
    let lines: Vec<_> = labels.iter().map(|label| script(&card, label)).collect();
    let mut shell = tokio::process::Command::new("sh");
    shell.args(["-c", &lines.join("\n")]).current_dir(folder.path());
    assert!(!shell.output().await.unwrap().status.success());
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn the_commands_of_cfsso_on_the_card_do_the_same() {
    let world = locked(&json!([COMPANY]).to_string(), true).await;
    let (folder, card) = prepared(&world).await;
    let world = world.with_env("CFSSO_JOURNAL", &folder.path().join("none").display().to_string());
    let before = world.sandbox.snapshot();
    let lines: Vec<_> = card.lines().filter_map(|line| line.strip_prefix("cfsso ")).collect();
    let [disable, undo_disable, otp, undo_otp] = lines[..] else { panic!("{lines:?}") };
    for (bypass, undo) in [(disable, undo_disable), (otp, undo_otp)] {
        let here = |line: &str| {
            line.replace("--ticket ", &format!("--ticket {}/", folder.path().display()))
        };
        world.ok(&here(bypass)).await;
        assert_ne!(world.sandbox.snapshot(), before, "{bypass}");
        world.ok(&here(undo)).await;
        assert_eq!(world.sandbox.snapshot(), before, "{undo}");
    }
}
