//! Each way in which a code is not visible, in words: summary and remedy. Pure.

use jiff::Timestamp;

use super::code_status::{CodeStatus, server_label};
use super::diagnosis::Diagnoser;
use super::expiry;
use super::lookup::{Delegation, Location, MisplacedCode, Server};
use super::near_miss::{NearMiss, excerpt};
use super::verdict::Verdict;

/// A verdict with its sentence and remedy.
pub(super) struct Problem {
    pub verdict: Verdict,
    pub summary: String,
    pub remedy: String,
    pub visible_at: Option<Timestamp>,
}

/// A finding that no cache's memory stands behind.
pub(super) fn finding(verdict: Verdict, summary: String, remedy: impl Into<String>) -> Problem {
    Problem { verdict, summary, remedy: remedy.into(), visible_at: None }
}

impl Diagnoser<'_> {
    pub(super) fn no_delegation(&self) -> Problem {
        let name = self.name();
        finding(
            Verdict::NoDelegation,
            format!(
                "`{name}` is not delegated: asked for its name servers, the DNS says that there is no such name"
            ),
            "register the domain or restore its NS records at the registrar, and check its spelling",
        )
    }

    /// No server that decides gave an answer that says something of the name.
    pub(super) fn no_server_answers(&self) -> Problem {
        let name = self.name();
        if self.any_server(CodeStatus::Bogus) {
            return self.bogus();
        }
        if self.any_server(CodeStatus::Lame) || self.any_server(CodeStatus::NoAddress) {
            return finding(
                Verdict::LameDelegation,
                format!("no server that `{name}` is delegated to answers for it"),
                "set the zone up at these name servers, or correct the NS records at the registrar",
            );
        }
        let summary = match self.survey.delegation {
            Delegation::Unknown => {
                format!("no resolver could say which name servers `{name}` has")
            }
            _ if self.caches.iter().any(|(_, standing)| *standing == CodeStatus::Found) => {
                format!("no name server of `{name}` answered; the code is known from caches only")
            }
            _ => format!("no name server of `{name}` answered, so nothing is proven"),
        };
        finding(
            Verdict::Unreachable,
            summary,
            "check that this machine may send DNS queries (port 53, UDP and TCP), or name servers it can reach",
        )
    }

    pub(super) fn alias(&self, server: &Server) -> Problem {
        let name = self.name();
        let target = server.aliases.first().map_or("", String::as_str);
        finding(
            Verdict::CnameConflict,
            format!(
                "`{name}` is an alias (CNAME) of `{target}`, beside which no TXT record can stand"
            ),
            format!(
                "replace the CNAME at `{name}` by address records (or a flattened one), then publish the TXT record"
            ),
        )
    }

    pub(super) fn wrong_value(&self, miss: &NearMiss) -> Problem {
        let mut summary = format!("`{}` has a wrong value: {miss}", self.name());
        if let Some(wildcard) = self.wildcard_behind(&miss.value) {
            summary += "; it comes from the wildcard `";
            summary += wildcard;
            summary.push('`');
        }
        let remedy = match self.code {
            Some(code) => format!("publish the value exactly as it is: `{}`", excerpt(code)),
            None => "publish the code exactly as Cloudflare shows it".to_owned(),
        };
        finding(Verdict::WrongValue, summary, remedy)
    }

    pub(super) fn wrong_name(&self, misplaced: &MisplacedCode) -> Problem {
        let (name, wrong) = (self.name(), &misplaced.name);
        let why = match misplaced.place {
            Location::Wildcard | Location::WildcardAbove => {
                "a wildcard's answer, which does not hold for a name that exists"
            }
            Location::DuplicatedDomain => "the full name was entered where the zone is added to it",
            Location::Www | Location::UnderscorePrefix => "a name below the domain",
            Location::Apex => "the apex of the zone",
        };
        let code = if self.code.is_some() { "the code" } else { "a code" };
        finding(
            Verdict::WrongName,
            format!("{code} is at `{wrong}` ({why}), not at `{name}`"),
            format!("move the TXT record from `{wrong}` to `{name}`"),
        )
    }

    pub(super) fn cached_value(&self, server: &Server) -> Problem {
        let is_negative = server.records.is_empty() && server.aliases.is_empty();
        let (verdict, what) = if is_negative {
            (Verdict::CachedNegative, "still remembers that the record was missing")
        } else {
            (Verdict::CachedStale, "still has the records from before")
        };
        let at = self.cache_expires_at(server);
        let until = at.map_or_else(String::new, |at| format!(", until {at} at the latest"));
        let poll = at.map_or("", |at| expiry::compare_with_poll(self.now, at));
        let mut found = finding(
            verdict,
            format!(
                "every name server serves the code; {} {what}{until}{poll}",
                server_label(server)
            ),
            "the record needs no change: wait until the cache has forgotten",
        );
        found.visible_at = at;
        found
    }

    pub(super) fn bogus(&self) -> Problem {
        let all = self.holders.iter().chain(&self.caches);
        let bogus = all.filter(|(_, standing)| *standing == CodeStatus::Bogus);
        let bogus = joined(bogus.map(|(server, _)| *server));
        finding(
            Verdict::DnssecBogus,
            format!("DNSSEC validation of `{}` fails at {bogus}", self.name()),
            "re-sign the zone, or take the DS record out at the registrar until it is signed rightly",
        )
    }
}

/// Servers as a list in a sentence.
pub(super) fn joined<'a>(servers: impl Iterator<Item = &'a Server>) -> String {
    servers.map(server_label).collect::<Vec<_>>().join(", ")
}
