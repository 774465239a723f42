//! Summary and fix for each reason why a code is not visible.

use jiff::Timestamp;

use super::code_status::{CodeStatus, server_label};
use super::diagnoser::Diagnoser;
use super::expiry;
use super::lookup::{Delegation, Location, MisplacedCode, Server};
use super::near_miss::{NearMiss, excerpt};
use super::verdict::Verdict;

pub(super) struct Problem {
    pub verdict: Verdict,
    pub summary: String,
    pub remedy: String,
    pub visible_at: Option<Timestamp>,
}

/// The servers were named by the user: a delegation has no part in it.
pub(super) const CHECK_SERVERS: &str =
    "check these servers: they come from `--server`, CFSSO_DNS_SERVERS or the profile";

/// A problem that does not end when caches expire.
pub(super) fn finding(verdict: Verdict, summary: String, remedy: impl Into<String>) -> Problem {
    Problem { verdict, summary, remedy: remedy.into(), visible_at: None }
}

impl Diagnoser<'_> {
    pub(super) fn no_delegation(&self) -> Problem {
        let name = self.name();
        finding(
            Verdict::NoDelegation,
            format!("`{name}` is not delegated: the domain does not exist in DNS"),
            "check the spelling, register the domain, or restore its NS records at the registrar",
        )
    }

    pub(super) fn no_server_answers(&self) -> Problem {
        let name = self.name();
        if self.any_server(CodeStatus::Bogus) {
            return self.bogus();
        }
        if self.is_custom() {
            let (verdict, what) = if self.any_server(CodeStatus::Lame) {
                (Verdict::LameDelegation, "is authoritative for")
            } else {
                (Verdict::Unreachable, "responds for")
            };
            return finding(verdict, format!("no queried server {what} `{name}`"), CHECK_SERVERS);
        }
        if self.any_server(CodeStatus::Lame) || self.any_server(CodeStatus::NoAddress) {
            return finding(
                Verdict::LameDelegation,
                format!("no name server of `{name}` is authoritative for it"),
                "configure the zone on these name servers, or correct the NS records at the registrar",
            );
        }
        if self.lookup.denials.iter().any(|denial| denial.name == ".") {
            return finding(
                Verdict::Unreachable,
                "the DNS resolver denies every name, even the root zone".to_owned(),
                "check the DNS resolver of this machine (the network may require a sign-in), or \
                 pass `--server`",
            );
        }
        let summary = match self.lookup.delegation {
            Delegation::Unknown => {
                format!("the name servers of `{name}` could not be determined")
            }
            _ if self.caches.iter().any(|(_, status)| *status == CodeStatus::Found) => {
                format!("no name server of `{name}` responded; only caches have the code")
            }
            _ => format!("no name server of `{name}` responded"),
        };
        finding(
            Verdict::Unreachable,
            summary,
            "allow DNS queries from this machine (port 53, UDP and TCP), or pass `--server`",
        )
    }

    pub(super) fn alias(&self, server: &Server) -> Problem {
        let name = self.name();
        let target = server.aliases.first().map_or("", String::as_str);
        finding(
            Verdict::CnameConflict,
            format!("`{name}` is a CNAME to `{target}`; a CNAME cannot have TXT records beside it"),
            format!(
                "replace the CNAME at `{name}` with address records (or CNAME flattening), then publish the TXT record"
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
            Some(code) => format!("publish exactly this value: `{}`", excerpt(code)),
            None => "publish the code exactly as Cloudflare shows it".to_owned(),
        };
        finding(Verdict::WrongValue, summary, remedy)
    }

    pub(super) fn wrong_name(&self, misplaced: &MisplacedCode) -> Problem {
        let (name, wrong) = (self.name(), &misplaced.name);
        let reason = match misplaced.place {
            Location::Wildcard | Location::WildcardAbove => {
                "a wildcard, which does not apply to an existing name"
            }
            Location::DuplicatedDomain => "the zone name was appended twice",
            Location::Www | Location::UnderscorePrefix => "a name below the domain",
            Location::Apex => "the apex of the zone",
        };
        let code = if self.code.is_some() { "the code" } else { "a code" };
        finding(
            Verdict::WrongName,
            format!("{code} is at `{wrong}` ({reason}) instead of `{name}`"),
            format!("move the TXT record from `{wrong}` to `{name}`"),
        )
    }

    pub(super) fn cached_value(&self, server: &Server) -> Problem {
        let is_negative = server.records.is_empty() && server.aliases.is_empty();
        let (verdict, what) = if is_negative {
            (Verdict::CachedNegative, "still caches the missing record")
        } else {
            (Verdict::CachedStale, "still caches the old records")
        };
        let at = self.cache_expires_at(server);
        let until = at.map_or_else(String::new, |at| format!(", until {at}"));
        let poll = at.map_or("", |at| expiry::compare_with_poll(self.now, at));
        let mut found = finding(
            verdict,
            format!("visible on all name servers; {} {what}{until}{poll}", server_label(server)),
            "the record is correct: wait until the cache expires",
        );
        found.visible_at = at;
        found
    }

    pub(super) fn bogus(&self) -> Problem {
        let all = self.deciding.iter().chain(&self.caches);
        let bogus = all.filter(|(_, status)| *status == CodeStatus::Bogus);
        let bogus = joined(bogus.map(|(server, _)| *server));
        finding(
            Verdict::DnssecBogus,
            format!("DNSSEC validation of `{}` fails at {bogus}", self.name()),
            "re-sign the zone, or remove the DS record at the registrar until it is signed correctly",
        )
    }
}

pub(super) fn joined<'a>(servers: impl Iterator<Item = &'a Server>) -> String {
    servers.map(server_label).collect::<Vec<_>>().join(", ")
}
