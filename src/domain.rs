//! Email domains: their syntax, and which ones Cloudflare does not accept for SSO. Pure.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use serde::Serialize;

use crate::input::value::{self, Invisible};

/// Lower case, A-labels (RFC 5890), no trailing dot, at least two labels.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct EmailDomain(String);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an email domain: {reason}")]
pub struct InvalidDomain {
    text: String,
    reason: InvalidDomainReason,
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDomainReason {
    #[error("it is empty")]
    Empty,
    #[error("{0}")]
    Invisible(Invisible),
    #[error("it contains spaces")]
    Whitespace,
    #[error("it is an email address; use `{0}`")]
    EmailAddress(String),
    #[error("it is a URL; use `{0}`")]
    Url(String),
    #[error("it is an IP address")]
    IpAddress,
    #[error("it has a port; use `{0}`")]
    Port(String),
    #[error("it is a wildcard; each domain needs its own connector")]
    Wildcard,
    #[error("it has only one label; expected a domain such as `cool.cats`")]
    BareLabel,
    #[error("it has an empty label between two dots")]
    EmptyLabel,
    #[error("its label `{0}` is longer than 63 characters")]
    LongLabel(String),
    /// RFC 1035 section 2.3.4: 255 octets on the wire, 253 characters here.
    #[error("it is longer than 253 characters")]
    LongName,
    /// Characters that no host name has, or an invalid IDN.
    #[error("it contains characters that a domain name cannot have")]
    Characters,
}

/// Public mail providers, whose domains are shared by strangers.
const PUBLIC_MAIL: &[&str] = &[
    "126.com",
    "163.com",
    "aim.com",
    "aol.com",
    "att.net",
    "bellsouth.net",
    "btinternet.com",
    "comcast.net",
    "cox.net",
    "duck.com",
    "email.com",
    "fastmail.com",
    "fastmail.fm",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.net",
    "googlemail.com",
    "hey.com",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.fr",
    "hotmail.it",
    "hushmail.com",
    "icloud.com",
    "inbox.com",
    "laposte.net",
    "libero.it",
    "live.co.uk",
    "live.com",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.ru",
    "mailbox.org",
    "me.com",
    "msn.com",
    "naver.com",
    "orange.fr",
    "outlook.com",
    "outlook.de",
    "outlook.fr",
    "pm.me",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rambler.ru",
    "rediffmail.com",
    "rocketmail.com",
    "sbcglobal.net",
    "sina.com",
    "t-online.de",
    "tuta.com",
    "tuta.io",
    "tutanota.com",
    "verizon.net",
    "wanadoo.fr",
    "web.de",
    "wp.pl",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.br",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yandex.com",
    "yandex.ru",
    "yeah.net",
    "ymail.com",
    "zoho.com",
    "zohomail.com",
];

impl EmailDomain {
    /// Whether an email address is at exactly this domain, ignoring case.
    pub fn has_address(&self, address: &str) -> bool {
        address.rsplit_once('@').is_some_and(|(_, domain)| self.is_named(domain))
    }

    /// Whether `name` is a form of this domain.
    pub fn is_named(&self, name: &str) -> bool {
        // Only other characters need the conversion to A-labels, which is slow.
        if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)) {
            return name.strip_suffix('.').unwrap_or(name).eq_ignore_ascii_case(&self.0);
        }
        name.parse::<Self>().is_ok_and(|named| named == *self)
    }

    /// Whether an email address is at a sub-domain of this domain.
    pub fn has_address_below(&self, address: &str) -> bool {
        let named = Self::of_address(address);
        named.is_some_and(|named| named.ancestors().skip(1).any(|name| name == self.as_str()))
    }

    fn of_address(address: &str) -> Option<Self> {
        address.rsplit_once('@')?.1.parse().ok()
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The reason if Cloudflare does not accept the domain for SSO: it belongs to a public mail
    /// provider (documentation of dashboard SSO, limitations).
    pub fn ineligible(&self) -> Option<&'static str> {
        PUBLIC_MAIL.binary_search(&self.as_str()).is_ok().then_some("public email provider")
    }

    /// Academic domains can be created and verified, but Cloudflare has to approve enabling SSO
    /// (changelog of 2026-02-17).
    pub fn is_academic(&self) -> bool {
        ["edu", "ac.uk", "edu.au"]
            .iter()
            .any(|suffix| self.0.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.')))
    }

    /// The domain and its parents down to two labels, longest first: candidates for its DNS zone.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        let mut rest = Some(self.as_str());
        std::iter::from_fn(move || {
            let name = rest?;
            rest = name
                .split_once('.')
                .map(|(_, parent)| parent)
                .filter(|parent| parent.contains('.'));
            Some(name)
        })
    }
}

