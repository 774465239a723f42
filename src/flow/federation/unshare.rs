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

/// What unsharing came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether everything that was asked for is done.
    pub ok: bool,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// Who loses the identity provider, as they were before.
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
    standing: &'a FederationState,
    idp: &Idp,
    from: Option<&[AccountId]>,
) -> Result<Vec<UnshareAction<'a>>, FlowError> {
    let Some(from) = from else { return Ok(plan_all(standing, idp)) };
    let mut deeds = Vec::new();
    for account in from {
        deeds.extend(plan_for_account(standing, account)?);
    }
    Ok(deeds)
}

/// A share that an earlier run left without its grant can be identified only by its name.
fn plan_all<'a>(standing: &'a FederationState, idp: &Idp) -> Vec<UnshareAction<'a>> {
    let mut deeds: Vec<_> = standing.grants.iter().map(UnshareAction::DeleteGrant).collect();
    for held in &standing.shares {
        let is_its = |id: &str| standing.grants.iter().any(|grant| grant.id.as_str() == id);
        let active = || held.resources.iter().filter(|resource| resource.is_active());
        if active().all(|resource| resource.grant().is_some_and(is_its)) {
            deeds.push(UnshareAction::DeleteShare(&held.share));
        } else {
            let its = active().filter(|resource| resource.grant().is_some_and(is_its));
            deeds.extend(its.map(|resource| UnshareAction::RemoveResource(held, resource)));
        }
    }
    let name = default_name(idp);
    let left = standing.orphans.iter().filter(|share| share.name == name);
    deeds.extend(left.map(UnshareAction::DeleteShare));
    deeds
}

fn plan_for_account<'a>(
    standing: &'a FederationState,
    account: &AccountId,
) -> Result<Vec<UnshareAction<'a>>, FlowError> {
    if let Some(held) = standing.shares.iter().find(|held| held.share.is_for_organization()) {
        let message =
            format!("`{account}` cannot be removed: the whole organization is the recipient");
        return Err(FlowError::refused(message)
            .cause(format!("the share {} is with every account of the organization", held.share.id))
            .hint("`cfsso federation unshare <IDP>`, then `cfsso federation share <IDP> --to <ACCOUNT>`"));
    }
    let mut its = standing.shares.iter().flat_map(|held| {
        let of = held.recipients.iter().filter(|one| one.account() == Some(account));
        of.map(move |recipient| (held, recipient))
    });
    let present: Vec<_> = its.clone().filter(|(_, recipient)| !is_removed(recipient)).collect();
    if present.is_empty() && its.next().is_none() {
        let message = format!("`{account}` is not a recipient of this identity provider");
        return Err(FlowError::not_found(message)
            .causes(standing.shares.iter().flat_map(|held| &held.recipients).filter_map(|one| {
                let account = one.account().filter(|_| one.is_active())?;
                Some(format!("recipient: {account}"))
            }))
            .hint("`cfsso federation status`"));
    }
    Ok(present
        .into_iter()
        .map(|(held, recipient)| UnshareAction::RemoveRecipient(held, recipient))
        .collect())
}

fn is_removed(recipient: &Recipient) -> bool {
    matches!(
        recipient.association_status,
        Some(Association::Disassociating | Association::Disassociated)
    )
}

pub fn affected_recipients(
    standing: &FederationState,
    deeds: &[UnshareAction<'_>],
    directory: &AccountDirectory,
) -> Vec<RecipientProgress> {
    let ends = deeds.iter().any(|deed| matches!(deed, UnshareAction::DeleteGrant(_)));
    let all = standing.shares.iter().flat_map(|held| &held.recipients);
    all.filter(|one| {
        let is_removed = deeds
            .iter()
            .any(|deed| matches!(deed, UnshareAction::RemoveRecipient(_, who) if std::ptr::eq(*who, *one)));
        one.is_active() && (ends || is_removed)
    })
    .map(|recipient| RecipientProgress::of(recipient, directory))
    .collect()
}

pub fn plan(env: &Env<'_>, idp: &Idp, deeds: &[UnshareAction<'_>]) -> Plan {
    let change = |deed: &UnshareAction<'_>| -> Change {
        match deed {
            UnshareAction::RemoveRecipient(held, recipient) => {
                shares::remove_recipient_action(env, &held.share.id, recipient).change()
            }
            UnshareAction::DeleteGrant(grant) => {
                grant::delete_action(env, grant, &idp.name).change()
            }
            UnshareAction::DeleteShare(share) => shares::delete_action(env, share).change(),
            UnshareAction::RemoveResource(held, resource) => {
                shares::remove_resource_action(env, &held.share.id, resource).change()
            }
        }
    };
    Plan::new(Vec::new(), deeds.iter().map(change).collect())
}

