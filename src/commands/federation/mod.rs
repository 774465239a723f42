//! `cfsso federation`: identity providers that other accounts use.

pub mod create;
pub mod delete;
pub mod get;
pub mod graph;
pub mod list;
pub mod share;
pub mod status;
pub mod steps;
pub mod unshare;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso federation`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show what is shared, with whom, and what was left behind
    Status(status::Args),
    /// Share an identity provider: grant, share, and wait until it is there
    Share(share::Args),
    /// Take a shared identity provider back
    Unshare(unshare::Args),
    /// List the federation grants of the account
    List(list::Args),
    /// Show one federation grant
    Get(get::Args),
    /// Create the federation grant of an identity provider
    Create(create::Args),
    /// Delete a federation grant: every recipient loses the identity provider
    Delete(delete::Args),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Status(args) => status::run(args, context).await,
        Command::Share(args) => share::run(args, context).await,
        Command::Unshare(args) => unshare::run(args, context).await,
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Create(args) => create::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
    }
}
