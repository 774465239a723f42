//! Asks what was planned, all at once, and judges nothing.

use futures_util::future::join_all;
use jiff::Timestamp;
use url::Url;

use super::plan::Plan;
use super::point::PointId;
use crate::idp::discovery::{self, Discovered, DiscoveryError};
use crate::idp::jwks::{self, Jwks};
use crate::idp::probe::{Failure, Fetcher};

/// What was answered.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub discovery: Option<Result<Discovered, DiscoveryError>>,
    pub keys: Option<(Url, Result<Jwks, NoKeys>)>,
    pub endpoints: Vec<(PointId, Url, Result<u16, Failure>)>,
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoKeys {
    #[error(transparent)]
    Unread(Failure),
    #[error("it is no key set: {0}")]
    Other(jwks::Unreadable),
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
    // Where the configuration names no key set, the document does.
    let documented = async {
        let expected = plan.issuer.as_ref()?;
        let found = discovery::discover(fetcher, &expected.issuer).await;
        let keys = match &found {
            Ok(found) if plan.certs.is_none() => {
                let url = found.certs_url.clone();
                Some((url, keys(fetcher, &found.certs_url, plan, now).await))
            }
            _ => None,
        };
        Some((found, keys))
    };
    let (endpoints, named, documented) = tokio::join!(endpoints, named_keys, documented);
    let (discovery, other) = documented.unzip();
    Facts { discovery, keys: named.or_else(|| other.flatten()), endpoints }
}

async fn keys(fetcher: &Fetcher, url: &Url, plan: &Plan, now: Timestamp) -> Result<Jwks, NoKeys> {
    let body = fetcher.read(url, &plan.hosts).await.map_err(NoKeys::Unread)?;
    jwks::read(&body, now).map_err(NoKeys::Other)
}
