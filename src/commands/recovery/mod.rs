mod bundle;
pub mod card;
pub mod check;
pub mod prepare;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Prepare an emergency token and a recovery card
    Prepare(prepare::Args),
    /// Check that both bypasses would work today
    Check(check::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Prepare(args) => prepare::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
    }
}
