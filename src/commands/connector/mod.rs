//! `cfsso connector`: the connectors, one by one.

pub mod create;
pub mod delete;
pub mod disable;
pub mod enable;
pub mod get;
pub mod list;
pub mod update;
pub mod verify;
pub mod view;
pub mod wait;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso connector`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the connectors of the account
    List(list::Args),
    /// Show one connector
    Get(get::Args),
    /// Create the connector of an e-mail domain
    Create(create::Args),
    /// Change how a connector's sign-in page reads
    Update(update::Args),
    /// Check the TXT record and begin verification when it can succeed
    Verify(verify::Args),
    /// Enforce sign-in through the identity provider for the domain
    Enable(enable::Args),
    /// Stop enforcing sign-in through the identity provider
    Disable(disable::Args),
    /// Wait until a connector reads as wanted
    Wait(wait::Args),
    /// Delete a connector
    Delete(delete::Args),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Create(args) => create::run(args, context).await,
        Command::Update(args) => update::run(args, context).await,
        Command::Verify(args) => verify::run(args, context).await,
        Command::Enable(args) => enable::run(args, context).await,
        Command::Disable(args) => disable::run(args, context).await,
        Command::Wait(args) => wait::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
    }
}
