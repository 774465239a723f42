//! Scenes of `recovery prepare`, and of the card that `recovery check` compares.

use std::fs;
use std::path::PathBuf;

use cfsso::sandbox::Access;
use serde_json::Value;

use crate::harness::{Ran, World};
use crate::schema::assert_conforms;

/// A world that is prepared for a lockout.
async fn world() -> World {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    world
}

fn path(world: &World, name: &str) -> PathBuf {
    world.journal.path().join(name)
}

/// `line` with `{name}` replaced by the path of a file of that name.
fn with_paths(world: &World, line: &str) -> String {
    let folder = world.journal.path().display().to_string();
    line.replace('{', &format!("{folder}/")).replace('}', "")
}

async fn prepare(world: &World, options: &str) -> Ran {
    world.run(&with_paths(world, &format!("recovery prepare {options} -o json"))).await
}

/// The report, which conforms to its schema.
async fn report(world: &World, options: &str, code: u8) -> Value {
    let ran = prepare(world, options).await;
    assert_eq!(ran.code, code, "{options} {ran:?}");
    let report = ran.json();
    assert_conforms(&world.ok("schema recovery-prepare").await.json(), &report);
    report
}

fn finding(report: &Value, id: &str) -> String {
    let mut all = report["findings"].as_array().unwrap().iter();
    let one = all.find(|one| one["id"] == id).unwrap_or_else(|| panic!("{id} {report:#}"));
    format!("{} {}: {}", one["severity"], one["state"], one["detail"]).replace('"', "")
}

#[tokio::test]
async fn a_token_is_created_and_both_bypasses_are_rehearsed_with_it() {
    let world = world().await;
    let writes = world.writes();
    let options = "--token-out {token} --card {card.html} --card {card.txt} --yes";
    let made = report(&world, options, 0).await;
    assert_eq!(world.writes().len(), writes.len() + 1, "the token alone is created");
    assert_eq!(made["token"]["created"], true);
    let permissions = made["token"]["permissions"].as_array().unwrap();
    assert_eq!(permissions.len(), 3);
    assert!(permissions.iter().all(|one| one["read"] == true && one["write"] == "granted"));
    for rehearsal in made["rehearsal"].as_array().unwrap() {
        assert_eq!(rehearsal["ok"], true, "{rehearsal}");
    }
    assert_eq!(made["rehearsal"][0]["changes"][0]["request"]["method"], "PATCH");
    assert!(finding(&made, "members-super-admin").contains("passed"));
    assert!(finding(&made, "fallback-login").contains("super admins: "), "{made:#}");

    let token = fs::read_to_string(path(&world, "token")).unwrap();
    for name in ["card.html", "card.txt"] {
        let card = fs::read_to_string(path(&world, name)).unwrap();
        assert!(!card.contains(token.trim()), "{name}");
        assert!(card.contains(made["fingerprint"].as_str().unwrap()), "{name}");
        assert!(card.contains(made["token"]["id"].as_str().unwrap()), "{name}");
        assert!(card.contains("rescue@dogs.test"), "{name}");
        let file = path(&world, "token");
        assert!(card.contains(&file.display().to_string()), "in any folder: {name}");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let permissions = fs::metadata(path(&world, "token")).unwrap().permissions();
        assert_eq!(permissions.mode() & 0o777, 0o600);
    }

    // The same token again, by name: nothing is written to the account.
    let writes = world.writes();
    let again = report(&world, "--recovery-token-file {token} --card {card.md}", 0).await;
    assert_eq!(world.writes(), writes);
    assert_eq!(again["fingerprint"], made["fingerprint"]);
    assert_eq!(again["token"]["id"], made["token"]["id"]);
    assert_eq!(again["token"]["permissions"][0]["write"], "not_tested");
}

#[tokio::test]
async fn the_emergency_token_alone_prepares_what_it_can_read() {
    let world = world().await;
    report(&world, "--token-out {token} --yes", 0).await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    let made = report(&world, "--token-file {token} --card {card.txt}", 0).await;
    assert!(finding(&made, "members-super-admin").contains("not_checked"), "{made:#}");
    assert!(made["fingerprint"].as_str().unwrap().ends_with("-x"), "{made:#}");
}

