//! `cfsso bypass`: regains access to the dashboard, and undoes all changes afterwards.

pub mod disable;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod full_disk;
pub mod interactive;
pub mod otp;
pub mod report;
pub mod status;
pub mod undo;

use std::cell::RefCell;
use std::io;
use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::{Outcome, plan_output};
use crate::api::ErrorKind;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::bypass::AlternativeHint;
use crate::flow::bypass::undo as undo_ticket;
use crate::flow::journal::ticket::{self, Stage};
use crate::flow::journal::{Journal, Outcome as Fate};
use crate::flow::plan::Change;
use crate::flow::{Env, Error, FlowError, FlowErrorKind};
use crate::output::Text;
use crate::private_file;
use crate::shell::quoted;

#[derive(clap::Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  disable SSO for every domain:
    cfsso bypass disable --all --yes
  allow one-time PIN:
    cfsso bypass otp --yes
  show the state and choose, on a terminal:
    cfsso bypass cool.cats"
)]
pub struct Args {
    /// Domain to offer the bypass for (default: all domains)
    #[arg(value_parser = domain)]
    domain: Option<EmailDomain>,

    /// Method; asks on a terminal if omitted
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand, Debug)]
pub enum Command {
    /// Allow sign-in with a one-time PIN, keep SSO on
    Otp(otp::Args),
    /// Disable SSO so that users sign in with a password
    Disable(disable::Args),
    /// Show active bypasses
    Status(status::Args),
    /// Undo active bypasses
    Undo(undo::Args),
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    match args.command {
        None => interactive::run(args.domain, context).await,
        Some(Command::Otp(args)) => otp::run(args, context).await,
        Some(Command::Disable(args)) => disable::run(args, context).await,
        Some(Command::Status(args)) => status::run(&args, context).await,
        Some(Command::Undo(args)) => undo::run(&args, context).await,
    }
}

fn domain(text: &str) -> Result<EmailDomain, String> {
    text.parse().map_err(|error| {
        format!("{error}; a domain, or one of the commands otp, disable, status, undo")
    })
}

/// Where it is recorded how to undo a bypass.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct JournalMode {
    /// Print an undo ticket to stdout instead of writing the journal
    #[arg(long)]
    pub no_journal: bool,

    /// Also write an undo ticket for other machines; `-` for stdout
    #[arg(long, value_name = "FILE")]
    pub ticket: Option<PathBuf>,

    /// The file of `--ticket`, if that one is still needed and another one is written.
    #[arg(skip)]
    needed_file: Option<PathBuf>,
}

impl JournalMode {
    /// A ticket that is no longer needed is replaced. One that may be needed is left as it is, and
    /// does not stop the bypass either: the ticket goes to a new file beside it.
    async fn choose_file(&mut self, context: &Context) -> anyhow::Result<()> {
        let Some(file) = self.file().filter(|file| file.exists()).map(Path::to_owned) else {
            return Ok(());
        };
        // Reading a pipe or a terminal would wait.
        if !file.is_file() {
            return Err(FlowError::usage(format!("{} is not a file", file.display()))
                .hint("`--ticket -` for stdout, or the name of a file")
                .into());
        }
        let other = free_name(&file);
        let name = file.display();
        let text = context.read_file(&file, ticket::MAX_SIZE, "undo ticket").await?;
        let entries = ticket::read(&text).map_err(|error| {
            FlowError::usage(format!("{name} exists already, and is not an undo ticket"))
                .causes(error.causes)
                .hint(format!("`--ticket {}`", quoted(&other.display().to_string())))
        })?;
        if !undo_ticket::is_needed(&context.env().await?, &entries).await {
            return Ok(());
        }
        self.ticket = Some(other);
        self.needed_file = Some(file);
        Ok(())
    }

    /// Once the ticket is written: a bypass with nothing to change has none.
    fn warn_of_other_file(&self, context: &Context) {
        let (Some(file), Some(other)) = (&self.needed_file, &self.ticket) else { return };
        let name = file.display();
        let undo = format!("bypass undo --ticket {}", quoted(&name.to_string()));
        context.screen.warn(Text::prose(format!(
            "{name} may be needed to undo an earlier bypass ({}); the ticket of this bypass is {}",
            command(context, &undo),
            other.display()
        )));
    }

    /// The options to give again.
    fn flags(&self) -> String {
        let no_journal = if self.no_journal { " --no-journal" } else { "" };
        format!("{no_journal}{}", self.ticket_flag())
    }

    fn ticket_flag(&self) -> String {
        let file = self.needed_file.as_ref().or(self.ticket.as_ref());
        let ticket = file.map(|file| format!(" --ticket {}", quoted(&file.display().to_string())));
        ticket.unwrap_or_default()
    }

    /// `None` if the only record is the ticket that was printed.
    fn undo_command(&self, context: &Context) -> Option<String> {
        match self.file() {
            Some(file) => {
                let undo = format!("bypass undo --ticket {}", quoted(&file.display().to_string()));
                Some(command(context, &undo))
            }
            None => (!self.no_journal).then(|| command(context, "bypass undo")),
        }
    }

    /// How to use the ticket that is the only record.
    fn ticket_note(&self) -> Option<String> {
        let text = "the line on stdout is the undo ticket: save it as FILE for \
                    `cfsso bypass undo --ticket FILE`";
        (self.no_journal && self.file().is_none()).then(|| text.to_owned())
    }

    /// Prints no report if stdout is for a ticket: the file may contain an earlier one.
    fn unchanged(&self, report: report::Report, context: &Context) -> Outcome {
        let prints_ticket = self.file().is_none() && (self.no_journal || self.ticket.is_some());
        if !prints_ticket {
            return Outcome::done(report);
        }
        for note in report.notes {
            context.screen.note(Text::prose(note));
        }
        Outcome::silent()
    }

