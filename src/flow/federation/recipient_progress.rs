//! Association progress of recipients, and waiting for all of them.

use std::borrow::Cow;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::accounts::AccountDirectory;
use super::recipients::Audience;
use super::shares;
use crate::api::ids::{AccountId, ShareId};
use crate::api::share::{Association, Recipient};
use crate::flow::wait::poll;
use crate::flow::{Env, Error, FlowError};

/// The association progress of one recipient.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct RecipientProgress {
    /// The ID of the account; `null` for a whole organization.
    pub account_id: Option<String>,
    /// The name of the account; `null` if the token cannot list the account.
    pub account_name: Option<String>,
    /// The association state as in the API; `null` if the API has not reported one yet.
    pub association_status: Option<Cow<'static, str>>,
    /// The state in words.
    pub state: Cow<'static, str>,
    /// Permanent failures: the API does not retry.
    pub errors: Vec<String>,
    /// Failures that the API retries.
    pub retryable_errors: Vec<String>,
}

impl RecipientProgress {
    pub fn of(recipient: &Recipient, directory: &AccountDirectory) -> Self {
        let status = recipient.association_status.as_ref();
        let failures: Vec<_> = recipient.failures().map(str::to_owned).collect();
        let retrying: Vec<_> = recipient.retryable_errors().map(str::to_owned).collect();
        let words = status.map_or(Cow::Borrowed("state unknown"), Association::text);
        let state = match (failures.as_slice(), retrying.as_slice()) {
            ([], []) => words,
            ([], errors) => format!("{words}, retrying: {}", errors.join("; ")).into(),
            (errors, _) => format!("failed: {}", errors.join("; ")).into(),
        };
        let account = recipient.account();
        Self {
            account_id: account.map(ToString::to_string),
            account_name: account.and_then(|id| directory.name(id)).map(str::to_owned),
            association_status: status.map(Association::text),
            state,
            errors: failures,
            retryable_errors: retrying,
        }
    }

    fn missing(account: Option<&AccountId>, directory: &AccountDirectory) -> Self {
        Self {
            account_id: account.map(ToString::to_string),
            account_name: account.and_then(|id| directory.name(id)).map(str::to_owned),
            association_status: None,
            state: "not among the recipients".into(),
            errors: Vec::new(),
            retryable_errors: Vec::new(),
        }
    }

    /// `false` after a permanent failure, whatever the status.
    pub fn is_associated(&self) -> bool {
        self.association_status.as_deref() == Some("associated") && self.errors.is_empty()
    }

    fn is_final(&self) -> bool {
        self.is_associated() || !self.errors.is_empty()
    }

    pub fn name(&self) -> &str {
        let id = self.account_id.as_deref().unwrap_or("the whole organization");
        self.account_name.as_deref().unwrap_or(id)
    }

    fn describe(&self) -> String {
        format!("{}: {}", self.name(), self.state)
    }
}

/// Progress of each recipient of an audience, by the recipients of its shares.
pub fn audience_progress(
    audience: &Audience,
    recipients: &[Recipient],
    directory: &AccountDirectory,
) -> Vec<RecipientProgress> {
    match audience {
        Audience::Accounts(accounts) => accounts
            .iter()
            .map(|account| {
                // The record of a removed recipient stays beside a new one, or beside that of
                // the whole organization, which counts for each of its accounts.
                let covers = |recipient: &&Recipient| {
                    recipient.account().is_none_or(|recipient| recipient == account)
                };
                let found = recipients
                    .iter()
                    .filter(covers)
                    .max_by_key(|recipient| (recipient.is_active(), recipient.account().is_some()));
                found.map_or_else(
                    || RecipientProgress::missing(Some(account), directory),
                    |recipient| RecipientProgress {
                        account_id: Some(account.to_string()),
                        account_name: directory.name(account).map(str::to_owned),
                        ..RecipientProgress::of(recipient, directory)
                    },
                )
            })
            .collect(),
        Audience::Organization(_) | Audience::EntireOrganization => {
            let present = recipients.iter().filter(|recipient| recipient.is_active());
            let all: Vec<_> =
                present.map(|recipient| RecipientProgress::of(recipient, directory)).collect();
            if all.is_empty() { vec![RecipientProgress::missing(None, directory)] } else { all }
        }
    }
}

/// Ends when each recipient has it or has failed. Calls `on_change` with every new state.
pub async fn wait_until_associated(
    env: &Env<'_>,
    shares: &[ShareId],
    audience: &Audience,
    directory: &AccountDirectory,
    deadline: Timestamp,
    on_change: &dyn Fn(&[RecipientProgress]),
) -> Result<Vec<RecipientProgress>, Error> {
    let mut last = Vec::new();
    let finished = poll(env.clock, deadline, async || {
        let progress = read_progress(env, shares, audience, directory).await?;
        if progress != last {
            on_change(&progress);
            last.clone_from(&progress);
        }
        Ok(progress.iter().all(RecipientProgress::is_final).then_some(()))
    })
    .await?;
    match finished {
        Some(()) => Ok(last),
        None => Err(timeout_error(&last).into()),
    }
}

