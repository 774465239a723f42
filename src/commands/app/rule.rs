//! Describes policy rules in words. A rule with any unknown part is shown as the API's JSON.

use serde_json::Value;

use crate::api::policy::{PolicyFields, Rule};

pub fn describe_policy(policy: &PolicyFields) -> String {
    let joined = |rules: &Option<Vec<Rule>>, word: &str| {
        let words: Vec<_> = rules.iter().flatten().map(describe_rule).collect();
        (!words.is_empty()).then(|| words.join(word))
    };
    let include = joined(&policy.include, " or ").unwrap_or_else(|| "no one".to_owned());
    let mut text = format!("{} {include}", policy.decision);
    if let Some(require) = joined(&policy.require, " and ") {
        text = format!("{text}, if also {require}");
    }
    if let Some(exclude) = joined(&policy.exclude, " or ") {
        text = format!("{text}, but not {exclude}");
    }
    text
}

pub fn describe_rule(rule: &Rule) -> String {
    known(rule.text()).unwrap_or_else(|| rule.text().to_owned())
}

/// Kind, its fields, and the text; the field values replace the braces in order.
const KINDS: &[(&str, &[&str], &str)] = &[
    ("any_valid_service_token", &[], "any valid service token"),
    ("auth_method", &["auth_method"], "authentication method {}"),
    ("azureAD", &["id", "identity_provider_id"], "Entra ID group {} of identity provider {}"),
    ("certificate", &[], "a valid client certificate"),
    ("cloudflare_account_member", &[], "members of this Cloudflare account"),
    ("cloudflare_account_member", &["account_id"], "members of the Cloudflare account {}"),
    ("common_name", &["common_name"], "client certificate {}"),
    ("device_posture", &["integration_uid"], "device posture check {}"),
    ("email", &["email"], "email {}"),
    ("email_domain", &["domain"], "email domain {}"),
    ("email_list", &["id"], "email list {}"),
    ("everyone", &[], "everyone"),
    ("geo", &["country_code"], "country {}"),
    (
        "github-organization",
        &["name", "identity_provider_id"],
        "GitHub organization {} of identity provider {}",
    ),
    ("group", &["id"], "Access group {}"),
    (
        "gsuite",
        &["email", "identity_provider_id"],
        "Google Workspace group {} of identity provider {}",
    ),
    ("ip", &["ip"], "IP range {}"),
    ("ip_list", &["id"], "IP list {}"),
    ("login_method", &["id"], "sign-in through identity provider {}"),
    (
        "oidc",
        &["claim_name", "claim_value", "identity_provider_id"],
        "OIDC claim {} = {} of identity provider {}",
    ),
    ("okta", &["name", "identity_provider_id"], "Okta group {} of identity provider {}"),
    (
        "saml",
        &["attribute_name", "attribute_value", "identity_provider_id"],
        "SAML attribute {} = {} of identity provider {}",
    ),
    ("service_token", &["token_id"], "service token {}"),
];

fn known(text: &str) -> Option<String> {
    let rule: serde_json::Map<String, Value> = serde_json::from_str(text).ok()?;
    let mut entries = rule.iter();
    let (Some((kind, Value::Object(parts))), None) = (entries.next(), entries.next()) else {
        return None;
    };
    let is_whole = |names: &[&str]| {
        names.len() == parts.len() && names.iter().all(|name| parts.contains_key(*name))
    };
    let (_, names, sentence) =
        KINDS.iter().find(|(known, names, _)| known == kind && is_whole(names))?;
    let mut pieces = sentence.split("{}");
    let mut words = pieces.next()?.to_owned();
    for (name, piece) in names.iter().zip(pieces) {
        words.push_str(parts.get(*name)?.as_str()?);
        words.push_str(piece);
    }
    Some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_rules_are_words_and_others_the_json_that_came() {
        for (rule, expected) in [
            (r#"{"email_domain":{"domain":"cool.cats"}}"#, "email domain cool.cats"),
            (r#"{ "everyone" : {} }"#, "everyone"),
            (
                r#"{"oidc":{"claim_name":"g","claim_value":"x","identity_provider_id":"p1"}}"#,
                "OIDC claim g = x of identity provider p1",
            ),
            (r#"{"cloudflare_account_member":{}}"#, "members of this Cloudflare account"),
            (
                r#"{"cloudflare_account_member":{"account_id":"a"}}"#,
                "members of the Cloudflare account a",
            ),
            (
                r#"{"email_domain":{"domain":"cool.cats","new":1}}"#,
                r#"{"email_domain":{"domain":"cool.cats","new":1}}"#,
            ),
            (r#"{"email_domain":{"domain":7}}"#, r#"{"email_domain":{"domain":7}}"#),
            (r#"{"everyone":{},"ip":{"ip":"::1"}}"#, r#"{"everyone":{},"ip":{"ip":"::1"}}"#),
            (
                r#"{"user_risk_score":{"score":12345678901234567890123}}"#,
                r#"{"user_risk_score":{"score":12345678901234567890123}}"#,
            ),
            ("{}", "{}"),
            ("null", "null"),
        ] {
            let rule: Rule = serde_json::from_str(rule).unwrap();
            assert_eq!(describe_rule(&rule), expected);
        }
    }

    #[test]
    fn a_policy_is_one_sentence() {
        for (policy, expected) in [
            (
                r#"{"id":"y","decision":"allow","include":[{"email_domain":{"domain":"cool.cats"}}]}"#,
                "allow email domain cool.cats",
            ),
            (
                r#"{"id":"y","decision":"deny","include":[{"everyone":{}}],"exclude":[{"email":{"email":"a@b.c"}},{"group":{"id":"g"}}],"require":[{"geo":{"country_code":"DE"}}]}"#,
                "deny everyone, if also country DE, but not email a@b.c or Access group g",
            ),
            (r#"{"id":"y","decision":"allow"}"#, "allow no one"),
        ] {
            let policy: crate::api::policy::Policy = serde_json::from_str(policy).unwrap();
            assert_eq!(describe_policy(&policy), expected);
        }
    }
}
