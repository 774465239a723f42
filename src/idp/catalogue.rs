//! The types of identity providers and their fields (API reference, section 3).

use super::type_spec::{Field, IdpTypeSpec, Requirement, Value};

const fn required(name: &'static str, value: Value, help: &'static str) -> Field {
    Field { name, need: Requirement::Needed, secret: false, value, help }
}

const fn optional(name: &'static str, value: Value, help: &'static str) -> Field {
    Field { name, need: Requirement::Optional, secret: false, value, help }
}

const fn returned(name: &'static str, help: &'static str) -> Field {
    Field { name, need: Requirement::Returned, secret: false, value: Value::Text, help }
}

const fn secret(field: Field) -> Field {
    Field { secret: true, ..field }
}

const CLIENT_ID: Field = required("client_id", Value::Identifier, "ID of the client at the IdP");
const CLIENT_SECRET: Field =
    secret(required("client_secret", Value::Text, "secret of the client at the IdP"));
const CLAIMS: Field = optional("claims", Value::List, "additional claims for policies");
const EMAIL_CLAIM: Field =
    optional("email_claim_name", Value::Text, "claim with the email address");
/// An Entra secret has an ID, a UUID, which the admin center shows beside it.
const ENTRA_SECRET: Field = Field { value: Value::NotUuid, ..CLIENT_SECRET };
const PKCE: Field = Field {
    value: Value::Boolean,
    ..returned("pkce_enabled", "PKCE (RFC 7636), chosen by the API")
};
const REDIRECT_URL: Field = returned("redirect_url", "callback URL, set by the API");

const CLIENT: &[Field] = &[CLIENT_ID, CLIENT_SECRET, REDIRECT_URL];

/// Values of the OpenID Connect prompt for each type.
const ENTRA_PROMPTS: &[&str] = &["login", "select_account", "none"];
const GOOGLE_PROMPTS: &[&str] = &["none", "consent", "select_account"];

const OKTA: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required("okta_account", Value::Origin, "URL of the organization, `https://company.okta.com`"),
    optional(
        "authorization_server_id",
        Value::Identifier,
        "custom authorization server, such as `default`",
    ),
    secret(optional(
        "api_token",
        Value::Text,
        "Okta API token, for groups; not in the public reference",
    )),
    CLAIMS,
    EMAIL_CLAIM,
    PKCE,
    REDIRECT_URL,
];

const ENTRA: &[Field] = &[
    CLIENT_ID,
    ENTRA_SECRET,
    required(
        "directory_id",
        Value::Uuid,
        "directory (tenant) ID, a UUID: `Tenant ID` in the Entra admin center",
    ),
    optional("support_groups", Value::Boolean, "read the groups of users"),
    optional(
        "conditional_access_enabled",
        Value::Boolean,
        "conditional access contexts in policies",
    ),
    optional("prompt", Value::Choice(ENTRA_PROMPTS), "prompt for the user"),
    CLAIMS,
    EMAIL_CLAIM,
    returned("azure_cloud", "cloud of the directory"),
    PKCE,
    REDIRECT_URL,
];

const GOOGLE: &[Field] = &[CLIENT_ID, CLIENT_SECRET, CLAIMS, EMAIL_CLAIM, PKCE, REDIRECT_URL];

const WORKSPACE: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required("apps_domain", Value::Domain, "domain of the Workspace account"),
    optional("prompt", Value::Choice(GOOGLE_PROMPTS), "prompt for the user"),
    optional("use_login_hint", Value::Boolean, "send the email address as a hint"),
    CLAIMS,
    EMAIL_CLAIM,
    PKCE,
    REDIRECT_URL,
];

const OIDC: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required("auth_url", Value::Url, "authorization endpoint"),
    required("token_url", Value::Url, "token endpoint"),
    required("certs_url", Value::Url, "key set (JWKS)"),
    optional("pkce_enabled", Value::Boolean, "use PKCE (RFC 7636)"),
    optional("scopes", Value::List, "scopes: `openid`, `email`, `profile`"),
    CLAIMS,
    EMAIL_CLAIM,
    REDIRECT_URL,
];

