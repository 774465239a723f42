//! The time for one query: the usual one, or less at the end of the command's time limit.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::Clock;

#[derive(Clone, Debug)]
pub(super) struct TimeLimit {
    pub query: Duration,
    pub deadline: Option<Timestamp>,
    pub clock: Clock,
}

impl TimeLimit {
    pub fn left(&self) -> Duration {
        let Some(deadline) = self.deadline else { return self.query };
        let left = self.clock.now().duration_until(deadline);
        Duration::try_from(left).unwrap_or_default().min(self.query)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_ends_with_the_time_of_the_command() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let query = Duration::from_millis(2500);
        for (deadline, left) in [
            (None, query),
            (Some("2026-03-01T12:01:00Z"), query),
            (Some("2026-03-01T12:00:01Z"), Duration::from_secs(1)),
            (Some("2026-03-01T12:00:00Z"), Duration::ZERO),
            (Some("2026-03-01T11:59:00Z"), Duration::ZERO),
        ] {
            let deadline = deadline.map(|text| text.parse().unwrap());
            let limit = TimeLimit { query, deadline, clock: Clock::fake(now) };
            assert_eq!(limit.left(), left, "{deadline:?}");
        }
    }
}
