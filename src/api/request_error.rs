use std::time::Duration;

use super::credentials::InvalidCredentials;
use super::error_kind::{self, ErrorKind};
use super::error_response::{ErrorResponse, ray_note};
use super::pages;
use super::retry::Failure;
use super::tls::RootsError;
use crate::input::depth::TooDeep;
use crate::input::proxy::InvalidProxy;

#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    #[error("{0}")]
    Rejected(Box<ErrorResponse>),
    #[error("invalid response from the API (HTTP {status}){}", ray_note(ray.as_deref()))]
    Malformed {
        status: u16,
        ray: Option<String>,
        /// The body ends too early.
        cut: bool,
        source: Cause,
    },
    #[error("the response of the API is larger than {limit} bytes{}", ray_note(ray.as_deref()))]
    TooLarge { limit: usize, ray: Option<String> },
    #[error(
        "the list is too long ({records} records so far); the limit is {} records, {} MiB or {} pages",
        pages::MAX_RECORDS, pages::MAX_BYTES >> 20, pages::MAX_PAGES
    )]
    TooManyPages { records: usize },
    #[error("refused response from the API (HTTP {status}){}", ray_note(ray.as_deref()))]
    TooDeep { status: u16, ray: Option<String>, source: TooDeep },
    /// Not followed: the token is sent to the configured host only.
    #[error(
        "the server redirected (HTTP {status}) to {to}, which is not followed{}",
        ray_note(ray.as_deref())
    )]
    Redirected { status: u16, to: String, ray: Option<String> },
    #[error("`{host}` cannot be reached")]
    NotSent {
        /// With its port, unless it is the default.
        host: String,
        source: Cause,
    },
    /// Nothing was sent.
    #[error("the certificate of `{host}` is not trusted")]
    Untrusted { host: String, source: Cause },
    #[error("`{host}` did not respond completely{}", ray_note(ray.as_deref()))]
    NoResponse { host: String, ray: Option<String>, source: Cause },
    #[error("the time limit of the command was exceeded{}", ray_note(ray.as_deref()))]
    DeadlineExceeded { sent: bool, ray: Option<String> },
    /// Nothing was sent.
    #[error(
        "the API's rate limit is reached: the next request is allowed in {} s, after the time limit \
         of the command",
        wait.as_secs_f64().ceil()
    )]
    PausedTooLong { wait: Duration },
    #[error(transparent)]
    Setup(SetupError),
}

#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
    #[error(transparent)]
    Roots(#[from] RootsError),
    #[error(transparent)]
    Proxy(#[from] InvalidProxy),
    #[error("cannot create the HTTP client")]
    Http(#[source] Cause),
}

/// The innermost reason of a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(crate) String);

impl RequestError {
    pub(super) fn ray(&self) -> Option<&str> {
        match self {
            Self::Rejected(refusal) => refusal.ray.as_deref(),
            Self::Malformed { ray, .. }
            | Self::TooLarge { ray, .. }
            | Self::TooDeep { ray, .. }
            | Self::Redirected { ray, .. }
            | Self::NoResponse { ray, .. }
            | Self::DeadlineExceeded { ray, .. } => ray.as_deref(),
            Self::TooManyPages { .. }
            | Self::NotSent { .. }
            | Self::Untrusted { .. }
            | Self::PausedTooLong { .. }
            | Self::Setup(_) => None,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// What the error means for sending `request` again.
    pub(super) fn classify(&self, request: &str) -> Failure {
        match self {
            Self::Rejected(refusal) => match error_kind::classify_response(request, refusal) {
                ErrorKind::RateLimited => Failure::Throttled,
                ErrorKind::Unavailable => Failure::NoResponse,
                _ => Failure::Final,
            },
            Self::NotSent { .. } => Failure::NotSent,
            Self::NoResponse { .. } | Self::Malformed { cut: true, .. } => Failure::NoResponse,
            Self::Malformed { .. } | Self::TooLarge { .. } | Self::TooDeep { .. } => {
                Failure::Malformed
            }
            Self::TooManyPages { .. }
            | Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::DeadlineExceeded { .. }
            | Self::PausedTooLong { .. }
            | Self::Setup(_) => Failure::Final,
        }
    }

    /// Whether a write that failed with this error may have been executed.
    pub(super) fn leaves_outcome_unknown(&self, request: &str) -> bool {
        matches!(self, Self::DeadlineExceeded { sent: true, .. })
            || matches!(self.classify(request), Failure::NoResponse | Failure::Malformed)
    }
}
