use std::str::FromStr;
use std::time::Duration;

use jiff::Timestamp;

/// Reads `90s`, `10m`, `2h` or `1d`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let refused = || format!("`{text}` is not a duration (90s, 10m, 2h)");
    let span: jiff::SignedDuration = text.parse().or_else(|_| {
        let days: i64 =
            text.strip_suffix('d').and_then(|days| days.parse().ok()).ok_or_else(refused)?;
        Ok::<_, String>(jiff::SignedDuration::from_hours(days.checked_mul(24).ok_or_else(refused)?))
    })?;
    let duration = Duration::try_from(span).map_err(|_| refused())?;
    if duration.is_zero() { Err(refused()) } else { Ok(duration) }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    At(Timestamp),
    Ago(Duration),
}

impl Moment {
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Ago(long) => now.saturating_sub(long).unwrap_or(Timestamp::MIN),
        }
    }
}

/// RFC 3339, a date (its start in UTC), or a duration.
impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let midnight = || format!("{text}T00:00:00Z").parse();
        match text.parse().or_else(|_: jiff::Error| midnight()) {
            Ok(time) => Ok(Self::At(time)),
            Err(_) => duration(text).map(Self::Ago).map_err(|_| {
                format!("`{text}` is neither a time (2026-03-01T12:00:00Z) nor a duration (24h)")
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_has_a_unit_and_is_not_nothing() {
        for (text, seconds) in [
            ("90s", Some(90)),
            ("10m", Some(600)),
            ("2h", Some(7200)),
            ("1d", Some(86_400)),
            ("1h30m", Some(5400)),
        ] {
            assert_eq!(duration(text).ok().map(|duration| duration.as_secs()), seconds, "{text}");
        }
        for text in ["", "10", "0s", "-5s", "soon", "99999999999999999999d"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_moment_is_a_time_a_date_or_a_duration() {
        let now = "2026-03-02T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("24h", Some("2026-03-01T12:00:00Z")),
            ("7d", Some("2026-02-23T12:00:00Z")),
            ("2026-03-01", Some("2026-03-01T00:00:00Z")),
            ("2026-03-01T12:00:00+02:00", Some("2026-03-01T10:00:00Z")),
            ("yesterday", None),
            ("", None),
        ] {
            let read = text.parse::<Moment>().ok().map(|moment| moment.before(now).to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
