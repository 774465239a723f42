pub mod get;
pub mod idp_initiated;
pub mod idps;
pub mod instant_auth;
pub mod list;
pub mod policies;
pub mod rule;
pub mod update;
pub mod view;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List applications
    List(list::Args),
    /// Show an application
    Get(get::Args),
    /// Update fields of an application
    Update(update::Args),
    /// Explain the policies of an application
    Policies(policies::Args),
    /// Show or change the allowed identity providers
    Idps(idps::Args),
    /// Turn instant authentication on or off
    InstantAuth(instant_auth::Args),
    /// Show the values for IdP-initiated sign-in
    IdpInitiated(idp_initiated::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Update(args) => update::run(args, context).await,
        Command::Policies(args) => policies::run(args, context).await,
        Command::Idps(args) => idps::run(args, context).await,
        Command::InstantAuth(args) => instant_auth::run(args, context).await,
        Command::IdpInitiated(args) => idp_initiated::run(args, context).await,
    }
}
