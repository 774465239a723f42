use clap::Subcommand;
use serde_json::Value;

use super::super::{Outcome, plan_output};
use super::paging;
use crate::api::ids::{ResourceId, ShareId};
use crate::api::share::resource::{self, NewResource, Resource};
use crate::api::share::{ResourceType, Status};
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::federation::shares;
use crate::output::{self, Page, Render, Row, Text};

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List resources of a share
    List(List),
    /// Show a resource
    Get(Get),
    /// Add a resource to a share
    Add(Add),
    /// Update the metadata of a shared resource
    Update(Update),
    /// Remove a resource from a share
    Remove(Remove),
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share resources list 3fd85f74b32742f1bff64a85009dda07")]
pub struct List {
    /// ID of the share
    share: ShareId,

    /// Filter by status
    #[arg(long, value_parser = ["active", "deleting", "deleted"])]
    status: Option<String>,

    /// Filter by resource type
    #[arg(long, value_name = "TYPE")]
    resource_type: Option<String>,

    #[command(flatten)]
    paging: paging::Args,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share resources get 3fd85f74b32742f1bff64a85009dda07 023e105f4ecef8ad9ca31a8372d0c353")]
pub struct Get {
    /// ID of the share
    share: ShareId,

    /// ID of the shared resource
    resource: ResourceId,
}

#[derive(clap::Args, Debug)]
#[command(
    override_usage = "cfsso share resources add <SHARE> --resource-type <TYPE> --resource <ID>"
)]
#[command(after_help = "Examples:
  cfsso share resources add 3fd85f74b32742f1bff64a85009dda07 --resource-type idp-federation-grant --resource 023e105f4ecef8ad9ca31a8372d0c353")]
pub struct Add {
    /// ID of the share
    share: ShareId,

    /// Type of the resource, such as custom-ruleset or idp-federation-grant
    #[arg(long, value_name = "TYPE")]
    resource_type: String,

    /// ID of the resource
    #[arg(long, value_name = "ID")]
    resource: String,

    /// Metadata for the recipients (JSON object)
    #[arg(long, value_name = "JSON", value_parser = object)]
    meta: Option<Value>,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share resources update 3fd85f74b32742f1bff64a85009dda07 023e105f4ecef8ad9ca31a8372d0c353 --meta {}")]
pub struct Update {
    /// ID of the share
    share: ShareId,

    /// ID of the shared resource
    resource: ResourceId,

    /// Metadata for the recipients (JSON object)
    #[arg(long, value_name = "JSON", value_parser = object)]
    meta: Value,
}

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share resources remove 3fd85f74b32742f1bff64a85009dda07 023e105f4ecef8ad9ca31a8372d0c353")]
pub struct Remove {
    /// ID of the share
    share: ShareId,

    /// ID of the shared resource
    resource: ResourceId,
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list(args, context).await,
        Command::Get(args) => get(args, context).await,
        Command::Add(args) => add(args, context).await,
        Command::Update(args) => update(args, context).await,
        Command::Remove(args) => remove(args, context).await,
    }
}

async fn list(args: List, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let kind = args.resource_type.as_deref().map(ResourceType::named);
    let narrowed = (args.status.as_deref(), kind.as_ref());
    let request = resource::list(env.account, &args.share, narrowed, args.paging.paging());
    let resources = output::List(env.client.list(&request).await?);
    Ok(Outcome::list(env.client, "shared resource", resources))
}

async fn get(args: Get, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    Ok(Outcome::done(shares::resource(&env, &args.share, &args.resource).await?))
}

async fn update(args: Update, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let found = shares::resource(&env, &args.share, &args.resource).await?;
    if found.meta == args.meta {
        let note = "no change: the metadata is the same";
        return Ok(plan_output::already_done(context, found, note));
    }
    let action = shares::set_metadata_action(&env, &args.share, &found, &args.meta);
    let changes = vec![action.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "changing it")? {
        return Ok(outcome);
    }
    let read = resource::get(env.account, &args.share, &found.id);
    let is_as_sent = |it: &Resource| it.meta == args.meta;
    Ok(Outcome::done(env.execute_and_confirm(&action, &read, is_as_sent).await?))
}

async fn add(args: Add, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let mut shared =
        NewResource::new(env.account, ResourceType::named(&args.resource_type), &args.resource);
    if let Some(meta) = args.meta {
        shared = shared.meta(meta);
    }
    let changes = vec![shares::add_resource_action(&env, &args.share, &shared).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "adding")? {
        return Ok(outcome);
    }
    Ok(Outcome::done(shares::add_resource(&env, &args.share, &shared).await?))
}

async fn remove(args: Remove, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let all = shares::resources(&env, &args.share).await?;
    let found = all.iter().find(|one| one.id == args.resource).ok_or_else(|| {
        FlowError::not_found(format!("no resource `{}` in this share", args.resource))
            .hint(format!("`cfsso share resources list {}`", args.share))
    })?;
    let removal = shares::remove_resource_action(&env, &args.share, found);
    let changes = vec![removal.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "removing")? {
        return Ok(outcome);
    }
    context.screen.warn("all recipients of the share lose it");
    context.confirm(args.resource.as_str(), "remove this resource").await?;
    env.execute(&removal).await?;
    let after = shares::resources(&env, &args.share).await?;
    let remaining = after.into_iter().find(|one| one.id == args.resource);
    if remaining.as_ref().is_some_and(|one| one.is_active()) {
        let message = format!("`{}` is still shared after the request", args.resource);
        return Err(FlowError::not_confirmed(message)
            .hint(format!("`cfsso share resources list {}`", args.share))
            .into());
    }
    Ok(Outcome::done(output::List(remaining.into_iter().collect())))
}

fn object(text: &str) -> Result<Value, String> {
    match serde_json::from_str(text) {
        Ok(Value::Object(object)) => Ok(Value::Object(object)),
        Ok(_) => Err("it is not a JSON object".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

fn status(resource: &Resource) -> &str {
    resource.status.as_ref().map_or("unknown", Status::as_str)
}

impl Render for Resource {
    fn show(&self, page: &mut Page) {
        page.fields(&[
            ("type", Text::strong(self.resource_type.as_str())),
            ("resource", Text::plain(&self.resource_id)),
            ("status", Text::plain(status(self))),
            ("meta", Text::plain(self.meta.to_string())),
            ("id", Text::plain(self.id.as_str())),
        ]);
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}

impl Row for Resource {
    const HEADERS: &'static [&'static str] = &["TYPE", "RESOURCE", "STATUS", "ID"];

    fn cells(&self, _: &Page) -> Vec<Text> {
        vec![
            Text::strong(self.resource_type.as_str()),
            Text::plain(&self.resource_id),
            Text::plain(status(self)),
            Text::dim(self.id.as_str()),
        ]
    }
}
