//! Access in a new sandbox: organizations, an identity provider and an unrelated application.

use std::collections::BTreeMap;

use serde_json::json;
use serde_json::value::to_raw_value;

use super::{ACCOUNT_1, ACCOUNT_3, ACCOUNT_4, ACCOUNT_5, epoch};
use crate::sandbox::raw::RawObject;
use crate::sandbox::state::{App, IdentityProvider, ORIGIN, Organization, Policy};

const PROVIDER: &str = "c001ca75-1d90-4000-8000-000000000001";
const APP: &str = "c001ca75-a990-4000-8000-000000000001";
const POLICY: &str = "c001ca75-9011-4000-8000-000000000001";

/// All accounts but the second have Zero Trust.
pub(in crate::sandbox) fn organizations() -> Vec<Organization> {
    let rest = [
        (ACCOUNT_3, "small-cats", "Small Cats"),
        (ACCOUNT_4, "big-cats", "Big Cats"),
        (ACCOUNT_5, "dogs", "Dogs"),
    ];
    let first =
        Organization { account: ACCOUNT_1.to_owned(), object: RawObject::literal(COOL_CATS) };
    let rest = rest.map(|(account, team, name)| organization(account, team, name));
    [first].into_iter().chain(rest).collect()
}

pub(in crate::sandbox) fn organization(account: &str, team: &str, name: &str) -> Organization {
    let object = json!({
        "auth_domain": format!("{team}.cloudflareaccess.com"),
        "name": name,
        "is_ui_read_only": false,
        "login_design": {},
        "session_duration": "24h",
        "created_at": "2025-01-01T12:21:02Z",
        "updated_at": "2025-01-01T12:21:02Z",
    });
    Organization { account: account.to_owned(), object: RawObject::literal(&object.to_string()) }
}

/// As recorded, with fields that are in no schema.
const COOL_CATS: &str = r##"{
  "allow_authenticate_via_warp": false,
  "auth_domain": "cool-cats.cloudflareaccess.com",
  "auto_redirect_to_identity": false,
  "cache_device_posture": true,
  "created_at": "2025-01-01T12:21:02Z",
  "has_migrated_private_apps": true,
  "is_ui_read_only": false,
  "login_design": {
    "background_color": "#FFFFFF",
    "footer_text": "© Cool Cats",
    "header_text": "Cool Cats sign in",
    "logo_path": "https://cool.cats/logo.png",
    "text_color": "#000000"
  },
  "name": "Cool Cats",
  "session_duration": "12h",
  "tenant_serial": 98765432109876543210987,
  "tenant_weight": 2.50,
  "updated_at": "2025-01-01T12:21:02Z",
  "user_seat_expiration_inactive_time": "1460h",
  "warp_auth_session_duration": "36h",
  "x_unknown": {"nested": [1, null, {"b": true, "a": 1e2}]}
}"##;

/// OpenID Connect, at the issuer that the sandbox serves.
pub(in crate::sandbox) fn providers() -> Vec<IdentityProvider> {
    let issuer = format!("{ORIGIN}/oidc/company");
    let object = json!({
        "id": PROVIDER,
        "name": "Company SSO",
        "type": "oidc",
        "config": {
            "auth_url": format!("{issuer}/authorize"),
            "certs_url": format!("{issuer}/jwks"),
            "claims": ["groups"],
            "client_id": "cool-cats-dashboard",
            "email_claim_name": "email",
            "pkce_enabled": true,
            "scopes": ["openid", "email", "profile"],
            "token_url": format!("{issuer}/token"),
            "x_hint": null,
        },
        "scim_config": { "enabled": false },
        "uid": PROVIDER,
        "version": "1a380549c849da39dcce7e876084c7e6",
    });
    let secret = to_raw_value("sandbox-client-secret").expect("a string is JSON");
    vec![IdentityProvider {
        id: PROVIDER.to_owned(),
        account: ACCOUNT_1.to_owned(),
        object: RawObject::literal(&object.to_string()),
        secrets: BTreeMap::from([("client_secret".to_owned(), secret)]),
        scim_secret: None,
    }]
}

pub(in crate::sandbox) fn apps() -> Vec<App> {
    let object = json!({
        "id": APP,
        "uid": APP,
        "type": "self_hosted",
        "name": "Wiki",
        "aud": "737646a56ab1df6ec9bddc7e5ca84eaf3b0768850f3ffb5d74f1534911fe3893",
        "domain": "wiki.cool.cats",
        "domain_type": "public",
        "destinations": [{ "type": "public", "uri": "wiki.cool.cats" }],
        "session_duration": "24h",
        "allowed_idps": [],
        "auto_redirect_to_identity": false,
        "app_launcher_visible": true,
        "http_only_cookie_attribute": true,
    });
    vec![App {
        id: APP.to_owned(),
        account: ACCOUNT_1.to_owned(),
        object: RawObject::literal(&object.to_string()),
        created_at: epoch(),
        updated_at: epoch(),
    }]
}

pub(in crate::sandbox) fn policies() -> Vec<Policy> {
    let object = json!({
        "id": POLICY,
        "name": "Everybody at Cool Cats",
        "decision": "allow",
        "include": [{ "email_domain": { "domain": "cool.cats" } }],
        "exclude": [],
        "require": [],
        "precedence": 1,
    });
    vec![Policy {
        id: POLICY.to_owned(),
        app: APP.to_owned(),
        connector: None,
        object: RawObject::literal(&object.to_string()),
        created_at: epoch(),
        updated_at: epoch(),
    }]
}
