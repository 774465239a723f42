//! The checks of the domain itself: its connector and DNS.

use futures_util::stream::{self, StreamExt as _};

use super::Subject;
use crate::api::connector::{Connector, ConnectorFields, VerificationStatus};
use crate::api::ids::AccountId;
use crate::api::{account, connector};
use crate::dns::{self, Diagnosis, Lookup, Verdict, printable};
use crate::domain::EmailDomain;
use crate::flow::Env;
use crate::flow::check::{Check, CheckId, Severity};

const MAX_CONCURRENT: usize = 8;

/// An account that this token cannot read may use one of them.
const DELETE_UNUSED: &str = "delete the TXT records that no connector of any of your accounts uses \
                             (`cfsso connector list --all-accounts`)";

const SHOW_ALL: &str = "`cfsso connector list --all-accounts`; keep the TXT record while its \
                        connector is in use";

#[derive(Clone, Copy)]
pub struct PublishedCode<'a> {
    pub lookup: &'a Lookup,
    pub diagnosis: &'a Diagnosis,
    /// The codes at the domain that deleted connectors of this account had, by the journal.
    pub left_over: &'a [Vec<u8>],
    /// The connectors of other accounts of the token, if the domain has foreign codes.
    pub elsewhere: &'a [ElsewhereConnector],
}

/// A connector of another account of the token.
#[derive(Clone, Debug)]
pub struct ElsewhereConnector {
    pub connector: Connector,
    pub account: AccountId,
    pub account_name: Option<String>,
}

/// The verification codes at a domain that are not the connector's.
pub fn foreign_codes(lookup: &Lookup, connector: &ConnectorFields) -> Vec<Vec<u8>> {
    let own = connector.code().map(str::as_bytes);
    dns::sso_codes(lookup).into_iter().filter(|code| Some(code.as_slice()) != own).collect()
}

/// Sends no request without foreign codes. What cannot be read is left out.
pub async fn read_elsewhere(env: &Env<'_>, has_foreign_codes: bool) -> Vec<ElsewhereConnector> {
    if !has_foreign_codes {
        return Vec::new();
    }
    let accounts = env.client.list(&account::list()).await.unwrap_or_default();
    let reads = accounts.iter().filter(|account| account.id != *env.account).map(async |account| {
        let connectors = env.client.list(&connector::list(&account.id)).await.unwrap_or_default();
        let (id, name) = (&account.id, &account.name);
        let elsewhere = connectors.into_iter().map(|connector| ElsewhereConnector {
            connector,
            account: id.clone(),
            account_name: name.clone(),
        });
        elsewhere.collect::<Vec<_>>()
    });
    let all: Vec<_> = stream::iter(reads).buffered(MAX_CONCURRENT).collect().await;
    all.into_iter().flatten().collect()
}

pub(super) fn verified(Subject { connector, domain, .. }: Subject<'_>) -> Check {
    let status = connector.status().map_or("unknown", VerificationStatus::as_str);
    let evidence = format!("verification of {domain}: {status}");
    if connector.is_verified() {
        return Check::passed(CheckId::DomainVerified, evidence);
    }
    let remedy = format!("`cfsso connector verify {domain} --wait`");
    Check::failed(CheckId::DomainVerified, evidence, remedy)
}

pub(super) fn eligible(domain: &EmailDomain) -> Check {
    let id = CheckId::DomainEligible;
    match domain.ineligible() {
        None if domain.is_academic() => {
            let evidence = format!("{domain} is an academic domain: Cloudflare has to approve it");
            let remedy = "ask Cloudflare support for approval before you enable it";
            Check::failed(id, evidence, remedy).with_severity(Severity::Warning)
        }
        None => Check::passed(id, format!("{domain} is eligible")),
        Some(reason) => {
            let remedy = format!("`cfsso connector delete {domain}`");
            Check::failed(id, reason.to_string(), remedy)
        }
    }
}

pub(super) fn txt_still_published(Subject { domain, served, .. }: Subject<'_>) -> Check {
    let id = CheckId::TxtStillPublished;
    let evidence = describe_published(served.lookup, served.diagnosis);
    match served.diagnosis.verdict {
        Verdict::Visible => Check::passed(id, evidence),
        Verdict::Unreachable => Check::not_checked(id, evidence),
        Verdict::NotPublished => {
            Check::failed(id, evidence, format!("`cfsso setup {domain} --publish-txt`"))
        }
        _ => Check::failed(id, evidence, format!("`cfsso dig {domain} --connector {domain}`")),
    }
}

