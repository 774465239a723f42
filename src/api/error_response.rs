//! An error response of the API. No text contains a secret.

use std::fmt;
use std::time::Duration;

use crate::plural::count_noun;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorResponse {
    pub status: u16,
    pub errors: Vec<ApiError>,
    pub ray: Option<String>,
    /// What the API asks for, if anything.
    pub retry_after: Option<Duration>,
}

/// An entry of `errors` or of an `error_chain`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ApiError {
    /// Codes are reused across services.
    pub code: Option<u64>,
    pub message: String,
    pub documentation_url: Option<String>,
}

/// The end of a message: the request's ID at Cloudflare.
pub(super) fn ray_note(ray: Option<&str>) -> String {
    ray.map(|ray| format!(", ray {ray}")).unwrap_or_default()
}

impl fmt::Display for ErrorResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the API answered {}", self.status)?;
        for (index, error) in self.errors.iter().enumerate() {
            write!(f, "{} {error}", if index == 0 { ":" } else { ";" })?;
        }
        if let Some(wait) = self.retry_after {
            write!(f, ", try again in {}", count_noun(wait.as_secs(), "second"))?;
        }
        f.write_str(&ray_note(self.ray.as_deref()))
    }
}

impl ApiError {
    pub fn new(code: Option<u64>, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), documentation_url: None }
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
