//! The permission that a request needs, by the name of the dashboard's token picker (API reference,
//! sections 2 and 8).

use super::request::Method;

/// None if not documented. `request` is the verb and path that
/// [`Request`](super::request::Request) displays.
pub fn required(request: &str) -> Option<&'static str> {
    let (verb, path) = request.split_once(' ')?;
    let is_read = verb == Method::Get.as_str();
    let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    match segments.as_slice() {
        ["accounts", _, "sso_connectors", ..] if is_read => Some("SSO Connector Read"),
        ["accounts", _, "sso_connectors", ..] => Some("SSO Connector Write"),
        ["accounts", _, "access", "apps", ..] if is_read => Some("Access: Apps and Policies Read"),
        ["accounts", _, "access", "apps", ..] => Some("Access: Apps and Policies Write"),
        ["accounts", _, "access", "identity_providers" | "organizations" | "groups", ..]
            if is_read =>
        {
            Some("Access: Organizations, Identity Providers, and Groups Read")
        }
        ["accounts", _, "access", "identity_providers" | "organizations", ..] => {
            Some("Access: Organizations, Identity Providers, and Groups Write")
        }
        ["accounts", _, "access", "logs" | "users", ..] if is_read => {
            Some("Access: Audit Logs Read")
        }
        ["accounts", _, "tokens", "verify"] => None,
        ["accounts", _, "tokens", ..] if is_read => Some("Account API Tokens Read"),
        ["accounts", _, "tokens", ..] => Some("Account API Tokens Write"),
        ["accounts", _, "members", ..] | ["accounts", _, "logs", "audit", ..] if is_read => {
            Some("Account Settings Read")
        }
        // Catalogues name reading shares; no name for writing is published.
        ["accounts", _, "shares", ..] if is_read => Some("Resource Sharing Read"),
        ["zones", _, "dns_records", ..] if is_read => Some("DNS Read"),
        ["zones", _, "dns_records", ..] => Some("DNS Write"),
        ["zones", ..] => Some("Zone Read"),
        _ => None,
    }
}

/// The dashboard says Edit for the API's Write (API reference, section 2).
pub fn in_dashboard(permission: &str) -> String {
    let renamed = [(" Read", "Read"), (" Write", "Edit")]
        .into_iter()
        .find_map(|(end, word)| Some(format!("{}: {word}", permission.strip_suffix(end)?)));
    renamed.unwrap_or_else(|| permission.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_names_its_permission() {
        for (request, permission) in [
            ("GET /accounts/a/sso_connectors", Some("SSO Connector Read")),
            ("PATCH /accounts/a/sso_connectors/c", Some("SSO Connector Write")),
            ("POST /accounts/a/sso_connectors/c/begin_verification", Some("SSO Connector Write")),
            ("GET /accounts/a/access/apps/x/policies", Some("Access: Apps and Policies Read")),
            ("PUT /accounts/a/access/apps/x", Some("Access: Apps and Policies Write")),
            (
                "GET /accounts/a/access/organizations",
                Some("Access: Organizations, Identity Providers, and Groups Read"),
            ),
            (
                "DELETE /accounts/a/access/identity_providers/p",
                Some("Access: Organizations, Identity Providers, and Groups Write"),
            ),
            ("GET /accounts/a/access/idp_federation_grants", None),
            ("GET /accounts/a/members", Some("Account Settings Read")),
            ("GET /accounts/a/access/logs/access_requests", Some("Access: Audit Logs Read")),
            ("GET /accounts/a/access/users/u/last_seen_identity", Some("Access: Audit Logs Read")),
            ("GET /accounts/a/logs/audit", Some("Account Settings Read")),
            ("GET /zones/z/dns_records", Some("DNS Read")),
            ("POST /zones/z/dns_records", Some("DNS Write")),
            ("DELETE /zones/z/dns_records/r", Some("DNS Write")),
            ("GET /zones", Some("Zone Read")),
            ("GET /accounts/a/shares/s/recipients", Some("Resource Sharing Read")),
            ("POST /accounts/a/shares", None),
            ("POST /accounts/a/access/idp_federation_grants", None),
            ("GET /accounts", None),
            ("GET /user/tokens/verify", None),
            ("GET /accounts/a/tokens/verify", None),
            ("GET /accounts/a/tokens/permission_groups", Some("Account API Tokens Read")),
            ("POST /accounts/a/tokens", Some("Account API Tokens Write")),
            ("GET /accounts/a/members", Some("Account Settings Read")),
            ("nonsense", None),
        ] {
            assert_eq!(required(request), permission, "{request}");
        }
    }

    #[test]
    fn the_dashboard_says_edit_for_write() {
        for (permission, shown) in [
            ("SSO Connector Read", "SSO Connector: Read"),
            ("SSO Connector Write", "SSO Connector: Edit"),
            ("Access: Apps and Policies Write", "Access: Apps and Policies: Edit"),
            ("something else", "something else"),
        ] {
            assert_eq!(in_dashboard(permission), shown);
        }
    }
}
