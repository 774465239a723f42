//! `cfsso recovery`: whether recovery from a lockout would work, before it has to.

pub mod check;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso recovery`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Check that both bypasses would work today
    Check(check::Args),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(args) => check::run(args, context).await,
    }
}
