//! Whether a `config` fits its type: what is missing, unknown or of the wrong
//! kind. Pure; says all that is wrong at once.

use std::fmt;

use serde_json::{Map, Value as Json};
use url::{Host, Url};

use super::certificate;
use super::kind::{Field, Kind, Need, Value};
use super::text::{Misfit, misfit};
use crate::input::secret::is_mask;

/// What a configuration is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new identity provider: everything needed has to be there.
    Create,
    /// One that exists: a secret that is not there is kept (API reference,
    /// section 3), and fields that the API sent are known to it.
    Update,
}

/// What is wrong with a field of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {wrong}")]
pub struct Invalid {
    /// The field.
    pub field: String,
    /// What is wrong with it.
    pub wrong: Wrong,
}

/// What can be wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// It has to be there.
    #[error("is missing: {help}")]
    Missing {
        /// What the field is.
        help: &'static str,
    },
    /// The type has no such field.
    #[error("is no field of `{kind}`{}; its fields are {}", Meant(meant.as_deref()), Names(fields))]
    Unknown {
        /// The type.
        kind: String,
        /// The field that was probably meant.
        meant: Option<String>,
        /// The fields of the type.
        fields: Vec<&'static str>,
    },
    /// It holds something else than it should.
    #[error("is {expected}, not {found}")]
    Kind {
        /// What it should hold.
        expected: String,
        /// What it holds.
        found: &'static str,
    },
    /// It is none of the words that it may be.
    #[error("is one of {}, not `{found}`", Names(choices))]
    Choice {
        /// What it may be.
        choices: Vec<&'static str>,
        /// What it is.
        found: String,
    },
    /// There is nothing in it.
    #[error("is empty")]
    Empty,
    /// It cannot be read as a URL.
    #[error("cannot be read as a URL; write it as `{example}`")]
    Url {
        /// How it may be written.
        example: String,
    },
    /// It is a URL that is sent unencrypted.
    #[error("has to start with `https://`, not with `{scheme}://`")]
    Plain {
        /// The scheme.
        scheme: String,
    },
    /// It is a URL with a user name or password in it.
    #[error("has a user name or password in it")]
    Credentials,
    /// It is what is shown in place of a secret.
    #[error("holds the mask of a secret, not the secret; leave it out to keep what is stored")]
    Masked,
    /// It is `null`, which would wipe it.
    #[error("is null, which would wipe what is stored; leave it out to keep it")]
    Null,
    /// A text that no value of its kind can be.
    #[error("{misfit}{}", Use(meant.as_deref()))]
    Misfit {
        /// What is wrong.
        misfit: Misfit,
        /// What was probably meant.
        meant: Option<String>,
    },
    /// A number that is too small or too large.
    #[error("is from {least} to {most}")]
    Range {
        /// The least.
        least: u64,
        /// The greatest.
        most: u64,
    },
    /// It holds no certificate.
    #[error("holds no usable certificate: {0}")]
    Certificate(certificate::Unreadable),
}

struct Names<'a>(&'a [&'static str]);

impl fmt::Display for Names<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, name) in self.0.iter().enumerate() {
            let between = if index == 0 { "" } else { ", " };
            write!(formatter, "{between}`{name}`")?;
        }
        if self.0.is_empty() { formatter.write_str("none") } else { Ok(()) }
    }
}

struct Meant<'a>(Option<&'a str>);

impl fmt::Display for Meant<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |meant| write!(formatter, ", did you mean `{meant}`"))
    }
}

struct Use<'a>(Option<&'a str>);

impl fmt::Display for Use<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |meant| write!(formatter, "; use `{meant}`"))
    }
}

impl Invalid {
    /// The value that was probably meant.
    #[must_use]
    pub fn meant(&self) -> Option<&str> {
        match &self.wrong {
            Wrong::Misfit { meant, .. } => meant.as_deref(),
            _ => None,
        }
    }
}

