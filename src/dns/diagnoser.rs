//! A lookup compared with one code: which servers decide, and what they have.

use jiff::Timestamp;

use super::code_status::{CodeStatus, all_statuses};
use super::expiry;
use super::lookup::{Delegation, Lookup, Role, Server};
use super::reply::Transport;

pub(super) struct Diagnoser<'a> {
    pub(super) lookup: &'a Lookup,
    pub(super) code: Option<&'a [u8]>,
    pub(super) now: Timestamp,
    /// Decide whether the code is published.
    pub(super) deciding: Vec<(&'a Server, CodeStatus)>,
    /// May return old answers.
    pub(super) caches: Vec<(&'a Server, CodeStatus)>,
    /// Port 53 is blocked, so recursive resolvers replace the name servers.
    pub(super) is_blocked: bool,
}

impl<'a> Diagnoser<'a> {
    pub fn new(lookup: &'a Lookup, code: Option<&'a [u8]>, now: Timestamp) -> Self {
        let (mut caches, mut deciding): (Vec<_>, Vec<_>) = all_statuses(lookup, code)
            .into_iter()
            .partition(|(server, _)| server.role == Role::Recursive);
        let is_unheard = |(_, status): &(&Server, CodeStatus)| {
            matches!(status, CodeStatus::NoResponse | CodeStatus::Skipped | CodeStatus::NoAddress)
        };
        let is_blocked = deciding.iter().all(is_unheard) && is_port_53_blocked(&caches);
        if is_blocked {
            caches.retain(|one| !is_unheard(one));
            deciding = std::mem::take(&mut caches);
        } else if lookup.delegation == Delegation::CustomServers && deciding.iter().all(is_unheard)
        {
            deciding.append(&mut caches);
        }
        Self { lookup, code, now, deciding, caches, is_blocked }
    }

    pub(super) fn server_with(&self, status: CodeStatus) -> Option<&'a Server> {
        self.deciding.iter().find(|(_, each)| *each == status).map(|(server, _)| *server)
    }

    pub(super) fn any_server(&self, status: CodeStatus) -> bool {
        self.server_with(status).is_some()
    }

    pub(super) fn is_custom(&self) -> bool {
        self.lookup.delegation == Delegation::CustomServers
    }

    pub(super) fn name(&self) -> &str {
        &self.lookup.name
    }

    pub(super) fn cache_expires_at(&self, server: &Server) -> Option<Timestamp> {
        expiry::remaining_ttl(server, &self.lookup.servers).map(|ttl| expiry::after(self.now, ttl))
    }
}

/// Whether only HTTPS, and at most the system's resolver on port 53, returned answers.
fn is_port_53_blocked(caches: &[(&Server, CodeStatus)]) -> bool {
    let heard = |server: &Server| server.rcode.is_some();
    let over_https = |server: &Server| server.transport == Transport::Https;
    let is_system = |server: &Server| server.name.as_deref() == Some("system");
    caches.iter().any(|(server, _)| heard(server) && over_https(server))
        && caches
            .iter()
            .all(|(server, _)| !heard(server) || over_https(server) || is_system(server))
}
