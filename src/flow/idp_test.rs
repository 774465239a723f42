//! Test results of identity providers that a user reported. Never a proof.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::journal::Entry;
use super::{Env, FlowError};
use crate::api::idp::Idp;

/// The user's answer to a test of an identity provider.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HandTest {
    /// The ID of the identity provider.
    pub tested_idp: String,
    /// Whether the user reported success.
    pub succeeded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedAt {
    pub test: HandTest,
    pub at: Timestamp,
}

/// The page is not documented; the dashboard's own test opens it.
pub fn link(auth_domain: &str, idp: &Idp) -> String {
    format!("https://{auth_domain}/cdn-cgi/access/test-idp/{}", idp.id)
}

pub fn record(env: &Env<'_>, idp: &Idp, succeeded: bool) -> Result<(), FlowError> {
    let test = HandTest { tested_idp: idp.id.to_string(), succeeded };
    let result = if succeeded { "succeeded" } else { "failed" };
    env.record_note(format!("test of {} by hand {result}", idp.name), &test)
}

/// `entries` are those of the account, oldest first.
pub fn latest(entries: &[Entry]) -> Vec<TestedAt> {
    let mut tests: Vec<TestedAt> = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_note()) {
        let image = entry.before.as_ref().map(|image| serde_json::from_str(image.get()));
        let Some(Ok(test @ HandTest { .. })) = image else { continue };
        tests.retain(|known| known.test.tested_idp != test.tested_idp);
        tests.push(TestedAt { test, at: entry.started_at });
    }
    tests
}

/// Empty if the journal cannot be read.
pub fn read(env: &Env<'_>) -> Vec<TestedAt> {
    let entries = env.journal.read().map(|reading| reading.entries).unwrap_or_default();
    latest(&env.own(&entries))
}

impl TestedAt {
    /// `tested by hand on 2026-03-01`.
    pub fn describe(&self) -> String {
        let day = self.at.strftime("%Y-%m-%d");
        if self.test.succeeded {
            format!("tested by hand on {day}")
        } else {
            format!("test by hand failed on {day}")
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    #[test]
    fn the_latest_test_of_each_is_what_counts() {
        let note = |number, image: &str| {
            let before = RawValue::from_string(image.to_owned()).ok();
            Entry { before, ..Entry::sample("r", number, "{}") }
        };
        let request = r#"{"method":"PATCH","path":"/a","body":{}}"#;
        let sent = Entry {
            before: RawValue::from_string(r#"{"tested_idp":"p3","succeeded":true}"#.to_owned())
                .ok(),
            ..Entry::sample("r", 4, request)
        };
        let tests = latest(&[
            note(1, r#"{"tested_idp":"p1","succeeded":true}"#),
            note(2, r#"{"tested_idp":"p2","succeeded":true}"#),
            note(3, r#"{"tested_idp":"p1","succeeded":false}"#),
            sent,
            note(5, r#"{"trial":"r.1","outcome":"kept"}"#),
        ]);
        let seen: Vec<_> = tests.iter().map(TestedAt::describe).collect();
        assert_eq!(seen, ["tested by hand on 1970-01-01", "test by hand failed on 1970-01-01"]);
    }
}
