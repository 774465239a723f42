//! `cfsso idp`: the identity providers.

pub mod check;
pub mod copy;
pub mod create;
pub mod delete;
pub mod discovery_args;
pub mod fields;
pub mod file;
pub mod get;
pub mod list;
pub mod rotate_secret;
pub mod scim;
pub mod secret;
pub mod types;
pub mod update;
pub mod view;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

/// The verbs of `cfsso idp`.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// List the identity providers of the account
    List(list::Args),
    /// Show one identity provider
    Get(get::Args),
    /// List the types of identity providers and their fields
    Types(types::Args),
    /// Create an identity provider
    Create(Box<create::Args>),
    /// Change an identity provider
    Update(Box<update::Args>),
    /// Give an identity provider a new secret
    RotateSecret(rotate_secret::Args),
    /// Prove what can be proven of identity providers without a login
    Check(check::Args),
    /// Delete an identity provider
    Delete(delete::Args),
}

/// Runs a verb.
pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Types(args) => types::run(&args),
        Command::Create(args) => create::run(*args, context).await,
        Command::Update(args) => update::run(*args, context).await,
        Command::RotateSecret(args) => rotate_secret::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
    }
}
