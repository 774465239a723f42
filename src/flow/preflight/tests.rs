use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::facts::{Facts, Health, NotChecked, Recovery, Token};
use super::{Thresholds, login, member, policy, provider, sign_in, token};
use crate::api::ErrorKind;
use crate::api::connector::Connector;
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckState, Severity};
use crate::flow::policy_decision::References;
use crate::flow::token::Owner;
use crate::idp::check::{IdpCheck, IdpCheckId};

/// `ok`, `error`, `warning` or `unseen`.
fn outcome(check: &Result<Check, &NotChecked>) -> &'static str {
    match check.as_ref().map(|check| (check.state, check.severity)) {
        Ok((CheckState::Passed, _)) => "ok",
        Ok((CheckState::NotChecked, _)) | Err(_) => "unseen",
        Ok((_, Severity::Error)) => "error",
        Ok((_, Severity::Warning)) => "warning",
    }
}

fn detail<'a>(check: &'a Result<Check, &NotChecked>) -> &'a str {
    &check.as_ref().unwrap().detail
}

pub(in crate::flow) fn object<T: DeserializeOwned>(value: &Value) -> T {
    serde_json::from_str(&value.to_string()).unwrap()
}

pub(in crate::flow) fn forbidden() -> NotChecked {
    NotChecked { kind: ErrorKind::Forbidden, reason: "the token lacks it".to_owned() }
}

fn not_enabled() -> NotChecked {
    NotChecked { kind: ErrorKind::AccessNotEnabled, reason: "no organization".to_owned() }
}

pub(in crate::flow) fn idp(id: &str, kind: &str) -> Value {
    json!({ "id": id, "name": id, "type": kind, "config": {} })
}

pub(in crate::flow) fn sso_app(rest: &Value) -> Value {
    let mut app = json!({ "id": "a1", "name": "SSO App", "type": "dash_sso" });
    app.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    app
}

pub(in crate::flow) fn allow(precedence: i64, include: &Value) -> Value {
    let name = format!("p{precedence}");
    json!({ "id": name, "name": name, "decision": "allow", "precedence": precedence, "include": include })
}

fn domain() -> EmailDomain {
    "cool.cats".parse().unwrap()
}

/// All checks pass with these.
pub(in crate::flow) fn facts() -> Facts {
    Facts {
        account: "0123456789abcdef0123456789abcdef".parse().unwrap(),
        references: References::default(),
        organization: Ok(object(&json!({ "auth_domain": "cool.cloudflareaccess.com" }))),
        idps: Ok(object(&json!([idp("okta", "okta"), idp("pin", "onetimepin")]))),
        health: vec![health(Vec::new())],
        apps: Ok(object(&json!([sso_app(&json!({}))]))),
        policies: Ok(object(&json!([allow(1, &json!([email_domain("cool.cats")]))]))),
        members: Ok(object(&json!([
            person("a@cool.cats", "accepted", true),
            person("b@dogs.test", "accepted", true)
        ]))),
        logins: Ok(object(&json!([sign_in_row("okta", "2026-02-28T12:00:00Z")]))),
        users: Ok(Vec::new()),
        identities: Vec::new(),
        hand_tests: Vec::new(),
        audit_log: None,
        token: Ok(active(&json!({}))),
        recovery: None,
    }
}

pub(in crate::flow) fn email_domain(domain: &str) -> Value {
    json!({ "email_domain": { "domain": domain } })
}

fn sign_in_row(kind: &str, at: &str) -> Value {
    json!({ "allowed": true, "connection": kind, "created_at": at })
}

fn person(address: &str, status: &str, is_super: bool) -> Value {
    let role = if is_super { "Super Administrator - All Privileges" } else { "Administrator" };
    json!({ "user": { "email": address }, "status": status, "roles": [{ "name": role }] })
}

fn health(points: Vec<IdpCheck>) -> Health {
    Health { name: "okta".to_owned(), id: "okta".to_owned(), points: Some(points) }
}

pub(in crate::flow) fn active(rest: &Value) -> Token {
    let mut token = json!({ "id": "t1", "status": "active" });
    token.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Token { owner: Owner::User, verification: Some(object(&token)) }
}

pub(in crate::flow) fn thresholds() -> Thresholds {
    Thresholds::new("2026-03-01T12:00:00Z".parse().unwrap(), 30)
}

fn connector() -> Connector {
    object(&json!({ "id": "c1", "email_domain": "cool.cats" }))
}

