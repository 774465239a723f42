//! The account's Zero Trust organization (API reference, section 5).

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::Document;
use super::ids::AccountId;
use super::object::Object;
use super::request::{Request, WriteRequest};

pub type Organization = Object<OrganizationFields>;

/// The Zero Trust organization as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct OrganizationFields {
    /// The team domain: `<team>.cloudflareaccess.com`.
    pub auth_domain: Option<String>,
    /// The name of the organization.
    pub name: Option<String>,
    /// The design of the sign-in page.
    pub login_design: Option<LoginDesign>,
    /// Whether Access settings are read-only in the dashboard; the API can still change them.
    pub is_ui_read_only: Option<bool>,
    /// The reason for `is_ui_read_only`.
    pub ui_read_only_toggle_reason: Option<String>,
    /// How long a session is valid, such as `24h`.
    pub session_duration: Option<String>,
    /// Whether users skip the identity provider selection.
    #[expect(dead_code, reason = "described in the schema")]
    pub auto_redirect_to_identity: Option<bool>,
    /// When it was created (RFC 3339).
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339).
    pub updated_at: Option<String>,
}

/// The design of the sign-in page.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct LoginDesign {
    /// The text at the top of the sign-in page.
    pub header_text: Option<String>,
    /// The text at the bottom of the sign-in page.
    pub footer_text: Option<String>,
    /// The URL of the logo.
    pub logo_path: Option<String>,
    /// The background color, `#RRGGBB`.
    pub background_color: Option<String>,
    /// The text color, `#RRGGBB`.
    pub text_color: Option<String>,
}

/// An account without one answers code 9999 or 404.
pub fn get(account: &AccountId) -> Request<Organization> {
    Request::get(&path(account))
}

pub fn document(account: &AccountId) -> Request<Document> {
    Request::get(&path(account))
}

pub fn replace(account: &AccountId, body: &Document) -> WriteRequest<Option<Document>> {
    WriteRequest::put(&path(account)).body(body).with_decoder(|text| Ok(text.parse().ok()))
}

fn path(account: &AccountId) -> [&str; 4] {
    ["accounts", account.as_str(), "access", "organizations"]
}
