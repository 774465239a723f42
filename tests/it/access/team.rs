//! Scenes of `cfsso team`.

use super::server::Double;

const TEAM: &str = r##"{"auth_domain":"cats.cloudflareaccess.com","name":"Cats","is_ui_read_only":true,"ui_read_only_toggle_reason":"managed by code","login_design":{"header_text":"Meow","background_color":"#fff","footer_text":""},"new":3.10,"created_at":"2026-01-01T00:00:00Z"}"##;

#[tokio::test]
async fn the_team_is_shown_with_its_urls() {
    let double = Double::new().await.with("organizations", TEAM);
    let ran = double.ok("team show").await;
    insta::assert_snapshot!(ran.stdout, @"
    team domain    cats.cloudflareaccess.com
    name           Cats
    dashboard      read-only, the API is not: managed by code
    session        unknown
    login design   header Meow, background #fff
    created        2026-01-01T00:00:00Z  1 month ago
    updated        unknown
    callback URL   `https://cats.cloudflareaccess.com/cdn-cgi/access/callback`  (derived)
    SAML metadata  `https://cats.cloudflareaccess.com/cdn-cgi/access/saml-metadata`  (derived)
    signing keys   `https://cats.cloudflareaccess.com/cdn-cgi/access/certs`  (derived)
    ");
    let ran = double.ok("team show -o json").await;
    assert!(ran.stdout.contains("3.10"), "{}", ran.stdout);
    assert_eq!(
        ran.json()["urls"]["callback"],
        "https://cats.cloudflareaccess.com/cdn-cgi/access/callback"
    );
}

#[tokio::test]
async fn an_account_without_an_organization_is_recognised() {
    for (status, code, message) in [
        (400, 9999, "access.api.error.not_enabled: Access is not enabled"),
        (403, 9999, "access.api.error.not_enabled: Access is not enabled"),
        (404, 11021, "access.api.error.not_found"),
    ] {
        let double = Double::new().await.refusing("organizations", status, code, message);
        let ran = double.run("team show -o json").await;
        assert_eq!(ran.code, 6, "{ran:?}");
        let error = ran.error();
        assert_eq!(error["kind"], "access-not-enabled", "{error}");
        let hint = error["hint"].as_str().unwrap();
        assert!(hint.starts_with("create a Zero Trust organization"), "{hint}");
    }
}
