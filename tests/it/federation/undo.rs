//! Scenes of putting federation back from the journal.

use serde_json::json;

use super::{BIG, SMALL, active_shares, grants, received, without_ids};
use crate::harness::World;

/// What undoing the latest run writes, IDs left out.
async fn undo(world: &World) -> Vec<String> {
    super::writes_of(world, "journal undo --yes -o json").await
}

#[tokio::test]
async fn a_recipient_is_taken_out_and_put_back_without_the_others() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    world.ok(&format!("federation share oidc --to {BIG} -o json")).await;
    assert_eq!(undo(&world).await, ["DELETE /shares/ID/recipients/ID"]);
    assert_eq!(received(&world, SMALL).await, 1);
    world.ok(&format!("federation unshare oidc --from {SMALL} --yes -o json")).await;
    assert_eq!(received(&world, SMALL).await, 0);
    assert_eq!(undo(&world).await, ["POST /shares/ID/recipients"]);
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    assert_eq!(received(&world, SMALL).await, 1);
}

#[tokio::test]
async fn sharing_is_undone_share_first_and_then_the_grant() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    let writes = undo(&world).await;
    assert_eq!(writes, ["DELETE /shares/ID", "DELETE /access/idp_federation_grants/ID"]);
    assert!(grants(&world).await.is_empty());
    assert!(active_shares(&world).await.is_empty());
    assert_eq!(world.fails("journal undo --yes", 6).await["exit_code"], 6);
}

#[tokio::test]
async fn a_deleted_grant_is_made_again() {
    let world = World::new().await;
    let grant = world.ok("federation create oidc -o json").await.json();
    let (id, idp) = (grant["id"].as_str().unwrap(), &grant["idp_id"]);
    world.ok(&format!("federation delete {id} --yes -o json")).await;
    assert_eq!(undo(&world).await, ["POST /access/idp_federation_grants"]);
    assert_eq!(&grants(&world).await[0]["idp_id"], idp);
}

#[tokio::test]
async fn a_name_and_a_meta_are_put_back_and_a_deleted_share_says_why_not() {
    let world = World::new().await;
    world.ok(&format!("federation share oidc --to {SMALL} -o json")).await;
    let share = active_shares(&world).await.remove(0);
    let id = share["id"].as_str().unwrap();
    world.ok(&format!("share update {id} --name two -o json")).await;
    assert_eq!(undo(&world).await, ["PUT /shares/ID"]);
    assert_eq!(active_shares(&world).await[0]["name"], share["name"]);

    let resources = world.ok(&format!("share resources list {id} -o json")).await.json();
    let resource = resources[0]["id"].as_str().unwrap();
    let update = format!("share resources update {id} {resource} --meta {{\"a\":1}} -o json");
    let changed = world.ok(&update).await.json();
    assert_eq!(changed["meta"], json!({"a": 1}));
    let writes = world.writes().len();
    world.ok(&update).await;
    assert_eq!(world.writes().len(), writes, "it is so already");
    assert_eq!(undo(&world).await, ["PUT /shares/ID/resources/ID"]);
    let line = format!("share resources get {id} {resource} -o json");
    assert_eq!(world.ok(&line).await.json()["meta"], json!({}));
    assert_eq!(without_ids(&world.requests().pop().unwrap()), "GET /shares/ID/resources/ID");

    world.ok(&format!("share delete {id} --wait --yes -o json")).await;
    let entries = world.ok("journal list -o json").await.json();
    let last = entries.as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let error = world.fails(&format!("journal undo {last} --yes"), 11).await;
    assert!(error["causes"].to_string().contains("cannot be restored"), "{error}");
}
