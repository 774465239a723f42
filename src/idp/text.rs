//! Detects texts that are invalid for their type, and suggests what was probably meant.

use url::Url;

use super::kind::Value;
use crate::input::character::{describe, is_invisible};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Misfit {
    #[error("contains a {} at position {position}", describe(*.character))]
    Invisible {
        character: char,
        /// From 1.
        position: usize,
    },
    #[error("is not a UUID")]
    NoUuid,
    #[error("is a UUID, the ID of the secret: copy its value instead, which is shown only once")]
    SecretId,
    #[error("is an email address, not a domain")]
    Address,
    #[error("is a URL, not a domain")]
    NotDomain,
    #[error("is the address of the Okta admin console, not of the organization")]
    Admin,
    #[error("must start with `https://`")]
    NoScheme,
    #[error("has a path (`{0}`)")]
    Path(String),
    #[error("has a fragment (`#`)")]
    Fragment,
}

/// The problem of a text, and the text that was probably meant.
pub fn misfit(value: Value, text: &str) -> Option<(Misfit, Option<String>)> {
    let is_sentence = matches!(value, Value::Text | Value::List | Value::NotUuid);
    if let Some(found) = invisible(text, is_sentence) {
        let suggestion = text.trim_matches(is_invisible);
        let is_shorter = !suggestion.is_empty() && suggestion.len() < text.len();
        let is_clean = is_shorter && misfit(value, suggestion).is_none();
        return Some((found, is_clean.then(|| suggestion.to_owned())));
    }
    match value {
        Value::Identifier | Value::Url => fragment(text),
        Value::Uuid => (!is_uuid(text)).then(|| (Misfit::NoUuid, uuid_in(text))),
        Value::NotUuid => is_uuid(text).then_some((Misfit::SecretId, None)),
        Value::Domain => domain(text),
        Value::Origin => origin(text),
        _ => None,
    }
}

fn invisible(text: &str, is_sentence: bool) -> Option<Misfit> {
    let last = text.chars().count();
    let is_between = |position: usize| position > 1 && position < last;
    let mut characters = text.chars().zip(1..);
    let found = characters.find(|(character, position)| {
        is_invisible(*character) && !(is_sentence && *character == ' ' && is_between(*position))
    });
    found.map(|(character, position)| Misfit::Invisible { character, position })
}

fn fragment(text: &str) -> Option<(Misfit, Option<String>)> {
    let (before, _) = text.split_once('#')?;
    let is_url = before.contains("://");
    is_url.then(|| (Misfit::Fragment, Some(before.to_owned())))
}

pub fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    lengths.eq([8, 4, 4, 4, 12]) && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// Also finds a UUID in a URL, in braces or without hyphens.
fn uuid_in(text: &str) -> Option<String> {
    let mut words = text.split(|c: char| c != '-' && !c.is_ascii_hexdigit());
    if let Some(uuid) = words.find(|word| is_uuid(word)) {
        return Some(uuid.to_owned());
    }
    let is_bare = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_bare.then(|| [&text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..]].join("-"))
}

fn domain(text: &str) -> Option<(Misfit, Option<String>)> {
    if let Ok(url) = Url::parse(text)
        && let Some(host) = url.host_str()
    {
        return Some((Misfit::NotDomain, Some(host.to_owned())));
    }
    let (_, domain) = text.rsplit_once('@')?;
    Some((Misfit::Address, (!domain.is_empty()).then(|| domain.to_owned())))
}

fn origin(text: &str) -> Option<(Misfit, Option<String>)> {
    let url = Url::parse(text).ok().filter(|url| url.host().is_some());
    let Some(url) = url else {
        let whole = format!("https://{}", text.trim_start_matches('/'));
        let is_host = Url::parse(&whole).is_ok_and(|url| {
            url.username().is_empty() && url.host_str().is_some_and(|host| host.contains('.'))
        });
        let suggestion =
            is_host.then(|| origin(&whole).map_or(Some(whole), |(_, suggestion)| suggestion));
        return Some((Misfit::NoScheme, suggestion.flatten()));
    };
    if url.scheme() != "https" || !url.username().is_empty() || url.password().is_some() {
        return None;
    }
    if let Some(suggestion) = organization_of_admin(&url) {
        return Some((Misfit::Admin, Some(suggestion)));
    }
    let path = &url[url::Position::BeforePath..];
    (path != "/").then(|| (Misfit::Path(path.to_owned()), Some(url.origin().ascii_serialization())))
}

