//! The name server, asked with real packets.

use std::net::SocketAddr;
use std::time::Duration;

use cfsso::sandbox::{Access, Sandbox};
use hickory_proto::op::{Message, MessageType, OpCode, Query, ResponseCode};
use hickory_proto::rr::{Name, RData, RecordType};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

use super::client::ask;
use super::sandbox;

fn question(name: &str, kind: RecordType) -> Vec<u8> {
    let mut message = Message::new(7, MessageType::Query, OpCode::Query);
    message.add_query(Query::query(Name::from_ascii(name).unwrap(), kind));
    message.to_vec().unwrap()
}

async fn udp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    socket.send_to(&question(name, kind), server).await.unwrap();
    let mut bytes = [0; 4096];
    let answered = tokio::time::timeout(Duration::from_secs(10), socket.recv(&mut bytes));
    let length = answered.await.expect("an answer").unwrap();
    Message::from_vec(&bytes[..length]).unwrap()
}

async fn tcp(server: SocketAddr, name: &str, kind: RecordType) -> Message {
    let mut stream = TcpStream::connect(server).await.unwrap();
    let question = question(name, kind);
    stream.write_u16(question.len().try_into().unwrap()).await.unwrap();
    stream.write_all(&question).await.unwrap();
    let mut bytes = vec![0; stream.read_u16().await.unwrap().into()];
    stream.read_exact(&mut bytes).await.unwrap();
    Message::from_vec(&bytes).unwrap()
}

fn texts(message: &Message) -> Vec<String> {
    let text = |data: &RData| match data {
        RData::TXT(txt) => Some(String::from_utf8(txt.txt_data.concat()).unwrap()),
        _ => None,
    };
    let mut texts: Vec<String> =
        message.answers.iter().filter_map(|record| text(&record.data)).collect();
    texts.sort();
    texts
}

/// Creates a TXT record in `cool.cats`.
async fn create(sandbox: &Sandbox, name: &str, content: &str) {
    let path = "POST /zones/c001ca7520e000000000000000000001/dns_records";
    let body = json!({"type": "TXT", "name": name, "content": content, "ttl": 120});
    ask(sandbox, Access::Full, path, Some(body)).await.result();
}

#[tokio::test]
async fn a_record_created_through_the_api_is_served_over_udp_and_tcp() {
    let (sandbox, _) = sandbox().await;
    create(&sandbox, "cool.cats", "hello").await;
    let server = sandbox.dns_server();
    for message in [
        udp(server, "cool.cats.", RecordType::TXT).await,
        tcp(server, "Cool.CATS.", RecordType::TXT).await,
    ] {
        assert_eq!(message.metadata.response_code, ResponseCode::NoError);
        assert!(message.metadata.authoritative);
        assert_eq!(texts(&message), ["hello", "v=spf1 -all"]);
    }
}

#[tokio::test]
async fn wildcards_and_aliases_answer_as_they_should() {
    let (sandbox, _) = sandbox().await;
    create(&sandbox, "*.cool.cats", "any").await;
    let path = "POST /zones/c001ca7520e000000000000000000001/dns_records";
    let alias = json!({"type": "CNAME", "name": "alias", "content": "cool.cats", "ttl": 1});
    ask(&sandbox, Access::Full, path, Some(alias)).await.result();
    let server = sandbox.dns_server();
    assert_eq!(texts(&udp(server, "some.cool.cats.", RecordType::TXT).await), ["any"]);
    let aliased = udp(server, "alias.cool.cats.", RecordType::TXT).await;
    assert_eq!(aliased.answers[0].record_type(), RecordType::CNAME);
    assert_eq!(aliased.answers[0].ttl, 300, "automatic is five minutes");
    assert_eq!(texts(&aliased), ["v=spf1 -all"]);
}

