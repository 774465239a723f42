//! Queries name servers first and recursive resolvers last, so that these do not cache an absence.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use hickory_proto::rr::{Name, RData, Record, RecordType};

use super::config::Config;
use super::custom_servers::resolve_custom_servers;
use super::lookup::{Delegation, Lookup, Role, Server, display_name};
use super::query::{QueryTarget, probe, query_all};
use super::question::Question;
use super::race::race_queries;
use super::rcode::{Rcode, is_answer};
use super::recursive::{RecursiveResolvers, https_target};
use super::reply::{Failure, Transport};
use super::time_limit::TimeLimit;
use super::txt::PREFIX;
use super::walk::{AuthoritativeServers, DelegationWalker, spread};
use super::wire::Endpoint;
use crate::clock::Clock;
use crate::domain::EmailDomain;

/// Addresses that are queried for wrong names: one answer is enough, the others are spare.
const PROBED: usize = 3;

#[derive(Debug)]
pub struct Resolver {
    config: Config,
    limit: TimeLimit,
    recursive: RecursiveResolvers,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The domain's name servers; recursive resolvers only if none of them answers.
    Authoritative,
    /// Also recursive resolvers, once every name server that answers has the code.
    All,
}

impl Resolver {
    pub fn new(config: Config, clock: Clock) -> Self {
        let limit = TimeLimit { query: config.timeout, deadline: config.deadline, clock };
        Self { recursive: RecursiveResolvers::new(&config), config, limit }
    }

    pub(super) fn clock(&self) -> &Clock {
        &self.limit.clock
    }

    /// Caches are only queried once every name server has `expected`: an earlier query would
    /// make them remember its absence.
    pub async fn lookup(
        &self,
        domain: &EmailDomain,
        expected: Option<&[u8]>,
        scope: Scope,
    ) -> Lookup {
        let name = absolute(domain);
        let mut lookup = if self.config.servers.is_empty() {
            self.lookup_zone(&name, expected, scope).await
        } else {
            self.lookup_custom_servers(&name, expected).await
        };
        lookup.name = domain.to_string();
        lookup.servers.sort_by_key(order);
        lookup
    }

    /// Mail servers (RFC 5321, section 5.1) from the name servers in `lookup`; `None` if none
    /// answers. Recursive resolvers are not queried: they would cache an absence.
    pub async fn mail_servers(&self, lookup: &Lookup, domain: &EmailDomain) -> Option<Vec<String>> {
        let servers = lookup.servers.iter().filter(|server| server.authoritative);
        let endpoints = servers.filter_map(|server| server.server.parse().ok()).map(Endpoint::Udp);
        let question = Question::authoritative(absolute(domain), RecordType::MX);
        let raced = race_queries(endpoints.collect(), question, self.limit.left(), is_answer);
        let reply = raced.await.ok().filter(|reply| is_answer(&reply.message))?;
        let exchange = |record: &Record| match &record.data {
            RData::MX(mx) => Some(display_name(&mx.exchange)),
            _ => None,
        };
        // A null MX accepts no mail (RFC 7505).
        let named = reply.message.answers.iter().filter_map(exchange);
        Some(named.filter(|name| !name.is_empty() && name != ".").collect())
    }

    async fn lookup_zone(&self, name: &Name, expected: Option<&[u8]>, scope: Scope) -> Lookup {
        let mut walker = self.delegation_walker();
        let found = walker.walk(name).await;
        let mut lookup = Lookup { delegation: found.delegation.clone(), ..Lookup::default() };
        if let Some(zone) = &found.zone {
            let (targets, homeless) = self.authoritative(&found);
            let probed = spread(&found.hosts, PROBED);
            let probed = probed.iter().map(|ip| self.authoritative_endpoint(*ip)).collect();
            let (servers, misplaced) = tokio::join!(
                query_all(name, targets, self.limit.left()),
                probe(name, zone, probed, self.limit.left()),
            );
            lookup.servers = servers;
            lookup.servers.extend(homeless);
            lookup.misplaced = misplaced;
        }
        if found.zone.is_none() {
            lookup.denials.clone_from(&walker.denials);
        }
        let caches = self.recursive_targets(&lookup, &walker, expected, scope);
        if let Some(port_53_failures) = walker.port_53_failures {
            // They did not answer the query for the zone: not repeated.
            lookup.servers.extend(
                port_53_failures
                    .into_iter()
                    .map(|(server, failure)| self.recursive.server_entry(server).failed(failure)),
            );
        }
        lookup.servers.extend(query_all(name, caches, self.limit.left()).await);
        lookup
    }

