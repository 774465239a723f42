//! `cfsso connector disable`: a read and a PATCH; the response to the PATCH confirms it.

use super::super::{Outcome, plan_output};
use super::affected;
use super::view::Shown;
use crate::context::Context;
use crate::flow::connector::{self, Selector};
use crate::flow::trial::keep;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector disable cool.cats
  cfsso connector disable cool.cats --confirm cool.cats -o json")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    if connector.enabled == Some(false) {
        if !context.settings.options.dry_run {
            keep::end_obsolete(&env, &[&connector], false);
        }
        let note = format!("no change: SSO is already disabled for {}", connector.email_domain);
        return Ok(plan_output::already_done(context, Shown::from(connector), note));
    }
    let changes = vec![connector::disable_action(&env, &connector).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "disabling")? {
        return Ok(outcome);
    }
    affected::note(&connector.email_domain, &env, context).await;
    // The warning of Cloudflare's documentation, before the confirmation.
    context.screen.warn(
        "users will sign in with a password; users without one must reset \
         it by email",
    );
    context.confirm(&connector.email_domain, "disable SSO").await?;
    Ok(Outcome::done(Shown::from(connector::disable(&env, &connector).await?)))
}
