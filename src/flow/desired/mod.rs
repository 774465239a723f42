//! Desired state: what an account's dashboard SSO should be, as one file. [`plan`] compares it
//! with the server, [`apply`] makes the changes. What the file does not name stays unchanged.

pub mod apply;
pub mod change;
pub mod dry_run;
pub mod export;
pub mod facts;
pub mod parse;
pub mod plan;
pub mod terraform;

use std::fmt;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Of the file format.
pub const VERSION: u8 = 1;

/// The desired state of an account. A section that is absent is not managed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Desired {
    /// The URL of this schema, for editors.
    #[serde(rename = "$schema", skip_serializing_if = "Option::is_none")]
    pub schema: Option<String>,
    /// The version of the format.
    #[schemars(range(min = 1, max = 1))]
    pub version: u8,
    /// Identity providers of the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<DesiredIdp>")]
    pub identity_providers: Option<Vec<DesiredIdp>>,
    /// The SSO App.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DesiredApp")]
    pub sso_app: Option<DesiredApp>,
    /// SSO connectors, one for each email domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<DesiredConnector>")]
    pub connectors: Option<Vec<DesiredConnector>>,
    /// Identity providers shared with other accounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<DesiredShare>")]
    pub federation: Option<Vec<DesiredShare>>,
}

/// An identity provider, found by its ID, or by its name and type.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesiredIdp {
    /// ID; needed only to rename the identity provider, or if the name is not unique.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Name on the sign-in page.
    pub name: String,
    /// Type as in the API, such as `okta`, `azureAD` or `saml`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Settings of the type, without secrets; `cfsso idp types` lists them.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub config: Map<String, Value>,
    /// Environment variable with the client secret. The secret is used only to create
    /// the identity provider, because the API never returns it for comparison.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_env: Option<String>,
    /// File with the client secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret_file: Option<PathBuf>,
    /// Environment variable with the Okta API token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_token_env: Option<String>,
    /// File with the Okta API token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_token_file: Option<PathBuf>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    Variable(String),
    File(PathBuf),
}

impl fmt::Display for SecretPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(f, "from the variable {name}"),
            Self::File(file) => write!(f, "from the file {}", file.display()),
        }
    }
}

/// The SSO App.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesiredApp {
    /// Allowed identity providers, by name or ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_idps: Option<Selection>,
    /// Skip the identity provider selection; requires exactly one allowed identity provider.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub auto_redirect: Option<bool>,
}

/// `all`, or a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "neither `all` nor a list of names")]
pub enum Selection {
    /// All, including those created later.
    All(All),
    /// Only those in the list.
    Only(Vec<String>),
}

/// The value `all`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum All {
    /// All items.
    All,
}

/// A connector, found by its domain.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesiredConnector {
    /// The email domain of the users.
    pub domain: String,
    /// Whether SSO is enforced. Requires a verified domain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Verify the domain without enforcing SSO. Implied by `enabled: true`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<bool>,
    /// Use the FedRAMP language on the sign-in page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fedramp: Option<bool>,
}

/// An identity provider shared with other accounts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesiredShare {
    /// Name or ID of the identity provider.
    pub idp: String,
    /// IDs of the recipient accounts, or `all` for the whole organization.
    pub accounts: Selection,
}

impl Desired {
    pub fn idps(&self) -> &[DesiredIdp] {
        self.identity_providers.as_deref().unwrap_or_default()
    }

    pub fn connectors(&self) -> &[DesiredConnector] {
        self.connectors.as_deref().unwrap_or_default()
    }

    pub fn shares(&self) -> &[DesiredShare] {
        self.federation.as_deref().unwrap_or_default()
    }
}

impl DesiredIdp {
    pub fn secrets(&self) -> Vec<(&'static str, SecretPlace)> {
        let variable = |name: &Option<String>| name.clone().map(SecretPlace::Variable);
        let file = |file: &Option<PathBuf>| file.clone().map(SecretPlace::File);
        let places = [
            ("client_secret", variable(&self.client_secret_env)),
            ("client_secret", file(&self.client_secret_file)),
            ("api_token", variable(&self.api_token_env)),
            ("api_token", file(&self.api_token_file)),
        ];
        places.into_iter().filter_map(|(field, place)| Some((field, place?))).collect()
    }
}

impl DesiredConnector {
    pub fn wants_verification(&self) -> bool {
        self.enabled == Some(true) || self.verified == Some(true)
    }
}