#[test]
fn an_organization_is_there_or_known_not_to_be() {
    for (organization, expected) in
        [(None, "ok"), (Some(not_enabled()), "error"), (Some(forbidden()), "unseen")]
    {
        let mut facts = facts();
        if let Some(not_checked) = organization {
            facts.organization = Err(not_checked);
        }
        assert_eq!(outcome(&Ok(provider::zero_trust_org(&facts))), expected);
    }
}

#[test]
fn one_time_pin_and_cloudflare_are_no_companys_identity_provider() {
    for (idps, expected) in [
        (json!([idp("x", "saml")]), "ok"),
        (json!([idp("x", "passkeys")]), "ok"),
        (json!([]), "error"),
        (json!([idp("x", "onetimepin"), idp("y", "cloudflare")]), "error"),
    ] {
        let facts = Facts { idps: Ok(object(&idps)), ..facts() };
        assert_eq!(outcome(&Ok(provider::idp_present(&facts))), expected, "{idps}");
    }
    for (not_checked, expected) in [(forbidden(), "unseen"), (not_enabled(), "error")] {
        let facts = Facts { idps: Err(not_checked), ..facts() };
        assert_eq!(outcome(&Ok(provider::idp_present(&facts))), expected);
    }
}

#[test]
fn an_identity_provider_is_unwell_where_something_was_seen_to_fail() {
    use crate::idp::check::{CheckState, Severity};
    let point = |state, severity| {
        let evidence = "seen".to_owned();
        IdpCheck {
            id: IdpCheckId::Jwks,
            state,
            severity,
            detail: evidence,
            is_certain: false,
            fix: None,
        }
    };
    let lasting = |severity| IdpCheck { is_certain: true, ..point(CheckState::Failed, severity) };
    for (points, expected) in [
        (
            Some(vec![
                point(CheckState::Passed, Severity::Error),
                point(CheckState::NotTested, Severity::Error),
            ]),
            "ok",
        ),
        (Some(vec![point(CheckState::Failed, Severity::Error)]), "warning"),
        (Some(vec![point(CheckState::Failed, Severity::Warning)]), "warning"),
        (Some(vec![lasting(Severity::Error)]), "error"),
        (Some(vec![lasting(Severity::Warning)]), "warning"),
        (None, "unseen"),
    ] {
        let facts = Facts { health: vec![Health { points, ..health(Vec::new()) }], ..facts() };
        assert_eq!(outcome(&Ok(provider::idp_healthy(&facts))), expected);
    }
    assert_eq!(
        outcome(&Ok(provider::idp_healthy(&Facts { health: Vec::new(), ..facts() }))),
        "unseen"
    );
}

#[test]
fn the_fallback_is_there_admitted_and_offered() {
    let pins = json!([idp("okta", "okta"), idp("pin", "onetimepin")]);
    for (idps, app, expected) in [
        (&pins, json!({}), "ok"),
        (&pins, json!({ "allowed_idps": ["pin", "okta"] }), "ok"),
        (&pins, json!({ "allowed_idps": ["okta"] }), "warning"),
        (&pins, json!({ "auto_redirect_to_identity": true }), "warning"),
        (&pins, json!({ "allowed_idps": ["pin"], "auto_redirect_to_identity": true }), "ok"),
        (&json!([idp("okta", "okta")]), json!({}), "warning"),
    ] {
        let apps = Ok(object(&json!([sso_app(&app)])));
        let facts = Facts { idps: Ok(object(idps)), apps, ..facts() };
        assert_eq!(outcome(&provider::fallback_login(&facts)), expected, "{app}");
    }
    let facts = Facts { idps: Err(forbidden()), ..facts() };
    assert_eq!(outcome(&provider::fallback_login(&facts)), "unseen");
}

#[test]
fn there_is_one_sign_in() {
    let (other, app) = (json!({ "id": "w", "type": "self_hosted" }), sso_app(&json!({})));
    for (apps, expected) in
        [(json!([other, app]), "ok"), (json!([other]), "warning"), (json!([app, app]), "warning")]
    {
        let facts = Facts { apps: Ok(object(&apps)), ..facts() };
        assert_eq!(outcome(&sign_in::present(&facts)), expected, "{apps}");
    }
    let facts = Facts { apps: Err(forbidden()), ..facts() };
    for check in [
        sign_in::present(&facts),
        sign_in::reaches_idp(&facts),
        sign_in::instant_auth(&facts),
        policy::allows_domain(&domain(), &facts),
        policy::unsupported(&[], &facts),
    ] {
        assert_eq!(outcome(&check), "unseen", "{check:?}");
    }
}

