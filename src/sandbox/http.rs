//! Request handling: authentication, rate limit, faults, route, common headers.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Router, serve};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::answer::ApiErrorResponse;
use super::auth::Identity;
use super::fault::{FaultTiming, Kind};
use super::issuer;
use super::limit::Quota;
use super::routes::{self, audit_log};
use super::shared::{AppState, LoggedRequest};
use super::sign_in;
use super::verification;
use super::wire::{Connection, NumberedListener};

/// As in `https://api.cloudflare.com/client/v4`.
pub(super) const BASE: &str = "/client/v4";

/// In bytes; real responses are far smaller.
const LARGEST_ANSWER: usize = 32 << 20;

pub(super) fn start(listener: TcpListener, shared: &Arc<AppState>) -> JoinHandle<()> {
    let router = Router::new()
        .nest(BASE, routes::all())
        .merge(issuer::routes(shared))
        .merge(routes::person::routes())
        .fallback(unmodelled)
        .method_not_allowed_fallback(unmodelled)
        .layer(from_fn_with_state(shared.clone(), handle))
        .with_state(shared.clone());
    let service = router.into_make_service_with_connect_info::<Connection>();
    tokio::spawn(async move {
        // It only ends by being aborted.
        let _ = serve(NumberedListener::new(listener), service).await;
    })
}

async fn unmodelled(method: Method, uri: Uri) -> ApiErrorResponse {
    let path = uri.path().strip_prefix(BASE).unwrap_or(uri.path());
    if path.contains("//") {
        return ApiErrorResponse::unroutable(path);
    }
    ApiErrorResponse::not_simulated(format!("{method} {path}"))
}

/// The ray ID of the request, in the response and in the audit log.
#[derive(Clone)]
struct RayId(String);

async fn handle(
    State(shared): State<Arc<AppState>>,
    ConnectInfo(wire): ConnectInfo<Connection>,
    mut request: Request,
    next: Next,
) -> Response {
    let identity = Identity::of(request.headers(), &shared);
    let mut exchange = start_exchange(&request, &identity, &wire);
    let credential = identity.counted_as();
    let ray = RayId(shared.ray());
    request.extensions_mut().insert(identity);
    request.extensions_mut().insert(ray.clone());
    let path = request.uri().path();
    let path = path.strip_prefix(BASE).unwrap_or(path);
    let fault = shared.faults().next_fault(&exchange.method, path);
    let quota = remaining_quota(&shared, credential, fault.as_ref());
    let answer = match fault {
        _ if quota.is_exceeded => Some(rate_limited(quota.reset)),
        None => Some(process(&shared, request, next).await),
        Some(fault) => apply_fault(fault, &shared, request, next).await,
    };
    let mut answer = answer.unwrap_or_else(|| {
        wire.close();
        StatusCode::NO_CONTENT.into_response()
    });
    add_headers(&mut answer, &quota, &ray);
    exchange.status = (!wire.is_cut()).then(|| answer.status().as_u16());
    shared.record(exchange);
    answer
}

fn start_exchange(request: &Request, identity: &Identity, wire: &Connection) -> LoggedRequest {
    LoggedRequest {
        method: request.method().to_string(),
        path: masked(request.uri().path()),
        status: None,
        access: identity.access(),
        connection: wire.number,
    }
}

/// Masks every segment that contains a token.
fn masked(path: &str) -> String {
    let is_token =
        |part: &str| ["cfut_", "cfat_", "cfk_", "cfoat_"].iter().any(|mark| part.contains(mark));
    let parts = path.split('/').map(|part| if is_token(part) { "***" } else { part });
    parts.collect::<Vec<_>>().join("/")
}

/// Counts the request. A fault may set the rest to zero.
fn remaining_quota(shared: &AppState, credential: Option<String>, fault: Option<&Kind>) -> Quota {
    let quota = shared.limits().count(credential, shared.clock.now());
    match fault {
        Some(&Kind::RateLimited(seconds)) => {
            Quota { is_exceeded: true, remaining: 0, reset: seconds.into() }
        }
        _ => quota,
    }
}

async fn process(shared: &AppState, request: Request, next: Next) -> Response {
    verification::run_due_checks(shared).await;
    if let Err(error) = sign_in::run_planned(shared) {
        return ApiErrorResponse::from(error).into_response();
    }
    let (method, path) = (request.method().clone(), masked(request.uri().path()));
    let ray = request.extensions().get::<RayId>().cloned().expect("`handle` sets it");
    let answer = next.run(request).await;
    if method != Method::GET && answer.status().is_success() {
        audit_log::record(shared, method.as_str(), &path, &ray.0);
    }
    answer
}

/// The response with this fault; none if the connection is cut.
async fn apply_fault(
    fault: Kind,
    shared: &AppState,
    request: Request,
    next: Next,
) -> Option<Response> {
    match fault {
        Kind::RateLimited(seconds) => Some(rate_limited(seconds.into())),
        Kind::Slow(late) => {
            shared.clock.sleep(late).await;
            Some(process(shared, request, next).await)
        }
        Kind::Truncated => Some(truncate(process(shared, request, next).await).await),
        Kind::ServerError(moment) => {
            carry_out_if(moment, shared, request, next).await;
            Some(server_error())
        }
        Kind::BadGateway(moment) => {
            carry_out_if(moment, shared, request, next).await;
            Some(bad_gateway())
        }
        Kind::Cut(moment) => {
            carry_out_if(moment, shared, request, next).await;
            None
        }
        // Handled elsewhere.
        Kind::VerificationFails | Kind::WrongIssuer | Kind::NoKeys | Kind::ExpiredCertificate => {
            Some(process(shared, request, next).await)
        }
    }
}

async fn carry_out_if(moment: FaultTiming, shared: &AppState, request: Request, next: Next) {
    if moment == FaultTiming::After {
        process(shared, request, next).await;
    }
}

fn rate_limited(seconds: i64) -> Response {
    let message = "More than 1200 requests per 300 seconds reached. Please wait and consider throttling your request speed";
    let refusal = ApiErrorResponse::new(StatusCode::TOO_MANY_REQUESTS, 10100, message);
    ([(RETRY_AFTER, seconds.to_string())], refusal).into_response()
}

fn server_error() -> Response {
    ApiErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, 10000, "Internal server error")
        .into_response()
}

fn bad_gateway() -> Response {
    let page = "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center><h1>502 Bad Gateway</h1></center>\n<hr><center>cloudflare</center>\n</body>\n</html>\n";
    (StatusCode::BAD_GATEWAY, [(CONTENT_TYPE, "text/html; charset=UTF-8")], page).into_response()
}

/// Keeps the first half of the body.
async fn truncate(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let bytes = to_bytes(body, LARGEST_ANSWER).await.unwrap_or_default();
    Response::from_parts(parts, Body::from(bytes.slice(..bytes.len() / 2)))
}

fn add_headers(answer: &mut Response, quota: &Quota, ray: &RayId) {
    for (name, value) in [
        ("cf-ray", ray.0.clone()),
        ("ratelimit", quota.header()),
        ("ratelimit-policy", Quota::policy()),
    ] {
        let value = HeaderValue::from_str(&value).expect("digits and quotes make a header");
        answer.headers_mut().insert(name, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_path_is_masked() {
        for (path, remembered) in [
            ("/client/v4/accounts/1", "/client/v4/accounts/1"),
            ("/accounts/cfut_abc/x", "/accounts/***/x"),
            ("/a/b%20cfk_abc", "/a/***"),
        ] {
            assert_eq!(masked(path), remembered);
        }
    }
}
