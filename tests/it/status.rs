//! Scenes of `status`: the chain as it stands, and as far as it may be seen.

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::schema::assert_conforms;

/// Role and state of each link of the first domain.
fn chain(report: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let links = report["domains"][0]["chain"].as_array().unwrap().iter();
    links.map(|link| (text(&link["role"]), text(&link["state"]))).collect()
}

fn links(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(role, state)| ((*role).to_owned(), (*state).to_owned())).collect()
}

/// What `status` says, held to its schema; it writes nothing.
async fn status(world: &World) -> Value {
    let before = world.writes();
    let report = world.ok("status -o json").await.json();
    assert_eq!(world.writes(), before);
    let schema = world.ok("schema status").await.json();
    assert_conforms(&schema, &report);
    report
}

#[tokio::test]
async fn an_enforced_domain_is_well_in_five_requests() {
    let world = World::new().await.enabled().await;
    let report = status(&world).await;
    assert_eq!((&report["ok"], &report["next"]), (&json!(true), &json!([])), "{report}");
    let all = ["connector", "app", "policy", "idp"].map(|role| (role, "ok"));
    assert_eq!(chain(&report), links(&all));
    assert_eq!(report["journal"][0]["outcome"], "done");
    let (_, requests) = world.requests_of("status").await;
    assert_eq!(requests.len(), 5, "{requests:?}");
}

