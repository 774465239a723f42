//! `cfsso logins`, and the logs of the simulator.

use std::time::Duration;

use cfsso::sandbox::{Access, LogBehavior, LogRecords, SignInAttempt};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::World;

/// Somebody who signs in through the first identity provider.
pub fn person(email: &str) -> SignInAttempt {
    SignInAttempt { email: email.to_owned(), idp: None, is_password_wrong: false }
}

/// How many rows of the audit log are sign-ins.
fn sso_logins(rows: &Value) -> usize {
    let rows = rows.as_array().unwrap().iter();
    rows.filter(|row| row["action"]["description"] == "SSO_LOGIN").count()
}

async fn emails(world: &World, line: &str) -> Vec<String> {
    let list = world.ok(&format!("{line} -o json")).await.json();
    let email = |row: &Value| row["email"].as_str().unwrap().to_owned();
    list.as_array().unwrap().iter().map(email).collect()
}

#[tokio::test]
async fn sign_ins_are_listed_newest_first_and_filtered() {
    let world = World::new().await.enabled().await;
    for email in ["ada@cool.cats", "tom@cool.cats", "Ada@cool.cats"] {
        assert!(world.sandbox.sign_in(&person(email)).unwrap().is_signed_in);
        world.clock.sleep(Duration::from_mins(10)).await;
    }
    let wrong = SignInAttempt { is_password_wrong: true, ..person("kit@cool.cats") };
    assert!(!world.sandbox.sign_in(&wrong).unwrap().is_signed_in);
    let all = ["Ada@cool.cats", "tom@cool.cats", "ada@cool.cats"];
    assert_eq!(emails(&world, "logins").await, all);
    assert_eq!(emails(&world, "logins --all-apps").await, all);
    assert_eq!(emails(&world, "logins --app Wiki").await, [""; 0]);
    assert_eq!(emails(&world, "logins ada@cool.cats").await, [all[0], all[2]]);
    assert_eq!(emails(&world, "logins --limit 1").await, [all[0]]);
    assert_eq!(emails(&world, "logins --since 15m").await, [all[0]]);
    assert_eq!(emails(&world, "logins --until 15m").await, all[1..]);
    assert_eq!(emails(&world, "logins --denied").await, [""; 0]);
    let hidden = world.ok("logins --redact-emails").await;
    assert!(hidden.stdout.contains("***@cool.cats") && !hidden.stdout.contains("tom@"));
    let hidden = world.ok("logins -q -o json").await;
    assert!(!hidden.stdout.contains("tom@"), "{hidden:?}");
    assert!(world.ok("logins").await.stdout.contains("RAY ID"));
    let narrow = world.with_person("").ok("logins").await.stdout;
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    assert_eq!(narrow.lines().count(), 6, "{narrow}");
    assert!(narrow.ends_with("Ray IDs: `-o json`, or 100 columns\n"), "{narrow}");
}

#[tokio::test]
async fn a_watch_ends_at_the_time_limit() {
    let world = World::new().await.enabled().await;
    assert!(world.sandbox.sign_in(&person("ada@cool.cats")).unwrap().is_signed_in);
    let before = world.clock.now();
    let ran = world.ok("logins --watch --timeout 12s").await;
    assert_eq!((ran.stdout.lines().count(), ran.stderr.contains("warning")), (1, false), "{ran:?}");
    assert_eq!(world.clock.now().duration_since(before).as_secs(), 12);
}

#[tokio::test]
async fn a_watch_that_cannot_print_rows_prints_its_list_at_the_end() {
    let world = World::new().await.enabled().await;
    assert!(world.sandbox.sign_in(&person("ada@cool.cats")).unwrap().is_signed_in);
    world.sandbox.plan_sign_in(Duration::from_secs(7), person("tom@cool.cats"));
    let list = world.ok("logins --watch --timeout 12s -o json").await.json();
    let emails: Vec<_> = list.as_array().unwrap().iter().map(|row| &row["email"]).collect();
    assert_eq!(emails, ["ada@cool.cats", "tom@cool.cats"]);
    world.fails("logins --watch -o json", 2).await;
}

#[tokio::test]
async fn a_list_without_rows_is_nothing_in_markdown() {
    let world = World::new().await.enabled().await;
    assert_eq!(world.ok("logins -o markdown").await.stdout, "");
}

#[tokio::test]
async fn what_can_find_nothing_is_refused() {
    let world = World::new().await;
    for line in [
        "logins --limit 0",
        "logins --since 1h --until 2h",
        "logins notanemail",
        "logins @cool.cats",
        "journal list --limit 0",
    ] {
        let (ran, requests) = world.requests_of(line).await;
        assert_eq!((ran.code, requests), (2, Vec::new()), "{line}: {ran:?}");
    }
}

#[tokio::test]
async fn what_a_policy_denies_is_a_row_and_no_sign_in_to_the_dashboard() {
    let world = World::new().await.enabled().await;
    let app = world.ok("app get -o json").await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{}/access/apps/{app}/policies", world.sandbox.account());
    let policies = world.ask(&format!("GET {path}")).await;
    let policy = policies[0]["id"].as_str().unwrap();
    let delete = format!("DELETE {path}/{policy}");
    crate::sandbox::client::ask(&world.sandbox, Access::Full, &delete, None).await.result();
    let result = world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    assert_eq!(result.detail, "no policy allows ada@cool.cats");
    let list = world.ok("logins --denied -o json").await.json();
    assert_eq!(list[0]["allowed"], false);
    let audit = format!(
        "GET /accounts/{}/logs/audit?since=2026-03-01&before=2026-03-02T00:00:00Z",
        world.sandbox.account()
    );
    let refused = crate::sandbox::client::ask(&world.sandbox, Access::Full, &audit, None).await;
    assert_eq!(refused.refusal(), (400, 1006));
    let audit = audit.replace("since=2026-03-01&", "since=2026-03-01T00:00:00Z&");
    assert_eq!(sso_logins(&world.ask(&audit).await), 0);
}

