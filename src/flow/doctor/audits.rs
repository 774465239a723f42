//! Findings of the audit in addition to the checks before enforcement. Pure.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::finding::{AuditId, Finding};
use crate::api::connector::{Connector, ConnectorFields, VerificationStatus};
use crate::api::idp::Idp;
use crate::api::odd::OddRecord;
use crate::api::policy::{Policy, Rule};
use crate::domain::EmailDomain;
use crate::flow::FlowError;
use crate::flow::bypass::status::BypassStatus;
use crate::flow::journal::{Contents, Entry, ResourceKind};
use crate::flow::preflight::{Facts, Thresholds, check_validity, names};
use crate::flow::rename::RenameInProgress;
use crate::flow::trial::keep::TrialStatus;
use crate::flow::undo::WriteOutcome;
use crate::idp::check::{self, IdpCheckId};
use crate::rfc3339;

/// For how long Cloudflare looks for the TXT record (API reference, section 2).
const VERIFICATION_WINDOW: SignedDuration = SignedDuration::from_hours(48);

pub(super) fn stale(connector: &ConnectorFields, now: Timestamp) -> Finding {
    let id = AuditId::ConnectorStale;
    let domain = &connector.email_domain;
    let again = || format!("`cfsso connector verify {domain} --wait`");
    let status = match connector.status() {
        Some(VerificationStatus::Verified) => {
            return Finding::passed(id, format!("{domain} is verified")).for_domain(domain);
        }
        Some(VerificationStatus::Failed) => {
            let evidence = format!("verification of {domain} failed");
            return Finding::failed(id, evidence, again()).for_domain(domain);
        }
        Some(status) => status.as_str(),
        None => "unknown",
    };
    let since = connector.updated_on.as_ref().or(connector.created_on.as_ref());
    let Some(since) = since.and_then(|text| text.parse::<Timestamp>().ok()) else {
        let evidence = format!("verification of {domain} is {status} (start time unknown)");
        return Finding::not_checked(id, evidence).for_domain(domain);
    };
    let age = now.duration_since(since);
    if age <= VERIFICATION_WINDOW {
        let evidence = format!("verification of {domain} is {status} (less than two days)");
        return Finding::passed(id, evidence).for_domain(domain);
    }
    let days = age.as_hours() / 24;
    let evidence = format!(
        "verification of {domain} has been {status} for {days} days (Cloudflare stops after 2)"
    );
    Finding::failed(id, evidence, again()).for_domain(domain)
}

/// `None` if SSO is not enabled.
pub(super) fn without_policy(connector: &ConnectorFields, facts: &Facts) -> Option<Finding> {
    let id = AuditId::ConnectorWithoutPolicy;
    if !connector.is_enabled() {
        return None;
    }
    let domain = &connector.email_domain;
    let finding = match policies(facts) {
        Err(reason) => Finding::not_checked(id, reason),
        Ok(policies) => {
            let name: Option<EmailDomain> = domain.parse().ok();
            let is_of_domain = |rule: &Rule| {
                rule.kind() == "email_domain"
                    && (name.is_some() && rule.domain() == name.as_ref()
                        || rule.field("domain").eq_ignore_ascii_case(domain))
            };
            let of_domain = policies.iter().find(|policy| {
                policy.decision == "allow" && policy.include.iter().flatten().any(is_of_domain)
            });
            match of_domain {
                Some(policy) => Finding::passed(id, format!("`{}` is for {domain}", policy.name)),
                None => Finding::failed(
                    id,
                    format!("SSO is enforced for {domain}, but no policy allows the whole domain"),
                    "`cfsso app policies`",
                ),
            }
        }
    };
    Some(finding.for_domain(domain))
}

/// Domains without a connector are reported by a check before enforcement.
pub(super) fn orphan_policies(facts: &Facts) -> Finding {
    let id = AuditId::PolicyWithoutConnector;
    let policies = match policies(facts) {
        Ok(policies) => policies,
        Err(reason) => return Finding::not_checked(id, reason),
    };
    let lost: Vec<_> = policies
        .iter()
        .filter(|policy| policy.decision == "allow" && domains(policy).is_empty())
        .map(|policy| policy.name.as_str())
        .collect();
    if lost.is_empty() {
        return Finding::passed(id, "every policy uses a domain with a connector");
    }
    let evidence = format!("policies without a connector: {}", quoted(lost));
    Finding::failed(id, evidence, "`cfsso app policies`")
}

