use std::fmt;
use std::str::FromStr;

const SUFFIX: &str = ".cloudflareaccess.com";

/// One DNS label, in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TeamName(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    #[error("`{text}` is more than the name; use `{name}`")]
    Whole { text: String, name: String },
    #[error("`{text}` cannot be a team name: {reason}")]
    Label { text: String, reason: &'static str },
}

impl TeamName {
    pub fn of_domain(auth_domain: &str) -> Option<Self> {
        auth_domain.strip_suffix(SUFFIX)?.parse().ok()
    }

    pub fn domain(&self) -> String {
        format!("{}{SUFFIX}", self.0)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TeamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for TeamName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let invalid = |reason| Err(InvalidName::Label { text: text.to_owned(), reason });
        if let Some(name) = parse(text) {
            return Err(InvalidName::Whole { text: text.to_owned(), name });
        }
        if text.is_empty() {
            return invalid("it is empty");
        }
        if text.len() > 63 {
            return invalid("it is longer than 63 characters");
        }
        if text.contains('.') {
            return invalid("it has a dot; it is the one label before `.cloudflareaccess.com`");
        }
        if text.starts_with('-') || text.ends_with('-') {
            return invalid("it begins or ends with a hyphen");
        }
        let is_plain =
            |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.bytes().any(|byte| byte.is_ascii_uppercase())
            && text.bytes().all(|byte| is_plain(byte.to_ascii_lowercase()))
        {
            return invalid("it has capitals; host names are written in lower case");
        }
        if !text.bytes().all(is_plain) {
            return invalid("it may contain the letters a to z, digits and hyphens");
        }
        Ok(Self(text.to_owned()))
    }
}

/// From a URL of the team, or from its domain.
fn parse(text: &str) -> Option<String> {
    let lower = text.trim().to_ascii_lowercase();
    let rest = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://"));
    let host = rest.unwrap_or(&lower).split(['/', '?', '#', ':']).next()?.trim_end_matches('.');
    let name = match (host.strip_suffix(SUFFIX), rest) {
        (Some(name), _) => name,
        (None, Some(_)) => host.split('.').next()?,
        (None, None) => return None,
    };
    name.parse::<TeamName>().ok().map(|name| name.0)
}

pub(super) fn word(domain: &str) -> String {
    TeamName::of_domain(domain).map_or_else(|| domain.to_owned(), |name| name.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_label_and_whatever_is_around_it_is_taken_off_and_offered() {
        let long = "a".repeat(64);
        for (text, expected) in [
            ("cooler-cats", Ok("cooler-cats")),
            ("7", Ok("7")),
            (&long[1..], Ok(&long[1..])),
            (&long, Err("longer than 63")),
            ("", Err("it is empty")),
            ("Cooler-Cats", Err("lower case")),
            ("-cats", Err("hyphen")),
            ("cats-", Err("hyphen")),
            ("cool cats", Err("a to z")),
            ("bücher", Err("a to z")),
            ("cool_cats", Err("a to z")),
            ("cats.example", Err("it has a dot")),
            ("cats.cloudflareaccess.com", Err("use `cats`")),
            ("https://Cats.cloudflareaccess.com/x?y", Err("use `cats`")),
            ("http://cats.cloudflareaccess.com:443", Err("use `cats`")),
            ("https://cats.example/", Err("use `cats`")),
            (".cloudflareaccess.com", Err("it has a dot")),
            ("https://", Err("a to z")),
        ] {
            match (text.parse::<TeamName>(), expected) {
                (Ok(name), Ok(expected)) => assert_eq!(name.as_str(), expected),
                (Err(error), Err(says)) => {
                    assert!(error.to_string().contains(says), "{text}: {error}");
                }
                (seen, expected) => panic!("{text}: {seen:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn a_domain_and_its_name_belong_together() {
        let name = TeamName::of_domain("cool-cats.cloudflareaccess.com").unwrap();
        assert_eq!(name.domain(), "cool-cats.cloudflareaccess.com");
        for other in ["cats.example", "", "cool-cats"] {
            assert_eq!(TeamName::of_domain(other), None, "{other}");
        }
    }
}
