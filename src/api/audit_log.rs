//! The account's audit log, version 2 (`logs/audit`). Rows appear up to 450 seconds late.

use jiff::Timestamp;
use serde::Deserialize;

use super::ids::AccountId;
use super::request::Request;

const PAGE: u32 = 1000;

const SSO_LOGIN: &str = "SSO_LOGIN";

/// The known fields only: there may be many rows.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditRow {
    pub action: Option<AuditAction>,
    pub actor: Option<AuditActor>,
    pub raw: Option<AuditRequest>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditAction {
    pub description: Option<String>,
    /// `success` or `failure`.
    pub result: Option<String>,
    /// RFC 3339.
    pub time: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditActor {
    pub email: Option<String>,
    pub ip_address: Option<String>,
    pub token_name: Option<String>,
    /// `user`, `account` or `system`, among others.
    #[serde(rename = "type")]
    pub kind: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct AuditRequest {
    pub cf_ray_id: Option<String>,
    pub method: Option<String>,
    pub uri: Option<String>,
}

impl AuditRow {
    pub fn at(&self) -> Option<Timestamp> {
        self.action.as_ref()?.time.as_ref()?.parse().ok()
    }

    pub fn email(&self) -> &str {
        self.actor.as_ref().and_then(|actor| actor.email.as_deref()).unwrap_or_default()
    }

    pub fn ray_id(&self) -> Option<&str> {
        self.raw.as_ref()?.cf_ray_id.as_deref()
    }

    /// Whether the row is a change of this connector. Enabling and disabling look the same.
    pub fn is_change_of_connector(&self, id: &str) -> bool {
        let Some(raw) = &self.raw else { return false };
        let uri = raw.uri.as_deref().unwrap_or_default();
        raw.method.as_deref() == Some("PATCH") && uri.ends_with(&format!("/sso_connectors/{id}"))
    }

    pub fn is_sso_login(&self) -> bool {
        let Some(action) = &self.action else { return false };
        action.description.as_deref() == Some(SSO_LOGIN)
            && action.result.as_deref() != Some("failure")
    }
}

/// A response header adds the data center, as in `8c5aca75-FRA`; the log does not.
pub fn is_same_ray(one: &str, other: &str) -> bool {
    let without_center = |ray: &str| ray.split('-').next().map(str::to_owned);
    without_center(one) == without_center(other)
}

/// Oldest first. The API requires both times.
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
