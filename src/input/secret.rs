//! Checks secrets before they are stored: the API accepts a wrong one, and every sign-in fails.

use super::character::{describe, is_invisible};
use super::secret_name::is_secret_name;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    #[error("is empty")]
    Empty,
    #[error("has more than one line (line break at position {0})")]
    Lines(usize),
    #[error("{} with a {} at position {position}", if *.leading { "starts" } else { "ends" }, describe(*.character))]
    Edge {
        character: char,
        /// In characters, from 1.
        position: usize,
        /// Whether it is before the secret rather than after it.
        leading: bool,
    },
    #[error("contains a {} at position {position}", describe(*.character))]
    Invisible {
        character: char,
        /// In characters, from 1.
        position: usize,
    },
    #[error("is in quotes ({} at position 1)", .0)]
    Quoted(char),
    /// A name in front of it, as in an environment file.
    #[error("starts with a name (`{separator}` at position {position})")]
    Named {
        separator: char,
        /// In characters, from 1.
        position: usize,
    },
    #[error("is a mask, not a secret")]
    Mask,
    #[error("is a reference that was not replaced (it starts with `{0}`)")]
    Reference(&'static str),
}

/// Start and end of references that a shell, a template or a password manager should have replaced.
const REFERENCES: [(&str, &str); 4] = [("${", "}"), ("$(", ")"), ("{{", "}}"), ("op://", "")];

/// A secret, and whether a line end was removed after it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned<'a> {
    pub secret: &'a str,
    pub removed_line_end: bool,
}

/// The secret in a pasted text: without one line end, otherwise unchanged.
pub fn clean(text: &str) -> Cleaned<'_> {
    let secret = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text));
    let secret = secret.or_else(|| text.strip_suffix('\r'));
    Cleaned { secret: secret.unwrap_or(text), removed_line_end: secret.is_some() }
}

/// The secret in a pasted text, if it may be stored. `raw`: unchanged, unless empty or a mask.
pub fn accept(text: &str, raw: bool) -> Result<Cleaned<'_>, Unfit> {
    if raw {
        return match text {
            "" => Err(Unfit::Empty),
            mask if is_mask(mask) => Err(Unfit::Mask),
            secret => Ok(Cleaned { secret, removed_line_end: false }),
        };
    }
    let cleaned = clean(text);
    check(cleaned.secret)?;
    Ok(cleaned)
}

/// Whether a text can be a secret.
pub fn check(secret: &str) -> Result<(), Unfit> {
    let last = secret.chars().count();
    if secret.chars().all(is_invisible) {
        return Err(Unfit::Empty);
    }
    if is_mask(secret) {
        return Err(Unfit::Mask);
    }
    for (character, position) in secret.chars().zip(1..) {
        let is_edge = position == 1 || position == last;
        if !is_invisible(character) || (character == ' ' && !is_edge) {
            continue;
        }
        return Err(match character {
            '\n' | '\r' if !is_edge => Unfit::Lines(position),
            _ if is_edge => Unfit::Edge { character, position, leading: position == 1 },
            _ => Unfit::Invisible { character, position },
        });
    }
    let is_reference =
        |(start, end): &&(&str, &str)| secret.starts_with(*start) && secret.ends_with(*end);
    if let Some((start, _)) = REFERENCES.iter().find(is_reference) {
        return Err(Unfit::Reference(start));
    }
    if let Some(quote) = surrounding_quote(secret) {
        return Err(Unfit::Quoted(quote));
    }
    match name_in_front(secret) {
        Some((separator, position)) => Err(Unfit::Named { separator, position }),
        None => Ok(()),
    }
}

/// What this program (`[masked]`, `[secret, not kept]`), the API (a run of asterisks) or another
/// program shows in place of a secret.
pub fn is_mask(text: &str) -> bool {
    let text = text.trim();
    let is_run =
        |characters: &str| !text.is_empty() && text.chars().all(|c| characters.contains(c));
    let inside = [('[', ']'), ('<', '>'), ('(', ')'), ('{', '}')]
        .into_iter()
        .find_map(|(open, close)| text.strip_prefix(open)?.strip_suffix(close));
    let words = [
        "masked",
        "redacted",
        "hidden",
        "secret",
        "secret, not kept",
        "sensitive",
        "sensitive value",
    ];
    is_run("*•●∙·⋆＊█")
        || text.len() >= 4 && is_run("xX")
        || inside
            .is_some_and(|inside| words.iter().any(|word| word.eq_ignore_ascii_case(inside.trim())))
}

fn surrounding_quote(text: &str) -> Option<char> {
    [('"', '"'), ('\'', '\''), ('`', '`'), ('“', '”'), ('‘', '’'), ('«', '»'), ('„', '“')]
        .into_iter()
        .find(|(open, close)| text.strip_prefix(*open).is_some_and(|rest| rest.ends_with(*close)))
        .map(|(open, _)| open)
}

