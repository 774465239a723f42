//! `cfsso share recipients`: adds and removes single recipients, never replaces the list.

use clap::{ArgGroup, Subcommand};

use super::super::{Outcome, plan_output};
use super::audience::AudienceArgs;
use super::paging;
use crate::api::ids::{OrganizationId, RecipientId, ShareId};
use crate::api::share::{Association, Recipient, RecipientSpec, recipient};
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::federation::recipients::resolve;
use crate::flow::federation::{accounts, shares};
use crate::output::{self, Page, Render, Row, Text};

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List recipients, including removed ones
    List(List),
    /// Show a recipient
    Get(Get),
    /// Add a recipient
    Add(Add),
    /// Remove a recipient
    Remove(Remove),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share recipients list 3fd85f74b32742f1bff64a85009dda07")]
pub struct List {
    /// ID of the share
    share: ShareId,

    /// Filter by status
    #[arg(long, value_parser = ["associating", "associated", "disassociating", "disassociated"])]
    status: Option<String>,

    #[command(flatten)]
    paging: paging::Args,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share recipients get 3fd85f74b32742f1bff64a85009dda07 023e105f4ecef8ad9ca31a8372d0c353")]
pub struct Get {
    /// ID of the share
    share: ShareId,

    /// ID of the recipient
    recipient: RecipientId,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share recipients add 3fd85f74b32742f1bff64a85009dda07 --to Cats")]
#[command(override_usage = "cfsso share recipients add <SHARE> --to <ACCOUNT>")]
#[command(group(ArgGroup::new("recipient").required(true).args(["to", "to_organization"])))]
pub struct Add {
    /// ID of the share
    share: ShareId,

    /// ID or name of the account
    #[arg(long, value_name = "ACCOUNT")]
    to: Option<String>,

    /// ID of the organization
    #[arg(long, value_name = "ID")]
    to_organization: Option<OrganizationId>,

    /// Allow an account that the token cannot see
    #[arg(long)]
    unseen: bool,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share recipients remove 3fd85f74b32742f1bff64a85009dda07 Cats")]
pub struct Remove {
    /// ID of the share
    share: ShareId,

    /// ID or name of the account, or ID of the recipient
    recipient: String,
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Get(args) => get(args, context).await,
        Command::Add(args) => add(args, context).await,
        Command::Remove(args) => remove(args, context).await,
    }
}

async fn list(args: List, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let request = recipient::list(env.account, &args.share, args.paging.paging());
    let mut all = env.client.list(&request).await?;
    // The API returns every status and has no filter.
    all.retain(|one| {
        let status = one.association_status.as_ref().map(Association::text);
        args.status.is_none() || status.as_deref() == args.status.as_deref()
    });
    all.sort_by(|a, b| shares::by_account(a).cmp(&shares::by_account(b)));
    Ok(Outcome::list(env.client, "recipient", output::List(all)))
}

async fn get(args: Get, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    Ok(Outcome::done(shares::recipient(&env, &args.share, &args.recipient).await?))
}

async fn add(args: Add, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let directory = accounts::read(&env).await?;
    let audience = AudienceArgs {
        to: args.to.into_iter().collect(),
        to_organization: args.to_organization,
        entire_organization: false,
        unseen: args.unseen,
    };
    let audience = audience.resolve(env.account, &directory, context)?;
    let to: [RecipientSpec; 1] = audience
        .recipients()
        .try_into()
        .map_err(|_| FlowError::usage("only one recipient can be added at a time"))?;
    let existing = shares::recipients(&env, &args.share).await?;
    let is_in = |one: &&Recipient| matches!(&to[0], RecipientSpec::Account(account) if one.is_active() && one.account() == Some(account));
    if let Some(one) = existing.iter().find(is_in) {
        context.screen.note("no change: already a recipient");
        return Ok(Outcome::done(one.clone()));
    }
    let changes = vec![shares::add_recipient_action(&env, &args.share, &to[0]).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "adding")? {
        return Ok(outcome);
    }
    if let RecipientSpec::Organization(id) = &to[0] {
        context.confirm(id.as_str(), "share with all its accounts").await?;
    }
    Ok(Outcome::done(shares::add(&env, &args.share, &to[0]).await?))
}

async fn remove(args: Remove, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let all = shares::recipients(&env, &args.share).await?;
    let wanted = args.recipient.trim();
    let id = wanted.parse::<RecipientId>().ok();
    let found = if let Some(found) = all.iter().find(|one| Some(&one.id) == id.as_ref()) {
        found
    } else {
        let directory = accounts::read(&env).await?;
        let accounts = resolve(&[wanted.to_owned()], &directory)?;
        let its = all.iter().filter(|one| one.account() == accounts.first());
        its.max_by_key(|one| one.is_active()).ok_or_else(|| {
            FlowError::not_found(format!("`{wanted}` is not a recipient of this share"))
                .hint(format!("`cfsso share recipients list {}`", args.share))
        })?
    };
    let removal = shares::remove_recipient_action(&env, &args.share, found);
    let changes = vec![removal.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "removing")? {
        return Ok(outcome);
    }
    context.screen.warn("it loses access to the resources of the share");
    context.confirm(wanted, "remove this recipient").await?;
    env.execute(&removal).await?;
    let after = shares::recipients(&env, &args.share).await?;
    let remaining = after.into_iter().find(|one| one.id == found.id);
    if remaining.as_ref().is_some_and(|one| one.is_active()) {
        let message = format!("`{wanted}` is still a recipient after the request");
        return Err(FlowError::not_confirmed(message)
            .hint(format!("`cfsso share recipients list {}`", args.share))
            .into());
    }
    Ok(Outcome::done(output::List(remaining.into_iter().collect())))
}

fn display_name(recipient: &Recipient) -> String {
    match (recipient.account(), &recipient.organization_id) {
        (Some(account), _) => account.to_string(),
        (None, Some(id)) => format!("organization {id}"),
        (None, None) => "the whole organization".to_owned(),
    }
}

fn state(recipient: &Recipient) -> String {
    let words = recipient.association_status.as_ref().map_or("unknown".into(), Association::text);
    let failed = recipient.failures().map(|error| format!("failed: {error}"));
    let retried = recipient.retryable_errors().map(|error| format!("retrying: {error}"));
    std::iter::once(words.into_owned()).chain(failed).chain(retried).collect::<Vec<_>>().join("; ")
}

impl Render for Recipient {
    fn show(&self, page: &mut Page) {
        page.fields(&[
            ("recipient", Text::strong(display_name(self))),
            ("state", Text::plain(state(self))),
            ("id", Text::plain(self.id.as_str())),
        ]);
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

impl Row for Recipient {
    const HEADERS: &'static [&'static str] = &["RECIPIENT", "STATE", "ID"];

    fn cells(&self, _: &Page) -> Vec<Text> {
        vec![
            Text::strong(display_name(self)),
            Text::plain(state(self)),
            Text::dim(self.id.as_str()),
        ]
    }
}
