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
    assert!(policies.contains("allow email domain cool.cats"), "{policies}");
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
    assert_eq!(values["sso_endpoint"]["source"], "api");
    assert_eq!(values["metadata"]["source"], "derived");
}

#[tokio::test]
async fn only_applications_with_an_endpoint_have_values_for_idp_initiated_sign_in() {
    let world = world().await;
    let error = world.fails("app idp-initiated Wiki", 6).await;
    assert!(error["message"].as_str().unwrap().contains("`self_hosted`"), "{error}");
}

#[tokio::test]
async fn a_name_with_a_character_that_nobody_sees_is_refused() {
    let world = world().await;
    let writes = world.writes();
    for name in ["O\u{200b}kta", "a\u{7}b", "\u{202e}Okta"] {
        let line = format!("idp create onetimepin --name {name}");
        let ran = world.run(&line).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), format!(r#"{{"type":"onetimepin","name":"{name}"}}"#)).unwrap();
        let line = format!("idp create --config-file {}", file.path().display());
        assert_eq!(world.run(&line).await.code, 2, "{name:?}");
    }
    assert_eq!(world.writes(), writes);
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
    assert_eq!(world.run(&other).await.code, 9);
    let wrong = format!("idp create github --name Other --discover {issuer} {client}");
    assert_eq!(world.run(&wrong).await.code, 2);
    let idps = world.ok("idp list -o name").await.stdout;
    assert!(idps.contains("Found") && !idps.contains("Other"), "{idps}");
}

#[tokio::test]
async fn what_the_simulator_publishes_is_proven_and_a_login_is_not() {
    let world = world().await;
    let report = world.ok("idp check -o json").await.json();
    let points = report["idps"][0]["checks"].as_array().unwrap();
    let states: Vec<_> = points
        .iter()
        .map(|point| (point["id"].as_str().unwrap(), point["state"].as_str().unwrap()))
        .collect();
    let proven = [
        "configuration",
        "discovery",
        "issuer",
        "endpoints-match",
        "jwks",
        "auth-endpoint",
        "token-endpoint",
    ];
    let mut expected = proven.map(|id| (id, "passed")).to_vec();
    expected.push(("sign-in", "not_tested"));
    assert_eq!(states, expected);
    for (fault, id) in [("no-keys", "jwks"), ("500@/authorize", "auth-endpoint")] {
        world.fault(fault);
        let ran = world.run("idp check -o json").await;
        assert_eq!(ran.code, 10, "{ran:?}");
        let points = ran.json()["idps"][0]["checks"].clone();
        let failed: Vec<_> =
            points.as_array().unwrap().iter().filter(|point| point["state"] == "failed").collect();
        assert_eq!(failed.len(), 1, "{failed:?}");
        assert_eq!(failed[0]["id"], id);
    }
}

