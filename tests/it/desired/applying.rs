//! Scenes of `cfsso apply`.

use std::fmt::Write as _;
use std::time::Duration;

use cfsso::sandbox::{Access, Fault, FaultTiming, SignInAttempt};
use serde_json::{Value, json};

use super::File;
use crate::harness::{Scene, World};
use crate::sandbox::client::ask;
use crate::schema::assert_conforms;

/// Everything that a file can name, for two domains.
const WHOLE: &str = "\
version: 1
identity_providers:
  - name: Company SSO
    type: oidc
    config:
      email_claim_name: mail
  - name: PIN
    type: onetimepin
sso_app:
  allowed_idps: [Company SSO, PIN]
connectors:
  - domain: a.cool.cats
    enabled: true
    fedramp: true
  - domain: b.cool.cats
    enabled: true
federation:
  - idp: Company SSO
    accounts: [c001ca75000000000000000000000003]
";

/// What is left of [`WHOLE`] with `--prune`.
const LESS: &str = "\
version: 1
identity_providers: [{ name: Company SSO, type: oidc }]
sso_app: { allowed_idps: [Company SSO] }
connectors: [{ domain: a.cool.cats, enabled: false }, { domain: b.cool.cats }]
federation: []
";

/// A file that enables SSO for `d1` to `dN` below `cool.cats`.
fn domains(count: usize) -> File {
    let mut text = "version: 1\nconnectors:\n".to_owned();
    for number in 1..=count {
        let _ = writeln!(text, "  - {{ domain: d{number}.cool.cats, enabled: true }}");
    }
    File::new(&text)
}

/// What two runs that end alike have in common.
async fn state(world: &World) -> (String, usize) {
    let exported = world.ok("export").await.stdout;
    let exported = exported.replace(&world.sandbox.origin(), "ORIGIN");
    let shares = world.ok("share list -o name").await.stdout.lines().count();
    (exported, world.codes("cool.cats").await.len() + shares)
}

async fn report(world: &World, line: &str, code: u8) -> Value {
    let ran = world.run(&format!("{line} -o json")).await;
    assert_eq!(ran.code, code, "{line}\n{ran:?}");
    let report = ran.json();
    assert_conforms(&world.ok("schema apply").await.json(), &report);
    assert_eq!(report["ok"], code == 0, "{report:#}");
    report
}

fn domain<'a>(report: &'a Value, name: &str) -> &'a Value {
    let domains = report["domains"].as_array().unwrap();
    domains.iter().find(|domain| domain["domain"] == name).unwrap()
}

#[tokio::test]
async fn forty_domains_go_from_nothing_to_enforced_in_one_run() {
    let world = World::new().await;
    let file = domains(40);
    let report = report(&world, &file.line("apply", "--confirm 120"), 0).await;
    assert_eq!(report["changes"].as_array().unwrap().len(), 120);
    let rows = report["domains"].as_array().unwrap();
    assert_eq!(rows.len(), 40);
    assert!(rows.iter().all(|row| row["enabled"] == true && row["state"] == "done"), "{rows:#?}");
    let connectors = world.connectors().await;
    assert_eq!(connectors.iter().filter(|it| it["enabled"] == true).count(), 40);
    assert_eq!(world.codes("cool.cats").await.len(), 40);
    // The account is read once for all, not once for each domain.
    let reads = world.requests().iter().filter(|it| it.starts_with("GET /access/apps")).count();
    assert!(reads < 10, "{reads}");

    let writes = world.writes();
    let ran = world.ok(&file.line("apply", "")).await;
    assert_eq!(ran.stdout, "No changes: the account is as desired.\n");
    assert_eq!(world.writes(), writes);
    let entries = world.ok("journal list -o json").await.json();
    let entries = entries.as_array().unwrap().len();
    assert!(entries >= 160, "each write is in the journal: {entries}");
}

#[tokio::test]
async fn a_run_ends_with_a_table_of_the_domains() {
    let world = World::new().await.with_person("2\n6\n");
    let ran = world.ok(&domains(2).line("apply", "")).await;
    let (shown, question) = ran.screen.split_once("Type 6 to make 6 changes: ").unwrap();
    let account = format!("Account: {}\n\nConnectors\n", world.sandbox.account());
    assert!(shown.contains(&account), "{shown}");
    assert!(question.contains("expected `6`, got `2`"), "{question}");
    let end = "\
DOMAIN        VERIFICATION  SSO      RESULT
d1.cool.cats  verified      enabled  done
d2.cool.cats  verified      enabled  done

6 of 6 changes made.
";
    assert!(ran.stdout.ends_with(end), "{}", ran.stdout);
}

#[tokio::test]
async fn an_account_given_by_name_is_shown_with_its_name() {
    let world = World::new().await.with_env("CLOUDFLARE_ACCOUNT_ID", "");
    let id = &world.sandbox.accounts()[4];
    let ran = world.ok(&domains(1).line("plan", "--account dogs")).await;
    assert!(ran.stdout.starts_with(&format!("Account: Dogs ({id})\n")), "{ran:?}");
    let ran = world.ok(&domains(1).line("plan", &format!("--account {id}"))).await;
    assert!(ran.stdout.starts_with(&format!("Account: {id}\n")), "{ran:?}");
}

