use std::sync::LazyLock;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::flow::check::{Check, CheckId, CheckState, Severity, value_name};

/// The ID of a check or audit item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, JsonSchema)]
#[schemars(with = "String")]
pub enum FindingId {
    Check(CheckId),
    Audit(AuditId),
}

/// The names of the audit items that are not checks before enforcement, in the order
/// in which they are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum)]
pub enum AuditId {
    ConnectorStale,
    ConnectorWithoutPolicy,
    PolicyWithoutConnector,
    PolicyDuplicate,
    SsoAppWithoutConnector,
    IdpCertificate,
    TokenExpiry,
    BypassActive,
    TrialOpen,
    RenameInProgress,
    JournalUnfinished,
    JournalDamaged,
    JournalWritable,
    RecordsUnderstood,
    RecoveryCard,
    RecoveryRehearsal,
}

impl AuditId {
    /// API reference, sections 2 to 4.
    fn permission(self) -> Option<&'static str> {
        let check = match self {
            Self::ConnectorStale => CheckId::DomainVerified,
            Self::ConnectorWithoutPolicy
            | Self::PolicyWithoutConnector
            | Self::PolicyDuplicate
            | Self::SsoAppWithoutConnector => CheckId::PolicyAllowsDomain,
            Self::IdpCertificate => CheckId::IdpHealthy,
            Self::TokenExpiry
            | Self::BypassActive
            | Self::TrialOpen
            | Self::RenameInProgress
            | Self::JournalUnfinished
            | Self::JournalDamaged
            | Self::JournalWritable
            | Self::RecordsUnderstood
            | Self::RecoveryCard
            | Self::RecoveryRehearsal => return None,
        };
        check.permission()
    }

    /// Meaning and importance (API reference, sections 2 to 8).
    pub fn description(self) -> &'static str {
        match self {
            Self::ConnectorStale => {
                "Verification is not stuck: Cloudflare checks the TXT record for two days, then it \
                 must be restarted."
            }
            Self::ConnectorWithoutPolicy => {
                "Each enabled connector still has the policy that Cloudflare created for it. Other \
                 policies may allow the users too, but Cloudflare does not maintain them."
            }
            Self::PolicyWithoutConnector => {
                "Each policy with a domain uses a domain that has a connector."
            }
            Self::PolicyDuplicate => {
                "Each domain is used by one policy. A second policy with email rules is not \
                 supported."
            }
            Self::SsoAppWithoutConnector => {
                "The SSO App exists only while there are connectors. Without one it has no effect."
            }
            Self::IdpCertificate => {
                "SAML signing certificates are valid for at least 30 days. The API does not return \
                 the expiry of client secrets."
            }
            Self::TokenExpiry => {
                "The token in use is active and valid for at least `--min-token-days`."
            }
            Self::BypassActive => {
                "No bypass of this machine is active. Bypasses of other machines are in their \
                 journals."
            }
            Self::TrialOpen => {
                "No trial of SSO was interrupted on this machine. An interrupted trial is not reverted: \
                 keep it or disable SSO."
            }
            Self::RenameInProgress => {
                "No rename of the team is incomplete on this machine. SSO is off until it is resumed \
                 or rolled back."
            }
            Self::JournalUnfinished => "Every change in the journal has a known outcome.",
            Self::RecordsUnderstood => {
                "Every record that the API returns is valid. Commands leave out the others and print \
                 a warning."
            }
            Self::RecoveryCard => {
                "`cfsso recovery check --card`: the recovery card describes the present state. A card \
                 of another state has commands that may not work."
            }
            Self::RecoveryRehearsal => {
                "`cfsso recovery prepare`: the emergency token can read all that both bypasses need. \
                 Only a write shows that it can write."
            }
            Self::JournalWritable => {
                "`cfsso recovery check`: the journal can be written. Otherwise, a bypass works only \
                 with `--no-journal`."
            }
            Self::JournalDamaged => {
                "The journal is readable. Corrupt entries are kept, and cannot be undone."
            }
        }
    }
}

static ALL: LazyLock<Vec<FindingId>> = LazyLock::new(|| {
    let checks = CheckId::value_variants().iter().copied().map(FindingId::Check);
    checks.chain(AuditId::value_variants().iter().copied().map(FindingId::Audit)).collect()
});

impl FindingId {
    pub fn all() -> &'static [Self] {
        &ALL
    }

    pub fn name(self) -> String {
        match self {
            Self::Check(id) => value_name(&id),
            Self::Audit(id) => value_name(&id),
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::Check(id) => id.severity(),
            // No process reverts it, and no sign-in has been confirmed.
            Self::Audit(AuditId::TrialOpen) => Severity::Error,
            // The checks before enforcement show whether users are locked out.
            Self::Audit(_) => Severity::Warning,
        }
    }

    pub fn permission(self) -> Option<&'static str> {
        match self {
            Self::Check(id) => id.permission(),
            Self::Audit(id) => id.permission(),
        }
    }

    pub fn description(self) -> &'static str {
        match self {
            Self::Check(id) => id.description(),
            Self::Audit(id) => id.description(),
        }
    }
}

impl ValueEnum for FindingId {
    fn value_variants<'a>() -> &'a [Self] {
        Self::all()
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()))
    }
}

