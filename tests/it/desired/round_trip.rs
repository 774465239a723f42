//! An account that is exported and planned has no changes, in every world.

use cfsso::clock::Clock;
use cfsso::sandbox::{Access, Scenario};
use clap::ValueEnum as _;
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::File;
use crate::harness::World;
use crate::sandbox::client::ask_text;
use crate::schema::assert_conforms;

/// Exports in each format, plans what was exported, and asserts that it is the
/// state that the account is in.
async fn is_stable(world: &World, what: &str) {
    let schema = world.ok("schema config").await.json();
    for format in ["yaml", "json"] {
        let exported = world.ok(&format!("export --format {format}")).await.stdout;
        let file = File::new(&exported);
        for more in ["", "--prune"] {
            let line = file.line("plan", &format!("--detailed-exitcode {more}"));
            let ran = world.run(&line).await;
            assert_eq!(ran.code, 0, "{what} {format} {more}\n{exported}\n{ran:?}");
        }
    }
    assert_conforms(&schema, &world.ok("export -o json").await.json());
    assert!(world.ok("export -o yaml").await.stdout.contains("version: 1"));
}

#[tokio::test]
async fn the_worlds_of_the_simulator_are_stable() {
    is_stable(&World::new().await, "new").await;
    is_stable(&World::new().await.verified().await, "verified").await;
    is_stable(&World::new().await.enabled().await, "enabled").await;
    let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
    for scenario in Scenario::value_variants() {
        let world = World::start(Clock::fake(now), Some(scenario.build(now))).await;
        is_stable(&world, &format!("{scenario:?}")).await;
    }
}

#[tokio::test]
async fn what_a_file_cannot_have_is_named_in_it() {
    let world = World::new().await;
    let body = json!({
        "name": "Okta", "type": "okta",
        "config": { "client_id": "a", "client_secret": "planted", "okta_account": "https://a.okta.com" },
        "scim_config": { "enabled": true },
    });
    let request = format!("POST /accounts/{}/access/identity_providers", world.sandbox.account());
    ask_text(&world.sandbox, Access::Full, &request, &body.to_string()).await.result();
    let ran = world.ok("export").await;
    let left_out = "the SCIM settings of Okta: a file has none";
    assert!(ran.stdout.contains(&format!("\n# Not exported: {left_out}\n")), "{ran:?}");
    assert!(ran.stderr.contains(left_out), "{ran:?}");
    is_stable(&world, "SCIM").await;
}

#[tokio::test]
async fn a_name_that_could_fool_a_terminal_is_kept() {
    let world = World::new().await;
    let name = "\u{202e}Fo\u{1b}[1mo\u{7}\u{2028}";
    let body = json!({ "name": name, "type": "onetimepin", "config": {} }).to_string();
    let request = format!("POST /accounts/{}/access/identity_providers", world.sandbox.account());
    ask_text(&world.sandbox, Access::Full, &request, &body).await.result();
    for format in ["--format yaml", "--format json", "-o yaml", "-o json"] {
        let exported = world.ok(&format!("export {format}")).await.stdout;
        assert!(!exported.contains(['\u{202e}', '\u{1b}', '\u{7}', '\u{2028}']), "{exported}");
        let file = File::new(&exported);
        let ran = world.run(&file.line("plan", "--detailed-exitcode")).await;
        assert_eq!(ran.code, 0, "{format}\n{exported}\n{ran:?}");
    }
}

#[tokio::test]
async fn a_token_for_connectors_alone_plans_connectors() {
    let world = World::new().await.enabled().await.with_token(Access::ConnectorOnly);
    let ran = world.ok("export").await;
    assert!(ran.stderr.contains("not exported: identity providers and applications"), "{ran:?}");
    let file = File::new(&ran.stdout);
    let ran = world.run(&file.line("plan", "--detailed-exitcode")).await;
    assert_eq!(ran.code, 0, "{ran:?}");
    let file = File::new("version: 1\nidentity_providers: []\n");
    world.fails(&file.line("plan", ""), 5).await;
}

