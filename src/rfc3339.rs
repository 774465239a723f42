//! Times in RFC 3339, UTC, to the second, so that their texts sort as the times do.

use jiff::Timestamp;
use serde::Serializer;

/// `2026-03-01T12:00:00Z`.
pub fn format(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub fn time<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(*at))
}

#[expect(clippy::ref_option, reason = "the form that serde calls")]
pub fn optional<S: Serializer>(at: &Option<Timestamp>, serializer: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => time(at, serializer),
        None => serializer.serialize_none(),
    }
}
