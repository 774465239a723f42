//! The subject of a trial, read before anything is sent.

use std::collections::BTreeSet;

use super::{KeepOn, PinRule};
use crate::api::ErrorKind;
use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::{Idp, IdpType};
use crate::domain::EmailDomain;
use crate::flow::preflight::{Checked, Facts};
use crate::flow::{FlowError, FlowErrorKind};

pub struct Subject {
    pub domain: EmailDomain,
    pub connector: Connector,
    pub(super) app: Option<App>,
    idps: Option<Vec<Idp>>,
    /// Addresses of those who have accepted, in lower case.
    pub(super) members: Option<BTreeSet<String>>,
    pub logs: Logs,
}

pub struct Logs {
    pub login: Checked<()>,
    pub audit: Checked<()>,
}

impl Subject {
    pub fn new(domain: EmailDomain, connector: Connector, facts: &Facts) -> Self {
        let app = facts.sso_app().ok().flatten().cloned();
        let login = match (&facts.logins, facts.sso_app()) {
            (Err(not_checked), _) | (Ok(_), Err(not_checked)) => Err(not_checked.clone()),
            (Ok(_), Ok(_)) => Ok(()),
        };
        let audit = facts.audit_log.clone().unwrap_or(Ok(()));
        let members = facts.members.as_ref().ok().map(|members| {
            let accepted = members.iter().filter(|member| member.is_accepted());
            accepted.map(|member| member.email().to_lowercase()).collect()
        });
        Self {
            domain,
            connector,
            app,
            idps: facts.idps.as_ref().ok().cloned(),
            members,
            logs: Logs { login, audit },
        }
    }

    pub(super) fn is_kept_by_sign_in(&self, keep_on: KeepOn) -> bool {
        keep_on == KeepOn::SignIn && !self.logs.none_readable()
    }

    pub(super) fn pin_rule(&self, accept_otp: bool) -> PinRule {
        let Some(idps) = self.idps.as_ref().filter(|_| !accept_otp) else {
            return if accept_otp { PinRule::Counts } else { PinRule::Ignored };
        };
        let admitted =
            idps.iter().filter(|idp| self.app.as_ref().is_none_or(|app| app.admits(&idp.id)));
        let (pins, others): (Vec<_>, Vec<_>) =
            admitted.partition(|idp| idp.kind == IdpType::OneTimePin);
        match (pins.is_empty(), others.is_empty()) {
            (false, true) => PinRule::Counts,
            (false, false) => PinRule::Ignored,
            (true, _) => PinRule::Impossible,
        }
    }
}

impl Logs {
    /// Fails if there can be no evidence, and no one to keep it by hand.
    pub fn check(&self, keep_on: KeepOn, can_ask: bool) -> Result<(), FlowError> {
        let (Err(login), Err(audit)) = (&self.login, &self.audit) else { return Ok(()) };
        if can_ask || keep_on == KeepOn::Confirm {
            return Ok(());
        }
        let message = "neither log can be read: a sign-in could not be seen; nothing was sent";
        let is_permission = |kind| kind == ErrorKind::Forbidden;
        let kind = if is_permission(login.kind) && is_permission(audit.kind) {
            FlowErrorKind::Forbidden
        } else {
            FlowErrorKind::Conflict
        };
        Err(FlowError::new(kind, message)
            .cause(format!("login log: {}", login.reason))
            .cause(format!("audit log: {}", audit.reason))
            .hint("`--keep-on confirm`, and then `cfsso connector keep` in time"))
    }

    fn none_readable(&self) -> bool {
        self.login.is_err() && self.audit.is_err()
    }
}
