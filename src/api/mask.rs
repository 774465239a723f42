//! Removes secrets from traces and server texts. Works on JSON, cut JSON, JSON within JSON strings,
//! query strings and prose.

use std::ops::Range;

use crate::input::secret_name::is_secret_name;

pub const MASKED: &str = "[masked]";

/// The journal's text in place of a secret.
pub const NOT_KEPT: &str = "[secret, not kept]";

/// Prefixes of Cloudflare's credentials (API reference, section 1.1).
const PREFIXES: [&str; 4] = ["cfut_", "cfat_", "cfk_", "cfoat_"];

/// Fields whose value is a new token if it is one long word: `value` of a created token, `result`
/// of a rolled one (API reference, section 8.1).
const NAMES_OF_TOKENS: [&str; 2] = ["value", "result"];

/// Minimum length of a token: IDs have 32 digits.
const TOKEN_LENGTH: usize = 33;

/// `text` without the secrets that are recognized by format or field name.
pub fn mask(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    while let Some(character) = text[at..].chars().next() {
        if let Some(secret) = secret_at(text, at) {
            masked.push_str(&text[at..secret.start]);
            masked.push_str(MASKED);
            at = secret.end;
        } else {
            masked.push(character);
            at += character.len_utf8();
        }
    }
    masked
}

/// [`mask`], and without `secret` itself: old tokens have no prefix.
pub fn mask_with(text: &str, secret: &str) -> String {
    if secret.is_empty() { mask(text) } else { mask(&text.replace(secret, MASKED)) }
}

pub fn is_new_token(name: &str, text: &str) -> bool {
    NAMES_OF_TOKENS.contains(&name) && text.len() >= TOKEN_LENGTH && text.chars().all(is_word)
}

/// The range of a secret; what precedes it is kept.
fn secret_at(text: &str, at: usize) -> Option<Range<usize>> {
    if text.as_bytes()[at] == b'"' {
        return field(text, at);
    }
    if let Some(prefix) = PREFIXES.iter().find(|prefix| text[at..].starts_with(**prefix)) {
        let start = at + prefix.len();
        let length = text[start..].find(|c| !is_word(c)).unwrap_or(text.len() - start);
        return (length > 0).then_some(start..start + length);
    }
    let inside_a_word = text[..at].chars().next_back().is_some_and(is_word);
    if inside_a_word { None } else { bearer(text, at).or_else(|| assignment(text, at)) }
}

fn is_word(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// `Bearer VALUE`.
fn bearer(text: &str, at: usize) -> Option<Range<usize>> {
    let after = strip_name(&text[at..], "bearer")?;
    let value = after.trim_start_matches([' ', '\t']);
    if value.len() == after.len() {
        return None;
    }
    value_until(text, value, |c| c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '\\' | '<'))
}

/// `NAME=VALUE` in queries and forms; `NAME: VALUE` in headers.
fn assignment(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let name = &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())];
    let after = &rest[name.len()..];
    if !after.starts_with(['=', ':']) || !is_secret_name(name) {
        return None;
    }
    let is_end =
        |c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | ')' | '<' | '\\');
    if let Some(value) = after.strip_prefix('=') {
        return value_until(text, value.trim_start_matches(['"', '\'']), is_end);
    }
    let value = after[1..].trim_start_matches(' ');
    if name.contains('-') || name.eq_ignore_ascii_case("authorization") {
        return value_until(text, value, |c| matches!(c, '\r' | '\n' | '"' | '\\'));
    }
    // In prose, `password: must be longer` is not a secret, but a long word is.
    value_until(text, value, is_end).filter(|place| place.len() >= 16)
}

fn value_until(text: &str, value: &str, is_end: impl Fn(char) -> bool) -> Option<Range<usize>> {
    let start = text.len() - value.len();
    let length = value.find(is_end).unwrap_or(value.len());
    (length > 0).then_some(start..start + length)
}

