//! Servers named by hand.

use cfsso::dns::{Delegation, PREFIX, Role, Scope, Transport, Verdict, short_lines, sso_codes};
use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;

use super::network::{Network, Via, answering, silent};
use super::zone::{Zone, code, txt};
use super::{BRIEF, CODE, OTHER, PATIENT, domain, look, naming, now, resolver};

fn cats() -> Zone {
    Zone::new("cool.cats.")
}

fn published() -> Zone {
    cats().txt("cool.cats.", CODE)
}

#[tokio::test]
async fn all_named_servers_serve_it() {
    let network = Network::start([(1, published().holder()), (2, published().holder())]).await;
    let (lookup, diagnosis) = look(naming(&network, &[2, 1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
    assert_eq!(lookup.delegation, Delegation::CustomServers);
    let servers: Vec<_> = lookup.servers.iter().map(|server| server.server.clone()).collect();
    assert_eq!(servers, [network.address(1).to_string(), network.address(2).to_string()]);
    let first = &lookup.servers[0];
    assert_eq!((first.role, first.transport), (Role::Authoritative, Transport::Udp));
    assert!(first.authoritative && !first.truncated);
    assert_eq!((first.ttl, first.soa_serial), (Some(300), Some(2_026_030_101)));
}

#[tokio::test]
async fn one_lags_one_refuses_one_is_silent_one_is_closed() {
    let refusing = answering(|query, _| code(query, ResponseCode::Refused));
    let network = Network::start([
        (1, published().holder()),
        (2, cats().holder()),
        (3, refusing),
        (4, silent()),
    ])
    .await;
    for (numbers, verdict) in [
        (&[1][..], Verdict::Visible),
        (&[1, 2], Verdict::PartiallyPublished),
        (&[1, 3], Verdict::LameDelegation),
        (&[1, 4], Verdict::PartiallyPublished),
        (&[1, 5], Verdict::PartiallyPublished),
        (&[2], Verdict::NotPublished),
        (&[3], Verdict::LameDelegation),
        (&[4], Verdict::Unreachable),
        (&[5], Verdict::Unreachable),
        (&[1, 2, 3, 4, 5], Verdict::PartiallyPublished),
    ] {
        let (lookup, diagnosis) = look(naming(&network, numbers, BRIEF), "cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{numbers:?} {lookup:?}");
        assert_eq!(lookup.servers.len(), numbers.len());
        // The user named them: the delegation is not the cause.
        let fix = diagnosis.remedy.unwrap_or_default();
        assert!(!fix.contains("delegation") && !fix.contains("registrar"), "{numbers:?} {fix}");
    }
}

#[tokio::test]
async fn a_host_name_is_resolved_and_kept_and_one_without_address_is_an_entry() {
    let network = Network::start([(1, published().holder())]).await;
    let mut config = naming(&network, &[], PATIENT);
    config.servers = vec![
        format!("localhost:{}", network.port()).parse().unwrap(),
        "nowhere.invalid:53".parse().unwrap(),
    ];
    let (lookup, _) = look(config, "cool.cats").await;
    let here = network.address(1).to_string();
    let found = lookup.servers.iter().find(|server| server.server == here).unwrap();
    assert_eq!(found.name.as_deref(), Some("localhost"));
    assert!(found.serves(CODE.as_bytes()));
    let lost = lookup.servers.iter().find(|server| server.server == "nowhere.invalid:53").unwrap();
    assert!(lost.error.is_some());
}

#[tokio::test]
async fn a_truncated_answer_is_had_over_tcp() {
    let zone = published();
    let network = Network::start([(
        1,
        answering(move |query, via| {
            let mut reply = zone.answer(query);
            if via == Via::Udp {
                reply.metadata.truncation = true;
                reply.answers.clear();
            }
            reply
        }),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
    assert_eq!(lookup.servers[0].transport, Transport::Tcp);
    assert!(lookup.servers[0].truncated);
}

#[tokio::test]
async fn a_truncated_answer_that_tcp_does_not_complete_proves_nothing() {
    let zone = published();
    let network = Network::start([(
        1,
        std::sync::Arc::new(move |query: hickory_proto::op::Message, via| {
            let mut reply = zone.answer(&query);
            reply.metadata.truncation = true;
            let packet = (via == Via::Udp).then(|| reply.to_vec().unwrap());
            Box::pin(async move { packet }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        }),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], BRIEF), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable);
    let server = &lookup.servers[0];
    assert!(server.truncated && server.records.is_empty());
    assert!(server.error.as_ref().unwrap().to_string().contains("over TCP"));
}

#[tokio::test]
async fn an_old_server_is_asked_again_without_edns() {
    let zone = published();
    let network = Network::start([(
        1,
        answering(move |query, _| match &query.edns {
            Some(_) => {
                let mut reply = code(query, ResponseCode::FormErr);
                reply.edns = None;
                reply
            }
            None => zone.answer(query),
        }),
    )])
    .await;
    let (_, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible);
}

#[tokio::test]
async fn absence_is_told_apart() {
    let below = Zone::new("cats.").txt("other.cats.", CODE);
    for (zone, verdict) in [
        (cats(), Verdict::NotPublished),
        (below, Verdict::Nxdomain),
        (cats().cname("cool.cats.", "shop.example."), Verdict::CnameConflict),
        (cats().txt("cool.cats.", OTHER), Verdict::WrongValue),
        (cats().txt("www.cool.cats.", CODE), Verdict::WrongName),
        (cats().txt("*.cool.cats.", CODE), Verdict::WrongName),
        (cats().txt("cool.cats.cool.cats.", CODE), Verdict::WrongName),
        (cats().txt("_cloudflare_dashboard_sso.cool.cats.", CODE), Verdict::WrongName),
    ] {
        let network = Network::start([(1, zone.holder())]).await;
        let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
        assert_eq!(diagnosis.verdict, verdict, "{lookup:?}");
        assert_eq!(lookup.servers[0].negative_ttl, Some(600), "{verdict}");
    }
}

#[tokio::test]
async fn strings_are_joined_within_a_record_and_bytes_are_kept() {
    let split: &[&[u8]] = &[b"cloudflare_dashboard_", b"sso=5f2c9a"];
    let raw: &[&[u8]] = &[b"caf\xc3\xa9 \"\\\xff"];
    let zone = cats().with(txt("cool.cats.", split)).with(txt("cool.cats.", raw));
    let network = Network::start([(1, zone.holder())]).await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible);
    assert_eq!(
        short_lines(&lookup),
        [r#""cloudflare_dashboard_" "sso=5f2c9a""#, r#""caf\195\169 \"\\\255""#]
    );
    assert_eq!(sso_codes(&lookup), [CODE.as_bytes()]);
    let json = serde_json::to_value(&lookup.servers[0].records[0]).unwrap();
    assert_eq!(json["strings"], serde_json::json!(["cloudflare_dashboard_", "sso=5f2c9a"]));
}

#[tokio::test]
async fn an_alias_is_printed_before_what_it_leads_to() {
    let zone = Zone::new("cats.").cname("cool.cats.", "shop.cats.").txt("shop.cats.", CODE);
    let network = Network::start([(
        1,
        answering(move |query, _| {
            let mut reply = zone.answer(query);
            if query.queries[0].query_type == RecordType::TXT {
                reply.add_answer(txt("shop.cats.", &[CODE.as_bytes()]));
                reply.add_answer(txt("stray.cats.", &[b"not requested"]));
            }
            reply
        }),
    )])
    .await;
    let (lookup, _) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(short_lines(&lookup), ["shop.cats.".to_owned(), format!("\"{CODE}\"")]);
}

#[tokio::test]
async fn a_cache_shows_by_its_flags_and_is_not_asked_for_wrong_names() {
    let network = Network::start([(1, cats().cache())]).await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(lookup.servers[0].role, Role::Recursive);
    assert_eq!(diagnosis.verdict, Verdict::NotPublished);
    assert_eq!(diagnosis.visible_at, Some("2026-03-01T12:10:00Z".parse().unwrap()));
    assert!(network.asked().iter().all(|asked| asked.name == "cool.cats." && asked.recursion));
}

#[tokio::test]
async fn without_an_expected_code_what_is_there_is_judged() {
    let network = Network::start([(1, published().holder()), (2, cats().holder())]).await;
    for (number, verdict, codes) in [(1, Verdict::Visible, 1), (2, Verdict::NotPublished, 0)] {
        let resolver = resolver(naming(&network, &[number], PATIENT));
        let lookup = resolver.lookup(&domain("cool.cats"), None, Scope::All).await;
        assert_eq!(cfsso::dns::diagnose(&lookup, None, now()).verdict, verdict);
        assert_eq!(sso_codes(&lookup).len(), codes);
        assert!(sso_codes(&lookup).iter().all(|code| code.starts_with(PREFIX.as_bytes())));
    }
}
