//! Scenes of tokens: what one is, what it may, and one for emergencies.

use std::fs;
use std::path::Path;

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// Holds a value to `cfsso schema KIND`.
async fn conforms(world: &World, kind: &str, value: &Value) {
    let schema = world.ok(&format!("schema {kind}")).await.json();
    assert_conforms(&schema, value);
}

/// Everything in the files below `dir`.
fn contents(dir: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        text += &if path.is_dir() { contents(&path) } else { fs::read_to_string(&path).unwrap() };
    }
    text
}

fn reads(report: &Value) -> Vec<(String, Option<bool>)> {
    let reads = report["reads"].as_array().unwrap().iter();
    reads
        .map(|read| (read["area"].as_str().unwrap().to_owned(), read["allowed"].as_bool()))
        .collect()
}

#[tokio::test]
async fn whoami_tells_users_and_accounts_tokens_apart() {
    for (access, kind, sees) in [
        (Access::Full, "user", Some(5)),
        (Access::ReadOnly, "user", Some(5)),
        (Access::ConnectorOnly, "account", None),
        (Access::AccessOnly, "account", None),
    ] {
        let world = World::new().await.with_token(access);
        let (ran, requests) = world.requests_of("whoami -o json").await;
        assert_eq!(ran.code, 0, "{access:?} {ran:?}");
        let report = ran.json();
        assert_eq!((&report["kind"], &report["status"]), (&json!(kind), &json!("active")));
        assert_eq!(report["accounts"].as_array().map(Vec::len), sees, "{report}");
        assert_eq!(report["account"], world.sandbox.account().as_str());
        assert_eq!(requests.len(), 3, "{requests:?}");
        conforms(&world, "token", &report).await;
    }
}

#[tokio::test]
async fn a_token_that_nobody_knows_is_exit_4_and_says_why() {
    for token in [Access::Expired.token(), "cfut_NobodyEverIssuedThisOne00000000000000000000"] {
        let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", token);
        for line in ["whoami", "token check"] {
            let ran = world.run(&format!("{line} -o json")).await;
            assert_eq!(ran.code, 4, "{ran:?}");
            assert_eq!((&ran.json()["ok"], &ran.json()["kind"]), (&json!(false), &Value::Null));
            let hint = ran.error()["hint"].as_str().unwrap().to_owned();
            for words in ["expired", "mistyped", "another account", "cfat_"] {
                assert!(hint.contains(words), "{hint}");
            }
            assert!(ran.error()["causes"].to_string().contains("(code "), "{ran:?}");
            assert!(!ran.screen.contains(token), "{ran:?}");
        }
    }
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_not_said_to_be_rejected() {
    let token = format!("'{}'", Access::ReadOnly.token());
    let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", &token);
    for line in ["whoami", "token check"] {
        let (ran, requests) = world.requests_of(&format!("{line} -o json")).await;
        assert_eq!((ran.code, requests.len()), (4, 0), "{ran:?}");
        assert!(ran.error().to_string().contains("is in quotes"), "{ran:?}");
    }
}

#[tokio::test]
async fn an_accounts_token_is_of_no_use_in_another_account() {
    let world = World::new().await.with_token(Access::ConnectorOnly);
    let other = world.sandbox.accounts()[1].clone();
    let ran = world.run(&format!("token check --account {other} -o json")).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.error()["message"].as_str().unwrap().contains(other.as_str()), "{ran:?}");
    let error = world.fails(&format!("connector list --account {other}"), 5).await;
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.starts_with("the token is for another account"), "{hint}");
    assert!(hint.contains("SSO Connector: Read"), "{hint}");
}

#[tokio::test]
async fn token_check_tries_each_area_at_once_and_writes_nothing() {
    let world = World::new().await;
    let (ran, requests) = world.requests_of("token check -o json").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(reads(&ran.json()).iter().all(|(_, allowed)| *allowed == Some(true)), "{ran:?}");
    assert_eq!(requests.len(), 10, "{requests:?}");
    assert!(requests.iter().all(|request| request.starts_with("GET ")), "{requests:?}");
    conforms(&world, "token", &ran.json()).await;
}

