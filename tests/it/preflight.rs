//! Scenes of the checks before enforcement.

use cfsso::sandbox::{Access, Membership, Role, Scenario};
use serde_json::{Value, json};

use crate::diagnose::broken;
use crate::harness::World;
use crate::logins::person;
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// The checks of `cool.cats`, by their names.
struct Checks(Value);

impl Checks {
    fn of(&self, id: &str) -> &Value {
        let checks = self.0["checks"].as_array().unwrap();
        checks.iter().find(|check| check["id"] == id).unwrap()
    }

    fn state(&self, id: &str) -> &str {
        self.of(id)["state"].as_str().unwrap()
    }

    fn evidence(&self, id: &str) -> &str {
        self.of(id)["detail"].as_str().unwrap()
    }
}

async fn checks(world: &World, options: &str) -> Checks {
    let ran = world.run(&format!("preflight cool.cats {options} -o json")).await;
    assert!([0, 11].contains(&ran.code), "{ran:?}");
    let report = ran.json();
    assert_eq!(report["ok"], ran.code == 0, "{report:#}");
    Checks(report)
}

/// Changes an object of Access past the program.
async fn change(world: &World, path: &str, change: impl FnOnce(&mut Value)) {
    let path = format!("/accounts/{}/access/{path}", world.sandbox.account());
    let mut object = world.ask(&format!("GET {path}")).await;
    change(&mut object);
    object.as_object_mut().unwrap().remove("policies");
    ask(&world.sandbox, Access::Full, &format!("PUT {path}"), Some(object)).await.result();
}

async fn sign_in(world: &World) -> String {
    let apps = world.ask(&format!("GET /accounts/{}/access/apps", world.sandbox.account())).await;
    let apps = apps.as_array().unwrap();
    let app = apps.iter().find(|app| app["type"] == "dash_sso").unwrap();
    app["id"].as_str().unwrap().to_owned()
}

/// A file that holds a token of the sandbox.
fn token_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

#[tokio::test]
async fn all_seventeen_are_made_by_one_look_and_nothing_is_written() {
    let world = World::new().await.verified().await;
    let writes = world.writes();
    let (ran, mut requests) = world.requests_of("preflight COOL.cats. -o json").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let report = ran.json();
    assert_eq!(report["schema"], "cfsso/preflight/v1");
    let schema = world.ok("schema preflight").await.json();
    assert_conforms(&schema, &report);
    assert_eq!(report["checks"].as_array().unwrap().len(), 17);
    assert_eq!(world.writes(), writes);
    // Its policies hang on the list of applications: all else goes out at once.
    let policies = requests.iter().position(|request| request.ends_with("/policies")).unwrap();
    assert!(policies >= 2, "{requests:#?}");
    requests.retain(|request| !request.contains("/oidc/") && !request.contains("/.well-known/"));
    requests.sort();
    let app = sign_in(&world).await;
    assert_eq!(
        requests,
        [
            "GET /access/apps".to_owned(),
            format!("GET /access/apps/{app}/policies"),
            "GET /access/identity_providers".to_owned(),
            "GET /access/logs/access_requests".to_owned(),
            "GET /access/organizations".to_owned(),
            "GET /access/users".to_owned(),
            "GET /client/v4/user/tokens/verify".to_owned(),
            "GET /members".to_owned(),
            "GET /sso_connectors".to_owned(),
        ]
    );
}

