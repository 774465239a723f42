//! What a rename will do, for people: its steps, and how long each keeps SSO off.

use super::checks::notes;
use super::name::word;
use super::report::{Options, PlannedStep, Preview, StepId};
use super::{ConnectorSnapshot, RenamePlan};
use crate::domain::EmailDomain;
use crate::flow::publish::{self, DnsHost};
use crate::flow::{Env, Error};
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
    let off = task.off_domains().count();
    let mut add = |id, title: String, sso_off: &str| {
        let sso_off = if off == enforced {
            "SSO is off already".to_owned()
        } else if off > 0 && !task.needs_rename() {
            format!("off already for {off} of {}", count_noun(enforced, "domain"))
        } else {
            sso_off.to_owned()
        };
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
    let missing = task.missing_connectors();
    let time = if missing == 0 {
        "one second"
    } else if options.publish_txt {
        "minutes (name servers, then verification; up to two days)"
    } else {
        "until the TXT records are published, then minutes (up to two days)"
    };
    let title = if missing == 0 {
        let to_enable = if task.is_sso_off() { off } else { enforced };
        format!("enable {to_enable} of {}", count_noun(wanted.len(), "connector"))
    } else {
        let how = if missing > 1 { " (concurrently)" } else { "" };
        format!("recreate {}, verify and enable{how}", count_noun(missing, "connector"))
    };
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