#[test]
fn the_sign_in_admits_an_identity_provider_that_lives() {
    for (list, expected) in [
        (json!(null), "ok"),
        (json!([]), "ok"),
        (json!(["okta"]), "ok"),
        (json!(["okta", "gone"]), "warning"),
        (json!(["pin"]), "warning"),
        (json!(["gone", "lost"]), "error"),
    ] {
        let apps = object(&json!([sso_app(&json!({ "allowed_idps": list }))]));
        let facts = Facts { apps: Ok(apps), ..facts() };
        assert_eq!(outcome(&sign_in::reaches_idp(&facts)), expected, "{list}");
    }
    let apps = object(&json!([sso_app(&json!({ "allowed_idps": ["cf"] }))]));
    let idps = object(&json!([idp("okta", "okta"), idp("cf", "cloudflare")]));
    let cloudflare = Facts { apps: Ok(apps), idps: Ok(idps), ..facts() };
    let check = sign_in::reaches_idp(&cloudflare);
    assert_eq!(outcome(&check), "warning");
    assert_eq!(detail(&check), "`SSO App` allows only cf: no identity provider of the company");
    let facts = Facts { idps: Ok(Vec::new()), ..facts() };
    assert_eq!(outcome(&sign_in::reaches_idp(&facts)), "error");
}

#[test]
fn the_choice_is_skipped_with_exactly_one() {
    for (instant, list, expected) in [
        (json!(false), json!(["a", "b"]), "ok"),
        (json!(null), json!([]), "ok"),
        (json!(true), json!(["okta"]), "ok"),
        (json!(true), json!([]), "warning"),
        (json!(true), json!(["okta", "pin"]), "warning"),
    ] {
        let app = sso_app(&json!({ "allowed_idps": list, "auto_redirect_to_identity": instant }));
        let facts = Facts { apps: Ok(object(&json!([app]))), ..facts() };
        assert_eq!(outcome(&sign_in::instant_auth(&facts)), expected, "{app}");
    }
}

#[test]
fn the_first_policy_that_takes_the_domain_in_decides() {
    let own = || json!([email_domain("Cool.Cats.")]);
    let group = json!([{ "group": { "id": "g" } }]);
    let with = |mut policy: Value, field: &str, value: Value| {
        policy[field] = value;
        policy
    };
    let address = |email: &str| json!({ "email": { "email": email } });
    let login = |id: &str| json!([{ "login_method": { "id": id } }]);
    let deny = |n| with(allow(n, &own()), "decision", json!("deny"));
    for (policies, expected) in [
        (json!([allow(1, &own())]), "ok"),
        (json!([allow(1, &json!([{ "everyone": {} }]))]), "ok"),
        (json!([allow(1, &json!([email_domain("dogs.test")])), allow(2, &own())]), "ok"),
        (json!([deny(2), allow(1, &own())]), "ok"),
        (json!([deny(1), allow(2, &own())]), "error"),
        (json!([]), "error"),
        (json!([allow(1, &json!([email_domain("dogs.test")]))]), "error"),
        (json!([allow(1, &json!([{ "service_token": { "token_id": "t" } }]))]), "error"),
        (json!([with(allow(1, &own()), "exclude", own())]), "error"),
        (json!([with(allow(1, &own()), "decision", json!("non_identity"))]), "error"),
        (json!([allow(1, &group)]), "warning"),
        (json!([allow(1, &json!([{ "new_rule": {} }]))]), "warning"),
        (json!([with(allow(1, &own()), "require", group.clone())]), "warning"),
        (json!([with(allow(1, &group), "decision", json!("deny")), allow(2, &own())]), "warning"),
        (json!([allow(1, &json!([address("a@cool.cats")]))]), "warning"),
        // Every known member is denied.
        (json!([allow(1, &json!([address("new@cool.cats")]))]), "error"),
        (json!([with(allow(1, &own()), "exclude", json!([address("a@cool.cats")]))]), "error"),
        (json!([with(allow(1, &own()), "exclude", json!([address("b@cool.cats")]))]), "warning"),
        (json!([with(allow(1, &own()), "require", login("okta"))]), "ok"),
        (json!([with(allow(1, &own()), "require", login("pin"))]), "warning"),
        (json!([with(allow(1, &own()), "require", login("gone"))]), "error"),
    ] {
        let facts = Facts { policies: Ok(object(&policies)), ..facts() };
        let check = policy::allows_domain(&domain(), &facts);
        assert_eq!(outcome(&check), expected, "{policies} {check:?}");
    }
    let facts = Facts { policies: Err(forbidden()), ..facts() };
    assert_eq!(outcome(&policy::allows_domain(&domain(), &facts)), "unseen");
}

