//! Scenes of `diagnose`: worlds in which somebody cannot sign in, and why.

use cfsso::clock::Clock;
use cfsso::sandbox::{Access, Scenario, SignInAttempt};
use clap::ValueEnum;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::harness::World;
use crate::logins::person;
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// A world in which that happened.
pub async fn broken(scenario: Scenario) -> World {
    let now = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
    let world = World::start(Clock::fake(now), Some(scenario.build(now))).await;
    if let Some(slug) = scenario.down() {
        world.sandbox.take_down(slug);
    }
    world
}

/// The diagnosis of one address, held to its schema; it writes nothing.
async fn diagnose(world: &World, line: &str, code: u8) -> Value {
    let before = world.writes();
    let ran = world.run(&format!("diagnose {line} -o json")).await;
    assert_eq!(ran.code, code, "{ran:?}");
    assert_eq!(world.writes(), before);
    let report = ran.json();
    assert_conforms(&world.ok("schema diagnose").await.json(), &report);
    assert_eq!(report["ok"], code == 0);
    report["diagnoses"][0].clone()
}

/// The first step that is a cause, or a likely one.
fn cause(diagnosis: &Value) -> (&str, &str) {
    let steps = diagnosis["steps"].as_array().unwrap();
    let of = |state: &str| steps.iter().find(|step| step["state"] == state);
    let step = of("cause").or_else(|| of("suspect")).unwrap_or_else(|| panic!("{diagnosis:#}"));
    (step["id"].as_str().unwrap(), step["detail"].as_str().unwrap())
}

#[tokio::test]
async fn each_broken_world_has_its_cause_named_first() {
    use Scenario as S;
    let expected = |scenario| match scenario {
        S::IdpDeleted | S::FederatedShareRevoked => {
            ("sso-app", "deleted or no longer shared", "certain")
        }
        S::IdpSecretRotated => ("recent-changes", "changed an identity provider", "likely"),
        S::SamlCertificateExpired => ("identity-providers", "expired", "certain"),
        S::PolicyNarrowed | S::PolicyRequiresOtherIdp => {
            ("policies", "no policy of the SSO App", "certain")
        }
        S::InstantAuthToDeadIdp => ("identity-providers", "Company SSO does not work", "certain"),
        S::PlusAddress => ("address", "plus address", "certain"),
        S::NotAMember => ("member", "not a member", "certain"),
        S::ConnectorElsewhere => ("connector", "another account", "likely"),
        S::MfaForced => ("sso-app", "multi-factor", "likely"),
        S::TeamRenamed => ("recent-changes", "changed a Zero Trust organization", "likely"),
    };
    for scenario in S::value_variants() {
        let world = broken(*scenario).await;
        let attempt = SignInAttempt::from(*scenario);
        let tried = world.sandbox.sign_in(&attempt).unwrap();
        // A member alone is let in; to what, only the account knows.
        let gets_in = [S::NotAMember, S::ConnectorElsewhere].contains(scenario);
        assert!(!tried.is_signed_in || gets_in, "{scenario:?} {tried:?}");
        let world = broken(*scenario).await;
        let diagnosis = diagnose(&world, scenario.user(), 10).await;
        let (step, words, confidence) = expected(*scenario);
        let (id, detail) = cause(&diagnosis);
        assert_eq!(id, step, "{scenario:?} {diagnosis:#}");
        assert!(detail.contains(words), "{scenario:?} {detail}");
        assert_eq!(diagnosis["confidence"], confidence, "{scenario:?} {diagnosis:#}");
        assert!(!diagnosis["next"].is_null());
    }
}

