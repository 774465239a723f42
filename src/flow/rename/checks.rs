//! The checks before a rename disables anything.

use serde_json::Value;
use url::Url;

use super::name::word;
use super::{Options, RenamePlan};
use crate::flow::check::{Check, CheckId, Severity};
use crate::flow::preflight::{Facts, Health, NotChecked, idp_healthy, names};
use crate::flow::publish::DnsHost;
use crate::idp::Fetcher;
use crate::idp::fetch::{AllowedHosts, FetchError};

/// Whether another team has the new name, as far as a public lookup shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameAvailability {
    /// A team of that name publishes its keys.
    Taken,
    NoTeamFound,
    Unknown(String),
}

/// Every team publishes its keys there (Cloudflare's documentation on validating tokens).
pub async fn probe(fetcher: Option<&Fetcher>, keys: &Url) -> NameAvailability {
    let Some(fetcher) = fetcher else {
        return NameAvailability::Unknown("not queried".to_owned());
    };
    match fetcher.read(keys, &AllowedHosts::of([keys])).await {
        Ok(page) if has_keys(&page) => NameAvailability::Taken,
        Ok(_) | Err(FetchError::Status { .. }) => NameAvailability::NoTeamFound,
        Err(failure) => NameAvailability::Unknown(failure.to_string()),
    }
}

fn has_keys(page: &[u8]) -> bool {
    serde_json::from_slice::<Value>(page).is_ok_and(|page| page["keys"].is_array())
}

pub fn checks(
    task: &RenamePlan,
    options: &Options,
    facts: &Facts,
    free: &NameAvailability,
    places: &[(String, DnsHost)],
) -> Vec<Check> {
    let mut checks = Vec::new();
    if task.is_first && task.connectors.is_empty() && options.domains.is_empty() {
        checks.push(check_connectors(&task.goal, facts.sso_app().map(|app| app.is_some())));
    }
    if task.needs_rename() {
        checks.push(check_name(task, free));
        checks.push(check_writable(task));
    }
    if !task.is_unchanged() {
        let fallback = check_fallback(task, facts);
        checks.push(idp_healthy(facts).with_severity(Severity::Error));
        checks.push(txt(task, options, places));
        checks.push(Check::or_not_checked(CheckId::PasswordResetPossible, fallback));
    }
    let accepted = &options.enabling.accepted;
    checks.into_iter().map(|check| check.accept_risks(accepted)).collect()
}

/// After the rename, SSO is off: unlike before it, a warning stops nothing. An identity provider
/// without an answer in time did not stop it before either.
pub(super) fn idps_work(all: &[Health]) -> Check {
    let id = CheckId::IdpHealthy;
    let failures = all.iter().flat_map(|one| {
        let failed = one.points.iter().flatten().filter(|point| point.is_failure());
        failed.map(move |point| (one, point))
    });
    let failures: Vec<_> = failures.collect();
    if let Some((first, _)) = failures.first() {
        let evidence: Vec<_> = failures
            .iter()
            .map(|(one, point)| format!("{}: {}: {}", one.name, point.id.as_str(), point.detail))
            .collect();
        let fix = format!("`cfsso idp check {}`", first.id);
        return Check::failed(id, evidence.join("; "), fix).with_severity(Severity::Error);
    }
    let of = |has_answer: bool| {
        let those = all.iter().filter(move |one| one.points.is_some() == has_answer);
        names(those.map(|one| one.name.as_str()))
    };
    if all.iter().any(|one| one.points.is_none()) {
        return Check::not_checked(id, format!("no response in time from {}", of(false)));
    }
    Check::passed(id, format!("{}: no problems found", of(true)))
}

/// The SSO App outlives the connectors, so that it shows a rename that another machine began.
fn check_connectors(goal: &str, has_sso_app: Result<bool, &NotChecked>) -> Check {
    let id = CheckId::ConnectorsPresent;
    match has_sso_app {
        Ok(false) => Check::passed(id, "the account has no SSO App: SSO was never set up"),
        Ok(true) => Check::failed(
            id,
            "the account has the SSO App but no connector: a rename may have stopped on another \
             machine",
            format!(
                "restore them with `cfsso team rename {} --resume --domains <DOMAIN>,<DOMAIN>`; \
                 if they were deleted on purpose, pass `--accept-risk connectors-present`",
                word(goal)
            ),
        ),
        Err(not_checked) => Check::not_checked(id, &not_checked.reason),
    }
}

fn check_name(task: &RenamePlan, free: &NameAvailability) -> Check {
    let id = CheckId::TeamNameAvailable;
    let goal = &task.goal;
    match free {
        NameAvailability::Taken => Check::failed(
            id,
            format!("a team at {goal} exists already"),
            "choose another name: `cfsso team rename <OTHER-NAME>`",
        ),
        NameAvailability::NoTeamFound => Check::passed(
            id,
            format!("no team at {goal}; the name may still be reserved by a deleted organization"),
        ),
        NameAvailability::Unknown(reason) => Check::not_checked(
            id,
            format!(
                "{reason}; if the name is taken, the rename fails while SSO is off, and everything is restored"
            ),
        ),
    }
}

