pub mod audience;
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

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List sent and received shares
    List(list::Args),
    /// Show a share
    Get(get::Args),
    /// Share a resource with accounts or an organization
    Create(create::Args),
    /// Rename a share
    Update(update::Args),
    /// Delete a share
    Delete(delete::Args),
    /// Manage recipients of a share
    #[command(subcommand)]
    Recipients(recipients::Command),
    /// Manage resources of a share
    #[command(subcommand)]
    Resources(resources::Command),
}

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