impl FromStr for EmailDomain {
    type Err = InvalidDomain;

    fn from_str(text: &str) -> Result<Self, InvalidDomain> {
        let trimmed = value::trim(text).map_err(InvalidDomainReason::Invisible);
        trimmed
            .and_then(parse)
            .map(Self)
            .map_err(|reason| InvalidDomain { text: value::visible(text), reason })
    }
}

impl fmt::Display for EmailDomain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn parse(text: &str) -> Result<String, InvalidDomainReason> {
    if text.is_empty() {
        return Err(InvalidDomainReason::Empty);
    }
    if text.contains(char::is_whitespace) {
        return Err(InvalidDomainReason::Whitespace);
    }
    if let Some(host) = url_host(text) {
        return Err(InvalidDomainReason::Url(host.to_owned()));
    }
    if let Some((_, domain)) = text.rsplit_once('@') {
        return Err(InvalidDomainReason::EmailAddress(domain.to_owned()));
    }
    if text.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        return Err(InvalidDomainReason::IpAddress);
    }
    if let Some((domain, _)) = text.split_once(':') {
        return Err(InvalidDomainReason::Port(domain.to_owned()));
    }
    if text.starts_with("*.") {
        return Err(InvalidDomainReason::Wildcard);
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    if name.split('.').any(str::is_empty) {
        return Err(InvalidDomainReason::EmptyLabel);
    }
    let ascii = Uts46::new()
        .to_ascii(name.as_bytes(), AsciiDenyList::STD3, Hyphens::CheckFirstLast, DnsLength::Ignore)
        .map_err(|_| InvalidDomainReason::Characters)?;
    check_length(&ascii)?;
    if !ascii.contains('.') {
        return Err(InvalidDomainReason::BareLabel);
    }
    if ascii.rsplit('.').next().is_some_and(|top| top.bytes().all(|byte| byte.is_ascii_digit())) {
        return Err(InvalidDomainReason::Characters);
    }
    Ok(ascii.into_owned())
}

