//! The command line: a tree of nouns, the options that every command takes, and
//! one exhaustive match.

mod deferred;

use std::ffi::OsString;

use clap::{Args as _, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    Outcome, app, bypass, completions, connector, dig, doctor, drill, federation, help, idp,
    journal, man, preflight, sandbox, schema, setup, share, status, team, token, whoami,
};
use crate::context::Context;
use crate::settings::Options;
use deferred::Deferred;

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
    /// Show what each domain's sign-in goes through, and what is wrong
    Status(status::Args),
    /// Set a domain up, from the connector to enforced sign-in
    Setup(setup::Args),
    /// Check what `enable` checks, and change nothing
    Preflight(preflight::Args),
    /// Audit every connector, and what this machine left behind
    Doctor(doctor::Args),
    /// Work with connectors one step at a time
    #[command(subcommand, visible_alias = "connectors")]
    Connector(connector::Command),
    /// Work with identity providers
    #[command(subcommand, visible_alias = "idps")]
    Idp(Deferred<idp::Command>),
    /// Work with Access applications, above all the dashboard's sign-in
    #[command(subcommand, visible_alias = "apps")]
    App(Deferred<app::Command>),
    /// Look at the Zero Trust organization, and rename its team
    #[command(subcommand)]
    Team(Deferred<team::Command>),
    /// Say who is calling: the token's kind, its end and its accounts
    Whoami(whoami::Args),
    /// Check the token in use, and make one for emergencies
    #[command(subcommand)]
    Token(Deferred<token::Command>),
    /// Get back into the dashboard when nobody can sign in, and undo it
    Bypass(bypass::Args),
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
    Journal(Deferred<journal::Command>),
    /// Share an identity provider with other accounts of the organization
    #[command(subcommand)]
    Federation(Deferred<federation::Command>),
    /// Work with resource shares one step at a time
    #[command(subcommand, visible_alias = "shares")]
    Share(Deferred<share::Command>),
    /// Rehearse set-up, lockout and recovery in a simulator of its own
    Drill(drill::Args),
    /// Run the built-in simulator for other programs
    #[command(subcommand)]
    Sandbox(Deferred<sandbox::Command>),
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
        matches!(self, Self::Sandbox(Deferred(sandbox::Command::Serve(_))))
    }

    /// Whether the command may change nothing, whatever the options say.
    #[must_use]
    pub fn only_reads(&self) -> bool {
        matches!(self, Self::Drill(args) if args.against_profile)
    }

    /// Runs the command.
    pub async fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self {
            Self::Status(args) => status::run(args, context).await,
            Self::Setup(args) => setup::run(args, context).await,
            Self::Preflight(args) => preflight::run(args, context).await,
            Self::Doctor(args) => doctor::run(args, context).await,
            Self::Connector(command) => connector::run(command, context).await,
            Self::Idp(Deferred(command)) => idp::run(command, context).await,
            Self::App(Deferred(command)) => app::run(command, context).await,
            Self::Team(Deferred(command)) => team::run(command, context).await,
            Self::Whoami(args) => whoami::run(args, context).await,
            Self::Token(Deferred(command)) => token::run(command, context).await,
            Self::Bypass(args) => bypass::run(args, context).await,
            Self::Create(args) => connector::create::run(args, context).await,
            Self::Verify(args) => connector::verify::run(args, context).await,
            Self::Enable(args) => connector::enable::run(args, context).await,
            Self::Disable(args) => connector::disable::run(args, context).await,
            Self::Dig(args) => dig::run(args, context).await,
            Self::Journal(Deferred(command)) => journal::run(command, context).await,
            Self::Sandbox(Deferred(command)) => sandbox::run(command, context).await,
            Self::Drill(args) => drill::run(args, context).await,
            Self::Federation(Deferred(command)) => federation::run(command, context).await,
            Self::Share(Deferred(command)) => share::run(command, context).await,
            Self::Completions(args) => Ok(completions::run(&args)),
            Self::Man(args) => man::run(&args),
            Self::Schema(args) => schema::run(&args),
            Self::Help(args) => help::run(&args),
        }
    }
}

/// Reads a command line.
///
/// clap copies every global option to all commands beside the one that is
/// asked for, which takes longer than everything else here. So it is first
/// shown that one alone; whatever it does not understand it reads again
/// knowing all, so that errors and help are complete.
pub fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    narrowed(args)
        .and_then(|command| command.try_get_matches_from(args).ok())
        .and_then(|matches| Cli::from_arg_matches(&matches).ok())
        .map_or_else(|| Cli::try_parse_from(args), Ok)
}

/// The tree without the commands that no word of `args` names.
fn narrowed(args: &[OsString]) -> Option<clap::Command> {
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let all = Command::augment_subcommands(clap::Command::new("cfsso"));
    let root = Options::augment_args(clap::Command::new("cfsso"));
    Some(bare(root).subcommand(branch(&all, &mut words)?))
}

fn branch<'a>(
    parent: &clap::Command,
    words: &mut impl Iterator<Item = &'a str>,
) -> Option<clap::Command> {
    let command = words.find_map(|word| parent.find_subcommand(word))?;
    if !command.has_subcommands() {
        return Some(command.clone());
    }
    let aliases = command.get_all_aliases().map(str::to_owned);
    let alone = clap::Command::new(command.get_name().to_owned())
        .aliases(aliases)
        .args(command.get_arguments().cloned())
        .groups(command.get_groups().cloned());
    Some(bare(alone).subcommand(branch(command, words)?))
}

fn bare(command: clap::Command) -> clap::Command {
    command.subcommand_required(true).disable_help_subcommand(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_command_alone_is_read_as_among_all() {
        for line in [
            "cfsso connector list -o json",
            "cfsso connectors list",
            "cfsso -q connector --account 0123 get cool.cats --verbose",
            "cfsso dig cool.cats --short --server 127.0.0.1:53",
            "cfsso create cool.cats --if-not-exists --yes",
            "cfsso setup cool.cats --dry-run",
            "cfsso sandbox serve",
            "cfsso bypass disable --all --yes",
            "cfsso drill --unattended --fault 500",
            "cfsso help exit-codes",
        ] {
            let args = words(line);
            let matches = narrowed(&args).unwrap().try_get_matches_from(&args).unwrap();
            let alone = Cli::from_arg_matches(&matches);
            let among_all = Cli::try_parse_from(&args);
            assert_eq!(format!("{alone:?}"), format!("{among_all:?}"), "{line}");
        }
    }

    #[test]
    fn what_is_not_understood_alone_is_read_again() {
        for line in [
            "cfsso",
            "cfsso --version",
            "cfsso connector",
            "cfsso bypass",
            "cfsso connector help list",
            "cfsso --profile dig connector list",
            "cfsso conector list",
            "cfsso connector list --nonsense",
            "cfsso dig --help",
        ] {
            let args = words(line);
            let told = |cli: Result<Cli, clap::Error>| match cli {
                Ok(cli) => format!("{cli:?}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(told(parse(&args)), told(Cli::try_parse_from(&args)), "{line}");
        }
    }
}
