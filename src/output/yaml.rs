//! JSON text as YAML, numbers as they came as far as YAML's writer can carry
//! them.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::json::{Layout, laid_out};
use super::sanitize::is_bidi_control;

/// The YAML document for valid JSON text, with a line break at its end.
///
/// Bidirectional controls can be escaped in quoted scalars only, which the
/// writer does not do; JSON is YAML too (YAML 1.2.2, section 1.3), so such a
/// document is left in JSON, where they are.
pub(super) fn from_json(json: &str) -> Result<String, String> {
    if json.chars().any(is_bidi_control) {
        return Ok(laid_out(json, Layout::Pretty) + "\n");
    }
    let node: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    serde_saphyr::to_string(&Node(node)).map_err(|error| error.to_string())
}

/// A JSON value as its text.
struct Node<'a>(&'a RawValue);

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.get();
        match text.as_bytes().first() {
            Some(b'{') => object(text, serializer),
            Some(b'[') => array(text, serializer),
            Some(b'"') => parsed::<String, S>(text)?.serialize(serializer),
            Some(b'n') => serializer.serialize_unit(),
            Some(b't' | b'f') => serializer.serialize_bool(text == "true"),
            _ => number(text, serializer),
        }
    }
}

fn parsed<'a, T: Deserialize<'a>, S: Serializer>(text: &'a str) -> Result<T, S::Error> {
    serde_json::from_str(text).map_err(S::Error::custom)
}

fn object<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let Entries(entries) = parsed::<_, S>(text)?;
    let mut map = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        map.serialize_entry(&key, &Node(value))?;
    }
    map.end()
}

fn array<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let items: Vec<&RawValue> = parsed::<_, S>(text)?;
    let mut seq = serializer.serialize_seq(Some(items.len()))?;
    for item in items {
        seq.serialize_element(&Node(item))?;
    }
    seq.end()
}

/// Integers up to 128 bits and finite floats are numbers; what is beyond them
/// is its text, since a rounded number would be a wrong one.
fn number<S: Serializer>(text: &str, serializer: S) -> Result<S::Ok, S::Error> {
    let is_integer = !text.contains(['.', 'e', 'E']);
    if let Ok(number) = text.parse::<i128>() {
        return serializer.serialize_i128(number);
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && !is_integer => serializer.serialize_f64(number),
        _ => serializer.serialize_str(text),
    }
}

/// The entries of an object in the order they came.
struct Entries<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Entries<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor;

        impl<'de> Visitor<'de> for EntriesVisitor {
            type Value = Entries<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor)
    }
}
