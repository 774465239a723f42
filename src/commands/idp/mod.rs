pub mod ask;
mod body;
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
pub mod test;
pub mod types;
pub mod update;
pub mod view;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// List identity providers
    List(list::Args),
    /// Show an identity provider
    Get(get::Args),
    /// List identity provider types and their fields
    Types(types::Args),
    /// Create an identity provider
    Create(Box<body::Args>),
    /// Update an identity provider
    Update(Box<update::Args>),
    /// Replace the client secret of an identity provider
    RotateSecret(rotate_secret::Args),
    /// Test identity providers without signing in
    Check(check::Args),
    /// Show where to test an identity provider in a browser
    Test(test::Args),
    /// Delete an identity provider
    Delete(delete::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::List(args) => list::run(args, context).await,
        Command::Get(args) => get::run(args, context).await,
        Command::Types(args) => types::run(&args),
        Command::Create(args) => create::run(*args, context).await,
        Command::Update(args) => update::run(*args, context).await,
        Command::RotateSecret(args) => rotate_secret::run(args, context).await,
        Command::Check(args) => check::run(args, context).await,
        Command::Test(args) => test::run(args, context).await,
        Command::Delete(args) => delete::run(args, context).await,
    }
}
