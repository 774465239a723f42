//! `cfsso token`: the token in use, and one for emergencies.

pub mod check;
pub mod create_break_glass;
mod file;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso token`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Say whose the token is, when it ends and what it may read
    Check(check::Args),
    /// Make a token that can switch SSO off when nobody can sign in
    CreateBreakGlass(create_break_glass::Args),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(args) => check::run(args, context).await,
        Command::CreateBreakGlass(args) => create_break_glass::run(args, context).await,
    }
}
