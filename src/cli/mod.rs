//! The command line: a tree of nouns, the global options, and one exhaustive match.

pub(crate) mod help;
mod lazy;
pub(crate) mod usage;

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::commands::{
    Outcome, app, bypass, completions, config, connector, desired, diagnose, dig, doctor, drill,
    federation, help as topics, idp, impact, journal, logins, man, preflight, recovery, sandbox,
    schema, setup, share, status, team, timeline, token, version, whoami,
};
use crate::context::Context;
use crate::settings::{FileUse, Options};
use help::Length;
use lazy::LazyCommand;

/// Set up, operate and recover Cloudflare dashboard SSO
#[derive(Parser, Debug)]
#[command(name = "cfsso", version, disable_help_subcommand = true, max_term_width = 100)]
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
    /// Show the sign-in chain of each domain
    Status(LazyCommand<status::Args>),
    /// Set up SSO for a domain, step by step
    Setup(LazyCommand<setup::Args>),
    /// Run the checks of `enable` without enabling
    Preflight(LazyCommand<preflight::Args>),
    /// Show who is affected by SSO for a domain
    Impact(LazyCommand<impact::Args>),
    /// Audit the account for SSO problems
    Doctor(LazyCommand<doctor::Args>),
    /// Manage SSO connectors
    #[command(subcommand, visible_alias = "connectors")]
    Connector(LazyCommand<connector::Command>),
    /// Manage identity providers
    #[command(subcommand, visible_alias = "idps")]
    Idp(LazyCommand<idp::Command>),
    /// Manage Access applications and the SSO App
    #[command(subcommand, visible_alias = "apps")]
    App(LazyCommand<app::Command>),
    /// Show or rename the Zero Trust team
    #[command(subcommand)]
    Team(LazyCommand<team::Command>),
    /// Show the token in use: type, expiry, accounts
    Whoami(LazyCommand<whoami::Args>),
    /// Check API tokens, create an emergency token
    #[command(subcommand)]
    Token(LazyCommand<token::Command>),
    /// Restore access when SSO is down, undo it later
    Bypass(LazyCommand<bypass::Args>),
    /// Alias for `connector create`
    Create(LazyCommand<connector::create::Args>),
    /// Alias for `connector verify`
    Verify(LazyCommand<connector::verify::Args>),
    /// Alias for `connector enable`
    Enable(LazyCommand<connector::enable::Args>),
    /// Alias for `connector disable`
    Disable(LazyCommand<connector::disable::Args>),
    /// Prepare for a lockout, check that recovery works
    #[command(subcommand)]
    Recovery(LazyCommand<recovery::Command>),
    /// Find out why a user cannot sign in
    Diagnose(LazyCommand<diagnose::Args>),
    /// List changes and denied sign-ins, oldest first
    Timeline(LazyCommand<timeline::Args>),
    /// List sign-ins from the Access login log
    Logins(LazyCommand<logins::Args>),
    /// Check a domain's TXT records on every name server
    Dig(LazyCommand<dig::Args>),
    /// List and undo changes made from this machine
    #[command(subcommand)]
    Journal(LazyCommand<journal::Command>),
    /// Share an identity provider with other accounts
    #[command(subcommand)]
    Federation(LazyCommand<federation::Command>),
    /// Manage resource shares
    #[command(subcommand, visible_alias = "shares")]
    Share(LazyCommand<share::Command>),
    /// Export the account's state as a file for `plan` and `apply`
    Export(LazyCommand<desired::export::Args>),
    /// Show what `apply` would change
    Plan(LazyCommand<desired::plan::Args>),
    /// Change accounts to match a file, many domains at once
    Apply(LazyCommand<desired::apply::Args>),
    /// Rehearse a lockout in the simulator
    Drill(LazyCommand<drill::Args>),
    /// Run the built-in API simulator
    #[command(subcommand)]
    Sandbox(LazyCommand<sandbox::Command>),
    /// Show the settings and where they come from
    #[command(subcommand)]
    Config(LazyCommand<config::Command>),
    /// Generate a shell completion script
    #[command(alias = "completion")]
    Completions(LazyCommand<completions::Args>),
    /// Generate manual pages
    Man(LazyCommand<man::Args>),
    /// Print JSON Schemas of the output
    Schema(LazyCommand<schema::Args>),
    /// Show version, commit and target
    Version(LazyCommand<version::Args>),
    /// Show help for a command or topic
    Help(LazyCommand<topics::Args>),
}

