//! Scenes of set-up by questions: a user at a terminal, answer by answer.

use std::collections::BTreeMap;

use cfsso::process::Terminal;
use cfsso::sandbox::Access;
use serde_json::Value;

use crate::harness::{Ran, World, run};

const SECRET: &str = "s3cr3t-of-the-client";
/// A new Okta, from the domain to enforcement.
const OKTA: [&str; 10] = [
    "",                      // the domain that most members have
    "okta",                  // identity provider
    "https://cats.okta.com", // its address
    "0oa1",                  // client ID
    SECRET,                  // client secret
    "y",                     // publish the TXT record
    "now",                   // enable SSO
    "",                      // go on
    "y",                     // one-time PIN as a fallback
    "cool.cats",             // the confirmation before SSO is enabled
];

fn typed(answers: &[&str]) -> String {
    answers.join("\n") + "\n"
}

async fn person(answers: &[&str]) -> World {
    World::new().await.with_person(&typed(answers))
}

/// The names and types of the identity providers.
async fn idps(world: &World) -> Vec<(String, String)> {
    let path = format!("GET /accounts/{}/access/identity_providers", world.sandbox.account());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let idps = world.ask(&path).await;
    idps.as_array().unwrap().iter().map(|idp| (text(&idp["name"]), text(&idp["type"]))).collect()
}

/// The commands that the end of a run says do the same.
fn without_questions(ran: &Ran) -> Vec<String> {
    let all = ran.stdout.split("The same without questions:\n").nth(1);
    let all = all.unwrap_or_else(|| panic!("{}", ran.screen)).lines();
    let commands = all.take_while(|line| !line.is_empty()).map(str::trim);
    commands.map(|line| line.strip_prefix("cfsso ").unwrap().to_owned()).collect()
}

