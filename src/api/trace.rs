//! HTTP traces for `-v` and `--debug`: one line per request at INFO, headers and bodies at DEBUG.

use std::time::Duration;

use reqwest::header::HeaderMap;
use tracing::{Level, debug, enabled, info};

use super::error::Error;
use super::http_message::{HttpRequest, HttpResponse};
use super::mask::{MASKED, mask_with};
use super::request_error::RequestError;
use crate::input::secret_name::is_secret_name;

pub const TARGET: &str = "cfsso::http";

const LONGEST_BODY: usize = 64 * 1024;

pub(super) fn sent(call: &HttpRequest, headers: &HeaderMap, secret: &str) {
    if !enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    let url = mask_with(call.url.as_str(), secret);
    debug!(target: TARGET, "> {} {url}", call.method.as_str());
    show(">", headers, secret);
    if let Some(text) = &call.body {
        body(">", text.as_bytes(), secret);
    }
}

pub(super) fn headers(headers: &HeaderMap, secret: &str) {
    if enabled!(target: TARGET, Level::DEBUG) {
        show("<", headers, secret);
    }
}

fn show(direction: &str, headers: &HeaderMap, secret: &str) {
    for (name, value) in headers {
        let text = String::from_utf8_lossy(value.as_bytes());
        let hidden = value.is_sensitive() || is_secret_name(name.as_str());
        let text = if hidden { MASKED.to_owned() } else { mask_with(&text, secret) };
        debug!(target: TARGET, "{direction} {name}: {text}");
    }
}

pub(super) fn body(direction: &str, body: &[u8], secret: &str) {
    if body.is_empty() || !enabled!(target: TARGET, Level::DEBUG) {
        return;
    }
    // Masked before it is cut, so that no secret is split and missed.
    let text = mask_with(&String::from_utf8_lossy(body), secret);
    match text.char_indices().nth(LONGEST_BODY) {
        None => debug!(target: TARGET, "{direction} {text}"),
        Some((end, _)) => {
            debug!(target: TARGET, "{direction} {}… ({} bytes)", &text[..end], body.len());
        }
    }
}

pub(super) fn response(
    call: &HttpRequest,
    result: &Result<HttpResponse, RequestError>,
    took: Duration,
) {
    if !enabled!(target: TARGET, Level::INFO) {
        return;
    }
    let name = &call.name;
    let (outcome, ray) = match result {
        Ok(answer) => (answer.status.to_string(), answer.ray.as_deref()),
        Err(fault) => (describe_fault(fault), None),
    };
    let ray = ray.map(|ray| format!(" ray {ray}")).unwrap_or_default();
    info!(target: TARGET, "{name} {outcome} {} ms{ray}", took.as_millis());
}

pub(super) fn retry(call: &HttpRequest, fault: &RequestError, wait: Duration, then: &str) {
    info!(target: TARGET, "{} {then} in {} ms: {}", call.name, wait.as_millis(), describe_fault(fault));
}

pub(super) fn rate_limit_wait(call: &HttpRequest, wait: Duration) {
    info!(
        target: TARGET,
        "{} waits {} ms: rate limit reached", call.name, wait.as_millis()
    );
}

pub(super) fn look_up_failed(call: &HttpRequest, error: &Error) {
    info!(target: TARGET, "lookup of {} failed: {error}: {}", call.name, describe_fault(&error.fault));
}

fn describe_fault(fault: &RequestError) -> String {
    match std::error::Error::source(fault) {
        Some(cause) => format!("{fault}: {cause}"),
        None => fault.to_string(),
    }
}
