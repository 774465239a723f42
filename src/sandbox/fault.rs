//! Misbehaviour on demand: what `--fault` takes, and what is left of it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Something that goes wrong, with some requests, some times.
///
/// Written `KIND[:PARAMETER][#FIRST][xTIMES][@[METHOD][/PATH]]`:
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
/// | `truncate` | the JSON of the answer ends half way |
/// | `verification-fails` | the next look at DNS ends the verification: failed |
/// | `500@PATCH` | only with a `PATCH` |
/// | `500@POST/sso_connectors` | … whose path, IDs left out, ends so |
/// | `500x2` | twice; `x*`: always |
/// | `500#3` | the third request, the first two go well |
///
/// The count may stand at the end, too: `500@PATCHx2`. A fault of one kind
/// waits until those given before it are used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub kind: Kind,
    /// With which requests.
    pub matcher: Matcher,
    /// The first matching request that it happens to; 1 is the next.
    pub first: u32,
    /// How many times; [`ALWAYS`] never ends.
    pub times: u32,
}

/// The number of times that never runs out.
pub const ALWAYS: u32 = u32::MAX;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 429, and how many seconds to wait.
    RateLimited(u32),
    /// 500 with a JSON error.
    ServerError(Moment),
    /// 502 with an HTML page.
    BadGateway(Moment),
    /// The connection is cut.
    Cut(Moment),
    /// The answer comes late.
    Slow(Duration),
    /// The answer's JSON ends half way.
    Truncated,
    /// A verification under way fails.
    VerificationFails,
}

/// Whether the request was carried out when it goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Not yet.
    Before,
    /// It was.
    After,
}

/// Which requests a fault happens to; those that meet all that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matcher {
    /// The method.
    pub method: Option<String>,
    /// How the path ends, IDs left out: `/sso_connectors/begin_verification`.
    pub path: Option<String>,
}

/// Why a text is no fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no fault: {reason}; the kinds are {KINDS}, each with `#FIRST`, `xTIMES` and `@METHOD/path` where wanted, such as `500x2@POST/sso_connectors`"
)]
pub struct InvalidFault {
    text: String,
    reason: String,
}

/// The kinds, as an error lists them.
const KINDS: &str = "`429[:retry-after=SECONDS]`, `500[:applied]`, `502-html[:applied]`, `close-before`, `close-after`, `slow=DURATION`, `truncate`, `verification-fails`";

impl Kind {
    /// It, with the next request, once.
    #[must_use]
    pub fn once(self) -> Fault {
        Fault { kind: self, matcher: Matcher::default(), first: 1, times: 1 }
    }
}

impl Fault {
    /// The connection is cut at the `nth` request, counted from 1.
    #[must_use]
    pub fn cut(nth: u32, moment: Moment) -> Self {
        Self { first: nth, ..Kind::Cut(moment).once() }
    }
}

impl Matcher {
    /// Whether a request is meant.
    pub(super) fn is_met_by(&self, method: &str, path: &str) -> bool {
        self.method.as_ref().is_none_or(|wanted| wanted == method)
            && self.path.as_ref().is_none_or(|wanted| without_ids(path).ends_with(wanted))
    }
}

/// `/accounts/0123…/sso_connectors` as `/accounts/sso_connectors`.
fn without_ids(path: &str) -> String {
    let is_id = |part: &&str| part.len() >= 31 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split('/').filter(|part| !is_id(part)).collect::<Vec<_>>().join("/")
}

impl FromStr for Fault {
    type Err = InvalidFault;

    fn from_str(text: &str) -> Result<Self, InvalidFault> {
        parse(text.trim()).map_err(|reason| InvalidFault { text: text.to_owned(), reason })
    }
}

fn parse(text: &str) -> Result<Fault, String> {
    let (text, last) = counted(text, 'x')?;
    let (what, matcher) = match text.split_once('@') {
        Some((what, matcher)) => (what.trim(), self::matcher(matcher.trim())?),
        None => (text, Matcher::default()),
    };
    let (what, times) = counted(what, 'x')?;
    let (what, first) = counted(what, '#')?;
    if last.is_some() && times.is_some() {
        return Err("it says twice how many times".to_owned());
    }
    if first == Some(ALWAYS) {
        return Err("`#` takes the number of a request".to_owned());
    }
    let times = last.or(times).unwrap_or(1);
    Ok(Fault { kind: kind(what)?, matcher, first: first.unwrap_or(1), times })
}