#[tokio::test]
async fn ten_answers_lead_from_nothing_to_enforced_sso() {
    let world = person(&OKTA).await;
    let ran = world.ok("setup").await;
    assert!(!ran.screen.contains(SECRET), "{}", ran.screen);
    assert!(ran.stdout.contains("SSO is enforced for cool.cats."), "{}", ran.screen);
    assert_eq!(world.connectors().await[0]["enabled"], true);
    assert_eq!(
        idps(&world).await,
        [("Company SSO", "oidc"), ("Okta", "okta"), ("One-time PIN", "onetimepin")]
            .map(|(name, kind)| (name.to_owned(), kind.to_owned()))
    );
    let (questions, _) = ran.screen.split_once("Go on? [Y/n] ").unwrap();
    insta::assert_snapshot!(questions, @r"
    Email domain [cool.cats]: 
      members    4 members with an address at cool.cats
      mail       received by mail.cfsso.test
      DNS        zone cool.cats in this account
      connector  none yet

    Identity provider:
       1  Company SSO (oidc): no problems found
       2  Okta (new)
       3  Microsoft Entra ID (new)
       4  Google Workspace (new)
       5  authentik (new)
       6  Keycloak (new)
       7  Auth0 (new)
       8  JumpCloud (new)
       9  OneLogin (new)
      10  PingOne (new)
      11  another one, with OpenID Connect (new)
      12  another one, with SAML (new)
    Number [1]: 
    At Okta:
      Sign-in redirect URIs: `https://cool-cats.cloudflareaccess.com/cdn-cgi/access/callback`
      1. in the Okta admin console, open Applications and create an app integration:
         OIDC, Web Application
      2. enter the sign-in redirect URI, and assign users or groups to the app
      3. on the Sign On tab, set the groups claim to the filter `groups`, Matches
         regex, `.*`, if policies need groups
      4. copy client ID and client secret; the account is the Okta URL without
         `-admin`

    Okta URL: Client ID: Client secret (hidden): 
    Publish the TXT record in the zone cool.cats? [Y/n] 
    Enable SSO:
      1  on trial: disabled again after 10 minutes unless a user signs in
      2  at once, once the checks pass
      3  no: only create and verify the connector
    Number [1]: 
    Plan:
      1. create the identity provider Okta
      2. create the connector of cool.cats
      3. publish the TXT record of cool.cats
      4. start the verification of cool.cats
      5. enable SSO for cool.cats
    SSO is enabled after the checks.
    Not changed: 1 identity provider, members.
    Users can also choose Company SSO on the sign-in page. To allow only Okta:
    `cfsso app idps --only Okta` at the end.
    ");
}

#[tokio::test]
async fn the_commands_at_the_end_lead_to_the_same_state() {
    let world = person(&OKTA).await;
    let ran = world.ok("setup").await;
    let again = World::new().await.with_env("CLIENT_SECRET", SECRET);
    for line in without_questions(&ran) {
        again.ok(&line).await;
    }
    assert_eq!(idps(&again).await, idps(&world).await);
    let state = |connector: &Value| {
        (
            connector["email_domain"].clone(),
            connector["enabled"].clone(),
            connector["verification"]["status"].clone(),
        )
    };
    let (first, second) = (world.connectors().await, again.connectors().await);
    assert_eq!(
        first.iter().map(state).collect::<Vec<_>>(),
        second.iter().map(state).collect::<Vec<_>>()
    );
    assert_eq!(world.codes("cool.cats").await.len(), again.codes("cool.cats").await.len());
    let writes = |world: &World| world.writes().len();
    assert_eq!(writes(&world), writes(&again), "{:?}\n{:?}", world.writes(), again.writes());
}

/// The answers for each product, after its name.
fn products(origin: &str) -> Vec<(&'static str, Vec<String>, &'static str)> {
    let client = |address: String| vec![address, "client".to_owned(), SECRET.to_owned()];
    let uuid = "4b1f8c6e-0d7a-4f0e-9f5c-1c2d3e4f5a6b";
    vec![
        ("okta", client("https://cats.okta.com".into()), "okta"),
        ("entra", vec![uuid.into(), uuid.into(), SECRET.into()], "azureAD"),
        ("google-workspace", client(String::new()), "google-apps"),
        ("authentik", client(format!("{origin}/application/o/cf/")), "oidc"),
        ("keycloak", client(format!("{origin}/realms/cats")), "oidc"),
        ("auth0", client("https://cats.eu.auth0.com/".into()), "oidc"),
        ("jumpcloud", vec!["client".into(), SECRET.into()], "oidc"),
        ("onelogin", client("https://cats.onelogin.com".into()), "onelogin"),
        ("pingone", client(uuid.into()), "pingone"),
        ("oidc", client(format!("{origin}/oidc/cats")), "oidc"),
        ("saml", vec![format!("{origin}/saml/cats/metadata")], "saml"),
    ]
}

#[tokio::test]
async fn each_product_is_set_up_by_its_own_questions() {
    for (index, (product, _, kind)) in products("").iter().enumerate() {
        let world = World::new().await;
        let origin = world.sandbox.base_url().trim_end_matches("/client/v4").to_owned();
        let own = products(&origin)[index].1.clone();
        let own = own.iter().map(String::as_str);
        let answers: Vec<&str> =
            ["cool.cats", product].into_iter().chain(own).chain(["", "no", ""]).collect();
        let world = world.with_person(&typed(&answers));
        let ran = world.ok("setup").await;
        assert!(!ran.screen.contains("Use it anyway?"), "{product}: {}", ran.screen);
        assert!(!ran.screen.contains(SECRET), "{product}: {}", ran.screen);
        let found = idps(&world).await;
        assert_eq!(found[1].1, *kind, "{product}");
        assert_eq!(world.connectors().await[0]["verification"]["status"], "verified", "{product}");
        assert_eq!(world.connectors().await[0]["enabled"], false, "{product}");
    }
}

#[tokio::test]
async fn a_wrong_answer_is_asked_again_with_what_was_wrong() {
    let okta = "https://cats.okta.com";
    let uuid = "4b1f8c6e-0d7a-4f0e-9f5c-1c2d3e4f5a6b";
    for (answers, says) in [
        (&["cool", "cool.cats", "1"][..], "`cool` is not an email domain"),
        (&["gmail.com", "cool.cats", "1"], "mail provider"),
        (&["cool.cat", "n", "cool.cats", "1"], "did you mean `cool.cats`?"),
        (&["cool.cats", "99", "1"], "expected a number from 1 to 12, got `99`"),
        (&["cool.cats", "\u{1b}[A", "1"], "got `\\u{1b}[A`"),
        (&["cool.cats", "okta", "https://cats-admin.okta.com", okta, "c", SECRET], "cats.okta.com"),
        (&["cool.cats", "entra", "common", uuid, uuid, SECRET], "UUID"),
        (&["cool.cats", "okta", okta, "a b", "c", SECRET], "client_id"),
        (&["cool.cats", "okta", okta, "c", "***", SECRET], "the secret is a mask"),
        (&["cool.cats", "okta", okta, "c", "\"quoted-secret\"", SECRET], "the secret is in quotes"),
        (
            &["cool.cats", "oidc", "https://127.0.0.1:1/", "back", "okta", okta, "c", SECRET],
            "127.0.0.1",
        ),
    ] {
        let answers: Vec<&str> = answers.iter().copied().chain(["", "no", ""]).collect();
        let world = person(&answers).await;
        let ran = world.run("setup").await;
        assert_eq!(ran.code, 0, "{answers:?}\n{}", ran.screen);
        let screen = ran.screen.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(screen.contains(says), "{says}\n{}", ran.screen);
        for refused in ["[cool.cat]", "[gmail.com]", "[https://127.0.0.1:1/]"] {
            assert!(!ran.screen.contains(refused), "{refused}\n{}", ran.screen);
        }
        assert_eq!(world.connectors().await[0]["email_domain"], "cool.cats");
    }
}

#[tokio::test]
async fn after_a_refused_answer_the_default_is_the_one_from_before() {
    // The default is given back after the refusal, and an answer from before a `back`, too.
    for answers in [
        &["cool.cat", "n", "", "1", "", "no", ""][..],
        &["cool.cats", "back", "cool.cat", "n", "", "1", "", "no", ""],
    ] {
        let world = person(answers).await;
        let ran = world.run("setup").await;
        assert_eq!(ran.code, 0, "{answers:?}\n{}", ran.screen);
        assert_eq!(world.connectors().await[0]["email_domain"], "cool.cats");
    }
}

#[tokio::test]
async fn the_third_wrong_answer_declines_and_nothing_is_written() {
    for answers in [
        &["cool", "", "gmail.com", "cool"][..],
        &["cool.cats", "0", "99", "x-"],
        &["cool.cats", "okta", "nowhere", "no where", "-"],
        &["cool.cats", "q"],
        &["cool.cats", "1", "y", "now", "n"],
    ] {
        let world = person(answers).await;
        let ran = world.run("setup").await;
        assert_eq!(ran.code, 3, "{answers:?}\n{}", ran.screen);
        assert_eq!(world.writes(), [""; 0], "{answers:?}");
    }
}

#[tokio::test]
async fn back_asks_the_question_before_again_and_a_question_mark_explains() {
    let answers = [
        "back", // the first question has none before it
        "cool.dogs",
        "back",
        "cool.cats",
        "?",
        "onelogin",
        "back",
        "okta",
        "https://cats.okta.com",
        "wrong",
        "\u{1b}",
        "0oa1",
        SECRET,
        "y",
        "back",
        "y",
        "no",
        "back",
        "", // the answer from before
        "y",
    ];
    let world = person(&answers).await;
    let ran = world.ok("setup").await;
    for says in [
        "this is the first question",
        "What your users sign in with.",
        "Client ID [wrong]:",
        "Number [3]:",
    ] {
        assert!(ran.screen.contains(says), "{says}\n{}", ran.screen);
    }
    let path = format!("GET /accounts/{}/access/identity_providers", world.sandbox.account());
    assert_eq!(world.ask(&path).await[1]["config"]["client_id"], "0oa1");
    let connectors = world.connectors().await;
    assert_eq!(connectors[0]["email_domain"], "cool.cats");
    assert_eq!(connectors[0]["enabled"], false);
}

#[tokio::test]
async fn wherever_it_is_interrupted_the_same_command_goes_on() {
    for count in 0..OKTA.len() {
        let world = person(&OKTA[..count]).await;
        let ran = world.run("setup").await;
        assert_eq!(ran.code, 3, "{count}\n{}", ran.screen);
        let is_written = !world.writes().is_empty();
        assert_eq!(is_written, count > 7, "{count}: {:?}", world.writes());
        // The defaults are what exists by now.
        let rest: &[&str] = match count {
            0..8 => &OKTA,
            8 => &["", "", "now", "", "y", "cool.cats"],
            _ => &["", "", "now", "", "cool.cats"],
        };
        let world = world.with_person(&typed(rest));
        let ran = world.run("setup").await;
        assert_eq!(ran.code, 0, "{count}\n{}", ran.screen);
        let connectors = world.connectors().await;
        assert_eq!((connectors.len(), &connectors[0]["enabled"]), (1, &true.into()), "{count}");
        assert_eq!(idps(&world).await.len(), 3, "{count}");
    }
}

#[tokio::test]
async fn a_zone_elsewhere_is_published_by_hand() {
    let world = person(&["cool.dogs", "y", "1", "no", ""]).await;
    let ran = world.run("setup --timeout 1m").await;
    assert_eq!(ran.code, 8, "{}", ran.screen);
    assert!(ran.screen.contains("to be published by hand"), "{}", ran.screen);
    assert!(ran.screen.contains("cool.dogs. 300 IN TXT"), "{}", ran.screen);
}

#[tokio::test]
async fn what_exists_is_not_asked_for() {
    let world = World::new().await.verified().await.with_person(&typed(&[
        "1",
        "now",
        "",
        "n",
        "cool.cats",
    ]));
    let ran = world.ok("setup cool.cats").await;
    assert!(!ran.screen.contains("Publish"), "{}", ran.screen);
    assert!(ran.screen.contains("exists, verified"), "{}", ran.screen);
    let ran = world.with_person("").ok("setup cool.cats").await;
    assert!(ran.screen.contains("Nothing to do"), "{}", ran.screen);
}

#[tokio::test]
async fn a_file_answers_where_there_is_no_terminal() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display().to_string();
    let full = "domain: cool.cats\nidp: okta\nidp.okta_account: https://cats.okta.com\n\
                idp.client_id: 0oa1\nidp.client_secret_env: SECRET\npublish: yes\nenable: now\n\
                apply: yes\nrepair.fallback-login: yes\n";
    std::fs::write(file.path(), full).unwrap();
    let world = World::new().await.with_env("SECRET", SECRET);
    let planned = world.ok(&format!("setup --answers {path} --dry-run -o json")).await.json();
    let titles = planned["changes"].as_array().unwrap().iter().map(|change| &change["title"]);
    assert_eq!(
        titles.collect::<Vec<_>>(),
        [
            "create the identity provider Okta",
            "create the connector of cool.cats",
            "publish the TXT record of cool.cats",
            "start the verification of cool.cats",
            "enable SSO for cool.cats",
        ]
    );
    assert_eq!(world.writes(), [""; 0]);
    let ran = world.ok(&format!("setup --answers {path} --confirm cool.cats")).await;
    assert!(ran.stdout.contains("SSO is enforced"), "{}", ran.screen);
    assert_eq!(idps(&world).await.len(), 3);
    for (text, says) in [
        (full.replace("idp.client_id: 0oa1\n", ""), "no answer `idp.client_id`"),
        (
            full.replace("_env: SECRET", &format!(": {SECRET}")),
            "`idp.client_secret_env` or `idp.client_secret_file`",
        ),
        (full.replace("_env: SECRET", "_env: NOWHERE"), "NOWHERE is not set"),
        (full.replace("publish: yes", "publsh: yes"), "`publsh`"),
        (full.replace("fallback-login", "fallback-logn"), "`repair.fallback-login`"),
        (full.replace("fallback-login", "login-seen"), "`repair.login-seen`"),
        (full.replace("enable: now", "enable: later"), "expected `trial`, `now`, `no`"),
        (full.replace("cool.cats", "gmail.com"), "mail provider"),
        (full.replace("https://cats.okta.com", "nowhere"), "idp.okta_account"),
        ("- domain".to_owned(), "not a file of answers"),
        (full.replace("apply: yes\n", ""), "`apply: yes`"),
        (String::new(), "no answer `apply`"),
    ] {
        std::fs::write(file.path(), &text).unwrap();
        let world = World::new().await.with_env("SECRET", SECRET);
        let ran = world.run(&format!("setup --answers {path} --confirm cool.cats")).await;
        assert_eq!(ran.code, 2, "{text}\n{}", ran.screen);
        assert!(ran.stderr.contains(says), "{says}\n{}", ran.stderr);
        assert!(!ran.stderr.contains(SECRET), "{}", ran.stderr);
        assert_eq!(world.writes(), [""; 0]);
    }
}