/// The organization's URL for the URL of Okta's admin console.
pub fn organization_of_admin(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|host| host.contains("-admin.okta"))?;
    Some(format!("https://{}", host.replacen("-admin.okta", ".okta", 1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "11111111-2222-4333-8444-555555555555";

    #[test]
    fn what_a_text_can_never_be_is_told_with_what_was_meant() {
        for (value, text, problem, suggestion) in [
            (Value::Identifier, " 0oa1", "contains a space (U+0020) at position 1", Some("0oa1")),
            (Value::Identifier, "0oa 1", "contains a space (U+0020) at position 4", None),
            (
                Value::Identifier,
                "0oa1\u{200b}",
                "contains a zero-width space (U+200B) at position 5",
                Some("0oa1"),
            ),
            (
                Value::Identifier,
                "https://a.cats/id#x",
                "has a fragment (`#`)",
                Some("https://a.cats/id"),
            ),
            (Value::Text, "email ", "contains a space (U+0020) at position 6", Some("email")),
            (Value::Text, "e\tmail", "contains a tab (U+0009) at position 2", None),
            (
                Value::Url,
                "https://a.cats/x\n",
                "contains a line feed (U+000A) at position 17",
                Some("https://a.cats/x"),
            ),
            (Value::Url, "https://a.cats/a b", "contains a space (U+0020) at position 17", None),
            (Value::Url, "https://a.cats/x#y", "has a fragment (`#`)", Some("https://a.cats/x")),
            (Value::Uuid, "common", "is not a UUID", None),
            (
                Value::Uuid,
                "https://login.microsoftonline.com/11111111-2222-4333-8444-555555555555/v2.0",
                "is not a UUID",
                Some(UUID),
            ),
            (Value::Uuid, "11111111222243338444555555555555", "is not a UUID", Some(UUID)),
            (Value::Uuid, "{11111111-2222-4333-8444-555555555555}", "is not a UUID", Some(UUID)),
            (
                Value::NotUuid,
                UUID,
                "is a UUID, the ID of the secret: copy its value instead, which is shown only once",
                None,
            ),
            (
                Value::Domain,
                "ann@cool.cats",
                "is an email address, not a domain",
                Some("cool.cats"),
            ),
            (Value::Domain, "@cool.cats", "is an email address, not a domain", Some("cool.cats")),
            (Value::Domain, "https://cool.cats/", "is a URL, not a domain", Some("cool.cats")),
            (
                Value::Origin,
                "https://cats-admin.okta.com/admin/dashboard",
                "is the address of the Okta admin console, not of the organization",
                Some("https://cats.okta.com"),
            ),
            (
                Value::Origin,
                "cats-admin.oktapreview.com",
                "must start with `https://`",
                Some("https://cats.oktapreview.com"),
            ),
            (
                Value::Origin,
                "cats.okta.com",
                "must start with `https://`",
                Some("https://cats.okta.com"),
            ),
            (Value::Origin, "cats", "must start with `https://`", None),
            (
                Value::Origin,
                "https://cats.okta.com/oauth2/default",
                "has a path (`/oauth2/default`)",
                Some("https://cats.okta.com"),
            ),
        ] {
            let (misfit, fix) = misfit(value, text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(
                (misfit.to_string().as_str(), fix.as_deref()),
                (problem, suggestion),
                "{text}"
            );
        }
    }

    #[test]
    fn what_providers_issue_is_taken() {
        for (value, text) in [
            (Value::Identifier, "0oa1bcd.apps.googleusercontent.com"),
            (Value::Identifier, "urn:cats#1"),
            (Value::Text, "Email Address"),
            (Value::Text, ""),
            (Value::Url, "https://a.cats/x?y=1"),
            (Value::Uuid, UUID),
            (Value::NotUuid, "Abc8Q~dEf_gh-IJ.kl"),
            (Value::Domain, "cool.cats"),
            (Value::Origin, "https://cats.okta.com"),
            (Value::Origin, "https://cats.okta.com/"),
            (Value::Origin, "https://login.cool.cats"),
        ] {
            assert_eq!(misfit(value, text), None, "{text}");
        }
    }
}
