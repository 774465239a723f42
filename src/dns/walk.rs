//! Finds the zone that holds a domain and the addresses of its name servers.
//!
//! Recursive resolvers are asked only for names above the domain, or for the
//! domain's own NS records where it is registered at a suffix: a question for a
//! name that does not exist yet would plant its absence in their caches.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_proto::op::Message;
use hickory_proto::rr::{DNSClass, Name, RData, Record, RecordType};
use tokio::task::JoinSet;

use super::rcode::Rcode;
use super::survey::{Delegation, shown};
use super::wire::{Endpoint, Failure, Question, Reply, ask};

/// More name servers than any zone has, and fewer than a hostile one could name.
const MOST_HOSTS: usize = 32;
/// The most addresses asked in all.
const MOST_ADDRESSES: usize = 64;
/// How many name servers of a parent zone are asked for a delegation.
const PARENTS: usize = 4;
/// More zone cuts than a domain has labels.
const MOST_CUTS: usize = 16;

/// What the walk found.
#[derive(Debug)]
pub(super) struct Found {
    pub delegation: Delegation,
    /// The zone's name, where there is one.
    pub zone: Option<Name>,
    /// Its name servers with their addresses.
    pub hosts: Hosts,
    /// Those whose addresses no resolver could tell, which may exist all the same.
    pub unknown: BTreeSet<String>,
}

/// Name servers by host name, each with its addresses.
pub(super) type Hosts = BTreeMap<String, BTreeSet<IpAddr>>;

/// The recursive resolvers that help, and what became of them.
pub(super) struct Walker {
    /// Asked on port 53.
    pub plain: Vec<SocketAddr>,
    /// Asked over HTTPS, once nobody answered on port 53.
    pub https: Vec<Endpoint>,
    /// Why nobody answered on port 53, once that is known.
    pub silent: Option<Vec<(SocketAddr, Failure)>>,
    pub timeout: Duration,
    pub authoritative_port: u16,
}

/// A zone and its name servers, as one answer gives them.
struct Cut {
    zone: Name,
    hosts: Vec<Name>,
    /// Addresses that came along.
    glue: Vec<(Name, IpAddr)>,
}

impl Walker {
    /// Finds the zone of `domain` and the addresses of its servers.
    pub async fn walk(&mut self, domain: &Name) -> Found {
        let nothing = |delegation| Found {
            delegation,
            zone: None,
            hosts: Hosts::new(),
            unknown: BTreeSet::new(),
        };
        let (mut cut, is_denied) = match self.start(domain).await {
            Ok(Start::At { cut, is_denied }) => (cut, is_denied),
            Ok(Start::Nowhere) => return nothing(Delegation::Absent),
            Err(Silence) => return nothing(Delegation::Unknown),
        };
        let (mut hosts, mut unknown) = self.addresses(&cut).await;
        let mut label = domain.clone();
        for _ in 0..MOST_CUTS {
            if cut.zone == *domain {
                break;
            }
            match self.below(&cut.zone, &hosts, &label).await {
                Step::Down(next) => {
                    (hosts, unknown) = self.addresses(&next).await;
                    cut = next;
                    label = domain.clone();
                }
                Step::Ask(zone) => label = zone,
                Step::Absent if cut.zone.num_labels() <= 1 => return nothing(Delegation::Absent),
                // The parent cannot be asked; then the resolvers' word must do.
                Step::Unheard if is_denied => return nothing(Delegation::Absent),
                Step::Absent | Step::Here | Step::Unheard => break,
            }
        }
        let delegation = Delegation::Zone(shown(&cut.zone));
        Found { delegation, zone: Some(cut.zone), hosts, unknown }
    }

    /// The lowest cut that resolvers know of, starting where domains are
    /// registered and going up: a cache may have missed a registration, so the
    /// parent's servers have the last word.
    async fn start(&mut self, domain: &Name) -> Result<Start, Silence> {
        let mut name = domain.trim_to(2);
        let mut is_denied = false;
        while !name.is_root() {
            // Unchecked, for a zone whose signatures are broken has servers all the same.
            let question = Question::recursive(name.clone(), RecordType::NS).unchecked();
            let message = self.resolve(question, |message| !hosts_of(message).is_empty()).await?;
            if let Some(cut) = delegated(&name, &message.answers, &message) {
                return Ok(Start::At { cut, is_denied });
            }
            is_denied = Rcode::from(message.metadata.response_code) == Rcode::NXDOMAIN;
            name = name.base_name();
        }
        if is_denied { Ok(Start::Nowhere) } else { Err(Silence) }
    }

