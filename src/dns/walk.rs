//! Finds the zone of a domain and the addresses of its name servers.
//!
//! Recursive resolvers are only queried for names above the domain, or for its NS records if it is
//! registered at a suffix: a query for a name that does not exist yet would be cached as absent.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use hickory_proto::op::Message;
use hickory_proto::rr::{Name, RecordType};
use tokio::task::JoinSet;

use super::cut::{WalkStep, ZoneCut, address, delegated, hosts_of, referral, step};
use super::lookup::{Delegation, Denial, display_name};
use super::question::Question;
use super::race::race_queries;
use super::rcode::{Rcode, is_answer};
use super::recursive::RecursiveResolvers;
use super::reply::{Failure, Reply};
use super::time_limit::TimeLimit;
use super::wire::Endpoint;

const MAX_ADDRESSES: usize = 64;
/// Name servers of a parent zone to query for a delegation.
const MAX_PARENTS: usize = 4;
/// More than a domain has labels.
const MAX_CUTS: usize = 16;

#[derive(Debug, Default)]
pub(super) struct AuthoritativeServers {
    pub delegation: Delegation,
    pub zone: Option<Name>,
    pub hosts: Hosts,
    /// Name servers without a known address. They may exist nevertheless.
    pub unknown: BTreeSet<String>,
}

pub(super) type Hosts = BTreeMap<String, BTreeSet<IpAddr>>;

pub(super) struct DelegationWalker<'a> {
    pub recursive: &'a RecursiveResolvers,
    /// Why no server answered on port 53; none if not known yet.
    pub port_53_failures: Option<Vec<(SocketAddr, Failure)>>,
    pub limit: TimeLimit,
    pub authoritative_port: u16,
    /// Responses that a name does not exist, from the domain upwards.
    pub denials: Vec<Denial>,
}

