mod affected;
pub mod create;
pub mod delete;
pub mod disable;
pub mod enable;
pub mod get;
pub mod keep;
pub mod list;
pub mod trial;
pub mod update;
pub mod verify;
pub mod view;
pub mod wait;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List connectors
    List(list::Args),
    /// Show a connector
    Get(get::Args),
    /// Create a connector for an email domain
    Create(create::Args),
    /// Change the FedRAMP language of a connector
    Update(update::Args),
    /// Check the TXT record and start verification
    Verify(verify::Args),
    /// Enable SSO for a domain
    Enable(enable::Args),
    /// Keep SSO enabled after a trial
    Keep(keep::Args),
    /// Disable SSO for a domain
    Disable(disable::Args),
    /// Wait for a connector to reach a state
    Wait(wait::Args),
    /// Delete a connector
    Delete(delete::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Create(args) => create::run(args, context).await,
        Command::Update(args) => update::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Enable(args) => Box::pin(enable::run(args, context)).await,
        Command::Keep(args) => keep::run(args, context).await,
        Command::Disable(args) => disable::run(args, context).await,
        Command::Wait(args) => wait::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
    }
}