#[tokio::test]
async fn a_dry_run_writes_nothing_anywhere() {
    let world = world().await;
    let writes = world.writes();
    let options = "--token-out {token} --card {card.txt} --dry-run";
    let made = report(&world, options, 0).await;
    assert_eq!(made["changes"][0]["request"]["method"], "POST", "{made:#}");
    assert_eq!(world.writes(), writes);
    assert!(!path(&world, "token").exists() && !path(&world, "card.txt").exists());
    report(&world, &format!("{options} --detailed-exitcode"), 10).await;
    assert_eq!(prepare(&world, "--recovery-token-file {none} --dry-run").await.code, 4);
}

#[tokio::test]
async fn what_is_not_prepared_is_a_finding_and_the_exit_code_says_so() {
    let world = World::new().await.enabled().await;
    let made = report(&world, "--token-out {token} --yes", 0).await;
    assert!(finding(&made, "fallback-login").starts_with("warning failed"), "{made:#}");
    report(&world, "--recovery-token-file {token} --fail-on warning", 10).await;
    report(&world, "--recovery-token-file {token} --min-days 9999", 10).await;

    let token = |access| world.sandbox.token(access).to_owned();
    let kept = |name: &str, text: &str| {
        let file = path(&world, name);
        fs::write(&file, text).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        }
    };
    kept("connectors", &token(Access::ConnectorOnly));
    let options = "--recovery-token-file {connectors} --bundle {bundle}";
    let made = report(&world, options, 10).await;
    assert!(path(&world, "bundle/SHA256SUMS").exists(), "what can be used is written");
    let rehearsal = finding(&made, "recovery-rehearsal");
    assert!(rehearsal.starts_with("error failed: bypass disable: 1 request"), "{rehearsal}");
    let fixes = made["findings"].to_string();
    assert!(fixes.contains("--with-access"), "{fixes}");
    assert!(rehearsal.contains("bypass otp: the token lacks the permission"), "{rehearsal}");
    assert_eq!(made["token"]["permissions"][1]["read"], false);

    kept("access", &token(Access::AccessOnly));
    let made = report(&world, "--recovery-token-file {access}", 10).await;
    assert!(finding(&made, "recovery-rehearsal").starts_with("error failed"), "{made:#}");
    assert!(finding(&made, "recovery-token").starts_with("error failed"), "{made:#}");

    kept("expired", &token(Access::Expired));
    let rejected = prepare(&world, "--recovery-token-file {expired}").await;
    assert_eq!(rejected.code, 4);
    let message = rejected.error()["message"].as_str().unwrap().to_owned();
    assert!(message.starts_with("the API rejected the emergency token"), "{message}");
}

#[tokio::test]
async fn a_pin_that_no_super_administrator_may_use_is_found() {
    let world = world().await;
    let apps = format!("/accounts/{}/access/apps", world.sandbox.account());
    let listed = world.ask(&format!("GET {apps}")).await;
    let app = listed.as_array().unwrap().iter().find(|app| app["type"] == "dash_sso").unwrap();
    let policy = &app["policies"][0];
    let path = format!(
        "PUT {apps}/{}/policies/{}",
        app["id"].as_str().unwrap(),
        policy["id"].as_str().unwrap()
    );
    let mut other = policy.clone();
    other["include"] = serde_json::json!([{ "email": { "email": "kit@cool.cats" } }]);
    crate::sandbox::client::ask(&world.sandbox, Access::Full, &path, Some(other)).await.result();
    // The policy allows no member of the enforced domain at all, which is an error.
    let made = report(&world, "--token-out {token} --yes", 10).await;
    assert!(finding(&made, "policy-allows-domain").starts_with("error failed"), "{made:#}");
    let pin = finding(&made, "fallback-login");
    assert!(pin.contains("no policy allows a super administrator to use a PIN"), "{pin}");
}

