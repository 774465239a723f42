//! `cfsso app get`: one request.

use super::super::Outcome;
use crate::context::Context;
use crate::flow::app;

/// Arguments of `app get`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app get
  cfsso app get Wiki -o json")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,
}

/// Shows one application.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    Ok(Outcome::done(app::find(&tools, args.app.as_deref()).await?))
}