#[tokio::test]
async fn a_file_of_answers_can_run_again_whatever_is_done_already() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = format!("setup --answers {} --confirm cool.cats", file.path().display());
    let answers = |enable: &str| {
        format!(
            "domain: cool.cats\nidp: okta\nidp.okta_account: https://cats.okta.com\n\
             idp.client_id: 0oa1\nidp.client_secret_env: SECRET\npublish: yes\n\
             enable: {enable}\napply: yes\nrepair.fallback-login: yes\n"
        )
    };
    let world = World::new().await.with_env("SECRET", SECRET);
    for (enable, is_enabled, says) in [
        ("no", false, "not repaired, since SSO is not enabled: repair.fallback-login"),
        ("no", false, "the identity provider Okta exists"),
        ("now", true, "the identity provider Okta exists"),
        ("now", true, "the other answers are not used"),
    ] {
        std::fs::write(file.path(), answers(enable)).unwrap();
        let ran = world.ok(&line).await;
        assert!(ran.stderr.contains(says), "{says}\n{}", ran.screen);
        let idps = idps(&world).await;
        assert_eq!(idps.iter().filter(|(name, _)| name.starts_with("Okta")).count(), 1);
        assert_eq!(world.connectors().await[0]["enabled"], is_enabled);
    }
}

