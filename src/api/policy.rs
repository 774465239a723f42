//! The policies of an Access application (API reference, section 4).

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::ids::{AccountId, AppId, PolicyId};
use super::object::Object;
use super::request::Request;

/// The documented default; the maximum is not documented.
const PAGE: u32 = 20;

pub type Policy = Object<PolicyFields>;

/// An Access policy as the API returns it; it may have more fields.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
pub struct PolicyFields {
    /// The ID of the policy.
    #[schemars(with = "String")]
    pub id: PolicyId,
    /// The name of the policy.
    #[serde(default)]
    pub name: String,
    /// The decision: `allow`, `deny`, `non_identity` or `bypass`.
    #[serde(default)]
    pub decision: String,
    /// The order of evaluation within the application, lowest first.
    pub precedence: Option<i64>,
    /// Whether the policy is reusable: other applications can use it too.
    #[expect(dead_code, reason = "described in the schema")]
    pub reusable: Option<bool>,
    /// Rules of which at least one must match.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Value>>")]
    pub include: Option<Vec<Box<RawValue>>>,
    /// Rules of which none may match.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Value>>")]
    pub exclude: Option<Vec<Box<RawValue>>>,
    /// Rules that must all match.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Value>>")]
    pub require: Option<Vec<Box<RawValue>>>,
}

pub fn list(account: &AccountId, app: &AppId) -> Request<Vec<Policy>> {
    Request::get(&collection(account, app)).paged(PAGE)
}

fn collection<'a>(account: &'a AccountId, app: &'a AppId) -> [&'a str; 6] {
    ["accounts", account.as_str(), "access", "apps", app.as_str(), "policies"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_keep_their_text_and_absent_lists_are_none() {
        let text =
            r#"{"id":"y1","include":[{"new":{"n":12345678901234567890123}}],"exclude":null}"#;
        let policy: Policy = serde_json::from_str(text).unwrap();
        let include = policy.include.as_ref().unwrap();
        assert_eq!(include[0].get(), r#"{"new":{"n":12345678901234567890123}}"#);
        assert!(policy.exclude.is_none() && policy.require.is_none());
    }
}
