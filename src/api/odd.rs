//! Records of a list that cannot be decoded. Only what needs such a record fails.

use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde::ser::Error as _;
use serde_json::Value;
use serde_json::value::RawValue;

use super::document::masked;
use super::mask::mask;
use super::pages::MAX_RECORDS;

/// Equal by kind, position and text, so that reading a list twice adds nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OddRecord {
    /// The expected kind, such as `connector`.
    pub noun: &'static str,
    /// From 1.
    pub position: usize,
    raw: String,
    pub id: Option<String>,
    pub reason: String,
}

impl OddRecord {
    fn new(noun: &'static str, position: usize, raw: &str, error: &serde_json::Error) -> Self {
        let id = field(raw, "id").and_then(|id| id.as_str().map(mask));
        Self { noun, position, id, reason: reason(raw, error), raw: raw.to_owned() }
    }

    pub fn describe(&self) -> String {
        let Self { noun, position, id, reason, .. } = self;
        match id {
            Some(id) => format!("{noun} {position} of the list (ID {id}): {reason}"),
            None => format!("{noun} {position} of the list: {reason}"),
        }
    }

    pub fn has(&self, name: &str, value: &Value) -> bool {
        field(&self.raw, name).is_some_and(|found| found == *value)
    }

    /// Whether a field has this value, or is missing.
    pub fn may_have(&self, name: &str, value: &Value) -> bool {
        let found = field(&self.raw, name);
        found.is_none_or(|found| {
            found == *value
                || std::mem::discriminant(&found) != std::mem::discriminant(value)
                    && !(found.is_boolean() && value.is_boolean())
        })
    }
}

impl Serialize for OddRecord {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let raw: &RawValue = serde_json::from_str(&self.raw).map_err(S::Error::custom)?;
        masked(raw).serialize(serializer)
    }
}

pub(super) struct Part<T> {
    /// All records, also those beyond the limit, which are not kept.
    pub items: usize,
    pub records: Vec<T>,
    pub odd: Vec<OddRecord>,
}

/// Decodes records one by one, of which `before` are on earlier pages. `null` is an empty list.
pub(super) fn decode<T: DeserializeOwned>(
    noun: &'static str,
    before: usize,
    text: &str,
) -> serde_json::Result<Part<T>> {
    let mut json = serde_json::Deserializer::from_str(text);
    let records = Records { noun, before, kind: PhantomData };
    let part = json.deserialize_option(records)?;
    json.end()?;
    Ok(part)
}

/// Reads an array, discarding what exceeds the limit.
struct Records<T> {
    noun: &'static str,
    before: usize,
    kind: PhantomData<T>,
}

impl<'de, T: DeserializeOwned> Visitor<'de> for Records<T> {
    type Value = Part<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_none<E>(self) -> Result<Part<T>, E> {
        Ok(Part { items: 0, records: Vec::new(), odd: Vec::new() })
    }