#[tokio::test]
async fn a_new_account_is_warned_of_its_members_and_the_missing_way_back() {
    let world = World::new().await.verified().await;
    let seen = checks(&world, "").await;
    for id in [
        "domain-verified",
        "domain-eligible",
        "zero-trust-org",
        "idp-present",
        "idp-healthy",
        "sso-app-present",
        "sso-app-reaches-idp",
        "instant-auth-consistent",
        "policy-allows-domain",
        "policy-unsupported",
        "members-super-admin",
        "recovery-token",
        "txt-still-published",
        "foreign-claim",
    ] {
        assert_eq!(seen.state(id), "passed", "{:#}", seen.of(id));
    }
    assert_eq!(seen.state("members-plus-addressed"), "failed");
    assert!(seen.evidence("members-plus-addressed").contains("tom+audit@cool.cats"));
    let admins = seen.evidence("members-super-admin");
    for name in ["rescue@dogs.test", "admin@cool.cats", "kit@cool.cats"] {
        assert!(admins.contains(name), "{admins}");
    }
    assert_eq!(seen.state("fallback-login"), "failed");
    assert_eq!(seen.of("fallback-login")["fix"], "`cfsso idp create onetimepin`");
    world.ok("idp create onetimepin").await;
    world.sandbox.remove_member("tom+audit@cool.cats").unwrap();
    assert_eq!(seen.state("login-seen"), "failed");
    world.ok("enable cool.cats --yes").await;
    world.sandbox.sign_in(&person("admin@cool.cats")).unwrap();
    let seen = checks(&world, "").await;
    assert_eq!(seen.0["summary"], "17 passed");
}

#[tokio::test]
async fn an_unverified_domain_refuses_with_11_and_the_risk_can_be_taken() {
    let world = World::new().await;
    world.ok("create cool.cats").await;
    let ran = world.run("preflight cool.cats").await;
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(ran.stdout.contains("domain-verified"), "{ran:?}");
    assert!(ran.stderr.contains("`cfsso connector verify cool.cats --wait`"), "{ran:?}");
    let seen = checks(&world, "--accept-risk domain-verified").await;
    assert_eq!(seen.state("domain-verified"), "accepted");
    assert_eq!(seen.state("txt-still-published"), "failed");
    assert_eq!(seen.0["ok"], true);
}

#[tokio::test]
async fn without_an_identity_provider_nothing_is_enabled() {
    let world = World::new().await.verified().await;
    world.ok("idp delete oidc --yes --force").await;
    let seen = checks(&world, "").await;
    assert_eq!(seen.0["ok"], false);
    assert_eq!(seen.state("idp-present"), "failed");
    assert_eq!(seen.state("idp-healthy"), "not_checked");
    assert_eq!(seen.state("sso-app-reaches-idp"), "failed");
    let writes = world.writes();
    let error = world.fails("enable cool.cats --yes", 11).await;
    let causes = error["causes"].to_string();
    assert!(causes.contains("idp-present:") && causes.contains("sso-app-reaches-idp:"), "{error}");
    let ran = world.run("setup cool.cats --enable --yes -o json").await;
    assert_eq!(ran.code, 11, "{ran:?}");
    assert_eq!(world.writes(), writes);
    let risks = "--accept-risk idp-present --accept-risk sso-app-reaches-idp";
    world.ok(&format!("enable cool.cats --yes {risks}")).await;
}

#[tokio::test]
async fn an_identity_provider_without_keys_refuses_and_one_that_does_not_answer_warns() {
    // Cloudflare may still reach it.
    for (fault, ok) in [("500x*@/jwks", true), ("no-keysx*", false)] {
        let world = World::new().await.verified().await;
        world.fault(fault);
        let seen = checks(&world, "").await;
        assert_eq!(seen.state("idp-healthy"), "failed", "{:#}", seen.of("idp-healthy"));
        assert!(seen.evidence("idp-healthy").starts_with("Company SSO: jwks: "), "{:#}", seen.0);
        assert_eq!(seen.0["ok"], ok, "{fault}: {:#}", seen.0);
        let ran = world.run("enable cool.cats --yes").await;
        assert_eq!(ran.code, if ok { 0 } else { 11 }, "{fault}: {ran:?}");
    }
}