impl Command {
    /// Runs commands that need neither settings nor account; `None` for others.
    pub fn run_without_context(&self) -> Option<anyhow::Result<Outcome>> {
        match self {
            Self::Completions(LazyCommand(args)) => Some(completions::run(args, tree())),
            Self::Man(LazyCommand(args)) => {
                Some(man::run(args, &help::lay_out(tree(), Length::Long)))
            }
            Self::Schema(LazyCommand(args)) => Some(schema::run(args)),
            Self::Version(_) => Some(Ok(version::run())),
            Self::Help(LazyCommand(args)) => {
                Some(topics::run(args, help::lay_out(tree(), Length::Long)))
            }
            _ => None,
        }
    }

    /// Whether a command without context has a result for programs. The texts of help stay texts
    /// unless `-o` asks for another format.
    pub fn is_report_without_context(&self) -> bool {
        matches!(self, Self::Version(_))
    }

    /// Whether the command runs until it is interrupted.
    pub fn is_long_running(&self) -> bool {
        match self {
            Self::Sandbox(LazyCommand(command)) => matches!(command, sandbox::Command::Serve(_)),
            Self::Logins(LazyCommand(args)) => args.watch,
            _ => false,
        }
    }

    /// Whether the command uses the simulator without `--sandbox`.
    pub fn starts_simulator(&self) -> bool {
        matches!(self, Self::Sandbox(_) | Self::Drill(_))
    }

    pub fn is_paged(&self) -> bool {
        matches!(self, Self::Help(LazyCommand(args)) if !args.no_pager)
    }

    /// Whether the command may change nothing, whatever the options say.
    pub fn is_read_only(&self) -> bool {
        match self {
            Self::Drill(LazyCommand(args)) => args.against_profile,
            Self::Plan(_) => true,
            _ => false,
        }
    }

    pub fn reads_several_accounts(&self) -> bool {
        match self {
            Self::Status(_) | Self::Doctor(_) | Self::Logins(_) => true,
            Self::Connector(LazyCommand(command)) => {
                matches!(command, connector::Command::List(_))
            }
            Self::Idp(LazyCommand(command)) => matches!(command, idp::Command::Check(_)),
            Self::Recovery(LazyCommand(command)) => {
                matches!(command, recovery::Command::Check(_))
            }
            _ => false,
        }
    }

    /// A lockout must not last longer because of a broken configuration file, and its path is
    /// printed to repair it.
    pub fn file_use(&self) -> FileUse {
        match self {
            Self::Bypass(_) | Self::Recovery(_) => FileUse::Fallback,
            Self::Journal(LazyCommand(command)) if command.sends_requests() => FileUse::Fallback,
            Self::Journal(_) => FileUse::Offline,
            Self::Sandbox(_) | Self::Config(LazyCommand(config::Command::Path(_))) => {
                FileUse::Unneeded
            }
            _ => FileUse::Required,
        }
    }

