//! Creations whose answer was lost: never two, never a false "failed".

use std::cell::Cell;

use cfsso::api::connector::{self, BeginVerification, Connector};
use cfsso::api::request::WriteRequest;
use cfsso::api::{Created, Error, ErrorKind};

use super::requests::{CONNECTOR, account};
use super::server::{Reply, Server, answer, success};

const LIST_WITH: &str =
    r#"[{"id":"c9","email_domain":"other.cats"},{"id":"c1","email_domain":"cool.cats"}]"#;
const LIST_WITHOUT: &str = r#"[{"id":"c9","email_domain":"other.cats"}]"#;

fn request() -> WriteRequest<Connector> {
    connector::create(&account(), &"cool.cats".parse().unwrap(), BeginVerification::Now, None)
}

fn lost() -> Reply {
    Reply::SendAndClose(Vec::new())
}

fn failure(status: u16) -> Reply {
    answer(status, "", r#"{"success":false,"errors":[{"code":1,"message":"no"}]}"#)
}

struct Outcome {
    result: Result<Created<Connector>, Error>,
    /// `P` for each POST, `G` for each look-up.
    order: String,
    unanswered: Vec<String>,
}

async fn create(script: impl IntoIterator<Item = Reply>, max_retries: u32) -> Outcome {
    let server = Server::start(script).await;
    let (client, _) = server.client_with(|config| config.max_retries = max_retries);
    let find = async || {
        let connectors = client.send(&connector::list(&account())).await?;
        Ok(connectors.into_iter().find(|connector| connector.email_domain == "cool.cats"))
    };
    let result = client.write_once(&request(), find).await.map(|(created, _)| created);
    let order = server.lines().iter().map(|line| &line[..1]).collect();
    Outcome { result, order, unanswered: client.unanswered_writes() }
}

#[tokio::test]
async fn what_is_answered_is_created_without_a_look() {
    let outcome = create([success(CONNECTOR)], 4).await;
    let Ok(Created::New(connector)) = outcome.result else { panic!("{:?}", outcome.result) };
    assert_eq!(connector.id.as_str(), "c1");
    assert_eq!(outcome.order, "P");
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_found() {
    for passing in [
        lost(),
        failure(500),
        failure(502),
        answer(502, "", "<html><title>502 Bad Gateway</title>"),
        // Carried out, as the status says, though the text is cut or odd.
        answer(200, "", r#"{"success":true,"result":{"id"#),
        answer(200, "", "<html>"),
        answer(200, "", r#"{"success":true,"result":{"id":7}}"#),
    ] {
        let outcome = create([passing, success(LIST_WITH)], 4).await;
        let Ok(Created::Existing(connector)) = outcome.result else {
            panic!("{:?}", outcome.result)
        };
        assert_eq!(connector.id.as_str(), "c1");
        assert_eq!(outcome.order, "PG");
        assert!(outcome.unanswered.is_empty());
    }
}

#[tokio::test]
async fn a_lost_creation_that_is_not_found_is_sent_again() {
    let outcome = create([lost(), success(LIST_WITHOUT), success(CONNECTOR)], 4).await;
    assert!(matches!(outcome.result, Ok(Created::New(_))));
    assert_eq!(outcome.order, "PGP");
    assert!(outcome.unanswered.is_empty());
}

#[tokio::test]
async fn what_was_not_carried_out_needs_no_look() {
    let throttled = answer(429, "retry-after: 1\r\n", "{}");
    let outcome = create([throttled, success(CONNECTOR)], 4).await;
    assert!(matches!(outcome.result, Ok(Created::New(_))));
    assert_eq!(outcome.order, "PP");
}

#[tokio::test]
async fn even_the_last_attempt_is_looked_up() {
    let outcome = create([lost(), success(LIST_WITH)], 0).await;
    assert!(matches!(outcome.result, Ok(Created::Existing(_))));
    assert_eq!(outcome.order, "PG");

    let outcome = create([lost(), success(LIST_WITHOUT), success(CONNECTOR)], 0).await;
    let error = outcome.result.unwrap_err();
    assert_eq!((error.kind(), error.attempts), (ErrorKind::Unavailable, 1));
    assert!(error.outcome_unknown());
    assert_eq!(outcome.order, "PG");
    assert_eq!(outcome.unanswered, [request().to_string()]);
}

#[tokio::test]
async fn a_creation_that_shows_late_is_found_when_it_stands_in_the_way() {
    for status in [400, 409] {
        let script = [lost(), success(LIST_WITHOUT), failure(status), success(LIST_WITH)];
        let outcome = create(script, 4).await;
        assert!(matches!(outcome.result, Ok(Created::Existing(_))), "{status}");
        assert_eq!(outcome.order, "PGPG");
    }
}

#[tokio::test]
async fn a_refusal_without_a_lost_answer_is_final() {
    let outcome = create([failure(409), success(LIST_WITH)], 4).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(!error.outcome_unknown());
    assert_eq!(outcome.order, "P");
}

#[tokio::test]
async fn an_answer_that_said_created_is_never_followed_by_another_post() {
    let odd = answer(200, "", r#"{"success":true,"result":{"id":7}}"#);
    let outcome = create([odd, success(LIST_WITHOUT), success(CONNECTOR)], 4).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreadable);
    assert!(error.outcome_unknown());
    assert_eq!(outcome.order, "PG");
}

#[tokio::test]
async fn a_look_up_that_fails_leaves_the_outcome_unknown() {
    let outcome = create([lost(), failure(403), success(CONNECTOR)], 4).await;
    let error = outcome.result.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.outcome_unknown() && !error.is_retryable());
    assert_eq!(outcome.order, "PG");
}

#[tokio::test]
async fn a_creation_is_not_sent_again_before_the_api_wants_it() {
    let lost = answer(503, "retry-after: 300\r\n", "{}");
    let outcome = create([lost, success(LIST_WITHOUT), success(CONNECTOR)], 4).await;
    assert_eq!(outcome.result.unwrap_err().status(), Some(503));
    assert_eq!(outcome.order, "PG");
}

#[tokio::test]
async fn the_look_up_comes_after_a_pause() {
    let server = Server::start([lost()]).await;
    let (client, clock) = server.client();
    let looked = Cell::new(0.0);
    let find = async || {
        looked.set(super::server::waited(&clock));
        Ok(Some(serde_json::from_str::<Connector>(CONNECTOR).unwrap()))
    };
    client.write_once(&request(), find).await.unwrap();
    assert!(looked.get() >= 0.5, "a creation that is still being carried out has to show");
}
