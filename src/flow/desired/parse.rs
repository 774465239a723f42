//! Parses a desired state; reports all problems of the file together, without secrets. Pure.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::{
    Desired, DesiredApp, DesiredConnector, DesiredIdp, DesiredShare, SecretPlace, Selection,
    VERSION,
};
use crate::api::ids::AccountId;
use crate::domain::EmailDomain;
use crate::input::nearest::nearest;
use crate::input::secret_name::{is_secret_name, is_variable_name};

const TOP: &[&str] =
    &["version", "identity_providers", "sso_app", "connectors", "federation", "$schema"];
const IDP: &[&str] = &[
    "id",
    "name",
    "type",
    "config",
    "client_secret_env",
    "client_secret_file",
    "api_token_env",
    "api_token_file",
];
const APP: &[&str] = &["allowed_idps", "auto_redirect"];
const CONNECTOR: &[&str] = &["domain", "enabled", "verified", "fedramp"];
const SHARE: &[&str] = &["idp", "accounts"];

/// Minimum similarity of an unknown key to the suggested one.
const SIMILAR: f64 = 0.8;

pub fn parse(file: &Map<String, Value>) -> Result<Desired, Vec<String>> {
    let mut reader = Reader { problems: Vec::new() };
    let desired = reader.read(file);
    if reader.problems.is_empty() { Ok(desired) } else { Err(reader.problems) }
}

struct Reader {
    problems: Vec<String>,
}

impl Reader {
    fn read(&mut self, file: &Map<String, Value>) -> Desired {
        self.known_keys("", file, TOP);
        match file.get("version") {
            None => self.problems.push(format!("`version` is missing: `version: {VERSION}`")),
            Some(version) if *version == VERSION => {}
            Some(version) => {
                let text = format!("`version` is {version}; this cfsso reads {VERSION}");
                self.problems.push(text);
            }
        }
        let identity_providers = self.list(file, "identity_providers", |reader, path, entry| {
            reader.report_clear_text_secrets(path, entry);
            reader.entry(path, entry, IDP)
        });
        let sso_app = file.get("sso_app").and_then(|app| {
            let app = self.object("sso_app", app)?;
            self.entry("sso_app", &app, APP)
        });
        let connectors = self
            .list(file, "connectors", |reader, path, entry| reader.entry(path, entry, CONNECTOR));
        let federation =
            self.list(file, "federation", |reader, path, entry| reader.entry(path, entry, SHARE));
        self.connectors(connectors.as_deref().unwrap_or_default());
        self.idps(identity_providers.as_deref().unwrap_or_default());
        if let Some(app) = &sso_app {
            self.app(app);
        }
        self.shares(federation.as_deref().unwrap_or_default());
        Desired {
            schema: None,
            version: VERSION,
            identity_providers: identity_providers.map(without_paths),
            sso_app,
            connectors: connectors.map(without_paths),
            federation: federation.map(without_paths),
        }
    }

    /// The entries that can be read, each with its path in the file.
    fn list<T>(
        &mut self,
        file: &Map<String, Value>,
        name: &str,
        read: impl Fn(&mut Self, &str, &Map<String, Value>) -> Option<T>,
    ) -> Option<Vec<(String, T)>> {
        let Value::Array(entries) = file.get(name)? else {
            self.problems.push(format!("`{name}` must be a list"));
            return None;
        };
        let entries = entries.iter().enumerate().filter_map(|(at, entry)| {
            let path = format!("{name}[{at}]");
            let entry = self.object(&path, entry)?;
            let entry = read(self, &path, &entry)?;
            Some((path, entry))
        });
        Some(entries.collect())
    }

    fn object(&mut self, path: &str, value: &Value) -> Option<Map<String, Value>> {
        let Value::Object(entry) = value else {
            self.problems.push(format!("`{path}` must be an object"));
            return None;
        };
        Some(entry.clone())
    }

