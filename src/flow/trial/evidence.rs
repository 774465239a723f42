//! What confirms that a user can sign in. Pure.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::access_log::LoginRow;
use crate::api::audit_log::{AuditRow, is_same_ray};
use crate::domain::EmailDomain;
use crate::flow::login_log::redact_email;
use crate::flow::preflight::has_plus;
use crate::rfc3339;

const PIN: &str = "onetimepin";

/// A change this long after SSO was enabled was made by another client.
pub(super) const OWN_CHANGE_WINDOW: SignedDuration = SignedDuration::from_secs(5);

#[derive(Clone, Debug)]
pub struct Claim {
    pub app: String,
    pub aud: Option<String>,
    pub domain: EmailDomain,
    /// By the clock of the API.
    pub enabled_at: Timestamp,
    pub pin: PinRule,
    /// Addresses of the account's members, in lower case; `None` if they could not be read.
    pub members: Option<BTreeSet<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinRule {
    /// It counts: no other identity provider has to be tested, or the operator says so.
    Counts,
    /// Another identity provider has to be tested, and the SSO App allows the PIN.
    Ignored,
    /// Another identity provider has to be tested, and the SSO App does not allow the PIN.
    Impossible,
}

/// A sign-in or a denied attempt during a trial.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct SignIn {
    /// The log that contains the sign-in.
    pub source: Source,
    /// The email address.
    pub email: String,
    /// The type of the identity provider; `null` for the audit log, which does not name it.
    pub idp: Option<String>,
    /// When the sign-in was made (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub at: Timestamp,
    /// The Cloudflare Ray ID of the request.
    pub ray_id: Option<String>,
    /// Whether the address is of a member of the account who has accepted the invitation; `null` if
    /// the members could not be read.
    pub member: Option<bool>,
}

/// The log that contains a sign-in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    LoginLog,
    AuditLog,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    Proof(SignIn),
    Denied(SignIn),
    /// A user signed in, with or possibly with a one-time PIN.
    Pin(SignIn),
    /// The address has a plus: the dashboard does not accept it, whatever Access allows.
    PlusAddress(SignIn),
}

impl Source {
    pub fn label(self) -> &'static str {
        match self {
            Self::LoginLog => "login log",
            Self::AuditLog => "audit log",
        }
    }
}

impl SignIn {
    pub fn redacted(mut self) -> Self {
        self.email = redact_email(&self.email);
        self
    }
}

impl Claim {
    /// `None` for another application, domain or time, and for machines.
    pub fn judge_login(&self, row: &LoginRow) -> Option<Verdict> {
        let is_match = row.is_person() && row.is_of_app(&self.app, self.aud.as_deref());
        let sign_in = SignIn {
            source: Source::LoginLog,
            email: row.email().to_owned(),
            idp: row.connection.clone(),
            at: row.at()?,
            ray_id: row.ray_id.clone(),
            member: self.is_member(row.email()),
        };
        if !is_match || !self.is_match(&sign_in) {
            return None;
        }
        let is_pin = row.connection.as_deref() == Some(PIN);
        match row.allowed? {
            false => Some(Verdict::Denied(sign_in)),
            true if has_plus(&sign_in.email) => Some(Verdict::PlusAddress(sign_in)),
            true if is_pin && self.pin != PinRule::Counts => Some(Verdict::Pin(sign_in)),
            true => Some(Verdict::Proof(sign_in)),
        }
    }

    /// The audit log does not name the identity provider.
    pub fn judge_audit(&self, row: &AuditRow) -> Option<Verdict> {
        let sign_in = SignIn {
            source: Source::AuditLog,
            email: row.email().to_owned(),
            idp: None,
            at: row.at()?,
            ray_id: row.ray_id().map(str::to_owned),
            member: self.is_member(row.email()),
        };
        if !row.is_sso_login() || !self.is_match(&sign_in) {
            return None;
        }
        Some(match self.pin {
            _ if has_plus(&sign_in.email) => Verdict::PlusAddress(sign_in),
            PinRule::Ignored => Verdict::Pin(sign_in),
            PinRule::Counts | PinRule::Impossible => Verdict::Proof(sign_in),
        })
    }

    fn is_member(&self, email: &str) -> Option<bool> {
        Some(self.members.as_ref()?.contains(&email.to_lowercase()))
    }

    fn is_match(&self, sign_in: &SignIn) -> bool {
        self.domain.has_address(&sign_in.email) && sign_in.at > self.enabled_at
    }
}