#[tokio::test]
async fn a_file_uses_the_identity_provider_that_exists_only_as_it_says_and_allows_it() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let line = format!("setup --answers {} --confirm cool.cats", file.path().display());
    let answers = "domain: cool.cats\nidp: okta\nidp.okta_account: https://cats.okta.com\n\
                   idp.client_id: 0oa1\nidp.client_secret_env: SECRET\npublish: yes\n\
                   enable: now\napply: yes\n";
    for (account, client, code) in [("cats", "0oa1", 0), ("dogs", "0oa1", 7), ("cats", "0oa2", 7)] {
        let world = World::new().await.with_env("SECRET", SECRET);
        world.ok("create cool.cats --no-verification").await;
        world.ok("app idps --only oidc --yes").await;
        let options = format!("--okta-account https://{account}.okta.com --client-id {client}");
        world
            .ok(&format!("idp create okta --name Okta {options} --client-secret-env SECRET"))
            .await;
        let before = world.writes().len();
        std::fs::write(file.path(), answers).unwrap();
        let ran = world.run(&line).await;
        assert_eq!(ran.code, code, "{}", ran.screen);
        if code == 7 {
            assert!(ran.stderr.contains("`idp: use Okta`"), "{}", ran.screen);
            assert_eq!(world.writes().len(), before, "{}", ran.screen);
            std::fs::write(file.path(), answers.replace("idp: okta", "idp: use Okta")).unwrap();
            let extra = ["idp.okta_account", "idp.client_id", "idp.client_secret"];
            let text = std::fs::read_to_string(file.path()).unwrap();
            let kept = text.lines().filter(|line| !extra.iter().any(|key| line.starts_with(key)));
            std::fs::write(file.path(), kept.collect::<Vec<_>>().join("\n")).unwrap();
            world.ok(&line).await;
        }
        let idps = world.ok("idp list -o json").await.json();
        let okta = idps.as_array().unwrap().iter().find(|idp| idp["name"] == "Okta").unwrap();
        let app = world.ok("app get -o json").await.json();
        let allowed = app["allowed_idps"].as_array().unwrap();
        assert!(allowed.contains(&okta["id"]), "{app}");
    }
}

