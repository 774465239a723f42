//! Whether policies block one-time PINs: Cloudflare mails them only to users whom a policy
//! allows. Pure.

use serde::Deserialize;
use serde_json::Value;

use crate::api::app::App;
use crate::api::ids::IdpId;

/// Rules that only another identity provider's sign-in meets.
const OTHER_LOGIN_RULES: [&str; 7] =
    ["okta", "azureAD", "gsuite", "github-organization", "saml", "oidc", "auth_method"];

/// Rules that machines meet, but no user who is mailed a PIN.
const NON_IDENTITY_RULES: [&str; 4] =
    ["any_valid_service_token", "service_token", "certificate", "common_name"];

#[derive(Deserialize)]
struct Application {
    policies: Option<Vec<Value>>,
}

#[derive(Deserialize)]
struct Policy {
    #[serde(default)]
    name: String,
    decision: String,
    include: Option<Vec<Value>>,
    exclude: Option<Vec<Value>>,
    precedence: Option<u64>,
    require: Option<Vec<Value>>,
}

#[derive(Debug, Default)]
pub struct DeliveryProblems {
    pub texts: Vec<String>,
    pub admits_nobody: bool,
}

/// `pin` is `None` if it does not exist yet.
pub fn delivery_problems(app: &str, pin: Option<&IdpId>) -> DeliveryProblems {
    let policies = serde_json::from_str::<Application>(app).ok().and_then(|app| app.policies);
    let read = policies.and_then(|policies| {
        policies.into_iter().map(|one| serde_json::from_value(one).ok()).collect()
    });
    let Some(policies) = read else {
        let text = "not checked: the API returned no policies with the application; they decide \
                    who can use a PIN (`cfsso app policies`)";
        return DeliveryProblems { texts: vec![text.to_owned()], admits_nobody: false };
    };
    let mut policies: Vec<Policy> = policies;
    // The first that matches decides.
    policies.sort_by_key(|policy| policy.precedence.unwrap_or(u64::MAX));
    let denies = |policy: &Policy| policy.decision == "deny" && policy.denies(pin);
    let end = policies.iter().position(denies).unwrap_or(policies.len());
    let (reached, beyond) = policies.split_at(end);
    let allows = |policy: &&Policy| policy.decision == "allow";
    let in_the_way = beyond.iter().any(|policy| allows(&policy));
    let denying: Vec<_> = beyond
        .iter()
        .enumerate()
        .filter(|(at, policy)| {
            denies(policy) && (policy.has_exclusions() || *at == 0 && in_the_way)
        })
        .map(|(_, policy)| policy)
        .collect();
    let is_demanded = denying.iter().any(|policy| policy.has_exclusions());
    let mut texts: Vec<_> = denying
        .iter()
        .map(|policy| format!("the policy `{}` denies sign-in with a PIN", policy.name))
        .collect();
    let allowing = || reached.iter().filter(allows);
    let shut: Vec<_> = allowing().filter(|policy| !policy.allows(pin)).collect();
    texts.extend(shut.iter().map(|policy| {
        format!(
            "the policy `{}` requires more than a PIN; users allowed only by it cannot use one",
            policy.name
        )
    }));
    let is_allowed = shut.len() < allowing().count();
    if !is_allowed {
        texts.push("no policy allows sign-in with a PIN".to_owned());
    }
    DeliveryProblems { texts, admits_nobody: !is_allowed || is_demanded }
}

impl Policy {
    fn allows(&self, pin: Option<&IdpId>) -> bool {
        let meets = |rule: &Value| matches(rule, pin);
        self.include.iter().flatten().any(meets)
            && self.require.iter().flatten().all(meets)
            && !self.exclude.iter().flatten().any(|rule| matches_everyone(rule, pin))
    }

    /// Whether some sign-ins are excluded from the policy.
    fn has_exclusions(&self) -> bool {
        self.exclude.as_ref().is_some_and(|rules| !rules.is_empty())
    }

    fn denies(&self, pin: Option<&IdpId>) -> bool {
        self.include.iter().flatten().any(|rule| matches_everyone(rule, pin))
            && self.require.iter().flatten().all(|rule| matches_everyone(rule, pin))
            && !self.exclude.iter().flatten().any(|rule| matches(rule, pin))
    }
}