#[test]
fn denied_members_are_named() {
    let members = json!([
        person("a@cool.cats", "accepted", true),
        person("tom@cool.cats", "accepted", false),
        person("kit@cool.cats", "pending", false),
        person("tom+x@cool.cats", "accepted", false),
        person("b@dogs.test", "accepted", true)
    ]);
    let address = |email: &str| json!([{ "email": { "email": email } }]);
    for (email, expected) in [
        ("a@cool.cats", "except a@cool.cats; denied members: tom@cool.cats"),
        ("kit@cool.cats", "is denied: a@cool.cats, tom@cool.cats"),
    ] {
        let policies = Ok(object(&json!([allow(1, &address(email))])));
        let facts = Facts { members: Ok(object(&members)), policies, ..facts() };
        let check = policy::allows_domain(&domain(), &facts);
        assert!(detail(&check).ends_with(expected), "{check:?}");
        let unknown = Facts { members: Err(forbidden()), ..facts };
        assert_eq!(outcome(&policy::allows_domain(&domain(), &unknown)), "warning");
    }
}

#[test]
fn e_mail_rules_are_for_domains_with_a_connector() {
    for (include, expected) in [
        (json!([email_domain("COOL.cats")]), "ok"),
        (json!([{ "email": { "email": "a@cool.cats" } }]), "ok"),
        (json!([{ "group": { "id": "g" } }]), "ok"),
        (json!([email_domain("cool.cats"), email_domain("dogs.test")]), "warning"),
        (json!([{ "email": { "email": "a@sub.cool.cats" } }]), "warning"),
    ] {
        let facts = Facts { policies: Ok(object(&json!([allow(1, &include)]))), ..facts() };
        let check = policy::unsupported(&[connector()], &facts);
        assert_eq!(outcome(&check), expected, "{include}");
    }
}

#[test]
fn plus_addressed_members_of_the_domain_are_named() {
    for (address, expected) in [
        ("a@cool.cats", "ok"),
        ("a+b@dogs.test", "ok"),
        ("a+b@cool.cats", "warning"),
        ("A+b@COOL.CATS", "warning"),
    ] {
        let members = Ok(object(&json!([person(address, "accepted", false)])));
        let facts = Facts { members, ..facts() };
        let check = member::plus_addressed(&domain(), &facts);
        assert_eq!(outcome(&check), expected, "{address}");
        assert_eq!(detail(&check).contains(address), expected == "warning", "{check:?}");
    }
}

#[test]
fn a_super_administrator_can_still_get_in() {
    let outside = person("b@dogs.test", "accepted", true);
    let inside = person("a@cool.cats", "accepted", true);
    for (members, expected) in [
        (json!([outside, inside]), "ok"),
        (json!([outside]), "ok"),
        (json!([inside]), "warning"),
        (json!([inside, person("b@dogs.test", "pending", true)]), "warning"),
        (json!([person("a+x@cool.cats", "accepted", true)]), "error"),
        (json!([person("b@dogs.test", "pending", true)]), "error"),
        (json!([person("b@dogs.test", "accepted", false)]), "error"),
        (json!([]), "error"),
    ] {
        let facts = Facts { members: Ok(object(&members)), ..facts() };
        let check = member::super_admin(&domain(), &facts);
        assert_eq!(outcome(&check), expected, "{members}");
        let waits = members.to_string().contains("pending");
        assert_eq!(detail(&check).contains("invited"), waits, "{check:?}");
    }
    let facts = Facts { members: Err(forbidden()), ..facts() };
    for check in [member::super_admin(&domain(), &facts), member::plus_addressed(&domain(), &facts)]
    {
        assert_eq!(outcome(&check), "unseen");
    }
}

#[test]
fn the_token_in_use_outlives_the_days_that_are_asked_for() {
    for (rest, expected) in [
        (json!({}), "ok"),
        (json!({ "expires_on": "2026-03-31T12:00:00Z" }), "ok"),
        (json!({ "expires_on": "2026-03-31T11:59:59Z" }), "warning"),
        (json!({ "expires_on": "2020-01-01T00:00:00Z" }), "warning"),
        (json!({ "expires_on": "soon" }), "warning"),
        (json!({ "not_before": "2026-03-02T00:00:00Z" }), "warning"),
        (json!({ "status": "disabled" }), "warning"),
        (json!({ "status": "sleeping" }), "warning"),
    ] {
        let facts = Facts { token: Ok(active(&rest)), ..facts() };
        let check = token::recovery(&[&connector()], &facts, &thresholds());
        assert_eq!(outcome(&check), expected, "{rest} {check:?}");
    }
    let key = Token { owner: Owner::GlobalApiKey, verification: None };
    for (token, expected) in [(Ok(key), "ok"), (Err(forbidden()), "unseen")] {
        let facts = Facts { token, ..facts() };
        assert_eq!(outcome(&token::recovery(&[&connector()], &facts, &thresholds())), expected);
    }
}

