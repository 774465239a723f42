//! Faults on demand: kind, affected requests, number of times.

pub(super) mod armed;
pub(super) mod spec;

use std::fmt;
use std::time::Duration;

/// A fault, written `KIND[:PARAMETER][#FIRST][xTIMES][@[METHOD][/PATH]]`:
///
/// | example | what happens |
/// |---|---|
/// | `429` | the next request is told to slow down for a second |
/// | `429:retry-after=3` | … for three |
/// | `500` | the next one fails with a JSON error, before anything is done |
/// | `500:applied` | … after it was done |
/// | `502-html` | an edge's HTML page in place of an answer; `:applied` as above |
/// | `close-before` | the TCP connection is cut before anything is done |
/// | `close-after` | it is done, then the connection is cut without an answer |
/// | `slow=2s` | the first byte comes late; `ms`, `s` and `m` |
/// | `truncate` | the JSON of the answer is cut off |
/// | `verification-fails` | the next look at DNS ends the verification: failed |
/// | `wrong-issuer` | the OpenID configuration names another issuer |
/// | `no-keys` | the key set is empty |
/// | `expired-certificate` | the SAML metadata has a certificate of the past |
/// | `500@PATCH` | only with a `PATCH` |
/// | `500@POST/sso_connectors` | … whose path, IDs left out, ends so |
/// | `500@/<ACCOUNT>/sso_connectors` | … whose path ends so: in one account |
/// | `500x2` | twice; `x*`: always |
/// | `500#3` | the third request, the first two go well |
///
/// The count may also come last: `500@PATCHx2`. If several faults are due, the first one wins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub kind: Kind,
    pub matcher: Matcher,
    /// The first matching request that fails; 1 is the next.
    pub first: u32,
    /// `ALWAYS` for no limit.
    pub times: u32,
}

const ALWAYS: u32 = u32::MAX;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 429, with the seconds to wait.
    RateLimited(u32),
    /// 500 with a JSON error.
    ServerError(FaultTiming),
    /// 502 with an HTML page.
    BadGateway(FaultTiming),
    Cut(FaultTiming),
    Slow(Duration),
    Truncated,
    VerificationFails,
    WrongIssuer,
    NoKeys,
    ExpiredCertificate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultTiming {
    Before,
    After,
}

/// The affected requests: those that meet every condition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    pub method: Option<String>,
    /// End of the path, with or without IDs: `/sso_connectors/begin_verification`.
    pub path: Option<String>,
}

impl Kind {
    pub(super) fn affects_requests(&self) -> bool {
        !matches!(
            self,
            Self::VerificationFails | Self::WrongIssuer | Self::NoKeys | Self::ExpiredCertificate
        )
    }

    pub fn once(self) -> Fault {
        Fault { kind: self, matcher: Matcher::default(), first: 1, times: 1 }
    }
}

impl Fault {
    /// `nth` counts from 1.
    pub fn cut(nth: u32, moment: FaultTiming) -> Self {
        Self { first: nth, ..Kind::Cut(moment).once() }
    }
}

impl Matcher {
    pub(super) fn is_met_by(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self
                .path
                .as_ref()
                .is_none_or(|wanted| path.ends_with(wanted) || without_ids(path).ends_with(wanted))
    }
}

/// `/accounts/0123…/sso_connectors` as `/accounts/sso_connectors`.
fn without_ids(path: &str) -> String {
    let is_digit = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let is_id = |part: &&str| part.len() >= 31 && part.bytes().all(is_digit);
    path.split('/').filter(|part| !is_id(part)).collect::<Vec<_>>().join("/")
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.fmt(f)?;
        if self.first > 1 {
            write!(f, "#{}", self.first)?;
        }
        match self.times {
            1 => {}
            ALWAYS => f.write_str("x*")?,
            times => write!(f, "x{times}")?,
        }
        if self.matcher != Matcher::default() {
            let Matcher { method, path } = &self.matcher;
            write!(f, "@{}{}", method.as_deref().unwrap_or(""), path.as_deref().unwrap_or(""))?;
        }
        Ok(())
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RateLimited(1) => f.write_str("429"),
            Self::RateLimited(seconds) => write!(f, "429:retry-after={seconds}"),
            Self::ServerError(FaultTiming::Before) => f.write_str("500"),
            Self::ServerError(FaultTiming::After) => f.write_str("500:applied"),
            Self::BadGateway(FaultTiming::Before) => f.write_str("502-html"),
            Self::BadGateway(FaultTiming::After) => f.write_str("502-html:applied"),
            Self::Cut(FaultTiming::Before) => f.write_str("close-before"),
            Self::Cut(FaultTiming::After) => f.write_str("close-after"),
            Self::Slow(late) if late.as_millis().is_multiple_of(1000) => {
                write!(f, "slow={}s", late.as_secs())
            }
            Self::Slow(late) => write!(f, "slow={}ms", late.as_millis()),
            Self::Truncated => f.write_str("truncate"),
            Self::VerificationFails => f.write_str("verification-fails"),
            Self::WrongIssuer => f.write_str("wrong-issuer"),
            Self::NoKeys => f.write_str("no-keys"),
            Self::ExpiredCertificate => f.write_str("expired-certificate"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_matched_by_its_end_without_ids() {
        let id = "0123456789abcdef0123456789abcdef";
        let create = format!("/accounts/{id}/sso_connectors");
        let change = format!("/accounts/{id}/sso_connectors/{id}");
        let begin = format!("/accounts/{id}/sso_connectors/{id}/begin_verification");
        let app = format!("/accounts/{id}/access/apps/f174e90a-fafe-4643-bbbc-4a0ed4fc8415");
        for (matcher, method, path, met) in [
            ("500@POST/sso_connectors", "POST", &create, true),
            ("500@POST/sso_connectors", "GET", &create, false),
            ("500@POST/sso_connectors", "POST", &begin, false),
            ("500@/sso_connectors", "PATCH", &change, true),
            ("500@/begin_verification", "POST", &begin, true),
            ("500", "GET", &begin, true),
            ("500@PUT/access/apps", "PUT", &app, true),
            ("500@/0123456789abcdef0123456789abcdef/sso_connectors", "GET", &create, true),
            ("500@/fedcba9876543210fedcba9876543210/sso_connectors", "GET", &create, false),
        ] {
            let fault: Fault = matcher.parse().unwrap();
            assert_eq!(fault.matcher.is_met_by(method, path), met, "{matcher} {method} {path}");
        }
    }
}
