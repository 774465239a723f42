//! What can go wrong with a request, layer by layer: [`Error`] says which
//! request, [`Fault`] what happened, its sources why. No text holds a secret.

use std::fmt;
use std::time::Duration;

use super::credentials::InvalidCredentials;
use super::kind::{self, Kind};
use super::request::Repeat;
use super::retry::Trouble;
use super::roots::RootsError;

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("`{request}` {}", outcome(*attempts))]
pub struct Error {
    /// `PATCH /accounts/…/sso_connectors/…`.
    pub request: String,
    /// How often it was sent; 0 if it never left.
    pub attempts: u32,
    /// What happened, the last time.
    #[source]
    pub fault: Fault,
    /// Whether a write may have been carried out, and may be repeated.
    pub(super) lost: Option<Repeat>,
}

fn outcome(attempts: u32) -> String {
    match attempts {
        0 => "was not sent".to_owned(),
        1 => "failed".to_owned(),
        attempts => format!("failed after {attempts} attempts"),
    }
}

/// What happened to a request.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The API answered that it will not, or cannot.
    #[error("{0}")]
    Refused(Box<Refusal>),
    /// The API answered with success that cannot be read.
    #[error("the API answered {status} with what cannot be read{}", ray_note(ray.as_deref()))]
    Unreadable {
        /// The HTTP status.
        status: u16,
        /// The request's identifier at Cloudflare.
        ray: Option<String>,
        /// Whether the answer ends in the middle.
        cut: bool,
        /// Why it cannot be read.
        source: Cause,
    },
    /// The API sent more than this program is ready to hold.
    #[error("the API's answer is larger than {limit} bytes{}", ray_note(ray.as_deref()))]
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
        /// The request's identifier at Cloudflare.
        ray: Option<String>,
    },
    /// The list did not end.
    #[error("the list did not end after {pages} pages")]
    Endless {
        /// How many pages were read.
        pages: u32,
    },
    /// The server pointed elsewhere, which is not followed: the token goes to
    /// the configured host alone.
    #[error(
        "the server answered {status} and points to {to}, which is not followed{}",
        ray_note(ray.as_deref())
    )]
    Redirected {
        /// The HTTP status.
        status: u16,
        /// The scheme and host it points to.
        to: String,
        /// The request's identifier at Cloudflare.
        ray: Option<String>,
    },
    /// There was no connection, so nothing was sent.
    #[error("`{host}` cannot be reached")]
    NotSent {
        /// The host, with its port if it is not the usual one.
        host: String,
        /// Why not.
        source: Cause,
    },
    /// The server's certificate was not accepted, so nothing was sent.
    #[error("the certificate of `{host}` is not trusted")]
    Untrusted {
        /// The host, with its port if it is not the usual one.
        host: String,
        /// Why not.
        source: Cause,
    },
    /// The request was sent, and no whole answer came.
    #[error("`{host}` did not answer in full{}", ray_note(ray.as_deref()))]
    Unanswered {
        /// The host, with its port if it is not the usual one.
        host: String,
        /// The request's identifier at Cloudflare, if that much came.
        ray: Option<String>,
        /// How it ended.
        source: Cause,
    },
    /// The time for the whole command is over.
    #[error("the time for the command ran out{}", ray_note(ray.as_deref()))]
    OutOfTime {
        /// Whether the request had been sent.
        sent: bool,
        /// The request's identifier at Cloudflare, if that much came.
        ray: Option<String>,
    },
    /// The client cannot be set up.
    #[error(transparent)]
    Setup(SetupError),
}

/// Why the client cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The credentials cannot be sent.
    #[error(transparent)]
    Credentials(#[from] InvalidCredentials),
    /// The certificates to trust cannot be loaded.
    #[error(transparent)]
    Roots(#[from] RootsError),
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made")]
    Http(#[source] Cause),
}

/// The reason that lies at the bottom of a failure.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Cause(pub(super) String);

/// The API's refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What the API says is wrong, without secrets; empty if it says nothing.
    pub errors: Vec<ApiError>,
    /// The request's identifier at Cloudflare (`cf-ray`).
    pub ray: Option<String>,
    /// How long to wait before the next try, where the API says it.
    pub retry_after: Option<Duration>,
}

/// One entry of the API's `errors`, or of an `error_chain`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ApiError {
    /// Its code. Codes are reused across services.
    pub code: Option<u64>,
    /// Its text.
    pub message: String,
}

