use super::super::Outcome;
use super::super::web::{Place, WebArgs};
use super::view::{RecordArgs, Shown};
use crate::context::Context;
use crate::flow::connector::{self, Selector};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector get cool.cats
  cfsso connector get cool.cats --format bind
  cfsso connector get cool.cats -o json | jq -r .txt.value")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    #[command(flatten)]
    record: RecordArgs,

    #[command(flatten)]
    web: WebArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(outcome) = args.web.open(Place::Connectors, context).await? {
        return Ok(outcome);
    }
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    let records = args.record.records(std::slice::from_ref(&connector))?;
    Ok(records.unwrap_or_else(|| Outcome::done(Shown::from(connector))))
}