impl DelegationWalker<'_> {
    pub async fn walk(&mut self, domain: &Name) -> AuthoritativeServers {
        let nothing =
            |delegation| AuthoritativeServers { delegation, ..AuthoritativeServers::default() };
        let (mut cut, is_denied) = match self.find_start(domain).await {
            Ok(Start::Zone(cut)) => (cut, !self.denials.is_empty()),
            Ok(Start::None) => return nothing(Delegation::NoDelegation),
            Err(NoResponse) => return nothing(Delegation::Unknown),
        };
        let (mut hosts, mut unknown) = self.addresses(&cut).await;
        let mut label = domain.clone();
        for _ in 0..MAX_CUTS {
            if cut.zone == *domain {
                break;
            }
            match self.query_delegation(&cut.zone, &hosts, &label).await {
                WalkStep::Referral(next) => {
                    (hosts, unknown) = self.addresses(&next).await;
                    cut = next;
                    label = domain.clone();
                }
                WalkStep::QueryNs(zone) => label = zone,
                WalkStep::NxDomain if cut.zone.num_labels() <= 1 => {
                    return nothing(Delegation::NoDelegation);
                }
                // The parent cannot be queried; the resolvers' answer must do.
                WalkStep::NoAnswer if is_denied => return nothing(Delegation::NoDelegation),
                WalkStep::NxDomain | WalkStep::Authoritative | WalkStep::NoAnswer => break,
            }
        }
        let delegation = Delegation::Zone(display_name(&cut.zone));
        AuthoritativeServers { delegation, zone: Some(cut.zone), hosts, unknown }
    }

    /// The lowest zone cut that resolvers know, from the registrable domain upwards. A cache may
    /// have missed a registration, so the parent's servers decide.
    async fn find_start(&mut self, domain: &Name) -> Result<Start, NoResponse> {
        let mut name = domain.trim_to(2);
        loop {
            // With checking disabled: a zone with broken signatures still has name servers.
            let question =
                Question::recursive(name.clone(), RecordType::NS).with_checking_disabled();
            let reply = self.resolve(question, |message| !hosts_of(message).is_empty()).await?;
            let message = &reply.message;
            let cut = delegated(&name, &message.answers, message);
            match cut {
                // A top-level domain may not exist, but the root does: who denies it denies all.
                Some(_) if name.is_root() => return Ok(Start::None),
                Some(cut) => return Ok(Start::Zone(cut)),
                None => {}
            }
            let is_denied = Rcode::from(message.metadata.response_code) == Rcode::NXDOMAIN;
            if is_denied || name.is_root() {
                self.denials.push(Denial { server: reply.server, name: display_name(&name) });
            } else {
                self.denials.clear();
            }
            if name.is_root() || (name.num_labels() == 1 && !is_denied) {
                return Err(NoResponse);
            }
            name = name.base_name();
        }
    }

    /// Queries the servers of `zone` for a zone cut at or above `name`.
    async fn query_delegation(&mut self, zone: &Name, hosts: &Hosts, name: &Name) -> WalkStep {
        let servers = spread(hosts, MAX_PARENTS);
        let endpoints = servers
            .iter()
            .map(|address| Endpoint::Udp(SocketAddr::new(*address, self.authoritative_port)));
        let question = Question::authoritative(name.clone(), RecordType::NS);
        let is_useful = |message: &Message| {
            message.metadata.authoritative || referral(zone, name, message).is_some()
        };
        match race_queries(endpoints.collect(), question, self.limit.left(), is_useful).await {
            Ok(reply) => {
                let step = step(zone, name, &reply.message);
                if matches!(step, WalkStep::NxDomain) {
                    self.denials.push(Denial { server: reply.server, name: display_name(name) });
                }
                step
            }
            Err(_) => WalkStep::NoAnswer,
        }
    }

    /// IPv4 and IPv6 addresses, and the hosts without a known one.
    async fn addresses(&self, cut: &ZoneCut) -> (Hosts, BTreeSet<String>) {
        let mut lookups = JoinSet::new();
        for (index, host) in cut.hosts.iter().enumerate() {
            for kind in [RecordType::A, RecordType::AAAA] {
                let question = Question::recursive(host.clone(), kind).with_checking_disabled();
                let endpoints = self.endpoints();
                let limit = self.limit.left();
                lookups.spawn(async move {
                    (index, race_queries(endpoints, question, limit, is_answer).await)
                });
            }
        }
        let mut found: Vec<BTreeSet<IpAddr>> = vec![BTreeSet::new(); cut.hosts.len()];
        let mut unknown = BTreeSet::new();
        while let Some(Ok((index, result))) = lookups.join_next().await {
            match result {
                Ok(reply) if is_answer(&reply.message) => {
                    found[index].extend(reply.message.answers.iter().filter_map(address));
                }
                Ok(_) | Err(_) => {
                    unknown.insert(display_name(&cut.hosts[index]));
                }
            }
        }
        for (host, addresses) in cut.hosts.iter().zip(&mut found) {
            if addresses.is_empty() {
                let glue = cut.glue.iter().filter(|(name, _)| name == host);
                addresses.extend(glue.map(|(_, address)| address));
            }
        }
        (capped(cut.hosts.iter().map(display_name).zip(found).collect()), unknown)
    }

    fn endpoints(&self) -> Vec<Endpoint> {
        match self.port_53_failures {
            None => self.recursive.udp_servers().iter().copied().map(Endpoint::Udp).collect(),
            Some(_) => self.recursive.https().to_vec(),
        }
    }

    /// Queries the resolvers on port 53 and, if none answers, over HTTPS.
    async fn resolve(
        &mut self,
        question: Question,
        accept: impl Fn(&Message) -> bool,
    ) -> Result<Reply, NoResponse> {
        let limit = self.limit.left();
        match race_queries(self.endpoints(), question.clone(), limit, &accept).await {
            Ok(reply) => Ok(reply),
            Err(_) if self.port_53_failures.is_some() => Err(NoResponse),
            Err(failures) => {
                self.port_53_failures =
                    Some(self.recursive.udp_servers().iter().copied().zip(failures).collect());
                let limit = self.limit.left();
                let reply = race_queries(self.endpoints(), question, limit, accept).await;
                reply.map_err(|_| NoResponse)
            }
        }
    }
}

struct NoResponse;

enum Start {
    Zone(ZoneCut),
    /// Not even the top-level domain exists.
    None,
}

/// Up to `most` addresses: the first of each name server, then the second of each.
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

fn capped(hosts: Hosts) -> Hosts {
    let kept = spread(&hosts, MAX_ADDRESSES);
    let keep = |(host, addresses): (String, BTreeSet<IpAddr>)| {
        (host, addresses.into_iter().filter(|address| kept.contains(address)).collect())
    };
    hosts.into_iter().map(keep).collect()
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
