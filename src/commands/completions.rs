//! `cfsso completions`: a script for a shell.

use clap::Command;
use clap_complete::Shell;

use super::Outcome;
use super::help::HelpText;

/// Arguments of `completions`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso completions bash > /etc/bash_completion.d/cfsso
  cfsso completions zsh > ~/.zfunc/_cfsso")]
pub struct Args {
    /// Shell
    shell: Shell,
}

/// Prints the script for a tree of commands.
pub fn run(args: &Args, mut tree: Command) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "cfsso", &mut script);
    Outcome::done(HelpText(String::from_utf8_lossy(&script).into_owned()))
}
