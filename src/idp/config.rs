//! Validates a `config` for its type and reports all problems at once.

use serde_json::{Map, Value as Json};
use url::{Host, Url};

use super::certificate;
use super::kind::{Field, IdpTypeSpec, Requirement, Value};
use super::text::{Misfit, misfit};
use crate::input::secret::is_mask;
use crate::input::value::type_of;
use crate::plural::code_list;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A new identity provider: all required fields must be present.
    Create,
    /// An existing one: absent secrets are kept (API reference, section 3), and unknown fields may
    /// come from the API.
    Update,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {wrong}")]
pub struct FieldError {
    pub field: String,
    pub wrong: FieldProblem,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    #[error("is missing: {help}")]
    Missing { help: &'static str },
    #[error("is not a field of `{kind}`{}; its fields: {}", hint(", did you mean", suggestion.as_ref()), code_list(fields))]
    Unknown { kind: String, suggestion: Option<String>, fields: Vec<&'static str> },
    #[error("must be {expected}, not {found}")]
    Kind { expected: String, found: &'static str },
    #[error("must be one of {}, not `{found}`", code_list(choices))]
    Choice { choices: Vec<&'static str>, found: String },
    #[error("is empty")]
    Empty,
    #[error("is not a URL; expected `{example}`")]
    Url { example: String },
    #[error("must start with `https://`, not with `{scheme}://`")]
    PlainHttp { scheme: String },
    #[error("has a user name or password in it")]
    Credentials,
    #[error("is the mask of a secret; leave it out to keep the stored secret")]
    MaskedSecret,
    #[error("is null, which would delete the stored value; leave it out to keep it")]
    Null,
    #[error("{misfit}{}", hint("; use", suggestion.as_ref()))]
    Misfit { misfit: Misfit, suggestion: Option<String> },
    #[error("must be from {least} to {most}")]
    Range { least: u64, most: u64 },
    #[error(
        "does not include `email`; every sign-in would be rejected. Add it, or specify the claim \
         that contains the address: `--email-claim-name CLAIM`"
    )]
    NoEmail,
    #[error(
        "is `{0}` instead of a tenant; sign-ins to a single-tenant app fail. Use the \
         directory (tenant) ID"
    )]
    ManyTenants(&'static str),
    #[error("contains no usable certificate: {0}")]
    Certificate(certificate::CertificateError),
}

fn hint(lead: &str, suggestion: Option<&String>) -> String {
    suggestion.map(|suggestion| format!("{lead} `{suggestion}`")).unwrap_or_default()
}

impl FieldError {
    pub fn suggestion(&self) -> Option<&str> {
        match &self.wrong {
            FieldProblem::Misfit { suggestion, .. } => suggestion.as_deref(),
            _ => None,
        }
    }
}

/// All problems in the order of the fields; missing fields come last.
pub fn problems(
    kind: &IdpTypeSpec,
    config: &Map<String, Json>,
    purpose: Purpose,
) -> Vec<FieldError> {
    let is_tolerated =
        |invalid: &FieldError| purpose == Purpose::Update && is_tolerated(invalid, config);
    let mut found: Vec<_> = fields(kind, config).filter(|invalid| !is_tolerated(invalid)).collect();
    found.extend(missing(kind, config, purpose));
    found.extend(lacks_email(kind.name, config));
    if purpose == Purpose::Update {
        found.extend(many_tenants(kind.name, config));
    }
    found
}

/// A problem that makes every sign-in fail although all checks of endpoints pass.
pub fn rejects_everyone(kind: &str, config: &Map<String, Json>) -> Option<FieldError> {
    lacks_email(kind, config).or_else(|| many_tenants(kind, config))
}

/// An Entra alias for many tenants where a single-tenant app requires its own (Microsoft, error
/// AADSTS50194).
fn many_tenants(kind: &str, config: &Map<String, Json>) -> Option<FieldError> {
    const ALIASES: [&str; 3] = ["common", "organizations", "consumers"];
    let fields: &[&str] = match kind {
        "azureAD" => &["directory_id"],
        // The keys are the same for all tenants.
        "oidc" => &["auth_url", "token_url"],
        _ => &[],
    };
    fields.iter().find_map(|field| {
        let text = config.get(*field)?.as_str()?.trim();
        let url = Url::parse(text).ok();
        let tenant = match &url {
            Some(url) if is_entra(url) => url.path_segments()?.next()?,
            Some(_) => return None,
            None => text,
        };
        let alias = ALIASES.into_iter().find(|alias| tenant.eq_ignore_ascii_case(alias))?;
        Some(FieldError { field: (*field).to_owned(), wrong: FieldProblem::ManyTenants(alias) })
    })
}

/// Includes national clouds (Microsoft, "National clouds").
fn is_entra(url: &Url) -> bool {
    const HOSTS: [&str; 6] = [
        "login.microsoftonline.com",
        "login.microsoftonline.us",
        "login.partner.microsoftonline.cn",
        "login.microsoft.com",
        "login.windows.net",
        "sts.windows.net",
    ];
    url.host_str().is_some_and(|host| HOSTS.contains(&host))
}

/// A null list of certificates counts as absent.
pub fn fields(kind: &IdpTypeSpec, config: &Map<String, Json>) -> impl Iterator<Item = FieldError> {
    let invalid = config.iter().filter_map(|(name, value)| check_field(kind, name, value).err());
    invalid.filter(|invalid| {
        invalid.field != "idp_public_certs" || invalid.wrong != FieldProblem::Null
    })
}

/// A configuration that never requests an email address: Access rejects sign-ins without one. If no
/// scopes are listed, the API chooses them.
pub fn lacks_email(kind: &str, config: &Map<String, Json>) -> Option<FieldError> {
    let claim = claim_without_email_scope(kind, config)?;
    // The claim `email` comes with the scope of that name.
    ["", "email"]
        .contains(&claim)
        .then(|| FieldError { field: "scopes".to_owned(), wrong: FieldProblem::NoEmail })
}

/// The claim that the address has to come from if the scope `email` is not requested; may be empty.
pub fn claim_without_email_scope<'c>(kind: &str, config: &'c Map<String, Json>) -> Option<&'c str> {
    let scopes = config.get("scopes").and_then(texts).filter(|scopes| !scopes.is_empty())?;
    let asks = scopes.iter().any(|scope| scope.split_whitespace().any(|one| one == "email"));
    let claim = config.get("email_claim_name").and_then(Json::as_str).unwrap_or_default();
    (kind == "oidc" && !asks).then_some(claim.trim())
}

