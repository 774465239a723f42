use serde_json::json;

use super::super::kind;
use super::*;

/// Never expires.
fn certificate() -> String {
    let key = rcgen::KeyPair::generate().unwrap();
    rcgen::CertificateParams::default().self_signed(&key).unwrap().pem()
}

fn value(field: &Field) -> Json {
    match field.value {
        Value::Text | Value::Identifier | Value::NotUuid => json!("text"),
        Value::Uuid => json!("11111111-2222-4333-8444-555555555555"),
        Value::Domain => json!("cool.cats"),
        Value::Origin => json!("https://company.okta.com"),
        Value::Url => json!("https://idp.cool.cats/path"),
        Value::Boolean => json!(false),
        Value::Number { least, .. } => json!(least),
        Value::List => json!(["openid", "email"]),
        Value::Certificates if field.name == "idp_public_cert" => json!(certificate()),
        Value::Certificates => json!([certificate()]),
        Value::Headers => json!([{ "attribute_name": "a", "header_name": "b" }]),
        Value::Choice(choices) => json!(choices[0]),
    }
}

/// A value that is invalid in every field of that type.
fn bad(field: &Field) -> Json {
    match field.value {
        Value::Text | Value::Choice(_) | Value::NotUuid => json!(["text"]),
        Value::Identifier => json!("a b"),
        Value::Uuid => json!("text"),
        Value::Domain => json!("ann@cool.cats"),
        Value::Url | Value::Origin => json!("http://idp.cool.cats/"),
        Value::Boolean => json!("true"),
        Value::Number { most, .. } => json!(most + 1),
        Value::List | Value::Certificates | Value::Headers => json!([{ "other": 1 }]),
    }
}

fn full(kind: &IdpTypeSpec) -> Map<String, Json> {
    kind.fields.iter().map(|field| (field.name.to_owned(), value(field))).collect()
}

fn texts_of(kind: &IdpTypeSpec, config: &Map<String, Json>, purpose: Purpose) -> Vec<String> {
    problems(kind, config, purpose).iter().map(ToString::to_string).collect()
}

#[test]
fn a_full_and_a_least_configuration_fit_every_type() {
    for kind in kind::all() {
        let full = full(kind);
        let needed = |name: &String| kind.field(name).unwrap().need == Requirement::Needed;
        let least = full.clone().into_iter().filter(|(name, _)| needed(name)).collect();
        for config in [full, least] {
            let found = texts_of(kind, &config, Purpose::Create);
            assert!(found.is_empty(), "{} {found:?}", kind.name);
        }
    }
}

#[test]
fn each_needed_field_of_every_type_is_missed() {
    for kind in kind::all() {
        for field in kind.fields.iter().filter(|field| field.need == Requirement::Needed) {
            let mut config = full(kind);
            config.remove("idp_public_cert");
            config.remove(field.name);
            let found = problems(kind, &config, Purpose::Create);
            assert_eq!(found.len(), 1, "{} {found:?}", kind.name);
            assert_eq!(found[0].field, field.name);
            assert!(matches!(found[0].wrong, FieldProblem::Missing { .. }));
            let kept = problems(kind, &config, Purpose::Update).is_empty();
            assert_eq!(kept, field.secret, "{} {}", kind.name, field.name);
        }
    }
}

#[test]
fn each_field_of_every_type_refuses_what_it_cannot_hold() {
    for kind in kind::all() {
        for field in kind.fields {
            let mut config = full(kind);
            config.insert(field.name.to_owned(), bad(field));
            let found = problems(kind, &config, Purpose::Create);
            assert_eq!(found.len(), 1, "{} {} {found:?}", kind.name, field.name);
            assert_eq!(found[0].field, field.name);
        }
    }
}

