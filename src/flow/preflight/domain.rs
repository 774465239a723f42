//! The checks of the domain itself: its connector and DNS.

use super::Subject;
use crate::api::connector::VerificationStatus;
use crate::dns::{self, Diagnosis, Lookup, Verdict, printable};
use crate::domain::EmailDomain;
use crate::flow::check::{Check, CheckId, Severity};

#[derive(Clone, Copy)]
pub struct PublishedCode<'a> {
    pub lookup: &'a Lookup,
    pub diagnosis: &'a Diagnosis,
    /// The codes at the domain that deleted connectors of this account had, by the journal.
    pub left_over: &'a [Vec<u8>],
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
    let (left_over, unknown): (Vec<_>, Vec<_>) = dns::sso_codes(served.lookup)
        .into_iter()
        .filter(|code| Some(code.as_slice()) != connector.code().map(str::as_bytes))
        .partition(|code| served.left_over.contains(code));
    if let Some((evidence, remedy)) = describe_others(domain, &left_over, &unknown) {
        return Check::failed(id, evidence, remedy);
    }
    if served.diagnosis.verdict == Verdict::Unreachable {
        return Check::not_checked(id, "no name server responded");
    }
    Check::passed(id, format!("no other verification code at {domain}"))
}

/// Evidence and remedy. Only an unknown code may belong to another account.
fn describe_others(
    domain: &EmailDomain,
    left_over: &[Vec<u8>],
    unknown: &[Vec<u8>],
) -> Option<(String, String)> {
    let list =
        |codes: &[Vec<u8>]| codes.iter().map(|code| printable(code)).collect::<Vec<_>>().join(", ");
    let own = format!("of deleted connectors of this account (journal): {}", list(left_over));
    let other = format!(
        "other verification codes at {domain}; another account could claim it: {}",
        list(unknown)
    );
    let remedy = "delete the TXT records that none of your connectors uses";
    match (left_over, unknown) {
        ([], []) => None,
        ([], _) => Some((other, remedy.to_owned())),
        (_, []) => {
            let remedy =
                format!("{remedy}: `cfsso setup {domain} --publish-txt --replace-stale-txt`");
            Some((format!("verification codes at {domain} {own}"), remedy))
        }
        _ => Some((format!("{other}; {own}"), remedy.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_unknown_code_may_belong_to_another_account() {
        let (own, other) = (vec![b"own".to_vec()], vec![b"other".to_vec()]);
        for (left_over, unknown, expected) in [
            (&[][..], &[][..], None),
            (
                &[],
                &other,
                Some(
                    "other verification codes at cool.cats; another account could claim it: other",
                ),
            ),
            (
                &own,
                &[],
                Some(
                    "verification codes at cool.cats of deleted connectors of this account \
                     (journal): own",
                ),
            ),
            (
                &own,
                &other,
                Some(
                    "other verification codes at cool.cats; another account could claim it: \
                     other; of deleted connectors of this account (journal): own",
                ),
            ),
        ] {
            let found = describe_others(&"cool.cats".parse().unwrap(), left_over, unknown);
            assert_eq!(found.as_ref().map(|(evidence, _)| evidence.as_str()), expected);
        }
    }
}
