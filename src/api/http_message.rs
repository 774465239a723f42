use std::time::Duration;

use url::Url;

use super::request::{Method, RetryMode};

pub(super) struct HttpRequest {
    /// Verb and path, masked.
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
    /// The header `Ratelimit`.
    pub rate_limit: Option<String>,
    pub body: Vec<u8>,
    /// Scheme and host of a redirect.
    pub redirect_origin: Option<String>,
}
