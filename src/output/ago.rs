use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::plural::count_noun;

/// "3 days ago", "in 2 hours": the largest unit, rounded down; under five seconds "just now".
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let distance = then.duration_until(now);
    if distance.abs() < SignedDuration::from_secs(5) {
        return "just now".to_owned();
    }
    let words = largest_unit(distance.unsigned_abs().as_secs());
    if distance.is_positive() { format!("{words} ago") } else { format!("in {words}") }
}

/// A duration in its two largest units: "1m 12s", "2h 5m".
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3_600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds}s"),
        (0, 0, _) => format!("{minutes}m {seconds}s"),
        (0, _, _) => format!("{hours}h {minutes}m"),
        _ => format!("{days}d {hours}h"),
    }
}

fn largest_unit(seconds: u64) -> String {
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..3_600 => (seconds / 60, "minute"),
        3_600..86_400 => (seconds / 3_600, "hour"),
        86_400..2_592_000 => (seconds / 86_400, "day"),
        2_592_000..31_536_000 => (seconds / 2_592_000, "month"),
        _ => (seconds / 31_536_000, "year"),
    };
    count_noun(count, unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_unit_tells_the_distance() {
        let now: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let table = [
            ("2026-03-01T12:00:00Z", "just now"),
            ("2026-03-01T11:59:56Z", "just now"),
            ("2026-03-01T12:00:04Z", "just now"),
            ("2026-03-01T11:59:55Z", "5 seconds ago"),
            ("2026-03-01T11:59:00Z", "1 minute ago"),
            ("2026-03-01T11:00:01Z", "59 minutes ago"),
            ("2026-03-01T11:00:00Z", "1 hour ago"),
            ("2026-02-26T12:00:00Z", "3 days ago"),
            ("2026-01-28T12:00:00Z", "1 month ago"),
            ("2025-03-02T12:00:00Z", "12 months ago"),
            ("2024-02-29T12:00:00Z", "2 years ago"),
            ("2026-03-01T14:59:59Z", "in 2 hours"),
            ("2026-03-03T12:00:00Z", "in 2 days"),
            ("0001-01-01T00:00:00Z", "2026 years ago"),
        ];
        for (then, words) in table {
            assert_eq!(ago(then.parse().unwrap(), now), words, "{then}");
        }
    }

    #[test]
    fn a_wait_is_told_in_two_units() {
        let table = [
            (0, "0s"),
            (59, "59s"),
            (72, "1m 12s"),
            (3_600, "1h 0m"),
            (7_500, "2h 5m"),
            (172_800, "2d 0h"),
        ];
        for (seconds, words) in table {
            assert_eq!(format_duration(Duration::from_secs(seconds)), words);
        }
    }
}
