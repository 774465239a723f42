//! Parses `--fault`.

use std::str::FromStr;
use std::time::Duration;

use super::{ALWAYS, Fault, FaultTiming, Kind, Matcher};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a fault: {reason}; kinds: {KINDS}, optionally with `#FIRST`, `xTIMES` and `@METHOD/path`, such as `500x2@POST/sso_connectors`"
)]
pub struct InvalidFault {
    text: String,
    reason: String,
}

const KINDS: &str = "`429[:retry-after=SECONDS]`, `500[:applied]`, `502-html[:applied]`, `close-before`, `close-after`, `slow=DURATION`, `truncate`, `verification-fails`, `wrong-issuer`, `no-keys`, `expired-certificate`";

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
        return Err("it has two counts".to_owned());
    }
    if first == Some(ALWAYS) {
        return Err("`#` takes the number of a request".to_owned());
    }
    let times = last.or(times).unwrap_or(1);
    Ok(Fault { kind: kind(what)?, matcher, first: first.unwrap_or(1), times })
}

/// Splits off a count: `500x2` is `500` and 2.
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
        _ => Err(format!("`{mark}{number}` is not a count")),
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
        _ => return Err(format!("`{method}` is not a method")),
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
        ("close-before", None) => Ok(Kind::Cut(FaultTiming::Before)),
        ("close-after", None) => Ok(Kind::Cut(FaultTiming::After)),
        ("slow", Some(parameter)) => duration(parameter).map(Kind::Slow),
        ("slow", None) => Err("`slow` needs a duration, such as `slow=2s`".to_owned()),
        ("truncate", None) => Ok(Kind::Truncated),
        ("verification-fails", None) => Ok(Kind::VerificationFails),
        ("wrong-issuer", None) => Ok(Kind::WrongIssuer),
        ("no-keys", None) => Ok(Kind::NoKeys),
        ("expired-certificate", None) => Ok(Kind::ExpiredCertificate),
        (
            "close-before"
            | "close-after"
            | "truncate"
            | "verification-fails"
            | "wrong-issuer"
            | "no-keys"
            | "expired-certificate",
            Some(_),
        ) => Err(format!("`{name}` takes no parameter")),
        _ => Err("its kind is unknown".to_owned()),
    }
}

fn moment(parameter: Option<&str>) -> Result<FaultTiming, String> {
    match parameter {
        None => Ok(FaultTiming::Before),
        Some("applied") => Ok(FaultTiming::After),
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
        _ => Err(format!("`{text}` is not a duration such as `2s` or `500ms`")),
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
            ("wrong-issuerx*", "wrong-issuerx*"),
            ("no-keys", "no-keys"),
            ("expired-certificate", "expired-certificate"),
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
            ("500x0", "`x0` is not a count"),
            ("500x99999999999", "`x99999999999` is not a count"),
            ("500x2@PATCHx2", "it has two counts"),
            ("500@", "nothing follows the `@`"),
            ("500@FETCH", "`FETCH` is not a method"),
            ("slow", "`slow` needs a duration, such as `slow=2s`"),
            ("slow=2", "`2` is not a duration such as `2s` or `500ms`"),
            ("slow=s", "`s` is not a duration such as `2s` or `500ms`"),
            ("truncate=1", "`truncate` takes no parameter"),
        ] {
            let error = text.parse::<Fault>().unwrap_err().to_string();
            assert!(error.contains(reason), "{text}: {error}");
            assert!(error.contains("`close-before`"), "{text}: {error}");
        }
    }
}
