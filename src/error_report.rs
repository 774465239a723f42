//! Error chain to message, hint and exit code. The only place that knows the errors of all layers.

use crate::api::ErrorKind;
use crate::api::base::InvalidBaseUrl;
use crate::api::ids::InvalidId;
use crate::api::mask::mask;
use crate::api::{self, RequestError, permission};
use crate::domain::InvalidDomain;
use crate::flow::api_error::ApiErrorContext;
use crate::flow::bypass::AlternativeHint;
use crate::flow::{self, FlowError, FlowErrorKind, Signal};
use crate::input::proxy::InvalidProxy;
use crate::output::{ApiError, ErrorReport, ExitCode};
use crate::{sandbox, settings};

/// Secrets are masked.
pub fn to_failure(error: &anyhow::Error) -> ErrorReport {
    let mut failure = from_chain(error);
    if let Some(hint) = error.downcast_ref::<AlternativeHint>()
        && !concerns_every_request(&failure)
    {
        failure.hint = Some(hint.describe(failure.exit_code == ExitCode::Unavailable));
    }
    masked(failure)
}

/// Whether the token or the account is wrong: code 9109 means that the token is not for the
/// account (API reference, section 9).
fn concerns_every_request(failure: &ErrorReport) -> bool {
    failure.exit_code == ExitCode::Unauthenticated
        || failure.api_errors.iter().any(|error| error.code == Some(9109))
}

/// Masks secrets: an error may quote a token that was given in place of another value.
pub fn masked(mut failure: ErrorReport) -> ErrorReport {
    let texts = [&mut failure.message].into_iter().chain(&mut failure.causes);
    for text in texts.chain(&mut failure.hint) {
        *text = mask(text);
    }
    failure
}

fn from_chain(error: &anyhow::Error) -> ErrorReport {
    for layer in error.chain() {
        if let Some(error) = layer.downcast_ref::<FlowError>() {
            return from_flow_error(error);
        }
        if let Some(error) = layer.downcast_ref::<api::Error>() {
            return from_api_error(error);
        }
        match layer.downcast_ref::<flow::Error>() {
            Some(flow::Error::Flow(error)) => return from_flow_error(error),
            Some(flow::Error::Api(error)) => return from_api_error(error),
            Some(flow::Error::ApiContext(api_error)) => return from_api_error_context(api_error),
            None => {}
        }
    }
    let mut failure = ErrorReport::new(exit_code(error), error.to_string());
    failure.causes = error.chain().skip(1).map(ToString::to_string).collect();
    failure.causes.dedup();
    failure.hint = hint(error);
    failure
}

fn exit_code(error: &anyhow::Error) -> ExitCode {
    let is_usage = error.chain().any(|layer| {
        layer.is::<settings::Error>()
            || layer.is::<InvalidBaseUrl>()
            || layer.is::<InvalidDomain>()
            || layer.is::<InvalidId>()
            || layer.is::<InvalidProxy>()
    });
    if is_usage {
        return ExitCode::Usage;
    }
    match error.chain().find_map(|layer| layer.downcast_ref::<sandbox::Error>()) {
        Some(sandbox::Error::Locked { .. }) => ExitCode::Conflict,
        Some(sandbox::Error::NotLoopback(_)) => ExitCode::Usage,
        _ => ExitCode::Failure,
    }
}

