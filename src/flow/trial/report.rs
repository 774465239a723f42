use std::collections::BTreeSet;
use std::time::Duration;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::KeepOn;
use super::evidence::{SignIn, Source};
use crate::api::connector::{Connector, ConnectorFields};
use crate::plural::count_noun;
use crate::rfc3339;

/// A shorter pause is a slow request.
const NOTABLE_GAP: Duration = Duration::from_mins(1);

/// The outcome of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// SSO stays enabled: a user's sign-in was found in the logs.
    Kept,
    /// SSO stays enabled: the user typed `keep` at the terminal.
    KeptByHand,
    /// SSO stays enabled: `connector keep` was run on this machine.
    KeptElsewhere,
    /// SSO stays enabled: another client enabled it again, such as `connector keep --trial-of`.
    KeptByOtherClient,
    /// SSO was disabled again: no sign-in was found that counts, or no one kept it.
    Reverted,
    /// SSO was disabled again: the response to the request that enabled it was lost.
    ResponseLost,
    /// SSO was disabled again by the user at the terminal.
    RevertedByHand,
    /// SSO was disabled again because the process received a signal.
    RevertedBySignal,
    /// Another client disabled SSO.
    DisabledElsewhere,
    /// Another client deleted the connector.
    ConnectorDeleted,
    /// Disabling SSO again could not be confirmed.
    NotReverted,
}

/// A trial and its outcome.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TrialReport {
    /// When SSO was enabled (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub started_at: Timestamp,
    /// When SSO was to be disabled again (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub until: Timestamp,
    /// The outcome of the trial.
    pub outcome: TrialOutcome,
    /// The outcome and its reason, in words.
    pub detail: String,
    /// The sign-ins that confirm that SSO works.
    pub evidence: Vec<SignIn>,
    /// The sign-ins that were denied.
    pub denied: Vec<SignIn>,
}