const SAML: &[Field] = &[
    required("sso_target_url", Value::Url, "sign-in URL of the IdP"),
    required("issuer_url", Value::Identifier, "entity ID of the IdP"),
    required("idp_public_certs", Value::Certificates, "signing certificates of the IdP"),
    optional("idp_public_cert", Value::Certificates, "one signing certificate (older form)"),
    optional("sign_request", Value::Boolean, "sign the requests"),
    optional("email_attribute_name", Value::Text, "attribute with the email address"),
    optional("attributes", Value::List, "attributes for policies"),
    optional("header_attributes", Value::Headers, "attributes sent as headers"),
    optional("force_authn", Value::Boolean, "require a new sign-in each time"),
    optional(
        "max_sso_url_length",
        Value::Number { least: 512, most: 100_000 },
        "longest sign-in URL, in characters",
    ),
    optional(
        "enable_encryption",
        Value::Boolean,
        "encrypted assertions; requires a certificate set",
    ),
    REDIRECT_URL,
];

const ONELOGIN: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required("onelogin_account", Value::Url, "URL of the account, `https://company.onelogin.com`"),
    CLAIMS,
    EMAIL_CLAIM,
    PKCE,
    REDIRECT_URL,
];

const PINGONE: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required("ping_env_id", Value::Identifier, "ID of the PingOne environment"),
    CLAIMS,
    EMAIL_CLAIM,
    PKCE,
    REDIRECT_URL,
];

const CENTRIFY: &[Field] = &[
    CLIENT_ID,
    CLIENT_SECRET,
    required(
        "centrify_account",
        Value::Url,
        "URL of the account, `https://company.my.centrify.com`",
    ),
    required("centrify_app_id", Value::Identifier, "ID of the application at Centrify"),
    CLAIMS,
    EMAIL_CLAIM,
    PKCE,
    REDIRECT_URL,
];

const CLOUDFLARE: &[Field] = &[
    optional("restrict_to_account_members", Value::Boolean, "allow only members of this account"),
    REDIRECT_URL,
];

const PASSKEYS: &[Field] = &[
    optional("login_page_auto_prompt", Value::Boolean, "request a passkey when the page opens"),
    REDIRECT_URL,
];

const fn kind(
    name: &'static str,
    title: &'static str,
    aliases: &'static [&'static str],
    fields: &'static [Field],
) -> IdpTypeSpec {
    IdpTypeSpec { name, title, aliases, fields, scim: true, federable: true }
}

pub(super) const KINDS: &[IdpTypeSpec] = &[
    IdpTypeSpec {
        scim: false,
        federable: false,
        ..kind("onetimepin", "One-time PIN", &["otp", "one-time-pin"], &[REDIRECT_URL])
    },
    IdpTypeSpec { federable: false, ..kind("cloudflare", "Cloudflare", &[], CLOUDFLARE) },
    kind("okta", "Okta", &[], OKTA),
    kind("azureAD", "Microsoft Entra ID", &["entra", "entra-id", "azure-ad"], ENTRA),
    kind("google", "Google", &[], GOOGLE),
    kind("google-apps", "Google Workspace", &["google-workspace"], WORKSPACE),
    kind("oidc", "OpenID Connect", &["openid-connect"], OIDC),
    kind("saml", "SAML", &[], SAML),
    kind("github", "GitHub", &[], CLIENT),
    kind("facebook", "Facebook", &[], CLIENT),
    kind("linkedin", "LinkedIn", &[], CLIENT),
    kind("yandex", "Yandex", &[], CLIENT),
    kind("onelogin", "OneLogin", &[], ONELOGIN),
    kind("pingone", "PingOne", &["ping"], PINGONE),
    kind("centrify", "Centrify", &[], CENTRIFY),
    kind("passkeys", "Passkeys", &[], PASSKEYS),
];
