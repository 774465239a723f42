//! JSON text as YAML. Numbers are kept as they are as far as the YAML writer can represent them.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::ser::{Error as _, SerializeMap, SerializeSeq};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use super::json::{Layout, format_json};
use super::sanitize::is_unsafe;

/// The limit of `serde_json`.
const DEEPEST: usize = 128;

/// A YAML document that ends with a line break.
///
/// The writer leaves some characters that could fool a terminal as they are. JSON is YAML too
/// (YAML 1.2.2, section 1.3), so a document with such a character is written as JSON, where all of
/// them are escaped.
pub fn from_json(json: &str) -> Result<String, String> {
    let value: &RawValue = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let node = Node { value, depth: 0 };
    let yaml = serde_saphyr::to_string(&node).map_err(|error| error.to_string())?;
    if yaml.chars().any(|c| c != '\n' && is_unsafe(c)) {
        return Ok(format_json(json, Layout::Pretty) + "\n");
    }
    Ok(yaml)
}

/// The text of a JSON value, and its depth.
#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a RawValue,
    depth: usize,
}

impl Serialize for Node<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.value.get();
        let depth = self.depth + 1;
        if depth > DEEPEST {
            return Err(S::Error::custom(format!("the result is nested deeper than {DEEPEST}")));
        }
        match text.as_bytes().first() {
            Some(b'{') => object(text, depth, serializer),
            Some(b'[') => array(text, depth, serializer),
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

fn object<S: Serializer>(text: &str, depth: usize, serializer: S) -> Result<S::Ok, S::Error> {
    let Entries(entries) = parsed::<_, S>(text)?;
    let mut map = serializer.serialize_map(Some(entries.len()))?;
    for (key, value) in entries {
        map.serialize_entry(&key, &Node { value, depth })?;
    }
    map.end()
}

fn array<S: Serializer>(text: &str, depth: usize, serializer: S) -> Result<S::Ok, S::Error> {
    let items: Vec<&RawValue> = parsed::<_, S>(text)?;
    let mut seq = serializer.serialize_seq(Some(items.len()))?;
    for value in items {
        seq.serialize_element(&Node { value, depth })?;
    }
    seq.end()
}

/// Numbers beyond 128 bits or finite floats become strings: rounded, they would be wrong.
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

/// In the order of the input.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_numbers_are_kept() {
        let json = r#"{"z":12345678901234567890123,"price":3.10,"big":99999999999999999999999999999999999999999,
            "on":"yes","empty":[],"none":null,"list":[{"id":"68ca","n":-1},true],"text":"two\nlines"}"#;
        insta::assert_snapshot!(from_json(json).unwrap(), @r#"
        z: 12345678901234567890123
        price: 3.1
        big: "99999999999999999999999999999999999999999"
        "on": "yes"
        empty: []
        none: null
        list:
        - id: 68ca
          "n": -1
        - true
        text: |-
          two
          lines
        "#);
        insta::assert_snapshot!(from_json("[]").unwrap(), @"[]");
    }

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        for text in ["a\u{202e}b", "a\u{200f}", "\u{2066}", "a\u{1b}[31m\nb\n", "\u{9b}", "\u{7f}"]
        {
            let raw = serde_json::json!({ "name": text }).to_string();
            let escaped = format_json(&raw, Layout::Compact).replace("\\u001b", "\\u001B");
            for json in [raw, escaped] {
                let yaml = from_json(&json).unwrap();
                assert!(!yaml.chars().any(|c| c != '\n' && is_unsafe(c)), "{yaml:?}");
            }
        }
    }

    #[test]
    fn strings_that_look_like_something_else_are_quoted() {
        let strings = ["12345678901234567890123456789012", "1e5", "0x1f", "null", "~", "no", "1.0"];
        for string in strings {
            let yaml = from_json(&serde_json::json!({ "id": string }).to_string()).unwrap();
            assert_eq!(yaml, format!("id: \"{string}\"\n"));
        }
    }

    #[test]
    fn hostile_nesting_is_refused() {
        let json = "[".repeat(100_000) + &"]".repeat(100_000);
        let error = from_json(&json).unwrap_err();
        assert!(error.contains("nested deeper than 128"), "{error}");
    }
}
