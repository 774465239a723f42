//! Zone cuts in packets: delegations, referrals, glue. No I/O.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, RData, Record};

use super::rcode::Rcode;

/// More name servers than any zone has; limits what a hostile server can name.
const MOST_HOSTS: usize = 32;
const MOST_GLUE: usize = 64;

/// A zone and its name servers, from one response.
pub(super) struct ZoneCut {
    pub zone: Name,
    pub hosts: Vec<Name>,
    pub glue: Vec<(Name, IpAddr)>,
}

pub(super) enum WalkStep {
    Referral(ZoneCut),
    /// The server also has a child zone: query that zone's NS records.
    QueryNs(Name),
    NxDomain,
    /// The queried zone contains the name.
    Authoritative,
    NoAnswer,
}

/// Reads the response of a server of `zone` about the NS records of `name`.
pub(super) fn step(zone: &Name, name: &Name, message: &Message) -> WalkStep {
    let below = delegated(name, &message.answers, message);
    if let Some(cut) = below.or_else(|| referral(zone, name, message)) {
        return WalkStep::Referral(cut);
    }
    let apex = message.authorities.iter().find(|record| matches!(record.data, RData::SOA(_)));
    match apex {
        Some(soa) if soa.name != *zone && zone.zone_of(&soa.name) && soa.name.zone_of(name) => {
            if soa.name == *name {
                WalkStep::Authoritative
            } else {
                WalkStep::QueryNs(soa.name.clone())
            }
        }
        _ if Rcode::from(message.metadata.response_code) == Rcode::NXDOMAIN => WalkStep::NxDomain,
        _ => WalkStep::Authoritative,
    }
}

/// A referral (RFC 1034 section 4.3.2, step 3b) to a zone below `zone` that contains `name`.
pub(super) fn referral(zone: &Name, name: &Name, message: &Message) -> Option<ZoneCut> {
    let owner = message.authorities.iter().find(|record| {
        matches!(record.data, RData::NS(_))
            && record.name != *zone
            && zone.zone_of(&record.name)
            && record.name.zone_of(name)
    })?;
    delegated(&owner.name, &message.authorities, message)
}

pub(super) fn delegated(zone: &Name, section: &[Record], message: &Message) -> Option<ZoneCut> {
    let of_zone = section.iter().filter(|record| record.name == *zone);
    let hosts: BTreeSet<Name> = of_zone.filter_map(host).collect();
    let glue = message.additionals.iter();
    let glue = glue.filter_map(|record| Some((record.name.clone(), address(record)?)));
    (!hosts.is_empty()).then(|| ZoneCut {
        zone: zone.clone(),
        hosts: hosts.into_iter().take(MOST_HOSTS).collect(),
        glue: glue.take(MOST_GLUE).collect(),
    })
}

pub(super) fn hosts_of(message: &Message) -> Vec<Name> {
    message.answers.iter().filter_map(host).collect()
}

fn host(record: &Record) -> Option<Name> {
    match &record.data {
        RData::NS(host) if record.dns_class == DNSClass::IN => Some(host.0.clone()),
        _ => None,
    }
}

pub(super) fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}
