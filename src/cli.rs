//! The command line: a tree of nouns, the options that every command takes, and
//! one exhaustive match.

use clap::{Parser, Subcommand};

use crate::commands::{
    Outcome, app, completions, connector, dig, federation, help, journal, man, sandbox, schema,
    setup, share, team,
};
use crate::context::Context;
use crate::settings::Options;

/// Set up, guard and recover Cloudflare dashboard SSO
#[derive(Parser, Debug)]
#[command(
    name = "cfsso",
    version,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = "Try it without an account:
  cfsso --sandbox setup cool.cats --publish-txt --enable --yes

See `cfsso help exit-codes`, `cfsso help environment` and `cfsso help json`."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// The options that every command takes.
    #[command(flatten)]
    pub options: Options,
}

/// The commands.
#[derive(Subcommand, Debug)]
pub enum Command {
    /// Set a domain up, from the connector to enforced sign-in
    Setup(setup::Args),
    /// Work with connectors one step at a time
    #[command(subcommand, visible_alias = "connectors")]
    Connector(connector::Command),
    /// Work with Access applications, above all the dashboard's sign-in
    #[command(subcommand, visible_alias = "apps")]
    App(app::Command),
    /// Look at the Zero Trust organization
    #[command(subcommand)]
    Team(team::Command),
    /// Short for `connector create`
    Create(connector::create::Args),
    /// Short for `connector verify`
    Verify(connector::verify::Args),
    /// Short for `connector enable`
    Enable(connector::enable::Args),
    /// Short for `connector disable`
    Disable(connector::disable::Args),
    /// Show what the name servers serve at a domain, and what it means
    Dig(dig::Args),
    /// Show what this machine changed, and put it back
    #[command(subcommand)]
    Journal(journal::Command),
    /// Share an identity provider with other accounts of the organization
    #[command(subcommand)]
    Federation(federation::Command),
    /// Work with resource shares one step at a time
    #[command(subcommand, visible_alias = "shares")]
    Share(share::Command),
    /// Run the built-in simulator for other programs
    #[command(subcommand)]
    Sandbox(sandbox::Command),
    /// Print a script that completes commands in a shell
    Completions(completions::Args),
    /// Print the manual page
    Man(man::Args),
    /// Print the JSON Schema of a result
    Schema(schema::Args),
    /// Explain a command or a topic
    Help(help::Args),
}

impl Command {
    /// Commands that need neither settings nor account run at once.
    #[must_use]
    pub fn run_alone(&self) -> Option<anyhow::Result<Outcome>> {
        match self {
            Self::Completions(args) => Some(Ok(completions::run(args))),
            Self::Man(args) => Some(man::run(args)),
            Self::Schema(args) => Some(schema::run(args)),
            Self::Help(args) => Some(help::run(args)),
            _ => None,
        }
    }

    /// Whether the command runs until it is interrupted, and that is its end.
    #[must_use]
    pub fn is_service(&self) -> bool {
        matches!(self, Self::Sandbox(sandbox::Command::Serve(_)))
    }

    /// Runs the command.
    pub async fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self {
            Self::Setup(args) => setup::run(args, context).await,
            Self::Connector(command) => connector::run(command, context).await,
            Self::App(command) => app::run(command, context).await,
            Self::Team(command) => team::run(command, context).await,
            Self::Create(args) => connector::create::run(args, context).await,
            Self::Verify(args) => connector::verify::run(args, context).await,
            Self::Enable(args) => connector::enable::run(args, context).await,
            Self::Disable(args) => connector::disable::run(args, context).await,
            Self::Dig(args) => dig::run(args, context).await,
            Self::Journal(command) => journal::run(command, context).await,
            Self::Federation(command) => federation::run(command, context).await,
            Self::Share(command) => share::run(command, context).await,
            Self::Sandbox(command) => sandbox::run(command, context).await,
            Self::Completions(args) => Ok(completions::run(&args)),
            Self::Man(args) => man::run(&args),
            Self::Schema(args) => schema::run(&args),
            Self::Help(args) => help::run(&args),
        }
    }
}
