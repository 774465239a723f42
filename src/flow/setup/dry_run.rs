//! A dry run of set-up, from reads only. Values that the API chooses are placeholders.

use super::Options;
use crate::api::connector::BeginVerification;
use crate::dns::{self, Scope, Verdict};
use crate::flow::plan::Plan;
use crate::flow::preflight::{self, PublishedCode, Subject};
use crate::flow::{Env, Error, connector, publish, verify};

pub async fn plan(env: &Env<'_>, options: &Options) -> Result<Plan, Error> {
    let domain = &options.domain;
    let (connectors, lookup) =
        tokio::join!(connector::list(env), env.resolver.lookup(domain, None, Scope::Authoritative));
    let connectors = connectors?;
    let existing = connector::select_by_domain(&connectors, domain)?;
    let mut changes = Vec::new();
    let unknown = connector::unknown_id();
    let id = existing.map_or(&unknown, |connector| &connector.id);
    if existing.is_none() {
        let begin = if options.wait { BeginVerification::Later } else { BeginVerification::Now };
        changes.push(connector::create_action(env, domain, begin, options.fedramp).change());
    }
    let verified = existing.is_some_and(|connector| connector.is_verified());
    let code = existing.and_then(|connector| connector.code());
    let diagnosis = dns::diagnose(&lookup, code.map(str::as_bytes), env.clock.now());
    let visible = code.is_some() && diagnosis.verdict == Verdict::Visible;
    if options.publish_txt && (!(verified || visible) || options.replace_stale_txt) {
        changes
            .extend(publish::changes_of(env, domain, id, code, options.replace_stale_txt).await?);
    }
    let under_way = existing
        .is_some_and(|connector| verify::next_action(connector) == verify::VerifyAction::Wait);
    if !verified && !under_way && (options.wait || existing.is_some()) {
        changes.push(verify::begin_action(env, domain.as_str(), id).change());
    }
    if options.enable.is_some() && !existing.is_some_and(|connector| connector.is_enabled()) {
        changes.push(
            connector::enable_action(
                env,
                domain,
                id,
                existing.and_then(|connector| connector.enabled),
            )
            .change(),
        );
    }
    let checks = match (existing, &options.enable) {
        (Some(connector), Some(enabling)) if verified && !connector.is_enabled() => {
            let served = PublishedCode { lookup: &lookup, diagnosis: &diagnosis };
            let subject = Subject { connector, domain, served };
            let facts = Box::pin(preflight::gather(env, &enabling.asking)).await;
            enabling.checks(subject, &connectors, &facts, env.clock.now())
        }
        _ => Vec::new(),
    };
    Ok(Plan::new(checks, changes))
}
