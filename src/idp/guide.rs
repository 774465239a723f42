//! Values and steps for the set-up at the IdP, as data.

use schemars::JsonSchema;
use serde::Serialize;

/// The values of Access to enter at an identity provider (API reference, section 3, fixed URLs).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Values {
    /// The redirect URI for OpenID Connect; the ACS URL and entity ID for SAML.
    pub callback: String,
    /// The URL of the service provider metadata for SAML.
    pub metadata: String,
    /// The metadata URL of one identity provider, with its own certificate set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_metadata: Option<String>,
    /// The URL of the keys that Access signs with.
    pub certs: String,
    /// The URL of the organization's sign-in page, without a path.
    pub origin: String,
}

/// A product with set-up steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Product {
    /// Okta with OpenID Connect.
    Okta,
    /// Okta with SAML.
    OktaSaml,
    /// Microsoft Entra ID.
    Entra,
    /// Google personal accounts.
    Google,
    /// Google Workspace.
    GoogleWorkspace,
    /// authentik with OpenID Connect.
    Authentik,
    /// Another product with OpenID Connect.
    Oidc,
    /// Another product with SAML.
    Saml,
    /// One-time PIN; needs no values.
    OneTimePin,
    /// Cloudflare accounts; need no values.
    Cloudflare,
    /// Passkeys; need no values.
    Passkeys,
    /// A service with OAuth clients, such as GitHub.
    OAuth,
}

/// The steps to set up an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Guide {
    /// The product that the steps are for.
    pub product: Product,
    /// The name of the product.
    pub title: &'static str,
    /// The values to enter, under the product's own field names; empty if there are none.
    pub fields: Vec<SetupField>,
    /// The steps, in order.
    pub steps: Vec<String>,
}

impl Guide {
    /// Removes the step with the command that creates the identity provider.
    pub fn without_command(mut self) -> Self {
        self.steps.retain(|step| !step.starts_with("`cfsso idp create"));
        self
    }
}

/// A field to fill in at the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SetupField {
    /// The name of the field at the identity provider.
    pub name: &'static str,
    /// The value to enter.
    pub value: String,
}

/// `idp`: the ID of the identity provider, if it exists already.
pub fn values(auth_domain: &str, idp: Option<&str>) -> Values {
    let origin = origin(auth_domain);
    let access = format!("{origin}/cdn-cgi/access");
    Values {
        callback: format!("{access}/callback"),
        metadata: format!("{access}/saml-metadata"),
        own_metadata: idp.map(|id| format!("{access}/{id}/saml-metadata")),
        certs: format!("{access}/certs"),
        origin,
    }
}

/// The URL of an `auth_domain`, which may be typed as a URL.
fn origin(auth_domain: &str) -> String {
    let host = auth_domain.trim().trim_start_matches("https://").trim_end_matches(['/', '.']);
    format!("https://{}", host.to_ascii_lowercase())
}

impl Product {
    /// `oidc` and `saml` are distinguished by their sign-in URL.
    pub fn of(kind: &str, sign_in: Option<&str>) -> Self {
        let sign_in = sign_in.unwrap_or_default();
        match super::kind::find(kind).map_or(kind, |kind| kind.name) {
            "okta" => Self::Okta,
            "azureAD" => Self::Entra,
            "google" => Self::Google,
            "google-apps" => Self::GoogleWorkspace,
            "oidc" if sign_in.contains("/application/o/") => Self::Authentik,
            "saml" if is_okta(sign_in) => Self::OktaSaml,
            "saml" => Self::Saml,
            "onetimepin" => Self::OneTimePin,
            "cloudflare" => Self::Cloudflare,
            "passkeys" => Self::Passkeys,
            "github" | "facebook" | "linkedin" | "yandex" => Self::OAuth,
            _ => Self::Oidc,
        }
    }

    pub fn of_idp(kind: &str, config: &serde_json::Value) -> Self {
        let sign_in = ["auth_url", "sso_target_url"].iter().find_map(|name| config[*name].as_str());
        Self::of(kind, sign_in)
    }

