//! The HTTP client for identity providers and the team's domain.

use super::Context;
use crate::idp::{FetchLimits, Fetcher, LoopbackPolicy};

impl Context {
    /// Allows loopback addresses only with the simulator.
    pub async fn fetcher(&self) -> anyhow::Result<Fetcher> {
        self.fetcher_of(FetchLimits::default().body).await
    }

    /// [`Context::fetcher`] for pages of up to this many bytes.
    pub async fn fetcher_of(&self, body: usize) -> anyhow::Result<Fetcher> {
        let simulator = self.simulator_url().await?;
        let loopback = match simulator {
            Some(_) => LoopbackPolicy::Allowed,
            None => LoopbackPolicy::Refused,
        };
        let limits = FetchLimits { body, loopback, ..FetchLimits::default() };
        let proxy = self.settings.proxy.checked()?;
        let fetcher = Fetcher::new(self.settings.roots.tls()?, limits).by(proxy);
        Ok(fetcher.with_simulator(simulator))
    }

    /// The simulator's URL, if it is in use: in this process or in another one.
    async fn simulator_url(&self) -> anyhow::Result<Option<url::Url>> {
        if let Some(sandbox) = self.sandbox().await? {
            return Ok(Some(sandbox.base_url().parse()?));
        }
        let base = &self.settings.base;
        Ok(base.is_plain_http().then(|| base.to_string().parse()).transpose()?)
    }

    /// Where a team's domain publishes its keys. The simulator has them beside its API.
    pub async fn team_keys(&self, auth_domain: &str) -> anyhow::Result<url::Url> {
        let base = match self.sandbox().await? {
            Some(sandbox) => sandbox.base_url().parse()?,
            None => self.settings.base.clone(),
        };
        let place = match base.plain_http_origin() {
            Some(origin) => format!("{origin}/teams/{auth_domain}"),
            None => format!("https://{auth_domain}"),
        };
        Ok(format!("{place}/cdn-cgi/access/certs").parse()?)
    }
}
