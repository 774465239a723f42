//! Fetches documents of an IdP within limits: only `https`, only hosts of the configuration, no
//! private addresses, limited size and time. A check must not give access to the local network.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::Chain;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT, LOCATION};
use rustls::ClientConfig;
use serde_json::Value;
use tokio::time::timeout;
use url::{Host, Url};

use super::address::is_public;
use super::config::is_loopback;
use super::vendor::is_hosted;

#[derive(Clone, Copy, Debug)]
pub struct FetchLimits {
    /// Per page, redirects included.
    pub time: Duration,
    /// In bytes.
    pub body: usize,
    pub redirects: usize,
    pub loopback: LoopbackPolicy,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(5),
            body: 1024 * 1024,
            redirects: 3,
            loopback: LoopbackPolicy::Refused,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoopbackPolicy {
    /// Treated like any private address.
    Refused,
    /// Loopback URLs are fetched, also over `http`: for the sandbox.
    Allowed,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(BTreeSet<String>);

impl AllowedHosts {
    pub fn of<'a>(urls: impl IntoIterator<Item = &'a Url>) -> Self {
        Self(urls.into_iter().filter_map(Url::host_str).map(str::to_owned).collect())
    }

    pub fn admit(&self, url: &Url) -> bool {
        url.host_str().is_some_and(|host| self.0.contains(host))
    }
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    #[error("`{url}` was not requested: it does not start with `https://`")]
    PlainHttp { url: String },
    #[error("`{host}` was not requested: it is not in the configuration")]
    OtherHost { host: String },
    #[error("`{host}` was not requested: {address} is not a public address")]
    PrivateAddress { host: String, address: IpAddr },
    #[error("`{host}` redirects more than {limit} times")]
    Redirects { host: String, limit: usize },
    #[error("`{from}` redirects to `{to}`")]
    Redirected { from: String, to: String, source: Box<Self> },
    #[error("`{host}` did not respond within {limit:?}")]
    Timeout { host: String, limit: Duration },
    #[error("`{host}` cannot be reached: {reason}")]
    Unreachable { host: String, reason: String },
    #[error("`{host}` sent more than {limit} bytes")]
    TooLarge { host: String, limit: usize },
    #[error("`{host}` returned HTTP {status}{}", message.as_ref().map(|message| format!(": {message}")).unwrap_or_default())]
    Status {
        host: String,
        status: u16,
        /// The message of an OAuth error in JSON (RFC 6749 section 5.2).
        message: Option<String>,
    },
}

impl FetchError {
    /// No response, or a server failure.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Redirected { source, .. } => source.is_unreachable(),
            Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::Status { status: 500.., .. } => true,
            _ => false,
        }
    }

    /// Refused before sending, so nothing is known about the IdP.
    pub fn was_not_sent(&self) -> bool {
        match self {
            Self::PlainHttp { .. } | Self::OtherHost { .. } | Self::PrivateAddress { .. } => true,
            Self::Redirected { source, .. } => source.was_not_sent(),
            Self::Redirects { .. }
            | Self::Timeout { .. }
            | Self::Unreachable { .. }
            | Self::TooLarge { .. }
            | Self::Status { .. } => false,
        }
    }
}

pub struct Fetcher {
    tls: ClientConfig,
    limits: FetchLimits,
    proxy: Option<reqwest::Proxy>,
    simulator: Option<Url>,
}

impl Fetcher {
    pub fn new(tls: ClientConfig, limits: FetchLimits) -> Self {
        Self { tls, limits, proxy: None, simulator: None }
    }

    pub fn by(mut self, proxy: Option<reqwest::Proxy>) -> Self {
        self.proxy = proxy;
        self
    }

    /// `simulator` answers in place of hosted products.
    pub fn with_simulator(mut self, simulator: Option<Url>) -> Self {
        self.simulator = simulator;
        self
    }

