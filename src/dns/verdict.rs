use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// What a survey shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every server that was asked serves exactly the code.
    Visible,
    /// Some name servers serve it, others do not or did not answer.
    PartiallyPublished,
    /// No name server has it.
    NotPublished,
    /// Every name server serves it; a cache still remembers that it was missing.
    CachedNegative,
    /// Every name server serves it; a cache still caches the old records.
    CachedStale,
    /// The domain has a value that was meant to be the code and is not it.
    WrongValue,
    /// The code stands at another name.
    WrongName,
    /// The domain is an alias, beside which no other record can stand.
    CnameConflict,
    /// Validating resolvers reject the zone's answers.
    DnssecBogus,
    /// Servers that the zone is delegated to do not answer for it.
    LameDelegation,
    /// The zone reports that the name does not exist.
    Nxdomain,
    /// The domain is not registered or not delegated.
    NoDelegation,
    /// Servers did not answer, so that the result is unknown.
    Unreachable,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    pub verdict: Verdict,
    pub summary: String,
    pub remedy: Option<String>,
    /// When the last cached answer expires, if only caches delay the code.
    pub visible_at: Option<Timestamp>,
    pub evidence: Vec<String>,
    /// The expected code, or the one found.
    pub code: Option<Vec<u8>>,
}

impl Verdict {
    pub fn is_visible(self) -> bool {
        self == Self::Visible
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Visible => "visible",
            Self::PartiallyPublished => "partially-published",
            Self::NotPublished => "not-published",
            Self::CachedNegative => "cached-negative",
            Self::CachedStale => "cached-stale",
            Self::WrongValue => "wrong-value",
            Self::WrongName => "wrong-name",
            Self::CnameConflict => "cname-conflict",
            Self::DnssecBogus => "dnssec-bogus",
            Self::LameDelegation => "lame-delegation",
            Self::Nxdomain => "nxdomain",
            Self::NoDelegation => "no-delegation",
            Self::Unreachable => "unreachable",
        })
    }
}
