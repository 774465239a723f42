//! One attempt at a request: reads the response and decides what follows.

use std::sync::atomic::Ordering;
use std::time::Duration;

use backon::ExponentialBackoff;
use jiff::Timestamp;
use serde_json::Result as Decoded;

use super::super::envelope::{self, EnvelopeError};
use super::super::error::Error;
use super::super::error_kind::{self, ErrorKind};
use super::super::error_response::ErrorResponse;
use super::super::http::{HttpTransport, Timeout};
use super::super::http_message::{HttpRequest, HttpResponse};
use super::super::mask::mask_with;
use super::super::pages::Paging;
use super::super::request::Method;
use super::super::request_error::{Cause, RequestError};
use super::super::retry::{self, Attempt, Decision, Failure, Policy};
use super::super::trace;
use super::{Client, MAX_RETRY_WAIT, NULL, Pace, lock};
use crate::input::depth;

const NO_RESULT: &[u8] = br#"{"success":true}"#;

pub(super) struct RetryState {
    pub call: HttpRequest,
    pub attempts: u32,
    /// An earlier attempt of this write has an unknown outcome.
    lost: bool,
    pub can_look: bool,
    backoff: ExponentialBackoff,
    ticket: Option<u64>,
}

#[derive(Clone, Debug, Default)]
pub struct ResponseMeta {
    pub status: Option<u16>,
    /// The request's ID at Cloudflare (`cf-ray`).
    pub ray: Option<String>,
    /// The text of the `result`, for writes only.
    pub result: Option<String>,
    pub(super) paging: Paging,
}

pub(super) enum AttemptResult<T> {
    Done(T, ResponseMeta),
    Retry,
    LookUp { error: Error, then_repeat: bool },
}

impl Client {
    /// Sends the request once; on failure, waits until it may be looked up or sent again.
    pub(super) async fn attempt<T>(
        &self,
        run: &mut RetryState,
        decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    ) -> Result<AttemptResult<T>, Error> {
        let fault = match self.once(run, decode).await {
            Ok((value, meta)) => {
                self.clear_unanswered(run);
                return Ok(AttemptResult::Done(value, meta));
            }
            Err(fault) => fault,
        };
        if run.lost && run.call.method == Method::Delete && is_gone(run, &fault) {
            // The attempt whose response was lost has deleted it.
            if let Ok(value) = decode(None) {
                self.clear_unanswered(run);
                return Ok(AttemptResult::Done(value, ResponseMeta::default()));
            }
        }
        let refused_after_loss = run.lost && run.can_look && may_be_own_conflict(run, &fault);
        let is_write = !run.call.method.is_read();
        run.lost |= is_write && fault.leaves_outcome_unknown(&run.call.name);
        if !run.lost {
            self.clear_unanswered(run);
        }
        if refused_after_loss {
            return Ok(AttemptResult::LookUp { error: run.error(fault), then_repeat: false });
        }
        self.follow(run, fault).await
    }

    async fn follow<T>(
        &self,
        run: &mut RetryState,
        fault: RequestError,
    ) -> Result<AttemptResult<T>, Error> {
        let longest_wait = self.pace().longest_wait();
        let policy = Policy { max_retries: self.config.max_retries, longest_wait };
        let situation = Attempt {
            attempts: run.attempts,
            repeat: run.call.repeat,
            can_look_up: run.can_look,
            failure: fault.classify(&run.call.name),
            retry_after: fault.retry_after(),
            time_left: self.time_left(),
            backoff: run.backoff.next().unwrap_or(MAX_RETRY_WAIT),
        };
        match retry::decide(&situation, &policy) {
            Decision::Stop => Err(run.error(fault)),
            Decision::Wait(wait) => {
                if situation.failure == Failure::Throttled {
                    self.announce_pause(wait);
                }
                trace::retry(&run.call, &fault, wait, "retrying");
                self.clock.sleep(wait).await;
                Ok(AttemptResult::Retry)
            }
            Decision::LookUp { wait, then_repeat } => {
                trace::retry(&run.call, &fault, wait, "looking up");
                self.clock.sleep(wait).await;
                Ok(AttemptResult::LookUp { error: run.error(fault), then_repeat })
            }
        }
    }

    async fn once<T>(
        &self,
        run: &mut RetryState,
        decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    ) -> Result<(T, ResponseMeta), RequestError> {
        let wire =
            self.shared.wire.get_or_try_init(async || HttpTransport::new(&self.config)).await;
        let wire = wire.map_err(RequestError::Setup)?;
        let _slot = match self.pace() {
            Pace::Brief => None,
            // The semaphore is never closed.
            Pace::Steady => self.shared.in_flight.acquire().await.ok(),
        };
        self.wait_for_the_rate_limit(&run.call).await?;
        let limit = self.limit()?;
        run.attempts += 1;
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !run.call.method.is_read() {
            self.note(run);
        }
        let answer = wire.exchange(&run.call, limit, self.clock.now()).await?;
        if let Some(pause) = self.pace().pause_after(&answer) {
            *lock(&self.shared.paused_until) = self.clock.now().saturating_add(pause).ok();
        }
        evaluate_response(answer, run.call.method, decode, wire.secret())
    }

