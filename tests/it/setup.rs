//! Scenes of `cfsso setup`.

use serde_json::json;

use crate::harness::World;

#[tokio::test]
async fn a_domain_goes_all_the_way_and_a_second_run_finds_it_done() {
    let world = World::new().await;
    let ran = world.ok("setup cool.cats --publish-txt --enable --yes -o json").await;
    let report = ran.json();
    assert_eq!(report["schema"], "cfsso/setup/v1");
    assert_eq!(report["ok"], true);
    assert_eq!(report["result"]["enabled"], true);
    let states: Vec<_> =
        report["steps"].as_array().unwrap().iter().map(|step| step["state"].clone()).collect();
    assert_eq!(states, vec![json!("done"); 6]);
    let writes = world.writes().len();

    let again = world.ok("setup cool.cats --publish-txt --enable --yes -o json").await.json();
    let steps = again["steps"].as_array().unwrap();
    assert!(steps.iter().all(|step| step["state"] == "done_already"), "{steps:#?}");
    assert_eq!(world.writes().len(), writes, "a second run writes nothing");
}
