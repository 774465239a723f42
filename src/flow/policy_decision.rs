//! The decision of an application's policies for one address. Pure. Three-valued: groups of an
//! identity provider, devices and countries are not known here.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::api::policy::{Policy, PolicyFields};
use crate::domain::EmailDomain;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    Yes,
    No,
    /// It depends on this, which is not known here.
    Depends(String),
}

#[derive(Clone, Copy, Debug)]
pub struct Applicant<'a> {
    /// `None` means any user of the domain.
    pub email: Option<&'a str>,
    pub domain: &'a EmailDomain,
    /// The ID of the identity provider.
    pub idp: &'a str,
    pub account: &'a str,
    pub is_member: Option<bool>,
}

#[derive(Debug, Default)]
pub struct References {
    /// Rules of Access groups: include, exclude, require.
    pub groups: BTreeMap<String, PolicyFields>,
    pub lists: BTreeMap<String, Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Allowed(String),
    Denied(String),
    /// No policy matches the address: access is denied.
    NoMatch,
    Depends {
        policy: String,
        on: String,
    },
}

impl Truth {
    fn of(evaluate_rule: bool) -> Self {
        if evaluate_rule { Self::Yes } else { Self::No }
    }

    fn not(self) -> Self {
        match self {
            Self::Yes => Self::No,
            Self::No => Self::Yes,
            depends @ Self::Depends(_) => depends,
        }
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::No, _) | (_, Self::No) => Self::No,
            (depends @ Self::Depends(_), _) | (_, depends @ Self::Depends(_)) => depends,
            (Self::Yes, Self::Yes) => Self::Yes,
        }
    }

    fn or(self, other: Self) -> Self {
        self.not().and(other.not()).not()
    }
}

/// The first policy that matches decides; one that may match leaves the decision open.
pub fn decide(policies: &[Policy], who: Applicant<'_>, known: &References) -> Decision {
    let mut ordered: Vec<_> = policies.iter().collect();
    ordered.sort_by_key(|policy| policy.precedence.unwrap_or(i64::MAX));
    for policy in ordered {
        let allows = match policy.decision.as_str() {
            "allow" => true,
            "deny" => false,
            // Only for service tokens.
            "non_identity" => continue,
            other => {
                let on = format!("the decision `{other}`");
                return Decision::Depends { policy: policy.name.clone(), on };
            }
        };
        let name = policy.name.clone();
        match evaluate_rules(policy, who, known) {
            Truth::No => {}
            Truth::Yes if allows => return Decision::Allowed(name),
            Truth::Yes => return Decision::Denied(name),
            Truth::Depends(on) => return Decision::Depends { policy: name, on },
        }
    }
    Decision::NoMatch
}

fn evaluate_rules(rules: &PolicyFields, who: Applicant<'_>, known: &References) -> Truth {
    let each = |rules: &Option<Vec<Box<RawValue>>>| -> Vec<Truth> {
        rules.iter().flatten().map(|rule| evaluate_rule(rule, who, known)).collect()
    };
    let any = |truths: Vec<Truth>| truths.into_iter().fold(Truth::No, Truth::or);
    let all = each(&rules.require).into_iter().fold(Truth::Yes, Truth::and);
    any(each(&rules.include)).and(all).and(any(each(&rules.exclude)).not())
}

