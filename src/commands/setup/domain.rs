//! DNS facts about the domain of a guided set-up, before anything is created.

use super::facts::Facts;
use crate::api::connector::Connector;
use crate::dns::{self, Delegation, Lookup, Scope};
use crate::domain::EmailDomain;
use crate::flow::publish::{self, DnsHost};
use crate::flow::{Env, Error, journaled_code};
use crate::input::nearest::nearest;
use crate::interview::Question;
use crate::output::{Page, Text};
use crate::plural::count_noun;

#[derive(Clone)]
pub(super) struct DomainFacts {
    pub lookup: Lookup,
    pub mail: Option<Vec<String>>,
    pub host: DnsHost,
    /// The codes at the domain that deleted connectors had.
    pub left_over: Vec<Vec<u8>>,
}

impl DomainFacts {
    /// `connectors` are all of the account.
    pub async fn read(
        env: &Env<'_>,
        domain: &EmailDomain,
        connectors: &[Connector],
    ) -> Result<Self, Error> {
        let look = async {
            let lookup = env.resolver.lookup(domain, None, Scope::Authoritative).await;
            let mail = env.resolver.mail_servers(&lookup, domain).await;
            (lookup, mail)
        };
        let ((lookup, mail), host) = tokio::join!(look, publish::dns_host(env, domain));
        let codes = dns::sso_codes(&lookup);
        let left_over = journaled_code::of_deleted_connectors(env, codes, connectors);
        Ok(Self { lookup, mail, host: host?, left_over })
    }
}

pub fn domain_question() -> Question {
    let help = "The part of your users' email addresses after the `@`: all users with such an \
                address will sign in through the identity provider";
    Question::text("domain", "Email domain", help)
}

pub fn read_domain(text: &str) -> Result<EmailDomain, String> {
    let domain: EmailDomain =
        text.trim_start_matches('@').parse().map_err(|error| format!("{error}"))?;
    match domain.ineligible() {
        Some(reason) => Err(reason.to_string()),
        None => Ok(domain),
    }
}

pub(super) fn doubts(domain: &EmailDomain, known: &DomainFacts, facts: &Facts) -> Vec<String> {
    let mut doubts = Vec::new();
    if known.lookup.delegation == Delegation::NoDelegation {
        doubts.push(format!("there is no domain {domain} in the DNS"));
    } else if known.mail.as_ref().is_some_and(Vec::is_empty) {
        doubts.push(format!("{domain} has no mail server (MX record): it cannot receive email"));
    }
    if facts.members_at(domain) == Some(0) {
        let others = facts
            .members
            .iter()
            .flatten()
            .filter_map(|member| member.email().rsplit_once('@').map(|(_, domain)| domain));
        let suggestion = nearest(domain.as_str(), others, 0.8);
        let suggestion = suggestion
            .map(|suggestion| format!("; did you mean `{suggestion}`?"))
            .unwrap_or_default();
        doubts.push(format!("no member of this account has an address at {domain}{suggestion}"));
    }
    if domain.is_academic() {
        doubts.push(format!("{domain} is an academic domain: Cloudflare has to approve it"));
    }
    doubts
}

pub(super) fn describe_domain(
    domain: &EmailDomain,
    known: &DomainFacts,
    facts: &Facts,
    page: &mut Page,
) {
    page.blank();
    let mut fields = Vec::new();
    if let Some(count) = facts.members_at(domain) {
        fields.push((
            "  members",
            format!("{} with an address at {domain}", count_noun(count, "member")),
        ));
    }
    match known.mail.as_deref() {
        Some([first, rest @ ..]) => {
            let more =
                if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            fields.push(("  mail", format!("received by {first}{more}")));
        }
        Some([]) => fields.push(("  mail", "no mail server".to_owned())),
        None => fields.push(("  mail", "not known: no name server answered".to_owned())),
    }
    fields.push(("  DNS", describe_host(&known.host)));
    let connector = facts.connectors.iter().find(|one| one.email_domain == domain.as_str());
    let state = match connector {
        None => "none yet".to_owned(),
        Some(one) if one.is_enabled() => "exists, SSO is enabled".to_owned(),
        Some(one) if one.is_verified() => "exists, verified".to_owned(),
        Some(_) => "exists, not verified".to_owned(),
    };
    fields.push(("  connector", state));
    let own = connector.and_then(|one| one.code()).map(str::as_bytes);
    let mut others = dns::sso_codes(&known.lookup);
    others.retain(|code| Some(code.as_slice()) != own);
    if !others.is_empty() {
        let is_own = others.iter().all(|code| known.left_over.contains(code));
        let text = if is_own {
            "the code of a deleted connector of this account is still published (journal)"
        } else {
            "another verification code is published: perhaps of another account"
        };
        fields.push(("  TXT", text.to_owned()));
    }
    let fields: Vec<_> = fields.iter().map(|(name, text)| (*name, Text::plain(text))).collect();
    page.fields(&fields);
}

pub(super) fn describe_host(host: &DnsHost) -> String {
    match host {
        DnsHost::Cloudflare { zone, .. } => format!("zone {} in this account", zone.name),
        DnsHost::External(reason) => reason.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::facts::tests::facts;
    use super::*;

    fn known(delegation: Delegation, mail: Option<&[&str]>) -> DomainFacts {
        let lookup = Lookup {
            name: String::new(),
            delegation,
            servers: Vec::new(),
            misplaced: Vec::new(),
            denials: Vec::new(),
        };
        let mail = mail.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let host = DnsHost::External("no zone".to_owned());
        DomainFacts { lookup, mail, host, left_over: Vec::new() }
    }

    #[test]
    fn what_speaks_against_a_domain_is_said_before_it_is_used() {
        let zone = || Delegation::Zone("cool.cats".to_owned());
        let mail: Option<&[&str]> = Some(&["mx.cool.cats"]);
        for (domain, known, says) in [
            ("cool.cats", known(zone(), mail), &[][..]),
            ("cool.cats", known(zone(), None), &[]),
            ("cool.cats", known(Delegation::Unknown, None), &[]),
            ("cool.cats", known(Delegation::NoDelegation, None), &["no domain cool.cats"]),
            ("cool.cats", known(zone(), Some(&[])), &["no mail server"]),
            ("cool.cat", known(zone(), mail), &["did you mean `cool.cats`"]),
            ("other.example", known(zone(), mail), &["no member of this account"]),
            ("cats.edu", known(zone(), mail), &["no member", "academic"]),
        ] {
            let found = doubts(&domain.parse().unwrap(), &known, &facts(&["a@cool.cats"], &[]));
            assert_eq!(found.len(), says.len(), "{domain}: {found:?}");
            for (doubt, says) in found.iter().zip(says) {
                assert!(doubt.contains(says), "{doubt}");
            }
        }
    }
}
