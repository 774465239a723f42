pub mod check;
pub mod create_break_glass;
pub mod create_url;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check a token: owner, expiry, permissions
    Check(check::Args),
    /// Create an emergency token that can disable SSO
    CreateBreakGlass(create_break_glass::Args),
    /// Print a link to create a token in the dashboard
    CreateUrl(create_url::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(args) => check::run(args, context).await,
        Command::CreateBreakGlass(args) => create_break_glass::run(args, context).await,
        Command::CreateUrl(args) => Ok(create_url::run(&args, context)),
    }
}