#[tokio::test]
async fn a_place_where_the_token_would_leak_or_be_lost_is_refused() {
    let world = world().await;
    let writes = world.writes();
    let tree = path(&world, "tree/below");
    fs::create_dir_all(&tree).unwrap();
    fs::create_dir(path(&world, "tree/.git")).unwrap();
    let line = |options: &str| with_paths(&world, &format!("recovery prepare {options}"));
    let error = world.fails(&line("--token-out {tree/below/token} --yes"), 11).await;
    assert!(error["message"].as_str().unwrap().contains("Git work tree"), "{error}");
    world.fails(&line("--token-out {none/token} --yes"), 2).await;
    world.fails(&line("--token-out {token} --card {none/card.txt} --yes"), 2).await;
    world.fails(&line("--token-out {token} --bundle {none/safe} --yes"), 2).await;
    world.fails(&line("--token-out {token}"), 3).await;
    world.fails(&line("--yes"), 2).await;
    world.fails(&line("--token-out {token} --card {card.pdf} --yes"), 2).await;
    fs::write(path(&world, "notes.md"), "mine").unwrap();
    let error = world.fails(&line("--token-out {token} --card {notes.md} --yes"), 7).await;
    assert!(error["message"].as_str().unwrap().contains("not a recovery card"), "{error}");
    assert_eq!(fs::read_to_string(path(&world, "notes.md")).unwrap(), "mine");
    fs::write(path(&world, "taken"), "").unwrap();
    world.fails(&line("--token-out {taken} --yes"), 7).await;
    let secret = "cfut_0123456789012345678901234567890123456789";
    let ran = world.run(&line(&format!("--token-out {{token}} --token-location {secret}"))).await;
    assert!(ran.code == 2 && !ran.stderr.contains(secret), "{ran:?}");
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn on_a_terminal_it_asks_for_what_is_missing() {
    let world = world().await;
    let answers = with_paths(&world, "{token}\ncard.doc\n{card.md}\nsafe in room 3\ntoken\n");
    let world = world.with_person(&answers);
    let ran = world.ok("recovery prepare").await;
    assert!(ran.screen.contains("create the token cfsso break-glass"), "{ran:?}");
    let card = fs::read_to_string(path(&world, "card.md")).unwrap();
    assert!(card.contains("- **Emergency token**: safe in room 3"), "{card}");

    let writes = world.writes();
    let answers = with_paths(&world, "{other}\n\nno\nno\nno\n");
    let world = world.with_person(&answers);
    assert_eq!(world.run("recovery prepare").await.code, 3);
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn a_card_is_true_until_the_state_changes() {
    let world = world().await;
    report(&world, "--token-out {token} --card {card.html} --yes", 0).await;
    let line = |options: &str| {
        with_paths(&world, &format!("recovery check --card {{card.html}} {options} -o json"))
    };
    let check = async |options: &str, code: u8| {
        let ran = world.run(&line(options)).await;
        assert_eq!(ran.code, code, "{ran:?}");
        let report = ran.json();
        assert_conforms(&world.ok("schema doctor").await.json(), &report);
        finding(&report, "recovery-card")
    };
    let passed = "warning passed: the card describes the present state";
    assert_eq!(check("--fail-on warning", 0).await, passed);
    world.ok("bypass disable --all --yes").await;
    world.ok("bypass undo --yes").await;
    assert_eq!(check("", 0).await, passed);
    world.ok("app instant-auth on --only oidc --yes").await;
    let changed = check("--fail-on warning", 10).await;
    assert_eq!(changed, "warning failed: changed since the card was made: SSO App");
    world.ok("create dogs.example").await;
    assert!(check("", 0).await.ends_with("connectors, SSO App"));

    let path = path(&world, "not-a-card");
    fs::write(&path, "a letter").unwrap();
    world.fails(&format!("recovery check --card {}", path.display()), 2).await;

    // On a schedule, with a token that cannot read members.
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    let line = with_paths(&world, "recovery check --card {card.html} --token-file {token} -o json");
    let report = world.ok(&line).await.json();
    assert!(finding(&report, "recovery-card").contains("(not compared: super administrators)"));
}

#[tokio::test]
async fn a_bundle_is_complete_and_its_tickets_undo_what_the_card_did() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    world.ok("app idps --only oidc --yes").await;
    let made = report(&world, "--token-out {token} --bundle {safe} --yes", 0).await;
    let safe = path(&world, "safe");
    let mut names: Vec<_> = fs::read_dir(&safe)
        .unwrap()
        .map(|it| it.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let program = if cfg!(windows) { "cfsso.exe" } else { "cfsso" };
    let expected = [
        "SHA256SUMS",
        program,
        "recovery-card.html",
        "recovery-card.md",
        "recovery-card.txt",
        "state.json",
        "undo-disable.json",
        "undo-otp.json",
    ];
    assert_eq!(names, expected);
    assert_eq!(made["files"].as_array().unwrap().len(), names.len());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        for (name, mode) in [("", 0o700), (program, 0o700), ("state.json", 0o600)] {
            let permissions = fs::metadata(safe.join(name)).unwrap().permissions();
            assert_eq!(permissions.mode() & 0o777, mode, "{name}");
        }
    }
    let text = |name: &str| fs::read_to_string(safe.join(name)).unwrap();
    let sums = text("SHA256SUMS");
    assert_eq!(sums.lines().count(), names.len() - 1);
    #[cfg(target_os = "linux")]
    {
        let mut check = std::process::Command::new("sha256sum");
        let checked = check.args(["--check", "--strict", "SHA256SUMS"]).current_dir(&safe).output();
        assert!(checked.unwrap().status.success(), "{sums}");
    }
    let running = fs::metadata(std::env::current_exe().unwrap()).unwrap().len();
    assert_eq!(fs::metadata(safe.join(program)).unwrap().len(), running);

    let token = fs::read_to_string(path(&world, "token")).unwrap();
    for name in expected.iter().filter(|name| **name != program) {
        assert!(!text(name).contains(token.trim()), "{name}");
    }
    let state: Value = serde_json::from_str(&text("state.json")).unwrap();
    assert_eq!(state["schema"], "cfsso/recovery-state/v1");
    assert_eq!(state["fingerprint"], made["fingerprint"]);
    assert_eq!(state["sso_app"]["type"], "dash_sso");
    assert_eq!(state["policies"].as_array().unwrap().len(), 1);
    assert_eq!(state["identity_providers"].as_array().unwrap().len(), 2);
    assert!(text("state.json").contains("12345678901234567890123"), "numbers keep their digits");

    // Nothing to undo yet; then by a bypass that this machine knows nothing about.
    let before = world.sandbox.snapshot();
    let other = path(&world, "other").display().to_string();
    let world = world.with_env("CFSSO_JOURNAL", &other);
    for (bypass, ticket) in [("disable --all", "undo-disable.json"), ("otp", "undo-otp.json")] {
        let undo = with_paths(&world, &format!("bypass undo --yes --ticket {{safe/{ticket}}}"));
        world.ok(&undo).await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");
        world.ok(&format!("bypass {bypass} --yes --no-journal")).await;
        assert_ne!(world.sandbox.snapshot(), before, "{bypass}");
        world.ok(&undo).await;
        assert_eq!(world.sandbox.snapshot(), before, "{bypass}");
    }

    // A ticket made in advance is still needed: it is not replaced.
    let prepared = text("undo-disable.json");
    let line = with_paths(&world, "bypass disable --all --yes --ticket {safe/undo-disable.json}");
    world.ok(&line).await;
    assert_eq!(text("undo-disable.json"), prepared);
    world.ok(&with_paths(&world, "bypass undo --yes --ticket {safe/undo-disable.json.2}")).await;
    assert_eq!(world.sandbox.snapshot(), before);

    let line = with_paths(&world, "recovery prepare --recovery-token-file {token} --bundle {safe}");
    world.fails(&line, 7).await;
    fs::create_dir(path(&world, "empty")).unwrap();
    report(&world, "--recovery-token-file {token} --bundle {empty}", 0).await;
    let planned = report(&world, "--recovery-token-file {token} --bundle {new} --dry-run", 0).await;
    assert_eq!(planned["files"].as_array().unwrap().len(), 1);
    assert!(!path(&world, "new").exists());
}