#[tokio::test]
async fn a_confirmation_is_the_number_of_changes() {
    let world = World::new().await;
    let file = domains(1);
    let error = world.fails(&file.line("apply", ""), 3).await;
    assert_eq!(error["hint"], "`--confirm 3`");
    world.fails(&file.line("apply", "--confirm 4"), 3).await;
    assert!(world.writes().is_empty());
    world.ok(&file.line("apply", "--confirm 3")).await;
}

#[tokio::test]
async fn a_run_that_is_killed_anywhere_is_taken_up_by_the_next() {
    assert_is_taken_up(&World::new().await.scene(), &File::new(WHOLE), "", 30).await;
}

#[tokio::test]
async fn so_is_one_that_deletes() {
    let world = World::new().await;
    world.ok(&File::new(WHOLE).line("apply", "--yes")).await;
    assert_is_taken_up(&world.scene(), &File::new(LESS), "--prune", 15).await;
}

/// Ends a run after each number of requests, and looks where the next one ends.
async fn assert_is_taken_up(start: &Scene, file: &File, more: &str, at_least: usize) {
    let line = file.line("apply", &format!("{more} --yes -o json"));
    let whole = start.world().await;
    report(&whole, &file.line("apply", &format!("{more} --yes")), 0).await;
    let expected = state(&whole).await;
    for requests in 1.. {
        let world = start.world().await;
        let wanted = world.requests().len() + requests;
        let reached = async {
            while world.requests().len() < wanted {
                tokio::task::yield_now().await;
            }
        };
        let is_killed = tokio::select! {
            biased;
            _ = world.run(&line) => false,
            () = reached => true,
        };
        world.ok(&line).await;
        assert_eq!(state(&world).await, expected, "killed at {requests}");
        if !is_killed {
            assert!(requests > at_least, "{requests}");
            return;
        }
    }
}

#[tokio::test]
async fn a_run_whose_write_is_not_answered_is_taken_up_by_the_next() {
    let file = File::new(WHOLE);
    let line = file.line("apply", "--yes -o json");
    let whole = World::new().await;
    let (_, requests) = whole.requests_of(&line).await;
    let expected = state(&whole).await;
    let start = World::new().await.scene();
    let writes = (1..).zip(&requests).filter(|(_, request)| !request.starts_with("GET"));
    for (nth, _) in writes {
        let world = start.world().await;
        world.sandbox.inject(Fault::cut(nth, FaultTiming::After));
        let ran = world.run(&format!("{line} --max-retries 0")).await;
        assert!(matches!(ran.code, 0 | 9 | 12), "cut at {nth}: {ran:?}");
        let again = world.run(&line).await;
        assert_eq!(again.code, 0, "cut at {nth}: {again:?}");
        assert_eq!(state(&world).await, expected, "cut at {nth}");
    }
}

#[tokio::test]
async fn a_domain_that_fails_is_left_and_the_others_go_on() {
    let world = World::new().await;
    world.fault("verification-failsx4");
    let file = domains(3);
    let ran = world.run(&file.line("apply", "--yes --timeout 3d -o json")).await;
    assert_eq!(ran.code, 12, "{ran:?}");
    let report = ran.json();
    let rows = report["domains"].as_array().unwrap();
    let enabled = rows.iter().filter(|row| row["enabled"] == true).count();
    assert!((1..3).contains(&enabled), "{report:#}");
    let error = ran.error();
    assert_eq!(
        error["hint"].as_str().unwrap().lines().next().unwrap(),
        format!("`{}` resumes", report["next"].as_str().unwrap())
    );
    self::report(&world, &file.line("apply", "--yes"), 0).await;
}

#[tokio::test]
async fn a_record_that_nobody_published_is_shown_in_three_forms_and_others_are_enforced() {
    let world = World::new().await;
    let file = File::new(
        "version: 1\nconnectors:\n  - { domain: cool.cats, enabled: true }\n  - { domain: dogs.example, enabled: true }\n",
    );
    let ran = world.run(&file.line("apply", "--yes --timeout 5m")).await;
    assert_eq!(ran.code, 8, "{ran:?}");
    for part in [
        "dogs.example: no zone for dogs.example in this account",
        "dogs.example. 300 IN TXT \"cloudflare_dashboard_sso=",
        "resource \"cloudflare_dns_record\" \"sso_dogs_example\" {",
        "aws route53 change-resource-record-sets",
        "2 of 6 changes left",
    ] {
        assert!(ran.screen.contains(part), "{part}\n{}", ran.screen);
    }
    let report = report(&world, &file.line("apply", "--yes --timeout 5m"), 8).await;
    assert_eq!(world.connectors().await.iter().filter(|it| it["enabled"] == true).count(), 1);
    let dogs = domain(&report, "dogs.example");
    assert_eq!((&dogs["state"], &dogs["enabled"]), (&json!("pending"), &json!(false)));
    assert_eq!(dogs["txt_record"]["name"], "dogs.example");
}

