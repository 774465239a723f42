//! Removes secrets from what is recorded, and lists the fields that lost one.

use serde_json::value::{RawValue, to_raw_value};

use crate::api::document::{Document, items, members};
pub use crate::api::mask::NOT_KEPT;
use crate::api::mask::{is_new_token, mask};
use crate::input::secret_name::is_secret_name;
use crate::shell::quoted;

pub(super) struct Redacted {
    pub value: Box<RawValue>,
    pub not_kept: Vec<String>,
}

/// By names of fields, and by `hide`, which knows the credential in use.
pub(super) fn redact(value: &RawValue, hide: &dyn Fn(&str) -> String) -> Redacted {
    let mut walk = Redactor { hide, path: Vec::new(), not_kept: Vec::new() };
    let value = walk.value(value, false);
    Redacted { value, not_kept: walk.not_kept }
}

struct Redactor<'a> {
    hide: &'a dyn Fn(&str) -> String,
    path: Vec<String>,
    not_kept: Vec<String>,
}

impl Redactor<'_> {
    fn value(&mut self, value: &RawValue, is_secret: bool) -> Box<RawValue> {
        match value.get().as_bytes().first() {
            Some(b'{') => self.object(value, is_secret),
            Some(b'[') => {
                let items = items(value).unwrap_or_default();
                let items = items.into_iter().enumerate().map(|(index, item)| {
                    self.with_path(&index.to_string(), |walk| walk.value(item, is_secret))
                });
                to_raw_value(&items.collect::<Vec<_>>()).expect("items are JSON")
            }
            Some(b'"') => self.text(value, is_secret),
            Some(b'n' | b't' | b'f') => value.to_owned(),
            _ if is_secret => self.redact_value(),
            _ => value.to_owned(),
        }
    }

    fn object(&mut self, value: &RawValue, is_secret: bool) -> Box<RawValue> {
        // An object with a duplicate key cannot be inspected: nothing of it is kept.
        let Some(members) = members(value) else { return self.redact_value() };
        let kept = members.into_iter().map(|(name, value)| {
            let is_secret = is_secret || is_secret_name(&name);
            let value = self.with_path(&name, |walk| walk.value(value, is_secret));
            (name, value)
        });
        Document::from_members(kept).to_raw()
    }

    fn text(&mut self, value: &RawValue, is_secret: bool) -> Box<RawValue> {
        let text: String = serde_json::from_str(value.get()).unwrap_or_default();
        let name = self.path.last().map_or("value", String::as_str);
        let is_token = is_new_token(name, &text);
        let hidden = is_secret && !text.is_empty();
        if hidden || is_token || (self.hide)(&text) != text {
            return self.redact_value();
        }
        value.to_owned()
    }

    fn redact_value(&mut self) -> Box<RawValue> {
        self.not_kept.push(self.path.join("."));
        to_raw_value(NOT_KEPT).expect("a text is JSON")
    }

    fn with_path<T>(&mut self, name: &str, look: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(name.to_owned());
        let seen = look(self);
        self.path.pop();
        seen
    }
}

pub fn command_line(args: &[String]) -> String {
    let mut words = vec!["cfsso".to_owned()];
    let mut is_value_secret = false;
    for arg in args.iter().skip(1) {
        let kept = if std::mem::take(&mut is_value_secret) && !arg.starts_with("--") {
            NOT_KEPT.to_owned()
        } else {
            is_value_secret = arg.strip_prefix("--").is_some_and(is_secret_flag);
            redact_arg(arg)
        };
        words.push(quoted(&kept));
    }
    words.join(" ")
}

fn is_secret_flag(flag: &str) -> bool {
    // This flag takes no value.
    is_secret_name(flag) && flag != "raw-secret"
}

