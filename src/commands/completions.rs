//! `cfsso completions`: a script for a shell.

use clap::CommandFactory;
use clap_complete::Shell;

use super::Outcome;
use super::help::Printed;
use crate::cli::Cli;

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso completions bash > /etc/bash_completion.d/cfsso
  cfsso completions zsh > ~/.zfunc/_cfsso")]
pub struct Args {
    /// Shell to write the script for
    shell: Shell,
}

/// Prints the script.
#[must_use]
pub fn run(args: &Args) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "cfsso", &mut script);
    Outcome::done(Printed(String::from_utf8_lossy(&script).into_owned()))
}