#[tokio::test]
async fn a_healthy_world_is_accused_of_nothing() {
    let world = World::new().await.enabled().await;
    for line in ["admin@cool.cats", "Admin@COOL.cats", ""] {
        let diagnosis = diagnose(&world, line, 0).await;
        assert_eq!(
            (&diagnosis["verdict"], &diagnosis["confidence"]),
            (&json!("nothing_found"), &json!("likely"))
        );
    }
    world.sandbox.sign_in(&person("admin@cool.cats")).unwrap();
    let diagnosis = diagnose(&world, "admin@cool.cats", 0).await;
    assert_eq!(diagnosis["confidence"], "certain", "{diagnosis:#}");
    // What has nothing to do with the way of a sign-in is no accusation.
    world.clock.sleep(std::time::Duration::from_mins(1)).await;
    world.ok("connector update cool.cats --fedramp").await;
    diagnose(&world, "admin@cool.cats", 0).await;
}

#[tokio::test]
async fn sso_that_is_off_is_not_the_cause() {
    let world = World::new().await.verified().await;
    let diagnosis = diagnose(&world, "tom@cool.cats", 0).await;
    assert_eq!(diagnosis["verdict"], "sso_is_off");
    assert_eq!(diagnosis["steps"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_causes_are_both_named() {
    let world = broken(Scenario::PolicyNarrowed).await;
    world.sandbox.remove_member("tom@cool.cats").unwrap();
    let diagnosis = diagnose(&world, "tom@cool.cats", 10).await;
    assert_eq!(cause(&diagnosis).0, "member");
    let summary = diagnosis["summary"].as_str().unwrap();
    assert!(summary.contains("(also: Policies"), "{summary}");
}

#[tokio::test]
async fn what_is_not_in_this_account_cannot_be_told() {
    let world = World::new().await.enabled().await;
    let next = diagnose(&world, "ada@dogs.test", 8).await["next"].clone();
    let command = next[0].as_str().unwrap().strip_prefix("cfsso ").unwrap();
    world.ok(command).await;
    for (email, words) in [
        ("ada@mail.cool.cats", "the one of cool.cats does not cover it"),
        ("ada@dogs.test", "no connector for dogs.test in this account"),
    ] {
        let diagnosis = diagnose(&world, email, 8).await;
        assert!(diagnosis["summary"].as_str().unwrap().contains(words), "{diagnosis:#}");
    }
    let other = broken(Scenario::ConnectorElsewhere).await;
    let next = diagnose(&other, "tom@cool.cats", 10).await["next"].clone();
    other.ok(next[0].as_str().unwrap().strip_prefix("cfsso ").unwrap()).await;
    world.ok("diagnose cool.cats").await;
    world.fails("diagnose cool", 2).await;
    world.fails("diagnose @cool.cats", 2).await;
    World::new().await.fails("diagnose", 6).await;
}

#[tokio::test]
async fn an_invitation_that_is_pending_and_a_policy_that_depends_are_told() {
    let world = World::new().await.enabled().await;
    let diagnosis = diagnose(&world, "kit@cool.cats", 10).await;
    assert!(cause(&diagnosis).1.contains("is pending, not accepted"));
    let app = world.ok("app get -o json").await.json()["id"].as_str().unwrap().to_owned();
    let path = format!("/accounts/{}/access/apps/{app}/policies", world.sandbox.account());
    let policies = world.ask(&format!("GET {path}")).await;
    let mut policy = policies[0].clone();
    policy["require"] = json!([{ "geo": { "country_code": "DE" } }]);
    let put = format!("PUT {path}/{}", policy["id"].as_str().unwrap());
    ask(&world.sandbox, Access::Full, &put, Some(policy)).await.result();
    let diagnosis = diagnose(&world, "tom@cool.cats", 8).await;
    assert!(
        diagnosis["summary"].as_str().unwrap().contains("depends on the country"),
        "{diagnosis:#}"
    );
}

#[tokio::test]
async fn logs_that_cannot_be_read_lower_the_confidence_and_hide_no_cause() {
    for fault in
        ["500x*@GET/access_requests", "502-htmlx*@GET/access_requests", "500x*@GET/logs/audit"]
    {
        let world = broken(Scenario::PolicyNarrowed).await;
        world.fault(fault);
        let diagnosis = diagnose(&world, "tom@cool.cats --max-retries 0", 10).await;
        assert_eq!(cause(&diagnosis).0, "policies", "{fault}");
        let confidence = if fault.contains("audit") { "certain" } else { "likely" };
        assert_eq!(diagnosis["confidence"], confidence, "{fault} {diagnosis:#}");
        let world = broken(Scenario::IdpSecretRotated).await;
        world.fault(fault);
        // Only the logs have this cause.
        let diagnosis = diagnose(&world, "tom@cool.cats --max-retries 0", 0).await;
        assert_eq!(diagnosis["confidence"], "likely", "{fault} {diagnosis:#}");
    }
    let world = broken(Scenario::NotAMember).await.with_token(Access::AccessOnly);
    let diagnosis = diagnose(&world, "new@cool.cats", 8).await;
    assert!(diagnosis["summary"].as_str().unwrap().contains("SSO Connector Read"), "{diagnosis:#}");
    let error = world.fails("diagnose", 5).await;
    assert!(error["message"].as_str().unwrap().contains("SSO Connector Read"), "{error}");
}

#[tokio::test]
async fn people_read_one_sentence_and_the_way_of_the_sign_in() {
    let world = broken(Scenario::PolicyNarrowed).await.with_person("");
    let ran = world.run("diagnose tom@cool.cats").await;
    insta::assert_snapshot!(ran.stdout, @"
    tom@cool.cats cannot sign in: no policy of the SSO App allows the user (certain)

    passed      Address                   cool.cats has a connector
    passed      Connector                 SSO is on for cool.cats, changed at
                                          2025-12-01T12:00:00Z
    passed      Member                    member: Administrator
    passed      SSO App                   allowed identity providers: all
    failed      Policies                  no policy of the SSO App allows the user
                Fix: `cfsso app policies`
    passed      Identity providers        no problem found: Company SSO
    passed      Login log                 denied at 2026-03-01T11:30:00Z, last
                                          allowed at 2026-02-28T16:00:00Z
    warning     Recent changes            changed since the last sign-in:
                                          admin@cool.cats changed a policy of an
                                          application
                                          3f4936e1-90ad-4b28-819f-55d39713d2f3 at
                                          2026-03-01T11:00:00Z
                Fix: `cfsso timeline --domain cool.cats`
    ");
    let ran = world.run("diagnose tom@cool.cats -o markdown").await;
    assert_eq!(ran.code, 10);
    assert!(ran.stdout.starts_with("## Sign-in of tom@cool.cats\n"), "{ran:?}");
    assert!(ran.stdout.contains("- admin@cool.cats changed a policy of an application"), "{ran:?}");
}

#[tokio::test]
async fn more_causes_are_named() {
    let app_of = async |world: &World| {
        let id = world.ok("app get -o json").await.json()["id"].as_str().unwrap().to_owned();
        format!("/accounts/{}/access/apps/{id}", world.sandbox.account())
    };
    let change = async |world: &World, request: &str, body: Value| {
        ask(&world.sandbox, Access::Full, request, Some(body)).await.result()
    };
    // A policy that denies.
    let world = World::new().await.enabled().await;
    let path = app_of(&world).await;
    let deny = json!({ "name": "no tom", "decision": "deny", "precedence": 9,
        "include": [{ "email": { "email": "tom@cool.cats" } }] });
    change(&world, &format!("POST {path}/policies"), deny).await;
    let policies = world.ask(&format!("GET {path}/policies")).await;
    let mut first = policies[0].clone();
    first["precedence"] = json!(20);
    change(&world, &format!("PUT {path}/policies/{}", first["id"].as_str().unwrap()), first).await;
    let diagnosis = diagnose(&world, "tom@cool.cats", 10).await;
    assert_eq!(cause(&diagnosis), ("policies", "the policy `no tom` denies the user"));
    diagnose(&world, "admin@cool.cats", 0).await;
    // An identity provider that is down, without instant authentication.
    let world = World::new().await.enabled().await;
    world.sandbox.take_down("company");
    let diagnosis = diagnose(&world, "tom@cool.cats", 10).await;
    assert_eq!(cause(&diagnosis).0, "identity-providers");
    // One of two is down.
    world.ok("idp create onetimepin").await;
    let diagnosis = diagnose(&world, "tom@cool.cats", 10).await;
    assert_eq!(
        (cause(&diagnosis).0, &diagnosis["confidence"]),
        ("identity-providers", &json!("likely"))
    );
}

#[tokio::test]
async fn what_would_stop_a_user_is_told_before_sso_is_enabled() {
    let world = World::new().await.verified().await;
    diagnose(&world, "new@cool.cats", 0).await;
    let diagnosis = diagnose(&world, "new@cool.cats --assume-enabled", 10).await;
    assert_eq!(cause(&diagnosis).0, "member");
}

#[tokio::test]
async fn a_bypass_on_a_terminal_begins_with_the_diagnosis() {
    let world = broken(Scenario::InstantAuthToDeadIdp).await.with_person("no\nno\nno\n");
    let ran = world.run("bypass").await;
    let first = ran.stdout.lines().next().unwrap();
    assert!(first.starts_with("Diagnosis: users at cool.cats cannot sign in"), "{}", ran.screen);
    let world = World::new().await.enabled().await.with_person("no\nno\nno\n");
    let ran = world.run("bypass").await;
    assert!(!ran.stdout.contains("Diagnosis"), "{}", ran.screen);
}

#[tokio::test]
async fn the_status_of_a_domain_has_its_last_sign_ins() {
    let world = broken(Scenario::PolicyNarrowed).await;
    let status = world.ok("status -o json").await.json();
    let domain = &status["domains"][0];
    assert_eq!(domain["last_allowed"], "2026-02-28T16:00:00Z", "{status}");
    assert_eq!(domain["last_denied"], "2026-03-01T11:30:00Z");
    let shown = world.with_person("").ok("status").await.stdout;
    assert!(shown.contains("last allowed 20 hours ago, last denied 30"), "{shown}");
}

#[tokio::test]
async fn a_timeline_joins_the_logs_and_the_journal() {
    let world = broken(Scenario::PolicyNarrowed).await;
    world.ok("bypass disable cool.cats --yes").await;
    world.clock.sleep(std::time::Duration::from_mins(5)).await;
    let ran = world.ok("timeline -o json").await;
    let timeline = ran.json();
    assert_conforms(&world.ok("schema timeline").await.json(), &timeline);
    let rows = timeline["rows"].as_array().unwrap();
    let what: Vec<_> = rows.iter().map(|row| row["what"].as_str().unwrap()).collect();
    assert_eq!(
        what,
        [
            "changed a policy of an application",
            "was denied through oidc",
            "disable SSO for cool.cats"
        ]
    );
    assert!(rows[0]["journal_entry"].is_null());
    assert!(rows[2]["journal_entry"].is_string(), "{timeline:#}");
    assert_eq!(rows[2]["now"], "disabled");
    assert_eq!(timeline["first_denied"], "2026-03-01T11:30:00Z");
    assert!(ran.stderr.contains("5 minutes ago"), "{ran:?}");
    let all = world.ok("timeline --logins --redact-emails -o json").await;
    assert_eq!(all.json()["rows"].as_array().unwrap().len(), 5, "{all:?}");
    assert!(!all.stdout.contains("tom@"), "{all:?}");
    let other = world.ok("timeline --domain dogs.test -o json").await.json();
    assert_eq!(other["rows"].as_array().unwrap().len(), 1, "{other:#}");
    let none = world.ok("timeline --until 2h -o json").await.json();
    assert_eq!(none["rows"].as_array().unwrap().len(), 0);
    let text = world.ok("timeline -o markdown").await.stdout;
    for words in [
        "- first denied sign-in: 2026-03-01T11:30:00Z",
        "| admin@cool.cats | disable SSO for cool.cats | cool.cats (at present: disabled) | audit log * |",
        "- disable SSO for cool.cats (active)",
        "Undo: `cfsso bypass undo`",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[tokio::test]
async fn a_timeline_credits_no_change_of_another_client_to_this_machine() {
    let second = std::time::Duration::from_secs(1);
    // The log has times without fractions of a second.
    let this_second =
        |world: &World| Timestamp::from_second(world.clock.now().as_second()).unwrap();
    let patch = async |world: &World, body: Value| {
        let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
        let request = format!("PATCH /accounts/{}/sso_connectors/{id}", world.sandbox.account());
        ask(&world.sandbox, Access::Full, &request, Some(body)).await.result();
    };
    let rows = async |world: &World, since: Timestamp| {
        world.clock.sleep(second * 600).await;
        let timeline = world.ok(&format!("timeline --since {since} -o json")).await.json();
        let rows = timeline["rows"].as_array().unwrap().iter();
        let row = |row: &Value| {
            (row["what"].as_str().unwrap().to_owned(), row["journal_entry"].is_string())
        };
        rows.map(row).collect::<Vec<_>>()
    };
    let changed = ("changed a connector".to_owned(), false);
    let disabled = ("disable SSO for cool.cats".to_owned(), true);
    // Just before the time range, this machine sent the same request line.
    let world = World::new().await.enabled().await;
    world.ok("disable cool.cats --yes").await;
    world.clock.sleep(second * 2).await;
    let since = this_second(&world);
    patch(&world, json!({ "enabled": true })).await;
    assert_eq!(rows(&world, since).await, std::slice::from_ref(&changed));
    // A failed entry, then a write of another client and one of this machine.
    let world = World::new().await.enabled().await.with_token(Access::ReadOnly);
    world.clock.sleep(second * 60).await;
    let since = this_second(&world);
    world.fails("disable cool.cats --yes", 5).await;
    world.clock.sleep(second).await;
    patch(&world, json!({ "use_fedramp_language": true })).await;
    world.clock.sleep(second).await;
    let world = world.with_token(Access::Full);
    world.ok("disable cool.cats --yes").await;
    let failed = ("disable SSO for cool.cats (failed)".to_owned(), true);
    assert_eq!(rows(&world, since).await, [failed, changed, disabled]);
}

#[tokio::test]
async fn a_timeline_of_one_domain_has_no_connectors_of_others() {
    let world = World::new().await.enabled().await;
    world.ok("create cool.dogs").await;
    world.ok("connector delete cool.dogs --yes").await;
    for (domain, has, lacks) in [
        ("cool.cats", "cool.cats", "cool.dogs"),
        ("COOL.dogs.", "cool.dogs", "cool.cats"),
        ("nosuch.test", "", "cool."),
    ] {
        let text = world.ok(&format!("timeline --domain {domain} -o json")).await.stdout;
        assert!(text.contains(has) && !text.contains(lacks), "{domain} {text}");
    }
}

#[tokio::test]
async fn a_timeline_says_what_it_lacks() {
    let world = broken(Scenario::PolicyNarrowed).await;
    world.fault("500x*@GET/access_requests");
    let ran = world.ok("timeline --max-retries 0").await;
    assert!(ran.stderr.contains("not checked, login log"), "{ran:?}");
    world.fault("500x*@GET/logs/audit");
    world.fails("timeline --max-retries 0", 9).await;
    let world = broken(Scenario::PolicyNarrowed).await.with_token(Access::ConnectorOnly);
    let error = world.fails("timeline", 5).await;
    assert!(error.to_string().contains("Account Settings Read"), "{error}");
}

#[tokio::test]
async fn an_account_without_an_identity_provider_has_a_cause() {
    let world = World::new().await.enabled().await;
    let company = "c001ca75-1d90-4000-8000-000000000001";
    let account = world.sandbox.account().to_string();
    world.ask(&format!("DELETE /accounts/{account}/access/identity_providers/{company}")).await;
    for line in ["diagnose tom@cool.cats", "diagnose"] {
        let text = world.run(line).await.stdout;
        assert!(text.contains("no identity provider is allowed"), "{line}: {text}");
    }
}
