//! Unsharing: deletes the grant first, which takes effect immediately, then the share; or removes
//! single recipients from the share.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::accounts::AccountDirectory;
use super::progress::{Event, Step, StepId};
use super::recipient_progress::RecipientProgress;
use super::state::{FederationState, ShareState};
use super::{default_name, grant, shares};
use crate::api::idp::Idp;
use crate::api::ids::{AccountId, ShareId};
use crate::api::share::{Association, Recipient, Share};
use crate::flow::plan::{Change, Plan};
use crate::flow::steps::{StepLog, StepState};
use crate::flow::wait::poll;
use crate::flow::{Env, Error, FlowError};

pub struct Options {
    pub idp: Idp,
    /// `None` means all accounts, by deleting the grant.
    pub from: Option<Vec<AccountId>>,
    pub wait: bool,
    pub deadline: Timestamp,
}

/// The result of `cfsso federation unshare`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether all requested steps are complete.
    pub ok: bool,
    /// The steps, in execution order.
    pub steps: Vec<Step>,
    /// The recipients that lose the identity provider, in their state before the removal.
    pub result: Vec<RecipientProgress>,
}

impl Report {
    pub const SCHEMA: &'static str = "cfsso/federation-unshare/v1";
}

#[derive(Debug)]
pub enum UnshareAction<'a> {
    RemoveRecipient(&'a ShareState, &'a Recipient),
    DeleteGrant(&'a crate::api::grant::Grant),
    /// A share without other resources.
    DeleteShare(&'a Share),
    /// The grant, from a share with other resources.
    RemoveResource(&'a ShareState, &'a crate::api::share::resource::ResourceFields),
}

/// In the order in which they are sent. Pure.
pub fn decide<'a>(
    state: &'a FederationState,
    idp: &Idp,
    from: Option<&[AccountId]>,
) -> Result<Vec<UnshareAction<'a>>, FlowError> {
    let Some(from) = from else { return Ok(plan_all(state, idp)) };
    let mut actions = Vec::new();
    for account in from {
        actions.extend(plan_for_account(state, account)?);
    }
    Ok(actions)
}

/// A share that an earlier run left without its grant can be identified only by its name.
fn plan_all<'a>(state: &'a FederationState, idp: &Idp) -> Vec<UnshareAction<'a>> {
    let mut actions: Vec<_> = state.grants.iter().map(UnshareAction::DeleteGrant).collect();
    for share_state in &state.shares {
        let is_its = |id: &str| state.grants.iter().any(|grant| grant.id.as_str() == id);
        let active = || share_state.resources.iter().filter(|resource| resource.is_active());
        if active().all(|resource| resource.grant().is_some_and(is_its)) {
            actions.push(UnshareAction::DeleteShare(&share_state.share));
        } else {
            let its = active().filter(|resource| resource.grant().is_some_and(is_its));
            actions
                .extend(its.map(|resource| UnshareAction::RemoveResource(share_state, resource)));
        }
    }
    let name = default_name(idp);
    let leftover = state.orphans.iter().filter(|share| share.name == name);
    actions.extend(leftover.map(UnshareAction::DeleteShare));
    actions
}

fn plan_for_account<'a>(
    state: &'a FederationState,
    account: &AccountId,
) -> Result<Vec<UnshareAction<'a>>, FlowError> {
    if let Some(share_state) =
        state.shares.iter().find(|share_state| share_state.share.is_for_organization())
    {
        let message =
            format!("`{account}` cannot be removed: the whole organization is the recipient");
        return Err(FlowError::refused(message)
            .cause(format!("the share {} is with every account of the organization", share_state.share.id))
            .hint("`cfsso federation unshare <IDP>`, then `cfsso federation share <IDP> --to <ACCOUNT>`"));
    }
    let mut its = state.shares.iter().flat_map(|share_state| {
        let of = share_state.recipients.iter().filter(|one| one.account() == Some(account));
        of.map(move |recipient| (share_state, recipient))
    });
    let present: Vec<_> = its.clone().filter(|(_, recipient)| !is_removed(recipient)).collect();
    if present.is_empty() && its.next().is_none() {
        let message = format!("`{account}` is not a recipient of this identity provider");
        return Err(FlowError::not_found(message)
            .causes(state.shares.iter().flat_map(|share_state| &share_state.recipients).filter_map(
                |one| {
                    let account = one.account().filter(|_| one.is_active())?;
                    Some(format!("recipient: {account}"))
                },
            ))
            .hint("`cfsso federation status`"));
    }
    Ok(present
        .into_iter()
        .map(|(share_state, recipient)| UnshareAction::RemoveRecipient(share_state, recipient))
        .collect())
}

fn is_removed(recipient: &Recipient) -> bool {
    matches!(
        recipient.association_status,
        Some(Association::Disassociating | Association::Disassociated)
    )
}