/// Removes the value of `NAME=VALUE` if the name or the value is a secret.
fn redact_arg(arg: &str) -> String {
    if let Some((name, value)) = arg.split_once('=') {
        let last = name.trim_start_matches('-').rsplit('.').next().unwrap_or_default();
        if is_secret_flag(last) || mask(value) != value {
            return format!("{name}={NOT_KEPT}");
        }
    }
    mask(arg).replace("[masked]", NOT_KEPT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(text: &str) -> (String, Vec<String>) {
        let value = RawValue::from_string(text.to_owned()).unwrap();
        let hide = |text: &str| text.replace("0ldT0ken", "x");
        let redacted = redact(&value, &hide);
        (redacted.value.get().to_owned(), redacted.not_kept)
    }

    #[test]
    fn secrets_are_left_out_by_name_and_by_look_and_the_rest_stays() {
        for (text, expected, fields) in [
            (
                r#"{ "a" : 12345678901234567890123, "b":[1.10] }"#,
                r#"{"a":12345678901234567890123,"b":[1.10]}"#,
                vec![],
            ),
            (
                r#"{"body":{"config":{"client_secret":"S","client_id":"i"}}}"#,
                r#"{"body":{"config":{"client_secret":"[secret, not kept]","client_id":"i"}}}"#,
                vec!["body.config.client_secret"],
            ),
            (
                r#"{"secret":{"a":["S",1]}}"#,
                r#"{"secret":{"a":["[secret, not kept]","[secret, not kept]"]}}"#,
                vec!["secret.a.0", "secret.a.1"],
            ),
            (r#"{"secret":null,"password":""}"#, r#"{"secret":null,"password":""}"#, vec![]),
            (r#"{"note":"see 0ldT0ken"}"#, r#"{"note":"[secret, not kept]"}"#, vec!["note"]),
            (
                r#"{"value":"8M7wS6hCpXVc-DoRnPPY_UCWPgy8aea4Wy6kCe5T"}"#,
                r#"{"value":"[secret, not kept]"}"#,
                vec!["value"],
            ),
            (r#""8M7wS6hCpXVc-DoRnPPY_UCWPgy8aea4Wy6kCe5T""#, r#""[secret, not kept]""#, vec![""]),
            (r#"{"a":1,"a":2}"#, r#""[secret, not kept]""#, vec![""]),
        ] {
            let (seen, not_kept) = kept(text);
            assert_eq!(seen, expected, "{text}");
            assert_eq!(not_kept, fields, "{text}");
        }
    }

    #[test]
    fn a_pretty_object_comes_to_one_line() {
        assert_eq!(kept("{\n  \"a\": {\n \"b\": 1 }\n}").0, r#"{"a":{"b":1}}"#);
    }

    #[test]
    fn a_command_line_keeps_what_can_be_pasted_and_no_secret() {
        for (line, expected) in [
            ("cfsso|disable|cool.cats|-o|json", "cfsso disable cool.cats -o json"),
            ("/usr/bin/cfsso|dig|a b|it's", r"cfsso dig 'a b' 'it'\''s'"),
            ("cfsso|x|--client-secret|S3|y", "cfsso x --client-secret '[secret, not kept]' y"),
            ("cfsso|x|--client-secret=S3 4", "cfsso x '--client-secret=[secret, not kept]'"),
            (
                "cfsso|x|--set|config.client_secret=S3 4",
                "cfsso x --set 'config.client_secret=[secret, not kept]'",
            ),
            ("cfsso|x|--token-file|/run/t", "cfsso x --token-file /run/t"),
            ("cfsso|x|--raw-secret|Okta", "cfsso x --raw-secret Okta"),
            ("cfsso|x|--x-api-token|S3", "cfsso x --x-api-token '[secret, not kept]'"),
            ("cfsso|x|OKTA_TOKEN=S3", "cfsso x 'OKTA_TOKEN=[secret, not kept]'"),
            ("cfsso|x|--token-stdin", "cfsso x --token-stdin"),
            ("cfsso|x|cfut_abc123", "cfsso x 'cfut_[secret, not kept]'"),
        ] {
            let args: Vec<_> = line.split('|').map(str::to_owned).collect();
            assert_eq!(command_line(&args), expected, "{line}");
        }
    }
}
