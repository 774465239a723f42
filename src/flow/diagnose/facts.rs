//! What a diagnosis was read from.

use jiff::Timestamp;

use super::Question;
use crate::api::access_log::LoginRow;
use crate::api::connector::Connector;
use crate::flow::changes::Change;
use crate::flow::preflight::{self, Checked};
use crate::flow::trial::keep::TrialStatus;

pub(super) struct Facts<'a> {
    pub question: &'a Question,
    pub connectors: &'a Checked<Vec<Connector>>,
    /// From the TXT records of the domain, without those of deleted connectors.
    pub codes: Vec<Vec<u8>>,
    /// The record of a member could not be parsed: it may be the user's.
    pub has_odd_members: bool,
    pub gathered: &'a preflight::Facts,
    /// Evaluated once for all domains: it parses the policies of the SSO App.
    pub is_mfa_forced: bool,
    pub has_pin: bool,
    pub logins: &'a Option<Checked<Vec<LoginRow>>>,
    /// Oldest first.
    pub changes: &'a Checked<Vec<Change>>,
    pub trials: &'a [TrialStatus],
    pub now: Timestamp,
}
