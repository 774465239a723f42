//! What proves who is calling. Shown nowhere: not by `Debug`, not by errors.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

/// A token, or an account's Global API Key (API reference, section 1.1).
#[derive(Clone)]
pub enum Credentials {
    /// An API token, of a user or of an account.
    Token(SecretString),
    /// The Global API Key and the e-mail address it belongs to.
    Key {
        /// The user's e-mail address.
        email: String,
        /// The key.
        key: SecretString,
    },
}

/// Why credentials cannot be sent. The API would only say that a header is
/// malformed (code 6003); this says what is wrong, and never shows the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} {reason}")]
pub struct InvalidCredentials {
    what: &'static str,
    reason: &'static str,
}

impl Credentials {
    /// Whether the values can be sent. The token's format is not checked:
    /// Cloudflare has changed it before.
    pub fn check(&self) -> Result<(), InvalidCredentials> {
        let invalid = |what| move |reason| InvalidCredentials { what, reason };
        match self {
            Self::Token(token) => check(token.expose_secret()).map_err(invalid("API token")),
            Self::Key { email, key } => {
                check(email).map_err(invalid("e-mail address of the API key"))?;
                check(key.expose_secret()).map_err(invalid("API key"))
            }
        }
    }

    /// The headers that carry them.
    pub(super) fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Self::Token(token) => {
                vec![("authorization", format!("Bearer {}", token.expose_secret()))]
            }
            Self::Key { email, key } => vec![
                ("x-auth-email", email.clone()),
                ("x-auth-key", key.expose_secret().to_owned()),
            ],
        }
    }

    /// The value that must not be seen.
    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Token(secret) | Self::Key { key: secret, .. } => secret.expose_secret(),
        }
    }
}

fn check(value: &str) -> Result<(), &'static str> {
    if value.is_empty() {
        return Err("is empty");
    }
    for character in value.chars() {
        if character.is_whitespace() {
            return Err("has blanks or line breaks in it or around it");
        }
        if character.is_control() {
            return Err("has control characters in it");
        }
        if matches!(character, '"' | '\'' | '`' | '\\') {
            return Err("has quotes in it or around it");
        }
        if !character.is_ascii() {
            return Err("has characters other than ASCII in it");
        }
    }
    Ok(())
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token([masked])",
            Self::Key { .. } => "Key([masked])",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_sent_is_refused_without_being_shown() {
        for (value, words) in [
            ("plantedvalue", None),
            ("planted_value-40.x~", None),
            ("", Some("is empty")),
            (" plantedvalue", Some("blanks")),
            ("planted value", Some("blanks")),
            ("plantedvalue\n", Some("blanks")),
            ("plantedvalue\r\n", Some("blanks")),
            ("planted\u{a0}value", Some("blanks")),
            ("planted\u{0}value", Some("control")),
            ("\"plantedvalue\"", Some("quotes")),
            ("'plantedvalue'", Some("quotes")),
            ("\u{201c}plantedvalue\u{201d}", Some("ASCII")),
        ] {
            let token = Credentials::Token(value.into());
            let key = Credentials::Key { email: "a@b.test".to_owned(), key: value.into() };
            for credentials in [token, key] {
                let shown = format!("{credentials:?}");
                assert!(!shown.contains("planted") && !shown.contains("a@b"), "{shown}");
                match (words, credentials.check()) {
                    (None, checked) => assert_eq!(checked, Ok(())),
                    (Some(words), checked) => {
                        let message = checked.unwrap_err().to_string();
                        assert!(message.contains(words), "{value:?}: {message}");
                        assert!(!message.contains("planted"), "{message}");
                    }
                }
            }
        }
    }
}
