//! Differences between two states of an object, by meaning and without secrets.

use serde_json::Value;
use serde_json::value::RawValue;

use super::plan::Difference;
use crate::api::document::{Document, items, masked_at, members};

/// `null` and absent are equal.
pub fn diff(before: &Document, after: &Document) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&mut Vec::new(), Some(&before.to_raw()), Some(&after.to_raw()), &mut found);
    found
}

fn compare(
    path: &mut Vec<String>,
    before: Option<&RawValue>,
    after: Option<&RawValue>,
    found: &mut Vec<Difference>,
) {
    if let (Some(before), Some(after)) = (before, after) {
        if before.get() == after.get() {
            return;
        }
        if let (Some(before), Some(after)) = (members(before), members(after)) {
            return compare_members(path, &before, &after, found);
        }
        if let (Some(before), Some(after)) = (objects(before), objects(after))
            && before.len() == after.len()
        {
            for (index, (before, after)) in before.into_iter().zip(after).enumerate() {
                path.push(index.to_string());
                compare(path, Some(before), Some(after), found);
                path.pop();
            }
            return;
        }
    }
    if !same(before, after) {
        found.push(Difference {
            field: path.join("."),
            before: display_value(path, before),
            after: display_value(path, after),
        });
    }
}

fn compare_members(
    path: &mut Vec<String>,
    before: &[(String, &RawValue)],
    after: &[(String, &RawValue)],
    found: &mut Vec<Difference>,
) {
    let value = |members: &[(String, &RawValue)], name: &str| {
        members.iter().find(|(known, _)| known == name).map(|(_, value)| (*value).to_owned())
    };
    let added = after.iter().filter(|(name, _)| value(before, name).is_none());
    for (name, _) in before.iter().chain(added) {
        path.push(name.clone());
        compare(path, value(before, name).as_deref(), value(after, name).as_deref(), found);
        path.pop();
    }
}

fn objects(value: &RawValue) -> Option<Vec<&RawValue>> {
    items(value).filter(|items| items.iter().all(|item| item.get().starts_with('{')))
}

fn same(a: Option<&RawValue>, b: Option<&RawValue>) -> bool {
    let is_null = |value: Option<&RawValue>| value.is_none_or(|value| value.get() == "null");
    let (Some(a), Some(b)) = (a, b) else { return is_null(a) && is_null(b) };
    if let (Some(a), Some(b)) = (items(a), items(b)) {
        return a.len() == b.len() && a.into_iter().zip(b).all(|(a, b)| same(Some(a), Some(b)));
    }
    if let (Some(a), Some(b)) = (members(a), members(b)) {
        let has = |members: &[(String, &RawValue)], name: &str, other: &RawValue| {
            let value = members.iter().find(|(known, _)| known == name).map(|(_, value)| *value);
            same(value, Some(other))
        };
        return a.iter().all(|(name, value)| has(&b, name, value))
            && b.iter().all(|(name, value)| has(&a, name, value));
    }
    if let (Some(a), Some(b)) = (Decimal::of(a.get()), Decimal::of(b.get())) {
        return a == b;
    }
    match (serde_json::from_str::<Value>(a.get()), serde_json::from_str::<Value>(b.get())) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    }
}

/// A number by its digits: as floats, two different long integers would be equal.
#[derive(PartialEq, Eq)]
struct Decimal {
    is_negative: bool,
    /// Without leading and trailing zeros.
    digits: String,
    exponent: i64,
}

impl Decimal {
    fn of(text: &str) -> Option<Self> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let kept = all.trim_end_matches('0');
        let digits = kept.trim_start_matches('0').to_owned();
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, exponent: 0 });
        }
        let shift =
            i64::try_from(all.len() - kept.len()).ok()? - i64::try_from(fraction.len()).ok()?;
        let exponent = exponent.parse::<i64>().ok()?.checked_add(shift)?;
        Some(Self { is_negative, digits, exponent })
    }
}

/// Without secrets. A number that a float cannot hold is shown as text.
fn display_value(path: &[String], value: Option<&RawValue>) -> Value {
    value.map_or(Value::Null, |value| exact(&masked_at(path, value)))
}

