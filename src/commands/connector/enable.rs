//! `cfsso connector enable`: the guarded switch. Everything that the checks need
//! is read at once, then the PATCH, then a read-back.

use super::super::preflight::CheckArgs;
use super::super::{Outcome, plan_output};
use crate::context::Context;
use crate::flow::connector::{self, Selector};
use crate::flow::plan::Plan;
use crate::flow::preflight::{Preflight, RunIf};

/// Arguments of `connector enable`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector enable cool.cats
  cfsso connector enable cool.cats --confirm cool.cats -o json
  cfsso connector enable cool.cats --recovery-token-file break-glass.token
  cfsso connector enable cool.cats --dry-run

`cfsso preflight` makes the same checks and changes nothing.")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    #[command(flatten)]
    guard: CheckArgs,
}

/// Enables enforcement.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let tools = context.tools().await?;
    let looked = args.guard.run_checks(context, &tools, &selector, RunIf::Disabled).await?;
    let Preflight { connector, domain, checks } = looked;
    if connector.is_enabled() {
        let note = format!("no change: SSO is already enabled for {}", connector.email_domain);
        return Ok(plan_output::already_done(context, connector, note));
    }
    let plan = Plan::new(
        checks,
        vec![connector::enable_action(&tools, &domain, &connector.id, connector.enabled).change()],
    );
    if let Some(outcome) =
        plan_output::finish_dry_run(context, plan, &format!("enabling `{domain}`"))?
    {
        return Ok(outcome);
    }
    context.confirm(domain.as_str(), "enable SSO").await?;
    Ok(Outcome::done(connector::enable(&tools, &domain, &connector).await?))
}