pub(super) fn duplicate_policies(connectors: &[Connector], facts: &Facts) -> Finding {
    let id = AuditId::PolicyDuplicate;
    let policies = match policies(facts) {
        Ok(policies) => policies,
        Err(reason) => return Finding::not_checked(id, reason),
    };
    let mut of_domain: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for policy in policies {
        for domain in domains(policy) {
            of_domain.entry(domain).or_default().push(&policy.name);
        }
    }
    let several: Vec<_> = connectors
        .iter()
        .filter_map(|connector| {
            let domain = &connector.email_domain;
            let of = of_domain.remove(&canonical(domain)).filter(|of| of.len() > 1)?;
            Some((domain.clone(), format!("{domain} by {}", quoted(of))))
        })
        .collect();
    if several.is_empty() {
        return Finding::passed(id, "no domain has two policies");
    }
    let (domains, words): (Vec<_>, Vec<_>) = several.into_iter().unzip();
    let evidence = format!("domains with more than one policy: {}", words.join("; "));
    Finding { domains, ..Finding::failed(id, evidence, "`cfsso app policies`") }
}

pub(super) fn orphan_app(connectors: &[Connector], facts: &Facts) -> Finding {
    let id = AuditId::SsoAppWithoutConnector;
    match facts.sso_app() {
        Err(not_checked) => Finding::not_checked(id, &not_checked.reason),
        Ok(Some(app)) if connectors.is_empty() => Finding::failed(
            id,
            format!("`{}` exists without a connector", app.name),
            "`cfsso setup <DOMAIN>`",
        ),
        Ok(Some(app)) => Finding::passed(id, format!("`{}` has connectors", app.name)),
        Ok(None) => Finding::passed(id, "no SSO App without a connector"),
    }
}

/// Of every SAML identity provider, allowed or not, from the configuration only.
pub(super) fn certificates(facts: &Facts, now: Timestamp) -> Vec<Finding> {
    let id = AuditId::IdpCertificate;
    let idps = match &facts.idps {
        Ok(idps) => idps,
        Err(not_checked) => return vec![Finding::not_checked(id, &not_checked.reason)],
    };
    let found: Vec<_> = idps.iter().filter_map(|idp| certificate(idp, now)).collect();
    if found.is_empty() {
        return vec![Finding::passed(id, "no identity provider uses signing certificates")];
    }
    found
}

fn certificate(idp: &Idp, now: Timestamp) -> Option<Finding> {
    let id = AuditId::IdpCertificate;
    let mut points = check::offline(check::Subject::of(idp), &check::CheckOptions::new(now, 0));
    points.retain(|point| point.id == IdpCheckId::CertificateDates);
    let evidence: Vec<_> = points.iter().map(|point| point.detail.as_str()).collect();
    let words = format!("{}: {}", idp.name, evidence.join("; "));
    // An unreadable certificate comes before the dates of the others.
    let first = points.into_iter().next()?;
    Some(match first.state {
        check::CheckState::Passed => Finding::passed(id, words),
        check::CheckState::NotTested => Finding::not_checked(id, words),
        check::CheckState::Failed => {
            Finding::failed(id, words, first.fix.unwrap_or_else(|| "`cfsso idp update`".into()))
        }
    })
}

pub(super) fn token(facts: &Facts, thresholds: &Thresholds) -> Finding {
    let id = AuditId::TokenExpiry;
    match facts.token.as_ref().map(|token| check_validity(token, thresholds)) {
        Err(not_checked) => Finding::not_checked(id, &not_checked.reason),
        Ok(Ok(words)) => Finding::passed(id, format!("token in use: {words}")),
        Ok(Err(words)) => Finding::failed(
            id,
            format!("token in use: {words}"),
            "create a new token in the dashboard, or `cfsso token create-break-glass`",
        ),
    }
}

