//! What the servers said: one entry a server, as read from its packets. No I/O,
//! no judgement.

use std::collections::BTreeSet;

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, Name, RData, Record};
use schemars::JsonSchema;
use serde::Serialize;

use super::rcode::Rcode;
use super::txt::{PREFIX, Txt, printable};
use super::wire::{Failure, Reply};

/// No domain has this many TXT records; what a server sends beyond them is
/// dropped, and its answer counts as truncated.
const MOST_RECORDS: usize = 1000;

/// Everything that was seen of a domain's TXT records in one look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Survey {
    /// The domain.
    pub name: String,
    /// Who is to answer for it.
    pub delegation: Delegation,
    /// The servers asked: authoritative first, then by name and address.
    pub servers: Vec<Server>,
    /// Verification codes at names where they do not count.
    pub misplaced: Vec<Misplaced>,
}

/// Who is to answer for a domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Delegation {
    /// The servers were named by hand.
    Named,
    /// The zone that holds the domain.
    Zone(String),
    /// No zone holds it: its parent zone says that there is no such domain.
    Absent,
    /// No resolver answered, so that the zone could not be looked for.
    Unknown,
}

/// What one server said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// It holds the zone.
    Authoritative,
    /// It looks answers up and caches them.
    Recursive,
}

/// How an answer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// One packet.
    Udp,
    /// A stream, after a truncated packet.
    Tcp,
    /// HTTPS (RFC 8484), where port 53 is blocked.
    Https,
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

/// A verification code at a name where it does not count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Misplaced {
    /// The name.
    pub name: String,
    /// How it lies to the domain.
    pub place: Place,
    /// The records there.
    pub records: Vec<Txt>,
}

/// How a wrong name lies to the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// `*.domain`: found by asking for a name that nobody would create.
    Wildcard,
    /// A wildcard above the domain, which may be what answers for it.
    WildcardAbove,
    /// The domain twice, `cool.cats.cool.cats`.
    Doubled,
    /// `www.domain`.
    Www,
    /// `_cloudflare….domain` and the like.
    Underscore,
    /// The apex of the zone, where the domain lies below it.
    Apex,
}

impl Server {
    /// A server of which nothing is known yet.
    pub(super) fn new(server: String, name: Option<String>, role: Role) -> Self {
        Self {
            server,
            name,
            role,
            transport: Transport::Udp,
            rcode: None,
            authoritative: false,
            truncated: false,
            dnssec: None,
            ttl: None,
            soa_serial: None,
            rtt_ms: None,
            records: Vec::new(),
            error: None,
            aliases: Vec::new(),
            negative_ttl: None,
            extended_errors: Vec::new(),
        }
    }

    /// Notes why nothing came.
    pub(super) fn failed(mut self, failure: Failure) -> Self {
        self.truncated = matches!(failure, Failure::Truncated(_));
        if self.truncated {
            self.transport = Transport::Tcp;
        }
        self.error = Some(failure);
        self
    }

    /// Notes an answer to the question for the TXT records of `name`.
    pub(super) fn answered(mut self, name: &Name, reply: &Reply) -> Self {
        let message = &reply.message;
        self.transport = reply.transport;
        self.truncated = reply.truncated;
        self.rtt_ms = Some(u64::try_from(reply.rtt.as_millis()).unwrap_or(u64::MAX));
        self.rcode = Some(message.metadata.response_code.into());
        self.authoritative = message.metadata.authoritative;
        let found = Found::read(name, message);
        self.truncated |= found.records.len() > MOST_RECORDS;
        self.records = capped(found.records);
        self.aliases = found.aliases;
        self.ttl = found.ttl;
        if self.records.is_empty() {
            self.negative_ttl = negative_ttl(message);
        }
        self.soa_serial = soa_serial(message);
        let errors = extended_errors(message);
        self.dnssec = dnssec(message, &errors);
        self.extended_errors = errors.iter().map(|(code, text)| told(*code, text)).collect();
        self
    }

    /// Whether a record has exactly this value.
    #[must_use]
    pub fn serves(&self, code: &[u8]) -> bool {
        self.records.iter().any(|record| record.joined() == code)
    }
}

/// Keeps no more records than any domain has, the codes among them first.
fn capped(mut records: Vec<Txt>) -> Vec<Txt> {
    let is_other = |record: &Txt| !record.joined().starts_with(PREFIX.as_bytes());
    records.sort_by_cached_key(is_other);
    records.truncate(MOST_RECORDS);
    records.sort();
    records
}