fn exact(value: &RawValue) -> Value {
    if let Some(items) = items(value) {
        return items.into_iter().map(exact).collect();
    }
    if let Some(members) = members(value) {
        return members.into_iter().map(|(name, value)| (name, exact(value))).collect();
    }
    match serde_json::from_str::<Value>(value.get()) {
        Ok(Value::Number(number))
            if Decimal::of(&number.to_string()) != Decimal::of(value.get()) =>
        {
            value.get().into()
        }
        Ok(text) => text,
        Err(_) => value.get().into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn differences(before: &str, after: &str) -> Vec<(String, Value, Value)> {
        diff(&before.parse().unwrap(), &after.parse().unwrap())
            .into_iter()
            .map(|difference| (difference.field, difference.before, difference.after))
            .collect()
    }

    #[test]
    fn what_means_the_same_is_no_difference() {
        for (before, after) in [
            (r#"{"a":1,"b":2}"#, r#"{ "b":2, "a":1 }"#),
            (r#"{"a":null}"#, "{}"),
            (r#"{"a":{"b":null}}"#, r#"{"a":{}}"#),
            (r#"{"a":3.10}"#, r#"{"a":31e-1}"#),
            (r#"{"a":[1.0,"\u00e9"]}"#, r#"{"a":[1,"é"]}"#),
            (r#"{"a":0.0}"#, r#"{"a":-0}"#),
            (r#"{"a":[[{"b":1.0}]]}"#, r#"{"a":[[{"b":1}]]}"#),
        ] {
            assert_eq!(differences(before, after), [], "{before} {after}");
        }
    }

    #[test]
    fn differences_are_told_by_field_and_without_secrets() {
        let field =
            |name: &str, before: Value, after: Value| vec![(name.to_owned(), before, after)];
        for (before, after, expected) in [
            (r#"{"a":{"b":1,"c":2}}"#, r#"{"a":{"b":2,"c":2}}"#, field("a.b", json!(1), json!(2))),
            (r#"{"a":["x"]}"#, r#"{"a":["x","y"]}"#, field("a", json!(["x"]), json!(["x", "y"]))),
            (
                r#"{"p":[{"n":1,"u":1}]}"#,
                r#"{"p":[{"n":1,"u":2}]}"#,
                field("p.0.u", json!(1), json!(2)),
            ),
            (r#"{"p":[{"n":1}]}"#, r#"{"p":[]}"#, field("p", json!([{"n": 1}]), json!([]))),
            (r#"{"a":false}"#, "{}", field("a", json!(false), json!(null))),
            (
                r#"{"c":{"client_secret":"old"}}"#,
                r#"{"c":{"client_secret":"new"}}"#,
                field("c.client_secret", json!("[masked]"), json!("[masked]")),
            ),
            (
                r#"{"secrets":{}}"#,
                r#"{"secrets":{"a":{"b":"new"}}}"#,
                field("secrets.a", json!(null), json!({"b": "[masked]"})),
            ),
            (
                "{}",
                r#"{"config":{"client_secret":"new"}}"#,
                field("config", json!(null), json!({"client_secret": "[masked]"})),
            ),
            (
                r#"{"n":12345678901234567890123}"#,
                r#"{"n":12345678901234567890124}"#,
                field("n", json!("12345678901234567890123"), json!("12345678901234567890124")),
            ),
        ] {
            assert_eq!(differences(before, after), expected, "{before} {after}");
        }
    }

    proptest! {
        #[test]
        fn a_set_field_is_the_only_difference(names in prop::collection::btree_set("[a-z]{1,4}", 1..6), at in 0usize..6) {
            let mut before = Document::default();
            for name in &names {
                before.set(&["config", name], &json!({"long": 1, "none": null})).unwrap();
            }
            let name = names.iter().nth(at % names.len()).unwrap();
            let mut after = before.clone();
            after.set(&["config", name, "long"], &2).unwrap();
            let fields: Vec<_> = diff(&before, &after).into_iter().map(|found| found.field).collect();
            prop_assert_eq!(fields, [format!("config.{name}.long")]);
            prop_assert_eq!(diff(&before, &before), []);
        }
    }
}
