//! `cfsso share`: resource shares, one step at a time.

pub mod create;
pub mod delete;
pub mod get;
pub mod list;
pub mod paging;
pub mod recipients;
pub mod resources;
pub mod update;
pub mod view;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso share`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the shares that the account sends and receives
    List(list::Args),
    /// Show one share
    Get(get::Args),
    /// Share a resource with accounts or an organization
    Create(create::Args),
    /// Give a share another name
    Update(update::Args),
    /// Delete a share
    Delete(delete::Args),
    /// Work with the recipients of a share
    #[command(subcommand)]
    Recipients(recipients::Command),
    /// Work with the resources of a share
    #[command(subcommand)]
    Resources(resources::Command),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Create(args) => create::run(args, context).await,
        Command::Update(args) => update::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
        Command::Recipients(command) => recipients::run(command, context).await,
        Command::Resources(command) => resources::run(command, context).await,
    }
}
