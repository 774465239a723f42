use super::Context;
use crate::api::connector::Connector;
use crate::flow::FlowError;
use crate::flow::connector::{self, Selector};

impl Context {
    /// The connector as given, the default one, or the only one of the account.
    pub async fn selector(&self, given: Option<&Selector>) -> anyhow::Result<Selector> {
        match self.named_selector(given) {
            Ok(Some(selector)) => Ok(selector),
            Ok(None) => Box::pin(self.only_connector()).await,
            Err(error) => Err(error),
        }
    }

    /// The connector as given, or the default one.
    pub fn named_selector(&self, given: Option<&Selector>) -> anyhow::Result<Option<Selector>> {
        if let Some(selector) = given {
            return Ok(Some(selector.clone()));
        }
        let default = self.settings.connector.as_ref().map(|default| default.parse()).transpose();
        default.map_err(|error| FlowError::usage(format!("the default connector: {error}")).into())
    }

    /// Fails if there is an invalid record, which could be another connector.
    async fn only_connector(&self) -> anyhow::Result<Selector> {
        let env = self.env().await?;
        let connectors = connector::list(&env).await?;
        match connectors.as_slice() {
            [only] if env.client.odd_records(Some("connector")).is_empty() => {
                Ok(Selector::Id(only.id.clone()))
            }
            [] => Err(FlowError::usage("this account has no connectors")
                .hint("`cfsso setup <DOMAIN>`")
                .into()),
            several => Err(not_specified(several)),
        }
    }
}

/// The error if no connector is named; `connectors` are those to choose from.
pub fn not_specified(connectors: &[Connector]) -> anyhow::Error {
    let domains: Vec<_> = connectors.iter().map(|it| it.email_domain.as_str()).collect();
    let existing = (!domains.is_empty()).then(|| format!("existing: {}", domains.join(", ")));
    FlowError::usage("no connector was specified")
        .causes(existing)
        .hint("pass its domain or ID, or set CLOUDFLARE_SSO_CONNECTOR_ID")
        .into()
}
