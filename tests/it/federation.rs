//! Scenes of `cfsso federation` and `cfsso share`.

mod told;
mod undo;

use cfsso::sandbox::{Access, AccountRelation};
use serde_json::{Value, json};

use crate::harness::World;
use crate::sandbox::client::ask;

const SMALL: &str = "c001ca75000000000000000000000003";
const BIG: &str = "c001ca75000000000000000000000004";
const DOGS: &str = "c001ca75000000000000000000000005";

/// The read-only Identity providers of an account.
async fn received(world: &World, account: &str) -> usize {
    let list = world.ask(&format!("GET /accounts/{account}/access/identity_providers")).await;
    list.as_array().unwrap().iter().filter(|idp| idp["read_only"] == true).count()
}

async fn grants(world: &World) -> Vec<Value> {
    let path = format!("GET /accounts/{}/access/idp_federation_grants", world.sandbox.account());
    world.ask(&path).await.as_array().unwrap().clone()
}

async fn active_shares(world: &World) -> Vec<Value> {
    let path = format!("GET /accounts/{}/shares?kind=sent", world.sandbox.account());
    let shares = world.ask(&path).await;
    let all = shares.as_array().unwrap().iter();
    all.filter(|share| share["status"] == "active").cloned().collect()
}

/// What a command wrote, IDs left out.
async fn writes_of(world: &World, line: &str) -> Vec<String> {
    let before = world.writes().len();
    world.ok(line).await;
    world.writes().split_off(before).iter().map(|request| without_ids(request)).collect()
}