/// The result of `cfsso connector enable --trial`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether SSO stays enabled.
    pub ok: bool,
    /// The email domain.
    pub domain: String,
    /// The connector as last read.
    #[schemars(with = "ConnectorFields")]
    pub connector: Connector,
    /// The trial and its outcome.
    pub trial: TrialReport,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    TrialStarted {
        domain: &'a str,
        #[serde(serialize_with = "rfc3339::time")]
        until: Timestamp,
        resumed: bool,
        /// Whether a sign-in in the logs keeps SSO on.
        #[serde(skip)]
        by_sign_in: bool,
    },
    /// No time is left of the trial that is resumed: the logs are read once more.
    TimeIsOver {
        domain: &'a str,
        #[serde(serialize_with = "rfc3339::time")]
        until: Timestamp,
    },
    #[serde(skip)]
    Waiting {
        time_left: Duration,
        denied: usize,
        by_sign_in: bool,
    },
    SignIn(&'a SignIn),
    Denied(&'a SignIn),
    /// A sign-in that may have used a one-time PIN, and does not count.
    Pin(&'a SignIn),
    /// A sign-in with a plus address, which does not count.
    PlusAddress(&'a SignIn),
    Unreadable {
        source: Source,
        message: &'a str,
    },
    Reverting {
        reason: TrialOutcome,
        /// The outcome and its reason, in words.
        detail: &'a str,
    },
    /// A request of the revert failed, and is repeated.
    RevertFailed {
        message: &'a str,
    },
}

impl TrialOutcome {
    pub fn is_kept(self) -> bool {
        matches!(
            self,
            Self::Kept | Self::KeptByHand | Self::KeptElsewhere | Self::KeptByOtherClient
        )
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Kept => "kept: a user signed in",
            Self::KeptByHand => "kept by hand",
            Self::KeptElsewhere => "kept by `connector keep`",
            Self::KeptByOtherClient => "kept: another client enabled SSO again",
            Self::Reverted => "reverted",
            Self::ResponseLost => "reverted: the response to enabling SSO was lost",
            Self::RevertedByHand => "reverted by hand",
            Self::RevertedBySignal => "reverted: the process received a signal",
            Self::DisabledElsewhere => "ended: SSO was disabled elsewhere",
            Self::ConnectorDeleted => "ended: the connector was deleted elsewhere",
            Self::NotReverted => "not reverted",
        }
    }
}

impl Report {
    pub(super) fn new(domain: &str, connector: Connector, trial: TrialReport) -> Self {
        let ok = trial.outcome.is_kept();
        Self { schema: "cfsso/trial/v1", ok, domain: domain.to_owned(), connector, trial }
    }
}

/// What the logs contained in the time of a trial.
#[derive(Clone, Debug)]
pub(super) struct Findings {
    pub proofs: Vec<SignIn>,
    pub denied: Vec<SignIn>,
    pub pins: Vec<SignIn>,
    pub plus_addresses: Vec<SignIn>,
    /// The logs that were not read, or not when they were last needed.
    pub unread: BTreeSet<Source>,
}

impl Default for Findings {
    fn default() -> Self {
        Self {
            proofs: Vec::new(),
            denied: Vec::new(),
            pins: Vec::new(),
            plus_addresses: Vec::new(),
            unread: [Source::LoginLog, Source::AuditLog].into(),
        }
    }
}

impl Findings {
    /// Whether all who signed in are known to be no members.
    pub fn are_no_members(&self) -> bool {
        !self.proofs.is_empty() && self.proofs.iter().all(|it| it.member == Some(false))
    }

    pub fn why_reverted(&self, keep_on: KeepOn, longest_gap: Duration) -> String {
        let reason = match keep_on {
            KeepOn::Confirm => match count(&self.proofs) {
                0 => "not confirmed".to_owned(),
                proofs => format!("not confirmed ({} in the logs)", count_noun(proofs, "sign-in")),
            },
            KeepOn::SignIn => self.missing_sign_in(),
        };
        if longest_gap < NOTABLE_GAP {
            return reason;
        }
        let minutes = count_noun(longest_gap.as_secs() / 60, "minute");
        format!("{reason}; the clock advanced by {minutes} at once")
    }

    fn missing_sign_in(&self) -> String {
        let ignored = [
            (&self.pins, "that may have used a one-time PIN"),
            (&self.plus_addresses, "with a plus address"),
            (&self.denied, "denied"),
        ];
        let ignored: Vec<_> = ignored
            .into_iter()
            .filter(|(list, _)| !list.is_empty())
            .map(|(list, what)| format!("{} {what}", count(list)))
            .collect();
        let unread: Vec<_> = self.unread.iter().map(|source| source.label()).collect();
        if unread.len() == 2 && ignored.is_empty() {
            return "neither log could be read".to_owned();
        }
        let place = match *unread {
            [one] if one == Source::LoginLog.label() => "audit log",
            [_] => "login log",
            _ => "logs",
        };
        let reason = match &*ignored {
            [] => format!("no sign-in in the {place}"),
            ignored => format!("no sign-in that counts in the {place} ({})", ignored.join(", ")),
        };
        if unread.is_empty() {
            return reason;
        }
        format!("{reason}; the {} could not be read", unread.join(" and the "))
    }
}

/// A sign-in may be in both logs.
fn count(sign_ins: &[SignIn]) -> usize {
    let rays: BTreeSet<_> = sign_ins.iter().filter_map(|it| it.ray_id.as_ref()).collect();
    rays.len() + sign_ins.iter().filter(|it| it.ray_id.is_none()).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign_in(source: Source, ray: Option<&str>, member: Option<bool>) -> SignIn {
        let ray_id = ray.map(str::to_owned);
        let email = "ada@cool.cats".to_owned();
        SignIn { source, email, idp: None, at: Timestamp::UNIX_EPOCH, ray_id, member }
    }

    #[test]
    fn the_reason_of_a_revert_says_what_was_found_and_what_was_not_read() {
        use Source::{AuditLog, LoginLog};
        let one = || vec![sign_in(LoginLog, Some("r1"), None)];
        let both = || [one(), vec![sign_in(AuditLog, Some("r1"), None)]].concat();
        let two = || [one(), vec![sign_in(LoginLog, None, None)]].concat();
        let read = || Findings { unread: BTreeSet::new(), ..Findings::default() };
        let without = |source| Findings { unread: [source].into(), ..Findings::default() };
        let (on, confirm) = (KeepOn::SignIn, KeepOn::Confirm);
        for (findings, keep_on, gap, expected) in [
            (read(), on, 0, "no sign-in in the logs"),
            (Findings::default(), on, 0, "neither log could be read"),
            (
                without(AuditLog),
                on,
                0,
                "no sign-in in the login log; the audit log could not be read",
            ),
            (
                without(LoginLog),
                on,
                0,
                "no sign-in in the audit log; the login log could not be read",
            ),
            (
                Findings { pins: both(), denied: two(), ..read() },
                on,
                0,
                "no sign-in that counts in the logs (1 that may have used a one-time PIN, 2 denied)",
            ),
            (
                Findings { plus_addresses: one(), ..without(AuditLog) },
                on,
                0,
                "no sign-in that counts in the login log (1 with a plus address); \
                 the audit log could not be read",
            ),
            (
                Findings { denied: one(), ..Findings::default() },
                on,
                0,
                "no sign-in that counts in the logs (1 denied); \
                 the login log and the audit log could not be read",
            ),
            (read(), on, 7200, "no sign-in in the logs; the clock advanced by 120 minutes at once"),
            (read(), on, 59, "no sign-in in the logs"),
            (Findings::default(), confirm, 0, "not confirmed"),
            (
                Findings { proofs: both(), ..read() },
                confirm,
                0,
                "not confirmed (1 sign-in in the logs)",
            ),
        ] {
            let gap = Duration::from_secs(gap);
            assert_eq!(findings.why_reverted(keep_on, gap), expected);
        }
    }

    #[test]
    fn who_is_no_member_is_named_only_where_no_member_signed_in() {
        for (members, expected) in [
            (&[Some(false)][..], true),
            (&[Some(false), Some(true)], false),
            (&[Some(false), None], false),
            (&[], false),
        ] {
            let proofs = members.iter().map(|it| sign_in(Source::LoginLog, None, *it)).collect();
            let findings = Findings { proofs, ..Findings::default() };
            assert_eq!(findings.are_no_members(), expected, "{members:?}");
        }
    }
}