fn url_host(text: &str) -> Option<&str> {
    let rest = match text.split_once("://") {
        Some((_, rest)) => rest,
        None if text.contains('/') => text,
        None => return None,
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    Some(host.split(':').next().unwrap_or(host))
}

fn check_length(name: &str) -> Result<(), InvalidDomainReason> {
    if let Some(label) = name.split('.').find(|label| label.len() > 63) {
        return Err(InvalidDomainReason::LongLabel(label.to_owned()));
    }
    if name.len() > 253 { Err(InvalidDomainReason::LongName) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_written_one_way() {
        for (text, written) in [
            ("cool.cats", "cool.cats"),
            ("Cool.CATS.", "cool.cats"),
            ("mail.cool.cats", "mail.cool.cats"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("BÜCHER.example.", "xn--bcher-kva.example"),
            ("xn--bcher-kva.example", "xn--bcher-kva.example"),
            ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        ] {
            assert_eq!(
                text.parse::<EmailDomain>().map(|domain| domain.0),
                Ok(written.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_domain_is_refused_with_the_reason() {
        let long_label = "a".repeat(64);
        let long_name = format!("{}com", "abcdefg.".repeat(32));
        for (text, reason) in [
            ("", InvalidDomainReason::Empty),
            (" cool.cats", InvalidDomainReason::Whitespace),
            ("cool .cats", InvalidDomainReason::Whitespace),
            ("admin@cool.cats", InvalidDomainReason::EmailAddress("cool.cats".into())),
            ("https://cool.cats/login", InvalidDomainReason::Url("cool.cats".into())),
            ("https://me@cool.cats:8443/login", InvalidDomainReason::Url("cool.cats".into())),
            ("cool.cats/", InvalidDomainReason::Url("cool.cats".into())),
            ("192.0.2.1", InvalidDomainReason::IpAddress),
            ("[2001:db8::1]", InvalidDomainReason::IpAddress),
            ("2001:db8::1", InvalidDomainReason::IpAddress),
            ("cool.cats:443", InvalidDomainReason::Port("cool.cats".into())),
            ("*.cool.cats", InvalidDomainReason::Wildcard),
            ("localhost", InvalidDomainReason::BareLabel),
            ("cats.", InvalidDomainReason::BareLabel),
            ("cool..cats", InvalidDomainReason::EmptyLabel),
            (".cool.cats", InvalidDomainReason::EmptyLabel),
            (".", InvalidDomainReason::EmptyLabel),
            ("cool_cats.example", InvalidDomainReason::Characters),
            ("-cool.cats", InvalidDomainReason::Characters),
            ("cool.cats;rm", InvalidDomainReason::Characters),
            ("cool.123", InvalidDomainReason::Characters),
            ("xn--a.example", InvalidDomainReason::Characters),
            (&format!("{long_label}.cats"), InvalidDomainReason::LongLabel(long_label.clone())),
            (&long_name, InvalidDomainReason::LongName),
        ] {
            assert_eq!(parse(text), Err(reason), "{text:?}");
        }
    }

    #[test]
    fn an_address_is_at_a_domain_or_below_it() {
        let domain: EmailDomain = "cool.cats".parse().unwrap();
        for (address, is_at, is_below) in [
            ("a@Cool.Cats.", true, false),
            ("a@mail.cool.cats", false, true),
            ("a@eu.mail.cool.cats", false, true),
            ("a@uncool.cats", false, false),
            ("a@cool.cats.example", false, false),
            ("cool.cats", false, false),
            ("a@cats", false, false),
        ] {
            assert_eq!(domain.has_address(address), is_at, "{address}");
            assert_eq!(domain.has_address_below(address), is_below, "{address}");
        }
    }

    #[test]
    fn shared_domains_are_not_eligible() {
        for (text, why) in [
            ("cool.cats", None),
            ("notgmail.com", None),
            ("gmail.com", Some("public email provider")),
            ("126.com", Some("public email provider")),
            ("zohomail.com", Some("public email provider")),
            ("mit.edu", None),
            ("edu.example", None),
        ] {
            assert_eq!(text.parse::<EmailDomain>().unwrap().ineligible(), why, "{text}");
        }
    }

    #[test]
    fn academic_domains_are_told_by_their_end() {
        for (text, is_academic) in [
            ("mit.edu", true),
            ("cs.mit.edu", true),
            ("ox.ac.uk", true),
            ("anu.edu.au", true),
            ("edu.example", false),
            ("notedu.com", false),
            ("cool.cats", false),
            ("myedu.edux", false),
        ] {
            assert_eq!(text.parse::<EmailDomain>().unwrap().is_academic(), is_academic, "{text}");
        }
    }

    #[test]
    fn the_list_of_mail_providers_is_sorted() {
        assert!(PUBLIC_MAIL.is_sorted());
    }

    #[test]
    fn a_zone_is_looked_for_from_the_longest_name_up() {
        let domain: EmailDomain = "mail.eu.cool.cats".parse().unwrap();
        assert_eq!(
            domain.ancestors().collect::<Vec<_>>(),
            ["mail.eu.cool.cats", "eu.cool.cats", "cool.cats"]
        );
    }
}
