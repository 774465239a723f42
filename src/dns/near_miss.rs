//! Values that were meant to be the code but differ from it.

use std::fmt;

use super::txt::{PREFIX, Txt, printable};

/// Longer values are not mistyped codes.
const MAX_LENGTH: usize = 512;
/// Wrong letters in a misspelled prefix.
const MAX_TYPOS: usize = 5;

/// A value that is nearly right and its mistake. Ordered by likelihood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NearMiss {
    pub fault: Mismatch,
    pub value: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Mismatch {
    Quotes,
    Whitespace,
    Case,
    PrefixMissing,
    PrefixMisspelt,
    Truncated,
    ExtraText,
    SplitAcrossRecords,
    OtherCode,
}

impl fmt::Display for NearMiss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = excerpt(&self.value);
        match self.fault {
            Mismatch::Quotes => write!(f, "`{value}` contains quotes"),
            Mismatch::Whitespace => write!(f, "`{value}` contains spaces"),
            Mismatch::Case => write!(f, "`{value}` differs in upper and lower case"),
            Mismatch::PrefixMissing => write!(f, "`{value}` lacks the prefix `{PREFIX}`"),
            Mismatch::PrefixMisspelt => write!(f, "`{value}` misspells the prefix `{PREFIX}`"),
            Mismatch::Truncated => write!(f, "`{value}` is truncated"),
            Mismatch::ExtraText => write!(f, "`{value}` has extra text around the code"),
            Mismatch::SplitAcrossRecords => {
                write!(f, "the code is split across two TXT records (`{value}`)")
            }
            Mismatch::OtherCode => write!(f, "`{value}` is the code of another connector"),
        }
    }
}

/// The likeliest first.
pub(super) fn near_misses(records: &[&Txt], expected: Option<&[u8]>) -> Vec<NearMiss> {
    let values: Vec<Vec<u8>> = records.iter().map(|record| record.joined()).collect();
    let mut found: Vec<NearMiss> = values
        .iter()
        .filter_map(|value| {
            let fault = match expected {
                Some(expected) => compare(value, expected),
                None => check_format(value),
            };
            Some(NearMiss { fault: fault?, value: value.clone() })
        })
        .collect();
    if let Some(first) = expected.and_then(|expected| split(&values, expected)) {
        found.retain(|miss| miss.value != first);
        found.push(NearMiss { fault: Mismatch::SplitAcrossRecords, value: first });
    }
    found.sort();
    found.dedup();
    found
}

fn compare(value: &[u8], expected: &[u8]) -> Option<Mismatch> {
    if expected.is_empty() {
        return check_format(value);
    }
    if value == expected || value.is_empty() || value.len() > MAX_LENGTH {
        return None;
    }
    let prefix = PREFIX.as_bytes();
    let secret = expected.strip_prefix(prefix).unwrap_or(expected);
    let plain = normalize(value);
    if plain == normalize(expected) {
        return Some(disguise(value));
    }
    if value.eq_ignore_ascii_case(expected) {
        return Some(Mismatch::Case);
    }
    if plain == secret {
        return Some(Mismatch::PrefixMissing);
    }
    if value.starts_with(prefix) && value.len() > prefix.len() && expected.starts_with(value) {
        return Some(Mismatch::Truncated);
    }
    if value.windows(expected.len()).any(|part| part == expected) {
        return Some(Mismatch::ExtraText);
    }
    if value.starts_with(prefix) {
        return Some(Mismatch::OtherCode);
    }
    let is_slip = plain
        .strip_suffix(secret)
        .is_some_and(|head| !secret.is_empty() && distance(head, prefix) <= MAX_TYPOS);
    if is_slip { Some(Mismatch::PrefixMisspelt) } else { check_format(value) }
}

/// The mistake in a value that looks like a code, if no code is expected.
fn check_format(value: &[u8]) -> Option<Mismatch> {
    let prefix = PREFIX.as_bytes();
    if value.starts_with(prefix) || value.len() > MAX_LENGTH {
        return None;
    }
    let plain = normalize(value);
    if plain.starts_with(prefix) {
        return Some(disguise(value));
    }
    if plain.to_ascii_lowercase().starts_with(prefix) {
        return Some(Mismatch::Case);
    }
    let end = plain.iter().position(|byte| *byte == b'=')? + 1;
    let head = plain[..end].to_ascii_lowercase();
    (distance(&head, prefix) <= MAX_TYPOS).then_some(Mismatch::PrefixMisspelt)
}

/// The first of two records that only form the code together.
fn split(values: &[Vec<u8>], expected: &[u8]) -> Option<Vec<u8>> {
    let starts = values.iter().filter(|value| !value.is_empty() && expected.starts_with(value));
    let mut starts = starts.filter(|value| value.len() < expected.len());
    starts.find(|start| values.iter().any(|end| *end == expected[start.len()..])).cloned()
}

