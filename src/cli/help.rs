//! Layout of the help: commands in groups, and the global options on a page of their own.

use clap::builder::StyledStr;
use clap::{ArgAction, Command};

const GROUPS: &[(&str, &[&str])] = &[
    ("Set up", &["setup", "connector", "idp", "app", "federation", "team"]),
    ("Operate", &["status", "doctor", "preflight", "dig"]),
    ("Recover", &["bypass", "recovery", "diagnose", "journal"]),
    ("Learn and test", &["drill", "sandbox", "help"]),
];

const OPTIONS: &str = "\
Options
  -o, --output <FORMAT>    table, json, ndjson, yaml, name, markdown
      --account <ACCOUNT>  Account to use: ID or name
      --dry-run            Print the requests without sending them
      --sandbox            Use the built-in simulator
  -h, --help / -V, --version
  cfsso help options       All options that every command accepts

Examples
  cfsso setup cool.cats
  cfsso status
  cfsso bypass
";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// The output of `cfsso` without a command.
    Overview,
    /// `-h`: usage, arguments and options.
    Short,
    /// `--help`: with explanations and examples.
    Long,
}

pub fn lay_out(mut tree: Command, length: Length) -> Command {
    tree.build();
    let overview = overview(&tree, length);
    let commands: Vec<_> = tree.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in commands {
        tree = tree.mut_subcommand(name, |command| page(command, length));
    }
    compact(tree).override_help(overview)
}

fn page(mut command: Command, length: Length) -> Command {
    let names: Vec<_> = command.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(name, |command| page(command, length));
    }
    let called = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let long = command.get_long_about().cloned().filter(|_| length == Length::Long);
    let about = long.or_else(|| command.get_about().cloned()).unwrap_or_default();
    let examples = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let end = match length {
        Length::Overview | Length::Short => format!("Examples: {called} --help"),
        Length::Long => format!("{examples}\n\nOptions of every command: cfsso help options"),
    };
    let command = command.mut_args(|arg| {
        let hidden = arg.is_hide_set() || arg.is_global_set();
        arg.hide(hidden)
    });
    compact(command).about(about).after_help(end.trim_start().to_owned())
}

/// Makes `-h` and `--help` equally compact; they differ only in content.
fn compact(command: Command) -> Command {
    command.mut_args(|arg| match arg.get_id().as_str() {
        "help" => arg.action(ArgAction::HelpShort).help("Print help"),
        _ => arg,
    })
}

fn overview(tree: &Command, length: Length) -> StyledStr {
    use std::fmt::Write as _;
    let mut text = StyledStr::new();
    if length != Length::Overview {
        let _ = write!(text, "{}\n\n", tree.get_about().cloned().unwrap_or_default());
    }
    let _ = write!(text, "Usage: cfsso <COMMAND> [OPTIONS]\n\n");
    for (title, names) in GROUPS {
        let _ = writeln!(text, "{title}");
        for name in *names {
            let about = tree.find_subcommand(name).and_then(Command::get_about);
            let _ = writeln!(text, "  {name:<12} {}", about.cloned().unwrap_or_default());
        }
        if length != Length::Overview {
            let _ = writeln!(text);
        }
    }
    match length {
        Length::Overview => {
            let _ = writeln!(text, "Options and examples: cfsso --help");
        }
        Length::Short | Length::Long => {
            let others = tree.get_subcommands().map(Command::get_name);
            let others: Vec<_> = others.filter(|name| !is_grouped(name)).collect();
            let (first, second) = others.split_at(others.len() / 2);
            let (first, second) = (first.join(", "), second.join(", "));
            let _ = write!(text, "Also: {first},\n      {second}\n\n{OPTIONS}");
        }
    }
    text
}

fn is_grouped(name: &str) -> bool {
    GROUPS.iter().any(|(_, names)| names.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::tree;

    const WIDE: &[&str] = &["cfsso idp create", "cfsso idp update"];

    fn pages(command: &Command, found: &mut Vec<(String, String)>) {
        let called = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
        found.push((called, command.clone().render_help().to_string()));
        command.get_subcommands().for_each(|command| pages(command, found));
    }

    fn rendered(width: usize) -> Vec<(String, String)> {
        let mut found = Vec::new();
        pages(&lay_out(tree().term_width(width), Length::Long), &mut found);
        found
    }

    #[test]
    fn every_page_is_read_at_a_glance() {
        for (command, text) in rendered(100) {
            let most = match command.as_str() {
                "cfsso" => 50,
                command if WIDE.contains(&command) => 60,
                _ => 40,
            };
            let lines = text.lines().count();
            assert!(lines <= most, "{command}: {lines} lines\n{text}");
        }
    }

    #[test]
    fn every_page_fits_80_columns() {
        for (command, text) in rendered(80) {
            let wide: Vec<_> = text.lines().filter(|line| line.chars().count() > 80).collect();
            assert!(wide.is_empty(), "{command}: {wide:#?}");
        }
    }

    #[test]
    fn the_overview_fits_a_terminal_and_names_commands_that_exist() {
        let text = lay_out(tree(), Length::Overview).render_help().to_string();
        assert!(text.lines().count() <= 24, "{text}");
        let tree = tree();
        for name in GROUPS.iter().flat_map(|(_, names)| *names) {
            assert!(tree.find_subcommand(name).is_some(), "{name}");
        }
        let flags = OPTIONS.split_whitespace().filter_map(|word| word.strip_prefix("--"));
        for flag in flags.filter(|flag| !["help", "version"].contains(flag)) {
            assert!(tree.get_arguments().any(|arg| arg.get_long() == Some(flag)), "{flag}");
        }
    }
}
