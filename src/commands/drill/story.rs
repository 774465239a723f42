//! The story that is rehearsed: its acts, the commands in them, and what is so
//! after each. Plain data.

use std::fmt;

use clap::FromArgMatches;

use super::super::{Outcome, app, bypass, connector, idp, setup};
use crate::context::Context;
use crate::output::ExitCode;

/// The identity provider of the company, by its name.
pub(super) const COMPANY: &str = "Company SSO";
/// What it is called in the addresses of the simulator.
pub(super) const SLUG: &str = "company";

/// A part of the story.
pub(super) struct Act {
    pub title: &'static str,
    pub about: &'static str,
    pub scenes: &'static [Scene],
}

/// A command, what happens right before it, and what is so after it.
pub(super) struct Scene {
    pub line: Line,
    pub outage: Option<Outage>,
    /// How the command has to end.
    pub exit: ExitCode,
    pub after: After,
    pub world: World,
}

/// What happens to the identity provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Begins,
    Ends,
}

/// What is so after a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct After {
    pub enforced: bool,
    /// Whether the sign-in admits the company's identity provider alone, and
    /// goes there without a choice.
    pub narrow: bool,
    /// The ways in; [`COMPANY`] is the name of the identity provider.
    pub ways: Ways,
}

/// The one way in that there is, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ways {
    Password,
    Pin,
    Company,
    None,
}

/// What is held of the whole simulator after a scene.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum World {
    /// It changed.
    Changed,
    /// It is what later ones are compared with.
    Remembered,
    /// It is as it was remembered, and no bypass is left to undo.
    AsBefore,
}

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    SetUp,
    Narrow,
    Enforce,
    Check,
    Otp,
    Disable,
    Undo,
}

const LOCKED_OUT: After = After { enforced: true, narrow: true, ways: Ways::None };

/// The story.
pub(super) const ACTS: [Act; 6] = [
    Act {
        title: "Set-up",
        about: "A domain is proven, and nothing is enforced yet.",
        scenes: &[Scene {
            line: Line::SetUp,
            outage: None,
            exit: ExitCode::Done,
            after: After { enforced: false, narrow: false, ways: Ways::Password },
            world: World::Changed,
        }],
    },
    Act {
        title: "Enforcement",
        about: "Everybody signs in through the identity provider, without a choice.",
        scenes: &[
            Scene {
                line: Line::Narrow,
                outage: None,
                exit: ExitCode::Done,
                after: After { enforced: false, narrow: true, ways: Ways::Password },
                world: World::Changed,
            },
            Scene {
                line: Line::Enforce,
                outage: None,
                exit: ExitCode::Done,
                after: After { enforced: true, narrow: true, ways: Ways::Company },
                world: World::Remembered,
            },
        ],
    },
    Act {
        title: "The identity provider breaks",
        about: "It answers nobody any more. SSO stays enforced, and keeps everybody out.",
        scenes: &[Scene {
            line: Line::Check,
            outage: Some(Outage::Begins),
            exit: ExitCode::Findings,
            after: LOCKED_OUT,
            world: World::AsBefore,
        }],
    },
    Act {
        title: "One way back: a PIN sent by e-mail",
        about: "SSO stays enforced, and the sign-in admits one-time PINs.",
        scenes: &[
            Scene {
                line: Line::Otp,
                outage: None,
                exit: ExitCode::Done,
                after: After { enforced: true, narrow: false, ways: Ways::Pin },
                world: World::Changed,
            },
            Scene {
                line: Line::Undo,
                outage: None,
                exit: ExitCode::Done,
                after: LOCKED_OUT,
                world: World::AsBefore,
            },
        ],
    },
    Act {
        title: "The other way back: no enforcement",
        about: "People sign in by password until the identity provider is back.",
        scenes: &[
            Scene {
                line: Line::Disable,
                outage: None,
                exit: ExitCode::Done,
                after: After { enforced: false, narrow: true, ways: Ways::Password },
                world: World::Changed,
            },
            Scene {
                line: Line::Undo,
                outage: None,
                exit: ExitCode::Done,
                after: LOCKED_OUT,
                world: World::AsBefore,
            },
        ],
    },
    Act {
        title: "The identity provider is back",
        about: "All is as it was before the lockout.",
        scenes: &[Scene {
            line: Line::Check,
            outage: Some(Outage::Ends),
            exit: ExitCode::Done,
            after: After { enforced: true, narrow: true, ways: Ways::Company },
            world: World::AsBefore,
        }],
    },
];

