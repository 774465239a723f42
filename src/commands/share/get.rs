use super::super::Outcome;
use crate::api::ids::ShareId;
use crate::context::Context;
use crate::flow::federation::shares;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share get 3fd85f74b32742f1bff64a85009dda07")]
pub struct Args {
    /// ID of the share
    share: ShareId,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    Ok(Outcome::done(shares::find(&env, &args.share).await?))
}