/// The report shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    deeds: &[UnshareAction<'_>],
    losing: Vec<RecipientProgress>,
    on_event: &dyn Fn(&Event<'_>),
) -> (Report, Result<(), Error>) {
    let steps = StepLog::new(|step| on_event(&Event::Step(step)));
    let run = UnshareFlow { env, options, on_event, steps: &steps };
    let end = run.run_steps(deeds).await;
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
    async fn run_steps(&self, deeds: &[UnshareAction<'_>]) -> Result<(), Error> {
        if deeds.is_empty() {
            let id = if self.options.from.is_some() {
                StepId::RemoveRecipients
            } else {
                StepId::DeleteGrant
            };
            self.steps.end(id, StepState::Skipped, "not shared with them");
        }
        let mut ended = None;
        for deed in deeds {
            let done = self.apply(deed).await;
            match (done, ended) {
                (Ok(()), _) => {}
                (Err(error), None) => return Err(error),
                (Err(error), Some(grant)) => {
                    self.steps.fail_current(&error);
                    return Err(half_done(grant, &error, self.options).into());
                }
            }
            if let UnshareAction::DeleteGrant(grant) = deed {
                ended = Some(grant.id.as_str());
            }
        }
        if self.options.wait { self.wait_all(deeds).await } else { Ok(()) }
    }

    async fn apply(&self, deed: &UnshareAction<'_>) -> Result<(), Error> {
        let Self { env, steps, .. } = *self;
        let (id, detail) = match deed {
            UnshareAction::RemoveRecipient(held, recipient) => {
                steps.begin(StepId::RemoveRecipients);
                env.execute(&shares::remove_recipient_action(env, &held.share.id, recipient))
                    .await?;
                let who = recipient.account().map_or("it", AccountId::as_str);
                (StepId::RemoveRecipients, format!("{who}: disassociating"))
            }
            UnshareAction::DeleteGrant(grant) => {
                steps.begin(StepId::DeleteGrant);
                grant::delete(env, grant, &self.options.idp.name).await?;
                (StepId::DeleteGrant, format!("deleted  {}", grant.id))
            }
            UnshareAction::DeleteShare(share) => {
                steps.begin(StepId::DeleteShare);
                shares::delete(env, share).await?;
                (StepId::DeleteShare, format!("deleting  {}", share.id))
            }
            UnshareAction::RemoveResource(held, resource) => {
                steps.begin(StepId::DeleteShare);
                env.execute(&shares::remove_resource_action(env, &held.share.id, resource)).await?;
                let detail = format!("the share {} remains for its other resources", held.share.id);
                (StepId::DeleteShare, detail)
            }
        };
        steps.end(id, StepState::Done, detail);
        Ok(())
    }

    async fn wait_all(&self, deeds: &[UnshareAction<'_>]) -> Result<(), Error> {
        let since = self.env.clock.now();
        for deed in deeds {
            match deed {
                UnshareAction::DeleteShare(share) => {
                    let text = format!("the deletion of the share {}", share.id);
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    shares::wait_until_deleted(self.env, &share.id, self.options.deadline).await?;
                }
                UnshareAction::RemoveRecipient(held, recipient) => {
                    let text = format!("the removal of {}", name(recipient));
                    (self.on_event)(&Event::Waiting { text: &text, since });
                    self.wait_until_removed(&held.share.id, recipient).await?;
                }
                UnshareAction::DeleteGrant(_) | UnshareAction::RemoveResource(..) => {}
            }
        }
        Ok(())
    }

    async fn wait_until_removed(&self, share: &ShareId, who: &Recipient) -> Result<(), Error> {
        let gone = poll(self.env.clock, self.options.deadline, async || {
            let all = shares::recipients(self.env, share).await?;
            let still = all.iter().find(|one| one.id == who.id);
            Ok(still
                .is_none_or(|one| one.association_status == Some(Association::Disassociated))
                .then_some(()))
        })
        .await?;
        gone.ok_or_else(|| {
            let message = format!("`{}` is still disassociating", name(who));
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

    fn standing(target: &str, others: &str) -> FederationState {
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

    fn told(deeds: &[UnshareAction<'_>]) -> Vec<String> {
        deeds
            .iter()
            .map(|deed| match deed {
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
            let standing = standing("account", others);
            let deeds = decide(&standing, &okta(), None).unwrap();
            assert_eq!(told(&deeds), expected);
            let losing = affected_recipients(&standing, &deeds, &AccountDirectory::default());
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
            let standing = standing(target, "");
            let from = [account.parse().unwrap()];
            let deeds = decide(&standing, &okta(), Some(&from));
            let seen = deeds.map(|deeds| told(&deeds)).map_err(|stop| stop.kind);
            assert_eq!(seen, expected, "{target} {account}");
        }
    }
}
