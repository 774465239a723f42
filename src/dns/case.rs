//! One survey held against one code: the decisions behind the verdict. Pure.

use jiff::{SignedDuration, Timestamp};

use super::near_miss::{NearMiss, excerpt, near_misses};
use super::rcode::Rcode;
use super::standing::{Standing, place, standings, told};
use super::survey::{Delegation, Misplaced, Place, Role, Server, Survey, Transport};
use super::txt::{PREFIX, Txt};
use super::verdict::{Judgement, Verdict};

/// For how long Cloudflare looks for the record once verification has begun
/// (documentation of dashboard SSO).
const POLL: SignedDuration = SignedDuration::from_hours(48);

/// A survey held against a code.
pub(super) struct Case<'a> {
    survey: &'a Survey,
    code: Option<&'a [u8]>,
    now: Timestamp,
    /// Those whose word decides whether the code is published.
    holders: Vec<(&'a Server, Standing)>,
    /// Those that repeat it, perhaps late.
    caches: Vec<(&'a Server, Standing)>,
    /// Recursive resolvers stand in for name servers that port 53 is blocked to.
    is_blocked: bool,
}

/// A verdict with its sentence and remedy.
struct Finding {
    verdict: Verdict,
    summary: String,
    remedy: String,
    visible_at: Option<Timestamp>,
}

fn finding(verdict: Verdict, summary: String, remedy: impl Into<String>) -> Finding {
    Finding { verdict, summary, remedy: remedy.into(), visible_at: None }
}

impl<'a> Case<'a> {
    pub fn new(survey: &'a Survey, code: Option<&'a [u8]>, now: Timestamp) -> Self {
        let (mut caches, mut holders): (Vec<_>, Vec<_>) = standings(survey, code)
            .into_iter()
            .partition(|(server, _)| server.role == Role::Recursive);
        let is_unheard = |(_, standing): &(&Server, Standing)| {
            matches!(standing, Standing::Silent | Standing::Unasked | Standing::Homeless)
        };
        let is_blocked = holders.iter().all(is_unheard) && is_port_53_blocked(&caches);
        if is_blocked {
            caches.retain(|one| !is_unheard(one));
            holders = std::mem::take(&mut caches);
        } else if survey.delegation == Delegation::Named && holders.iter().all(is_unheard) {
            holders.append(&mut caches);
        }
        Self { survey, code, now, holders, caches, is_blocked }
    }

    /// The verdict with all that supports it.
    pub fn judge(&self) -> Judgement {
        let found = self.find();
        let is_visible = found.is_none();
        let found = found.unwrap_or_else(|| finding(Verdict::Visible, self.visible(), ""));
        Judgement {
            verdict: found.verdict,
            summary: found.summary,
            remedy: (!is_visible).then_some(found.remedy),
            visible_at: found.visible_at,
            evidence: self.evidence(),
            code: self.code.map(<[u8]>::to_vec),
        }
    }

    /// What keeps the code from being visible, if anything does.
    fn find(&self) -> Option<Finding> {
        if self.survey.delegation == Delegation::Absent {
            return Some(self.no_delegation());
        }
        let answers = [Standing::Serves, Standing::Lacks, Standing::Alias];
        if !answers.iter().any(|standing| self.has(*standing)) {
            return Some(self.nobody_answers());
        }
        if !self.has(Standing::Serves) {
            return Some(self.missing());
        }
        self.partly().or_else(|| self.cached())
    }

    fn has(&self, standing: Standing) -> bool {
        self.holders.iter().any(|(_, each)| *each == standing)
    }

    fn name(&self) -> &str {
        &self.survey.name
    }

    fn no_delegation(&self) -> Finding {
        let name = self.name();
        finding(
            Verdict::NoDelegation,
            format!("`{name}` is not delegated: its parent zone says that there is no such name"),
            "register the domain or restore its NS records at the registrar, and check its spelling",
        )
    }

    /// No server that decides gave an answer that says something of the name.
    fn nobody_answers(&self) -> Finding {
        let name = self.name();
        if self.has(Standing::Bogus) {
            return self.bogus();
        }
        if self.has(Standing::Lame) || self.has(Standing::Homeless) {
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
            _ if self.caches.iter().any(|(_, standing)| *standing == Standing::Serves) => {
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

    /// All that answer lack the code.
    fn missing(&self) -> Finding {
        if let Some((server, _)) = self.holders.iter().find(|(_, each)| *each == Standing::Alias) {
            return self.alias(server);
        }
        if let Some(miss) = self.near_misses().first() {
            return self.wrong_value(miss);
        }
        if let Some(misplaced) = self.misplaced().first() {
            return self.wrong_name(misplaced);
        }
        let name = self.name();
        let is_nxdomain = |(server, standing): &(&Server, Standing)| {
            *standing != Standing::Lacks || server.rcode == Some(Rcode::NXDOMAIN)
        };
        let (verdict, what) = if self.holders.iter().all(is_nxdomain) {
            (Verdict::Nxdomain, format!("the name `{name}` does not exist in {}", self.zone()))
        } else {
            (Verdict::NotPublished, format!("{} has no such TXT record", self.zone_of_name()))
        };
        let mut found = finding(verdict, what, self.publish());
        self.until_forgotten(&mut found);
        found
    }

    /// Where only caches were asked, the absence may be an old one.
    fn until_forgotten(&self, found: &mut Finding) {
        let is_cache = |(server, _): &&(&Server, Standing)| server.role == Role::Recursive;
        if !self.holders.iter().all(|one| is_cache(&one)) {
            return;
        }
        let left = self.holders.iter().filter_map(|(server, _)| self.left(server)).max();
        if let Some(at) = left.map(|seconds| self.after(seconds)) {
            let note =
                format!("; only caches were asked, and a record published since shows by {at}");
            found.summary.push_str(&note);
            found.visible_at = Some(at);
        }
    }

    fn alias(&self, server: &Server) -> Finding {
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

    fn wrong_value(&self, miss: &NearMiss) -> Finding {
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

    fn wrong_name(&self, misplaced: &Misplaced) -> Finding {
        let (name, wrong) = (self.name(), &misplaced.name);
        let why = match misplaced.place {
            Place::Wildcard | Place::WildcardAbove => {
                "a wildcard's answer, which does not hold for a name that exists"
            }
            Place::Doubled => "the full name was entered where the zone is added to it",
            Place::Www | Place::Underscore => "a name below the domain",
            Place::Apex => "the apex of the zone",
        };
        let code = if self.code.is_some() { "the code" } else { "a code" };
        finding(
            Verdict::WrongName,
            format!("{code} is at `{wrong}` ({why}), not at `{name}`"),
            format!("move the TXT record from `{wrong}` to `{name}`"),
        )
    }

    /// Some of those that decide serve the code, others do not.
    fn partly(&self) -> Option<Finding> {
        if self.has(Standing::Alias) {
            let (server, _) = self.holders.iter().find(|(_, each)| *each == Standing::Alias)?;
            return Some(self.alias(server));
        }
        let lacking = self.listed(Standing::Lacks);
        if !lacking.is_empty() {
            return Some(finding(
                Verdict::PartiallyPublished,
                format!("{} serve the code; not yet: {lacking}", self.share()),
                "wait until the zone has reached every name server, or correct those that stay behind",
            ));
        }
        let lame = self.listed(Standing::Lame);
        if !lame.is_empty() {
            return Some(finding(
                Verdict::LameDelegation,
                format!("{} serve the code; not answering for the zone: {lame}", self.share()),
                "set the zone up at these name servers, or take them out of the delegation",
            ));
        }
        if self.has(Standing::Bogus) {
            return Some(self.bogus());
        }
        let silent = self.listed(Standing::Silent);
        (!silent.is_empty()).then(|| {
            finding(
                Verdict::PartiallyPublished,
                format!("{} serve the code; not proven, for want of an answer: {silent}", self.share()),
                "bring the silent name servers back, or take them out of the delegation; then look again",
            )
        })
    }

    /// Every server that decides serves the code; what of the caches?
    fn cached(&self) -> Option<Finding> {
        if self.caches.iter().any(|(_, standing)| *standing == Standing::Bogus) {
            return Some(self.bogus());
        }
        let old = |(_, standing): &&(&Server, Standing)| {
            matches!(standing, Standing::Lacks | Standing::Alias)
        };
        let last = self.caches.iter().filter(old).max_by_key(|(server, _)| self.left(server));
        if let Some((server, _)) = last {
            return Some(self.remembered(server));
        }
        let failed = self.caches.iter().filter(|(_, standing)| {
            matches!(standing, Standing::Silent | Standing::Lame | Standing::Homeless)
        });
        let failed = joined(failed.map(|(server, _)| *server));
        (!failed.is_empty()).then(|| {
            finding(
                Verdict::Unreachable,
                format!(
                    "every name server serves the code; not proven, for want of an answer: {failed}"
                ),
                "the record needs no change; look again, or name the servers to ask",
            )
        })
    }

    fn remembered(&self, server: &Server) -> Finding {
        let is_negative = server.records.is_empty() && server.aliases.is_empty();
        let (verdict, what) = if is_negative {
            (Verdict::CachedNegative, "still remembers that the record was missing")
        } else {
            (Verdict::CachedStale, "still has the records from before")
        };
        let at = self.left(server).map(|seconds| self.after(seconds));
        let until = at.map_or_else(String::new, |at| format!(", until {at} at the latest"));
        let poll = at.map_or("", |at| self.against_poll(at));
        let mut found = finding(
            verdict,
            format!("every name server serves the code; {} {what}{until}{poll}", place(server)),
            "the record needs no change: wait until the cache has forgotten",
        );
        found.visible_at = at;
        found
    }

    fn bogus(&self) -> Finding {
        let all = self.holders.iter().chain(&self.caches);
        let bogus = all.filter(|(_, standing)| *standing == Standing::Bogus);
        let bogus = joined(bogus.map(|(server, _)| *server));
        finding(
            Verdict::DnssecBogus,
            format!("DNSSEC validation of `{}` fails at {bogus}", self.name()),
            "re-sign the zone, or take the DS record out at the registrar until it is signed rightly",
        )
    }

    fn visible(&self) -> String {
        let code = self.code.map(excerpt).unwrap_or_default();
        let all = self.holders.iter().chain(&self.caches);
        let serving = all.filter(|(_, standing)| *standing == Standing::Serves).count();
        if self.is_blocked {
            return format!(
                "`{code}` is visible, seen through {serving} recursive resolvers only: port 53 is blocked from here"
            );
        }
        match serving {
            1 => format!("the one server that was asked serves `{code}`"),
            many => format!("all {many} servers that were asked serve `{code}`"),
        }
    }

    /// The seconds for which a cache may keep what it has.
    fn left(&self, server: &Server) -> Option<u32> {
        let zone = self.survey.servers.iter().filter(|other| other.authoritative);
        let ttl = if server.records.is_empty() && server.aliases.is_empty() {
            server.negative_ttl.or_else(|| zone.filter_map(|other| other.negative_ttl).max())
        } else {
            server.ttl
        };
        // RFC 2181 section 8: with the top bit set, it is to be taken for 0.
        ttl.map(|ttl| if ttl > i32::MAX.unsigned_abs() { 0 } else { ttl })
    }

    fn after(&self, seconds: u32) -> Timestamp {
        let whole = self.now.as_second() + i64::from(self.now.subsec_nanosecond() > 0);
        Timestamp::from_second(whole + i64::from(seconds)).unwrap_or(Timestamp::MAX)
    }

    fn against_poll(&self, at: Timestamp) -> &'static str {
        if self.now.duration_until(at) <= POLL {
            ", within the two days for which Cloudflare looks for it"
        } else {
            ", later than the two days for which Cloudflare looks for it: begin verification after that"
        }
    }

    fn share(&self) -> String {
        let serving = self.holders.iter().filter(|(_, each)| *each == Standing::Serves).count();
        let asked = self.holders.iter();
        let asked =
            asked.filter(|(_, each)| !matches!(each, Standing::Unasked | Standing::Homeless));
        format!("{serving} of {} name servers", asked.count())
    }

    fn listed(&self, standing: Standing) -> String {
        joined(self.holders.iter().filter(|(_, each)| *each == standing).map(|(server, _)| *server))
    }

    fn zone(&self) -> String {
        match &self.survey.delegation {
            Delegation::Zone(zone) => format!("the zone `{zone}`"),
            _ => "the zone".to_owned(),
        }
    }

    fn zone_of_name(&self) -> String {
        let name = self.name();
        match &self.survey.delegation {
            Delegation::Zone(zone) if zone != name => format!("`{name}` (in the zone `{zone}`)"),
            _ => format!("`{name}`"),
        }
    }

    fn publish(&self) -> String {
        let name = self.name();
        match self.code {
            Some(code) => {
                format!("publish a TXT record at `{name}` with the value `{}`", excerpt(code))
            }
            None => format!("publish the connector's code as a TXT record at `{name}`"),
        }
    }

    fn near_misses(&self) -> Vec<NearMiss> {
        let records = self.holders.iter().flat_map(|(server, _)| &server.records);
        let records: Vec<&Txt> = records.collect();
        near_misses(&records, self.code)
    }

    /// Wrong names at which the code stands.
    fn misplaced(&self) -> Vec<&Misplaced> {
        let is_meant = |record: &Txt| match self.code {
            Some(code) => record.joined() == code,
            None => record.joined().starts_with(PREFIX.as_bytes()),
        };
        let all = self.survey.misplaced.iter();
        let mut found: Vec<_> = all.filter(|one| one.records.iter().any(is_meant)).collect();
        found.sort_by_key(|one| one.place);
        found
    }

    /// The wildcard that a value at the domain comes from, if it answers for others too.
    fn wildcard_behind(&self, value: &[u8]) -> Option<&str> {
        let above = self.survey.misplaced.iter().filter(|one| one.place == Place::WildcardAbove);
        let mut same = above.filter(|one| one.records.iter().any(|txt| txt.joined() == value));
        same.next().map(|one| one.name.as_str())
    }

    fn evidence(&self) -> Vec<String> {
        let servers = self.holders.iter().chain(&self.caches);
        let mut lines: Vec<String> =
            servers.filter_map(|(server, standing)| told(server, *standing)).collect();
        lines.extend(self.near_misses().iter().take(10).map(ToString::to_string));
        let misplaced = self.misplaced().into_iter().take(10);
        lines.extend(misplaced.map(|one| format!("`{}` has it", one.name)));
        if self.is_blocked {
            lines.push("port 53 is blocked from here: name servers could not be asked".to_owned());
        }
        lines
    }
}

/// Whether answers come over HTTPS, and on port 53 from the system's resolver at most.
fn is_port_53_blocked(caches: &[(&Server, Standing)]) -> bool {
    let heard = |server: &Server| server.rcode.is_some();
    let over_https = |server: &Server| server.transport == Transport::Https;
    let is_system = |server: &Server| server.name.as_deref() == Some("system");
    caches.iter().any(|(server, _)| heard(server) && over_https(server))
        && caches
            .iter()
            .all(|(server, _)| !heard(server) || over_https(server) || is_system(server))
}

fn joined<'a>(servers: impl Iterator<Item = &'a Server>) -> String {
    servers.map(place).collect::<Vec<_>>().join(", ")
}
