//! Decodes text of a file or of standard input, whatever editor saved it.

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Undecodable {
    #[error("it is UTF-16 without a byte-order mark; save it as UTF-8")]
    Wide,
    /// UTF-16 that is cut short or contains an unpaired surrogate.
    #[error("it is damaged UTF-16; save it as UTF-8")]
    DamagedWide,
    #[error("its encoding is `{0}`; save it as UTF-8")]
    Encoding(String),
    #[error("it is not UTF-8 (byte 0x{byte:02X} at offset {offset}); save it as UTF-8")]
    NotUtf8 {
        /// The first byte that does not fit.
        byte: u8,
        /// From 0.
        offset: usize,
    },
}

/// Decodes UTF-8, and UTF-16 with a byte-order mark. Drops the mark; CRLF becomes LF.
pub fn decode(bytes: &[u8]) -> Result<String, Undecodable> {
    let text = match bytes {
        [0xFF, 0xFE, rest @ ..] => wide(rest, u16::from_le_bytes)?,
        [0xFE, 0xFF, rest @ ..] => wide(rest, u16::from_be_bytes)?,
        [0xEF, 0xBB, 0xBF, rest @ ..] => narrow(rest, 3)?,
        _ => narrow(bytes, 0)?,
    };
    Ok(if text.contains('\r') { text.replace("\r\n", "\n") } else { text })
}

/// XML in UTF-8, in UTF-16 with a byte-order mark, or in the single-byte encoding that it declares.
pub fn decode_xml(bytes: &[u8]) -> Result<String, Undecodable> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).to_ascii_lowercase();
    let declaration = head.split("?>").next().filter(|head| head.starts_with("<?xml"));
    let declared = declaration.and_then(|head| head.split("encoding").nth(1));
    let declared = declared.and_then(|rest| rest.trim_start().strip_prefix('='));
    let declared = declared.and_then(|rest| rest.split(['"', '\'']).nth(1));
    match declared.unwrap_or("utf-8") {
        "utf-8" | "utf8" | "us-ascii" | "ascii" | "utf-16" => decode(bytes),
        // In Latin-1, each byte is the code point of its character.
        "iso-8859-1" | "latin1" | "latin-1" => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        "windows-1252" | "cp1252" => Ok(bytes.iter().map(|byte| windows_1252(*byte)).collect()),
        other => Err(Undecodable::Encoding(other.to_owned())),
    }
}

/// A byte of windows-1252, which differs from Latin-1 in 0x80 to 0x9F (WHATWG Encoding Standard,
/// index windows-1252).
fn windows_1252(byte: u8) -> char {
    const HIGH: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    match byte {
        0x80..=0x9F => HIGH.chars().nth(usize::from(byte - 0x80)).unwrap_or(char::from(byte)),
        _ => char::from(byte),
    }
}

fn narrow(bytes: &[u8], skipped: usize) -> Result<String, Undecodable> {
    // NUL is valid UTF-8, but no text contains it: it is half of an ASCII letter in UTF-16.
    if bytes.iter().take(4).any(|byte| *byte == 0) {
        return Err(Undecodable::Wide);
    }
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|error| {
        let at = error.valid_up_to();
        Undecodable::NotUtf8 { byte: bytes[at], offset: at + skipped }
    })
}

fn wide(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, Undecodable> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(Undecodable::DamagedWide);
    }
    let units = pairs.iter().map(|pair| unit(*pair));
    char::decode_utf16(units).collect::<Result<_, _>>().map_err(|_| Undecodable::DamagedWide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_is_read_in_the_encoding_that_it_declares() {
        let xml = |encoding: &str| format!("<?xml version='1.0' encoding='{encoding}'?><a>");
        for (encoding, rest, expected) in [
            ("UTF-8", &b"caf\xC3\xA9"[..], Some("caf\u{e9}")),
            ("ISO-8859-1", b"caf\xE9", Some("caf\u{e9}")),
            ("Windows-1252", b"\x80 caf\xE9 \x9F", Some("\u{20ac} caf\u{e9} \u{178}")),
            ("UTF-8", b"caf\xE9", None),
            ("EBCDIC-US", b"cafe", None),
        ] {
            let bytes = [xml(encoding).as_bytes(), rest].concat();
            let read = decode_xml(&bytes).ok();
            let expected = expected.map(|it| xml(encoding) + it);
            assert_eq!(read, expected, "{encoding}");
        }
        let wide: Vec<u8> =
            "\u{feff}<?xml encoding='utf-16'?>".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(decode_xml(&wide).unwrap(), "<?xml encoding='utf-16'?>");
        assert!(decode_xml(b"<a>").is_ok());
        let spaced = b"<?xml version = \"1.0\" encoding\n= \"ISO-8859-1\" ?>caf\xE9";
        assert!(decode_xml(spaced).unwrap().ends_with("caf\u{e9}"));
    }

    #[test]
    fn text_is_read_whatever_editor_saved_it() {
        for (bytes, expected) in [
            (&b"token\n"[..], Ok("token\n".to_owned())),
            (b"\xEF\xBB\xBFtoken\r\nnext\r\n", Ok("token\nnext\n".to_owned())),
            (b"\xFF\xFEt\0\r\0\n\0", Ok("t\n".to_owned())),
            (b"\xFE\xFF\0t\0\r\0\n", Ok("t\n".to_owned())),
            (b"", Ok(String::new())),
            (b"a\rb", Ok("a\rb".to_owned())),
            (b"t\0o\0", Err(Undecodable::Wide)),
            (b"\0t\0o", Err(Undecodable::Wide)),
            (b"\xFF\xFEt", Err(Undecodable::DamagedWide)),
            (b"\xFF\xFE\x00\xD8", Err(Undecodable::DamagedWide)),
            (b"caf\xE9", Err(Undecodable::NotUtf8 { byte: 0xE9, offset: 3 })),
            (b"\xEF\xBB\xBFcaf\xE9", Err(Undecodable::NotUtf8 { byte: 0xE9, offset: 6 })),
        ] {
            assert_eq!(decode(bytes), expected, "{bytes:?}");
        }
    }
}
