//! The checks before enforcement. [`gather`] reads the facts of the account concurrently;
//! [`evaluate`] checks one connector, with one pure function per check. An audit of all
//! connectors uses the parts.

mod domain;
mod facts;
mod gather;
mod login;
mod member;
mod policy;
mod provider;
mod run;
mod sign_in;
mod token;

use std::time::Duration;

use jiff::Timestamp;

pub use domain::{
    ElsewhereConnector, PublishedCode, describe_published, foreign_codes, read_elsewhere,
};
pub use facts::{Checked, Facts, Health, NotChecked, Sources, checked, unless_forbidden};
pub use gather::{SharedFacts, gather};
pub(super) use gather::{health, read_policies};
pub(super) use login::{allowed_idps, through as logins_through};
pub use member::at_domain;
pub(super) use member::{has_plus, super_admin};
pub(super) use policy::{allows_domain, describe_except, describe_narrowed};
pub(super) use provider::idp_healthy;
pub use provider::{is_company_idp, is_sign_in_idp};
pub use run::{Preflight, RunIf, run};
pub(super) use token::check_validity;

use super::check::{Check, CheckId};
use crate::api::connector::{Connector, ConnectorFields};
use crate::domain::EmailDomain;

#[derive(Clone, Copy)]
pub struct Subject<'a> {
    pub connector: &'a ConnectorFields,
    pub domain: &'a EmailDomain,
    pub served: PublishedCode<'a>,
}

#[derive(Clone, Copy, Debug)]
pub struct Thresholds {
    pub now: Timestamp,
    /// Days for which a token has to be valid to help in a lockout.
    pub min_token_days: u32,
    /// The maximum age of a sign-in that counts as confirmation.
    pub login_within: Duration,
}

impl Thresholds {
    pub const MIN_TOKEN_DAYS: u32 = 30;
    /// As far back as most plans keep the login log.
    pub const LOGIN_WITHIN: Duration = Duration::from_hours(30 * 24);

    pub fn new(now: Timestamp, min_token_days: u32) -> Self {
        Self { now, min_token_days, login_within: Self::LOGIN_WITHIN }
    }
}

/// `all` are the account's connectors. Returns the checks in the order of [`CheckId`].
pub fn evaluate(
    subject: Subject<'_>,
    all: &[Connector],
    facts: &Facts,
    thresholds: &Thresholds,
) -> Vec<Check> {
    let mut checks = account_checks(facts);
    checks.extend(connector_checks(all, &[subject.connector], facts, thresholds));
    checks.extend(domain_checks(subject, facts, thresholds));
    checks.sort_by_key(|check| check.id);
    checks
}

pub fn account_checks(facts: &Facts) -> Vec<Check> {
    vec![
        provider::zero_trust_org(facts),
        provider::idp_present(facts),
        idp_healthy(facts),
        Check::or_not_checked(CheckId::SsoAppPresent, sign_in::present(facts)),
        Check::or_not_checked(CheckId::SsoAppReachesIdp, sign_in::reaches_idp(facts)),
        Check::or_not_checked(CheckId::InstantAuthConsistent, sign_in::instant_auth(facts)),
        Check::or_not_checked(CheckId::FallbackLogin, provider::fallback_login(facts)),
    ]
}

/// A recovery token must list the connectors of `looked_at`.
pub fn connector_checks(
    all: &[Connector],
    looked_at: &[&ConnectorFields],
    facts: &Facts,
    thresholds: &Thresholds,
) -> Vec<Check> {
    let token = token::recovery(looked_at, facts, thresholds);
    vec![
        Check::or_not_checked(CheckId::PolicyUnsupported, policy::unsupported(all, facts)),
        Check::or_not_checked(CheckId::RecoveryToken, token),
    ]
}

pub fn domain_checks(subject: Subject<'_>, facts: &Facts, thresholds: &Thresholds) -> Vec<Check> {
    let domain = subject.domain;
    let sign_ins = login::recent_sign_ins(domain, facts, thresholds);
    vec![
        domain::verified(subject),
        domain::eligible(domain),
        Check::or_not_checked(CheckId::PolicyAllowsDomain, allows_domain(domain, facts)),
        Check::or_not_checked(CheckId::MembersPlusAddressed, member::plus_addressed(domain, facts)),
        Check::or_not_checked(CheckId::MembersSuperAdmin, super_admin(domain, facts)),
        Check::or_not_checked(CheckId::LoginSeen, sign_ins),
        domain::txt_still_published(subject),
        domain::foreign_claim(subject),
    ]
}

/// The names that fit into a sentence, and the number of the others.
pub(super) fn names<'a>(all: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 5;
    let all: Vec<_> = all.into_iter().collect();
    let shown = all.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    match all.len().saturating_sub(MOST) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

#[cfg(test)]
pub(super) mod tests;
