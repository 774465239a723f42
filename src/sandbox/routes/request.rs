//! A request as the rules get it: plain values and the time.

use axum::body::Bytes;
use jiff::Timestamp;
use serde::de::DeserializeOwned;

use crate::input::depth;
use crate::sandbox::answer::{ApiErrorResponse, Outcome};
use crate::sandbox::auth::{Caller, Identity};
use crate::sandbox::query::Parameters;
use crate::sandbox::sign_in_attempt::LogBehavior;

#[derive(Debug)]
pub(super) struct ApiRequest {
    pub identity: Identity,
    pub path: Vec<(String, String)>,
    pub query: Parameters,
    pub body: Bytes,
    pub now: Timestamp,
    /// Of the API and the issuers.
    pub origin: String,
    pub grant_limit: usize,
    pub log_behavior: LogBehavior,
}

impl ApiRequest {
    pub fn caller(&self) -> Outcome<Caller<'_>> {
        self.identity.caller()
    }

    pub fn can_see(&self, account: &str) -> bool {
        self.caller().is_ok_and(|caller| caller.can_see(account))
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn account(&self) -> &str {
        self.parameter("account").unwrap_or_default()
    }

    /// The ID in the path: its last parameter.
    pub fn id(&self) -> &str {
        self.path.last().map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    pub fn body<T: DeserializeOwned>(&self) -> Outcome<T> {
        parse(&self.body)
    }
}

/// Ignores `Content-Type`, as the API does.
pub(super) fn parse<T: DeserializeOwned>(bytes: &Bytes) -> Outcome<T> {
    if let Err(error) = depth::check(bytes) {
        return Err(ApiErrorResponse::bad_request(6007, error.to_string()));
    }
    match serde_json::from_slice(bytes) {
        Ok(body) => Ok(body),
        Err(error) if error.is_data() => {
            Err(ApiErrorResponse::invalid_body(format!("Invalid request body: {error}")))
        }
        Err(_) => Err(ApiErrorResponse::bad_request(6007, "Malformed JSON in request body")),
    }
}
