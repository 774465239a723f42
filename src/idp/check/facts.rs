//! Fetches everything that was planned, concurrently, without evaluating it.

use futures_util::future::join_all;
use jiff::Timestamp;
use url::Url;

use super::plan::{ExpectedIssuer, Plan};
use super::result::IdpCheckId;
use crate::idp::discovery::{self, Discovery, DiscoveryError};
use crate::idp::fetch::{FetchError, Fetcher};
use crate::idp::issuer::Issuer;
use crate::idp::jwks::{self, Jwks};

#[derive(Debug, Default)]
pub(super) struct Facts {
    pub discovery: Option<(Issuer, Result<Discovery, DiscoveryError>)>,
    pub keys: Option<(Url, Result<Jwks, JwksFailure>)>,
    pub endpoints: Vec<(IdpCheckId, Url, Result<u16, FetchError>)>,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum JwksFailure {
    #[error(transparent)]
    Fetch(FetchError),
    #[error("not a key set: {0}")]
    Invalid(jwks::JwksError),
}

pub(super) async fn gather(fetcher: &Fetcher, plan: &Plan, now: Timestamp) -> Facts {
    let endpoints = join_all(
        plan.endpoints
            .iter()
            .map(async |(id, url)| (*id, url.clone(), fetcher.status(url, &plan.hosts).await)),
    );
    let named_keys = async {
        let url = plan.certs.as_ref()?;
        Some((url.clone(), keys(fetcher, url, plan, now).await))
    };
    // If the configuration has no key set, the document names it.
    let documented = async {
        let expected = plan.issuer.as_ref()?;
        let (issuer, found) = discovered(fetcher, expected).await;
        let keys = match &found {
            Ok(found) if plan.certs.is_none() => {
                let url = found.certs_url.clone();
                Some((url, keys(fetcher, &found.certs_url, plan, now).await))
            }
            _ => None,
        };
        Some(((issuer, found), keys))
    };
    let (endpoints, named, documented) = tokio::join!(endpoints, named_keys, documented);
    let (discovery, other) = documented.unzip();
    Facts { discovery, keys: named.or_else(|| other.flatten()), endpoints }
}

/// The document at the first URL, or else at the fallback.
async fn discovered(
    fetcher: &Fetcher,
    expected: &ExpectedIssuer,
) -> (Issuer, Result<Discovery, DiscoveryError>) {
    let other = async {
        let issuer = expected.fallback.as_ref()?;
        let found = discovery::discover(fetcher, issuer).await.ok()?;
        Some((issuer.clone(), Ok(found)))
    };
    let (first, other) = tokio::join!(discovery::discover(fetcher, &expected.issuer), other);
    match (first, other) {
        (Err(_), Some(other)) => other,
        (first, _) => (expected.issuer.clone(), first),
    }
}

async fn keys(
    fetcher: &Fetcher,
    url: &Url,
    plan: &Plan,
    now: Timestamp,
) -> Result<Jwks, JwksFailure> {
    let body = fetcher.read(url, &plan.hosts).await.map_err(JwksFailure::Fetch)?;
    jwks::read(&body, now).map_err(JwksFailure::Invalid)
}
