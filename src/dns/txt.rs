//! TXT records as bytes, displayed as `dig` does.

use std::fmt::Write as _;

use schemars::JsonSchema;
use serde::Serialize;

/// The prefix of every verification code.
pub const PREFIX: &str = "cloudflare_dashboard_sso=";

/// The character-strings of a TXT record (RFC 1035 section 3.3.14).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(into = "TxtJson")]
pub struct Txt {
    pub strings: Vec<Vec<u8>>,
}

/// A TXT record.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Txt")]
pub(super) struct TxtJson {
    /// The character-strings, joined without a space.
    text: String,
    /// The character-strings of the record.
    strings: Vec<String>,
}

impl JsonSchema for Txt {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        TxtJson::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        TxtJson::json_schema(generator)
    }
}

impl From<Txt> for TxtJson {
    fn from(record: Txt) -> Self {
        Self {
            text: printable(&record.joined()),
            strings: record.strings.iter().map(|string| printable(string)).collect(),
        }
    }
}

impl Txt {
    /// The character-strings joined without a space: the value that verification compares.
    pub fn joined(&self) -> Vec<u8> {
        self.strings.concat()
    }

    /// As `dig +short TXT` prints it: each character-string in quotes.
    pub fn quoted(&self) -> String {
        let quoted: Vec<String> = self.strings.iter().map(|string| quote(string)).collect();
        quoted.join(" ")
    }
}

/// Printable ASCII unchanged, other bytes as `\DDD`.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        push(&mut text, byte);
    }
    text
}

/// A character-string as in a zone file (RFC 1035 section 5.1).
fn quote(string: &[u8]) -> String {
    let mut text = String::with_capacity(string.len() + 2);
    text.push('"');
    for &byte in string {
        if byte == b'"' || byte == b'\\' {
            text.push('\\');
        }
        push(&mut text, byte);
    }
    text.push('"');
    text
}

fn push(text: &mut String, byte: u8) {
    if (0x20..0x7f).contains(&byte) {
        text.push(char::from(byte));
    } else {
        let _ = write!(text, "\\{byte:03}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn txt(strings: &[&[u8]]) -> Txt {
        Txt { strings: strings.iter().map(|string| string.to_vec()).collect() }
    }

    #[test]
    fn a_record_is_quoted_as_dig_does() {
        for (strings, quoted) in [
            (&[b"v=spf1 -all".as_slice()][..], r#""v=spf1 -all""#),
            (&[b"one", b"two"], r#""one" "two""#),
            (&[b"say \"hi\" \\ bye"], r#""say \"hi\" \\ bye""#),
            (&[b"caf\xc3\xa9\x00\x7f\n"], r#""caf\195\169\000\127\010""#),
            (&[b""], r#""""#),
        ] {
            assert_eq!(txt(strings).quoted(), quoted);
        }
    }

    #[test]
    fn character_strings_are_joined_without_a_space_and_kept_apart_in_json() {
        let record = txt(&[b"cloudflare_dashboard_", b"sso=1\"\xff"]);
        assert_eq!(record.joined(), b"cloudflare_dashboard_sso=1\"\xff");
        assert_eq!(
            serde_json::to_value(&record).unwrap(),
            serde_json::json!({
                "text": "cloudflare_dashboard_sso=1\"\\255",
                "strings": ["cloudflare_dashboard_", "sso=1\"\\255"],
            })
        );
    }
}
