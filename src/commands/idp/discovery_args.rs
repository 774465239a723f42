//! Reads and shows what an identity provider publishes, before anything is created.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Chain;
use serde_json::{Map, Value};
use url::Url;

use crate::context::Context;
use crate::flow::{FlowError, FlowErrorKind};
use crate::idp::discovery::{self, DiscoveryError};
use crate::idp::issuer::Issuer;
use crate::idp::metadata::{self, MetadataError};
use crate::idp::preset::{Inputs, Preset};
use crate::shell::quoted;

/// Where to read what is published.
#[derive(clap::Args, Debug)]
pub struct DiscoveryArgs {
    /// Fill the endpoints from the discovery document of this issuer (oidc)
    #[arg(long, value_name = "ISSUER", conflicts_with_all = ["preset", "metadata", "issuer"])]
    discover: Option<String>,

    /// Derive the issuer: okta, entra, google, authentik, keycloak (oidc)
    #[arg(long, conflicts_with = "metadata")]
    preset: Option<Preset>,

    /// Issuer or base URL of the product, for --preset; alone as --discover
    #[arg(long, value_name = "URL", conflicts_with = "metadata")]
    issuer: Option<String>,

    /// Directory ID, realm, slug or authorization server, for --preset
    #[arg(long, value_name = "NAME", requires = "preset")]
    tenant: Option<String>,

    /// Read entity ID, sign-in URL and certificates from SAML metadata (saml)
    #[arg(long, value_name = "URL|FILE")]
    metadata: Option<String>,

    /// Entity ID of the identity provider, if the metadata describes several
    #[arg(long, value_name = "ID", requires = "metadata")]
    entity_id: Option<String>,

    /// The published document, if it was already fetched and shown.
    #[arg(skip)]
    known: Option<Rc<Published>>,
}

#[derive(Debug)]
pub enum Published {
    Oidc(discovery::Discovery),
    Saml(metadata::Metadata),
}

impl Published {
    pub fn show(&self, context: &Context) {
        let (heading, notes) = match self {
            Self::Oidc(found) => {
                (format!("discovery document of `{}`:", found.issuer), &found.notes)
            }
            Self::Saml(found) => (format!("metadata of `{}`:", found.entity_id), &found.notes),
        };
        context.screen.note(heading);
        for note in notes {
            context.screen.warn(note.as_str());
        }
        for (name, value) in self.config() {
            context.screen.note(format!("  {name}: {value}"));
        }
    }

    fn config(&self) -> Map<String, Value> {
        match self {
            Self::Oidc(found) => found.config(),
            Self::Saml(found) => found.config(),
        }
    }
}

impl DiscoveryArgs {
    /// `given`: the fields that are set by other options.
    pub async fn read(
        &self,
        context: &Context,
        given: &Map<String, Value>,
    ) -> anyhow::Result<Map<String, Value>> {
        let Some(published) = self.fetch(context).await? else { return Ok(Map::new()) };
        if let Published::Saml(found) = &*published
            && found.lacks_email_name()
            && !given.contains_key("email_attribute_name")
        {
            return Err(no_email_name(found).into());
        }
        if self.known.is_none() {
            published.show(context);
        }
        Ok(published.config())
    }

    pub async fn fetch(&self, context: &Context) -> anyhow::Result<Option<Rc<Published>>> {
        if self.known.is_some() {
            return Ok(self.known.clone());
        }
        if let Some(issuer) = self.issuer()? {
            let found = discovery::discover(&context.fetcher().await?, &issuer).await;
            let found = found.map_err(not_discovered)?;
            return Ok(Some(Rc::new(Published::Oidc(found))));
        }
        let Some(place) = &self.metadata else { return Ok(None) };
        Ok(Some(Rc::new(Published::Saml(self.metadata(context, place).await?))))
    }

    pub fn use_published(&mut self, published: Option<Rc<Published>>) {
        self.known = published;
    }