#[tokio::test]
async fn an_enforced_domain_fits_a_screen() {
    let world = World::new().await.enabled().await.with_person("");
    insta::assert_snapshot!(world.ok("status").await.stdout, @"
    passed      cool.cats                 verified, enforced, changed just now
    passed        SSO App                 all identity providers
    passed        Policy                  allow email domain cool.cats
    passed        Identity provider       Company SSO (oidc)

    RECENT CHANGES (THIS MACHINE)        WHEN      OUTCOME
    enable SSO for cool.cats             just now  done
    start the verification of cool.cats  just now  done
    publish the TXT record of cool.cats  just now  done

    No problems found in the settings. Sign-in not tested: `cfsso doctor`
    ");
}

#[tokio::test]
async fn each_state_has_its_next_command() {
    let world = World::new().await;
    assert_eq!(status(&world).await["next"], json!(["cfsso setup <DOMAIN>"]));
    world.ok("create cool.cats").await;
    let report = status(&world).await;
    assert_eq!(report["ok"], false);
    assert_eq!(chain(&report)[0].1, "pending");
    assert!(report["next"][0].as_str().unwrap().starts_with("cfsso connector verify cool.cats"));
    let world = world.verified().await;
    assert_eq!(status(&world).await["next"], json!(["cfsso enable cool.cats"]));
}

#[tokio::test]
async fn an_admitted_idp_that_is_gone_is_seen() {
    let world = World::new().await.enabled().await;
    let gone = "00000000-0000-4000-8000-000000000000";
    world.ok(&format!("app idps --only {gone} --force --yes")).await;
    let report = status(&world).await;
    let idps: Vec<_> = chain(&report).into_iter().filter(|(role, _)| role == "idp").collect();
    assert_eq!(idps, links(&[("idp", "warning"), ("idp", "error")]));
    assert_eq!(report["next"], json!(["cfsso app idps"]));
}

#[tokio::test]
async fn what_may_not_be_read_is_said_with_its_permission() {
    let world = World::new().await.enabled().await.with_token(Access::ConnectorOnly);
    let report = status(&world).await;
    let expected = [
        ("connector", "ok"),
        ("app", "not-checked"),
        ("policy", "not-checked"),
        ("idp", "not-checked"),
    ];
    assert_eq!(chain(&report), links(&expected));
    let gaps: Vec<_> = report["not_checked"].as_array().unwrap().iter().collect();
    assert_eq!(gaps.len(), 2, "{report}");
    assert_eq!(gaps[0]["dashboard"], "Access: Apps and Policies: Read");
    assert_eq!((&report["ok"], &report["next"]), (&json!(false), &json!(["cfsso token check"])));
    let world = world.with_person("");
    insta::assert_snapshot!(world.ok("status").await.stdout, @"
    passed      cool.cats                 verified, enforced, changed just now
    not checked   SSO App                 applications cannot be read
    not checked   Policy                  policies cannot be read
    not checked   Identity provider       identity providers cannot be read

    not checked not checked, applications: missing permission Access: Apps and
                Policies: Read
    not checked not checked, identity providers: missing permission Access:
                Organizations, Identity Providers, and Groups: Read

    RECENT CHANGES (THIS MACHINE)        WHEN      OUTCOME
    enable SSO for cool.cats             just now  done
    start the verification of cool.cats  just now  done
    publish the TXT record of cool.cats  just now  done

    Next: `cfsso token check`
    ");
}

#[tokio::test]
async fn a_read_that_fails_is_not_checked_and_the_rest_is_shown() {
    for (path, area) in [
        ("access/apps", "applications"),
        ("policies", "policies"),
        ("identity_providers", "identity providers"),
        ("logs/access_requests", "sign-ins"),
    ] {
        let world = World::new().await.enabled().await;
        world.fault(&format!("500x*@GET/{path}"));
        let report = world.ok("status --max-retries 0 -o json").await.json();
        assert_conforms(&world.ok("schema status").await.json(), &report);
        assert_eq!(chain(&report)[0], ("connector".to_owned(), "ok".to_owned()));
        let gaps = report["not_checked"].as_array().unwrap();
        assert_eq!((gaps.len(), &gaps[0]["area"]), (1, &json!(area)), "{report}");
        assert!(gaps[0]["error"].as_str().unwrap().contains("500"), "{report}");
        assert_eq!((&report["ok"], &gaps[0]["dashboard"]), (&json!(false), &Value::Null));
        assert!(!report["next"].to_string().contains("token check"), "{report}");
        let text = world.ok("status --max-retries 0").await.stdout;
        assert!(text.contains(&format!("not checked, {area}")), "{text}");
    }
    let world = World::new().await.enabled().await;
    world.fault("500x*@GET/sso_connectors");
    world.fails("status --max-retries 0", 9).await;
}

#[tokio::test]
async fn without_connectors_the_shared_part_is_told() {
    let world = World::new().await.enabled().await.with_token(Access::AccessOnly);
    let report = status(&world).await;
    assert_eq!(report["domains"], Value::Null);
    assert_eq!(report["shared"][0]["state"], "ok");
    assert_eq!(report["not_checked"][0]["required_permission"], "SSO Connector Read");
    let ran = world.run("status cool.cats -o json").await;
    assert_eq!((ran.code, ran.json()["shared"].clone()), (5, report["shared"].clone()), "{ran:?}");
    let error = ran.error();
    assert!(error["message"].as_str().unwrap().starts_with("cool.cats was not checked"), "{error}");
    assert!(error["causes"].to_string().contains("SSO Connector: Read"), "{error}");
}

#[tokio::test]
async fn an_account_without_zero_trust_is_told_so() {
    let world = World::new().await;
    let other = world.sandbox.accounts()[1].clone();
    let report = world.ok(&format!("status --account {other} -o json")).await.json();
    let app = &report["domains"][0]["chain"][1];
    assert_eq!(app["state"], "error", "{report}");
    assert!(app["summary"].as_str().unwrap().contains("no Zero Trust organization"), "{report}");
}

#[tokio::test]
async fn a_token_that_may_read_nothing_is_an_error() {
    let world = World::new().await.with_token(Access::ConnectorOnly);
    let other = world.sandbox.accounts()[1].clone();
    world.fails(&format!("status --account {other}"), 5).await;
    let world = world.with_token(Access::Expired);
    world.fails("status", 4).await;
}

#[tokio::test]
async fn a_bypass_in_force_comes_first_with_its_undoing() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let report = status(&world).await;
    assert_eq!(report["bypass"]["active"], true, "{report}");
    assert_eq!(report["ok"], false);
    assert_eq!(report["next"], json!(["cfsso bypass undo"]), "it enables what it disabled");
    let world = world.with_person("");
    let text = world.ok("status").await.stdout;
    let first: Vec<_> = text.lines().take(3).collect();
    insta::assert_snapshot!(first.join("\n"), @"
    warning     bypass active since just now
      disable SSO for cool.cats: active
    ");
    world.ok("bypass undo --yes").await;
    let report = status(&world).await;
    assert_eq!((&report["bypass"]["active"], &report["ok"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn an_undo_that_would_be_refused_is_not_the_next_command() {
    let world = World::new().await.enabled().await;
    world.ok("bypass disable --all --yes").await;
    let company = "c001ca75-1d90-4000-8000-000000000001";
    let account = world.sandbox.account().to_string();
    world.ask(&format!("DELETE /accounts/{account}/access/identity_providers/{company}")).await;
    let report = status(&world).await;
    assert_eq!(report["next"], json!(["cfsso idp types", "cfsso bypass undo"]), "{report}");
    world.fails("bypass undo --yes", 11).await;
    let world = World::new().await.enabled().await;
    world.ok("bypass otp --yes").await;
    world.ok("app idps Wiki --only onetimepin --yes").await;
    let report = status(&world).await;
    assert_eq!(report["next"], json!(["cfsso bypass status"]), "{report}");
    world.fails("bypass undo --yes", 7).await;
}

#[tokio::test]
async fn a_bypass_that_cannot_be_looked_at_is_not_checked() {
    let world = World::new().await.enabled().await;
    world.ok("bypass otp --yes").await;
    let world = world.with_token(Access::ConnectorOnly);
    let report = status(&world).await;
    assert_eq!(report["bypass"]["active"], Value::Null, "{report}");
    let gaps = report["not_checked"].as_array().unwrap();
    assert_eq!(gaps.last().unwrap()["area"], "bypass status");
}

#[tokio::test]
async fn one_domain_is_shown_by_name_or_id() {
    let world = World::new().await.enabled().await;
    world.ok("create cool.dogs").await;
    let report = world.ok("status COOL.dogs -o json").await.json();
    let domains = report["domains"].as_array().unwrap();
    assert_eq!((domains.len(), &domains[0]["domain"]), (1, &"cool.dogs".into()));
    let id = domains[0]["connector"].as_str().unwrap().to_owned();
    assert_eq!(world.ok(&format!("status {id} -o name")).await.stdout, "cool.dogs\n");
    world.fails("status other.dogs", 6).await;
}
