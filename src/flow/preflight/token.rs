//! The check of the token that disables SSO in a lockout.

use jiff::Timestamp;

use super::Thresholds;
use super::facts::{Facts, NotChecked, Recovery, Token};
use crate::api::connector::ConnectorFields;
use crate::flow::check::{Check, CheckId, Severity};
use crate::flow::token::Owner;
use crate::plural::count_noun;

/// Only an edit shows whether a token can edit connectors.
const WRITE_NOT_TESTED: &str = "write access not tested";

pub(super) fn recovery<'a>(
    looked_at: &[&ConnectorFields],
    facts: &'a Facts,
    thresholds: &Thresholds,
) -> Result<Check, &'a NotChecked> {
    let id = CheckId::RecoveryToken;
    if let Some(second) = &facts.recovery {
        return Ok(check_recovery_token(looked_at, second, facts, thresholds));
    }
    Ok(match check_validity(facts.token.as_ref()?, thresholds) {
        Ok(words) => Check::passed(id, format!("token in use: {words} ({WRITE_NOT_TESTED})")),
        Err(words) => Check::failed(
            id,
            format!("token in use: {words}"),
            "`cfsso token create-break-glass`, then `--recovery-token-file FILE`",
        ),
    })
}

/// A recovery token that the user passed and that fails is an error.
fn check_recovery_token(
    looked_at: &[&ConnectorFields],
    second: &Recovery,
    facts: &Facts,
    thresholds: &Thresholds,
) -> Check {
    let id = CheckId::RecoveryToken;
    let remedy = "create a token with the permission SSO Connector Write for this account";
    let failed =
        |evidence: String| Check::failed(id, evidence, remedy).with_severity(Severity::Error);
    let words = match second.token.as_ref().map(|token| check_validity(token, thresholds)) {
        Ok(Ok(words)) => words,
        Ok(Err(words)) => return failed(format!("emergency token: {words}")),
        Err(not_checked) => return failed(format!("emergency token: {}", not_checked.reason)),
    };
    let connectors = match &second.connectors {
        Ok(connectors) => connectors,
        Err(not_checked) => {
            return failed(format!(
                "emergency token: cannot list connectors: {}",
                not_checked.reason
            ));
        }
    };
    let is_unseen = |one: &&&ConnectorFields| !connectors.iter().any(|known| known.id == one.id);
    if let Some(connector) = looked_at.iter().find(is_unseen) {
        return failed(format!("emergency token: no access to the connector {}", connector.id));
    }
    let same = if is_same_token(second, facts) { "same as the token in use; " } else { "" };
    let what = if looked_at.len() == 1 { "this connector" } else { "these connectors" };
    Check::passed(id, format!("emergency token: {words}, lists {what} ({same}{WRITE_NOT_TESTED})"))
        .with_severity(Severity::Error)
}

fn is_same_token(second: &Recovery, facts: &Facts) -> bool {
    let id = |token: &Token| token.verification.as_ref().and_then(|known| known.id.clone());
    let ids = second.token.as_ref().ok().and_then(id).zip(facts.token.as_ref().ok().and_then(id));
    ids.is_some_and(|(second, first)| second == first)
}

/// `Ok` describes the token, `Err` its problem.
pub(in crate::flow) fn check_validity(
    token: &Token,
    thresholds: &Thresholds,
) -> Result<String, String> {
    let owner = match token.owner {
        Owner::User => "user token",
        Owner::Account => "account token",
        Owner::GlobalApiKey => return Ok("Global API Key, no expiry".to_owned()),
    };
    let Some(known) = &token.verification else { return Err("unknown".to_owned()) };
    if !known.is_active() {
        return Err("not active".to_owned());
    }
    if let Some(begin) = time(known.not_before.as_deref())?.filter(|begin| *begin > thresholds.now)
    {
        return Err(format!("not valid before {begin}"));
    }
    let Some(end) = time(known.expires_on.as_deref())? else {
        return Ok(format!("{owner}, no expiry"));
    };
    let days = end.duration_since(thresholds.now).as_hours() / 24;
    if days < i64::from(thresholds.min_token_days) {
        let (days, least) = (count_noun(days, "day"), count_noun(thresholds.min_token_days, "day"));
        return Err(format!("expires in {days} ({end}), required: {least}"));
    }
    Ok(format!("{owner}, expires in {}", count_noun(days, "day")))
}

fn time(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("invalid time: {text}"))
}