/// Takes a number off the end: `500x2` as `500` and 2.
fn counted(text: &str, mark: char) -> Result<(&str, Option<u32>), String> {
    let Some((rest, number)) = text.rsplit_once(mark) else { return Ok((text, None)) };
    if number == "*" {
        return Ok((rest.trim_end(), Some(ALWAYS)));
    }
    if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((text, None));
    }
    match number.parse() {
        Ok(count) if count > 0 => Ok((rest.trim_end(), Some(count))),
        _ => Err(format!("`{mark}{number}` is no count")),
    }
}

fn matcher(text: &str) -> Result<Matcher, String> {
    let (method, path) = match text.find('/') {
        Some(at) => (&text[..at], Some(text[at..].trim_end_matches('/').to_owned())),
        None => (text, None),
    };
    let method = match method.to_ascii_uppercase().as_str() {
        "" if path.is_none() => return Err("nothing follows the `@`".to_owned()),
        "" => None,
        known @ ("GET" | "POST" | "PUT" | "PATCH" | "DELETE") => Some(known.to_owned()),
        _ => return Err(format!("`{method}` is no method")),
    };
    Ok(Matcher { method, path })
}

fn kind(text: &str) -> Result<Kind, String> {
    let (name, parameter) = match text.find([':', '=']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    match (name, parameter) {
        ("429", None) => Ok(Kind::RateLimited(1)),
        ("429", Some(parameter)) => parameter
            .strip_prefix("retry-after=")
            .and_then(|seconds| seconds.parse().ok())
            .map(Kind::RateLimited)
            .ok_or_else(|| format!("`{parameter}` is not `retry-after=SECONDS`")),
        ("500", _) => moment(parameter).map(Kind::ServerError),
        ("502-html", _) => moment(parameter).map(Kind::BadGateway),
        ("close-before", None) => Ok(Kind::Cut(Moment::Before)),
        ("close-after", None) => Ok(Kind::Cut(Moment::After)),
        ("slow", Some(parameter)) => duration(parameter).map(Kind::Slow),
        ("slow", None) => Err("`slow` says how long, such as `slow=2s`".to_owned()),
        ("truncate", None) => Ok(Kind::Truncated),
        ("verification-fails", None) => Ok(Kind::VerificationFails),
        ("close-before" | "close-after" | "truncate" | "verification-fails", Some(_)) => {
            Err(format!("`{name}` takes no parameter"))
        }
        _ => Err("its kind is unknown".to_owned()),
    }
}

fn moment(parameter: Option<&str>) -> Result<Moment, String> {
    match parameter {
        None => Ok(Moment::Before),
        Some("applied") => Ok(Moment::After),
        Some(other) => Err(format!("`{other}` is not `applied`")),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let scale = match &text[digits.len()..] {
        "ms" => 1,
        "s" => 1000,
        "m" => 60_000,
        _ => 0,
    };
    match digits.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)) {
        Some(millis) if scale > 0 => Ok(Duration::from_millis(millis)),
        _ => Err(format!("`{text}` is no duration such as `2s` or `500ms`")),
    }
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
            Self::ServerError(Moment::Before) => f.write_str("500"),
            Self::ServerError(Moment::After) => f.write_str("500:applied"),
            Self::BadGateway(Moment::Before) => f.write_str("502-html"),
            Self::BadGateway(Moment::After) => f.write_str("502-html:applied"),
            Self::Cut(Moment::Before) => f.write_str("close-before"),
            Self::Cut(Moment::After) => f.write_str("close-after"),
            Self::Slow(late) if late.as_millis().is_multiple_of(1000) => {
                write!(f, "slow={}s", late.as_secs())
            }
            Self::Slow(late) => write!(f, "slow={}ms", late.as_millis()),
            Self::Truncated => f.write_str("truncate"),
            Self::VerificationFails => f.write_str("verification-fails"),
        }
    }
}

/// The faults that are still to happen.
#[derive(Debug, Default)]
pub(super) struct Armed(Vec<Fault>);

impl Armed {
    /// One more, after those there are.
    pub(super) fn add(&mut self, fault: Fault) {
        self.0.push(fault);
    }

    /// What goes wrong with a request, if anything: the first fault that is
    /// due. Each request counts once for every fault it meets.
    pub(super) fn strike(&mut self, method: &str, path: &str) -> Option<Kind> {
        self.take(|fault| {
            fault.kind != Kind::VerificationFails && fault.matcher.is_met_by(method, path)
        })
    }