#[tokio::test]
async fn a_failed_check_blocks_one_domain_until_its_risk_is_accepted() {
    let world = World::new().await.verified().await;
    let apps = format!("/accounts/{}/access/apps", world.sandbox.account());
    let all = world.ask(&format!("GET {apps}")).await;
    let app = all.as_array().unwrap().iter().find(|app| app["type"] == "dash_sso").unwrap();
    let policies = format!("{apps}/{}/policies", app["id"].as_str().unwrap());
    let mut policy = world.ask(&format!("GET {policies}")).await[0].clone();
    policy["include"] = json!([{ "email_domain": { "domain": "dogs.test" } }]);
    let request = format!("PUT {policies}/{}", policy["id"].as_str().unwrap());
    ask(&world.sandbox, Access::Full, &request, Some(policy)).await.result();
    let file = File::new(
        "version: 1\nconnectors:\n  - { domain: cool.cats, enabled: true }\n  \
         - { domain: d1.cool.cats, enabled: true }\n",
    );
    let refused = report(&world, &file.line("apply", "--yes"), 12).await;
    let [cats, other] = ["cool.cats", "d1.cool.cats"].map(|name| domain(&refused, name));
    assert_eq!((&cats["state"], &cats["enabled"]), (&json!("blocked"), &json!(false)), "{cats:#}");
    assert_eq!(other["enabled"], true, "{other:#}");
    let failed = cats["checks"].as_array().unwrap().iter().find(|check| check["state"] == "failed");
    assert!(failed.is_some(), "{cats:#}");
    report(&world, &file.line("apply", "--yes --accept-risk policy-allows-domain"), 0).await;
}

#[tokio::test]
async fn nobody_is_enforced_after_the_identity_providers_failed() {
    let world = World::new().await;
    world.fault("500x*@POST/access/identity_providers");
    let file = File::new(WHOLE);
    report(&world, &file.line("apply", "--yes"), 12).await;
    let connectors = world.connectors().await;
    assert_eq!(connectors.len(), 2);
    assert!(connectors.iter().all(|it| it["enabled"] == false), "{connectors:#?}");
}

#[tokio::test]
async fn a_kept_plan_is_refused_once_the_account_changed() {
    let world = World::new().await;
    let file = domains(2);
    let kept = file.path().with_extension("plan");
    world.ok(&file.line("plan", &format!("--out {}", kept.display()))).await;
    world.ok("create partial.cats --no-verification").await;
    let writes = world.writes();
    let line = format!("apply {} --yes", kept.display());
    let error = world.fails(&line, 7).await;
    assert_eq!(error["message"], "the account changed since the plan was made; nothing was sent");
    assert_eq!(world.writes(), writes);
    world.ok(&file.line("plan", &format!("--out {}", kept.display()))).await;
    report(&world, &line, 0).await;
    let other = "--account c001ca75000000000000000000000002";
    world.fails(&format!("{line} {other}"), 7).await;
    let error = world.fails(&format!("apply {} --yes", file.path().display()), 2).await;
    assert!(error["message"].as_str().unwrap().ends_with("is not a kept plan"), "{error}");
}

#[tokio::test]
async fn a_trial_is_one_of_each_domain() {
    let world = World::new().await;
    let person =
        SignInAttempt { email: "ada@d1.cool.cats".to_owned(), idp: None, is_password_wrong: false };
    world.sandbox.plan_sign_in(Duration::from_mins(1), person);
    let report = report(&world, &domains(2).line("apply", "--trial 2m --yes"), 8).await;
    let enabled: Vec<_> = ["d1.cool.cats", "d2.cool.cats"]
        .map(|name| domain(&report, name)["enabled"].clone())
        .into();
    assert_eq!(enabled, [json!(true), json!(false)], "{report:#}");
}

#[tokio::test]
async fn secrets_are_read_from_their_places_and_shown_nowhere() {
    let secret = "planted-s3cret-0123456789-planted";
    let file = File::new(
        "version: 1\nidentity_providers:\n  - name: Okta\n    type: okta\n    client_secret_env: OKTA\n    config: { client_id: a, okta_account: https://cats.okta.com }\n",
    );
    let world = World::new().await;
    let plan = world.ok(&file.line("plan", "")).await;
    assert!(plan.stderr.contains("`OKTA` is not set; `apply` needs it for Okta"), "{plan:?}");
    let error = world.fails(&file.line("apply", "--yes"), 2).await;
    assert_eq!(error["message"], "the environment variable `OKTA` is not set");
    assert!(world.writes().is_empty());
    let world = world.with_env("OKTA", secret);
    let ran = world.ok(&file.line("apply", "--yes --debug")).await;
    assert!(!ran.screen.contains("planted"), "{}", ran.screen);
    assert!(world.sandbox.snapshot().contains(secret));
    let journal = world.ok("journal list -o json").await.stdout;
    assert!(!journal.contains("planted"), "{journal}");
    // The secret is not compared: the API never returns it.
    assert_eq!(world.run(&file.line("plan", "--detailed-exitcode")).await.code, 0);
}

