//! What is in use is not broken by an update, and a word selects what was meant.

use crate::harness::World;

#[tokio::test]
async fn a_word_selects_what_was_meant_and_nothing_else() {
    let okta = |name: &str| {
        format!(
            "idp create okta --name {name} --client-id 0oa1 --client-secret-env S --okta-account https://cats.okta.com"
        )
    };
    let world = World::new().await.with_env("S", "planted-s3cret-0123456789");
    world.ok(&okta("Okta")).await;
    world.ok(&okta("Contractors")).await;
    world.ok("idp delete Okta --yes").await;
    // The name is gone: it is not taken for the type of another one.
    world.fails("idp delete Okta --yes", 6).await;
    world.fails("idp rotate-secret Okta --secret-env S --yes", 6).await;
    world.ok("idp get okta").await;
}

#[tokio::test]
async fn an_update_that_would_end_the_sign_in_of_all_is_refused() {
    let world = World::new().await.enabled().await;
    world.fault("no-keysx*");
    let writes = world.writes();
    let line = "idp update oidc --client-id other --yes";
    for line in [line, "idp update oidc --client-id other --dry-run"] {
        let error = world.fails(line, 11).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("users sign in through `Company SSO`"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    world.ok("idp update oidc --name Staff --yes").await;
    let ran = world.ok(&format!("{line} --force")).await;
    assert!(ran.screen.contains("sign-in not tested"), "{}", ran.screen);
    // With SSO off, no user signs in through it.
    let world = World::new().await.verified().await;
    world.fault("no-keysx*");
    world.ok(line).await;
}

#[tokio::test]
async fn one_that_works_is_not_deleted_beside_one_that_does_not() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.fault("no-keysx*");
    let error = world.fails("idp delete PIN --yes", 11).await;
    let expected =
        "`Company SSO` would be the only allowed identity provider, and it does not work";
    assert_eq!(error["message"], expected);
    world.ok("idp delete PIN --yes --force").await;
}

#[tokio::test]
async fn the_only_one_of_another_application_is_not_deleted_either() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("app idps Wiki --only PIN --yes").await;
    let error = world.fails("idp delete PIN --yes", 11).await;
    assert_eq!(error["message"], "`PIN` is the only identity provider that Wiki allows");
    assert!(error["hint"].as_str().unwrap().contains("`cfsso app idps Wiki --add <IDP>`"));
    world.ok("app idps Wiki --add oidc --yes").await;
    let ran = world.ok("idp delete PIN --yes").await;
    assert!(ran.screen.contains("Wiki lists it as an allowed identity provider"), "{}", ran.screen);
}

#[tokio::test]
async fn what_a_lost_response_deleted_is_deleted() {
    let world = World::new().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("federation share oidc --to c001ca75000000000000000000000003 --no-wait").await;
    world.fault("close-afterx*@DELETE");
    for line in ["idp delete PIN", "federation unshare oidc --no-wait"] {
        world.ok(&format!("{line} --yes --max-retries 0")).await;
    }
    let entries = world.ok("journal list -o json").await.json();
    let deletions = entries.as_array().unwrap().iter();
    let deletions = deletions.filter(|entry| entry["request"]["method"] == "DELETE");
    assert!(deletions.clone().all(|entry| entry["outcome"] == "done"), "{entries}");
    assert_eq!(deletions.count(), 3);
}

#[tokio::test]
async fn what_if_not_exists_leaves_as_it_is_differs_in_what_is_named() {
    let world = World::new().await.with_env("S", "planted-s3cret-0123456789");
    let okta = |client: &str| {
        format!(
            "idp create okta --name Okta --client-id {client} --client-secret-env S --okta-account https://cats.okta.com --if-not-exists"
        )
    };
    world.ok(&okta("0oa1")).await;
    let same = world.ok(&okta("0oa1")).await.screen;
    assert!(!same.contains("already exists and was not changed"), "{same}");
    let other = world.ok(&okta("0oa2")).await.screen;
    assert!(
        other.contains("already exists and was not changed") && other.contains("0oa1 -> 0oa2"),
        "{other}"
    );
    assert!(!other.contains("client_secret"), "{other}");
}

#[tokio::test]
async fn a_file_may_be_what_idp_get_printed() {
    let world = World::new().await.with_env("S", "planted-s3cret-0123456789");
    let mut printed = world.ok("idp get oidc -o json").await.json();
    printed["version"] = "0123456789abcdef0123456789abcdef".into();
    printed["config"]["later"] = serde_json::Value::Null;
    printed["config"]["claims"] = serde_json::json!(["department"]);
    let world = world.with_input(&printed.to_string());
    let plan = world.ok("idp update oidc --config-file - --dry-run").await.screen;
    assert!(plan.contains("config.claims") && !plan.contains("version:"), "{plan}");
    world.ok("idp create --config-file - --name Copy --client-secret-env S").await;
}

#[tokio::test]
async fn a_file_of_a_wrong_shape_is_refused_before_it_is_sent() {
    for text in [
        "",
        " \n",
        r#"{"scim_config":{"enabled":"yes"}}"#,
        r#"{"scim_config":"on"}"#,
        r#"{"config":"x"}"#,
    ] {
        let world = World::new().await.with_input(text);
        world.fails("idp update oidc --config-file - --yes", 2).await;
        world.fails("idp create google --name E --config-file -", 2).await;
        assert!(world.writes().is_empty(), "{text}");
    }
}

#[tokio::test]
async fn undoing_does_not_join_an_old_client_with_a_new_secret() {
    let world = World::new().await.with_env("S", "planted-s3cret-0123456789");
    world.ok("idp update oidc --client-id other --client-secret-env S --yes").await;
    let error = world.fails("journal undo --yes", 7).await;
    assert!(error.to_string().contains("the previous one is not recorded"), "{error}");
    world.ok("journal undo --yes --force").await;
}

#[tokio::test]
async fn what_cloudflare_sets_of_the_sso_app_stays() {
    let world = World::new().await.enabled().await;
    let writes = world.writes();
    for set in ["domain=evil", "saas_app={}", "saas_app.sp_entity_id=x", "aud=x"] {
        world.fails(&format!("app update --set {set} --yes"), 11).await;
    }
    for set in ["session_duration=5", r#"app_launcher_visible="yes""#] {
        world.fails(&format!("app update Wiki --set {set} --yes"), 2).await;
    }
    assert_eq!(world.writes(), writes);
}
