//! A failed API request, with causes and a hint that the flow adds.

use crate::api;

#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct ApiErrorContext {
    pub error: api::Error,
    pub causes: Vec<String>,
    /// The next command to run, in place of the usual hint.
    pub hint: Option<String>,
}

impl ApiErrorContext {
    pub fn new(error: api::Error) -> Self {
        Self { error, causes: Vec::new(), hint: None }
    }

    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.causes.push(cause.into());
        self
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<ApiErrorContext> for super::Error {
    fn from(api_error: ApiErrorContext) -> Self {
        Self::ApiContext(Box::new(api_error))
    }
}
