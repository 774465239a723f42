//! `cfsso share delete`: the API deletes asynchronously.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Outcome, plan_output};
use crate::api::ids::ShareId;
use crate::api::share::Share;
use crate::context::Context;
use crate::flow::federation::shares;
use crate::output::{Page, Render, Status};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share delete 3fd85f74b32742f1bff64a85009dda07 --wait
  cfsso share delete 3fd85f74b32742f1bff64a85009dda07 --yes")]
pub struct Args {
    /// ID of the share
    share: ShareId,

    /// Wait until the share is deleted
    #[arg(long)]
    wait: bool,
}

/// A share that is deleted or being deleted, as it was before the deletion.
#[derive(Serialize, JsonSchema)]
pub struct Deleted {
    /// Whether the deletion was confirmed; `false` if it is still in progress.
    deleted: bool,
    #[schemars(with = "crate::api::share::ShareFields")]
    share: Share,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let share = shares::find(&env, &args.share).await?;
    let changes = vec![shares::delete_action(&env, &share).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "deleting it")? {
        return Ok(outcome);
    }
    context.screen.warn("all recipients lose access to its resources");
    context.confirm(&share.name, "delete this share").await?;
    let remaining = shares::delete(&env, &share).await?;
    let mut deleted = remaining.is_none();
    if args.wait && !deleted {
        context.screen.start_wait("the share is being deleted");
        shares::wait_until_deleted(&env, &share.id, context.wait_deadline()).await?;
        deleted = true;
    }
    Ok(Outcome::done(Deleted { deleted, share }))
}

impl Render for Deleted {
    fn show(&self, page: &mut Page) {
        let (mark, words) = if self.deleted {
            (Status::Done, "is deleted")
        } else {
            (Status::Running, "is being deleted")
        };
        page.status_line(mark, format!("share {} ({}) {words}", self.share.name, self.share.id));
    }

    fn names(&self) -> Vec<String> {
        vec![self.share.id.to_string()]
    }
}
