//! The policies of an Access application (API reference, section 4).

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;

use super::ids::{AccountId, AppId, PolicyId};
use super::object::Object;
use super::request::Request;
use crate::domain::EmailDomain;

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
    pub include: Option<Vec<Rule>>,
    /// Rules of which none may match.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Value>>")]
    pub exclude: Option<Vec<Rule>>,
    /// Rules that must all match.
    #[serde(default)]
    #[schemars(with = "Option<Vec<Value>>")]
    pub require: Option<Vec<Rule>>,
}

/// A rule of a policy. Parsed once: an audit evaluates each rule for each domain.
#[derive(Clone, Debug)]
pub struct Rule {
    text: Box<RawValue>,
    kind: String,
    body: Value,
    domain: Option<EmailDomain>,
}

impl Rule {
    pub fn text(&self) -> &str {
        self.text.get()
    }

    /// Empty if the rule is not an object with one entry.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Empty if absent.
    pub fn field(&self, name: &str) -> &str {
        self.body[name].as_str().unwrap_or_default()
    }

    /// The domain or email address that the rule is for, as the API returned it.
    pub fn email_text(&self) -> Option<&str> {
        match self.kind() {
            "email_domain" => self.body["domain"].as_str(),
            "email" => self.body["email"].as_str(),
            _ => None,
        }
    }

    /// The domain of a valid email rule: of a whole domain or of a single address.
    pub fn domain(&self) -> Option<&EmailDomain> {
        self.domain.as_ref()
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let parts = match serde_json::from_str(text.get()) {
            Ok(Value::Object(parts)) if parts.len() == 1 => parts,
            _ => serde_json::Map::new(),
        };
        let (kind, body) = parts.into_iter().next().unwrap_or_default();
        let mut rule = Self { text, kind, body, domain: None };
        let named = match rule.kind() {
            "email" => rule.email_text().and_then(|text| Some(text.rsplit_once('@')?.1)),
            _ => rule.email_text(),
        };
        rule.domain = named.and_then(|domain| domain.parse().ok());
        Ok(rule)
    }
}

impl PolicyFields {
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        [&self.include, &self.require, &self.exclude].into_iter().flatten().flatten()
    }
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
        assert_eq!(include[0].text(), r#"{"new":{"n":12345678901234567890123}}"#);
        assert!(policy.exclude.is_none() && policy.require.is_none());
    }
}
