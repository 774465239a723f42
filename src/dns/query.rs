//! Queries many servers at once; each response goes into its server's entry.

use std::collections::BTreeMap;
use std::time::Duration;

use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use super::answer::{TxtAnswer, negative_ttl, soa_serial};
use super::lookup::{Dnssec, Location, MisplacedCode, Role, Server, display_name};
use super::misplaced;
use super::question::Question;
use super::rcode::{Rcode, is_answer};
use super::txt::Txt;
use super::wire::{Endpoint, query};

#[derive(Clone, Debug)]
pub(super) struct QueryTarget {
    pub endpoint: Endpoint,
    pub entry: Server,
    /// From the command line: its role follows from the response.
    pub is_named: bool,
}

pub(super) async fn query_all(
    name: &Name,
    targets: Vec<QueryTarget>,
    limit: Duration,
) -> Vec<Server> {
    let mut looks = JoinSet::new();
    for target in targets {
        let name = name.clone();
        looks.spawn(async move { query_one(target, &name, limit).await });
    }
    looks.join_all().await
}

async fn query_one(target: QueryTarget, name: &Name, limit: Duration) -> Server {
    let QueryTarget { endpoint, entry, is_named } = target;
    let is_recursive = is_named || entry.role == Role::Recursive;
    let question = |kind| Question {
        name: name.clone(),
        kind,
        recursion: is_recursive,
        checking_disabled: false,
    };
    let (txt, soa) = (question(RecordType::TXT), question(RecordType::SOA));
    let zone = async {
        // Its response would not be shown, so a cache is not queried.
        if entry.role == Role::Recursive {
            return None;
        }
        query(&endpoint, &soa, limit).await.ok()
    };
    let (reply, zone) = tokio::join!(query(&endpoint, &txt, limit), zone);
    let reply = match reply {
        Ok(reply) => reply,
        Err(failure) => return entry.failed(failure),
    };
    let mut server = entry.with_response(name, &reply);
    if let Some(zone) = zone {
        server.soa_serial = server.soa_serial.or(soa_serial(&zone.message));
        server.negative_ttl = server.negative_ttl.or(negative_ttl(&zone.message));
    }
    if is_named && !server.authoritative && reply.message.metadata.recursion_available {
        server.role = Role::Recursive;
    }
    let may_be_bogus = server.rcode == Some(Rcode::SERVFAIL) && server.dnssec.is_none();
    if may_be_bogus && is_recursive && answers_without_dnssec(&endpoint, txt, limit).await {
        server.dnssec = Some(Dnssec::Bogus);
    }
    server
}

/// Whether a failing server answers if it does not have to validate.
async fn answers_without_dnssec(endpoint: &Endpoint, question: Question, limit: Duration) -> bool {
    let reply = query(endpoint, &question.with_checking_disabled(), limit).await;
    reply.is_ok_and(|reply| is_answer(&reply.message))
}

/// Queries TXT records at wrong names, on servers of the zone.
pub(super) async fn probe(
    name: &Name,
    zone: &Name,
    servers: Vec<Endpoint>,
    limit: Duration,
) -> Vec<MisplacedCode> {
    let unlikely = format!("cfsso-{:012x}", fastrand::u64(..) & 0xffff_ffff_ffff);
    let mut probes = JoinSet::new();
    for (wrong, place) in misplaced::names(name, zone, &unlikely) {
        for endpoint in servers.clone() {
            let wrong = wrong.clone();
            probes.spawn(async move { (probe_one(&endpoint, &wrong, limit).await, wrong, place) });
        }
    }
    let mut found: BTreeMap<(Location, String), MisplacedCode> = BTreeMap::new();
    while let Some(result) = probes.join_next().await {
        let Ok((records, wrong, place)) = result else { continue };
        if records.is_empty() {
            continue;
        }
        let shown = match place {
            Location::Wildcard | Location::WildcardAbove => {
                format!("*.{}", display_name(&wrong.base_name()))
            }
            _ => display_name(&wrong),
        };
        let entry = found.entry((place, shown.clone()));
        let entry = entry.or_insert(MisplacedCode { name: shown, place, records: Vec::new() });
        entry.records.extend(records);
        entry.records.sort();
        entry.records.dedup();
    }
    found.into_values().collect()
}

async fn probe_one(endpoint: &Endpoint, name: &Name, limit: Duration) -> Vec<Txt> {
    let question = Question::authoritative(name.clone(), RecordType::TXT);
    match query(endpoint, &question, limit).await {
        Ok(reply) if reply.message.metadata.authoritative => {
            TxtAnswer::read(name, &reply.message).records
        }
        _ => Vec::new(),
    }
}
