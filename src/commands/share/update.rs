//! `cfsso share update`: only the name can be changed.

use super::super::{Outcome, plan_output};
use crate::api;
use crate::api::ids::ShareId;
use crate::api::share::{Include, Share};
use crate::context::Context;
use crate::flow::federation::shares;
use crate::input::value;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share update 3fd85f74b32742f1bff64a85009dda07 --name rules")]
pub struct Args {
    /// ID of the share
    share: ShareId,

    /// New name
    #[arg(long, value_parser = value::name)]
    name: String,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let share = shares::find(&env, &args.share).await?;
    if share.name == args.name {
        let note = "no change: it already has this name";
        return Ok(plan_output::already_done(context, share, note));
    }
    let action = shares::rename_action(&env, &share, &args.name);
    let changes = vec![action.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "renaming")? {
        return Ok(outcome);
    }
    let read = api::share::get(env.account, &share.id, Include::ALL);
    let is_as_sent = |it: &Share| it.name == args.name;
    Ok(Outcome::done(env.execute_and_confirm(&action, &read, is_as_sent).await?))
}