pub fn affected_recipients(
    state: &FederationState,
    actions: &[UnshareAction<'_>],
    directory: &AccountDirectory,
) -> Vec<RecipientProgress> {
    let ends = actions.iter().any(|action| matches!(action, UnshareAction::DeleteGrant(_)));
    let all = state.shares.iter().flat_map(|share_state| &share_state.recipients);
    all.filter(|one| {
        let is_removed = actions
            .iter()
            .any(|action| matches!(action, UnshareAction::RemoveRecipient(_, recipient) if std::ptr::eq(*recipient, *one)));
        one.is_active() && (ends || is_removed)
    })
    .map(|recipient| RecipientProgress::of(recipient, directory))
    .collect()
}

pub fn plan(env: &Env<'_>, idp: &Idp, actions: &[UnshareAction<'_>]) -> Plan {
    let change = |action: &UnshareAction<'_>| -> Change {
        match action {
            UnshareAction::RemoveRecipient(share_state, recipient) => {
                shares::remove_recipient_action(env, &share_state.share.id, recipient).change()
            }
            UnshareAction::DeleteGrant(grant) => {
                grant::delete_action(env, grant, &idp.name).change()
            }
            UnshareAction::DeleteShare(share) => shares::delete_action(env, share).change(),
            UnshareAction::RemoveResource(share_state, resource) => {
                shares::remove_resource_action(env, &share_state.share.id, resource).change()
            }
        }
    };
    Plan::new(Vec::new(), actions.iter().map(change).collect())
}

/// The report shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    actions: &[UnshareAction<'_>],
    losing: Vec<RecipientProgress>,
    on_event: &dyn Fn(&Event<'_>),
) -> (Report, Result<(), Error>) {
    let steps = StepLog::new(|step| on_event(&Event::Step(step)));
    let run = UnshareFlow { env, options, on_event, steps: &steps };
    let end = run.run_steps(actions).await;
    if let Err(error) = &end {
        steps.fail_current(error);
    }
    let steps = steps.into_finished();
    (Report { schema: Report::SCHEMA, ok: end.is_ok(), steps, result: losing }, end)
}

struct UnshareFlow<'a> {
    env: &'a Env<'a>,
    options: &'a Options,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: &'a StepLog<'a, StepId>,
}

