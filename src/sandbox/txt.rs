//! TXT content of the API: quoted character-strings (API reference, section 8.4; RFC 1035,
//! section 5.1).

/// Octets of a character-string (RFC 1035, section 3.3).
const LONGEST: usize = 255;

/// In quotes, split into character-strings.
pub(super) fn quoted(text: &str) -> String {
    let bytes = text.as_bytes();
    let chunks: Vec<String> = if bytes.is_empty() {
        vec![r#""""#.to_owned()]
    } else {
        bytes.chunks(LONGEST).map(quoted_string).collect()
    };
    chunks.join(" ")
}

/// Adds quotes if there are none, as the API does.
pub(super) fn stored(content: &str) -> String {
    let content = content.trim();
    if content.starts_with('"') { content.to_owned() } else { quoted(content) }
}

/// None if quotes do not pair or a string is too long.
pub(super) fn strings(content: &str) -> Option<Vec<Vec<u8>>> {
    let mut strings = Vec::new();
    let mut bytes = content.trim().bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => strings.push(read_string(&mut bytes).filter(|string| string.len() <= LONGEST)?),
            b' ' | b'\t' => {}
            _ => return None,
        }
    }
    (!strings.is_empty()).then_some(strings)
}

/// Reads up to the closing quote.
fn read_string(bytes: &mut std::str::Bytes<'_>) -> Option<Vec<u8>> {
    let mut string = Vec::new();
    loop {
        match bytes.next()? {
            b'"' => return Some(string),
            b'\\' => match bytes.next()? {
                digit @ b'0'..=b'9' => {
                    let rest = [bytes.next()?, bytes.next()?];
                    let text = [digit, rest[0], rest[1]];
                    string.push(std::str::from_utf8(&text).ok()?.parse().ok()?);
                }
                byte => string.push(byte),
            },
            byte => string.push(byte),
        }
    }
}

fn quoted_string(bytes: &[u8]) -> String {
    let escaped: String = bytes.iter().map(|&byte| escaped(byte)).collect();
    format!("\"{escaped}\"")
}

fn escaped(byte: u8) -> String {
    match byte {
        b'"' | b'\\' => format!("\\{}", char::from(byte)),
        b' '..=b'~' => char::from(byte).to_string(),
        _ => format!("\\{byte:03}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_stored_in_quotes_and_read_back_as_bytes() {
        for (sent, kept, read) in [
            ("a=b", r#""a=b""#, vec!["a=b"]),
            (r#""a=b""#, r#""a=b""#, vec!["a=b"]),
            (r#""a" "b""#, r#""a" "b""#, vec!["a", "b"]),
            (r#""a \" b""#, r#""a \" b""#, vec!["a \" b"]),
            ("", r#""""#, vec![""]),
            ("ü", r#""\195\188""#, vec!["ü"]),
        ] {
            assert_eq!(stored(sent), kept);
            let read: Vec<Vec<u8>> = read.iter().map(|text| text.as_bytes().to_vec()).collect();
            assert_eq!(strings(kept), Some(read), "{kept}");
        }
    }

    #[test]
    fn a_long_text_is_split_and_a_broken_one_refused() {
        let long = "x".repeat(300);
        let strings_of_long = strings(&quoted(&long)).unwrap();
        assert_eq!(strings_of_long.iter().map(Vec::len).collect::<Vec<_>>(), [255, 45]);
        let too_long = format!("\"{}\"", "x".repeat(256));
        for broken in ["\"a", "a", "", "\"a\" b", "\"\\9", "\"\\999\"", &too_long] {
            assert_eq!(strings(broken), None, "{broken}");
        }
    }
}
