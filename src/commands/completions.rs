use std::io;

use clap::Command;
use clap_complete::Shell;
use clap_complete::env::Shells;

use super::Outcome;
use crate::output::Literal;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso completions bash > /etc/bash_completion.d/cfsso
  echo 'source <(cfsso completions bash --dynamic)' >> ~/.bashrc
  cfsso completions zsh > ~/.zfunc/_cfsso")]
pub struct Args {
    /// Shell
    shell: Shell,

    /// Also complete domains, identity providers, apps and journal entries
    #[arg(long)]
    dynamic: bool,
}

/// Set by the script of `--dynamic` to the shell's name.
pub const VARIABLE: &str = "CFSSO_COMPLETE";

pub fn run(args: &Args, mut tree: Command) -> anyhow::Result<Outcome> {
    if args.dynamic {
        let script = dynamic(&args.shell.to_string())?;
        return Ok(Outcome::done(Literal(script)));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut tree, "cfsso", &mut script);
    Ok(Outcome::done(Literal(String::from_utf8_lossy(&script).into_owned())))
}

fn dynamic(shell: &str) -> io::Result<String> {
    let shells = Shells::builtins();
    let unknown = || io::Error::other(format!("no dynamic completions for {shell}"));
    let mut text = Vec::new();
    let shell = shells.completer(shell).ok_or_else(unknown)?;
    shell.write_registration(VARIABLE, "cfsso", "cfsso", "cfsso", &mut text)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}
