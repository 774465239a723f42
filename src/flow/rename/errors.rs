//! Errors of a rename, with the commands that continue it. Pure.

use super::name::{TeamName, word};
use super::report::{Mode, Options, resume_command};
use super::snapshot::OpenRename;
use crate::api::ErrorKind;
use crate::api::document::{Document, NotAnObject};
use crate::flow::api_error::ApiErrorContext;
use crate::flow::check::CheckId;
use crate::flow::{Error, FlowError, FlowErrorKind};

/// The API's refusal while dashboard SSO exists (API reference, section 5).
const DASH_SSO: u64 = 12106;

pub(super) fn rename_in_progress(name: &TeamName, open: &OpenRename) -> FlowError {
    let to = word(&open.snapshot.to);
    let message = format!("a rename to `{to}` is incomplete");
    FlowError::conflict(message)
        .cause(format!("started at {}; its connectors must be restored first", open.since))
        .hint(format!(
            "`cfsso team rename {to} --resume`, undo with `cfsso team rename {to} --rollback`, \
             or rename to `{name}`: `cfsso team rename {name} --resume`"
        ))
}

pub(super) fn different_rename_in_progress(name: &TeamName, open: &OpenRename) -> FlowError {
    let to = word(&open.snapshot.to);
    FlowError::usage(format!("the incomplete rename is to `{to}`, not to `{name}`"))
        .hint(format!("`cfsso team rename {to} --rollback`"))
}

pub(super) fn old_name_unknown() -> FlowError {
    FlowError::usage("the previous team name is not in the journal of this machine")
        .hint("`cfsso team rename <OLD-NAME> --resume --domains <DOMAIN>,<DOMAIN>`")
}

pub(super) fn no_rename_in_progress(ask: &Mode) -> FlowError {
    let (how, name) = match ask {
        Mode::Rollback(name) => ("--rollback", name.as_ref()),
        Mode::Resume(name) => ("--resume", name.as_ref()),
        Mode::Rename(name) => ("--resume", Some(name)),
    };
    let name = name.map_or("<NEW-NAME>", TeamName::as_str);
    FlowError::not_found("no incomplete rename in the journal of this machine").hint(format!(
        "pass the domains that had SSO enabled: \
             `cfsso team rename {name} {how} --domains <DOMAIN>,<DOMAIN>`"
    ))
}

pub(super) fn concurrent_run(run: &str) -> FlowError {
    FlowError::conflict("another rename of this team is running on this machine")
        .cause(format!("journal run {run}"))
        .hint(format!("`cfsso journal show {run}`"))
}

pub(super) fn unexpected_response(error: &NotAnObject) -> FlowError {
    FlowError::conflict(error.to_string())
}

/// The API refuses even an unchanged name while dashboard SSO exists: the token has access.
pub(super) fn is_dash_sso(error: &Error) -> bool {
    matches!(error, Error::Api(error) if error.has_code(DASH_SSO))
}

pub(super) fn no_access(error: Error) -> Error {
    let Error::Api(error) = error else { return error };
    ApiErrorContext::new(error)
        .cause("the rename changes the organization; no connector was disabled or deleted")
        .into()
}

/// Whether the API rejected the rename permanently, and not because of an SSO connector.
pub(super) fn is_final(error: &Error) -> bool {
    let Error::ApiContext(api_error) = error else { return false };
    let error = &api_error.error;
    error.api_errors().iter().all(|one| one.code != Some(DASH_SSO))
        && !error.outcome_unknown()
        && matches!(
            error.kind(),
            ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::Forbidden | ErrorKind::Other
        )
}

pub(super) fn with_context(
    error: Error,
    goal: &str,
    organization: &Document,
    options: &Options,
) -> Error {
    let Error::Api(error) = error else { return error };
    let kind = error.kind();
    let api_error = if error.has_code(DASH_SSO) {
        let resume_command = resume_command(&word(goal), "--resume", options);
        ApiErrorContext::new(error)
            .cause("a connector was created meanwhile: Cloudflare renames a team only without connectors")
            .hint(format!("`cfsso connector list`; `{resume_command}` removes and restores it too"))
    } else if kind == ErrorKind::Conflict {
        ApiErrorContext::new(error)
            .cause(format!("the name `{}` is used or reserved by another organization", word(goal)))
    } else {
        ApiErrorContext::new(error)
    };
    let read_only = organization.parse_at(&["is_ui_read_only"]) == Some(true);
    let api_error = if read_only {
        let reason: Option<String> = organization.parse_at(&["ui_read_only_toggle_reason"]);
        let reason =
            reason.filter(|reason| !reason.is_empty()).map(|reason| format!(" ({reason})"));
        api_error.cause(format!(
            "the organization is read-only in the dashboard{}: another tool manages it",
            reason.unwrap_or_default()
        ))
    } else {
        api_error
    };
    api_error.into()
}

