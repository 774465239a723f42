//! The steps of a drill, and the state expected after each.

use std::fmt;

use clap::FromArgMatches;

use super::super::{Outcome, app, bypass, connector, idp, setup};
use crate::context::Context;
use crate::output::ExitCode;

pub(super) const COMPANY: &str = "Company SSO";
pub(super) const SLUG: &str = "company";

pub(super) struct Phase {
    pub title: &'static str,
    pub about: &'static str,
    pub scenes: &'static [DrillStep],
}

pub(super) struct DrillStep {
    pub line: StepCommand,
    pub outage: Option<Outage>,
    pub user: Option<&'static str>,
    pub exit: ExitCode,
    pub after: Expected,
    pub world: StateCheck,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outage {
    Begins,
    Ends,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expected {
    pub enforced: bool,
    /// Whether only the company's identity provider is allowed, with instant authentication.
    pub only_company_idp: bool,
    /// [`COMPANY`] is the name of the identity provider.
    pub sign_in: SignIn,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SignIn {
    Password,
    Pin,
    Company,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateCheck {
    Changed,
    /// The state that later steps are compared with.
    Saved,
    /// Equal to the saved state, with no bypass left to undo.
    Unchanged,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StepCommand {
    SetUp,
    Narrow,
    Enforce,
    Check,
    Otp,
    Disable,
    Undo,
}

const SSO_OFF: Expected =
    Expected { enforced: false, only_company_idp: true, sign_in: SignIn::Password };
const SSO_ON: Expected =
    Expected { enforced: true, only_company_idp: true, sign_in: SignIn::Company };
const LOCKED_OUT: Expected =
    Expected { enforced: true, only_company_idp: true, sign_in: SignIn::None };

const UNDO: DrillStep = DrillStep::new(StepCommand::Undo, LOCKED_OUT, StateCheck::Unchanged);

pub(super) const ACTS: [Phase; 6] = [
    Phase {
        title: "Set-up",
        about: "The domain is verified; SSO is off.",
        scenes: &[DrillStep::new(
            StepCommand::SetUp,
            Expected { only_company_idp: false, ..SSO_OFF },
            StateCheck::Changed,
        )],
    },
    Phase {
        title: "Enforcement",
        about: "All users are to sign in through one identity provider. SSO is enabled on trial: \
                while the identity provider does not respond, then while it does.",
        scenes: &[
            DrillStep::new(StepCommand::Narrow, SSO_OFF, StateCheck::Saved),
            DrillStep {
                outage: Some(Outage::Begins),
                user: Some("tom@cool.cats"),
                exit: ExitCode::NotYet,
                ..DrillStep::new(StepCommand::Enforce, SSO_OFF, StateCheck::Unchanged)
            },
            DrillStep {
                outage: Some(Outage::Ends),
                user: Some("tom@cool.cats"),
                ..DrillStep::new(StepCommand::Enforce, SSO_ON, StateCheck::Saved)
            },
        ],
    },
    Phase {
        title: "The identity provider breaks",
        about: "It stops responding. SSO is on and blocks every sign-in.",
        scenes: &[DrillStep {
            outage: Some(Outage::Begins),
            exit: ExitCode::Findings,
            ..DrillStep::new(StepCommand::Check, LOCKED_OUT, StateCheck::Unchanged)
        }],
    },
    Phase {
        title: "Recovery with a one-time PIN",
        about: "SSO stays on, and the SSO App allows one-time PIN.",
        scenes: &[
            DrillStep::new(
                StepCommand::Otp,
                Expected { enforced: true, only_company_idp: false, sign_in: SignIn::Pin },
                StateCheck::Changed,
            ),
            UNDO,
        ],
    },
    Phase {
        title: "Recovery without SSO",
        about: "Users sign in with a password until the identity provider is back.",
        scenes: &[DrillStep::new(StepCommand::Disable, SSO_OFF, StateCheck::Changed), UNDO],
    },
    Phase {
        title: "The identity provider is back",
        about: "Everything is as before the lockout.",
        scenes: &[DrillStep {
            outage: Some(Outage::Ends),
            ..DrillStep::new(StepCommand::Check, SSO_ON, StateCheck::Unchanged)
        }],
    },
];

impl StepCommand {
    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::SetUp => ("setup", "cool.cats --publish-txt"),
            Self::Narrow => ("app instant-auth", "on --only oidc --yes"),
            Self::Enforce => ("enable", "cool.cats --trial --yes"),
            Self::Check => ("idp check", "oidc"),
            Self::Otp => ("bypass otp", "--yes"),
            Self::Disable => ("bypass disable", "--all --yes"),
            Self::Undo => ("bypass undo", "--yes"),
        }
    }

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
        // `--yes` is a global option, which the simulator's settings include.
        let words = rest.split(' ').filter(|word| *word != "--yes");
        let command = A::augment_args(clap::Command::new(name).no_binary_name(true));
        command
            .try_get_matches_from(words)
            .and_then(|matches| A::from_arg_matches(&matches))
            .expect("a test reads each line of the story")
    }
}

impl DrillStep {
    /// Without an outage and a user; the command succeeds.
    const fn new(line: StepCommand, after: Expected, world: StateCheck) -> Self {
        Self { line, outage: None, user: None, exit: ExitCode::Done, after, world }
    }

    /// An additional result to report, if it is the purpose of the command.
    pub(super) fn extra_result(&self) -> String {
        match (self.line, self.exit) {
            (StepCommand::Check, ExitCode::Findings) => "the check fails. ".to_owned(),
            (StepCommand::Enforce, ExitCode::NotYet) => "no user could sign in. ".to_owned(),
            (StepCommand::Enforce, _) => "a user signed in. ".to_owned(),
            (StepCommand::Narrow, _) => format!("only {COMPANY} is allowed. "),
            _ => String::new(),
        }
    }
}

impl fmt::Display for StepCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, rest) = self.words();
        write!(f, "cfsso {name} {rest}")
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sso = if self.enforced { "SSO on" } else { "SSO off" };
        match self.sign_in {
            SignIn::None => write!(f, "{sso}, no sign-in possible"),
            SignIn::Password => write!(f, "{sso}, sign-in with a password"),
            SignIn::Pin => write!(f, "{sso}, sign-in with a one-time PIN"),
            SignIn::Company => write!(f, "{sso}, sign-in through {COMPANY}"),
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
                StepCommand::SetUp => drop(line.args::<setup::Args>()),
                StepCommand::Narrow => drop(line.args::<app::instant_auth::Args>()),
                StepCommand::Enforce => drop(line.args::<connector::enable::Args>()),
                StepCommand::Check => drop(line.args::<idp::check::Args>()),
                StepCommand::Otp => drop(line.args::<bypass::otp::Args>()),
                StepCommand::Disable => drop(line.args::<bypass::disable::Args>()),
                StepCommand::Undo => drop(line.args::<bypass::undo::Args>()),
            }
        }
    }
}
