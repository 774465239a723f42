//! A check is what is looked at before a change: its verdict, what was seen,
//! and the command that mends it.

use schemars::JsonSchema;
use serde::Serialize;

/// One thing looked at before a change.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// Its name, also for `--accept-risk`.
    pub id: CheckId,
    /// What a failure of it means.
    pub severity: Severity,
    /// How it came out.
    pub state: State,
    /// What was seen.
    pub evidence: String,
    /// The command, or the deed, that mends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The names of the checks before enforcement is enabled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The domain is proven to be the account's.
    DomainVerified,
    /// Cloudflare takes domains of this kind.
    DomainEligible,
    /// The TXT record that proved the domain still stands.
    TxtStillPublished,
    /// No other connector's code stands at the domain.
    ForeignClaim,
}

/// What a failed check means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The change is refused.
    Error,
    /// The change is made, with a warning.
    Warning,
}

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Passed,
    /// Not as it should be.
    Failed,
    /// Could not be looked at: counts as a warning.
    NotChecked,
    /// Failed, and the operator took the risk.
    Accepted,
}

impl CheckId {
    /// The name as it is written on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DomainVerified => "domain-verified",
            Self::DomainEligible => "domain-eligible",
            Self::TxtStillPublished => "txt-still-published",
            Self::ForeignClaim => "foreign-claim",
        }
    }
}

impl Check {
    /// Whether it stands in the way of the change.
    #[must_use]
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error && self.state == State::Failed
    }

    /// The check, with a failure of it accepted where `accepted` names it.
    #[must_use]
    pub fn accepting(mut self, accepted: &[CheckId]) -> Self {
        if self.state == State::Failed && accepted.contains(&self.id) {
            self.state = State::Accepted;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(severity: Severity, state: State) -> Check {
        Check { id: CheckId::ForeignClaim, severity, state, evidence: String::new(), remedy: None }
    }

    #[test]
    fn only_a_failed_error_that_nobody_accepted_blocks() {
        for (severity, state, accepted, blocks) in [
            (Severity::Error, State::Failed, false, true),
            (Severity::Error, State::Failed, true, false),
            (Severity::Error, State::NotChecked, false, false),
            (Severity::Error, State::Passed, false, false),
            (Severity::Warning, State::Failed, false, false),
        ] {
            let accepted: &[CheckId] =
                if accepted { &[CheckId::ForeignClaim] } else { &[CheckId::DomainVerified] };
            assert_eq!(
                check(severity, state).accepting(accepted).blocks(),
                blocks,
                "{severity:?} {state:?}"
            );
        }
    }
}
