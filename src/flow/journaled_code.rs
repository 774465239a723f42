//! Verification codes that connectors of this account had, by the journal of this machine.

use serde::Deserialize;

use super::Env;
use super::journal::Entry;
use crate::api::connector::Connector;
use crate::api::ids::ConnectorId;

#[derive(Debug, Default)]
pub struct JournaledCodes(Vec<(ConnectorId, String)>);

#[derive(Deserialize)]
struct Journaled {
    id: ConnectorId,
    verification: Option<Verification>,
}

#[derive(Deserialize)]
struct Verification {
    code: Option<String>,
}

impl JournaledCodes {
    /// Empty if the journal cannot be read or others can write it.
    pub fn read(env: &Env<'_>) -> Self {
        let entries = env.journal.connector_entries().unwrap_or_default();
        Self::of(&env.own(&entries))
    }

    fn of(entries: &[Entry]) -> Self {
        let objects = entries.iter().flat_map(|entry| [&entry.before, &entry.after]).flatten();
        let codes = objects.filter_map(|object| {
            let Journaled { id, verification } = serde_json::from_str(object.get()).ok()?;
            Some((id, verification?.code?))
        });
        Self(codes.collect())
    }

    #[cfg(test)]
    pub fn sample(id: &str, code: &str) -> Self {
        Self(vec![(id.parse().unwrap(), code.to_owned())])
    }

    /// Whether a connector had the code that is not among `connectors`.
    pub fn is_of_deleted(&self, code: &[u8], connectors: &[Connector]) -> bool {
        self.0.iter().any(|(id, known)| {
            known.as_bytes() == code && connectors.iter().all(|connector| connector.id != *id)
        })
    }

    /// Whether the connector had another code, and not this one.
    pub fn contradicts(&self, id: &str, code: &str) -> bool {
        let codes = || self.0.iter().filter(|(other, _)| other.as_str() == id);
        codes().next().is_some() && codes().all(|(_, known)| known != code)
    }
}

/// Those of `codes` that deleted connectors of this account had. `connectors` are all of them.
pub fn of_deleted_connectors(
    env: &Env<'_>,
    mut codes: Vec<Vec<u8>>,
    connectors: &[Connector],
) -> Vec<Vec<u8>> {
    let is_in_use = |code: &[u8]| {
        connectors.iter().any(|connector| connector.code().map(str::as_bytes) == Some(code))
    };
    codes.retain(|code| !is_in_use(code));
    if !codes.is_empty() {
        let journal = JournaledCodes::read(env);
        codes.retain(|code| journal.is_of_deleted(code, connectors));
    }
    codes
}

#[cfg(test)]
mod tests {
    use serde_json::value::RawValue;

    use super::*;

    fn entry(request: &str, before: Option<&str>, after: Option<&str>) -> Entry {
        let account = "0123456789abcdef0123456789abcdef";
        let request = request.replace("ACCOUNT", &format!("/accounts/{account}"));
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        Entry { before: before.map(raw), after: after.map(raw), ..Entry::sample("r", 1, &request) }
    }

    #[test]
    fn only_codes_of_deleted_connectors_are_known_to_be_left_over() {
        let create = r#"{"method":"POST","path":"ACCOUNT/sso_connectors"}"#;
        let delete = r#"{"method":"DELETE","path":"ACCOUNT/sso_connectors/c1"}"#;
        let connector = r#"{"id":"c1","email_domain":"cool.cats","verification":{"code":"old"}}"#;
        let exists: Connector =
            serde_json::from_str(r#"{"id":"c1","email_domain":"cool.cats"}"#).unwrap();
        for (entries, connectors, expected) in [
            (vec![entry(create, None, Some(connector))], vec![], true),
            (vec![entry(delete, Some(connector), None)], vec![], true),
            (vec![entry(delete, Some(connector), None)], vec![exists], false),
            (vec![entry(delete, None, None)], vec![], false),
            (vec![], vec![], false),
        ] {
            let journal = JournaledCodes::of(&entries);
            assert_eq!(journal.is_of_deleted(b"old", &connectors), expected, "{entries:?}");
            assert!(!journal.is_of_deleted(b"other", &connectors));
        }
        let journal = JournaledCodes::sample("c1", "old");
        assert!(journal.contradicts("c1", "other"));
        assert!(!journal.contradicts("c1", "old") && !journal.contradicts("c2", "other"));
    }
}
