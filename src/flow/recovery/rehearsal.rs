//! Both bypasses as dry runs with the emergency token.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::app::App;
use crate::api::connector::Connector;
use crate::api::idp::Idp;
use crate::api::{Error as ApiError, ErrorKind, app, idp};
use crate::flow::bypass::disable::{self, is_enabled};
use crate::flow::bypass::otp::{self, OtpScope};
use crate::flow::bypass::pin_delivery::delivery_problems;
use crate::flow::check::Severity;
use crate::flow::connector::disable_action;
use crate::flow::doctor::{AuditId, Finding};
use crate::flow::plan::Change;
use crate::flow::preflight::{Checked, Facts, NotChecked, checked};
use crate::flow::update::Update;
use crate::flow::{Env, FlowError};
use crate::plural::count_noun;

/// The permissions that the bypasses need (API reference, sections 2 to 4).
const CONNECTORS: &str = "SSO Connector Write";
const IDPS: &str = "Access: Organizations, Identity Providers, and Groups Write";
const APPS: &str = "Access: Apps and Policies Write";

pub struct AccessLists {
    idps: Checked<Vec<Idp>>,
    apps: Checked<Vec<App>>,
}

/// A bypass whose requests were prepared but not sent.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Rehearsal {
    /// The method of the bypass: `disable` or `otp`.
    pub method: &'static str,
    /// Whether the bypass could be prepared.
    pub ok: bool,
    /// The requests of the bypass.
    pub changes: Vec<Change>,
    /// The reason why the bypass could not be prepared.
    pub error: Option<String>,
    /// Whether the token lacks a permission for it.
    #[serde(skip)]
    lacks_permission: bool,
}

/// A permission that a bypass requires.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PermissionProof {
    /// The name of the permission in the API.
    pub permission: &'static str,
    /// The method of the bypass that requires the permission.
    pub method: &'static str,
    /// Whether the token can read the area; `null` if the read failed for another reason.
    pub read: Option<bool>,
    /// The reason why the read failed.
    pub error: Option<String>,
    /// `granted` if this run created the token with the permission, otherwise `not_tested`:
    /// write access is unknown until the first write.
    pub write: &'static str,
}

impl AccessLists {
    /// What the token in use has read.
    pub fn of(facts: &Facts) -> Self {
        Self { idps: facts.idps.clone(), apps: facts.apps.clone() }
    }
}

/// Reads what `bypass otp` reads. Fails if the API rejects the token.
pub async fn read_access(emergency: &Env<'_>) -> Result<AccessLists, ApiError> {
    let (client, account) = (emergency.client, emergency.account);
    let (idps, apps) = (idp::list(account), app::list(account));
    let (idps, apps) = tokio::join!(client.list(&idps), client.list(&apps));
    Ok(AccessLists { idps: unless_rejected(idps)?, apps: unless_rejected(apps)? })
}

fn unless_rejected<T>(answer: Result<T, ApiError>) -> Result<Checked<T>, ApiError> {
    match answer {
        Err(error) if error.kind() == ErrorKind::Unauthenticated => Err(error),
        answer => Ok(checked(answer)),
    }
}

pub fn permissions(
    connectors: &Checked<Vec<Connector>>,
    access: &AccessLists,
    is_new: bool,
) -> Vec<PermissionProof> {
    let proof = |permission, method, error: Option<&NotChecked>| PermissionProof {
        permission,
        method,
        read: match error {
            None => Some(true),
            Some(not_checked) if not_checked.kind == ErrorKind::Forbidden => Some(false),
            Some(_) => None,
        },
        error: error.map(|not_checked| not_checked.reason.clone()),
        write: if is_new { "granted" } else { "not_tested" },
    };
    vec![
        proof(CONNECTORS, "disable", connectors.as_ref().err()),
        proof(IDPS, "otp", access.idps.as_ref().err()),
        proof(APPS, "otp", access.apps.as_ref().err()),
    ]
}