    pub fn kind(&self) -> Option<&'static str> {
        if self.metadata.is_some() {
            return Some("saml");
        }
        let named = self.discover.is_some() || self.preset.is_some() || self.issuer.is_some();
        named.then_some("oidc")
    }

    pub fn filled_fields(&self) -> &'static [&'static str] {
        match self.kind() {
            Some("oidc") => &["auth_url", "token_url", "certs_url"],
            Some(_) => &["sso_target_url", "issuer_url", "idp_public_certs"],
            None => &[],
        }
    }

    fn issuer(&self) -> anyhow::Result<Option<Issuer>> {
        if let Some(text) = &self.discover {
            return Ok(Some(text.parse().map_err(usage)?));
        }
        let Some(preset) = self.preset else {
            return Ok(self.issuer.as_ref().map(|text| text.parse()).transpose().map_err(usage)?);
        };
        let inputs = Inputs { url: self.issuer.as_deref(), name: self.tenant.as_deref() };
        Ok(Some(preset.issuer(inputs).map_err(usage)?))
    }

    async fn metadata(&self, context: &Context, place: &str) -> anyhow::Result<metadata::Metadata> {
        let now = context.clock.now();
        let id = self.entity_id.as_deref().map(str::trim);
        let is_url = place.starts_with("https://") || place.starts_with("http://");
        let found = if is_url {
            let url: Url = place.parse().map_err(usage)?;
            metadata::from_url(&context.fetcher_of(metadata::MAX_SIZE).await?, &url, id, now).await
        } else {
            metadata::from_file(&PathBuf::from(place), id, now)
        };
        Ok(found.map_err(|error| {
            let message = format!("`{place}` cannot be used as SAML metadata");
            let candidates = candidates(&error, place);
            let kind = match &error {
                MetadataError::HtmlPage { source, .. } if source.is_unreachable() => {
                    FlowErrorKind::Unreachable
                }
                _ => FlowErrorKind::Usage,
            };
            let causes = Chain::new(&error).map(ToString::to_string);
            let failure = FlowError::new(kind, message).causes(causes);
            candidates.into_iter().fold(failure, FlowError::hint)
        })?)
    }
}

fn candidates(error: &MetadataError, place: &str) -> Option<String> {
    let MetadataError::MultipleEntities(ids) = error else { return None };
    let lines = ids.iter().take(20).map(|id| {
        format!("`cfsso idp create saml --metadata {} --entity-id {}`", quoted(place), quoted(id))
    });
    let more = ids.len().saturating_sub(20);
    let more = (more > 0).then(|| format!("and {more} more"));
    Some(lines.chain(more).collect::<Vec<_>>().join("\n"))
}

fn no_email_name(found: &metadata::Metadata) -> FlowError {
    let formats = found.name_id_formats.join(", ");
    FlowError::usage(format!("`{}` does not offer an email address as name ID", found.entity_id))
        .cause(format!("name ID formats: {formats}; every sign-in would be rejected"))
        .hint("specify the attribute with the address: `--email-attribute-name email`")
}

/// For an issuer mismatch, the hint contains the options with the endpoints that were found.
fn not_discovered(error: DiscoveryError) -> FlowError {
    match &error {
        DiscoveryError::Fetch { source, .. } if source.is_unreachable() => {
            FlowError { kind: FlowErrorKind::Unreachable, ..usage(error) }.hint(
                "check the URL; `cfsso idp create oidc --help` lists the options for the endpoints",
            )
        }
        DiscoveryError::IssuerMismatch { found, .. } => {
            let hint = format!(
                "if the endpoints are correct: `cfsso idp create oidc --auth-url {} --token-url {} --certs-url {}`",
                quoted(found.auth_url.as_str()),
                quoted(found.token_url.as_str()),
                quoted(found.certs_url.as_str())
            );
            usage(error).hint(hint)
        }
        _ => usage(error),
    }
}

fn usage(error: impl std::error::Error + 'static) -> FlowError {
    let causes = Chain::new(&error).skip(1).map(ToString::to_string);
    FlowError::usage(error.to_string()).causes(causes)
}
