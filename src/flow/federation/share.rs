//! Shares an identity provider: grant → share → wait. Reuses and extends what exists; deletes a
//! new grant if sharing fails.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::accounts::AccountDirectory;
use super::decision::{Decision, ShareAction, decide};
use super::progress::{Event, Step, StepId};
use super::recipient_progress::{self, RecipientProgress};
use super::recipients::Audience;
use super::state::FederationState;
use super::{grant, shares};
use crate::api::grant::Grant;
use crate::api::idp::Idp;
use crate::api::ids::{GrantId, ShareId};
use crate::api::share::RecipientSpec;
use crate::api::share::resource::NewResource;
use crate::flow::api_error::ApiErrorContext;
use crate::flow::plan::Plan;
use crate::flow::steps::{StepLog, StepState};
use crate::flow::{Env, Error, FlowError};
use crate::plural::count_noun;

pub struct Options {
    pub idp: Idp,
    pub audience: Audience,
    /// Of a new share.
    pub name: String,
    pub wait: bool,
    pub deadline: Timestamp,
}

/// The result of `cfsso federation share`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether all requested steps are complete.
    pub ok: bool,
    /// The steps, in execution order.
    pub steps: Vec<Step>,
    /// The objects that exist afterwards.
    pub result: Outcome,
}

/// The objects that exist after sharing.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Outcome {
    /// The ID of the identity provider.
    pub idp_id: String,
    /// The name of the identity provider.
    pub idp_name: String,
    /// The ID of the federation grant; `null` if it does not exist.
    pub grant_id: Option<String>,
    /// The IDs of the shares with the recipients.
    pub share_ids: Vec<String>,
    /// The association progress of each recipient.
    pub recipients: Vec<RecipientProgress>,
}

impl Report {
    pub const SCHEMA: &'static str = "cfsso/federation-share/v1";
}

/// The report shows progress also after an early end.
pub async fn run(
    env: &Env<'_>,
    options: &Options,
    state: &FederationState,
    directory: &AccountDirectory,
    on_event: &dyn Fn(&Event<'_>),
) -> (Report, Result<(), Error>) {
    let steps = StepLog::new(|step| on_event(&Event::Step(step)));
    let mut outcome = Outcome {
        idp_id: options.idp.id.to_string(),
        idp_name: options.idp.name.clone(),
        ..Outcome::default()
    };
    let sharing = ShareFlow { env, options, state, directory, on_event, steps: &steps };
    let end = sharing.run_steps(&mut outcome).await;
    if let Err(error) = &end {
        steps.fail_current(error);
    }
    let steps = steps.into_finished();
    (Report { schema: Report::SCHEMA, ok: end.is_ok(), steps, result: outcome }, end)
}

/// Values that the API chooses are placeholders.
pub fn plan(env: &Env<'_>, options: &Options, state: &FederationState) -> Plan {
    let decision = decide(state, &options.audience);
    let mut changes = Vec::new();
    if decision.grant.is_none() {
        changes.push(grant::create_action(env, &options.idp).change());
    }
    match &decision.sharing {
        ShareAction::Keep => {}
        ShareAction::Create(to) => {
            let id = decision
                .grant
                .unwrap_or_else(|| "NEW-GRANT".parse().expect("letters and a hyphen make an ID"));
            let shared = NewResource::grant(env.account, &id);
            changes.push(shares::create_action(env, &options.name, to, &shared).change());
        }
        ShareAction::AddRecipients(share, to) => {
            changes
                .extend(to.iter().map(|to| shares::add_recipient_action(env, share, to).change()));
        }
    }
    Plan::new(Vec::new(), changes)
}

struct ShareFlow<'a> {
    env: &'a Env<'a>,
    options: &'a Options,
    state: &'a FederationState,
    directory: &'a AccountDirectory,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: &'a StepLog<'a, StepId>,
}

