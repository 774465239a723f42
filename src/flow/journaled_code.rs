//! Verification codes that connectors of this account had, by the journal of this machine.

use serde::Deserialize;

use super::Env;
use super::dry_run::DryRun;
use super::journal::Entry;
use crate::api::connector::Connector;
use crate::api::ids::ConnectorId;

#[derive(Debug, Default)]
pub struct JournaledCodes {
    codes: Vec<(ConnectorId, String)>,
    /// The journal cannot be read, or others can write it.
    is_unreadable: bool,
    /// A connector that cannot be decoded is in no list: what looks deleted may be that one.
    has_odd_connectors: bool,
}

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
    pub fn read(env: &Env<'_>) -> Self {
        let entries = env.journal.connector_entries();
        let is_unreadable = entries.is_none();
        let mut codes = Self::of(&env.own(&entries.unwrap_or_default())).codes;
        let deleted = env.dry_run().map(DryRun::objects).unwrap_or_default();
        codes.extend(deleted.iter().filter_map(|object| code_in(object)));
        let has_odd_connectors = !env.client.odd_records(Some("connector")).is_empty();
        Self { codes, is_unreadable, has_odd_connectors }
    }

    fn of(entries: &[Entry]) -> Self {
        let objects = entries.iter().flat_map(|entry| [&entry.before, &entry.after]).flatten();
        let codes = objects.filter_map(|object| code_in(object.get())).collect();
        Self { codes, ..Self::default() }
    }

    #[cfg(test)]
    pub fn sample(id: &str, code: &str) -> Self {
        Self { codes: vec![(id.parse().unwrap(), code.to_owned())], ..Self::default() }
    }

    #[cfg(test)]
    pub fn unreadable() -> Self {
        Self { is_unreadable: true, ..Self::default() }
    }

    /// Whether a connector had the code that is not among `connectors`.
    pub fn is_of_deleted(&self, code: &[u8], connectors: &[Connector]) -> bool {
        let is_deleted = |id: &ConnectorId| connectors.iter().all(|known| known.id != *id);
        !self.has_odd_connectors
            && self.codes.iter().any(|(id, known)| known.as_bytes() == code && is_deleted(id))
    }

    /// Whether the connector may have had another code only, and not this one.
    pub fn contradicts(&self, id: &str, code: &str) -> bool {
        let codes = || self.codes.iter().filter(|(other, _)| other.as_str() == id);
        self.is_unreadable || codes().next().is_some() && codes().all(|(_, known)| known != code)
    }
}

fn code_in(object: &str) -> Option<(ConnectorId, String)> {
    let Journaled { id, verification } = serde_json::from_str(object).ok()?;
    Some((id, verification?.code?))
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
        assert!(JournaledCodes::unreadable().contradicts("c1", "old"));
        let odd = JournaledCodes { has_odd_connectors: true, ..journal };
        assert!(!odd.is_of_deleted(b"old", &[]));
    }
}
