//! Cache expiry, compared with Cloudflare's polling.

use jiff::{SignedDuration, Timestamp};

use super::lookup::Server;

/// Cloudflare's polling time once verification has begun (documentation of dashboard SSO).
const POLL: SignedDuration = SignedDuration::from_hours(48);

/// Seconds until a cache forgets its records or their absence; at most what the zone allows
/// (RFC 2308 section 5).
pub(super) fn remaining_ttl(cache: &Server, all: &[Server]) -> Option<u32> {
    let authoritative = all.iter().filter(|server| server.authoritative);
    let ttl = if cache.records.is_empty() && cache.aliases.is_empty() {
        cache.negative_ttl.or_else(|| authoritative.filter_map(|server| server.negative_ttl).max())
    } else {
        cache.ttl
    };
    // RFC 2181 section 8: with the top bit set, it counts as 0.
    ttl.map(|ttl| if ttl > i32::MAX.unsigned_abs() { 0 } else { ttl })
}

/// Rounded up to whole seconds.
pub(super) fn after(now: Timestamp, seconds: u32) -> Timestamp {
    let whole = now.as_second() + i64::from(now.subsec_nanosecond() > 0);
    Timestamp::from_second(whole + i64::from(seconds)).unwrap_or(Timestamp::MAX)
}

/// Assumes that the polling begins now.
pub(super) fn compare_with_poll(now: Timestamp, at: Timestamp) -> &'static str {
    if now.duration_until(at) <= POLL {
        ", within the two days of verification"
    } else {
        ", after the two days of verification: start verification after that"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_seconds_and_never_too_early() {
        for (now, at) in [
            ("2026-03-01T12:00:00Z", "2026-03-01T12:01:00Z"),
            ("2026-03-01T12:00:00.000000001Z", "2026-03-01T12:01:01Z"),
        ] {
            assert_eq!(after(now.parse().unwrap(), 60).to_string(), at);
        }
    }

    #[test]
    fn two_days_to_the_second_are_in_time() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        for (seconds, words) in [(0, "within"), (172_800, "within"), (172_801, "after")] {
            assert!(compare_with_poll(now, after(now, seconds)).contains(words), "{seconds}");
        }
    }
}
