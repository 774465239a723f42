//! `cfsso share create`: requires explicit recipients, resolved before the POST.

use clap::ArgGroup;

use super::super::{Outcome, plan_output};
use crate::api::ids::OrganizationId;
use crate::api::share::ResourceType;
use crate::api::share::resource::NewResource;
use crate::context::Context;
use crate::flow::federation::recipients::{self, Audience, RecipientArgs};
use crate::flow::federation::{accounts, shares};
use crate::input::value;

#[derive(clap::Args, Debug)]
#[command(
    group(ArgGroup::new("recipients").required(true).args(["to", "to_organization", "entire_organization"])),
    override_usage = "cfsso share create <NAME> --resource-type <T> --resource <ID> --to <ID>",
    after_help = "Examples:
  cfsso share create rules --resource-type custom-ruleset --resource 023e105f4ecef8ad9ca31a8372d0c353 --to Cats

`cfsso federation share` shares an identity provider with its grant."
)]
pub struct Args {
    /// Name of the share
    #[arg(value_parser = value::name)]
    name: String,

    /// Type of the resource, such as custom-ruleset or idp-federation-grant
    #[arg(long, value_name = "TYPE")]
    resource_type: String,

    /// ID of the resource
    #[arg(long, value_name = "ID")]
    resource: String,

    /// ID or name of a recipient account (repeatable)
    #[arg(long, value_name = "ACCOUNT", num_args = 1..)]
    to: Vec<String>,

    /// Share with this organization: all its accounts, present and future
    #[arg(long, value_name = "ID")]
    to_organization: Option<OrganizationId>,

    /// Share with your whole organization, present and future accounts
    #[arg(long)]
    entire_organization: bool,

    /// Allow accounts that the token cannot see
    #[arg(long)]
    unseen: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let directory = accounts::read(&env).await?;
    let named = match (args.to_organization, args.entire_organization) {
        (Some(id), _) => RecipientArgs::Organization(id),
        (None, true) => RecipientArgs::EntireOrganization,
        (None, false) => RecipientArgs::Accounts(args.to),
    };
    let (audience, warnings) =
        recipients::resolve_recipients(named, env.account, &directory, args.unseen)?;
    for warning in warnings {
        context.screen.warn(warning);
    }
    let to = audience.recipients();
    let shared =
        NewResource::new(env.account, ResourceType::named(&args.resource_type), &args.resource);
    let changes = vec![shares::create_action(&env, &args.name, &to, &shared).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "sharing")? {
        return Ok(outcome);
    }
    if !matches!(audience, Audience::Accounts(_)) {
        let action = "share it with all accounts of the organization, present and future";
        context.confirm(&args.name, action).await?;
    }
    let created = shares::create(&env, &args.name, &to, &shared).await?;
    Ok(Outcome::done(shares::find(&env, &created.id).await?))
}