/// The bodies of identity providers that an account may have.
fn bodies() -> Vec<Value> {
    let client = json!({ "client_id": "c", "client_secret": "s" });
    let with = |name: &str, kind: &str, more: Value| {
        let mut config = client.clone();
        config.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "name": name, "type": kind, "config": config })
    };
    vec![
        with(
            "Okta",
            "okta",
            json!({ "okta_account": "https://a.okta.com", "claims": ["a", "yes"] }),
        ),
        with("Twice", "github", json!({})),
        with("Twice", "github", json!({})),
        with("Twice", "google", json!({ "email_claim_name": "null" })),
        with("c001ca75-1d90-4000-8000-000000000001", "linkedin", json!({})),
        with("yes", "facebook", json!({})),
        with(
            "# 1: \"é\" 猫 - {a}",
            "azureAD",
            json!({ "directory_id": "4d9c5b1e-0000-4000-8000-000000000001", "support_groups": true }),
        ),
        json!({ "name": "PIN", "type": "onetimepin", "config": {} }),
        with("Unknown", "retina-scan", json!({ "depth": 1.5, "n": 1, "x": null, "l": [1, "1"] })),
    ]
}

#[derive(Clone, Debug)]
struct Plan {
    idps: Vec<usize>,
    admitted: Vec<usize>,
    instant: bool,
    connectors: Vec<(usize, usize)>,
    shared: usize,
}

const DOMAINS: [&str; 4] = ["cool.cats", "a.cool.cats", "b.cool.cats", "both.cats"];

fn plan() -> impl Strategy<Value = Plan> {
    let count = bodies().len();
    (
        prop::sample::subsequence((0..count).collect::<Vec<_>>(), 0..=count),
        prop::collection::vec(0..count, 0..4),
        any::<bool>(),
        prop::collection::vec((0..DOMAINS.len(), 0..4_usize), 0..4),
        0..3_usize,
    )
        .prop_map(|(idps, admitted, instant, connectors, shared)| Plan {
            idps,
            admitted,
            instant,
            connectors,
            shared,
        })
}

async fn build(plan: &Plan) -> World {
    let world = World::new().await;
    let account = format!("/accounts/{}", world.sandbox.account());
    let mut ids = vec!["c001ca75-1d90-4000-8000-000000000001".to_owned()];
    for at in &plan.idps {
        let request = format!("POST {account}/access/identity_providers");
        let body = bodies()[*at].to_string();
        let reply = ask_text(&world.sandbox, Access::Full, &request, &body).await;
        ids.push(reply.result()["id"].as_str().unwrap().to_owned());
    }
    for (domain, depth) in &plan.connectors {
        let domain = DOMAINS[*domain];
        let line = match depth {
            0 => format!("create {domain} --no-verification --if-not-exists"),
            1 => format!("create {domain} --fedramp --if-not-exists"),
            2 => format!("setup {domain} --publish-txt"),
            _ => format!("setup {domain} --publish-txt --enable --yes"),
        };
        world.run(&line).await;
    }
    let recipients = ["--to c001ca75000000000000000000000003", "--entire-organization --yes"];
    for to in recipients.iter().take(plan.shared) {
        let idp = "c001ca75-1d90-4000-8000-000000000001";
        world.ok(&format!("federation share {idp} {to}")).await;
    }
    let mut only: Vec<_> = plan.admitted.iter().filter_map(|at| ids.get(*at)).cloned().collect();
    only.sort();
    only.dedup();
    if !world.connectors().await.is_empty() && !only.is_empty() {
        world.ok(&format!("app idps --force --yes --only {}", only.join(" --only "))).await;
        if plan.instant && only.len() == 1 {
            world.run("app instant-auth on --yes").await;
        }
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn any_world_is_stable(plan in plan()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let world = build(&plan).await;
            is_stable(&world, &format!("{plan:?}")).await;
        });
    }
}