pub async fn read_progress(
    env: &Env<'_>,
    shares: &[ShareId],
    audience: &Audience,
    directory: &AccountDirectory,
) -> Result<Vec<RecipientProgress>, Error> {
    let mut recipients = Vec::new();
    for share in shares {
        recipients.extend(shares::recipients(env, share).await?);
    }
    Ok(audience_progress(audience, &recipients, directory))
}

fn timeout_error(progress: &[RecipientProgress]) -> FlowError {
    let there = progress.iter().filter(|recipient| recipient.is_associated()).count();
    let message = format!("associated: {there} of {}", progress.len());
    FlowError::not_yet(message)
        .causes(
            progress
                .iter()
                .filter(|recipient| !recipient.is_associated())
                .map(RecipientProgress::describe),
        )
        .hint("run the same command again to continue, or `cfsso federation status`")
}

/// Fails if the API has given up on a recipient.
pub fn ensure_none_failed(progress: &[RecipientProgress]) -> Result<(), FlowError> {
    let failed: Vec<_> = progress.iter().filter(|recipient| !recipient.errors.is_empty()).collect();
    if failed.is_empty() {
        return Ok(());
    }
    let message = format!("{} of {} recipients failed", failed.len(), progress.len());
    Err(FlowError::not_confirmed(message)
        .causes(failed.into_iter().map(RecipientProgress::describe))
        .hint("permanent failure: `cfsso federation unshare <IDP> --from <ACCOUNT>`, then share again"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    const A: &str = "0123456789abcdef0123456789abcdef";

    #[test]
    fn a_recipient_is_there_only_when_the_api_says_so() {
        for (recipients, there, is_final, state) in [
            ("", false, false, "not among the recipients"),
            (r#"{"association_status":"associated"}"#, true, true, "associated"),
            (r#"{"association_status":"associating"}"#, false, false, "associating"),
            (
                r#"{"association_status":"associating","resources":[{"error":"busy","terminal":false}]}"#,
                false,
                false,
                "associating, retrying: busy",
            ),
            (
                r#"{"association_status":"associating","resources":[{"error":"no seats","terminal":true}]}"#,
                false,
                true,
                "failed: no seats",
            ),
            (
                r#"{"association_status":"associated","resources":[{"error":"no seats","terminal":true}]}"#,
                false,
                true,
                "failed: no seats",
            ),
            (r#"{"association_status":"frozen"}"#, false, false, "frozen"),
            (r#"{"x":1}"#, false, false, "state unknown"),
            (
                r#"{"association_status":"disassociated"},{"association_status":"associated"}"#,
                true,
                true,
                "associated",
            ),
        ] {
            let named =
                recipients.replace(r#"{""#, &format!(r#"{{"id":"r1","account_id":"{A}",""#));
            let named =
                named.replace(&format!(r#"[{{"id":"r1","account_id":"{A}","error"#), r#"[{"error"#);
            let recipients: Vec<Recipient> = serde_json::from_str(&format!("[{named}]")).unwrap();
            let audience = Audience::Accounts(vec![A.parse().unwrap()]);
            let progress = audience_progress(&audience, &recipients, &AccountDirectory::default());
            let [one] = progress.as_slice() else { panic!("{named}") };
            assert_eq!((one.is_associated(), one.is_final()), (there, is_final), "{named}");
            assert_eq!(one.state, state, "{named}");
        }
    }

    #[test]
    fn a_removed_recipient_has_what_its_organization_has() {
        let text = format!(
            r#"[{{"id":"r1","account_id":"{A}","association_status":"disassociated"}},
                {{"id":"r2","organization_id":"o1","association_status":"associated"}}]"#
        );
        let recipients: Vec<Recipient> = serde_json::from_str(&text).unwrap();
        let audience = Audience::Accounts(vec![A.parse().unwrap()]);
        let seen = audience_progress(&audience, &recipients, &AccountDirectory::default());
        assert!(seen[0].is_associated(), "{}", seen[0].state);
    }

    #[test]
    fn an_organization_without_recipients_yet_is_not_there() {
        let progress =
            audience_progress(&Audience::EntireOrganization, &[], &AccountDirectory::default());
        assert_eq!(progress.len(), 1);
        assert!(!progress[0].is_associated());
    }

    #[test]
    fn being_late_and_being_given_up_are_told_apart() {
        let recipient = |failures: &[&str]| RecipientProgress {
            errors: failures.iter().map(|&text| text.to_owned()).collect(),
            ..RecipientProgress::missing(None, &AccountDirectory::default())
        };
        assert_eq!(timeout_error(&[recipient(&[])]).kind, FlowErrorKind::NotYet);
        assert!(ensure_none_failed(&[recipient(&[])]).is_ok());
        let error = ensure_none_failed(&[recipient(&["no seats"]), recipient(&[])]).unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::NotConfirmed);
        assert_eq!(error.message, "1 of 2 recipients failed");
    }
}
