//! The time, and waiting: real, or set by tests. No other module may read the time or sleep.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;

use crate::mutex::lock;

/// Clones share one time, so that a simulator and the command that uses it agree on the time.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    Stepped(Arc<Mutex<Timestamp>>),
}

impl Clock {
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that advances only when a caller waits on it: a wait of two days returns at once.
    pub fn fake(start: Timestamp) -> Self {
        Self(Source::Stepped(Arc::new(Mutex::new(start))))
    }

    /// Sets a fake clock. Has no effect on the system's clock.
    pub fn set(&self, time: Timestamp) {
        if let Source::Stepped(now) = &self.0 {
            *lock(now) = time;
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that may ask")]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System => Timestamp::now(),
            Source::Stepped(now) => *lock(now),
        }
    }

    /// The output of `future`, or `None` after `limit`. A fake clock never times out.
    pub async fn timeout<T>(&self, limit: Duration, future: impl Future<Output = T>) -> Option<T> {
        match &self.0 {
            Source::System => tokio::time::timeout(limit, future).await.ok(),
            Source::Stepped(_) => Some(future.await),
        }
    }

    #[expect(clippy::disallowed_methods, reason = "the one place that may wait")]
    pub async fn sleep(&self, duration: Duration) {
        match &self.0 {
            Source::System => tokio::time::sleep(duration).await,
            Source::Stepped(now) => {
                {
                    let mut now = lock(now);
                    *now = now.saturating_add(duration).unwrap_or(Timestamp::MAX);
                }
                tokio::task::yield_now().await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_stepped_clock_moves_only_when_waited_on() {
        let clock = Clock::fake(Timestamp::UNIX_EPOCH);
        let shared = clock.clone();
        clock.sleep(Duration::from_hours(48)).await;
        assert_eq!(shared.now().as_second(), 172_800);
        assert_eq!(shared.now(), clock.now());
    }
}
