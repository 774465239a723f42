//! Some fields of a result: `--fields id,verification.status`.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::json::items;

/// Selects these fields of each object in `json`, in the given order and under the given names.
/// Missing fields are null. Values are copied without reformatting.
pub(super) fn select(json: &str, fields: &[String]) -> serde_json::Result<String> {
    let is_list = json.trim_start().starts_with('[');
    let objects = items(json)?.into_iter().map(|item| {
        let pairs = fields.iter().map(|field| {
            let value = find(item, field).unwrap_or("null");
            Ok(format!("{}:{value}", serde_json::to_string(field)?))
        });
        let pairs = pairs.collect::<serde_json::Result<Vec<_>>>()?;
        Ok(format!("{{{}}}", pairs.join(",")))
    });
    let objects = objects.collect::<serde_json::Result<Vec<_>>>()?.join(",");
    Ok(if is_list { format!("[{objects}]") } else { objects })
}

/// The fields that none of the objects of `json` has; empty if there are no objects.
pub(super) fn unknown<'a>(json: &str, fields: &'a [String]) -> serde_json::Result<Vec<&'a str>> {
    let objects = items(json)?;
    let is_unknown = |field: &&String| objects.iter().all(|item| find(item, field).is_none());
    let unknown = fields.iter().filter(|_| !objects.is_empty()).filter(is_unknown);
    Ok(unknown.map(String::as_str).collect())
}

fn find<'a>(json: &'a str, path: &str) -> Option<&'a str> {
    path.split('.').try_fold(json, |json, name| {
        let object: BTreeMap<String, &RawValue> = serde_json::from_str(json).ok()?;
        object.get(name).map(|value| value.get())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_come_in_the_order_asked_for_and_keep_their_text() {
        for (json, fields, expected) in [
            (
                r#"{"a":1.0,"b":{"c":12345678901234567890123}}"#,
                "b.c,a",
                r#"{"b.c":12345678901234567890123,"a":1.0}"#,
            ),
            (r#"[{"a":1},{"b":2}]"#, "a", r#"[{"a":1},{"a":null}]"#),
            (
                r#"[{"a":{"b":1}},{"a":[1]},{"a":null}]"#,
                "a.b",
                r#"[{"a.b":1},{"a.b":null},{"a.b":null}]"#,
            ),
            ("[]", "a", "[]"),
            (r#"{"a":"x"}"#, "a,a", r#"{"a":"x","a":"x"}"#),
        ] {
            let fields: Vec<_> = fields.split(',').map(str::to_owned).collect();
            assert_eq!(select(json, &fields).unwrap(), expected, "{json}");
        }
    }

    #[test]
    fn a_field_that_no_object_has_is_unknown() {
        let fields = ["a".to_owned(), "b.c".to_owned(), "d".to_owned()];
        for (json, expected) in [
            (r#"[{"a":null},{"b":{"c":1}}]"#, &["d"][..]),
            (r#"{"d":1}"#, &["a", "b.c"]),
            ("[]", &[]),
        ] {
            assert_eq!(unknown(json, &fields).unwrap(), expected, "{json}");
        }
    }
}
