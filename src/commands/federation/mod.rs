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

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Show shared identity providers and recipients
    Status(status::Args),
    /// Share an identity provider and wait until available
    Share(share::Args),
    /// Stop sharing an identity provider
    Unshare(unshare::Args),
    /// List federation grants
    List(list::Args),
    /// Show a federation grant
    Get(get::Args),
    /// Create a federation grant
    Create(create::Args),
    /// Delete a federation grant
    Delete(delete::Args),
}

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
