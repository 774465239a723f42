//! Scenes of what federation tells: half-way stops, errors that are tried again,
//! events; each held to its schema.

use cfsso::sandbox::AccountRelation;
use serde_json::Value;

use super::{BIG, SMALL, active_shares, grants};
use crate::harness::World;
use crate::schema::assert_conforms;

/// Holds a value to `cfsso schema KIND`.
async fn conforms(world: &World, kind: &str, value: &Value) {
    let schema = world.ok(&format!("schema {kind} -o json")).await.json();
    assert_conforms(&schema, value);
}

/// The commands that a hint names.
fn commands(error: &Value) -> Vec<String> {
    let hint = error["hint"].as_str().unwrap();
    let quoted = hint.split('`').skip(1).step_by(2);
    quoted.filter_map(|text| text.strip_prefix("cfsso ")).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_grant_that_cannot_be_taken_back_stops_half_way_with_what_mends_it() {
    let world = World::new().await;
    world.fault("500@POST/shares");
    world.fault("500@DELETE");
    let line = format!("federation share oidc --to {SMALL} --max-retries 0");
    let error = world.fails(&line, 12).await;
    conforms(&world, "error", &serde_json::json!({ "error": error })).await;
    assert!(error["message"].as_str().unwrap().contains("was created, sharing failed"), "{error}");
    assert_eq!(grants(&world).await.len(), 1);
    world.ok(&format!("{} --yes", commands(&error)[0])).await;
    assert!(grants(&world).await.is_empty());
}

#[tokio::test]
async fn a_share_that_outlives_its_grant_stops_half_way_and_the_next_run_ends_it() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    world.fault("500@DELETE/shares");
    let error = world.fails("federation unshare oidc --yes --max-retries 0", 12).await;
    conforms(&world, "error", &serde_json::json!({ "error": error })).await;
    assert!(error["causes"].to_string().contains("no recipient has"), "{error}");
    assert!(grants(&world).await.is_empty());
    assert_eq!(active_shares(&world).await.len(), 1);
    world.ok(&format!("{} --yes", commands(&error)[0])).await;
    assert!(active_shares(&world).await.is_empty());
}

#[tokio::test]
async fn an_error_is_tried_again_until_the_api_gives_up() {
    let world = World::new().await;
    let id = world.sandbox.add_account("No Access", AccountRelation::SameOrgNoAccess).unwrap();
    let line = format!("federation share oidc --to {id}");
    let report = world.ok(&format!("{line} --no-wait -o json")).await.json();
    conforms(&world, "federation-share", &report).await;
    let state = report["result"]["recipients"][0]["state"].as_str().unwrap();
    assert!(state.starts_with("associating, retrying: access.api.error.not_enabled"), "{state}");

    let status = world.ok("federation status -o json").await.json();
    conforms(&world, "federation-status", &status).await;
    let recipient = &status["sources"][0]["shares"][0]["recipients"][0];
    assert_eq!(recipient["errors"].as_array().unwrap().len(), 0);
    assert_eq!(
        (recipient["retryable_errors"].as_array().unwrap().len(), &status["ok"]),
        (1, &true.into())
    );

    world.fails(&line, 1).await;
    let status = world.ok("federation status -o json").await.json();
    let recipient = &status["sources"][0]["shares"][0]["recipients"][0];
    assert_eq!(recipient["retryable_errors"].as_array().unwrap().len(), 0);
    assert_eq!((recipient["errors"].as_array().unwrap().len(), &status["ok"]), (1, &false.into()));
}

#[tokio::test]
async fn events_come_as_they_happen_and_the_report_last() {
    let world = World::new().await;
    for (line, kind, steps) in [
        (
            format!("federation share oidc --to {SMALL} {BIG}"),
            "federation-share",
            &["grant", "share", "associate"][..],
        ),
        (
            "federation unshare oidc --yes".to_owned(),
            "federation-unshare",
            &["delete-grant", "delete-share"],
        ),
    ] {
        let ran = world.ok(&format!("{line} -o ndjson")).await;
        let mut lines: Vec<Value> =
            ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let report = lines.pop().unwrap();
        conforms(&world, kind, &report).await;
        let ended: Vec<_> = lines
            .iter()
            .filter(|line| line["event"] == "step" && line["state"] == "done")
            .map(|line| line["id"].as_str().unwrap())
            .collect();
        assert_eq!(ended, steps, "{lines:#?}");
        assert!(lines.iter().any(|line| line["event"] == "waiting"), "{lines:#?}");
        let arrived: Vec<_> = lines
            .iter()
            .filter(|line| line["event"] == "recipient" && line["state"] == "associated")
            .collect();
        assert_eq!(arrived.len(), if kind == "federation-share" { 2 } else { 0 }, "{lines:#?}");
    }
}

#[tokio::test]
async fn every_result_is_as_its_schema_says() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    let grant = grants(&world).await.remove(0)["id"].as_str().unwrap().to_owned();
    let share = active_shares(&world).await.remove(0)["id"].as_str().unwrap().to_owned();
    let first = async |what: &str| {
        let all = world.ok(&format!("share {what} list {share} -o json")).await.json();
        all[0]["id"].as_str().unwrap().to_owned()
    };
    let (recipient, resource) = (first("recipients").await, first("resources").await);
    for (kind, line) in [
        ("grants", "federation list".to_owned()),
        ("grant", format!("federation get {grant}")),
        ("federation-status", "federation status".to_owned()),
        ("shares", "share list".to_owned()),
        ("share", format!("share get {share}")),
        ("recipients", format!("share recipients list {share}")),
        ("recipient", format!("share recipients get {share} {recipient}")),
        ("resources", format!("share resources list {share}")),
        ("resource", format!("share resources get {share} {resource}")),
        ("plan", "federation unshare oidc --dry-run".to_owned()),
    ] {
        let result = world.ok(&format!("{line} -o json")).await.json();
        conforms(&world, kind, &result).await;
    }
    for line in ["share recipients get", "share resources get"] {
        let error = world.fails(&format!("{line} {share} nothing"), 6).await;
        assert!(error["hint"].as_str().unwrap().contains(" list "), "{error}");
    }
}