    /// A SAML application has one ACS URL; GitHub and similar products have one callback URL.
    pub fn allows_multiple_redirect_uris(self) -> bool {
        match self {
            Self::Okta
            | Self::Entra
            | Self::Google
            | Self::GoogleWorkspace
            | Self::Authentik
            | Self::Oidc => true,
            Self::OktaSaml
            | Self::Saml
            | Self::OAuth
            | Self::OneTimePin
            | Self::Cloudflare
            | Self::Passkeys => false,
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Self::Okta => "Okta",
            Self::OktaSaml => "Okta (SAML)",
            Self::Entra => "Microsoft Entra ID",
            Self::Google => "Google",
            Self::GoogleWorkspace => "Google Workspace",
            Self::Authentik => "authentik",
            Self::Oidc => "OpenID Connect",
            Self::Saml => "SAML",
            Self::OneTimePin => "One-time PIN",
            Self::Cloudflare => "Cloudflare",
            Self::Passkeys => "Passkeys",
            Self::OAuth => "OAuth client",
        }
    }
}

/// The changes to make at an identity provider when the team domain changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct UrlChange {
    /// The product that the steps are for.
    pub product: Product,
    /// The name of the product.
    pub title: &'static str,
    /// The fields that change; empty if no values have to be entered.
    pub fields: Vec<FieldChange>,
    /// The steps to find the fields, in order.
    pub steps: Vec<&'static str>,
    /// Whether the new values can be entered before the rename, in addition to the
    /// old ones.
    pub can_be_set_in_advance: bool,
}

/// A field to change at the identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FieldChange {
    /// The name of the field at the identity provider.
    pub name: &'static str,
    /// The current value; `null` if it is unknown.
    pub before: Option<String>,
    /// The value to enter.
    pub after: String,
}

pub fn url_change(product: Product, before: &Values, after: &Values) -> UrlChange {
    let pairs = fields(product, before).into_iter().zip(fields(product, after));
    let changed = pairs.filter(|(before, after)| before.value != after.value);
    let fields = changed.map(|(before, after)| FieldChange {
        name: after.name,
        before: Some(before.value),
        after: after.value,
    });
    UrlChange {
        product,
        title: product.title(),
        fields: fields.collect(),
        steps: move_steps(product).into(),
        can_be_set_in_advance: product.allows_multiple_redirect_uris(),
    }
}

fn move_steps(product: Product) -> &'static [&'static str] {
    match product {
        Product::Okta => &[
            "in the Okta admin console, open Applications, the app, General Settings, Edit",
            "add the new sign-in redirect URI and save; remove the old one afterwards",
        ],
        Product::OktaSaml => &[
            "in the Okta admin console, open Applications, the app, General, SAML Settings, Edit",
            "replace the single sign-on URL and the audience URI, and finish the wizard",
        ],
        Product::Entra => &[
            "in the Entra admin center, open App registrations, the app, Authentication",
            "add the new redirect URI under Web and save; remove the old one afterwards",
        ],
        Product::Google | Product::GoogleWorkspace => &[
            "in the Google Cloud console, open APIs & Services, Credentials, the OAuth client",
            "add the new origin and the new redirect URI, and save; remove the old ones afterwards",
        ],
        Product::Authentik => &[
            "in the authentik admin interface, open Applications, Providers, the provider, Edit",
            "add the new redirect URI as strict, and update; remove the old one afterwards",
        ],
        Product::Oidc => &[
            "at the IdP, open the client that Cloudflare uses",
            "add the new redirect URI and save; remove the old one afterwards",
        ],
        Product::Saml => &[
            "at the IdP, open the SAML application that Cloudflare uses",
            "replace ACS URL and entity ID, or reload the metadata URL",
        ],
        Product::OAuth => &[
            "in the service's developer settings, open the OAuth app",
            "replace the homepage and the callback URL",
        ],
        Product::OneTimePin | Product::Cloudflare | Product::Passkeys => &[],
    }
}

fn is_okta(url: &str) -> bool {
    let host = url.split('/').nth(2).unwrap_or_default();
    [".okta.com", ".oktapreview.com", ".okta-emea.com"].iter().any(|end| host.ends_with(end))
}

pub fn guide(product: Product, values: &Values) -> Guide {
    Guide {
        product,
        title: product.title(),
        fields: fields(product, values),
        steps: steps(product).iter().map(|step| (*step).to_owned()).collect(),
    }
}

