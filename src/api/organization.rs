//! The account's Zero Trust organization (API reference, section 5).

use schemars::JsonSchema;
use serde::Deserialize;

use super::document::Document;
use super::ids::AccountId;
use super::object::Object;
use super::request::{Request, WriteRequest};

pub type Organization = Object<OrganizationFields>;

/// The known fields of an organization.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct OrganizationFields {
    /// The team's domain: `<team>.cloudflareaccess.com`.
    pub auth_domain: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// How the sign-in page looks.
    pub login_design: Option<LoginDesign>,
    /// Whether the dashboard may not change Access; the API may.
    pub is_ui_read_only: Option<bool>,
    /// The reason for `is_ui_read_only`, if one was given.
    pub ui_read_only_toggle_reason: Option<String>,
    /// How long a sign-in lasts.
    pub session_duration: Option<String>,
    /// Whether the choice of identity providers is skipped.
    pub auto_redirect_to_identity: Option<bool>,
    /// When it was created (RFC 3339).
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339).
    pub updated_at: Option<String>,
}

/// How the sign-in page looks.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct LoginDesign {
    /// The text above.
    pub header_text: Option<String>,
    /// The text below.
    pub footer_text: Option<String>,
    /// Where the logo is.
    pub logo_path: Option<String>,
    /// The colour behind, `#RRGGBB`.
    pub background_color: Option<String>,
    /// The colour of the text, `#RRGGBB`.
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
