//! Reads response packets. No I/O.

use hickory_proto::op::Message;
use hickory_proto::rr::rdata::opt::{EdnsCode, EdnsOption};
use hickory_proto::rr::{DNSClass, Name, RData, Record};

use super::lookup::{Dnssec, Server, display_name};
use super::rcode::Rcode;
use super::reply::Reply;
use super::txt::{PREFIX, Txt, printable};

/// More than any domain has. Further records are dropped, and the answer counts as truncated.
const MAX_RECORDS: usize = 1000;
/// Longer alias chains are treated as loops.
const MAX_CNAMES: usize = 16;

impl Server {
    /// Adds a response about the TXT records of `name`.
    pub(super) fn with_response(mut self, name: &Name, reply: &Reply) -> Self {
        let message = &reply.message;
        self.transport = reply.transport;
        self.truncated = reply.truncated;
        self.rtt_ms = Some(u64::try_from(reply.rtt.as_millis()).unwrap_or(u64::MAX));
        self.rcode = Some(message.metadata.response_code.into());
        self.authoritative = message.metadata.authoritative;
        let found = TxtAnswer::read(name, message);
        self.truncated |= found.records.len() > MAX_RECORDS;
        self.records = capped(found.records);
        self.aliases = found.aliases;
        self.ttl = found.ttl;
        if self.records.is_empty() {
            self.negative_ttl = negative_ttl(message);
        }
        self.soa_serial = soa_serial(message);
        let errors = extended_errors(message);
        self.dnssec = dnssec(message, &errors);
        self.extended_errors =
            errors.iter().map(|(code, text)| describe_extended_error(*code, text)).collect();
        self
    }
}

/// At most `MAX_RECORDS`, verification codes first. Fewer records keep their order.
fn capped(mut records: Vec<Txt>) -> Vec<Txt> {
    if records.len() > MAX_RECORDS {
        let is_other = |record: &Txt| !record.joined().starts_with(PREFIX.as_bytes());
        records.sort_by_cached_key(is_other);
        records.truncate(MAX_RECORDS);
    }
    records
}

#[derive(Default)]
pub(super) struct TxtAnswer {
    pub records: Vec<Txt>,
    pub aliases: Vec<String>,
    ttl: Option<u32>,
}

impl TxtAnswer {
    /// Follows the aliases in a response; records of other names do not count.
    pub fn read(name: &Name, message: &Message) -> Self {
        let mut found = Self::default();
        let mut owner = name;
        while let Some((target, ttl)) = alias(owner, message) {
            if found.aliases.len() == MAX_CNAMES {
                break;
            }
            found.aliases.push(display_name(target));
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

/// Cache time of an absence, from the SOA record (RFC 2308 section 5).
pub(super) fn negative_ttl(message: &Message) -> Option<u32> {
    message.answers.iter().chain(&message.authorities).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(record.ttl.min(soa.minimum)),
        _ => None,
    })
}

pub(super) fn soa_serial(message: &Message) -> Option<u32> {
    message.answers.iter().chain(&message.authorities).find_map(|record| match &record.data {
        RData::SOA(soa) => Some(soa.serial),
        _ => None,
    })
}

/// Option code 15 (RFC 8914 section 2).
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

/// The resolver's validation result. AD in an error, or from a server that does not recurse, is
/// only an echo of the query.
fn dnssec(message: &Message, errors: &[(u16, String)]) -> Option<Dnssec> {
    let rcode = Rcode::from(message.metadata.response_code);
    let is_secure = message.metadata.authentic_data && message.metadata.recursion_available;
    if is_secure && rcode.is_answer() {
        return Some(Dnssec::Secure);
    }
    let is_bogus = errors.iter().any(|(code, _)| is_validation_failure(*code));
    (rcode == Rcode::SERVFAIL && is_bogus).then_some(Dnssec::Bogus)
}

/// Codes 6 to 12 (RFC 8914 section 4).
fn is_validation_failure(code: u16) -> bool {
    (6..=12).contains(&code)
}

fn describe_extended_error(code: u16, text: &str) -> String {
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