#[tokio::test]
async fn a_file_changes_only_what_it_says_and_not_before_the_confirmation_is_right() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let path = file.path().display();
    std::fs::write(file.path(), "domain: cool.cats\napply: yes\n").unwrap();
    let world = World::new().await;
    let ran = world.run(&format!("setup --answers {path} --yes --no-wait")).await;
    assert_eq!(ran.code, 8, "{}", ran.screen);
    assert_eq!(world.writes().len(), 1, "{:?}", world.writes());
    let all = "domain: cool.cats\npublish: yes\nenable: now\napply: yes\n";
    std::fs::write(file.path(), all).unwrap();
    for confirmation in ["", "--confirm cool.dogs"] {
        let world = World::new().await;
        let ran = world.run(&format!("setup --answers {path} {confirmation}")).await;
        assert_eq!(ran.code, 3, "{}", ran.screen);
        assert_eq!(world.writes(), [""; 0], "{confirmation}");
    }
}

#[tokio::test]
async fn a_wrong_token_or_command_is_asked_again_with_what_is_wrong() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("cfsso/config.toml");
    let world = World::new().await;
    let token = world.sandbox.token(Access::Full).to_owned();
    let print = format!("echo {token}");
    let answers = [
        &format!("\"{token}\""),
        "cfut_wrong",
        &token,
        "3", // keep it: a command
        "work",
        "/nowhere/at/all",
        "3",
        "work",
        &print,
        "cool.cats",
        "1",
        "y",
        "no",
        "",
    ];
    let world = world
        .with_env("CLOUDFLARE_API_TOKEN", "")
        .with_env("CFSSO_CONFIG", config.to_str().unwrap())
        .with_person(&typed(&answers));
    let ran = world.ok("setup").await;
    for says in [
        "is in quotes",
        "the API does not accept this token",
        "cannot run the token command",
        "cfsso connector enable cool.cats --profile work",
    ] {
        assert!(ran.screen.contains(says), "{says}\n{}", ran.screen);
    }
    let ran = world.run("connector list").await;
    assert!(ran.stderr.contains("`--profile <NAME>`: work"), "{}", ran.screen);
}

