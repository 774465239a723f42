//! Issuers of well-known products, from the few values that their users know.

use std::str::FromStr;

use url::Url;

use super::issuer::{InvalidIssuer, Issuer};
use super::text::{is_uuid, organization_of_admin};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// `https://company.okta.com`, or `…/oauth2/<authorization server>`.
    Okta,
    /// `https://login.microsoftonline.com/<directory ID>/v2.0`.
    Entra,
    /// `https://accounts.google.com`.
    Google,
    /// `https://authentik.company/application/o/<slug>/`.
    Authentik,
    /// `https://keycloak.company/realms/<realm>`.
    Keycloak,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'a> {
    /// The issuer, or the URL or host of the installation.
    pub url: Option<&'a str>,
    /// Okta: authorization server; Entra: directory ID; authentik: application slug; Keycloak:
    /// realm.
    pub name: Option<&'a str>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PresetError {
    #[error("{preset} needs {what}")]
    Missing { preset: &'static str, what: &'static str },
    #[error("{preset} has one issuer, `{issuer}`; leave out the rest")]
    UnexpectedInput { preset: &'static str, issuer: &'static str },
    #[error("`{given}` is the Okta admin console; the issuer is `{organization_url}`")]
    AdminUrl { given: String, organization_url: String },
    #[error(
        "`{given}` is not a directory ID: the UUID in the Entra admin center, \
         `Tenant ID` under Overview"
    )]
    MissingTenant { given: String },
    #[error("`{given}` cannot be {what}: it must be one segment of a URL path")]
    Name { given: String, what: &'static str },
    #[error(transparent)]
    Issuer(#[from] InvalidIssuer),
}

const ENTRA: &str = "https://login.microsoftonline.com";
const GOOGLE: &str = "https://accounts.google.com";

impl Preset {
    pub const ALL: [Self; 5] =
        [Self::Okta, Self::Entra, Self::Google, Self::Authentik, Self::Keycloak];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Okta => "okta",
            Self::Entra => "entra",
            Self::Google => "google",
            Self::Authentik => "authentik",
            Self::Keycloak => "keycloak",
        }
    }

    pub fn issuer(self, inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
        match self {
            Self::Okta => okta(inputs),
            Self::Entra => entra(inputs),
            Self::Google => google(inputs),
            Self::Authentik => authentik(inputs),
            Self::Keycloak => keycloak(inputs),
        }
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        let found = Self::ALL.into_iter().find(|preset| preset.as_str() == text);
        found.ok_or_else(|| format!("unknown preset `{text}`; presets: {}", names()))
    }
}

fn okta(inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
    let what = "the organization's URL, such as `https://company.okta.com`";
    let given = inputs.url.ok_or(PresetError::Missing { preset: "Okta", what })?;
    let url = base(given)?;
    if let Some(organization_url) = organization_of_admin(&url) {
        return Err(PresetError::AdminUrl { given: given.to_owned(), organization_url });
    }
    let text = url.as_str().trim_end_matches('/');
    match inputs.name {
        Some(server) => {
            let server = part(server, "an authorization server")?;
            Ok(format!("{text}/oauth2/{server}").parse()?)
        }
        None => Ok(text.parse()?),
    }
}

fn entra(inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
    let what = "the directory (tenant) ID";
    let directory = match (inputs.name, inputs.url) {
        (Some(name), _) => name.to_owned(),
        (None, Some(url)) => {
            let url = base(url)?;
            url.path().split('/').find(|part| !part.is_empty()).unwrap_or_default().to_owned()
        }
        (None, None) => return Err(PresetError::Missing { preset: "Entra ID", what }),
    };
    if !is_uuid(&directory) {
        return Err(PresetError::MissingTenant { given: directory });
    }
    Ok(format!("{ENTRA}/{}/v2.0", directory.to_ascii_lowercase()).parse()?)
}

fn google(inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
    let is_its_own = inputs.url.is_none_or(|url| url.trim_end_matches('/') == GOOGLE);
    if inputs.name.is_some() || !is_its_own {
        return Err(PresetError::UnexpectedInput { preset: "Google", issuer: GOOGLE });
    }
    Ok(GOOGLE.parse()?)
}

fn authentik(inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
    let what = "the issuer, such as `https://authentik.company/application/o/<slug>/`, or the URL \
                of the installation and the application's slug";
    let missing = || PresetError::Missing { preset: "authentik", what };
    let url = base(inputs.url.ok_or_else(missing)?)?;
    let text = url.as_str().trim_end_matches('/');
    // Each application has its own issuer, which ends with a slash.
    match (text.split_once("/application/o/"), inputs.name) {
        (Some((_, slug)), None) if !slug.contains('/') => Ok(format!("{text}/").parse()?),
        (None, Some(slug)) => {
            let slug = part(slug, "a slug")?;
            Ok(format!("{text}/application/o/{slug}/").parse()?)
        }
        _ => Err(missing()),
    }
}

