//! `cfsso man`: the manual, one page a command.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use super::Outcome;
use super::help::HelpText;

/// Arguments of `man`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso man | man -l -
  cfsso man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// Write a page for every command into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

/// Prints or writes the manual of a tree of commands.
pub fn run(args: &Args, mut command: Command) -> anyhow::Result<Outcome> {
    command.build();
    match &args.dir {
        None => Ok(Outcome::done(HelpText(page(&command)?))),
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("cannot make the folder {}", dir.display()))?;
            let count = write(&command, dir)?;
            Ok(Outcome::done(HelpText(format!("{count} pages written to {}\n", dir.display()))))
        }
    }
}

fn page(command: &Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn write(command: &Command, dir: &Path) -> anyhow::Result<usize> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let file = dir.join(format!("{name}.1"));
    std::fs::write(&file, page(command)?)
        .with_context(|| format!("cannot write {}", file.display()))?;
    command.get_subcommands().try_fold(1, |count, command| Ok(count + write(command, dir)?))
}
