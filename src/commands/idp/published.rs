//! What an identity provider publishes about itself: by OIDC discovery, or in
//! SAML metadata. Shown before anything is created.

use std::path::PathBuf;

use serde_json::{Map, Value};
use url::Url;

use crate::context::Context;
use crate::flow::{Stop, StopKind};
use crate::idp::preset::{Inputs, Preset};
use crate::idp::{Fetcher, Limits, Loopback, discovery, issuer::Issuer, metadata};

/// Where to read what is published.
#[derive(clap::Args, Debug)]
pub struct Published {
    /// Fill the endpoints from this issuer's discovery document (oidc)
    #[arg(long, value_name = "ISSUER", conflicts_with_all = ["preset", "metadata"])]
    discover: Option<String>,

    /// Work the issuer out as this product has it: okta, entra, google, authentik, keycloak (oidc)
    #[arg(long, conflicts_with = "metadata")]
    preset: Option<Preset>,

    /// Issuer, or the address of the installation, for --preset
    #[arg(long, value_name = "URL", requires = "preset")]
    issuer: Option<String>,

    /// For --preset: directory ID, realm, slug or authorization server
    #[arg(long, value_name = "NAME", requires = "preset")]
    tenant: Option<String>,

    /// Read entity ID, sign-in URL and certificates from SAML metadata (saml)
    #[arg(long, value_name = "URL|FILE")]
    metadata: Option<String>,
}

impl Published {
    /// The fields that what is published fills, each shown.
    pub async fn read(&self, context: &Context) -> anyhow::Result<Map<String, Value>> {
        let config = if let Some(issuer) = self.issuer()? {
            let found = discovery::discover(&fetcher(context)?, &issuer).await.map_err(usage)?;
            context.screen.note(format!("`{}` publishes:", found.issuer));
            for odd in &found.notes {
                context.screen.warn(odd.as_str());
            }
            found.config()
        } else if let Some(place) = &self.metadata {
            let found = self.metadata(context, place).await?;
            context.screen.note(format!("the metadata of `{}` says:", found.entity_id));
            found.config()
        } else {
            return Ok(Map::new());
        };
        for (name, value) in &config {
            context.screen.note(format!("  {name}: {value}"));
        }
        Ok(config)
    }

    /// The type that what is published is for.
    #[must_use]
    pub fn kind(&self) -> Option<&'static str> {
        if self.metadata.is_some() {
            return Some("saml");
        }
        (self.discover.is_some() || self.preset.is_some()).then_some("oidc")
    }

    fn issuer(&self) -> anyhow::Result<Option<Issuer>> {
        if let Some(text) = &self.discover {
            return Ok(Some(text.parse().map_err(usage)?));
        }
        let Some(preset) = self.preset else { return Ok(None) };
        let inputs = Inputs { url: self.issuer.as_deref(), name: self.tenant.as_deref() };
        Ok(Some(preset.issuer(inputs).map_err(usage)?))
    }

    async fn metadata(&self, context: &Context, place: &str) -> anyhow::Result<metadata::Metadata> {
        let now = context.clock.now();
        let is_url = place.starts_with("https://") || place.starts_with("http://");
        let found = if is_url {
            let url: Url = place.parse().map_err(usage)?;
            metadata::from_url(&fetcher(context)?, &url, now).await
        } else {
            metadata::from_file(&PathBuf::from(place), now)
        };
        Ok(found.map_err(usage)?)
    }
}

/// What asks identity providers. This machine is asked only where the simulator
/// stands in for the API.
pub(super) fn fetcher(context: &Context) -> anyhow::Result<Fetcher> {
    let loopback = if context.settings.sandbox || context.settings.base.is_plain() {
        Loopback::Allowed
    } else {
        Loopback::Refused
    };
    let limits = Limits { loopback, ..Limits::default() };
    Ok(Fetcher::new(context.settings.roots.tls()?, limits))
}

fn usage(error: impl std::error::Error) -> Stop {
    let mut causes = Vec::new();
    let mut layer = error.source();
    while let Some(cause) = layer {
        causes.push(cause.to_string());
        layer = cause.source();
    }
    Stop::new(StopKind::Usage, error.to_string()).causes(causes)
}
