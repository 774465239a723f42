//! Answers that no honest server sends.

use cfsso::dns::{Failure, Verdict};
use hickory_proto::op::{Message, Query};
use hickory_proto::rr::RecordType;

use super::network::{Network, Via, answering, sending};
use super::zone::{Zone, name, txt};
use super::{BRIEF, CODE, PATIENT, look, naming};

fn published() -> Zone {
    Zone::new("cool.cats.").txt("cool.cats.", CODE)
}

fn changed(change: impl Fn(&mut Message) + Send + Sync + 'static) -> super::network::Script {
    let zone = published();
    answering(move |query, _| {
        let mut reply = zone.answer(query);
        change(&mut reply);
        reply
    })
}

#[tokio::test]
async fn an_answer_to_another_question_is_no_answer() {
    let network = Network::start([
        (1, changed(|reply| reply.metadata.id ^= 1)),
        (
            2,
            changed(|reply| {
                reply.queries = vec![Query::query(name("cold.cats."), RecordType::TXT)];
            }),
        ),
        (3, changed(|reply| reply.queries.clear())),
        (4, sending(|query, _| query.to_vec().unwrap())),
    ])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1, 2, 3, 4], BRIEF), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable, "{lookup:?}");
    for server in &lookup.servers {
        assert_eq!(server.error, Some(Failure::TimedOut(BRIEF)), "{server:?}");
    }
}

#[tokio::test]
async fn records_of_another_name_do_not_count() {
    let network = Network::start([(
        1,
        changed(|reply| reply.answers = vec![txt("cold.cats.", &[CODE.as_bytes()])]),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::NotPublished, "{lookup:?}");
}

#[tokio::test]
async fn rubbish_with_the_right_id_is_malformed() {
    let rubbish = |query: &Message, _| {
        let mut packet = query.metadata.id.to_be_bytes().to_vec();
        // A response whose only name points at itself.
        packet.extend([0x84, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0xc0, 12, 0, 16, 0, 1]);
        packet
    };
    let network = Network::start([(1, sending(rubbish))]).await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Unreachable);
    assert!(matches!(lookup.servers[0].error, Some(Failure::Malformed(_))), "{lookup:?}");
}

#[tokio::test]
async fn aliases_in_a_circle_come_to_an_end() {
    let circle =
        Zone::new("cats.").cname("cool.cats.", "cold.cats.").cname("cold.cats.", "cool.cats.");
    let network = Network::start([(
        1,
        answering(move |query, _| {
            let mut reply = circle.answer(query);
            let mut other = query.clone();
            other.queries = vec![Query::query(name("cold.cats."), RecordType::TXT)];
            reply.add_answers(circle.answer(&other).answers);
            reply
        }),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::CnameConflict);
    assert!(lookup.servers[0].aliases.len() <= 16);
}

#[tokio::test]
async fn thousands_of_records_are_read_to_a_limit() {
    let mut zone = published();
    for number in 0..3000 {
        zone = zone.txt("cool.cats.", &format!("{number}"));
    }
    let network = Network::start([(
        1,
        answering(move |query, via| {
            let mut reply = zone.answer(query);
            if via == Via::Udp && query.queries[0].query_type == RecordType::TXT {
                reply = reply.truncate();
            }
            reply
        }),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], PATIENT), "cool.cats").await;
    let server = &lookup.servers[0];
    assert_eq!(server.records.len(), 1000, "{:?}", server.error);
    assert!(server.truncated);
    // What is kept are the codes first: a flood cannot push them out.
    assert_eq!(diagnosis.verdict, Verdict::Visible);
}

#[tokio::test]
async fn a_lost_packet_is_sent_again() {
    let zone = published();
    let seen = std::sync::Mutex::new(std::collections::HashSet::new());
    let network = Network::start([(
        1,
        std::sync::Arc::new(move |query: Message, _| {
            // The first packet of each question is lost.
            let is_repeated = !seen.lock().unwrap().insert(query.metadata.id);
            let packet = is_repeated.then(|| zone.answer(&query).to_vec().unwrap());
            Box::pin(async move { packet }) as std::pin::Pin<Box<dyn Future<Output = _> + Send>>
        }),
    )])
    .await;
    let (lookup, diagnosis) = look(naming(&network, &[1], BRIEF * 2), "cool.cats").await;
    assert_eq!(diagnosis.verdict, Verdict::Visible, "{lookup:?}");
}