    pub async fn run(self, context: &Context) -> anyhow::Result<Outcome> {
        match self {
            Self::Status(LazyCommand(args)) => status::run(args, context).await,
            Self::Setup(LazyCommand(args)) => setup::run(args, context).await,
            Self::Preflight(LazyCommand(args)) => preflight::run(args, context).await,
            Self::Impact(LazyCommand(args)) => Box::pin(impact::run(args, context)).await,
            Self::Doctor(LazyCommand(args)) => doctor::run(args, context).await,
            Self::Connector(LazyCommand(command)) => connector::run(command, context).await,
            Self::Idp(LazyCommand(command)) => idp::run(command, context).await,
            Self::App(LazyCommand(command)) => app::run(command, context).await,
            Self::Team(LazyCommand(command)) => team::run(command, context).await,
            Self::Whoami(LazyCommand(args)) => whoami::run(args, context).await,
            Self::Token(LazyCommand(command)) => token::run(command, context).await,
            Self::Bypass(LazyCommand(args)) => bypass::run(args, context).await,
            Self::Create(LazyCommand(args)) => connector::create::run(args, context).await,
            Self::Verify(LazyCommand(args)) => connector::verify::run(args, context).await,
            Self::Enable(LazyCommand(args)) => {
                Box::pin(connector::enable::run(args, context)).await
            }
            Self::Disable(LazyCommand(args)) => connector::disable::run(args, context).await,
            Self::Recovery(LazyCommand(command)) => recovery::run(command, context).await,
            Self::Diagnose(LazyCommand(args)) => diagnose::run(args, context).await,
            Self::Timeline(LazyCommand(args)) => Box::pin(timeline::run(args, context)).await,
            Self::Logins(LazyCommand(args)) => Box::pin(logins::run(args, context)).await,
            Self::Dig(LazyCommand(args)) => dig::run(args, context).await,
            Self::Config(LazyCommand(command)) => Ok(config::run(&command, context)),
            Self::Journal(LazyCommand(command)) => journal::run(command, context).await,
            Self::Sandbox(LazyCommand(command)) => sandbox::run(command, context).await,
            Self::Drill(LazyCommand(args)) => drill::run(args, context).await,
            Self::Export(LazyCommand(args)) => Box::pin(desired::export::run(args, context)).await,
            Self::Apply(LazyCommand(args)) => Box::pin(desired::apply::run(args, context)).await,
            Self::Plan(LazyCommand(args)) => Box::pin(desired::plan::run(args, context)).await,
            Self::Federation(LazyCommand(command)) => federation::run(command, context).await,
            Self::Share(LazyCommand(command)) => share::run(command, context).await,
            Self::Completions(_)
            | Self::Man(_)
            | Self::Schema(_)
            | Self::Version(_)
            | Self::Help(_) => self.run_without_context().expect("it needs no settings"),
        }
    }
}

pub fn tree() -> clap::Command {
    Cli::command()
}

/// Reads a command line.
///
/// clap copies every global option to each command, which takes longer than everything else here.
/// So it first gets only the path of commands that the words name. If that fails, it reads the line
/// again with the whole tree, so that errors and help are complete.
pub fn parse(args: &[OsString]) -> Result<Cli, clap::Error> {
    let all = tree();
    match read_alone(&all, args) {
        Ok(cli) => Ok(cli),
        Err(error) if error.kind() == ErrorKind::DisplayVersion => Err(error),
        Err(_) => read_among_all(all, args).map_err(usage::without_misleading_tips),
    }
}

fn read_among_all(all: clap::Command, args: &[OsString]) -> Result<Cli, clap::Error> {
    let length = match args {
        [_] => Length::Overview,
        _ if args.iter().any(|arg| arg == "-h") => Length::Short,
        _ => Length::Long,
    };
    let mut all = help::lay_out(all, length);
    let mut matches = all.try_get_matches_from_mut(args)?;
    let cli = Cli::from_arg_matches_mut(&mut matches).and_then(consistent);
    cli.map_err(|error| error.format(&mut all))
}

/// Fails if an option has no effect with this command. clap cannot express this for global options.
fn consistent(cli: Cli) -> Result<Cli, clap::Error> {
    let Options { detailed_exitcode, dry_run, .. } = cli.options;
    if !detailed_exitcode || dry_run || cli.command.is_read_only() {
        return Ok(cli);
    }
    let message = "--detailed-exitcode needs --dry-run\n";
    Err(clap::Error::raw(ErrorKind::MissingRequiredArgument, message))
}

