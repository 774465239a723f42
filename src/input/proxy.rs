//! The proxy of the environment. An invalid one is an error: no request bypasses it.

use std::fmt;

use reqwest::{NoProxy, Proxy};
use url::Url;

use super::character::{describe, is_invisible};

/// Not validated yet.
#[derive(Clone, Default)]
pub struct ProxySettings {
    pub proxy: Option<(&'static str, String)>,
    /// Hosts that are reached directly (`NO_PROXY`).
    pub exceptions: Option<String>,
}

/// Why a proxy cannot be used. The value may contain a password and is not shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{variable}` is not a proxy: {reason}")]
pub struct InvalidProxy {
    variable: &'static str,
    reason: String,
}

impl ProxySettings {
    /// Validates the proxy. `None`: the system's settings apply.
    pub fn checked(&self) -> Result<Option<Proxy>, InvalidProxy> {
        let Some((variable, value)) = &self.proxy else { return Ok(None) };
        let invalid = |reason| InvalidProxy { variable, reason };
        let url = check(value).map_err(invalid)?;
        let proxy = Proxy::all(url).map_err(|error| invalid(error.to_string()))?;
        let exceptions = self.exceptions.as_deref().and_then(NoProxy::from_string);
        Ok(Some(proxy.no_proxy(exceptions)))
    }
}

fn check(value: &str) -> Result<Url, String> {
    if let Some((at, hidden)) = value.chars().enumerate().find(|(_, c)| is_invisible(*c)) {
        return Err(format!("it contains {} at position {}", describe(hidden), at + 1));
    }
    if value.contains(['"', '\'', '`']) {
        return Err("it is in quotes".to_owned());
    }
    // As in curl, the default scheme is HTTP.
    let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let url = Url::parse(&text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => Ok(url),
        "http" | "https" => Err("it has no host".to_owned()),
        scheme => Err(format!("`{scheme}` is not supported, use `http` or `https`")),
    }
}

impl fmt::Debug for ProxySettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ProxySettings").field(&self.proxy.as_ref().map(|(name, _)| name)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_that_cannot_be_used_names_its_variable() {
        for (value, problem) in [
            ("http://proxy.cool.cats:3128", None),
            ("proxy.cool.cats:3128", None),
            ("http://ada:s3cret@proxy.cool.cats", None),
            ("\"http://proxy.cool.cats\"", Some("it is in quotes")),
            ("http://proxy.cool.cats ", Some("it contains space (U+0020) at position 23")),
            ("http://proxy.cool.cats:99999", Some("invalid port number")),
            ("socks5://proxy.cool.cats", Some("`socks5` is not supported, use `http` or `https`")),
            ("http://", Some("empty host")),
        ] {
            let proxy = Some(("HTTPS_PROXY", value.to_owned()));
            let settings = ProxySettings { proxy, exceptions: None };
            assert!(!format!("{settings:?}").contains("s3cret"));
            let error = settings.checked().err().map(|error| error.to_string());
            let expected = problem.map(|it| format!("`HTTPS_PROXY` is not a proxy: {it}"));
            assert_eq!(error, expected, "{value}");
        }
    }
}
