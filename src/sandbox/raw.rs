//! JSON objects that keep key order, 23-digit integers, `3.10` and nulls; `serde_json::Value` would
//! change the numbers.

use std::fmt;

use serde::de::{DeserializeOwned, MapAccess, Visitor};
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

/// Keys in order, each with its value's text.
#[derive(Clone, Debug, Default)]
pub(super) struct RawObject(Vec<(String, Box<RawValue>)>);

impl RawObject {
    /// Parses a constant, without white space between values: the API sends none.
    pub fn literal(text: &str) -> Self {
        let (mut is_text, mut is_escaped) = (false, false);
        let is_kept = |c: &char| {
            let is_blank = !is_text && c.is_ascii_whitespace();
            is_text ^= *c == '"' && !is_escaped;
            is_escaped = is_text && *c == '\\' && !is_escaped;
            !is_blank
        };
        let compact: String = text.chars().filter(is_kept).collect();
        serde_json::from_str(&compact).expect("what is written in the program is JSON")
    }

    pub fn value(&self, key: &str) -> Option<&RawValue> {
        self.0.iter().find(|(known, _)| known == key).map(|(_, value)| value.as_ref())
    }

    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        serde_json::from_str(self.value(key)?.get()).ok()
    }

    pub fn text(&self, key: &str) -> Option<String> {
        self.get(key)
    }

    pub fn object(&self, key: &str) -> Option<Self> {
        self.get(key)
    }

    pub fn has(&self, key: &str) -> bool {
        self.value(key).is_some()
    }

    /// Replaces the value, or appends the key.
    pub fn set(&mut self, key: &str, value: impl Serialize) {
        self.put(key, to_raw_value(&value).expect("plain data is JSON"));
    }

    pub fn put(&mut self, key: &str, value: Box<RawValue>) {
        match self.0.iter_mut().find(|(known, _)| known == key) {
            Some((_, kept)) => *kept = value,
            None => self.0.push((key.to_owned(), value)),
        }
    }

    pub fn remove(&mut self, key: &str) -> Option<Box<RawValue>> {
        let position = self.0.iter().position(|(known, _)| known == key)?;
        Some(self.0.remove(position).1)
    }

    /// Takes over the value from `before`, or removes it if `before` has none.
    pub fn keep_from(&mut self, before: &Self, key: &str) {
        match before.value(key) {
            Some(value) => self.put(key, value.to_owned()),
            None => drop(self.remove(key)),
        }
    }

    pub fn merge(&mut self, other: Self) {
        for (key, value) in other.0 {
            self.put(&key, value);
        }
    }

    /// Replaces `from` in all texts. Neither may contain characters that JSON escapes.
    pub fn with_replaced_text(mut self, from: &str, to: &str) -> Self {
        for (_, value) in &mut self.0 {
            if value.get().contains(from) {
                let text = value.get().replace(from, to);
                *value = RawValue::from_string(text).expect("plain text within a string");
            }
        }
        self
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = RawObject;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<RawObject, A::Error> {
        let mut raw = RawObject::default();
        while let Some((key, value)) = map.next_entry::<String, Box<RawValue>>()? {
            raw.put(&key, value);
        }
        Ok(raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        r#"{"z":12345678901234567890123,"name":"a","pi":3.10,"n":null,"deep":{"b":1,"a":[]}}"#;

    fn text(raw: &RawObject) -> String {
        serde_json::to_string(raw).unwrap()
    }

    #[test]
    fn an_object_leaves_as_it_came() {
        let raw: RawObject = serde_json::from_str(TEXT).unwrap();
        assert_eq!(text(&raw), TEXT);
        let pretty = serde_json::to_string_pretty(&raw).unwrap();
        assert_eq!(text(&serde_json::from_str(&pretty).unwrap()), TEXT);
        assert!(serde_json::from_str::<RawObject>("[]").is_err());
    }

    #[test]
    fn a_literal_loses_its_blanks_outside_of_strings() {
        let literal = RawObject::literal(r#"{ "a b" : [ 1, " \" x " ],  "c\\" : { "d": "e f" } }"#);
        assert_eq!(text(&literal), r#"{"a b":[1," \" x "],"c\\":{"d":"e f"}}"#);
    }

    #[test]
    fn a_change_touches_its_key_alone() {
        let mut raw: RawObject = serde_json::from_str(TEXT).unwrap();
        raw.set("name", "b");
        raw.set("new", [1]);
        assert!(raw.remove("n").is_some());
        let before: RawObject = serde_json::from_str(r#"{"pi":3.1000}"#).unwrap();
        raw.keep_from(&before, "pi");
        raw.keep_from(&before, "new");
        let expected =
            r#"{"z":12345678901234567890123,"name":"b","pi":3.1000,"deep":{"b":1,"a":[]}}"#;
        assert_eq!(text(&raw), expected);
    }
}