pub(super) fn restored_error(error: Error, now: &str) -> Error {
    let Error::ApiContext(api_error) = error else { return error };
    let api_error = api_error
        .cause(format!(
            "the team is still {now}; its connectors are restored, with new verification codes"
        ))
        .hint("choose another name: `cfsso team rename <OTHER-NAME>`");
    api_error.into()
}

pub(super) fn restore_failed(error: &Error, failure: &Error) -> Error {
    let kind = match failure {
        Error::Flow(flow_error) if flow_error.kind == FlowErrorKind::NotYet => {
            FlowErrorKind::NotYet
        }
        _ => FlowErrorKind::HalfDone,
    };
    FlowError::new(kind, "the name was refused, and not all connectors are restored yet")
        .causes(error.sentences())
        .causes(failure.sentences())
        .into()
}

pub(super) fn with_others(first: Error, others: impl Iterator<Item = Error>) -> Error {
    let mut others = others.peekable();
    if others.peek().is_none() {
        return first;
    }
    let kind = match &first {
        Error::Flow(error) => error.kind,
        Error::Api(_) | Error::ApiContext(_) => FlowErrorKind::HalfDone,
    };
    FlowError::new(kind, "several connectors are not restored yet")
        .causes(first.sentences())
        .causes(others.flat_map(|error| error.sentences()))
        .into()
}

/// The domains without SSO, of those that enforced it before.
pub(super) fn sso_off(off: &[String], enforced: usize) -> Option<String> {
    const NAMED: usize = 5;
    let password = "users sign in with a password";
    let named = off[..off.len().min(NAMED)].join(", ");
    let more = if off.len() > NAMED { ", …" } else { "" };
    match off.len() {
        0 => None,
        all if all == enforced => Some(format!("SSO is off: {password}")),
        some => Some(format!(
            "SSO is off for {some} of {enforced} domains ({named}{more}): {password} there"
        )),
    }
}

/// Without `undo`, `resume_command` is all that is left to do. `blocking` are the failed checks.
pub(super) fn half_done(
    error: &Error,
    resume_command: &str,
    (undo, blocking): (Option<&str>, &[CheckId]),
    off: Option<String>,
) -> Error {
    let (kind, message) = match error {
        // The user has to wait: the message stays.
        Error::Flow(flow_error) if flow_error.kind == FlowErrorKind::NotYet => {
            (flow_error.kind, flow_error.message.clone())
        }
        _ => (FlowErrorKind::HalfDone, "the rename stopped half-way".to_owned()),
    };
    let skipped = usize::from(kind != FlowErrorKind::HalfDone);
    let is_refused = |error: &FlowError| error.kind == FlowErrorKind::Refused;
    let hint = match error {
        Error::ApiContext(api_error) => api_error.hint.clone(),
        Error::Flow(flow_error) if is_refused(flow_error) => flow_error.hint.clone(),
        _ => None,
    };
    let commands = match (kind, undo) {
        (FlowErrorKind::HalfDone, _) if !blocking.is_empty() => {
            let risks: Vec<_> =
                blocking.iter().map(|id| format!(" --accept-risk {}", id.name())).collect();
            let risks = risks.concat();
            format!("fix it, then `{resume_command}`; to override: `{resume_command}{risks}`")
        }
        (FlowErrorKind::HalfDone, _) | (_, None) => format!("`{resume_command}`"),
        (_, Some(undo)) => format!("`{resume_command}`, undo with `{undo}`"),
    };
    let hint = hint.map_or(commands.clone(), |hint| format!("{hint}\n{commands}"));
    FlowError::new(kind, message)
        .causes(error.sentences().into_iter().skip(skipped))
        .causes(off)
        .hint(hint)
        .into()
}
