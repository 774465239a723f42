//! Files that are refused, before any request.

use std::fmt::Write as _;

use super::File;
use crate::harness::World;

async fn refused(world: &World, text: &str) -> (String, Vec<String>) {
    let file = File::new(text);
    let mut told = None;
    for verb in ["plan", "apply"] {
        let error = world.fails(&file.line(verb, ""), 2).await;
        let causes = error["causes"].as_array().unwrap().iter();
        let causes: Vec<_> = causes.map(|cause| cause.as_str().unwrap().to_owned()).collect();
        told = Some((error["message"].as_str().unwrap().to_owned(), causes));
    }
    told.unwrap()
}

#[tokio::test]
async fn a_bad_file_is_refused_with_all_that_is_wrong() {
    let world = World::new().await;
    for (text, expected) in [
        ("", vec!["it is empty"]),
        (" \n# nothing\n", vec!["not an object, or it has a duplicate key"]),
        ("- a\n", vec!["not an object, or it has a duplicate key"]),
        ("version: 1\nversion: 1\n", vec!["invalid YAML: line 2, column 1"]),
        (
            "version: 1\nconnectors:\n  - domain: a.test\n    enable: true\n  - domian: b.test\n",
            vec![
                "unknown key `connectors[0].enable`; did you mean `enabled`?",
                "unknown key `connectors[1].domian`; did you mean `domain`?",
            ],
        ),
        (
            "version: 1\nconnectors:\n  - domain: a.test\n  - domain: A.TEST.\n",
            vec!["`connectors[1]`: a.test is listed twice"],
        ),
        (
            "version: 1\nsso_app: { allowed_idps: some }\nconnectors:\n  - { domain: a.test, enabled: maybe }\n  - { domain: a_b }\n  - { domain: b.test, verified: false }\n",
            vec![
                "`sso_app.allowed_idps`: neither `all` nor a list of names",
                "`connectors[0].enabled`: invalid type: string \"maybe\", expected a boolean",
                "`connectors[1].domain`: ",
                "`connectors[2].verified`: only `true` can be requested",
            ],
        ),
        ("a: &a [1]\nb: *a\n", vec!["YAML anchors and aliases are not supported"]),
    ] {
        let (message, causes) = refused(&world, text).await;
        assert!(message.ends_with("is not a valid configuration"), "{message}");
        let is_as_expected = causes.len() == expected.len()
            && causes.iter().zip(&expected).all(|(cause, start)| cause.starts_with(start));
        assert!(is_as_expected, "{text}: {causes:#?}");
    }
    assert!(world.requests().is_empty());
}

#[tokio::test]
async fn a_file_that_would_take_much_memory_is_refused_at_once() {
    let world = World::new().await;
    let mut bomb = "a0: &a0 [x]\n".to_owned();
    for level in 1..20 {
        let below = format!("*a{}", level - 1);
        let _ = writeln!(bomb, "a{level}: &a{level} [{below}, {below}, {below}, {below}]");
    }
    let deep = |size: usize| "[".repeat(size);
    for (text, expected) in [
        (bomb, "YAML anchors and aliases are not supported"),
        (format!("version: {}", deep(20 << 20)), "it is larger than 16 MiB"),
        (format!("{{\"version\": {}", deep(20 << 20)), "it is larger than 16 MiB"),
        (format!("version: {}", deep(1 << 19)), "invalid YAML: line 1"),
        (format!("{{\"version\": {}", deep(1 << 19)), "invalid YAML: line 1"),
    ] {
        let (_, causes) = refused(&world, &text).await;
        assert!(causes[0].starts_with(expected), "{causes:?}");
    }
}

#[tokio::test]
async fn a_secret_in_clear_text_is_refused_and_shown_nowhere() {
    let world = World::new().await;
    for place in
        ["    client_secret: planted-s3cret", "    config:\n      client_secret: planted-s3cret"]
    {
        let text =
            format!("version: 1\nidentity_providers:\n  - name: Okta\n    type: okta\n{place}\n");
        let file = File::new(&text);
        let ran = world.run(&file.line("plan", "--debug")).await;
        assert_eq!(ran.code, 2, "{ran:?}");
        assert!(ran.stderr.contains("is a secret in clear text"), "{ran:?}");
        assert!(!ran.screen.contains("planted"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_file_that_does_not_fit_the_account_is_refused() {
    let world = World::new().await;
    for (text, code, message, hint) in [
        (
            "sso_app:\n  allowed_idps: [Compny SSO]\n",
            2,
            "`sso_app.allowed_idps`: no identity provider `Compny SSO` in the file or the account",
            "did you mean `Company SSO`?",
        ),
        (
            "federation:\n  - idp: Okta\n    accounts: [c001ca75000000000000000000000003]\n",
            2,
            "`federation[0].idp`: no identity provider `Okta` in the file or the account",
            "`cfsso idp list`",
        ),
        (
            "identity_providers:\n  - name: Company SSO\n    type: saml\n",
            2,
            "`Company SSO` has the type oidc, not saml; a type cannot be changed",
            "use another name",
        ),
        (
            "identity_providers:\n  - name: Okta\n    type: okta\n",
            2,
            "`Okta`: invalid configuration of an identity provider",
            "`cfsso idp types` lists the fields of each type",
        ),
        (
            "connectors:\n  - domain: gmail.com\n",
            11,
            "cannot set up SSO for gmail.com",
            "leave it out of `connectors`",
        ),
        (
            "federation:\n  - idp: Company SSO\n    accounts: [c001ca75000000000000000000000005]\n",
            11,
            "`Dogs (c001ca75000000000000000000000005)` is not in the organization of this account",
            "leave it out, or add it to the organization as a super administrator",
        ),
        ("sso_app:\n  allowed_idps: all\n  auto_redirect: false\n", 0, "", ""),
        (
            "sso_app:\n  auto_redirect: true\n",
            2,
            "`sso_app.auto_redirect` requires exactly one allowed identity provider",
            "name it in `sso_app.allowed_idps`",
        ),
        (
            "sso_app:\n  allowed_idps: [Company SSO]\n",
            6,
            "this account has no SSO App (type `dash_sso`)",
            "name a domain in `connectors`",
        ),
    ] {
        let file = File::new(&format!("version: 1\n{text}"));
        if code == 0 {
            world.ok(&file.line("plan", "")).await;
            continue;
        }
        let error = world.fails(&file.line("plan", ""), code).await;
        assert_eq!(error["message"], message, "{text}");
        assert_eq!(error["hint"], hint, "{text}");
    }
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn a_plan_is_not_written_over_anything_else() {
    let world = World::new().await;
    let file = File::new("version: 1\n");
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large");
    let plan = "{\"schema\":\"cfsso/config-plan/v1\"}";
    std::fs::write(&large, format!("{plan}{}", " ".repeat(16 << 20))).unwrap();
    let (folder, large) = (folder.path().to_str().unwrap(), large.to_str().unwrap());
    for (out, code) in [("-", 2), (folder, 7), (large, 7)] {
        world.fails(&file.line("plan", &format!("--out {out}")), code).await;
    }
    assert!(world.requests().is_empty());
}
