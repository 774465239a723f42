//! The kind of an error: by status, code and route, never by full sentences (API reference,
//! section 9). Codes are reused across services.

use std::fmt;

use serde::Serialize;

use super::error_response::ErrorResponse;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ErrorKind {
    /// Also for a token that cannot be sent.
    Unauthenticated,
    /// An account token on a route for user tokens.
    UserTokenNeeded,
    Forbidden,
    /// Also for a wrong ID in the path.
    NotFound,
    /// It already exists, or another object prevents it.
    Conflict,
    Invalid,
    /// No Zero Trust organization.
    AccessNotEnabled,
    RateLimited,
    /// Unreachable, no response, or a server failure.
    Unavailable,
    /// The API's certificate is not trusted.
    Untrusted,
    Unreadable,
    /// The response exceeds a limit.
    Unusable,
    OutOfTime,
    /// The client cannot be set up, for example because of a certificate file.
    Setup,
    Other,
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.serialize(f)
    }
}

/// `request` is its verb and path: `GET /user/tokens/verify`.
pub(super) fn classify_response(request: &str, refusal: &ErrorResponse) -> ErrorKind {
    match refusal.status {
        429 => return ErrorKind::RateLimited,
        // Not executed, and a retry would not help.
        501 | 505 => return ErrorKind::Other,
        408 | 500.. => return ErrorKind::Unavailable,
        _ => {}
    }
    let route = RequestContext::of(request);
    let said = refusal.errors.iter().find_map(|error| {
        by_code(refusal.status, error.code?, &error.message, &route)
            .or_else(|| by_access_kind(&error.message))
    });
    let kind = said
        .or_else(|| refusal.errors.iter().find_map(|error| by_access_kind(&error.message)))
        .unwrap_or_else(|| by_status(refusal.status));
    // An account has one organization at a fixed path, so 404 means that there is none.
    if kind == ErrorKind::NotFound && request.ends_with("/access/organizations") {
        return ErrorKind::AccessNotEnabled;
    }
    kind
}

/// What the meaning of a code depends on.
struct RequestContext {
    /// The route is under `/user`, or verifies a token.
    concerns_caller: bool,
    creates_token: bool,
}

impl RequestContext {
    fn of(request: &str) -> Self {
        let path = request.split_once(' ').map_or(request, |(_, path)| path);
        Self {
            concerns_caller: path.starts_with("/user") || path.ends_with("/tokens/verify"),
            creates_token: request.starts_with("POST ") && path.ends_with("/tokens"),
        }
    }
}

fn by_code(status: u16, code: u64, message: &str, route: &RequestContext) -> Option<ErrorKind> {
    Some(match code {
        // 6003 wraps the first three; alone it can be about any header.
        6102 | 6103 | 6111 | 9103 | 9106 | 9107 => ErrorKind::Unauthenticated,
        9109 => unauthorized(status, message),
        10000 | 1002 if status == 403 => ErrorKind::Forbidden,
        10000 if status == 400 || status == 401 => ErrorKind::Unauthenticated,
        10100 => ErrorKind::RateLimited,
        1000 if status == 401 || route.concerns_caller => ErrorKind::Unauthenticated,
        1001 if route.creates_token => ErrorKind::Forbidden,
        1007 if message.contains("key_not_in_claims") => ErrorKind::Forbidden,
        7003 => ErrorKind::NotFound,
        9999 if message.contains("not_enabled") => ErrorKind::AccessNotEnabled,
        12106 | 12132 | 81058 => ErrorKind::Conflict,
        _ => return None,
    })
}

/// 9109: a bad token, a missing permission or an account token on a user route. They
/// differ in the message alone.
fn unauthorized(status: u16, message: &str) -> ErrorKind {
    let message = message.to_ascii_lowercase();
    if message.contains("user-level") {
        ErrorKind::UserTokenNeeded
    } else if message.contains("unauthorized") {
        ErrorKind::Forbidden
    } else if message.contains("invalid") || status != 403 {
        ErrorKind::Unauthenticated
    } else {
        ErrorKind::Forbidden
    }
}

/// `access.api.error.<kind>`, for any code.
fn by_access_kind(message: &str) -> Option<ErrorKind> {
    let (_, rest) = message.split_once("access.api.error.")?;
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
    Some(match &rest[..end] {
        "not_found" => ErrorKind::NotFound,
        "conflict" => ErrorKind::Conflict,
        "not_enabled" => ErrorKind::AccessNotEnabled,
        "forbidden" | "unauthorized" => ErrorKind::Forbidden,
        kind if kind.starts_with("invalid_") => ErrorKind::Invalid,
        _ => return None,
    })
}

