//! A depth limit for JSON from outside: functions that walk it are recursive.

/// The limit of `serde_json`.
pub const DEEPEST: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is nested deeper than {DEEPEST} levels")]
pub struct TooDeep;

/// Fails if JSON is nested deeper than [`DEEPEST`]. Invalid JSON is left to the parser.
pub fn check(json: &[u8]) -> Result<(), TooDeep> {
    let mut depth = 0_usize;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'\\' => drop(bytes.next()),
                        b'"' => break,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        if depth > DEEPEST {
            return Err(TooDeep);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_is_counted_outside_of_strings() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        for (text, expected) in [
            (nested(DEEPEST), Ok(())),
            (nested(DEEPEST + 1), Err(TooDeep)),
            ("[".repeat(200_000), Err(TooDeep)),
            (r#"{"a":"#.repeat(DEEPEST + 1), Err(TooDeep)),
            (format!("\"{}\"", "[".repeat(999)), Ok(())),
            (format!(r#""\"{}""#, "[".repeat(999)), Ok(())),
            (format!(r#""\\"{}"#, "[".repeat(999)), Err(TooDeep)),
            ("[],".repeat(999), Ok(())),
            ("]".repeat(999), Ok(())),
            (String::new(), Ok(())),
        ] {
            assert_eq!(check(text.as_bytes()), expected, "{}", &text[..text.len().min(20)]);
        }
    }
}
