//! `cfsso share create`: requires explicit recipients, resolved before the POST.

use clap::ArgGroup;

use super::super::{Outcome, plan_output};
use super::audience::{self, AudienceArgs};
use crate::api::share::ResourceType;
use crate::api::share::resource::NewResource;
use crate::context::Context;
use crate::flow::federation::{accounts, shares};
use crate::input::value;

#[derive(clap::Args, Debug)]
#[command(
    group(ArgGroup::new("recipients").required(true).args(AudienceArgs::EXCLUSIVE)),
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

    #[command(flatten)]
    audience: AudienceArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let directory = accounts::read(&env).await?;
    let audience = args.audience.resolve(env.account, &directory, context)?;
    let to = audience.recipients();
    let shared =
        NewResource::new(env.account, ResourceType::named(&args.resource_type), &args.resource);
    let changes = vec![shares::create_action(&env, &args.name, &to, &shared).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "sharing")? {
        return Ok(outcome);
    }
    audience::confirm(&audience, &args.name, context).await?;
    let created = shares::create(&env, &args.name, &to, &shared).await?;
    Ok(Outcome::done(shares::find(&env, &created.id).await?))
}