#[tokio::test]
async fn a_write_has_the_same_ray_id_in_its_answer_and_in_the_audit_log() {
    let world = World::new().await.enabled().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let account = world.sandbox.account().to_string();
    let patch = format!("PATCH /accounts/{account}/sso_connectors/{id}");
    let body = Some(json!({ "enabled": false }));
    let answer = crate::sandbox::client::ask(&world.sandbox, Access::Full, &patch, body).await;
    world.clock.sleep(Duration::from_mins(10)).await;
    let times = "since=2026-03-01T00:00:00Z&before=2026-03-02T00:00:00Z";
    let rows = world.ask(&format!("GET /accounts/{account}/logs/audit?{times}")).await;
    let ray = format!("{}-SBX", rows[0]["raw"]["cf_ray_id"].as_str().unwrap());
    assert_eq!(ray, answer.headers["cf-ray"], "{rows}");
}

#[tokio::test]
async fn an_empty_log_says_how_long_it_is_kept_and_an_unreadable_one_what_it_needs() {
    let world = World::new().await.enabled().await;
    let empty = world.ok("logins").await;
    assert!(empty.stderr.contains("Free: 24 hours"), "{empty:?}");
    world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    world.clock.sleep(Duration::from_hours(25)).await;
    assert_eq!(emails(&world, "logins --since 7d").await, [""; 0]);
    let world = world.with_token(Access::AccessOnly);
    let error = world.fails("logins", 5).await;
    assert!(error.to_string().contains("Access: Audit Logs Read"), "{error}");
}

#[tokio::test]
async fn the_log_is_read_to_its_last_page() {
    let world = World::new().await.enabled().await;
    for number in 0..1001 {
        world.sandbox.sign_in(&person(&format!("user-{number}@cool.cats"))).unwrap();
    }
    let (ran, requests) = world.requests_of("logins -o json").await;
    assert_eq!(ran.json().as_array().unwrap().len(), 1001);
    let pages = requests.iter().filter(|request| request.contains("access_requests"));
    assert_eq!(pages.count(), 2);
}

#[tokio::test]
async fn the_audit_log_has_cursors_and_both_logs_may_be_late() {
    let world = World::new().await.enabled().await;
    let late = Duration::from_mins(1);
    let behavior = LogBehavior { login_delay: late, audit_delay: late * 2, ..Default::default() };
    world.sandbox.set_log_behavior(behavior);
    world.sandbox.plan_sign_in(Duration::from_secs(5), person("ada@cool.cats"));
    world.sandbox.plan_sign_in(Duration::from_secs(6), person("tom@cool.cats"));
    let audit = format!(
        "GET /accounts/{}/logs/audit?since=2026-03-01T00:00:00Z&before=2026-03-02T00:00:00Z&limit=1",
        world.sandbox.account()
    );
    for (after, logins, rows) in [(10, 0, 0), (60, 2, 0), (60, 2, 1)] {
        world.clock.sleep(Duration::from_secs(after)).await;
        assert_eq!(emails(&world, "logins").await.len(), logins);
        assert_eq!(world.ask(&audit).await.as_array().unwrap().len(), rows);
    }
    let reply = async |query: &str| {
        let request = format!("{audit}{query}");
        {
            crate::sandbox::client::ask(&world.sandbox, Access::ReadOnly, &request, None)
                .await
                .json()
        }
    };
    // The change of the connector, and then the sign-ins.
    for (query, email, cursor) in [
        ("&direction=asc", "admin@cool.cats", "1"),
        ("&direction=asc&cursor=3", "ada@cool.cats", "4"),
        ("&direction=asc&cursor=4", "tom@cool.cats", ""),
    ] {
        let page = reply(query).await;
        assert_eq!(page["result"][0]["actor"]["email"], email);
        assert_eq!(page["result_info"]["cursor"], cursor);
    }
}

#[tokio::test]
async fn users_have_a_last_identity() {
    let world = World::new().await.enabled().await;
    world.sandbox.set_log_behavior(LogBehavior {
        records: LogRecords::LoginLogOnly,
        ..LogBehavior::default()
    });
    world.sandbox.sign_in(&person("ada@cool.cats")).unwrap();
    let users = format!("GET /accounts/{}/access/users", world.sandbox.account());
    let list = world.ask(&users).await;
    let id = list[0]["id"].as_str().unwrap();
    let time = list[0]["last_successful_login"].as_str().unwrap();
    assert!(time.parse::<Timestamp>().unwrap() <= world.clock.now(), "{time}");
    let identity = world.ask(&format!("{users}/{id}/last_seen_identity")).await;
    assert_eq!(identity["idp"]["type"], "oidc");
}

#[tokio::test]
async fn a_person_is_played_by_a_command() {
    let world = World::new().await.enabled().await;
    let ran = world.ok("sandbox login ada@cool.cats -o json").await;
    assert_eq!(ran.json()["is_signed_in"], true);
    world.sandbox.take_down("company");
    let ran = world.run("sandbox login ada@cool.cats").await;
    assert_eq!(ran.code, 10);
    assert!(ran.stdout.contains("Company SSO does not respond"), "{ran:?}");
    let ran = world.run("sandbox login ada@cool.cats --idp Missing").await;
    assert!(ran.stdout.contains("no identity provider `Missing`"), "{ran:?}");
    let ran = world.ok("sandbox login ada@dogs.test").await;
    assert!(ran.stdout.contains("with a password"), "{ran:?}");
}
