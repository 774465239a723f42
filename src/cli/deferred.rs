//! A noun whose verbs are described to clap only when it is the one asked for:
//! describing all of them takes longer than running most.

use clap::builder::Resettable;
use clap::{ArgMatches, Command, Error, FromArgMatches, Subcommand};

/// The verbs `T`, described late.
#[derive(Debug)]
pub struct Deferred<T>(pub T);

impl<T: FromArgMatches> FromArgMatches for Deferred<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        T::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0.update_from_arg_matches(matches)
    }
}

impl<T: Subcommand> Subcommand for Deferred<T> {
    fn augment_subcommands(command: Command) -> Command {
        command.defer(described::<T>)
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        command.defer(described::<T>)
    }

    fn has_subcommand(name: &str) -> bool {
        T::has_subcommand(name)
    }
}

/// What the noun says of itself stays: the verbs' own words would replace it.
fn described<T: Subcommand>(noun: Command) -> Command {
    let (about, long_about) = (noun.get_about().cloned(), noun.get_long_about().cloned());
    T::augment_subcommands(noun)
        .about(Resettable::from(about))
        .long_about(Resettable::from(long_about))
        .subcommand_required(true)
        .arg_required_else_help(true)
}
