//! The decision of an application's policies for one address, or for all of a domain. Pure.
//! Three-valued: groups of an identity provider, devices and countries are not known here.

use std::collections::{BTreeMap, BTreeSet};

use super::preflight::is_company_idp;
use crate::api::app::App;
use crate::api::idp::Idp;
use crate::api::policy::{Policy, PolicyFields, Rule};
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
    /// `None` means a user of the domain whose address is in no rule.
    pub email: Option<&'a str>,
    pub domain: &'a EmailDomain,
    /// The ID of the identity provider; `None` if not known.
    pub idp: Option<&'a str>,
    pub account: &'a str,
    pub is_member: Option<bool>,
}

#[derive(Clone, Debug, Default)]
pub struct References {
    /// Rules of Access groups: include, exclude, require.
    pub groups: BTreeMap<String, PolicyFields>,
    /// Email addresses in lower case.
    pub lists: BTreeMap<String, BTreeSet<String>>,
    /// The record of a policy or identity provider could not be parsed: no denial is certain.
    pub has_odd_records: bool,
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

/// The decision for all users of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DomainDecision {
    Allowed {
        policy: String,
        /// The denied addresses.
        except: Vec<String>,
    },
    /// No other address of the domain can be allowed.
    Only(Vec<String>),
    NoOne {
        denied_by: Option<String>,
    },
    Depends {
        policy: String,
        on: String,
    },
}

/// The policies of an application, and what decides about a sign-in to it.
pub struct PolicyContext<'a> {
    /// In the order of evaluation.
    policies: Vec<&'a Policy>,
    /// The identity providers that the application allows; `None` if not known.
    idps: Option<Vec<&'a Idp>>,
    account: &'a str,
    references: &'a References,
}

impl Decision {
    pub fn is_denial(&self) -> bool {
        matches!(self, Self::Denied(_) | Self::NoMatch)
    }
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

impl<'a> PolicyContext<'a> {
    pub fn new(
        app: &App,
        policies: &'a [Policy],
        idps: Option<&'a [Idp]>,
        (account, references): (&'a str, &'a References),
    ) -> Self {
        let mut policies: Vec<_> = policies.iter().collect();
        policies.sort_by_key(|policy| policy.precedence.unwrap_or(i64::MAX));
        let allowed = idps.map(|all| all.iter().filter(|idp| app.admits(&idp.id)).collect());
        // Another check reports an application that allows no identity provider.
        let mut idps = allowed.filter(|allowed: &Vec<&Idp>| !allowed.is_empty());
        if let Some(idps) = &mut idps {
            idps.sort_by_key(|idp| !is_company_idp(idp));
        }
        Self { policies, idps, account, references }
    }

    /// The most favorable decision of all allowed identity providers, and the first of them
    /// that leads to it, one of the company if possible.
    pub fn decide_for_user(
        &self,
        email: Option<&str>,
        domain: &EmailDomain,
        is_member: Option<bool>,
    ) -> (Option<&'a Idp>, Decision) {
        let decide = |idp: Option<&'a Idp>| {
            let id = idp.map(|idp| idp.id.as_str());
            let account = self.account;
            let who = Applicant { email, domain, idp: id, account, is_member };
            (idp, self.decide(who))
        };
        let Some(idps) = &self.idps else { return decide(None) };
        let rank = |(_, decision): &(_, Decision)| match decision {
            Decision::Allowed(_) => 0,
            Decision::Depends { .. } => 1,
            Decision::Denied(_) => 2,
            Decision::NoMatch => 3,
        };
        let decisions = idps.iter().map(|idp| decide(Some(idp)));
        decisions.min_by_key(rank).unwrap_or_else(|| decide(None))
    }

    /// Whether users of the domain can use only one-time PIN or Cloudflare, although the
    /// application allows an identity provider of the company.
    pub fn excludes_company_idps(&self, domain: &EmailDomain) -> bool {
        let (idp, decision) = self.decide_for_user(None, domain, None);
        let has_company_idp = self.idps.iter().flatten().any(|idp| is_company_idp(idp));
        let is_company = idp.is_none_or(is_company_idp);
        matches!(decision, Decision::Allowed(_)) && has_company_idp && !is_company
    }