    /// Asks the servers of `zone` for a cut at or above `name`.
    async fn below(&self, zone: &Name, hosts: &Hosts, name: &Name) -> Step {
        let servers = spread(hosts, PARENTS);
        let endpoints = servers
            .iter()
            .map(|address| Endpoint::Plain(SocketAddr::new(*address, self.authoritative_port)));
        let question = Question::authoritative(name.clone(), RecordType::NS);
        let is_useful = |message: &Message| {
            message.metadata.authoritative || referral(zone, name, message).is_some()
        };
        match first(endpoints.collect(), question, self.timeout, is_useful).await {
            Ok(reply) => step(zone, name, &reply.message),
            Err(_) => Step::Unheard,
        }
    }

    /// The addresses of a cut's servers, v4 and v6, and whose could not be found out.
    async fn addresses(&self, cut: &Cut) -> (Hosts, BTreeSet<String>) {
        let mut lookups = JoinSet::new();
        for (index, host) in cut.hosts.iter().enumerate() {
            for kind in [RecordType::A, RecordType::AAAA] {
                let question = Question::recursive(host.clone(), kind).unchecked();
                let endpoints = self.endpoints();
                let limit = self.timeout;
                lookups.spawn(async move {
                    let is_answer =
                        |message: &Message| Rcode::from(message.metadata.response_code).is_answer();
                    (index, first(endpoints, question, limit, is_answer).await)
                });
            }
        }
        let mut found: Vec<BTreeSet<IpAddr>> = vec![BTreeSet::new(); cut.hosts.len()];
        let mut unknown = BTreeSet::new();
        while let Some(Ok((index, result))) = lookups.join_next().await {
            match result {
                Ok(reply) if Rcode::from(reply.message.metadata.response_code).is_answer() => {
                    found[index].extend(reply.message.answers.iter().filter_map(address));
                }
                Ok(_) | Err(_) => {
                    unknown.insert(shown(&cut.hosts[index]));
                }
            }
        }
        for (host, addresses) in cut.hosts.iter().zip(&mut found) {
            if addresses.is_empty() {
                let glue = cut.glue.iter().filter(|(name, _)| name == host);
                addresses.extend(glue.map(|(_, address)| address));
            }
        }
        (capped(cut.hosts.iter().map(shown).zip(found).collect()), unknown)
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        match self.silent {
            None => self.plain.iter().copied().map(Endpoint::Plain).collect(),
            Some(_) => self.https.clone(),
        }
    }

    /// Asks the resolvers on port 53 and, if none answers there, over HTTPS.
    async fn resolve(
        &mut self,
        question: Question,
        accept: impl Fn(&Message) -> bool,
    ) -> Result<Message, Silence> {
        let reply = first(self.endpoints(), question.clone(), self.timeout, &accept).await;
        match reply {
            Ok(reply) => Ok(reply.message),
            Err(_) if self.silent.is_some() => Err(Silence),
            Err(failures) => {
                self.silent = Some(self.plain.iter().copied().zip(failures).collect());
                let reply = first(self.endpoints(), question, self.timeout, accept).await;
                reply.map(|reply| reply.message).map_err(|_| Silence)
            }
        }
    }
}

/// No resolver answered.
struct Silence;

/// Where a walk starts.
enum Start {
    /// At a cut; resolvers may have denied the name below it.
    At { cut: Cut, is_denied: bool },
    /// Not even the top-level domain exists.
    Nowhere,
}

/// What a parent's server says of a name.
enum Step {
    /// A zone cut on the way to the name.
    Down(Cut),
    /// The server holds a lower zone as well: ask for that zone's servers.
    Ask(Name),
    /// There is no such name.
    Absent,
    /// The name lies in the zone asked.
    Here,
    /// No server answered.
    Unheard,
}

fn step(zone: &Name, name: &Name, message: &Message) -> Step {
    if let Some(cut) = delegated(name, &message.answers, message) {
        return Step::Down(cut);
    }
    if let Some(cut) = referral(zone, name, message) {
        return Step::Down(cut);
    }
    let apex = message.authorities.iter().find(|record| matches!(record.data, RData::SOA(_)));
    match apex {
        Some(soa) if soa.name != *zone && zone.zone_of(&soa.name) && soa.name.zone_of(name) => {
            if soa.name == *name {
                Step::Here
            } else {
                Step::Ask(soa.name.clone())
            }
        }
        _ if Rcode::from(message.metadata.response_code) == Rcode::NXDOMAIN => Step::Absent,
        _ => Step::Here,
    }
}

/// A referral (RFC 1034 section 4.3.2, step 3b) to a zone below `zone` that holds `name`.
fn referral(zone: &Name, name: &Name, message: &Message) -> Option<Cut> {
    let owner = message.authorities.iter().find(|record| {
        matches!(record.data, RData::NS(_))
            && record.name != *zone
            && zone.zone_of(&record.name)
            && record.name.zone_of(name)
    })?;
    delegated(&owner.name, &message.authorities, message)
}

