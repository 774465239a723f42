//! Describes commands to clap on demand: describing all of them takes longer than running most.

use clap::builder::Resettable;
use clap::{ArgMatches, Args, Command, Error, FromArgMatches, Subcommand};

/// A command's arguments or a noun's verbs, described to clap on demand.
#[derive(Debug)]
pub struct LazyCommand<T>(pub T);

impl<T: FromArgMatches> FromArgMatches for LazyCommand<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches_mut(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for LazyCommand<T> {
    fn augment_args(command: Command) -> Command {
        command.defer(|command| keeping_its_words(command, T::augment_args))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<T: Subcommand> Subcommand for LazyCommand<T> {
    fn augment_subcommands(command: Command) -> Command {
        command.defer(|noun| {
            let noun = keeping_its_words(noun, T::augment_subcommands);
            with_aliases(noun).subcommand_required(true).arg_required_else_help(true)
        })
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

/// Hidden aliases: the verbs of other tools.
const ALIASES: &[(&str, &[&str])] = &[
    ("list", &["ls"]),
    ("get", &["show", "view"]),
    ("delete", &["rm"]),
    ("remove", &["rm"]),
    ("create", &["new", "add"]),
    ("update", &["edit", "set"]),
];

pub fn is_alias(verb: &str) -> bool {
    ALIASES.iter().any(|(_, others)| others.contains(&verb))
}

fn with_aliases(mut noun: Command) -> Command {
    for (verb, others) in ALIASES {
        let is_free = |name: &&&str| noun.find_subcommand(name).is_none();
        let others: Vec<_> = others.iter().filter(is_free).copied().collect();
        if noun.find_subcommand(verb).is_some() {
            noun = noun.mut_subcommand(verb, |command| command.aliases(others));
        }
    }
    noun
}

/// Keeps the command's summary, which `describe` would replace.
fn keeping_its_words(command: Command, describe: fn(Command) -> Command) -> Command {
    let (about, long_about) = (command.get_about().cloned(), command.get_long_about().cloned());
    describe(command).about(Resettable::from(about)).long_about(Resettable::from(long_about))
}
