//! Scenes of commands that read several accounts.

use cfsso::sandbox::{Access, AccountRelation};
use serde_json::{Value, json};

use crate::harness::{Ran, World};
use crate::logins::person;
use crate::schema::assert_conforms;

/// The commands that read several accounts.
const READS: [&str; 6] =
    ["status", "doctor", "connector list", "logins", "idp check", "recovery check"];

/// The report of several accounts, held to its schema.
async fn fleet(world: &World, line: &str, code: u8) -> (Value, Ran) {
    let ran = world.run(&format!("{line} -o json")).await;
    assert_eq!(ran.code, code, "{line}: {ran:?}");
    let report = ran.json();
    assert_conforms(&world.ok("schema fleet").await.json(), &report);
    (report, ran)
}

fn account<'a>(report: &'a Value, name: &str) -> &'a Value {
    let accounts = report["accounts"].as_array().unwrap();
    accounts.iter().find(|account| account["name"] == name).unwrap()
}

#[tokio::test]
async fn every_account_has_its_own_result_as_the_command_alone_prints_it() {
    let world = World::new().await.enabled().await;
    for line in READS {
        let ran = world.run(&format!("{line} --all-accounts -o json")).await;
        let report = ran.json();
        assert_eq!(report["accounts"].as_array().unwrap().len(), 5, "{line}: {ran:?}");
        assert_eq!(report["command"], line);
        for account in report["accounts"].as_array().unwrap() {
            let id = account["account"].as_str().unwrap();
            let alone = world.run(&format!("{line} --account {id} -o json")).await;
            assert_eq!(account["exit_code"], alone.code, "{line} {id}: {ran:?} {alone:?}");
            if account["error"].is_null() {
                let mut alone = alone.json();
                // The commands to run next are for the run that printed them.
                if let Some(next) = alone.get_mut("next").and_then(|next| next.as_array_mut()) {
                    for command in next {
                        let text =
                            command.as_str().unwrap().replace(&format!(" --account {id}"), "");
                        *command = text.into();
                    }
                }
                assert_eq!(account["result"], alone, "{line} {id}");
            } else {
                assert_eq!(account["error"]["message"], alone.error()["message"], "{line} {id}");
            }
        }
    }
}

