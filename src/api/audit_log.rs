//! The account's audit log, version 2 (Cloudflare API, `logs/audit`). Rows
//! appear up to 450 seconds late.

use jiff::Timestamp;
use serde::Deserialize;

use super::ids::AccountId;
use super::request::Request;

/// The most rows of a page.
const PAGE: u32 = 1000;

/// What a sign-in to the dashboard through SSO is called in the log.
const SSO_LOGIN: &str = "SSO_LOGIN";

/// A row of the log: its known fields alone, for there may be many.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditRow {
    /// What was done.
    pub action: Option<AuditAction>,
    /// Who did it.
    pub actor: Option<AuditActor>,
    /// The request.
    pub raw: Option<AuditRequest>,
}

/// What was done.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditAction {
    /// What it is called.
    pub description: Option<String>,
    /// `success` or `failure`.
    pub result: Option<String>,
    /// When it was (RFC 3339).
    pub time: Option<String>,
}

/// Who did something.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditActor {
    /// The email address.
    pub email: Option<String>,
    /// The IP address.
    pub ip_address: Option<String>,
    /// The name of the token.
    pub token_name: Option<String>,
    /// `user`, `account` or `system`, for some.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

/// The request behind a row.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditRequest {
    /// The request's identifier.
    pub cf_ray_id: Option<String>,
    /// `PATCH`, for one.
    pub method: Option<String>,
    /// The path.
    pub uri: Option<String>,
}

impl AuditRow {
    /// When it was; none where the row does not say.
    pub fn at(&self) -> Option<Timestamp> {
        self.action.as_ref()?.time.as_ref()?.parse().ok()
    }

    /// The actor's email address; empty if the row has none.
    pub fn email(&self) -> &str {
        self.actor.as_ref().and_then(|actor| actor.email.as_deref()).unwrap_or_default()
    }

    /// The request's identifier.
    pub fn ray_id(&self) -> Option<&str> {
        self.raw.as_ref()?.cf_ray_id.as_deref()
    }

    /// Whether the row is a change of the connector with this ID. Enabling and
    /// disabling look the same.
    pub fn is_change_of_connector(&self, id: &str) -> bool {
        let Some(raw) = &self.raw else { return false };
        let uri = raw.uri.as_deref().unwrap_or_default();
        raw.method.as_deref() == Some("PATCH") && uri.ends_with(&format!("/sso_connectors/{id}"))
    }

    /// Whether the row is a successful sign-in to the dashboard through SSO.
    pub fn is_sso_login(&self) -> bool {
        let Some(action) = &self.action else { return false };
        action.description.as_deref() == Some(SSO_LOGIN)
            && action.result.as_deref() != Some("failure")
    }
}

/// All rows between two times, oldest first. The API requires both.
pub fn list(account: &AccountId, since: Timestamp, before: Timestamp) -> Request<Vec<AuditRow>> {
    Request::get(&["accounts", account.as_str(), "logs", "audit"])
        .query("direction", "asc")
        .query("since", since.to_string())
        .query("before", before.to_string())
        .paged_by_cursor(PAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_successful_sso_login_is_one() {
        for (action, expected) in [
            (r#"{"description":"SSO_LOGIN","result":"success"}"#, true),
            (r#"{"description":"SSO_LOGIN"}"#, true),
            (r#"{"description":"SSO_LOGIN","result":"failure"}"#, false),
            (r#"{"description":"Update SSO connector state"}"#, false),
            ("null", false),
        ] {
            let row: AuditRow = serde_json::from_str(&format!(r#"{{"action":{action}}}"#)).unwrap();
            assert_eq!(row.is_sso_login(), expected, "{action}");
        }
    }
}
