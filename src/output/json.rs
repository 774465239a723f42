//! Reformats JSON without parsing values: keeps numbers, the order of keys and repeated keys.

use std::fmt::Write;

use super::sanitize::is_unsafe;

/// A limit, since the indentation of hostile nesting would grow with the square of its depth.
const DEEPEST_INDENT: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    Compact,
    /// One value a line, indented by two spaces.
    Pretty,
}

/// `json` must be valid. In strings, characters that could fool a terminal are escaped (RFC 8259
/// section 7).
pub(super) fn format_json(json: &str, layout: Layout) -> String {
    // Growing would copy it; pages that are never written to take no memory.
    let room = if layout == Layout::Pretty { 2 } else { 1 };
    let mut out = String::with_capacity(json.len() * room + 1);
    let mut depth = 0;
    let mut tokens = tokens(json).peekable();
    while let Some(token) = tokens.next() {
        match token {
            "{" | "[" => {
                out.push_str(token);
                if matches!(tokens.peek(), Some(&"}" | &"]")) {
                    out.push_str(tokens.next().unwrap_or_default());
                } else {
                    depth += 1;
                    break_line(&mut out, layout, depth);
                }
            }
            "}" | "]" => {
                depth -= 1;
                break_line(&mut out, layout, depth);
                out.push_str(token);
            }
            "," => {
                out.push(',');
                break_line(&mut out, layout, depth);
            }
            ":" if layout == Layout::Pretty => out.push_str(": "),
            _ => push_escaped(&mut out, token),
        }
    }
    out
}

/// Indented, with characters that could fool a terminal escaped. `json` must be valid.
pub fn pretty_json(json: &str) -> String {
    format_json(json, Layout::Pretty)
}

/// The items of a top-level array, or the value itself.
pub(super) fn items(json: &str) -> serde_json::Result<Vec<&str>> {
    use serde_json::value::RawValue;
    if !json.trim_start().starts_with('[') {
        return Ok(vec![json]);
    }
    let items: Vec<&RawValue> = serde_json::from_str(json)?;
    Ok(items.into_iter().map(RawValue::get).collect())
}

fn break_line(out: &mut String, layout: Layout, depth: usize) {
    if layout == Layout::Pretty {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth.min(DEEPEST_INDENT)));
    }
}

fn push_escaped(out: &mut String, token: &str) {
    for c in token.chars() {
        if is_unsafe(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// Punctuation, strings with their quotes, and scalars; no white space.
fn tokens(json: &str) -> impl Iterator<Item = &str> {
    let mut rest = json;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches([' ', '\t', '\n', '\r']);
        let length = match rest.as_bytes().first()? {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => 1,
            b'"' => string_length(rest),
            _ => rest.find([',', ':', '}', ']', ' ', '\t', '\n', '\r']).unwrap_or(rest.len()),
        };
        let (token, after) = rest.split_at(length);
        rest = after;
        Some(token)
    })
}

fn string_length(json: &str) -> usize {
    let mut is_escaped = false;
    for (index, byte) in json.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return index + 1,
            _ => {}
        }
    }
    json.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEPT: &str = r#"{ "z": 12345678901234567890123, "a":3.10,"e":[ ],"o":{},
        "deep":[1e5,{"b":null},"a, {b}: \"c\\"] , "z":true}"#;

    #[test]
    fn only_the_layout_changes() {
        insta::assert_snapshot!(format_json(KEPT, Layout::Compact), @r#"{"z":12345678901234567890123,"a":3.10,"e":[],"o":{},"deep":[1e5,{"b":null},"a, {b}: \"c\\"],"z":true}"#);
        insta::assert_snapshot!(format_json(KEPT, Layout::Pretty), @r#"
        {
          "z": 12345678901234567890123,
          "a": 3.10,
          "e": [],
          "o": {},
          "deep": [
            1e5,
            {
              "b": null
            },
            "a, {b}: \"c\\"
          ],
          "z": true
        }
        "#);
    }

    #[test]
    fn what_could_fool_a_terminal_is_escaped() {
        let table = [
            ("\"a\u{202e}b\"", r#""a\u202eb""#),
            ("\"\u{7f}\u{9b}31m\"", r#""\u007f\u009b31m""#),
            ("\"\u{2028}\u{200f}\u{2066}\"", r#""\u2028\u200f\u2066""#),
            (r#""\u001b[31m\n""#, r#""\u001b[31m\n""#),
            ("\"größe 🐈\"", "\"größe 🐈\""),
        ];
        for (json, expected) in table {
            let escaped = format_json(json, Layout::Compact);
            assert_eq!(escaped, expected);
            let before: String = serde_json::from_str(json).unwrap();
            assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), before);
        }
    }

    #[test]
    fn an_array_is_split_into_its_items() {
        let table: [(&str, &[&str]); 4] = [
            (" [1, {\"a\": [2]} ,\"x\"]", &["1", "{\"a\": [2]}", "\"x\""]),
            ("[]", &[]),
            ("{\"a\":[1]}", &["{\"a\":[1]}"]),
            ("7", &["7"]),
        ];
        for (json, expected) in table {
            assert_eq!(items(json).unwrap(), expected, "{json}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_layout_reads_back_the_same(text in ".{0,40}", number: i64, flag: bool) {
            let value = serde_json::json!({"k": [text.clone(), {text: number}, [], flag], "n": null});
            for layout in [Layout::Compact, Layout::Pretty] {
                let read: serde_json::Value =
                    serde_json::from_str(&format_json(&value.to_string(), layout)).unwrap();
                proptest::prop_assert_eq!(&read, &value);
            }
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            if !pretty.chars().any(is_unsafe_in_text) {
                proptest::prop_assert_eq!(format_json(&value.to_string(), Layout::Pretty), pretty);
            }
        }
    }

    fn is_unsafe_in_text(c: char) -> bool {
        c != '\n' && is_unsafe(c)
    }
}