/// All that is wrong with a configuration, in the order of its fields; then
/// what is missing.
#[must_use]
pub fn problems(kind: &Kind, config: &Map<String, Json>, purpose: Purpose) -> Vec<Invalid> {
    let found = config.iter().filter_map(|(name, value)| check_field(kind, name, value).err());
    let mut found: Vec<_> =
        found.filter(|invalid| purpose == Purpose::Create || !is_kept(invalid)).collect();
    found.extend(missing(kind, config, purpose));
    found
}

/// Whether what is wrong with a new value may be right in one that exists: the
/// API knows fields that are not known here, and hides secrets.
fn is_kept(invalid: &Invalid) -> bool {
    matches!(
        invalid.wrong,
        Wrong::Unknown { .. } | Wrong::Misfit { .. } | Wrong::Masked | Wrong::Null
    )
}

/// Whether the type has this field and the field may hold this value.
pub fn check_field(kind: &Kind, name: &str, value: &Json) -> Result<(), Invalid> {
    let invalid = |wrong| Err(Invalid { field: name.to_owned(), wrong });
    let Some(field) = kind.field(name) else {
        let fields = kind.given().map(|field| field.name).collect();
        let meant = kind.nearest_field(name).map(|field| field.name.to_owned());
        return invalid(Wrong::Unknown { kind: kind.name.to_owned(), meant, fields });
    };
    wrong(field, value).map_or(Ok(()), invalid)
}

fn missing(kind: &Kind, config: &Map<String, Json>, purpose: Purpose) -> Vec<Invalid> {
    let is_there = |name: &str| config.contains_key(name);
    kind.fields
        .iter()
        .filter(|field| field.need == Need::Needed && !is_there(field.name))
        .filter(|field| !(field.secret && purpose == Purpose::Update))
        // Older guides write one certificate in a field of its own.
        .filter(|field| field.name != "idp_public_certs" || !is_there("idp_public_cert"))
        .map(|field| Invalid {
            field: field.name.to_owned(),
            wrong: Wrong::Missing { help: field.help },
        })
        .collect()
}

fn wrong(field: &Field, value: &Json) -> Option<Wrong> {
    if field.secret {
        return wrong_secret(field, value);
    }
    // The API itself answers null for optional fields that were never set.
    if value.is_null() && field.need != Need::Needed {
        return None;
    }
    match field.value {
        Value::Text | Value::Identifier | Value::Uuid | Value::Domain => wrong_text(field, value),
        // Secrets alone are of this kind.
        Value::NotUuid => wrong_secret(field, value),
        Value::Url | Value::Origin => match value.as_str() {
            None => unlike("a URL", value),
            Some(text) => wrong_text_of(field, text).or_else(|| wrong_url(text)),
        },
        Value::Boolean => if_not(value.is_boolean(), "`true` or `false`", value),
        Value::Number { least, most } => match value.as_u64() {
            None => unlike("a whole number", value),
            Some(number) if (least..=most).contains(&number) => None,
            Some(_) => Some(Wrong::Range { least, most }),
        },
        Value::List => match texts(value) {
            None => unlike("a list of texts", value),
            Some(texts) => texts.into_iter().find_map(|text| wrong_text_of(field, text)),
        },
        Value::Certificates => wrong_certificates(field, value),
        Value::Headers => if_not(
            is_headers(value),
            "a list of objects with `attribute_name` and `header_name`",
            value,
        ),
        Value::Choice(choices) => match value.as_str() {
            None => unlike("a text", value),
            Some(text) if choices.contains(&text) => None,
            Some(text) => Some(Wrong::Choice { choices: choices.to_vec(), found: text.to_owned() }),
        },
    }
}

fn wrong_secret(field: &Field, value: &Json) -> Option<Wrong> {
    match value {
        Json::Null => Some(Wrong::Null),
        Json::String(text) if text.trim().is_empty() => Some(Wrong::Empty),
        Json::String(text) if is_mask(text) => Some(Wrong::Masked),
        // What was pasted around it is the matter of `input::secret`.
        Json::String(text) if field.value == Value::NotUuid => wrong_text_of(field, text.trim()),
        Json::String(_) => None,
        _ => unlike("a text", value),
    }
}

