//! Checks before a change: each has a verdict, facts, and the command that fixes it.

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use super::preflight::NotChecked;
use crate::shell;

/// A check before a change, and its result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Check {
    /// The ID of the check, as used by `--accept-risk`.
    pub id: CheckId,
    /// The severity of a failure.
    pub severity: Severity,
    /// The result of the check.
    pub state: CheckState,
    /// The result in one sentence.
    pub detail: String,
    /// The command or action that fixes a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// The arguments of the command that fixes a failure, if it needs no others.
    #[serde(skip)]
    pub repair: Option<Vec<String>>,
    /// The permission that the check requires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub required_permission: Option<&'static str>,
}

/// The ID of a check that runs before SSO is enabled or the team is renamed.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, JsonSchema, ValueEnum,
)]
#[serde(rename_all = "kebab-case")]
pub enum CheckId {
    /// The domain is verified
    DomainVerified,
    /// Cloudflare accepts the domain
    DomainEligible,
    /// The account has a Zero Trust organization
    ZeroTrustOrg,
    /// There is an identity provider other than one-time PIN
    IdpPresent,
    /// The allowed identity providers respond and are configured correctly
    IdpHealthy,
    /// The SSO App exists
    SsoAppPresent,
    /// The SSO App allows an identity provider that exists
    SsoAppReachesIdp,
    /// Instant auth is off, or exactly one identity provider is allowed
    InstantAuthConsistent,
    /// A policy of the SSO App allows the domain
    PolicyAllowsDomain,
    /// Policies only use domains with a connector
    PolicyUnsupported,
    /// No member of the domain has a plus address
    MembersPlusAddressed,
    /// A super administrator can sign in without SSO
    MembersSuperAdmin,
    /// Recent sign-ins through each identity provider
    LoginSeen,
    /// A token that can disable SSO stays valid
    RecoveryToken,
    /// One-time PIN is available if the identity provider fails
    FallbackLogin,
    /// The TXT record of the verification is still published
    TxtStillPublished,
    /// No other verification code is published at the domain
    ForeignClaim,
    /// The account has a connector if it has the SSO App
    #[value(hide = true)]
    ConnectorsPresent,
    /// The new team name is available
    #[value(hide = true)]
    TeamNameAvailable,
    /// The organization is not read-only in the dashboard
    #[value(hide = true)]
    TeamNotReadOnly,
    /// The new TXT records can be published automatically
    #[value(hide = true)]
    TxtCanBePublished,
    /// Members can reset their password while SSO is off
    #[value(hide = true)]
    PasswordResetPossible,
}

/// The effect of a failed check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The change is refused if the check fails.
    Error,
    /// The change is made, with a warning.
    Warning,
}

/// The state of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckState {
    /// The check passed.
    Passed,
    /// The check failed.
    Failed,
    /// The check could not run; counts as a warning.
    NotChecked,
    /// The check failed, and the risk was accepted with `--accept-risk`.
    Accepted,
}

impl CheckId {
    pub fn name(self) -> String {
        value_name(&self)
    }

    /// An error locks users out, or Cloudflare refuses it; a warning makes a lockout more likely,
    /// or is not documented well enough to refuse the change. A check may override the severity.
    pub fn severity(self) -> Severity {
        match self {
            // Cloudflare enables nothing without the first three. Without the
            // others, no user of the domain can sign in, or no user who can fix it.
            Self::DomainVerified
            | Self::DomainEligible
            | Self::ZeroTrustOrg
            | Self::IdpPresent
            | Self::SsoAppReachesIdp
            | Self::PolicyAllowsDomain
            | Self::MembersSuperAdmin
            | Self::ConnectorsPresent
            | Self::TeamNameAvailable => Severity::Error,
            // An identity provider may answer Cloudflare but not this machine. Undocumented:
            // when the SSO App appears, and the effect of the next two. The others concern
            // single members, recovery, or a verification that succeeded or is missing.
            Self::IdpHealthy
            | Self::SsoAppPresent
            | Self::InstantAuthConsistent
            | Self::PolicyUnsupported
            | Self::MembersPlusAddressed
            | Self::LoginSeen
            | Self::RecoveryToken
            | Self::FallbackLogin
            | Self::TxtStillPublished
            | Self::ForeignClaim
            | Self::TeamNotReadOnly
            | Self::TxtCanBePublished
            | Self::PasswordResetPossible => Severity::Warning,
        }
    }

