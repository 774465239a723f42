//! Plans the requests for a configuration. No I/O.

use serde_json::{Map, Value};
use url::Url;

use super::result::IdpCheckId;
use super::subject::Subject;
use crate::idp::fetch::AllowedHosts;
use crate::idp::issuer::Issuer;
use crate::idp::kind;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownIssuers {
    pub microsoft: String,
    pub google: String,
    /// Default: `PingOne` in North America.
    pub pingone: String,
}

impl Default for KnownIssuers {
    fn default() -> Self {
        Self {
            microsoft: "https://login.microsoftonline.com".to_owned(),
            google: "https://accounts.google.com".to_owned(),
            pingone: "https://auth.pingone.com".to_owned(),
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Plan {
    pub issuer: Option<ExpectedIssuer>,
    /// The key set, if configured.
    pub certs: Option<Url>,
    pub endpoints: Vec<(IdpCheckId, Url)>,
    /// The hosts of the configuration and its type.
    pub hosts: AllowedHosts,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct ExpectedIssuer {
    pub issuer: Issuer,
    /// Alternative URL of the document, if the first one is guessed.
    pub fallback: Option<Issuer>,
    pub certainty: Confidence,
    pub check_id: IdpCheckId,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Confidence {
    Known,
    /// The usual URL: a missing document is not conclusive.
    Guessed,
}

pub(super) fn of(subject: Subject<'_>, issuers: &KnownIssuers) -> Plan {
    let config = subject.config;
    let name = kind::find(subject.kind).map_or(subject.kind, |kind| kind.name);
    let issuer = match name {
        "okta" => okta(config),
        "azureAD" => entra(config, issuers),
        "google" | "google-apps" => known_issuer(&issuers.google, IdpCheckId::Discovery),
        "oidc" => oidc(config, issuers),
        "onelogin" => issuer_from_url(config, "onelogin_account", "/oidc/2"),
        "centrify" => {
            let app = text(config, "centrify_app_id").unwrap_or_default();
            issuer_from_url(config, "centrify_account", &format!("/{app}"))
        }
        "pingone" => text(config, "ping_env_id")
            .and_then(|env| guessed_issuer(&format!("{}/{env}/as", issuers.pingone))),
        _ => None,
    };
    let endpoints: &[(IdpCheckId, &str)] = match name {
        "oidc" => {
            &[(IdpCheckId::AuthEndpoint, "auth_url"), (IdpCheckId::TokenEndpoint, "token_url")]
        }
        "saml" => &[(IdpCheckId::SsoEndpoint, "sso_target_url")],
        _ => &[],
    };
    let endpoints: Vec<_> =
        endpoints.iter().filter_map(|(id, field)| Some((*id, url(config, field)?))).collect();
    let certs = (name == "oidc").then(|| url(config, "certs_url")).flatten();
    let document = issuer.as_ref().map(|expected| expected.issuer.document());
    // Google's keys are on another host than its issuer.
    let keys = name.starts_with("google").then(|| "https://www.googleapis.com".parse().ok());
    let keys: Option<Url> = keys.flatten();
    let urls = endpoints.iter().map(|(_, url)| url).chain(&certs).chain(&document).chain(&keys);
    let hosts = AllowedHosts::of(urls);
    Plan { issuer, certs, endpoints, hosts }
}

pub(super) fn text<'a>(config: &'a Map<String, Value>, field: &str) -> Option<&'a str> {
    config.get(field)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn url(config: &Map<String, Value>, field: &str) -> Option<Url> {
    Url::parse(text(config, field)?).ok().filter(|url| url.host().is_some())
}

fn known_issuer(issuer: &str, check_id: IdpCheckId) -> Option<ExpectedIssuer> {
    let issuer = issuer.parse().ok()?;
    Some(ExpectedIssuer { issuer, fallback: None, certainty: Confidence::Known, check_id })
}

/// The document may name any matching issuer: a trailing slash cannot be guessed.
fn guessed_issuer(issuer: &str) -> Option<ExpectedIssuer> {
    let issuer = parse_issuer(issuer)?;
    let (certainty, check_id) = (Confidence::Guessed, IdpCheckId::Discovery);
    Some(ExpectedIssuer { issuer, fallback: None, certainty, check_id })
}

fn parse_issuer(issuer: &str) -> Option<Issuer> {
    issuer.parse::<Issuer>().ok()?.document().as_str().parse().ok()
}

fn issuer_from_url(config: &Map<String, Value>, field: &str, path: &str) -> Option<ExpectedIssuer> {
    guessed_issuer(&format!("{}{path}", text(config, field)?.trim_end_matches('/')))
}

fn okta(config: &Map<String, Value>) -> Option<ExpectedIssuer> {
    let account = text(config, "okta_account")?.trim_end_matches('/');
    let issuer = match text(config, "authorization_server_id") {
        Some(server) => format!("{account}/oauth2/{server}"),
        None => account.to_owned(),
    };
    known_issuer(&issuer, IdpCheckId::Tenant)
}

/// National clouds have their own hosts (Microsoft, "National clouds").
fn entra(config: &Map<String, Value>, issuers: &KnownIssuers) -> Option<ExpectedIssuer> {
    let directory = text(config, "directory_id")?;
    let base = match text(config, "azure_cloud").unwrap_or("default") {
        "usgov" | "us_gov" | "government" => "https://login.microsoftonline.us",
        "china" => "https://login.partner.microsoftonline.cn",
        _ => &issuers.microsoft,
    };
    known_issuer(&format!("{base}/{directory}/v2.0"), IdpCheckId::Tenant)
}

/// Infers the issuer from the endpoint paths of well-known products.
fn oidc(config: &Map<String, Value>, issuers: &KnownIssuers) -> Option<ExpectedIssuer> {
    let auth = url(config, "auth_url")?;
    let (origin, path) = (auth.origin().ascii_serialization(), auth.path());
    let certs = url(config, "certs_url");
    let keys_below = |tail: &str| {
        let certs = certs.as_ref()?.as_str();
        certs.strip_suffix(tail).map(str::to_owned)
    };
    let known = |issuer: &str| known_issuer(issuer, IdpCheckId::Discovery);
    if origin == issuers.google {
        return known(&issuers.google);
    }
    if let Some(tenant) = path.strip_suffix("/oauth2/v2.0/authorize")
        && origin == issuers.microsoft
    {
        return known(&format!("{origin}{tenant}/v2.0"));
    }
    // Keycloak; authentik, whose issuer is only visible in the path of the key set.
    if let Some(realm) = path.strip_suffix("/protocol/openid-connect/auth") {
        return known(&format!("{origin}{realm}"));
    }
    if path.ends_with("/application/o/authorize/") {
        return known(&keys_below("jwks/")?);
    }
    // Okta: the organization's own authorization server, or a custom one.
    if let Some(server) =
        path.strip_prefix("/oauth2").and_then(|path| path.strip_suffix("/v1/authorize"))
    {
        let server = if server.is_empty() { String::new() } else { format!("/oauth2{server}") };
        return known(&format!("{origin}{server}"));
    }
    if let Some(issuer) = keys_below("/.well-known/jwks.json") {
        return guessed_issuer(&issuer);
    }
    let endpoints = [Some(auth.clone()), url(config, "token_url"), certs];
    let Some(shared) = shared_folder(&endpoints.into_iter().flatten().collect::<Vec<_>>()) else {
        return guessed_issuer(&origin);
    };
    let or_else = parse_issuer(&origin);
    guessed_issuer(&format!("{origin}{shared}"))
        .map(|expected| ExpectedIssuer { fallback: or_else, ..expected })
}

/// The common folder of all endpoints, unless it is the root: most issuers have this URL.
fn shared_folder(endpoints: &[Url]) -> Option<String> {
    let [first, others @ ..] = endpoints else { return None };
    if others.is_empty() || others.iter().any(|url| url.origin() != first.origin()) {
        return None;
    }
    let folders = |url: &Url| -> Vec<String> {
        let mut parts: Vec<_> = url.path().split('/').map(str::to_owned).collect();
        parts.pop();
        parts
    };
    let mut shared = folders(first);
    for other in others.iter().map(folders) {
        let same = shared.iter().zip(&other).take_while(|(a, b)| a == b).count();
        shared.truncate(same);
    }
    let path = shared.join("/");
    (!path.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn planned(kind: &str, config: &Value) -> Plan {
        let config = config.as_object().unwrap();
        of(Subject::new(kind, config), &KnownIssuers::default())
    }

    #[test]
    fn each_type_implies_its_issuer() {
        use Confidence::{Guessed, Known};
        let document = |issuer: &str| format!("{issuer}/.well-known/openid-configuration");
        for (kind, config, expected) in [
            (
                "okta",
                json!({ "okta_account": "https://a.okta.com/" }),
                Some(("https://a.okta.com".to_owned(), Known)),
            ),
            (
                "okta",
                json!({ "okta_account": "https://a.okta.com", "authorization_server_id": "x" }),
                Some(("https://a.okta.com/oauth2/x".to_owned(), Known)),
            ),
            (
                "azureAD",
                json!({ "directory_id": "d" }),
                Some(("https://login.microsoftonline.com/d/v2.0".to_owned(), Known)),
            ),
            (
                "AzureAD",
                json!({ "directory_id": "d", "azure_cloud": "default" }),
                Some(("https://login.microsoftonline.com/d/v2.0".to_owned(), Known)),
            ),
            (
                "azureAD",
                json!({ "directory_id": "d", "azure_cloud": "china" }),
                Some(("https://login.partner.microsoftonline.cn/d/v2.0".to_owned(), Known)),
            ),
            ("google", json!({}), Some(("https://accounts.google.com".to_owned(), Known))),
            ("google-apps", json!({}), Some(("https://accounts.google.com".to_owned(), Known))),
            (
                "onelogin",
                json!({ "onelogin_account": "https://a.onelogin.com/" }),
                Some((document("https://a.onelogin.com/oidc/2"), Guessed)),
            ),
            (
                "ping",
                json!({ "ping_env_id": "e" }),
                Some((document("https://auth.pingone.com/e/as"), Guessed)),
            ),
            (
                "centrify",
                json!({ "centrify_account": "https://a.my.centrify.com", "centrify_app_id": "x" }),
                Some((document("https://a.my.centrify.com/x"), Guessed)),
            ),
            ("onetimepin", json!({}), None),
            ("saml", json!({ "sso_target_url": "https://a.cats/" }), None),
            ("github", json!({}), None),
            ("passkeys", json!({ "auth_url": "https://a.cats/" }), None),
            ("okta", json!({}), None),
            ("okta", json!({ "okta_account": "a.okta.com" }), None),
        ] {
            let found = planned(kind, &config).issuer;
            let found = found.map(|found| (found.issuer.to_string(), found.certainty));
            assert_eq!(found, expected, "{kind} {config}");
        }
    }

    #[test]
    fn the_layout_of_the_endpoints_tells_the_issuer() {
        let document = "https://a.cats/.well-known/openid-configuration";
        for (auth, certs, issuer) in [
            ("https://accounts.google.com/o/oauth2/v2/auth", "", "https://accounts.google.com"),
            (
                "https://login.microsoftonline.com/d/oauth2/v2.0/authorize",
                "",
                "https://login.microsoftonline.com/d/v2.0",
            ),
            (
                "https://a.cats/auth/realms/r/protocol/openid-connect/auth",
                "",
                "https://a.cats/auth/realms/r",
            ),
            (
                "https://a.cats/application/o/authorize/",
                "https://a.cats/application/o/cf/jwks/",
                "https://a.cats/application/o/cf/",
            ),
            ("https://a.okta.com/oauth2/v1/authorize", "", "https://a.okta.com"),
            (
                "https://a.okta.com/oauth2/default/v1/authorize",
                "",
                "https://a.okta.com/oauth2/default",
            ),
            ("https://a.cats/authorize", "https://a.cats/.well-known/jwks.json", document),
            (
                "https://a.cats/authorize",
                "https://idp.cats/pool/.well-known/jwks.json",
                "https://idp.cats/pool/.well-known/openid-configuration",
            ),
            (
                "https://a.cats/x/y/authorize",
                "https://a.cats/x/keys",
                "https://a.cats/x/.well-known/openid-configuration",
            ),
            ("https://a.cats/x/authorize", "https://b.cats/x/keys", document),
            ("https://a.cats/x/authorize", "https://a.cats/xy/keys", document),
            ("https://a.cats/v1/authorize", "", document),
        ] {
            let plan = planned("oidc", &json!({ "auth_url": auth, "certs_url": certs }));
            assert_eq!(plan.issuer.unwrap().issuer.as_str(), issuer, "{auth} {certs}");
        }
    }

    #[test]
    fn where_the_endpoints_share_a_folder_the_root_is_asked_too() {
        let at = |path: &str| format!("https://a.cats{path}/.well-known/openid-configuration");
        let config = json!({
            "auth_url": "https://a.cats/oidc/company/authorize",
            "token_url": "https://a.cats/oidc/company/token",
            "certs_url": "https://a.cats/oidc/company/jwks",
        });
        let expected = planned("oidc", &config).issuer.unwrap();
        assert_eq!(expected.issuer.as_str(), at("/oidc/company"));
        assert_eq!(expected.fallback.unwrap().as_str(), at(""));
        let config = json!({ "auth_url": "https://a.cats/authorize" });
        assert_eq!(planned("oidc", &config).issuer.unwrap().fallback, None);
    }

    #[test]
    fn only_hosts_of_the_configuration_are_asked() {
        let plan = planned(
            "oidc",
            &json!({
                "auth_url": "https://a.cats/authorize",
                "token_url": "https://b.cats/token",
                "certs_url": "https://c.cats/keys",
                "other_url": "https://d.cats/",
            }),
        );
        assert_eq!(plan.endpoints.len(), 2);
        for (host, expected) in [("a", true), ("b", true), ("c", true), ("d", false)] {
            let url = format!("https://{host}.cats/").parse().unwrap();
            assert_eq!(plan.hosts.admit(&url), expected, "{host}");
        }
    }
}
