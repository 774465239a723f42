use super::super::Outcome;
use super::super::web::{Place, WebArgs};
use crate::context::Context;
use crate::flow::app;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app get
  cfsso app get Wiki -o json")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,

    #[command(flatten)]
    web: WebArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(outcome) = args.web.open(Place::Apps, context).await? {
        return Ok(outcome);
    }
    let env = context.env().await?;
    Ok(Outcome::done(app::find(&env, args.app.as_deref()).await?))
}
