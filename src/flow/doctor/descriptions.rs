//! What each finding means, why it matters and where that is documented: the
//! text of `cfsso help findings`.

use super::finding::{AuditId, FindingId};
use crate::flow::check::CheckId;

/// What it means and why it matters, in a few sentences. The facts are those of
/// the API reference, sections 2 to 8.
pub fn description(id: FindingId) -> &'static str {
    match id {
        FindingId::Check(id) => of_check(id),
        FindingId::Audit(id) => of_audit(id),
    }
}

fn of_check(id: CheckId) -> &'static str {
    match id {
        CheckId::DomainVerified => {
            "The domain is proven to be the account's. Cloudflare enables no other."
        }
        CheckId::DomainEligible => {
            "The domain is not a public email provider. Academic domains need approval by Cloudflare."
        }
        CheckId::ZeroTrustOrg => {
            "Dashboard SSO rests on a Zero Trust organization, on any plan: without one there is \
             nothing to sign in through."
        }
        CheckId::IdpPresent => "At least one identity provider besides one-time PIN is set up.",
        CheckId::IdpHealthy => {
            "Each identity provider that the sign-in admits publishes what a sign-in needs: \
             discovery, issuer, keys, endpoints, certificates that hold. A login is proven by a \
             login alone, so that this warns."
        }
        CheckId::SsoAppPresent => {
            "The account has one Access application of the type `dash_sso`. It appears when SSO is \
             set up, and carries the policies and the choice of identity providers."
        }
        CheckId::SsoAppReachesIdp => {
            "The application admits an identity provider that exists. An empty list admits every \
             one; a list of those that are gone admits nobody."
        }
        CheckId::InstantAuthConsistent => {
            "Where the choice of identity providers is skipped, exactly one may be admitted."
        }
        CheckId::PolicyAllowsDomain => {
            "A policy of the application lets the domain in. Each connector adds one by itself; \
             whoever deletes it locks the administrators out."
        }
        CheckId::PolicyUnsupported => {
            "E-mail rules and policies for a domain without a connector are not supported, and do \
             not let anybody in. They are left where a connector was deleted."
        }
        CheckId::MembersPlusAddressed => {
            "Members whose address has a plus before the at sign cannot sign in with SSO."
        }
        CheckId::MembersSuperAdmin => {
            "A super administrator can still get in when the identity provider fails: one of \
             another domain, who signs in without SSO."
        }
        CheckId::RecoveryToken => {
            "The token with which enforcement is switched off in a lockout lasts. \
             `--recovery-token-file` proves another one than the token in use."
        }
        CheckId::FallbackLogin => {
            "One-time PIN is set up and admitted: the documented way in while the identity \
             provider fails. Without it `cfsso bypass otp` has to create it first."
        }
        CheckId::TxtStillPublished => {
            "The TXT record that proved the domain still stands. Whether it may be removed after \
             the verification is not documented."
        }
        CheckId::ForeignClaim => {
            "No other `cloudflare_dashboard_sso=` code stands at the domain. One that no connector \
             of yours uses may let another account claim the domain."
        }
        CheckId::TeamNameFree => {
            "Before a rename: nobody is seen to have the new team name. One that a deleted \
             organization had stays reserved, which shows only when the name is changed."
        }
        CheckId::TeamWritable => {
            "Before a rename: the organization is not read-only in the dashboard. The API may \
             change it all the same; whoever made it so may keep its state elsewhere."
        }
        CheckId::TxtPublishable => {
            "Before a rename: the token may publish the new TXT records itself, so that SSO is off \
             for as short as can be."
        }
        CheckId::WayBackIn => {
            "Before a rename: members sign in by password while SSO is off, and need their \
             mailboxes to set one."
        }
    }
}

fn of_audit(id: AuditId) -> &'static str {
    match id {
        AuditId::ConnectorStale => {
            "Cloudflare looks for the TXT record for two days. A verification that failed, or has \
             stood still for longer, does not come true by waiting."
        }
        AuditId::ConnectorWithoutPolicy => {
            "The policy that an enforced connector brought is still there: one that allows \
             everybody with an address at its domain. Another policy may let them in; it is not \
             the one that Cloudflare keeps up."
        }
        AuditId::PolicyWithoutConnector => {
            "Each policy that allows somebody names a domain that has a connector. A policy by \
             groups, countries or for everyone belongs to none."
        }
        AuditId::PolicyDuplicate => {
            "Each domain is named by one policy. A second one with e-mail rules is not supported."
        }
        AuditId::SsoAppWithoutConnector => {
            "The `dash_sso` application is of use to connectors alone: without one, nobody is sent \
             to it."
        }
        AuditId::IdpCertificate => {
            "The signing certificates of every SAML identity provider hold for 30 more days, as \
             far as the API shows them. When a client secret ends it does not show."
        }
        AuditId::TokenExpiry => "The token in use is active and lasts for `--min-token-days`.",
        AuditId::BypassActive => {
            "No bypass of this machine is left in force: `cfsso bypass undo` puts back what it \
             changed. What was done by other machines is in their journals."
        }
        AuditId::RenameInProgress => {
            "No rename of the team that this machine began is left half way: SSO is off until it \
             is taken to its end, or back."
        }
        AuditId::JournalUnfinished => {
            "Every write of this machine has an end, or what it was about tells what became of it. \
             One of which nothing tells may have been carried out."
        }
        AuditId::RecordsUnderstood => {
            "Every record that the API lists can be understood. Commands leave out a record that \
             cannot be, and say so."
        }
        AuditId::JournalDamaged => {
            "The journal can be read throughout. What cannot be is left as it is, and cannot be \
             undone from here."
        }
    }
}