/// Whether a problem is acceptable in an existing configuration: the API has unknown fields and
/// hides secrets, and one readable certificate is enough.
fn is_tolerated(invalid: &FieldError, config: &Map<String, Json>) -> bool {
    let is_readable = |text: &str| certificate::read_all(text).is_ok();
    let list = || config.get("idp_public_certs").and_then(Json::as_array).into_iter().flatten();
    match invalid.wrong {
        FieldProblem::Unknown { .. }
        | FieldProblem::Misfit { .. }
        | FieldProblem::MaskedSecret
        | FieldProblem::Null
        | FieldProblem::NoEmail => true,
        _ if invalid.field == "idp_public_certs" => {
            list().filter_map(Json::as_str).any(is_readable)
        }
        _ => false,
    }
}

pub fn check_field(kind: &IdpTypeSpec, name: &str, value: &Json) -> Result<(), FieldError> {
    let invalid = |wrong| Err(FieldError { field: name.to_owned(), wrong });
    let Some(field) = kind.field(name) else {
        let fields = kind.input_fields().map(|field| field.name).collect();
        let suggestion = kind.nearest_field(name).map(|field| field.name.to_owned());
        return invalid(FieldProblem::Unknown { kind: kind.name.to_owned(), suggestion, fields });
    };
    if name == "scopes" && value.as_array().is_some_and(Vec::is_empty) {
        return invalid(FieldProblem::NoEmail);
    }
    validate(field, value).map_or(Ok(()), invalid)
}

fn missing(kind: &IdpTypeSpec, config: &Map<String, Json>, purpose: Purpose) -> Vec<FieldError> {
    let is_absent = |name: &str, value: &Json| value.is_null() && name.starts_with("idp_public");
    let is_there = |name: &str| config.get(name).is_some_and(|value| !is_absent(name, value));
    kind.fields
        .iter()
        .filter(|field| field.need == Requirement::Needed && !is_there(field.name))
        .filter(|field| !(field.secret && purpose == Purpose::Update))
        // Older guides use a separate field for a single certificate.
        .filter(|field| field.name != "idp_public_certs" || !is_there("idp_public_cert"))
        .map(|field| FieldError {
            field: field.name.to_owned(),
            wrong: FieldProblem::Missing { help: field.help },
        })
        .collect()
}