pub(super) fn bypass(bypass_status: &BypassStatus) -> Finding {
    let id = AuditId::BypassActive;
    match (bypass_status.active, bypass_status.since) {
        (Some(false), _) => Finding::passed(id, "no active bypass of this machine"),
        (None, _) => {
            let details = bypass_status.bypasses.iter().map(|bypass| bypass.detail.as_str());
            Finding::not_checked(id, format!("left over from a bypass: {}", names(details)))
        }
        (Some(true), since) => {
            let what = names(bypass_status.bypasses.iter().map(|bypass| bypass.title.as_str()));
            let since =
                since.map(|since| format!(" since {}", rfc3339::format(since))).unwrap_or_default();
            Finding::failed(id, format!("bypass active{since}: {what}"), "`cfsso bypass undo`")
        }
    }
}

pub(super) fn trial(open: &[TrialStatus]) -> Finding {
    let id = AuditId::TrialOpen;
    let Some(trial) = open.iter().find(|trial| !trial.running) else {
        return Finding::passed(id, "no interrupted trial on this machine");
    };
    let [keep, disable] = trial.commands();
    Finding::failed(id, trial.describe(), format!("`{keep}`, `{disable}`"))
}

pub(super) fn rename(under_way: Option<&RenameInProgress>) -> Finding {
    let id = AuditId::RenameInProgress;
    let Some(RenameInProgress { goal, since, sso_off_since, command }) = under_way else {
        return Finding::passed(id, "no incomplete rename on this machine");
    };
    let off = sso_off_since.map(|since| format!("; SSO off since {since}"));
    let evidence = format!("rename to {goal} incomplete since {since}{}", off.unwrap_or_default());
    Finding::failed(id, evidence, format!("`{command}`"))
}

pub(super) fn unknown_outcomes(open: &[(&Entry, Option<WriteOutcome>)]) -> Finding {
    let id = AuditId::JournalUnfinished;
    let name = |entry: &Entry| format!("{} ({})", entry.title, entry.id);
    let unknown: Vec<_> =
        open.iter().filter(|(_, outcome)| outcome.is_none()).map(|(entry, _)| *entry).collect();
    let Some(first) = unknown.first() else {
        if open.is_empty() {
            return Finding::passed(id, "all journal entries have a known outcome");
        }
        let outcomes = open.iter().filter_map(|(entry, outcome)| {
            let became = match (*outcome)? {
                WriteOutcome::Applied => "was applied",
                WriteOutcome::NotApplied => "was not applied",
                WriteOutcome::ChangedSince => "changed since",
            };
            Some(format!("{} {became}", name(entry)))
        });
        let outcomes: Vec<_> = outcomes.collect();
        return Finding::passed(
            id,
            format!("determined from the current objects: {}", outcomes.join("; ")),
        );
    };
    let what: Vec<_> = unknown.iter().map(|entry| name(entry)).collect();
    let evidence = format!("outcome unknown: {}", names(what.iter().map(String::as_str)));
    let remedy = if first.request_line().ends_with("/tokens") {
        "delete the token in the dashboard: its value was lost".to_owned()
    } else {
        format!("`cfsso journal show {}`", first.id)
    };
    Finding::failed(id, evidence, remedy)
}

/// Without verifications: their state is checked anyway.
pub(super) fn open_entries(entries: &[Entry]) -> Vec<&Entry> {
    let is_told = |entry: &&Entry| entry.resource != Some(ResourceKind::Verification);
    let open = entries.iter().filter(|entry| {
        entry.has_unknown_outcome() && entry.undone_by.is_none() && entry.resolved_by.is_none()
    });
    open.filter(is_told).collect()
}

pub(super) fn corrupt_journal(journal: &Contents) -> Finding {
    let id = AuditId::JournalDamaged;
    if journal.damaged.is_empty() {
        return Finding::passed(id, "the journal is readable");
    }
    let evidence = names(journal.damaged.iter().map(String::as_str));
    let remedy = journal.remedy.as_deref().unwrap_or("move the file out of the journal directory");
    Finding::failed(id, evidence, remedy)
}

/// Otherwise, both bypasses would refuse until they are run with `--no-journal`.
pub fn writable_journal(tried: Result<(), FlowError>) -> Finding {
    let id = AuditId::JournalWritable;
    match tried {
        Ok(()) => Finding::passed(id, "changes can be recorded"),
        Err(error) => {
            let remedy = error.hint.clone().unwrap_or_default();
            Finding::failed(
                id,
                error.messages().join(": "),
                format!("{remedy}; in a lockout, `cfsso bypass disable --all --no-journal`"),
            )
        }
    }
}