#[tokio::test]
async fn q_leaves_at_a_hidden_question_too() {
    let world = person(&["", "okta", "https://cats.okta.com", "0oa1", "q"]).await;
    let ran = world.run("setup").await;
    assert_eq!(ran.code, 3, "{}", ran.screen);
    assert_eq!(world.writes(), [""; 0]);
}

#[tokio::test]
async fn a_token_is_asked_for_checked_and_kept_only_where_wanted() {
    let home = tempfile::tempdir().unwrap();
    let config = home.path().join("cfsso/config.toml");
    let rest = ["cool.cats", "1", "y", "no", ""];
    for (keep, kept) in [("1", false), ("2", true)] {
        let world = World::new().await;
        let token = world.sandbox.token(Access::Full).to_owned();
        let profile: &[&str] = if kept { &[""] } else { &[] };
        let answers: Vec<&str> = ["cfut_wrong", &token, keep]
            .into_iter()
            .chain(profile.iter().copied())
            .chain(rest)
            .collect();
        let world = world
            .with_env("CLOUDFLARE_API_TOKEN", "")
            .with_env("CFSSO_CONFIG", config.to_str().unwrap())
            .with_person(&typed(&answers));
        let ran = world.ok("setup").await;
        assert!(!ran.screen.contains(&token), "{}", ran.screen);
        assert_eq!(config.exists(), kept, "{}", ran.screen);
        if kept {
            let text = std::fs::read_to_string(&config).unwrap();
            assert!(text.starts_with("[profiles.default]\naccount = "), "{text}");
            assert!(!text.contains(&token), "{text}");
            world.ok("whoami").await;
        }
    }
}

#[tokio::test]
async fn a_token_without_a_permission_is_said_before_it_is_used() {
    let world = World::new().await;
    let token = world.sandbox.token(Access::ReadOnly).to_owned();
    let answers = [&*token, "n", "q"];
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "").with_person(&typed(&answers));
    let ran = world.run("setup").await;
    assert_eq!(ran.code, 3, "{}", ran.screen);
    assert_eq!(world.writes(), [""; 0]);
}