    fn file(&self) -> Option<&Path> {
        self.ticket.as_deref().filter(|file| *file != Path::new("-"))
    }
}

/// Runs `work` with the run's journal, or with one that prints the ticket. The ticket of a bypass
/// that failed and changed nothing is removed, so that the same command can be run again.
async fn with_journal(
    context: &Context,
    keeping: &JournalMode,
    work: impl AsyncFnOnce(&Env<'_>) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    if !keeping.no_journal && keeping.ticket.is_none() {
        return work(&env).await;
    }
    let (actor, clock) = (context.journal().actor().clone(), context.clock.clone());
    let last_text = RefCell::new(None);
    let sink: ticket::Sink<'_> = match keeping.file() {
        // Each line printed before a request is a whole ticket.
        None => Box::new(|text, stage| match stage {
            Stage::BeforeRequest => context.screen.deliver_text(&format!("{text}\n")),
            Stage::AfterResponse => Ok(()),
        }),
        Some(file) => Box::new(|text, _| {
            private_file::replace(file, &format!("{text}\n")).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {}", file.display(), error.kind()))
            })?;
            if last_text.replace(Some(text.to_owned())).is_none() {
                keeping.warn_of_other_file(context);
            }
            Ok(())
        }),
    };
    let journal = if keeping.no_journal {
        Journal::to_ticket(sink, actor, clock)
    } else {
        let directory = context.journal().store()?.dir().to_owned();
        Journal::in_directory(directory, actor, clock).with_ticket(sink)
    };
    let env = Env { journal: &journal, ..env };
    let done = work(&env).await;
    let has_failed = done.as_ref().map_or(true, |outcome| outcome.failure.is_some());
    let written = last_text.borrow().clone().filter(|_| has_failed);
    if let (Some(file), Some(text)) = (keeping.file(), written)
        && file.is_file()
        && let Ok(entries) = ticket::read(text.as_bytes())
        // A request without a known outcome may still be applied.
        && entries.iter().all(|entry| entry.outcome == Fate::Failed)
        && !undo_ticket::is_needed(&env, &entries).await
    {
        // If it cannot be removed, the next run replaces it.
        let _ = std::fs::remove_file(file);
    }
    done
}

/// `file.2`, or the first higher number that is free.
fn free_name(file: &Path) -> PathBuf {
    let names = (2..).map(|number: u64| PathBuf::from(format!("{}.{number}", file.display())));
    let mut free = names.filter(|name| !name.exists());
    free.next().expect("there are more numbers than files")
}

fn show_changes(changes: &[Change], then: &str, context: &Context) {
    if !context.asks() {
        return;
    }
    context.screen.show(&|page| {
        for change in changes {
            plan_output::show_question(change, page);
        }
        page.paragraph(Text::plain("Then: ") + then);
        page.blank();
    });
}

/// If the journal or the ticket cannot be written, suggests the same bypass without it. If the API
/// is unavailable, suggests the same bypass again before the other one.
fn with_alternative_hint(
    context: &Context,
    error: impl Into<Error>,
    keeping: &JournalMode,
    this: &str,
    other: &str,
) -> anyhow::Error {
    let again = command(context, &format!("{this}{}", keeping.flags()));
    let other = command(context, &format!("{other}{}", keeping.flags()));
    match error.into() {
        Error::Flow(mut error) if error.kind == FlowErrorKind::Journal && error.hint.is_some() => {
            error.hint = Some(match (error.hint.as_deref(), keeping.file()) {
                (Some(ticket::REMEDY), Some(_)) if keeping.no_journal => format!(
                    "{}, or `--ticket FILE` with another file",
                    command(context, &format!("{this} --no-journal"))
                ),
                (Some(ticket::REMEDY), Some(_)) => format!(
                    "`--ticket FILE` with another file, `--ticket -`, or without: {}",
                    command(context, this)
                ),
                (Some(ticket::REMEDY), None) => {
                    format!("{again} without a pipe that ends early, or `--ticket FILE` for a file")
                }
                (remedy, _) => {
                    let flags = format!(" --no-journal{}", keeping.ticket_flag());
                    let without = command(context, &format!("{this}{flags}"));
                    let remedy = remedy.map(|remedy| format!("\nor: {remedy}"));
                    format!("{without} works without it{}", remedy.unwrap_or_default())
                }
            });
            error.into()
        }
        error => anyhow::Error::from(error).context(AlternativeHint { again, other }),
    }
}

/// How to call the repetition of a bypass, or of its undo, that was stopped half-way.
fn again_label<'e>(mut errors: impl Iterator<Item = &'e Error>) -> &'static str {
    let is_rejected =
        |error: &Error| error.api().is_some_and(|error| error.kind() == ErrorKind::Unauthenticated);
    if errors.any(is_rejected) { "with another token" } else { "again" }
}

/// A `cfsso` command with the global options of this run.
fn command(context: &Context, rest: &str) -> String {
    context.screen.invocation().add_global_flags(&format!("`cfsso {rest}`"))
}

fn nobody_to_ask(domain: Option<&EmailDomain>, context: &Context) -> Result<(), FlowError> {
    if context.screen.can_ask() {
        return Ok(());
    }
    let selection = domain.map_or_else(|| "--all".to_owned(), ToString::to_string);
    Err(FlowError::declined("choose a method (no terminal)").hint(format!(
        "{} or {}",
        command(context, &format!("bypass disable {selection} --yes")),
        command(context, "bypass otp --yes")
    )))
}
