//! Checks of SAML signing certificates. No I/O.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value};

use super::CheckOptions;
use super::result::{IdpCheck, IdpCheckId};
use crate::idp::certificate::{self, Certificate};
use crate::plural::count_noun;

const RENEW: &str = "create a new certificate at the identity provider, then `cfsso idp update <IDP> --idp-public-certs <FILE>`";

/// Three checks: dates, keys, signatures.
pub(super) fn certificates(config: &Map<String, Value>, options: &CheckOptions) -> Vec<IdpCheck> {
    let mut found = Vec::new();
    let mut unreadable = Vec::new();
    for (position, text) in texts(config) {
        match certificate::read_all(text) {
            Ok(all) => found.extend(all),
            Err(error) => {
                unreadable.push(format!("certificate {position} cannot be read: {error}"));
            }
        }
    }
    let unread = |evidence| IdpCheck::failed(IdpCheckId::CertificateDates, evidence).remedy(RENEW);
    match (found.is_empty(), unreadable.is_empty()) {
        (true, true) => {
            let evidence = "the API returned no certificate";
            vec![IdpCheck::not_proven(IdpCheckId::CertificateDates, evidence)]
        }
        (true, false) => vec![unread(unreadable.join("; "))],
        (false, true) => vec![dates(&found, options), key(&found), signature(&found)],
        (false, false) => {
            let warning = unread(unreadable.join("; ")).warning();
            vec![warning, dates(&found, options), key(&found), signature(&found)]
        }
    }
}

/// Non-empty certificates, each with its position from 1.
fn texts(config: &Map<String, Value>) -> Vec<(usize, &str)> {
    let list = config.get("idp_public_certs").and_then(Value::as_array);
    let all = list.into_iter().flatten().chain(config.get("idp_public_cert"));
    let texts = (1..).zip(all).filter_map(|(position, one)| Some((position, one.as_str()?)));
    let mut texts: Vec<_> = texts.filter(|(_, text)| !text.trim().is_empty()).collect();
    texts.dedup_by_key(|(_, text)| *text);
    texts
}

/// One valid certificate is enough; which one the IdP signs with is unknown.
fn dates(found: &[Certificate], options: &CheckOptions) -> IdpCheck {
    let id = IdpCheckId::CertificateDates;
    let now = options.now;
    let soon = now.saturating_add(SignedDuration::from_hours(24 * i64::from(options.cert_days)));
    let soon = soon.unwrap_or(Timestamp::MAX);
    let evidence = found.iter().map(|one| date(one, now)).collect::<Vec<_>>().join("; ");
    let holds = |one: &Certificate| one.not_before <= now && !one.is_expired(now);
    if !found.iter().any(holds) {
        return IdpCheck::failed(id, evidence).remedy(RENEW);
    }
    if found.iter().any(|one| holds(one) && one.not_after > soon) && found.iter().all(holds) {
        return IdpCheck::proven(id, evidence);
    }
    IdpCheck::failed(id, evidence).warning().remedy(RENEW)
}

fn date(certificate: &Certificate, now: Timestamp) -> String {
    let Certificate { subject, not_before, not_after, .. } = certificate;
    if certificate.is_expired(now) {
        return format!("`{subject}` expired on {not_after}");
    }
    if *not_before > now {
        return format!("`{subject}` is not valid before {not_before}");
    }
    let days = count_noun(not_after.duration_since(now).as_hours() / 24, "day");
    format!("`{subject}` is valid until {not_after} ({days})")
}

fn key(found: &[Certificate]) -> IdpCheck {
    let evidence = found.iter().map(|one| one.key.to_string()).collect::<Vec<_>>().join(", ");
    if found.iter().any(|one| one.key.is_too_short()) {
        return IdpCheck::failed(
            IdpCheckId::CertificateKey,
            format!("{evidence}; at least RSA 2048 is required"),
        )
        .warning()
        .remedy(RENEW);
    }
    IdpCheck::proven(IdpCheckId::CertificateKey, evidence)
}

