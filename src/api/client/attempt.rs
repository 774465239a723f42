//! One attempt after the other at one request: what its answer means, and what
//! follows from it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use backon::ExponentialBackoff;
use jiff::Timestamp;
use serde_json::Result as Decoded;

use super::super::envelope::{self, NoSuccess};
use super::super::error::Error;
use super::super::fault::{Cause, Fault, Refusal};
use super::super::kind::{self, Kind};
use super::super::mask::mask_with;
use super::super::pages::Paging;
use super::super::request::Method;
use super::super::retry::{self, Decision, Policy, Situation};
use super::super::trace;
use super::super::wire::{Answer, Call, Limit, Wire};
use super::{Client, LONGEST_WAIT, NULL, lock};
use crate::input::depth;

const NO_RESULT: &[u8] = br#"{"success":true}"#;

/// A request on its way, attempt after attempt.
pub(super) struct Run {
    pub call: Call,
    pub attempts: u32,
    /// A write whose outcome is unknown after an earlier attempt.
    lost: bool,
    pub can_look: bool,
    backoff: ExponentialBackoff,
    ticket: Option<u64>,
}

/// What an answer said besides its result.
#[derive(Clone, Debug, Default)]
pub struct Said {
    pub status: Option<u16>,
    /// The request's identifier at Cloudflare (`cf-ray`).
    pub ray: Option<String>,
    /// The text of the `result`, where the request was a write.
    pub result: Option<String>,
    pub(super) paging: Paging,
}

/// What follows an attempt.
pub(super) enum Next<T> {
    Done(T, Said),
    Again,
    LookUp { error: Error, then_repeat: bool },
}

impl Client {
    /// Sends it once; if that fails, waits for as long as it takes until it
    /// may be looked up or sent again.
    pub(super) async fn attempt<T>(
        &self,
        run: &mut Run,
        decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    ) -> Result<Next<T>, Error> {
        let fault = match self.once(run, decode).await {
            Ok((value, said)) => {
                self.settle(run);
                return Ok(Next::Done(value, said));
            }
            Err(fault) => fault,
        };
        if run.lost && run.call.method == Method::Delete && is_gone(run, &fault) {
            // The attempt whose answer was lost has removed it.
            if let Ok(value) = decode(None) {
                self.settle(run);
                return Ok(Next::Done(value, Said::default()));
            }
        }
        let refused_after_loss = run.lost && run.can_look && stands_in_the_way(run, &fault);
        let is_write = !run.call.method.is_read();
        run.lost |= is_write && fault.leaves_outcome_unknown(&run.call.name);
        if !run.lost {
            self.settle(run);
        }
        if refused_after_loss {
            return Ok(Next::LookUp { error: run.error(fault), then_repeat: false });
        }
        self.follow(run, fault).await
    }

    /// Does what the retry policy says about a fault.
    async fn follow<T>(&self, run: &mut Run, fault: Fault) -> Result<Next<T>, Error> {
        let policy = Policy { max_retries: self.config.max_retries, longest_wait: LONGEST_WAIT };
        let situation = Situation {
            attempts: run.attempts,
            repeat: run.call.repeat,
            can_look: run.can_look,
            trouble: fault.trouble(&run.call.name),
            asked: fault.retry_after(),
            left: self.left(),
            backoff: run.backoff.next().unwrap_or(LONGEST_WAIT),
        };
        match retry::decide(&situation, &policy) {
            Decision::Stop => Err(run.error(fault)),
            Decision::Wait(wait) => {
                trace::retry(&run.call, &fault, wait, "is sent again");
                self.clock.sleep(wait).await;
                Ok(Next::Again)
            }
            Decision::LookUp { wait, then_repeat } => {
                trace::retry(&run.call, &fault, wait, "is looked up");
                self.clock.sleep(wait).await;
                Ok(Next::LookUp { error: run.error(fault), then_repeat })
            }
        }
    }

    /// One exchange, judged: by status first, then by the envelope.
    async fn once<T>(
        &self,
        run: &mut Run,
        decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    ) -> Result<(T, Said), Fault> {
        let wire = self.wire.get_or_try_init(async || Wire::new(&self.config)).await;
        let wire = wire.map_err(Fault::Setup)?;
        self.wait_for_the_rate_limit(&run.call).await?;
        let limit = self.limit()?;
        run.attempts += 1;
        self.requests.fetch_add(1, Ordering::Relaxed);
        if !run.call.method.is_read() {
            self.note(run);
        }
        let answer = wire.exchange(&run.call, limit, self.clock.now()).await?;
        if let Some(hold) = answer.hold {
            *lock(&self.hold) = self.clock.now().saturating_add(hold).ok();
        }
        judge(answer, run.call.method, decode, wire.secret())
    }

