//! The recursive resolvers: the system's, public ones, and those over HTTPS. Queries none.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};

use super::config::{Config, HttpsServer, PUBLIC};
use super::lookup::{Role, Server};
use super::query::QueryTarget;
use super::reply::Transport;
use super::wire::Endpoint;

#[derive(Debug)]
pub(super) struct RecursiveResolvers {
    named: Vec<SocketAddr>,
    servers: Vec<HttpsServer>,
    tls: Option<Arc<rustls::ClientConfig>>,
    plain: OnceLock<Vec<SocketAddr>>,
    https: OnceLock<Vec<Endpoint>>,
}

impl RecursiveResolvers {
    pub fn new(config: &Config) -> Self {
        Self {
            named: config.recursive.clone(),
            servers: config.https.clone(),
            tls: config.tls.clone(),
            plain: OnceLock::new(),
            https: OnceLock::new(),
        }
    }

    pub fn server_entry(&self, server: SocketAddr) -> Server {
        let public = PUBLIC.iter().find(|(address, _)| IpAddr::V4(*address) == server.ip());
        let name = match public {
            Some((_, name)) => Some((*name).to_owned()),
            None if self.named.is_empty() => Some("system".to_owned()),
            None => None,
        };
        Server::new(server.to_string(), name, Role::Recursive)
    }

    pub fn udp_servers(&self) -> &[SocketAddr] {
        self.plain.get_or_init(|| {
            if !self.named.is_empty() {
                return self.named.clone();
            }
            let public = PUBLIC.iter().map(|(address, _)| SocketAddr::from((*address, 53)));
            let mut all: Vec<SocketAddr> = system_resolvers().into_iter().chain(public).collect();
            all.sort();
            all.dedup();
            all
        })
    }

    /// Created on first use: loading the platform's trust store is slow.
    pub fn https(&self) -> &[Endpoint] {
        self.https.get_or_init(|| {
            if self.servers.is_empty() {
                return Vec::new();
            }
            let tls = self.tls.clone().or_else(|| {
                let platform = super::https::platform_tls();
                platform
                    .inspect_err(|error| tracing::warn!(%error, "no DNS over HTTPS"))
                    .ok()
                    .map(Arc::new)
            });
            let Some(tls) = tls else { return Vec::new() };
            let servers = self.servers.iter().cloned().map(Arc::new);
            servers.map(|server| Endpoint::Https(server, Arc::clone(&tls))).collect()
        })
    }
}

fn system_resolvers() -> Vec<SocketAddr> {
    match hickory_resolver::system_conf::read_system_conf() {
        Ok((config, _)) => {
            config.name_servers().iter().map(|server| SocketAddr::new(server.ip, 53)).collect()
        }
        Err(error) => {
            tracing::debug!(%error, "the system has no resolver");
            Vec::new()
        }
    }
}

pub(super) fn https_target(endpoint: &Endpoint) -> Option<QueryTarget> {
    let Endpoint::Https(server, _) = endpoint else { return None };
    let mut entry =
        Server::new(server.address.to_string(), Some(server.host.clone()), Role::Recursive);
    entry.transport = Transport::Https;
    Some(QueryTarget { endpoint: endpoint.clone(), entry, is_named: false })
}
