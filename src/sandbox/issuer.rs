//! Public documents of identity providers, on the API's port: `/oidc/<slug>` (OpenID),
//! `/realms/<slug>` (Keycloak), `/application/o/<slug>/` (authentik), `/saml/<slug>/metadata`,
//! `/hosted/<host>` (a vendor's host), `/teams/<auth_domain>` (a team's domain). Keys and
//! certificates are real, but no one has the private keys.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use serde_json::json;

use super::fault::Kind;
use super::shared::AppState;
use super::state::Organization;

/// RSA with 2048 bits, valid from 2024 to 2054.
const VALID: &str = include_str!("issuer/valid.pem");
/// The same key, valid from 2020 to 2021.
pub(super) const EXPIRED: &str = include_str!("issuer/expired.pem");
/// The key's modulus in base64url; its exponent is 65537.
const MODULUS: &str = include_str!("issuer/modulus.txt");

pub(super) fn routes(shared: &Arc<AppState>) -> Router<Arc<AppState>> {
    Router::new()
        .route("/oidc/{slug}/.well-known/openid-configuration", get(configuration))
        .route("/oidc/{slug}/jwks", get(keys))
        .route("/realms/{slug}/.well-known/openid-configuration", get(configuration))
        .route("/realms/{slug}/jwks", get(keys))
        .route("/oidc/{slug}/authorize", any(not_found))
        .route("/oidc/{slug}/token", any(not_found))
        .route("/application/o/{slug}/.well-known/openid-configuration", get(authentik))
        .route("/application/o/{slug}/jwks/", get(keys))
        .route("/application/o/authorize/", any(not_found))
        .route("/application/o/token/", any(not_found))
        .route("/hosted/{host}/{*path}", get(hosted))
        .route("/teams/{domain}/cdn-cgi/access/certs", get(team))
        .route("/saml/{slug}/metadata", get(metadata))
        .route("/saml/{slug}/sso", any(not_found))
        .route_layer(from_fn_with_state(shared.clone(), unless_down))
}

/// Answers for a stopped provider as a proxy without a backend does.
async fn unless_down(
    State(shared): State<Arc<AppState>>,
    request: Request,
    next: Next,
) -> Response {
    if request.uri().path().split('/').any(|part| shared.is_down(part)) {
        return (StatusCode::SERVICE_UNAVAILABLE, "no server is available\n").into_response();
    }
    next.run(request).await
}

async fn configuration(State(shared): State<Arc<AppState>>, uri: Uri) -> Response {
    let path = uri.path().trim_end_matches("/.well-known/openid-configuration");
    let issuer = format!("{}{path}", shared.origin);
    let keys = format!("{issuer}/jwks");
    published(&shared, uri.path(), &issuer, &issuer, &keys)
}

/// authentik shares endpoints between applications; each has its own issuer.
async fn authentik(
    State(shared): State<Arc<AppState>>,
    Path(slug): Path<String>,
    uri: Uri,
) -> Response {
    let endpoints = format!("{}/application/o", shared.origin);
    let issuer = format!("{endpoints}/{slug}/");
    let keys = format!("{issuer}jwks/");
    published(&shared, uri.path(), &issuer, &endpoints, &keys)
}

/// A vendor's host, such as `company.okta.com`: an OpenID issuer at any path.
async fn hosted(
    State(shared): State<Arc<AppState>>,
    Path((host, path)): Path<(String, String)>,
    uri: Uri,
) -> Response {
    let issuer = |path: &str| format!("https://{host}/{path}");
    match path.strip_suffix(".well-known/openid-configuration") {
        Some(above) => {
            let own = issuer(above);
            // Auth0 and JumpCloud end their issuers with a slash.
            let has_slash = above.is_empty()
                && (host.ends_with(".auth0.com") || host.ends_with(".jumpcloud.com"));
            let own = if has_slash { own.as_str() } else { own.trim_end_matches('/') };
            let keys = issuer(&format!("{above}jwks"));
            published(&shared, uri.path(), own, own.trim_end_matches('/'), &keys)
        }
        None if path.ends_with("jwks") => keys(State(shared), uri).await,
        None => not_found().await,
    }
}

fn published(shared: &AppState, path: &str, issuer: &str, endpoints: &str, keys: &str) -> Response {
    let named = if shared.faults().misbehave(&Kind::WrongIssuer, path) {
        format!("{issuer}-elsewhere")
    } else {
        issuer.to_owned()
    };
    // authentik ends its endpoints with a slash.
    let end = if issuer.ends_with('/') { "/" } else { "" };
    Json(json!({
        "issuer": named,
        "authorization_endpoint": format!("{endpoints}/authorize{end}"),
        "token_endpoint": format!("{endpoints}/token{end}"),
        "jwks_uri": keys,
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "email", "profile"],
        "claims_supported": ["sub", "email", "email_verified", "groups"],
        "code_challenge_methods_supported": ["S256"],
    }))
    .into_response()
}

/// The keys of a team's domain. The real response for an unknown team is not documented: here 404.
async fn team(State(shared): State<Arc<AppState>>, Path(domain): Path<String>) -> Response {
    let is_its = |known: &Organization| known.object.text("auth_domain").as_ref() == Some(&domain);
    if shared.store.read(|state| state.organizations.iter().any(is_its)) {
        Json(json!({ "keys": [], "public_cert": null, "public_certs": [] })).into_response()
    } else {
        StatusCode::NOT_FOUND.into_response()
    }
}

async fn keys(State(shared): State<Arc<AppState>>, uri: Uri) -> Response {
    let key = json!({
        "kty": "RSA",
        "use": "sig",
        "alg": "RS256",
        "kid": "sandbox-1",
        "n": MODULUS.trim(),
        "e": "AQAB",
    });
    let keys =
        if shared.faults().misbehave(&Kind::NoKeys, uri.path()) { json!([]) } else { json!([key]) };
    Json(json!({ "keys": keys })).into_response()
}

/// The error for a request outside of a login (RFC 6749, section 5.2).
async fn not_found() -> Response {
    let error = json!({
        "error": "invalid_request",
        "error_description": "the cfsso sandbox signs nobody in",
    });
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}

async fn metadata(
    State(shared): State<Arc<AppState>>,
    Path(slug): Path<String>,
    uri: Uri,
) -> Response {
    let pem = if shared.faults().misbehave(&Kind::ExpiredCertificate, uri.path()) {
        EXPIRED
    } else {
        VALID
    };
    let provider = format!("{}/saml/{}", shared.origin, escaped(&slug));
    let kind = [(CONTENT_TYPE, "application/samlmetadata+xml")];
    (kind, metadata_xml(&provider, &certificate(pem))).into_response()
}

/// SAML 2.0 metadata, section 2.4.3.
fn metadata_xml(provider: &str, certificate: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{provider}/metadata">
  <md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor use="signing">
      <ds:KeyInfo>
        <ds:X509Data>
          <ds:X509Certificate>{certificate}</ds:X509Certificate>
        </ds:X509Data>
      </ds:KeyInfo>
    </md:KeyDescriptor>
    <md:NameIDFormat>urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress</md:NameIDFormat>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{provider}/sso"/>
    <md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="{provider}/sso"/>
  </md:IDPSSODescriptor>
</md:EntityDescriptor>
"#
    )
}

fn certificate(pem: &str) -> String {
    pem.lines().filter(|line| !line.starts_with("-----")).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
