//! Answers of every recorded shape (API reference, section 1.3).

use cfsso::api::request::Request;
use cfsso::api::{ErrorKind, RequestError, connector};

use super::requests::{CONNECTOR, account, id};
use super::server::{Server, answer};

#[tokio::test]
async fn a_refusal_keeps_what_was_said_and_the_ray_whatever_its_shape() {
    for (status, body, kind, said) in [
        (
            403,
            r#"{"success":false,"errors":[{"code":10000,"message":"Authentication error"}]}"#,
            ErrorKind::Forbidden,
            "the API answered 403: Authentication error (code 10000), ray ray403",
        ),
        (
            400,
            r#"{"success":false,"errors":[{"code":6003,"message":"Invalid request headers","error_chain":[{"code":6111,"message":"Invalid format for Authorization header"}]}],"result":null}"#,
            ErrorKind::Unauthenticated,
            "the API answered 400: Invalid request headers (code 6003); Invalid format for Authorization header (code 6111), ray ray400",
        ),
        (
            403,
            r#"{"success":false,"errors":[{"code":7003,"error_chain":[{"code":7003,"message":"Could not route to /accounts/x"}]}],"result":null}"#,
            ErrorKind::NotFound,
            "the API answered 403: Could not route to /accounts/x (code 7003), ray ray403",
        ),
        (
            400,
            r#"{"errors":[{"code":1001,"message":"Failed"}]}"#,
            ErrorKind::Invalid,
            "the API answered 400: Failed (code 1001), ray ray400",
        ),
        (403, "{}", ErrorKind::Forbidden, "the API answered 403, ray ray403"),
        (404, "", ErrorKind::NotFound, "the API answered 404, ray ray404"),
        (
            500,
            r#"{"success":false,"errors":["server created some error"],"messages":[],"result":[]}"#,
            ErrorKind::Unavailable,
            "the API answered 500: server created some error, ray ray500",
        ),
        (
            500,
            "Things caught fire",
            ErrorKind::Unavailable,
            "the API answered 500: Things caught fire, ray ray500",
        ),
        (
            502,
            "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>x</body></html>",
            ErrorKind::Unavailable,
            "the API answered 502: 502 Bad Gateway, ray ray502",
        ),
        (
            200,
            r#"{"success":false,"errors":[{"code":7003,"message":"No route"}],"result":null}"#,
            ErrorKind::NotFound,
            "the API answered 200: No route (code 7003), ray ray200",
        ),
        (
            409,
            r#"{"success":true,"errors":[],"messages":[{"code":10000,"message":"no error"}]}"#,
            ErrorKind::Conflict,
            "the API answered 409, ray ray409",
        ),
    ] {
        let server = Server::start([answer(status, "", body)]).await;
        let (client, _) = server.client_with(|config| config.max_retries = 0);
        let error = client.send(&connector::get(&account(), &id())).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert_eq!(error.fault.to_string(), said);
        assert_eq!(error.status(), Some(status));
        assert_eq!(error.ray(), Some(format!("ray{status}").as_str()));
        assert_eq!(error.request, connector::get(&account(), &id()).to_string());
        assert!(!error.outcome_unknown());
    }
}

#[tokio::test]
async fn a_success_is_read_whatever_its_shape() {
    for body in [
        format!(r#"{{"success":true,"errors":[],"messages":[],"result":{CONNECTOR}}}"#),
        format!(r#"{{"success":true,"result":{CONNECTOR},"result_info":"odd"}}"#),
        format!(r#"{{"result":{CONNECTOR}}}"#),
        format!(
            r#"{{"result":[{CONNECTOR}],"success":true,"messages":[{{"code":10000,"message":"ok"}}]}}"#
        ),
    ] {
        let server = Server::start([answer(200, "", &body)]).await;
        let (client, _) = server.client();
        let request = connector::set_enabled(&account(), &id(), false);
        let connector = client.write(&request).await.unwrap().0;
        assert_eq!(connector.text(), CONNECTOR, "{body}");
    }
}

#[tokio::test]
async fn a_success_without_a_result_is_one() {
    for (status, body) in [
        (200, r#"{"success":true,"errors":[],"messages":[]}"#),
        (200, r#"{"result":{"id":"c1"}}"#),
        (200, r#"{"success":true,"result":null}"#),
        (204, ""),
        (200, ""),
    ] {
        let server = Server::start([answer(status, "", body)]).await;
        let (client, _) = server.client();
        client.write(&connector::begin_verification(&account(), &id())).await.unwrap();
    }
}

#[tokio::test]
async fn what_cannot_be_read_keeps_status_and_ray() {
    for (body, words) in [
        ("<html><title>Sign in to the guest network</title>", "Sign in to the guest network"),
        ("null", "not JSON: null"),
        (r#"{"success":true,"result":{"id":7}}"#, "invalid type"),
        (r#"{"success":true,"result":null}"#, "invalid type: null"),
        (r#"{"success":true,"result":[]}"#, "invalid length 0"),
    ] {
        let server = Server::start([answer(200, "", body)]).await;
        let (client, _) = server.client();
        let error = client.send(&connector::get(&account(), &id())).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable, "{body}");
        let RequestError::Malformed { status: 200, ray, source, .. } = &error.fault else {
            panic!("{error:?}");
        };
        assert_eq!(ray.as_deref(), Some("ray200"));
        assert!(source.to_string().contains(words), "{body}: {source}");
        assert_eq!(server.requests().len(), 1, "asking again brings the same");
    }
}

#[tokio::test]
async fn null_is_an_empty_list_and_what_is_no_list_is_none() {
    let list = Request::<Vec<u8>>::get(&["zones"]).paged(50);
    let null = r#"{"success":true,"result":null}"#;
    let server = Server::start([answer(200, "", null)]).await;
    assert!(server.client().0.list(&list).await.unwrap().is_empty());
    for (status, body) in [
        (200, r#"{"success":true,"result":{}}"#),
        (200, r#"{"success":true,"result":"none"}"#),
        (200, r#"{"success":true}"#),
        (200, "{}"),
        (200, ""),
        (204, ""),
    ] {
        let server = Server::start([answer(status, "", body)]).await;
        let error = server.client().0.list(&list).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreadable, "{body}");
    }
}