    pub fn decide_for_domain(&self, domain: &EmailDomain) -> DomainDecision {
        let named = self.named_addresses(domain).into_iter();
        let (denied, others): (Vec<_>, Vec<_>) =
            named.partition(|email| self.decide_for_user(Some(email), domain, None).1.is_denial());
        match self.decide_for_user(None, domain, None).1 {
            Decision::Allowed(policy) => DomainDecision::Allowed { policy, except: denied },
            Decision::Depends { policy, on } => DomainDecision::Depends { policy, on },
            Decision::Denied(_) | Decision::NoMatch if !others.is_empty() => {
                DomainDecision::Only(others)
            }
            Decision::Denied(policy) => DomainDecision::NoOne { denied_by: Some(policy) },
            Decision::NoMatch => DomainDecision::NoOne { denied_by: None },
        }
    }

    /// The first policy that matches decides. One that may match leaves the decision open,
    /// unless the next ones come to the same.
    pub fn decide(&self, who: Applicant<'_>) -> Decision {
        let mut doubts: Vec<(Option<bool>, Decision)> = Vec::new();
        let mut decided = Decision::NoMatch;
        for policy in &self.policies {
            let allows = match policy.decision.as_str() {
                "allow" => Some(true),
                "deny" => Some(false),
                // Only for service tokens.
                "non_identity" => continue,
                _ => None,
            };
            let name = policy.name.clone();
            match (evaluate_rules(policy, who, self.references, 0), allows) {
                (Truth::No, _) => {}
                (Truth::Yes, Some(true)) => {
                    decided = Decision::Allowed(name);
                    break;
                }
                (Truth::Yes, Some(false)) => {
                    decided = Decision::Denied(name);
                    break;
                }
                (Truth::Yes, None) => {
                    let on = format!("the decision `{}`", policy.decision);
                    doubts.push((None, Decision::Depends { policy: name, on }));
                }
                (Truth::Depends(on), _) => {
                    doubts.push((allows, Decision::Depends { policy: name, on }));
                }
            }
        }
        let is_same = Some(matches!(decided, Decision::Allowed(_)));
        let open = doubts.into_iter().find(|(allows, _)| *allows != is_same);
        let decided = open.map_or(decided, |(_, doubt)| doubt);
        if decided.is_denial() && self.references.has_odd_records {
            let policy = self.policies.last().map_or("invalid", |last| &last.name);
            let on = "a record that is invalid";
            return Decision::Depends { policy: policy.to_owned(), on: on.to_owned() };
        }
        decided
    }

    /// The addresses of the domain in email rules, lists and groups.
    fn named_addresses(&self, domain: &EmailDomain) -> BTreeSet<String> {
        let groups = self.references.groups.values();
        let rules = self.policies.iter().flat_map(|policy| policy.rules());
        let rules = rules.chain(groups.flat_map(PolicyFields::rules));
        let single = rules.filter(|rule| rule.kind() == "email").filter_map(Rule::email_text);
        let listed = self.references.lists.values().flatten().map(String::as_str);
        let at_domain = single.chain(listed).filter(|email| domain.has_address(email));
        at_domain.map(str::to_lowercase).collect()
    }
}

/// Groups can refer to each other.
const MAX_GROUP_DEPTH: u8 = 3;

fn evaluate_rules(
    rules: &PolicyFields,
    who: Applicant<'_>,
    known: &References,
    depth: u8,
) -> Truth {
    let each = |rules: &Option<Vec<Rule>>| -> Vec<Truth> {
        rules.iter().flatten().map(|rule| evaluate_rule(rule, who, known, depth)).collect()
    };
    let any = |truths: Vec<Truth>| truths.into_iter().fold(Truth::No, Truth::or);
    let all = each(&rules.require).into_iter().fold(Truth::Yes, Truth::and);
    any(each(&rules.include)).and(all).and(any(each(&rules.exclude)).not())
}