#[tokio::test]
async fn a_sign_in_that_reaches_nobody_refuses() {
    let world = World::new().await.verified().await;
    let path = format!("apps/{}", sign_in(&world).await);
    let gone = json!(["00000000-0000-4000-8000-000000000000"]);
    change(&world, &path, |app| app["allowed_idps"] = gone).await;
    let seen = checks(&world, "").await;
    assert_eq!(seen.state("sso-app-reaches-idp"), "failed");
    assert_eq!(seen.of("sso-app-reaches-idp")["severity"], "error");
    assert_eq!(seen.0["ok"], false);
}

#[tokio::test]
async fn without_its_policy_the_domain_is_refused() {
    let world = World::new().await.verified().await;
    let account = world.sandbox.account().to_string();
    let app = sign_in(&world).await;
    let path = format!("apps/{app}/policies");
    let policies = world.ask(&format!("GET /accounts/{account}/access/{path}")).await;
    let policy = policies[0]["id"].as_str().unwrap().to_owned();
    change(&world, &format!("{path}/{policy}"), |policy| {
        policy["include"] = json!([{ "email_domain": { "domain": "dogs.test" } }]);
    })
    .await;
    let seen = checks(&world, "").await;
    assert_eq!(seen.state("policy-allows-domain"), "failed");
    assert_eq!(seen.of("policy-allows-domain")["severity"], "error");
    assert_eq!(seen.state("policy-unsupported"), "failed");
    assert!(seen.evidence("policy-unsupported").contains("dogs.test"));
}

#[tokio::test]
async fn a_policy_that_no_user_meets_refuses() {
    const ID: &str = "policy-allows-domain";
    let world = broken(Scenario::PolicyRequiresOtherIdp).await;
    for (line, code) in [("doctor", 10), ("recovery check", 10)] {
        let report = world.run(&format!("{line} -o json")).await;
        assert_eq!(report.code, code, "{report:?}");
        let findings = report.json()["findings"].as_array().unwrap().clone();
        let found = findings.iter().find(|it| it["id"] == ID).unwrap();
        assert_eq!((&found["state"], &found["severity"]), (&json!("failed"), &json!("error")));
    }
    assert!(world.run("doctor --format junit").await.stdout.contains("failures=\"1\""));
    world.ok("disable cool.cats --yes").await;
    let seen = checks(&world, "").await;
    assert_eq!((seen.state(ID), &seen.of(ID)["severity"]), ("failed", &json!("error")));
    assert!(seen.evidence(ID).contains("every sign-in would be denied"), "{:#}", seen.0);
    let writes = world.writes();
    world.fails("enable cool.cats --yes", 11).await;
    assert_eq!(world.writes(), writes);
    world.ok(&format!("enable cool.cats --yes --accept-risk {ID}")).await;
    let report = world.ok("impact cool.cats -o json").await.json();
    assert_eq!((&report["counts"]["sso"], &report["counts"]["denied"]), (&json!(0), &json!(3)));
}

#[tokio::test]
async fn a_policy_that_some_users_meet_is_a_warning_with_the_denied_members() {
    const ID: &str = "policy-allows-domain";
    const EXPECTED: &str = "no policy of the SSO App allows any user of cool.cats except \
                            admin@cool.cats; denied members: tom@cool.cats";
    let world = broken(Scenario::PolicyNarrowed).await;
    let report = world.run("doctor --fail-on warning -o json").await;
    assert_eq!(report.code, 10, "{report:?}");
    assert!(report.stdout.contains(EXPECTED), "{report:?}");
    world.ok("doctor").await;
    let all = world.run("diagnose cool.cats").await;
    assert_eq!(all.code, 10, "{all:?}");
    assert!(all.stdout.contains("likely"), "{all:?}");
    world.ok("disable cool.cats --yes").await;
    let seen = checks(&world, "").await;
    assert_eq!((seen.state(ID), &seen.of(ID)["severity"]), ("failed", &json!("warning")));
    assert_eq!(seen.evidence(ID), EXPECTED);
    world.ok("enable cool.cats --yes").await;
    let report = world.ok("impact cool.cats -o json").await.json();
    let effect = |email: &str| {
        let members = report["members"].as_array().unwrap();
        members.iter().find(|member| member["email"] == email).unwrap()["effect"].clone()
    };
    assert_eq!(
        (effect("admin@cool.cats"), effect("tom@cool.cats")),
        (json!("sso"), json!("denied"))
    );
}

