//! OpenID Connect issuers and the URLs of their discovery documents.

use std::fmt;
use std::str::FromStr;

use url::Url;

use super::config::is_loopback;
use crate::input::value::{self, Invisible};

const WELL_KNOWN: &str = "/.well-known/openid-configuration";

/// The path of RFC 8414; its document is also at the path of OpenID Connect.
const OAUTH: &str = "/.well-known/oauth-authorization-server";

/// Kept as written: it must equal the IdP's value, trailing slash included (OpenID Connect
/// Discovery 1.0, section 4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Issuer(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an issuer: {wrong}")]
pub struct InvalidIssuer {
    text: String,
    wrong: IssuerProblem,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum IssuerProblem {
    #[error("it is not a URL that starts with `https://`")]
    Url,
    #[error("it has a query or a fragment, which an issuer never has")]
    Query,
    #[error("it contains a space")]
    Space,
    #[error("{0}")]
    Invisible(Invisible),
    #[error("it has a user name or password in it")]
    Credentials,
}

impl FromStr for Issuer {
    type Err = InvalidIssuer;

    fn from_str(text: &str) -> Result<Self, InvalidIssuer> {
        let trimmed = value::trim(text);
        let wrong = |wrong| Err(InvalidIssuer { text: value::visible(text.trim()), wrong });
        let text = match trimmed {
            Ok(text) if text.contains(' ') => return wrong(IssuerProblem::Space),
            Ok(text) => text,
            Err(invisible) => return wrong(IssuerProblem::Invisible(invisible)),
        };
        let Ok(url) = Url::parse(text) else { return wrong(IssuerProblem::Url) };
        let is_encrypted = url.scheme() == "https" || url.scheme() == "http" && is_loopback(&url);
        if !is_encrypted || url.host().is_none() {
            return wrong(IssuerProblem::Url);
        }
        // A document's own URL may have a query: Entra and Azure B2C use one.
        let is_document = url.path().ends_with(WELL_KNOWN);
        if url.fragment().is_some() || url.query().is_some() && !is_document {
            return wrong(IssuerProblem::Query);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return wrong(IssuerProblem::Credentials);
        }
        Ok(Self(from_oauth_metadata_url(text)))
    }
}

/// The issuer of an RFC 8414 document, whose well-known path precedes the issuer's path (section
/// 3.1); many products append it instead.
fn from_oauth_metadata_url(text: &str) -> String {
    match text.split_once(OAUTH) {
        Some((origin, path)) => format!("{origin}{path}{WELL_KNOWN}"),
        None => text.to_owned(),
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Issuer {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The well-known path replaces a trailing slash (OpenID Connect Discovery 1.0, section 4.1).
    /// The URL of a document is returned as it is.
    pub fn document(&self) -> Url {
        if self.is_document() {
            return self.0.parse().expect("it was parsed before");
        }
        let base = &self.0;
        let url = format!("{}{WELL_KNOWN}", base.trim_end_matches('/'));
        url.parse().expect("an issuer is a URL without query, and stays one with a longer path")
    }

    /// If the document's URL was given, any issuer with that document matches.
    pub fn matches(&self, named: &str) -> bool {
        if !self.is_document() {
            return self.0 == named;
        }
        let mut own = self.document();
        own.set_query(None);
        named.parse::<Self>().is_ok_and(|named| named.document() == own)
    }

    /// The issuer of the document whose URL was given.
    pub fn without_document(&self) -> String {
        let path = self.0.split('?').next().unwrap_or_default();
        path.strip_suffix(WELL_KNOWN).unwrap_or(path).to_owned()
    }

    fn is_document(&self) -> bool {
        self.0.split('?').next().is_some_and(|path| path.ends_with(WELL_KNOWN))
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
            (
                "https://b2c.cats/t/v2.0/.well-known/openid-configuration?p=b2c_1",
                "https://b2c.cats/t/v2.0/.well-known/openid-configuration?p=b2c_1",
            ),
            (
                "https://a.cats/x/.well-known/oauth-authorization-server",
                "https://a.cats/x/.well-known/openid-configuration",
            ),
            (
                "https://a.cats/.well-known/oauth-authorization-server/x",
                "https://a.cats/x/.well-known/openid-configuration",
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
            ("https://a.cats/x/.well-known/openid-configuration?appid=1", "https://a.cats/x", true),
            ("https://a.cats/x/.well-known/oauth-authorization-server", "https://a.cats/x", true),
        ] {
            let issuer: Issuer = given.parse().unwrap();
            assert_eq!(issuer.matches(named), expected, "{given} {named}");
        }
    }

    #[test]
    fn what_is_no_issuer_is_refused() {
        for (text, reason) in [
            ("", "not a URL"),
            ("a.cats", "not a URL"),
            ("http://a.cats", "not a URL"),
            ("https://", "not a URL"),
            ("https://a.cats/?x=1", "query"),
            ("https://a.cats/#x", "query"),
            ("https://a.cats/a b", "a space"),
            ("https://a.cats/\u{200b}", "zero-width space"),
            ("https://user:pass@a.cats/", "password"),
        ] {
            let error = text.parse::<Issuer>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }
}
