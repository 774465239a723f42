//! Answers in the API's envelope (API reference, section 1.3).

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use super::error::Error;

pub(super) type Outcome<T = ApiResponse> = Result<T, ApiErrorResponse>;

#[derive(Debug, Serialize)]
pub(super) struct ApiResponse {
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Box<RawValue>>,
    #[serde(rename = "result_info", skip_serializing_if = "Option::is_none")]
    info: Option<Value>,
    success: bool,
    errors: [(); 0],
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<Value>>,
    #[serde(skip)]
    status: StatusCode,
}

impl ApiResponse {
    /// With an object, or a list without pages.
    pub fn of(result: impl Serialize) -> Self {
        let result = to_raw_value(&result).expect("plain data is JSON");
        Self { result: Some(result), ..Self::without_result() }
    }

    pub fn without_result() -> Self {
        Self {
            result: None,
            info: None,
            success: true,
            errors: [],
            messages: Some(Vec::new()),
            status: StatusCode::OK,
        }
    }

    pub fn with_result_info(mut self, info: Value) -> Self {
        self.info = Some(info);
        self
    }

    pub fn with_message(mut self, code: u32, message: &str) -> Self {
        let message = json!({ "code": code, "message": message, "type": null });
        self.messages.get_or_insert_default().push(message);
        self
    }

    pub fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    pub fn without_messages(mut self) -> Self {
        self.messages = None;
        self
    }
}

impl IntoResponse for ApiResponse {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ApiErrorResponse {
    status: StatusCode,
    code: u32,
    message: String,
    cause: Option<(u32, &'static str)>,
}

impl ApiErrorResponse {
    pub fn new(status: StatusCode, code: u32, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), cause: None }
    }

    pub fn bad_request(code: u32, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    pub fn when(self, is_broken: bool) -> Outcome<()> {
        if is_broken { Err(self) } else { Ok(()) }
    }

    pub fn caused_by(mut self, code: u32, message: &'static str) -> Self {
        self.cause = Some((code, message));
        self
    }

    /// The real code differs by service and is unknown here.
    pub fn invalid_body(message: impl Into<String>) -> Self {
        Self::bad_request(1001, message)
    }

    /// API reference, section 9.
    pub fn invalid(detail: impl std::fmt::Display) -> Self {
        Self::bad_request(12130, format!("access.api.error.invalid_request: {detail}"))
    }

    /// The code was observed for mutual TLS and one-time PIN (API reference, section 9).
    pub fn conflict(detail: impl std::fmt::Display) -> Self {
        let message = format!("access.api.error.conflict: {detail}");
        Self::new(StatusCode::CONFLICT, 12132, message)
    }

    /// The real code is unknown.
    pub fn missing() -> Self {
        Self::new(StatusCode::NOT_FOUND, 11021, "access.api.error.not_found")
    }

    pub fn not_simulated(what: impl Into<String>) -> Self {
        let message = format!("the cfsso sandbox does not model {}", what.into());
        // The sandbox's own code: the API has no such response.
        Self::new(StatusCode::NOT_IMPLEMENTED, 1501, message)
    }

    /// An invalid object ID in a path (API reference, section 9).
    pub fn unroutable(path: &str) -> Self {
        let message =
            format!("Could not route to {path}, perhaps your object identifier is invalid?");
        Self::bad_request(7003, message)
    }
}

/// The state could not be saved: nothing was changed.
impl From<Error> for ApiErrorResponse {
    fn from(error: Error) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, 1500, error.to_string())
    }
}

impl IntoResponse for ApiErrorResponse {
    fn into_response(self) -> Response {
        let mut error = json!({ "code": self.code, "message": self.message });
        if let Some((code, message)) = self.cause {
            error["error_chain"] = json!([{ "code": code, "message": message }]);
        }
        let body = json!({ "success": false, "errors": [error], "messages": [], "result": null });
        (self.status, Json(body)).into_response()
    }
}

/// In the API's format: UTC with microseconds.
pub(super) fn time(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_microseconds_even_where_they_are_zero() {
        let at = |nanosecond| Timestamp::constant(1_758_834_320, nanosecond);
        assert_eq!(time(at(462_622_999)), "2025-09-25T21:05:20.462622Z");
        assert_eq!(time(at(0)), "2025-09-25T21:05:20.000000Z");
    }
}
