//! Scenes of `recovery check` and `recovery prepare`.

#[cfg(unix)]
mod card;
mod prepare;

use cfsso::sandbox::Access;
use serde_json::Value;

use crate::harness::World;
use crate::schema::assert_conforms;

/// What the check found; it writes nothing.
async fn check(world: &World, options: &str, code: u8) -> Value {
    let before = world.writes();
    let ran = world.run(&format!("recovery check {options} -o json")).await;
    assert_eq!(ran.code, code, "{options} {ran:?}");
    assert_eq!(world.writes(), before);
    let report = ran.json();
    assert_eq!(report["schema"], "cfsso/recovery-check/v1");
    assert_conforms(&world.ok("schema doctor").await.json(), &report);
    report
}

fn state(report: &Value, id: &str) -> String {
    let findings = report["findings"].as_array().unwrap().iter();
    let of: Vec<_> = findings.filter(|finding| finding["id"] == id).collect();
    assert_eq!(of.len(), 1, "{id} {report:#}");
    format!("{} {}", of[0]["severity"].as_str().unwrap(), of[0]["state"].as_str().unwrap())
}

#[tokio::test]
async fn an_account_that_is_prepared_passes() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    let report = check(&world, "--fail-on warning", 0).await;
    for id in ["recovery-token", "fallback-login", "sso-app-present", "members-super-admin"] {
        assert!(state(&report, id).ends_with(" passed"), "{report:#}");
    }
    // Neither name servers nor the identity provider have to answer.
    world.sandbox.take_down("company");
    check(&world, "--fail-on warning", 0).await;
}

#[tokio::test]
async fn what_would_fail_in_a_lockout_is_found_before_it() {
    let world = World::new().await.enabled().await;
    // Without a one-time PIN one bypass needs a write more; the other works.
    assert_eq!(state(&check(&world, "", 0).await, "fallback-login"), "warning failed");
    check(&world, "--fail-on warning", 10).await;

    world.ok("idp create onetimepin").await;
    world.ok("app instant-auth on --only oidc --yes").await;
    assert_eq!(state(&check(&world, "", 0).await, "fallback-login"), "warning failed");

    let world = world.with_token(Access::ConnectorOnly);
    // It could not prepare one of the bypasses, which is no warning: no one could help it then.
    let report = check(&world, "", 10).await;
    assert_eq!(report["ok"], false);
    assert!(state(&report, "recovery-token").ends_with(" passed"), "{report:#}");
    assert_eq!(state(&report, "sso-app-present"), "warning not_checked");
    assert_eq!(state(&report, "recovery-rehearsal"), "error failed");

    let world = world.with_token(Access::AccessOnly);
    let report = check(&world, "", 10).await;
    assert_eq!(state(&report, "recovery-token"), "error failed");
    world.with_token(Access::Expired).fails("recovery check", 4).await;
}

#[tokio::test]
async fn a_token_that_ends_soon_is_an_error() {
    let world = World::new().await.enabled().await;
    let file = world.journal.path().join("token").display().to_string();
    let create = "token create-break-glass --with-access";
    world.ok(&format!("{create} --output-file {file} --yes")).await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    let with = |days: u32| format!("--token-file {file} --min-days {days}");
    assert!(state(&check(&world, &with(1), 0).await, "recovery-token").ends_with(" passed"));
    assert_eq!(state(&check(&world, &with(36_500), 10).await, "recovery-token"), "error failed");
}

#[tokio::test]
async fn a_fix_does_not_use_the_emergency_token() {
    let world = World::new().await.enabled().await;
    let file = world.journal.path().join("token").display().to_string();
    world.ok(&format!("token create-break-glass --output-file {file} --yes")).await;
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "");
    let ran = world.run(&format!("recovery check --token-file {file}")).await;
    assert_eq!(ran.code, 10, "{ran:?}");
    let fix = "`cfsso token create-break-glass --with-access --output-file FILE --token-file \
               ADMIN-TOKEN`";
    let screen = ran.screen.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(screen.contains(fix.trim_matches('`')), "{screen}");
    assert!(!screen.contains(&file), "{screen}");
    let ran = world.run(&format!("recovery prepare --token-file {file}")).await;
    assert!(ran.code == 10 && ran.screen.contains("ADMIN-TOKEN"), "{ran:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_journal_that_cannot_be_written_is_found_before_a_bypass_needs_it() {
    use std::os::unix::fs::PermissionsExt as _;

    let mut world = World::new().await.enabled().await;
    world.ok("idp create onetimepin").await;
    let place = |name: &str| world.journal.path().join(name);
    let (shared, file, new) = (place("shared"), place("file"), place("new"));
    std::fs::create_dir(&shared).unwrap();
    std::fs::set_permissions(&shared, std::fs::Permissions::from_mode(0o770)).unwrap();
    std::fs::write(&file, "").unwrap();
    let text = |path: &std::path::Path| path.display().to_string();
    for (journal, result, fix) in [
        (text(&new), "passed", ""),
        (text(&shared), "failed", "`chmod go-w "),
        (text(&file), "failed", "CFSSO_JOURNAL"),
        ("/proc/nope".to_owned(), "failed", "CFSSO_JOURNAL"),
    ] {
        world = world.with_env("CFSSO_JOURNAL", &journal);
        let code = if result == "passed" { 0 } else { 10 };
        let report = check(&world, "--fail-on warning", code).await;
        assert_eq!(state(&report, "journal-writable"), format!("warning {result}"), "{journal}");
        let findings = report["findings"].as_array().unwrap().iter();
        let mut its = findings.filter(|finding| finding["id"] == "journal-writable");
        let found = its.next().unwrap();
        assert!(found["fix"].as_str().unwrap_or_default().contains(fix), "{found}");
    }
    assert!(!new.exists());
}

#[tokio::test]
async fn it_takes_two_rounds_of_reads_and_has_the_forms_for_ci() {
    let world = World::new().await.enabled().await;
    let before = world.requests().len();
    world.run("recovery check").await;
    let sent = &world.requests()[before..];
    assert!(sent.iter().all(|line| line.starts_with("GET ")), "{sent:?}");
    let policies = sent.iter().position(|line| line.contains("/policies")).unwrap();
    let first = sent[..policies].iter().filter(|line| line.contains("/sso_connectors")).count();
    assert_eq!(first, 1, "the connectors are in the first round: {sent:?}");
    let xml = world.run("recovery check --format junit").await.stdout;
    assert!(xml.contains("recovery-token"), "{xml}");
    let github = world.run("recovery check --format github --fail-on warning").await.stdout;
    assert!(github.contains("::warning"), "{github}");
}