fn fields(product: Product, values: &Values) -> Vec<SetupField> {
    let field = |name, value: &str| SetupField { name, value: value.to_owned() };
    let callback = |name| field(name, &values.callback);
    match product {
        Product::Okta => vec![callback("Sign-in redirect URIs")],
        Product::OktaSaml => vec![
            callback("Single sign-on URL"),
            callback("Audience URI (SP Entity ID)"),
            field("Name ID format", "EmailAddress"),
            field("Application username", "Email"),
        ],
        Product::Entra => vec![callback("Redirect URI (Web)")],
        Product::Google | Product::GoogleWorkspace => vec![
            field("Authorized JavaScript origins", &values.origin),
            callback("Authorized redirect URIs"),
        ],
        Product::Authentik => vec![callback("Redirect URIs/Origins (strict)")],
        Product::Oidc => {
            vec![callback("Redirect URI"), field("Scopes", "openid email profile")]
        }
        Product::Saml => vec![
            callback("ACS (assertion consumer service) URL"),
            callback("Entity ID or audience"),
            field(
                "Metadata URL, if the IdP reads one",
                values.own_metadata.as_ref().unwrap_or(&values.metadata),
            ),
            field("Name ID format", "EmailAddress"),
        ],
        Product::OAuth => vec![
            field("Homepage or website URL", &values.origin),
            callback("Authorization callback URL"),
        ],
        Product::OneTimePin | Product::Cloudflare | Product::Passkeys => Vec::new(),
    }
}