#[tokio::test]
async fn a_group_is_read_only_if_a_policy_refers_to_it() {
    let world = World::new().await.verified().await;
    let (_, requests) = world.requests_of("preflight cool.cats").await;
    assert!(!requests.iter().any(|request| request.contains("/groups")), "{requests:#?}");
}

#[tokio::test]
async fn super_administrators_are_looked_for_outside_the_domain() {
    let world = World::new().await.verified().await;
    world.sandbox.remove_member("rescue@dogs.test").unwrap();
    let seen = checks(&world, "").await;
    assert_eq!(seen.state("members-super-admin"), "failed");
    assert_eq!(seen.of("members-super-admin")["severity"], "warning");
    world.sandbox.remove_member("admin@cool.cats").unwrap();
    let admin = Role::SuperAdministrator;
    world.sandbox.set_member("a+b@cool.cats", admin, Membership::Accepted).unwrap();
    let seen = checks(&world, "").await;
    assert_eq!(seen.of("members-super-admin")["severity"], "error");
    assert_eq!(seen.0["ok"], false);
}

#[tokio::test]
async fn what_a_token_may_not_read_is_not_checked_and_the_permission_named() {
    let world = World::new().await.verified().await.with_token(Access::ConnectorOnly);
    let (ran, requests) = world.requests_of("preflight cool.cats -o json").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let seen = Checks(ran.json());
    for (id, permission) in [
        ("zero-trust-org", "Access: Organizations, Identity Providers, and Groups Read"),
        ("idp-present", "Access: Organizations, Identity Providers, and Groups Read"),
        ("idp-healthy", "Access: Organizations, Identity Providers, and Groups Read"),
        ("fallback-login", "Access: Organizations, Identity Providers, and Groups Read"),
        ("sso-app-present", "Access: Apps and Policies Read"),
        ("sso-app-reaches-idp", "Access: Apps and Policies Read"),
        ("policy-allows-domain", "Access: Apps and Policies Read"),
        ("members-super-admin", "Account Settings Read"),
        ("login-seen", "Access: Audit Logs Read"),
    ] {
        assert_eq!(seen.state(id), "not_checked", "{id}");
        assert!(seen.evidence(id).contains(permission), "{:#}", seen.of(id));
        assert_eq!(seen.of(id)["required_permission"], permission, "{id}");
    }
    assert_eq!(seen.state("domain-verified"), "passed");
    assert!(seen.evidence("recovery-token").contains("account token"));
    // Nothing that is refused is asked for again.
    let verifications = requests.iter().filter(|request| request.contains("tokens/verify"));
    assert_eq!((requests.len(), verifications.count()), (9, 2), "{requests:#?}");
    let ran = world.ok("enable cool.cats --yes").await;
    assert!(
        ran.stderr.contains("idp-present: ") && ran.stderr.contains("(not checked)"),
        "{ran:?}"
    );
    // Without connectors there is nothing to check.
    let world = World::new().await.verified().await.with_token(Access::AccessOnly);
    let error = world.fails("preflight cool.cats", 5).await;
    assert_eq!(error["required_permission"], "SSO Connector Read");
}

