//! An object of the API, to be edited and sent back: what is not edited keeps its bytes.

use std::fmt;
use std::str::FromStr;

use serde::de::{Error as _, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::{RawValue, to_raw_value};

use super::mask::MASKED;
use crate::input::depth;
use crate::input::secret_name::is_secret_name;

/// A JSON object whose untouched values keep their text: long integers, `3.10`, nulls, unknown
/// fields and the order of keys.
#[derive(Clone, Debug, Default)]
pub struct Document {
    members: OrderedMembers<Box<RawValue>>,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` cannot be set: `{parent}` is not an object")]
pub struct NotAnObject {
    field: String,
    parent: String,
}

#[derive(Clone, Debug, Default)]
struct OrderedMembers<V>(Vec<(String, V)>);

impl Document {
    pub fn from_members(members: impl IntoIterator<Item = (String, Box<RawValue>)>) -> Self {
        Self { members: OrderedMembers(members.into_iter().collect()) }
    }

    pub fn members(&self) -> impl Iterator<Item = (&str, &RawValue)> {
        self.members.0.iter().map(|(name, value)| (name.as_str(), &**value))
    }

    pub fn get(&self, path: &[&str]) -> Option<&RawValue> {
        let (first, rest) = path.split_first()?;
        let (_, value) = self.members().find(|(name, _)| name == first)?;
        within(value, rest)
    }

    pub fn parse_at<'a, T: Deserialize<'a>>(&'a self, path: &[&str]) -> Option<T> {
        serde_json::from_str(self.get(path)?.get()).ok()
    }

    /// Sets the value at `path`, creating missing or null parents. New members go to the end.
    pub fn set(&mut self, path: &[&str], value: &impl Serialize) -> Result<(), NotAnObject> {
        let value = to_raw_value(value).expect("a value is plain data");
        self.place(path, 0, value)
    }

    /// Removes the value at `path`; false if there was none.
    pub fn remove(&mut self, path: &[&str]) -> bool {
        let Some((first, rest)) = path.split_first() else { return false };
        let members = &mut self.members.0;
        let Some(at) = members.iter().position(|(name, _)| name == first) else { return false };
        if rest.is_empty() {
            members.remove(at);
            return true;
        }
        let Ok(mut inner) = members[at].1.get().parse::<Self>() else { return false };
        let was_there = inner.remove(rest);
        if was_there {
            members[at].1 = inner.to_raw();
        }
        was_there
    }

    pub fn to_raw(&self) -> Box<RawValue> {
        to_raw_value(self).expect("a document is JSON")
    }

    fn place(
        &mut self,
        path: &[&str],
        depth: usize,
        value: Box<RawValue>,
    ) -> Result<(), NotAnObject> {
        let no_object =
            |parent: &[&str]| NotAnObject { field: path.join("."), parent: parent.join(".") };
        let Some(&name) = path.get(depth) else { return Err(no_object(path)) };
        let at = self.members.0.iter().position(|(known, _)| known == name);
        let value = if depth + 1 == path.len() {
            value
        } else {
            let old = at.map_or("null", |at| self.members.0[at].1.get());
            let text = if old == "null" { "{}" } else { old };
            let mut inner = text.parse::<Self>().map_err(|_| no_object(&path[..=depth]))?;
            inner.place(path, depth + 1, value)?;
            inner.to_raw()
        };
        match at {
            Some(at) => self.members.0[at].1 = value,
            None => self.members.0.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

impl FromStr for Document {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, serde_json::Error> {
        depth::check(text.as_bytes()).map_err(serde_json::Error::custom)?;
        serde_json::from_str(text)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self { members: OrderedMembers::deserialize(deserializer)? })
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.members())
    }
}

/// Fails on a duplicate key: which of the two the API uses is unknown.
impl<'de, V: Deserialize<'de>> Deserialize<'de> for OrderedMembers<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OrderedVisitor<V>(std::marker::PhantomData<V>);

        impl<'de, V: Deserialize<'de>> Visitor<'de> for OrderedVisitor<V> {
            type Value = OrderedMembers<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut map: A,
            ) -> Result<OrderedMembers<V>, A::Error> {
                let mut members = Vec::new();
                let mut names = std::collections::HashSet::new();
                while let Some((name, value)) = map.next_entry::<String, V>()? {
                    if !names.insert(name.clone()) {
                        return Err(A::Error::custom(format!("the key `{name}` stands twice")));
                    }
                    members.push((name, value));
                }
                Ok(OrderedMembers(members))
            }
        }

        deserializer.deserialize_map(OrderedVisitor(std::marker::PhantomData))
    }
}

fn within<'a>(value: &'a RawValue, path: &[&str]) -> Option<&'a RawValue> {
    let Some((first, rest)) = path.split_first() else { return Some(value) };
    let (_, inner) = members(value)?.into_iter().find(|(name, _)| name == first)?;
    within(inner, rest)
}

pub fn members(value: &RawValue) -> Option<Vec<(String, &RawValue)>> {
    serde_json::from_str::<OrderedMembers<&RawValue>>(value.get()).ok().map(|members| members.0)
}

pub fn items(value: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(value.get()).ok()
}

/// `value` for output, with the texts below a secret's name replaced.
pub fn masked(value: &RawValue) -> Box<RawValue> {
    masked_under(value, false)
}

/// [`masked`] for the value at `path`, whose names also decide what is a secret.
pub fn masked_at(path: &[String], value: &RawValue) -> Box<RawValue> {
    masked_under(value, path.iter().any(|name| is_secret_name(name)))
}

fn masked_under(value: &RawValue, is_secret: bool) -> Box<RawValue> {
    let text = match value.get().as_bytes().first() {
        Some(b'"') if is_secret && value.get() != r#""""# => format!("\"{MASKED}\""),
        Some(b'[') => items(value).map_or_else(String::new, |items| {
            let items: Vec<_> =
                items.into_iter().map(|item| masked_under(item, is_secret)).collect();
            serde_json::to_string(&items).expect("items are JSON")
        }),
        Some(b'{') => members(value).map_or_else(String::new, |members| {
            let members = members.into_iter().map(|(name, value)| {
                let value = masked_under(value, is_secret || is_secret_name(&name));
                (name, value)
            });
            serde_json::to_string(&Document::from_members(members)).expect("members are JSON")
        }),
        _ => value.get().to_owned(),
    };
    // Empty for an object with a duplicate key, which cannot be searched for secrets.
    let text = if text.is_empty() { format!("\"{MASKED}\"") } else { text };
    RawValue::from_string(text).expect("it is made of JSON")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ODD: &str = r#"{"id":"a1","big":12345678901234567890123,"pi":3.10,"none":null,"deep":{ "b" : 1, "a":[ 1.0 ]},"e":"caf\u00e9"}"#;

    fn document(text: &str) -> Document {
        text.parse().unwrap()
    }

    fn text(document: &Document) -> String {
        document.to_raw().get().to_owned()
    }

    #[test]
    fn what_is_not_edited_leaves_as_it_came() {
        assert_eq!(text(&document(ODD)), ODD);
    }

    #[test]
    fn a_field_is_set_where_it_stands_and_the_rest_is_kept() {
        for (path, value, expected) in [
            (&["pi"][..], "4", ODD.replace("3.10", r#""4""#)),
            (&["none", "new"], "x", ODD.replace("null", r#"{"new":"x"}"#)),
            (
                &["deep", "b"],
                "x",
                ODD.replace(r#"{ "b" : 1, "a":[ 1.0 ]}"#, r#"{"b":"x","a":[ 1.0 ]}"#),
            ),
            (&["new"], "x", ODD.replace(r#"u00e9""#, r#"u00e9","new":"x""#)),
        ] {
            let mut edited = document(ODD);
            edited.set(path, &value).unwrap();
            assert_eq!(text(&edited), expected, "{path:?}");
        }
    }

    #[test]
    fn a_field_cannot_be_set_in_what_is_no_object() {
        let error = document(ODD).set(&["id", "x"], &1).unwrap_err();
        assert_eq!(error.to_string(), "`id.x` cannot be set: `id` is not an object");
    }

    #[test]
    fn removing_says_whether_there_was_anything() {
        for (path, was_there) in [
            (&["none"][..], true),
            (&["deep", "a"], true),
            (&["deep", "c"], false),
            (&["id", "x"], false),
            (&["x"], false),
            (&[], false),
        ] {
            let mut edited = document(ODD);
            assert_eq!(edited.remove(path), was_there, "{path:?}");
            assert!(edited.get(path).is_none(), "{path:?}");
            assert_eq!(text(&edited) == ODD, !was_there, "{path:?}");
        }
    }

    #[test]
    fn a_key_that_stands_twice_is_refused() {
        let error = r#"{"a":1,"\u0061":2}"#.parse::<Document>().unwrap_err();
        assert!(error.to_string().contains("`a` stands twice"), "{error}");
    }

    #[test]
    fn secrets_are_masked_at_every_depth_and_nothing_else_is() {
        for (text, expected) in [
            (r#"{"client_secret":"s"}"#, r#"{"client_secret":"[masked]"}"#),
            (
                r#"{"config":{"idp_Secret":["s",{"x":"s"}]}}"#,
                r#"{"config":{"idp_Secret":["[masked]",{"x":"[masked]"}]}}"#,
            ),
            (
                r#"[{"password":""},{"secret":null},{"secret":true}]"#,
                r#"[{"password":""},{"secret":null},{"secret":true}]"#,
            ),
            (
                r#"{"a":12345678901234567890123,"b":3.10}"#,
                r#"{"a":12345678901234567890123,"b":3.10}"#,
            ),
            (r#"{"a":{"secret":"s","secret":"s"}}"#, r#"{"a":"[masked]"}"#),
        ] {
            let raw = RawValue::from_string(text.to_owned()).unwrap();
            assert_eq!(masked(&raw).get(), expected);
        }
    }

    /// JSON text that no serializer of this program would write.
    fn odd_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            "-?[1-9][0-9]{0,30}",
            "[0-9]\\.[0-9]{1,20}(e[0-9]{1,2})?",
            "[a-z ]{0,8}".prop_map(|text| format!("\"{text}\\u00e9\\/\"")),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            let item =
                (inner, "[ \n]{0,2}").prop_map(|(text, blanks)| format!("{blanks}{text}{blanks}"));
            prop_oneof![
                prop::collection::vec(item.clone(), 0..4)
                    .prop_map(|items| format!("[{}]", items.join(","))),
                object(item),
            ]
        })
    }

    fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
        prop::collection::btree_map("[a-z]{1,5}", value, 0..5).prop_map(|members| {
            let members: Vec<_> =
                members.iter().rev().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            format!("{{{}}}", members.join(","))
        })
    }

    proptest! {
        #[test]
        fn any_edit_leaves_every_other_value_as_it_came(
            came in object(odd_json()),
            name in "[a-z]{1,5}",
            inner in prop::option::of("[a-z]{1,5}"),
        ) {
            let before = document(&came);
            let mut after = before.clone();
            let path: Vec<&str> = [Some(name.as_str()), inner.as_deref()].into_iter().flatten().collect();
            if after.set(&path, &"new").is_ok() {
                prop_assert_eq!(after.get(&path).unwrap().get(), "\"new\"");
            }
            let others = |document: &Document| {
                let others = document.members().filter(|(other, _)| *other != name);
                others.map(|(name, value)| (name.to_owned(), value.get().to_owned())).collect::<Vec<_>>()
            };
            prop_assert_eq!(others(&before), others(&after));
            let siblings = |document: &Document| {
                let members = document.get(&[&name]).and_then(members).unwrap_or_default();
                let others = members.into_iter().filter(|(other, _)| Some(other) != inner.as_ref());
                others.map(|(name, value)| (name, value.get().to_owned())).collect::<Vec<_>>()
            };
            if inner.is_some() {
                prop_assert_eq!(siblings(&before), siblings(&after));
            }
            for (_, value) in before.members() {
                prop_assert!(came.contains(value.get()), "{} is not in {}", value.get(), came);
            }
        }
    }
}
