//! Answers that are slow, cut, or larger than anybody wants.

use std::time::Duration;

use cfsso::api::connector;
use cfsso::api::{ErrorKind, RequestError};

use super::requests::{CONNECTOR, account, id};
use super::server::{Reply, Server, answer, bytes, start, success};

const SHORT: Duration = Duration::from_millis(400);

#[tokio::test]
async fn a_slow_answer_ends_at_the_time_limit() {
    let body = bytes(200, "", &format!(r#"{{"success":true,"result":{CONNECTOR}}}"#));
    let half = body[..body.len() - 9].to_vec();
    for (sent, ray) in [(Vec::new(), None), (half, Some("ray200"))] {
        let server = Server::start([Reply::SendAndStall(sent)]).await;
        let (client, _) = server.client_with(|config| {
            config.request_timeout = SHORT;
            config.max_retries = 0;
        });
        let error = client.send(&connector::get(&account(), &id())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable);
        let RequestError::NoResponse { source, .. } = &error.fault else { panic!("{error:?}") };
        assert_eq!(source.to_string(), "the time limit of 400ms passed");
        assert_eq!(error.ray(), ray);
    }
}

#[tokio::test]
async fn a_slow_answer_is_given_up_for_a_quick_one() {
    let server = Server::start([Reply::SendAndStall(Vec::new()), success("[]")]).await;
    let (client, _) = server.client_with(|config| config.request_timeout = SHORT);
    client.send(&connector::list(&account())).await.unwrap();
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn the_commands_deadline_caps_every_request() {
    let server = Server::start([Reply::SendAndStall(Vec::new())]).await;
    let (client, _) = server.client_with(|config| config.deadline = Some(start() + SHORT));
    let request = connector::set_enabled(&account(), &id(), true);
    let error = client.write(&request).await.unwrap_err();
    assert!(matches!(error.fault, RequestError::DeadlineExceeded { sent: true, .. }), "{error:?}");
    assert_eq!((error.kind(), error.attempts), (ErrorKind::OutOfTime, 1));
    assert!(error.outcome_unknown());
    assert_eq!(client.unanswered_writes(), [request.to_string()]);
}

#[tokio::test]
async fn after_the_deadline_nothing_is_sent() {
    let server = Server::start([success("[]")]).await;
    let (client, _) = server.client_with(|config| config.deadline = Some(start()));
    let error = client.write(&connector::delete(&account(), &id())).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts), (ErrorKind::OutOfTime, 0));
    assert!(!error.outcome_unknown());
    assert!(client.unanswered_writes().is_empty());
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_answer_beyond_the_limit_is_not_held() {
    const SIZE: usize = 33 * 1024 * 1024;
    let announced = format!("HTTP/1.1 200 OK\r\ncf-ray: ray200\r\ncontent-length: {SIZE}\r\n\r\n");
    let mut chunked = format!(
        "HTTP/1.1 200 OK\r\ncf-ray: ray200\r\ntransfer-encoding: chunked\r\n\r\n{SIZE:x}\r\n"
    )
    .into_bytes();
    chunked.resize(chunked.len() + SIZE, b' ');
    for reply in [announced.into_bytes(), chunked] {
        let server = Server::start([Reply::SendAndStall(reply)]).await;
        let (client, _) = server.client();
        let error = client.send(&connector::list(&account())).await.unwrap_err();
        assert!(
            matches!(error.fault, RequestError::TooLarge { limit: 33_554_432, .. }),
            "{error:?}"
        );
        assert_eq!((error.kind(), error.ray()), (ErrorKind::Unusable, Some("ray200")));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_large_answer_within_the_limit_is_read() {
    let blanks = " ".repeat(8 * 1024 * 1024);
    let body = format!(r#"{{"success":true,"result":[{CONNECTOR}]{blanks}}}"#);
    let server = Server::start([answer(200, "", &body)]).await;
    let (client, _) = server.client();
    assert_eq!(client.send(&connector::list(&account())).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_whose_text_was_cut_is_still_that_refusal() {
    let body = r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}"#;
    let mut torn = bytes(403, "", body);
    torn.truncate(torn.len() - 9);
    let server = Server::start([Reply::SendAndClose(torn)]).await;
    let (client, _) = server.client();
    let error = client.send(&connector::list(&account())).await.unwrap_err();
    assert_eq!((error.kind(), error.ray()), (ErrorKind::Forbidden, Some("ray403")));
    assert_eq!(server.requests().len(), 1);
}
