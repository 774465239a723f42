//! Secrets that an object does not contain: null or a mask in their place. Sent back, they would
//! replace the secret; if they are left out, the API keeps it.

use serde_json::value::{RawValue, to_raw_value};

use super::document::{Document, items, members};
use super::mask::NOT_KEPT;
use crate::input::secret::is_mask;
use crate::input::secret_name::is_secret_name;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HiddenSecret {
    pub field: String,
    pub is_null: bool,
}

/// All other values keep their bytes.
pub fn without_hidden(object: &Document) -> Document {
    strip_hidden(object).0
}

pub fn hidden(object: &Document) -> Vec<HiddenSecret> {
    strip_hidden(object).1
}

fn strip_hidden(object: &Document) -> (Document, Vec<HiddenSecret>) {
    let mut walk = Walker { path: Vec::new(), found: Vec::new() };
    let kept = walk.value(&object.to_raw(), false);
    let kept = kept.and_then(|kept| kept.get().parse().ok());
    (kept.unwrap_or_else(|| object.clone()), walk.found)
}

struct Walker {
    path: Vec<String>,
    found: Vec<HiddenSecret>,
}

impl Walker {
    /// The value without the hidden secrets in it; none if it is one itself.
    fn value(&mut self, value: &RawValue, is_secret: bool) -> Option<Box<RawValue>> {
        let before = self.found.len();
        let kept = match value.get().as_bytes().first() {
            Some(b'{') => self.object(value, is_secret),
            Some(b'[') => self.array(value, is_secret)?,
            Some(b'n') if is_secret => return self.leave_out(true),
            Some(b'"') if is_hidden(value, is_secret) => return self.leave_out(false),
            _ => return Some(value.to_owned()),
        };
        Some(if self.found.len() == before { value.to_owned() } else { kept })
    }

    fn object(&mut self, value: &RawValue, is_secret: bool) -> Box<RawValue> {
        let mut kept = Document::default();
        for (name, value) in members(value).unwrap_or_default() {
            let is_secret = is_secret || is_secret_name(&name);
            if let Some(value) = self.value_at(&name, value, is_secret) {
                kept.set(&[&name], &value).expect("the document is an object");
            }
        }
        kept.to_raw()
    }

    /// Left out as a whole if it contains a secret: without one item it would be another list.
    fn array(&mut self, value: &RawValue, is_secret: bool) -> Option<Box<RawValue>> {
        let items = items(value).unwrap_or_default().into_iter().enumerate();
        let kept: Vec<_> =
            items.map(|(index, item)| self.value_at(&index.to_string(), item, is_secret)).collect();
        let kept = kept.into_iter().collect::<Option<Vec<_>>>()?;
        Some(to_raw_value(&kept).expect("items are JSON"))
    }

    fn value_at(&mut self, name: &str, value: &RawValue, is_secret: bool) -> Option<Box<RawValue>> {
        self.path.push(name.to_owned());
        let kept = self.value(value, is_secret);
        self.path.pop();
        kept
    }

    fn leave_out<T>(&mut self, is_null: bool) -> Option<T> {
        self.found.push(HiddenSecret { field: self.path.join("."), is_null });
        None
    }
}

fn is_hidden(value: &RawValue, is_secret: bool) -> bool {
    let text: String = serde_json::from_str(value.get()).unwrap_or_default();
    // The journal leaves secrets out of fields of any name.
    is_secret && is_mask(&text) || text == NOT_KEPT
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kept(text: &str) -> String {
        without_hidden(&text.parse().unwrap()).to_raw().get().to_owned()
    }

    #[test]
    fn hidden_secrets_are_left_out_and_everything_else_stays() {
        for (text, expected) in [
            (
                r#"{"config":{"client_id":"i","client_secret":"*****"}}"#,
                r#"{"config":{"client_id":"i"}}"#,
            ),
            (r#"{"config":{"client_secret":"[masked]"}}"#, r#"{"config":{}}"#),
            (r#"{"scim_config":{"secret":"<redacted>"}}"#, r#"{"scim_config":{}}"#),
            (r#"{"client_secret":null,"n":null}"#, r#"{"n":null}"#),
            (r#"{"a":[{"password":"•••","n":1.0}]}"#, r#"{"a":[{"n":1.0}]}"#),
            (r#"{"a":1,"secrets":["s","***"]}"#, r#"{"a":1}"#),
            (r#"{"note":"[secret, not kept]","n":3.10}"#, r#"{"n":3.10}"#),
        ] {
            assert_eq!(kept(text), expected, "{text}");
        }
        for text in [
            r#"{"config":{"client_id":null,"client_secret":"s"},"note":"***","n":1.0}"#,
            r#"{"config":{"client_secret":""}}"#,
            r#"{"include":[{"service_token":{"token_id":"***"}}]}"#,
        ] {
            assert_eq!(kept(text), text);
        }
    }

    #[test]
    fn each_is_told_with_its_field() {
        let object = r#"{"a":[{"secret":null}],"config":{"api_token":"***","client_id":null}}"#;
        let expected = [("a.0.secret", true), ("config.api_token", false)]
            .map(|(field, is_null)| HiddenSecret { field: field.to_owned(), is_null });
        assert_eq!(hidden(&object.parse().unwrap()), expected);
    }

    proptest! {
        #[test]
        fn no_mask_is_left_in_any_field_of_a_secret(
            name in prop::sample::select(vec![
                "client_secret", "api_token", "secret", "newSecret", "X-Api-Token", "password",
            ]),
            mask in "[*•●]{1,40}|\\[masked\\]|<redacted>|\\[redacted\\]|\\[secret, not kept\\]",
            depth in 0_usize..4,
        ) {
            let mut object = serde_json::json!({ name: mask.clone(), "kept": 1 });
            for level in 0..depth {
                object = if level % 2 == 0 {
                    serde_json::json!({ "config": object })
                } else {
                    serde_json::json!({ "list": [object, 2] })
                };
            }
            let text = kept(&object.to_string());
            prop_assert!(!text.contains(&mask) && text.contains(r#""kept":1"#), "{}", text);
        }
    }
}
