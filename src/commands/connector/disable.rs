//! `cfsso connector disable`: a read and a PATCH, whose answer is the read-back.

use super::super::{Outcome, plan_output};
use crate::context::Context;
use crate::flow::connector::{self, Selector};
use crate::flow::plan::Plan;

/// Arguments of `connector disable`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector disable cool.cats
  cfsso connector disable cool.cats --confirm cool.cats -o json")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,
}

/// Disables enforcement.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref())?;
    let tools = context.tools().await?;
    let connector = connector::find(&tools, &selector).await?;
    if connector.enabled == Some(false) {
        let note = format!("{} is disabled already: nothing to do", connector.email_domain);
        return Ok(plan_output::already_done(context, connector, note));
    }
    let plan = Plan::new(Vec::new(), vec![connector::disable_action(&tools, &connector).change()]);
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "disabling it")? {
        return Ok(outcome);
    }
    // The documentation's own warning, before the question it bears on.
    context.screen.warn(
        "without SSO, users sign in by e-mail address and password: those who have none reset it through their \
         mailbox, and whoever has no mailbox has no way in",
    );
    context
        .confirm(&connector.email_domain, "stop enforcing sign-in through the identity provider")
        .await?;
    Ok(Outcome::done(connector::disable(&tools, &connector).await?))
}
