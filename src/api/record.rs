//! TXT records of a zone (API reference, section 8.4).

use serde::Deserialize;
use serde_json::json;

use super::ids::{RecordId, ZoneId};
use super::object::Object;
use super::request::{Request, WriteRequest};

pub const ERR_IDENTICAL_RECORD: u64 = 81058;

/// Maximum bytes of a character-string (RFC 1035, section 3.3).
const MAX_STRING: usize = 255;

pub type Record = Object<RecordFields>;

#[derive(Clone, Debug, Deserialize)]
pub struct RecordFields {
    pub id: RecordId,
    /// Fully qualified, in Punycode.
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Quoted for TXT records: see [`RecordFields::txt`].
    pub content: Option<String>,
    pub comment: Option<String>,
}

impl RecordFields {
    /// The value of a TXT record as resolvers return it.
    pub fn txt(&self) -> Option<String> {
        self.content.as_deref().map(txt_text)
    }
}

pub fn list_txt(zone: &ZoneId, name: &str) -> Request<Vec<Record>> {
    Request::get(&["zones", zone.as_str(), "dns_records"])
        .query("type", "TXT")
        .query("name.exact", name)
        .paged(100)
}

/// The TTL is Cloudflare's default.
pub fn create_txt(zone: &ZoneId, name: &str, value: &str, comment: &str) -> WriteRequest<Record> {
    WriteRequest::post(&["zones", zone.as_str(), "dns_records"]).body(&json!({
        "type": "TXT",
        "name": name,
        "content": txt_content(value),
        "ttl": 1,
        "comment": comment,
    }))
}

/// The response contains the ID.
pub fn delete(zone: &ZoneId, id: &RecordId) -> WriteRequest<()> {
    WriteRequest::delete(&["zones", zone.as_str(), "dns_records", id.as_str()])
        .with_decoder(|_| Ok(()))
}

/// The value of a TXT record's `content`: quotes removed, escapes resolved (`\"`, `\\`, `\065`;
/// RFC 1035, section 5.1), character-strings joined. Unquoted content is the value itself.
pub fn txt_text(content: &str) -> String {
    let content = content.trim();
    if !content.starts_with('"') {
        return content.to_owned();
    }
    let mut text = Vec::with_capacity(content.len());
    let mut inside = false;
    let mut rest = content.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        match byte {
            b'"' => inside = !inside,
            b'\\' if inside => {
                let (byte, after) = escaped(after);
                text.extend(byte);
                rest = after;
            }
            byte if inside => text.push(*byte),
            _ => {}
        }
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// The escaped byte and the remaining text.
fn escaped(rest: &[u8]) -> (Option<u8>, &[u8]) {
    if let Some((digits, after)) = rest.split_at_checked(3)
        && digits.iter().all(u8::is_ascii_digit)
        && let Ok(code) = str::from_utf8(digits).unwrap_or_default().parse()
    {
        return (Some(code), after);
    }
    match rest {
        [byte, after @ ..] => (Some(*byte), after),
        [] => (None, rest),
    }
}

/// The `content` for a TXT value: quoted and split into character-strings.
pub fn txt_content(value: &str) -> String {
    let mut pieces = Vec::new();
    let mut piece = String::new();
    let mut length = 0;
    for character in value.chars() {
        if length + character.len_utf8() > MAX_STRING {
            pieces.push(std::mem::take(&mut piece));
            length = 0;
        }
        length += character.len_utf8();
        if matches!(character, '"' | '\\') {
            piece.push('\\');
        }
        piece.push(character);
    }
    pieces.push(piece);
    format!("\"{}\"", pieces.join("\" \""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_read_with_and_without_quotes() {
        for (content, text) in [
            ("code=1", "code=1"),
            (r#""code=1""#, "code=1"),
            (r#" "code" "=1" "#, "code=1"),
            (r#""a" "" "b""#, "ab"),
            (r#""say \"hi\" \\o/""#, r#"say "hi" \o/"#),
            (r#""\065\066c""#, "ABc"),
            (r#""\999""#, "999"),
            (r#""caf\195\169""#, "café"),
            (r#""open"#, "open"),
            (r#""end\"#, "end"),
            (r#""""#, ""),
            ("", ""),
        ] {
            assert_eq!(txt_text(content), text, "{content}");
        }
    }

    #[test]
    fn a_long_value_is_split_and_reads_back_as_it_was() {
        assert_eq!(txt_content("code=1"), r#""code=1""#);
        assert_eq!(txt_content(""), r#""""#);
        let long = txt_content(&"x".repeat(256));
        assert_eq!(long, format!("\"{}\" \"x\"", "x".repeat(255)));
        // A character is never split.
        let torn = format!("{}é", "x".repeat(254));
        assert_eq!(txt_content(&torn), format!("\"{}\" \"é\"", "x".repeat(254)));
        for value in [r#"a"b\c"#, "x y", &"\"".repeat(300), &torn] {
            assert_eq!(txt_text(&txt_content(value)), value);
        }
    }
}
