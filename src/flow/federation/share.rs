//! Sharing an identity provider in one step: grant → share → wait. Reuses what
//! stands, adds in place, and takes a new grant back where sharing fails.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::arrival::{self, Arrival};
use super::decision::{Decision, Sharing, decide};
use super::directory::Directory;
use super::progress::{Event, Step, StepId};
use super::recipients::Audience;
use super::standing::{self, Standing};
use super::{grant, records};
use crate::api::grant::Grant;
use crate::api::idp::Idp;
use crate::api::ids::{GrantId, ShareId};
use crate::api::share::To;
use crate::api::share::resource::Shared;
use crate::flow::explained::Explained;
use crate::flow::plan::Plan;
use crate::flow::steps::{StepState, Steps};
use crate::flow::{Error, Stop, StopKind, Tools};
use crate::words::counted;

/// What is asked for.
pub struct Wishes {
    pub idp: Idp,
    pub audience: Audience,
    /// What a new share is called.
    pub name: String,
    /// Wait until every recipient has it.
    pub wait: bool,
    /// When waiting ends.
    pub deadline: Timestamp,
}

/// What sharing came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether everything that was asked for is done.
    pub ok: bool,
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// What stands now.
    pub result: Outcome,
}

/// What stands after sharing.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Outcome {
    /// The identity provider's ID.
    pub idp_id: String,
    /// Its name.
    pub idp_name: String,
    /// The grant.
    pub grant_id: Option<String>,
    /// The shares that reach the recipients.
    pub share_ids: Vec<String>,
    /// How far each recipient has come.
    pub recipients: Vec<Arrival>,
}

impl Report {
    /// The name of the report's JSON form.
    pub const SCHEMA: &'static str = "cfsso/federation-share/v1";
}

/// Shares as far as `wishes` say, from what stands. The report tells how far
/// it came, also where it ended early.
pub async fn run(
    tools: &Tools<'_>,
    wishes: &Wishes,
    standing: &Standing,
    directory: &Directory,
    on_event: &dyn Fn(&Event<'_>),
) -> (Report, Result<(), Error>) {
    let steps = Steps::new(|step| on_event(&Event::Step(step)));
    let mut outcome = Outcome {
        idp_id: wishes.idp.id.to_string(),
        idp_name: wishes.idp.name.clone(),
        ..Outcome::default()
    };
    let sharing = Run { tools, wishes, standing, directory, on_event, steps: &steps };
    let end = sharing.go(&mut outcome).await;
    if let Err(error) = &end {
        steps.conclude(error);
    }
    let steps = steps.into_ended();
    (Report { schema: Report::SCHEMA, ok: end.is_ok(), steps, result: outcome }, end)
}

/// What [`run`] would send. What the API has yet to choose stands as a
/// placeholder.
pub fn plan(tools: &Tools<'_>, wishes: &Wishes, standing: &Standing) -> Plan {
    let decision = decide(standing, &wishes.audience);
    let mut changes = Vec::new();
    if decision.grant.is_none() {
        changes.push(grant::creation(tools, &wishes.idp).change());
    }
    match &decision.sharing {
        Sharing::Stands => {}
        Sharing::Create(to) => {
            let id = decision
                .grant
                .unwrap_or_else(|| "NEW-GRANT".parse().expect("letters and a hyphen make an ID"));
            let shared = Shared::grant(tools.account, &id);
            changes.push(records::creation(tools, &wishes.name, to, &shared).change());
        }
        Sharing::Add(share, to) => {
            changes.extend(to.iter().map(|to| records::addition(tools, share, to).change()));
        }
    }
    Plan::new(Vec::new(), changes)
}

struct Run<'a> {
    tools: &'a Tools<'a>,
    wishes: &'a Wishes,
    standing: &'a Standing,
    directory: &'a Directory,
    on_event: &'a dyn Fn(&Event<'_>),
    steps: &'a Steps<'a, StepId>,
}