fn wrong_text(field: &Field, value: &Json) -> Option<Wrong> {
    match value.as_str() {
        None => unlike("a text", value),
        Some(text) if text.trim().is_empty() => {
            (field.need == Need::Needed).then_some(Wrong::Empty)
        }
        Some(text) => wrong_text_of(field, text),
    }
}

fn wrong_text_of(field: &Field, text: &str) -> Option<Wrong> {
    if text.trim().is_empty() {
        return None;
    }
    misfit(field.value, text).map(|(misfit, meant)| Wrong::Misfit { misfit, meant })
}

/// What is wrong with the text of a URL that is to be an `https` one.
fn wrong_url(text: &str) -> Option<Wrong> {
    if text.trim().is_empty() {
        return Some(Wrong::Empty);
    }
    let example = || {
        let host = text.trim().trim_start_matches("//").trim_matches('/');
        let is_host = host.contains('.') && !host.contains(char::is_whitespace);
        let host = if is_host && !host.contains("://") { host } else { "idp.example.com/path" };
        format!("https://{host}")
    };
    let Ok(url) = Url::parse(text) else { return Some(Wrong::Url { example: example() }) };
    match url.scheme() {
        _ if url.host().is_none() => Some(Wrong::Url { example: example() }),
        _ if !url.username().is_empty() || url.password().is_some() => Some(Wrong::Credentials),
        "https" => None,
        "http" if is_loopback(&url) => None,
        scheme => Some(Wrong::Plain { scheme: scheme.to_owned() }),
    }
}

/// Whether a URL names this machine: `localhost`, 127.0.0.0/8 or `::1`.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn wrong_certificates(field: &Field, value: &Json) -> Option<Wrong> {
    let one = field.name == "idp_public_cert";
    let texts = if one { value.as_str().map(|text| vec![text]) } else { texts(value) };
    let expected = if one { "a certificate" } else { "a list of certificates" };
    let Some(texts) = texts else { return unlike(expected, value) };
    if texts.is_empty() {
        return Some(Wrong::Empty);
    }
    texts.iter().find_map(|text| certificate::read(text).err()).map(Wrong::Certificate)
}

fn texts(value: &Json) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Json::as_str).collect()
}

fn is_headers(value: &Json) -> bool {
    let is_pair =
        |pair: &Json| ["attribute_name", "header_name"].iter().all(|key| pair[key].is_string());
    value.as_array().is_some_and(|pairs| pairs.iter().all(is_pair))
}

fn if_not(is_right: bool, expected: &str, value: &Json) -> Option<Wrong> {
    if is_right { None } else { unlike(expected, value) }
}