/// The NS records of `zone` in `section`, as a cut.
fn delegated(zone: &Name, section: &[Record], message: &Message) -> Option<Cut> {
    let of_zone = section.iter().filter(|record| record.name == *zone);
    let hosts: BTreeSet<Name> = of_zone.filter_map(host).collect();
    let glue = message.additionals.iter();
    let glue = glue.filter_map(|record| Some((record.name.clone(), address(record)?)));
    (!hosts.is_empty()).then(|| Cut {
        zone: zone.clone(),
        hosts: hosts.into_iter().take(MOST_HOSTS).collect(),
        glue: glue.take(MOST_ADDRESSES).collect(),
    })
}

fn hosts_of(message: &Message) -> Vec<Name> {
    message.answers.iter().filter_map(host).collect()
}

fn host(record: &Record) -> Option<Name> {
    match &record.data {
        RData::NS(host) if record.dns_class == DNSClass::IN => Some(host.0.clone()),
        _ => None,
    }
}

fn address(record: &Record) -> Option<IpAddr> {
    match &record.data {
        RData::A(address) => Some(IpAddr::V4(address.0)),
        RData::AAAA(address) => Some(IpAddr::V6(address.0)),
        _ => None,
    }
}

/// Up to `most` addresses, each name server's first before any one's second.
pub(super) fn spread(hosts: &Hosts, most: usize) -> Vec<IpAddr> {
    let mut rounds: Vec<_> = hosts.values().map(|addresses| addresses.iter()).collect();
    let mut chosen = Vec::new();
    loop {
        let round: Vec<IpAddr> = rounds.iter_mut().filter_map(|all| all.next().copied()).collect();
        if round.is_empty() || chosen.len() >= most {
            chosen.truncate(most);
            return chosen;
        }
        for address in round {
            if !chosen.contains(&address) {
                chosen.push(address);
            }
        }
    }
}

/// Keeps no more addresses than may be asked.
fn capped(hosts: Hosts) -> Hosts {
    let kept = spread(&hosts, MOST_ADDRESSES);
    let keep = |(host, addresses): (String, BTreeSet<IpAddr>)| {
        (host, addresses.into_iter().filter(|address| kept.contains(address)).collect())
    };
    hosts.into_iter().map(keep).collect()
}

/// Asks all endpoints at once. Returns the first answer that is accepted, else
/// the best of the others, else why each gave none, in the order asked.
async fn first(
    endpoints: Vec<Endpoint>,
    question: Question,
    limit: Duration,
    accept: impl Fn(&Message) -> bool,
) -> Result<Reply, Vec<Failure>> {
    let question = Arc::new(question);
    let mut asked = JoinSet::new();
    for (index, endpoint) in endpoints.into_iter().enumerate() {
        let question = Arc::clone(&question);
        asked.spawn(async move { (index, ask(&endpoint, &question, limit).await) });
    }
    let mut best: Option<Reply> = None;
    let mut failures = Vec::new();
    while let Some(result) = asked.join_next().await {
        match result {
            Ok((_, Ok(reply))) if accept(&reply.message) => return Ok(reply),
            Ok((_, Ok(reply))) if best.as_ref().is_none_or(|best| worth(&reply) > worth(best)) => {
                best = Some(reply);
            }
            Ok((_, Ok(_))) | Err(_) => {}
            Ok((index, Err(failure))) => failures.push((index, failure)),
        }
    }
    failures.sort_by_key(|(index, _)| *index);
    best.ok_or_else(|| failures.into_iter().map(|(_, failure)| failure).collect())
}

fn worth(reply: &Reply) -> u8 {
    match Rcode::from(reply.message.metadata.response_code) {
        Rcode::NOERROR => 2,
        Rcode::NXDOMAIN => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_server_is_asked_before_any_is_asked_twice() {
        let hosts: Hosts = [
            ("a", vec!["192.0.2.1", "2001:db8::1"]),
            ("b", vec!["192.0.2.2"]),
            ("c", vec!["192.0.2.1", "192.0.2.3"]),
        ]
        .into_iter()
        .map(|(host, all)| {
            (host.to_owned(), all.iter().map(|text| text.parse().unwrap()).collect())
        })
        .collect();
        let written = |most| -> Vec<String> {
            spread(&hosts, most).iter().map(ToString::to_string).collect()
        };
        assert_eq!(written(2), ["192.0.2.1", "192.0.2.2"]);
        assert_eq!(written(9), ["192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.3"]);
    }
}