    async fn wait_for_the_rate_limit(&self, call: &HttpRequest) -> Result<(), RequestError> {
        let until = *lock(&self.shared.paused_until);
        let asked = until.map(|until| self.until(until)).unwrap_or_default();
        let wait = asked.min(self.pace().longest_wait());
        if wait.is_zero() {
            return Ok(());
        }
        if self.time_left().is_some_and(|time_left| time_left <= wait) {
            return Err(RequestError::PausedTooLong { wait: asked });
        }
        trace::rate_limit_wait(call, wait);
        self.announce_pause(wait);
        self.clock.sleep(wait).await;
        Ok(())
    }

    fn limit(&self) -> Result<Timeout, RequestError> {
        let duration = self.config.request_timeout;
        match self.time_left() {
            Some(Duration::ZERO) => Err(RequestError::DeadlineExceeded { sent: false, ray: None }),
            Some(time_left) if time_left < duration => {
                Ok(Timeout { duration: time_left, is_deadline: true })
            }
            _ => Ok(Timeout { duration, is_deadline: false }),
        }
    }

    fn time_left(&self) -> Option<Duration> {
        self.config.deadline.map(|deadline| self.until(deadline))
    }

    fn until(&self, then: Timestamp) -> Duration {
        then.duration_since(self.clock.now()).try_into().unwrap_or(Duration::ZERO)
    }

    fn note(&self, run: &mut RetryState) {
        if run.ticket.is_none() {
            let mut unanswered = lock(&self.unanswered);
            let ticket = unanswered.last().map_or(0, |(last, _)| last + 1);
            unanswered.push((ticket, run.call.name.clone()));
            run.ticket = Some(ticket);
        }
    }

    pub(super) fn clear_unanswered(&self, run: &mut RetryState) {
        if let Some(finished) = run.ticket.take() {
            lock(&self.unanswered).retain(|(ticket, _)| *ticket != finished);
        }
    }
}

impl RetryState {
    pub fn new(call: HttpRequest) -> Self {
        Self {
            call,
            attempts: 0,
            lost: false,
            can_look: false,
            backoff: retry::backoff(),
            ticket: None,
        }
    }

    fn error(&self, fault: RequestError) -> Error {
        Error {
            request: self.call.name.clone(),
            attempts: self.attempts,
            fault,
            unconfirmed: self.lost.then_some(self.call.repeat),
        }
    }

    fn kind(&self, fault: &RequestError) -> Option<ErrorKind> {
        match fault {
            RequestError::Rejected(refusal) => {
                Some(error_kind::classify_response(&self.call.name, refusal))
            }
            _ => None,
        }
    }
}

fn is_gone(run: &RetryState, fault: &RequestError) -> bool {
    run.kind(fault) == Some(ErrorKind::NotFound)
}

/// Whether the error may be caused by the earlier attempt whose response was lost.
fn may_be_own_conflict(run: &RetryState, fault: &RequestError) -> bool {
    matches!(run.kind(fault), Some(ErrorKind::Conflict | ErrorKind::Invalid | ErrorKind::Other))
}

fn evaluate_response<T>(
    answer: HttpResponse,
    method: Method,
    decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    secret: &str,
) -> Result<(T, ResponseMeta), RequestError> {
    let HttpResponse { status, ray, retry_after, body, redirect_origin, .. } = answer;
    if let Some(to) = redirect_origin {
        return Err(RequestError::Redirected { status, to, ray });
    }
    if let Err(source) = depth::check(&body) {
        return Err(RequestError::TooDeep { status, ray, source });
    }
    let refused = |errors, ray| {
        RequestError::Rejected(Box::new(ErrorResponse { status, errors, ray, retry_after }))
    };
    if !(200..300).contains(&status) {
        return Err(refused(envelope::errors(&body, secret), ray));
    }
    // 204 has no body.
    let body = if status == 204 && body.is_empty() { NO_RESULT.to_vec() } else { body };
    let success = match envelope::read(&body, secret) {
        Ok(success) => success,
        Err(EnvelopeError::Rejected(errors)) => return Err(refused(errors, ray)),
        Err(EnvelopeError::Malformed { cut, reason }) => {
            return Err(RequestError::Malformed { status, ray, cut, source: reason });
        }
    };
    let value = decode(success.result).map_err(|error| RequestError::Malformed {
        status,
        ray: ray.clone(),
        cut: false,
        source: Cause(mask_with(&error.to_string(), secret)),
    })?;
    // Only the journal needs it, for writes; a long list would be copied for nothing.
    let result = (!method.is_read()).then(|| success.result.unwrap_or(NULL).to_owned());
    Ok((value, ResponseMeta { status: Some(status), ray, result, paging: success.paging }))
}