    /// A message names the type of a wrong value; the value only where no secret can be.
    fn entry<T: DeserializeOwned>(
        &mut self,
        path: &str,
        entry: &Map<String, Value>,
        known: &[&str],
    ) -> Option<T> {
        if !self.known_keys(path, entry, known) {
            return None;
        }
        match serde_path_to_error::deserialize(Value::Object(entry.clone())) {
            Ok(entry) => Some(entry),
            Err(error) => {
                let path = match error.path().to_string().as_str() {
                    "." => path.to_owned(),
                    inner => format!("{path}.{inner}"),
                };
                self.problems.push(format!("`{path}`: {}", error.inner()));
                None
            }
        }
    }

    fn known_keys(&mut self, path: &str, entry: &Map<String, Value>, known: &[&str]) -> bool {
        let unknown: Vec<_> =
            entry.keys().filter(|key| !known.contains(&key.as_str())).cloned().collect();
        for key in &unknown {
            // Already reported as a secret in clear text.
            if is_secret_name(key) {
                continue;
            }
            let place = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
            let hint = match nearest(key, known.iter().copied(), SIMILAR) {
                Some(suggestion) => format!("did you mean `{suggestion}`?"),
                None => format!("known: {}", known.join(", ")),
            };
            self.problems.push(format!("unknown key `{place}`; {hint}"));
        }
        unknown.is_empty()
    }

    /// Reports secrets in clear text, anywhere in an identity provider.
    fn report_clear_text_secrets(&mut self, path: &str, entry: &Map<String, Value>) {
        for (key, value) in entry {
            let is_place = !path.contains('.') && IDP.contains(&key.as_str());
            let path = format!("{path}.{key}");
            if is_secret_name(key) && !is_place && !value.is_null() {
                let field = if key == "api_token" { key } else { "client_secret" };
                let text = format!(
                    "`{path}` is a secret in clear text; name its place: `{field}_env` or \
                     `{field}_file`, next to `config`"
                );
                self.problems.push(text);
            } else if let Value::Object(inner) = value {
                self.report_clear_text_secrets(&path, inner);
            } else if let Value::Array(items) = value {
                for (at, item) in items.iter().enumerate() {
                    if let Value::Object(inner) = item {
                        self.report_clear_text_secrets(&format!("{path}[{at}]"), inner);
                    }
                }
            }
        }
    }

    fn connectors(&mut self, connectors: &[(String, DesiredConnector)]) {
        let mut seen = BTreeSet::new();
        for (path, connector) in connectors {
            match connector.domain.parse::<EmailDomain>() {
                Err(error) => self.problems.push(format!("`{path}.domain`: {error}")),
                Ok(domain) => {
                    if !seen.insert(domain.clone()) {
                        self.problems.push(format!("`{path}`: {domain} is listed twice"));
                    }
                }
            }
            if connector.verified == Some(false) {
                let text = format!("`{path}.verified`: only `true` can be requested");
                self.problems.push(text);
            }
        }
    }

    fn idps(&mut self, idps: &[(String, DesiredIdp)]) {
        let mut seen = BTreeSet::new();
        for (path, idp) in idps {
            let key = (idp.id.clone(), idp.name.clone(), idp.kind.to_ascii_lowercase());
            let is_by_id = idp.id.is_some();
            let key = if is_by_id { (key.0, String::new(), String::new()) } else { key };
            if !seen.insert(key) {
                self.problems.push(format!("`{path}`: `{}` is listed twice", idp.name));
            }
            if idp.name.trim().is_empty() && !is_by_id {
                self.problems.push(format!("`{path}.name` is empty"));
            }
            // A wrong name is not repeated: it may be the secret itself.
            for (field, place) in idp.secrets() {
                if let SecretPlace::Variable(name) = place
                    && !is_variable_name(&name)
                {
                    let text =
                        format!("`{path}.{field}_env` is not the name of an environment variable");
                    self.problems.push(text);
                }
            }
            for field in ["client_secret", "api_token"] {
                if idp.secrets().iter().filter(|(of, _)| *of == field).count() > 1 {
                    let text =
                        format!("`{path}`: `{field}_env` and `{field}_file` exclude each other");
                    self.problems.push(text);
                }
            }
        }
    }

