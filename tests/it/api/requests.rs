//! What goes over the wire.

use cfsso::api::connector::{self, BeginVerification};
use cfsso::api::ids::{AccountId, ConnectorId};
use cfsso::api::request::Request;
use cfsso::api::{Credentials, ErrorKind, RequestError, account, record, token, zone};

use super::server::{Server, TOKEN, answer, success};

pub fn account() -> AccountId {
    "0123456789abcdef0123456789abcdef".parse().unwrap()
}

pub fn id() -> ConnectorId {
    "68ca8b1a3e6c4f8d9c1e2f3a4b5c6d7".parse().unwrap()
}

pub const CONNECTOR: &str = r#"{"id":"c1","email_domain":"cool.cats","enabled":false,"new":1.50}"#;

#[tokio::test]
async fn a_request_carries_the_token_and_says_who_asks() {
    let server = Server::start([success(CONNECTOR)]).await;
    let (client, _) = server.client();
    let connector = client.write(&connector::set_enabled(&account(), &id(), true)).await.unwrap().0;
    assert_eq!(connector.text(), CONNECTOR);
    let request = &server.requests()[0];
    let path = format!("/client/v4/accounts/{}/sso_connectors/{}", account(), id());
    assert!(request.starts_with(&format!("PATCH {path} HTTP/1.1\r\n")), "{request}");
    for line in [
        &format!("authorization: Bearer {TOKEN}\r\n"),
        "content-type: application/json\r\n",
        &format!("user-agent: cfsso/{}\r\n", env!("CARGO_PKG_VERSION")),
    ] {
        assert!(request.contains(line), "{line} is not in {request}");
    }
    assert!(request.ends_with(r#"{"enabled":true}"#), "{request}");
}

#[tokio::test]
async fn a_global_key_goes_with_its_address() {
    let server = Server::start([success("[]")]).await;
    let key = Credentials::Key { email: "a@cool.cats".to_owned(), key: "k3y".into() };
    let (client, _) = server.client_with(|config| config.credentials = key);
    client.send(&connector::list(&account())).await.unwrap();
    let request = &server.requests()[0];
    assert!(request.contains("x-auth-email: a@cool.cats\r\nx-auth-key: k3y\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
}

#[tokio::test]
async fn a_token_that_cannot_be_sent_is_refused_here() {
    let server = Server::start([]).await;
    let broken = Credentials::Token("Planted token".into());
    let (client, _) = server.client_with(|config| config.credentials = broken);
    let error = client.send(&connector::list(&account())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    assert_eq!(error.attempts, 0);
    assert!(error.to_string().ends_with("was not sent"), "{error}");
    assert!(error.fault.to_string().contains("contains a space at position 8"), "{}", error.fault);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn requests_one_after_the_other_share_a_connection() {
    let refused = answer(404, "", r#"{"success":false,"errors":[]}"#);
    let server = Server::start([success("[]"), refused, success(CONNECTOR), success("null")]).await;
    let (client, _) = server.client();
    client.send(&connector::list(&account())).await.unwrap();
    client.send(&connector::get(&account(), &id())).await.unwrap_err();
    client.send(&connector::get(&account(), &id())).await.unwrap();
    client.write(&connector::delete(&account(), &id())).await.unwrap();
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn requests_can_be_under_way_at_once_and_on_other_threads() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let server = Server::start([success("[]"), success("[]"), success("[]")]).await;
    let (client, _) = server.client();
    let request = connector::list(&account());
    let (a, b, c) = tokio::join!(
        is_send(client.send(&request)),
        is_send(client.list(&request)),
        client.send(&request)
    );
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_client_that_sends_nothing_opens_nothing() {
    let server = Server::start([]).await;
    let (client, _) = server.client();
    assert!(client.unanswered_writes().is_empty());
    drop(client);
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn every_resource_asks_its_documented_route() {
    let domain = "cool.cats".parse().unwrap();
    let (zone, record_id) = ("z1".parse().unwrap(), "r1".parse().unwrap());
    let record = r#"{"id":"r1","content":"\"code=1\"","comment":null,"tags":[]}"#;
    let server = Server::start([
        success(CONNECTOR),
        success(&format!("[{CONNECTOR}]")),
        success("null"),
        success(r#"[{"id":"z1","name":"cool.cats","status":"active","type":"full"}]"#),
        success(&format!("[{record}]")),
        success(record),
        success(r#"{"id":"r1"}"#),
        success(r#"[{"id":"01a7362d577a6c3019a474fd6f485823","name":"Demo"}]"#),
        success(r#"{"id":"t1","status":"active","expires_on":"2027-01-01T00:00:00Z"}"#),
        success(r#"{"id":"t1","status":"disabled"}"#),
    ])
    .await;
    let (client, _) = server.client();
    let create = connector::create(&account(), &domain, BeginVerification::Later, Some(true));
    client.write(&create).await.unwrap();
    client.write(&connector::set_fedramp(&account(), &id(), false)).await.unwrap();
    client.write(&connector::begin_verification(&account(), &id())).await.unwrap();
    let zones = client.list(&zone::list(&account(), "cool.cats")).await.unwrap();
    assert!(zones[0].is_hosted_by_cloudflare());
    let records = client.list(&record::list_txt(&zone, "cool.cats")).await.unwrap();
    assert_eq!(records[0].txt().unwrap(), "code=1");
    client.write(&record::create_txt(&zone, "cool.cats", "code=1", "by cfsso")).await.unwrap();
    client.write(&record::delete(&zone, &record_id)).await.unwrap();
    assert_eq!(client.list(&account::list()).await.unwrap()[0].name.as_deref(), Some("Demo"));
    assert!(client.send(&token::verify_user()).await.unwrap().is_active());
    assert!(!client.send(&token::verify_account(&account())).await.unwrap().is_active());

    let accounts = format!("/client/v4/accounts/{}", account());
    assert_eq!(
        server.lines(),
        [
            format!("POST {accounts}/sso_connectors"),
            format!("PATCH {accounts}/sso_connectors/{}", id()),
            format!("POST {accounts}/sso_connectors/{}/begin_verification", id()),
            format!(
                "GET /client/v4/zones?name=cool.cats&account.id={}&page=1&per_page=50",
                account()
            ),
            "GET /client/v4/zones/z1/dns_records?type=TXT&name.exact=cool.cats&page=1&per_page=100"
                .to_owned(),
            "POST /client/v4/zones/z1/dns_records".to_owned(),
            "DELETE /client/v4/zones/z1/dns_records/r1".to_owned(),
            "GET /client/v4/accounts?page=1&per_page=50".to_owned(),
            "GET /client/v4/user/tokens/verify".to_owned(),
            format!("GET {accounts}/tokens/verify"),
        ]
    );
    let requests = server.requests();
    assert!(requests[0].ends_with(
        r#"{"email_domain":"cool.cats","begin_verification":false,"use_fedramp_language":true}"#
    ));
    assert!(requests[5].contains(r#""content":"\"code=1\"""#), "{}", requests[5]);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_takes_no_token_along() {
    let elsewhere = Server::start([success("[]")]).await;
    for (status, location, shown) in [
        (302, format!("http://{}/steal?a=b", elsewhere.address), elsewhere.address.as_str()),
        (307, format!("//{}/steal", elsewhere.address), elsewhere.address.as_str()),
        (301, "https://evil.test/path".to_owned(), "`https://evil.test`"),
        (302, "http://user:word@evil.test/".to_owned(), "`http://evil.test`"),
    ] {
        let redirect = answer(status, &format!("location: {location}\r\n"), "");
        let server = Server::start([redirect]).await;
        let (client, _) = server.client();
        let error = client.send(&Request::<()>::get(&["accounts"])).await.unwrap_err();
        assert!(matches!(error.fault, RequestError::Redirected { .. }), "{error:?}");
        let text = error.fault.to_string();
        assert!(text.contains(shown) && !text.contains("steal"), "{text}");
        assert_eq!(error.ray(), Some(format!("ray{status}").as_str()));
        assert!(!error.is_retryable());
        assert_eq!(server.requests().len(), 1);
    }
    assert_eq!(elsewhere.connections(), 0);
}

#[tokio::test]
async fn a_redirect_on_the_same_host_is_not_followed_either() {
    let server = Server::start([answer(308, "location: /elsewhere\r\n", ""), success("{}")]).await;
    let (client, _) = server.client();
    client.write(&connector::delete(&account(), &id())).await.unwrap_err();
    assert_eq!(server.requests().len(), 1);
}
