use super::checks::notes;
use super::name::word;
use super::report::{Options, PlannedStep, Preview, StepId};
use super::{ConnectorSnapshot, RenamePlan, WRITE_ACCESS};
use crate::api::connector::BeginVerification;
use crate::domain::EmailDomain;
use crate::flow::plan::Change;
use crate::flow::publish::{self, DnsHost};
use crate::flow::{Env, Error, connector, verify};
use crate::plural::count_noun;

pub fn preview(task: &RenamePlan, options: &Options) -> Preview {
    Preview {
        now: task.now.clone(),
        goal: task.goal.clone(),
        connectors: task.snapshot.connectors.clone(),
        assumed: task.assumed.clone(),
        stages: stages(task, options),
        idps: task.idps.clone(),
        notes: notes(task, options),
    }
}

fn stages(task: &RenamePlan, options: &Options) -> Vec<PlannedStep> {
    let wanted = &task.snapshot.connectors;
    let enforced = wanted.iter().filter(|it| it.enabled).count();
    let mut stages = Vec::new();
    let mut add = |id, title: String, sso_off: &str| {
        let sso_off = if enforced == 0 { "SSO is off already" } else { sso_off }.to_owned();
        stages.push(PlannedStep { id, title, sso_off });
    };
    add(StepId::Snapshot, "save the current state".to_owned(), "no");
    if task.needs_rename() {
        if !task.connectors.is_empty() {
            add(StepId::WriteAccess, "test write access to the organization".to_owned(), "no");
        }
        let connectors = count_noun(task.connectors.len(), "connector");
        let on = task.connectors.iter().filter(|it| it.enabled != Some(false)).count();
        let seconds = "one second (one request each, concurrently)";
        add(StepId::Disable, format!("disable {on} of {connectors}"), seconds);
        let pairs = "one second (two requests each, concurrently)";
        add(StepId::Delete, format!("delete {connectors}"), pairs);
        let title = format!("rename the team to {}", word(&task.goal));
        add(StepId::Rename, title, "one second (three requests)");
    }
    if !task.idps.is_empty() {
        let title = format!("change {} by hand", count_noun(task.idps.len(), "identity provider"));
        let time = if options.idps_updated {
            "no (--idps-updated)"
        } else if task.idps.iter().all(|idp| idp.change.can_be_set_in_advance) {
            "until you confirm; no, if entered now and `--idps-updated`"
        } else {
            "until you confirm"
        };
        add(StepId::ConfirmIdpChanges, title, time);
    }
    add(StepId::IdpCheck, "test the identity providers".to_owned(), "up to 10 seconds");
    let time = if options.publish_txt {
        "minutes (name servers, then verification; up to two days)"
    } else {
        "until the TXT records are published, then minutes (up to two days)"
    };
    let title = format!("recreate {}, verify and enable", count_noun(wanted.len(), "connector"));
    add(StepId::Restore, title, if options.no_enable { "until it is enabled" } else { time });
    stages
}

pub async fn places(
    env: &Env<'_>,
    connectors: &[ConnectorSnapshot],
) -> Result<Vec<(String, DnsHost)>, Error> {
    let looks = connectors.iter().filter_map(|wanted| {
        let domain: EmailDomain = wanted.domain.parse().ok()?;
        Some(async move {
            let place = publish::dns_host(env, &domain).await?;
            Ok::<_, Error>((wanted.domain.clone(), place))
        })
    });
    futures_util::future::try_join_all(looks).await
}

/// Values that the API chooses are placeholders.
pub async fn changes(
    env: &Env<'_>,
    task: &RenamePlan,
    options: &Options,
    places: &[(String, DnsHost)],
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    if task.needs_rename() {
        let edit = task.edit(task.organization.clone())?;
        if !task.connectors.is_empty() {
            changes.push(edit.unchanged(env, WRITE_ACCESS));
        }
        let enforced = task.connectors.iter().filter(|it| it.enabled != Some(false));
        changes.extend(enforced.map(|it| connector::disable_action(env, it).change()));
        changes.extend(task.connectors.iter().map(|it| connector::delete_action(env, it).change()));
        changes.extend(edit.changes(env));
    }
    for wanted in &task.snapshot.connectors {
        let Ok(domain) = wanted.domain.parse::<EmailDomain>() else { continue };
        let place = places.iter().find(|(of, _)| *of == wanted.domain).map(|(_, place)| place);
        changes.extend(restoring(env, task, options, (wanted, &domain, place)).await?);
    }
    Ok(changes)
}

async fn restoring(
    env: &Env<'_>,
    task: &RenamePlan,
    options: &Options,
    (wanted, domain, place): (&ConnectorSnapshot, &EmailDomain, Option<&DnsHost>),
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    let existing = if task.needs_rename() {
        None
    } else {
        connector::select_by_domain(&task.connectors, domain)?
    };
    let unknown = connector::unknown_id();
    let id = existing.map_or(&unknown, |connector| &connector.id);
    let waits = wanted.was_verified();
    if existing.is_none() {
        let begin = if waits { BeginVerification::Later } else { BeginVerification::Now };
        changes.push(connector::create_action(env, domain, begin, wanted.fedramp).change());
    }
    let is_verified = existing.is_some_and(|connector| connector.is_verified());
    if let (true, Some(DnsHost::Cloudflare { zone, .. })) = (options.publish_txt, place) {
        let code = existing.and_then(|connector| connector.code());
        let (create, removals) = publish::changes(env, zone, domain, code, id).await?;
        if !is_verified {
            changes.extend(create);
        }
        if options.replace_stale_txt {
            changes.extend(removals);
        }
    }
    if waits && !is_verified {
        changes.push(verify::begin_action(env, domain.as_str(), id).change());
    }
    let is_enabled = existing.is_some_and(|connector| connector.is_enabled());
    if wanted.enabled && !options.no_enable && !is_enabled {
        changes.push(connector::enable_action(env, domain, id, Some(false)).change());
    }
    Ok(changes)
}
