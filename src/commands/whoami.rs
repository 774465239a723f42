use super::Outcome;
use super::token::check;
use crate::context::Context;
use crate::flow::token;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso whoami
  cfsso whoami -o json | jq -r .kind")]
pub struct Args {}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let account = context.named_account().await?;
    let report = token::identify(context.client().await?, account.as_ref()).await?;
    Ok(check::into_outcome(report))
}
