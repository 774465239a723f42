pub mod rename;
mod rename_output;
pub mod show;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show the Zero Trust organization and callback URLs
    Show(show::Args),
    /// Rename the team and restore SSO
    Rename(rename::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Show(args) => show::run(args, context).await,
        Command::Rename(args) => rename::run(args, context).await,
    }
}
