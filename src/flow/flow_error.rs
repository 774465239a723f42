//! Errors of a flow in which no request failed.

use crate::api::document::NotAnObject;
use crate::domain::InvalidDomain;

#[derive(Debug, Clone, thiserror::Error)]
#[error("{message}")]
pub struct FlowError {
    /// Decides the exit code.
    pub kind: FlowErrorKind,
    pub message: String,
    /// One sentence each.
    pub causes: Vec<String>,
    pub hint: Option<String>,
}

/// One exit code each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FlowErrorKind {
    /// The options or arguments do not go together.
    Usage,
    /// The user declined, or no one was available to confirm.
    Declined,
    NoToken,
    /// The token lacks a permission.
    Forbidden,
    NotFound,
    /// It exists already, or was changed.
    Conflict,
    /// A server other than the API cannot be reached.
    Unreachable,
    /// Pending, not visible, or timed out: may still succeed.
    NotYet,
    Refused,
    /// Some of the change was made, some was not.
    HalfDone,
    /// A read-back differs from what was written.
    NotConfirmed,
    Journal,
    Signaled(Signal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    Terminate,
    /// The terminal was closed.
    Hangup,
}

impl FlowError {
    pub fn new(kind: FlowErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::Usage, message)
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::NotFound, message)
    }

    pub fn refused(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::Refused, message)
    }

    pub fn conflict(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::Conflict, message)
    }

    pub fn not_yet(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::NotYet, message)
    }

    pub fn not_confirmed(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::NotConfirmed, message)
    }

    pub fn journal(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::Journal, message)
    }

    pub fn half_done(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::HalfDone, message)
    }

    pub fn declined(message: impl Into<String>) -> Self {
        Self::new(FlowErrorKind::Declined, message)
    }

    pub fn messages(&self) -> Vec<String> {
        [&self.message].into_iter().chain(&self.causes).cloned().collect()
    }

    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn cause(self, cause: impl Into<String>) -> Self {
        self.causes([cause.into()])
    }

    pub fn causes(mut self, causes: impl IntoIterator<Item = String>) -> Self {
        self.causes.extend(causes);
        self
    }
}

impl From<NotAnObject> for FlowError {
    fn from(error: NotAnObject) -> Self {
        Self::new(FlowErrorKind::Usage, error.to_string())
    }
}

impl From<InvalidDomain> for FlowError {
    fn from(error: InvalidDomain) -> Self {
        Self::new(FlowErrorKind::Conflict, error.to_string())
    }
}