fn read_alone(all: &clap::Command, args: &[OsString]) -> Result<Cli, clap::Error> {
    let mut matches = command_subtree(all, args).try_get_matches_from(args)?;
    let mut last = &matches;
    while let Some((_, below)) = last.subcommand() {
        last = below;
    }
    let options = Options::from_arg_matches(last)?;
    consistent(Cli { command: Command::from_arg_matches_mut(&mut matches)?, options })
}

/// The tree without the commands that no word of `args` names.
fn command_subtree(all: &clap::Command, args: &[OsString]) -> clap::Command {
    let words: Vec<&str> = args.iter().skip(1).filter_map(|arg| arg.to_str()).collect();
    let root = clap::Command::new("cfsso").version(env!("CARGO_PKG_VERSION"));
    path(root, all, &words, Some(all))
}

/// Copies to `bare` the part of `known` that `words` name. The global options are described where
/// the first option is written, or at the end of the path: from there clap copies them down.
fn path(
    bare: clap::Command,
    known: &clap::Command,
    words: &[&str],
    globals: Option<&clap::Command>,
) -> clap::Command {
    let named = words
        .iter()
        .enumerate()
        .find_map(|(place, word)| Some((place, known.find_subcommand(word)?)));
    let here = |place: usize| words[..place].iter().any(|word| word.starts_with('-'));
    let (described, globals) = match (globals, named) {
        (Some(all), Some((place, _))) if !here(place) => (bare, Some(all)),
        (Some(all), _) => (bare.args(all.get_arguments().cloned()), None),
        (None, _) => (bare, None),
    };
    let Some((place, next)) = named else { return described };
    let described = described.subcommand_required(true).disable_help_subcommand(true);
    let rest = &words[place + 1..];
    if !next.is_subcommand_required_set() {
        return described.subcommand(path(next.clone(), next, rest, globals));
    }
    let alone = clap::Command::new(next.get_name().to_owned())
        .aliases(next.get_all_aliases().map(str::to_owned));
    let mut noun = next.clone();
    // Describes its verbs, which are lazy, so that one of them can be found.
    noun.render_usage();
    described.subcommand(path(alone, &noun, rest, globals))
}

#[cfg(test)]
mod tests {
    use clap::Arg;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn outcome_text(read: Result<Cli, clap::Error>) -> String {
        match read {
            Ok(cli) => format!("{cli:?}"),
            Err(error) => format!("{:?} {}", error.kind(), error.render().ansi()),
        }
    }

    fn assert_told_as_among_all(line: &str) {
        let args = words(line);
        assert_eq!(
            outcome_text(parse(&args)),
            outcome_text(read_among_all(tree(), &args).map_err(usage::without_misleading_tips)),
            "{line}"
        );
    }

    /// Reading `line` with its own path of commands and with the whole tree must give the same.
    fn assert_read_as_among_all(line: &str) {
        let args = words(line);
        let alone = read_alone(&Cli::command(), &args);
        let among_all = read_among_all(tree(), &args).map_err(usage::without_misleading_tips);
        assert_eq!(alone.is_ok(), among_all.is_ok(), "{line}");
        assert_eq!(outcome_text(parse(&args)), outcome_text(among_all), "{line}");
    }