#[tokio::test]
async fn token_check_names_what_a_token_lacks_as_the_dashboard_does() {
    let world = World::new().await.with_token(Access::ConnectorOnly);
    let report = world.ok("token check -o json").await.json();
    let allowed: Vec<_> = reads(&report).into_iter().map(|(_, allowed)| allowed).collect();
    assert_eq!(allowed, [Some(true)].into_iter().chain([Some(false); 6]).collect::<Vec<_>>());
    assert_eq!(report["reads"][2]["dashboard"], "Access: Apps and Policies: Read");
    assert_eq!(report["reads"][2]["required_permission"], "Access: Apps and Policies Read");

    let world = World::new().await.with_token(Access::AccessOnly);
    let ran = world.run("token check -o json").await;
    assert_eq!((ran.code, &ran.json()["ok"]), (5, &json!(false)), "{ran:?}");
    assert_eq!(ran.error()["message"], "the token cannot read SSO connectors");
    let hint = world.fails("connector list", 5).await["hint"].as_str().unwrap().to_owned();
    assert!(hint.starts_with("the token lacks the permission SSO Connector: Read"));
    assert!(hint.contains("`cfsso token check`"), "{hint}");
}

#[tokio::test]
async fn an_api_that_does_not_answer_is_not_a_bad_token() {
    let world = World::new().await;
    world.fault("500x*");
    for line in ["whoami", "token check"] {
        world.fails(&format!("{line} --max-retries 0"), 9).await;
    }
}