fn check_writable(task: &RenamePlan) -> Check {
    let id = CheckId::TeamNotReadOnly;
    if task.organization.parse_at(&["is_ui_read_only"]) != Some(true) {
        return Check::passed(id, "the dashboard allows changes");
    }
    let reason: Option<String> = task.organization.parse_at(&["ui_read_only_toggle_reason"]);
    let reason = reason.filter(|reason| !reason.is_empty()).map(|reason| format!(": {reason}"));
    Check::failed(
        id,
        format!(
            "the organization is read-only in the dashboard, not for the API{}",
            reason.unwrap_or_default()
        ),
        "rename it in the tool that manages it too (Terraform, for example), or it is renamed back",
    )
}

/// An error where `--publish-txt` promises what it cannot do: SSO would be off while it waits.
/// Once the connectors are deleted, nothing is gained by refusing.
fn txt(task: &RenamePlan, options: &Options, places: &[(String, DnsHost)]) -> Check {
    let id = CheckId::TxtCanBePublished;
    if task.missing_connectors() == 0 {
        return Check::passed(id, "no new TXT record is needed");
    }
    let by_hand: Vec<_> = places
        .iter()
        .filter_map(|(domain, place)| match place {
            DnsHost::External(reason) => Some((domain, reason)),
            DnsHost::Cloudflare { warning, .. } => Some((domain, warning.as_ref()?)),
        })
        .collect();
    if !options.publish_txt && !places.is_empty() {
        return Check::failed(
            id,
            "the new TXT records must be published by hand while SSO is off",
            "`--publish-txt` (if the zone is in this account)",
        );
    }
    if by_hand.is_empty() {
        return Check::passed(id, "the zones of all domains are in this account");
    }
    let is_waited_for = |domain: &str| {
        let mut wanted = task.snapshot.connectors.iter();
        wanted.any(|wanted| wanted.domain == domain && wanted.was_verified())
    };
    let blocks = task.starts_deleting() && by_hand.iter().any(|(domain, _)| is_waited_for(domain));
    let by_hand: Vec<_> =
        by_hand.iter().map(|(domain, reason)| format!("{domain}: {reason}")).collect();
    let evidence = format!("must be published by hand while SSO is off: {}", by_hand.join("; "));
    if blocks {
        let fix = "have an administrator of these zones available, and pass \
                   `--accept-risk txt-can-be-published`";
        return Check::failed(id, evidence, fix).with_severity(Severity::Error);
    }
    Check::failed(id, evidence, "have an administrator of these zones available")
}

/// While SSO is off, passwords are reset by email: the mailbox must not depend on that SSO.
fn check_fallback<'a>(task: &RenamePlan, facts: &'a Facts) -> Result<Check, &'a NotChecked> {
    let id = CheckId::PasswordResetPossible;
    let enabled: Vec<_> = task.snapshot.connectors.iter().filter(|it| it.enabled).collect();
    if enabled.is_empty() {
        return Ok(Check::passed(id, "SSO is not enabled for any domain"));
    }
    let members = facts.members.as_ref()?;
    let is_affected = |address: &&str| {
        let domain = address.rsplit('@').next().unwrap_or_default();
        enabled.iter().any(|wanted| wanted.domain.eq_ignore_ascii_case(domain))
    };
    let affected: Vec<_> = members.iter().map(|it| it.email()).filter(is_affected).collect();
    if affected.is_empty() {
        return Ok(Check::passed(id, "no member of a domain with SSO"));
    }
    let evidence = format!(
        "while SSO is off, these members sign in with a password or reset it by email: {}",
        names(affected)
    );
    Ok(Check::failed(id, evidence, "make sure that their mailboxes do not depend on this SSO"))
}

pub fn notes(task: &RenamePlan, options: &Options) -> Vec<String> {
    let mut notes = Vec::new();
    if !task.assumed.is_empty() && !options.no_enable {
        notes.push(format!(
            "the state before the rename is unknown: SSO will be enabled for {}; leave out of \
             `--domains` what was not enabled",
            task.assumed.join(", ")
        ));
    }
    if task.needs_rename() {
        notes.push("all Access sessions end: users sign in to every application again".to_owned());
        notes.push(format!(
            "all URLs below {} change: App Launcher and SAML endpoints of applications",
            task.now
        ));
        notes.push(format!("the name `{}` can be claimed by others", word(&task.now)));
    }
    if task.missing_connectors() > 0 {
        notes.push("each recreated connector gets a new verification code".to_owned());
    }
    notes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::ErrorKind;
    use crate::flow::check::CheckState;

    #[test]
    fn a_team_is_told_by_its_keys() {
        for (page, expected) in [
            (r#"{"keys":[],"public_certs":[]}"#, true),
            (r#"{"keys":null}"#, false),
            ("<html>Unable to find your Access organization</html>", false),
            ("", false),
        ] {
            assert_eq!(has_keys(page.as_bytes()), expected, "{page}");
        }
    }

    #[test]
    fn an_sso_app_without_a_connector_is_a_rename_that_was_interrupted() {
        let forbidden = NotChecked { kind: ErrorKind::Forbidden, reason: "no".to_owned() };
        for (has_sso_app, state) in [
            (Ok(true), CheckState::Failed),
            (Ok(false), CheckState::Passed),
            (Err(&forbidden), CheckState::NotChecked),
        ] {
            let check = check_connectors("cats.cloudflareaccess.com", has_sso_app);
            assert_eq!((check.state, check.blocks()), (state, state == CheckState::Failed));
            let resume = "`cfsso team rename cats --resume --domains <DOMAIN>,<DOMAIN>`";
            assert_eq!(
                check.fix.is_some_and(|fix| fix.contains(resume)),
                check.state == CheckState::Failed
            );
        }
    }
}
