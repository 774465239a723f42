//! The audit: known limitations and checks before enforcement of all connectors, and unfinished
//! operations of this machine. Reads concurrently, writes nothing.

mod audits;
mod finding;
mod recovery;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};

pub use audits::writable_journal;
pub use finding::{AuditId, Finding, FindingId};
pub use recovery::{RecoveryFacts, check_recovery, read_recovery};

use super::bypass::status::{self, BypassStatus};
use super::check::{Check, CheckId, Severity};
use super::journal::{Contents, Entry};
use super::preflight::{
    self, ElsewhereConnector, Facts, NotChecked, PublishedCode, Sources, Subject, Thresholds,
};
use super::rename::{RenameInProgress, rename_in_progress};
use super::sign_in::sign_in_methods;
use super::trial::keep::{self, TrialStatus};
use super::undo::{self, WriteOutcome};
use super::{Env, Error, connector, journaled_code};
use crate::api::ErrorKind;
use crate::api::connector::Connector;
use crate::api::odd::OddRecord;
use crate::dns::{self, Lookup, Scope};
use crate::domain::EmailDomain;

const MAX_CONCURRENT: usize = 16;

pub struct Audit {
    /// `None` if connectors cannot be read.
    pub domains: Option<Vec<String>>,
    /// In the order of [`FindingId`].
    pub findings: Vec<Finding>,
}

struct Read<'a> {
    connectors: Result<Vec<ConnectorFacts>, NotChecked>,
    elsewhere: Vec<ElsewhereConnector>,
    /// The codes that deleted connectors of this account had.
    left_over: Vec<Vec<u8>>,
    facts: Facts,
    bypass_status: BypassStatus,
    rename: Option<RenameInProgress>,
    trials: Vec<TrialStatus>,
    open: Vec<(&'a Entry, Option<WriteOutcome>)>,
}

struct ConnectorFacts {
    connector: Connector,
    is_audited: bool,
    served: Option<(EmailDomain, Lookup)>,
}

/// Fails if the connectors cannot be read, except for a missing permission, or if nothing at
/// all can be read. With `only`, the connectors of other domains are not checked.
pub async fn run_audit(
    env: &Env<'_>,
    sources: &Sources,
    thresholds: &Thresholds,
    journal: &Contents,
    only: Option<&EmailDomain>,
) -> Result<Audit, Error> {
    let entries = env.own(&journal.entries);
    let open = audits::open_entries(&entries);
    let outcomes =
        async { Ok(join_all(open.iter().map(|entry| undo::write_outcome(env, entry))).await) };
    let gathered = async { Ok(Box::pin(preflight::gather(env, sources)).await) };
    let bypass_status = async { Ok(Box::pin(status::read_status(env, &entries)).await) };
    let (connectors, facts, bypass_status, outcomes) =
        tokio::try_join!(connectors(env, only), gathered, bypass_status, outcomes)?;
    let connectors = match connectors {
        Ok(connectors) => Ok(connectors),
        Err(error) if has_no_access(&facts) => return Err(error.into()),
        Err(error) => Err(NotChecked::from(&error)),
    };
    let foreign = connectors.iter().flatten().any(|one| {
        let lookup = one.served.as_ref().map(|(_, lookup)| lookup);
        lookup.is_some_and(|lookup| !preflight::foreign_codes(lookup, &one.connector).is_empty())
    });
    let elsewhere = preflight::read_elsewhere(env, foreign).await;
    let left_over = read_left_over(env, connectors.as_deref().unwrap_or_default());
    let rename = rename_in_progress(&entries, env.account);
    let open = open.into_iter().zip(outcomes).collect();
    let trials = keep::open_trials(env).into_iter().map(TrialStatus::from).collect();
    let read =
        Read { connectors, elsewhere, left_over, facts, bypass_status, rename, trials, open };
    let odd = env.client.odd_records(None);
    Ok(evaluate(&read, thresholds, journal, &odd))
}

fn assemble_audit<T>(
    connectors: Option<&[T]>,
    connector: impl Fn(&T) -> &Connector,
    findings: Vec<Finding>,
) -> Audit {
    let mut findings = finding::merged(findings);
    findings.sort_by_key(|finding| finding.id);
    let domain = |one: &T| connector(one).email_domain.clone();
    Audit { domains: connectors.map(|all| all.iter().map(domain).collect()), findings }
}

/// The inner error is a missing permission.
async fn connectors(
    env: &Env<'_>,
    only: Option<&EmailDomain>,
) -> Result<Result<Vec<ConnectorFacts>, crate::api::Error>, Error> {
    let connectors = match connector::list(env).await {
        Err(Error::Api(error)) if error.kind() == ErrorKind::Forbidden => return Ok(Err(error)),
        connectors => connectors?,
    };
    let looks = connectors.into_iter().map(async |connector| {
        let is_audited = only.is_none_or(|domain| domain.is_named(&connector.email_domain));
        if !is_audited {
            return ConnectorFacts { connector, is_audited, served: None };
        }
        let Ok(domain) = connector.email_domain.parse::<EmailDomain>() else {
            return ConnectorFacts { connector, is_audited, served: None };
        };
        let lookup = env.resolver.lookup(&domain, None, Scope::Authoritative).await;
        ConnectorFacts { connector, is_audited, served: Some((domain, lookup)) }
    });
    Ok(Ok(stream::iter(looks).buffered(MAX_CONCURRENT).collect().await))
}

