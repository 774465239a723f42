//! Result of a lookup: one entry per server. No I/O, no diagnosis.

use std::collections::BTreeSet;

use hickory_proto::rr::Name;
use schemars::JsonSchema;
use serde::Serialize;

use super::rcode::Rcode;
use super::reply::{Failure, Transport};
use super::txt::{PREFIX, Txt};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    pub name: String,
    pub delegation: Delegation,
    pub servers: Vec<Server>,
    /// Verification codes at names where they do not count.
    pub misplaced: Vec<MisplacedCode>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delegation {
    /// Servers given on the command line.
    CustomServers,
    /// The zone that contains the domain.
    Zone(String),
    /// No zone: its parent's servers, or else the resolvers, report that the name does not exist.
    NoDelegation,
    /// No resolver answered, so the zone is unknown.
    Unknown,
}

/// What one server said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Server {
    /// Its address and port, `ip:port`.
    pub server: String,
    /// Its host name, where it is known.
    pub name: Option<String>,
    /// What it is asked as.
    pub role: Role,
    /// How the answer came.
    pub transport: Transport,
    /// The response code, such as `NOERROR`; null where nothing came.
    #[schemars(with = "Option<String>")]
    pub rcode: Option<Rcode>,
    /// Whether the answer was authoritative (AA).
    pub authoritative: bool,
    /// Whether the answer over UDP was cut off; `transport` says if it came whole over TCP.
    pub truncated: bool,
    /// What DNSSEC says of the answer, where the server says it.
    pub dnssec: Option<Dnssec>,
    /// The seconds for which the records may still be cached.
    pub ttl: Option<u32>,
    /// The serial number of its zone's SOA record.
    pub soa_serial: Option<u32>,
    /// The milliseconds to the answer.
    pub rtt_ms: Option<u64>,
    /// The TXT records of the domain.
    pub records: Vec<Txt>,
    /// Why nothing came.
    #[schemars(with = "Option<String>")]
    pub error: Option<Failure>,
    /// The names that the domain is an alias of (CNAME), in order.
    pub aliases: Vec<String>,
    /// The seconds for which an absence may be cached, at a recursive resolver
    /// still: min(SOA TTL, SOA MINIMUM), RFC 2308 section 5.
    pub negative_ttl: Option<u32>,
    /// Extended errors (RFC 8914), as `code: text`.
    pub extended_errors: Vec<String>,
}

/// What a server is asked as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It is authoritative for the zone.
    #[default]
    Authoritative,
    /// It looks answers up and caches them.
    Recursive,
}

/// What DNSSEC says of an answer (RFC 4035 section 4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Dnssec {
    /// The server validated it (AD).
    Secure,
    /// The server refuses it because validation failed.
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
