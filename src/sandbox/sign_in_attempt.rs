//! Users who sign in to the dashboard, and where it is logged.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInAttempt {
    pub email: String,
    /// The name or the ID of the identity provider; if `None`, the first one that
    /// the SSO App allows.
    pub idp: Option<String>,
    #[serde(default)]
    pub is_password_wrong: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct SignInResult {
    pub is_signed_in: bool,
    /// By what: the name of the identity provider; none: with a password.
    pub idp: Option<String>,
    pub detail: String,
    pub ray_id: Option<String>,
}

/// Which logs a sign-in to the dashboard appears in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogRecords {
    #[default]
    Both,
    LoginLogOnly,
    AuditLogOnly,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct LogBehavior {
    pub records: LogRecords,
    /// How late rows of the login log appear.
    pub login_delay: Duration,
    /// How late rows of the audit log appear.
    pub audit_delay: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct PlannedSignIn {
    pub at: Timestamp,
    pub attempt: SignInAttempt,
}
