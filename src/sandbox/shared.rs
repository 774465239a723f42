//! State shared by all requests and the owner of the sandbox.

use std::collections::{BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use super::access::Access;
use super::fault::armed::ActiveFaults;
use super::limit::Limits;
use super::sign_in_attempt::{LogBehavior, PlannedSignIn};
use super::state::AuditRow;
use super::store::Store;
use crate::clock::Clock;
use crate::mutex::lock;

const REMEMBERED: usize = 10_000;

const FIRST_RAY: u64 = 0x8c5a_ca75_0000_0000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    pub method: String,
    pub path: String,
    /// None if the connection was cut.
    pub status: Option<u16>,
    /// Which of the sandbox's own tokens it used, if any.
    pub access: Option<Access>,
    /// The TCP connection, counted from 1.
    pub connection: u64,
}

#[derive(Debug)]
pub(super) struct AppState {
    pub store: Arc<Store>,
    pub clock: Clock,
    /// The name server that verification queries.
    pub dns: SocketAddr,
    /// Of the API and the issuers: `http://127.0.0.1:PORT`.
    pub origin: String,
    /// Federation grants per account.
    pub grant_limit: usize,
    faults: Mutex<ActiveFaults>,
    limits: Mutex<Limits>,
    log: Mutex<VecDeque<LoggedRequest>>,
    /// Slugs of the identity providers that do not answer.
    down: Mutex<BTreeSet<String>>,
    log_behavior: Mutex<LogBehavior>,
    planned: Mutex<Vec<PlannedSignIn>>,
    rays: AtomicU64,
}

impl AppState {
    pub fn new(
        store: Arc<Store>,
        clock: Clock,
        grant_limit: usize,
        http: SocketAddr,
        dns: SocketAddr,
    ) -> Self {
        let first_ray = store.read(|state| first_ray(&state.audit));
        Self {
            store,
            clock,
            dns,
            origin: format!("http://{http}"),
            grant_limit,
            faults: Mutex::default(),
            limits: Mutex::default(),
            log: Mutex::default(),
            down: Mutex::default(),
            log_behavior: Mutex::default(),
            planned: Mutex::default(),
            rays: AtomicU64::new(first_ray),
        }
    }

    pub fn faults(&self) -> MutexGuard<'_, ActiveFaults> {
        lock(&self.faults)
    }

    pub fn limits(&self) -> MutexGuard<'_, Limits> {
        lock(&self.limits)
    }

    pub fn record(&self, exchange: LoggedRequest) {
        let mut log = lock(&self.log);
        if log.len() == REMEMBERED {
            log.pop_front();
        }
        log.push_back(exchange);
    }

    pub fn log(&self) -> Vec<LoggedRequest> {
        lock(&self.log).iter().cloned().collect()
    }

    pub fn down(&self) -> MutexGuard<'_, BTreeSet<String>> {
        lock(&self.down)
    }

    pub fn log_behavior(&self) -> MutexGuard<'_, LogBehavior> {
        lock(&self.log_behavior)
    }

    pub fn planned(&self) -> MutexGuard<'_, Vec<PlannedSignIn>> {
        lock(&self.planned)
    }

    pub fn is_down(&self, slug: &str) -> bool {
        self.down().contains(slug)
    }

    pub fn ray(&self) -> String {
        format!("{:016x}-SBX", self.rays.fetch_add(1, Ordering::Relaxed))
    }
}

/// Greater than those in the audit log, which simulators that share a state file have in common.
fn first_ray(audit: &[AuditRow]) -> u64 {
    let rays = audit.iter().filter_map(|row| u64::from_str_radix(&row.ray, 16).ok());
    rays.map(|ray| ray.saturating_add(1)).fold(FIRST_RAY, u64::max)
}
