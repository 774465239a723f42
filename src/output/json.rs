//! JSON text laid out anew without reading its values: numbers, the order of
//! keys and repeated keys stay as they came.

use std::fmt::Write;

use super::sanitize::is_unsafe;

/// How the text is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// One line.
    Compact,
    /// One value a line, indented by two blanks.
    Pretty,
}

/// `json`, which must be valid, in another layout. In strings, characters that
/// could fool a terminal are escaped (RFC 8259 section 7).
pub(super) fn laid_out(json: &str, layout: Layout) -> String {
    let mut out = String::with_capacity(json.len());
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
        out.extend(std::iter::repeat_n("  ", depth));
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

/// The length of the string that `json` starts with, quotes included.
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