impl UnshareFlow<'_> {
    async fn run_steps(&self, actions: &[UnshareAction<'_>]) -> Result<(), Error> {
        if actions.is_empty() {
            let id = if self.options.from.is_some() {
                StepId::RemoveRecipients
            } else {
                StepId::DeleteGrant
            };
            self.steps.end(id, StepState::Skipped, "not shared with them");
        }
        let mut ended = None;
        for action in actions {
            let done = self.apply(action).await;
            match (done, ended) {
                (Ok(()), _) => {}
                (Err(error), None) => return Err(error),
                (Err(error), Some(grant)) => {
                    self.steps.fail_current(&error);
                    return Err(half_done(grant, &error, self.options).into());
                }
            }
            if let UnshareAction::DeleteGrant(grant) = action {
                ended = Some(grant.id.as_str());
            }
        }
        if self.options.wait { self.wait_all(actions).await } else { Ok(()) }
    }

    async fn apply(&self, action: &UnshareAction<'_>) -> Result<(), Error> {
        let Self { env, steps, .. } = *self;
        let (id, detail) = match action {
            UnshareAction::RemoveRecipient(share_state, recipient) => {
                steps.begin(StepId::RemoveRecipients);
                env.execute(&shares::remove_recipient_action(
                    env,
                    &share_state.share.id,
                    recipient,
                ))
                .await?;
                let recipient = recipient.account().map_or("it", AccountId::as_str);
                (StepId::RemoveRecipients, format!("{recipient}: disassociating"))
            }
            UnshareAction::DeleteGrant(grant) => {
                steps.begin(StepId::DeleteGrant);
                grant::delete(env, grant, &self.options.idp.name, None).await?;
                (StepId::DeleteGrant, format!("deleted  {}", grant.id))
            }
            UnshareAction::DeleteShare(share) => {
                steps.begin(StepId::DeleteShare);
                shares::delete(env, share).await?;
                (StepId::DeleteShare, format!("deleting  {}", share.id))
            }
            UnshareAction::RemoveResource(share_state, resource) => {
                steps.begin(StepId::DeleteShare);
                env.execute(&shares::remove_resource_action(env, &share_state.share.id, resource))
                    .await?;
                let detail =
                    format!("the share {} remains for its other resources", share_state.share.id);
                (StepId::DeleteShare, detail)
            }
        };
        steps.end(id, StepState::Done, detail);
        Ok(())
    }

    async fn wait_all(&self, actions: &[UnshareAction<'_>]) -> Result<(), Error> {
        let since = self.env.clock.now();
        for action in actions {
            match action {
                UnshareAction::DeleteShare(share) => {
                    let text = format!("the share {} is being deleted", share.id);
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    shares::wait_until_deleted(self.env, &share.id, self.options.deadline).await?;
                }
                UnshareAction::RemoveRecipient(share_state, recipient) => {
                    let text = format!("{} is being removed", name(recipient));
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    self.wait_until_removed(&share_state.share.id, recipient).await?;
                }
                UnshareAction::DeleteGrant(_) | UnshareAction::RemoveResource(..) => {}
            }
        }
        Ok(())
    }

    async fn wait_until_removed(
        &self,
        share: &ShareId,
        recipient: &Recipient,
    ) -> Result<(), Error> {
        let removed = poll(self.env.clock, self.options.deadline, async || {
            let all = shares::recipients(self.env, share).await?;
            let still = all.iter().find(|one| one.id == recipient.id);
            Ok(still
                .is_none_or(|one| one.association_status == Some(Association::Disassociated))
                .then_some(()))
        })
        .await?;
        removed.ok_or_else(|| {
            let message = format!("`{}` is still disassociating", name(recipient));
            FlowError::not_yet(message).hint("`cfsso federation status`").into()
        })
    }
}

fn name(recipient: &Recipient) -> &str {
    recipient.account().map_or(recipient.id.as_str(), AccountId::as_str)
}

fn half_done(grant: &str, error: &Error, options: &Options) -> FlowError {
    let message =
        format!("the grant `{grant}` is deleted, but deleting its share could not be confirmed");
    FlowError::half_done(message)
        .causes(error.sentences())
        .cause("no recipient has the identity provider; only a record remains")
        .hint(format!(
            "`cfsso federation unshare {}` again, or `cfsso federation status`",
            options.idp.id
        ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;

    const A: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const B: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    const C: &str = "cccccccccccccccccccccccccccccccc";

    fn state(target: &str, others: &str) -> FederationState {
        let grant = r#"{"id":"x1","resource_id":"g1","resource_type":"idp-federation-grant"}"#;
        let recipients = format!(
            r#"[{{"id":"r1","account_id":"{A}","association_status":"associated"}},
                {{"id":"r2","account_id":"{B}","association_status":"disassociated"}}]"#
        );
        let share = format!(r#"{{"id":"s1","name":"mine","target_type":"{target}"}}"#);
        let orphans = r#"[{"id":"s8","name":"Identity provider: Okta"},{"id":"s9","name":"x"}]"#;
        FederationState {
            grants: serde_json::from_str(r#"[{"id":"g1","idp_id":"p1"}]"#).unwrap(),
            shares: vec![ShareState {
                share: serde_json::from_str(&share).unwrap(),
                resources: serde_json::from_str(&format!("[{grant}{others}]")).unwrap(),
                recipients: serde_json::from_str(&recipients).unwrap(),
            }],
            orphans: serde_json::from_str(orphans).unwrap(),
        }
    }

    fn action_lines(actions: &[UnshareAction<'_>]) -> Vec<String> {
        actions
            .iter()
            .map(|action| match action {
                UnshareAction::RemoveRecipient(_, one) => format!("remove {}", one.id),
                UnshareAction::DeleteGrant(grant) => format!("grant {}", grant.id),
                UnshareAction::DeleteShare(share) => format!("share {}", share.id),
                UnshareAction::RemoveResource(_, resource) => format!("resource {}", resource.id),
            })
            .collect()
    }

    fn okta() -> Idp {
        serde_json::from_str(r#"{"id":"p1","name":"Okta","type":"okta"}"#).unwrap()
    }

    #[test]
    fn the_grant_goes_first_and_a_share_of_other_things_stays() {
        let ruleset = r#",{"id":"x2","resource_id":"w1","resource_type":"custom-ruleset"}"#;
        for (others, expected) in [
            ("", ["grant g1", "share s1", "share s8"]),
            (ruleset, ["grant g1", "resource x1", "share s8"]),
        ] {
            let state = state("account", others);
            let actions = decide(&state, &okta(), None).unwrap();
            assert_eq!(action_lines(&actions), expected);
            let losing = affected_recipients(&state, &actions, &AccountDirectory::default());
            assert_eq!(losing.len(), 1, "one is removed already");
        }
    }

    #[test]
    fn single_recipients_are_taken_out_and_nothing_else() {
        for (target, account, expected) in [
            ("account", A, Ok(vec!["remove r1".to_owned()])),
            ("account", B, Ok(Vec::new())),
            ("account", C, Err(FlowErrorKind::NotFound)),
            ("organization", A, Err(FlowErrorKind::Refused)),
        ] {
            let state = state(target, "");
            let from = [account.parse().unwrap()];
            let actions = decide(&state, &okta(), Some(&from));
            let seen = actions.map(|actions| action_lines(&actions)).map_err(|error| error.kind);
            assert_eq!(seen, expected, "{target} {account}");
        }
    }
}
