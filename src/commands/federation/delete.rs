//! `cfsso federation delete`: takes effect in every recipient at once.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Outcome, plan_output};
use crate::api::grant::Grant;
use crate::api::idp;
use crate::api::ids::GrantId;
use crate::context::Context;
use crate::flow::federation::grant;
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation delete 023e105f4ecef8ad9ca31a8372d0c353
  cfsso federation delete 023e105f4ecef8ad9ca31a8372d0c353 --confirm Okta")]
pub struct Args {
    /// ID of the grant
    grant: GrantId,
}

/// A deleted grant, as it was before the deletion.
#[derive(Serialize, JsonSchema)]
pub struct Deleted {
    deleted: bool,
    #[schemars(with = "crate::api::grant::GrantFields")]
    grant: Grant,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let found = grant::find(&env, &args.grant).await?;
    let idp = env.client.send(&idp::get(env.account, &found.idp_id)).await.ok();
    let name = idp.map_or_else(|| found.idp_id.to_string(), |idp| idp.name.clone());
    let changes = vec![grant::delete_action(&env, &found, &name).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "deleting it")? {
        return Ok(outcome);
    }
    context.screen.warn(format!(
        "all recipients lose {name} immediately, and their policies that use it stop matching"
    ));
    context.confirm(&name, "delete its federation grant").await?;
    grant::delete(&env, &found, &name, None).await?;
    Ok(Outcome::done(Deleted { deleted: true, grant: found }))
}

impl Render for Deleted {
    fn show(&self, page: &mut Page) {
        page.status_line(Status::Done, format!("federation grant deleted: {}", self.grant.id));
        page.line(Text::prose("Its shares have no effect now: `cfsso federation status`"));
    }

    fn names(&self) -> Vec<String> {
        vec![self.grant.id.to_string()]
    }
}