impl Line {
    /// The command, and its arguments.
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SetUp => ("setup", "cool.cats --publish-txt"),
            Self::Narrow => ("app instant-auth", "on --only oidc --yes"),
            Self::Enforce => ("enable", "cool.cats --yes"),
            Self::Check => ("idp check", "oidc"),
            Self::Otp => ("bypass otp", "--yes"),
            Self::Disable => ("bypass disable", "--all --yes"),
            Self::Undo => ("bypass undo", "--yes"),
        }
    }

    /// Runs the command itself, with the words that it is shown with.
    pub(super) async fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self {
            Self::SetUp => setup::run(self.args(), context).await,
            Self::Narrow => app::instant_auth::run(self.args(), context).await,
            Self::Enforce => connector::enable::run(self.args(), context).await,
            Self::Check => idp::check::run(self.args(), context).await,
            Self::Otp => bypass::otp::run(self.args(), context).await,
            Self::Disable => bypass::disable::run(self.args(), context).await,
            Self::Undo => bypass::undo::run(&self.args(), context).await,
        }
    }

    fn args<A: clap::Args + FromArgMatches>(self) -> A {
        let (name, rest) = self.words();
        // `--yes` is an option of every command: the stage has it set.
        let words = rest.split(' ').filter(|word| *word != "--yes");
        let command = A::augment_args(clap::Command::new(name).no_binary_name(true));
        command
            .try_get_matches_from(words)
            .and_then(|matches| A::from_arg_matches(&matches))
            .expect("a test reads each line of the story")
    }
}

impl Scene {
    /// What is seen besides, where it is what the command is for.
    pub(super) fn besides(&self) -> String {
        match (self.line, self.exit) {
            (Line::Check, ExitCode::Findings) => "the check fails. ".to_owned(),
            (Line::Narrow, _) => format!("the sign-in leads to {COMPANY} alone. "),
            _ => String::new(),
        }
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rest) = self.words();
        write!(f, "cfsso {name} {rest}")
    }
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sso = if self.enforced { "SSO is enforced" } else { "SSO is not enforced" };
        match self.ways {
            Ways::None => write!(f, "{sso}; nobody gets in"),
            Ways::Password => write!(f, "{sso}; people get in by password"),
            Ways::Pin => write!(f, "{sso}; people get in by a PIN sent by e-mail"),
            Ways::Company => write!(f, "{sso}; people get in through {COMPANY}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli;

    #[test]
    fn each_line_of_the_story_is_a_command_line() {
        let lines = ACTS.iter().flat_map(|act| act.scenes).map(|scene| scene.line);
        for line in lines {
            let words: Vec<_> = line.to_string().split(' ').map(Into::into).collect();
            assert!(cli::parse(&words).is_ok(), "{line}");
            match line {
                Line::SetUp => drop(line.args::<setup::Args>()),
                Line::Narrow => drop(line.args::<app::instant_auth::Args>()),
                Line::Enforce => drop(line.args::<connector::enable::Args>()),
                Line::Check => drop(line.args::<idp::check::Args>()),
                Line::Otp => drop(line.args::<bypass::otp::Args>()),
                Line::Disable => drop(line.args::<bypass::disable::Args>()),
                Line::Undo => drop(line.args::<bypass::undo::Args>()),
            }
        }
    }
}