#[expect(clippy::unnecessary_wraps, reason = "every caller returns it as it is")]
fn unlike(expected: &str, value: &Json) -> Option<Wrong> {
    let found = match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a text",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    let found = if found == expected { "another one" } else { found };
    Some(Wrong::Kind { expected: expected.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind;
    use super::*;

    /// A certificate of a test, which never expires.
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
            Value::List => json!(["one", "two"]),
            Value::Certificates if field.name == "idp_public_cert" => json!(certificate()),
            Value::Certificates => json!([certificate()]),
            Value::Headers => json!([{ "attribute_name": "a", "header_name": "b" }]),
            Value::Choice(choices) => json!(choices[0]),
        }
    }

    /// What is of no use in any field of that kind.
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

    fn full(kind: &Kind) -> Map<String, Json> {
        kind.fields.iter().map(|field| (field.name.to_owned(), value(field))).collect()
    }

    fn texts_of(kind: &Kind, config: &Map<String, Json>, purpose: Purpose) -> Vec<String> {
        problems(kind, config, purpose).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_full_and_a_least_configuration_fit_every_type() {
        for kind in kind::all() {
            let full = full(kind);
            let needed = |name: &String| kind.field(name).unwrap().need == Need::Needed;
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
            for field in kind.fields.iter().filter(|field| field.need == Need::Needed) {
                let mut config = full(kind);
                config.remove("idp_public_cert");
                config.remove(field.name);
                let found = problems(kind, &config, Purpose::Create);
                assert_eq!(found.len(), 1, "{} {found:?}", kind.name);
                assert_eq!(found[0].field, field.name);
                assert!(matches!(found[0].wrong, Wrong::Missing { .. }));
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
            for field in kind.given() {
                assert!(found[0].contains(&format!("`{}`", field.name)), "{found:?}");
            }
            assert!(texts_of(kind, &config, Purpose::Update).is_empty(), "the server sent it");
        }
    }

    #[test]
    fn what_is_wrong_with_a_value_is_said() {
        let secret = "client_secret";
        for (kind, field, value, expected) in [
            (
                "okta",
                "okta_acount",
                json!(1),
                "`okta_acount` is no field of `okta`, did you mean `okta_account`; its fields are `client_id`, `client_secret`, `okta_account`, `authorization_server_id`, `api_token`, `claims`, `email_claim_name`",
            ),
            ("onetimepin", "x", json!(1), "`x` is no field of `onetimepin`; its fields are none"),
            (
                "okta",
                "okta_account",
                json!("company.okta.com"),
                "`okta_account` has to start with `https://`; use `https://company.okta.com`",
            ),
            (
                "onelogin",
                "onelogin_account",
                json!("company.onelogin.com"),
                "`onelogin_account` cannot be read as a URL; write it as `https://company.onelogin.com`",
            ),
            (
                "onelogin",
                "onelogin_account",
                json!("company"),
                "`onelogin_account` cannot be read as a URL; write it as `https://idp.example.com/path`",
            ),
            (
                "okta",
                "okta_account",
                json!("https://company-admin.okta.com"),
                "`okta_account` is the address of the Okta admin console, not of the organization; use `https://company.okta.com`",
            ),
            (
                "azureAD",
                secret,
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
            ("saml", "max_sso_url_length", json!(9), "`max_sso_url_length` is from 512 to 100000"),
            (
                "okta",
                "okta_account",
                json!("http://company.okta.com"),
                "`okta_account` has to start with `https://`, not with `http://`",
            ),
            (
                "okta",
                "okta_account",
                json!("ftp://company.okta.com"),
                "`okta_account` has to start with `https://`, not with `ftp://`",
            ),
            (
                "okta",
                "okta_account",
                json!("https://a:b@company.okta.com"),
                "`okta_account` has a user name or password in it",
            ),
            ("okta", "okta_account", json!(" "), "`okta_account` is empty"),
            ("okta", "claims", json!("groups"), "`claims` is a list of texts, not a text"),
            ("okta", "claims", json!(["groups", 1]), "`claims` is a list of texts, not a list"),
            ("okta", "client_id", json!(""), "`client_id` is empty"),
            (
                "okta",
                secret,
                json!("*************"),
                "`client_secret` holds the mask of a secret, not the secret; leave it out to keep what is stored",
            ),
            (
                "okta",
                secret,
                json!("[masked]"),
                "`client_secret` holds the mask of a secret, not the secret; leave it out to keep what is stored",
            ),
            (
                "okta",
                secret,
                json!(null),
                "`client_secret` is null, which would wipe what is stored; leave it out to keep it",
            ),
            ("okta", secret, json!(12), "`client_secret` is a text, not a number"),
            (
                "azureAD",
                "prompt",
                json!("Login"),
                "`prompt` is one of `login`, `select_account`, `none`, not `Login`",
            ),
            (
                "oidc",
                "pkce_enabled",
                json!("yes"),
                "`pkce_enabled` is `true` or `false`, not a text",
            ),
            (
                "saml",
                "max_sso_url_length",
                json!(1.5),
                "`max_sso_url_length` is a whole number, not a number",
            ),
            ("saml", "idp_public_certs", json!([]), "`idp_public_certs` is empty"),
            (
                "saml",
                "idp_public_cert",
                json!(["a"]),
                "`idp_public_cert` is a certificate, not a list",
            ),
            (
                "saml",
                "header_attributes",
                json!([{ "attribute_name": "a" }]),
                "`header_attributes` is a list of objects with `attribute_name` and `header_name`, not a list",
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
}