#[tokio::test]
async fn what_is_pruned_is_deleted_last() {
    let world = World::new().await;
    report(&world, &File::new(WHOLE).line("apply", "--yes"), 0).await;
    world.ok("create partial.cats --no-verification").await;
    let file = File::new(
        "version: 1\nconnectors:\n  - { domain: a.cool.cats, enabled: false }\n  - { domain: b.cool.cats, enabled: true }\nidentity_providers:\n  - { name: Company SSO, type: oidc }\nsso_app:\n  allowed_idps: all\n",
    );
    let report = report(&world, &file.line("apply", "--prune --yes"), 0).await;
    let titles: Vec<_> =
        report["changes"].as_array().unwrap().iter().map(|it| it["title"].clone()).collect();
    assert_eq!(
        titles,
        [
            "disable SSO for a.cool.cats",
            "change the SSO App",
            "delete the connector of partial.cats",
            "delete the identity provider PIN",
        ]
    );
    let names: Vec<_> = world
        .connectors()
        .await
        .iter()
        .map(|it| (it["email_domain"].clone(), it["enabled"].clone()))
        .collect();
    assert_eq!(names.len(), 2, "{names:?}");
}

#[tokio::test]
async fn what_is_shared_is_as_the_file_says() {
    let small = "c001ca75000000000000000000000003";
    let big = "c001ca75000000000000000000000004";
    let shared = |accounts: &str| {
        let entry = format!("  - {{ idp: Company SSO, accounts: {accounts} }}\n");
        File::new(&format!("version: 1\nfederation:\n{entry}"))
    };
    let none = File::new("version: 1\nfederation: []\n");
    let world = World::new().await;
    for (file, more, expected) in [
        (
            shared(&format!("[{small}, {big}]")),
            "",
            vec!["share Company SSO with Small Cats, Big Cats"],
        ),
        // Without `--prune`, no recipient is removed.
        (shared(&format!("[{big}]")), "", vec![]),
        (none, "", vec![]),
        (shared(&format!("[{big}]")), "--prune", vec!["stop sharing Company SSO with Small Cats"]),
        (shared("all"), "", vec!["share Company SSO with the whole organization"]),
        (shared("all"), "--prune", vec![]),
        (File::new("version: 1\nfederation: []\n"), "--prune", vec!["stop sharing Company SSO"]),
    ] {
        let plan = world.ok(&file.line("plan", more)).await.stdout;
        let account = format!("Account: Cool Cats ({})\n", world.sandbox.account());
        assert_eq!(plan.starts_with(&account), !expected.is_empty(), "{plan}");
        let report = report(&world, &file.line("apply", &format!("{more} --yes")), 0).await;
        let changes = report["changes"].as_array().unwrap().iter();
        let titles: Vec<_> = changes.map(|it| it["title"].as_str().unwrap()).collect();
        let names = titles.iter().map(|title| {
            title.replace(&format!(" ({small})"), "").replace(&format!(" ({big})"), "")
        });
        let titles: Vec<_> = names.collect();
        assert_eq!(titles, expected, "{more}");
    }
    assert_eq!(world.ok("federation list -o json").await.json(), json!([]));
    // A share with all cannot become one with some.
    world.ok(&shared("all").line("apply", "--yes")).await;
    world.fails(&shared(&format!("[{small}]")).line("apply", "--prune --yes"), 11).await;
}

#[tokio::test]
async fn what_another_client_created_is_not_created_again() {
    let file = File::new(WHOLE);
    let world = World::new().await;
    let scene = world.scene();
    // Both read, then both write.
    let line = file.line("apply", "--yes -o json");
    let (first, second) = tokio::join!(world.run(&line), world.run(&line));
    for ran in [&first, &second] {
        assert!([0, 7, 12].contains(&ran.code), "{ran:?}");
    }
    world.ok(&line).await;
    let idps = world.ok("idp list -o name").await.stdout;
    assert_eq!(idps.lines().filter(|name| *name == "PIN").count(), 1, "{idps}");
    let alone = scene.world().await;
    alone.ok(&line).await;
    assert_eq!(state(&world).await, state(&alone).await);
}

#[tokio::test]
async fn a_failure_before_any_change_is_the_failure_of_the_run() {
    let world = World::new().await.with_token(Access::ReadOnly);
    let error = world.fails(&domains(2).line("apply", "--yes"), 5).await;
    assert!(!error["required_permission"].is_null(), "{error}");
    // A domain that another account enforces is one of several.
    let world = World::new().await;
    let file = File::new("version: 1\nconnectors: [{ domain: both.cats, enabled: true }]\n");
    report(&world, &file.line("apply", "--yes"), 12).await;
    report(&world, &file.line("apply", "--yes"), 12).await;
}

#[tokio::test]
async fn what_resumes_is_the_whole_command_in_the_same_place() {
    let world = World::new().await;
    let file = domains(1);
    let report = report(&world, &file.line("apply", "--yes --trial 2m"), 8).await;
    let next = report["next"].as_str().unwrap();
    assert!(next.ends_with("--yes --trial 2m -o json"), "{next}");
    let plan = world.ok(&file.line("plan", "--account dogs")).await;
    let next = plan.stdout.lines().last().unwrap();
    assert!(next.contains("--account dogs"), "{next}");
}

