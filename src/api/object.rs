//! Objects of the API: typed known fields plus the original text, so that nothing is lost.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Deref;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An object of the API: known fields as `T`; printed and compared by its original text.
#[derive(Clone, Debug)]
pub struct Object<T> {
    known: T,
    text: Box<RawValue>,
}

impl<T> Object<T> {
    pub fn text(&self) -> &str {
        self.text.get()
    }

    /// The JSON text with fields of this program appended. The API's own fields take precedence.
    pub fn text_with<V: Serialize>(&self, added: &[(&str, V)]) -> serde_json::Result<String> {
        let own: BTreeMap<String, &RawValue> = serde_json::from_str(self.text())?;
        let mut text = self.text().trim_end().to_owned();
        text.pop();
        for (name, value) in added.iter().filter(|(name, _)| !own.contains_key(*name)) {
            let comma = if text.trim_end().ends_with('{') { "" } else { "," };
            let (name, value) = (serde_json::to_string(name)?, serde_json::to_string(value)?);
            let _ = write!(text, "{comma}{name}:{value}");
        }
        Ok(text + "}")
    }
}

impl<T> Deref for Object<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.known
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Box::<RawValue>::deserialize(deserializer)?;
        let known = serde_json::from_str(text.get()).map_err(D::Error::custom)?;
        Ok(Self { known, text })
    }
}

impl<T> Serialize for Object<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Known {
        name: String,
    }

    #[test]
    fn what_is_not_understood_leaves_as_it_came() {
        let text =
            r#"{"z":12345678901234567890123,"name":"a","pi":3.10,"n":null,"deep":{"b":1,"a":[]}}"#;
        let object: Object<Known> = serde_json::from_str(text).unwrap();
        assert_eq!(object.name, "a");
        assert_eq!(serde_json::to_string(&object).unwrap(), text);
        let list: Vec<Object<Known>> = serde_json::from_str(&format!("[{text}]")).unwrap();
        assert_eq!(list[0].text(), text);
    }

    #[test]
    fn added_fields_come_last_and_replace_nothing() {
        for (text, expected) in [
            (r#"{"name":"a"}"#, r#"{"name":"a","txt":{"ttl":300},"created":true}"#),
            (
                r#"{"name":"a", "n":1.0 }"#,
                r#"{"name":"a", "n":1.0 ,"txt":{"ttl":300},"created":true}"#,
            ),
            (r#"{"name":"a","txt":1}"#, r#"{"name":"a","txt":1,"created":true}"#),
        ] {
            let object: Object<Known> = serde_json::from_str(text).unwrap();
            let added = [("txt", serde_json::json!({"ttl": 300})), ("created", true.into())];
            assert_eq!(object.text_with(&added).unwrap(), expected);
        }
    }
}
