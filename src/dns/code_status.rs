//! The status of one code on each server.

use std::net::SocketAddr;

use super::lookup::{Delegation, Dnssec, Lookup, Role, Server};
use super::rcode::Rcode;
use super::reply::Failure;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CodeStatus {
    Found,
    Missing,
    /// The server returns an alias, and the code is not at its end.
    Cname,
    /// DNSSEC validation failed.
    Bogus,
    /// The server does not answer for this name.
    Lame,
    NoResponse,
    NoAddress,
    /// The server cannot be reached from this machine.
    Skipped,
}

pub(super) fn status(server: &Server, code: Option<&[u8]>) -> CodeStatus {
    match &server.error {
        Some(Failure::NoRoute(_)) => return CodeStatus::Skipped,
        Some(Failure::NoAddress(_)) => return CodeStatus::NoAddress,
        Some(_) => return CodeStatus::NoResponse,
        None => {}
    }
    if server.dnssec == Some(Dnssec::Bogus) {
        return CodeStatus::Bogus;
    }
    let is_holder = server.role == Role::Recursive || server.authoritative;
    if !server.rcode.is_some_and(Rcode::is_answer) || !is_holder {
        return CodeStatus::Lame;
    }
    if code.is_some_and(|code| server.serves(code)) {
        return CodeStatus::Found;
    }
    if server.aliases.is_empty() { CodeStatus::Missing } else { CodeStatus::Cname }
}

/// The status of `code` on each server, in their order.
///
/// Servers given on the command line count even if they cannot be reached. If each of several
/// IPv6 addresses times out and every IPv4 address answers, this machine has no IPv6: skipped.
pub(super) fn all_statuses<'a>(
    lookup: &'a Lookup,
    code: Option<&[u8]>,
) -> Vec<(&'a Server, CodeStatus)> {
    let servers = lookup.servers.iter();
    let mut all: Vec<_> = servers.map(|server| (server, status(server, code))).collect();
    if lookup.delegation == Delegation::CustomServers {
        for (_, status) in &mut all {
            if matches!(status, CodeStatus::Skipped | CodeStatus::NoAddress) {
                *status = CodeStatus::NoResponse;
            }
        }
        return all;
    }
    let is_v6 = |server: &Server| server.server.parse().is_ok_and(|at: SocketAddr| at.is_ipv6());
    let (six, four): (Vec<_>, Vec<_>) = all.iter().partition(|(server, _)| is_v6(server));
    let timed_out = |server: &Server| matches!(server.error, Some(Failure::TimedOut(_)));
    let is_blind = six.len() > 1
        && six.iter().all(|(server, _)| timed_out(server))
        && !four.is_empty()
        && four.iter().all(|(server, _)| server.rcode.is_some());
    if is_blind {
        for (server, status) in &mut all {
            if is_v6(server) {
                *status = CodeStatus::Skipped;
            }
        }
    }
    all
}

/// None if the server has the code.
pub(super) fn describe(server: &Server, status: CodeStatus) -> Option<String> {
    let what = match status {
        CodeStatus::Found => return None,
        CodeStatus::Missing if server.rcode == Some(Rcode::NXDOMAIN) => {
            "reports that the name does not exist".to_owned()
        }
        CodeStatus::Missing if server.records.is_empty() => "has no TXT record there".to_owned(),
        CodeStatus::Missing => "has other TXT records only".to_owned(),
        CodeStatus::Cname => {
            format!("reports a CNAME to `{}`", server.aliases.join("` → `"))
        }
        CodeStatus::Bogus => {
            let reason = server.extended_errors.join(", ");
            let reason =
                if reason.is_empty() { "it answers without validation".to_owned() } else { reason };
            format!("DNSSEC validation failed ({reason})")
        }
        CodeStatus::Lame => lameness(server),
        CodeStatus::NoResponse | CodeStatus::NoAddress => match &server.error {
            Some(failure) => failure.to_string(),
            None => "no response".to_owned(),
        },
        CodeStatus::Skipped => match &server.error {
            Some(failure @ Failure::NoRoute(_)) => failure.to_string(),
            _ => "not counted: IPv6 is not reachable from here".to_owned(),
        },
    };
    Some(format!("{}: {what}", server_label(server)))
}

fn lameness(server: &Server) -> String {
    match server.rcode {
        Some(rcode) if !rcode.is_answer() => format!("answers {rcode}"),
        _ => "is not authoritative for the zone".to_owned(),
    }
}

/// `ns1.cool.cats (192.0.2.1:53)`.
pub(super) fn server_label(server: &Server) -> String {
    match &server.name {
        Some(name) if server.server.parse::<SocketAddr>().is_ok() => {
            format!("{name} ({})", server.server)
        }
        _ => server.server.clone(),
    }
}
