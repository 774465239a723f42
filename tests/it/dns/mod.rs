//! Tests of `dns` against name servers on loopback that speak real DNS.
#![expect(clippy::unwrap_used, reason = "a server in a test may fail it")]

mod caches;
mod hostile;
mod https;
mod named;
mod network;
mod waiting;
mod walking;
mod zone;

use std::time::Duration;

use cfsso::clock::Clock;
use cfsso::dns::{Config, Diagnosis, Lookup, Resolver, Scope, diagnose};
use cfsso::domain::EmailDomain;
use jiff::Timestamp;

use network::Network;

const CODE: &str = "cloudflare_dashboard_sso=5f2c9a";
const OTHER: &str = "cloudflare_dashboard_sso=777";

/// A wait that no live server needs, not even on a busy machine.
const PATIENT: Duration = Duration::from_secs(10);
/// A wait that is paid in full for silent servers.
const BRIEF: Duration = Duration::from_millis(800);

fn now() -> Timestamp {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn domain(text: &str) -> EmailDomain {
    text.parse().unwrap()
}

/// Asks nobody but the servers of `network`; the first is the recursive resolver.
fn walking(network: &Network, timeout: Duration) -> Config {
    Config {
        recursive: vec![network.address(1)],
        authoritative_port: network.port(),
        timeout,
        https: Vec::new(),
        ..Config::default()
    }
}

/// Asks the servers of `network` with these numbers by name.
fn naming(network: &Network, numbers: &[u8], timeout: Duration) -> Config {
    let server = |number: &u8| network.address(*number).to_string().parse().unwrap();
    let config = walking(network, timeout);
    Config { servers: numbers.iter().map(server).collect(), ..config }
}

fn resolver(config: Config) -> Resolver {
    Resolver::new(config, Clock::fake(now()))
}

/// Looks once, for [`CODE`], as far as possible.
async fn look(config: Config, name: &str) -> (Lookup, Diagnosis) {
    let lookup = resolver(config).lookup(&domain(name), Some(CODE.as_bytes()), Scope::All).await;
    let diagnosis = diagnose(&lookup, Some(CODE.as_bytes()), now());
    (lookup, diagnosis)
}