fn signature(found: &[Certificate]) -> IdpCheck {
    let evidence = found.iter().map(|one| one.signature.as_str()).collect::<Vec<_>>().join(", ");
    if found.iter().any(Certificate::has_weak_signature) {
        return IdpCheck::failed(
            IdpCheckId::CertificateSignature,
            format!("{evidence}: MD5 and SHA-1 are broken"),
        )
        .warning()
        .remedy(RENEW);
    }
    IdpCheck::proven(IdpCheckId::CertificateSignature, evidence)
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use serde_json::json;

    use super::super::result::CheckState;
    use super::super::{Subject, offline};
    use super::*;

    /// `until`: year and month.
    fn certificate(from: i32, until: (i32, u8)) -> String {
        let mut params = CertificateParams::default();
        params.not_before = date_time_ymd(from, 1, 1);
        params.not_after = date_time_ymd(until.0, until.1, 1);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap().pem()
    }

    fn points(config: &Value, cert_days: u32) -> Vec<IdpCheck> {
        let now = "2026-06-01T00:00:00Z".parse().unwrap();
        let options = CheckOptions { cert_days, ..CheckOptions::new(now, 1) };
        certificates(config.as_object().unwrap(), &options)
    }

    #[test]
    fn certificates_are_warned_of_before_they_end() {
        let long = certificate(2020, (2030, 1));
        let soon = certificate(2020, (2026, 6));
        let month = certificate(2020, (2026, 7));
        let ended = certificate(2020, (2026, 5));
        let later = certificate(2027, (2030, 1));
        for (list, days, failure, warning, words) in [
            (vec![&long], 30, false, false, "is valid until 2030-01-01T00:00:00Z (1310 days)"),
            (vec![&month], 30, false, true, "(30 days)"),
            (vec![&month], 29, false, false, "(30 days)"),
            (vec![&soon], 0, false, true, "(0 days)"),
            (vec![&ended], 30, true, false, "expired on 2026-05-01T00:00:00Z"),
            (vec![&later], 30, true, false, "is not valid before 2027-01-01T00:00:00Z"),
            (vec![&ended, &long], 30, false, true, "expired on"),
            (vec![&ended, &month], 30, false, true, "expired on"),
            (vec![&month, &long], 30, false, false, "(30 days)"),
        ] {
            let found = points(&json!({ "idp_public_certs": list }), days);
            assert_eq!(found.len(), 3);
            assert_eq!(
                (found[0].is_failure(), found[0].is_warning()),
                (failure, warning),
                "{found:?}"
            );
            assert!(found[0].detail.contains(words), "{found:?}");
            assert!(found[1..].iter().all(|point| point.state == CheckState::Passed), "{found:?}");
        }
    }

    #[test]
    fn certificates_that_are_not_shown_or_not_readable_are_told_apart() {
        for (config, state) in [
            (json!({}), CheckState::NotTested),
            (json!({ "idp_public_certs": [] }), CheckState::NotTested),
            (json!({ "idp_public_certs": [null, ""] }), CheckState::NotTested),
            (json!({ "idp_public_certs": null }), CheckState::NotTested),
            (json!({ "idp_public_cert": null }), CheckState::NotTested),
            (json!({ "idp_public_cert": "garbage" }), CheckState::Failed),
        ] {
            let found = points(&config, 30);
            assert_eq!((found.len(), found[0].state), (1, state), "{config}");
        }
        let one = json!({ "idp_public_cert": certificate(2020, (2030, 1)) });
        assert_eq!(points(&one, 30)[0].state, CheckState::Passed);
    }

    #[test]
    fn an_unreadable_certificate_beside_a_good_one_is_a_warning_with_its_position() {
        let good = certificate(2020, (2030, 1));
        for (list, evidence) in [
            (json!([good, "bm8="]), "certificate 2 cannot be read"),
            (json!(["bm8=", good]), "certificate 1 cannot be read"),
            (json!([null, good, "bm8="]), "certificate 3 cannot be read"),
        ] {
            let config = json!({
                "sso_target_url": "https://a.cats/",
                "issuer_url": "a",
                "idp_public_certs": list,
            });
            let subject = Subject::new("saml", config.as_object().unwrap());
            let now = "2026-06-01T00:00:00Z".parse().unwrap();
            let found = offline(subject, &CheckOptions::new(now, 1));
            assert!(!found.iter().any(IdpCheck::is_failure), "{found:?}");
            let warnings: Vec<_> = found.iter().filter(|point| point.is_warning()).collect();
            assert_eq!(warnings.len(), 1, "{found:?}");
            assert!(warnings[0].detail.starts_with(evidence), "{found:?}");
        }
    }
}