#[tokio::test]
async fn a_share_that_was_taken_back_leaves_nothing_to_undo() {
    let world = World::new().await;
    let unknown = "c001ca75000000000000000000000009";
    let file = File::new(&format!(
        "version: 1\nfederation: [{{ idp: Company SSO, accounts: [{unknown}] }}]\n"
    ));
    world.run(&file.line("apply", "--yes")).await;
    let entries = world.ok("journal list -o json").await.json();
    let run = entries[0]["run"].as_str().unwrap();
    assert_eq!(world.run(&format!("journal undo {run} --yes")).await.code, 6);
    assert_eq!(world.ok("federation list -o json").await.json(), json!([]));
}

#[tokio::test]
async fn a_plan_replaces_plans_alone_and_is_applied_as_it_was_reviewed() {
    let world = World::new().await;
    let file = domains(1);
    let text = std::fs::read_to_string(file.path()).unwrap();
    world.fails(&file.line("plan", &format!("--out {}", file.path().display())), 7).await;
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), text);
    let kept = file.path().with_extension("plan");
    for _ in 0..2 {
        world.ok(&file.line("plan", &format!("--out {}", kept.display()))).await;
    }
    let error = world.fails(&format!("apply -f {} --yes", kept.display()), 2).await;
    assert!(error["hint"].as_str().unwrap().starts_with("`cfsso apply "), "{error}");
    let edited = std::fs::read_to_string(&kept).unwrap().replace("d1.cool.cats", "d2.cool.cats");
    let (reviewed, rest) = edited.split_once("\"desired\"").unwrap();
    let edited = format!("{}\"desired\"{rest}", reviewed.replace("d2.cool.cats", "d1.cool.cats"));
    std::fs::write(&kept, edited).unwrap();
    let error = world.fails(&format!("apply {} --yes", kept.display()), 7).await;
    assert!(error["message"].as_str().unwrap().starts_with("the plan was edited"), "{error}");
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn scripts_get_the_records_to_publish_by_hand() {
    let world = World::new().await;
    let file =
        File::new("version: 1\nconnectors: [{ domain: elsewhere.example, verified: true }]\n");
    let ran = world.run(&file.line("apply", "--yes -o json --timeout 30s")).await;
    let record = "publish by hand: elsewhere.example TXT cloudflare_dashboard_sso=";
    assert!(ran.stderr.contains(record), "{ran:?}");
}

#[tokio::test]
async fn a_sign_in_that_is_in_use_is_not_broken() {
    let world = World::new().await.enabled().await;
    let file = File::new(
        "version: 1\nidentity_providers:\n  - { name: Company SSO, type: oidc, config: { client_id: other } }\n",
    );
    world.fault("no-keysx*");
    let writes = world.writes();
    for mode in ["--dry-run", "--yes"] {
        let error = world.fails(&file.line("apply", mode), 11).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("users sign in through `Company SSO`"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    report(&world, &file.line("apply", "--yes --accept-risk idp-healthy"), 0).await;
}

#[tokio::test]
async fn the_sso_app_is_not_limited_to_a_provider_that_does_not_work() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.fault("no-keysx*");
    let file = File::new("version: 1\nsso_app: { allowed_idps: [Company SSO] }\n");
    let writes = world.writes();
    for mode in ["--dry-run", "--yes"] {
        let error = world.fails(&file.line("apply", mode), 11).await;
        assert!(error.to_string().contains("would be the only allowed"), "{error}");
    }
    let dry_run = world.run(&file.line("apply", "--dry-run")).await;
    assert!(!dry_run.stdout.contains("PUT"), "{dry_run:?}");
    assert_eq!(world.writes(), writes);
    report(&world, &file.line("apply", "--yes --accept-risk idp-healthy"), 0).await;
}

#[tokio::test]
async fn one_that_works_is_not_pruned_beside_one_that_does_not() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.fault("no-keysx*");
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\nsso_app: { allowed_idps: all }\n",
    );
    let ran = world.run(&file.line("apply", "--prune --dry-run")).await;
    assert!(ran.code == 11 && !ran.stdout.contains("DELETE"), "{ran:?}");
    let only = "would be the only allowed identity provider";
    assert!(ran.stderr.split_whitespace().collect::<Vec<_>>().join(" ").contains(only), "{ran:?}");
    let error = world.fails("idp delete PIN --dry-run", 11).await;
    assert!(error.to_string().contains(only), "{error}");
    let error = world.fails(&file.line("apply", "--prune --yes"), 11).await;
    assert!(error.to_string().contains(only), "{error}");
    let accepted = "--prune --dry-run --accept-risk idp-healthy";
    assert!(world.ok(&file.line("apply", accepted)).await.stdout.contains("DELETE"));
    report(&world, &file.line("apply", "--prune --yes --accept-risk idp-healthy"), 0).await;
}

