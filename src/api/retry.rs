//! Whether a request is sent again: a decision without I/O. A write whose
//! answer was lost is never sent again blindly.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

use super::request::Repeat;

/// How much repeating is allowed.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// How often a request is sent again after the first time.
    pub max_retries: u32,
    pub longest_wait: Duration,
}

/// What went wrong, as far as repeating is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// No byte of the request can have been acted on.
    NotSent,
    /// The API was too busy to act on it (429).
    Throttled,
    /// It may have been carried out: no answer, a cut one, or a 5xx.
    Lost,
    /// It was answered with success that cannot be read: asking again brings
    /// the same.
    Garbled,
    Final,
}

/// All that the decision rests on.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// How often the request was sent, the first time included.
    pub attempts: u32,
    /// Whether it may be repeated blindly.
    pub repeat: Repeat,
    /// Whether the caller can look up what became of it.
    pub can_look: bool,
    pub trouble: Trouble,
    /// How long the server asks to wait (`Retry-After`).
    pub asked: Option<Duration>,
    /// What is left of the command's time.
    pub left: Option<Duration>,
    /// The delay to use where the server asks for none.
    pub backoff: Duration,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    Wait(Duration),
    /// Wait, then look up whether it was carried out.
    LookUp {
        /// How long to wait first: it may still be under way.
        wait: Duration,
        /// Whether it is sent again if it was not carried out.
        then_repeat: bool,
    },
    Stop,
}

/// Decides what follows a failed attempt.
pub fn decide(now: &Situation, policy: &Policy) -> Decision {
    let wait = now.asked.map_or(now.backoff, |asked| asked.max(now.backoff / 2));
    let bearable = wait <= policy.longest_wait && now.left.is_none_or(|left| wait < left);
    let retries_left = now.attempts <= policy.max_retries;
    let looked_up_first = now.repeat == Repeat::LookFirst;
    let again = match now.trouble {
        Trouble::Lost | Trouble::Garbled if looked_up_first && now.can_look => {
            // Looking costs one read: where there is no time to wait, better
            // early than not at all.
            let wait = if bearable { wait } else { Duration::ZERO };
            // What was answered with success is not sent twice, found or not.
            let then_repeat = now.trouble == Trouble::Lost && bearable && retries_left;
            return Decision::LookUp { wait, then_repeat };
        }
        Trouble::Lost => !looked_up_first,
        Trouble::NotSent | Trouble::Throttled => true,
        Trouble::Garbled | Trouble::Final => false,
    };
    if again && bearable && retries_left { Decision::Wait(wait) } else { Decision::Stop }
}

/// The delays between attempts where the server asks for none: half a second,
/// doubled each time up to eight, each stretched at random by up to its double.
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

    fn situation(trouble: Trouble, repeat: Repeat) -> Situation {
        Situation {
            attempts: 1,
            repeat,
            can_look: true,
            trouble,
            asked: None,
            left: None,
            backoff: SECOND,
        }
    }

    #[test]
    fn what_may_have_been_carried_out_is_looked_up_first() {
        use Decision::{LookUp, Stop, Wait};
        use Repeat::{LookFirst, Safe};
        for (trouble, repeat, expected) in [
            (Trouble::NotSent, Safe, Wait(SECOND)),
            (Trouble::NotSent, LookFirst, Wait(SECOND)),
            (Trouble::Throttled, Safe, Wait(SECOND)),
            (Trouble::Throttled, LookFirst, Wait(SECOND)),
            (Trouble::Lost, Safe, Wait(SECOND)),
            (Trouble::Lost, LookFirst, LookUp { wait: SECOND, then_repeat: true }),
            (Trouble::Garbled, Safe, Stop),
            (Trouble::Garbled, LookFirst, LookUp { wait: SECOND, then_repeat: false }),
            (Trouble::Final, Safe, Stop),
            (Trouble::Final, LookFirst, Stop),
        ] {
            let now = situation(trouble, repeat);
            assert_eq!(decide(&now, &POLICY), expected, "{trouble:?} {repeat:?}");
        }
    }

    #[test]
    fn what_cannot_be_looked_up_is_not_repeated() {
        for trouble in [Trouble::Lost, Trouble::Garbled] {
            let now = Situation { can_look: false, ..situation(trouble, Repeat::LookFirst) };
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
            let safe = Situation { attempts, ..situation(Trouble::Lost, Repeat::Safe) };
            assert_eq!(decide(&safe, &policy), expected, "{attempts} of {max_retries}");
            let creation = Situation { attempts, ..situation(Trouble::Lost, Repeat::LookFirst) };
            let then_repeat = expected != Decision::Stop;
            let expected = Decision::LookUp { wait: SECOND, then_repeat };
            assert_eq!(decide(&creation, &policy), expected);
        }
    }

    #[test]
    fn the_servers_wish_is_obeyed_unless_it_takes_too_long() {
        let seconds = Duration::from_secs;
        for (asked, left, expected) in [
            (seconds(30), None, Decision::Wait(seconds(30))),
            (seconds(60), None, Decision::Wait(seconds(60))),
            (seconds(61), None, Decision::Stop),
            (seconds(30), Some(seconds(31)), Decision::Wait(seconds(30))),
            (seconds(30), Some(seconds(30)), Decision::Stop),
            // Many clients told "now" must not all come at once.
            (Duration::ZERO, None, Decision::Wait(SECOND / 2)),
        ] {
            let now = Situation {
                asked: Some(asked),
                left,
                ..situation(Trouble::Throttled, Repeat::Safe)
            };
            assert_eq!(decide(&now, &POLICY), expected, "{asked:?} {left:?}");
        }
    }

    #[test]
    fn without_time_to_wait_a_lost_creation_is_looked_up_at_once_and_not_repeated() {
        let lost = situation(Trouble::Lost, Repeat::LookFirst);
        for now in [
            Situation { left: Some(Duration::from_millis(1)), ..lost },
            Situation { asked: Some(Duration::from_mins(5)), ..lost },
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
