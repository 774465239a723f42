//! What the API says about the token in use (API reference, section 8.1).

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::ids::AccountId;
use super::object::Object;
use super::request::{Request, WriteRequest};

/// The answer to a verification, as the API sent it. That it is active does
/// not prove any permission.
pub type Verification = Object<TokenFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct TokenFields {
    /// The token's identifier, which is not a secret.
    pub id: Option<String>,
    /// `active`, `disabled` or `expired`.
    pub status: Option<String>,
    /// From when on it can be used (RFC 3339).
    pub not_before: Option<String>,
    /// Until when it can be used (RFC 3339).
    pub expires_on: Option<String>,
}

impl TokenFields {
    /// Whether the API calls it active. An unknown state is not.
    pub fn is_active(&self) -> bool {
        self.status.as_deref() == Some("active")
    }
}

/// Verifies a token that belongs to a user. One that belongs to an account is
/// answered as if it were invalid (401, code 1000): ask [`verify_account`].
pub fn verify_user() -> Request<Verification> {
    Request::get(&["user", "tokens", "verify"])
}

pub fn verify_account(account: &AccountId) -> Request<Verification> {
    Request::get(&["accounts", account.as_str(), "tokens", "verify"])
}

pub const ACCOUNT_SCOPE: &str = "com.cloudflare.api.account";

/// Something that a token can be given.
#[derive(Clone, Debug, Deserialize)]
pub struct PermissionGroup {
    pub id: String,
    /// Its name, which groups of other scopes may share.
    #[serde(default)]
    pub name: String,
    pub scopes: Option<Vec<String>>,
}

/// A token that was made. Neither printed nor kept as a whole: its value is
/// told this once.
#[derive(Deserialize)]
pub struct CreatedToken {
    /// The token's identifier, which is not a secret.
    pub id: String,
    /// Until when it can be used (RFC 3339).
    pub expires_on: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub value: SecretString,
}

/// All permission groups: one page. Not asked for by name: whether that filter
/// is exact is not documented.
pub fn permission_groups(account: &AccountId) -> Request<Vec<PermissionGroup>> {
    Request::get(&["accounts", account.as_str(), "tokens", "permission_groups"])
}

/// Makes a token of the account's that may do in it what `groups`, by their
/// IDs, say. `expires_on` is RFC 3339.
pub fn create(
    account: &AccountId,
    name: &str,
    groups: &[String],
    expires_on: &str,
) -> WriteRequest<CreatedToken> {
    let groups: Vec<_> = groups.iter().map(|id| json!({ "id": id })).collect();
    WriteRequest::post(&["accounts", account.as_str(), "tokens"]).body(&json!({
        "name": name,
        "policies": [{
            "effect": "allow",
            "permission_groups": groups,
            "resources": { format!("{ACCOUNT_SCOPE}.{account}"): "*" },
        }],
        "expires_on": expires_on,
    }))
}

pub fn delete(account: &AccountId, id: &str) -> WriteRequest<()> {
    WriteRequest::delete(&["accounts", account.as_str(), "tokens", id]).with_decoder(|_| Ok(()))
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<SecretString, D::Error> {
    String::deserialize(deserializer).map(SecretString::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_creation_names_the_account_alone() {
        let account = "0123456789abcdef0123456789abcdef".parse().unwrap();
        let request = create(&account, "n", &["g1".to_owned()], "2027-03-01T12:00:00Z");
        assert_eq!(
            request.body_text(),
            Some(
                r#"{"name":"n","policies":[{"effect":"allow","permission_groups":[{"id":"g1"}],"resources":{"com.cloudflare.api.account.0123456789abcdef0123456789abcdef":"*"}}],"expires_on":"2027-03-01T12:00:00Z"}"#
            )
        );
    }

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
