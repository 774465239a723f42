//! Waiting for the code to be published.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cfsso::clock::Clock;
use cfsso::dns::Verdict::{NotPublished, PartiallyPublished, Visible};
use cfsso::dns::{Resolver, wait_until_visible};
use hickory_proto::rr::RecordType;

use super::network::{Network, answering};
use super::zone::Zone;
use super::{CODE, PATIENT, domain, naming, now, walking};

#[tokio::test]
async fn it_looks_until_every_server_serves_the_code() {
    let looks = Arc::new(AtomicUsize::new(0));
    let (before, after) =
        (Zone::new("cool.cats."), Zone::new("cool.cats.").txt("cool.cats.", CODE));
    let counted = Arc::clone(&looks);
    let network = Network::start([
        (1, after.clone().holder()),
        (
            2,
            answering(move |query, _| {
                let is_published = counted.load(Ordering::SeqCst) >= 3;
                if is_published { after.answer(query) } else { before.answer(query) }
            }),
        ),
    ])
    .await;
    let clock = Clock::fake(now());
    let resolver = Resolver::new(naming(&network, &[1, 2], PATIENT), clock.clone());
    let deadline = now() + jiff::SignedDuration::from_hours(1);
    let mut seen = Vec::new();
    let awaited = wait_until_visible(
        &resolver,
        &domain("cool.cats"),
        Some(CODE.as_bytes()),
        deadline,
        |diagnosis| {
            looks.fetch_add(1, Ordering::SeqCst);
            seen.push(diagnosis.verdict);
        },
    )
    .await;
    assert_eq!(awaited.diagnosis.verdict, Visible);
    assert_eq!(seen, [PartiallyPublished, PartiallyPublished, PartiallyPublished, Visible]);
    let waited = now().duration_until(clock.now()).as_secs();
    assert!((6..60).contains(&waited), "{waited}");
}

#[tokio::test]
async fn it_stops_at_the_deadline_and_never_asks_a_cache_for_the_record() {
    let zone = || Zone::new("cool.cats.").ns("cool.cats.", &[2]);
    let network = Network::start([(1, zone().cache()), (2, zone().holder())]).await;
    let clock = Clock::fake(now());
    let resolver = Resolver::new(walking(&network, PATIENT), clock.clone());
    let deadline = now() + jiff::SignedDuration::from_mins(5);
    let mut looks = 0;
    let awaited = wait_until_visible(
        &resolver,
        &domain("cool.cats"),
        Some(CODE.as_bytes()),
        deadline,
        |_| {
            looks += 1;
        },
    )
    .await;
    assert_eq!(awaited.diagnosis.verdict, NotPublished);
    assert_eq!(clock.now(), deadline);
    assert!((5..40).contains(&looks), "{looks}");
    assert!(network.asked_of(1).iter().all(|asked| asked.kind != RecordType::TXT));
}
