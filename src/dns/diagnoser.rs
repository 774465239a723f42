//! A lookup compared with one code: which servers decide, and what they have.

use jiff::Timestamp;

use super::code_status::{CodeStatus, all_statuses};
use super::expiry;
use super::lookup::{Delegation, Lookup, Role, Server};
use super::reply::Transport;

pub(super) struct Diagnoser<'a> {
    pub(super) survey: &'a Lookup,
    pub(super) code: Option<&'a [u8]>,
    pub(super) now: Timestamp,
    /// Decide whether the code is published.
    pub(super) holders: Vec<(&'a Server, CodeStatus)>,
    /// May return old answers.
    pub(super) caches: Vec<(&'a Server, CodeStatus)>,
    /// Port 53 is blocked, so recursive resolvers replace the name servers.
    pub(super) is_blocked: bool,
}

impl<'a> Diagnoser<'a> {
    pub fn new(survey: &'a Lookup, code: Option<&'a [u8]>, now: Timestamp) -> Self {
        let (mut caches, mut holders): (Vec<_>, Vec<_>) = all_statuses(survey, code)
            .into_iter()
            .partition(|(server, _)| server.role == Role::Recursive);
        let is_unheard = |(_, standing): &(&Server, CodeStatus)| {
            matches!(standing, CodeStatus::NoResponse | CodeStatus::Skipped | CodeStatus::NoAddress)
        };
        let is_blocked = holders.iter().all(is_unheard) && is_port_53_blocked(&caches);
        if is_blocked {
            caches.retain(|one| !is_unheard(one));
            holders = std::mem::take(&mut caches);
        } else if survey.delegation == Delegation::CustomServers && holders.iter().all(is_unheard) {
            holders.append(&mut caches);
        }
        Self { survey, code, now, holders, caches, is_blocked }
    }

    pub(super) fn any_server(&self, standing: CodeStatus) -> bool {
        self.holders.iter().any(|(_, each)| *each == standing)
    }

    pub(super) fn name(&self) -> &str {
        &self.survey.name
    }

    pub(super) fn cache_expires_at(&self, server: &Server) -> Option<Timestamp> {
        expiry::remaining_ttl(server, &self.survey.servers)
            .map(|left| expiry::after(self.now, left))
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