fn keycloak(inputs: Inputs<'_>) -> Result<Issuer, PresetError> {
    let what = "the issuer, such as `https://keycloak.company/realms/<realm>`, or the URL of the \
                installation and the realm";
    let missing = || PresetError::Missing { preset: "Keycloak", what };
    let url = base(inputs.url.ok_or_else(missing)?)?;
    let text = url.as_str().trim_end_matches('/');
    match (text.split_once("/realms/"), inputs.name) {
        (Some((_, realm)), None) if !realm.contains('/') => Ok(text.parse()?),
        (None, Some(realm)) => Ok(format!("{text}/realms/{}", part(realm, "a realm")?).parse()?),
        _ => Err(missing()),
    }
}

/// With or without scheme; the URL of the document is accepted, too.
fn base(text: &str) -> Result<Url, PresetError> {
    let text = text.trim();
    let text = text.strip_suffix("/.well-known/openid-configuration").unwrap_or(text);
    let text = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let issuer: Issuer = text.parse()?;
    Ok(issuer.as_str().parse().expect("an issuer is a URL"))
}

fn part<'a>(text: &'a str, what: &'static str) -> Result<&'a str, PresetError> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !text.is_empty() && !text.starts_with('.') && text.chars().all(is_part) {
        return Ok(text);
    }
    Err(PresetError::Name { given: text.to_owned(), what })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIRECTORY: &str = "4B1F8C6E-0d7a-4f0e-9f5c-1c2d3e4f5a6b";

    fn issuer(preset: &str, url: &str, name: &str) -> Result<String, String> {
        let given = |text: &'static str| (!text.is_empty()).then_some(text);
        let (url, name) = (url.to_owned().leak(), name.to_owned().leak());
        let inputs = Inputs { url: given(url), name: given(name) };
        let preset: Preset = preset.parse()?;
        preset.issuer(inputs).map(|issuer| issuer.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn few_inputs_make_an_issuer() {
        let lower = DIRECTORY.to_ascii_lowercase();
        let entra = format!("https://login.microsoftonline.com/{lower}/v2.0");
        let authentik = "https://auth.cats/application/o/cf/";
        for (preset, url, name, expected) in [
            ("okta", "company.okta.com", "", "https://company.okta.com"),
            ("okta", "https://company.okta.com/", "", "https://company.okta.com"),
            (
                "okta",
                "https://company.okta.com/",
                "default",
                "https://company.okta.com/oauth2/default",
            ),
            (
                "okta",
                "https://company.okta.com/oauth2/abc",
                "",
                "https://company.okta.com/oauth2/abc",
            ),
            ("entra", "", DIRECTORY, &entra),
            ("entra", &entra, "", &entra),
            ("google", "", "", "https://accounts.google.com"),
            ("google", "https://accounts.google.com/", "", "https://accounts.google.com"),
            ("authentik", authentik, "", authentik),
            ("authentik", "https://auth.cats/application/o/cf", "", authentik),
            (
                "authentik",
                "https://auth.cats/application/o/cf/.well-known/openid-configuration",
                "",
                authentik,
            ),
            ("authentik", "auth.cats", "cf", authentik),
            ("authentik", "https://x.cats/sso/", "cf", "https://x.cats/sso/application/o/cf/"),
            ("keycloak", "https://key.cats/realms/a/", "", "https://key.cats/realms/a"),
            ("keycloak", "https://key.cats/auth/realms/a", "", "https://key.cats/auth/realms/a"),
            ("keycloak", "key.cats", "a", "https://key.cats/realms/a"),
            ("keycloak", "http://127.0.0.1:8080", "a", "http://127.0.0.1:8080/realms/a"),
        ] {
            assert_eq!(issuer(preset, url, name).as_deref(), Ok(expected), "{preset} {url} {name}");
        }
    }

    #[test]
    fn what_makes_no_issuer_says_what_is_needed() {
        for (preset, url, name, expected) in [
            ("auth0", "", "", "presets: okta, entra, google, authentik, keycloak"),
            ("okta", "", "", "Okta needs the organization's URL"),
            (
                "okta",
                "https://company-admin.okta.com",
                "",
                "the issuer is `https://company.okta.com`",
            ),
            ("okta", "http://company.okta.com", "", "`https://`"),
            ("okta", "company.okta.com", "a/b", "`a/b` cannot be an authorization server"),
            ("entra", "", "", "Entra ID needs the directory (tenant) ID"),
            ("entra", "", "common", "`common` is not a directory ID"),
            ("entra", "", "company.onmicrosoft.com", "`Tenant ID` under Overview"),
            ("google", "", "company.com", "has one issuer"),
            ("google", "https://company.com", "", "has one issuer"),
            ("authentik", "", "", "authentik needs the issuer"),
            ("authentik", "https://auth.cats/", "", "authentik needs the issuer"),
            ("authentik", "https://auth.cats/application/o/cf/x", "", "authentik needs the issuer"),
            ("authentik", "https://auth.cats/", "../x", "`../x` cannot be a slug"),
            ("keycloak", "https://key.cats", "", "Keycloak needs the issuer"),
            ("keycloak", "https://key.cats/realms/a/b", "", "Keycloak needs the issuer"),
            ("keycloak", "https://key.cats", "a b", "`a b` cannot be a realm"),
        ] {
            let error = issuer(preset, url, name).unwrap_err();
            assert!(error.contains(expected), "{preset} {url} {name}: {error}");
        }
    }
}