#[tokio::test]
async fn the_screen_says_it_all_in_eighty_columns() {
    let world = World::new().await.with_token(Access::ConnectorOnly).with_person("");
    insta::assert_snapshot!(world.ok("token check").await.stdout, @"
    credential  account API token
    id          c001ca7570ce00000000000000000003
    status      + active
    expires     never
    account     c001ca75000000000000000000000001
    sees        no permission to list accounts

    READS                      ALLOWED   PERMISSION IN THE DASHBOARD
    SSO connectors             + read    SSO Connector: Read
    identity providers         x denied  Access: Organizations, Identity Providers,
                                         and Groups: Read
    applications and policies  x denied  Access: Apps and Policies: Read
    Zero Trust organization    x denied  Access: Organizations, Identity Providers,
                                         and Groups: Read
    members                    x denied  Account Settings: Read
    account tokens             x denied  Account API Tokens: Read
    zones                      x denied  Zone: Read

    Write access is not tested.
    ");
}

#[tokio::test]
async fn a_break_glass_token_works_and_is_told_once() {
    let world = World::new().await;
    let ran = world.ok("token create-break-glass -o json --yes").await;
    let report = ran.json();
    conforms(&world, "break-glass", &report).await;
    assert_eq!(report["permissions"], json!(["SSO Connector Write"]));
    assert_eq!(report["expires_on"].as_str().unwrap()[..10], *"2027-03-01");
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    let value = report["value"].as_str().unwrap().to_owned();
    assert!(!contents(world.journal.path()).contains(&value));
    assert!(!ran.stderr.contains(&value));

    let world = world.with_env("CLOUDFLARE_API_TOKEN", &value);
    let report = world.ok("token check -o json").await.json();
    assert_eq!(report["kind"], "account");
    let may: Vec<_> = reads(&report).into_iter().map(|(_, allowed)| allowed.unwrap()).collect();
    assert_eq!(may, [true, false, false, false, false, false, false]);
    world.ok("create new.cats -o json").await;
}

#[tokio::test]
async fn with_access_it_may_do_what_recovery_by_pin_takes() {
    let world = World::new().await;
    let report = world.ok("token create-break-glass --with-access -o json --yes").await.json();
    let value = report["value"].as_str().unwrap().to_owned();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", &value);
    let report = world.ok("token check -o json").await.json();
    let may: Vec<_> = reads(&report).into_iter().map(|(_, allowed)| allowed.unwrap()).collect();
    assert_eq!(may, [true, true, true, true, false, false, false]);
}

#[tokio::test]
async fn a_file_gets_the_token_and_nothing_else_does() {
    let world = World::new().await;
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("token");
    let line = format!("token create-break-glass --debug --output-file {}", file.display());
    let ran = world.ok(&line).await;
    let value = fs::read_to_string(&file).unwrap().trim().to_owned();
    assert!(value.starts_with("cfat_"), "{value}");
    assert!(!ran.screen.contains(&value), "{ran:?}");
    assert!(!contents(world.journal.path()).contains(&value));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let before = world.writes();
    world.fails(&line.replace(" --debug", ""), 7).await;
    let nowhere = dir.path().join("none").join("token");
    world.fails(&format!("token create-break-glass --output-file {}", nowhere.display()), 2).await;
    assert_eq!(world.writes(), before);
    assert_eq!(fs::read_to_string(&file).unwrap().trim(), value);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn a_dry_run_makes_no_token() {
    let world = World::new().await;
    let plan = world.ok("token create-break-glass --dry-run -o json").await.json();
    assert_eq!(plan["schema"], "cfsso/plan/v1");
    let group = &plan["changes"][0]["request"]["body"]["policies"][0]["permission_groups"][0];
    assert_eq!(group["id"], "901ca5e292584c6aa1b4cdb39248bb07");
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn what_may_not_make_tokens_is_told_what_it_lacks() {
    let world = World::new().await.with_token(Access::ReadOnly);
    let error = world.fails("token create-break-glass --yes", 5).await;
    assert_eq!(error["required_permission"], "Account API Tokens Write");
    assert!(error["hint"].as_str().unwrap().contains("Account API Tokens: Edit"), "{error}");
}

#[tokio::test]
async fn a_lost_creation_says_that_a_token_may_stand() {
    let world = World::new().await;
    world.fault("close-after@POST/tokens");
    let error = world.fails("token create-break-glass --max-retries 0 --yes", 9).await;
    assert!(error["hint"].as_str().unwrap().contains("delete it"), "{error}");
}

#[tokio::test]
async fn the_global_api_key_is_known_for_what_it_is() {
    let key = |key: &str| {
        let key = key.to_owned();
        async move {
            World::new()
                .await
                .with_env("CLOUDFLARE_API_TOKEN", "")
                .with_env("CLOUDFLARE_EMAIL", "admin@cool.cats")
                .with_env("CLOUDFLARE_API_KEY", &key)
        }
    };
    let world = key("cfk_SandboxGlobalKey00000000000000000000000c0ffee05").await;
    let report = world.ok("token check -o json").await.json();
    assert_eq!(report["kind"], "global-api-key");
    let world = key("cfk_Nobodys0000000000000000000000000000000000000000").await;
    let ran = world.run("whoami -o json").await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert!(ran.error()["hint"].as_str().unwrap().contains("CLOUDFLARE_EMAIL"), "{ran:?}");
}

#[tokio::test]
async fn a_token_of_another_account_is_told_which_one() {
    let world = World::new().await;
    let own = world.sandbox.account().clone();
    let body = json!({
        "name": "reads accounts",
        "policies": [{
            "effect": "allow",
            "permission_groups": [{ "id": "c1fde68c7bcc44588cbb6ddbc16d6480" }],
            "resources": { format!("com.cloudflare.api.account.{own}"): "*" },
        }],
    });
    let request = format!("POST /accounts/{own}/tokens");
    let made = ask(&world.sandbox, Access::Full, &request, Some(body)).await.result();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", made["value"].as_str().unwrap());
    let other = world.sandbox.accounts()[1].clone();
    let ran = world.run(&format!("whoami --account {other} -o json")).await;
    assert_eq!(ran.code, 4, "{ran:?}");
    assert_eq!((&ran.json()["kind"], &ran.json()["owner"]), (&json!("account"), &json!(own)));
    assert!(ran.error()["message"].as_str().unwrap().contains(own.as_str()), "{ran:?}");
}

#[tokio::test]
async fn a_token_that_would_not_be_printed_is_not_made() {
    let world = World::new().await;
    let error = world.run("token create-break-glass -o name").await;
    assert_eq!(error.code, 2, "{error:?}");
    assert!(error.stderr.contains("--output-file"), "{error:?}");
    assert!(world.writes().is_empty());
    let file = world.journal.path().join("token");
    world.ok(&format!("token create-break-glass -o name --output-file {}", file.display())).await;
}

#[tokio::test]
async fn a_token_is_not_printed_unasked() {
    let world = World::new().await;
    let error = world.fails("token create-break-glass", 3).await;
    assert_eq!(error["hint"], "`--output-file FILE`, or `--yes` to print the token");
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn a_link_to_the_token_page_needs_no_token() {
    let world = World::new().await.with_env("CLOUDFLARE_API_TOKEN", "");
    let ran = world.ok("token create-url --for bypass").await;
    assert!(ran.stdout.starts_with("https://dash.cloudflare.com/profile/api-tokens?"), "{ran:?}");
    assert!(ran.stdout.contains("Add by hand: SSO Connector: Edit"), "{ran:?}");
    let report = world.ok("token create-url --for read --account-token -o json").await.json();
    conforms(&world, "token-url", &report).await;
    assert_eq!(report["add_by_hand"][0], "SSO Connector: Read");
    assert_eq!(world.requests(), [""; 0]);
}