fn without_ids(request: &str) -> String {
    let is_id = |part: &&str| {
        part.len() >= 32 && part.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit())
    };
    let parts = request.split('/').map(|part| if is_id(&part) { "ID" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn three_accounts_get_it_a_fourth_joins_one_leaves_and_all_lose_it() {
    let world = World::new().await;
    let add = |name| world.sandbox.add_account(name, AccountRelation::SameOrg).unwrap().to_string();
    let (third, fourth) = (add("New Cats"), add("Late Cats"));
    let line = format!("federation share oidc --to {SMALL} {BIG} {third} -o json");
    let report = world.ok(&line).await.json();
    assert_eq!(report["schema"], "cfsso/federation-share/v1");
    let states: Vec<_> = report["result"]["recipients"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["state"])
        .collect();
    assert_eq!(states, [&json!("associated"), &json!("associated"), &json!("associated")]);
    assert_eq!(active_shares(&world).await[0]["name"], "Identity provider: Company SSO");

    // Nothing but the one recipient is written: nobody can have lost anything.
    let line = format!("federation share oidc --to {fourth} -o json");
    assert_eq!(writes_of(&world, &line).await, ["POST /shares/ID/recipients"]);
    for account in [SMALL, BIG, &third, &fourth] {
        assert_eq!(received(&world, account).await, 1, "{account}");
    }
    assert!(writes_of(&world, &line).await.is_empty(), "a second run writes nothing");

    let line = format!("federation unshare oidc --from {SMALL} --yes -o json");
    assert_eq!(writes_of(&world, &line).await, ["DELETE /shares/ID/recipients/ID"]);
    assert_eq!(received(&world, SMALL).await, 0);
    assert_eq!(received(&world, BIG).await, 1);

    assert_eq!(
        writes_of(&world, "federation unshare oidc --yes -o json").await,
        ["DELETE /access/idp_federation_grants/ID", "DELETE /shares/ID"]
    );
    assert_eq!(received(&world, BIG).await, 0);
    let none = writes_of(&world, "federation unshare oidc --yes -o json").await;
    assert!(none.is_empty(), "nothing is left to do");
}

/// Runs a command until its `requests`th request, and kills it there; whether
/// it was still running.
async fn kill(world: &World, line: &str, requests: usize) -> bool {
    let wanted = world.requests().len() + requests;
    let reached = async {
        while world.requests().len() < wanted {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        biased;
        _ = world.run(line) => false,
        () = reached => true,
    }
}

#[tokio::test]
async fn sharing_that_is_killed_anywhere_is_taken_up_by_the_next_run() {
    let line = format!("federation share oidc --to {SMALL} {BIG} -o json");
    for requests in 1.. {
        let world = World::new().await;
        let is_killed = kill(&world, &line, requests).await;
        world.ok(&line).await;
        assert_eq!(grants(&world).await.len(), 1, "{requests}");
        assert_eq!(active_shares(&world).await.len(), 1, "{requests}");
        assert_eq!(received(&world, SMALL).await + received(&world, BIG).await, 2, "{requests}");
        if !is_killed {
            assert!(requests > 6, "{requests}");
            return;
        }
    }
}

#[tokio::test]
async fn unsharing_that_is_killed_anywhere_is_taken_up_by_the_next_run() {
    for requests in 1.. {
        let world = World::new().await;
        world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
        let line = "federation unshare oidc --yes -o json";
        let is_killed = kill(&world, line, requests).await;
        world.ok(line).await;
        assert!(grants(&world).await.is_empty(), "{requests}");
        assert!(active_shares(&world).await.is_empty(), "{requests}");
        assert_eq!(received(&world, SMALL).await, 0, "{requests}");
        if !is_killed {
            assert!(requests > 6, "{requests}");
            return;
        }
    }
}

#[tokio::test]
async fn a_grant_whose_share_is_refused_is_taken_back() {
    let world = World::new().await;
    world.fault("500x*@POST/shares");
    let error = world.fails(&format!("federation share oidc --to {SMALL}"), 9).await;
    let causes = error["causes"].to_string();
    assert!(causes.contains("of this run was deleted again"), "{causes}");
    assert_eq!(error["http_status"], 500);
    assert!(grants(&world).await.is_empty());
    let last = world.writes().pop().unwrap();
    assert!(last.starts_with("DELETE /access/idp_federation_grants/"), "{last}");
}

#[tokio::test]
async fn a_grant_that_stood_before_is_not_taken_back() {
    let world = World::new().await;
    world.ok("federation create oidc -o json").await;
    world.fault("500x*@POST/shares");
    world.fails(&format!("federation share oidc --to {SMALL}"), 9).await;
    assert_eq!(grants(&world).await.len(), 1);
}

#[tokio::test]
async fn a_wait_that_runs_out_is_exit_8_and_the_next_run_goes_on() {
    let world = World::new().await;
    let line = format!("federation share oidc --to {SMALL}");
    let error = world.fails(&format!("{line} --timeout 2s"), 8).await;
    assert!(error["causes"].to_string().contains("associating"), "{error}");
    let writes = world.writes().len();
    world.ok(&format!("{line} -o json")).await;
    assert_eq!(world.writes().len(), writes);
    assert_eq!(received(&world, SMALL).await, 1);
}

#[tokio::test]
async fn a_recipient_that_the_api_gives_up_on_is_a_failure() {
    let world = World::new().await;
    let id = world.sandbox.add_account("No Access", AccountRelation::SameOrgNoAccess).unwrap();
    let error = world.fails(&format!("federation share oidc --to {SMALL} {id}"), 1).await;
    assert_eq!(error["message"], "1 of 2 recipients failed");
    assert!(error["causes"].to_string().contains("No Access: failed: "), "{error}");
}

#[tokio::test]
async fn a_reached_limit_is_told_with_the_grants_that_stand() {
    let world = World::new().await;
    let account = world.sandbox.account().clone();
    for count in 0..6 {
        let body = json!({"name": format!("okta{count}"), "type": "okta", "config": {}});
        let request = format!("POST /accounts/{account}/access/identity_providers");
        ask(&world.sandbox, Access::Full, &request, Some(body)).await.result();
    }
    for count in 0..5 {
        world.ok(&format!("federation create okta{count} -o json")).await;
    }
    let line = format!("federation share okta5 --to {SMALL}");
    let ran = world.run(&format!("{line} -o json")).await;
    let error = ran.error();
    assert_ne!(ran.code, 0);
    let causes = error["causes"].as_array().unwrap();
    let standing = causes.iter().filter(|cause| cause.as_str().unwrap().contains("existing grant"));
    assert_eq!(standing.count(), 5, "{error}");
    assert!(error["hint"].as_str().unwrap().contains("cfsso federation unshare "), "{error}");
    assert!(!error["api_errors"].as_array().unwrap().is_empty());
}

#[tokio::test]
async fn bad_input_is_refused_before_any_write() {
    let world = World::new().await;
    let own = world.sandbox.account();
    let unknown = "77777777777777777777777777777777";
    for (line, code) in [
        ("federation share oidc".to_owned(), 2),
        ("federation share oidc --to".to_owned(), 2),
        ("federation share oidc --to=".to_owned(), 2),
        (format!("federation share oidc --to {SMALL} --entire-organization"), 2),
        (format!("federation share oidc --to {SMALL} {SMALL}"), 2),
        (format!("federation share oidc --to {own}"), 2),
        ("federation share oidc --to Nobody".to_owned(), 6),
        (format!("federation share oidc --to {unknown}"), 6),
        (format!("federation share nobody --to {SMALL}"), 6),
        (format!("federation share oidc --to {DOGS}"), 11),
        ("federation share oidc --to-organization 0123".to_owned(), 11),
        ("federation share oidc --entire-organization".to_owned(), 3),
        (format!("federation share oidc --entire-organization --account {DOGS}"), 6),
        (format!("federation unshare oidc --from {SMALL} --yes"), 6),
        ("share list --page-size 101".to_owned(), 2),
    ] {
        let ran = world.run(&format!("{line} -o json")).await;
        assert_eq!(ran.code, code, "{line}\n{ran:?}");
    }
    assert!(world.writes().is_empty(), "{:?}", world.writes());
}

#[tokio::test]
async fn what_cannot_be_federated_is_refused_before_any_write() {
    let world = World::new().await;
    let own = world.sandbox.account().clone();
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    for kind in ["onetimepin", "cloudflare"] {
        let body = json!({"name": kind, "type": kind, "config": {}});
        let request = format!("POST /accounts/{own}/access/identity_providers");
        ask(&world.sandbox, Access::Full, &request, Some(body)).await;
    }
    let writes = world.writes().len();
    for line in [
        format!("federation share onetimepin --to {SMALL}"),
        format!("federation share cloudflare --to {SMALL}"),
        format!("federation create onetimepin --account {own}"),
    ] {
        world.fails(&line, 11).await;
    }
    let copies = world.ask(&format!("GET /accounts/{SMALL}/access/identity_providers")).await;
    let copy = copies.as_array().unwrap().iter().find(|idp| idp["read_only"] == true).unwrap();
    let id = copy["id"].as_str().unwrap();
    world.fails(&format!("federation share {id} --to {BIG} --account {SMALL}"), 11).await;
    assert_eq!(world.writes().len(), writes);
}

#[tokio::test]
async fn an_entire_organization_is_shared_with_only_by_its_own_flag_and_confirmation() {
    let world = World::new().await;
    world.ok("federation share oidc --entire-organization --yes -o json").await;
    assert_eq!(active_shares(&world).await[0]["target_type"], "organization");
    assert_eq!(received(&world, SMALL).await, 1);
    let line = format!("federation unshare oidc --from {SMALL} --yes");
    let error = world.fails(&line, 11).await;
    assert!(error["message"].as_str().unwrap().contains("the whole organization"), "{error}");
}

#[tokio::test]
async fn a_share_whose_grant_is_gone_is_pointed_out_with_what_mends_it() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    let status = world.ok("federation status -o json").await.json();
    assert_eq!(status["ok"], true, "{status}");
    assert_eq!(status["sources"][0]["shares"][0]["recipients"][0]["account_name"], "Small Cats");
    let grant = status["sources"][0]["grant_id"].as_str().unwrap();
    world.ok(&format!("federation delete {grant} --yes -o json")).await;
    let status = world.ok("federation status -o json").await.json();
    assert_eq!(status["orphans"][0]["kind"], "share-without-grant", "{status}");
    let remedy = status["orphans"][0]["fix"].as_str().unwrap();
    let line = remedy.trim_matches('`').strip_prefix("cfsso ").unwrap();
    world.ok(&format!("{line} --wait --yes -o json")).await;
    let status = world.ok("federation status -o json").await.json();
    assert_eq!(status["ok"], true, "{status}");
}

#[tokio::test]
async fn a_dry_run_shows_the_requests_and_sends_none_that_writes() {
    let world = World::new().await;
    let line = format!("federation share oidc --to {SMALL} {BIG} --dry-run -o json");
    let plan = world.ok(&line).await.json();
    let paths: Vec<_> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|change| without_ids(change["request"]["path"].as_str().unwrap()))
        .collect();
    assert_eq!(paths, ["/accounts/ID/access/idp_federation_grants", "/accounts/ID/shares"]);
    assert!(world.writes().is_empty());
}

#[tokio::test]
async fn a_token_that_may_not_write_shares_is_told_what_may_help() {
    let world = World::new().await.with_token(Access::AccessOnly);
    let error = world.fails("share list", 5).await;
    assert!(error["hint"].as_str().unwrap().contains("Global API Key"), "{error}");
}

#[tokio::test]
async fn a_share_is_made_listed_renamed_and_deleted_step_by_step() {
    let world = World::new().await;
    let grant = world.ok("federation create oidc -o json").await.json();
    let grant = grant["id"].as_str().unwrap();
    let line = format!(
        "share create one --resource-type idp-federation-grant --resource {grant} --to {SMALL} -o json"
    );
    let share = world.ok(&line).await.json();
    let id = share["id"].as_str().unwrap();
    for line in ["share list -o json", "share list --unpaginated -o json"] {
        assert_eq!(world.ok(line).await.json()[0]["id"], id, "{line}");
    }
    let renamed = world.ok(&format!("share update {id} --name two -o json")).await.json();
    assert_eq!(renamed["name"], "two");
    world.ok(&format!("share recipients add {id} --to {BIG} -o json")).await;
    let all = world.ok(&format!("share recipients list {id} -o json")).await.json();
    assert_eq!(all.as_array().unwrap().len(), 2);
    world.ok(&format!("share recipients remove {id} {BIG} --yes -o json")).await;
    let of = world.ok(&format!("share resources list {id} -o json")).await.json();
    assert_eq!(of[0]["resource_id"], grant);
    let gone = world.ok(&format!("share delete {id} --wait --yes -o json")).await.json();
    assert_eq!(gone["deleted"], true);
}