impl ShareFlow<'_> {
    async fn run_steps(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let Decision { grant, sharing } = decide(self.state, &self.options.audience);
        let created = self.grant(grant.as_ref()).await?;
        let entry = self.env.journal.last_entry();
        let grant = grant.or_else(|| created.as_ref().map(|created| created.id.clone()));
        let grant = grant.expect("a new grant exists");
        outcome.grant_id = Some(grant.to_string());
        let shares = match self.share(&grant, sharing).await {
            Ok(shares) => shares,
            Err(error) => {
                let Some(created) = created else { return Err(error) };
                outcome.grant_id = None;
                self.steps.fail_current(&error);
                return Err(self.roll_back_grant(&created, entry, error).await);
            }
        };
        outcome.share_ids = shares.iter().map(ToString::to_string).collect();
        self.associate(&shares, outcome).await
    }

    async fn grant(&self, existing: Option<&GrantId>) -> Result<Option<Grant>, Error> {
        if let Some(id) = existing {
            self.steps.end(StepId::Grant, StepState::Skipped, format!("already exists  {id}"));
            return Ok(None);
        }
        self.steps.begin(StepId::Grant);
        let grant = grant::create(self.env, &self.options.idp).await?;
        self.steps.end(StepId::Grant, StepState::Done, format!("created  {}", grant.id));
        Ok(Some(grant))
    }

    /// Returns the shares that reach the audience afterwards.
    async fn share(&self, grant: &GrantId, sharing: ShareAction) -> Result<Vec<ShareId>, Error> {
        let mut shares: Vec<_> =
            self.state.shares.iter().map(|share_state| share_state.share.id.clone()).collect();
        match sharing {
            ShareAction::Keep => {
                let detail = "all recipients already added";
                self.steps.end(StepId::Share, StepState::Skipped, detail);
            }
            ShareAction::Create(to) => {
                self.steps.begin(StepId::Share);
                let resource = NewResource::grant(self.env.account, grant);
                let name = &self.options.name;
                let share = shares::create(self.env, name, &to, &resource).await?;
                let detail = format!("{}  {name}", share.id);
                self.steps.end(StepId::Share, StepState::Done, detail);
                shares.push(share.id.clone());
            }
            ShareAction::AddRecipients(share, to) => {
                self.steps.begin(StepId::Share);
                self.add(&share, &to).await?;
                let detail =
                    format!("{} added to the share {share}", count_noun(to.len(), "recipient"));
                self.steps.end(StepId::Share, StepState::Done, detail);
            }
        }
        Ok(shares)
    }

    /// One after the other: a failure does not affect recipients that were added before.
    async fn add(&self, share: &ShareId, to: &[RecipientSpec]) -> Result<(), Error> {
        for (at, recipient) in to.iter().enumerate() {
            let Err(error) = shares::add(self.env, share, recipient).await else { continue };
            let Error::Api(error) = error else { return Err(error) };
            let mut api_error = ApiErrorContext::new(error);
            if at > 0 {
                let added: Vec<_> = to[..at].iter().map(shares::describe_recipient).collect();
                api_error = api_error.cause(format!("added before: {}", added.join(", ")));
            }
            return Err(api_error.cause("existing recipients keep it").into());
        }
        Ok(())
    }

    /// Deletes a grant that this run created: no share uses it.
    async fn roll_back_grant(&self, grant: &Grant, entry: Option<String>, error: Error) -> Error {
        let id = &grant.id;
        let name = &self.options.idp.name;
        self.steps.begin(StepId::TakeBack);
        if let Err(second) = grant::delete(self.env, grant, name, entry).await {
            self.steps.fail_current(&second);
            return FlowError::half_done(format!(
                    "the grant `{id}` was created, sharing failed, and deleting the grant could not be confirmed"
                ),
            )
            .causes(error.sentences())
            .causes(second.sentences())
            .hint(format!("`cfsso federation delete {id}`, or run the same command again"))
            .into();
        }
        self.steps.end(StepId::TakeBack, StepState::Done, id.to_string());
        let rolled_back =
            format!("the grant `{id}` of this run was deleted again; nothing is shared");
        match error {
            Error::Api(error) => {
                let is_open = error.outcome_unknown();
                let api_error = ApiErrorContext::new(error).cause(rolled_back);
                if is_open {
                    return api_error
                        .cause("the share may exist; without a grant it has no effect")
                        .hint("`cfsso federation status`")
                        .into();
                }
                api_error.into()
            }
            Error::ApiContext(api_error) => (*api_error).cause(rolled_back).into(),
            Error::Flow(error) => error.cause(rolled_back).into(),
        }
    }

    async fn associate(&self, shares: &[ShareId], outcome: &mut Outcome) -> Result<(), Error> {
        let Self { env, options, directory, steps, .. } = *self;
        if !options.wait {
            let progress =
                recipient_progress::read_progress(env, shares, &options.audience, directory)
                    .await?;
            let there = progress.iter().filter(|recipient| recipient.is_associated()).count();
            let detail = format!("associated: {there} of {} (not waiting)", progress.len());
            let state = if there == progress.len() { StepState::Done } else { StepState::Pending };
            steps.end(StepId::Associate, state, detail);
            outcome.recipients = progress;
            return Ok(recipient_progress::ensure_none_failed(&outcome.recipients)?);
        }
        steps.begin(StepId::Associate);
        let since = env.clock.now();
        let latest = std::cell::RefCell::new(Vec::<RecipientProgress>::new());
        let on_change = |progress: &[RecipientProgress]| {
            let before = latest.replace(progress.to_vec());
            for recipient in progress.iter().filter(|recipient| !before.contains(recipient)) {
                (self.on_event)(&Event::Recipient(recipient));
            }
            let there = progress.iter().filter(|recipient| recipient.is_associated()).count();
            let text = format!("associated: {there} of {}", progress.len());
            (self.on_event)(&Event::Waiting { text: &text, since });
        };
        let end = recipient_progress::wait_until_associated(
            env,
            shares,
            &options.audience,
            directory,
            options.deadline,
            &on_change,
        )
        .await;
        outcome.recipients = latest.into_inner();
        let progress = end?;
        recipient_progress::ensure_none_failed(&progress)?;
        steps.end(StepId::Associate, StepState::Done, format!("{} of {0}", progress.len()));
        Ok(())
    }
}
