//! The decisions behind a verdict. No I/O.

use jiff::Timestamp;

use super::code_status::CodeStatus;
use super::diagnoser::Diagnoser;
use super::lookup::{Delegation, Lookup, Role, Server, sso_codes};
use super::near_miss::{Mismatch, excerpt};
use super::problem::{CHECK_SERVERS, Problem, finding, joined};
use super::rcode::Rcode;
use super::verdict::{Diagnosis, Verdict};

/// Without an expected code, diagnoses the code that most servers have.
pub fn diagnose(lookup: &Lookup, expected: Option<&[u8]>, now: Timestamp) -> Diagnosis {
    if expected.is_some() {
        return Diagnoser::new(lookup, expected, now).diagnose();
    }
    let reach = |code: &Vec<u8>| lookup.servers.iter().filter(|one| one.serves(code)).count();
    let widest = sso_codes(lookup).into_iter().max_by_key(reach);
    let mut diagnosis = Diagnoser::new(lookup, widest.as_deref(), now).diagnose();
    if diagnosis.verdict == Verdict::Visible {
        diagnosis.summary.push_str("; not compared with the code of a connector");
    }
    diagnosis
}

impl Diagnoser<'_> {
    fn diagnose(&self) -> Diagnosis {
        let found = self.find_problem();
        let is_visible = found.is_none();
        let found = found.unwrap_or_else(|| finding(Verdict::Visible, self.visible(), ""));
        Diagnosis {
            verdict: found.verdict,
            summary: found.summary,
            remedy: (!is_visible).then_some(found.remedy),
            visible_at: found.visible_at,
            evidence: self.evidence(),
            code: self.code.map(<[u8]>::to_vec),
        }
    }

    fn find_problem(&self) -> Option<Problem> {
        if self.lookup.delegation == Delegation::NoDelegation {
            return Some(self.no_delegation());
        }
        let answers = [CodeStatus::Found, CodeStatus::Missing, CodeStatus::Cname];
        if !answers.iter().any(|status| self.any_server(*status)) {
            return Some(self.no_server_answers());
        }
        if !self.any_server(CodeStatus::Found) {
            return Some(self.not_published());
        }
        self.partially_published().or_else(|| self.cached_answers())
    }

    fn not_published(&self) -> Problem {
        if let Some(server) = self.server_with(CodeStatus::Cname) {
            return self.alias(server);
        }
        // Another connector's code may be correct: a code at a wrong name is more useful.
        let misses = self.near_misses();
        let slip = misses.first().filter(|miss| miss.fault != Mismatch::OtherCode);
        match (slip, self.misplaced().first(), misses.first()) {
            (Some(slip), _, _) => return self.wrong_value(slip),
            (None, Some(misplaced), _) => return self.wrong_name(misplaced),
            (None, None, Some(other)) => return self.wrong_value(other),
            (None, None, None) => {}
        }
        let name = self.name();
        let is_nxdomain = |(server, status): &(&Server, CodeStatus)| {
            *status != CodeStatus::Missing || server.rcode == Some(Rcode::NXDOMAIN)
        };
        let (verdict, what) = if self.deciding.iter().all(is_nxdomain) {
            (Verdict::Nxdomain, format!("the name `{name}` does not exist in {}", self.zone()))
        } else {
            (Verdict::NotPublished, format!("{} has no such TXT record", self.zone_of_name()))
        };
        let mut found = finding(verdict, what, self.publish_fix());
        self.add_cache_expiry(&mut found);
        found
    }

    /// If only caches were queried, they may remember an old absence.
    fn add_cache_expiry(&self, found: &mut Problem) {
        let is_cache = |(server, _): &&(&Server, CodeStatus)| server.role == Role::Recursive;
        if !self.deciding.iter().all(|one| is_cache(&one)) {
            return;
        }
        let times = self.deciding.iter().filter_map(|(server, _)| self.cache_expires_at(server));
        if let Some(at) = times.max() {
            let note = format!("; only caches were queried: a newer record is visible by {at}");
            found.summary.push_str(&note);
            found.visible_at = Some(at);
        }
    }

    fn partially_published(&self) -> Option<Problem> {
        if let Some(server) = self.server_with(CodeStatus::Cname) {
            return Some(self.alias(server));
        }
        let lacking = self.list_servers(CodeStatus::Missing);
        if !lacking.is_empty() {
            return Some(finding(
                Verdict::PartiallyPublished,
                format!("visible on {}; missing: {lacking}", self.server_count()),
                "wait until every name server has the zone, or repair those that are out of date",
            ));
        }
        let lame = self.list_servers(CodeStatus::Lame);
        if !lame.is_empty() {
            let fix = if self.is_custom() {
                CHECK_SERVERS
            } else {
                "configure the zone on these name servers, or remove them from the delegation"
            };
            return Some(finding(
                Verdict::LameDelegation,
                format!("visible on {}; not authoritative: {lame}", self.server_count()),
                fix,
            ));
        }
        if self.any_server(CodeStatus::Bogus) {
            return Some(self.bogus());
        }
        let unresponsive = self.list_servers(CodeStatus::NoResponse);
        let fix = if self.is_custom() {
            CHECK_SERVERS
        } else {
            "repair these name servers or remove them from the delegation, then check again"
        };
        (!unresponsive.is_empty()).then(|| {
            finding(
                Verdict::PartiallyPublished,
                format!("visible on {}; no response from {unresponsive}", self.server_count()),
                fix,
            )
        })
    }

    /// Every deciding server has the code; caches may not.
    fn cached_answers(&self) -> Option<Problem> {
        if self.caches.iter().any(|(_, status)| *status == CodeStatus::Bogus) {
            return Some(self.bogus());
        }
        let old = |(_, status): &&(&Server, CodeStatus)| {
            matches!(status, CodeStatus::Missing | CodeStatus::Cname)
        };
        let last =
            self.caches.iter().filter(old).max_by_key(|(server, _)| self.cache_expires_at(server));
        if let Some((server, _)) = last {
            return Some(self.cached_value(server));
        }
        let failed = self.caches.iter().filter(|(_, status)| {
            matches!(status, CodeStatus::NoResponse | CodeStatus::Lame | CodeStatus::NoAddress)
        });
        let failed = joined(failed.map(|(server, _)| *server));
        (!failed.is_empty()).then(|| {
            finding(
                Verdict::Unreachable,
                format!("visible on all name servers; no response from {failed}"),
                "the record is correct; check again, or pass `--server`",
            )
        })
    }

    fn visible(&self) -> String {
        let all = self.deciding.iter().chain(&self.caches);
        let serving = all.filter(|(_, status)| *status == CodeStatus::Found).count();
        if self.is_blocked {
            return format!(
                "visible through {serving} recursive resolvers (port 53 is blocked from here)"
            );
        }
        format!("visible on {serving} of {serving} name servers")
    }

    fn server_count(&self) -> String {
        let serving = self.deciding.iter().filter(|(_, each)| *each == CodeStatus::Found).count();
        let asked = self.deciding.iter();
        let asked =
            asked.filter(|(_, each)| !matches!(each, CodeStatus::Skipped | CodeStatus::NoAddress));
        format!("{serving} of {} name servers", asked.count())
    }

    fn list_servers(&self, status: CodeStatus) -> String {
        joined(self.deciding.iter().filter(|(_, each)| *each == status).map(|(server, _)| *server))
    }

    fn zone(&self) -> String {
        match &self.lookup.delegation {
            Delegation::Zone(zone) => format!("the zone `{zone}`"),
            _ => "the zone".to_owned(),
        }
    }

    fn zone_of_name(&self) -> String {
        let name = self.name();
        match &self.lookup.delegation {
            Delegation::Zone(zone) if zone != name => format!("`{name}` (in the zone `{zone}`)"),
            _ => format!("`{name}`"),
        }
    }

    fn publish_fix(&self) -> String {
        let name = self.name();
        match self.code {
            Some(code) => {
                format!("publish a TXT record at `{name}` with the value `{}`", excerpt(code))
            }
            None => format!("publish the verification code as a TXT record at `{name}`"),
        }
    }
}

#[cfg(test)]
mod tests;
