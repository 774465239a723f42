//! `cfsso idp get`: one request.

use super::super::Outcome;
use super::view::View;
use crate::context::Context;
use crate::flow::idp;

/// Arguments of `idp get`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp get Okta
  cfsso idp get okta -o json | jq .config")]
pub struct Args {
    /// Name, ID or type of the identity provider
    idp: String,
}

/// Shows one identity provider.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    Ok(Outcome::done(View::of(idp::find(&tools, &args.idp).await?)))
}
