//! The headers of the API's rate limit (API reference, section 1.4).

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3).
pub fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(at.duration_since(now).try_into().unwrap_or(Duration::ZERO))
}

/// `Ratelimit`: the time until every policy has more than `reserve` requests left.
/// `"default";r=0;t=30` is 30 s.
pub fn rate_limit_wait(value: &str, reserve: u64) -> Option<Duration> {
    value.split(',').filter_map(|policy| exhausted(policy, reserve)).max()
}

fn exhausted(policy: &str, reserve: u64) -> Option<Duration> {
    let parameter = |name| {
        policy.split(';').find_map(|part| {
            let (key, number) = part.split_once('=')?;
            (key.trim() == name).then(|| number.trim().parse::<u64>().ok()).flatten()
        })
    };
    (parameter("r")? <= reserve).then(|| parameter("t").map(Duration::from_secs)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now: Timestamp = "2026-01-02T03:04:05Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            ("30", Some(30)),
            (" 120 ", Some(120)),
            ("Fri, 02 Jan 2026 03:04:35 GMT", Some(30)),
            ("Fri, 02 Jan 2026 03:04:00 GMT", Some(0)),
            ("soon", None),
            ("-1", None),
            ("1.5", None),
            ("", None),
        ] {
            let expected = seconds.map(Duration::from_secs);
            assert_eq!(retry_after(value, now), expected, "{value:?}");
        }
    }

    #[test]
    fn only_an_exhausted_policy_holds_the_next_request() {
        for (value, seconds) in [
            (r#""default";r=50;t=30"#, None),
            (r#""default";r=0;t=30"#, Some(30)),
            (r#""default"; r=0; t=7"#, Some(7)),
            (r#""burst";r=0;t=5, "default";r=0;t=30"#, Some(30)),
            (r#""burst";r=0;t=5, "default";r=9;t=30"#, Some(5)),
            (r#""default";r=0"#, None),
            (r#""default";r=none;t=3"#, None),
            ("", None),
        ] {
            assert_eq!(rate_limit_wait(value, 0), seconds.map(Duration::from_secs), "{value}");
        }
        for (remaining, seconds) in [(17, None), (16, Some(30))] {
            let value = format!(r#""default";r={remaining};t=30"#);
            assert_eq!(rate_limit_wait(&value, 16), seconds.map(Duration::from_secs), "{value}");
        }
    }
}
