use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::parse;
use super::*;
use crate::flow::bypass::status::{Bypass, BypassState};
use crate::flow::check::CheckId;

const OWN: &str = "0123456789abcdef0123456789abcdef";
const OTHER: &str = "1123456789abcdef0123456789abcdef";

fn facts(value: &Value) -> Facts {
    let read = |name: &str| value[name].as_array().cloned().unwrap_or_default();
    let object = |value: Value| value.to_string();
    Facts {
        connectors: read("connectors")
            .into_iter()
            .map(object)
            .map(|it| serde_json::from_str(&it).unwrap())
            .collect(),
        idps: read("idps")
            .into_iter()
            .map(object)
            .map(|it| serde_json::from_str(&it).unwrap())
            .collect(),
        app: value.get("app").map(|app| serde_json::from_str(&app.to_string()).unwrap()),
        ..Facts::default()
    }
}

fn desired(wanted: &Value) -> Desired {
    let mut file = wanted.as_object().unwrap().clone();
    file.insert("version".to_owned(), 1.into());
    parse::parse(&file).unwrap()
}

fn planned(state: &Value, wanted: &Value, prune: bool) -> Result<Vec<String>, FlowError> {
    let changes = plan(&facts(state), &desired(wanted), &OWN.parse().unwrap(), prune)?;
    let lines = changes.changes.iter().map(|change| {
        let diff: Vec<_> = change.diff.iter().map(ToString::to_string).collect();
        if diff.is_empty() {
            change.title.clone()
        } else {
            format!("{}: {}", change.title, diff.join("; "))
        }
    });
    Ok(lines.chain(changes.warnings.iter().map(|warning| format!("warning: {warning}"))).collect())
}

/// Okta (p1), PIN (p2), a shared IdP (p3), an SSO App, an enabled and an unverified connector.
fn account() -> Value {
    json!({
        "idps": [
            { "id": "p1", "name": "Okta", "type": "okta", "config": { "client_id": "a", "okta_account": "https://a.okta.com" } },
            { "id": "p2", "name": "PIN", "type": "onetimepin", "config": {} },
            { "id": "p3", "name": "Theirs", "type": "oidc", "config": {}, "read_only": true },
        ],
        "app": { "id": "a1", "name": "SSO App", "type": "dash_sso", "allowed_idps": ["p1"], "auto_redirect_to_identity": true },
        "connectors": [
            { "id": "c1", "email_domain": "on.test", "enabled": true, "verification": { "status": "verified" } },
            { "id": "c2", "email_domain": "off.test", "enabled": false, "verification": { "status": "awaiting" } },
        ],
    })
}

#[test]
fn what_differs_is_planned_and_what_is_not_named_is_not_touched() {
    for (wanted, expected) in [
        (json!({}), vec![]),
        (json!({ "identity_providers": [], "connectors": [] }), vec![]),
        (
            json!({ "identity_providers": [{ "name": "Okta", "type": "okta", "config": { "client_id": "a" } }] }),
            vec![],
        ),
        (
            json!({ "identity_providers": [{ "name": "Okta", "type": "Okta", "config": { "client_id": "b" } }] }),
            vec![
                "change the identity provider Okta: `config.client_id`: a -> b",
                "warning: sign-in through Okta is not tested: this run creates, changes or newly \
                 allows it; after it: `cfsso logins --watch`",
            ],
        ),
        (
            json!({ "identity_providers": [{ "id": "p1", "name": "Staff", "type": "okta" }] }),
            vec!["change the identity provider Okta: `name`: Okta -> Staff"],
        ),
        // An account has one PIN, whatever it is called.
        (
            json!({ "identity_providers": [{ "name": "Code", "type": "onetimepin" }] }),
            vec!["change the identity provider PIN: `name`: PIN -> Code"],
        ),
        (json!({ "sso_app": { "allowed_idps": ["Okta"], "auto_redirect": true } }), vec![]),
        (json!({ "sso_app": { "allowed_idps": ["p1"] } }), vec![]),
        (
            json!({ "sso_app": { "allowed_idps": ["PIN", "Okta"] } }),
            vec![
                r#"change the SSO App: `allowed_idps`: ["Okta"] -> ["PIN","Okta"]; `auto_redirect`: true -> false"#,
            ],
        ),
        (
            json!({ "sso_app": { "allowed_idps": "all" } }),
            vec![
                r#"change the SSO App: `allowed_idps`: ["Okta"] -> all; `auto_redirect`: true -> false"#,
            ],
        ),
        (
            json!({ "sso_app": { "auto_redirect": false } }),
            vec!["change the SSO App: `auto_redirect`: true -> false"],
        ),
        (
            json!({ "connectors": [{ "domain": "ON.test." }, { "domain": "off.test", "enabled": false }] }),
            vec![],
        ),
        (
            json!({ "connectors": [{ "domain": "off.test", "verified": true }] }),
            vec!["verify off.test: `verification.status`: awaiting -> verified"],
        ),
        (
            json!({ "connectors": [{ "domain": "on.test", "enabled": false, "fedramp": true }, { "domain": "off.test", "enabled": true }] }),
            vec![
                "disable SSO for on.test: `enabled`: true -> false",
                "change the FedRAMP language of on.test: `use_fedramp_language`: none -> true",
                "verify off.test: `verification.status`: awaiting -> verified",
                "enable SSO for off.test: `enabled`: false -> true",
            ],
        ),
        (
            json!({ "connectors": [{ "domain": "new.test" }] }),
            vec!["create the connector of new.test"],
        ),
        (
            json!({ "federation": [{ "idp": "Okta", "accounts": [OTHER] }] }),
            vec![
                "share Okta with 1123456789abcdef0123456789abcdef: `account`: none -> 1123456789abcdef0123456789abcdef",
                "warning: not checked whether 1123456789abcdef0123456789abcdef is in the organization of this account",
            ],
        ),
    ] {
        assert_eq!(planned(&account(), &wanted, false).unwrap(), expected, "{wanted}");
    }
}

