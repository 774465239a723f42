//! Retry decisions, without I/O. A write with a lost response is never repeated blindly.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::request::RetryMode;

#[derive(Clone, Copy, Debug)]
pub struct Policy {
    pub max_retries: u32,
    pub longest_wait: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The request cannot have been executed.
    NotSent,
    /// 429: not executed.
    Throttled,
    /// It may have been executed: no response, an incomplete one, or a 5xx.
    NoResponse,
    /// A successful response that cannot be decoded; a retry would return the same.
    Malformed,
    Final,
}

#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// The first one included.
    pub attempts: u32,
    pub repeat: RetryMode,
    pub can_look_up: bool,
    pub failure: Failure,
    /// From `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Time left for the whole command.
    pub time_left: Option<Duration>,
    /// The delay if the server asks for none.
    pub backoff: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait(Duration),
    /// Wait, then look up whether the request was executed.
    LookUp {
        /// The request may still be in progress.
        wait: Duration,
        /// Whether to send the request again if it was not executed.
        then_repeat: bool,
    },
    Stop,
}

pub fn decide(now: &Attempt, policy: &Policy) -> Decision {
    let wait = now.retry_after.map_or(now.backoff, |retry_after| retry_after.max(now.backoff / 2));
    let bearable =
        wait <= policy.longest_wait && now.time_left.is_none_or(|time_left| wait < time_left);
    let retries_left = now.attempts <= policy.max_retries;
    let looked_up_first = now.repeat == RetryMode::LookUpFirst;
    let again = match now.failure {
        Failure::NoResponse | Failure::Malformed if looked_up_first && now.can_look_up => {
            // A look-up costs one read: without time to wait, early is better than never.
            let wait = if bearable { wait } else { Duration::ZERO };
            // A request that was answered with success is never repeated.
            let then_repeat = now.failure == Failure::NoResponse && bearable && retries_left;
            return Decision::LookUp { wait, then_repeat };
        }
        Failure::NoResponse => !looked_up_first,
        Failure::NotSent | Failure::Throttled => true,
        Failure::Malformed | Failure::Final => false,
    };
    if again && bearable && retries_left { Decision::Wait(wait) } else { Decision::Stop }
}

/// 0.5 s, doubled up to 8 s, each increased at random by up to its own length.
pub fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::new()
        .with_min_delay(Duration::from_millis(500))
        .with_max_delay(Duration::from_secs(8))
        .without_max_times()
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);
    const POLICY: Policy = Policy { max_retries: 4, longest_wait: Duration::from_mins(1) };

    fn situation(trouble: Failure, repeat: RetryMode) -> Attempt {
        Attempt {
            attempts: 1,
            repeat,
            can_look_up: true,
            failure: trouble,
            retry_after: None,
            time_left: None,
            backoff: SECOND,
        }
    }

    #[test]
    fn what_may_have_been_carried_out_is_looked_up_first() {
        use Decision::{LookUp, Stop, Wait};
        use RetryMode::{Idempotent, LookUpFirst};
        for (trouble, repeat, expected) in [
            (Failure::NotSent, Idempotent, Wait(SECOND)),
            (Failure::NotSent, LookUpFirst, Wait(SECOND)),
            (Failure::Throttled, Idempotent, Wait(SECOND)),
            (Failure::Throttled, LookUpFirst, Wait(SECOND)),
            (Failure::NoResponse, Idempotent, Wait(SECOND)),
            (Failure::NoResponse, LookUpFirst, LookUp { wait: SECOND, then_repeat: true }),
            (Failure::Malformed, Idempotent, Stop),
            (Failure::Malformed, LookUpFirst, LookUp { wait: SECOND, then_repeat: false }),
            (Failure::Final, Idempotent, Stop),
            (Failure::Final, LookUpFirst, Stop),
        ] {
            let now = situation(trouble, repeat);
            assert_eq!(decide(&now, &POLICY), expected, "{trouble:?} {repeat:?}");
        }
    }

    #[test]
    fn what_cannot_be_looked_up_is_not_repeated() {
        for trouble in [Failure::NoResponse, Failure::Malformed] {
            let now = Attempt { can_look_up: false, ..situation(trouble, RetryMode::LookUpFirst) };
            assert_eq!(decide(&now, &POLICY), Decision::Stop);
        }
    }

    #[test]
    fn retries_end_but_a_lost_creation_is_looked_up_even_then() {
        for (attempts, max_retries, expected) in [
            (1, 0, Decision::Stop),
            (4, 4, Decision::Wait(SECOND)),
            (5, 4, Decision::Stop),
            (9, 4, Decision::Stop),
        ] {
            let policy = Policy { max_retries, ..POLICY };
            let safe =
                Attempt { attempts, ..situation(Failure::NoResponse, RetryMode::Idempotent) };
            assert_eq!(decide(&safe, &policy), expected, "{attempts} of {max_retries}");
            let creation =
                Attempt { attempts, ..situation(Failure::NoResponse, RetryMode::LookUpFirst) };
            let then_repeat = expected != Decision::Stop;
            let expected = Decision::LookUp { wait: SECOND, then_repeat };
            assert_eq!(decide(&creation, &policy), expected);
        }
    }

    #[test]
    fn the_servers_wish_is_obeyed_unless_it_takes_too_long() {
        let seconds = Duration::from_secs;
        for (retry_after, time_left, expected) in [
            (seconds(30), None, Decision::Wait(seconds(30))),
            (seconds(60), None, Decision::Wait(seconds(60))),
            (seconds(61), None, Decision::Stop),
            (seconds(30), Some(seconds(31)), Decision::Wait(seconds(30))),
            (seconds(30), Some(seconds(30)), Decision::Stop),
            // Many clients with a wait of 0 must not return at the same time.
            (Duration::ZERO, None, Decision::Wait(SECOND / 2)),
        ] {
            let now = Attempt {
                retry_after: Some(retry_after),
                time_left,
                ..situation(Failure::Throttled, RetryMode::Idempotent)
            };
            assert_eq!(decide(&now, &POLICY), expected, "{retry_after:?} {time_left:?}");
        }
    }

    #[test]
    fn without_time_to_wait_a_lost_creation_is_looked_up_at_once_and_not_repeated() {
        let lost = situation(Failure::NoResponse, RetryMode::LookUpFirst);
        for now in [
            Attempt { time_left: Some(Duration::from_millis(1)), ..lost },
            Attempt { retry_after: Some(Duration::from_mins(5)), ..lost },
        ] {
            let expected = Decision::LookUp { wait: Duration::ZERO, then_repeat: false };
            assert_eq!(decide(&now, &POLICY), expected, "{now:?}");
        }
    }

    #[test]
    fn delays_grow_and_stay_within_bounds() {
        for (delay, least) in backoff().zip([500, 1000, 2000, 4000, 8000, 8000]) {
            let least = Duration::from_millis(least);
            assert!(delay >= least && delay <= least * 2, "{delay:?} for {least:?}");
        }
    }
}
