//! Scenes of Identity providers that never ask for an email address: every
//! sign-in would be rejected, although everything answers.

use cfsso::sandbox::Access;
use serde_json::{Value, json};

use crate::harness::World;
use crate::sandbox::client::ask;

/// A verified domain whose only identity provider asks for no address.
async fn silent() -> World {
    let world = World::new().await.verified().await;
    let idp = world.ok("idp get oidc -o json").await.json();
    let path = format!(
        "PUT /accounts/{}/access/identity_providers/{}",
        world.sandbox.account(),
        idp["id"].as_str().unwrap()
    );
    let mut body = idp.clone();
    body["config"]["scopes"] = json!(["openid", "profile"]);
    assert_eq!(ask(&world.sandbox, Access::Full, &path, Some(body)).await.status, 200);
    world
}

#[tokio::test]
async fn every_check_calls_it_an_error() {
    let world = silent().await;
    let writes = world.writes();
    let ran = world.run("idp check oidc").await;
    assert_ne!(ran.code, 0, "{ran:?}");
    assert!(ran.screen.contains("does not include `email`"), "{ran:?}");
    let report = world.run("preflight cool.cats -o json").await;
    assert_eq!(report.code, 11, "{report:?}");
    let check = |report: &Value, list: &str| {
        let checks = report[list].as_array().unwrap();
        checks.iter().find(|check| check["id"] == "idp-healthy").unwrap().clone()
    };
    let found = check(&report.json(), "checks");
    assert_eq!((&found["state"], &found["severity"]), (&json!("failed"), &json!("error")));
    let error = world.fails("enable cool.cats --yes", 11).await;
    assert!(error["causes"].to_string().contains("does not include `email`"), "{error}");
    let doctor = world.run("doctor -o json").await.json();
    assert_eq!(check(&doctor, "findings")["state"], "failed", "{doctor:#}");
    let status = world.run("status -o json").await.json();
    assert_eq!(status["ok"], false);
    assert!(status.to_string().contains("does not include `email`"), "{status:#}");
    assert_eq!(world.writes(), writes);
}

#[tokio::test]
async fn it_is_neither_created_nor_changed_into() {
    let world = World::new().await.with_env("SECRET", "s3cret");
    let base = "https://127.0.0.1:1";
    let create = format!(
        "idp create oidc --name New --client-id c --client-secret-env SECRET \
         --auth-url {base}/a --token-url {base}/t --certs-url {base}/k"
    );
    let (before, writes) = (world.requests().len(), world.writes());
    let error = world.fails(&format!("{create} --scopes openid"), 2).await;
    assert!(error["causes"][0].as_str().unwrap().contains("--email-claim-name"), "{error}");
    assert_eq!(world.requests().len(), before);
    world.fails("idp update oidc --scopes openid,profile", 2).await;
    assert_eq!(world.writes(), writes);
    let claimed = format!("{create} --scopes openid --email-claim-name upn -o json");
    assert_eq!(world.ok(&claimed).await.json()["config"]["scopes"], json!(["openid"]));
    let check = world.run("idp check New").await;
    assert!(check.stdout.contains("only the claim `upn` names users"), "{check:?}");
    let plain = format!("{create} -o json").replace("New", "Plain");
    let scopes = &world.ok(&plain).await.json()["config"]["scopes"];
    assert_eq!(*scopes, json!(["openid", "email", "profile"]));
}

#[tokio::test]
async fn an_issuer_with_another_name_is_answered_with_its_endpoints() {
    let world = World::new().await.with_env("SECRET", "s3cret");
    let company = world.ok("idp get oidc -o json").await.json();
    let auth_url = company["config"]["auth_url"].as_str().unwrap().to_owned();
    let issuer = auth_url.strip_suffix("/authorize").unwrap();
    world.fault("wrong-issuerx*");
    let line = format!(
        "idp create oidc --name Found --discover {issuer} --client-id c --client-secret-env SECRET"
    );
    let hint = world.fails(&line, 2).await["hint"].as_str().unwrap().to_owned();
    for flag in ["--auth-url", "--token-url", "--certs-url"] {
        assert!(hint.contains(&format!("{flag} {issuer}")), "{hint}");
    }
    assert!(hint.contains("`cfsso idp create oidc "), "{hint}");
}

#[tokio::test]
async fn endpoints_that_are_given_one_by_one_are_tested_before_they_are_stored() {
    let world = World::new().await.with_env("SECRET", "s3cret");
    let company = world.ok("idp get oidc -o json").await.json();
    let url = |field: &str| company["config"][field].as_str().unwrap().to_owned();
    let create = |name: &str, token_url: &str| {
        let (auth, certs) = (url("auth_url"), url("certs_url"));
        format!(
            "idp create oidc --name {name} --client-id c --client-secret-env SECRET \
             --auth-url {auth} --token-url {token_url} --certs-url {certs} -o json"
        )
    };
    let ran = world.ok(&create("Right", &url("token_url"))).await;
    assert!(!ran.stderr.contains(r#""level":"warning""#), "{ran:?}");
    let ran = world.ok(&create("Wrong", "https://127.0.0.1:1/t")).await;
    assert!(ran.stderr.contains(r#""check":"token-endpoint""#), "{ran:?}");
}

#[tokio::test]
async fn what_is_missing_is_said_at_once_and_before_anything_is_fetched() {
    let world = World::new().await;
    for (line, missing) in [
        ("idp create okta", &["client_id", "client_secret", "okta_account"][..]),
        ("idp create oidc --discover https://idp.invalid", &["client_id", "client_secret"]),
        ("idp create oidc --issuer https://idp.invalid", &["client_id", "client_secret"]),
        ("idp create saml", &["sso_target_url", "issuer_url", "idp_public_certs"]),
    ] {
        let error = world.fails(line, 2).await;
        let causes = error["causes"].to_string();
        assert_eq!(error["causes"].as_array().unwrap().len(), missing.len(), "{line}: {causes}");
        assert!(missing.iter().all(|field| causes.contains(field)), "{line}: {causes}");
    }
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn an_issuer_that_cannot_be_reached_is_exit_9() {
    let world = World::new().await.with_env("SECRET", "s3cret");
    let line = "idp create oidc --name Found --discover https://idp.invalid \
                --client-id c --client-secret-env SECRET";
    let error = world.fails(line, 9).await;
    assert!(error["hint"].as_str().unwrap().contains("check the URL"), "{error}");
}
