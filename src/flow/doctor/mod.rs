//! The audit: every documented limitation and every check before enforcement,
//! over all connectors at once, and what this machine left behind. It reads
//! what does not depend on each other together, and writes nothing.

mod about;
mod finding;
mod judge;

use futures_util::future::join_all;
use futures_util::stream::{self, StreamExt as _};

pub use about::about;
pub use finding::{AuditId, Finding, FindingId};

use super::bypass::standings::{self, Standings};
use super::check::{Check, CheckId};
use super::journal::undo::{self, Fate};
use super::journal::{Entry, Reading};
use super::preflight::{self, Asking, Facts, Served, Subject, Terms, Unseen};
use super::rename::{UnderWay, under_way};
use super::{Error, Tools, connector};
use crate::api::Kind;
use crate::api::connector::Connector;
use crate::api::odd::OddRecord;
use crate::dns::{self, Reach, Survey};
use crate::domain::EmailDomain;

/// How many domains' name servers are asked at once.
const AT_ONCE: usize = 16;

/// What was looked at.
pub struct Examination {
    /// The domains that have a connector; none where those may not be read.
    pub domains: Option<Vec<String>>,
    /// Everything that was looked at, in the order of [`FindingId::ALL`].
    pub findings: Vec<Finding>,
}

struct Read<'a> {
    connectors: Result<Vec<Looked>, Unseen>,
    facts: Facts,
    standings: Standings,
    rename: Option<UnderWay>,
    /// The writes of which the journal does not tell what became, each with what
    /// the object tells.
    open: Vec<(&'a Entry, Option<Fate>)>,
}

/// A connector, and what the name servers of its domain serve.
struct Looked {
    connector: Connector,
    served: Option<(EmailDomain, Survey)>,
}

/// Looks at everything. `journal` is what this machine wrote, where it could be
/// read.
///
/// # Errors
/// Where the connectors cannot be read for another reason than a missing
/// permission, and where nothing at all may be read.
pub async fn examine(
    tools: &Tools<'_>,
    asking: &Asking,
    terms: &Terms,
    journal: &Reading,
) -> Result<Examination, Error> {
    let entries = tools.own(&journal.entries);
    let open = judge::open(&entries);
    let fates = async { Ok(join_all(open.iter().map(|entry| undo::fate(tools, entry))).await) };
    let gathered = async { Ok(Box::pin(preflight::gather(tools, asking)).await) };
    let standings = async { Ok(Box::pin(standings::look(tools, &entries)).await) };
    let (connectors, facts, standings, fates) =
        tokio::try_join!(connectors(tools), gathered, standings, fates)?;
    let connectors = match connectors {
        Ok(connectors) => Ok(connectors),
        Err(error) if sees_nothing(&facts) => return Err(error.into()),
        Err(error) => Err(Unseen::from(&error)),
    };
    let rename = under_way(&entries, tools.account);
    let open = open.into_iter().zip(fates).collect();
    let read = Read { connectors, facts, standings, rename, open };
    let odd = tools.client.odd_records(None);
    Ok(judged(&read, terms, &journal.damaged, &odd))
}

/// The connectors with what is served for them; inside, a missing permission.
async fn connectors(tools: &Tools<'_>) -> Result<Result<Vec<Looked>, crate::api::Error>, Error> {
    let connectors = match connector::list(tools).await {
        Err(Error::Api(error)) if error.kind() == Kind::Forbidden => return Ok(Err(error)),
        connectors => connectors?,
    };
    let looks = connectors.into_iter().map(async |connector| {
        let Ok(domain) = connector.email_domain.parse::<EmailDomain>() else {
            return Looked { connector, served: None };
        };
        let survey = tools.resolver.survey(&domain, None, Reach::Authoritative).await;
        Looked { connector, served: Some((domain, survey)) }
    });
    Ok(Ok(stream::iter(looks).buffered(AT_ONCE).collect().await))
}

fn sees_nothing(facts: &Facts) -> bool {
    facts.organization.is_err()
        && facts.idps.is_err()
        && facts.apps.is_err()
        && facts.members.is_err()
}

fn judged(read: &Read<'_>, terms: &Terms, damaged: &[String], odd: &[OddRecord]) -> Examination {
    let Read { connectors, facts, standings, rename, open } = read;
    let is_enforced = match connectors {
        Ok(looked) => looked.iter().any(|one| one.connector.is_enabled()),
        // Not seen: taken for the graver case.
        Err(_) => true,
    };
    let of_check = |check| Finding::from_check(check, is_enforced);
    let mut findings: Vec<_> = preflight::of_account(facts).into_iter().map(of_check).collect();
    match connectors {
        Ok(looked) => {
            let all: Vec<_> = looked.iter().map(|one| one.connector.clone()).collect();
            let looked_at: Vec<_> = all.iter().map(|one| &**one).collect();
            let checks = preflight::of_connectors(&all, &looked_at, facts, terms);
            findings.extend(checks.into_iter().map(of_check));
            findings.extend(looked.iter().flat_map(|one| of_one(one, facts, terms)));
            findings.push(judge::second_policy(&all, facts));
            findings.push(judge::app_without_connector(&all, facts));
        }
        Err(unseen) => findings.extend(unseen_connectors(unseen).into_iter().map(of_check)),
    }
    findings.push(judge::policy_without_connector(facts));
    findings.extend(judge::certificates(facts, terms.now));
    findings.push(judge::token(facts, terms));
    findings.push(judge::bypass(standings));
    findings.push(judge::rename(rename.as_ref()));
    findings.push(judge::unfinished(open));
    findings.push(judge::damaged(damaged));
    findings.push(judge::records(odd));
    let mut findings = finding::merged(findings);
    findings.sort_by_key(|finding| FindingId::ALL.iter().position(|id| *id == finding.id));
    let domains = connectors.as_ref().ok();
    let domains =
        domains.map(|all| all.iter().map(|one| one.connector.email_domain.clone()).collect());
    Examination { domains, findings }
}

/// What is looked at in each connector.
fn of_one(one: &Looked, facts: &Facts, terms: &Terms) -> Vec<Finding> {
    let Looked { connector, served } = one;
    let about = &connector.email_domain;
    let mut findings = vec![judge::stale(connector, terms.now)];
    findings.extend(judge::without_policy(connector, facts));
    let Some((domain, survey)) = served else {
        let evidence = format!("`{about}` cannot be an e-mail domain");
        let check = Check::not_checked(CheckId::DomainEligible, evidence);
        findings.push(Finding::from_check(check, connector.is_enabled()).about(about));
        return findings;
    };
    let judgement = dns::judge(survey, connector.code().map(str::as_bytes), terms.now);
    let served = Served { survey, judgement: &judgement };
    let subject = Subject { connector, domain, served };
    let checks = preflight::of_domain(subject, facts).into_iter();
    findings.extend(
        checks.map(|check| Finding::from_check(check, connector.is_enabled()).about(about)),
    );
    findings
}

/// The checks that cannot be made without the connectors.
fn unseen_connectors(unseen: &Unseen) -> Vec<Check> {
    [
        CheckId::DomainVerified,
        CheckId::DomainEligible,
        CheckId::PolicyAllowsDomain,
        CheckId::PolicyUnsupported,
        CheckId::MembersPlusAddressed,
        CheckId::MembersSuperAdmin,
        CheckId::RecoveryToken,
        CheckId::TxtStillPublished,
        CheckId::ForeignClaim,
    ]
    .into_iter()
    .map(|id| Check::not_checked(id, &unseen.reason))
    .collect()
}