impl Run<'_> {
    async fn go(&self, outcome: &mut Outcome) -> Result<(), Error> {
        let Decision { grant, sharing } = decide(self.standing, &self.wishes.audience);
        let created = self.grant(grant.as_ref()).await?;
        let grant = grant.or_else(|| created.as_ref().map(|created| created.id.clone()));
        let grant = grant.expect("a grant that does not exist was created");
        outcome.grant_id = Some(grant.to_string());
        let shares = match self.share(&grant, sharing).await {
            Ok(shares) => shares,
            Err(error) => {
                let Some(created) = created else { return Err(error) };
                outcome.grant_id = None;
                self.steps.conclude(&error);
                return Err(self.take_back(&created, error).await);
            }
        };
        outcome.share_ids = shares.iter().map(ToString::to_string).collect();
        self.associate(&shares, outcome).await
    }

    async fn grant(&self, existing: Option<&GrantId>) -> Result<Option<Grant>, Error> {
        if let Some(id) = existing {
            self.steps.end(StepId::Grant, StepState::DoneAlready, format!("ID {id}"));
            return Ok(None);
        }
        self.steps.begin(StepId::Grant);
        let grant = grant::create(self.tools, &self.wishes.idp).await?;
        self.steps.end(StepId::Grant, StepState::Done, format!("ID {}", grant.id));
        Ok(Some(grant))
    }

    /// The shares that reach the audience afterwards.
    async fn share(&self, grant: &GrantId, sharing: Sharing) -> Result<Vec<ShareId>, Error> {
        let mut shares: Vec<_> =
            self.standing.shares.iter().map(|held| held.share.id.clone()).collect();
        match sharing {
            Sharing::Stands => {
                let detail = "everybody is among the recipients";
                self.steps.end(StepId::Share, StepState::DoneAlready, detail);
            }
            Sharing::Create(to) => {
                self.steps.begin(StepId::Share);
                let resource = Shared::grant(self.tools.account, grant);
                let name = &self.wishes.name;
                let share = records::create(self.tools, name, &to, &resource).await?;
                let detail = format!("ID {}, called {name}", share.id);
                self.steps.end(StepId::Share, StepState::Done, detail);
                shares.push(share.id.clone());
            }
            Sharing::Add(share, to) => {
                self.steps.begin(StepId::Share);
                self.add(&share, &to).await?;
                let detail =
                    format!("{} added to the share {share}", counted(to.len(), "recipient"));
                self.steps.end(StepId::Share, StepState::Done, detail);
            }
        }
        Ok(shares)
    }

    /// One after the other: those who are in keep what they have, whatever
    /// becomes of the rest.
    async fn add(&self, share: &ShareId, to: &[To]) -> Result<(), Error> {
        for (at, recipient) in to.iter().enumerate() {
            let Err(error) = records::add(self.tools, share, recipient).await else { continue };
            let Error::Api(error) = error else { return Err(error) };
            let mut explained = Explained::new(error);
            if at > 0 {
                let added: Vec<_> = to[..at].iter().map(records::told).collect();
                explained = explained.cause(format!("added before it: {}", added.join(", ")));
            }
            return Err(explained.cause("nobody who had the identity provider has lost it").into());
        }
        Ok(())
    }

    /// Deletes a grant made in this run, since nothing is shared by it.
    async fn take_back(&self, grant: &Grant, error: Error) -> Error {
        let id = &grant.id;
        self.steps.begin(StepId::TakeBack);
        if let Err(second) = grant::delete(self.tools, grant, &self.wishes.idp.name).await {
            self.steps.conclude(&second);
            return Stop::new(
                StopKind::HalfDone,
                format!(
                    "the grant `{id}` was made, sharing failed, and the grant was not seen to go"
                ),
            )
            .causes(error.sentences())
            .causes(second.sentences())
            .hint(format!("`cfsso federation delete {id}`, or run the same command again to share"))
            .into();
        }
        self.steps.end(StepId::TakeBack, StepState::Done, format!("ID {id}"));
        let taken =
            format!("the grant `{id}`, made in this run, was deleted again: nothing is shared");
        match error {
            Error::Api(error) => {
                let is_open = error.outcome_unknown();
                let explained = Explained::new(error).cause(taken);
                if is_open {
                    return explained
                        .cause("the share may have been made all the same; without its grant it gives nothing")
                        .hint("`cfsso federation status` shows shares whose grant is gone")
                        .into();
                }
                explained.into()
            }
            Error::Explained(explained) => (*explained).cause(taken).into(),
            Error::Stop(stop) => stop.cause(taken).into(),
        }
    }

    async fn associate(&self, shares: &[ShareId], outcome: &mut Outcome) -> Result<(), Error> {
        let Self { tools, wishes, directory, steps, .. } = *self;
        if !wishes.wait {
            let seen = arrival::look(tools, shares, &wishes.audience, directory).await?;
            let there = seen.iter().filter(|arrival| arrival.is_there()).count();
            let detail = format!("{there} of {} so far; not waited for", seen.len());
            let state = if there == seen.len() { StepState::Done } else { StepState::Todo };
            steps.end(StepId::Associate, state, detail);
            outcome.recipients = seen;
            return Ok(arrival::none_failed(&outcome.recipients)?);
        }
        steps.begin(StepId::Associate);
        let since = tools.clock.now();
        let latest = std::cell::RefCell::new(Vec::<Arrival>::new());
        let on_change = |seen: &[Arrival]| {
            let before = latest.replace(seen.to_vec());
            for arrival in seen.iter().filter(|arrival| !before.contains(arrival)) {
                (self.on_event)(&Event::Recipient(arrival));
            }
            let there = seen.iter().filter(|arrival| arrival.is_there()).count();
            let text = format!("{there} of {} recipients have it", seen.len());
            (self.on_event)(&Event::Waiting { text: &text, since });
        };
        let end = arrival::until_there(
            tools,
            shares,
            &wishes.audience,
            directory,
            wishes.deadline,
            &on_change,
        )
        .await;
        outcome.recipients = latest.into_inner();
        let seen = end?;
        arrival::none_failed(&seen)?;
        steps.end(StepId::Associate, StepState::Done, format!("{} of {0}", seen.len()));
        Ok(())
    }
}

/// Reads what stands; see [`standing::read`].
pub async fn standing(tools: &Tools<'_>, wishes: &Wishes) -> Result<Standing, Error> {
    standing::read(tools, &wishes.idp.id).await
}
