//! One walk of the error chain: to message, hint and exit code. The only place
//! that knows every layer's errors and how they are told.

use crate::api::Kind;
use crate::api::base::InvalidBaseUrl;
use crate::api::ids::InvalidId;
use crate::api::mask::mask;
use crate::api::{self, permission};
use crate::domain::InvalidDomain;
use crate::flow::explained::Explained;
use crate::flow::{self, Stop, StopKind};
use crate::output::{ApiError, ExitCode, Failure};
use crate::{sandbox, settings};

/// Tells a failure.
#[must_use]
pub fn told(error: &anyhow::Error) -> Failure {
    masked(walked(error))
}

/// The failure without secrets: a token that was typed or set in the place of
/// something else would be quoted as what it is not.
#[must_use]
pub fn masked(mut failure: Failure) -> Failure {
    let texts = [&mut failure.message].into_iter().chain(&mut failure.causes);
    for text in texts.chain(&mut failure.hint) {
        *text = mask(text);
    }
    failure
}

fn walked(error: &anyhow::Error) -> Failure {
    for layer in error.chain() {
        if let Some(stop) = layer.downcast_ref::<Stop>() {
            return stopped(stop);
        }
        if let Some(error) = layer.downcast_ref::<api::Error>() {
            return answered(error);
        }
        match layer.downcast_ref::<flow::Error>() {
            Some(flow::Error::Stop(stop)) => return stopped(stop),
            Some(flow::Error::Api(error)) => return answered(error),
            Some(flow::Error::Explained(explained)) => return explained_failure(explained),
            None => {}
        }
    }
    let mut failure = Failure::new(exit_of(error), error.to_string());
    failure.causes = causes(error.chain().skip(1));
    failure.hint = hint_of(error);
    failure
}

fn exit_of(error: &anyhow::Error) -> ExitCode {
    let is_usage = error.chain().any(|layer| {
        layer.is::<settings::Error>()
            || layer.is::<InvalidBaseUrl>()
            || layer.is::<InvalidDomain>()
            || layer.is::<InvalidId>()
    });
    if is_usage {
        return ExitCode::Usage;
    }
    match error.chain().find_map(|layer| layer.downcast_ref::<sandbox::Error>()) {
        Some(sandbox::Error::Held { .. }) => ExitCode::Conflict,
        Some(sandbox::Error::NotLoopback(_)) => ExitCode::Usage,
        _ => ExitCode::Failure,
    }
}

fn hint_of(error: &anyhow::Error) -> Option<String> {
    let settings = error.chain().find_map(|layer| layer.downcast_ref::<settings::Error>())?;
    match settings {
        settings::Error::NoHome => Some("name a file for it: `--sandbox-state FILE`".to_owned()),
        settings::Error::Account { .. } => Some(
            "the account ID is in the dashboard's address, after dash.cloudflare.com/".to_owned(),
        ),
        settings::Error::Malformed { .. } | settings::Error::NoProfile { .. } => {
            Some("`cfsso help environment` shows what a profile may hold".to_owned())
        }
        _ => None,
    }
}

fn stopped(stop: &Stop) -> Failure {
    let exit = match stop.kind {
        StopKind::Usage => ExitCode::Usage,
        StopKind::Declined => ExitCode::Declined,
        StopKind::NoToken => ExitCode::Unauthenticated,
        StopKind::NotFound => ExitCode::NotFound,
        StopKind::Conflict => ExitCode::Conflict,
        StopKind::NotYet => ExitCode::NotYet,
        StopKind::Refused => ExitCode::Refused,
        StopKind::HalfDone => ExitCode::HalfDone,
        StopKind::NotSeen | StopKind::Journal => ExitCode::Failure,
    };
    let mut failure = Failure::new(exit, stop.message.clone());
    failure.causes.clone_from(&stop.causes);
    failure.hint.clone_from(&stop.hint);
    failure.retryable = stop.kind == StopKind::NotYet;
    if stop.kind == StopKind::Journal {
        "journal".clone_into(&mut failure.kind);
    }
    failure
}