    /// Whether a failure locks users out once SSO is enabled.
    pub fn locks_users_out(self) -> bool {
        matches!(
            self,
            Self::IdpPresent
                | Self::SsoAppPresent
                | Self::SsoAppReachesIdp
                | Self::PolicyAllowsDomain
                | Self::MembersSuperAdmin
        )
    }

    /// By its name in the dashboard (API reference, sections 2, 3, 4 and 8.2).
    pub fn permission(self) -> Option<&'static str> {
        match self {
            Self::DomainVerified => Some("SSO Connector Read"),
            Self::ZeroTrustOrg
            | Self::IdpPresent
            | Self::IdpHealthy
            | Self::FallbackLogin
            | Self::TeamNotReadOnly => {
                Some("Access: Organizations, Identity Providers, and Groups Read")
            }
            Self::SsoAppPresent
            | Self::SsoAppReachesIdp
            | Self::InstantAuthConsistent
            | Self::PolicyAllowsDomain
            | Self::PolicyUnsupported
            | Self::ConnectorsPresent => Some("Access: Apps and Policies Read"),
            Self::MembersPlusAddressed | Self::MembersSuperAdmin | Self::PasswordResetPossible => {
                Some("Account Settings Read")
            }
            Self::LoginSeen => Some("Access: Audit Logs Read"),
            Self::TxtCanBePublished => Some("Zone Read"),
            Self::DomainEligible
            | Self::TeamNameAvailable
            | Self::RecoveryToken
            | Self::TxtStillPublished
            | Self::ForeignClaim => None,
        }
    }

    /// Meaning and importance (API reference, sections 2 to 8).
    pub fn description(self) -> &'static str {
        match self {
            Self::DomainVerified => "Domain ownership is verified. Required to enable SSO.",
            Self::DomainEligible => {
                "The domain is not a public email provider. Academic domains need approval by \
                 Cloudflare."
            }
            Self::ZeroTrustOrg => {
                "The account has a Zero Trust organization (any plan). Dashboard SSO requires one."
            }
            Self::IdpPresent => "The account has an identity provider other than one-time PIN.",
            Self::IdpHealthy => {
                "Discovery, keys, endpoints and certificates of each allowed identity provider are \
                 valid. Does not test a real sign-in."
            }
            Self::SsoAppPresent => {
                "The account has one Access application of the type `dash_sso` (the SSO App). \
                 Cloudflare creates it with the first connector. It has the policies and the allowed \
                 identity providers."
            }
            Self::SsoAppReachesIdp => {
                "The SSO App allows at least one existing identity provider. An empty list allows \
                 all."
            }
            Self::InstantAuthConsistent => {
                "With instant authentication, exactly one identity provider is allowed."
            }
            Self::PolicyAllowsDomain => {
                "A policy of the SSO App allows the domain. Cloudflare creates it with the connector; \
                 deleting it locks out every user of the domain."
            }
            Self::PolicyUnsupported => {
                "Policies use only domains with a connector. Other email rules are not supported and \
                 allow no one; they remain after a connector is deleted."
            }
            Self::MembersPlusAddressed => {
                "No member uses a plus address (`user+tag@…`). Plus addresses cannot use SSO."
            }
            Self::MembersSuperAdmin => {
                "A super administrator of another domain can sign in without SSO if the identity \
                 provider fails."
            }
            Self::LoginSeen => {
                "The login log, or the last identity of a user, shows a sign-in through each allowed \
                 identity provider within `--login-within`, to any application. `cfsso idp test` tests \
                 one by hand, which is shown and never counts as proof."
            }
            Self::RecoveryToken => {
                "A token that can disable SSO stays valid for at least `--min-token-days`. \
                 `--recovery-token-file` checks an emergency token as well."
            }
            Self::FallbackLogin => {
                "One-time PIN is configured and allowed: the documented fallback if the identity \
                 provider is down. Without it, `cfsso bypass otp` has to create it first."
            }
            Self::TxtStillPublished => {
                "The verification TXT record is still published. Cloudflare does not document whether \
                 it may be removed."
            }
            Self::ForeignClaim => {
                "No unknown verification code is published. Another account could use it to claim the \
                 domain."
            }
            Self::ConnectorsPresent => {
                "Before a rename: if the account has the SSO App, it has a connector too. Otherwise a \
                 rename may have stopped on another machine after it deleted the connectors."
            }
            Self::TeamNameAvailable => {
                "Before a rename: no other team has the new name. Names of deleted organizations stay \
                 reserved, which only the rename itself shows."
            }
            Self::TeamNotReadOnly => {
                "Before a rename: the organization is not read-only in the dashboard. The API can \
                 still change it, but another tool may manage it."
            }
            Self::TxtCanBePublished => {
                "Before a rename: the token can publish the new TXT records, so that SSO is off for \
                 less time."
            }
            Self::PasswordResetPossible => {
                "Before a rename: members can receive email. While SSO is off they sign in with a \
                 password, and may have to reset it."
            }
        }
    }
}