/// API reference, section 4.
fn evaluate_rule(rule: &RawValue, who: Applicant<'_>, known: &References) -> Truth {
    let rule: Value = serde_json::from_str(rule.get()).unwrap_or_default();
    let Some((kind, body)) = rule.as_object().and_then(|rule| rule.iter().next()) else {
        return Truth::Depends("a rule that cannot be read".to_owned());
    };
    let text = |name: &str| body[name].as_str().unwrap_or_default();
    match kind.as_str() {
        "everyone" => Truth::Yes,
        "email_domain" => {
            Truth::of(text("domain").parse().is_ok_and(|domain: EmailDomain| domain == *who.domain))
        }
        "email" => match who.email {
            Some(email) => Truth::of(text("email").eq_ignore_ascii_case(email)),
            None => Truth::Depends("the address".to_owned()),
        },
        "login_method" => Truth::of(text("id") == who.idp),
        "service_token" | "any_valid_service_token" => Truth::No,
        "cloudflare_account_member" => {
            let is_here = [who.account, ""].contains(&text("account_id"));
            match who.is_member.filter(|_| is_here) {
                Some(is_member) => Truth::of(is_member),
                None => Truth::Depends("membership of an account".to_owned()),
            }
        }
        "group" => match known.groups.get(text("id")) {
            Some(group) => evaluate_rules(group, who, known),
            None => Truth::Depends(format!("the Access group {}", text("id"))),
        },
        "email_list" => match (known.lists.get(text("id")), who.email) {
            (Some(list), Some(email)) => {
                Truth::of(list.iter().any(|listed| listed.eq_ignore_ascii_case(email)))
            }
            _ => Truth::Depends(format!("the list {}", text("id"))),
        },
        other => Truth::Depends(depends_on(other)),
    }
}

