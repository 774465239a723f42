//! Errors in layers: [`Error`] names the request, [`RequestError`] what happened, its sources why.
//! No text contains a secret.

use super::error_kind::{self, ErrorKind};
use super::error_response::ApiError;
use super::request::RetryMode;
use super::request_error::{RequestError, SetupError};

#[derive(Debug, thiserror::Error)]
#[error("`{request}` {}", outcome(*attempts))]
pub struct Error {
    pub request: String,
    /// 0 if it was never sent.
    pub attempts: u32,
    #[source]
    pub fault: RequestError,
    /// Set if a write may have been executed: whether it can be repeated.
    pub(crate) unconfirmed: Option<RetryMode>,
}

fn outcome(attempts: u32) -> String {
    match attempts {
        0 => "was not sent".to_owned(),
        1 => "failed".to_owned(),
        attempts => format!("failed after {attempts} attempts"),
    }
}

impl Error {
    #[cfg(test)]
    pub(crate) fn refused(request: &str, refusal: super::error_response::ErrorResponse) -> Self {
        let fault = RequestError::Rejected(Box::new(refusal));
        Self { request: request.to_owned(), attempts: 1, fault, unconfirmed: None }
    }

    pub fn kind(&self) -> ErrorKind {
        match &self.fault {
            RequestError::Rejected(refusal) => {
                error_kind::classify_response(&self.request, refusal)
            }
            RequestError::NotSent { .. }
            | RequestError::NoResponse { .. }
            | RequestError::Malformed { cut: true, .. } => ErrorKind::Unavailable,
            RequestError::Malformed { .. } => ErrorKind::Unreadable,
            RequestError::TooLarge { .. }
            | RequestError::TooDeep { .. }
            | RequestError::TooManyPages { .. } => ErrorKind::Unusable,
            RequestError::Redirected { .. } => ErrorKind::Other,
            RequestError::Untrusted { .. } => ErrorKind::Untrusted,
            RequestError::DeadlineExceeded { .. } | RequestError::PausedTooLong { .. } => {
                ErrorKind::OutOfTime
            }
            RequestError::Setup(SetupError::Credentials(_)) => ErrorKind::Unauthenticated,
            RequestError::Setup(_) => ErrorKind::Setup,
        }
    }

    /// The error and its sources, one sentence each.
    pub fn sentences(&self) -> Vec<String> {
        let outermost: &dyn std::error::Error = self;
        let layers = std::iter::successors(Some(outermost), |layer| layer.source());
        let mut sentences: Vec<String> = layers.map(ToString::to_string).collect();
        sentences.dedup();
        sentences
    }

    pub fn line(&self) -> String {
        self.sentences().join(": ")
    }

    /// The sources on one line, for callers that name the request themselves.
    pub fn reason(&self) -> String {
        self.sentences().split_off(1).join(": ")
    }

    /// Whether the same request may succeed later and is safe to send again.
    pub fn is_retryable(&self) -> bool {
        let passing = matches!(
            self.kind(),
            ErrorKind::RateLimited | ErrorKind::Unavailable | ErrorKind::OutOfTime
        );
        passing && self.unconfirmed != Some(RetryMode::LookUpFirst)
    }

    /// Whether this was a write that may have been executed despite the error.
    pub fn outcome_unknown(&self) -> bool {
        self.unconfirmed.is_some()
    }

    pub fn status(&self) -> Option<u16> {
        match &self.fault {
            RequestError::Rejected(refusal) => Some(refusal.status),
            RequestError::Malformed { status, .. } | RequestError::Redirected { status, .. } => {
                Some(*status)
            }
            _ => None,
        }
    }

    pub fn ray(&self) -> Option<&str> {
        self.fault.ray()
    }

    pub fn api_errors(&self) -> &[ApiError] {
        match &self.fault {
            RequestError::Rejected(refusal) => &refusal.errors,
            _ => &[],
        }
    }

    pub fn has_code(&self, code: u64) -> bool {
        self.api_errors().iter().any(|error| error.code == Some(code))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::error_response::ErrorResponse;
    use super::super::request_error::Cause;
    use super::*;

    fn error(fault: RequestError, unconfirmed: Option<RetryMode>) -> Error {
        Error { request: "POST /a".to_owned(), attempts: 1, fault, unconfirmed }
    }

    #[test]
    fn each_layer_says_its_own_sentence() {
        let refusal = ErrorResponse {
            status: 429,
            errors: vec![
                ApiError::new(Some(6003), "Invalid request headers"),
                ApiError::new(None, "slow down."),
                ApiError::new(Some(7), ""),
            ],
            ray: Some("8c1-FRA".to_owned()),
            retry_after: Some(Duration::from_mins(5)),
        };
        let error = error(RequestError::Rejected(Box::new(refusal)), None);
        assert_eq!(error.to_string(), "`POST /a` failed");
        assert_eq!(
            std::error::Error::source(&error).unwrap().to_string(),
            "the API answered 429: Invalid request headers (code 6003); slow down; code 7, \
             try again in 300 seconds, ray 8c1-FRA"
        );
        assert_eq!(
            error.line(),
            "`POST /a` failed: the API answered 429: Invalid request headers (code 6003); \
             slow down; code 7, try again in 300 seconds, ray 8c1-FRA"
        );
        let words = [0, 1, 3].map(outcome);
        assert_eq!(words, ["was not sent", "failed", "failed after 3 attempts"]);
    }

    #[test]
    fn every_layer_is_told() {
        let source = Cause("connection reset".to_owned());
        let error = error(RequestError::NotSent { host: "a.example".to_owned(), source }, None);
        let sentences = ["`POST /a` failed", "`a.example` cannot be reached", "connection reset"];
        assert_eq!(error.sentences(), sentences);
        assert_eq!(error.line(), sentences.join(": "));
        assert_eq!(error.reason(), sentences[1..].join(": "));
    }

    #[test]
    fn a_creation_of_unknown_outcome_is_not_safe_to_run_again() {
        let unanswered = || RequestError::NoResponse {
            host: "a".to_owned(),
            ray: None,
            source: Cause("cut".to_owned()),
        };
        for (unconfirmed, retryable, unknown) in [
            (None, true, false),
            (Some(RetryMode::Idempotent), true, true),
            (Some(RetryMode::LookUpFirst), false, true),
        ] {
            let error = error(unanswered(), unconfirmed);
            assert_eq!(error.is_retryable(), retryable, "{unconfirmed:?}");
            assert_eq!(error.outcome_unknown(), unknown, "{unconfirmed:?}");
            assert_eq!(error.kind(), ErrorKind::Unavailable);
        }
    }
}
