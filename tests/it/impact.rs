//! Scenes of `impact`: who is affected before SSO is enforced.

use cfsso::sandbox::{Access, AccountRelation, Membership, Role};
use serde_json::{Value, json};

use crate::harness::World;
use crate::logins::person;
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// What `impact` reports, held to its schema; it writes nothing.
async fn impact(world: &World) -> Value {
    let before = world.writes();
    let report = world.ok("impact cool.cats -o json").await.json();
    assert_eq!(world.writes(), before);
    assert_conforms(&world.ok("schema impact").await.json(), &report);
    report
}

fn member<'a>(report: &'a Value, email: &str) -> &'a Value {
    let members = report["members"].as_array().unwrap();
    members.iter().find(|member| member["email"] == email).unwrap()
}

/// A world in which members of several accounts signed in.
async fn world() -> World {
    let world = World::new().await.enabled().await;
    world.sandbox.sign_in(&person("admin@cool.cats")).unwrap();
    let other = world.sandbox.add_account("Late Cats", AccountRelation::SameOrg).unwrap();
    for (email, role) in [
        ("Tom@cool.cats", Role::ReadOnly),
        ("paws@cool.cats", Role::SuperAdministrator),
        ("kim@mail.cool.cats", Role::Administrator),
    ] {
        world.sandbox.set_member_of(&other, email, role, Membership::Accepted).unwrap();
    }
    world
}

#[tokio::test]
async fn members_of_all_accounts_are_listed_with_what_changes_for_them() {
    let world = world().await;
    let report = impact(&world).await;
    let counts = json!({
        "affected": 5, "sso": 3, "cannot_sign_in": 1, "denied": 0, "invited": 1, "not_covered": 1,
        "super_administrators_outside": 1, "others": 0,
    });
    assert_eq!(report["counts"], counts);
    let tom = member(&report, "tom@cool.cats");
    assert_eq!(tom["memberships"].as_array().unwrap().len(), 2);
    assert_eq!((&tom["signed_in"], &tom["through"]), (&json!(false), &Value::Null));
    let admin = member(&report, "admin@cool.cats");
    assert_eq!((&admin["signed_in"], &admin["through"]), (&json!(true), &json!("oidc")));
    assert_eq!(member(&report, "kim@mail.cool.cats")["effect"], "not_covered");
    assert_eq!(report["not_checked"], json!([]));
    let names = world.ok("impact cool.cats -o name").await.stdout;
    assert_eq!(names.lines().count(), 5, "{names}");
    let (_, requests) = world.requests_of("impact cool.cats").await;
    assert_eq!(
        requests.len(),
        14,
        "accounts, connectors, six lists of members, three logs, and what decides the policies"
    );
    assert_eq!(report["sso"], "enforced");
    for (line, sso) in [("create cool.dogs", "off"), ("version", "no_connector")] {
        world.ok(line).await;
        let domain = if sso == "off" { "cool.dogs" } else { "dogs.test" };
        let report = world.ok(&format!("impact {domain} -o json")).await.json();
        assert_eq!(report["sso"], sso);
    }
}

#[tokio::test]
async fn a_screen_shows_who_and_what() {
    let world = World::new().await.enabled().await.with_person("");
    world.sandbox.sign_in(&person("admin@cool.cats")).unwrap();
    insta::assert_snapshot!(world.ok("impact cool.cats").await.stdout, @"
    ADDRESS              EFFECT          SIGNED IN        ROLES
    admin@cool.cats      uses SSO        just now (oidc)  Super Administrator
    tom@cool.cats        uses SSO        no               Administrator
    tom+audit@cool.cats  cannot sign in  no               Administrator Read Only
    kit@cool.cats        invited         no               Administrator
    rescue@dogs.test     not affected    no               Super Administrator

    warning     1 member with a plus address cannot use SSO: invite without the plus
    cool.cats: 4 members affected, in 1 account
    SSO is enforced for the domain.
    Not affected: API tokens
    ");
}

#[tokio::test]
async fn a_file_for_a_mail_merge_cannot_run_formulas() {
    let world = world().await;
    let other = world.sandbox.add_account("=cmd(), \"the\" cats", AccountRelation::SameOrg);
    let evil = "=1+1@cool.cats";
    world
        .sandbox
        .set_member_of(&other.unwrap(), evil, Role::ReadOnly, Membership::Accepted)
        .unwrap();
    let file = world.ok("impact cool.cats --format csv").await.stdout;
    let rows: Vec<_> = file.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 8, "{file}");
    assert!(!file.contains("rescue@dogs.test"), "who is not affected gets no mail: {file}");
    insta::assert_snapshot!(rows[..3].join("\n"), @r#"
    "email","effect","super_administrator","accounts","roles","signed_in","last_sign_in","through"
    "admin@cool.cats","sso","yes","Cool Cats","Super Administrator - All Privileges","yes","2026-03-01T12:00:01Z","oidc"
    "paws@cool.cats","sso","yes","Late Cats","Super Administrator - All Privileges","no","",""
    "#);
    let formula = rows.iter().find(|row| row.contains("1+1")).unwrap();
    insta::assert_snapshot!(formula, @r#""'=1+1@cool.cats","cannot_sign_in","no","'=cmd(), ""the"" cats","Administrator Read Only","no","","""#);
    let refused = world.run("impact cool.cats --format csv -o json").await;
    assert_eq!(refused.code, 2, "{refused:?}");
}

#[tokio::test]
async fn what_the_token_cannot_read_is_named_and_the_rest_is_shown() {
    let world = world().await;
    let path = format!("/accounts/{}/tokens", world.sandbox.account());
    let groups = format!("GET {path}/permission_groups?name=Account%20Settings%20Read");
    let group = world.ask(&groups).await[0]["id"].clone();
    let key = format!("com.cloudflare.api.account.{}", world.sandbox.account());
    let policy = json!({
        "effect": "allow", "permission_groups": [{ "id": group }], "resources": { key: "*" },
    });
    let token = json!({ "name": "settings", "policies": [policy] });
    let request = format!("POST {path}");
    let token = ask(&world.sandbox, Access::Full, &request, Some(token)).await.result();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", token["value"].as_str().unwrap());
    let report = impact(&world).await;
    assert_eq!(report["counts"]["sso"], 2, "{report}");
    assert_eq!(member(&report, "admin@cool.cats")["signed_in"], Value::Null);
    let gaps = report["not_checked"].to_string();
    assert!(
        gaps.contains("login log: the token lacks the permission Access: Audit Logs"),
        "{gaps}"
    );
    assert!(!gaps.contains("audit log:"), "{gaps}");
    let csv = world.ok("impact cool.cats --format csv").await;
    assert!(csv.stderr.contains("not checked, login log"), "{csv:?}");
    let world = world.with_token(Access::ConnectorOnly);
    let error = world.fails("impact cool.cats", 5).await;
    assert_eq!(error["required_permission"], "Account Settings Read");
}

#[tokio::test]
async fn preflight_says_how_many_and_names_the_command() {
    let world = World::new().await.verified().await;
    let text = world.ok("preflight cool.cats").await.stdout;
    assert!(
        text.contains("Affected: 4 members of this account (`cfsso impact cool.cats`)"),
        "{text}"
    );
    assert_eq!(world.ok("preflight cool.cats -o json").await.json()["affected_members"], 4);
}
