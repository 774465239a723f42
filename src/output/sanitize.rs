//! Makes untrusted text safe for a terminal: no cursor movement, colours or disguised text.

use std::borrow::Cow;
use std::str::Chars;

/// `text` on one line, without control characters, terminal escape sequences and bidirectional
/// controls; line breaks and tabs become a space.
///
/// An escape sequence is removed as a whole (ECMA-48 section 5.4), including its parameters.
pub fn sanitize(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_sequence(&mut rest),
            '\u{9b}' => skip_parameters(&mut rest),
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => clean.push(' '),
            c if is_unsafe(c) => {}
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}

pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control() || is_bidi_control(c) || matches!(c, '\u{2028}' | '\u{2029}')
}

/// As [`sanitize`], with characters without width by name: two names could look the same.
pub(super) fn visible(text: &str) -> Cow<'_, str> {
    let clean = sanitize(text);
    if !clean.chars().any(has_no_width) {
        return clean;
    }
    let mut shown = String::with_capacity(clean.len());
    for c in clean.chars() {
        match c {
            c if has_no_width(c) => shown.extend(format!("<U+{:04X}>", u32::from(c)).chars()),
            c => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Only those that no script and no emoji needs.
fn has_no_width(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Marks, embeddings, overrides and isolates of the bidirectional algorithm
/// (Unicode Standard Annex 9, section 2).
fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn skip_sequence(rest: &mut Chars<'_>) {
    let mut ahead = rest.clone();
    match ahead.next() {
        Some('[') => {
            *rest = ahead;
            skip_parameters(rest);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => skip_string(rest, &mut ahead),
        Some(' '..='/') => {
            ahead.next();
            *rest = ahead;
        }
        Some('0'..='~') => *rest = ahead,
        _ => {}
    }
}

/// Skips a control sequence: parameters and intermediates, then one final byte.
fn skip_parameters(rest: &mut Chars<'_>) {
    let mut ahead = rest.clone();
    while let Some(c) = ahead.next() {
        match c {
            ' '..='?' => *rest = ahead.clone(),
            '@'..='~' => {
                *rest = ahead;
                return;
            }
            _ => return,
        }
    }
}

/// Skips a control string up to its terminator. Without one, only the introducer is removed: what
/// follows may be text that should be seen.
fn skip_string<'a>(rest: &mut Chars<'a>, ahead: &mut Chars<'a>) {
    *rest = ahead.clone();
    while let Some(c) = ahead.next() {
        let ends = match c {
            '\u{7}' | '\u{9c}' => true,
            '\u{1b}' => ahead.next() == Some('\\'),
            _ => false,
        };
        if ends {
            *rest = ahead.clone();
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_fool_the_eye_is_taken_out() {
        let table = [
            ("cool.cats", "cool.cats"),
            ("größe, 日本, 🐈", "größe, 日本, 🐈"),
            ("two\nlines\r\n and\ta tab", "two lines  and a tab"),
            ("nul\0bell\u{7}back\u{8}del\u{7f}", "nulbellbackdel"),
            ("c1\u{80}\u{85}\u{9f}end", "c1end"),
            ("a\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}b", "ab"),
            ("a\u{2066}\u{2067}\u{2068}\u{2069}b", "ab"),
            ("a\u{200e}\u{200f}\u{61c}b", "ab"),
            ("line\u{2028}par\u{2029}end", "line par end"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}[2J\u{1b}[1;1Hgone", "gone"),
            ("\u{9b}31mred", "red"),
            ("\u{1b}]0;title\u{7}text", "text"),
            ("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]never ends", "never ends"),
            ("\u{1b}Pdevice\u{9c}text", "text"),
            ("\u{1b}(Btext", "text"),
            ("\u{1b}ctext", "text"),
            ("end\u{1b}", "end"),
            ("\u{1b}\u{1b}[31mred", "red"),
            ("\u{1b}[31\u{202e}m", "m"),
            ("zero\u{200d}joiner stays", "zero\u{200d}joiner stays"),
        ];
        for (dirty, clean) in table {
            assert_eq!(sanitize(dirty), clean, "{dirty:?}");
        }
    }

    #[test]
    fn characters_without_width_are_named_on_the_screen_only() {
        let name = "Ok\u{ad}ta\u{200b} \u{feff}";
        assert_eq!(visible(name), "Ok<U+00AD>ta<U+200B> <U+FEFF>");
        assert_eq!(visible("\u{1b}[31mred"), "red");
        assert_eq!(sanitize(name), name);
    }

    proptest::proptest! {
        #[test]
        fn nothing_unsafe_is_left(text in r"([\x1b\x9b\n\u{202e}]|[\[\];m\\a1]|\PC|\pC){0,30}") {
            let clean = sanitize(&text).into_owned();
            proptest::prop_assert!(!clean.chars().any(is_unsafe), "{:?}", clean);
            proptest::prop_assert_eq!(sanitize(&clean), &*clean);
        }
    }
}