#[test]
fn a_field_of_another_type_names_the_types_own() {
    for kind in kind::all() {
        let mut config = full(kind);
        config.insert("sp_initiated".to_owned(), json!(1));
        let found = texts_of(kind, &config, Purpose::Create);
        assert_eq!(found.len(), 1, "{} {found:?}", kind.name);
        for field in kind.input_fields() {
            assert!(found[0].contains(&format!("`{}`", field.name)), "{found:?}");
        }
        assert!(texts_of(kind, &config, Purpose::Update).is_empty(), "the server sent it");
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table")]
fn what_is_wrong_with_a_value_is_said() {
    let secret = "client_secret";
    for (kind, field, value, expected) in [
        (
            "okta",
            "okta_acount",
            json!(1),
            "`okta_acount` is not a field of `okta`, did you mean `okta_account`; its fields: `client_id`, `client_secret`, `okta_account`, `authorization_server_id`, `api_token`, `claims`, `email_claim_name`",
        ),
        ("onetimepin", "x", json!(1), "`x` is not a field of `onetimepin`; its fields: none"),
        (
            "okta",
            "okta_account",
            json!("company.okta.com"),
            "`okta_account` must start with `https://`; use `https://company.okta.com`",
        ),
        (
            "onelogin",
            "onelogin_account",
            json!("company.onelogin.com"),
            "`onelogin_account` is not a URL; expected `https://company.onelogin.com`",
        ),
        (
            "onelogin",
            "onelogin_account",
            json!("company"),
            "`onelogin_account` is not a URL; expected `https://idp.example.com/path`",
        ),
        ("saml", "max_sso_url_length", json!(9), "`max_sso_url_length` must be from 512 to 100000"),
        (
            "okta",
            "okta_account",
            json!("http://company.okta.com"),
            "`okta_account` must start with `https://`, not with `http://`",
        ),
        (
            "okta",
            "okta_account",
            json!("ftp://company.okta.com"),
            "`okta_account` must start with `https://`, not with `ftp://`",
        ),
        (
            "okta",
            "okta_account",
            json!("https://a:b@company.okta.com"),
            "`okta_account` has a user name or password in it",
        ),
        ("okta", "okta_account", json!(" "), "`okta_account` is empty"),
        ("okta", "claims", json!("groups"), "`claims` must be a list of strings, not a string"),
        ("okta", "claims", json!(["groups", 1]), "`claims` must be a list of strings, not a list"),
        ("okta", "client_id", json!(""), "`client_id` is empty"),
        (
            "okta",
            secret,
            json!("*************"),
            "`client_secret` is the mask of a secret; leave it out to keep the stored secret",
        ),
        (
            "okta",
            secret,
            json!("[masked]"),
            "`client_secret` is the mask of a secret; leave it out to keep the stored secret",
        ),
        (
            "okta",
            secret,
            json!(null),
            "`client_secret` is null, which would delete the stored value; leave it out to keep it",
        ),
        ("okta", secret, json!(12), "`client_secret` must be a string, not a number"),
        (
            "azureAD",
            "prompt",
            json!("Login"),
            "`prompt` must be one of `login`, `select_account`, `none`, not `Login`",
        ),
        (
            "oidc",
            "pkce_enabled",
            json!("yes"),
            "`pkce_enabled` must be `true` or `false`, not a string",
        ),
        (
            "saml",
            "max_sso_url_length",
            json!(1.5),
            "`max_sso_url_length` must be a whole number, not a number",
        ),
        ("saml", "idp_public_certs", json!([]), "`idp_public_certs` is empty"),
        (
            "saml",
            "idp_public_cert",
            json!(["a"]),
            "`idp_public_cert` must be a certificate, not a list",
        ),
        (
            "saml",
            "header_attributes",
            json!([{ "attribute_name": "a" }]),
            "`header_attributes` must be a list of objects with `attribute_name` and `header_name`, not a list",
        ),
    ] {
        let found = check_field(kind::find(kind).unwrap(), field, &value).unwrap_err();
        assert_eq!(found.to_string(), expected);
    }
}

#[test]
fn what_a_type_can_never_have_is_said_with_what_was_meant() {
    for (kind, field, value, expected) in [
        (
            "okta",
            "okta_account",
            json!("https://company-admin.okta.com"),
            "`okta_account` is the address of the Okta admin console, not of the organization; use `https://company.okta.com`",
        ),
        (
            "azureAD",
            "client_secret",
            json!("11111111-2222-4333-8444-555555555555"),
            "`client_secret` is a UUID, the ID of the secret: copy its value instead, which is shown only once",
        ),
        ("azureAD", "directory_id", json!("common"), "`directory_id` is not a UUID"),
        (
            "google-apps",
            "apps_domain",
            json!("ann@cool.cats"),
            "`apps_domain` is an email address, not a domain; use `cool.cats`",
        ),
        (
            "okta",
            "client_id",
            json!("0oa1 "),
            "`client_id` contains a space (U+0020) at position 5; use `0oa1`",
        ),
        (
            "saml",
            "issuer_url",
            json!("https://a.cats/id#x"),
            "`issuer_url` has a fragment (`#`); use `https://a.cats/id`",
        ),
        (
            "oidc",
            "auth_url",
            json!("https://a.cats/a b"),
            "`auth_url` contains a space (U+0020) at position 17",
        ),
        (
            "okta",
            "claims",
            json!(["groups", " dept"]),
            "`claims` contains a space (U+0020) at position 1; use `dept`",
        ),
    ] {
        let found = check_field(kind::find(kind).unwrap(), field, &value).unwrap_err();
        assert_eq!(found.to_string(), expected);
    }
}

#[test]
fn what_may_be_there_is_left_alone() {
    for (kind, field, value) in [
        ("oidc", "auth_url", json!("http://127.0.0.1:8080/authorize")),
        ("oidc", "auth_url", json!("http://localhost:8080/authorize")),
        ("oidc", "claims", json!(null)),
        ("oidc", "email_claim_name", json!("")),
        ("saml", "issuer_url", json!("jumpcloud")),
        ("azureAD", "azure_cloud", json!("default")),
        ("okta", "client_secret", json!("11111111-2222-4333-8444-555555555555")),
        ("passkeys", "login_page_auto_prompt", json!(true)),
        ("saml", "max_sso_url_length", json!(512)),
        ("saml", "force_authn", json!(true)),
    ] {
        assert_eq!(check_field(kind::find(kind).unwrap(), field, &value), Ok(()), "{field}");
    }
}

#[test]
fn one_certificate_of_the_older_guides_is_enough() {
    let saml = kind::find("saml").unwrap();
    let mut config = full(saml);
    config.remove("idp_public_certs");
    assert!(texts_of(saml, &config, Purpose::Create).is_empty());
    config.remove("idp_public_cert");
    assert_eq!(
        texts_of(saml, &config, Purpose::Create),
        ["`idp_public_certs` is missing: signing certificates of the IdP"]
    );
}

#[test]
fn a_null_list_is_absent() {
    let missing = "`idp_public_certs` is missing: signing certificates of the IdP";
    for (kind, field, expected) in [
        ("saml", "idp_public_certs", &[missing][..]),
        ("saml", "attributes", &[]),
        ("oidc", "scopes", &[]),
        ("oidc", "claims", &[]),
    ] {
        let kind = kind::find(kind).unwrap();
        let mut config = full(kind);
        config.remove("idp_public_cert");
        config.insert(field.to_owned(), Json::Null);
        for purpose in [Purpose::Create, Purpose::Update] {
            assert_eq!(texts_of(kind, &config, purpose), expected, "{field} {purpose:?}");
        }
        assert_eq!(fields(kind, &config).count(), 0, "{field}");
    }
    let saml = kind::find("saml").unwrap();
    let wiped = check_field(saml, "idp_public_certs", &Json::Null).unwrap_err();
    assert_eq!(wiped.wrong, FieldProblem::Null);
}

#[test]
fn a_configuration_that_never_asks_for_an_address_is_wrong() {
    for (kind, config, is_wrong) in [
        ("oidc", json!({ "scopes": ["openid", "profile"] }), true),
        ("oidc", json!({ "scopes": ["openid profile"] }), true),
        ("oidc", json!({ "scopes": ["openid"], "email_claim_name": " " }), true),
        ("oidc", json!({ "scopes": ["openid"], "email_claim_name": "email" }), true),
        ("oidc", json!({ "scopes": ["openid"], "email_claim_name": "upn" }), false),
        ("oidc", json!({ "scopes": ["openid", "email"] }), false),
        ("oidc", json!({ "scopes": ["openid email"] }), false),
        ("oidc", json!({ "scopes": [] }), false),
        ("oidc", json!({ "scopes": null }), false),
        ("oidc", json!({}), false),
        ("okta", json!({ "scopes": ["openid"] }), false),
    ] {
        let found = lacks_email(kind, config.as_object().unwrap());
        assert_eq!(found.is_some(), is_wrong, "{kind} {config}");
    }
}

#[test]
fn no_scopes_at_all_are_refused_when_given_and_kept_where_they_are() {
    let oidc = kind::find("oidc").unwrap();
    assert_eq!(check_field(oidc, "scopes", &json!([])).unwrap_err().wrong, FieldProblem::NoEmail);
    let config = json!({ "scopes": [] });
    let found = problems(oidc, config.as_object().unwrap(), Purpose::Update);
    assert!(found.iter().all(|invalid| invalid.wrong != FieldProblem::NoEmail), "{found:?}");
}

#[test]
fn a_configuration_of_many_tenants_is_wrong() {
    let at = |host: &str, tenant: &str| format!("https://{host}/{tenant}/oauth2/v2.0/authorize");
    let entra = |tenant: &str| at("login.microsoftonline.com", tenant);
    let uuid = "11111111-2222-4333-8444-555555555555";
    for (kind, config, field) in [
        ("azureAD", json!({ "directory_id": "common" }), Some("directory_id")),
        ("azureAD", json!({ "directory_id": " Organizations" }), Some("directory_id")),
        ("azureAD", json!({ "directory_id": entra("consumers") }), Some("directory_id")),
        ("azureAD", json!({ "directory_id": uuid }), None),
        ("azureAD", json!({ "directory_id": "common.onmicrosoft.com" }), None),
        ("azureAD", json!({ "directory_id": null }), None),
        ("oidc", json!({ "auth_url": entra("common") }), Some("auth_url")),
        (
            "oidc",
            json!({ "auth_url": entra(uuid), "token_url": entra("organizations") }),
            Some("token_url"),
        ),
        ("oidc", json!({ "auth_url": at("login.microsoftonline.us", "common") }), Some("auth_url")),
        ("oidc", json!({ "auth_url": entra(uuid), "certs_url": entra("common") }), None),
        ("oidc", json!({ "auth_url": at("idp.cats", "common") }), None),
        ("okta", json!({ "auth_url": entra("common") }), None),
    ] {
        let config = config.as_object().unwrap();
        let found = rejects_everyone(kind, config);
        assert_eq!(found.as_ref().map(|found| found.field.as_str()), field, "{kind} {config:?}");
        let kind = kind::find(kind).unwrap();
        let wrong = problems(kind, config, Purpose::Update);
        let reported =
            wrong.into_iter().find(|it| matches!(it.wrong, FieldProblem::ManyTenants(_)));
        assert_eq!(reported, found, "{config:?}");
    }
}