/// API reference, section 4.
fn evaluate_rule(rule: &Rule, who: Applicant<'_>, known: &References, depth: u8) -> Truth {
    let id = || rule.field("id");
    match rule.kind() {
        "" => Truth::Depends("a rule that cannot be read".to_owned()),
        "everyone" => Truth::Yes,
        "email_domain" => Truth::of(rule.domain() == Some(who.domain)),
        "email" => {
            let named = rule.field("email");
            Truth::of(who.email.is_some_and(|email| named.eq_ignore_ascii_case(email)))
        }
        "login_method" => match who.idp {
            Some(idp) => Truth::of(id() == idp),
            None => Truth::Depends("the identity provider".to_owned()),
        },
        "service_token" | "any_valid_service_token" => Truth::No,
        "cloudflare_account_member" => {
            let is_here = [who.account, ""].contains(&rule.field("account_id"));
            match who.is_member.filter(|_| is_here) {
                Some(is_member) => Truth::of(is_member),
                None => Truth::Depends("membership of an account".to_owned()),
            }
        }
        "group" => match known.groups.get(id()).filter(|_| depth < MAX_GROUP_DEPTH) {
            Some(group) => evaluate_rules(group, who, known, depth + 1),
            None => Truth::Depends(format!("the Access group {}", id())),
        },
        "email_list" => match known.lists.get(id()) {
            Some(list) => {
                Truth::of(who.email.is_some_and(|email| list.contains(&email.to_lowercase())))
            }
            None => Truth::Depends(format!("the list {}", id())),
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
    use crate::flow::preflight::tests::{idp, object, sso_app};
    use serde_json::{Value, json};

    fn references() -> References {
        let ada = json!({ "email": { "email": "ada@cool.cats" } });
        // Both refer to each other.
        let group = |other: &str| {
            object(&json!({ "id": "g", "include": [ada, { "group": { "id": other } }] }))
        };
        References {
            groups: [("g1".to_owned(), group("g2")), ("g2".to_owned(), group("g1"))].into(),
            lists: [("l1".to_owned(), ["ada@cool.cats".to_owned()].into())].into(),
            has_odd_records: false,
        }
    }

    fn decided(policies: &Value, email: Option<&str>) -> Decision {
        let domain = "cool.cats".parse().unwrap();
        let who = Applicant {
            email,
            domain: &domain,
            idp: Some("p1"),
            account: "a1",
            is_member: Some(true),
        };
        let (policies, known) = (object::<Vec<Policy>>(policies), references());
        PolicyContext::new(&object(&sso_app(&json!({}))), &policies, None, ("a1", &known))
            .decide(who)
    }

    /// The application allows `p1` and `p2`, but not `off`.
    fn of_domain(policies: &Value, known: &References, has_idps: bool) -> String {
        let app = object(&sso_app(&json!({ "allowed_idps": ["p1", "p2"] })));
        let all: Vec<Idp> =
            object(&json!([idp("p1", "okta"), idp("p2", "onetimepin"), idp("off", "saml")]));
        let idps = has_idps.then_some(all.as_slice());
        let policies: Vec<Policy> = object(policies);
        let context = PolicyContext::new(&app, &policies, idps, ("a1", known));
        match context.decide_for_domain(&"cool.cats".parse().unwrap()) {
            DomainDecision::Allowed { except, .. } if except.is_empty() => "all".to_owned(),
            DomainDecision::Allowed { except, .. } => format!("all but {}", except.join(", ")),
            DomainDecision::Only(emails) => format!("only {}", emails.join(", ")),
            DomainDecision::NoOne { denied_by: None } => "no one".to_owned(),
            DomainDecision::NoOne { denied_by: Some(policy) } => format!("denied by {policy}"),
            DomainDecision::Depends { on, .. } => format!("depends on {on}"),
        }
    }

    #[test]
    fn all_of_a_domain_some_or_no_one_is_allowed() {
        let policy = |decision: &str, include: Value, rest: Value| {
            let mut policy =
                json!({ "id": "y", "name": decision, "decision": decision, "include": include });
            policy.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
            policy
        };
        let cats = json!({ "email_domain": { "domain": "cool.cats" } });
        let email = |name: &str| json!({ "email": { "email": name } });
        let (ada, tom, dog) =
            (email("Ada@cool.cats"), email("tom@cool.cats"), email("a@dogs.test"));
        let login = |id: &str| json!({ "login_method": { "id": id } });
        let geo = json!({ "geo": { "country_code": "DE" } });
        let allow = |include: Value| policy("allow", include, json!({}));
        let all = "all";
        for (policies, expected) in [
            (json!([allow(json!([cats]))]), all),
            (json!([allow(json!([ada])), allow(json!([cats]))]), all),
            (json!([policy("allow", json!([cats]), json!({ "require": [login("p2")] }))]), all),
            (
                json!([policy("allow", json!([cats]), json!({ "require": [login("gone")] }))]),
                "no one",
            ),
            (
                json!([policy("allow", json!([cats]), json!({ "require": [login("gone"), geo] }))]),
                "no one",
            ),
            (
                json!([policy("allow", json!([geo]), json!({ "require": [login("gone")] }))]),
                "no one",
            ),
            (
                json!([policy("allow", json!([cats]), json!({ "require": [login("off")] }))]),
                "no one",
            ),
            (json!([policy("allow", json!([cats]), json!({ "exclude": [cats] }))]), "no one"),
            (
                json!([policy("allow", json!([cats]), json!({ "exclude": [tom] }))]),
                "all but tom@cool.cats",
            ),
            (
                json!([policy("deny", json!([tom]), json!({})), allow(json!([cats]))]),
                "all but tom@cool.cats",
            ),
            (
                json!([policy("deny", json!([cats]), json!({})), allow(json!([cats]))]),
                "denied by deny",
            ),
            (json!([policy("deny", json!([geo]), json!({}))]), "no one"),
            (
                json!([policy("deny", json!([geo]), json!({})), allow(json!([cats]))]),
                "depends on the country",
            ),
            (
                json!([allow(json!([geo])), policy("deny", json!([cats]), json!({}))]),
                "depends on the country",
            ),
            (json!([allow(json!([geo])), allow(json!([cats]))]), all),
            (
                json!([policy("bypass", json!([geo]), json!({})), allow(json!([cats]))]),
                "depends on the country",
            ),
            (json!([allow(json!([ada]))]), "only ada@cool.cats"),
            (
                json!([allow(json!([ada])), allow(json!([tom]))]),
                "only ada@cool.cats, tom@cool.cats",
            ),
            (
                json!([policy("allow", json!([ada]), json!({ "require": [geo] }))]),
                "only ada@cool.cats",
            ),
            (json!([policy("allow", json!([ada]), json!({ "exclude": [ada] }))]), "no one"),
            (json!([allow(json!([dog]))]), "no one"),
            (json!([allow(json!([{ "email_list": { "id": "l1" } }]))]), "only ada@cool.cats"),
            (
                json!([allow(json!([{ "group": { "id": "g9" } }]))]),
                "depends on the Access group g9",
            ),
            (
                json!([allow(json!([{ "cloudflare_account_member": {} }]))]),
                "depends on membership of an account",
            ),
            (json!([]), "no one"),
        ] {
            assert_eq!(of_domain(&policies, &references(), true), expected, "{policies}");
            // Nothing is certain of rules that cannot be read, or of unknown identity providers.
            let odd = References { has_odd_records: true, ..references() };
            assert!(!of_domain(&policies, &odd, true).starts_with("no one"), "{policies}");
            if policies.to_string().contains("login_method") {
                let found = of_domain(&policies, &references(), false);
                assert!(found.starts_with("depends on the "), "{policies} {found}");
            }
        }
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
            // A user whose address is in no rule.
            (json!([policy(1, "allow", tom)]), None, Decision::NoMatch),
        ] {
            assert_eq!(decided(&policies, email), expected, "{policies}");
        }
    }
}