fn depends_on(kind: &str) -> String {
    match kind {
        "gsuite" | "okta" | "azureAD" | "github-organization" => {
            "the groups of the user at the identity provider".to_owned()
        }
        "saml" | "oidc" => "a claim of the identity provider".to_owned(),
        "ip" | "ip_list" => "the IP address".to_owned(),
        "geo" => "the country".to_owned(),
        "device_posture" => "the device".to_owned(),
        other => format!("the rule `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::preflight::tests::object;
    use serde_json::json;

    fn decided(policies: &Value, email: Option<&str>) -> Decision {
        let domain = "cool.cats".parse().unwrap();
        let group =
            object(&json!({ "id": "g1", "include": [{ "email": { "email": "ada@cool.cats" } }] }));
        let known = References {
            groups: [("g1".to_owned(), group)].into(),
            lists: [("l1".to_owned(), vec!["Ada@cool.cats".to_owned()])].into(),
        };
        let who =
            Applicant { email, domain: &domain, idp: "p1", account: "a1", is_member: Some(true) };
        decide(&object::<Vec<Policy>>(policies), who, &known)
    }

    #[test]
    fn each_kind_of_rule_holds_does_not_or_depends() {
        let ada = Some("ada@cool.cats");
        for (rule, expected) in [
            (json!({ "everyone": {} }), "yes"),
            (json!({ "email": { "email": "ADA@cool.cats" } }), "yes"),
            (json!({ "email": { "email": "tom@cool.cats" } }), "no"),
            (json!({ "email_domain": { "domain": "Cool.Cats" } }), "yes"),
            (json!({ "email_domain": { "domain": "cats" } }), "no"),
            (json!({ "login_method": { "id": "p1" } }), "yes"),
            (json!({ "login_method": { "id": "p2" } }), "no"),
            (json!({ "group": { "id": "g1" } }), "yes"),
            (json!({ "group": { "id": "g9" } }), "the Access group g9"),
            (json!({ "email_list": { "id": "l1" } }), "yes"),
            (json!({ "email_list": { "id": "l9" } }), "the list l9"),
            (json!({ "cloudflare_account_member": {} }), "yes"),
            (json!({ "cloudflare_account_member": { "account_id": "a1" } }), "yes"),
            (
                json!({ "cloudflare_account_member": { "account_id": "a2" } }),
                "membership of an account",
            ),
            (json!({ "service_token": { "token_id": "t" } }), "no"),
            (json!({ "any_valid_service_token": {} }), "no"),
            (json!({ "geo": { "country_code": "DE" } }), "the country"),
            (json!({ "ip": { "ip": "192.0.2.0/24" } }), "the IP address"),
            (
                json!({ "okta": { "name": "admins" } }),
                "the groups of the user at the identity provider",
            ),
            (json!({ "saml": { "attribute_name": "a" } }), "a claim of the identity provider"),
            (json!({ "device_posture": {} }), "the device"),
            (json!({ "new_rule": {} }), "the rule `new_rule`"),
            (json!({}), "a rule that cannot be read"),
        ] {
            let policies =
                json!([{ "id": "y1", "name": "p", "decision": "allow", "include": [rule] }]);
            let said = match decided(&policies, ada) {
                Decision::Allowed(_) => "yes".to_owned(),
                Decision::NoMatch | Decision::Denied(_) => "no".to_owned(),
                Decision::Depends { on, .. } => on,
            };
            assert_eq!(said, expected, "{policies}");
        }
    }

    #[test]
    fn what_is_unknown_decides_only_where_nothing_else_does() {
        let (yes, no, open) =
            (json!({ "everyone": {} }), json!({ "service_token": {} }), json!({ "geo": {} }));
        for (include, require, exclude, expected) in [
            (json!([yes]), json!([]), json!([]), "allowed"),
            (json!([no, yes]), json!([]), json!([]), "allowed"),
            (json!([open, yes]), json!([]), json!([]), "allowed"),
            (json!([open, no]), json!([]), json!([]), "depends"),
            (json!([no]), json!([open]), json!([]), "no match"),
            (json!([yes]), json!([open]), json!([]), "depends"),
            (json!([yes]), json!([no, open]), json!([]), "no match"),
            (json!([yes]), json!([yes]), json!([open]), "depends"),
            (json!([yes]), json!([yes]), json!([yes, open]), "no match"),
            (json!([open]), json!([yes]), json!([yes]), "no match"),
            (json!([]), json!([]), json!([]), "no match"),
            (json!(null), json!(null), json!(null), "no match"),
        ] {
            let policy = json!([{ "id": "y1", "name": "p", "decision": "allow",
                "include": include, "require": require, "exclude": exclude }]);
            let said = match decided(&policy, Some("ada@cool.cats")) {
                Decision::Allowed(_) => "allowed",
                Decision::Denied(_) => "denied",
                Decision::NoMatch => "no match",
                Decision::Depends { .. } => "depends",
            };
            assert_eq!(said, expected, "{policy}");
        }
    }

    #[test]
    fn the_first_policy_that_takes_the_address_in_decides() {
        let policy = |precedence: i64, decision: &str, rule: Value| {
            json!({ "id": "y", "name": format!("{decision} {precedence}"), "decision": decision,
                "precedence": precedence, "include": [rule] })
        };
        let (everyone, geo) = (json!({ "everyone": {} }), json!({ "geo": {} }));
        let tom = json!({ "email": { "email": "tom@cool.cats" } });
        for (policies, email, expected) in [
            (
                json!([policy(2, "allow", everyone.clone()), policy(1, "deny", tom.clone())]),
                Some("tom@cool.cats"),
                Decision::Denied("deny 1".to_owned()),
            ),
            (
                json!([policy(2, "allow", everyone.clone()), policy(1, "deny", tom.clone())]),
                Some("ada@cool.cats"),
                Decision::Allowed("allow 2".to_owned()),
            ),
            (
                json!([policy(2, "allow", everyone.clone()), policy(1, "deny", geo.clone())]),
                Some("ada@cool.cats"),
                Decision::Depends { policy: "deny 1".to_owned(), on: "the country".to_owned() },
            ),
            (json!([policy(1, "non_identity", everyone.clone())]), None, Decision::NoMatch),
            (
                json!([policy(1, "bypass", everyone)]),
                None,
                Decision::Depends {
                    policy: "bypass 1".to_owned(),
                    on: "the decision `bypass`".to_owned(),
                },
            ),
            (
                json!([policy(1, "allow", tom)]),
                None,
                Decision::Depends { policy: "allow 1".to_owned(), on: "the address".to_owned() },
            ),
        ] {
            assert_eq!(decided(&policies, email), expected, "{policies}");
        }
    }
}