#[test]
fn pruning_spares_what_is_in_use() {
    for (wanted, expected) in [
        (json!({}), vec![]),
        (
            json!({ "connectors": [] }),
            vec![
                "delete the connector of off.test",
                "warning: on.test is not in the file, but enabled: kept",
            ],
        ),
        (
            json!({ "identity_providers": [] }),
            vec![
                "delete the identity provider PIN",
                "warning: Okta is not in the file, but allowed by the SSO App: kept",
                "warning: Theirs is not in the file, but shared by another account: kept",
            ],
        ),
    ] {
        assert_eq!(planned(&account(), &wanted, true).unwrap(), expected, "{wanted}");
    }
}

#[test]
fn a_change_that_would_revert_an_active_bypass_is_refused() {
    let section = |bypassed: bool, other: bool| {
        let entry = |domain: &str, enabled: bool| json!({ "domain": domain, "enabled": enabled });
        json!({ "connectors": [entry("bypassed.test", bypassed), entry("off.test", other)] })
    };
    let app = |idps: Value| json!({ "sso_app": { "allowed_idps": idps } });
    let (connector, sso_app, created) = (Some("c3"), Some("a1"), None);
    let mut state = account();
    state["app"]["allowed_idps"] = json!(["p1", "p2"]);
    state["app"]["auto_redirect_to_identity"] = json!(false);
    state["connectors"].as_array_mut().unwrap().push(json!({
        "id": "c3", "email_domain": "Bypassed.test", "enabled": false,
        "verification": { "status": "verified" },
    }));
    for (target, wanted, is_refused) in [
        (connector, section(true, false), true),
        (connector, section(false, true), false),
        (connector, json!({ "connectors": [] }), true),
        (connector, app(json!(["Okta"])), false),
        (sso_app, section(true, true), false),
        (sso_app, app(json!(["Okta"])), true),
        (sso_app, app(json!("all")), false),
        (sso_app, app(json!(["Okta", "PIN", "Theirs"])), false),
        (sso_app, json!({ "sso_app": { "allowed_idps": ["PIN"], "auto_redirect": true } }), true),
        (created, app(json!(["Okta"])), false),
        (created, json!({ "identity_providers": [], "sso_app": { "allowed_idps": "all" } }), true),
    ] {
        let mut facts = facts(&state);
        facts.bypasses = vec![Bypass {
            entry: "r.1".to_owned(),
            started_at: Timestamp::UNIX_EPOCH,
            user: None,
            title: "open the dashboard".to_owned(),
            target: target.map(str::to_owned),
            state: BypassState::Active,
            detail: String::new(),
        }];
        let changes = plan(&facts, &desired(&wanted), &OWN.parse().unwrap(), true).unwrap();
        let refused = ensure_bypasses_kept(&facts, &changes.changes, false).is_err();
        assert_eq!(refused, is_refused, "{target:?} {wanted}");
        let refused = ensure_bypasses_kept(&facts, &changes.changes, true).is_err();
        let enables = wanted.to_string().contains(r#""enabled":true"#);
        assert_eq!(refused, is_refused && !enables, "{target:?} {wanted}");
        let warning = changes.warnings.last().unwrap();
        assert!(warning.starts_with("a bypass is active: open the dashboard"), "{warning}");
        assert_eq!(warning.contains("`apply` refuses"), is_refused, "{warning}");
    }
}

#[test]
fn what_does_not_fit_the_account_is_refused() {
    for (wanted, message) in [
        (
            json!({ "identity_providers": [{ "id": "p9", "name": "Okta", "type": "okta" }] }),
            "no identity provider `p9` in this account",
        ),
        (
            json!({ "identity_providers": [{ "name": "Theirs", "type": "oidc", "config": { "client_id": "x" } }] }),
            "`Theirs` is read-only and cannot be changed here",
        ),
        (
            json!({ "identity_providers": [{ "id": "p1", "name": "Okta", "type": "saml" }] }),
            "`type` of this identity provider cannot be changed",
        ),
        (
            json!({ "identity_providers": [{ "name": "Okta", "type": "okta", "config": { "okta_acount": "x" } }] }),
            "`Okta`: invalid configuration of an identity provider",
        ),
        (
            json!({ "sso_app": { "allowed_idps": ["Theirs", "gone"] } }),
            "`sso_app.allowed_idps`: no identity provider `gone` in the file or the account",
        ),
        (
            json!({ "federation": [{ "idp": "PIN", "accounts": [OTHER] }] }),
            "`PIN` cannot be shared with other accounts",
        ),
    ] {
        let error = planned(&account(), &wanted, false).unwrap_err();
        assert_eq!(error.message, message, "{wanted}");
    }
}

/// With Okta and the PIN of the account, both allowed.
#[test]
fn what_users_sign_in_through_does_not_make_way_for_what_none_has_tried() {
    let github = json!({ "name": "Hub", "type": "github", "client_secret_env": "S", "config": { "client_id": "c" } });
    let cloudflare = json!({ "name": "Cloudflare", "type": "cloudflare" });
    let okta = json!({ "name": "Okta", "type": "okta" });
    let edited = json!({ "name": "Okta", "type": "okta", "config": { "client_id": "b" } });
    let claims = json!({ "name": "Okta", "type": "okta", "config": { "claims": ["groups"] } });
    // Not allowed before.
    let other = json!({ "name": "Other", "type": "okta" });
    let pin = json!({ "name": "PIN", "type": "onetimepin" });
    let off = json!([{ "domain": "on.test", "enabled": false }]);
    let file = |idps: &[&Value], allowed: &[&str]| json!({ "identity_providers": idps, "sso_app": { "allowed_idps": allowed } });
    let without_sso = |mut file: Value| {
        file["connectors"] = off.clone();
        file
    };
    let mut state = account();
    state["app"]["allowed_idps"] = json!(["p1", "p2"]);
    let not_allowed = json!({ "id": "p4", "name": "Other", "type": "okta", "config": {} });
    state["idps"].as_array_mut().unwrap().push(not_allowed);
    let (idp_healthy, login_seen) = (Some(CheckId::IdpHealthy), Some(CheckId::LoginSeen));
    for (wanted, prune, risk, warnings) in [
        // Kept: Okta, or the PIN.
        (file(&[&github, &okta, &pin], &["Hub", "Okta", "PIN"]), true, None, 1),
        (file(&[&github, &pin], &["Hub", "PIN"]), true, None, 2),
        (file(&[&claims, &pin], &["Okta", "PIN"]), true, None, 0),
        // Only what is new, or changed.
        (file(&[&github], &["Hub"]), true, login_seen, 3),
        (file(&[&edited], &["Okta"]), true, login_seen, 3),
        (file(&[&other], &["Other"]), true, login_seen, 3),
        (file(&[&claims], &["Okta"]), true, None, 2),
        // Nothing is deleted: the old one can be allowed again.
        (file(&[&github], &["Hub"]), false, None, 2),
        (without_sso(file(&[&github], &["Hub"])), true, None, 0),
        // Accounts of Cloudflare.
        (file(&[&cloudflare], &["Cloudflare"]), true, idp_healthy, 2),
        (file(&[&cloudflare], &["Cloudflare"]), false, idp_healthy, 2),
        (file(&[&cloudflare, &okta, &pin], &["Cloudflare", "PIN"]), false, None, 0),
        (without_sso(file(&[&cloudflare], &["Cloudflare"])), true, idp_healthy, 1),
    ] {
        let (facts, desired) = (facts(&state), desired(&wanted));
        let changes = plan(&facts, &desired, &OWN.parse().unwrap(), prune).unwrap();
        let check = |accepted: &[CheckId]| {
            ensure_sign_in_kept(&facts, &desired, &changes.changes, accepted).is_ok()
        };
        assert_eq!(check(&[]), risk.is_none(), "{wanted} {prune}");
        assert!(check(risk.as_slice()), "{wanted} {prune}");
        let found: Vec<_> =
            changes.warnings.iter().filter(|warning| !warning.ends_with(": kept")).collect();
        assert_eq!(found.len(), warnings, "{wanted} {prune} {found:#?}");
    }
}
