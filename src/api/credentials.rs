//! The caller's credentials. Neither `Debug` nor errors show them.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::input::secret;

/// API reference, section 1.1.
#[derive(Clone)]
pub enum Credentials {
    /// Of a user or of an account.
    Token(SecretString),
    Key {
        email: String,
        key: SecretString,
    },
}

/// Why credentials cannot be sent, without their value. The API would only report a malformed
/// header (code 6003).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {what} {reason}")]
pub struct InvalidCredentials {
    what: &'static str,
    reason: String,
}

impl Credentials {
    /// The token's format is not checked: Cloudflare has changed it before.
    pub fn check(&self) -> Result<(), InvalidCredentials> {
        let invalid = |what, reason| InvalidCredentials { what, reason };
        match self {
            Self::Token(token) => {
                let token = token.expose_secret();
                check(token).map_err(|reason| invalid("API token", reason))?;
                if is_global_key(token) {
                    let reason = "is a Global API Key: set it as CLOUDFLARE_API_KEY, with \
                                  CLOUDFLARE_EMAIL";
                    return Err(invalid("API token", reason.to_owned()));
                }
            }
            Self::Key { email, key } => {
                let key = key.expose_secret();
                check(email).map_err(|reason| invalid("email address of the API key", reason))?;
                check(key).map_err(|reason| invalid("API key", reason))?;
                if TOKENS.iter().any(|prefix| key.starts_with(prefix)) {
                    let reason = "is an API token: set it as CLOUDFLARE_API_TOKEN";
                    return Err(invalid("API key", reason.to_owned()));
                }
            }
        }
        Ok(())
    }

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

    /// Whether this is the token or the key.
    pub fn is(&self, text: &str) -> bool {
        self.secret() == text
    }

    /// Whether a text starts as a token or a key does.
    pub fn has_prefix(text: &str) -> bool {
        TOKENS.iter().chain(&[KEY]).any(|prefix| text.starts_with(prefix))
    }

    pub(super) fn secret(&self) -> &str {
        match self {
            Self::Token(secret) | Self::Key { key: secret, .. } => secret.expose_secret(),
        }
    }
}

/// Prefixes of API tokens since 2026 (API reference, section 1.1).
const TOKENS: [&str; 2] = ["cfut_", "cfat_"];

/// Prefix of the Global API Key, likewise.
const KEY: &str = "cfk_";

/// `cfk_…`, or the 37 hexadecimal digits of older keys.
pub fn is_global_key(text: &str) -> bool {
    text.starts_with(KEY) || text.len() == 37 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn check(value: &str) -> Result<(), String> {
    secret::check(value).map_err(|unfit| unfit.to_string())?;
    for (character, position) in value.chars().zip(1..) {
        if character == ' ' {
            return Err(format!("contains a space at position {position}"));
        }
        if matches!(character, '"' | '\'' | '`' | '\\') {
            return Err(format!("contains `{character}` at position {position}"));
        }
        if !character.is_ascii() {
            return Err(format!("contains a character that is not ASCII at position {position}"));
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
            (" plantedvalue", Some("starts with a space")),
            ("planted value", Some("contains a space at position 8")),
            ("plantedvalue\n", Some("ends with a line feed")),
            ("plantedvalue\r\n", Some("more than one line (line break at position 13)")),
            ("planted\u{a0}value", Some("no-break space (U+00A0) at position 8")),
            ("planted\u{0}value", Some("NUL (U+0000) at position 8")),
            ("\"plantedvalue\"", Some("quotes")),
            ("'plantedvalue'", Some("quotes")),
            ("\u{201c}plantedvalue\u{201d}", Some("quotes")),
            ("planted\u{e9}value", Some("not ASCII at position 8")),
            ("TOKEN=plantedvalue", Some("starts with a name (`=` at position 6)")),
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

    #[test]
    fn a_key_given_as_a_token_is_named_and_the_other_way_round() {
        let key = |text: &str| Credentials::Key { email: "a@b.test".into(), key: text.into() };
        for (credentials, variable) in [
            (Credentials::Token("cfk_0123456789".into()), Some("CLOUDFLARE_API_KEY")),
            (
                Credentials::Token("0123456789abcdef0123456789abcdef01234".into()),
                Some("CLOUDFLARE_API_KEY"),
            ),
            (key("cfut_0123456789"), Some("CLOUDFLARE_API_TOKEN")),
            (key("cfat_0123456789"), Some("CLOUDFLARE_API_TOKEN")),
            (key("0123456789abcdef0123456789abcdef01234"), None),
            (Credentials::Token("cfut_0123456789".into()), None),
        ] {
            let error = credentials.check().err().map(|error| error.to_string());
            assert_eq!(error.is_some(), variable.is_some(), "{error:?}");
            assert!(error.unwrap_or_default().contains(variable.unwrap_or_default()));
        }
    }
}
