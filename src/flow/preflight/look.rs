//! One connector, looked at for itself: the list, the name servers and the
//! account's facts at once, then the judgement.

use super::{Asking, Served, Subject, Terms, gather, judge};
use crate::api::connector::Connector;
use crate::dns::{self, Reach, Survey};
use crate::domain::EmailDomain;
use crate::flow::check::Check;
use crate::flow::connector::{self, Selector};
use crate::flow::{Error, Stop, StopKind, Tools};

/// A connector, and what was checked before its enforcement.
pub struct Looked {
    pub connector: Connector,
    pub domain: EmailDomain,
    /// The checks; none where they were not wanted.
    pub checks: Vec<Check>,
}

/// Which connectors are worth the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Always,
    /// Those that are not enabled: for the others, it ends with the list.
    UnlessEnabled,
}

/// Why a look ends before all was read.
enum Early {
    Enabled(Box<(Connector, EmailDomain)>),
    Failed(Error),
}

/// Looks at the connector that `selector` names.
pub async fn look(
    tools: &Tools<'_>,
    selector: &Selector,
    asking: &Asking,
    (terms, wanted): (Terms, Wanted),
) -> Result<Looked, Error> {
    let gathered = async { Ok(Box::pin(gather(tools, asking)).await) };
    let (found, facts) = match tokio::try_join!(find(tools, selector, wanted), gathered) {
        Ok(read) => read,
        Err(Early::Failed(error)) => return Err(error),
        Err(Early::Enabled(found)) => {
            let (connector, domain) = *found;
            return Ok(Looked { connector, domain, checks: Vec::new() });
        }
    };
    let Found { connector, domain, connectors, survey } = found;
    let judgement = dns::judge(&survey, connector.code().map(str::as_bytes), terms.now);
    let served = Served { survey: &survey, judgement: &judgement };
    let subject = Subject { connector: &connector, domain: &domain, served };
    let checks = judge(subject, &connectors, &facts, &terms);
    Ok(Looked { connector, domain, checks })
}

struct Found {
    connector: Connector,
    domain: EmailDomain,
    connectors: Vec<Connector>,
    survey: Survey,
}

async fn find(tools: &Tools<'_>, selector: &Selector, wanted: Wanted) -> Result<Found, Early> {
    let survey = async |domain: &EmailDomain| {
        tools.resolver.survey(domain, None, Reach::Authoritative).await
    };
    match selector {
        Selector::Domain(domain) => {
            let served = async { Ok(survey(domain).await) };
            let listed = listed(tools, selector, wanted);
            let ((connector, domain, connectors), survey) = tokio::try_join!(listed, served)?;
            Ok(Found { connector, domain, connectors, survey })
        }
        Selector::Id(_) => {
            let (connector, domain, connectors) = listed(tools, selector, wanted).await?;
            let survey = survey(&domain).await;
            Ok(Found { connector, domain, connectors, survey })
        }
    }
}

async fn listed(
    tools: &Tools<'_>,
    selector: &Selector,
    wanted: Wanted,
) -> Result<(Connector, EmailDomain, Vec<Connector>), Early> {
    let connectors = connector::list(tools).await.map_err(Early::Failed)?;
    let chosen = connector::choose(&connectors, selector);
    let connector = chosen.map_err(|stop| Early::Failed(stop.into()))?.clone();
    let domain: EmailDomain =
        connector.email_domain.parse().map_err(|error: crate::domain::InvalidDomain| {
            Early::Failed(Stop::new(StopKind::Conflict, error.to_string()).into())
        })?;
    if wanted == Wanted::UnlessEnabled && connector.is_enabled() {
        return Err(Early::Enabled(Box::new((connector, domain))));
    }
    Ok((connector, domain, connectors))
}
