//! OpenID Connect discovery: reads an issuer's document and validates it.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::config::is_loopback;
use super::fetch::{AllowedHosts, FetchError, Fetcher};
use super::issuer::Issuer;
use crate::input::depth;
use crate::input::text;

/// The scopes of the dashboard SSO guide.
pub const SCOPES: [&str; 3] = ["openid", "email", "profile"];

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    pub issuer: String,
    pub auth_url: Url,
    pub token_url: Url,
    pub certs_url: Url,
    /// PKCE with SHA-256 (RFC 7636).
    pub pkce: bool,
    /// Oddities, as sentences.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DiscoveryError {
    #[error("the discovery document `{url}` cannot be read")]
    Fetch { url: String, source: FetchError },
    #[error("`{url}` is not a discovery document: {wrong}")]
    NotADocument { url: String, wrong: String },
    #[error("the issuer is `{}`, not `{given}`{}", found.issuer, trailing_slash_hint(given, &found.issuer))]
    IssuerMismatch { given: String, found: Box<Discovery> },
    #[error("`{given}` is multi-tenant (issuer `{named}`); use the issuer of your tenant")]
    MultiTenant { given: String, named: String },
}

fn trailing_slash_hint(given: &str, named: &str) -> &'static str {
    if given.trim_end_matches('/') != named.trim_end_matches('/') {
        ""
    } else if named.ends_with('/') {
        ": the trailing slash belongs to it"
    } else {
        ": it has no trailing slash"
    }
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(Deserialize)]
struct Document {
    issuer: Option<String>,
    authorization_endpoint: Option<String>,
    token_endpoint: Option<String>,
    jwks_uri: Option<String>,
    scopes_supported: Option<Vec<String>>,
    response_types_supported: Option<Vec<String>>,
    claims_supported: Option<Vec<String>>,
    code_challenge_methods_supported: Option<Vec<String>>,
}

pub async fn discover(fetcher: &Fetcher, issuer: &Issuer) -> Result<Discovery, DiscoveryError> {
    let url = issuer.document();
    let body = fetcher
        .read(&url, &AllowedHosts::of([&url]))
        .await
        .map_err(|source| DiscoveryError::Fetch { url: url.to_string(), source })?;
    read(issuer, &body)
}

/// Fails if the document names another issuer than the requested one.
pub fn read(issuer: &Issuer, body: &[u8]) -> Result<Discovery, DiscoveryError> {
    let none = |wrong: &str| DiscoveryError::NotADocument {
        url: issuer.document().to_string(),
        wrong: wrong.to_owned(),
    };
    let text = text::decode(body).map_err(|error| none(&error.to_string()))?;
    depth::check(text.as_bytes()).map_err(|error| none(&error.to_string()))?;
    let value: Value = serde_json::from_str(&text).map_err(|_| none("it is not JSON"))?;
    let document: Document =
        serde_json::from_value(value).map_err(|error| none(&error.to_string()))?;
    let named = document.issuer.as_deref().ok_or_else(|| none("it has no `issuer`"))?;
    let endpoint = |name: &str, value: &Option<String>| {
        let text = value.as_deref().ok_or_else(|| none(&format!("it has no `{name}`")))?;
        let url = Url::parse(text).ok().filter(|url| is_safe(url, issuer));
        url.ok_or_else(|| none(&format!("its `{name}` is not an `https` URL: `{text}`")))
    };
    let found = Discovery {
        auth_url: endpoint("authorization_endpoint", &document.authorization_endpoint)?,
        token_url: endpoint("token_endpoint", &document.token_endpoint)?,
        certs_url: endpoint("jwks_uri", &document.jwks_uri)?,
        pkce: document
            .code_challenge_methods_supported
            .iter()
            .flatten()
            .any(|method| method == "S256"),
        notes: notes(&document),
        issuer: named.to_owned(),
    };
    if issuer.matches(named) {
        return Ok(found);
    }
    let given = issuer.without_document();
    // Entra's `common` and `organizations` name `{tenantid}` for the tenant.
    Err(if named.contains('{') {
        DiscoveryError::MultiTenant { given, named: found.issuer }
    } else {
        DiscoveryError::IssuerMismatch { given, found: Box::new(found) }
    })
}

/// A loopback issuer may name loopback endpoints.
fn is_safe(url: &Url, issuer: &Issuer) -> bool {
    let here = is_loopback(url) && is_loopback(&issuer.document());
    url.host().is_some() && (url.scheme() == "https" || url.scheme() == "http" && here)
}

fn notes(document: &Document) -> Vec<String> {
    let lacks = |list: &Option<Vec<String>>, name: &str| {
        let list = list.as_deref().unwrap_or_default();
        !list.is_empty() && !list.iter().any(|other| other.split(' ').any(|part| part == name))
    };
    let mut notes = Vec::new();
    if lacks(&document.response_types_supported, "code") {
        notes.push("it does not list the response type `code`, which Access uses".to_owned());
    }
    if lacks(&document.scopes_supported, "email") {
        notes.push("it does not list the scope `email`".to_owned());
    }
    if lacks(&document.claims_supported, "email") {
        notes.push(
            "it does not list the claim `email`; specify another one with `email_claim_name`"
                .to_owned(),
        );
    }
    notes
}