/// Reads the journal once for the codes of all domains.
fn read_left_over(env: &Env<'_>, all: &[ConnectorFacts]) -> Vec<Vec<u8>> {
    let served = all.iter().filter_map(|one| one.served.as_ref());
    let codes = served.flat_map(|(_, lookup)| dns::sso_codes(lookup)).collect();
    let connectors: Vec<_> = all.iter().map(|one| one.connector.clone()).collect();
    journaled_code::of_deleted_connectors(env, codes, &connectors)
}

fn has_no_access(facts: &Facts) -> bool {
    facts.organization.is_err()
        && facts.idps.is_err()
        && facts.apps.is_err()
        && facts.members.is_err()
}

fn evaluate(
    read: &Read<'_>,
    thresholds: &Thresholds,
    journal: &Contents,
    odd: &[OddRecord],
) -> Audit {
    let Read { connectors, facts, bypass_status, rename, trials, open, .. } = read;
    let is_enforced = match connectors {
        Ok(all) => all.iter().any(|one| one.connector.is_enabled()),
        // Unknown: assumes the more severe case.
        Err(_) => true,
    };
    let is_locked_out = connectors.as_ref().is_ok_and(|all| {
        // The sign-in methods of all enforced domains are the same.
        let enforced = all.iter().find(|one| one.connector.is_enabled());
        let methods = enforced.map(|one| sign_in_methods(&one.connector, facts));
        methods.is_some_and(|methods| methods.is_ok_and(|it| it.is_empty()))
    });
    let of_check = |check: Check| {
        let is_cause = is_locked_out && check.id == CheckId::IdpHealthy;
        let severity = if is_cause { Severity::Error } else { check.severity };
        Finding::from_check(check.with_severity(severity), is_enforced)
    };
    let mut findings: Vec<_> = preflight::account_checks(facts).into_iter().map(of_check).collect();
    match connectors {
        Ok(connector_facts) => {
            let all: Vec<_> = connector_facts.iter().map(|one| one.connector.clone()).collect();
            let looked_at: Vec<_> = all.iter().map(|one| &**one).collect();
            let checks = preflight::connector_checks(&all, &looked_at, facts, thresholds);
            findings.extend(checks.into_iter().map(of_check));
            findings.extend(
                connector_facts
                    .iter()
                    .filter(|one| one.is_audited)
                    .flat_map(|one| connector_findings(one, read, thresholds)),
            );
            findings.push(audits::duplicate_policies(&all, facts));
            findings.push(audits::orphan_app(&all, facts));
        }
        Err(not_checked) => {
            findings.extend(connectors_not_checked(not_checked).into_iter().map(of_check));
        }
    }
    findings.push(audits::orphan_policies(facts));
    findings.extend(audits::certificates(facts, thresholds.now));
    findings.push(audits::token(facts, thresholds));
    findings.push(audits::bypass(bypass_status));
    findings.push(audits::trial(trials));
    findings.push(audits::rename(rename.as_ref()));
    findings.push(audits::unknown_outcomes(open));
    findings.push(audits::corrupt_journal(journal));
    findings.push(audits::records(odd));
    assemble_audit(connectors.as_deref().ok(), |one| &one.connector, findings)
}

fn connector_findings(
    one: &ConnectorFacts,
    Read { facts, left_over, elsewhere, .. }: &Read<'_>,
    thresholds: &Thresholds,
) -> Vec<Finding> {
    let ConnectorFacts { connector, served, .. } = one;
    let about = &connector.email_domain;
    let mut findings = vec![audits::stale(connector, thresholds.now)];
    findings.extend(audits::without_policy(connector, facts));
    let Some((domain, lookup)) = served else {
        let evidence = format!("`{about}` is not an email domain");
        let check = Check::not_checked(CheckId::DomainEligible, evidence);
        findings.push(Finding::from_check(check, connector.is_enabled()).for_domain(about));
        return findings;
    };
    let diagnosis = dns::diagnose(lookup, connector.code().map(str::as_bytes), thresholds.now);
    let served = PublishedCode { lookup, diagnosis: &diagnosis, left_over, elsewhere };
    let subject = Subject { connector, domain, served };
    let checks = preflight::domain_checks(subject, facts, thresholds).into_iter();
    findings.extend(
        checks.map(|check| Finding::from_check(check, connector.is_enabled()).for_domain(about)),
    );
    findings
}

fn connectors_not_checked(not_checked: &NotChecked) -> Vec<Check> {
    [
        CheckId::DomainVerified,
        CheckId::DomainEligible,
        CheckId::PolicyAllowsDomain,
        CheckId::PolicyUnsupported,
        CheckId::MembersPlusAddressed,
        CheckId::MembersSuperAdmin,
        CheckId::LoginSeen,
        CheckId::RecoveryToken,
        CheckId::TxtStillPublished,
        CheckId::ForeignClaim,
    ]
    .into_iter()
    .map(|id| Check::not_checked(id, &not_checked.reason))
    .collect()
}