#[tokio::test]
async fn accounts_are_rows_of_one_table() {
    let world = World::new().await.enabled().await;
    world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    insta::assert_snapshot!(world.ok("connector list --all-accounts").await.stdout, @"
    ACCOUNT     DOMAIN     VERIFIED  ENABLED  CREATED     ID
    Big Cats    none
    Cool Cats   cool.cats  verified  yes      just now    6e789e6aa1b965f406c45d188009454f
    Dogs        none
    Other Cats  both.cats  verified  yes      1 year ago  c001ca755500000000000000000000e1
    Small Cats  none

    5 accounts
    One account: `cfsso connector list --account <ACCOUNT>`
    ");
    insta::assert_snapshot!(world.ok("status --all-accounts").await.stdout, @"
    ACCOUNT     DOMAIN     STATE   DETAIL
    Big Cats    none
    Cool Cats   cool.cats  passed  verified, enforced
    Dogs        none
    Other Cats  both.cats  failed  verified, enforced; SSO App: this account has no Zero Trust organization
    Small Cats  none

    5 accounts
    One account: `cfsso status --account <ACCOUNT>`
    ");
    insta::assert_snapshot!(world.ok("logins --account dogs --account c001ca75000000000000000000000001").await.stdout, @"
    ACCOUNT    TIME                  ADDRESS        RESULT   IDP TYPE  COUNTRY  IP          RAY ID
    Cool Cats  2026-03-01T12:00:01Z  ada@cool.cats  allowed  oidc      DE       192.0.2.17  8c5aca7500000017
    Dogs       not found

    2 accounts
    One account: `cfsso logins --account <ACCOUNT>`
    ");
    let doctor =
        world.run("doctor --account dogs --account c001ca75000000000000000000000001").await;
    insta::assert_snapshot!(doctor.stdout, @"
    ACCOUNT    STATE        FINDING                 DETAIL
    Cool Cats  warning      members-plus-addressed  plus addresses cannot use SSO: tom+audit@cool.cats
    Cool Cats  warning      fallback-login          one-time PIN is not configured: no fallback if the identity provider is down
    Dogs       warning      idp-present             the account has no identity provider
    Dogs       warning      sso-app-present         no SSO App (type `dash_sso`); Cloudflare creates it with the first connector
    Dogs       warning      fallback-login          one-time PIN is not configured: no fallback if the identity provider is down
    Dogs       not checked                          account without connectors: 3 warnings, 6 not checked, 11 passed

    2 accounts
    One account: `cfsso doctor --account <ACCOUNT>`
    ");
    insta::assert_snapshot!(world.ok("idp check --all-accounts").await.stdout, @"
    ACCOUNT     IDENTITY PROVIDER  TYPE  STATE   DETAIL
    Big Cats    none
    Cool Cats   Company SSO        oidc  passed  7 passed (sign-in not tested)
    Dogs        none
    Other Cats  not found
    Small Cats  none

    5 accounts
    One account: `cfsso idp check --account <ACCOUNT>`
    ");
    let names = world.ok("connector list --all-accounts -o name").await.stdout;
    assert_eq!(names, "cool.cats\nboth.cats\n");
}

#[tokio::test]
async fn an_account_that_fails_is_a_row_and_does_not_hide_the_others() {
    let world = World::new().await.enabled().await;
    let other = world.sandbox.accounts()[1].clone();
    world.fault(&format!("500x*@GET/{other}/sso_connectors"));
    let (report, ran) = fleet(&world, "connector list --all-accounts", 9).await;
    assert_eq!((&report["ok"], &report["failed"]), (&json!(false), &json!(1)));
    let failed = account(&report, "Other Cats");
    assert_eq!((&failed["exit_code"], &failed["result"]), (&json!(9), &Value::Null));
    assert_eq!(failed["error"]["http_status"], 500);
    assert_eq!(account(&report, "Cool Cats")["result"][0]["email_domain"], "cool.cats");
    let error = ran.error();
    assert_eq!(error["message"], "1 of 5 accounts failed");
    let cause = error["causes"][0].as_str().unwrap();
    assert!(cause.starts_with("Other Cats: ") && cause.contains("500"), "{error}");
    assert_eq!(error["hint"], format!("`cfsso connector list --account {other}`"));
    let text = world.run("connector list --all-accounts").await.stdout;
    let row = text.lines().find(|line| line.starts_with("Other Cats")).unwrap();
    assert_eq!(row, "Other Cats  failed: unavailable");
    assert!(text.contains("\n5 accounts, 1 failed\n"), "{text}");
}

#[tokio::test]
async fn what_fails_everywhere_alike_is_the_failure_of_the_command() {
    let world = World::new().await.with_token(Access::Expired);
    assert_eq!(world.fails("status --all-accounts", 4).await["exit_code"], 4);
    let [first, second] = [0, 1].map(|at| world.sandbox.accounts()[at].clone());
    let both = format!("--account {first} --account {second}");
    let (report, _) = fleet(&world, &format!("connector list {both}"), 4).await;
    assert_eq!(report["failed"], 2, "without names, for the token cannot list accounts");
    let world = world.with_token(Access::Full);
    let (report, ran) = fleet(&world, "status nowhere.example --all-accounts", 6).await;
    assert_eq!(report["failed"], 0, "{ran:?}");
    assert_eq!(ran.error()["message"], "not found in any of 5 accounts");
    // Found in one: the others are no failure.
    let (report, _) = fleet(&world, "status both.cats --all-accounts", 0).await;
    assert_eq!(account(&report, "Other Cats")["result"]["domains"][0]["domain"], "both.cats");
    assert_eq!(account(&report, "Dogs")["exit_code"], 6);
}

#[tokio::test]
async fn findings_anywhere_are_the_exit_code() {
    let world = World::new().await;
    let (report, _) = fleet(&world, "doctor --all-accounts", 10).await;
    assert_eq!((&report["ok"], &report["failed"]), (&json!(false), &json!(0)));
    assert_eq!(account(&report, "Other Cats")["exit_code"], 10);
    assert_eq!(account(&report, "Dogs")["exit_code"], 0);
}

#[tokio::test]
async fn a_name_selects_an_account_where_it_is_the_only_one() {
    let world = World::new().await;
    let listed = |line: &str| format!("connector list -o name {line}");
    let one = world.ok(&listed("--account DOGS")).await;
    assert_eq!((one.stdout.as_str(), one.code), ("", 0));
    world.ok("create dogs.test --account dogs").await;
    assert_eq!(world.ok(&listed("--account Dogs")).await.stdout, "dogs.test\n");
    // One account, however often it is given, has the report of one.
    let alone = world.ok("connector list --account Dogs --account Dogs -o json").await.json();
    assert_eq!(alone[0]["email_domain"], "dogs.test");
    let twin = world.sandbox.add_account("Dogs", AccountRelation::OtherOrg).unwrap();
    for line in ["connector list --account dogs", "create a.example --account Dogs"] {
        let error = world.fails(line, 2).await;
        assert!(error["causes"].to_string().contains(twin.as_str()), "{error}");
    }
    let error = world.fails("connector list --account Wolves", 2).await;
    assert!(error["causes"].to_string().contains("Cool Cats"), "{error}");
    let error = world.fails("connector list --account Dogs --account Wolves", 2).await;
    assert_eq!(error["exit_code"], 2);
    // By their IDs both are read, and told apart.
    let text = world.ok("connector list --all-accounts").await.stdout;
    assert!(text.contains(&format!("Dogs ({twin})")), "{text}");
}

#[tokio::test]
async fn a_bypass_is_a_row_of_its_account() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let text = world.ok("status --all-accounts").await.stdout;
    let rows: Vec<_> = text.lines().filter(|line| line.contains("bypass active")).collect();
    assert_eq!(rows, ["Cool Cats   all        warning  bypass active"], "{text}");
}

#[tokio::test]
async fn every_other_command_works_on_one_account() {
    let world = World::new().await.verified().await;
    let before = world.requests().len();
    for line in [
        "setup cool.cats",
        "enable cool.cats --yes",
        "connector get cool.cats",
        "bypass disable --all --yes",
        "team rename cats",
        "impact cool.cats",
        "preflight cool.cats",
        "whoami",
        "journal list",
        "dig cool.cats",
        "logins --watch",
        "doctor --format junit",
        "recovery check --format github",
        "connector list --format bind",
    ] {
        for (several, option) in
            [("--all-accounts", "--all-accounts"), ("--account A --account B", "--account")]
        {
            let ran = world.run(&format!("{line} {several}")).await;
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{line} {several}: {ran:?}");
            assert!(ran.stderr.contains(&format!("`{option}`")), "{line} {several}: {ran:?}");
        }
    }
    assert_eq!(world.requests().len(), before);
    let both = world.run("status --all-accounts --account Dogs").await;
    assert_eq!(both.code, 2, "{both:?}");
}

#[tokio::test]
async fn a_window_that_is_nearly_used_up_is_waited_for() {
    let world = World::new().await;
    for _ in 0..1190 {
        world.ask("GET /user/tokens/verify").await;
    }
    let start = world.clock.now();
    let (ran, requests) = world.requests_of("connector list --all-accounts").await;
    assert_eq!((ran.code, requests.len()), (0, 6), "{ran:?}");
    let waited = world.clock.now().duration_since(start).as_secs();
    assert!((1..=300).contains(&waited), "{waited}");
}

#[tokio::test]
async fn an_identity_provider_of_another_account_is_checked_there() {
    let world = World::new().await;
    world.ok("federation share oidc --to c001ca75000000000000000000000003").await;
    let (report, _) = fleet(&world, "idp check --all-accounts", 0).await;
    let shared = account(&report, "Small Cats");
    assert_eq!(shared["exit_code"], 0, "{shared:#}");
}
