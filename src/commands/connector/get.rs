//! `cfsso connector get`: one request.

use super::super::Outcome;
use crate::context::Context;
use crate::flow::connector::{self, Selector};

/// Arguments of `connector get`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector get cool.cats
  cfsso connector get cool.cats -o json | jq -r .verification.code")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,
}

/// Shows one connector.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let tools = context.tools().await?;
    Ok(Outcome::done(connector::find(&tools, &selector).await?))
}
