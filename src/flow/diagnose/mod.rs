//! Why a user cannot sign in. Reads concurrently, writes nothing; pure functions evaluate.

mod facts;
mod history;
mod judge;
mod report;

use std::time::Duration;

use futures_util::future::{OptionFuture, join_all};
use jiff::Timestamp;

use self::facts::Facts;
pub use self::report::{Report, Step, StepState, VerdictKind};
use super::changes::Change;
use super::journaled_code::of_deleted_connectors;
use super::preflight::{self, Checked, Sources, Thresholds, checked};
use super::trial::keep::{self, TrialStatus};
use super::{Env, Error, FlowError, FlowErrorKind, connector};
use crate::api::access_log::{self, LoginRow};
use crate::api::audit_log;
use crate::dns::{self, Scope};
use crate::domain::EmailDomain;
use crate::idp::Fetcher;

pub struct Question {
    /// `None` means all users of the domain.
    pub email: Option<String>,
    pub domain: EmailDomain,
    pub since: Duration,
    pub assume_enabled: bool,
}

pub enum Subject {
    User(Question),
    AllDomains { since: Duration, assume_enabled: bool },
}

/// Fails if the connectors cannot be read. A missing permission fails only the diagnosis of all
/// domains, which are those of the connectors.
pub async fn run(
    env: &Env<'_>,
    subject: Subject,
    fetcher: Option<Fetcher>,
) -> Result<Vec<Report>, Error> {
    let now = env.clock.now();
    let (user, long, assume_enabled) = match &subject {
        Subject::User(question) => (Some(question), question.since, question.assume_enabled),
        Subject::AllDomains { since, assume_enabled } => (None, *since, *assume_enabled),
    };
    let since = now.saturating_sub(long).unwrap_or(Timestamp::MIN);
    let sources = Sources { fetcher, recovery: None, audit_log: false };
    let audit = audit_log::list(env.account, since, now);
    let lookup = async |domain: EmailDomain| {
        let lookup = env.resolver.lookup(&domain, None, Scope::Authoritative).await;
        (domain, dns::sso_codes(&lookup))
    };
    let first: OptionFuture<_> = user.map(|user| lookup(user.domain.clone())).into();
    let (connectors, first, gathered, logins, changes) = tokio::join!(
        connector::list(env),
        first,
        Box::pin(preflight::gather(env, &sources)),
        logins(env, user.and_then(|user| user.email.as_deref())),
        env.client.list(&audit),
    );
    let connectors = preflight::unless_forbidden(connectors)?;
    if let (None, Err(not_checked)) = (user, &connectors) {
        let message = format!("cannot tell why users cannot sign in: {}", not_checked.reason);
        let error = FlowError::new(FlowErrorKind::Forbidden, message);
        return Err(error.hint("`cfsso token check`").into());
    }
    let known = connectors.iter().flatten();
    let domains = known.filter_map(|known| known.email_domain.parse().ok());
    let others = join_all(domains.filter(|_| user.is_none()).map(lookup));
    let looks: Vec<_> = first.into_iter().chain(others.await).collect();
    let codes = looks.iter().flat_map(|(_, codes)| codes.clone()).collect();
    let left_over = connectors.as_deref().map(|all| of_deleted_connectors(env, codes, all));
    let left_over = left_over.unwrap_or_default();
    let changes = checked(changes);
    let changes = changes.map(|rows| rows.iter().filter_map(Change::of).collect());
    let trials: Vec<_> = keep::open_trials(env).into_iter().map(TrialStatus::from).collect();
    let has_odd_members = !env.client.odd_records(Some("member")).is_empty();
    let email = user.and_then(|user| user.email.clone());
    let (is_mfa_forced, has_pin) = (judge::is_mfa_forced(&gathered), judge::has_pin(&gathered));
    let reports = looks.into_iter().map(|(domain, mut codes)| {
        // These are not evidence of another account.
        codes.retain(|code| !left_over.contains(code));
        let question = Question { email: email.clone(), domain, since: long, assume_enabled };
        judge::report(&Facts {
            question: &question,
            connectors: &connectors,
            codes,
            has_odd_members,
            gathered: &gathered,
            is_mfa_forced,
            has_pin,
            logins: &logins,
            changes: &changes,
            trials: &trials,
            now,
        })
    });
    Ok(reports.collect())
}

async fn logins(env: &Env<'_>, email: Option<&str>) -> Option<Checked<Vec<LoginRow>>> {
    let since = env.clock.now().saturating_sub(Thresholds::LOGIN_WITHIN).unwrap_or(Timestamp::MIN);
    let request = email.map(|email| {
        access_log::newest(env.account, since).query("email", email).query("emailOp", "eq")
    });
    let read: OptionFuture<_> = request.as_ref().map(|request| env.client.list(request)).into();
    read.await.map(checked)
}
