//! The commands: each file has a command's arguments, what it does and how its result is shown.

pub mod app;
pub mod bypass;
pub mod completions;
pub mod config;
pub mod connector;
pub mod desired;
pub mod diagnose;
pub mod dig;
pub mod doctor;
pub mod drill;
pub mod federation;
pub mod fleet;
pub mod help;
pub mod idp;
pub mod impact;
pub mod journal;
pub mod logins;
pub mod man;
mod odd;
pub mod plan_output;
pub mod preflight;
pub mod recovery;
pub mod sandbox;
pub mod schema;
mod secret_file;
pub mod setup;
pub mod share;
pub mod status;
pub mod team;
pub mod timeline;
pub mod token;
pub mod undo_output;
pub mod update_output;
pub mod version;
pub mod web;
pub mod whoami;

use crate::output::{ExitCode, Report};

/// `words` starts with the name of the command.
fn parse<T: clap::Args>(words: &[String]) -> anyhow::Result<T> {
    let command = T::augment_args(clap::Command::new("cfsso"));
    Ok(T::from_arg_matches(&command.try_get_matches_from(words)?)?)
}

pub struct Outcome {
    pub report: Option<Box<dyn Report>>,
    pub exit: ExitCode,
    /// Set with a report if the command failed but has something to show.
    pub failure: Option<anyhow::Error>,
}

impl Outcome {
    pub fn done(report: impl Report + 'static) -> Self {
        Self::of(Box::new(report))
    }

    pub fn of(report: Box<dyn Report>) -> Self {
        Self { report: Some(report), exit: ExitCode::Done, failure: None }
    }

    /// Done; everything is printed already.
    pub fn silent() -> Self {
        Self { report: None, exit: ExitCode::Done, failure: None }
    }

    pub fn exit(mut self, exit: ExitCode) -> Self {
        self.exit = exit;
        self
    }

    pub fn failed(mut self, failure: Option<anyhow::Error>) -> Self {
        self.failure = failure;
        self
    }
}