/// Whether a user with a PIN may match; an unknown rule may.
fn matches(rule: &Value, pin: Option<&IdpId>) -> bool {
    let Some((kind, parts)) = rule.as_object().and_then(|rule| rule.iter().next()) else {
        return true;
    };
    match kind.as_str() {
        "login_method" => pin.is_some_and(|pin| parts["id"] == pin.as_str()),
        kind => !OTHER_LOGIN_RULES.contains(&kind) && !NON_IDENTITY_RULES.contains(&kind),
    }
}

fn matches_everyone(rule: &Value, pin: Option<&IdpId>) -> bool {
    rule.get("everyone").is_some() || rule.get("login_method").is_some_and(|_| matches(rule, pin))
}

pub fn offers_pin(app: &App, pins: &[&IdpId]) -> bool {
    let mailed = |id| delivery_problems(app.text(), Some(id)).texts.is_empty();
    // With the PIN alone, instant authentication leads to the PIN.
    let is_offered = !app.is_instant() || app.listed_idps().len() == 1;
    is_offered && pins.iter().any(|pin| app.admits(pin) && mailed(pin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_a_pin_cannot_meet_is_told() {
        let domain = r#"{"email_domain":{"domain":"cool.cats"}}"#;
        let okta = r#"{"login_method":{"id":"o"}}"#;
        let pin = r#"{"login_method":{"id":"p"}}"#;
        let everyone = r#"{"everyone":{}}"#;
        let policy = |decision: &str, include: &str, rest: &str| {
            format!(r#"{{"name":"N","decision":"{decision}","include":[{include}]{rest}}}"#)
        };
        for (policies, expected) in [
            (vec![policy("allow", domain, "")], &[][..]),
            (vec![policy("allow", pin, "")], &[]),
            (vec![policy("allow", domain, &format!(r#","require":[{pin}]"#))], &[]),
            (vec![policy("allow", domain, &format!(r#","exclude":[{okta}]"#))], &[]),
            (vec![policy("allow", r#"{"of_tomorrow":{}}"#, "")], &[]),
            (vec![policy("allow", okta, "")], &["requires more", "no policy allows"]),
            (
                vec![policy("allow", domain, &format!(r#","require":[{okta}]"#))],
                &["requires more", "no policy allows"],
            ),
            (
                vec![policy("allow", domain, &format!(r#","exclude":[{pin}]"#))],
                &["requires more", "no policy allows"],
            ),
            (vec![policy("allow", domain, ""), policy("allow", okta, "")], &["requires more"]),
            (vec![policy("allow", domain, ""), policy("deny", everyone, "")], &[]),
            (
                vec![
                    policy("allow", domain, ""),
                    policy("deny", everyone, &format!(r#","exclude":[{okta}]"#)),
                ],
                &["denies"],
            ),
            (
                vec![policy("allow", okta, ""), policy("deny", everyone, "")],
                &["requires more", "no policy allows"],
            ),
            (
                vec![policy("deny", pin, ""), policy("allow", domain, "")],
                &["denies", "no policy allows"],
            ),
            (
                vec![
                    policy("allow", domain, r#","precedence":2"#),
                    policy("deny", everyone, r#","precedence":1"#),
                ],
                &["denies", "no policy allows"],
            ),
            (
                vec![
                    policy("deny", everyone, &format!(r#","exclude":[{domain}]"#)),
                    policy("allow", domain, ""),
                ],
                &[],
            ),
            (
                vec![
                    policy("deny", everyone, &format!(r#","require":[{domain}]"#)),
                    policy("allow", domain, ""),
                ],
                &[],
            ),
            (vec![policy("allow", domain, ""), policy("deny", okta, "")], &[]),
            (vec![policy("non_identity", domain, "")], &["no policy allows"]),
            (vec![], &["no policy allows"]),
            (vec![r#""an-id""#.to_owned()], &["not checked"]),
        ] {
            let app = format!(r#"{{"policies":[{}]}}"#, policies.join(","));
            let DeliveryProblems { texts: found, admits_nobody } =
                delivery_problems(&app, Some(&"p".parse().unwrap()));
            let is_refused = expected.iter().any(|text| text.contains("no policy allows"))
                || expected == ["denies"];
            assert_eq!(admits_nobody, is_refused, "{app}");
            assert_eq!(found.len(), expected.len(), "{app}: {found:?}");
            for (found, expected) in found.iter().zip(expected) {
                assert!(found.contains(expected), "{found} {expected}");
            }
        }
        assert!(delivery_problems("{}", None).texts[0].contains("not checked"));
    }
}
