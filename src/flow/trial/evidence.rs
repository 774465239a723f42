//! What confirms that a user can sign in. Pure.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use crate::api::access_log::LoginRow;
use crate::api::audit_log::AuditRow;
use crate::domain::EmailDomain;
use crate::flow::login_log::redact_email;
use crate::rfc3339;

const PIN: &str = "onetimepin";

#[derive(Clone, Debug)]
pub struct Claim {
    pub app: String,
    pub aud: Option<String>,
    pub domain: EmailDomain,
    /// By the clock of the API.
    pub enabled_at: Timestamp,
    pub pin: PinRule,
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
        };
        if !is_match || !self.is_match(&sign_in) {
            return None;
        }
        let is_pin = row.connection.as_deref() == Some(PIN);
        match row.allowed? {
            false => Some(Verdict::Denied(sign_in)),
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
        };
        if !row.is_sso_login() || !self.is_match(&sign_in) {
            return None;
        }
        let is_clear = self.pin != PinRule::Ignored;
        Some(if is_clear { Verdict::Proof(sign_in) } else { Verdict::Pin(sign_in) })
    }

    fn is_match(&self, sign_in: &SignIn) -> bool {
        self.domain.has_address(&sign_in.email) && sign_in.at > self.enabled_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(pin: PinRule) -> Claim {
        Claim {
            app: "a1".to_owned(),
            aud: Some("x1".to_owned()),
            domain: "cool.cats".parse().unwrap(),
            enabled_at: "2026-03-01T12:00:00Z".parse().unwrap(),
            pin,
        }
    }

    fn word(verdict: Option<&Verdict>) -> &'static str {
        match verdict {
            Some(Verdict::Proof(_)) => "proof",
            Some(Verdict::Denied(_)) => "denied",
            Some(Verdict::Pin(_)) => "pin",
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
}
