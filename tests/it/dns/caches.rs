//! Recursive resolvers that remember what was, or refuse what is badly signed.

use cfsso::dns::{Dnssec, Rcode, Report, Role, Verdict};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::network::{Network, Script, answering, silent};
use super::zone::{Zone, code, extended};
use super::{BRIEF, CODE, OTHER, PATIENT, domain, look, walking};
use crate::schema::assert_conforms;

fn cats() -> Zone {
    Zone::new("cool.cats.").ns("cool.cats.", &[2])
}

/// Answers for name servers from the zone, for TXT records from the script.
fn for_txt(
    answer: impl Fn(&hickory_proto::op::Message) -> hickory_proto::op::Message + Send + Sync + 'static,
) -> Script {
    let zone = cats();
    answering(move |query, _| match query.queries[0].query_type {
        RecordType::TXT => {
            let mut reply = answer(query);
            reply.metadata.recursion_available = true;
            reply
        }
        _ => zone.cached(query),
    })
}

async fn beside(cache: Script) -> (cfsso::dns::Lookup, cfsso::dns::Diagnosis) {
    let network = Network::start([(1, cache), (2, cats().txt("cool.cats.", CODE).holder())]).await;
    look(walking(&network, PATIENT), "cool.cats").await
}

#[tokio::test]
async fn an_absence_is_remembered_for_its_time() {
    let (lookup, diagnosis) = beside(cats().cache()).await;
    assert_eq!(diagnosis.verdict, Verdict::CachedNegative, "{lookup:?}");
    assert_eq!(diagnosis.visible_at, Some("2026-03-01T12:10:00Z".parse().unwrap()));
}

#[tokio::test]
async fn old_records_are_remembered_for_their_time() {
    let (lookup, diagnosis) = beside(cats().txt("cool.cats.", OTHER).cache()).await;
    assert_eq!(diagnosis.verdict, Verdict::CachedStale, "{lookup:?}");
    assert_eq!(diagnosis.visible_at, Some("2026-03-01T12:05:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_validating_resolver_says_why_it_refuses() {
    let refuse = |query: &_| {
        extended(code(query, ResponseCode::ServFail), 7, "signature expired on \u{1}cool.cats")
    };
    let (lookup, diagnosis) = beside(for_txt(refuse)).await;
    assert_eq!(diagnosis.verdict, Verdict::DnssecBogus, "{lookup:?}");
    let cache = lookup.servers.iter().find(|server| server.role == Role::Recursive).unwrap();
    assert_eq!((cache.rcode, cache.dnssec), (Some(Rcode::SERVFAIL), Some(Dnssec::Bogus)));
    assert_eq!(
        cache.extended_errors,
        ["7: signature expired: signature expired on \\001cool.cats"]
    );
}

#[tokio::test]
async fn a_failure_that_goes_away_unchecked_is_one_of_validation() {
    for (answers_unchecked, verdict) in
        [(true, Verdict::DnssecBogus), (false, Verdict::Unreachable)]
    {
        let zone = cats().txt("cool.cats.", CODE);
        let (lookup, diagnosis) = beside(for_txt(move |query| {
            if query.metadata.checking_disabled && answers_unchecked {
                zone.cached(query)
            } else {
                code(query, ResponseCode::ServFail)
            }
        }))
        .await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
    }
}

#[tokio::test]
async fn validated_data_is_marked() {
    let zone = cats().txt("cool.cats.", CODE);
    let (lookup, diagnosis) = beside(for_txt(move |query| {
        let mut reply = zone.cached(query);
        reply.metadata.authentic_data = query.metadata.authentic_data;
        reply
    }))
    .await;
    assert_eq!(diagnosis.verdict, Verdict::Visible);
    let cache = lookup.servers.iter().find(|server| server.role == Role::Recursive).unwrap();
    assert_eq!(cache.dnssec, Some(Dnssec::Secure));
}

#[tokio::test]
async fn a_dead_resolver_beside_a_live_one_leaves_the_code_unproven_there() {
    let zone = || cats().txt("cool.cats.", CODE);
    let network = Network::start([(1, zone().cache()), (2, zone().holder()), (3, silent())]).await;
    let mut config = walking(&network, BRIEF);
    config.recursive.push(network.address(3));
    let (lookup, diagnosis) = look(config, "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable, "{lookup:?}");
    assert!(diagnosis.summary.contains("visible on all name servers"));
}

#[tokio::test]
async fn the_report_has_the_shape_that_its_schema_says() {
    let (lookup, diagnosis) = beside(cats().txt("cool.cats.", OTHER).cache()).await;
    let report = Report::new(&domain("cool.cats"), Some(CODE.as_bytes()), lookup, diagnosis);
    let json = serde_json::to_value(&report).unwrap();
    let schema = schemars::schema_for!(Report);
    assert_conforms(schema.as_value(), &json);
    assert_eq!(json["schema"], "cfsso/dig/v1");
    assert_eq!(json["verdict"], "cached-stale");
    assert_eq!(json["visible_at"], "2026-03-01T12:05:00Z");
    assert_eq!(json["texts"], serde_json::json!([CODE, OTHER]));
    let server = &json["servers"][0];
    for field in [
        "server",
        "name",
        "role",
        "transport",
        "rcode",
        "authoritative",
        "truncated",
        "dnssec",
        "ttl",
        "soa_serial",
        "rtt_ms",
        "records",
        "error",
    ] {
        assert!(server.get(field).is_some(), "{field}");
    }
    assert_eq!(server["role"], "authoritative");
    assert_eq!(server["transport"], "udp");
    assert_eq!(server["rcode"], "NOERROR");
    assert_eq!(server["records"][0], serde_json::json!({ "text": CODE, "strings": [CODE] }));
}
