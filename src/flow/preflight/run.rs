//! Preflight of one connector: reads concurrently, then evaluates.

use super::{
    Facts, PublishedCode, Sources, Subject, Thresholds, evaluate, foreign_codes, gather,
    read_elsewhere,
};
use crate::api::connector::Connector;
use crate::dns::{self, Lookup, Scope};
use crate::domain::{EmailDomain, InvalidDomain};
use crate::flow::check::Check;
use crate::flow::connector::{self, Selector};
use crate::flow::{Env, Error, FlowError, journaled_code};

pub struct Preflight {
    pub connector: Connector,
    pub domain: EmailDomain,
    pub checks: Vec<Check>,
    pub facts: Option<Facts>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunIf {
    Always,
    /// For an enabled connector, the run ends once the list is read.
    Disabled,
}

enum EarlyExit {
    AlreadyEnabled(Box<(Connector, EmailDomain)>),
    Failed(Error),
}

pub async fn run(
    env: &Env<'_>,
    selector: &Selector,
    sources: &Sources,
    (thresholds, wanted): (Thresholds, RunIf),
) -> Result<Preflight, Error> {
    let gathered = async { Ok(Box::pin(gather(env, sources)).await) };
    let (found, facts) = match tokio::try_join!(find(env, selector, wanted), gathered) {
        Ok(read) => read,
        Err(EarlyExit::Failed(error)) => return Err(error),
        Err(EarlyExit::AlreadyEnabled(found)) => {
            let (connector, domain) = *found;
            return Ok(Preflight { connector, domain, checks: Vec::new(), facts: None });
        }
    };
    let PreflightInput { connector, domain, connectors, lookup } = found;
    let has_foreign_codes = !foreign_codes(&lookup, &connector).is_empty();
    let elsewhere = read_elsewhere(env, has_foreign_codes).await;
    let diagnosis = dns::diagnose(&lookup, connector.code().map(str::as_bytes), thresholds.now);
    let left_over =
        &journaled_code::of_deleted_connectors(env, dns::sso_codes(&lookup), &connectors);
    let served =
        PublishedCode { lookup: &lookup, diagnosis: &diagnosis, left_over, elsewhere: &elsewhere };
    let subject = Subject { connector: &connector, domain: &domain, served };
    let checks = evaluate(subject, &connectors, &facts, &thresholds);
    Ok(Preflight { connector, domain, checks, facts: Some(facts) })
}

struct PreflightInput {
    connector: Connector,
    domain: EmailDomain,
    connectors: Vec<Connector>,
    lookup: Lookup,
}

async fn find(
    env: &Env<'_>,
    selector: &Selector,
    wanted: RunIf,
) -> Result<PreflightInput, EarlyExit> {
    let lookup =
        async |domain: &EmailDomain| env.resolver.lookup(domain, None, Scope::Authoritative).await;
    match selector {
        Selector::Domain(domain) => {
            let served = async { Ok(lookup(domain).await) };
            let listed = listed(env, selector, wanted);
            let ((connector, domain, connectors), lookup) = tokio::try_join!(listed, served)?;
            Ok(PreflightInput { connector, domain, connectors, lookup })
        }
        Selector::Id(_) => {
            let (connector, domain, connectors) = listed(env, selector, wanted).await?;
            let lookup = lookup(&domain).await;
            Ok(PreflightInput { connector, domain, connectors, lookup })
        }
    }
}

async fn listed(
    env: &Env<'_>,
    selector: &Selector,
    wanted: RunIf,
) -> Result<(Connector, EmailDomain, Vec<Connector>), EarlyExit> {
    let connectors = connector::list(env).await.map_err(EarlyExit::Failed)?;
    let chosen = connector::select(&connectors, selector);
    let connector = chosen.map_err(|error| EarlyExit::Failed(error.into()))?.clone();
    let domain: EmailDomain = connector
        .email_domain
        .parse()
        .map_err(|error: InvalidDomain| EarlyExit::Failed(FlowError::from(error).into()))?;
    if wanted == RunIf::Disabled && connector.is_enabled() {
        return Err(EarlyExit::AlreadyEnabled(Box::new((connector, domain))));
    }
    Ok((connector, domain, connectors))
}
