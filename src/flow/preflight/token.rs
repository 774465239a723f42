//! The check of the token that switches enforcement off again in a lockout.

use jiff::Timestamp;

use super::Thresholds;
use super::facts::{Facts, Owner, Recovery, Token};
use crate::api::connector::ConnectorFields;
use crate::flow::check::{Check, CheckId, Severity};
use crate::plural::count_noun;

/// That a token may edit connectors is proven by editing alone, so that it is
/// said not to be proven.
const WRITE_NOT_TESTED: &str = "that it may edit connectors is not proven without writing";

pub(super) fn recovery(looked_at: &[&ConnectorFields], facts: &Facts, terms: &Thresholds) -> Check {
    let id = CheckId::RecoveryToken;
    if let Some(second) = &facts.recovery {
        return check_recovery_token(looked_at, second, facts, terms);
    }
    let token = match &facts.token {
        Ok(token) => token,
        Err(unseen) => return Check::not_checked(id, &unseen.reason),
    };
    match is_valid_long_enough(token, terms) {
        Ok(words) => Check::passed(id, format!("the token in use is {words}; {WRITE_NOT_TESTED}")),
        Err(words) => Check::failed(
            id,
            format!("the token in use {words}"),
            "keep another token for lockouts, and prove it by `--recovery-token-file FILE`",
        ),
    }
}

/// A token that was named to be proven and is not, refuses.
fn check_recovery_token(
    looked_at: &[&ConnectorFields],
    second: &Recovery,
    facts: &Facts,
    terms: &Thresholds,
) -> Check {
    let id = CheckId::RecoveryToken;
    let remedy = "create a token with the permission SSO Connector Write for this account";
    let failed =
        |evidence: String| Check::failed(id, evidence, remedy).with_severity(Severity::Error);
    let words = match second.token.as_ref().map(|token| is_valid_long_enough(token, terms)) {
        Ok(Ok(words)) => words,
        Ok(Err(words)) => return failed(format!("the second token {words}")),
        Err(unseen) => return failed(format!("the second token: {}", unseen.reason)),
    };
    let connectors = match &second.connectors {
        Ok(connectors) => connectors,
        Err(unseen) => {
            return failed(format!("the second token does not list connectors: {}", unseen.reason));
        }
    };
    let is_unseen = |one: &&&ConnectorFields| !connectors.iter().any(|known| known.id == one.id);
    if let Some(connector) = looked_at.iter().find(is_unseen) {
        return failed(format!("the second token does not see the connector {}", connector.id));
    }
    let same = if is_same_token(second, facts) { "it is the token in use, too; " } else { "" };
    let what = if looked_at.len() == 1 { "this connector" } else { "these connectors" };
    Check::passed(
        id,
        format!("the second token is {words}, and lists {what}; {same}{WRITE_NOT_TESTED}"),
    )
    .with_severity(Severity::Error)
}

fn is_same_token(second: &Recovery, facts: &Facts) -> bool {
    let id = |token: &Token| token.verification.as_ref().and_then(|known| known.id.clone());
    let ids = second.token.as_ref().ok().and_then(id).zip(facts.token.as_ref().ok().and_then(id));
    ids.is_some_and(|(second, first)| second == first)
}

/// What the token is, where it lasts long enough; else what is wrong with it.
pub(in crate::flow) fn is_valid_long_enough(
    token: &Token,
    terms: &Thresholds,
) -> Result<String, String> {
    let owner = match token.owner {
        Owner::User => "a user's",
        Owner::Account => "the account's",
        Owner::Key => return Ok("a Global API Key, which does not expire".to_owned()),
    };
    let Some(known) = &token.verification else { return Err("is not told of".to_owned()) };
    if !known.is_active() {
        return Err("is not active".to_owned());
    }
    if let Some(begin) = time(known.not_before.as_deref())?.filter(|begin| *begin > terms.now) {
        return Err(format!("cannot be used before {begin}"));
    }
    let Some(end) = time(known.expires_on.as_deref())? else {
        return Ok(format!("{owner} and does not expire"));
    };
    let days = end.duration_since(terms.now).as_hours() / 24;
    if days < i64::from(terms.min_token_days) {
        let (days, least) = (count_noun(days, "day"), count_noun(terms.min_token_days, "day"));
        return Err(format!("expires in {days}, on {end}, which is less than {least}"));
    }
    Ok(format!("{owner} and expires in {}", count_noun(days, "day")))
}

fn time(text: Option<&str>) -> Result<Option<Timestamp>, String> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    text.parse().map(Some).map_err(|_| format!("has a time that cannot be read: {text}"))
}
