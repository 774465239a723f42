//! Why a command stopped short of what it was asked, where no request failed.

use std::fmt;

use crate::api::document::NoObject;

/// A command that stopped, why, and what to do next.
#[derive(Debug, Clone)]
pub struct Stop {
    /// What kind of stop: it decides the exit code.
    pub kind: StopKind,
    /// What cannot be done, to what.
    pub message: String,
    /// What led to it, one sentence each.
    pub causes: Vec<String>,
    pub hint: Option<String>,
}

/// The kinds of [`Stop`], one exit code each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopKind {
    /// The options or arguments do not go together.
    Usage,
    /// A person said no, or nobody was there to ask.
    Declined,
    NoToken,
    NotFound,
    /// Something stands in the way: it exists already, or was changed.
    Conflict,
    /// A server that is not the API's cannot be reached.
    Unreachable,
    /// It may still come: pending, not visible, timed out waiting.
    NotYet,
    Refused,
    /// Some of the change was made, some was not.
    HalfDone,
    /// A read-back shows something else than was written.
    NotSeen,
    /// The journal cannot be written or read.
    Journal,
}

impl Stop {
    /// A stop with nothing more to say than its message.
    pub fn new(kind: StopKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), causes: Vec::new(), hint: None }
    }

    /// The message and what led to it, one sentence each.
    pub fn sentences(&self) -> Vec<String> {
        [&self.message].into_iter().chain(&self.causes).cloned().collect()
    }

    /// With the next command to run.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With one thing that led to it.
    pub fn cause(self, cause: impl Into<String>) -> Self {
        self.causes([cause.into()])
    }

    /// With the things that led to it.
    pub fn causes(mut self, causes: impl IntoIterator<Item = String>) -> Self {
        self.causes.extend(causes);
        self
    }
}

/// A field that was named, and cannot be set.
impl From<NoObject> for Stop {
    fn from(error: NoObject) -> Self {
        Self::new(StopKind::Usage, error.to_string())
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Stop {}
