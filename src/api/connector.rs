//! SSO connectors: an email domain whose users sign in to the dashboard through the
//! account's identity provider (API reference, section 2).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::ids::{AccountId, ConnectorId};
use super::object::Object;
use super::request::{Request, WriteRequest};
use crate::domain::EmailDomain;

pub type Connector = Object<ConnectorFields>;

/// A connector as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct ConnectorFields {
    /// The ID of the connector.
    #[schemars(with = "String")]
    pub id: ConnectorId,
    /// The email domain of the users.
    pub email_domain: String,
    /// Whether SSO is enabled for the domain.
    pub enabled: Option<bool>,
    /// Whether the sign-in page uses the FedRAMP language.
    pub use_fedramp_language: Option<bool>,
    /// The verification of the domain.
    pub verification: Option<Verification>,
    /// When it was created (RFC 3339).
    pub created_on: Option<String>,
    /// When it was last changed (RFC 3339).
    pub updated_on: Option<String>,
}

/// The verification of domain ownership.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Verification {
    /// The value of the TXT record to publish, including `cloudflare_dashboard_sso=`.
    pub code: Option<String>,
    /// The state of the verification.
    pub status: Option<VerificationStatus>,
}

/// The state of a verification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum VerificationStatus {
    /// The verification has not been started.
    Awaiting,
    /// Cloudflare is checking the TXT record, for up to two days.
    Pending,
    /// Cloudflare did not find the TXT record within two days.
    Failed,
    /// The domain is verified.
    Verified,
    /// A state unknown to this version; treat it as not verified.
    #[serde(untagged)]
    Other(String),
}

/// Whether creating the connector also starts its verification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BeginVerification {
    Now,
    /// With [`begin_verification`].
    Later,
}

impl ConnectorFields {
    /// Whether sign-in is enforced. A missing value counts as disabled.
    pub fn is_enabled(&self) -> bool {
        self.enabled == Some(true)
    }

    pub fn status(&self) -> Option<&VerificationStatus> {
        self.verification.as_ref()?.status.as_ref()
    }

    pub fn code(&self) -> Option<&str> {
        self.verification.as_ref()?.code.as_deref()
    }

    /// An unknown state counts as not verified.
    pub fn is_verified(&self) -> bool {
        self.status() == Some(&VerificationStatus::Verified)
    }
}

impl VerificationStatus {
    pub fn as_str(&self) -> &str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Pending => "pending",
            Self::Failed => "failed",
            Self::Verified => "verified",
            Self::Other(text) => text,
        }
    }
}

/// One page.
pub fn list(account: &AccountId) -> Request<Vec<Connector>> {
    Request::get(&["accounts", account.as_str(), "sso_connectors"])
}

pub fn get(account: &AccountId, id: &ConnectorId) -> Request<Connector> {
    Request::get(&["accounts", account.as_str(), "sso_connectors", id.as_str()])
}

pub fn create(
    account: &AccountId,
    domain: &EmailDomain,
    begin: BeginVerification,
    fedramp: Option<bool>,
) -> WriteRequest<Connector> {
    let mut body = json!({
        "email_domain": domain.as_str(),
        "begin_verification": begin == BeginVerification::Now,
    });
    if let Some(fedramp) = fedramp {
        body["use_fedramp_language"] = fedramp.into();
    }
    WriteRequest::post(&["accounts", account.as_str(), "sso_connectors"]).body(&body)
}

pub fn set_enabled(
    account: &AccountId,
    id: &ConnectorId,
    enabled: bool,
) -> WriteRequest<Connector> {
    change(account, id, &json!({ "enabled": enabled }))
}

pub fn set_fedramp(
    account: &AccountId,
    id: &ConnectorId,
    fedramp: bool,
) -> WriteRequest<Connector> {
    change(account, id, &json!({ "use_fedramp_language": fedramp }))
}

/// The response is an object in the official SDK, an array of one in the documentation.
fn change(
    account: &AccountId,
    id: &ConnectorId,
    body: &serde_json::Value,
) -> WriteRequest<Connector> {
    WriteRequest::patch(&["accounts", account.as_str(), "sso_connectors", id.as_str()])
        .body(body)
        .with_decoder(decode_one)
}

fn decode_one(text: &str) -> serde_json::Result<Connector> {
    if text.starts_with('[') {
        let [connector] = serde_json::from_str::<[Connector; 1]>(text)?;
        return Ok(connector);
    }
    serde_json::from_str(text)
}

/// The response contains the ID, or nothing.
pub fn delete(account: &AccountId, id: &ConnectorId) -> WriteRequest<()> {
    WriteRequest::delete(&["accounts", account.as_str(), "sso_connectors", id.as_str()])
        .with_decoder(|_| Ok(()))
}

/// The response contains no state: read the connector again.
pub fn begin_verification(account: &AccountId, id: &ConnectorId) -> WriteRequest<()> {
    WriteRequest::post(&[
        "accounts",
        account.as_str(),
        "sso_connectors",
        id.as_str(),
        "begin_verification",
    ])
    .with_decoder(|_| Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECT: &str = r#"{"id":"c1","email_domain":"cool.cats","enabled":false}"#;

    #[test]
    fn a_changed_connector_comes_as_an_object_or_as_an_array_of_one() {
        for text in [OBJECT.to_owned(), format!("[{OBJECT}]")] {
            assert_eq!(decode_one(&text).unwrap().email_domain, "cool.cats", "{text}");
        }
        for text in ["[]".to_owned(), format!("[{OBJECT},{OBJECT}]"), "null".to_owned()] {
            assert!(decode_one(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn only_the_known_state_verified_counts_as_verified() {
        for (status, verified) in [
            (r#""verified""#, true),
            (r#""pending""#, false),
            (r#""awaiting""#, false),
            (r#""failed""#, false),
            (r#""VERIFIED""#, false),
            (r#""verified_soon""#, false),
            ("null", false),
        ] {
            let text = format!(
                r#"{{"id":"c1","email_domain":"cool.cats","verification":{{"status":{status}}}}}"#
            );
            let connector: Connector = serde_json::from_str(&text).unwrap();
            assert_eq!(connector.is_verified(), verified, "{status}");
        }
    }

    #[test]
    fn an_unknown_state_is_kept() {
        let status: VerificationStatus = serde_json::from_str(r#""snoozing""#).unwrap();
        assert_eq!(status, VerificationStatus::Other("snoozing".to_owned()));
        assert_eq!(serde_json::to_string(&status).unwrap(), r#""snoozing""#);
    }
}
