//! Every fault, seen from the other end of the wire.

use std::time::Duration;

use cfsso::sandbox::{Access, Fault, FaultTiming, Kind, Sandbox};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::{address, ask, raw};
use super::sandbox;

/// A connection that is kept for several requests.
pub struct Kept {
    stream: TcpStream,
    authorization: String,
}

impl Kept {
    pub async fn connect(sandbox: &Sandbox) -> Self {
        let stream = TcpStream::connect(address(sandbox)).await.unwrap();
        Self { stream, authorization: sandbox.token(Access::Full).to_owned() }
    }

    /// The status of the answer; 0 where the connection is cut.
    pub async fn status(&mut self, request: &str) -> u16 {
        let (method, path) = request.split_once(' ').unwrap();
        let text = format!(
            "{method} /client/v4{path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\n\r\n",
            self.authorization
        );
        self.stream.write_all(text.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let head = loop {
            match self.stream.read_buf(&mut bytes).await {
                Ok(0) | Err(_) => return 0,
                Ok(_) => {}
            }
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = head.lines().find_map(|line| line.strip_prefix("content-length: "));
                if body.len() == length.unwrap().parse::<usize>().unwrap() {
                    break head.to_owned();
                }
            }
        };
        head.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

fn creation(sandbox: &Sandbox) -> (String, Value) {
    let path = format!("POST /accounts/{}/sso_connectors", sandbox.account());
    (path, json!({"email_domain": "cool.cats"}))
}

/// The bytes that answer the creation of a connector.
async fn create_raw(sandbox: &Sandbox) -> Vec<u8> {
    let headers = format!("Authorization: Bearer {}\r\n", sandbox.token(Access::Full));
    let (path, body) = creation(sandbox);
    raw(sandbox, &headers, &path, Some(body)).await.unwrap()
}

/// How many connectors there are.
async fn count(sandbox: &Sandbox) -> usize {
    let path = format!("GET /accounts/{}/sso_connectors", sandbox.account());
    ask(sandbox, Access::Full, &path, None).await.result().as_array().unwrap().len()
}

fn inject(sandbox: &Sandbox, text: &str) {
    sandbox.inject(text.parse().unwrap());
}

#[tokio::test]
async fn a_cut_before_leaves_nothing_done_and_one_after_leaves_it_done() {
    for (fault, done) in [("close-before", 0), ("close-after", 1)] {
        let (sandbox, _) = sandbox().await;
        inject(&sandbox, fault);
        assert_eq!(create_raw(&sandbox).await, b"", "{fault}: not a byte is answered");
        assert_eq!(count(&sandbox).await, done, "{fault}");
        let log = sandbox.log();
        assert_eq!(log[0].status, None, "{fault}");
        assert_eq!((log[1].status, log[1].connection), (Some(200), 2), "{fault}");
    }
}

#[tokio::test]
async fn a_cut_at_the_nth_request_spares_those_before() {
    let (sandbox, _) = sandbox().await;
    sandbox.inject(Fault::cut(3, FaultTiming::Before));
    let mut stream = Kept::connect(&sandbox).await;
    assert_eq!(stream.status("GET /accounts").await, 200);
    assert_eq!(stream.status("GET /zones").await, 200);
    assert_eq!(stream.status("GET /accounts").await, 0);
    let log = sandbox.log();
    assert_eq!(log.len(), 3);
    assert!(log.iter().all(|exchange| exchange.connection == 1), "{log:?}");
    assert_eq!(log[1].path, "/client/v4/zones");
    assert_eq!(log[1].access, Some(Access::Full));
    assert_eq!(ask(&sandbox, Access::Full, "GET /accounts", None).await.status, 200);
}

#[tokio::test]
async fn too_many_requests_come_with_the_time_to_wait() {
    let (sandbox, _) = sandbox().await;
    inject(&sandbox, "429:retry-after=7x2");
    let (path, body) = creation(&sandbox);
    for _ in 0..2 {
        let reply = ask(&sandbox, Access::Full, &path, Some(body.clone())).await;
        assert_eq!(reply.refusal(), (429, 10100));
        assert_eq!(reply.headers["retry-after"], "7");
        assert_eq!(reply.headers["ratelimit"], r#""default";r=0;t=7"#);
    }
    assert_eq!(count(&sandbox).await, 0);
}

#[tokio::test]
async fn a_server_error_is_json_and_a_bad_gateway_is_html_before_or_after_the_deed() {
    for (fault, status, kind, done) in [
        ("500", 500, "application/json", 0),
        ("500:applied", 500, "application/json", 1),
        ("502-html", 502, "text/html; charset=UTF-8", 0),
        ("502-html:applied", 502, "text/html; charset=UTF-8", 1),
    ] {
        let (sandbox, _) = sandbox().await;
        inject(&sandbox, fault);
        let (path, body) = creation(&sandbox);
        let reply = ask(&sandbox, Access::Full, &path, Some(body)).await;
        assert_eq!((reply.status, reply.headers["content-type"].as_str()), (status, kind));
        assert!(reply.headers.contains_key("cf-ray"), "{fault}");
        assert_eq!(reply.text.starts_with("<html>"), status == 502, "{fault}");
        assert_eq!(count(&sandbox).await, done, "{fault}");
    }
}

#[tokio::test]
async fn a_slow_answer_comes_after_its_time_on_the_clock() {
    let (sandbox, clock) = sandbox().await;
    let before = clock.now();
    inject(&sandbox, "slow=2s");
    assert_eq!(count(&sandbox).await, 0);
    assert_eq!(clock.now().duration_since(before), Duration::from_secs(2).try_into().unwrap());
}

#[tokio::test]
async fn a_truncated_answer_is_half_its_json() {
    let (sandbox, _) = sandbox().await;
    inject(&sandbox, "truncate@GET");
    let (path, body) = creation(&sandbox);
    assert_eq!(ask(&sandbox, Access::Full, &path, Some(body)).await.status, 200);
    let reply = ask(&sandbox, Access::Full, &path.replace("POST", "GET"), None).await;
    assert_eq!(reply.status, 200);
    assert!(reply.text.starts_with('{'), "{reply:?}");
    assert!(serde_json::from_str::<Value>(&reply.text).is_err(), "{reply:?}");
    assert_eq!(count(&sandbox).await, 1);
}

#[tokio::test]
async fn a_verification_can_be_made_to_fail() {
    let (sandbox, clock) = sandbox().await;
    sandbox.inject(Kind::VerificationFails.once());
    let (path, body) = creation(&sandbox);
    let made = ask(&sandbox, Access::Full, &path, Some(body)).await.result();
    assert_eq!(made["verification"]["status"], "pending");
    clock.sleep(Duration::from_secs(1)).await;
    let path = format!("{}/{}", path.replace("POST", "GET"), made["id"].as_str().unwrap());
    let made = ask(&sandbox, Access::Full, &path, None).await.result();
    assert_eq!(made["verification"]["status"], "failed");
}

#[tokio::test]
async fn a_fault_happens_to_the_requests_it_names_only() {
    let (sandbox, _) = sandbox().await;
    inject(&sandbox, "500x2@POST/sso_connectors");
    assert_eq!(count(&sandbox).await, 0);
    let (path, body) = creation(&sandbox);
    for status in [500, 500, 200] {
        let reply = ask(&sandbox, Access::Full, &path, Some(body.clone())).await;
        assert_eq!(reply.status, status);
    }
}
