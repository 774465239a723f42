//! Resolves the servers given on the command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;

use super::config::{Host, ServerSpec};
use super::lookup::{Role, Server};
use super::query::QueryTarget;
use super::reply::Failure;
use super::wire::Endpoint;

/// Uses the system's resolver for host names.
pub(super) async fn resolve_custom_servers(
    servers: &[ServerSpec],
    limit: Duration,
) -> (Vec<QueryTarget>, Vec<Server>) {
    let mut lookups = JoinSet::new();
    for spec in servers.iter().cloned() {
        lookups.spawn(async move { (resolve(&spec, limit).await, spec) });
    }
    let mut targets = BTreeMap::new();
    let mut unresolved = Vec::new();
    while let Some(Ok((addresses, spec))) = lookups.join_next().await {
        let host = match &spec.host {
            Host::Name(host) => Some(host.clone()),
            Host::Address(_) => None,
        };
        match addresses {
            Ok(addresses) => targets.extend(addresses.into_iter().map(|at| (at, host.clone()))),
            Err(reason) => unresolved.push(
                Server::new(spec.to_string(), host, Role::Authoritative)
                    .failed(Failure::NoAddress(reason)),
            ),
        }
    }
    let target = |(address, host): (SocketAddr, Option<String>)| QueryTarget {
        endpoint: Endpoint::Udp(address),
        entry: Server::new(address.to_string(), host, Role::Authoritative),
        is_named: true,
    };
    (targets.into_iter().map(target).collect(), unresolved)
}

async fn resolve(spec: &ServerSpec, limit: Duration) -> Result<Vec<SocketAddr>, String> {
    let name = match &spec.host {
        Host::Address(address) => return Ok(vec![SocketAddr::new(*address, spec.port)]),
        Host::Name(name) => name,
    };
    let lookup = tokio::net::lookup_host((name.as_str(), spec.port));
    match tokio::time::timeout(limit, lookup).await {
        Ok(Ok(addresses)) => Ok(addresses.collect()),
        Ok(Err(error)) => Err(format!("`{name}` has no address: {error}")),
        Err(_) => Err(format!("no response for the address of `{name}`")),
    }
}