fn validate(field: &Field, value: &Json) -> Option<FieldProblem> {
    if field.secret {
        return wrong_secret(field, value);
    }
    // The API itself returns null for optional fields that were never set.
    if value.is_null() && field.need != Requirement::Needed {
        return None;
    }
    match field.value {
        Value::Text | Value::Identifier | Value::Uuid | Value::Domain => wrong_text(field, value),
        // Only secrets have this type.
        Value::NotUuid => wrong_secret(field, value),
        Value::Url | Value::Origin => match value.as_str() {
            None => type_mismatch("a URL", value),
            Some(text) => wrong_text_of(field, text).or_else(|| wrong_url(text)),
        },
        Value::Boolean => expect(value.is_boolean(), "`true` or `false`", value),
        Value::Number { least, most } => match value.as_u64() {
            None => type_mismatch("a whole number", value),
            Some(number) if (least..=most).contains(&number) => None,
            Some(_) => Some(FieldProblem::Range { least, most }),
        },
        Value::List => match texts(value) {
            None => type_mismatch("a list of strings", value),
            Some(texts) => texts.into_iter().find_map(|text| wrong_text_of(field, text)),
        },
        Value::Certificates => wrong_certificates(field, value),
        Value::Headers => expect(
            is_headers(value),
            "a list of objects with `attribute_name` and `header_name`",
            value,
        ),
        Value::Choice(choices) => match value.as_str() {
            None => type_mismatch("a string", value),
            Some(text) if choices.contains(&text) => None,
            Some(text) => {
                Some(FieldProblem::Choice { choices: choices.to_vec(), found: text.to_owned() })
            }
        },
    }
}

fn wrong_secret(field: &Field, value: &Json) -> Option<FieldProblem> {
    match value {
        Json::Null => Some(FieldProblem::Null),
        Json::String(text) if text.trim().is_empty() => Some(FieldProblem::Empty),
        Json::String(text) if is_mask(text) => Some(FieldProblem::MaskedSecret),
        // `input::secret` handles white space from pasting.
        Json::String(text) if field.value == Value::NotUuid => wrong_text_of(field, text.trim()),
        Json::String(_) => None,
        _ => type_mismatch("a string", value),
    }
}

fn wrong_text(field: &Field, value: &Json) -> Option<FieldProblem> {
    match value.as_str() {
        None => type_mismatch("a string", value),
        Some(text) if text.trim().is_empty() => {
            (field.need == Requirement::Needed).then_some(FieldProblem::Empty)
        }
        Some(text) => wrong_text_of(field, text),
    }
}

fn wrong_text_of(field: &Field, text: &str) -> Option<FieldProblem> {
    if text.trim().is_empty() {
        return None;
    }
    misfit(field.value, text)
        .map(|(misfit, suggestion)| FieldProblem::Misfit { misfit, suggestion })
}

fn wrong_url(text: &str) -> Option<FieldProblem> {
    if text.trim().is_empty() {
        return Some(FieldProblem::Empty);
    }
    let example = || {
        let host = text.trim().trim_start_matches("//").trim_matches('/');
        let is_host = host.contains('.') && !host.contains(char::is_whitespace);
        let host = if is_host && !host.contains("://") { host } else { "idp.example.com/path" };
        format!("https://{host}")
    };
    let Ok(url) = Url::parse(text) else { return Some(FieldProblem::Url { example: example() }) };
    match url.scheme() {
        _ if url.host().is_none() => Some(FieldProblem::Url { example: example() }),
        _ if !url.username().is_empty() || url.password().is_some() => {
            Some(FieldProblem::Credentials)
        }
        "https" => None,
        "http" if is_loopback(&url) => None,
        scheme => Some(FieldProblem::PlainHttp { scheme: scheme.to_owned() }),
    }
}

/// `localhost`, 127.0.0.0/8 or `::1`.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

fn wrong_certificates(field: &Field, value: &Json) -> Option<FieldProblem> {
    let one = field.name == "idp_public_cert";
    let texts = if one { value.as_str().map(|text| vec![text]) } else { texts(value) };
    let expected = if one { "a certificate" } else { "a list of certificates" };
    if value.is_null() {
        return Some(FieldProblem::Null);
    }
    let Some(texts) = texts else { return type_mismatch(expected, value) };
    if texts.is_empty() {
        return Some(FieldProblem::Empty);
    }
    texts.iter().find_map(|text| certificate::read(text).err()).map(FieldProblem::Certificate)
}

fn texts(value: &Json) -> Option<Vec<&str>> {
    value.as_array()?.iter().map(Json::as_str).collect()
}

fn is_headers(value: &Json) -> bool {
    let is_pair =
        |pair: &Json| ["attribute_name", "header_name"].iter().all(|key| pair[key].is_string());
    value.as_array().is_some_and(|pairs| pairs.iter().all(is_pair))
}

fn expect(is_right: bool, expected: &str, value: &Json) -> Option<FieldProblem> {
    if is_right { None } else { type_mismatch(expected, value) }
}

#[expect(clippy::unnecessary_wraps, reason = "every caller returns it as it is")]
fn type_mismatch(expected: &str, value: &Json) -> Option<FieldProblem> {
    let found = Some(type_of(value)).filter(|found| *found != expected).unwrap_or("another one");
    Some(FieldProblem::Kind { expected: expected.to_owned(), found })
}

#[cfg(test)]
mod tests;