    /// Follows redirects.
    pub async fn read(&self, url: &Url, hosts: &AllowedHosts) -> Result<Vec<u8>, FetchError> {
        self.in_time(url, self.follow(url, hosts)).await
    }

    /// Redirects are not followed: they count as a response.
    pub async fn status(&self, url: &Url, hosts: &AllowedHosts) -> Result<u16, FetchError> {
        self.in_time(url, async { Ok(self.send(url, hosts).await?.status().as_u16()) }).await
    }

    async fn in_time<T>(
        &self,
        url: &Url,
        work: impl Future<Output = Result<T, FetchError>>,
    ) -> Result<T, FetchError> {
        let late = |_| FetchError::Timeout { host: host(url), limit: self.limits.time };
        timeout(self.limits.time, work).await.map_err(late)?
    }

    async fn follow(&self, start: &Url, hosts: &AllowedHosts) -> Result<Vec<u8>, FetchError> {
        let mut at = start.clone();
        let mut response = self.send(&at, hosts).await?;
        for _ in 0..self.limits.redirects {
            let Some(next) = target(&at, &response) else { return self.body(&at, response).await };
            let redirected = |source| FetchError::Redirected {
                from: host(&at),
                to: format!("{}://{}", next.scheme(), host(&next)),
                source: Box::new(source),
            };
            // A public page must not redirect to this machine.
            if is_loopback(&next) && !is_loopback(&at) {
                let source = FetchError::OtherHost { host: host(&next) };
                return Err(redirected(source));
            }
            response = self.send(&next, hosts).await.map_err(redirected)?;
            at = next;
        }
        if target(&at, &response).is_some() {
            return Err(FetchError::Redirects { host: host(start), limit: self.limits.redirects });
        }
        self.body(&at, response).await
    }

    /// Connects only to an address that was checked.
    async fn send(&self, url: &Url, hosts: &AllowedHosts) -> Result<reqwest::Response, FetchError> {
        let simulated = self.simulated(url).filter(|_| hosts.admit(url));
        let of_simulator = simulated.as_ref().map(|url| AllowedHosts::of([url]));
        let (url, hosts) =
            (simulated.as_ref().unwrap_or(url), of_simulator.as_ref().unwrap_or(hosts));
        let loopback = self.limits.loopback == LoopbackPolicy::Allowed && is_loopback(url);
        ensure_allowed(url, hosts, loopback)?;
        let failed = |error: &reqwest::Error| failure(url, error);
        let client = self.client(url, loopback).map_err(|error| failed(&error))?;
        let request = client.get(url.clone()).header(ACCEPT, "application/json, */*;q=0.5");
        request.send().await.map_err(|error| failed(&error))
    }

    fn simulated(&self, url: &Url) -> Option<Url> {
        let simulator = self.simulator.as_ref()?;
        let host = url.host_str().filter(|host| is_hosted(host))?;
        simulator.join(&format!("/hosted/{host}{}", url.path())).ok()
    }

    fn client(&self, url: &Url, loopback: bool) -> Result<reqwest::Client, reqwest::Error> {
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .dns_resolver(AddressGuard { host: host(url), loopback })
            .user_agent(concat!("cfsso/", env!("CARGO_PKG_VERSION")));
        match &self.proxy {
            _ if loopback => client.no_proxy(),
            Some(proxy) => client.proxy(proxy.clone()),
            None => client,
        }
        .build()
    }

