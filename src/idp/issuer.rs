//! An issuer of OpenID Connect, and where its discovery document stands. Pure.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::Serialize;
use url::Url;

use super::config::is_loopback;

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// An issuer: kept as it was written, since it has to be equal to what the IdP
/// says, trailing slash included (OpenID Connect Discovery 1.0, section 4.3).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Issuer(String);

/// Why a text is no issuer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no issuer: {wrong}")]
pub struct InvalidIssuer {
    text: String,
    wrong: Wrong,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Wrong {
    #[error("it is not a URL that starts with `https://`")]
    Url,
    #[error("it has a query or a fragment, which an issuer never has")]
    Query,
    #[error("it has a user name or password in it")]
    Credentials,
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let text = text.trim();
        let wrong = |wrong| Err(InvalidIssuer { text: text.to_owned(), wrong });
        let Ok(url) = Url::parse(text) else { return wrong(Wrong::Url) };
        let is_encrypted = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        if !is_encrypted || url.host().is_none() {
            return wrong(Wrong::Url);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return wrong(Wrong::Query);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(Wrong::Credentials);
        }
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Issuer {
    /// The issuer as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its document stands: a trailing slash goes before the well-known
    /// path is appended (OpenID Connect Discovery 1.0, section 4.1). The URL of
    /// the document itself is taken too.
    #[must_use]
    pub fn document(&self) -> Url {
        let base = self.0.strip_suffix(WELL_KNOWN).unwrap_or(&self.0);
        let url = format!("{}{WELL_KNOWN}", base.trim_end_matches('/'));
        url.parse().expect("an issuer is a URL without query, and stays one with a longer path")
    }

    /// Whether the document may name `named` as its issuer. Where the URL of
    /// the document was given, any issuer whose document that is may be named.
    #[must_use]
    pub fn admits(&self, named: &str) -> bool {
        if !self.0.ends_with(WELL_KNOWN) {
            return self.0 == named;
        }
        named.parse::<Self>().is_ok_and(|named| named.document() == self.document())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_stands_below_the_issuer() {
        for (issuer, document) in [
            ("https://a.cats", "https://a.cats/.well-known/openid-configuration"),
            ("https://a.cats/", "https://a.cats/.well-known/openid-configuration"),
            (
                "https://auth.cats/application/o/cf/",
                "https://auth.cats/application/o/cf/.well-known/openid-configuration",
            ),
            ("https://a.cats/realms/x", "https://a.cats/realms/x/.well-known/openid-configuration"),
            (
                " https://a.cats/.well-known/openid-configuration ",
                "https://a.cats/.well-known/openid-configuration",
            ),
            ("http://127.0.0.1:8/x", "http://127.0.0.1:8/x/.well-known/openid-configuration"),
        ] {
            let issuer: Issuer = issuer.parse().unwrap();
            assert_eq!(issuer.document().as_str(), document);
        }
    }

    #[test]
    fn an_issuer_is_admitted_only_to_the_letter() {
        for (given, named, expected) in [
            ("https://a.cats", "https://a.cats", true),
            ("https://a.cats", "https://a.cats/", false),
            ("https://a.cats/x/", "https://a.cats/x/", true),
            ("https://a.cats/x/", "https://a.cats/x", false),
            ("https://A.cats", "https://a.cats", false),
            ("https://a.cats/.well-known/openid-configuration", "https://a.cats/", true),
            ("https://a.cats/.well-known/openid-configuration", "https://a.cats", true),
            ("https://a.cats/.well-known/openid-configuration", "https://b.cats", false),
        ] {
            let issuer: Issuer = given.parse().unwrap();
            assert_eq!(issuer.admits(named), expected, "{given} {named}");
        }
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        for (text, why) in [
            ("", "not a URL"),
            ("a.cats", "not a URL"),
            ("http://a.cats", "not a URL"),
            ("https://", "not a URL"),
            ("https://a.cats/?x=1", "query"),
            ("https://a.cats/#x", "query"),
            ("https://user:pass@a.cats/", "password"),
        ] {
            let error = text.parse::<Issuer>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