#[tokio::test]
async fn the_only_one_that_works_is_not_pruned_before_another_that_does_not() {
    let world = World::new().await.enabled().await.with_env("S", "s3cret-of-okta-0123456789");
    for name in ["Keep", "Other"] {
        let okta = format!("--okta-account https://{name}.okta.invalid --client-id a");
        world.ok(&format!("idp create okta --name {name} {okta} --client-secret-env S")).await;
    }
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("app idps --only oidc --only Keep --only Other --yes").await;
    world.ok("connector create cool.dogs").await;
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: Keep, type: okta }]\nsso_app: { allowed_idps: all }\n\
         connectors: [{ domain: cool.cats, enabled: true }]\n",
    );
    let writes = |world: &World| world.writes().iter().filter(|it| it.starts_with("DEL")).count();
    let dry_run = world.run(&file.line("apply", "--prune --dry-run")).await;
    // Nothing that a run would not do: also no share or connector is deleted.
    assert!(dry_run.code == 11 && !dry_run.stdout.contains("DELETE"), "{dry_run:?}");
    let words = dry_run.stderr.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("delete the connector of cool.dogs: not tried"), "{dry_run:?}");
    let ran = world.run(&file.line("apply", "--prune --yes -o json")).await;
    assert_eq!((ran.code, writes(&world)), (12, 0), "{ran:?}");
    assert!(ran.error().to_string().contains("`Keep` would be the only allowed"), "{ran:?}");
    assert_eq!(world.ok("idp list -o name").await.stdout.lines().count(), 4);
    // Two that do not work are no better than one.
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: Keep, type: okta }, { name: Other, type: okta }]\n",
    );
    let error = world.fails(&file.line("apply", "--prune --yes"), 11).await;
    let none = "none of the 2 identity providers that would be allowed works";
    assert_eq!((&error["message"], writes(&world)), (&json!(none), 0), "{error}");
    report(&world, &file.line("apply", "--prune --yes --accept-risk idp-healthy"), 0).await;
}

#[tokio::test]
async fn what_cannot_be_undone_is_not_said_to_be() {
    let world = World::new().await.enabled().await.with_env("S", "s3cret-of-github");
    for name in ["Hub", "Lab"] {
        world
            .ok(&format!("idp create github --name {name} --client-id c --client-secret-env S"))
            .await;
    }
    let file = File::new("version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\n");
    world.fault("500#2x*@DELETE");
    let error = world.fails(&file.line("apply", "--prune --yes --max-retries 0"), 12).await;
    assert!(error["causes"].to_string().contains("journal run: "), "{error}");
    assert!(!error["hint"].as_str().unwrap().contains("undo"), "{error}");
}

#[tokio::test]
async fn what_waits_names_the_journal_run_of_what_was_made() {
    let world = World::new().await.enabled().await;
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: PIN, type: onetimepin }]\n\
         connectors: [{ domain: elsewhere.example, verified: true }]\n",
    );
    let error = world.fails(&file.line("apply", "--yes --timeout 30s"), 8).await;
    let (causes, hint) = (error["causes"].to_string(), error["hint"].as_str().unwrap());
    assert!(causes.contains("journal run: ") && hint.contains("undo: `cfsso journal"), "{error}");
    assert!(hint.starts_with("`cfsso apply -f"), "{error}");
}

#[tokio::test]
async fn what_the_app_allows_already_does_not_stop_another_change_of_it() {
    let world = World::new().await.enabled().await;
    world.ok("idp create cloudflare --name CF").await;
    world.ok("app idps --only CF --yes --force").await;
    world.ok("app instant-auth on --yes --force").await;
    let file = File::new("version: 1\nsso_app: { auto_redirect: false }\n");
    report(&world, &file.line("apply", "--yes"), 0).await;
    let file = File::new("version: 1\nsso_app: { auto_redirect: true }\n");
    world.fails(&file.line("apply", "--yes"), 11).await;
}

#[tokio::test]
async fn an_undo_that_leaves_a_change_is_not_complete() {
    let world = World::new().await.enabled().await.with_env("S", "s3cret-of-github");
    world.ok("idp create github --name Hub --client-id c --client-secret-env S").await;
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\n\
         connectors: [{ domain: cool.cats, enabled: true }, { domain: cool.dogs }]\n",
    );
    report(&world, &file.line("apply", "--prune --yes"), 0).await;
    let entries = world.ok("journal list -o json").await.json();
    let last = entries.as_array().unwrap().last().unwrap();
    let run = last["id"].as_str().unwrap().split('.').next().unwrap().to_owned();
    let ran = world.run(&format!("journal undo {run} --yes -o json")).await;
    let result = ran.json();
    assert_eq!((ran.code, &result["ok"]), (12, &json!(false)), "{ran:?}");
    assert_eq!(result["undone"].as_array().unwrap().len(), 1, "{result}");
    let error = ran.error();
    assert_eq!(error["message"], "1 of 2 undone: the rest cannot be", "{error}");
    assert!(error["causes"][0].as_str().unwrap().contains("secret"), "{error}");
}

#[tokio::test]
async fn a_dry_run_lists_the_applications_once_for_all_deletions() {
    let world = World::new().await.enabled().await.with_env("S", "s3cret-of-github");
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("idp create github --name Hub --client-id c --client-secret-env S").await;
    let file = File::new("version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\n");
    let line = file.line("apply", "--prune --dry-run");
    let (ran, requests) = world.requests_of(&line).await;
    assert_eq!(ran.stdout.matches("DELETE").count(), 2, "{ran:?}");
    // Once for the plan, and once for the deletions.
    let lists = requests.iter().filter(|it| it.starts_with("GET /access/apps")).count();
    assert_eq!(lists, 2, "{requests:?}");
}