/// Whether the audit log has a change of the connector that is later than the trial's own request,
/// whose Ray ID is `own_ray`. Without that row, only one that is clearly later counts: the API may
/// have applied a repeated request twice.
pub fn has_later_change(
    rows: &[AuditRow],
    connector: &str,
    own_ray: Option<&str>,
    enabled_at: Timestamp,
) -> bool {
    let changes = || rows.iter().filter(|row| row.is_change_of_connector(connector));
    let is_own =
        |row: &&AuditRow| row.ray_id().zip(own_ray).is_some_and(|(ray, own)| is_same_ray(ray, own));
    let own_at = changes().find(is_own).and_then(AuditRow::at);
    let window_end = || enabled_at.saturating_add(OWN_CHANGE_WINDOW).unwrap_or(Timestamp::MAX);
    let after = own_at.unwrap_or_else(window_end);
    changes().filter_map(AuditRow::at).any(|at| at > after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_by_another_client_is_told_from_the_own_by_ray_id_else_by_time() {
        let row = |&(ray, second): &(&str, u8)| -> AuditRow {
            let text = format!(
                r#"{{"action":{{"time":"2026-03-01T12:00:{second:02}Z"}},"raw":{{"cf_ray_id":{ray},
                    "method":"PATCH","uri":"/client/v4/accounts/a/sso_connectors/c1"}}}}"#
            );
            serde_json::from_str(&text).unwrap()
        };
        let (own, other, none) = (r#""8c5a""#, r#""ffff""#, "null");
        let known = Some("8c5a-FRA");
        for (rows, own_ray, expected) in [
            (vec![(own, 1)], known, false),
            (vec![(own, 1), (other, 2)], known, true),
            (vec![(own, 1), (none, 2)], known, true),
            // The request that disabled SSO before, or an own one whose response was lost.
            (vec![(other, 0), (own, 1)], known, false),
            // Late in the log.
            (vec![(own, 9)], known, false),
            // The own row is not in the log yet, or its Ray ID is unknown.
            (vec![(other, 2)], known, false),
            (vec![(other, 5), (own, 6)], None, true),
            (vec![(other, 1), (other, 5)], None, false),
            (vec![(other, 6)], known, true),
            (vec![], known, false),
        ] {
            let rows: Vec<_> = rows.iter().map(row).collect();
            let at = "2026-03-01T12:00:00Z".parse().unwrap();
            assert_eq!(has_later_change(&rows, "c1", own_ray, at), expected, "{rows:?}");
            assert!(!has_later_change(&rows, "c2", own_ray, at));
        }
    }

    fn claim(pin: PinRule) -> Claim {
        Claim {
            app: "a1".to_owned(),
            aud: Some("x1".to_owned()),
            domain: "cool.cats".parse().unwrap(),
            enabled_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            pin,
            members: Some(["ada@cool.cats".to_owned()].into()),
        }
    }

    fn word(verdict: Option<&Verdict>) -> &'static str {
        match verdict {
            Some(Verdict::Proof(_)) => "proof",
            Some(Verdict::Denied(_)) => "denied",
            Some(Verdict::Pin(_)) => "pin",
            Some(Verdict::PlusAddress(_)) => "plus",
            None => "",
        }
    }

    #[test]
    fn a_row_of_the_login_log_counts_by_app_domain_time_and_decision() {
        use PinRule::{Counts, Ignored, Impossible};
        let row = r#"{"allowed":true,"app_uid":"a1","connection":"oidc",
            "created_at":"2026-03-01T12:00:01Z","user_email":"ada@cool.cats"}"#;
        for (from, to, pin, expected) in [
            ("", "", Ignored, "proof"),
            ("ada@cool.cats", "Ada@COOL.cats", Ignored, "proof"),
            ("ada@cool.cats", "ada+x@cool.cats", Counts, "plus"),
            ("ada@cool.cats", "ada@uncool.cats", Ignored, ""),
            ("ada@cool.cats", "ada@cool.cats.example", Ignored, ""),
            ("ada@cool.cats", "ada@mail.cool.cats", Ignored, ""),
            ("ada@cool.cats", "cool.cats", Ignored, ""),
            ("a1", "a2", Ignored, ""),
            ("12:00:01Z", "12:00:00Z", Ignored, ""),
            ("12:00:01Z", "11:59:59Z", Ignored, ""),
            ("12:00:01Z", "soon", Ignored, ""),
            ("true", "false", Ignored, "denied"),
            ("true", "null", Ignored, ""),
            ("oidc", "nonidentity", Ignored, ""),
            ("oidc", "onetimepin", Counts, "proof"),
            ("oidc", "onetimepin", Ignored, "pin"),
            ("oidc", "onetimepin", Impossible, "pin"),
        ] {
            let row = serde_json::from_str(&row.replace(from, to)).unwrap();
            assert_eq!(
                word(claim(pin).judge_login(&row).as_ref()),
                expected,
                "{from} {to} {pin:?}"
            );
        }
    }

    #[test]
    fn a_row_of_the_audit_log_counts_where_no_pin_can_be_behind_it() {
        use PinRule::{Counts, Ignored, Impossible};
        let row = r#"{"action":{"description":"SSO_LOGIN","time":"2026-03-01T12:00:01Z"},
            "actor":{"email":"ada@cool.cats"}}"#;
        for (from, to, pin, expected) in [
            ("", "", Impossible, "proof"),
            ("", "", Counts, "proof"),
            ("", "", Ignored, "pin"),
            ("ada@", "ada+x@", Impossible, "plus"),
            ("SSO_LOGIN", "Add Member", Impossible, ""),
            ("12:00:01Z", "12:00:00Z", Impossible, ""),
            ("cool.cats", "dogs.test", Impossible, ""),
        ] {
            let row = serde_json::from_str(&row.replace(from, to)).unwrap();
            assert_eq!(
                word(claim(pin).judge_audit(&row).as_ref()),
                expected,
                "{from} {to} {pin:?}"
            );
        }
    }

    #[test]
    fn a_sign_in_says_whether_the_user_is_a_member() {
        let row = r#"{"allowed":true,"app_uid":"a1","connection":"oidc",
            "created_at":"2026-03-01T12:00:01Z","user_email":"Ada@cool.cats"}"#;
        let known = claim(PinRule::Counts).members;
        for (members, expected) in
            [(known, Some(true)), (Some(BTreeSet::new()), Some(false)), (None, None)]
        {
            let claim = Claim { members, ..claim(PinRule::Counts) };
            let row = serde_json::from_str(row).unwrap();
            let Some(Verdict::Proof(sign_in)) = claim.judge_login(&row) else { panic!("{row:?}") };
            assert_eq!(sign_in.member, expected);
        }
    }
}