    /// Collects each command that can be run, with a value for each required argument.
    fn lines(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name()).trim().to_owned();
        if !command.is_subcommand_required_set() {
            let wanted = command.get_arguments().filter(|arg| arg.is_required_set()).map(value);
            found.push([path.clone()].into_iter().chain(wanted).collect::<Vec<_>>().join(" "));
        }
        for verb in command.get_subcommands() {
            if !command.has_subcommands() || verb.get_name() != "help" || path == "cfsso" {
                lines(verb, &path, found);
            }
        }
    }

    fn value(arg: &Arg) -> String {
        let possible = arg.get_possible_values();
        let value = possible.first().map_or("cool.cats", |value| value.get_name());
        match arg.get_long() {
            Some(long) => format!("--{long} {value}"),
            None => value.to_owned(),
        }
    }

    fn without_help(command: &clap::Command, path: &str, found: &mut Vec<String>) {
        let path = format!("{path} {}", command.get_name());
        if command.get_about().is_none() {
            found.push(path.clone());
        }
        let silent = command.get_arguments().filter(|arg| arg.get_help().is_none());
        found.extend(silent.map(|arg| format!("{path} {}", arg.get_id())));
        command.get_subcommands().for_each(|command| without_help(command, &path, found));
    }

    #[test]
    fn every_command_and_option_has_a_help_text() {
        let mut command = tree();
        command.build();
        let mut found = Vec::new();
        without_help(&command, "", &mut found);
        assert!(found.is_empty(), "{found:?}");
    }

    #[test]
    fn every_command_alone_is_read_as_among_all() {
        let mut command = Cli::command();
        command.build();
        let mut found = Vec::new();
        lines(&command, "", &mut found);
        assert!(found.len() > 70, "{found:?}");
        for line in found {
            let (_, rest) = line.split_once(' ').unwrap_or_default();
            assert_read_as_among_all(&line);
            assert_read_as_among_all(&format!("{line} --output json --server 127.0.0.1 -q"));
            assert_read_as_among_all(&format!("cfsso -o yaml --server a {rest} --server b"));
            assert_read_as_among_all(&format!("{line} --nonsense"));
        }
    }

    #[test]
    fn options_are_read_alike_wherever_they_stand() {
        for line in [
            "cfsso connectors list",
            "cfsso connector -o json list",
            "cfsso connector -o json list -o yaml",
            "cfsso connector list -o json -o yaml",
            "cfsso connector list -ojson",
            "cfsso connector list --output=json",
            "cfsso connector list --output",
            "cfsso connector list --output xml",
            "cfsso connector list --yes --confirm cool.cats",
            "cfsso connector list --detailed-exitcode",
            "cfsso connector list --dry-run --detailed-exitcode",
            "cfsso --dry-run connector list --detailed-exitcode",
            "cfsso connector list --verison",
            "cfsso connector get -- -o",
            "cfsso -- connector list",
            "cfsso -q connector --account 0123 get cool.cats --verbose",
            "cfsso --server a connector --server b list --server c",
            "cfsso --max-retries 7 connector list",
            "cfsso --max-retries 7 connector list --max-retries 1",
            "cfsso --color never connector list",
            "cfsso --profile dig dig cool.cats",
            "cfsso --sandbox setup cool.cats --dry-run",
            "cfsso connector --sandbox",
            "cfsso dig dig --short",
            "cfsso bypass --yes",
            "cfsso --yes bypass disable --all",
            "cfsso bypass --yes disable --all -o json",
            "cfsso bypass disabel",
            "cfsso drill --unattended --fault 500",
        ] {
            assert_read_as_among_all(line);
        }
    }

    #[test]
    fn what_is_not_understood_alone_is_told_as_among_all() {
        for line in [
            "cfsso",
            "cfsso --version",
            "cfsso -V",
            "cfsso -q --version",
            "cfsso --version connector",
            "cfsso connector --version",
            "cfsso --help",
            "cfsso -h",
            "cfsso -q",
            "cfsso connector",
            "cfsso connector -q",
            "cfsso connector --help",
            "cfsso connector help list",
            "cfsso conector list",
            "cfsso connector lsit",
            "cfsso connector list get",
            "cfsso connector get a b",
            "cfsso connector get --dry-rum",
            "cfsso dig --help",
            "cfsso dig -h",
            "cfsso create",
            "cfsso --profile dig connector list",
        ] {
            assert_told_as_among_all(line);
        }
    }
}