#[tokio::test]
async fn what_does_not_exist_is_told_from_what_has_no_such_record() {
    let (sandbox, _) = sandbox().await;
    create(&sandbox, "deep.mail.cool.cats", "hello").await;
    let server = sandbox.dns_server();
    for (name, kind, code) in [
        ("nothing.cool.cats.", RecordType::TXT, ResponseCode::NXDomain),
        ("cool.cats.", RecordType::AAAA, ResponseCode::NoError),
        ("mail.cool.cats.", RecordType::TXT, ResponseCode::NoError),
    ] {
        let message = udp(server, name, kind).await;
        assert_eq!(message.metadata.response_code, code, "{name}");
        assert!(message.metadata.authoritative, "{name}");
        assert!(message.answers.is_empty(), "{name}");
        let soa = message.authorities.iter().find_map(|record| match &record.data {
            RData::SOA(soa) => Some((record.ttl, soa.minimum)),
            _ => None,
        });
        assert_eq!(soa, Some((1800, 1800)), "{name}: the SOA says how long that is kept");
    }
}

#[tokio::test]
async fn a_name_outside_of_every_zone_is_refused() {
    let (sandbox, _) = sandbox().await;
    for name in ["example.com.", "cats.", "."] {
        let message = udp(sandbox.dns_server(), name, RecordType::TXT).await;
        assert_eq!(message.metadata.response_code, ResponseCode::Refused, "{name}");
    }
}

#[tokio::test]
async fn zones_have_soa_and_ns_and_their_serial_grows() {
    let (sandbox, _) = sandbox().await;
    let server = sandbox.dns_server();
    let serial = async || match &udp(server, "cool.cats.", RecordType::SOA).await.answers[0].data {
        RData::SOA(soa) => soa.serial,
        other => panic!("{other}"),
    };
    let before = serial().await;
    create(&sandbox, "cool.cats", "hello").await;
    assert!(serial().await > before);
    let servers = udp(server, "cool.cats.", RecordType::NS).await;
    assert_eq!(servers.answers.len(), 2);
    for name in ["ada.ns.cfsso.test.", "ns1.elsewhere.test."] {
        let address = udp(server, name, RecordType::A).await;
        assert_eq!(address.answers.len(), 1, "the name servers' names resolve");
    }
}

#[tokio::test]
async fn a_zone_that_is_not_delegated_here_is_served_as_it_is_elsewhere() {
    let (sandbox, _) = sandbox().await;
    let server = sandbox.dns_server();
    let pending = "POST /zones/c001ca7520e000000000000000000003/dns_records";
    let body = json!({"type": "TXT", "name": "pending.cats", "content": "unseen", "ttl": 120});
    ask(&sandbox, Access::Full, pending, Some(body)).await.result();
    sandbox.publish("pending.cats", "seen").await.unwrap();
    let message = udp(server, "pending.cats.", RecordType::TXT).await;
    assert_eq!(texts(&message), ["seen", "v=spf1 -all"]);
    sandbox.withdraw("pending.cats", "seen").await.unwrap();
    let message = udp(server, "pending.cats.", RecordType::TXT).await;
    assert_eq!(texts(&message), ["v=spf1 -all"]);
}

#[tokio::test]
async fn an_answer_too_large_for_udp_is_truncated_and_whole_over_tcp() {
    let (sandbox, _) = sandbox().await;
    for number in 0..6 {
        create(&sandbox, "big.cool.cats", &format!("{number}{}", "x".repeat(200))).await;
    }
    let server = sandbox.dns_server();
    let cut = udp(server, "big.cool.cats.", RecordType::TXT).await;
    assert!(cut.metadata.truncation);
    let whole = tcp(server, "big.cool.cats.", RecordType::TXT).await;
    assert!(!whole.metadata.truncation);
    assert_eq!(texts(&whole).len(), 6);
}

#[tokio::test]
async fn a_code_among_many_records_is_found_over_tcp() {
    let (sandbox, clock) = sandbox().await;
    let path = format!("/accounts/{}/sso_connectors", sandbox.account());
    let body = json!({"email_domain": "cool.cats"});
    let made = ask(&sandbox, Access::Full, &format!("POST {path}"), Some(body)).await.result();
    for number in 0..9 {
        create(&sandbox, "cool.cats", &format!("{number}{}", "x".repeat(200))).await;
    }
    create(&sandbox, "cool.cats", made["verification"]["code"].as_str().unwrap()).await;
    clock.sleep(Duration::from_secs(1)).await;
    let get = format!("GET {path}/{}", made["id"].as_str().unwrap());
    let now = ask(&sandbox, Access::Full, &get, None).await.result();
    assert_eq!(now["verification"]["status"], "verified");
}