fn steps(product: Product) -> &'static [&'static str] {
    match product {
        Product::Okta => &[
            "in the Okta admin console, open Applications and create an app integration: OIDC, Web Application",
            "enter the sign-in redirect URI, and assign users or groups to the app",
            "on the Sign On tab, set the groups claim to the filter `groups`, Matches regex, `.*`, if policies need groups",
            "copy client ID and client secret; the account is the Okta URL without `-admin`",
            "`cfsso idp create okta --client-id … --client-secret-file - --okta-account https://company.okta.com`",
        ],
        Product::OktaSaml => &[
            "in the Okta admin console, open Applications and create an app integration: SAML 2.0",
            "enter the single sign-on URL and the audience URI; Name ID format EmailAddress, application username Email",
            "add an attribute statement `email` with the value `user.email`, and assign users",
            "on the Sign On tab, copy the metadata URL",
            "`cfsso idp create saml --metadata <METADATA URL>`",
        ],
        Product::Entra => &[
            "in the Entra admin center, open App registrations and register an app with the redirect URI, platform Web",
            "under Certificates & secrets, create a client secret and copy its value (shown once)",
            "under API permissions, add the delegated permissions of Microsoft Graph `email`, `openid`, `profile`, `offline_access`, `User.Read`, and `Directory.Read.All`, `GroupMember.Read.All` for groups; grant admin consent",
            "copy the application (client) ID and the directory (tenant) ID from Overview",
            "`cfsso idp create azureAD --client-id … --client-secret-file - --directory-id …`",
        ],
        Product::Google => &[
            "in the Google Cloud console, set up the OAuth consent screen, and create an OAuth client ID: Web application",
            "enter the JavaScript origin and the redirect URI",
            "copy client ID and client secret",
            "`cfsso idp create google --client-id … --client-secret-file -`",
        ],
        Product::GoogleWorkspace => &[
            "in the Google Cloud console, enable the Admin SDK API, set the consent screen to Internal, and create an OAuth client ID: Web application",
            "enter the JavaScript origin and the redirect URI, and copy client ID and client secret",
            "in the Google Admin console, allow internal apps to access Workspace data under Security, API controls",
            "`cfsso idp create google-apps --client-id … --client-secret-file - --apps-domain company.com`",
            "a Workspace administrator opens the link that the dashboard shows after that, and consents",
        ],
        Product::Authentik => &[
            "in the authentik admin interface, create an application with a provider: OAuth2/OpenID",
            "enter the redirect URI as strict, pick a signing key (RS256), keep the scopes `openid`, `email`, `profile`",
            "bind the application to users or groups",
            "copy client ID, client secret and the provider's OpenID configuration issuer, trailing slash included",
            "`cfsso idp create oidc --preset authentik --issuer https://authentik.company/application/o/<slug>/ --client-id … --client-secret-file -`",
        ],
        Product::Oidc => &[
            "at the IdP, register a confidential web client for the authorization code flow, and enter the redirect URI",
            "allow the scopes, and make sure that the ID token has the claim `email`",
            "copy client ID, client secret and issuer",
            "`cfsso idp create oidc --discover <ISSUER> --client-id … --client-secret-file -`",
        ],
        Product::Saml => &[
            "at the IdP, add a SAML application, by hand with ACS URL and entity ID or from the metadata URL",
            "send the email address as name ID and as attribute `email`",
            "sign the response or the assertion with SHA-256, and export the metadata",
            "`cfsso idp create saml --metadata <URL or file>`",
        ],
        Product::OAuth => &[
            "in the service's developer settings, register an OAuth app with the homepage and the callback URL",
            "copy client ID and client secret",
            "`cfsso idp create <TYPE> --client-id … --client-secret-file -`",
        ],
        Product::OneTimePin => &[
            "no settings elsewhere: users allowed by a policy receive a PIN by email",
            "allow email from `noreply@notify.cloudflare.com`",
        ],
        Product::Cloudflare => {
            &["no settings elsewhere: users sign in with their Cloudflare accounts"]
        }
        Product::Passkeys => &["no settings elsewhere: users sign in with their passkeys"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_follow_from_the_domain() {
        let expected = "https://cats.cloudflareaccess.com/cdn-cgi/access";
        for domain in [
            "cats.cloudflareaccess.com",
            "https://Cats.cloudflareaccess.com/",
            " cats.cloudflareaccess.com. ",
        ] {
            let values = values(domain, Some("f174e90a"));
            assert_eq!(values.callback, format!("{expected}/callback"));
            assert_eq!(values.metadata, format!("{expected}/saml-metadata"));
            assert_eq!(values.own_metadata, Some(format!("{expected}/f174e90a/saml-metadata")));
            assert_eq!(values.certs, format!("{expected}/certs"));
        }
        assert_eq!(values("cats.cloudflareaccess.com", None).own_metadata, None);
    }

    #[test]
    fn the_product_is_told_by_type_and_sign_in_url() {
        for (kind, sign_in, expected) in [
            ("okta", None, Product::Okta),
            ("AzureAD", None, Product::Entra),
            ("oidc", Some("https://a.cats/application/o/authorize/"), Product::Authentik),
            ("oidc", Some("https://a.cats/authorize"), Product::Oidc),
            ("oidc", None, Product::Oidc),
            ("saml", Some("https://a.okta.com/app/x/sso/saml"), Product::OktaSaml),
            ("saml", Some("https://evil.cats/a.okta.com/"), Product::Saml),
            ("saml", None, Product::Saml),
            ("ping", None, Product::Oidc),
            ("github", None, Product::OAuth),
            ("otp", None, Product::OneTimePin),
            ("passkeys", None, Product::Passkeys),
            ("retina-scan", None, Product::Oidc),
        ] {
            assert_eq!(Product::of(kind, sign_in), expected, "{kind} {sign_in:?}");
        }
    }

    #[test]
    fn every_known_type_has_steps_and_those_with_an_idp_the_callback() {
        let values = values("cats.cloudflareaccess.com", None);
        for kind in crate::idp::kind::all() {
            let guide = guide(Product::of(kind.name, None), &values);
            assert!(!guide.steps.is_empty());
            let has_callback = guide.fields.iter().any(|entry| entry.value == values.callback);
            let has_idp = kind.federable && kind.name != "passkeys";
            assert_eq!(has_callback, has_idp, "{}", kind.name);
        }
    }

    #[test]
    fn a_move_names_the_fields_that_change_with_both_values() {
        let [before, after] = ["a.cloudflareaccess.com", "b.cloudflareaccess.com"]
            .map(|domain| values(domain, Some("p1")));
        for kind in crate::idp::kind::all() {
            let product = Product::of(kind.name, None);
            let moved = url_change(product, &before, &after);
            let has_callback = moved.fields.iter().any(|field| field.after == after.callback);
            let has_idp = kind.federable && kind.name != "passkeys";
            assert_eq!(has_callback, has_idp, "{}", kind.name);
            assert_eq!(moved.steps.is_empty(), !has_idp, "{}", kind.name);
            assert!(moved.fields.iter().all(|field| {
                field.before.as_ref().is_some_and(|it| it.contains("//a."))
                    && field.after.contains("//b.")
            }));
        }
        let saml = url_change(Product::Saml, &before, &after);
        assert_eq!(saml.fields.len(), 3, "the format of the name ID stays");
    }

    #[test]
    fn saml_names_the_metadata_of_its_own_where_there_is_one() {
        for (idp, expected) in [
            (None, "/cdn-cgi/access/saml-metadata"),
            (Some("x"), "/cdn-cgi/access/x/saml-metadata"),
        ] {
            let values = values("cats.cloudflareaccess.com", idp);
            let guide = guide(Product::Saml, &values);
            assert!(guide.fields.iter().any(|entry| entry.value.ends_with(expected)));
        }
    }
}
