use std::fmt::Write as _;

use serde_json::Value;

use super::character::{describe, is_invisible};

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it contains {} at position {position}", describe(*.character))]
pub struct Invisible {
    pub character: char,
    /// In characters from 1, without the white space around the value.
    pub position: usize,
}

/// Trims white space and a byte-order mark. Inside, no invisible character but a space is allowed.
pub fn trim(text: &str) -> Result<&str, Invisible> {
    let value = without_margin(text);
    let hidden = value.chars().zip(1..).find(|(c, _)| *c != ' ' && is_invisible(*c));
    match hidden {
        Some((character, position)) => Err(Invisible { character, position }),
        None => Ok(value),
    }
}

fn without_margin(text: &str) -> &str {
    text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
}

/// The name of an object, trimmed. Joiners are allowed: scripts and emoji need them.
pub fn name(text: &str) -> Result<String, String> {
    let without_joiners = text.replace(['\u{200c}', '\u{200d}'], "-");
    trim(&without_joiners).map_err(|error| error.to_string())?;
    let name = without_margin(text);
    if name.is_empty() { Err("a name must not be empty".to_owned()) } else { Ok(name.to_owned()) }
}

pub fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

/// Escapes each invisible character, for errors.
pub fn visible(text: &str) -> String {
    text.chars().fold(String::new(), |mut shown, character| {
        if character != ' ' && is_invisible(character) {
            let _ = write!(shown, "<U+{:04X}>", u32::from(character));
        } else {
            shown.push(character);
        }
        shown
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_trimmed_and_what_nobody_sees_in_it_is_named() {
        for (text, expected) in [
            ("cool.cats", Ok("cool.cats")),
            (" cool.cats\r\n", Ok("cool.cats")),
            ("\u{feff}cool.cats\u{a0}", Ok("cool.cats")),
            ("two words", Ok("two words")),
            ("", Ok("")),
            ("co\u{200b}ol", Err("it contains zero-width space (U+200B) at position 3")),
            (" a\u{1b}[31m", Err("it contains escape (U+001B) at position 2")),
            ("a\tb", Err("it contains tab (U+0009) at position 2")),
        ] {
            let read = trim(text).map_err(|error| error.to_string());
            assert_eq!(read, expected.map_err(str::to_owned), "{text:?}");
        }
        for (text, expected) in [
            (" Okta\n", Ok("Okta")),
            ("\u{1f469}\u{200d}\u{1f4bb}", Ok("\u{1f469}\u{200d}\u{1f4bb}")),
            (" ", Err("a name must not be empty")),
            ("Ok\u{202e}ta", Err("it contains text direction mark (U+202E) at position 3")),
        ] {
            let expected = expected.map(str::to_owned).map_err(str::to_owned);
            assert_eq!(name(text), expected, "{text:?}");
        }
        assert_eq!(visible("a\u{200b} b\u{7}"), "a<U+200B> b<U+0007>");
    }
}
