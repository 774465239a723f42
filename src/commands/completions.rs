//! `cfsso completions`: a script for a shell.

use clap::Command;
use clap_complete::Shell;

use super::Outcome;
use super::help::HelpText;
use crate::completion;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso completions bash > /etc/bash_completion.d/cfsso
  echo 'source <(cfsso completions bash --dynamic)' >> ~/.bashrc
  cfsso completions zsh > ~/.zfunc/_cfsso")]
pub struct Args {
    /// Shell
    shell: Shell,

    /// Complete domains, identity providers, apps and journal entries, too
    #[arg(long)]
    dynamic: bool,
}

pub fn run(args: &Args, mut tree: Command) -> anyhow::Result<Outcome> {
    if args.dynamic {
        let script = completion::script(&args.shell.to_string())?;
        return Ok(Outcome::done(HelpText(script)));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "cfsso", &mut script);
    Ok(Outcome::done(HelpText(String::from_utf8_lossy(&script).into_owned())))
}