fn answered(error: &api::Error) -> Failure {
    let mut failure = Failure::new(exit_by(error.kind()), error.to_string());
    error.kind().as_str().clone_into(&mut failure.kind);
    failure.causes =
        causes(std::iter::successors(std::error::Error::source(error), |layer| layer.source()));
    failure.request = Some(error.request.clone());
    failure.retryable = error.is_retryable();
    failure.hint = hint_by(error);
    failure.ray_id = error.ray().map(str::to_owned);
    failure.http_status = error.status();
    failure.api_errors = error
        .api_errors()
        .iter()
        .map(|error| ApiError { code: error.code, message: error.message.clone() })
        .collect();
    if error.kind() == Kind::Forbidden {
        failure.required_permission = permission::required(&error.request).map(str::to_owned);
    }
    failure
}

fn explained_failure(explained: &Explained) -> Failure {
    let mut failure = answered(&explained.error);
    failure.causes.extend(explained.causes.iter().cloned());
    failure.hint = explained.hint.clone().or(failure.hint);
    failure
}

fn exit_by(kind: Kind) -> ExitCode {
    match kind {
        Kind::Unauthenticated | Kind::UserTokenNeeded => ExitCode::Unauthenticated,
        Kind::Forbidden => ExitCode::Forbidden,
        Kind::NotFound => ExitCode::NotFound,
        Kind::Conflict => ExitCode::Conflict,
        Kind::RateLimited | Kind::Unavailable | Kind::OutOfTime => ExitCode::Unavailable,
        Kind::Setup => ExitCode::Usage,
        Kind::Invalid
        | Kind::AccessNotEnabled
        | Kind::Untrusted
        | Kind::Unreadable
        | Kind::Other => ExitCode::Failure,
    }
}

fn hint_by(error: &api::Error) -> Option<String> {
    let hint = match error.kind() {
        Kind::Unauthenticated => {
            "check the token: it may be mistyped, expired, or kept with quotes or blanks around it"
        }
        Kind::UserTokenNeeded => "this is an account's token; the request wants a user's token",
        Kind::AccessNotEnabled => {
            "create a Zero Trust organization first, on any plan, at https://one.dash.cloudflare.com: dashboard SSO rests on it"
        }
        Kind::Untrusted => {
            "where a proxy inspects TLS, name its certificate: `--ca-cert FILE`, or SSL_CERT_FILE in the environment"
        }
        Kind::Forbidden if concerns_shares(&error.request) => {
            "which permission shares want is not documented: reading goes by Resource Sharing Read, \
             writing may need a super administrator's token, or the Global API Key in CLOUDFLARE_EMAIL and CLOUDFLARE_API_KEY"
        }
        Kind::Forbidden => {
            "give the token that permission for this account in the dashboard, under Manage Account, Account API Tokens; \
             and check that `--account` is the account it was made for"
        }
        Kind::OutOfTime | Kind::Unavailable | Kind::RateLimited if error.outcome_unknown() => {
            "it may have been carried out: run the same command again, it looks before it writes"
        }
        Kind::RateLimited | Kind::Unavailable => {
            "run the same command again later: it takes up where this one ended"
        }
        Kind::Conflict if changes_connector(&error.request) => {
            "only one account at a time enforces SSO for a domain: disable it in the other account first, \
             `cfsso connector disable <DOMAIN> --account <ID>`"
        }
        Kind::OutOfTime => "run the same command again with a longer `--timeout`",
        Kind::NotFound
        | Kind::Conflict
        | Kind::Invalid
        | Kind::Unreadable
        | Kind::Setup
        | Kind::Other => {
            return None;
        }
    };
    Some(hint.to_owned())
}

/// Whether a request is about shares (API reference, section 7).
fn concerns_shares(request: &str) -> bool {
    let mut segments = request.split(['/', ' ']).filter(|segment| !segment.is_empty()).skip(1);
    segments.next() == Some("accounts") && segments.nth(1) == Some("shares")
}

fn changes_connector(request: &str) -> bool {
    request.starts_with("PATCH ") && request.contains("/sso_connectors/")
}

fn causes<'a>(layers: impl Iterator<Item = &'a (dyn std::error::Error + 'static)>) -> Vec<String> {
    let mut causes: Vec<String> = Vec::new();
    for layer in layers {
        let text = layer.to_string();
        if causes.last() != Some(&text) {
            causes.push(text);
        }
    }
    causes
}
