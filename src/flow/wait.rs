//! Polling until something is true. A temporary failure of the API ends no wait.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;

use super::Error;
use crate::api::ErrorKind;
use crate::clock::Clock;

pub const DEFAULT_WAIT: Duration = Duration::from_mins(30);

/// The interval grows from 1 to 15 seconds.
pub async fn poll<T>(
    clock: &Clock,
    deadline: Timestamp,
    mut look: impl AsyncFnMut() -> Result<Option<T>, Error>,
) -> Result<Option<T>, Error> {
    let delays = ExponentialBuilder::default()
        .with_jitter()
        .with_factor(1.5)
        .with_min_delay(Duration::from_secs(1))
        .with_max_delay(Duration::from_secs(15))
        .without_max_times()
        .build();
    for delay in delays {
        match look().await {
            Ok(Some(found)) => return Ok(Some(found)),
            // The wait has the deadline of the command: it is the wait that ended.
            Err(Error::Api(error)) if error.kind() == ErrorKind::OutOfTime => return Ok(None),
            Err(Error::Api(error)) if error.is_retryable() && clock.now() < deadline => {}
            Err(error) => return Err(error),
            Ok(None) => {}
        }
        let time_left = deadline.duration_since(clock.now());
        let Ok(time_left) = Duration::try_from(time_left) else { return Ok(None) };
        if time_left.is_zero() {
            return Ok(None);
        }
        clock.sleep(delay.min(time_left)).await;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_wait_ends_when_something_is_found() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let deadline = Timestamp::from_second(3600).unwrap();
        let mut looks = 0;
        let found = poll(&clock, deadline, async || {
            looks += 1;
            Ok((looks == 3).then_some("it"))
        })
        .await;
        assert_eq!(found.unwrap(), Some("it"));
        assert_eq!(looks, 3);
    }

    #[tokio::test]
    async fn a_wait_looks_once_more_at_its_deadline_and_ends() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let deadline = Timestamp::from_second(60).unwrap();
        let mut last = Timestamp::UNIX_EPOCH;
        let found = poll(&clock, deadline, async || {
            last = clock.now();
            Ok(None::<()>)
        })
        .await;
        assert_eq!(found.unwrap(), None);
        assert_eq!(last, deadline);
    }
}