fn hint(error: &anyhow::Error) -> Option<String> {
    let service_url = error.chain().find_map(|layer| match layer.downcast_ref() {
        Some(sandbox::Error::Locked { holder, .. }) if holder.is_service() => holder.url.as_deref(),
        _ => None,
    });
    if let Some(url) = service_url {
        return Some(format!(
            "use the running one without `--sandbox`: `export CLOUDFLARE_BASE_URL={url}` and the other \
             lines that it printed"
        ));
    }
    let is_of_sandbox_file = |layer: &(dyn std::error::Error + 'static)| {
        matches!(layer.downcast_ref(), Some(sandbox::Error::File { .. }))
    };
    if error.chain().any(is_of_sandbox_file) {
        return Some("`--sandbox-state FILE` with another file".to_owned());
    }
    let settings = error.chain().find_map(|layer| layer.downcast_ref::<settings::Error>())?;
    match settings {
        settings::Error::NoHome => Some("`--sandbox-state FILE`".to_owned()),
        settings::Error::Account { .. } => Some(
            "the account ID is in the dashboard's address, after dash.cloudflare.com/".to_owned(),
        ),
        settings::Error::Malformed { is_windows_path: true, .. } => {
            Some(r"write a Windows path in single quotes: 'C:\Users\ada\token'".to_owned())
        }
        settings::Error::CredentialForOtherBase { hint, .. } => Some(hint.clone()),
        settings::Error::Malformed { .. } | settings::Error::NoProfile { .. } => {
            Some("`cfsso help environment` lists the keys of a profile; `CFSSO_CONFIG=/dev/null` ignores \
             the file"
                .to_owned())
        }
        _ => None,
    }
}

fn from_flow_error(error: &FlowError) -> ErrorReport {
    let exit = match error.kind {
        FlowErrorKind::Usage => ExitCode::Usage,
        FlowErrorKind::Declined => ExitCode::Declined,
        FlowErrorKind::NoToken => ExitCode::Unauthenticated,
        FlowErrorKind::Forbidden => ExitCode::Forbidden,
        FlowErrorKind::NotFound => ExitCode::NotFound,
        FlowErrorKind::Unreachable => ExitCode::Unavailable,
        FlowErrorKind::Conflict => ExitCode::Conflict,
        FlowErrorKind::NotYet => ExitCode::NotYet,
        FlowErrorKind::Refused => ExitCode::Refused,
        FlowErrorKind::HalfDone => ExitCode::HalfDone,
        FlowErrorKind::NotConfirmed | FlowErrorKind::Journal => ExitCode::Failure,
        FlowErrorKind::Signaled(Signal::Interrupt) => ExitCode::Interrupted,
        FlowErrorKind::Signaled(Signal::Terminate) => ExitCode::Terminated,
        FlowErrorKind::Signaled(Signal::Hangup) => ExitCode::HungUp,
    };
    let mut failure = ErrorReport::new(exit, error.message.clone());
    failure.causes.clone_from(&error.causes);
    failure.hint.clone_from(&error.hint);
    failure.retryable = error.kind == FlowErrorKind::NotYet;
    if error.kind == FlowErrorKind::Journal {
        "journal".clone_into(&mut failure.kind);
    }
    failure
}

fn from_api_error(error: &api::Error) -> ErrorReport {
    let mut failure = ErrorReport::new(exit_code_for_kind(error.kind()), error.to_string());
    failure.kind = error.kind().to_string();
    failure.causes = error.sentences().split_off(1);
    failure.request = Some(error.request.clone());
    failure.retryable = error.is_retryable();
    failure.hint = hint_by(error);
    failure.ray_id = error.ray().map(str::to_owned);
    failure.http_status = error.status();
    failure.api_errors = error
        .api_errors()
        .iter()
        .map(|error| ApiError {
            code: error.code,
            message: error.message.clone(),
            documentation_url: error.documentation_url.clone(),
        })
        .collect();
    if error.kind() == ErrorKind::Forbidden {
        failure.required_permission = permission::required(&error.request).map(str::to_owned);
    }
    failure
}

fn from_api_error_context(api_error: &ApiErrorContext) -> ErrorReport {
    let mut failure = from_api_error(&api_error.error);
    failure.causes.extend(api_error.causes.iter().cloned());
    failure.hint = api_error.hint.clone().or(failure.hint);
    failure
}

fn exit_code_for_kind(kind: ErrorKind) -> ExitCode {
    match kind {
        ErrorKind::Unauthenticated | ErrorKind::UserTokenNeeded => ExitCode::Unauthenticated,
        ErrorKind::Forbidden => ExitCode::Forbidden,
        ErrorKind::NotFound | ErrorKind::AccessNotEnabled => ExitCode::NotFound,
        ErrorKind::Conflict => ExitCode::Conflict,
        ErrorKind::RateLimited
        | ErrorKind::Unavailable
        | ErrorKind::Unusable
        | ErrorKind::OutOfTime => ExitCode::Unavailable,
        ErrorKind::Setup => ExitCode::Usage,
        ErrorKind::Invalid | ErrorKind::Untrusted | ErrorKind::Unreadable | ErrorKind::Other => {
            ExitCode::Failure
        }
    }
}

