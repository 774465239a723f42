//! The products that users choose from, and their options.

use super::guide::Product;

#[derive(Debug, PartialEq, Eq)]
pub struct Vendor {
    /// The name in an answers file.
    pub key: &'static str,
    pub title: &'static str,
    pub kind: &'static str,
    pub product: Product,
    pub options: &'static [&'static str],
    pub inputs: &'static [Input],
}

/// An option whose value is shown by the product.
#[derive(Debug, PartialEq, Eq)]
pub struct Input {
    /// Without the dashes; for a secret, without `-env` or `-file`.
    pub option: &'static str,
    pub text: &'static str,
    /// Where to find the value.
    pub help: &'static str,
    pub secret: bool,
    /// Whether the value is the address of the product's published endpoints.
    pub is_address: bool,
}

const fn address(option: &'static str, text: &'static str, help: &'static str) -> Input {
    Input { option, text, help, secret: false, is_address: true }
}

const fn value(option: &'static str, text: &'static str, help: &'static str) -> Input {
    Input { option, text, help, secret: false, is_address: false }
}

const CLIENT_ID: Input = value("client-id", "Client ID", "The ID of the client that you created");
const CLIENT_SECRET: Input = Input {
    option: "client-secret",
    text: "Client secret (hidden)",
    help: "The secret of the client. It is sent to Cloudflare only, and stored nowhere else",
    secret: true,
    is_address: false,
};

const fn vendor(
    (key, title): (&'static str, &'static str),
    (kind, product): (&'static str, Product),
    options: &'static [&'static str],
    inputs: &'static [Input],
) -> Vendor {
    Vendor { key, title, kind, product, options, inputs }
}

/// The most used first.
pub const VENDORS: &[Vendor] = &[
    vendor(
        ("okta", "Okta"),
        ("okta", Product::Okta),
        &[],
        &[
            address(
                "okta-account",
                "Okta URL",
                "The address of your Okta organization, without `-admin`: `https://company.okta.com`",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("entra", "Microsoft Entra ID"),
        ("azureAD", Product::Entra),
        &[],
        &[
            address(
                "directory-id",
                "Directory (tenant) ID",
                "A UUID: `Tenant ID` under Overview in the Entra admin center",
            ),
            value(
                "client-id",
                "Application (client) ID",
                "A UUID: under Overview of the app registration",
            ),
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("google-workspace", "Google Workspace"),
        ("google-apps", Product::GoogleWorkspace),
        &[],
        &[
            value("apps-domain", "Workspace domain", "The primary domain of the Workspace account"),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("authentik", "authentik"),
        ("oidc", Product::Authentik),
        &["--preset", "authentik"],
        &[
            address(
                "issuer",
                "Issuer URL",
                "`OpenID Configuration Issuer` of the provider, with the slash at its end: \
                 `https://authentik.company/application/o/cloudflare/`",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("keycloak", "Keycloak"),
        ("oidc", Product::Oidc),
        &["--preset", "keycloak"],
        &[
            address(
                "issuer",
                "Issuer URL",
                "The address of the realm: `https://keycloak.company/realms/company`",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("auth0", "Auth0"),
        ("oidc", Product::Oidc),
        &[],
        &[
            address(
                "discover",
                "Issuer URL",
                "The domain of the tenant as a URL, with a slash at its end: \
                 `https://company.eu.auth0.com/`",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("jumpcloud", "JumpCloud"),
        ("oidc", Product::Oidc),
        &["--discover", "https://oauth.id.jumpcloud.com/"],
        &[CLIENT_ID, CLIENT_SECRET],
    ),
    vendor(
        ("onelogin", "OneLogin"),
        ("onelogin", Product::Oidc),
        &[],
        &[
            address(
                "onelogin-account",
                "OneLogin URL",
                "The address of your OneLogin account: `https://company.onelogin.com`",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("pingone", "PingOne"),
        ("pingone", Product::Oidc),
        &[],
        &[
            address(
                "ping-env-id",
                "Environment ID",
                "A UUID: under Settings, Environment properties in the PingOne console",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(("cloudflare", "Cloudflare"), ("cloudflare", Product::Cloudflare), &[], &[]),
    vendor(
        ("oidc", "another one, with OpenID Connect"),
        ("oidc", Product::Oidc),
        &[],
        &[
            address(
                "discover",
                "Issuer URL",
                "Where `/.well-known/openid-configuration` is published, without that path",
            ),
            CLIENT_ID,
            CLIENT_SECRET,
        ],
    ),
    vendor(
        ("saml", "another one, with SAML"),
        ("saml", Product::Saml),
        &[],
        &[address(
            "metadata",
            "Metadata URL or file",
            "The SAML metadata of the identity provider",
        )],
    ),
];

/// Host suffixes of products that serve every customer; the simulator answers in their place.
const HOSTED: [&str; 10] = [
    ".okta.com",
    ".oktapreview.com",
    "login.microsoftonline.com",
    "accounts.google.com",
    "www.googleapis.com",
    ".auth0.com",
    "oauth.id.jumpcloud.com",
    ".onelogin.com",
    "auth.pingone.com",
    "login.microsoftonline.us",
];

pub(super) fn is_hosted(host: &str) -> bool {
    HOSTED.iter().any(|end| host.ends_with(end))
}

impl Vendor {
    pub fn name(&self) -> &'static str {
        match self.key {
            "oidc" => "OpenID Connect",
            "saml" => "SAML",
            _ => self.title,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::idp::kind;

    #[test]
    fn keys_are_unique_and_types_known() {
        for (index, vendor) in VENDORS.iter().enumerate() {
            assert!(VENDORS[index + 1..].iter().all(|other| other.key != vendor.key));
            assert!(kind::find(vendor.kind).is_some_and(|kind| kind.name == vendor.kind));
        }
    }

    #[test]
    fn what_a_type_needs_is_asked_for_or_published() {
        for vendor in VENDORS.iter().filter(|vendor| !["oidc", "saml"].contains(&vendor.kind)) {
            let kind = kind::find(vendor.kind).unwrap();
            for field in kind.fields.iter().filter(|field| field.need == kind::Requirement::Needed)
            {
                let option = field.name.replace('_', "-");
                let input = vendor.inputs.iter().find(|input| input.option == option);
                assert_eq!(input.map(|input| input.secret), Some(field.secret), "{option}");
            }
        }
    }
}