fn strip_name<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(name.len())?;
    head.eq_ignore_ascii_case(name).then_some(tail)
}

/// `"NAME": VALUE`, at any depth of JSON within JSON strings.
fn field(text: &str, at: usize) -> Option<Range<usize>> {
    let depth = backslashes_before(text, at);
    let (name, after) = text[at + 1..].split_once('"')?;
    let name = name.strip_suffix(&"\\".repeat(depth))?;
    let value = after.trim_start().strip_prefix(':')?.trim_start();
    let start = text.len() - value.len();
    if NAMES_OF_TOKENS.contains(&name) {
        let place = string(text, start, depth)?;
        return is_new_token(name, &text[place.clone()]).then_some(place);
    }
    if !is_secret_name(name) {
        return None;
    }
    if let Some(place) = string(text, start, depth) {
        return Some(place);
    }
    if value.starts_with(['{', '[']) {
        return Some(start..container(text, start, depth));
    }
    let place = value_until(text, value, |c| c.is_whitespace() || matches!(c, ',' | '}' | ']'))?;
    let plain = ["null", "true", "false"].contains(&&text[place.clone()]);
    (!plain).then_some(place)
}

/// The content of the string that starts at `at`; a cut one ends with the text.
fn string(text: &str, at: usize, depth: usize) -> Option<Range<usize>> {
    let inside = text[at..].strip_prefix(&"\\".repeat(depth))?.strip_prefix('"')?;
    let start = text.len() - inside.len();
    let end = quote(text, start, depth).map_or(text.len(), |quote| quote - depth);
    Some(start..end)
}

fn quote(text: &str, at: usize, depth: usize) -> Option<usize> {
    text[at..].match_indices('"').map(|(offset, _)| at + offset).find(|&quote| {
        // At depth n a delimiter has n backslashes; each escaped one before it adds twice as many.
        let run = backslashes_before(&text[at..], quote - at);
        run % (2 * (depth + 1)) == depth
    })
}

fn backslashes_before(text: &str, at: usize) -> usize {
    text[..at].bytes().rev().take_while(|&byte| byte == b'\\').count()
}

