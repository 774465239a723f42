//! Scenes of `cfsso idp`.

use rcgen::{CertificateParams, KeyPair};
use serde_json::{Value, json};

use super::server::{Double, OKTA, PIN, TOKEN, app, idp};
use super::walks::everything_in;
use crate::harness::World;

const SECRET: &str = "planted-s3cret-0123456789-planted";

/// Every type and the flags that create one, with the certificate's place.
pub const TYPES: &[(&str, &str)] = &[
    ("onetimepin", ""),
    ("cloudflare", "--restrict-to-account-members"),
    (
        "okta",
        "--client-id i --client-secret-env PLANTED --okta-account https://cats.okta.com --api-token-env PLANTED",
    ),
    (
        "azureAD",
        "--client-id i --client-secret-env PLANTED --directory-id 11111111-2222-4333-8444-555555555555 --prompt login",
    ),
    ("google", "--client-id i --client-secret-env PLANTED"),
    (
        "google-apps",
        "--client-id i --client-secret-env PLANTED --apps-domain cool.cats --use-login-hint=false",
    ),
    (
        "oidc",
        "--client-id i --client-secret-env PLANTED --auth-url https://127.0.0.1:1/a --token-url https://127.0.0.1:1/t --certs-url https://127.0.0.1:1/c --scopes openid,email",
    ),
    (
        "saml",
        "--sso-target-url https://a.example/sso --issuer-url urn:cats --idp-public-certs CERTIFICATE --header-attributes mail=X-Mail --force-authn --max-sso-url-length 2048",
    ),
    ("github", "--client-id i --client-secret-env PLANTED"),
    ("facebook", "--client-id i --client-secret-env PLANTED"),
    ("linkedin", "--client-id i --client-secret-env PLANTED"),
    ("yandex", "--client-id i --client-secret-env PLANTED"),
    (
        "onelogin",
        "--client-id i --client-secret-env PLANTED --onelogin-account https://cats.onelogin.com",
    ),
    ("pingone", "--client-id i --client-secret-env PLANTED --ping-env-id e"),
    (
        "centrify",
        "--client-id i --client-secret-env PLANTED --centrify-account https://cats.my.centrify.com --centrify-app-id a",
    ),
    ("passkeys", "--login-page-auto-prompt"),
];

async fn double() -> Double {
    Double::new()
        .await
        .with_env("PLANTED", SECRET)
        .with("organizations", r#"{"auth_domain":"cats.cloudflareaccess.com"}"#)
}

pub fn certificate() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate =
        CertificateParams::new(Vec::<String>::new()).unwrap().self_signed(&key).unwrap();
    std::fs::write(file.path(), certificate.pem()).unwrap();
    file
}

