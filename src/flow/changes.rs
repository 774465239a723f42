//! Changes that affect sign-in, from the account's audit log.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::audit_log::AuditRow;
use crate::rfc3339;

/// A configuration change that can affect sign-ins, from the audit log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Change {
    /// When the change was made (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub at: Timestamp,
    /// The actor: an email address or the name of a token.
    pub who: String,
    /// The IP address of the actor.
    pub ip: Option<String>,
    /// The description of the change.
    pub what: String,
    /// The ID of the changed object.
    pub object: Option<String>,
    /// The HTTP method of the request, such as `PUT`.
    pub method: String,
    /// The path of the request.
    pub path: String,
    /// The Cloudflare Ray ID of the request.
    pub ray_id: Option<String>,
}

/// Parts of paths and the objects that they are about; the first match counts.
const OBJECTS: [(&str, &str); 11] = [
    ("/sso_connectors", "connector"),
    ("/access/identity_providers", "identity provider"),
    ("/policies", "policy of an application"),
    ("/access/policies", "policy"),
    ("/access/groups", "Access group"),
    ("/access/apps", "application"),
    ("/access/organizations", "Zero Trust organization"),
    ("/access/idp_federation_grants", "federation grant"),
    ("/shares", "share"),
    ("/members", "member"),
    ("/tokens", "API token"),
];

impl Change {
    pub fn of(row: &AuditRow) -> Option<Self> {
        let raw = row.raw.as_ref()?;
        let path = raw.uri.as_deref()?.split('?').next()?;
        let method = raw.method.as_deref()?;
        let (_, noun) = OBJECTS.iter().find(|(part, _)| path.contains(part))?;
        let verb = match method {
            "POST" if path.ends_with("/begin_verification") => "started the verification of",
            "POST" => "created",
            "DELETE" => "deleted",
            "PUT" | "PATCH" => "changed",
            _ => return None,
        };
        let last = path.rsplit('/').next().unwrap_or_default();
        let is_id = last.len() >= 32 && last.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
        let actor = row.actor.clone().unwrap_or_default();
        let names = [actor.email, actor.token_name, actor.kind];
        let who = names.into_iter().flatten().find(|name| !name.is_empty());
        Some(Self {
            at: row.at()?,
            who: who.unwrap_or_else(|| "unknown".to_owned()),
            ip: actor.ip_address,
            what: format!(
                "{verb} a{} {noun}",
                if noun.starts_with(['a', 'A', 'i']) { "n" } else { "" }
            ),
            object: is_id.then(|| last.to_owned()),
            method: method.to_owned(),
            path: path.to_owned(),
            ray_id: row.ray_id().map(str::to_owned),
        })
    }

    /// Whether it may stop sign-ins without a row in the login log.
    pub fn breaks_silently(&self) -> bool {
        let parts = ["identity_providers", "organizations", "idp_federation_grants", "shares"];
        self.method != "POST" && parts.iter().any(|part| self.path.contains(part))
    }

    pub fn describe(&self) -> String {
        let Self { who, what, object, at, .. } = self;
        let object = object.as_ref().map(|id| format!(" {id}")).unwrap_or_default();
        format!("{who} {what}{object} at {}", rfc3339::format(*at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_a_change_by_its_method_and_path() {
        let account = "/client/v4/accounts/0123456789abcdef0123456789abcdef";
        let id = "c001ca75-1d90-4000-8000-000000000001";
        for (method, path, what, object) in [
            ("PATCH", format!("/sso_connectors/{id}"), Some("changed a connector"), true),
            ("POST", "/sso_connectors".to_owned(), Some("created a connector"), false),
            (
                "POST",
                format!("/sso_connectors/{id}/begin_verification"),
                Some("started the verification of a connector"),
                false,
            ),
            (
                "PUT",
                format!("/access/identity_providers/{id}"),
                Some("changed an identity provider"),
                true,
            ),
            (
                "DELETE",
                format!("/access/apps/{id}/policies/{id}"),
                Some("deleted a policy of an application"),
                true,
            ),
            ("PUT", format!("/access/apps/{id}"), Some("changed an application"), true),
            (
                "PUT",
                "/access/organizations".to_owned(),
                Some("changed a Zero Trust organization"),
                false,
            ),
            ("GET", format!("/access/apps/{id}"), None, false),
            ("POST", "/storage/kv".to_owned(), None, false),
        ] {
            let row = format!(
                r#"{{"action":{{"time":"2026-03-01T12:00:00Z"}},"actor":{{"email":"","token_name":"ci"}},
                    "raw":{{"method":"{method}","uri":"{account}{path}"}}}}"#
            );
            let change = Change::of(&serde_json::from_str(&row).unwrap());
            assert_eq!(change.as_ref().map(|change| change.what.as_str()), what, "{path}");
            assert!(change.as_ref().is_none_or(|change| change.who == "ci"));
            assert_eq!(change.is_some_and(|change| change.object.is_some()), object, "{path}");
        }
    }
}
