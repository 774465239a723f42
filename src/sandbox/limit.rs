//! The rate limit: 1200 requests in five minutes per credential (API reference, section 1.4).

use std::collections::BTreeMap;

use jiff::Timestamp;

const QUOTA: u32 = 1200;
/// In seconds.
const WINDOW: i64 = 300;

/// By credential; requests without one count together.
#[derive(Debug, Default)]
pub(super) struct Limits(BTreeMap<Option<String>, Window>);

#[derive(Debug)]
struct Window {
    started_at: Timestamp,
    count: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Quota {
    pub is_exceeded: bool,
    pub remaining: u32,
    /// Seconds until the next window.
    pub reset: i64,
}

impl Limits {
    pub fn count(&mut self, credential: Option<String>, now: Timestamp) -> Quota {
        let window = self.0.entry(credential).or_insert(Window { started_at: now, count: 0 });
        if now.as_second() - window.started_at.as_second() >= WINDOW {
            *window = Window { started_at: now, count: 0 };
        }
        window.count = window.count.saturating_add(1);
        Quota {
            is_exceeded: window.count > QUOTA,
            remaining: QUOTA.saturating_sub(window.count),
            reset: WINDOW - (now.as_second() - window.started_at.as_second()).max(0),
        }
    }
}

impl Quota {
    pub fn header(&self) -> String {
        format!("\"default\";r={};t={}", self.remaining, self.reset)
    }

    pub fn policy() -> String {
        format!("\"default\";q={QUOTA};w={WINDOW}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_takes_1200_requests_of_each_credential_and_begins_anew() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let mut limits = Limits::default();
        let full = || Some("full".to_owned());
        for _ in 0..1199 {
            limits.count(full(), at(10));
        }
        let last = limits.count(full(), at(20));
        assert_eq!(last, Quota { is_exceeded: false, remaining: 0, reset: 290 });
        assert!(limits.count(full(), at(309)).is_exceeded);
        assert!(!limits.count(None, at(309)).is_exceeded);
        let fresh = limits.count(full(), at(310));
        assert_eq!(fresh, Quota { is_exceeded: false, remaining: 1199, reset: 300 });
        assert_eq!(fresh.header(), r#""default";r=1199;t=300"#);
    }
}