#[tokio::test]
async fn every_type_is_created_shown_and_changed_in_one_field_alone() {
    let file = certificate();
    for (kind, flags) in TYPES {
        let double = double().await;
        let flags = flags.replace("CERTIFICATE", file.path().to_str().unwrap());
        let created =
            double.ok(&format!("idp create {kind} --name Old {flags} -o json")).await.json();
        assert_eq!((&created["type"], &created["name"]), (&json!(kind), &json!("Old")));
        let id = created["id"].as_str().unwrap();
        assert_eq!(double.ok(&format!("idp get {kind} -o json")).await.json(), created);

        let before = double.object(&idp(id)).unwrap();
        double.ok(&format!("idp update {id} --name New --yes")).await;
        let writes = double.writes();
        let (request, body) = writes.last().unwrap();
        assert_eq!(request, &format!("PUT identity_providers/{id}"), "{kind}");
        assert_eq!(body, &before.replace(r#""name":"Old""#, r#""name":"New""#), "{kind}");
        assert!(!body.contains(SECRET), "{kind}");
        double.ok(&format!("idp delete {id} --yes")).await;
        assert_eq!(double.object(&idp(id)), None);
    }
}

#[tokio::test]
async fn an_expired_certificate_is_refused() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2021, 1, 1);
    let expired = params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem();
    let valid = std::fs::read_to_string(certificate().path()).unwrap();
    let create = format!(
        "idp create saml --name AD --issuer-url https://a --sso-target-url https://a --idp-public-certs {}",
        file.path().display()
    );
    for (text, code) in [(expired.clone(), 2), (format!("{expired}{valid}"), 0)] {
        std::fs::write(file.path(), text).unwrap();
        let double = double().await;
        let ran = double.run(&create).await;
        assert_eq!(ran.code, code, "{ran:?}");
        assert_eq!(double.writes().len(), usize::from(code == 0));
        assert!(code == 0 || ran.stderr.contains("expired on 2021-01-01"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_secret_appears_nowhere_but_in_the_request() {
    let shown = format!(
        r#"{{"id":"{OKTA}","name":"Hub","type":"github","config":{{"client_id":"i","client_secret":"{SECRET}"}}}}"#
    );
    for format in ["table", "json", "ndjson", "yaml"] {
        let double = double().await.with(&idp(OKTA), &shown);
        let mut printed = String::new();
        for line in [
            "idp create okta --name A --client-id i --client-secret-env PLANTED --okta-account https://cats.okta.com",
            "idp create okta --name B --client-id i --client-secret-env PLANTED --okta-account https://cats.okta.com --dry-run",
            "idp create okta --name C --client-id i --client-secret-env PLANTED",
            "idp create okta --name D --client-id PLANTED --client-secret-file /nonexistent --okta-account https://cats.okta.com",
            "idp rotate-secret A --secret-env PLANTED --yes",
            "idp rotate-secret A --secret-env PLANTED --dry-run",
            "idp update Hub --name Git --yes",
            "idp get Git",
            "idp list",
            "idp delete Git --yes",
        ] {
            let ran = double.run(&format!("{line} --debug -o {format}")).await;
            printed.push_str(&ran.stdout);
            printed.push_str(&ran.stderr);
        }
        let journal = everything_in(double.journal.path());
        assert!(journal.contains("client_secret"), "{journal}");
        printed.push_str(&journal);
        assert!(!printed.contains(SECRET), "{format}");
        assert!(!printed.contains(TOKEN), "{format}");
        let sent = double.writes().iter().filter(|(_, body)| body.contains(SECRET)).count();
        assert_eq!(sent, 3, "created, rotated, and one that the API shows is kept");
    }
}

#[tokio::test]
async fn a_hidden_secret_is_not_sent_back_and_a_rotation_changes_it_alone() {
    let object = format!(
        r#"{{"id":"{OKTA}","uid":"{OKTA}","name":"Okta","type":"okta","version":"v1","config":{{"client_id":"i","client_secret":"*****","okta_account":"https://cats.okta.com","n":12345678901234567890123}},"new":{{"x":3.10}}}}"#
    );
    let sent = object.replace(r#""client_secret":"*****","#, "");
    let double = double().await.with(&idp(OKTA), &object);
    double.ok("idp update Okta --client-id j --yes").await;
    assert_eq!(double.written(), sent.replace(r#""client_id":"i""#, r#""client_id":"j""#));

    let double = self::double().await.with(&idp(OKTA), &object).with_input(&format!("{SECRET}\n"));
    let ran = double.ok("idp rotate-secret okta --secret-file - --yes").await;
    assert_eq!(double.written(), object.replace("*****", SECRET));
    assert!(ran.stdout.contains("secrets are never returned"), "{}", ran.stdout);

    // Where the API leaves the secret out, it is not shown as if there were none.
    let absent = object.replace(r#""client_secret":"*****","#, "");
    let double = self::double().await.with(&idp(OKTA), &absent).with_input(&format!("{SECRET}\n"));
    let ran = double.ok("idp rotate-secret okta --secret-file - --dry-run").await;
    let shown = format!("{}{}", ran.stdout, ran.stderr);
    assert!(shown.contains("not shown (secrets are never returned)"), "{ran:?}");
    assert!(!shown.contains("none ->"), "{ran:?}");
}

#[tokio::test]
async fn nothing_to_change_sends_nothing() {
    let object = format!(
        r#"{{"id":"{OKTA}","name":"Okta","type":"okta","read_only":true,"config":{{"client_id":"i"}}}}"#
    );
    let double = double().await.with(&idp(OKTA), &object);
    assert!(double.ok("idp update Okta --client-id i").await.stderr.contains("no change"));
    let ran = double.run("idp update Okta --client-id j --yes -o json").await;
    assert_eq!(ran.code, 11, "{ran:?}");
    let ran = double.run("idp delete Okta --yes").await;
    assert_eq!(ran.code, 11, "{ran:?}");
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn a_wrong_field_names_the_fields_of_the_type() {
    let object =
        format!(r#"{{"id":"{OKTA}","name":"Okta","type":"okta","config":{{"client_id":"i"}}}}"#);
    let double = double().await.with(&idp(OKTA), &object);
    for line in [
        "idp create okta --client-id i --client-secret-env PLANTED --okta-account https://cats.okta.com --directory-id x -o json",
        "idp update Okta --directory-id x --yes -o json",
    ] {
        let ran = double.run(line).await;
        assert_eq!(ran.code, 2);
        let cause = ran.error()["causes"][0].as_str().unwrap().to_owned();
        assert!(
            cause.contains("`directory_id` is not a field of `okta`")
                && cause.contains("`okta_account`"),
            "{cause}"
        );
    }
    let ran = double.run("idp create google --client-id i -o json").await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.error()["message"], "`client_secret` is missing");
    assert_eq!(double.run("idp create ockta --client-id i").await.code, 2);
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn a_file_is_read_in_every_syntax_and_its_errors_name_a_place() {
    let json = r#"{"type":"retina-scan","name":"Keys","config":{"n":12345678901234567890123},"later":1.50}"#;
    let double = double().await.with_input(json);
    double.ok("idp create --config-file -").await;
    assert_eq!(double.written(), json);
    for text in [
        "type: retina-scan\nname: Keys\nconfig:\n  n: 5\n",
        "type = \"retina-scan\"\nname = \"Keys\"\n[config]\nn = 5\n",
    ] {
        let double = self::double().await.with_input(text);
        double.ok("idp create --config-file -").await;
        let sent: Value = double.written().parse().unwrap();
        assert_eq!(sent, json!({"type": "retina-scan", "name": "Keys", "config": {"n": 5}}));
    }
    let double = self::double().await.with_input("{\"type\":\n  okta}");
    let ran = double.run("idp create --config-file - -o json").await;
    assert_eq!(ran.code, 2);
    assert_eq!(ran.error()["causes"], json!(["invalid JSON: line 2, column 3"]));
}

#[tokio::test]
async fn what_a_type_can_never_have_is_refused_with_what_was_meant() {
    const UUID: &str = "11111111-2222-4333-8444-555555555555";
    let okta = "--client-secret-env PLANTED --okta-account https://cats.okta.com";
    let entra = format!("--client-id i --directory-id {UUID}");
    let okta_of = "--client-id i --client-secret-env PLANTED";
    for (line, cause, hint) in [
        (
            format!("azureAD {entra} --client-secret-env UUID"),
            "`client_secret` is a UUID, the ID of the secret",
            "`cfsso idp types azureAD` lists its fields",
        ),
        (
            format!("azureAD {okta_of} --directory-id https://login.microsoftonline.com/{UUID}"),
            "`directory_id` is not a UUID",
            "`--directory-id 11111111-2222-4333-8444-555555555555`",
        ),
        (
            format!("okta {okta_of} --okta-account https://cats-admin.okta.com"),
            "`okta_account` is the address of the Okta admin console",
            "`--okta-account https://cats.okta.com`",
        ),
        (
            format!("okta {okta_of} --okta-account cats.okta.com"),
            "`okta_account` must start with `https://`",
            "`--okta-account https://cats.okta.com`",
        ),
        (
            format!("okta {okta_of} --okta-account https://cats.okta.com/app"),
            "`okta_account` has a path (`/app`)",
            "`--okta-account https://cats.okta.com`",
        ),
        (
            format!("google-apps {okta_of} --apps-domain ann@cool.cats"),
            "`apps_domain` is an email address",
            "`--apps-domain cool.cats`",
        ),
        (
            format!("okta {okta} --client-id 0oa1\u{200b}"),
            "`client_id` contains a zero-width space (U+200B) at position 5",
            "`--client-id 0oa1`",
        ),
        (
            format!("oidc {okta_of} --auth-url https://a.cats/#x --token-url https://a.cats --certs-url https://a.cats"),
            "`auth_url` has a fragment",
            "`--auth-url https://a.cats/`",
        ),
        (
            "saml --issuer-url urn:\u{200b}cats --sso-target-url https://a.cats --idp-public-certs x".to_owned(),
            "`issuer_url` contains a zero-width space",
            "`cfsso idp types saml` lists its fields",
        ),
    ] {
        let certificates = certificate();
        let line = line.replace("-certs x", &format!("-certs {}", certificates.path().display()));
        let world = World::new().await.with_env("PLANTED", SECRET).with_env("UUID", UUID);
        let ran = world.run(&format!("idp create {line} -o json")).await;
        assert_eq!((ran.code, world.requests().len()), (2, 0), "{line}\n{ran:?}");
        let error = ran.error();
        assert!(error["causes"][0].as_str().unwrap().starts_with(cause), "{line}\n{ran:?}");
        assert_eq!(error["hint"], hint, "{line}");
    }
    let object = format!(
        r#"{{"id":"{OKTA}","name":"Entra","type":"azureAD","config":{{"client_id":"i","directory_id":"{UUID}"}}}}"#
    );
    let file = r#"{"config":{"client_id":"a b"}}"#;
    let double = double().await.with(&idp(OKTA), &object).with_env("UUID", UUID).with_input(file);
    for line in [
        "update Entra --directory-id common --yes",
        "update Entra --client-secret-env UUID --yes",
        "update Entra --config-file - --yes",
        "rotate-secret Entra --secret-env UUID --yes",
    ] {
        let ran = double.run(&format!("idp {line}")).await;
        assert_eq!((ran.code, double.writes()), (2, vec![]), "{line}\n{ran:?}");
        assert!(!ran.stderr.contains(&format!("`{UUID}`")), "{line}\n{ran:?}");
    }
}

#[tokio::test]
async fn each_type_can_be_created_again_from_what_it_shows() {
    let file = certificate();
    for (kind, flags) in TYPES {
        let mut world = World::new().await.with_env("PLANTED", SECRET);
        for known in world.ok("idp list -o json").await.json().as_array().unwrap() {
            world.ok(&format!("idp delete {} --yes --force", known["id"].as_str().unwrap())).await;
        }
        let flags = flags.replace("CERTIFICATE", file.path().to_str().unwrap());
        world.ok(&format!("idp create {kind} --name Old {flags}")).await;
        let shown = world.ok(&format!("idp get {kind} -o json")).await;
        let id = shown.json()["id"].as_str().unwrap().to_owned();
        world.ok(&format!("idp delete {id} --yes --force")).await;
        world = world.with_input(&shown.stdout);
        let has_secret = flags.contains("--client-secret-env PLANTED");
        let secret = if has_secret { "--client-secret-env PLANTED" } else { "" };
        let ran = world.ok(&format!("idp create --config-file - {secret}")).await;
        let again = world.ok(&format!("idp get {kind} -o json")).await.json();
        for field in ["name", "type", "config"] {
            assert_eq!(again[field], shown.json()[field], "{kind}");
        }
        assert_ne!(again["id"], shown.json()["id"], "{kind}");
        let line = ran.stderr.lines().find(|line| line.contains("not copied"));
        assert!(line.is_some_and(|line| line.contains("id, uid, version")), "{kind}\n{ran:?}");
    }
}

#[tokio::test]
async fn one_that_stands_is_not_created_twice() {
    let pin = format!(r#"{{"id":"{PIN}","name":"PIN","type":"onetimepin","config":{{}}}}"#);
    let double = double().await.with(&idp(PIN), &pin);
    assert_eq!(double.run("idp create onetimepin").await.code, 7);
    let standing = double.ok("idp create onetimepin --if-not-exists -o json").await.json();
    assert_eq!(standing["id"], PIN);
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn what_depends_on_it_keeps_it_from_being_deleted() {
    let okta = format!(r#"{{"id":"{OKTA}","name":"Okta","type":"okta","config":{{}}}}"#);
    let pin = format!(r#"{{"id":"{PIN}","name":"PIN","type":"onetimepin","config":{{}}}}"#);
    let sso =
        format!(r#"{{"id":"a1","name":"SSO App","type":"dash_sso","allowed_idps":["{OKTA}"]}}"#);
    let double = double().await.with(&idp(OKTA), &okta).with(&idp(PIN), &pin).with(&app(), &sso);
    let ran = double.run("idp delete Okta --yes -o json").await;
    assert_eq!(ran.code, 11, "{ran:?}");
    assert!(ran.error()["hint"].as_str().unwrap().contains("--force"));
    double.ok("idp delete PIN --yes").await;
    double.ok("idp delete Okta --yes --force").await;
    assert_eq!(double.writes().len(), 2);

    let grant = format!(r#"{{"id":"g1","idp_id":"{OKTA}"}}"#);
    let double =
        self::double().await.with(&idp(OKTA), &okta).with("idp_federation_grants/g1", &grant);
    let ran = double.run("idp delete Okta --yes --force -o json").await;
    assert_eq!(ran.code, 7, "{ran:?}");
    assert_eq!(ran.error()["hint"], "`cfsso federation delete g1`");
    assert_eq!(double.writes(), []);
}

#[tokio::test]
async fn an_ambiguous_name_lists_the_candidates_and_a_foreign_id_gets_a_hint() {
    let named = |id: &str| format!(r#"{{"id":"{id}","name":"Staff","type":"okta","config":{{}}}}"#);
    let double = double().await.with(&idp(OKTA), &named(OKTA)).with(&idp(PIN), &named(PIN));
    let ran = double.run("idp get Staff -o json").await;
    assert_eq!((ran.code, ran.error()["causes"].as_array().unwrap().len()), (7, 2));
    let ran = double.run("idp get 00000000-0000-4000-8000-000000000000 -o json").await;
    assert_eq!(ran.code, 6);
    assert!(ran.error()["causes"].to_string().contains("check `--account`"), "{ran:?}");
}

#[tokio::test]
async fn the_setup_says_what_to_enter_there() {
    let okta = format!(r#"{{"id":"{OKTA}","name":"Okta","type":"okta","config":{{}}}}"#);
    let double = double().await.with(&idp(OKTA), &okta);
    let setup = double.ok("idp get Okta --setup -o json").await.json();
    assert_eq!(
        setup["values"]["callback"],
        "https://cats.cloudflareaccess.com/cdn-cgi/access/callback"
    );
    assert_eq!(setup["guide"]["product"], "okta");
    let text = double.ok("idp get Okta --setup").await.stdout;
    assert!(text.contains("cats.cloudflareaccess.com/cdn-cgi/access/callback"), "{text}");
}

#[tokio::test]
async fn a_check_tells_failures_and_never_that_a_login_works() {
    let okta = format!(r#"{{"id":"{OKTA}","name":"Okta","type":"okta","config":{{}}}}"#);
    let pin = format!(r#"{{"id":"{PIN}","name":"PIN","type":"onetimepin","config":{{}}}}"#);
    let double = double().await.with(&idp(OKTA), &okta).with(&idp(PIN), &pin);
    let ran = double.run("idp check --all -o json").await;
    assert_eq!(ran.code, 10, "{ran:?}");
    let report: Value = ran.json();
    assert_eq!(report["ok"], false);
    let ran = double.ok("idp check PIN").await;
    assert!(ran.stdout.contains("Sign-in not tested"), "{}", ran.stdout);
    let points = double.ok("idp check PIN -o json").await.json()["idps"][0]["checks"].clone();
    let login =
        points.as_array().unwrap().iter().find(|point| point["id"] == "sign-in").unwrap().clone();
    assert_eq!(login["state"], "not_tested");
}

#[tokio::test]
async fn types_are_listed_with_their_fields() {
    let double = Double::new().await;
    let types = double.ok("idp types -o json").await.json();
    let names: Vec<_> = types.as_array().unwrap().iter().map(|kind| kind["type"].clone()).collect();
    for (kind, _) in TYPES {
        assert!(names.contains(&json!(kind)), "{kind}");
    }
    let okta = double.ok("idp types okta").await.stdout;
    for word in ["okta_account", "`--client-id`", "`--client-secret-file`"] {
        assert!(okta.contains(word), "{word}: {okta}");
    }
    assert_eq!(double.run("idp types ockta").await.code, 2);
}
