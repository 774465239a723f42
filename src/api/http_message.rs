//! A request as it is sent, and its answer as it is read.

use std::time::Duration;

use url::Url;

use super::request::{Method, RetryMode};

pub(super) struct HttpRequest {
    /// `PATCH /accounts/…/sso_connectors/…`, masked.
    pub name: String,
    pub method: Method,
    pub url: Url,
    pub body: Option<String>,
    pub repeat: RetryMode,
}

pub(super) struct HttpResponse {
    pub status: u16,
    pub ray: Option<String>,
    pub retry_after: Option<Duration>,
    /// `Ratelimit`.
    pub rate_limit: Option<String>,
    pub body: Vec<u8>,
    /// The scheme and host that it points to.
    pub points_to: Option<String>,
}