#[tokio::test]
async fn an_identity_provider_is_created_by_questions() {
    let world = person(&["okta", "https://cats.okta.com", "0oa1", SECRET, "y"]).await;
    let ran = world.ok("idp create").await;
    assert!(ran.screen.contains("Sign-in redirect URIs"), "{}", ran.screen);
    assert!(ran.screen.contains("idp create okta --name Okta"), "{}", ran.screen);
    assert_eq!(idps(&world).await[1].0, "Okta");
    // The name is taken now.
    let world =
        world.with_person(&typed(&["Okta", "", "https://cats.okta.com", "0oa1", SECRET, "y"]));
    world.ok("idp create okta").await;
    assert_eq!(idps(&world).await[2].0, "Okta 2");
    let ran = run("idp create", &BTreeMap::new(), Terminal::default(), "", &world.clock).await;
    assert_eq!(ran.code, 2, "{}", ran.screen);
}

#[tokio::test]
async fn an_account_is_chosen_among_those_that_the_token_sees() {
    let world = World::new().await.with_env("CLOUDFLARE_ACCOUNT_ID", "");
    let answers = ["Cool Cats", "cool.dogs", "y", "back", "back", "cool.cats", "1", "y", "no", "y"];
    let world = world.with_person(&typed(&answers));
    let ran = world.ok("setup").await;
    assert!(ran.screen.contains("Account:"), "{}", ran.screen);
    let line = format!("setup cool.cats --publish-txt --account {}", world.sandbox.account());
    assert_eq!(without_questions(&ran), [line]);
    assert_eq!(world.connectors().await[0]["verification"]["status"], "verified");
}

#[tokio::test]
async fn what_a_command_line_lacks_is_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("emergency.token").display().to_string();
    for (line, answers, done) in [
        ("connector create", &["cool", "cool.cats"][..], "POST /sso_connectors"),
        ("token create-break-glass", &[&*file], "POST /tokens"),
        ("idp update oidc", &["name", "Staff", "Company SSO"], "PUT /access/identity_providers"),
        ("federation share --no-wait", &["1", "1"], "POST /shares"),
        ("team rename --dry-run", &["not a name", "cooler-cats"], ""),
    ] {
        let world = person(answers).await;
        let ran = world.run(line).await;
        assert_eq!(ran.code, 0, "{line}\n{}", ran.screen);
        let writes = world.writes();
        assert_eq!(writes.is_empty(), done.is_empty(), "{line}: {writes:?}");
        assert!(writes.join("\n").contains(done), "{line}: {writes:?}");
        // Without a terminal, what is missing is an error, and nothing is sent.
        if line != "token create-break-glass" {
            let world = World::new().await;
            let ran = world.run(line).await;
            assert_eq!(ran.code, 2, "{line}\n{}", ran.screen);
            assert_eq!(world.writes(), [""; 0], "{line}");
        }
    }
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("cfat_"));
}

#[tokio::test]
async fn an_option_of_the_steps_asks_no_questions() {
    for line in ["setup cool.cats --no-wait", "setup cool.cats --accept-risk login-seen --no-wait"]
    {
        let ran = person(&[]).await.run(line).await;
        assert!(!ran.screen.contains("Identity provider:"), "{line}\n{}", ran.screen);
    }
    let ran = person(&[]).await.run("setup cool.cats --trial").await;
    assert_eq!(ran.code, 2, "{}", ran.screen);
}