/// All distinct verification codes that any server gave for the domain itself.
#[must_use]
pub fn sso_codes(survey: &Survey) -> Vec<Vec<u8>> {
    let codes: BTreeSet<Vec<u8>> = survey
        .servers
        .iter()
        .flat_map(|server| &server.records)
        .map(Txt::joined)
        .filter(|text| text.starts_with(PREFIX.as_bytes()))
        .collect();
    codes.into_iter().collect()
}

/// A name as it is shown: lower case, no trailing dot.
pub(super) fn shown(name: &Name) -> String {
    let text = name.to_ascii().to_ascii_lowercase();
    match text.strip_suffix('.') {
        Some(rest) if !rest.is_empty() => rest.to_owned(),
        _ => text,
    }
}

/// The TXT records of a name, and the aliases that lead to them.
#[derive(Default)]
pub(super) struct Found {
    pub records: Vec<Txt>,
    pub aliases: Vec<String>,
    ttl: Option<u32>,
}

impl Found {
    /// Follows the aliases in an answer; records of any other name do not count.
    pub fn read(name: &Name, message: &Message) -> Self {
        let mut found = Self::default();
        let mut owner = name;
        while let Some((target, ttl)) = alias(owner, message) {
            // An answer can chain its aliases in a circle.
            if found.aliases.len() == 16 {
                break;
            }
            found.aliases.push(shown(target));
            found.ttl = Some(least(found.ttl, ttl));
            owner = target;
        }
        for record in owned_by(owner, &message.answers) {
            if let RData::TXT(txt) = &record.data {
                let strings = txt.txt_data.iter().map(|string| string.to_vec()).collect();
                found.records.push(Txt { strings });
                found.ttl = Some(least(found.ttl, record.ttl));
            }
        }
        found
    }
}

fn owned_by<'a>(name: &'a Name, records: &'a [Record]) -> impl Iterator<Item = &'a Record> {
    records.iter().filter(move |record| record.name == *name && record.dns_class == DNSClass::IN)
}

fn alias<'a>(name: &'a Name, message: &'a Message) -> Option<(&'a Name, u32)> {
    owned_by(name, &message.answers).find_map(|record| match &record.data {
        RData::CNAME(target) => Some((&target.0, record.ttl)),
        _ => None,
    })
}

fn least(ttl: Option<u32>, other: u32) -> u32 {
    ttl.map_or(other, |ttl| ttl.min(other))
}

/// How long an absence may be cached (RFC 2308 section 5), from the SOA record in an answer.
pub(super) fn negative_ttl(message: &Message) -> Option<u32> {
    message.answers.iter().chain(&message.authorities).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}

/// The serial number of the SOA record in an answer.
pub(super) fn soa_serial(message: &Message) -> Option<u32> {
    message.answers.iter().chain(&message.authorities).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    })
}

/// Extended errors: the option's code is 15 (RFC 8914 section 2).
fn extended_errors(message: &Message) -> Vec<(u16, String)> {
    let Some(edns) = &message.edns else { return Vec::new() };
    let read = |option: &EdnsOption| match option {
        EdnsOption::Unknown(15, data) => {
            let (code, text) = data.split_first_chunk::<2>()?;
            Some((u16::from_be_bytes(*code), printable(text)))
        }
        _ => None,
    };
    edns.options().get_all(EdnsCode::Unknown(15)).into_iter().filter_map(read).collect()
}

/// What a resolver says of validation. AD in a failure, or from a server that
/// does not recurse, is the question's own flag sent back.
fn dnssec(message: &Message, errors: &[(u16, String)]) -> Option<Dnssec> {
    let rcode = Rcode::from(message.metadata.response_code);
    let is_secure = message.metadata.authentic_data && message.metadata.recursion_available;
    if is_secure && rcode.is_answer() {
        return Some(Dnssec::Secure);
    }
    let is_bogus = errors.iter().any(|(code, _)| is_validation_failure(*code));
    (rcode == Rcode::SERVFAIL && is_bogus).then_some(Dnssec::Bogus)
}

/// RFC 8914 section 4: 6 to 12 are ways in which validation fails.
fn is_validation_failure(code: u16) -> bool {
    (6..=12).contains(&code)
}

fn told(code: u16, text: &str) -> String {
    let meaning = match code {
        3 => "stale answer",
        6 => "DNSSEC bogus",
        7 => "signature expired",
        8 => "signature not yet valid",
        9 => "DNSKEY missing",
        10 => "RRSIGs missing",
        11 => "no zone key bit set",
        12 => "NSEC missing",
        15 => "blocked",
        18 => "prohibited",
        22 => "no reachable authority",
        23 => "network error",
        _ => "extended error",
    };
    if text.is_empty() {
        format!("{code}: {meaning}")
    } else {
        format!("{code}: {meaning}: {text}")
    }
}
