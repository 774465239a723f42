//! Enabling enforcement: what is checked first, and the change itself.

use super::check::{Check, CheckId, Severity, State};
use super::plan::{Change, Difference};
use super::{Error, Stop, StopKind, Tools};
use crate::api::connector::{self, Connector, Fields, Status};
use crate::api::ids::ConnectorId;
use crate::dns::{Judgement, PREFIX, Survey, Verdict, printable};
use crate::domain::EmailDomain;

/// What the name servers of the domain were seen to serve.
#[derive(Clone, Copy)]
pub struct Served<'a> {
    /// Their answers.
    pub survey: &'a Survey,
    /// What the answers mean for the connector's code.
    pub judgement: &'a Judgement,
}

/// The checks before enforcement that connectors and DNS alone can tell.
#[must_use]
pub fn checks(connector: &Fields, domain: &EmailDomain, served: Served<'_>) -> Vec<Check> {
    vec![
        domain_verified(connector),
        domain_eligible(domain),
        txt_still_published(domain, served),
        foreign_claim(connector, domain, served),
    ]
}

fn domain_verified(connector: &Fields) -> Check {
    let domain = &connector.email_domain;
    let status = connector.status().map_or("not told", Status::as_str);
    Check {
        id: CheckId::DomainVerified,
        severity: Severity::Error,
        state: passed(connector.is_verified()),
        evidence: format!("the verification of {domain} is {status}"),
        remedy: (!connector.is_verified())
            .then(|| format!("`cfsso connector verify {domain} --wait`")),
    }
}

fn domain_eligible(domain: &EmailDomain) -> Check {
    let reason = domain.ineligible();
    Check {
        id: CheckId::DomainEligible,
        severity: Severity::Error,
        state: passed(reason.is_none()),
        evidence: reason.map_or_else(
            || format!("{domain} is no public mail provider's and not under .edu"),
            |reason| reason.to_string(),
        ),
        remedy: reason.map(|_| format!("`cfsso connector delete {domain}`")),
    }
}

fn txt_still_published(domain: &EmailDomain, Served { survey, judgement }: Served<'_>) -> Check {
    let state = match judgement.verdict {
        Verdict::Visible => State::Passed,
        Verdict::Unreachable => State::NotChecked,
        _ => State::Failed,
    };
    Check {
        id: CheckId::TxtStillPublished,
        severity: Severity::Warning,
        state,
        evidence: served(survey, judgement),
        remedy: (state == State::Failed)
            .then(|| format!("`cfsso dig {domain} --connector {domain}`")),
    }
}

/// What the name servers serve, in a few words where all is well.
#[must_use]
pub fn served(survey: &Survey, judgement: &Judgement) -> String {
    match survey.servers.len() {
        _ if !judgement.verdict.is_visible() => judgement.summary.clone(),
        1 => "the one server that was asked serves it".to_owned(),
        count => format!("all {count} servers that were asked serve it"),
    }
}

fn foreign_claim(connector: &Fields, domain: &EmailDomain, served: Served<'_>) -> Check {
    let others: Vec<_> = crate::dns::sso_codes(served.survey)
        .into_iter()
        .filter(|code| Some(code.as_slice()) != connector.code().map(str::as_bytes))
        .map(|code| printable(&code))
        .collect();
    let unseen = served.judgement.verdict == Verdict::Unreachable;
    let (state, evidence) = match (others.as_slice(), unseen) {
        ([], true) => (State::NotChecked, "no name server could be asked".to_owned()),
        ([], false) => (State::Passed, format!("no other {PREFIX} code stands at {domain}")),
        (others, _) => (
            State::Failed,
            format!(
                "other codes stand at {domain}, so that another account may claim it: {}",
                others.join(", ")
            ),
        ),
    };
    Check {
        id: CheckId::ForeignClaim,
        severity: Severity::Warning,
        state,
        evidence,
        remedy: (state == State::Failed)
            .then(|| "remove the TXT records that no connector of yours uses".to_owned()),
    }
}

fn passed(yes: bool) -> State {
    if yes { State::Passed } else { State::Failed }
}

/// Starts enforcement, and reads back that it is on.
pub async fn enable(tools: &Tools<'_>, connector: &Connector) -> Result<Connector, Error> {
    let request = connector::set_enabled(tools.account, &connector.id, true);
    let title = format!("enable enforcement for {}", connector.email_domain);
    tools.write(&request, Some(connector.text()), title).await?;
    let seen = tools.client.send(&connector::get(tools.account, &connector.id)).await?;
    if seen.is_enabled() {
        return Ok(seen);
    }
    Err(Stop::new(
        StopKind::NotSeen,
        format!("enabling `{}` was sent, but it does not read back as enabled", seen.email_domain),
    )
    .hint(format!("`cfsso connector get {}`", seen.id))
    .into())
}

/// The change that [`enable`] makes.
#[must_use]
pub fn enabling(
    tools: &Tools<'_>,
    domain: &EmailDomain,
    id: &ConnectorId,
    enabled: Option<bool>,
) -> Change {
    Change::new(
        format!("enable enforcement for {domain}"),
        &connector::set_enabled(tools.account, id, true),
        vec![Difference::new("enabled", enabled, true)],
    )
}