#[tokio::test]
async fn a_new_identity_provider_is_allowed_where_the_sso_app_lists_its_own() {
    let world = World::new().await.verified().await;
    world.ok("app idps --only oidc --yes").await;
    let answers = ["okta", "https://cats.okta.com", "0oa1", SECRET, "no", "y"];
    let world = world.with_person(&typed(&answers));
    let ran = world.ok("setup cool.cats").await;
    assert!(ran.screen.contains("allow Okta in the SSO App"), "{}", ran.screen);
    assert!(without_questions(&ran).contains(&"app idps --add Okta".to_owned()), "{}", ran.screen);
    let allowed = world.ok("app idps -o json").await.json();
    let names = allowed["idps"].as_array().unwrap().iter().map(|idp| idp["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["Company SSO", "Okta"]);
}

#[tokio::test]
async fn what_is_published_is_fetched_once_however_often_the_user_goes_back() {
    let world = World::new().await;
    let origin = world.sandbox.base_url().trim_end_matches("/client/v4").to_owned();
    let issuer = format!("{origin}/oidc/cats");
    let answers =
        ["cool.cats", "oidc", &issuer, "c", SECRET, "y", "back", "y", "no", "back", "no", "y"];
    let world = world.with_person(&typed(&answers));
    let ran = world.ok("setup").await;
    assert_eq!(ran.screen.matches("discovery document of").count(), 1, "{}", ran.screen);
    let fetched = world.requests();
    let document = "GET /oidc/cats/.well-known/openid-configuration";
    assert_eq!(fetched.iter().filter(|request| *request == document).count(), 1, "{fetched:?}");
}

#[tokio::test]
async fn each_permission_is_tested_in_the_account_that_was_chosen() {
    let world = World::new().await;
    let token = world.sandbox.token(Access::ConnectorOnly).to_owned();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", "").with_env("CLOUDFLARE_ACCOUNT_ID", "");
    let account = world.sandbox.account().to_string();
    let world = world.with_person(&typed(&[&token, "cool", &account, "n", "q"]));
    let ran = world.run("setup").await;
    assert_eq!(ran.code, 3, "{}", ran.screen);
    assert!(ran.screen.contains("`cool` is not a valid account ID"), "{}", ran.screen);
    assert!(ran.screen.contains("Go on without these permissions?"), "{}", ran.screen);
    assert!(ran.screen.contains("SSO connectors"), "{}", ran.screen);
    assert_eq!(world.writes(), [""; 0]);
}

#[tokio::test]
async fn problems_of_the_sso_app_are_repaired_one_by_one() {
    let world = World::new().await.verified().await;
    world.ok("idp create onetimepin").await;
    world.ok("app instant-auth on --only oidc --yes").await;
    let world = world.with_person(&typed(&["use Company SSO", "now", "y", "y", "cool.cats"]));
    let ran = world.ok("setup cool.cats").await;
    assert!(
        ran.screen.contains("Allow one-time PIN in the SSO App as a fallback?"),
        "{}",
        ran.screen
    );
    assert_eq!(world.connectors().await[0]["enabled"], true);
    let allowed = world.ok("app idps -o json").await.json();
    assert_eq!(allowed["idps"].as_array().unwrap().len(), 2, "{allowed}");
}

#[tokio::test]
async fn a_token_that_ends_soon_has_an_emergency_token_offered() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("soon.token");
    let world = World::new().await.verified().await;
    let create = "token create-break-glass --with-access --expires 10d --output-file";
    world.ok(&format!("{create} {}", file.display())).await;
    let token = std::fs::read_to_string(&file).unwrap();
    let world = world.with_env("CLOUDFLARE_API_TOKEN", token.trim()).with_person(&typed(&[
        "1",
        "now",
        "y",
        "n",
        "y",
        "cool.cats",
    ]));
    let ran = world.ok("setup cool.cats").await;
    assert!(ran.screen.contains("Create an emergency token? [Y/n]"), "{}", ran.screen);
    assert_eq!(world.writes().iter().filter(|write| write.contains("/tokens")).count(), 1);
    // This token cannot create one: the set-up stops, and says which permission it lacks.
    let world = world.with_person("cool.cats\n");
    world.ok("disable cool.cats").await;
    let new = folder.path().join("new.token").display().to_string();
    let world = world.with_person(&typed(&["1", "now", "y", "y", &new]));
    let ran = world.run("setup cool.cats").await;
    assert_eq!(ran.code, 5, "{}", ran.screen);
    assert!(!std::path::Path::new(&new).exists());
    assert_eq!(world.connectors().await[0]["enabled"], false);
}
