//! Who may do what, and what those are told who may not.

use cfsso::sandbox::Access;
use serde_json::json;

use super::client::{ask, ask_with};
use super::sandbox;

#[tokio::test]
async fn every_answer_has_a_ray_and_tells_what_is_left_of_the_rate_limit() {
    let (sandbox, _) = sandbox().await;
    let first = ask(&sandbox, Access::Full, "GET /accounts", None).await;
    let second = ask(&sandbox, Access::Full, "GET /nothing", None).await;
    assert!(first.headers["cf-ray"].ends_with("-SBX"));
    assert_ne!(first.headers["cf-ray"], second.headers["cf-ray"]);
    assert_eq!(first.headers["ratelimit"], r#""default";r=1199;t=300"#);
    assert_eq!(second.headers["ratelimit"], r#""default";r=1198;t=300"#);
    assert_eq!(first.headers["ratelimit-policy"], r#""default";q=1200;w=300"#);
    assert_eq!(second.refusal(), (501, 1501));
    assert!(second.text.contains("the cfsso sandbox does not model GET /nothing"), "{second:?}");
}

#[tokio::test]
async fn each_token_may_do_just_what_it_says() {
    let (sandbox, _) = sandbox().await;
    let account = sandbox.account();
    let denied = (403, 10000);
    let invalid = (400, 9109);
    let connectors = format!("/accounts/{account}/sso_connectors");
    let access = format!("/accounts/{account}/access");
    let zone = "/zones/c001ca7520e000000000000000000001/dns_records";
    for (access, request, refusal) in [
        (Access::ReadOnly, format!("GET {connectors}"), None),
        (Access::ReadOnly, "GET /zones".to_owned(), None),
        (Access::ReadOnly, format!("GET {zone}"), None),
        (Access::ReadOnly, "GET /accounts".to_owned(), None),
        (Access::ReadOnly, format!("POST {connectors}"), Some(denied)),
        (Access::ReadOnly, format!("PATCH {connectors}/1"), Some(denied)),
        (Access::ReadOnly, format!("DELETE {connectors}/1"), Some(denied)),
        (Access::ReadOnly, format!("POST {connectors}/1/begin_verification"), Some(denied)),
        (Access::ReadOnly, format!("POST {zone}"), Some(denied)),
        (Access::ReadOnly, format!("DELETE {zone}/1"), Some(denied)),
        (Access::ConnectorOnly, format!("GET {connectors}"), None),
        (Access::ConnectorOnly, format!("POST {connectors}"), None),
        (Access::ConnectorOnly, "GET /zones".to_owned(), Some(denied)),
        (Access::ConnectorOnly, format!("GET {zone}"), Some(denied)),
        (Access::ConnectorOnly, "GET /accounts".to_owned(), Some(denied)),
        (Access::AccessOnly, format!("GET {connectors}"), Some(denied)),
        (Access::AccessOnly, format!("GET {access}/identity_providers"), None),
        (Access::AccessOnly, format!("GET {access}/apps"), None),
        (Access::AccessOnly, format!("GET {access}/organizations"), None),
        (Access::AccessOnly, format!("GET {access}/idp_federation_grants"), None),
        (Access::ConnectorOnly, format!("GET {access}/identity_providers"), Some(denied)),
        (Access::ConnectorOnly, format!("GET {access}/apps"), Some(denied)),
        (Access::ConnectorOnly, format!("GET {access}/apps/1/policies"), Some(denied)),
        (Access::ConnectorOnly, format!("GET {access}/organizations"), Some(denied)),
        (Access::ConnectorOnly, format!("GET {access}/idp_federation_grants"), Some(denied)),
        (Access::ReadOnly, format!("GET {access}/identity_providers"), None),
        (Access::ReadOnly, format!("POST {access}/identity_providers"), Some(denied)),
        (Access::ReadOnly, format!("PUT {access}/identity_providers/1"), Some(denied)),
        (Access::ReadOnly, format!("DELETE {access}/identity_providers/1"), Some(denied)),
        (Access::ReadOnly, format!("PUT {access}/apps/1"), Some(denied)),
        (Access::ReadOnly, format!("POST {access}/apps/1/policies"), Some(denied)),
        (Access::ReadOnly, format!("PUT {access}/apps/1/policies/1"), Some(denied)),
        (Access::ReadOnly, format!("DELETE {access}/apps/1/policies/1"), Some(denied)),
        (Access::ReadOnly, format!("PUT {access}/organizations"), Some(denied)),
        (Access::ReadOnly, format!("POST {access}/organizations"), Some(denied)),
        (Access::ReadOnly, format!("POST {access}/idp_federation_grants"), Some(denied)),
        (Access::ReadOnly, format!("DELETE {access}/idp_federation_grants/1"), Some(denied)),
        (Access::Expired, format!("GET {connectors}"), Some(invalid)),
        (Access::Expired, "GET /accounts".to_owned(), Some(invalid)),
    ] {
        let body = json!({"email_domain": "cool.cats"});
        let reply = ask(&sandbox, access, &request, Some(body)).await;
        match refusal {
            Some(refusal) => assert_eq!(reply.refusal(), refusal, "{access:?} {request}"),
            None => assert_eq!(reply.status, 200, "{access:?} {request}"),
        }
    }
}

#[tokio::test]
async fn an_account_that_is_not_the_tokens_is_refused() {
    let (sandbox, _) = sandbox().await;
    let other = &sandbox.accounts()[1];
    let nobodys = "0".repeat(32);
    for (access, account, refusal) in [
        (Access::ConnectorOnly, other.as_str(), (403, 9109)),
        (Access::Full, &nobodys, (403, 9109)),
        (Access::Full, "me", (400, 7003)),
        (Access::Full, "", (400, 7003)),
    ] {
        let request = format!("GET /accounts/{account}/sso_connectors");
        assert_eq!(ask(&sandbox, access, &request, None).await.refusal(), refusal, "{account}");
    }
}

#[tokio::test]
async fn headers_that_prove_nothing_are_refused_as_documented() {
    let (sandbox, _) = sandbox().await;
    let (email, key) = sandbox.global_key();
    let unknown = format!("Authorization: Bearer cfut_{}\r\n", "a".repeat(40));
    let quoted = format!("Authorization: Bearer \"{}\"\r\n", sandbox.token(Access::Full));
    let token_as_key = format!("X-Auth-Email: {email}\r\nX-Auth-Key: cfut_a\r\n");
    let bad_pair = format!("X-Auth-Email: other@cool.cats\r\nX-Auth-Key: {key}\r\n");
    for (headers, refusal, cause) in [
        ("", (400, 9106), None),
        ("Authorization: Bearer \r\n", (400, 6003), Some(6111)),
        (&quoted, (400, 6003), Some(6111)),
        (&unknown, (400, 9109), None),
        (&token_as_key, (400, 6003), Some(6103)),
        (&bad_pair, (403, 9103), None),
    ] {
        let reply = ask_with(&sandbox, headers, "GET /accounts", None).await;
        assert_eq!(reply.refusal(), refusal, "{headers}");
        let chain = &reply.json()["errors"][0]["error_chain"][0]["code"];
        assert_eq!(chain.as_u64(), cause, "{headers}");
    }
    let headers = format!("X-Auth-Email: {email}\r\nX-Auth-Key: {key}\r\n");
    assert_eq!(ask_with(&sandbox, &headers, "GET /accounts", None).await.status, 200);
}

#[tokio::test]
async fn a_token_is_verified_on_the_route_of_its_owner_only() {
    let (sandbox, _) = sandbox().await;
    let of_account = format!("GET /accounts/{}/tokens/verify", sandbox.account());
    let of_user = "GET /user/tokens/verify";
    for (access, request, is_valid) in [
        (Access::Full, of_user, true),
        (Access::ReadOnly, of_user, true),
        (Access::ConnectorOnly, of_user, false),
        (Access::Expired, of_user, false),
        (Access::Full, &of_account, false),
        (Access::ConnectorOnly, &of_account, true),
    ] {
        let reply = ask(&sandbox, access, request, None).await;
        if is_valid {
            assert_eq!(reply.result()["status"], "active", "{access:?} {request}");
            assert_eq!(reply.json()["messages"][0]["code"], 10000);
        } else {
            assert_eq!(reply.refusal(), (401, 1000), "{access:?} {request}");
        }
    }
}

#[tokio::test]
async fn accounts_come_in_pages() {
    let (sandbox, _) = sandbox().await;
    let all = ask(&sandbox, Access::Full, "GET /accounts", None).await;
    let info = json!({"page": 1, "per_page": 20, "count": 5, "total_count": 5, "total_pages": 1});
    assert_eq!(all.json()["result_info"], info);
    assert_eq!(all.result()[0]["id"], sandbox.account().as_str());
    let second = ask(&sandbox, Access::Full, "GET /accounts?page=2&per_page=5", None).await;
    assert_eq!(second.result(), json!([]));
    for outside in ["per_page=4", "per_page=51", "page=0"] {
        let request = format!("GET /accounts?{outside}");
        assert_eq!(ask(&sandbox, Access::Full, &request, None).await.status, 400, "{outside}");
    }
    let one = format!("GET /accounts/{}", sandbox.account());
    assert_eq!(ask(&sandbox, Access::Full, &one, None).await.result()["name"], "Cool Cats");
}

#[tokio::test]
async fn the_1201st_request_of_five_minutes_is_one_too_many() {
    let (sandbox, clock) = sandbox().await;
    let mut stream = super::faults::Kept::connect(&sandbox).await;
    for _ in 0..1200 {
        assert_eq!(stream.status("GET /accounts").await, 200);
    }
    assert_eq!(stream.status("GET /accounts").await, 429);
    clock.sleep(std::time::Duration::from_mins(5)).await;
    assert_eq!(stream.status("GET /accounts").await, 200);
}
