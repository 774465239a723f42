//! The SSO App: created with an account's first connector; each connector adds one policy and
//! removes it with itself (documentation of dashboard SSO; API reference, section 4).

use jiff::Timestamp;
use serde_json::json;

use super::raw::RawObject;
use super::state::{App, Connector, Policy, State, derived_uuid};

pub(super) const KIND: &str = "dash_sso";

/// Stands for the team's domain before Zero Trust is enabled.
pub(super) const NOT_ENABLED: &str = "not-enabled.sandbox.invalid";

/// No complete SSO App is public: the known fields are those of a `SaaS` application, the unknown
/// ones test that clients keep them.
const OBJECT: &str = r#"{
  "id": "ID",
  "uid": "ID",
  "type": "dash_sso",
  "name": "SSO App",
  "aud": "AUD",
  "domain": "AUTH_DOMAIN/cdn-cgi/access/sso/saml/AUD",
  "domain_type": "public",
  "self_hosted_domains": [],
  "destinations": [],
  "allowed_idps": [],
  "auto_redirect_to_identity": false,
  "session_duration": "24h",
  "app_launcher_visible": false,
  "app_launcher_logo_url": null,
  "logo_url": "https://dash.cloudflare.com/favicon.ico",
  "custom_deny_message": "",
  "custom_deny_url": null,
  "custom_non_identity_deny_url": null,
  "custom_pages": [],
  "tags": [],
  "enable_binding_cookie": false,
  "http_only_cookie_attribute": true,
  "path_cookie_attribute": false,
  "skip_interstitial": false,
  "service_auth_401_redirect": false,
  "allow_authenticate_via_warp": false,
  "options_preflight_bypass": false,
  "allow_iframe": false,
  "read_service_tokens_from_header": null,
  "saas_app": {
    "auth_type": "saml",
    "consumer_service_url": "https://dash.cloudflare.com/api/v4/login/sso",
    "sp_entity_id": "https://dash.cloudflare.com",
    "name_id_format": "email",
    "sso_endpoint": "https://AUTH_DOMAIN/cdn-cgi/access/sso/saml/AUD",
    "idp_entity_id": "https://AUTH_DOMAIN",
    "public_key": "sandbox-public-key",
    "custom_attributes": [],
    "x_unknown_saas": 0.10
  },
  "scim_config": null,
  "landing_page_design": {"title": "Cool \u0043ats", "x_layers": [{"z": 2, "a": 1}]},
  "mfa_config": {"mfa_disabled": false, "session_duration": "0s"},
  "x_serial": 12345678901234567890123,
  "x_weight": 3.10,
  "x_exponent": 1E+2,
  "x_nothing": null,
  "x_nested": {"z": {"y": [1.0, null, {"b": -0, "a": "é"}]}, "a": []},
  "x_empty": {},
  "x_flags": [true, false, null]
}"#;

pub(super) fn add_connector(state: &mut State, connector: &Connector) {
    let now = connector.created_on;
    let app = match position(state, &connector.account) {
        Some(position) => state.apps[position].id.clone(),
        None => create(state, &connector.account, now),
    };
    let policies = state.policies.iter().filter(|policy| policy.app == app);
    let precedence = policies.filter_map(Policy::precedence).max().unwrap_or(0) + 1;
    let id = derived_uuid(["policy", &connector.id]);
    let domain = &connector.email_domain;
    let object = json!({
        "id": id,
        "name": format!("allow email domain {domain}"),
        "decision": "allow",
        "include": [{ "email_domain": { "domain": domain } }],
        "exclude": [],
        "require": [],
        "precedence": precedence,
        "session_duration": null,
    });
    state.policies.push(Policy {
        id,
        app,
        connector: Some(connector.id.clone()),
        object: RawObject::literal(&object.to_string()),
        created_at: now,
        updated_at: now,
    });
}

/// Whether the application is deleted with the last connector is unknown: here it stays.
pub(super) fn remove_connector(state: &mut State, connector: &str) {
    state.policies.retain(|policy| policy.connector.as_deref() != Some(connector));
}

pub(super) fn rename(state: &mut State, account: &str, from: &str, to: &str) {
    if let Some(position) = position(state, account) {
        let app = &mut state.apps[position];
        app.object = std::mem::take(&mut app.object).with_replaced_text(from, to);
    }
}

pub(super) fn find<'a>(state: &'a State, account: &str) -> Option<&'a App> {
    position(state, account).map(|position| &state.apps[position])
}

fn position(state: &State, account: &str) -> Option<usize> {
    let is_sso = |app: &App| app.object.text("type").as_deref() == Some(KIND);
    state.apps.iter().position(|app| app.account == account && is_sso(app))
}

fn create(state: &mut State, account: &str, now: Timestamp) -> String {
    let id = derived_uuid(["app", account]);
    let aud = ["aud", "audience"].map(|part| derived_uuid([part, account])).concat();
    let aud = aud.replace('-', "");
    let auth_domain = state.auth_domain(account).unwrap_or_else(|| NOT_ENABLED.to_owned());
    let text = OBJECT.replace("AUTH_DOMAIN", &auth_domain).replace("AUD", &aud).replace("ID", &id);
    state.apps.push(App {
        id: id.clone(),
        account: account.to_owned(),
        object: RawObject::literal(&text),
        created_at: now,
        updated_at: now,
    });
    id
}

impl Policy {
    pub(super) fn precedence(&self) -> Option<u64> {
        self.object.get("precedence")
    }
}

impl State {
    pub(super) fn auth_domain(&self, account: &str) -> Option<String> {
        let known = self.organizations.iter().find(|known| known.account == account)?;
        known.object.text("auth_domain")
    }
}