pub(super) fn records(odd: &[OddRecord]) -> Finding {
    let id = AuditId::RecordsUnderstood;
    if odd.is_empty() {
        return Finding::passed(id, "all records of the API are valid");
    }
    let evidence = odd.iter().map(OddRecord::describe).collect::<Vec<_>>().join("; ");
    Finding::failed(id, evidence, "compare the record in the dashboard, and update cfsso")
}

fn policies(facts: &Facts) -> Result<&[Policy], String> {
    match (facts.sso_app(), &facts.policies) {
        (Err(not_checked), _) | (_, Err(not_checked)) => Err(not_checked.reason.clone()),
        (Ok(None), _) => Err("no SSO App yet".to_owned()),
        (Ok(Some(_)), Ok(policies)) => Ok(policies),
    }
}

/// The domains of all email rules, including those for single addresses.
fn domains(policy: &Policy) -> BTreeSet<String> {
    let rules = policy.include.iter().flatten();
    let named = rules.filter(|rule| rule.kind() != "email" || rule.field("email").contains('@'));
    named.filter_map(Rule::email_text).map(canonical).collect()
}

/// Of a domain, or of the domain of an address.
fn canonical(text: &str) -> String {
    let name = text.rsplit_once('@').map_or(text, |(_, domain)| domain);
    name.parse().map_or_else(|_| name.to_lowercase(), |domain: EmailDomain| domain.to_string())
}