    fn app(&mut self, app: &DesiredApp) {
        let count = match &app.allowed_idps {
            None => None,
            Some(Selection::All(_)) => Some(0),
            Some(Selection::Only(names)) => {
                if names.is_empty() {
                    let text = "`sso_app.allowed_idps` is empty; name one, or `all`";
                    self.problems.push(text.to_owned());
                }
                let distinct: BTreeSet<_> = names.iter().collect();
                if distinct.len() < names.len() {
                    let text = "`sso_app.allowed_idps` names one twice";
                    self.problems.push(text.to_owned());
                }
                Some(distinct.len())
            }
        };
        if app.auto_redirect == Some(true) && count.is_some_and(|count| count != 1) {
            let text = "`sso_app.auto_redirect` requires exactly one of `allowed_idps`";
            self.problems.push(text.to_owned());
        }
    }

    fn shares(&mut self, shares: &[(String, DesiredShare)]) {
        let mut seen = BTreeSet::new();
        for (path, share) in shares {
            if !seen.insert(&share.idp) {
                self.problems.push(format!("`{path}`: `{}` is listed twice", share.idp));
            }
            let Selection::Only(accounts) = &share.accounts else { continue };
            if accounts.is_empty() {
                self.problems.push(format!("`{path}.accounts` is empty"));
            }
            for account in accounts {
                if let Err(error) = account.parse::<AccountId>() {
                    self.problems.push(format!("`{path}.accounts`: {error}"));
                }
            }
        }
    }
}

