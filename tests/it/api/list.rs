//! Lists that come in pages (API reference, section 1.5).

use cfsso::api::request::Request;
use cfsso::api::{ErrorKind, RequestError, pages};

use super::server::{Reply, Server, answer, success};

fn page(items: &str, info: &str) -> Reply {
    answer(200, "", &format!(r#"{{"success":true,"result":{items},"result_info":{info}}}"#))
}

fn request() -> Request<Vec<u8>> {
    Request::get(&["zones"]).query("name", "a b").paged(2)
}

#[tokio::test]
async fn pages_are_read_to_the_end_whatever_the_totals_say() {
    for (script, expected) in [
        (vec![page("[]", "null")], vec![]),
        (vec![page("[1]", r#"{"total_pages":9}"#)], vec![1]),
        (vec![page("[1,2]", r#"{"total_pages":1}"#)], vec![1, 2]),
        (vec![page("[1,2]", "{}"), page("[3]", "{}")], vec![1, 2, 3]),
        (vec![page("[1,2]", r#"{"total_pages":"x"}"#), page("[]", "{}")], vec![1, 2]),
        (
            vec![page("[1,2]", r#"{"total_pages":1,"total_count":3}"#), page("[3]", "{}")],
            vec![1, 2, 3],
        ),
        (vec![success("[1,2]"), success("[3,4]"), success("[]")], vec![1, 2, 3, 4]),
    ] {
        let count = script.len();
        let server = Server::start(script).await;
        let (client, _) = server.client();
        assert_eq!(client.list(&request()).await.unwrap(), expected);
        let lines: Vec<_> = (1..=count)
            .map(|page| format!("GET /client/v4/zones?name=a+b&page={page}&per_page=2"))
            .collect();
        assert_eq!(server.lines(), lines);
        assert_eq!(server.connections(), 1);
    }
}

#[tokio::test]
async fn a_list_without_pages_is_asked_for_once() {
    let server = Server::start([success("[1,2]")]).await;
    let (client, _) = server.client();
    let request = Request::<Vec<u8>>::get(&["accounts", "a", "sso_connectors"]);
    assert_eq!(client.list(&request).await.unwrap(), [1, 2]);
    assert_eq!(server.lines(), ["GET /client/v4/accounts/a/sso_connectors"]);
}

#[tokio::test]
async fn a_list_that_does_not_end_is_given_up() {
    let most = pages::MAX_PAGES as usize;
    let server = Server::start(std::iter::repeat_n(success("[1,2]"), most + 1)).await;
    let (client, _) = server.client();
    let error = client.list(&request()).await.unwrap_err();
    assert!(matches!(error.fault, RequestError::TooManyPages { records: 2000 }));
    assert_eq!(error.kind(), ErrorKind::Unusable);
    assert_eq!(server.requests().len(), most);
}

#[tokio::test]
async fn a_page_that_fails_fails_the_list() {
    let server = Server::start([success("[1,2]"), answer(403, "", "{}")]).await;
    let (client, _) = server.client();
    let error = client.list(&request()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}

#[tokio::test]
async fn a_list_in_one_answer_has_the_same_limit() {
    let items = |count: usize| format!("[{}7]", "7,".repeat(count - 1));
    let request = Request::<Vec<u8>>::get(&["accounts", "a", "sso_connectors"]);
    let server = Server::start([success(&items(pages::MAX_RECORDS))]).await;
    let (client, _) = server.client();
    assert_eq!(client.list(&request).await.unwrap().len(), pages::MAX_RECORDS);
    let server = Server::start([success(&items(pages::MAX_RECORDS + 1))]).await;
    let (client, _) = server.client();
    let error = client.list(&request).await.unwrap_err();
    assert!(matches!(error.fault, RequestError::TooManyPages { .. }));
}