pub fn describe_published(lookup: &Lookup, diagnosis: &Diagnosis) -> String {
    match lookup.servers.len() {
        _ if !diagnosis.verdict.is_visible() => diagnosis.summary.clone(),
        1 => "visible on 1 of 1 name servers".to_owned(),
        count => format!("visible on {count} of {count} name servers"),
    }
}

pub(super) fn foreign_claim(Subject { connector, domain, served, .. }: Subject<'_>) -> Check {
    let id = CheckId::ForeignClaim;
    let (left_over, others): (Vec<_>, Vec<_>) = foreign_codes(served.lookup, connector)
        .into_iter()
        .partition(|code| served.left_over.contains(code));
    let owners = others.iter().map(|code| (code, served.owner(code, domain)));
    let (known, unknown): (Vec<_>, Vec<_>) = owners.partition(|(_, owner)| owner.is_some());
    let known: Vec<_> = known
        .into_iter()
        .filter_map(|(code, owner)| Some(format!("{} is {}", printable(code), owner?)))
        .collect();
    let unknown: Vec<_> = unknown.into_iter().map(|(code, _)| printable(code)).collect();
    let left_over: Vec<_> = left_over.iter().map(|code| printable(code)).collect();
    if let Some((evidence, remedy)) = describe_others(domain, &left_over, &known, &unknown) {
        return Check::failed(id, evidence, remedy);
    }
    if served.diagnosis.verdict == Verdict::Unreachable {
        return Check::not_checked(id, "no name server responded");
    }
    Check::passed(id, format!("no other verification code at {domain}"))
}

impl PublishedCode<'_> {
    fn owner(&self, code: &[u8], domain: &EmailDomain) -> Option<String> {
        let owner = self.elsewhere.iter().find(|it| {
            it.connector.code().map(str::as_bytes) == Some(code)
                && domain.is_named(&it.connector.email_domain)
        })?;
        let account = owner.account_name.as_deref().unwrap_or(owner.account.as_str());
        let state = if owner.connector.is_enabled() { "enabled" } else { "not enabled" };
        Some(format!("of the account {account}, SSO {state} there"))
    }
}

/// Evidence and remedy. Only an unknown code may belong to an account that the token cannot read.
fn describe_others(
    domain: &EmailDomain,
    left_over: &[String],
    known: &[String],
    unknown: &[String],
) -> Option<(String, String)> {
    let list = |before: String, codes: &[String]| {
        (!codes.is_empty()).then(|| format!("{before}{}", codes.join(", ")))
    };
    let other = "another account could claim it: ";
    let own = "of deleted connectors of this account (journal): ";
    let evidence = [
        list(format!("other verification codes at {domain}; {other}"), unknown),
        list(format!("at {domain}, "), known),
        list(format!("verification codes at {domain} {own}"), left_over),
    ];
    let evidence: Vec<_> = evidence.into_iter().flatten().collect();
    let remedy = match (left_over, known, unknown) {
        ([], [], []) => return None,
        // Only in a zone of this account, and with the comment of this program.
        (_, [], []) => format!(
            "delete the TXT records that none of your connectors uses; \
             `cfsso setup {domain} --publish-txt --replace-stale-txt` deletes only those that \
             cfsso published"
        ),
        (_, _, []) => SHOW_ALL.to_owned(),
        _ => DELETE_UNUSED.to_owned(),
    };
    Some((evidence.join("; "), remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_code_may_belong_to_an_account_that_cannot_be_read() {
        let domain = "cool.cats".parse().unwrap();
        let codes = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let other = "other verification codes at cool.cats; another account could claim it: o";
        let known_one = "at cool.cats, k";
        let own = "verification codes at cool.cats of deleted connectors of this account \
                           (journal): d";
        for (left_over, known, unknown, expected, says) in [
            (
                &[][..],
                &[][..],
                &["o"][..],
                other.to_owned(),
                "no connector of any of your accounts",
            ),
            (&["d"], &[], &[], own.to_owned(), "--replace-stale-txt"),
            (&[], &["k"], &[], known_one.to_owned(), "keep the TXT record"),
            (&["d"], &["k"], &[], format!("{known_one}; {own}"), "keep the TXT record"),
            (
                &["d"],
                &["k"],
                &["o"],
                format!("{other}; {known_one}; {own}"),
                "no connector of any of your accounts",
            ),
        ] {
            let found = describe_others(&domain, &codes(left_over), &codes(known), &codes(unknown));
            let (evidence, remedy) = found.unwrap();
            assert_eq!(evidence, expected);
            assert!(remedy.contains(says), "{remedy}");
        }
        assert_eq!(describe_others(&domain, &[], &[], &[]), None);
    }
}
