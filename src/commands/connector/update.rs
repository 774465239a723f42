//! `cfsso connector update`: a read, and a PATCH where it changes something.

use super::super::{Outcome, change};
use crate::api::connector as api;
use crate::context::Context;
use crate::flow::connector::{self, Selector};
use crate::flow::plan::{Change, Difference, Plan};
use crate::flow::{Stop, StopKind};

/// Arguments of `connector update`.
#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("wording").required(true)))]
#[command(after_help = "Examples:
  cfsso connector update cool.cats --fedramp
  cfsso connector update cool.cats --no-fedramp --dry-run")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Show the FedRAMP wording on the sign-in page
    #[arg(long, group = "wording")]
    fedramp: bool,

    /// Show the ordinary wording on the sign-in page
    #[arg(long, group = "wording")]
    no_fedramp: bool,
}

/// Changes a connector's wording.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref())?;
    let tools = context.tools().await?;
    let connector = connector::find(&tools, &selector).await?;
    let request = api::set_fedramp(tools.account, &connector.id, args.fedramp);
    let mut changes = Vec::new();
    if connector.use_fedramp_language != Some(args.fedramp) {
        let difference =
            Difference::new("use_fedramp_language", connector.use_fedramp_language, args.fedramp);
        changes.push(Change::new(
            format!("change the wording for {}", connector.email_domain),
            &request,
            vec![difference],
        ));
    }
    let is_so_already = changes.is_empty();
    if let Some(outcome) = change::settle(context, Plan::new(Vec::new(), changes), "changing it")? {
        return Ok(outcome);
    }
    if is_so_already {
        context
            .screen
            .note(format!("{} reads so already: nothing to change", connector.email_domain));
        return Ok(Outcome::done(connector));
    }
    let title = format!("change the wording for {}", connector.email_domain);
    tools.write(&request, Some(connector.text()), title).await?;
    let seen = tools.client.send(&api::get(tools.account, &connector.id)).await?;
    if seen.use_fedramp_language == Some(args.fedramp) {
        return Ok(Outcome::done(seen));
    }
    let message =
        format!("the wording for `{}` was sent, but does not read back as sent", seen.email_domain);
    Err(Stop::new(StopKind::NotSeen, message)
        .hint(format!("`cfsso connector get {}`", seen.id))
        .into())
}
