//! What can be verified of an identity provider without a login, and what cannot.
//! Planning and evaluation are pure; only fetching has I/O.

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

/// Where the dashboard lists the identity providers, with a Test button each.
pub const DASHBOARD: &str =
    "https://one.dash.cloudflare.com/?to=/:account/integrations/identity-providers";

#[derive(Clone, Debug)]
pub struct CheckOptions {
    pub now: Timestamp,
    /// How many days before its end a certificate is warned of.
    pub cert_days: u32,
    pub one_time_pins: usize,
    pub bases: KnownIssuers,
}

impl CheckOptions {
    /// The usual ones: 30 days, the services of the Internet.
    pub fn new(now: Timestamp, one_time_pins: usize) -> Self {
        Self { now, cert_days: 30, one_time_pins, bases: KnownIssuers::default() }
    }
}

/// Runs all checks concurrently. The last result is always that a real login was
/// not tested.
pub async fn check(fetcher: &Fetcher, subject: Subject<'_>, terms: &CheckOptions) -> Vec<IdpCheck> {
    let plan = plan::of(subject, &terms.bases);
    let facts = facts::gather(fetcher, &plan, terms.now).await;
    evaluate::evaluate(subject, &plan, &facts, terms)
}

pub fn offline(subject: Subject<'_>, terms: &CheckOptions) -> Vec<IdpCheck> {
    evaluate::evaluate(subject, &plan::Plan::default(), &facts::Facts::default(), terms)
}