fn hint_by(error: &api::Error) -> Option<String> {
    let is_lost = error.outcome_unknown()
        && matches!(
            error.kind(),
            ErrorKind::OutOfTime
                | ErrorKind::Unavailable
                | ErrorKind::RateLimited
                | ErrorKind::Unreadable
        );
    let hint = match error.kind() {
        // It was not sent: the error says what is wrong with it.
        ErrorKind::Unauthenticated if error.status().is_none() => {
            "`cfsso config show` names the source of the credential"
        }
        ErrorKind::Unauthenticated => {
            "possible causes: mistyped, expired, disabled, deleted, copied with quotes or spaces, \
             or of another account. Run: `cfsso token check`"
        }
        ErrorKind::UserTokenNeeded => {
            "this is an account token (`cfat_`), but the request requires a user token \
             (`cfut_`). Run: `cfsso whoami`"
        }
        ErrorKind::AccessNotEnabled => {
            "create a Zero Trust organization (any plan) at https://one.dash.cloudflare.com"
        }
        ErrorKind::Untrusted => {
            "if a proxy inspects TLS, pass its certificate: `--ca-cert FILE` or SSL_CERT_FILE"
        }
        ErrorKind::Forbidden if concerns_shares(&error.request) => {
            "the permission for shares is not documented: reading needs Resource Sharing Read, \
             writing may need a super administrator's token, or the Global API Key in CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"
        }
        ErrorKind::Forbidden => return Some(forbidden(error)),
        _ if is_lost && creates_token(&error.request) => {
            "a token may exist whose value was lost: check the dashboard, \
             Manage Account, Account API Tokens, and delete it before running the command again"
        }
        _ if is_lost => {
            "the request may have been applied. Run the same command again: it checks before it writes"
        }
        ErrorKind::Unavailable if matches!(error.fault, RequestError::NotSent { .. }) => {
            "run the same command again later; if HTTPS_PROXY is set, the proxy may be \
             the cause"
        }
        ErrorKind::RateLimited | ErrorKind::Unavailable => "run the same command again later",
        ErrorKind::Conflict if changes_connector(&error.request) => {
            "only one account can enable SSO for a domain. Disable it in the other account first: \
             `cfsso connector disable <DOMAIN> --account <ID>`"
        }
        ErrorKind::Other if matches!(error.fault, RequestError::Redirected { .. }) => {
            "check CLOUDFLARE_BASE_URL or `base_url` of the profile: set the target of the redirect \
             if it should receive the token"
        }
        ErrorKind::Unreadable if matches!(error.fault, RequestError::Malformed { .. }) => {
            "`--debug` shows the response; a proxy or a captive portal may have \
             answered, or CLOUDFLARE_BASE_URL is wrong"
        }
        ErrorKind::OutOfTime => "run the same command again with a longer `--timeout`",
        ErrorKind::NotFound
        | ErrorKind::Conflict
        | ErrorKind::Invalid
        | ErrorKind::Unreadable
        | ErrorKind::Unusable
        | ErrorKind::Setup
        | ErrorKind::Other => {
            return None;
        }
    };
    Some(hint.to_owned())
}

/// The likely cause of a missing permission, the alternative, and how to distinguish them
/// (API reference, section 9): code 9109 means that the token is not for the account, 10000 that it
/// lacks permissions, 1001 that its creator lacks rights.
fn forbidden(error: &api::Error) -> String {
    if creates_token(&error.request) && error.has_code(1001) {
        return "a token cannot pass on permissions that it lacks: use one with every permission of the new \
                one, and Account API Tokens: Edit. Run: `cfsso token check`"
            .to_owned();
    }
    let lacking = match permission::required(&error.request) {
        Some(name) => format!("the permission {}", permission::in_dashboard(name)),
        None => "a permission for this".to_owned(),
    };
    let (likely, or_else) = if error.has_code(9109) {
        (
            "the token is for another account (check `--account`)".to_owned(),
            format!("it lacks {lacking}"),
        )
    } else {
        (
            format!("the token lacks {lacking}"),
            "it is for another account (check `--account`)".to_owned(),
        )
    };
    format!(
        "{likely}, or {or_else}. Run: `cfsso token check`. Permissions are \
         set in the dashboard: Manage Account, Account API Tokens, or My Profile, API Tokens"
    )
}

