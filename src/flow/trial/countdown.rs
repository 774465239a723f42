//! The remaining time of a trial. A clock that is set back does not extend it: waits count.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

#[derive(Clone, Copy, Debug)]
pub struct Countdown {
    time_left: Duration,
    last_tick: Timestamp,
    longest_gap: Duration,
}

impl Countdown {
    pub fn new(time_left: Duration, now: Timestamp) -> Self {
        Self { time_left, last_tick: now, longest_gap: Duration::ZERO }
    }

    pub fn time_left(&self) -> Duration {
        self.time_left
    }

    /// The longest time that passed by the clock and was not waited.
    pub fn longest_gap(&self) -> Duration {
        self.longest_gap
    }

    /// The clock shows `now`, and at least `waited` has passed.
    pub fn pass(&mut self, waited: Duration, now: Timestamp) {
        let by_clock = self.last_tick.duration_until(now).max(SignedDuration::ZERO).unsigned_abs();
        self.time_left = self.time_left.saturating_sub(by_clock.max(waited));
        self.longest_gap = self.longest_gap.max(by_clock.saturating_sub(waited));
        self.last_tick = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_jumps_never_makes_a_trial_longer() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let seconds = Duration::from_secs;
        for (steps, time_left, gap) in [
            (&[(3, 103), (3, 106)][..], 4, 0),
            // Set back by an hour: the wait counts.
            (&[(3, 103), (3, -3497), (3, -3494)], 1, 0),
            // Set forward, or asleep: the trial is over.
            (&[(3, 9999)], 0, 9896),
            (&[(0, 104)], 6, 4),
            (&[(0, 100)], 10, 0),
        ] {
            let mut countdown = Countdown::new(seconds(10), at(100));
            for &(waited, now) in steps {
                countdown.pass(seconds(waited), at(now));
            }
            assert_eq!(countdown.time_left(), seconds(time_left), "{steps:?}");
            assert_eq!(countdown.longest_gap(), seconds(gap), "{steps:?}");
        }
    }
}
