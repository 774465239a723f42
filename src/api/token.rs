//! What the API says about the token in use (API reference, section 8.1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ids::AccountId;
use super::object::Object;
use super::request::Request;

/// The answer to a verification, as the API sent it. That it is active does
/// not prove any permission.
pub type Verification = Object<Fields>;

/// The known fields of a verification.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct Fields {
    /// The token's identifier, which is no secret.
    pub id: Option<String>,
    /// Whether it can be used.
    pub status: Option<Status>,
    /// From when on it can be used (RFC 3339).
    pub not_before: Option<String>,
    /// Until when it can be used (RFC 3339).
    pub expires_on: Option<String>,
}

/// Whether a token can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It can.
    Active,
    /// It was switched off.
    Disabled,
    /// Its time is over.
    Expired,
    /// A state that this program does not know: never taken for active.
    #[serde(untagged)]
    Other(String),
}

impl Fields {
    /// Whether the API calls it active. An unknown state is not.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.status == Some(Status::Active)
    }
}

/// Verifies a token that belongs to a user. One that belongs to an account is
/// answered as if it were invalid (401, code 1000): ask [`verify_account`].
#[must_use]
pub fn verify_user() -> Request<Verification> {
    Request::get(&["user", "tokens", "verify"])
}

/// Verifies a token that belongs to the account.
#[must_use]
pub fn verify_account(account: &AccountId) -> Request<Verification> {
    Request::get(&["accounts", account.as_str(), "tokens", "verify"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_known_state_active_is_active() {
        for (status, active) in [
            (r#""active""#, true),
            (r#""disabled""#, false),
            (r#""expired""#, false),
            (r#""Active""#, false),
            ("null", false),
        ] {
            let text = format!(r#"{{"id":"t1","status":{status}}}"#);
            let token: Verification = serde_json::from_str(&text).unwrap();
            assert_eq!(token.is_active(), active, "{status}");
        }
    }
}