#[tokio::test]
async fn a_record_that_was_published_is_a_change_even_if_the_next_write_fails() {
    let world = World::new().await;
    world.ok("create d1.cool.cats --no-verification").await;
    world.fault("500@POST/sso_connectors/begin_verificationx*");
    let file = domains(1);
    let error = world.fails(&file.line("apply", "--yes --max-retries 0"), 12).await;
    assert_eq!(world.codes("cool.cats").await.len(), 1);
    let hint = error["hint"].as_str().unwrap();
    assert!(hint.contains("resumes") && hint.contains("undo: `cfsso journal undo"), "{hint}");
}

#[tokio::test]
async fn nothing_that_may_lock_users_out_follows_a_failed_disabling() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    let file = File::new(
        "version: 1\nsso_app: { allowed_idps: [PIN] }\nconnectors: [{ domain: cool.cats, enabled: false }]\n",
    );
    let world = world.with_token(Access::ReadOnly);
    let ran = world.run(&file.line("apply", "--yes -o json")).await;
    let report = ran.json();
    let states: Vec<_> = report["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| change["state"].as_str().unwrap())
        .collect();
    assert_eq!((ran.code, states), (5, vec!["failed", "blocked"]), "{report:#}");
}

#[tokio::test]
async fn a_dry_run_lists_no_deletion_that_is_refused() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("app idps Wiki --only PIN --yes").await;
    let file = File::new("version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\n");
    let ran = world.run(&file.line("apply", "--prune --dry-run --detailed-exitcode")).await;
    assert!(ran.code == 11 && !ran.stdout.contains("DELETE"), "{ran:?}");
    assert!(ran.stderr.contains("`PIN` is the only identity provider that Wiki allows"), "{ran:?}");
    let error = world.fails(&file.line("apply", "--prune --yes"), 11).await;
    assert!(!error["hint"].as_str().unwrap().contains("--force"), "{error}");
}

#[tokio::test]
async fn an_active_bypass_is_shown_and_not_reverted() {
    let world = World::new().await.enabled().await;
    let enforced = "version: 1\nconnectors: [{ domain: cool.cats, enabled: true }]\n";
    let sso_only = "version: 1\nsso_app: { allowed_idps: [Company SSO] }\n";
    let no_pin = "version: 1\nidentity_providers: [{ name: Company SSO, type: oidc }]\n";
    world.ok(&File::new(sso_only).line("apply", "--yes")).await;
    for (bypass, text, more) in [
        ("bypass disable --all --yes", enforced, ""),
        ("bypass otp --yes", sso_only, ""),
        ("bypass otp --all-idps --yes", no_pin, "--prune"),
    ] {
        let file = File::new(text);
        let (ran, requests) = world.requests_of(&file.line("plan", "--prune")).await;
        assert!(!ran.stderr.contains("bypass"), "{ran:?}");
        world.ok(bypass).await;
        let plan = world.ok(&file.line("plan", more)).await;
        let warning = "`apply` refuses the changes that would revert it";
        assert!(plan.stderr.contains("a bypass is active: "), "{bypass}: {plan:?}");
        assert!(plan.stderr.contains(warning), "{bypass}: {plan:?}");
        let writes = world.writes();
        let error = world.fails(&file.line("apply", &format!("{more} --yes")), 11).await;
        assert_eq!(error["hint"], "`cfsso bypass undo`", "{error}");
        assert_eq!(world.writes(), writes);
        world.ok("bypass undo --yes").await;
        let after = world.requests_of(&file.line("plan", "--prune")).await.1;
        assert_eq!(after.len(), requests.len(), "{bypass}");
        world.ok(&file.line("apply", &format!("{more} --yes"))).await;
    }
}

#[tokio::test]
async fn an_api_that_fails_half_way_leaves_the_run_half_done() {
    let world = World::new().await;
    world.ok(&domains(3).line("apply", "--yes")).await;
    let file = File::new(
        "version: 1\nconnectors:\n  - { domain: d1.cool.cats, fedramp: true }\n  \
         - { domain: d2.cool.cats, fedramp: true }\n  \
         - { domain: d3.cool.cats, fedramp: true }\n",
    );
    let line = file.line("apply", "--yes --max-retries 0");
    let start = world.scene();
    for (fault, code, done) in [("500x*@PATCH", 9, 0), ("500#2x*@PATCH", 12, 1)] {
        let world = start.world().await;
        world.fault(fault);
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!(ran.code, code, "{fault}: {ran:?}");
        let changes = ran.json()["changes"].clone();
        let states: Vec<_> = changes.as_array().unwrap().iter().map(|it| &it["state"]).collect();
        let made = states.iter().filter(|state| **state == "done").count();
        assert_eq!((states.len(), made), (3, done), "{fault}: {changes:#}");
        let error = ran.error();
        if code == 12 {
            assert_eq!(error["message"], "2 of 3 changes left");
            let causes = error["causes"].to_string();
            assert_eq!(error["causes"].as_array().unwrap().len(), 2, "{causes}");
            assert!(causes.contains("d2.cool.cats: ") && causes.contains("500"), "{causes}");
            let hint = error["hint"].as_str().unwrap();
            assert!(hint.contains("` resumes\nundo: `cfsso journal undo "), "{hint}");
        }
    }
}