    /// Whether a verification fails now.
    pub(super) fn fail_verification(&mut self) -> bool {
        self.take(|fault| fault.kind == Kind::VerificationFails).is_some()
    }

    fn take(&mut self, is_meant: impl Fn(&Fault) -> bool) -> Option<Kind> {
        let mut struck = None;
        for fault in self.0.iter_mut().filter(|fault| is_meant(fault)) {
            if fault.first > 1 {
                fault.first -= 1;
            } else if struck.is_none() {
                struck = Some(fault.kind.clone());
                if fault.times != ALWAYS {
                    fault.times -= 1;
                }
            }
        }
        self.0.retain(|fault| fault.times > 0);
        struck
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_is_written_as_it_is_read() {
        for (text, canonical) in [
            ("429", "429"),
            ("429:retry-after=1", "429"),
            ("429:retry-after=3x2", "429:retry-after=3x2"),
            ("500", "500"),
            ("500:applied", "500:applied"),
            ("502-html@get", "502-html@GET"),
            ("502-html:applied", "502-html:applied"),
            ("close-before@PATCH", "close-before@PATCH"),
            ("close-after@POST/sso_connectors x2", "close-afterx2@POST/sso_connectors"),
            ("close-after@PATCHx2", "close-afterx2@PATCH"),
            ("close-after#3x*", "close-after#3x*"),
            ("slow=2s", "slow=2s"),
            ("slow=1500ms", "slow=1500ms"),
            ("slow=1m", "slow=60s"),
            ("truncate@/dns_records", "truncate@/dns_records"),
            ("verification-fails", "verification-fails"),
        ] {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), canonical, "{text}");
            assert_eq!(canonical.parse::<Fault>().unwrap(), fault, "{text}");
        }
    }

    #[test]
    fn garbage_is_refused_with_a_reason_and_the_kinds() {
        for (text, reason) in [
            ("", "its kind is unknown"),
            ("teapot", "its kind is unknown"),
            ("429:later", "`later` is not `retry-after=SECONDS`"),
            ("429:retry-after=-1", "`retry-after=-1` is not `retry-after=SECONDS`"),
            ("500:often", "`often` is not `applied`"),
            ("500x0", "`x0` is no count"),
            ("500x99999999999", "`x99999999999` is no count"),
            ("500x2@PATCHx2", "it says twice how many times"),
            ("500@", "nothing follows the `@`"),
            ("500@FETCH", "`FETCH` is no method"),
            ("slow", "`slow` says how long, such as `slow=2s`"),
            ("slow=2", "`2` is no duration such as `2s` or `500ms`"),
            ("slow=s", "`s` is no duration such as `2s` or `500ms`"),
            ("truncate=1", "`truncate` takes no parameter"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(error.contains("`close-before`"), "{text}: {error}");
        }
    }

    #[test]
    fn a_path_is_matched_by_its_end_without_ids() {
        let id = "0123456789abcdef0123456789abcdef";
        let create = format!("/accounts/{id}/sso_connectors");
        let change = format!("/accounts/{id}/sso_connectors/{id}");
        let begin = format!("/accounts/{id}/sso_connectors/{id}/begin_verification");
        for (matcher, method, path, met) in [
            ("500@POST/sso_connectors", "POST", &create, true),
            ("500@POST/sso_connectors", "GET", &create, false),
            ("500@POST/sso_connectors", "POST", &begin, false),
            ("500@/sso_connectors", "PATCH", &change, true),
            ("500@/begin_verification", "POST", &begin, true),
            ("500", "GET", &begin, true),
        ] {
            let fault: Fault = matcher.parse().unwrap();
            assert_eq!(fault.matcher.is_met_by(method, path), met, "{matcher} {method} {path}");
        }
    }

    #[test]
    fn faults_strike_in_turn_and_wear_out() {
        let mut armed = Armed::default();
        for text in ["500#2", "429x2@GET", "verification-fails"] {
            armed.add(text.parse().unwrap());
        }
        let struck: Vec<_> = ["GET", "POST", "GET", "GET"]
            .map(|method| armed.strike(method, "/accounts").map(|kind| kind.to_string()))
            .into();
        let expected = [Some("429"), Some("500"), Some("429"), None];
        assert_eq!(struck, expected.map(|kind| kind.map(ToOwned::to_owned)));
        assert!(armed.fail_verification());
        assert!(!armed.fail_verification());
    }
}
