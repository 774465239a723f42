//! Settings from the command line and the environment.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::input::value;

#[derive(Clone, Debug)]
pub struct Config {
    /// Replace the name servers and recursive resolvers.
    pub servers: Vec<ServerSpec>,
    /// Empty: the system's and the public ones.
    pub recursive: Vec<SocketAddr>,
    /// For one question to one server.
    pub timeout: Duration,
    /// When the command has to end.
    pub deadline: Option<Timestamp>,
    /// 53, except in tests.
    pub authoritative_port: u16,
    /// Used if port 53 does not answer; empty turns this off.
    pub https: Vec<HttpsServer>,
    /// For HTTPS; none: the platform's trust store.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

/// RFC 8484.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpsServer {
    /// An address, because a host name could not be resolved without DNS.
    pub address: SocketAddr,
    pub host: String,
    pub path: String,
}

/// Queried in addition to the system resolver.
pub(super) const PUBLIC: [(Ipv4Addr, &str); 3] = [
    (Ipv4Addr::new(1, 1, 1, 1), "one.one.one.one"),
    (Ipv4Addr::new(8, 8, 8, 8), "dns.google"),
    (Ipv4Addr::new(9, 9, 9, 9), "dns.quad9.net"),
];

impl Default for Config {
    fn default() -> Self {
        let https = |(address, host): &(Ipv4Addr, &str)| HttpsServer {
            address: SocketAddr::from((*address, 443)),
            host: (*host).to_owned(),
            path: "/dns-query".to_owned(),
        };
        Self {
            servers: Vec::new(),
            recursive: Vec::new(),
            timeout: Duration::from_millis(2500),
            deadline: None,
            authoritative_port: 53,
            https: PUBLIC[..2].iter().map(https).collect(),
            tls: None,
        }
    }
}

/// `HOST[:PORT]` from the command line; the default port is 53.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSpec {
    pub(super) host: Host,
    pub(super) port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Host {
    Address(IpAddr),
    Name(String),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a DNS server: {reason}")]
pub struct InvalidServer {
    text: String,
    reason: String,
}

impl FromStr for ServerSpec {
    type Err = InvalidServer;

    fn from_str(text: &str) -> Result<Self, InvalidServer> {
        let trimmed = value::trim(text).map_err(|error| error.to_string());
        trimmed
            .and_then(|text| parse(text).map_err(str::to_owned))
            .map_err(|reason| InvalidServer { text: value::visible(text), reason })
    }
}

impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Address(address) => SocketAddr::from((*address, self.port)).fmt(f),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

fn parse(text: &str) -> Result<ServerSpec, &'static str> {
    if text.is_empty() {
        return Err("it is empty");
    }
    if text.contains("://") || text.contains('/') {
        return Err("it is a URL; give `HOST` or `HOST:PORT`");
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(ServerSpec { host: Host::Address(address), port: 53 });
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("the closing bracket is missing")?;
        let address: Ipv6Addr =
            address.parse().map_err(|_| "the brackets do not contain an IPv6 address")?;
        let port = match port.strip_prefix(':') {
            Some(port) => parse_port(port)?,
            None if port.is_empty() => 53,
            None => return Err("only `:PORT` may follow the bracket"),
        };
        return Ok(ServerSpec { host: Host::Address(address.into()), port });
    }
    let (host, port) = match text.split_once(':') {
        Some((_, port)) if port.contains(':') => {
            return Err("it is not an IPv6 address; with a port write `[ADDRESS]:PORT`");
        }
        Some((host, port)) => (host, parse_port(port)?),
        None => (text, 53),
    };
    Ok(ServerSpec { host: parse_host(host)?, port })
}

fn parse_port(text: &str) -> Result<u16, &'static str> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(port) if digits && port != 0 => Ok(port),
        _ => Err("the port is a number from 1 to 65535"),
    }
}

fn parse_host(text: &str) -> Result<Host, &'static str> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(address.into()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > 253 || !name.split('.').all(is_label) {
        return Err("it is neither an address nor a host name");
    }
    if name.rsplit('.').next().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err("it is not an IPv4 address, and a host name cannot end in a number");
    }
    Ok(Host::Name(name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_written_with_or_without_a_port() {
        for (text, written) in [
            ("192.0.2.1", "192.0.2.1:53"),
            ("192.0.2.1:5353", "192.0.2.1:5353"),
            ("2001:db8::1", "[2001:db8::1]:53"),
            ("[2001:db8::1]", "[2001:db8::1]:53"),
            ("[::1]:5353", "[::1]:5353"),
            ("ns1.cool.cats", "ns1.cool.cats:53"),
            ("NS1.cool.cats.:53", "ns1.cool.cats:53"),
            ("localhost:5353", "localhost:5353"),
        ] {
            let spec: ServerSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), written, "{text}");
        }
    }

    #[test]
    fn what_names_no_server_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", "empty"),
            ("https://1.1.1.1/dns-query", "URL"),
            ("192.0.2.1:", "port"),
            ("192.0.2.1:0", "port"),
            ("192.0.2.1:65536", "port"),
            ("192.0.2.1:+53", "port"),
            ("192.0.2.1:dns", "port"),
            ("192.0.2.300", "IPv4"),
            ("[192.0.2.1]:53", "IPv6"),
            ("[::1", "bracket"),
            ("[::1]53", "bracket"),
            ("2001:db8::zz", "IPv6"),
            (":53", "neither"),
            ("ns 1", "neither"),
            ("ns1..cats", "neither"),
            ("-x", "neither"),
        ] {
            let error = text.parse::<ServerSpec>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
        }
    }
}