    fn visit_some<D: Deserializer<'de>>(self, list: D) -> Result<Part<T>, D::Error> {
        list.deserialize_seq(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Part<T>, A::Error> {
        let mut part = Part { items: 0, records: Vec::new(), odd: Vec::new() };
        while self.before + part.items < MAX_RECORDS {
            let Some(raw) = list.next_element::<&RawValue>()? else { return Ok(part) };
            part.items += 1;
            match serde_json::from_str(raw.get()) {
                Ok(record) => part.records.push(record),
                Err(error) => {
                    let position = self.before + part.items;
                    part.odd.push(OddRecord::new(self.noun, position, raw.get(), &error));
                }
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            part.items += 1;
        }
        Ok(part)
    }
}

pub(super) fn noun(segments: &[String]) -> &'static str {
    match segments.last().map_or("", String::as_str) {
        "sso_connectors" => "connector",
        "identity_providers" => "identity provider",
        "apps" => "application",
        "policies" => "policy",
        "members" => "member",
        "idp_federation_grants" => "federation grant",
        "shares" => "share",
        "recipients" => "recipient",
        "resources" => "shared resource",
        "dns_records" => "DNS record",
        "zones" => "zone",
        "accounts" => "account",
        "tokens" => "token",
        "permission_groups" => "permission group",
        _ => "record",
    }
}

fn field(raw: &str, name: &str) -> Option<Value> {
    let fields: serde_json::Map<String, Value> = serde_json::from_str(raw).ok()?;
    fields.get(name).cloned()
}

/// The error without its position in the text, preceded by the field.
fn reason(text: &str, error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    let before = text.get(..error.column()).unwrap_or(text);
    let name = before.rsplit_once("\":").and_then(|(before, _)| before.rsplit_once('"'));
    match name {
        Some((_, name)) if !message.contains('`') => mask(&format!("`{name}`: {message}")),
        _ => mask(message),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::connector::Connector;
    use super::*;

    fn decoded(text: &str) -> (Vec<Connector>, Vec<OddRecord>) {
        let part = decode("connector", 0, text).unwrap();
        assert_eq!(part.items, part.records.len() + part.odd.len());
        (part.records, part.odd)
    }

    #[test]
    fn an_odd_record_is_named_and_the_others_are_read() {
        for (record, described) in [
            (
                r#"{"id":"c9","email_domain":null}"#,
                "connector 2 of the list (ID c9): `email_domain`: invalid type: null, expected a string",
            ),
            (r#"{"id":"c9"}"#, "connector 2 of the list (ID c9): missing field `email_domain`"),
            (r#"{"email_domain":"a.example"}"#, "connector 2 of the list: missing field `id`"),
            (
                r#"{"id":"","email_domain":"a.example"}"#,
                "connector 2 of the list (ID ): `` is not a valid connector ID: it is empty",
            ),
            (
                "null",
                "connector 2 of the list: invalid type: null, expected struct ConnectorFields",
            ),
            (
                "[]",
                "connector 2 of the list: invalid length 0, expected struct ConnectorFields with 7 elements",
            ),
        ] {
            let good = r#"{"id":"c1","email_domain":"cool.cats"}"#;
            let (records, odd) = decoded(&format!("[{good},{record},{good}]"));
            assert_eq!(records.len(), 2, "{record}");
            assert_eq!(odd[0].describe(), described);
            assert_eq!(serde_json::to_string(&odd[0]).unwrap(), record);
        }
        for text in ["{}", "7", "", "[1", "[1]]"] {
            assert!(decode::<Connector>("connector", 0, text).is_err(), "{text}");
        }
        assert_eq!(decode::<Connector>("connector", 0, "null").unwrap().items, 0);
    }

    #[test]
    fn records_beyond_the_limit_are_counted_and_not_kept() {
        for (before, beyond) in [(0, 3), (MAX_RECORDS - 2, 3), (MAX_RECORDS, 1)] {
            let count = MAX_RECORDS + beyond - before;
            let text = format!("[{}7]", "7,".repeat(count - 1));
            let part = decode::<Connector>("connector", before, &text).unwrap();
            assert_eq!((part.items, part.odd.len()), (count, count - beyond), "{before}");
        }
    }

    #[test]
    fn what_does_not_say_may_be_anything() {
        for (record, value, expected) in [
            (r#"{"enabled":false}"#, json!(true), false),
            (r#"{"enabled":true}"#, json!(true), true),
            (r#"{"enabled":null}"#, json!(true), true),
            (r#"{"enabled":"no"}"#, json!(true), true),
            ("{}", json!(true), true),
            ("7", json!(true), true),
            (r#"{"enabled":"okta"}"#, json!("onetimepin"), false),
        ] {
            let error = serde_json::from_str::<u8>("x").unwrap_err();
            let odd = OddRecord::new("connector", 1, record, &error);
            assert_eq!(odd.may_have("enabled", &value), expected, "{record}");
        }
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[ -~]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("id|email_domain|enabled|[a-z]{1,6}", inner, 0..4)
                    .prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_list_with_anything_in_it_is_read_and_keeps_every_value(
            values in prop::collection::vec(prop_oneof![
                any_json(),
                (0..99_u8).prop_map(|n| json!({"id": format!("c{n}"), "email_domain": "a.example"})),
            ], 0..12),
        ) {
            let (records, odd) = decoded(&json!(values).to_string());
            let mut kept: Vec<String> = records
                .iter()
                .map(|record| record.text().to_owned())
                .chain(odd.iter().map(|odd| odd.raw.clone()))
                .collect();
            let mut sent: Vec<String> = values.iter().map(Value::to_string).collect();
            kept.sort();
            sent.sort();
            prop_assert_eq!(kept, sent);
        }
    }
}