    async fn wait_for_the_rate_limit(&self, call: &Call) -> Result<(), Fault> {
        let until = *lock(&self.hold);
        let wait = until.map(|until| self.until(until)).unwrap_or_default().min(LONGEST_WAIT);
        if wait.is_zero() {
            return Ok(());
        }
        if self.left().is_some_and(|left| left <= wait) {
            return Err(Fault::OutOfTime { sent: false, ray: None });
        }
        trace::hold(call, wait);
        self.clock.sleep(wait).await;
        Ok(())
    }

    /// How long an exchange that starts now may take.
    fn limit(&self) -> Result<Limit, Fault> {
        let duration = self.config.request_timeout;
        match self.left() {
            Some(Duration::ZERO) => Err(Fault::OutOfTime { sent: false, ray: None }),
            Some(left) if left < duration => Ok(Limit { duration: left, is_deadline: true }),
            _ => Ok(Limit { duration, is_deadline: false }),
        }
    }

    fn left(&self) -> Option<Duration> {
        self.config.deadline.map(|deadline| self.until(deadline))
    }

    fn until(&self, then: Timestamp) -> Duration {
        then.duration_since(self.clock.now()).try_into().unwrap_or(Duration::ZERO)
    }

    /// Notes that a write is about to leave.
    fn note(&self, run: &mut Run) {
        if run.ticket.is_none() {
            let mut unanswered = lock(&self.unanswered);
            let ticket = unanswered.last().map_or(0, |(last, _)| last + 1);
            unanswered.push((ticket, run.call.name.clone()));
            run.ticket = Some(ticket);
        }
    }

    /// Notes that its outcome is known.
    pub(super) fn settle(&self, run: &mut Run) {
        if let Some(settled) = run.ticket.take() {
            lock(&self.unanswered).retain(|(ticket, _)| *ticket != settled);
        }
    }
}

impl Run {
    pub fn new(call: Call) -> Self {
        Self {
            call,
            attempts: 0,
            lost: false,
            can_look: false,
            backoff: retry::backoff(),
            ticket: None,
        }
    }

    fn error(&self, fault: Fault) -> Error {
        Error {
            request: self.call.name.clone(),
            attempts: self.attempts,
            fault,
            lost: self.lost.then_some(self.call.repeat),
        }
    }

    fn kind(&self, fault: &Fault) -> Option<Kind> {
        match fault {
            Fault::Refused(refusal) => Some(kind::of_refusal(&self.call.name, refusal)),
            _ => None,
        }
    }
}

fn is_gone(run: &Run, fault: &Fault) -> bool {
    run.kind(fault) == Some(Kind::NotFound)
}

/// Whether it may be the lost attempt itself that stands in the way.
fn stands_in_the_way(run: &Run, fault: &Fault) -> bool {
    matches!(run.kind(fault), Some(Kind::Conflict | Kind::Invalid | Kind::Other))
}

fn judge<T>(
    answer: Answer,
    method: Method,
    decode: &(dyn Fn(Option<&str>) -> Decoded<T> + Sync),
    secret: &str,
) -> Result<(T, Said), Fault> {
    let Answer { status, ray, retry_after, body, points_to, .. } = answer;
    if let Some(to) = points_to {
        return Err(Fault::Redirected { status, to, ray });
    }
    if let Err(source) = depth::check(&body) {
        return Err(Fault::TooDeep { status, ray, source });
    }
    let refused =
        |errors, ray| Fault::Refused(Box::new(Refusal { status, errors, ray, retry_after }));
    if !(200..300).contains(&status) {
        return Err(refused(envelope::errors(&body, secret), ray));
    }
    // 204 has no body; `null` is what an answer without result is read as.
    let body = if status == 204 && body.is_empty() { NO_RESULT.to_vec() } else { body };
    let success = match envelope::read(&body, secret) {
        Ok(success) => success,
        Err(NoSuccess::Refused(errors)) => return Err(refused(errors, ray)),
        Err(NoSuccess::Unreadable { cut, why }) => {
            return Err(Fault::Unreadable { status, ray, cut, source: why });
        }
    };
    let value = decode(success.result).map_err(|error| Fault::Unreadable {
        status,
        ray: ray.clone(),
        cut: false,
        source: Cause(mask_with(&error.to_string(), secret)),
    })?;
    // What a write came to goes to the journal; a long list would be copied for nothing.
    let result = (!method.is_read()).then(|| success.result.unwrap_or(NULL).to_owned());
    Ok((value, Said { status: Some(status), ray, result, paging: success.paging }))
}
