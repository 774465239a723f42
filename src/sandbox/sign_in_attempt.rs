use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SignInAttempt {
    pub email: String,
    /// Name or ID; by default the first identity provider that the SSO App allows.
    pub idp: Option<String>,
    #[serde(default)]
    pub is_password_wrong: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub struct SignInResult {
    pub is_signed_in: bool,
    /// Name of the identity provider; none: by password.
    pub idp: Option<String>,
    pub detail: String,
    pub ray_id: Option<String>,
}

/// The logs in which a dashboard sign-in appears.
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
    pub login_delay: Duration,
    pub audit_delay: Duration,
}

#[derive(Clone, Debug)]
pub(super) struct PlannedSignIn {
    pub at: Timestamp,
    pub attempt: SignInAttempt,
}