#[tokio::test]
async fn the_sign_in_is_not_replaced_by_accounts_of_cloudflare() {
    let world = World::new().await.enabled().await;
    let file = File::new(
        "version: 1\nidentity_providers: [{ name: Cloudflare, type: cloudflare }]\n\
         sso_app: { allowed_idps: [Cloudflare] }\n",
    );
    let plan = world.ok(&file.line("plan", "--prune")).await;
    assert!(plan.stderr.contains("; `apply` refuses it"), "{plan:?}");
    let writes = world.writes();
    for line in ["--prune --yes", "--yes", "--prune --dry-run"] {
        let error = world.fails(&file.line("apply", line), 11).await;
        assert!(
            error["hint"].as_str().unwrap().ends_with("`--accept-risk idp-healthy`"),
            "{error}"
        );
    }
    assert_eq!(world.writes(), writes);
    world.ok("idp create cloudflare --name Cloudflare").await;
    let writes = world.writes();
    for line in ["idp delete oidc", "app idps --only Cloudflare"] {
        let error = world.fails(&format!("{line} --yes"), 11).await;
        let message = error["message"].as_str().unwrap();
        assert!(message.starts_with("the SSO App would allow only `Cloudflare`"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    world.ok("app idps Wiki --only Cloudflare --yes").await;
    world.ok("app idps --only Cloudflare --yes --force").await;
}

#[tokio::test]
async fn the_sign_in_is_not_deleted_before_one_by_its_replacement() {
    let world = World::new().await.enabled().await.with_env("SECRET", "s3cret-of-github");
    let file = File::new(
        "version: 1\nidentity_providers:\n  - { name: GH, type: github, client_secret_env: SECRET, \
         config: { client_id: WRONG } }\nsso_app: { allowed_idps: [GH] }\n",
    );
    let plan = world.ok(&file.line("plan", "--prune")).await;
    let untested = "sign-in through GH is not tested";
    assert!(plan.stderr.contains(untested), "{plan:?}");
    assert!(plan.stderr.contains("`apply` refuses to delete `Company SSO`"), "{plan:?}");
    let writes = world.writes();
    for line in ["--prune --yes", "--prune --dry-run"] {
        let error = world.fails(&file.line("apply", line), 11).await;
        assert!(error["hint"].as_str().unwrap().ends_with("`--accept-risk login-seen`"), "{error}");
    }
    assert_eq!(world.writes(), writes);
    let start = world.scene();
    // In two steps, or with the risk accepted.
    let ran = world.ok(&file.line("apply", "--yes")).await;
    assert!(ran.stderr.contains(untested), "{ran:?}");
    world.ok(&file.line("apply", "--prune --yes")).await;
    let world = start.world().await.with_env("SECRET", "s3cret-of-github");
    world.ok(&file.line("apply", "--prune --yes --accept-risk login-seen")).await;
}

#[tokio::test]
async fn what_only_waits_for_dns_is_not_half_done() {
    let world = World::new().await;
    let file =
        File::new("version: 1\nconnectors: [{ domain: elsewhere.example, verified: true }]\n");
    let report = report(&world, &file.line("apply", "--yes --timeout 30s"), 8).await;
    assert_eq!(domain(&report, "elsewhere.example")["state"], "pending");
    let error = world.fails(&file.line("apply", "--yes --timeout 30s"), 8).await;
    assert_eq!(error["message"], "1 of 1 change left");
    assert!(error["hint"].as_str().unwrap().ends_with("` resumes"), "{error}");
}

#[tokio::test]
async fn a_pin_that_may_be_the_bypass_of_another_machine_is_not_removed_silently() {
    let world = World::new().await.enabled().await;
    world.ok("idp create onetimepin --name PIN").await;
    world.ok("app idps --only oidc --only PIN --yes").await;
    let file = File::new("version: 1\nsso_app: { allowed_idps: [Company SSO] }\n");
    for line in [file.line("plan", ""), file.line("apply", "--yes")] {
        let ran = world.ok(&line).await;
        assert!(ran.stderr.contains("active on another machine"), "{ran:?}");
    }
}

#[tokio::test]
async fn a_secret_in_the_place_of_a_variable_is_not_planned() {
    let world = World::new().await;
    let file = File::new(
        "version: 1\nidentity_providers:\n  - { name: GH, type: github, client_secret_env: \
         gho-S3cretPASTED!!, config: { client_id: c } }\n",
    );
    let kept = file.path().with_extension("plan");
    let ran = world.run(&file.line("plan", &format!("--out {}", kept.display()))).await;
    assert!(ran.code == 2 && !ran.screen.contains("S3cret"), "{ran:?}");
    assert!(!kept.exists());
}