impl Serialize for FindingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.name())
    }
}

/// The result of a check or audit item.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Finding {
    /// The ID of the check or audit item, as used by `--accept-risk`.
    pub id: FindingId,
    /// The severity of a failure; an error blocks sign-in.
    pub severity: Severity,
    /// The state of the check or audit item.
    pub state: CheckState,
    /// The affected domains; empty if the finding is about the account.
    pub domains: Vec<String>,
    /// The result in one sentence.
    pub detail: String,
    /// The command or action that fixes a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The permission that the check requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_permission: Option<&'static str>,
}

impl Finding {
    pub(in crate::flow) fn passed(id: AuditId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::Passed, evidence)
    }

    pub(in crate::flow) fn failed(
        id: AuditId,
        evidence: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { fix: Some(remedy.into()), ..Self::new(id, CheckState::Failed, evidence) }
    }

    pub(in crate::flow) fn not_checked(id: AuditId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::NotChecked, evidence)
    }

    fn new(id: AuditId, state: CheckState, evidence: impl Into<String>) -> Self {
        let id = FindingId::Audit(id);
        Self {
            id,
            severity: id.severity(),
            state,
            domains: Vec::new(),
            detail: evidence.into(),
            fix: None,
            required_permission: id.permission(),
        }
    }

    /// If no connector is enabled, no user is locked out yet: an error becomes a warning.
    pub(super) fn from_check(check: Check, is_enforced: bool) -> Self {
        Self {
            id: FindingId::Check(check.id),
            severity: if is_enforced { check.severity } else { Severity::Warning },
            state: check.state,
            domains: Vec::new(),
            detail: check.detail,
            fix: check.fix,
            required_permission: check.required_permission,
        }
    }

    pub(super) fn for_domain(mut self, domain: impl Into<String>) -> Self {
        self.domains = vec![domain.into()];
        self
    }

    pub fn accept_risks(mut self, accepted: &[FindingId]) -> Self {
        if self.state == CheckState::Failed && accepted.contains(&self.id) {
            self.state = CheckState::Accepted;
        }
        self
    }

    /// `None` if it passed or its risk is accepted. What was not checked is a warning.
    pub fn effective_severity(&self) -> Option<Severity> {
        match self.state {
            CheckState::Failed => Some(self.severity),
            CheckState::NotChecked => Some(Severity::Warning),
            CheckState::Passed | CheckState::Accepted => None,
        }
    }

    /// The detail, preceded by domains that it does not mention.
    pub fn message(&self) -> String {
        let untold: Vec<_> = self
            .domains
            .iter()
            .filter(|domain| !self.detail.contains(domain.as_str()))
            .map(String::as_str)
            .collect();
        if untold.is_empty() {
            return self.detail.clone();
        }
        format!("{}: {}", untold.join(", "), self.detail)
    }
}

/// Merges equal findings of several domains.
pub(super) fn merged(findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<Finding> = Vec::new();
    for finding in findings {
        let is_same = |other: &&mut Finding| {
            (other.id, other.state, other.severity) == (finding.id, finding.state, finding.severity)
                && other.detail == finding.detail
        };
        match kept.iter_mut().find(is_same) {
            Some(same) => same.domains.extend(finding.domains),
            None => kept.push(finding),
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finding_has_a_name_of_its_own() {
        for id in FindingId::all() {
            assert_eq!(FindingId::from_str(&id.name(), false), Ok(*id));
        }
    }

    #[test]
    fn an_error_keeps_people_out_only_where_sso_is_enforced() {
        let check = || Check::failed(CheckId::IdpPresent, "none", "make one");
        assert_eq!(Finding::from_check(check(), true).effective_severity(), Some(Severity::Error));
        assert_eq!(
            Finding::from_check(check(), false).effective_severity(),
            Some(Severity::Warning)
        );
    }

    #[test]
    fn gravity_is_that_of_failures_and_of_what_was_not_checked() {
        let id = AuditId::TokenExpiry;
        let of = |finding: Finding| finding.effective_severity();
        assert_eq!(of(Finding::passed(id, "")), None);
        assert_eq!(of(Finding::failed(id, "", "")), Some(Severity::Warning));
        assert_eq!(of(Finding::not_checked(id, "")), Some(Severity::Warning));
        let accepted = [FindingId::Audit(id)];
        assert_eq!(of(Finding::failed(id, "", "").accept_risks(&accepted)), None);
        assert_eq!(
            of(Finding::not_checked(id, "").accept_risks(&accepted)),
            Some(Severity::Warning),
            "what was not seen is no risk that somebody knows"
        );
    }

    #[test]
    fn the_same_of_several_domains_is_said_once() {
        let one = |domain: &str, evidence: &str| {
            Finding::failed(AuditId::ConnectorStale, evidence, "").for_domain(domain)
        };
        let merged =
            merged(vec![one("a.test", "x"), one("b.test", "x"), one("c.test", "of c.test")]);
        assert_eq!(merged.len(), 2);
        assert_eq!(merged[0].domains, ["a.test", "b.test"]);
        assert_eq!(merged[0].message(), "a.test, b.test: x");
        assert_eq!(merged[1].message(), "of c.test");
    }
}
