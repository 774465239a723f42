use super::super::{Outcome, plan_output};
use super::view::Shown;
use crate::api::connector::{self as api, Connector};
use crate::context::Context;
use crate::flow::connector::{self, Selector};

#[derive(clap::Args, Debug)]
#[group(skip)]
#[command(group(clap::ArgGroup::new("wording").required(true)))]
#[command(after_help = "Examples:
  cfsso connector update cool.cats --fedramp
  cfsso connector update cool.cats --no-fedramp --dry-run")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Use the FedRAMP language on the sign-in page
    #[arg(long, group = "wording")]
    fedramp: bool,

    /// Use the standard language on the sign-in page
    #[arg(long, group = "wording")]
    no_fedramp: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    if connector.use_fedramp_language == Some(args.fedramp) {
        let note = format!("no change: {} already has this language", connector.email_domain);
        return Ok(plan_output::already_done(context, Shown::from(connector), note));
    }
    let action = connector::fedramp_action(&env, &connector, args.fedramp);
    let changes = vec![action.change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "the change")? {
        return Ok(outcome);
    }
    let read = api::get(env.account, &connector.id);
    let is_as_sent = |it: &Connector| it.use_fedramp_language == Some(args.fedramp);
    Ok(Outcome::done(Shown::from(env.execute_and_confirm(&action, &read, is_as_sent).await?)))
}
