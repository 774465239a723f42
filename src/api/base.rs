//! The API's base URL. One that would send the token unencrypted over a network is refused.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

use crate::input::value::{self, Invisible};

/// Includes the path prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBaseUrl {
    /// The text is not shown: it may contain a password.
    #[error("invalid API base URL")]
    Unreadable(#[source] url::ParseError),
    #[error("API base URL with the scheme `{0}`; it must be `https`")]
    Scheme(String),
    #[error(
        "API base URL with `http` to `{0}`: the token would be sent unencrypted; \
         use `https` (`http` is allowed to `localhost`, 127.0.0.0/8 and [::1] only)"
    )]
    PlainHttp(String),
    #[error("the API base URL contains a user name or password; pass the token by its own setting")]
    UserInfo,
    #[error("invalid API base URL: {0}")]
    Invisible(Invisible),
    #[error("the API base URL has a query or a fragment")]
    Query,
}

impl BaseUrl {
    pub fn join<'a>(
        &self,
        segments: impl IntoIterator<Item = &'a str>,
        query: &[(&str, String)],
    ) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    pub fn host(&self) -> String {
        let host = self.0.host_str().unwrap_or_default();
        match self.0.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_owned(),
        }
    }

    pub fn plain_http_origin(&self) -> Option<String> {
        self.is_plain_http().then(|| self.0.origin().ascii_serialization())
    }

    /// Whether the URL is unencrypted (loopback only).
    pub fn is_plain_http(&self) -> bool {
        self.0.scheme() == "http"
    }
}

/// The address of the public API (API reference, first section).
impl Default for BaseUrl {
    fn default() -> Self {
        "https://api.cloudflare.com/client/v4".parse().expect("this literal is valid")
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidBaseUrl;

    fn from_str(text: &str) -> Result<Self, InvalidBaseUrl> {
        let text = value::trim(text).map_err(InvalidBaseUrl::Invisible)?;
        let url = Url::parse(text).map_err(InvalidBaseUrl::Unreadable)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBaseUrl::UserInfo);
        }
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) => {}
            "http" => {
                let host = url.host_str().unwrap_or_default().to_owned();
                return Err(InvalidBaseUrl::PlainHttp(host));
            }
            other => return Err(InvalidBaseUrl::Scheme(other.to_owned())),
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::Query);
        }
        Ok(Self(url))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_may_be_plain() {
        for (text, refusal) in [
            ("https://api.cloudflare.com/client/v4", None),
            ("https://[2001:db8::1]:8443/x/", None),
            ("http://localhost:8080/client/v4", None),
            ("http://LOCALHOST/", None),
            ("http://127.0.0.1:1", None),
            ("http://127.255.0.9", None),
            ("http://[::1]:9/client/v4", None),
            ("http://api.cloudflare.com/client/v4", Some("unencrypted")),
            ("http://localhost.evil.test", Some("unencrypted")),
            ("http://127.0.0.1.evil.test", Some("unencrypted")),
            ("http://128.0.0.1", Some("unencrypted")),
            ("http://0.0.0.0", Some("unencrypted")),
            ("http://[::ffff:8.8.8.8]", Some("unencrypted")),
            ("http://localhost@evil.test", Some("user name")),
            ("https://user:pass@api.cloudflare.com", Some("user name")),
            ("https://api.cloudflare.com/?a=b", Some("query")),
            ("https://api.cloudflare.com/#a", Some("query")),
            ("ftp://api.cloudflare.com", Some("scheme")),
            ("file:///etc/passwd", Some("scheme")),
            ("api.cloudflare.com", Some("invalid")),
            ("", Some("invalid")),
        ] {
            let parsed = text.parse::<BaseUrl>();
            match refusal {
                None => assert!(parsed.is_ok(), "{text}: {parsed:?}"),
                Some(words) => {
                    let message = parsed.unwrap_err().to_string();
                    assert!(message.contains(words), "{text}: {message}");
                    assert!(!message.contains("pass@"), "{message}");
                }
            }
        }
    }

    #[test]
    fn segments_are_encoded_once_and_slashes_do_not_double() {
        for base in ["https://a.test/client/v4", "https://a.test/client/v4/"] {
            let base: BaseUrl = base.parse().unwrap();
            let query = [("name", "a&b c".to_owned())];
            assert_eq!(
                base.join(["zones", "a/b c%2F?#é"], &query).as_str(),
                "https://a.test/client/v4/zones/a%2Fb%20c%252F%3F%23%C3%A9?name=a%26b+c"
            );
            assert_eq!(base.to_string(), "https://a.test/client/v4");
        }
        assert_eq!(BaseUrl::default().to_string(), "https://api.cloudflare.com/client/v4");
        assert_eq!(BaseUrl::default().host(), "api.cloudflare.com");
    }
}
