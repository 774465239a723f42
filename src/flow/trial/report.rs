use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::evidence::{SignIn, Source};
use crate::api::connector::{Connector, ConnectorFields};
use crate::rfc3339;

/// The outcome of a trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TrialOutcome {
    /// SSO stays enabled: a user's sign-in was found in the logs.
    Kept,
    /// SSO stays enabled: the user typed `keep` at the terminal.
    KeptByHand,
    /// SSO stays enabled: `connector keep` was run, or another request enabled it again.
    KeptElsewhere,
    /// SSO was disabled again: no sign-in of a user was found in the logs.
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
    },
    #[serde(skip)]
    Waiting {
        time_left: std::time::Duration,
        denied: usize,
    },
    SignIn(&'a SignIn),
    Denied(&'a SignIn),
    /// A sign-in that may have used a one-time PIN, and does not count.
    Pin(&'a SignIn),
    Unreadable {
        source: Source,
        message: &'a str,
    },
    Reverting {
        reason: TrialOutcome,
    },
    /// A request of the revert failed, and is repeated.
    RevertFailed {
        message: &'a str,
    },
}

impl TrialOutcome {
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Kept | Self::KeptByHand | Self::KeptElsewhere)
    }

    pub fn label(self) -> &'static str {
        match self {
            Self::Kept => "kept: a user signed in",
            Self::KeptByHand => "kept by hand",
            Self::KeptElsewhere => "kept by `connector keep`",
            Self::Reverted => "reverted: no sign-in in the logs",
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