/// The end of the object or array that starts at `at`.
fn container(text: &str, at: usize, depth: usize) -> usize {
    let mut open = 0_usize;
    let mut position = at;
    while let Some(&byte) = text.as_bytes().get(position) {
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => match quote(text, position + 1, depth) {
                Some(end) => position = end,
                None => return text.len(),
            },
            _ => {}
        }
        position += 1;
        if open == 0 {
            return position;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_told_by_their_look_or_their_name() {
        for (text, expected) in [
            ("token cfut_AbC-123_x was refused", "token cfut_[masked] was refused"),
            ("xcfat_1,cfk_2;cfoat_3.", "xcfat_[masked],cfk_[masked];cfoat_[masked]."),
            ("a bare cfut_ stays", "a bare cfut_ stays"),
            ("Authorization: Bearer S3C", "Authorization: [masked]"),
            ("authorization: Basic S3C==\r\nhost: a", "authorization: [masked]\r\nhost: a"),
            ("sent bearer S3C, refused", "sent bearer [masked], refused"),
            ("a forbearer S3C", "a forbearer S3C"),
            ("X-Auth-Key: S3C\nX-Auth-Email: a@b", "X-Auth-Key: [masked]\nX-Auth-Email: a@b"),
            ("x-api-token: S3C D\nhost: a", "x-api-token: [masked]\nhost: a"),
            ("OKTA_TOKEN=S3C ./run", "OKTA_TOKEN=[masked] ./run"),
            ("token_url=https://a", "token_url=https://a"),
            ("Invalid format for Authorization header", "Invalid format for Authorization header"),
            ("/x?client_secret=S3C&a=b", "/x?client_secret=[masked]&a=b"),
            ("/x?my_secret=a&token=S3C", "/x?my_secret=[masked]&token=[masked]"),
            ("password: must be longer", "password: must be longer"),
            ("secret: 0123456789abcdefgh", "secret: [masked]"),
            ("", ""),
            ("é\"ü", "é\"ü"),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    #[test]
    fn secret_fields_are_masked_at_any_depth() {
        for (text, expected) in [
            (r#"{"client_secret":"S3C"}"#, r#"{"client_secret":"[masked]"}"#),
            (
                r#"{"a":[{"b":{"Api_Token" : "S3\"C\\" ,"c":1}}]}"#,
                r#"{"a":[{"b":{"Api_Token" : "[masked]" ,"c":1}}]}"#,
            ),
            (r#"{"secret":null,"password":12345}"#, r#"{"secret":null,"password":[masked]}"#),
            (r#"{"secret":{"a":"}S3C"},"b":2}"#, r#"{"secret":[masked],"b":2}"#),
            (r#"{"secrets":["S3C","]"],"b":2}"#, r#"{"secrets":[masked],"b":2}"#),
            // Cut in the middle.
            (r#"{"private_key":"-----BEGIN S3"#, r#"{"private_key":"[masked]"#),
            (r#"{"secret":{"a":"S3"#, r#"{"secret":[masked]"#),
            // JSON within a JSON string.
            (
                r#"{"body":"{\"client_secret\":\"S3C\\\"x\",\"n\":1}"}"#,
                r#"{"body":"{\"client_secret\":\"[masked]\",\"n\":1}"}"#,
            ),
            (r#"{"secretary":"Ann","note":"secret"}"#, r#"{"secretary":"Ann","note":"secret"}"#),
        ] {
            assert_eq!(mask(text), expected, "{text}");
        }
    }

    #[test]
    fn a_new_token_is_told_from_other_values() {
        let token = "8M7wS6hCpXVc-DoRnPPY_UCWPgy8aea4Wy6kCe5T";
        for name in ["value", "result"] {
            assert_eq!(
                mask(&format!(r#"{{"{name}":"{token}"}}"#)),
                format!(r#"{{"{name}":"[masked]"}}"#)
            );
        }
        for text in [
            r#"{"value":"ed17574386854bf78a67040be0a770b0"}"#,
            r#"{"value":"v=spf1 include:_spf.example.com include:other.example ~all"}"#,
            r#"{"result":{"id":"1"}}"#,
            r#"{"result":null}"#,
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn the_credential_in_use_is_masked_wherever_it_stands() {
        assert_eq!(mask_with("a 0ldT0ken b=0ldT0ken", "0ldT0ken"), "a [masked] b=[masked]");
        assert_eq!(mask_with("a b", ""), "a b");
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_masked(text in r#"([{}\[\]:,"\\ é]|"secret"|token=|bearer |cfk_|x){0,30}"#) {
            let _ = mask(&text);
        }

        #[test]
        fn a_secret_is_masked_however_it_is_wrapped(
            name in proptest::sample::select(vec![
                "client_secret", "api_token", "X-Api-Token", "password", "private_key",
                "Authorization", "token", "id_token", "clientSecret", "set-cookie",
            ]),
            tail in ".{0,12}",
            depth in 0..4_usize,
        ) {
            let mut text = serde_json::json!({ "a": [{ name: format!("PLANTED{tail}PLANTED") }], "b": 1 })
                .to_string();
            for _ in 0..depth {
                text = serde_json::json!({ "body": text }).to_string();
            }
            proptest::prop_assert!(!mask(&text).contains("PLANTED"), "{text}");
        }
    }

    #[test]
    fn masking_twice_changes_nothing() {
        for text in [r#"{"secret":"a","b":"cfut_x","token":1}"#, "Authorization: Bearer x"] {
            let once = mask(text);
            assert!(!once.contains("cfut_x") && !once.contains("Bearer x"));
            assert_eq!(mask(&once), once);
        }
    }
}
