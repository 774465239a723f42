//! What is sent again, when, and what is not.

use std::time::Duration;

use cfsso::api::connector;
use cfsso::api::request::WriteRequest;
use cfsso::api::{ErrorKind, RequestError};

use super::requests::{CONNECTOR, account, id};
use super::server::{Reply, Server, answer, bytes, success, waited};

fn failure(status: u16) -> Reply {
    answer(status, "", r#"{"success":false,"errors":[{"code":1,"message":"no"}]}"#)
}

#[tokio::test]
async fn a_throttled_request_waits_as_long_as_the_api_asks() {
    for (headers, seconds) in
        [("retry-after: 30\r\n", 30.0), ("retry-after: Fri, 02 Jan 2026 03:04:25 GMT\r\n", 20.0)]
    {
        let server = Server::start([answer(429, headers, "{}"), success(CONNECTOR)]).await;
        let (client, clock) = server.client();
        // A throttled POST was not applied: it may go again too.
        let request = WriteRequest::<()>::post(&["a"]).with_decoder(|_| Ok(()));
        client.write(&request).await.unwrap();
        assert!((waited(&clock) - seconds).abs() < f64::EPSILON, "{}", waited(&clock));
        assert!(client.unanswered_writes().is_empty());
    }
}

#[tokio::test]
async fn a_wait_that_is_too_long_stops_and_says_how_long() {
    let body = r#"{"success":false,"errors":[{"code":10100,"message":"More than 1200 requests"}]}"#;
    for (seconds, left) in [(300, None), (30, Some(10))] {
        let script = [answer(429, &format!("retry-after: {seconds}\r\n"), body), success("[]")];
        let server = Server::start(script).await;
        let (client, clock) = server.client_with(|config| {
            config.deadline = left.map(|left| super::server::start() + Duration::from_secs(left));
        });
        let error = client.send(&connector::list(&account())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert!(error.fault.to_string().contains(&format!("try again in {seconds} seconds")));
        assert!(error.is_retryable());
        assert!(waited(&clock) < 1.0);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_used_up_rate_limit_holds_the_next_request_back() {
    let body = r#"{"success":true,"result":[]}"#;
    for (header, seconds) in [
        (r#""default";r=0;t=30"#, 30.0),
        (r#""default";r=0;t=3000"#, 60.0),
        (r#""default";r=1;t=30"#, 0.0),
    ] {
        let headers = format!("ratelimit: {header}\r\n");
        let server = Server::start([answer(200, &headers, body), success("[]")]).await;
        let (client, clock) = server.client();
        client.send(&connector::list(&account())).await.unwrap();
        assert!(waited(&clock) < f64::EPSILON);
        client.send(&connector::list(&account())).await.unwrap();
        assert!((waited(&clock) - seconds).abs() < f64::EPSILON, "{header}: {}", waited(&clock));
    }
}

#[tokio::test]
async fn clients_of_many_accounts_stop_together_before_the_window_is_full() {
    let body = r#"{"success":true,"result":[]}"#;
    let nearly = "ratelimit: \"default\";r=16;t=240\r\n";
    let throttled = "retry-after: 200\r\n";
    for (first, own, others) in
        [(answer(200, nearly, body), 0.0, 240.0), (answer(429, throttled, "{}"), 200.0, 200.0)]
    {
        let server = Server::start([first, success("[]"), success("[]")]).await;
        let (client, clock) = server.client();
        let (one, other) = (client.for_account(), client.for_account());
        one.send(&connector::list(&account())).await.unwrap();
        assert!((waited(&clock) - own).abs() < f64::EPSILON, "{}", waited(&clock));
        other.send(&connector::list(&account())).await.unwrap();
        assert!((waited(&clock) - others).abs() < f64::EPSILON, "{}", waited(&clock));
        assert_eq!(server.connections(), 1);
    }
    // A single account gives up on such a wait.
    let server = Server::start([answer(429, throttled, "{}"), success("[]")]).await;
    let (client, _) = server.client();
    let error = client.send(&connector::list(&account())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RateLimited);
}

#[tokio::test]
async fn a_rate_limit_that_outlasts_the_command_stops_it() {
    let headers = "ratelimit: \"default\";r=0;t=30\r\n";
    let body = r#"{"success":true,"result":[]}"#;
    let server = Server::start([answer(200, headers, body), success("[]")]).await;
    let (client, _) = server.client_with(|config| {
        config.deadline = Some(super::server::start() + Duration::from_secs(20));
    });
    client.send(&connector::list(&account())).await.unwrap();
    let error = client.write(&connector::delete(&account(), &id())).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts), (ErrorKind::OutOfTime, 0));
    assert!(!error.outcome_unknown());
    assert!(client.unanswered_writes().is_empty());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_read_is_sent_again_after_any_passing_failure() {
    let cut = br#"{"success":true,"result":[{"id":"#.to_vec();
    let mut torn = bytes(200, "", r#"{"success":true,"result":[]}"#);
    torn.truncate(torn.len() - 5);
    for passing in [
        failure(500),
        failure(502),
        failure(503),
        failure(504),
        answer(524, "", "<html>"),
        failure(408),
        Reply::Hang,
        Reply::SendAndClose(Vec::new()),
        Reply::SendAndClose(b"HTTP/1.1 200 OK\r\ncont".to_vec()),
        Reply::SendAndClose(torn),
        answer(200, "", std::str::from_utf8(&cut).unwrap()),
    ] {
        let server = Server::start([passing.clone(), passing, success("[]")]).await;
        let (client, clock) = server.client();
        client.send(&connector::list(&account())).await.unwrap();
        assert!((1.5..=3.0).contains(&waited(&clock)), "{}", waited(&clock));
    }
}

#[tokio::test]
async fn retries_end_and_are_counted() {
    for max_retries in [0, 1, 4] {
        let server = Server::start(std::iter::repeat_n(failure(503), 9)).await;
        let (client, _) = server.client_with(|config| config.max_retries = max_retries);
        let error = client.send(&connector::list(&account())).await.unwrap_err();
        assert_eq!(error.attempts, max_retries + 1);
        assert_eq!(server.requests().len(), max_retries as usize + 1);
        assert!(error.is_retryable());
    }
}

#[tokio::test]
async fn a_final_answer_is_not_asked_for_again() {
    for status in [400, 401, 403, 404, 409, 412, 422, 501] {
        let server = Server::start([failure(status), success("[]")]).await;
        let (client, _) = server.client();
        let error = client.send(&connector::list(&account())).await.unwrap_err();
        assert_eq!(error.status(), Some(status));
        assert!(!error.is_retryable(), "{status}");
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_tried_again_and_named() {
    // Bound, so that nobody else has it, and not listening.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let server = Server::start([]).await;
    let (client, clock) = server.client_with(|config| {
        config.base = format!("http://{address}").parse().unwrap();
    });
    let error = client.write(&WriteRequest::<()>::post(&["a"])).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts), (ErrorKind::Unavailable, 5));
    let RequestError::NotSent { host, source } = &error.fault else { panic!("{error:?}") };
    assert_eq!(*host, address);
    assert!(source.to_string().to_lowercase().contains("refused"), "{source}");
    assert!(!error.outcome_unknown() && error.is_retryable());
    assert!(client.unanswered_writes().is_empty());
    assert!(waited(&clock) >= 7.5);
}

#[tokio::test]
async fn a_write_that_says_what_it_comes_to_is_sent_again() {
    let server = Server::start([failure(500), Reply::Hang, success(CONNECTOR)]).await;
    let (client, _) = server.client();
    client.write(&connector::set_enabled(&account(), &id(), true)).await.unwrap();
    assert!(client.unanswered_writes().is_empty());
}

#[tokio::test]
async fn a_post_of_unknown_outcome_is_not_repeated_blindly() {
    for lost in [failure(500), Reply::Hang, Reply::SendAndClose(Vec::new())] {
        let server = Server::start([lost, success("null")]).await;
        let (client, _) = server.client();
        let request = connector::begin_verification(&account(), &id());
        let error = client.write(&request).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts), (ErrorKind::Unavailable, 1));
        assert!(error.outcome_unknown() && !error.is_retryable());
        assert_eq!(client.unanswered_writes(), [request.to_string()]);
        assert!(server.requests().len() <= 1);
    }
}

#[tokio::test]
async fn a_deletion_repeated_after_a_lost_answer_may_find_nothing_left() {
    let gone = || failure(404);
    let server = Server::start([Reply::SendAndClose(Vec::new()), gone()]).await;
    let (client, _) = server.client();
    client.write(&connector::delete(&account(), &id())).await.unwrap();
    assert_eq!(server.requests().len(), 2);
    assert!(client.unanswered_writes().is_empty());

    // Without a lost answer, there was nothing to delete.
    for script in [vec![gone()], vec![answer(429, "retry-after: 1\r\n", "{}"), gone()]] {
        let server = Server::start(script).await;
        let (client, _) = server.client();
        let error = client.write(&connector::delete(&account(), &id())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!error.outcome_unknown());
    }
}

#[tokio::test]
async fn an_interrupted_write_is_named() {
    let server = Server::start([success("[]"), Reply::SendAndStall(Vec::new())]).await;
    let (client, _) = server.client();
    client.send(&connector::list(&account())).await.unwrap();
    server.received().await;
    let request = connector::set_enabled(&account(), &id(), false);
    tokio::select! {
        _ = client.write(&request) => panic!("there is no answer"),
        () = server.received() => {}
    }
    assert_eq!(client.unanswered_writes(), [request.to_string()]);
}