fn without_paths<T>(entries: Vec<(String, T)>) -> Vec<T> {
    entries.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(file: &Value) -> Vec<String> {
        parse(file.as_object().unwrap()).err().unwrap_or_default()
    }

    fn idp(entry: &Value) -> Value {
        json!({ "version": 1, "identity_providers": [entry] })
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_place() {
        for (file, expected) in [
            (json!({}), "`version` is missing: `version: 1`"),
            (json!({ "version": 2 }), "`version` is 2; this cfsso reads 1"),
            (json!({ "version": "1" }), "`version` is \"1\"; this cfsso reads 1"),
            (
                json!({ "version": 1, "conectors": [] }),
                "unknown key `conectors`; did you mean `connectors`?",
            ),
            (
                json!({ "version": 1, "zones": [] }),
                "unknown key `zones`; known: version, identity_providers, sso_app, connectors, federation, $schema",
            ),
            (
                json!({ "version": 1, "connectors": [{ "domian": "a.test" }] }),
                "unknown key `connectors[0].domian`; did you mean `domain`?",
            ),
            (json!({ "version": 1, "connectors": {} }), "`connectors` must be a list"),
            (json!({ "version": 1, "connectors": ["a"] }), "`connectors[0]` must be an object"),
            (
                json!({ "version": 1, "connectors": [{ "enabled": true }] }),
                "`connectors[0]`: missing field `domain`",
            ),
            (
                json!({ "version": 1, "connectors": [{ "domain": "a.test", "enabled": "on" }] }),
                "`connectors[0].enabled`: invalid type: string \"on\", expected a boolean",
            ),
            (
                json!({ "version": 1, "connectors": [{ "domain": "A.test." }, { "domain": "a.test" }] }),
                "`connectors[1]`: a.test is listed twice",
            ),
            (
                json!({ "version": 1, "connectors": [{ "domain": "a.test", "enabled": true, "verified": false }] }),
                "`connectors[0].verified`: only `true` can be requested",
            ),
            (
                json!({ "version": 1, "sso_app": { "allowed_idps": [] } }),
                "`sso_app.allowed_idps` is empty; name one, or `all`",
            ),
            (
                json!({ "version": 1, "sso_app": { "allowed_idps": "all", "auto_redirect": true } }),
                "`sso_app.auto_redirect` requires exactly one of `allowed_idps`",
            ),
            (
                json!({ "version": 1, "sso_app": { "allowed_idps": ["a", "a"] } }),
                "`sso_app.allowed_idps` names one twice",
            ),
            (
                json!({ "version": 1, "federation": [{ "idp": "Okta", "accounts": [] }] }),
                "`federation[0].accounts` is empty",
            ),
            (
                idp(
                    &json!({ "name": "Okta", "type": "okta", "client_secret_env": "A", "client_secret_file": "b" }),
                ),
                "`identity_providers[0]`: `client_secret_env` and `client_secret_file` exclude each other",
            ),
            (idp(&json!({ "name": " ", "type": "okta" })), "`identity_providers[0].name` is empty"),
        ] {
            assert_eq!(problems(&file), [expected], "{file}");
        }
        let all = json!({ "version": 3, "connectors": [{ "domain": "gmx" }, { "x": 1 }] });
        assert_eq!(problems(&all).len(), 3, "{:?}", problems(&all));
    }

    #[test]
    fn a_secret_in_the_place_of_a_variable_is_refused_and_not_repeated() {
        for (place, is_name) in [
            (json!({ "client_secret_env": "OKTA_2" }), true),
            (json!({ "client_secret_env": "gho-S3cretPASTED!!" }), false),
            (json!({ "api_token_env": "" }), false),
        ] {
            let mut entry = json!({ "name": "Okta", "type": "okta" });
            let place = place.as_object().unwrap().clone();
            let field = place.keys().next().unwrap().clone();
            entry.as_object_mut().unwrap().extend(place);
            let file = json!({ "version": 1, "identity_providers": [entry] });
            let problems = parse(file.as_object().unwrap()).err().unwrap_or_default();
            let expected = format!(
                "`identity_providers[0].{field}` is not the name of an environment variable"
            );
            assert_eq!(problems, if is_name { vec![] } else { vec![expected] });
        }
    }

    #[test]
    fn a_secret_in_clear_text_is_refused_and_not_repeated() {
        for (entry, place) in [
            (json!({ "client_secret": "s3cret" }), "client_secret"),
            (json!({ "config": { "client_secret": "s3cret" } }), "config.client_secret"),
            (json!({ "config": { "api_token": "s3cret" } }), "config.api_token"),
            (
                json!({ "config": { "deep": [{ "password": "s3cret" }] } }),
                "config.deep[0].password",
            ),
            (json!({ "client_secret_value": "s3cret" }), "client_secret_value"),
        ] {
            let mut entry = entry;
            entry["name"] = "Okta".into();
            entry["type"] = "okta".into();
            let problems = problems(&idp(&entry));
            let expected = format!("`identity_providers[0].{place}` is a secret in clear text");
            assert!(problems.iter().any(|it| it.starts_with(&expected)), "{problems:?}");
            assert!(!problems.join(" ").contains("s3cret"), "{problems:?}");
        }
    }

    #[test]
    fn a_file_is_read_as_it_is_written() {
        let file = json!({
            "version": 1,
            "identity_providers": [{
                "name": "Okta", "type": "okta", "config": { "client_id": "a" },
                "client_secret_env": "OKTA",
            }],
            "sso_app": { "allowed_idps": ["Okta"], "auto_redirect": true },
            "connectors": [{ "domain": "cool.cats", "enabled": true, "fedramp": false }],
            "federation": [{ "idp": "Okta", "accounts": ["0123456789abcdef0123456789abcdef"] }],
        });
        let desired = parse(file.as_object().unwrap()).unwrap();
        assert_eq!(serde_json::to_value(&desired).unwrap(), file);
        let place = SecretPlace::Variable("OKTA".to_owned());
        assert_eq!(desired.idps()[0].secrets(), [("client_secret", place)]);
    }
}