fn creates_token(request: &str) -> bool {
    request.starts_with("POST ") && request.ends_with("/tokens")
}

/// API reference, section 7.
fn concerns_shares(request: &str) -> bool {
    let mut segments = request.split(['/', ' ']).filter(|segment| !segment.is_empty()).skip(1);
    segments.next() == Some("accounts") && segments.nth(1) == Some("shares")
}

fn changes_connector(request: &str) -> bool {
    request.starts_with("PATCH ") && request.contains("/sso_connectors/")
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::net::{Ipv4Addr, SocketAddr};
    use std::path::PathBuf;

    use super::*;
    use crate::api::ErrorResponse;
    use crate::api::ids::AccountId;
    use crate::api::request::RetryMode;

    const CONNECTORS: &str = "/accounts/a/sso_connectors";
    const SHARES: &str = "/accounts/a/shares";
    const TOKENS: &str = "/accounts/a/tokens";

    fn refused(request: &str, status: u16, code: u64, message: &str) -> anyhow::Error {
        let said = api::ApiError::new(Some(code), message);
        let refusal = ErrorResponse { status, errors: vec![said], ray: None, retry_after: None };
        api::Error::refused(request, refusal).into()
    }

    fn lost(request: &str) -> anyhow::Error {
        let Some(error) = refused(request, 502, 0, "").downcast::<api::Error>().ok() else {
            unreachable!("it was made as one")
        };
        api::Error { unconfirmed: Some(RetryMode::LookUpFirst), ..error }.into()
    }

    fn failed(fault: RequestError) -> anyhow::Error {
        let refusal =
            ErrorResponse { status: 500, errors: Vec::new(), ray: None, retry_after: None };
        api::Error { fault, ..api::Error::refused("GET /accounts", refusal) }.into()
    }

    #[test]
    fn each_failure_of_a_request_has_its_exit_code_and_its_hint() {
        let get = |path: &str| format!("GET {path}");
        let post = |path: &str| format!("POST {path}");
        let patch = "PATCH /accounts/a/sso_connectors/b";
        let out_of_time = || failed(RequestError::DeadlineExceeded { sent: true, ray: None });
        let unreadable = |request: &str, cut, lost| {
            let ray = None;
            let source = api::request_error::Cause("it is HTML".to_owned());
            let Ok(error) =
                failed(RequestError::Malformed { status: 200, ray, cut, source }).downcast()
            else {
                unreachable!("it was made as one")
            };
            anyhow::Error::from(api::Error {
                request: request.to_owned(),
                unconfirmed: lost,
                ..error
            })
        };
        let redirected =
            failed(RequestError::Redirected { status: 302, to: "b".to_owned(), ray: None });
        let not_sent = failed(RequestError::NotSent {
            host: "a".to_owned(),
            source: api::request_error::Cause("tunnel error: unsuccessful".to_owned()),
        });
        let untrusted = failed(RequestError::Untrusted {
            host: "a".to_owned(),
            source: api::request_error::Cause("unknown issuer".to_owned()),
        });
        for (error, exit, hint) in [
            (refused(&get(CONNECTORS), 401, 10000, ""), 4, "cfsso token check"),
            (refused("GET /user", 403, 9109, "Valid user-level authentication"), 4, "cfsso whoami"),
            (refused(&get(CONNECTORS), 403, 10000, ""), 5, "the token lacks the permission"),
            (
                refused(&get(CONNECTORS), 403, 9109, "Unauthorized"),
                5,
                "the token is for another account",
            ),
            (refused(&get(SHARES), 403, 10000, ""), 5, "Resource Sharing Read"),
            (refused(&post(TOKENS), 403, 1001, ""), 5, "permissions that it lacks"),
            (refused("GET /accounts/a/access/apps", 403, 9999, "not_enabled"), 6, "Zero Trust"),
            (refused(patch, 409, 0, ""), 7, "cfsso connector disable"),
            (refused(&get(CONNECTORS), 429, 0, ""), 9, "run the same command again later"),
            (refused(&get(CONNECTORS), 503, 0, ""), 9, "run the same command again later"),
            (lost(&post(CONNECTORS)), 9, "it checks before it writes"),
            (lost(&post(TOKENS)), 9, "a token may exist"),
            (out_of_time(), 9, "--timeout"),
            (untrusted, 1, "--ca-cert FILE"),
            (not_sent, 9, "HTTPS_PROXY"),
            (redirected, 1, "CLOUDFLARE_BASE_URL"),
            (unreadable(&get(CONNECTORS), true, None), 9, "run the same command again later"),
            (unreadable(&get(CONNECTORS), false, None), 1, "a captive portal"),
            (
                unreadable(&post(CONNECTORS), false, Some(RetryMode::LookUpFirst)),
                1,
                "it checks before it writes",
            ),
            (
                unreadable(&post(TOKENS), false, Some(RetryMode::LookUpFirst)),
                1,
                "a token may exist",
            ),
        ] {
            let failure = to_failure(&error);
            assert_eq!(failure.exit_code.code(), exit, "{error:?}");
            let shown = failure.hint.unwrap_or_default();
            assert!(shown.contains(hint), "{error:?}: {shown}");
        }
        for (status, exit) in [(400, 1), (404, 6), (409, 7), (418, 1)] {
            let failure = to_failure(&refused(&get(CONNECTORS), status, 0, ""));
            assert_eq!((failure.exit_code.code(), failure.hint), (exit, None), "{status}");
        }
    }

    #[test]
    fn each_failure_of_the_settings_and_the_simulator_has_its_exit_code_and_its_hint() {
        let path = || PathBuf::from("/a");
        let denied = || io::Error::from(io::ErrorKind::PermissionDenied);
        let account = "x".parse::<AccountId>().unwrap_err();
        let address = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 80));
        let cases: [(anyhow::Error, u8, Option<&str>); 8] = [
            (settings::Error::NoHome.into(), 2, Some("--sandbox-state FILE")),
            (
                settings::Error::Account { origin: "--account", reason: account }.into(),
                2,
                Some("dash.cloudflare.com/"),
            ),
            (
                settings::Error::Malformed {
                    is_windows_path: false,
                    path: path(),
                    line: 1,
                    column: 1,
                    reason: String::new(),
                }
                .into(),
                2,
                Some("cfsso help environment"),
            ),
            (
                settings::Error::NoProfile { path: path(), name: String::new(), known: Vec::new() }
                    .into(),
                2,
                Some("cfsso help environment"),
            ),
            (settings::Error::Unreadable { path: path(), source: denied() }.into(), 2, None),
            (
                sandbox::Error::File { action: "open", path: path(), source: denied() }.into(),
                1,
                Some("--sandbox-state FILE"),
            ),
            (sandbox::Error::NotLoopback(address).into(), 2, None),
            (anyhow::anyhow!("anything"), 1, None),
        ];
        for (error, exit, hint) in cases {
            let failure = to_failure(&error);
            assert_eq!(failure.exit_code.code(), exit, "{error:?}");
            match hint {
                Some(hint) => assert!(failure.hint.unwrap_or_default().contains(hint), "{error:?}"),
                None => assert_eq!(failure.hint, None, "{error:?}"),
            }
        }
    }

    #[test]
    fn what_a_flow_knows_comes_before_the_usual_hint() {
        let Ok(error) = refused("GET /a", 401, 10000, "").downcast::<api::Error>() else {
            unreachable!("it was made as one")
        };
        let api_error = ApiErrorContext::new(error).cause("existing grant").hint("`cfsso a`");
        let failure = to_failure(&flow::Error::from(api_error).into());
        assert_eq!(failure.hint.as_deref(), Some("`cfsso a`"));
        assert_eq!(failure.causes.last().map(String::as_str), Some("existing grant"));
    }
}
