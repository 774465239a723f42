//! The documentation's walk-throughs, against the simulator.

use serde_json::json;

use crate::harness::World;

async fn world() -> World {
    let world = World::new().await.with_env("SECRET", "planted-s3cret-0123456789-planted");
    world.ok("setup cool.cats --publish-txt --yes").await;
    world
}

#[tokio::test]
async fn a_one_time_pin_is_added_beside_the_idp_that_is_admitted() {
    let world = world().await;
    let pin = world.ok("idp create onetimepin --name PIN -o json").await.json();
    assert_eq!(world.run("idp create onetimepin --name Again").await.code, 7);
    world.ok("app idps --only onetimepin --yes").await;
    let app = world.ok("app instant-auth on --yes -o json").await.json();
    assert_eq!(
        (&app["allowed_idps"], &app["auto_redirect_to_identity"]),
        (&json!([pin["id"]]), &json!(true))
    );
    assert_eq!(world.run("idp delete PIN --yes").await.code, 11, "it is the only way in");
    let app = world.ok("app idps --all --yes -o json").await.json();
    assert_eq!(
        (&app["allowed_idps"], &app["auto_redirect_to_identity"]),
        (&json!([]), &json!(false))
    );
    let policies = world.ok("app policies").await.stdout;
    assert!(policies.contains("allow e-mail domain cool.cats"), "{policies}");
    world.ok("idp delete PIN --yes").await;
}

#[tokio::test]
async fn cloudflare_and_okta_become_idps_and_keep_what_is_not_changed() {
    let world = world().await;
    let members =
        world.ok("idp create cloudflare --restrict-to-account-members -o json").await.json();
    assert_eq!(members["config"]["restrict_to_account_members"], true);
    let okta = world
        .ok("idp create okta --name Okta --client-id a --client-secret-env SECRET --okta-account https://cats.okta.com -o json")
        .await
        .json();
    let changed = world.ok("idp update Okta --client-id b --yes -o json").await.json();
    assert_eq!(changed["config"]["client_id"], "b");
    assert_eq!(changed["config"]["okta_account"], okta["config"]["okta_account"]);
    let ran = world.ok("idp rotate-secret Okta --secret-env SECRET --yes --debug").await;
    assert!(!ran.stdout.contains("planted") && !ran.stderr.contains("planted"), "{ran:?}");
}

#[tokio::test]
async fn the_team_and_the_values_of_a_sign_in_that_the_idp_starts_are_shown() {
    let world = world().await;
    let team = world.ok("team show -o json").await.json();
    let callback = team["urls"]["callback"].as_str().unwrap();
    assert!(callback.ends_with("/cdn-cgi/access/callback"), "{callback}");
    let values = world.ok("app idp-initiated -o json").await.json();
    assert_eq!(values["sso_endpoint"]["source"], "read");
    assert_eq!(values["metadata"]["source"], "derived");
}

#[tokio::test]
async fn an_oidc_idp_is_filled_from_what_its_issuer_publishes() {
    let world = world().await;
    let company = world.ok("idp get oidc -o json").await.json();
    let auth_url = company["config"]["auth_url"].as_str().unwrap();
    let issuer = auth_url.strip_suffix("/authorize").unwrap();
    let client = "--client-id c --client-secret-env SECRET -o json";
    let line = format!("idp create oidc --name Found --discover {issuer} {client}");
    let created = world.ok(&line).await.json();
    for field in ["auth_url", "token_url", "certs_url"] {
        assert_eq!(created["config"][field], company["config"][field], "{field}");
    }
    let other = format!("idp create oidc --name Other --discover {issuer}/nothing {client}");
    assert_eq!(world.run(&other).await.code, 2);
    let wrong = format!("idp create github --name Other --discover {issuer} {client}");
    assert_eq!(world.run(&wrong).await.code, 2);
    let idps = world.ok("idp list -o name").await.stdout;
    assert!(idps.contains("Found") && !idps.contains("Other"), "{idps}");
}
