//! Result of a lookup: one entry per server. No I/O, no diagnosis.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use hickory_proto::rr::Name;
use schemars::JsonSchema;
use serde::Serialize;

use super::rcode::Rcode;
use super::reply::{Failure, Transport};
use super::txt::{PREFIX, Txt};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lookup {
    pub name: String,
    pub delegation: Delegation,
    pub servers: Vec<Server>,
    /// Verification codes at names where they do not count.
    pub misplaced: Vec<MisplacedCode>,
    /// Why no zone was found.
    pub denials: Vec<Denial>,
}

/// A server's response that a name does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    pub server: SocketAddr,
    /// Without trailing dot; `.` is the root zone, which every resolver knows.
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Delegation {
    /// Servers given on the command line.
    CustomServers,
    /// The zone that contains the domain.
    Zone(String),
    /// No zone: its parent's servers, or else the resolvers, report that the name does not exist.
    NoDelegation,
    /// No resolver answered, so the zone is unknown.
    #[default]
    Unknown,
}

/// The response of one DNS server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Server {
    /// The address and port of the server, `ip:port`.
    pub server: String,
    /// The host name of the server, if known.
    pub name: Option<String>,
    /// The role of the server.
    pub role: Role,
    /// The transport of the response.
    pub transport: Transport,
    /// The response code, such as `NOERROR`; `null` if there was no response.
    #[schemars(with = "Option<String>")]
    pub rcode: Option<Rcode>,
    /// Whether the response is authoritative (AA).
    pub authoritative: bool,
    /// Whether the UDP response was truncated (TC); if so, `transport` shows whether TCP succeeded.
    pub truncated: bool,
    /// The DNSSEC status of the response; `null` if the server does not report one.
    pub dnssec: Option<Dnssec>,
    /// The remaining time for which the records may be cached, in seconds.
    pub ttl: Option<u32>,
    /// The serial number of the zone's SOA record.
    pub soa_serial: Option<u32>,
    /// The response time, in milliseconds.
    pub rtt_ms: Option<u64>,
    /// The TXT records of the domain.
    pub records: Vec<Txt>,
    /// The reason why there was no usable response.
    #[schemars(with = "Option<String>")]
    pub error: Option<Failure>,
    /// The targets of the CNAME records that were followed, in order.
    pub aliases: Vec<String>,
    /// How long the absence of the record may be cached, in seconds (at a recursive resolver,
    /// the remaining time): the minimum of SOA TTL and SOA MINIMUM, RFC 2308 section 5.
    pub negative_ttl: Option<u32>,
    /// Extended DNS errors (RFC 8914), as `code: text`.
    pub extended_errors: Vec<String>,
}

/// The role of a DNS server.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// An authoritative name server of the zone.
    #[default]
    Authoritative,
    /// A recursive resolver, which caches responses.
    Recursive,
}

/// The DNSSEC status of a response (RFC 4035 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dnssec {
    /// The server validated the response (AD).
    Secure,
    /// The server rejects the response because DNSSEC validation failed.
    Bogus,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MisplacedCode {
    pub name: String,
    pub place: Location,
    pub records: Vec<Txt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Location {
    /// `*.domain`: found by a query for a name that does not exist in practice.
    Wildcard,
    /// A wildcard above the domain, which may answer for it.
    WildcardAbove,
    /// `cool.cats.cool.cats`.
    DuplicatedDomain,
    Www,
    /// `_cloudflare….domain` and similar names.
    UnderscorePrefix,
    /// The zone's apex, if the domain is below it.
    Apex,
}

impl Server {
    pub(super) fn new(server: String, name: Option<String>, role: Role) -> Self {
        Self { server, name, role, ..Self::default() }
    }

    pub(super) fn failed(mut self, failure: Failure) -> Self {
        self.truncated = matches!(failure, Failure::Truncated(_));
        if self.truncated {
            self.transport = Transport::Tcp;
        }
        self.error = Some(failure);
        self
    }

    pub fn serves(&self, code: &[u8]) -> bool {
        self.records.iter().any(|record| record.joined() == code)
    }
}

/// The distinct verification codes found at the domain itself.
pub fn sso_codes(lookup: &Lookup) -> Vec<Vec<u8>> {
    let codes: BTreeSet<Vec<u8>> = lookup
        .servers
        .iter()
        .flat_map(|server| &server.records)
        .map(Txt::joined)
        .filter(|text| text.starts_with(PREFIX.as_bytes()))
        .collect();
    codes.into_iter().collect()
}

/// In lower case, without trailing dot.
pub(super) fn display_name(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}
