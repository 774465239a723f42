//! Access identity providers (API reference, section 3).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Document;
use super::hidden::without_hidden;
use super::ids::{AccountId, IdpId};
use super::object::Object;
use super::request::{Request, WriteRequest};

/// The maximum (API reference, section 1.5).
const PAGE: u32 = 1000;

pub type Idp = Object<IdpFields>;

/// An identity provider as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct IdpFields {
    /// The ID of the identity provider.
    #[schemars(with = "String")]
    pub id: IdpId,
    /// The name on the sign-in page.
    #[serde(default)]
    pub name: String,
    /// The type of the identity provider.
    #[serde(rename = "type")]
    pub kind: IdpType,
    /// The settings; the fields depend on the type (`cfsso idp types`).
    #[serde(default)]
    pub config: Value,
    /// The SCIM settings.
    pub scim_config: Option<Scim>,
    /// Whether another account shares the identity provider; it is read-only in this account.
    pub read_only: Option<bool>,
}

/// The SCIM settings: provisioning of users and groups.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Scim {
    /// Whether SCIM provisioning is enabled.
    pub enabled: Option<bool>,
    /// The SCIM base URL to enter at the identity provider.
    pub scim_base_url: Option<String>,
}

/// The type of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum IdpType {
    /// One-time PIN by email.
    #[serde(rename = "onetimepin")]
    OneTimePin,
    /// Cloudflare accounts.
    #[serde(rename = "cloudflare")]
    Cloudflare,
    /// Okta over OIDC.
    #[serde(rename = "okta")]
    Okta,
    /// Microsoft Entra ID.
    #[serde(rename = "azureAD")]
    AzureAd,
    /// Google accounts.
    #[serde(rename = "google")]
    Google,
    /// Google Workspace.
    #[serde(rename = "google-apps")]
    GoogleApps,
    /// Generic OpenID Connect.
    #[serde(rename = "oidc")]
    Oidc,
    /// Generic SAML.
    #[serde(rename = "saml")]
    Saml,
    /// GitHub.
    #[serde(rename = "github")]
    Github,
    /// Facebook.
    #[serde(rename = "facebook")]
    Facebook,
    /// `LinkedIn`.
    #[serde(rename = "linkedin")]
    Linkedin,
    /// Yandex.
    #[serde(rename = "yandex")]
    Yandex,
    /// OneLogin.
    #[serde(rename = "onelogin")]
    Onelogin,
    /// PingOne.
    #[serde(rename = "pingone")]
    Pingone,
    /// Centrify.
    #[serde(rename = "centrify")]
    Centrify,
    /// Passkeys registered with Cloudflare.
    #[serde(rename = "passkeys")]
    Passkeys,
    /// A type unknown to this version, as the API returns it.
    #[serde(untagged)]
    Other(String),
}

impl IdpType {
    pub const ALL: [Self; 16] = [
        Self::OneTimePin,
        Self::Cloudflare,
        Self::Okta,
        Self::AzureAd,
        Self::Google,
        Self::GoogleApps,
        Self::Oidc,
        Self::Saml,
        Self::Github,
        Self::Facebook,
        Self::Linkedin,
        Self::Yandex,
        Self::Onelogin,
        Self::Pingone,
        Self::Centrify,
        Self::Passkeys,
    ];

    /// The type in any case; `ping` is the guide's name for `pingone` (API reference, section 3).
    pub fn named(text: &str) -> Self {
        let text = if text.eq_ignore_ascii_case("ping") { "pingone" } else { text };
        let known = Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text));
        known.unwrap_or_else(|| Self::Other(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::OneTimePin => "onetimepin",
            Self::Cloudflare => "cloudflare",
            Self::Okta => "okta",
            Self::AzureAd => "azureAD",
            Self::Google => "google",
            Self::GoogleApps => "google-apps",
            Self::Oidc => "oidc",
            Self::Saml => "saml",
            Self::Github => "github",
            Self::Facebook => "facebook",
            Self::Linkedin => "linkedin",
            Self::Yandex => "yandex",
            Self::Onelogin => "onelogin",
            Self::Pingone => "pingone",
            Self::Centrify => "centrify",
            Self::Passkeys => "passkeys",
            Self::Other(text) => text,
        }
    }
}

impl IdpFields {
    pub fn is_read_only(&self) -> bool {
        self.read_only == Some(true)
    }

    pub fn has_scim(&self) -> bool {
        self.scim_config.as_ref().is_some_and(|scim| scim.enabled == Some(true))
    }
}

pub fn list(account: &AccountId) -> Request<Vec<Idp>> {
    Request::get(&collection(account)).paged(PAGE)
}

pub fn get(account: &AccountId, id: &IdpId) -> Request<Idp> {
    Request::get(&item_path(account, id))
}

pub fn document(account: &AccountId, id: &IdpId) -> Request<Document> {
    Request::get(&item_path(account, id))
}

/// Leaves out secrets that are null or masks.
pub fn create(account: &AccountId, body: &Document) -> WriteRequest<Idp> {
    WriteRequest::post(&collection(account)).body(&without_hidden(body))
}

/// The API keeps secrets that are absent.
pub fn replace(account: &AccountId, id: &IdpId, body: &Document) -> WriteRequest<Option<Document>> {
    WriteRequest::put(&item_path(account, id)).body(body).with_decoder(|text| Ok(text.parse().ok()))
}

pub fn delete(account: &AccountId, id: &IdpId) -> WriteRequest<()> {
    WriteRequest::delete(&item_path(account, id)).with_decoder(|_| Ok(()))
}

fn collection(account: &AccountId) -> [&str; 4] {
    ["accounts", account.as_str(), "access", "identity_providers"]
}

fn item_path<'a>(account: &'a AccountId, id: &'a IdpId) -> [&'a str; 5] {
    ["accounts", account.as_str(), "access", "identity_providers", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_read_and_written_as_the_api_has_it() {
        for kind in IdpType::ALL {
            let text = format!("\"{}\"", kind.as_str());
            assert_eq!(serde_json::to_string(&kind).unwrap(), text);
            assert_eq!(serde_json::from_str::<IdpType>(&text).unwrap(), kind);
        }
    }

    #[test]
    fn an_unknown_type_is_kept() {
        for text in ["retina-scan", "AzureAD"] {
            let kind: IdpType = serde_json::from_str(&format!("\"{text}\"")).unwrap();
            assert_eq!(kind, IdpType::Other(text.to_owned()));
        }
    }

    #[test]
    fn a_type_is_named_in_any_case_and_ping_is_pingone() {
        for (text, kind) in [
            ("azuread", IdpType::AzureAd),
            ("AzureAD", IdpType::AzureAd),
            ("OKTA", IdpType::Okta),
            ("ping", IdpType::Pingone),
            ("Passkeys", IdpType::Passkeys),
            ("retina-scan", IdpType::Other("retina-scan".to_owned())),
        ] {
            assert_eq!(IdpType::named(text), kind, "{text}");
        }
    }

    #[test]
    fn a_minimal_and_a_federated_one_are_read() {
        for (text, read_only) in [
            (r#"{"id":"p1","type":"onetimepin","config":{}}"#, false),
            (r#"{"id":"p1","type":"oidc","name":"Shared","read_only":true,"config":{}}"#, true),
            (r#"{"id":"p1","type":"passkeys","config":null,"read_only":null}"#, false),
        ] {
            let idp: Idp = serde_json::from_str(text).unwrap();
            assert_eq!(idp.is_read_only(), read_only, "{text}");
        }
    }
}
