use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

/// The state of a verification code in DNS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every queried server returns the code.
    Visible,
    /// Some name servers return the code; others do not, or do not respond.
    PartiallyPublished,
    /// No name server returns the code.
    NotPublished,
    /// Every name server returns the code, but a resolver has cached its absence.
    CachedNegative,
    /// Every name server returns the code, but a resolver has cached the old records.
    CachedStale,
    /// The domain has a similar or a different verification code instead.
    WrongValue,
    /// The code is published at another name.
    WrongName,
    /// The domain is a CNAME, which excludes TXT records at the same name.
    CnameConflict,
    /// Validating resolvers reject the responses of the zone.
    DnssecBogus,
    /// Servers in the zone's delegation, or those of `--server`, are not authoritative for it.
    LameDelegation,
    /// The name does not exist in the zone (NXDOMAIN).
    Nxdomain,
    /// The domain is not registered or not delegated.
    NoDelegation,
    /// Servers did not respond, so the state is unknown.
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