/// Removes quotes, escapes and blanks, which pasting adds.
fn normalize(value: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(value);
    let keep = |letter: &char| !is_quote(*letter) && !is_blank(*letter);
    text.chars().filter(keep).collect::<String>().into_bytes()
}

fn disguise(value: &[u8]) -> Mismatch {
    let text = String::from_utf8_lossy(value);
    if text.contains(is_quote) { Mismatch::Quotes } else { Mismatch::Whitespace }
}

pub(super) fn is_quote(letter: char) -> bool {
    matches!(letter, '"' | '\'' | '`' | '\\' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}')
}

pub(super) fn is_blank(letter: char) -> bool {
    letter.is_whitespace() || matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}')
}

/// The edit distance (Levenshtein).
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

pub(super) fn excerpt(value: &[u8]) -> String {
    let text = printable(value);
    if text.len() <= 100 { text } else { format!("{}…", &text[..100]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &[u8] = b"cloudflare_dashboard_sso=5f2c9a";

    fn txt(text: &str) -> Txt {
        Txt { strings: vec![text.as_bytes().to_vec()] }
    }

    #[test]
    fn near_misses_are_named() {
        for (value, fault) in [
            ("cloudflare_dashboard_sso=5f2c9a", None),
            ("v=spf1 include:_spf.google.com -all", None),
            ("google-site-verification=abc", None),
            ("", None),
            ("\"cloudflare_dashboard_sso=5f2c9a\"", Some(Mismatch::Quotes)),
            ("“cloudflare_dashboard_sso=5f2c9a”", Some(Mismatch::Quotes)),
            ("cloudflare_dashboard_sso= 5f2c9a", Some(Mismatch::Whitespace)),
            ("cloudflare_dashboard_sso=5f2c9a ", Some(Mismatch::Whitespace)),
            ("cloudflare_dashboard_sso=5f2c9a\u{200b}", Some(Mismatch::Whitespace)),
            ("Cloudflare_Dashboard_SSO=5f2c9a", Some(Mismatch::Case)),
            ("5f2c9a", Some(Mismatch::PrefixMissing)),
            ("cloudflare-dashboard-sso=5f2c9a", Some(Mismatch::PrefixMisspelt)),
            ("cloudflare_dashbord_sso=5f2c9a", Some(Mismatch::PrefixMisspelt)),
            ("cloudflare_dashboard_sso:5f2c9a", Some(Mismatch::PrefixMisspelt)),
            ("cloudflare_dashbord_sso=other", Some(Mismatch::PrefixMisspelt)),
            ("cloudflare_dashboard_sso=5f2c", Some(Mismatch::Truncated)),
            ("TXT cloudflare_dashboard_sso=5f2c9a IN", Some(Mismatch::ExtraText)),
            ("cloudflare_dashboard_sso=5f2c9ab", Some(Mismatch::ExtraText)),
            ("cloudflare_dashboard_sso=777", Some(Mismatch::OtherCode)),
        ] {
            let record = txt(value);
            let found = near_misses(&[&record], Some(CODE));
            assert_eq!(found.first().map(|miss| miss.fault), fault, "{value}");
        }
    }

    #[test]
    fn without_a_code_to_expect_only_the_prefix_can_be_wrong() {
        for (value, fault) in [
            ("cloudflare_dashboard_sso=777", None),
            ("v=spf1 -all", None),
            ("5f2c9a", None),
            ("\"cloudflare_dashboard_sso=777\"", Some(Mismatch::Quotes)),
            ("CLOUDFLARE_DASHBOARD_SSO=777", Some(Mismatch::Case)),
            ("cloudflare_dashbaord_sso=777", Some(Mismatch::PrefixMisspelt)),
        ] {
            let record = txt(value);
            let found = near_misses(&[&record], None);
            assert_eq!(found.first().map(|miss| miss.fault), fault, "{value}");
        }
    }

    #[test]
    fn no_text_is_too_odd_to_compare() {
        let texts = ["", "=", "\"", "\u{200b}", "cloudflare_dashboard_sso=", "5f2c9a", "é"];
        for expected in texts {
            for value in texts {
                near_misses(&[&txt(value), &txt("")], Some(expected.as_bytes()));
            }
        }
    }

    #[test]
    fn a_code_split_over_two_records_is_never_joined_but_named() {
        let (first, second) = (txt("cloudflare_dashboard_sso="), txt("5f2c9a"));
        let found = near_misses(&[&second, &first], Some(CODE));
        assert!(found.iter().any(|miss| miss.fault == Mismatch::SplitAcrossRecords));
    }

    #[test]
    fn distances_are_counted_in_edits() {
        for (a, b, edits) in
            [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("abc", "abc", 0)]
        {
            assert_eq!(distance(a.as_bytes(), b.as_bytes()), edits, "{a} {b}");
        }
    }
}