pub fn rehearse(
    emergency: &Env<'_>,
    connectors: &Checked<Vec<Connector>>,
    access: &AccessLists,
) -> Vec<Rehearsal> {
    let disable =
        connectors.as_ref().map_err(|not_checked| not_checked.reason.clone()).map(|connectors| {
            let enabled = connectors.iter().filter(|one| is_enabled(one));
            enabled.map(|one| disable_action(emergency, one).change()).collect()
        });
    let of = |method, prepared: Result<Vec<Change>, String>, lacks_permission| {
        let (changes, error) = match prepared {
            Ok(changes) => (changes, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        Rehearsal { method, ok: error.is_none(), changes, error, lacks_permission }
    };
    let has_access = !is_forbidden(&access.idps) && !is_forbidden(&access.apps);
    vec![
        of("disable", disable, is_forbidden(connectors)),
        of("otp", prepare_otp(emergency, access), !has_access),
    ]
}

fn is_forbidden<T>(read: &Checked<T>) -> bool {
    read.as_ref().is_err_and(|not_checked| not_checked.kind == ErrorKind::Forbidden)
}

fn prepare_otp(emergency: &Env<'_>, access: &AccessLists) -> Result<Vec<Change>, String> {
    let (state, edit) = otp_edit(emergency, access)?;
    let problems = delivery_problems(state.app.text(), state.pin.as_ref());
    if problems.admits_nobody {
        return Err(problems.texts.join("; "));
    }
    Ok(otp::changes(emergency, state.pin.as_ref(), &edit))
}

fn otp_edit(
    emergency: &Env<'_>,
    access: &AccessLists,
) -> Result<(otp::CurrentState, Update), String> {
    let reason = |not_checked: &NotChecked| not_checked.reason.clone();
    let idps = access.idps.as_ref().map_err(reason)?;
    let apps = access.apps.as_ref().map_err(reason)?;
    let line = |error: FlowError| error.messages().join(": ");
    let state = otp::state_of(emergency, idps.clone(), apps).map_err(line)?;
    let pin = match &state.pin {
        Some(pin) => pin.clone(),
        None => otp::NEW_PIN.parse().expect("it is an ID"),
    };
    let edit = otp::edit(&state.app, &pin, OtpScope::PinOnly).map_err(line)?;
    Ok((state, edit))
}

/// Returns whether there is anything to undo.
pub fn record_disable(
    recorder: &Env<'_>,
    connectors: &Checked<Vec<Connector>>,
) -> Result<bool, FlowError> {
    let mut has_writes = false;
    for connector in connectors.iter().flatten().filter(|one| is_enabled(one)) {
        disable::record_unsent(recorder, connector)?;
        has_writes = true;
    }
    Ok(has_writes)
}

/// The ID of a PIN that does not exist yet is unknown: without a PIN, no ticket.
pub fn record_otp(recorder: &Env<'_>, access: &AccessLists) -> Result<bool, FlowError> {
    match otp_edit(recorder, access) {
        Ok((state, edit)) if state.pin.is_some() && !edit.is_empty() => {
            otp::record_unsent(recorder, &edit).map(|()| true)
        }
        _ => Ok(false),
    }
}

/// If `bypass disable` fails, there may be no way to sign in. A token that lacks a permission would
/// fail in a lockout, when no one can create another one.
pub fn finding(rehearsals: &[Rehearsal]) -> Finding {
    let id = AuditId::RecoveryRehearsal;
    let texts = rehearsals.iter().map(|one| {
        let result = match &one.error {
            Some(error) => error.clone(),
            None if one.changes.is_empty() => "nothing to change now".to_owned(),
            None => format!("{} prepared", count_noun(one.changes.len() as u64, "request")),
        };
        format!("bypass {}: {result}", one.method)
    });
    let detail = texts.collect::<Vec<_>>().join("; ");
    let failed: Vec<_> = rehearsals.iter().filter(|one| !one.ok).collect();
    if failed.is_empty() {
        return Finding::passed(id, format!("{detail} (not sent: write access is not tested)"));
    }
    let is_fatal = failed.iter().any(|one| one.method == "disable" || one.lacks_permission);
    let severity = if is_fatal { Severity::Error } else { Severity::Warning };
    let fix = match failed.as_slice() {
        [otp] if otp.method == "otp" && otp.lacks_permission => {
            "`cfsso token create-break-glass --with-access --output-file FILE`"
        }
        [otp] if otp.method == "otp" => "`cfsso app policies`",
        _ => "`cfsso recovery prepare --token-out FILE`",
    };
    Finding { severity, ..Finding::failed(id, detail, fix) }
}