fn quoted(all: Vec<&str>) -> String {
    let quoted: Vec<_> = all.into_iter().map(|name| format!("`{name}`")).collect();
    names(quoted.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::flow::bypass::status::{Bypass, BypassState as Standing};
    use crate::flow::check::{CheckState, Severity};
    use crate::flow::journal::Outcome;
    use crate::flow::preflight::tests::{
        active, allow, email_domain, facts, forbidden, idp, object, sso_app, thresholds,
    };

    fn connector(rest: &Value) -> Connector {
        let mut connector = json!({ "id": "c1", "email_domain": "cool.cats", "enabled": true });
        connector.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
        object(&connector)
    }

    fn status(status: &str, updated_on: &str) -> Value {
        json!({ "verification": { "status": status }, "updated_on": updated_on })
    }

    const ACCOUNT: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_write_without_an_end_is_known_by_what_is_there() {
        let patch = Entry::sample("r", 1, r#"{"method":"PATCH","path":"/c/1","body":{}}"#);
        let token = Entry::sample("r", 2, r#"{"method":"POST","path":"/a/tokens","body":{}}"#);
        let known = |outcome| vec![(&patch, Some(outcome))];
        for (open, state, words) in [
            (vec![], CheckState::Passed, "known outcome"),
            (known(WriteOutcome::Applied), CheckState::Passed, "(r.1) was applied"),
            (known(WriteOutcome::NotApplied), CheckState::Passed, "(r.1) was not applied"),
            (known(WriteOutcome::ChangedSince), CheckState::Passed, "(r.1) changed since"),
            (vec![(&patch, None)], CheckState::Failed, "`cfsso journal show r.1`"),
            (
                vec![(&patch, Some(WriteOutcome::Applied)), (&token, None)],
                CheckState::Failed,
                "the dashboard",
            ),
        ] {
            let finding = unknown_outcomes(&open);
            let text = format!("{} {}", finding.detail, finding.fix.unwrap_or_default());
            assert_eq!(finding.state, state, "{text}");
            assert!(text.contains(words), "{text}");
        }
    }

    #[test]
    fn what_is_looked_at_anyway_is_left_out() {
        let account = ACCOUNT;
        for (path, is_told) in [
            (format!("/accounts/{account}/sso_connectors/c"), true),
            (format!("/accounts/{account}/sso_connectors/c/begin_verification"), false),
            ("/zones/z/dns_records/r".to_owned(), true),
            ("/user/tokens".to_owned(), true),
        ] {
            let request = format!(r#"{{"method":"PATCH","path":"{path}","body":{{}}}}"#);
            let sample = Entry::sample("r", 1, &request);
            let lost = Entry { outcome: Outcome::Unknown, ..sample.clone() };
            let other = || Some("r.2".to_owned());
            let resolved = Entry { resolved_by: other(), ..lost.clone() };
            let undone = Entry { undone_by: other(), ..lost.clone() };
            assert_eq!(open_entries(&[sample, resolved, undone]).len(), 0, "{path}");
            assert_eq!(open_entries(&[lost]).len(), usize::from(is_told), "{path}");
        }
    }

    #[test]
    fn a_verification_is_stale_when_it_failed_or_stood_still_for_two_days() {
        // It is 2026-03-01T12:00:00Z.
        for (rest, expected) in [
            (status("verified", "2025-01-01T00:00:00Z"), CheckState::Passed),
            (status("failed", "2026-03-01T11:59:00Z"), CheckState::Failed),
            (status("pending", "2026-02-27T12:00:00Z"), CheckState::Passed),
            (status("pending", "2026-02-27T11:59:59Z"), CheckState::Failed),
            (status("awaiting", "2026-02-27T11:59:59Z"), CheckState::Failed),
            (status("newer-word", "2026-02-01T00:00:00Z"), CheckState::Failed),
            (status("pending", "yesterday"), CheckState::NotChecked),
            (json!({ "created_on": "2026-02-01T00:00:00.123456Z" }), CheckState::Failed),
            (json!({}), CheckState::NotChecked),
        ] {
            let finding = stale(&connector(&rest), thresholds().now);
            assert_eq!(finding.state, expected, "{rest} {finding:?}");
            assert_eq!(finding.domains, ["cool.cats"]);
        }
    }

    #[test]
    fn an_enforced_connector_wants_a_policy_for_everybody_at_its_domain() {
        let address = json!({ "email": { "email": "a@cool.cats" } });
        for (include, expected) in [
            (json!([email_domain("COOL.cats")]), CheckState::Passed),
            (json!([address]), CheckState::Failed),
            (json!([{ "everyone": {} }]), CheckState::Failed),
            (json!([email_domain("dogs.test")]), CheckState::Failed),
        ] {
            let facts = Facts { policies: Ok(object(&json!([allow(1, &include)]))), ..facts() };
            let finding = without_policy(&connector(&json!({})), &facts).unwrap();
            assert_eq!(finding.state, expected, "{include}");
        }
        assert!(without_policy(&connector(&json!({ "enabled": false })), &facts()).is_none());
        let not_checked = Facts { policies: Err(forbidden()), ..facts() };
        let finding = without_policy(&connector(&json!({})), &not_checked).unwrap();
        assert_eq!(finding.state, CheckState::NotChecked);
    }

    #[test]
    fn a_policy_belongs_to_a_domain_and_no_domain_has_two() {
        let all = [connector(&json!({}))];
        let cats = email_domain("cool.cats");
        let address = json!({ "email": { "email": "a@cool.cats" } });
        let group = json!({ "group": { "id": "g" } });
        for (policies, lost, second) in [
            (json!([allow(1, &json!([cats]))]), CheckState::Passed, CheckState::Passed),
            (json!([]), CheckState::Passed, CheckState::Passed),
            (
                json!([allow(1, &json!([cats])), allow(2, &json!([group]))]),
                CheckState::Failed,
                CheckState::Passed,
            ),
            (json!([allow(1, &json!([cats, group]))]), CheckState::Passed, CheckState::Passed),
            (
                json!([allow(1, &json!([cats])), allow(2, &json!([address]))]),
                CheckState::Passed,
                CheckState::Failed,
            ),
            // Reported by a check before enforcement.
            (
                json!([allow(1, &json!([email_domain("dogs.test")]))]),
                CheckState::Passed,
                CheckState::Passed,
            ),
        ] {
            let facts = Facts { policies: Ok(object(&policies)), ..facts() };
            assert_eq!(orphan_policies(&facts).state, lost, "{policies}");
            assert_eq!(duplicate_policies(&all, &facts).state, second, "{policies}");
        }
        let none = Facts { apps: Ok(Vec::new()), ..facts() };
        assert_eq!(orphan_policies(&none).state, CheckState::NotChecked);
        assert_eq!(duplicate_policies(&all, &none).state, CheckState::NotChecked);
    }

    #[test]
    fn the_application_is_there_for_connectors() {
        let all = [connector(&json!({}))];
        for (apps, connectors, expected) in [
            (Ok(object(&json!([sso_app(&json!({}))]))), &all[..], CheckState::Passed),
            (Ok(object(&json!([sso_app(&json!({}))]))), &[], CheckState::Failed),
            (Ok(Vec::new()), &[], CheckState::Passed),
            (Err(forbidden()), &[], CheckState::NotChecked),
        ] {
            let facts = Facts { apps, ..facts() };
            assert_eq!(orphan_app(connectors, &facts).state, expected);
        }
    }

    #[test]
    fn certificates_are_looked_at_where_somebody_signs_with_one() {
        let states = |facts: &Facts| -> Vec<CheckState> {
            certificates(facts, thresholds().now).iter().map(|finding| finding.state).collect()
        };
        assert_eq!(states(&facts()), [CheckState::Passed], "none signs with one");
        let mut saml = idp("saml", "saml");
        let idps = |saml: &Value| Facts { idps: Ok(object(&json!([saml]))), ..facts() };
        assert_eq!(states(&idps(&saml)), [CheckState::NotChecked], "the API shows none");
        saml["config"] = json!({ "idp_public_certs": ["no certificate"] });
        assert_eq!(states(&idps(&saml)), [CheckState::Failed]);
        let expired = include_str!("../../sandbox/issuer/expired.pem");
        saml["config"] = json!({ "idp_public_certs": [expired] });
        assert_eq!(states(&idps(&saml)), [CheckState::Failed]);
        let valid = include_str!("../../sandbox/issuer/valid.pem");
        saml["config"] = json!({ "idp_public_certs": [valid] });
        assert_eq!(states(&idps(&saml)), [CheckState::Passed]);
        saml["config"] = json!({ "idp_public_certs": [valid, "no certificate"] });
        let found = certificates(&idps(&saml), thresholds().now);
        let evidence = &found[0].detail;
        assert!(evidence.contains("certificate 2 cannot be read") && evidence.contains("is valid"));
        assert_eq!(states(&Facts { idps: Err(forbidden()), ..facts() }), [CheckState::NotChecked]);
    }

    #[test]
    fn the_token_in_use_has_to_last() {
        for (rest, expected) in [
            (json!({}), CheckState::Passed),
            (json!({ "expires_on": "2026-03-20T12:00:00Z" }), CheckState::Failed),
            (json!({ "expires_on": "2026-04-20T12:00:00Z" }), CheckState::Passed),
            (json!({ "status": "disabled" }), CheckState::Failed),
        ] {
            let facts = Facts { token: Ok(active(&rest)), ..facts() };
            assert_eq!(token(&facts, &thresholds()).state, expected, "{rest}");
        }
        let not_checked = Facts { token: Err(forbidden()), ..facts() };
        assert_eq!(token(&not_checked, &thresholds()).state, CheckState::NotChecked);
    }

    #[test]
    fn a_bypass_is_told_as_far_as_it_was_seen() {
        let left = Bypass {
            entry: "r.1".to_owned(),
            started_at: thresholds().now,
            user: None,
            title: "disable".to_owned(),
            target: None,
            state: Standing::Active,
            detail: "why".to_owned(),
        };
        for (in_force, expected) in [
            (Some(true), CheckState::Failed),
            (Some(false), CheckState::Passed),
            (None, CheckState::NotChecked),
        ] {
            let since = Some(thresholds().now);
            let finding =
                bypass(&BypassStatus { active: in_force, since, bypasses: vec![left.clone()] });
            assert_eq!((finding.state, finding.severity), (expected, Severity::Warning));
        }
    }

    #[test]
    fn damage_is_named() {
        let of = |damaged, remedy| Contents { damaged, remedy, ..Contents::default() };
        assert_eq!(corrupt_journal(&of(Vec::new(), None)).state, CheckState::Passed);
        let exposed = of(vec!["x".to_owned()], Some("`chmod go-w x`".to_owned()));
        assert_eq!(corrupt_journal(&exposed).fix.as_deref(), Some("`chmod go-w x`"));
        let finding = corrupt_journal(&of(vec!["x.jsonl, line 3".to_owned()], None));
        assert_eq!(
            (finding.state, finding.detail.as_str()),
            (CheckState::Failed, "x.jsonl, line 3")
        );
    }
}
