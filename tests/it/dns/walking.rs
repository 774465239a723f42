//! From a domain to its name servers.

use std::collections::BTreeSet;
use std::sync::Arc;

use cfsso::dns::{Delegation, Role, Scope, Verdict};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::rdata::NS;
use hickory_proto::rr::{RData, RecordType};
use tokio::sync::Barrier;

use super::network::{Network, Script, answering, silent};
use super::zone::{Zone, code, name, record};
use super::{BRIEF, CODE, PATIENT, domain, look, resolver, walking};

/// The zone `cool.cats`, served by these servers.
fn cats(numbers: &[u8]) -> Zone {
    Zone::new("cool.cats.").ns("cool.cats.", numbers)
}

fn published(numbers: &[u8]) -> Zone {
    cats(numbers).txt("cool.cats.", CODE)
}

/// A resolver that knows several zones: the first that is not REFUSED answers.
fn knowing(zones: Vec<Zone>) -> Script {
    answering(move |query, _| {
        let mut answers = zones.iter().map(|zone| zone.cached(query));
        let known = answers.find(|reply| reply.metadata.response_code != ResponseCode::Refused);
        known.unwrap_or_else(|| code(query, ResponseCode::ServFail))
    })
}

#[tokio::test]
async fn every_address_is_asked_before_any_cache_is() {
    let network = Network::start([
        (1, published(&[2, 3]).cache()),
        (2, published(&[2, 3]).holder()),
        (3, published(&[2, 3]).holder()),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
    assert_eq!(lookup.delegation, Delegation::Zone("cool.cats".to_owned()));
    let names: Vec<_> = lookup.servers.iter().map(|server| server.name.as_deref()).collect();
    assert_eq!(names, [Some("ns2.cool.cats"), Some("ns3.cool.cats"), None]);
    let texts: Vec<u8> = network
        .asked()
        .iter()
        .filter(|asked| asked.name == "cool.cats." && asked.kind == RecordType::TXT)
        .map(|asked| asked.server)
        .collect();
    assert_eq!(texts.last(), Some(&1), "{texts:?}");
    assert_eq!(texts.len(), 3);
    assert!(network.asked_of(2).iter().all(|asked| !asked.recursion));
}

#[tokio::test]
async fn no_cache_learns_that_the_record_is_missing() {
    let lagging = cats(&[2, 3]);
    for (second, verdict) in [
        (lagging.clone(), Verdict::NotPublished),
        (published(&[2, 3]), Verdict::PartiallyPublished),
    ] {
        let network = Network::start([
            (1, lagging.clone().cache()),
            (2, second.holder()),
            (3, lagging.clone().holder()),
        ])
        .await;
        let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
        assert!(network.asked_of(1).iter().all(|asked| asked.kind != RecordType::TXT));
    }
}

#[tokio::test]
async fn all_addresses_are_asked_at_once() {
    // Each answer is held back until all three servers were asked.
    let barrier = Arc::new(Barrier::new(3));
    let held = |zone: Zone| -> Script {
        let barrier = Arc::clone(&barrier);
        Arc::new(move |query, _| {
            let (zone, barrier) = (zone.clone(), Arc::clone(&barrier));
            Box::pin(async move {
                let question = &query.queries[0];
                if question.query_type == RecordType::TXT && question.name == name("cool.cats.") {
                    barrier.wait().await;
                }
                Some(zone.answer(&query).to_vec().unwrap())
            })
        })
    };
    let zone = || published(&[2, 3, 4]);
    let network = Network::start([
        (1, zone().cache()),
        (2, held(zone())),
        (3, held(zone())),
        (4, held(zone())),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
}

#[tokio::test]
async fn silent_and_closed_name_servers_are_named() {
    let network = Network::start([
        (1, published(&[2, 3, 4]).cache()),
        (2, published(&[2, 3, 4]).holder()),
        (3, silent()),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, BRIEF), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::PartiallyPublished, "{lookup:?}");
    assert!(diagnosis.summary.contains("ns3.cool.cats"), "{}", diagnosis.summary);
    let errors: Vec<_> = lookup.servers.iter().filter_map(|server| server.error.as_ref()).collect();
    let errors: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(errors, ["no response within 800 ms", "connection refused"]);
}

#[tokio::test]
async fn a_zone_cut_below_the_registered_domain_is_found() {
    let parent = cats(&[2]).ns("eu.cool.cats.", &[3]);
    let child =
        Zone::new("eu.cool.cats.").ns("eu.cool.cats.", &[3]).txt("mail.eu.cool.cats.", CODE);
    let network = Network::start([
        (1, knowing(vec![child.clone(), cats(&[2])])),
        (2, parent.holder()),
        (3, child.holder()),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "mail.eu.cool.cats").await;
    assert_eq!(lookup.delegation, Delegation::Zone("eu.cool.cats".to_owned()));
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
    let of_cache = network.asked_of(1);
    let before: Vec<_> = of_cache.iter().filter(|asked| asked.kind == RecordType::NS).collect();
    assert!(before.iter().all(|asked| asked.name == "cool.cats."), "{before:?}");
}

#[tokio::test]
async fn a_cut_that_one_server_hides_by_holding_both_zones_is_found() {
    let child = Zone::new("mail.cool.cats.").ns("mail.cool.cats.", &[2, 3]);
    let child = child.txt("mail.cool.cats.", CODE);
    let both = vec![child.clone(), cats(&[2])];
    let network = Network::start([
        (1, knowing(both.clone())),
        (
            2,
            answering(move |query, _| {
                let mut answers = both.iter().map(|zone| zone.answer(query));
                answers.find(|reply| reply.metadata.response_code != ResponseCode::Refused).unwrap()
            }),
        ),
        (3, child.holder()),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "mail.cool.cats").await;
    assert_eq!(lookup.delegation, Delegation::Zone("mail.cool.cats".to_owned()));
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
    assert_eq!(lookup.servers.iter().filter(|one| one.role == Role::Authoritative).count(), 2);
}

#[tokio::test]
async fn a_name_in_its_parents_zone_needs_no_cut() {
    let zone = || cats(&[2]).txt("mail.cool.cats.", CODE);
    let network = Network::start([(1, zone().cache()), (2, zone().holder())]).await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "mail.cool.cats").await;
    assert_eq!(lookup.delegation, Delegation::Zone("cool.cats".to_owned()));
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
}

#[tokio::test]
async fn a_name_that_its_zone_denies_is_nxdomain_and_the_apex_is_looked_at() {
    for (zone, verdict) in [(cats(&[2]), Verdict::Nxdomain), (published(&[2]), Verdict::WrongName)]
    {
        let network = Network::start([(1, zone.clone().cache()), (2, zone.holder())]).await;
        let (lookup, diagnosis) = look(walking(&network, PATIENT), "mail.cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
        let planted = network.asked_of(1);
        assert!(planted.iter().all(|asked| !asked.name.starts_with("mail.")), "{planted:?}");
    }
}

#[tokio::test]
async fn a_domain_that_its_parent_denies_has_no_delegation() {
    let top = Zone::new("cats.").ns("cats.", &[2]).ns("other.cats.", &[3]);
    let network = Network::start([(1, top.clone().cache()), (2, top.holder())]).await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::NoDelegation, "{lookup:?}");
    assert!(lookup.servers.is_empty());
    let parent = format!("{} reports that `cool.cats` does not exist", network.address(2));
    assert!(diagnosis.evidence.contains(&parent), "{diagnosis:?}");
}

#[tokio::test]
async fn a_top_level_domain_that_does_not_exist_has_no_delegation() {
    let network = Network::start([(
        1,
        Zone::new(".").with(record(".", RData::NS(NS(name("ns.root."))))).cache(),
    )])
    .await;
    let (_, diagnosis) = look(walking(&network, PATIENT), "cool.catz").await;
    assert_eq!(diagnosis.verdict, Verdict::NoDelegation);
    let here = network.address(1);
    let denies = |name| format!("{here} reports that `{name}` does not exist");
    assert_eq!(diagnosis.evidence, [denies("cool.catz"), denies("catz")]);
}

#[tokio::test]
async fn a_resolver_that_denies_even_the_root_proves_nothing() {
    let network =
        Network::start([(1, answering(|query, _| code(query, ResponseCode::NXDomain)))]).await;
    let (_, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable);
    let here = network.address(1).to_string();
    let names = |line: &String| line.contains(&here);
    assert!(diagnosis.evidence.iter().any(names), "{diagnosis:?}");
    let fix = diagnosis.remedy.unwrap();
    assert!(fix.contains("DNS resolver") && !fix.contains("register"), "{fix}");
}

#[tokio::test]
async fn a_fresh_registration_that_caches_deny_is_found_at_the_parent() {
    let empty_top = Zone::new("cats.").ns("cats.", &[2]);
    let top = empty_top.clone().ns("cool.cats.", &[3]);
    let network =
        Network::start([(1, empty_top.cache()), (2, top.holder()), (3, published(&[3]).holder())])
            .await;
    let resolver = resolver(walking(&network, PATIENT));
    let lookup =
        resolver.lookup(&domain("cool.cats"), Some(CODE.as_bytes()), Scope::Authoritative).await;
    assert_eq!(lookup.delegation, Delegation::Zone("cool.cats".to_owned()));
    assert!(lookup.servers[0].serves(CODE.as_bytes()), "{lookup:?}");
}

#[tokio::test]
async fn a_delegation_to_servers_without_the_zone_is_lame() {
    // Resolvers fail for the whole zone, so its servers are learnt from the parent.
    let top = Zone::new("cats.").ns("cats.", &[2]);
    let failing = top.clone();
    let network = Network::start([
        (
            1,
            answering(move |query, _| {
                let is_below = name("cool.cats.").zone_of(&query.queries[0].name);
                if is_below { code(query, ResponseCode::ServFail) } else { failing.cached(query) }
            }),
        ),
        (2, top.ns("cool.cats.", &[3, 4]).holder()),
        (3, Zone::new("uncool.cats.").holder()),
        (4, Zone::new("uncool.cats.").holder()),
    ])
    .await;
    let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::LameDelegation, "{lookup:?}");
    assert_eq!(lookup.servers.len(), 2, "{lookup:?}");
}

#[tokio::test]
async fn with_no_resolver_nothing_is_known() {
    let network = Network::start([(1, silent())]).await;
    let (lookup, diagnosis) = look(walking(&network, BRIEF), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable);
    assert_eq!(lookup.delegation, Delegation::Unknown);
    assert_eq!(lookup.servers.len(), 1);
    // It was asked once (a lost packet is sent again), not once more for the TXT records.
    assert!(network.asked().iter().all(|asked| asked.kind == RecordType::NS));
}

#[tokio::test]
async fn a_hostile_delegation_cannot_make_it_ask_the_whole_world() {
    let mut zone = Zone::new("cool.cats.");
    for number in 2..=200 {
        zone = zone.ns("cool.cats.", &[number]);
    }
    let network = Network::start([(1, zone.cache())]).await;
    let (lookup, _) = look(walking(&network, PATIENT), "cool.cats").await;
    let hosts: BTreeSet<_> = lookup.servers.iter().filter_map(|one| one.name.clone()).collect();
    assert!(!hosts.is_empty() && hosts.len() <= 32, "{}", hosts.len());
}

#[tokio::test]
async fn a_name_server_without_an_address_is_told_from_one_that_cannot_be_looked_up() {
    let ns = |host| record("cool.cats.", RData::NS(NS(name(host))));
    for (host, verdict) in
        [("gone.cool.cats.", Verdict::Visible), ("ns.elsewhere.", Verdict::PartiallyPublished)]
    {
        let zone = published(&[2]).with(ns(host));
        let network = Network::start([(1, knowing(vec![zone.clone()])), (2, zone.holder())]).await;
        let (lookup, diagnosis) = look(walking(&network, PATIENT), "cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
        let lost: Vec<_> = lookup.servers.iter().filter(|one| one.error.is_some()).collect();
        assert_eq!(lost.len(), 1, "{lookup:?}");
        assert_eq!(lost[0].name.as_deref(), host.strip_suffix('.'));
    }
}