/// Finds the name in front of a secret: `client_secret=…`, `export TOKEN: …`. Other text before `=`
/// or `:` may be part of the secret (base64 ends with `=`).
fn name_in_front(text: &str) -> Option<(char, usize)> {
    let (name, value) = text.split_once(['=', ':'])?;
    let separator = text[name.len()..].chars().next()?;
    let bare = name.trim().trim_matches(['"', '\'']);
    let is_name = bare.chars().all(|c| c.is_ascii_alphanumeric() || "_.- ".contains(c));
    let last_word = bare.rsplit(' ').next().unwrap_or(bare);
    let means_secret = is_secret_name(bare) || is_secret_name(last_word);
    (is_name && means_secret && !value.is_empty()).then(|| (separator, name.chars().count() + 1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_line_end_is_removed() {
        for (text, secret, removed) in [
            ("s3cret\n", "s3cret", true),
            ("s3cret\r\n", "s3cret", true),
            ("s3cret\r", "s3cret", true),
            ("s3cret\n\n", "s3cret\n", true),
            ("s3cret", "s3cret", false),
            ("", "", false),
        ] {
            let cleaned = clean(text);
            assert_eq!((cleaned.secret, cleaned.removed_line_end), (secret, removed), "{text:?}");
        }
    }

    #[test]
    fn what_was_pasted_around_a_secret_is_named_with_its_position() {
        for (secret, problem) in [
            ("", "is empty"),
            (" \u{200b}", "is empty"),
            (" s3cret", "starts with a space (U+0020) at position 1"),
            ("s3cret\u{a0}", "ends with a no-break space (U+00A0) at position 7"),
            ("\u{feff}s3cret", "starts with a byte-order mark (U+FEFF) at position 1"),
            ("s3\u{200b}cret", "contains a zero-width space (U+200B) at position 3"),
            ("s3\u{202e}cret", "contains a text direction mark (U+202E) at position 3"),
            ("s3\tcret", "contains a tab (U+0009) at position 3"),
            ("s3\ncret", "has more than one line (line break at position 3)"),
            ("s3cret\n", "ends with a line feed (U+000A) at position 7"),
            ("${CLIENT_SECRET}", "is a reference that was not replaced (it starts with `${`)"),
            ("$(vault read x)", "is a reference that was not replaced (it starts with `$(`)"),
            ("{{ secret }}", "is a reference that was not replaced (it starts with `{{`)"),
            (
                "op://vault/item/secret",
                "is a reference that was not replaced (it starts with `op://`)",
            ),
            ("\"s3cret\"", "is in quotes (\" at position 1)"),
            ("'s3cret'", "is in quotes (' at position 1)"),
            ("“s3cret”", "is in quotes (“ at position 1)"),
            ("client_secret=s3cret", "starts with a name (`=` at position 14)"),
            ("Client Secret: s3cret", "starts with a name (`:` at position 14)"),
            ("export OKTA_SECRET=s3cret", "starts with a name (`=` at position 19)"),
            ("\"client_secret\": \"s3cret\"", "is in quotes (\" at position 1)"),
            ("\"client_secret\": \"s3cret\",", "starts with a name (`:` at position 16)"),
            ("[masked]", "is a mask, not a secret"),
        ] {
            assert_eq!(check(secret).unwrap_err().to_string(), problem, "{secret:?}");
        }
    }

    #[test]
    fn a_secret_as_providers_make_them_is_taken() {
        for secret in [
            "s3cret",
            "Abc8Q~dEf_gh-IJ.kl",
            "c2VjcmV0IHZhbHVl==",
            "GOCSPX-a_b",
            "a:b=c",
            "correct horse battery staple",
            "secret",
            "pässwörd",
            "token=",
            "'",
        ] {
            assert_eq!(check(secret), Ok(()), "{secret}");
        }
    }

    #[test]
    fn a_raw_secret_is_taken_as_it_is_and_a_mask_never() {
        for (text, raw, secret) in [
            ("s3cret\n", false, Some("s3cret")),
            ("s3cret\n", true, Some("s3cret\n")),
            (" 's3\u{200b}", false, None),
            (" 's3\u{200b}", true, Some(" 's3\u{200b}")),
            ("***\n", false, None),
            ("***\n", true, None),
            ("[masked]", true, None),
            ("", true, None),
        ] {
            let accepted = accept(text, raw).ok().map(|cleaned| cleaned.secret);
            assert_eq!(accepted, secret, "{text:?} {raw}");
        }
    }

    #[test]
    fn masks_are_told_from_secrets() {
        for mask in [
            "[masked]",
            "[secret, not kept]",
            "***",
            "********",
            "•••",
            "<redacted>",
            "[redacted]",
            "<REDACTED>",
            "*",
            "(sensitive value)",
            "(hidden)",
            "xxxxxxxx",
            " *** ",
            "●●●●",
        ] {
            assert!(is_mask(mask), "{mask}");
        }
        for secret in ["", "masked", "s***t", "a•", "redacted", "[1]", "<>"] {
            assert!(!is_mask(secret), "{secret}");
        }
    }

    proptest! {
        #[test]
        fn an_invisible_character_at_an_end_is_refused(
            character in any::<char>().prop_filter("invisible", |c| is_invisible(*c)),
            secret in "[!-~]{1,20}",
        ) {
            for text in [format!("{character}{secret}"), format!("{secret}{character}")] {
                prop_assert!(check(&text).is_err(), "{text:?}");
            }
        }
    }
}