    fn recursive_targets(
        &self,
        lookup: &Lookup,
        walker: &DelegationWalker<'_>,
        expected: Option<&[u8]>,
        scope: Scope,
    ) -> Vec<QueryTarget> {
        let nobody_answered = lookup.servers.iter().all(|server| server.rcode.is_none());
        let is_absent = lookup.delegation == Delegation::NoDelegation;
        let mut targets = Vec::new();
        let is_known = !nobody_answered && is_served_by_all(&lookup.servers, expected);
        let may_ask = nobody_answered || (scope == Scope::All && is_known);
        if may_ask && !is_absent {
            let open =
                self.recursive.udp_servers().iter().filter(|_| walker.port_53_failures.is_none());
            targets.extend(open.map(|server| QueryTarget {
                endpoint: Endpoint::Udp(*server),
                entry: self.recursive.server_entry(*server),
                is_named: false,
            }));
        }
        if nobody_answered && !is_absent {
            targets.extend(self.recursive.https().iter().filter_map(https_target));
        }
        targets
    }

    async fn lookup_custom_servers(&self, name: &Name, expected: Option<&[u8]>) -> Lookup {
        let mut lookup = Lookup { delegation: Delegation::CustomServers, ..Lookup::default() };
        let (targets, unresolved) =
            resolve_custom_servers(&self.config.servers, self.limit.left()).await;
        lookup.servers = query_all(name, targets, self.limit.left()).await;
        lookup.servers.extend(unresolved);
        if !is_served_by_all(&lookup.servers, expected) {
            // Only servers of the zone: a cache would remember the absence.
            let authoritative = lookup.servers.iter().filter(|server| server.authoritative);
            let probed = authoritative.filter_map(|server| server.server.parse().ok()).take(PROBED);
            lookup.misplaced =
                probe(name, name, probed.map(Endpoint::Udp).collect(), self.limit.left()).await;
        }
        lookup
    }

    fn delegation_walker(&self) -> DelegationWalker<'_> {
        DelegationWalker {
            recursive: &self.recursive,
            port_53_failures: None,
            limit: self.limit.clone(),
            denials: Vec::new(),
            authoritative_port: self.config.authoritative_port,
        }
    }

    fn authoritative_endpoint(&self, address: IpAddr) -> Endpoint {
        Endpoint::Udp(SocketAddr::new(address, self.config.authoritative_port))
    }

    /// One target per address; name servers without an address only get an entry.
    fn authoritative(&self, found: &AuthoritativeServers) -> (Vec<QueryTarget>, Vec<Server>) {
        let mut by_address: BTreeMap<IpAddr, &str> = BTreeMap::new();
        let mut homeless = Vec::new();
        for (host, addresses) in &found.hosts {
            for address in addresses {
                by_address.entry(*address).or_insert(host);
            }
            if addresses.is_empty() {
                let server = format!("{host}:{}", self.config.authoritative_port);
                let failure = if found.unknown.contains(host) {
                    Failure::Network("its address could not be resolved".to_owned())
                } else {
                    Failure::NoAddress("its name has no address".to_owned())
                };
                let entry = Server::new(server, Some(host.clone()), Role::Authoritative);
                homeless.push(entry.failed(failure));
            }
        }
        let target = |(address, host): (IpAddr, &str)| {
            let server = SocketAddr::new(address, self.config.authoritative_port);
            QueryTarget {
                endpoint: Endpoint::Udp(server),
                entry: Server::new(server.to_string(), Some(host.to_owned()), Role::Authoritative),
                is_named: false,
            }
        };
        (by_address.into_iter().map(target).collect(), homeless)
    }
}

fn absolute(domain: &EmailDomain) -> Name {
    let mut name = Name::from_ascii(domain.as_str()).expect("an email domain is a domain name");
    name.set_fqdn(true);
    name
}

/// Authoritative first, then by name and address; servers without a name last.
fn order(server: &Server) -> (Role, bool, Option<String>, Option<SocketAddr>, String, Transport) {
    (
        server.role,
        server.name.is_none(),
        server.name.clone(),
        server.server.parse().ok(),
        server.server.clone(),
        server.transport,
    )
}

/// Whether every server that answered has the code or, with none expected, any code.
fn is_served_by_all(servers: &[Server], expected: Option<&[u8]>) -> bool {
    let has_code = |server: &Server| match expected {
        Some(code) => server.serves(code),
        None => server.records.iter().any(|record| record.joined().starts_with(PREFIX.as_bytes())),
    };
    let is_answer = |server: &&Server| server.rcode.is_some_and(Rcode::is_answer);
    let mut answered = servers.iter().filter(is_answer).peekable();
    answered.peek().is_some() && answered.all(has_code)
}
