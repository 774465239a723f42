//! The result of `cfsso dig` in JSON: `cfsso/dig/v1`.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::lookup::{Lookup, Server};
use super::txt::{Txt, printable};
use super::verdict::{Diagnosis, Verdict};
use crate::domain::EmailDomain;
use crate::rfc3339;

/// The result of `cfsso dig`: the TXT records of a domain and their diagnosis.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(title = "cfsso/dig/v1")]
pub struct Report {
    /// `cfsso/dig/v1`.
    pub schema: &'static str,
    /// The domain.
    pub name: String,
    /// The expected verification code; `null` if any code is accepted.
    pub expected: Option<String>,
    /// The state of the verification code.
    pub verdict: Verdict,
    /// The verdict in one sentence.
    pub summary: String,
    /// The action that fixes the problem; `null` if the code is visible.
    pub fix: Option<String>,
    /// When the last outdated cache entry expires (RFC 3339, UTC), if caching is the cause.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub visible_at: Option<Timestamp>,
    /// The observations behind the verdict, one sentence each.
    pub evidence: Vec<String>,
    /// The distinct TXT values found; the strings of each record are joined without a space.
    pub texts: Vec<String>,
    /// The response of each server: authoritative servers first, then by name and address.
    pub servers: Vec<Server>,
}

impl Report {
    pub fn new(
        domain: &EmailDomain,
        expected: Option<&[u8]>,
        lookup: Lookup,
        diagnosis: Diagnosis,
    ) -> Self {
        let records = lookup.servers.iter().flat_map(|server| &server.records);
        let texts: BTreeSet<Vec<u8>> = records.map(Txt::joined).collect();
        Self {
            schema: "cfsso/dig/v1",
            name: domain.to_string(),
            expected: expected.map(printable),
            verdict: diagnosis.verdict,
            summary: diagnosis.summary,
            fix: diagnosis.remedy,
            visible_at: diagnosis.visible_at,
            evidence: diagnosis.evidence,
            texts: texts.iter().map(|text| printable(text)).collect(),
            servers: lookup.servers,
        }
    }
}

/// The output of `dig +short TXT` for the first server with records; aliases come first.
pub fn short_lines(lookup: &Lookup) -> Vec<String> {
    let has_answer = |server: &&Server| !server.records.is_empty() || !server.aliases.is_empty();
    let Some(server) = lookup.servers.iter().find(has_answer) else { return Vec::new() };
    let aliases = server.aliases.iter().map(|alias| format!("{alias}."));
    aliases.chain(server.records.iter().map(Txt::quoted)).collect()
}
