pub mod login;
pub mod reset;
pub mod serve;

use clap::Subcommand;

use super::Outcome;
use crate::context::Context;

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Serve the simulator and print its environment
    Serve(serve::Args),
    /// Sign a user in to the simulator's dashboard
    Login(login::Args),
    /// Delete the simulator's state
    Reset(reset::Args),
}

pub async fn run(command: Command, context: &Context) -> anyhow::Result<Outcome> {
    match command {
        Command::Serve(args) => serve::run(args, context).await,
        Command::Login(args) => login::run(args, context).await,
        Command::Reset(args) => reset::run(args, context).await,
    }
}