impl Error {
    /// What kind of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match &self.fault {
            Fault::Refused(refusal) => kind::of_refusal(&self.request, refusal),
            Fault::Unreadable { .. } | Fault::TooLarge { .. } | Fault::Endless { .. } => {
                Kind::Unreadable
            }
            Fault::Redirected { .. } => Kind::Other,
            Fault::NotSent { .. } | Fault::Unanswered { .. } => Kind::Unavailable,
            Fault::Untrusted { .. } => Kind::Untrusted,
            Fault::OutOfTime { .. } => Kind::OutOfTime,
            Fault::Setup(SetupError::Credentials(_)) => Kind::Unauthenticated,
            Fault::Setup(_) => Kind::Setup,
        }
    }

    /// Whether the same request may succeed later and is safe to send again.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        let passing =
            matches!(self.kind(), Kind::RateLimited | Kind::Unavailable | Kind::OutOfTime);
        passing && self.lost != Some(Repeat::LookFirst)
    }

    /// Whether this was a write that may have been carried out all the same.
    #[must_use]
    pub fn outcome_unknown(&self) -> bool {
        self.lost.is_some()
    }

    /// The HTTP status, where there was one.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        match &self.fault {
            Fault::Refused(refusal) => Some(refusal.status),
            Fault::Unreadable { status, .. } | Fault::Redirected { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// The request's identifier at Cloudflare, where one came.
    #[must_use]
    pub fn ray(&self) -> Option<&str> {
        self.fault.ray()
    }

    /// What the API says is wrong.
    #[must_use]
    pub fn api_errors(&self) -> &[ApiError] {
        match &self.fault {
            Fault::Refused(refusal) => &refusal.errors,
            _ => &[],
        }
    }

    /// Whether the API gave this code.
    #[must_use]
    pub fn has_code(&self, code: u64) -> bool {
        self.api_errors().iter().any(|error| error.code == Some(code))
    }

    /// How long to wait before the next try, where the API says it.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        self.fault.retry_after()
    }
}

impl Fault {
    fn ray(&self) -> Option<&str> {
        match self {
            Self::Refused(refusal) => refusal.ray.as_deref(),
            Self::Unreadable { ray, .. }
            | Self::TooLarge { ray, .. }
            | Self::Redirected { ray, .. }
            | Self::Unanswered { ray, .. }
            | Self::OutOfTime { ray, .. } => ray.as_deref(),
            Self::Endless { .. }
            | Self::NotSent { .. }
            | Self::Untrusted { .. }
            | Self::Setup(_) => None,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// What it means for sending `request` again.
    pub(super) fn trouble(&self, request: &str) -> Trouble {
        match self {
            Self::Refused(refusal) => match kind::of_refusal(request, refusal) {
                Kind::RateLimited => Trouble::Throttled,
                Kind::Unavailable => Trouble::Lost,
                _ => Trouble::Final,
            },
            Self::NotSent { .. } => Trouble::NotSent,
            Self::Unanswered { .. } | Self::Unreadable { cut: true, .. } => Trouble::Lost,
            Self::Unreadable { .. } | Self::TooLarge { .. } => Trouble::Garbled,
            Self::Endless { .. }
            | Self::Redirected { .. }
            | Self::Untrusted { .. }
            | Self::OutOfTime { .. }
            | Self::Setup(_) => Trouble::Final,
        }
    }

    /// Whether a write that met it may have been carried out.
    pub(super) fn leaves_outcome_unknown(&self, request: &str) -> bool {
        matches!(self, Self::OutOfTime { sent: true, .. })
            || matches!(self.trouble(request), Trouble::Lost | Trouble::Garbled)
    }
}

fn ray_note(ray: Option<&str>) -> String {
    ray.map(|ray| format!(", ray {ray}")).unwrap_or_default()
}

/// `the API answered 403: Authentication error (code 10000), ray 8c…`.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API answered {}", self.status)?;
        for (index, error) in self.errors.iter().enumerate() {
            write!(f, "{} {error}", if index == 0 { ":" } else { ";" })?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, ", try again in {} seconds", wait.as_secs())?;
        }
        f.write_str(&ray_note(self.ray.as_deref()))
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) if self.message.is_empty() => write!(f, "code {code}"),
            Some(code) => write!(f, "{} (code {code})", self.message.trim_end_matches('.')),
            None => f.write_str(self.message.trim_end_matches('.')),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fault: Fault, lost: Option<Repeat>) -> Error {
        Error { request: "POST /a".to_owned(), attempts: 1, fault, lost }
    }

    #[test]
    fn each_layer_says_its_own_sentence() {
        let refusal = Refusal {
            status: 429,
            errors: vec![
                ApiError { code: Some(6003), message: "Invalid request headers".to_owned() },
                ApiError { code: None, message: "slow down.".to_owned() },
                ApiError { code: Some(7), message: String::new() },
            ],
            ray: Some("8c1-FRA".to_owned()),
            retry_after: Some(Duration::from_mins(5)),
        };
        let error = error(Fault::Refused(Box::new(refusal)), None);
        assert_eq!(error.to_string(), "`POST /a` failed");
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "the API answered 429: Invalid request headers (code 6003); slow down; code 7, \
             try again in 300 seconds, ray 8c1-FRA"
        );
        let words = [0, 1, 3].map(outcome);
        assert_eq!(words, ["was not sent", "failed", "failed after 3 attempts"]);
    }

    #[test]
    fn a_creation_of_unknown_outcome_is_not_safe_to_run_again() {
        let unanswered = || Fault::Unanswered {
            host: "a".to_owned(),
            ray: None,
            source: Cause("cut".to_owned()),
        };
        for (lost, retryable, unknown) in [
            (None, true, false),
            (Some(Repeat::Safe), true, true),
            (Some(Repeat::LookFirst), false, true),
        ] {
            let error = error(unanswered(), lost);
            assert_eq!(error.is_retryable(), retryable, "{lost:?}");
            assert_eq!(error.outcome_unknown(), unknown, "{lost:?}");
            assert_eq!(error.kind(), Kind::Unavailable);
        }
    }
}