impl Discovery {
    pub fn config(&self) -> Map<String, Value> {
        let fields = [
            ("auth_url", json!(self.auth_url)),
            ("token_url", json!(self.token_url)),
            ("certs_url", json!(self.certs_url)),
            // An issuer's list may be incomplete (OpenID Connect Discovery 1.0, section 3), so
            // all scopes stay.
            ("scopes", json!(SCOPES)),
            ("pkce_enabled", json!(self.pkce)),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AUTHENTIK: &str = "https://auth.cool.cats/application/o/cloudflare/";

    fn document() -> Value {
        json!({
            "issuer": AUTHENTIK,
            "authorization_endpoint": "https://auth.cool.cats/application/o/authorize/",
            "token_endpoint": "https://auth.cool.cats/application/o/token/",
            "jwks_uri": "https://auth.cool.cats/application/o/cloudflare/jwks/",
            "scopes_supported": ["email", "openid", "offline_access"],
            "response_types_supported": ["code", "id_token"],
            "claims_supported": ["sub", "email"],
            "code_challenge_methods_supported": ["plain", "S256"],
        })
    }

    fn with(field: &str, value: Value) -> Value {
        let mut document = document();
        document[field] = value;
        document
    }

    fn read_of(issuer: &str, document: &Value) -> Result<Discovery, DiscoveryError> {
        read(&issuer.parse().unwrap(), document.to_string().as_bytes())
    }

    #[test]
    fn a_document_fills_the_configuration() {
        let found = read_of(AUTHENTIK, &document()).unwrap();
        assert!(found.notes.is_empty(), "{:?}", found.notes);
        assert_eq!(
            Value::Object(found.config()),
            json!({
                "auth_url": "https://auth.cool.cats/application/o/authorize/",
                "token_url": "https://auth.cool.cats/application/o/token/",
                "certs_url": "https://auth.cool.cats/application/o/cloudflare/jwks/",
                "scopes": ["openid", "email", "profile"],
                "pkce_enabled": true,
            })
        );
    }

    #[test]
    fn what_a_document_does_not_list_is_taken_as_usual_or_absent() {
        let mut document = document();
        for field in ["scopes_supported", "claims_supported", "code_challenge_methods_supported"] {
            document.as_object_mut().unwrap().remove(field);
        }
        let found = read_of(AUTHENTIK, &document).unwrap();
        assert_eq!(found.config()["scopes"], json!(["openid", "email", "profile"]));
        assert!(!found.pkce && found.notes.is_empty());
    }

    #[test]
    fn what_is_odd_is_noted() {
        for (field, value, expected) in [
            ("scopes_supported", json!(["openid"]), "scope `email`"),
            ("claims_supported", json!(["sub"]), "claim `email`"),
            ("response_types_supported", json!(["id_token"]), "response type `code`"),
        ] {
            let found = read_of(AUTHENTIK, &with(field, value)).unwrap();
            assert_eq!(found.notes.len(), 1);
            assert!(found.notes[0].contains(expected), "{:?}", found.notes);
        }
        let hybrid = with("response_types_supported", json!(["code id_token"]));
        assert!(read_of(AUTHENTIK, &hybrid).unwrap().notes.is_empty());
    }

    #[test]
    fn the_issuer_has_to_be_equal() {
        for (given, named, expected) in [
            (
                "https://auth.cool.cats/application/o/cloudflare",
                AUTHENTIK,
                "the issuer is `https://auth.cool.cats/application/o/cloudflare/`, not \
                 `https://auth.cool.cats/application/o/cloudflare`: the trailing slash belongs to it",
            ),
            (
                "https://a.cats/",
                "https://a.cats",
                "the issuer is `https://a.cats`, not `https://a.cats/`: it has no trailing slash",
            ),
            (
                "https://a.cats",
                "https://b.cats",
                "the issuer is `https://b.cats`, not `https://a.cats`",
            ),
            (
                "https://a.cats/.well-known/openid-configuration",
                "https://b.cats",
                "the issuer is `https://b.cats`, not `https://a.cats`",
            ),
            (
                "https://login.microsoftonline.com/common/v2.0",
                "https://login.microsoftonline.com/{tenantid}/v2.0",
                "`https://login.microsoftonline.com/common/v2.0` is multi-tenant (issuer \
                 `https://login.microsoftonline.com/{tenantid}/v2.0`); use the issuer of your tenant",
            ),
        ] {
            let error = read_of(given, &with("issuer", json!(named))).unwrap_err();
            assert_eq!(error.to_string(), expected);
        }
    }

    #[test]
    fn what_is_no_document_is_said() {
        for (field, value, expected) in [
            ("issuer", json!(null), "has no `issuer`"),
            ("token_endpoint", json!(null), "has no `token_endpoint`"),
            (
                "jwks_uri",
                json!("http://auth.cool.cats/jwks"),
                "its `jwks_uri` is not an `https` URL",
            ),
            ("jwks_uri", json!("http://127.0.0.1/jwks"), "its `jwks_uri` is not an `https` URL"),
            ("jwks_uri", json!("/jwks"), "its `jwks_uri` is not an `https` URL"),
            ("jwks_uri", json!(7), "is not a discovery document"),
        ] {
            let error = read_of(AUTHENTIK, &with(field, value)).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
        let error = read(&AUTHENTIK.parse().unwrap(), b"<html>").unwrap_err().to_string();
        assert!(
            error.ends_with("openid-configuration` is not a discovery document: it is not JSON")
        );
        assert!(read(&AUTHENTIK.parse().unwrap(), b"[]").is_err());
        let deep = "[".repeat(200_000);
        let error = read(&AUTHENTIK.parse().unwrap(), deep.as_bytes()).unwrap_err().to_string();
        assert!(error.contains("deeper than 128"), "{error}");
    }
}
