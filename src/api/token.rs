//! Tokens: verification and creation (API reference, section 8.1).

use secrecy::SecretString;
use serde::{Deserialize, Deserializer};
use serde_json::json;

use super::ids::AccountId;
use super::object::Object;
use super::request::{Request, WriteRequest};

/// The result of a verification. An active token may still lack permissions.
pub type Verification = Object<TokenFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct TokenFields {
    /// Not a secret.
    pub id: Option<String>,
    /// `active`, `disabled` or `expired`.
    pub status: Option<String>,
    /// RFC 3339.
    pub not_before: Option<String>,
    /// RFC 3339.
    pub expires_on: Option<String>,
}

impl TokenFields {
    /// An unknown state counts as not active.
    pub fn is_active(&self) -> bool {
        self.status.as_deref() == Some("active")
    }
}

/// For user tokens. The answer for an account token is 401, code 1000: use [`verify_account`].
pub fn verify_user() -> Request<Verification> {
    Request::get(&["user", "tokens", "verify"])
}

pub fn verify_account(account: &AccountId) -> Request<Verification> {
    Request::get(&["accounts", account.as_str(), "tokens", "verify"])
}

pub const ACCOUNT_SCOPE: &str = "com.cloudflare.api.account";

#[derive(Clone, Debug, Deserialize)]
pub struct PermissionGroup {
    pub id: String,
    /// Groups of other scopes may have the same name.
    #[serde(default)]
    pub name: String,
    pub scopes: Option<Vec<String>>,
}

/// Neither printed nor stored as a whole: the API shows the value only once.
#[derive(Deserialize)]
pub struct CreatedToken {
    /// Not a secret.
    pub id: String,
    /// RFC 3339.
    pub expires_on: Option<String>,
    #[serde(deserialize_with = "secret")]
    pub value: SecretString,
}

/// One page, without a filter by name: whether that is exact is not documented.
pub fn permission_groups(account: &AccountId) -> Request<Vec<PermissionGroup>> {
    Request::get(&["accounts", account.as_str(), "tokens", "permission_groups"])
}

/// `groups` are IDs of permission groups; `expires_on` is RFC 3339.
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
