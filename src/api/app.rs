//! Access applications; the one of type `dash_sso` is the SSO App (API reference, section 4).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use super::ids::{AccountId, AppId, IdpId, IdpReference};
use super::object::Object;
use super::request::{Request, WriteRequest};

/// The maximum (API reference, section 1.5).
const PAGE: u32 = 1000;

pub type App = Object<AppFields>;

/// An Access application as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct AppFields {
    /// The ID of the application.
    #[schemars(with = "String")]
    pub id: AppId,
    /// The name of the application.
    #[serde(default)]
    pub name: String,
    /// The type of the application.
    #[serde(rename = "type")]
    pub kind: Option<AppType>,
    /// The audience tag (`aud`) of the application's tokens.
    pub aud: Option<String>,
    /// The hostname and path of the application.
    pub domain: Option<String>,
    /// The identity providers that the application allows; empty or missing: all.
    #[schemars(with = "Option<Vec<String>>")]
    pub allowed_idps: Option<Vec<IdpReference>>,
    /// Whether instant authentication is on: users skip the identity provider selection.
    pub auto_redirect_to_identity: Option<bool>,
    /// The settings of the application as a SAML service, if it is one.
    pub saas_app: Option<Saas>,
    /// When it was created (RFC 3339).
    pub created_at: Option<String>,
    /// When it was last changed (RFC 3339).
    pub updated_at: Option<String>,
}

/// The settings of an application as a SAML service.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Saas {
    /// The URL of the single sign-on endpoint.
    pub sso_endpoint: Option<String>,
    /// The SAML entity ID of Access as the identity provider (issuer).
    pub idp_entity_id: Option<String>,
}

/// The type of an application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum AppType {
    /// The SSO App of the dashboard.
    #[serde(rename = "dash_sso")]
    DashSso,
    /// Any other type.
    #[serde(untagged)]
    Other(String),
}

impl AppFields {
    pub fn is_dash_sso(&self) -> bool {
        self.kind == Some(AppType::DashSso)
    }

    pub fn type_name(&self) -> &str {
        match &self.kind {
            Some(AppType::DashSso) => "dash_sso",
            Some(AppType::Other(text)) => text,
            None => "unknown",
        }
    }

    /// An empty list allows all.
    pub fn listed_idps(&self) -> &[IdpReference] {
        self.allowed_idps.as_deref().unwrap_or_default()
    }

    pub fn admits(&self, idp: &IdpId) -> bool {
        self.listed_idps().is_empty() || self.listed_idps().iter().any(|listed| listed == idp)
    }

    /// Whether the choice of identity providers is skipped.
    pub fn is_instant(&self) -> bool {
        self.auto_redirect_to_identity == Some(true)
    }
}

/// The API has no filter by type.
pub fn list(account: &AccountId) -> Request<Vec<App>> {
    Request::get(&collection(account)).paged(PAGE)
}

pub fn get(account: &AccountId, id: &AppId) -> Request<App> {
    Request::get(&item_path(account, id))
}

pub fn document(account: &AccountId, id: &AppId) -> Request<Document> {
    Request::get(&item_path(account, id))
}

/// Replaces an application. Absent policies are kept; an empty list would delete all of them.
pub fn replace(account: &AccountId, id: &AppId, body: &Document) -> WriteRequest<Option<Document>> {
    WriteRequest::put(&item_path(account, id)).body(body).with_decoder(|text| Ok(text.parse().ok()))
}

fn collection(account: &AccountId) -> [&str; 4] {
    ["accounts", account.as_str(), "access", "apps"]
}

fn item_path<'a>(account: &'a AccountId, id: &'a AppId) -> [&'a str; 5] {
    ["accounts", account.as_str(), "access", "apps", id.as_str()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(rest: &str) -> App {
        serde_json::from_str(&format!(r#"{{"id":"a1"{rest}}}"#)).unwrap()
    }

    #[test]
    fn an_empty_or_absent_list_admits_every_identity_provider() {
        for (rest, admits) in [
            ("", true),
            (r#","allowed_idps":null"#, true),
            (r#","allowed_idps":[]"#, true),
            (r#","allowed_idps":["p1"]"#, true),
            (r#","allowed_idps":["p2"]"#, false),
            (r#","allowed_idps":[""]"#, false),
            (r#","allowed_idps":[null,"p1"]"#, true),
        ] {
            assert_eq!(app(rest).admits(&"p1".parse().unwrap()), admits, "{rest}");
        }
    }

    #[test]
    fn only_one_type_is_the_dashboards_sign_in() {
        for (rest, is_dash_sso, name) in [
            (r#","type":"dash_sso""#, true, "dash_sso"),
            (r#","type":"DASH_SSO""#, false, "DASH_SSO"),
            (r#","type":"private_ip""#, false, "private_ip"),
            ("", false, "unknown"),
        ] {
            assert_eq!(app(rest).is_dash_sso(), is_dash_sso, "{rest}");
            assert_eq!(app(rest).type_name(), name);
        }
    }
}
