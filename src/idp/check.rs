//! Checks of an identity provider without a login. Only fetching has I/O.

mod evaluate;
mod facts;
mod plan;
mod result;
mod saml;
mod subject;

use jiff::Timestamp;

use super::fetch::Fetcher;

pub use plan::KnownIssuers;
pub use result::{CheckState, IdpCheck, IdpCheckId, Severity};
pub use subject::Subject;

/// The dashboard's list of identity providers, each with a Test button.
pub const DASHBOARD: &str =
    "https://one.dash.cloudflare.com/?to=/:account/integrations/identity-providers";

#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub now: Timestamp,
    /// Warn if a certificate expires within this time.
    pub cert_days: u32,
    pub one_time_pins: usize,
    pub issuers: KnownIssuers,
}

impl CheckOptions {
    pub fn new(now: Timestamp, one_time_pins: usize) -> Self {
        Self { now, cert_days: 30, one_time_pins, issuers: KnownIssuers::default() }
    }
}

/// Runs all checks concurrently. The last result is always that a real login was not tested.
pub async fn check(
    fetcher: &Fetcher,
    subject: Subject<'_>,
    options: &CheckOptions,
) -> Vec<IdpCheck> {
    let plan = plan::of(subject, &options.issuers);
    let facts = facts::gather(fetcher, &plan, options.now).await;
    evaluate::evaluate(subject, &plan, &facts, options)
}

pub fn offline(subject: Subject<'_>, options: &CheckOptions) -> Vec<IdpCheck> {
    evaluate::evaluate(subject, &plan::Plan::default(), &facts::Facts::default(), options)
}