    async fn body(
        &self,
        url: &Url,
        mut response: reqwest::Response,
    ) -> Result<Vec<u8>, FetchError> {
        let limit = self.limits.body;
        let large = || FetchError::TooLarge { host: host(url), limit };
        if response.content_length().is_some_and(|length| length > limit as u64) {
            return Err(large());
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(url, &error))? {
            if body.len() + chunk.len() > limit {
                return Err(large());
            }
            body.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok(body);
        }
        Err(FetchError::Status {
            host: host(url),
            status: response.status().as_u16(),
            message: body_excerpt(&body),
        })
    }
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn ensure_allowed(url: &Url, hosts: &AllowedHosts, loopback: bool) -> Result<(), FetchError> {
    if url.scheme() != "https" && !(loopback && url.scheme() == "http") {
        let url = format!("{}://{}", url.scheme(), host(url));
        return Err(FetchError::PlainHttp { url });
    }
    if !hosts.admit(url) {
        return Err(FetchError::OtherHost { host: host(url) });
    }
    let address = match url.host() {
        Some(Host::Ipv4(address)) => IpAddr::V4(address),
        Some(Host::Ipv6(address)) => IpAddr::V6(address),
        // Checked here, since a proxy would resolve the name itself.
        Some(Host::Domain(_)) if is_loopback(url) && !loopback => Ipv4Addr::LOCALHOST.into(),
        _ => return Ok(()),
    };
    check_addresses(&[address], loopback)
        .map_err(|address| FetchError::PrivateAddress { host: host(url), address })
}

/// Returns an address that is not allowed, if any. One is enough to refuse the name: which of its
/// addresses is used is random.
fn check_addresses(addresses: &[IpAddr], loopback: bool) -> Result<(), IpAddr> {
    let may = |address: &IpAddr| {
        if loopback { address.is_loopback() } else { is_public(*address) }
    };
    addresses.iter().find(|address| !may(address)).map_or(Ok(()), |address| Err(*address))
}

fn target(url: &Url, response: &reqwest::Response) -> Option<Url> {
    if !response.status().is_redirection() {
        return None;
    }
    url.join(response.headers().get(LOCATION)?.to_str().ok()?).ok()
}

/// Resolves names to allowed addresses only: the checked address is the one that is connected to,
/// even if the name server's next answer differs.
struct AddressGuard {
    /// `host` or `host:port`; other names are those of the user's proxy.
    host: String,
    loopback: bool,
}

#[derive(Debug, thiserror::Error)]
#[error("{0} is not a public address")]
struct PrivateAddress(IpAddr);

impl Resolve for AddressGuard {
    fn resolve(&self, name: Name) -> Resolving {
        let target = self.host.split(':').next().unwrap_or_default();
        let guarded = name.as_str().eq_ignore_ascii_case(target);
        let loopback = self.loopback;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses: Vec<_> = found.iter().map(SocketAddr::ip).collect();
            if guarded && let Err(address) = check_addresses(&addresses, loopback) {
                return Err(PrivateAddress(address).into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

fn failure(url: &Url, error: &reqwest::Error) -> FetchError {
    let mut reason = error.to_string();
    for cause in Chain::new(error).skip(1) {
        if let Some(PrivateAddress(address)) = cause.downcast_ref() {
            return FetchError::PrivateAddress { host: host(url), address: *address };
        }
        // Only the innermost error names a cause.
        reason = cause.to_string();
    }
    FetchError::Unreachable { host: host(url), reason }
}

/// The message of an OAuth error, cut to a line.
fn body_excerpt(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let text = ["error_description", "errorSummary", "message", "error"]
        .iter()
        .find_map(|field| value[field].as_str())?;
    let line: String = text.chars().take_while(|c| !c.is_control()).take(200).collect();
    Some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_redirect_is_as_unreachable_as_where_it_leads() {
        let host = || "idp.example".to_owned();
        let status = |status| FetchError::Status { host: host(), status, message: None };
        for (source, expected) in [
            (FetchError::Unreachable { host: host(), reason: "no such host".to_owned() }, true),
            (status(503), true),
            (status(404), false),
        ] {
            let (from, to) = (host(), "https://other.example".to_owned());
            let failure = FetchError::Redirected { from, to, source: Box::new(source) };
            assert_eq!(failure.is_unreachable(), expected, "{failure:?}");
        }
    }

    #[test]
    fn only_https_and_named_hosts_of_the_internet_are_asked() {
        let hosts = AllowedHosts::of(&[url("https://idp.cool.cats"), url("https://10.0.0.1")]);
        for (text, expected) in [
            ("https://idp.cool.cats/x", None),
            ("https://IDP.cool.cats:8443/x", None),
            (
                "http://idp.cool.cats/x",
                Some("`http://idp.cool.cats` was not requested: it does not start with `https://`"),
            ),
            (
                "ftp://idp.cool.cats/x",
                Some("`ftp://idp.cool.cats` was not requested: it does not start with `https://`"),
            ),
            (
                "file:///etc/passwd",
                Some("`file://` was not requested: it does not start with `https://`"),
            ),
            (
                "https://other.cats/",
                Some("`other.cats` was not requested: it is not in the configuration"),
            ),
            (
                "https://10.0.0.1/",
                Some("`10.0.0.1` was not requested: 10.0.0.1 is not a public address"),
            ),
        ] {
            let found =
                ensure_allowed(&url(text), &hosts, false).err().map(|failure| failure.to_string());
            assert_eq!(found.as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn this_machine_is_asked_only_where_that_is_allowed() {
        for (text, allowed, refused) in [
            ("http://127.0.0.1:1/", true, false),
            ("https://[::1]:1/", true, false),
            ("http://localhost:1/", true, false),
            ("https://169.254.169.254/", false, false),
            ("https://[::ffff:127.0.0.1]/", false, false),
        ] {
            let url = url(text);
            let hosts = AllowedHosts::of([&url]);
            assert_eq!(ensure_allowed(&url, &hosts, is_loopback(&url)).is_ok(), allowed, "{text}");
            assert_eq!(ensure_allowed(&url, &hosts, false).is_ok(), refused, "{text}");
        }
    }

    #[test]
    fn one_private_address_among_public_ones_is_enough() {
        let parse =
            |list: &[&str]| list.iter().map(|a| a.parse().unwrap()).collect::<Vec<IpAddr>>();
        for (addresses, loopback, expected) in [
            (parse(&["1.1.1.1", "2606:4700::1"]), false, Ok(())),
            (parse(&["1.1.1.1", "10.0.0.1"]), false, Err("10.0.0.1".parse().unwrap())),
            (parse(&["127.0.0.1"]), false, Err("127.0.0.1".parse().unwrap())),
            (parse(&["127.0.0.1", "::1"]), true, Ok(())),
            (parse(&["127.0.0.1", "1.1.1.1"]), true, Err("1.1.1.1".parse().unwrap())),
        ] {
            assert_eq!(check_addresses(&addresses, loopback), expected, "{addresses:?}");
        }
    }

    #[tokio::test]
    async fn a_name_of_a_private_address_is_not_given_out() {
        for (target, loopback, admitted) in
            [("localhost:8443", false, false), ("localhost", true, true), ("a.cats", false, true)]
        {
            let guard = AddressGuard { host: target.to_owned(), loopback };
            let found = guard.resolve("localhost".parse().unwrap()).await;
            assert_eq!(found.is_ok(), admitted, "{target}");
            if let Err(error) = found {
                assert!(error.downcast_ref::<PrivateAddress>().is_some(), "{error}");
            }
        }
    }

    #[test]
    fn what_an_idp_says_is_cut_to_a_line() {
        let long = format!(r#"{{"error":"{}"}}"#, "a".repeat(500));
        for (body, expected) in [
            (
                r#"{"error":"invalid_tenant","error_description":"no tenant\r\nTrace: 1"}"#,
                Some("no tenant".to_owned()),
            ),
            (
                r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#,
                Some("Not found".to_owned()),
            ),
            ("<html>", None),
            ("{}", None),
            (long.as_str(), Some("a".repeat(200))),
        ] {
            assert_eq!(body_excerpt(body.as_bytes()), expected, "{body}");
        }
    }
}