#[tokio::test]
async fn a_second_token_is_proven_or_refuses_and_is_shown_nowhere() {
    let world = World::new().await.verified().await;
    for (access, state) in [
        (Access::ConnectorOnly, "passed"),
        (Access::AccessOnly, "failed"),
        (Access::Expired, "failed"),
    ] {
        let token = world.sandbox.token(access);
        let file = token_file(&format!("{token}\n"));
        let option = format!("--recovery-token-file {}", file.path().display());
        let seen = checks(&world, &option).await;
        assert_eq!(seen.state("recovery-token"), state, "{:#}", seen.of("recovery-token"));
        assert_eq!(seen.of("recovery-token")["severity"], "error");
        assert!(!seen.0.to_string().contains(token));
        let ran = world.run(&format!("enable cool.cats --dry-run --debug {option}")).await;
        assert_eq!(ran.code, if state == "passed" { 0 } else { 11 }, "{ran:?}");
        assert!(!ran.screen.contains(token), "{ran:?}");
    }
    let same = token_file(world.sandbox.token(Access::Full));
    let seen = checks(&world, &format!("--recovery-token-file {}", same.path().display())).await;
    assert!(seen.evidence("recovery-token").contains("same as the token in use"));
    let empty = token_file("");
    let line = format!("preflight cool.cats --recovery-token-file {}", empty.path().display());
    world.fails(&line, 4).await;
    world.fails("preflight cool.cats --recovery-token-file /nowhere/at/all", 4).await;
}

#[tokio::test]
async fn an_api_that_fails_in_part_leaves_those_checks_unmade() {
    let world = World::new().await.verified().await;
    world.fault("500x*@GET/members");
    let seen = checks(&world, "").await;
    assert_eq!(seen.state("members-super-admin"), "not_checked");
    assert_eq!(seen.state("idp-present"), "passed");
}

#[tokio::test]
async fn an_enabled_connector_is_checked_and_enabling_it_again_needs_no_checks() {
    let world = World::new().await.enabled().await;
    let seen = checks(&world, "").await;
    assert_eq!(seen.0["enabled"], true);
    world.fault("500x*@GET/members");
    let (ran, requests) = world.requests_of("enable cool.cats --yes").await;
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.stderr.contains("already enabled"), "{ran:?}");
    let members = requests.iter().filter(|request| request.contains("/members"));
    assert!(members.count() <= 1, "it ends with the list: {requests:#?}");
}

#[tokio::test]
async fn a_connector_is_named_by_its_id_too() {
    let world = World::new().await.verified().await;
    let id = world.connectors().await[0]["id"].as_str().unwrap().to_owned();
    let report = world.ok(&format!("preflight {id} -o json")).await.json();
    assert_eq!((&report["connector"], &report["domain"]), (&json!(id), &json!("cool.cats")));
    world.fails("preflight 00000000000000000000000000000000", 6).await;
    world.fails("preflight cool.dogs", 6).await;
}

#[tokio::test]
async fn the_screen_counts_passed_checks_and_gives_each_failed_one_a_fix() {
    let world = World::new().await.verified().await.with_person("");
    let text = world.ok("preflight cool.cats").await.stdout;
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    for words in [
        "14 passed, 3 warnings",
        "Fix: `cfsso idp create onetimepin`",
        "14 passed, 3 warnings",
        "Next: `cfsso enable cool.cats`",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("policy-allows-domain"), "{text}");
    let listed = world.ok("preflight cool.cats -v").await.stdout;
    assert_eq!(listed.matches("passed     ").count(), 14, "{listed}");
    assert!(listed.contains("passed      policy-allows-domain"), "{listed}");
    let names = world.ok("preflight cool.cats -o name").await.stdout;
    assert_eq!(names.lines().count(), 17, "{names}");
}

#[tokio::test]
async fn an_academic_domain_is_created_and_enabling_it_is_warned_of() {
    let world = World::new().await;
    world.ok("create cool.edu").await;
    let report = world.run("preflight cool.edu -o json").await.json();
    let check =
        report["checks"].as_array().unwrap().iter().find(|it| it["id"] == "domain-eligible");
    let check = check.unwrap();
    assert_eq!((&check["state"], &check["severity"]), (&json!("failed"), &json!("warning")));
    assert!(check["detail"].as_str().unwrap().contains("approve"), "{check}");
}
