//! Meaning, importance and documentation of each finding (API reference, sections 2 to 8).

use super::finding::{AuditId, FindingId};
use crate::flow::check::CheckId;

pub fn description(id: FindingId) -> &'static str {
    match id {
        FindingId::Check(id) => of_check(id),
        FindingId::Audit(id) => of_audit(id),
    }
}

fn of_check(id: CheckId) -> &'static str {
    match id {
        CheckId::DomainVerified => "Domain ownership is verified. Required to enable SSO.",
        CheckId::DomainEligible => {
            "The domain is not a public email provider. Academic domains need approval by \
             Cloudflare."
        }
        CheckId::ZeroTrustOrg => {
            "The account has a Zero Trust organization (any plan). Dashboard SSO requires one."
        }
        CheckId::IdpPresent => "The account has an identity provider other than one-time PIN.",
        CheckId::IdpHealthy => {
            "Discovery, keys, endpoints and certificates of each allowed identity provider are \
             valid. Does not test a real sign-in."
        }
        CheckId::SsoAppPresent => {
            "The account has one Access application of the type `dash_sso` (the SSO App). \
             Cloudflare creates it with the first connector. It has the policies and the allowed \
             identity providers."
        }
        CheckId::SsoAppReachesIdp => {
            "The SSO App allows at least one existing identity provider. An empty list allows \
             all."
        }
        CheckId::InstantAuthConsistent => {
            "With instant authentication, exactly one identity provider is allowed."
        }
        CheckId::PolicyAllowsDomain => {
            "A policy of the SSO App allows the domain. Cloudflare creates it with the connector; \
             deleting it locks out every user of the domain."
        }
        CheckId::PolicyUnsupported => {
            "Policies use only domains with a connector. Other email rules are not supported and \
             allow no one; they remain after a connector is deleted."
        }
        CheckId::MembersPlusAddressed => {
            "No member uses a plus address (`user+tag@…`). Plus addresses cannot use SSO."
        }
        CheckId::MembersSuperAdmin => {
            "A super administrator of another domain can sign in without SSO if the identity \
             provider fails."
        }
        CheckId::LoginSeen => {
            "The login log, or the last identity of a user, shows a sign-in through each allowed \
             identity provider within `--login-within`, to any application. `cfsso idp test` tests \
             one by hand, which is shown and never counts as proof."
        }
        CheckId::RecoveryToken => {
            "A token that can disable SSO stays valid for at least `--min-token-days`. \
             `--recovery-token-file` checks an emergency token as well."
        }
        CheckId::FallbackLogin => {
            "One-time PIN is configured and allowed: the documented fallback if the identity \
             provider is down. Without it, `cfsso bypass otp` has to create it first."
        }
        CheckId::TxtStillPublished => {
            "The verification TXT record is still published. Cloudflare does not document whether \
             it may be removed."
        }
        CheckId::ForeignClaim => {
            "No unknown verification code is published. Another account could use it to claim the \
             domain."
        }
        CheckId::ConnectorsPresent => {
            "Before a rename: if the account has the SSO App, it has a connector too. Otherwise a \
             rename may have stopped on another machine after it deleted the connectors."
        }
        CheckId::TeamNameAvailable => {
            "Before a rename: no other team has the new name. Names of deleted organizations stay \
             reserved, which only the rename itself shows."
        }
        CheckId::TeamNotReadOnly => {
            "Before a rename: the organization is not read-only in the dashboard. The API can \
             still change it, but another tool may manage it."
        }
        CheckId::TxtCanBePublished => {
            "Before a rename: the token can publish the new TXT records, so that SSO is off for \
             less time."
        }
        CheckId::PasswordResetPossible => {
            "Before a rename: members can receive email. While SSO is off they sign in with a \
             password, and may have to reset it."
        }
    }
}

fn of_audit(id: AuditId) -> &'static str {
    match id {
        AuditId::ConnectorStale => {
            "Verification is not stuck: Cloudflare checks the TXT record for two days, then it \
             must be restarted."
        }
        AuditId::ConnectorWithoutPolicy => {
            "Each enabled connector still has the policy that Cloudflare created for it. Other \
             policies may allow the users too, but Cloudflare does not maintain them."
        }
        AuditId::PolicyWithoutConnector => {
            "Each policy with a domain uses a domain that has a connector."
        }
        AuditId::PolicyDuplicate => {
            "Each domain is used by one policy. A second policy with email rules is not \
             supported."
        }
        AuditId::SsoAppWithoutConnector => {
            "The SSO App exists only while there are connectors. Without one it has no effect."
        }
        AuditId::IdpCertificate => {
            "SAML signing certificates are valid for at least 30 days. The API does not return \
             the expiry of client secrets."
        }
        AuditId::TokenExpiry => {
            "The token in use is active and valid for at least `--min-token-days`."
        }
        AuditId::BypassActive => {
            "No bypass of this machine is active. Bypasses of other machines are in their \
             journals."
        }
        AuditId::TrialOpen => {
            "No trial of SSO was interrupted on this machine. An interrupted trial is not reverted: \
             keep it or disable SSO."
        }
        AuditId::RenameInProgress => {
            "No rename of the team is incomplete on this machine. SSO is off until it is resumed \
             or rolled back."
        }
        AuditId::JournalUnfinished => "Every change in the journal has a known outcome.",
        AuditId::RecordsUnderstood => {
            "Every record that the API returns is valid. Commands leave out the others and print \
             a warning."
        }
        AuditId::RecoveryCard => {
            "`cfsso recovery check --card`: the recovery card describes the present state. A card \
             of another state has commands that may not work."
        }
        AuditId::RecoveryRehearsal => {
            "`cfsso recovery prepare`: the emergency token can read all that both bypasses need. \
             Only a write shows that it can write."
        }
        AuditId::JournalDamaged => {
            "The journal is readable. Corrupt entries are kept, and cannot be undone."
        }
    }
}