/// The name of `value` on the command line.
pub fn value_name(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value().expect("no variant is skipped");
    value.get_name().to_owned()
}

impl Check {
    pub fn passed(id: CheckId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::Passed, evidence)
    }

    pub fn failed(id: CheckId, evidence: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { fix: Some(remedy.into()), ..Self::new(id, CheckState::Failed, evidence) }
    }

    /// A failed check that the command `words` repairs.
    pub fn repairable(id: CheckId, evidence: impl Into<String>, words: &[&str]) -> Self {
        let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
        let fix = format!("`cfsso {}`", shell::line(&words));
        Self { repair: Some(words), ..Self::failed(id, evidence, fix) }
    }

    pub fn not_checked(id: CheckId, evidence: impl Into<String>) -> Self {
        Self::new(id, CheckState::NotChecked, evidence)
    }

    pub fn or_not_checked(id: CheckId, check: Result<Self, &NotChecked>) -> Self {
        check.unwrap_or_else(|not_checked| Self::not_checked(id, &not_checked.reason))
    }

    fn new(id: CheckId, state: CheckState, evidence: impl Into<String>) -> Self {
        Self {
            id,
            severity: id.severity(),
            state,
            detail: evidence.into(),
            fix: None,
            repair: None,
            required_permission: id.permission(),
        }
    }

    pub fn with_severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error && self.state == CheckState::Failed
    }

    pub fn accept_risks(mut self, accepted: &[CheckId]) -> Self {
        if self.state == CheckState::Failed && accepted.contains(&self.id) {
            self.state = CheckState::Accepted;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(severity: Severity, state: CheckState) -> Check {
        Check::new(CheckId::ForeignClaim, state, "").with_severity(severity)
    }

    #[test]
    fn a_check_has_the_same_name_on_the_command_line_and_in_json() {
        for id in CheckId::value_variants() {
            assert_eq!(serde_json::to_value(id).unwrap(), id.name());
        }
    }

    #[test]
    fn only_a_failed_error_that_nobody_accepted_blocks() {
        for (severity, state, accepted, blocks) in [
            (Severity::Error, CheckState::Failed, false, true),
            (Severity::Error, CheckState::Failed, true, false),
            (Severity::Error, CheckState::NotChecked, false, false),
            (Severity::Error, CheckState::Passed, false, false),
            (Severity::Warning, CheckState::Failed, false, false),
        ] {
            let accepted: &[CheckId] =
                if accepted { &[CheckId::ForeignClaim] } else { &[CheckId::DomainVerified] };
            assert_eq!(
                check(severity, state).accept_risks(accepted).blocks(),
                blocks,
                "{severity:?} {state:?}"
            );
        }
    }
}