#[test]
fn a_second_token_that_is_named_and_not_proven_refuses() {
    let known = || Ok(vec![connector()]);
    for (token, connectors, expected) in [
        (Ok(active(&json!({ "id": "t2" }))), known(), "ok"),
        (Ok(active(&json!({ "expires_on": "2026-03-10T00:00:00Z" }))), known(), "error"),
        (Ok(active(&json!({}))), Ok(Vec::new()), "error"),
        (Ok(active(&json!({}))), Err(forbidden()), "error"),
        (Err(forbidden()), known(), "error"),
    ] {
        let facts = Facts { recovery: Some(Recovery { token, connectors }), ..facts() };
        let check = token::recovery(&[&connector()], &facts, &thresholds());
        assert_eq!(outcome(&check), expected, "{check:?}");
        assert_eq!(detail(&check).contains("not tested"), expected == "ok", "{check:?}");
    }
}

#[test]
fn a_recent_sign_in_through_each_identity_provider_is_looked_for() {
    use crate::flow::idp_test::{HandTest, TestedAt};

    let recent = json!([sign_in_row("okta", "2026-02-28T12:00:00Z")]);
    let old = json!([sign_in_row("okta", "2026-01-01T12:00:00Z")]);
    let one = json!([idp("p1", "okta"), idp("p2", "onetimepin")]);
    let twins = json!([idp("p1", "okta"), idp("p2", "okta")]);
    let of_user =
        |idp: &str| json!([{ "iat": 1_772_280_000, "idp": { "id": idp, "type": "okta" } }]);
    let denied =
        json!([{ "allowed": false, "connection": "okta", "created_at": "2026-02-28T12:00:00Z" }]);
    for (idps, logins, identities, expected, words) in [
        (&one, &recent, json!([]), "ok", "p1 on 2026-02-28"),
        (&one, &old, json!([]), "warning", "through p1 (last on 2026-01-01)"),
        (&one, &json!([]), json!([]), "warning", "through p1, tested by hand on 2026-02-01"),
        (&one, &denied, json!([]), "warning", "through p1"),
        (&one, &json!([]), of_user("p1"), "ok", "p1 on 2026-02-28"),
        // A row names only the type, which two have.
        (&twins, &recent, json!([]), "warning", "through p1"),
        (&twins, &recent, of_user("p1"), "warning", "through p2"),
        (&json!([idp("p2", "onetimepin")]), &recent, json!([]), "unseen", ""),
    ] {
        let facts = Facts {
            idps: Ok(object(idps)),
            logins: Ok(object(logins)),
            identities: object(&identities),
            hand_tests: vec![TestedAt {
                test: HandTest { tested_idp: "p1".to_owned(), succeeded: true },
                at: "2026-02-01T12:00:00Z".parse().unwrap(),
            }],
            ..facts()
        };
        let check = login::recent_sign_ins(&domain(), &facts, &thresholds());
        assert_eq!(outcome(&check), expected, "{check:?}");
        assert!(detail(&check).contains(words), "{check:?}");
    }
    let facts = Facts { logins: Err(forbidden()), ..facts() };
    assert_eq!(outcome(&login::recent_sign_ins(&domain(), &facts, &thresholds())), "unseen");
}

#[test]
fn members_who_signed_in_and_who_never_did_are_counted() {
    let user =
        |email: &str, at: Value| json!({ "id": "u1", "email": email, "last_successful_login": at });
    let members = json!([
        person("a@cool.cats", "accepted", true),
        person("b@cool.cats", "accepted", true),
        person("c@cool.cats", "accepted", true),
        person("d@dogs.test", "accepted", true)
    ]);
    let users = json!([
        user("A@cool.cats", json!("2026-02-28T12:00:00Z")),
        user("b@cool.cats", json!("2025-02-28T12:00:00Z")),
        user("c@cool.cats", Value::Null)
    ]);
    let facts = Facts { members: Ok(object(&members)), users: Ok(object(&users)), ..facts() };
    let check = login::recent_sign_ins(&domain(), &facts, &thresholds());
    assert!(detail(&check).ends_with("members of cool.cats: 1 signed in, 1 never"), "{check:?}");
}