fn by_status(status: u16) -> ErrorKind {
    match status {
        401 => ErrorKind::Unauthenticated,
        403 => ErrorKind::Forbidden,
        404 | 410 => ErrorKind::NotFound,
        409 | 412 => ErrorKind::Conflict,
        400..=499 => ErrorKind::Invalid,
        _ => ErrorKind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::error_response::ApiError;
    use super::*;

    type Case = (&'static str, u16, &'static [(u64, &'static str)], ErrorKind);

    fn kind(request: &str, status: u16, errors: &[(u64, &str)]) -> ErrorKind {
        let errors =
            errors.iter().map(|&(code, message)| ApiError::new(Some(code), message)).collect();
        classify_response(request, &ErrorResponse { status, errors, ray: None, retry_after: None })
    }

    #[test]
    fn refusals_mean_what_the_reference_says() {
        const GET: &str = "GET /accounts/a/sso_connectors";
        const VERIFY: &str = "GET /user/tokens/verify";
        const HEADER: (u64, &str) = (6003, "Invalid request headers");
        use ErrorKind::{
            AccessNotEnabled, Conflict, Forbidden, Invalid, NotFound, Other, RateLimited,
            Unauthenticated, Unavailable, UserTokenNeeded,
        };
        let cases: &[Case] = &[
            (
                GET,
                400,
                &[HEADER, (6111, "Invalid format for Authorization header")],
                Unauthenticated,
            ),
            (GET, 400, &[HEADER, (6103, "Invalid format for X-Auth-Key header")], Unauthenticated),
            (GET, 400, &[HEADER], Invalid),
            (GET, 400, &[HEADER, (6106, "Invalid Content-Type header")], Invalid),
            (GET, 400, &[(9109, "Invalid access token")], Unauthenticated),
            (GET, 403, &[(9109, "Invalid access token")], Unauthenticated),
            (GET, 403, &[(9109, "Unauthorized to access requested resource")], Forbidden),
            (GET, 400, &[(9109, "Unauthorized to access requested resource")], Forbidden),
            (VERIFY, 403, &[(9109, "Valid user-level authentication not found")], UserTokenNeeded),
            (GET, 403, &[(9109, "something new")], Forbidden),
            (VERIFY, 401, &[(1000, "Invalid API Token")], Unauthenticated),
            (VERIFY, 400, &[(1000, "Invalid API Token")], Unauthenticated),
            ("GET /zones/z/dns_records", 400, &[(1000, "something of DNS")], Invalid),
            (GET, 403, &[(10000, "Authentication error")], Forbidden),
            (GET, 401, &[(10000, "Authentication error")], Unauthenticated),
            (GET, 400, &[(10000, "Authentication error")], Unauthenticated),
            (GET, 409, &[(10000, "something of another service")], Conflict),
            (GET, 403, &[(9103, "Unknown X-Auth-Key or X-Auth-Email")], Unauthenticated),
            ("POST /accounts", 403, &[(1002, "Forbidden.")], Forbidden),
            ("POST /accounts/a/tokens", 400, &[(1001, "Failed common permission")], Forbidden),
            ("POST /zones/z/dns_records", 400, &[(1001, "other")], Invalid),
            (GET, 403, &[(7003, "Could not route to /accounts/x")], NotFound),
            (GET, 400, &[(7003, "No route for the URI")], NotFound),
            (GET, 400, &[(1007, "auth.key_not_in_claims")], Forbidden),
            (GET, 404, &[(11021, "access.api.error.not_found")], NotFound),
            (GET, 400, &[(11021, "access.api.error.not_found")], NotFound),
            (GET, 400, &[(9999, "access.api.error.not_enabled: off")], AccessNotEnabled),
            (GET, 403, &[(9999, "access.api.error.not_enabled: off")], AccessNotEnabled),
            (
                "GET /accounts/a/access/organizations",
                404,
                &[(11021, "access.api.error.not_found")],
                AccessNotEnabled,
            ),
            ("GET /accounts/a/access/organizations", 404, &[], AccessNotEnabled),
            ("GET /accounts/a/access/organizations", 403, &[], Forbidden),
            (GET, 400, &[(12106, "auth_domain_cannot_be_updated_dash_sso")], Conflict),
            (GET, 400, &[(12130, "access.api.error.invalid_request: app type")], Invalid),
            (GET, 409, &[(12132, "access.api.error.conflict: exists")], Conflict),
            (GET, 400, &[(77, "access.api.error.conflict: exists")], Conflict),
            (GET, 400, &[(12045, "access.api.error.invalid_application_id")], Invalid),
            (GET, 400, &[(11020, "access.api.error.failed_to_load_group")], Invalid),
            (GET, 500, &[(10001, "access.api.error.internal_server_error")], Unavailable),
            (GET, 404, &[(1004, "share not found")], NotFound),
            (GET, 400, &[(1004, "DNS Validation Error"), (9003, "Invalid 'proxied'")], Invalid),
            (GET, 400, &[(81058, "An identical record already exists.")], Conflict),
            (GET, 429, &[(10100, "More than 1200 requests")], RateLimited),
            (GET, 400, &[(10100, "More than 1200 requests")], RateLimited),
            (GET, 429, &[], RateLimited),
            (GET, 401, &[], Unauthenticated),
            (GET, 403, &[], Forbidden),
            (GET, 404, &[], NotFound),
            (GET, 409, &[], Conflict),
            (GET, 408, &[], Unavailable),
            (GET, 500, &[(10000, "Authentication error")], Unavailable),
            (GET, 502, &[], Unavailable),
            (GET, 524, &[], Unavailable),
            (GET, 501, &[], Other),
            (GET, 200, &[], Other),
            (GET, 200, &[(7003, "No route")], NotFound),
        ];
        for (request, status, errors, expected) in cases {
            assert_eq!(kind(request, *status, errors), *expected, "{request} {status} {errors:?}");
        }
    }
}
