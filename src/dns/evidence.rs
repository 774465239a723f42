//! The evidence of a verdict: servers, values and names.

use super::code_status::describe;
use super::diagnoser::Diagnoser;
use super::lookup::{Location, MisplacedCode};
use super::near_miss::{NearMiss, near_misses};
use super::txt::{PREFIX, Txt};

impl Diagnoser<'_> {
    pub(super) fn near_misses(&self) -> Vec<NearMiss> {
        let records = self.deciding.iter().flat_map(|(server, _)| &server.records);
        let records: Vec<&Txt> = records.collect();
        near_misses(&records, self.code)
    }

    pub(super) fn misplaced(&self) -> Vec<&MisplacedCode> {
        let is_match = |record: &Txt| match self.code {
            Some(code) => record.joined() == code,
            None => record.joined().starts_with(PREFIX.as_bytes()),
        };
        let all = self.lookup.misplaced.iter();
        let mut found: Vec<_> = all.filter(|one| one.records.iter().any(is_match)).collect();
        found.sort_by_key(|one| one.place);
        found
    }

    /// The wildcard that this value at the domain comes from, if it also answers for other names.
    pub(super) fn wildcard_behind(&self, value: &[u8]) -> Option<&str> {
        let above = self.lookup.misplaced.iter().filter(|one| one.place == Location::WildcardAbove);
        let mut same = above.filter(|one| one.records.iter().any(|txt| txt.joined() == value));
        same.next().map(|one| one.name.as_str())
    }

    pub(super) fn evidence(&self) -> Vec<String> {
        let servers = self.deciding.iter().chain(&self.caches);
        let mut lines: Vec<String> =
            servers.filter_map(|(server, status)| describe(server, *status)).collect();
        lines.extend(self.lookup.denials.iter().map(|denial| match denial.name.as_str() {
            "." => format!("{} does not know the root zone", denial.server),
            name => format!("{} reports that `{name}` does not exist", denial.server),
        }));
        lines.extend(self.near_misses().iter().take(10).map(ToString::to_string));
        let misplaced = self.misplaced().into_iter().take(10);
        lines.extend(misplaced.map(|one| format!("`{}` has it", one.name)));
        if self.is_blocked {
            lines.push("port 53 is blocked from here: name servers cannot be queried".to_owned());
        }
        lines
    }
}