#[tokio::test]
async fn saml_metadata_fills_the_fields_and_what_is_none_is_named() {
    let world = world().await;
    let metadata = format!("{}/saml/company/metadata", world.sandbox.origin());
    let line = format!("idp create saml --name Company --metadata {metadata}");
    world.fault("expired-certificate");
    let error = world.fails(&line, 2).await;
    assert_eq!(error["message"], format!("`{metadata}` cannot be used as SAML metadata"));
    assert!(error["causes"].to_string().contains("expired on"), "{error}");
    let created = world.ok(&format!("{line} -o json")).await.json();
    let sso = format!("{}/saml/company/sso", world.sandbox.origin());
    assert_eq!(created["config"]["sso_target_url"], sso);
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    std::fs::write(&page, "<html><body>Sign in").unwrap();
    let large = folder.path().join("large.xml");
    std::fs::File::create(&large).unwrap().set_len(50 * 1024 * 1024).unwrap();
    for (file, why) in [(&page, "it is a web page"), (&large, "it has 52428800 bytes")] {
        let line = format!("idp create saml --name Other --metadata {}", file.display());
        let error = world.fails(&line, 2).await;
        assert!(error["message"].as_str().unwrap().contains(file.to_str().unwrap()), "{error}");
        assert!(error["causes"].to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn a_configuration_file_that_cannot_be_read_names_line_and_column() {
    let world = world().await;
    let folder = tempfile::tempdir().unwrap();
    for (name, text, place) in [
        ("a.json", "{\"type\":\n  okta}", "line 2, column 3"),
        ("a.yaml", "type: okta\nconfig:\n  - x: [", "line 3, column"),
        ("a.toml", "name = 'a'\ntype = okta", "line 2, column 8"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, text).unwrap();
        let error = world.fails(&format!("idp create --config-file {}", file.display()), 2).await;
        assert!(error["causes"].to_string().contains(place), "{error}");
    }
}

#[tokio::test]
async fn a_scim_secret_goes_to_a_file_of_its_own_and_nowhere_else() {
    let world = world().await;
    let folder = tempfile::tempdir().unwrap();
    let on = folder.path().join("on.json");
    std::fs::write(&on, r#"{"scim_config":{"enabled":true}}"#).unwrap();
    let okta = "idp create okta --client-id a --client-secret-env SECRET --okta-account https://cats.okta.com";
    world.ok(&format!("{okta} --name Later")).await;
    let creation = format!("{okta} --name Okta --config-file {}", on.display());
    let update = format!("idp update Later --yes --config-file {}", on.display());
    let mut printed = String::new();
    for line in [creation, update] {
        let writes = world.writes().len();
        let error = world.fails(&line, 2).await;
        assert!(error["hint"].as_str().unwrap().contains("--scim-secret-file"), "{error}");
        let taken = format!("{line} --scim-secret-file {}", on.display());
        let error = world.fails(&taken, 2).await;
        assert!(error["message"].as_str().unwrap().contains("nothing was sent"), "{error}");
        assert_eq!(world.writes().len(), writes);

        let file = folder.path().join("scim");
        let ran = world.ok(&format!("{line} --debug --scim-secret-file {}", file.display())).await;
        let secret = std::fs::read_to_string(&file).unwrap();
        assert_eq!(secret.trim_end().len(), 32);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        }
        printed.push_str(&ran.screen);
        assert!(!printed.contains(secret.trim_end()), "{printed}");
        assert!(!everything_in(world.journal.path()).contains(secret.trim_end()));
        std::fs::remove_file(&file).unwrap();
    }
}

#[tokio::test]
async fn a_scim_secret_that_is_lost_fails_the_command_and_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (on, file) = (folder.path().join("on.json"), folder.path().join("scim"));
    std::fs::write(&on, r#"{"scim_config":{"enabled":true}}"#).unwrap();
    let okta = "idp create okta --client-id a --client-secret-env SECRET --okta-account https://cats.okta.com";
    let scim = format!("--config-file {} --scim-secret-file {}", on.display(), file.display());
    let update = format!("idp update Later --yes {scim}");
    for (method, line, fault, code) in [
        ("POST", format!("{okta} --name Okta {scim}"), "close-after@POST", 12),
        ("PUT", update.clone(), "close-after@PUT", 12),
        ("PUT", update, "500x*@PUT", 9),
    ] {
        let world = world().await;
        world.ok(&format!("{okta} --name Later")).await;
        world.fault(fault);
        let ran = world.run(&format!("{line} -o json --max-retries 1")).await;
        assert_eq!(ran.code, code, "{method} {fault}\n{ran:?}");
        assert!(!file.exists(), "{fault}");
        if code == 12 {
            let said = "SCIM is enabled, but its secret was not saved";
            assert!(ran.stderr.contains(said), "{ran:?}");
        }
    }
    // Where SCIM is on already, no secret is expected.
    let world = world().await;
    let first = folder.path().join("first");
    let enable = scim.replace("/scim", "/first");
    world.ok(&format!("{okta} --name Okta {enable}")).await;
    assert!(first.exists());
    world
        .ok(&format!("idp update Okta --name Staff --yes --scim-secret-file {}", file.display()))
        .await;
    assert!(!file.exists());
}

#[tokio::test]
async fn a_planted_secret_is_found_nowhere_but_in_the_request() {
    const PLANTED: &str = "planted-s3cret-0123456789-planted";
    let world = world().await;
    let mut seen = String::new();
    for line in [
        "idp create okta --name Okta --client-id a --client-secret-env SECRET --okta-account https://cats.okta.com",
        "idp create okta --name Okta --client-id a --client-secret-env SECRET --okta-account https://cats.okta.com",
        "idp create okta --name Other --client-id a --client-secret-env SECRET --okta-account nowhere",
        "idp update Okta --client-id b --yes",
        "idp rotate-secret Okta --secret-env SECRET --dry-run",
        "idp rotate-secret Okta --secret-env SECRET --yes",
        "idp rotate-secret Okta --secret-env SECRET --yes --max-retries 0",
        "idp get Okta",
        "idp check Okta",
        "journal list",
        "idp delete Okta --yes",
    ] {
        for format in ["table", "json"] {
            let ran = world.run(&format!("{line} --debug -o {format}")).await;
            seen.push_str(line);
            seen.push_str(&ran.screen);
        }
    }
    seen.push_str(&everything_in(world.journal.path()));
    for exchange in world.sandbox.log() {
        seen.push_str(&exchange.path);
    }
    assert!(seen.contains("client_secret"), "it looks where secrets are written of");
    assert!(!seen.contains(PLANTED));
}

/// What the files of a folder and those below it hold.
pub fn everything_in(folder: &std::path::Path) -> String {
    let mut text = String::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&everything_in(&path));
        } else {
            text.push_str(&String::from_utf8_lossy(&std::fs::read(&path).unwrap()));
        }
    }
    text
}
