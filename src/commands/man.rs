use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;

use super::Outcome;
use crate::flow::FlowError;
use crate::output::Literal;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso man | man -l -
  cfsso man connector enable | man -l -
  cfsso man --dir ~/.local/share/man/man1")]
pub struct Args {
    /// Command whose page to print (default: cfsso)
    #[arg(value_name = "COMMAND", conflicts_with = "dir")]
    words: Vec<String>,

    /// Write one page per command into this folder
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
}

pub fn run(args: &Args, command: &Command) -> anyhow::Result<Outcome> {
    match &args.dir {
        None => Ok(Outcome::done(Literal(page(find(command, &args.words)?)?))),
        Some(dir) => {
            std::fs::create_dir_all(dir)
                .with_context(|| format!("cannot create the directory {}", dir.display()))?;
            let count = write(command, dir)?;
            Ok(Outcome::done(Literal(format!("{count} pages written to {}\n", dir.display()))))
        }
    }
}

fn find<'a>(tree: &'a Command, words: &[String]) -> Result<&'a Command, FlowError> {
    words.iter().try_fold(tree, |command, word| command.find_subcommand(word)).ok_or_else(|| {
        let message = format!("no command `{}`", words.join(" "));
        FlowError::usage(message).hint("`cfsso --help`")
    })
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
