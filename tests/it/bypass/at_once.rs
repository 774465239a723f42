//! Scenes of two bypasses at the same time, one overtaking the other at any
//! request.

use super::{locked, sent};
use crate::harness::{Ran, World};

/// Runs `line` twice, the second once the first has come to its `at`-th request.
async fn twice(world: &World, line: &str, at: usize) -> (Ran, Ran) {
    let from = world.sandbox.log().len();
    let second = async {
        while world.sandbox.log().len() < from + at {
            tokio::task::yield_now().await;
        }
        world.run(line).await
    };
    tokio::join!(world.run(line), second)
}

#[tokio::test]
async fn the_same_bypass_twice_at_once_is_undone_to_the_first_state() {
    for line in ["bypass disable --all --yes", "bypass otp --yes", "bypass otp --all-idps --yes"] {
        let count = sent(&locked().await, line).await.1.len();
        for at in 0..=count {
            let world = locked().await;
            let before = world.sandbox.snapshot();
            let (first, second) = Box::pin(twice(&world, line, at)).await;
            assert_eq!((first.code, second.code), (0, 0), "{line} {at} {first:?} {second:?}");
            assert_ne!(world.sandbox.snapshot(), before, "{line} {at}");
            let undone = world.run("bypass undo --yes").await;
            assert_eq!(undone.code, 0, "{line} {at} {first:?} {second:?} {undone:?}");
            assert_eq!(world.sandbox.snapshot(), before, "{line} {at} {first:?} {second:?}");
            let status = world.ok("bypass status -o json").await.json();
            assert_eq!(status["active"], false, "{line} {at}: {status}");
        }
    }
}

#[tokio::test]
async fn both_bypasses_at_once_are_undone_to_the_first_state() {
    let world = locked().await;
    let before = world.sandbox.snapshot();
    let (otp, disable) =
        tokio::join!(world.ok("bypass otp --yes"), world.ok("bypass disable --all --yes"));
    assert!(otp.stdout.contains("bypass undo") && disable.stdout.contains("bypass undo"));
    world.ok("bypass undo --yes").await;
    assert_eq!(world.sandbox.snapshot(), before);
}

#[tokio::test]
async fn the_same_undo_twice_at_once_leads_to_the_first_state() {
    let build = async || {
        let world = locked().await;
        let before = world.sandbox.snapshot();
        world.ok("bypass otp --yes").await;
        (world, before)
    };
    let line = "bypass undo --yes";
    let count = sent(&build().await.0, line).await.1.len();
    for at in (0..=count).step_by(2) {
        let (world, before) = build().await;
        let (first, second) = Box::pin(twice(&world, line, at)).await;
        assert_eq!((first.code, second.code), (0, 0), "{at} {first:?} {second:?}");
        assert_eq!(world.sandbox.snapshot(), before, "{at} {first:?} {second:?}");
    }
}
