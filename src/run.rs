//! One run of the program, from its arguments to its exit code.

use std::ffi::OsString;

use clap::error::ErrorKind;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::api::mask::mask;
use crate::cli::{self, Cli, Command};
use crate::clock::Clock;
use crate::commands::Outcome;
use crate::context::{Context, UndoHint};
use crate::flow::FlowError;
use crate::output::{
    ColorChoice, Environment, ErrorReport, ExitCode, Format, JqError, Screen, ScreenOptions,
    Selection, Text, check_jq, use_color, use_progress, use_unicode,
};
use crate::process::{Pager, Process, Terminal};
use crate::settings::{self, Options, Settings};
use crate::{error_report, process};

/// More odd records than this are not warned of one by one.
const MOST_WARNINGS: usize = 20;

pub async fn run(process: Process) -> ExitCode {
    let Process { args, env, stdin, stdout, stderr, terminal, pager, clock } = process;
    let mut streams = Streams { stdin, stdout, stderr };
    let cli = match cli::parse(&args) {
        Ok(cli) => cli,
        Err(error) => return report_startup_error(&error, &args, &env, terminal, clock, streams),
    };
    let Cli { command, mut options } = cli;
    // A dry run does not write the journal either.
    options.dry_run |= command.is_read_only();
    if let Some(outcome) = command.run_without_context() {
        // Help and the like must work even if a variable is invalid.
        let options = options.clone().with_env(&env).map_or(options, |(options, _)| options);
        let pager = pager.filter(|_| terminal.stdout && command.is_paged());
        let _pager =
            pager.and_then(|command| Pager::start(&command, &env)).map(|(pager, stdin)| {
                streams.stdout = stdin;
                pager
            });
        let format = if command.is_report_without_context() {
            settings::format_without_profile(&options, &env)
        } else {
            options.output.unwrap_or_default()
        };
        let screen = screen(&options, format, &env, terminal, clock, streams);
        return conclude(&screen, outcome, None);
    }
    let settings = match settings::resolve(options.clone(), &env, command.file_use()) {
        Ok(settings) => settings,
        Err(error) => {
            let format = settings::format_without_profile(&options, &env);
            let screen = screen(&options, format, &env, terminal, clock, streams);
            return conclude(&screen, Err(error.into()), None);
        }
    };
    let given = options;
    let options = settings.options.clone();
    let screen = screen(&options, settings.format, &env, terminal, clock.clone(), streams)
        .with_invocation(settings.invocation());
    let checked = check_accounts(&settings, &command)
        .and_then(|()| check_simulator_options(&given, &settings, &command))
        .and_then(|()| check_selection(&options, settings.format));
    if let Err(stop) = checked {
        return conclude(&screen, Err(stop.into()), None);
    }
    let _traces = traces(&screen, &options);
    settings.warnings.iter().for_each(|warning| screen.warn(warning.as_str()));
    if !uses_simulator(&settings, &command) && settings.variables.contains(&"CFSSO_FAULT") {
        screen.warn("CFSSO_FAULT is ignored: no simulator is used");
    }
    process::outlive_file_size_limit();
    let context = Context::new(settings, screen, clock, &args).with_env(env);
    let is_service = command.is_long_running();
    let interrupted = async {
        loop {
            process::interrupted().await;
            if !context.handles_signals() {
                break;
            }
        }
    };
    tokio::select! {
        biased;
        () = interrupted => {
            if is_service {
                return ExitCode::Done;
            }
            context.screen.failure(&interruption(&context, &args));
            ExitCode::Interrupted
        }
        () = process::suspensions(|stop| suspend(&context, stop)) => ExitCode::Done,
        outcome = command.run(&context) => {
            for error in context.journal().write_errors() {
                context.screen.warn(error);
            }
            let odd = context.odd_records();
            for odd in odd.iter().take(MOST_WARNINGS) {
                let text = format!("invalid record left out: {}", odd.describe());
                context.screen.warn(Text::prose(text));
            }
            if let more @ 1.. = odd.len().saturating_sub(MOST_WARNINGS) {
                context.screen.warn(format!("{more} more invalid records"));
            }
            conclude(&context.screen, outcome, context.undo_hint().as_ref())
        }
    }
}

/// Stops the process at Ctrl-Z, but never during the countdown to a revert.
fn suspend(context: &Context, stop: fn()) {
    if context.handles_signals() {
        let text = "Ctrl-Z is ignored: a stopped process could not end the trial. Ctrl-C ends it";
        return context.screen.warn(text);
    }
    context.screen.suspend(stop);
}

/// Fails if several accounts are selected for a command that works on one.
fn check_accounts(settings: &Settings, command: &Command) -> Result<(), FlowError> {
    match settings.accounts.option_of_several() {
        Some(option) if !command.reads_several_accounts() => {
            let message = match option {
                "--account" => {
                    "this command works on one account: `--account` was given more than once"
                }
                _ => "this command works on one account, not with `--all-accounts`",
            };
            Err(FlowError::usage(message)
                .hint("`--account <ACCOUNT>`, once. Several accounts: `cfsso help accounts`"))
        }
        _ => Ok(()),
    }
}

fn uses_simulator(settings: &Settings, command: &Command) -> bool {
    settings.sandbox || command.starts_simulator()
}

/// Fails if an option on the command line says that the simulator is meant, and it is not used: the
/// changes would be real. A variable may be set for other commands.
fn check_simulator_options(
    given: &Options,
    settings: &Settings,
    command: &Command,
) -> Result<(), FlowError> {
    let option = match given {
        _ if uses_simulator(settings, command) => return Ok(()),
        Options { faults, .. } if !faults.is_empty() => "--fault",
        Options { sandbox_state: Some(_), .. } => "--sandbox-state",
        _ => return Ok(()),
    };
    Err(FlowError::usage(format!("`{option}` needs `--sandbox`")))
}

/// Fails before anything is done if the selection cannot be printed.
fn check_selection(options: &Options, format: Format) -> Result<(), FlowError> {
    let usage = |message: &str| Err(FlowError::usage(message));
    if options.output_fields.iter().any(|field| field.trim().is_empty()) {
        return usage("`--fields` has an empty name");
    }
    if !options.output_fields.is_empty() && !format.is_structured() {
        return usage("`--fields` needs `-o json`, `-o ndjson` or `-o yaml`");
    }
    let Some(expression) = &options.jq else { return Ok(()) };
    if !matches!(format, Format::Json | Format::Ndjson) {
        return usage("`--jq` needs `-o json` or `-o ndjson`");
    }
    check_jq(expression).or_else(|error| usage(&error.to_string()))
}

struct Streams {
    stdin: Box<dyn std::io::Read + Send>,
    stdout: Box<dyn std::io::Write + Send>,
    stderr: Box<dyn std::io::Write + Send>,
}

fn screen(
    options: &Options,
    format: Format,
    env: &Environment,
    terminal: Terminal,
    clock: Clock,
    streams: Streams,
) -> Screen {
    let screen_options = ScreenOptions {
        format,
        colour: use_color(options.color(), env, terminal.stdout),
        stderr_colour: use_color(options.color(), env, terminal.stderr),
        unicode: use_unicode(env),
        width: terminal.width.map(usize::from),
        measure: terminal.measure,
        stdin_terminal: terminal.stdin,
        stdout_terminal: terminal.stdout,
        stderr_terminal: terminal.stderr,
        quiet: options.quiet,
        verbose: options.verbose,
        live: use_progress(env, terminal.stderr),
        editable: terminal.measure.is_some(),
    };
    let selection = Selection { fields: options.output_fields.clone(), jq: options.jq.clone() };
    Screen::new(screen_options, streams.stdin, streams.stdout, streams.stderr, clock)
        .with_selection(selection)
}

/// Traces requests to standard error: a line each with `-v`.
fn traces(screen: &Screen, options: &Options) -> Option<tracing::subscriber::DefaultGuard> {
    let level = match (options.debug, options.verbose) {
        (true, _) => tracing::Level::DEBUG,
        (false, true) => tracing::Level::INFO,
        (false, false) => return None,
    };
    let writer = screen.trace_writer();
    // Traces of libraries may contain secrets.
    let own = filter_fn(|metadata| metadata.target().starts_with("cfsso"));
    let lines = tracing_subscriber::fmt::layer()
        .without_time()
        .with_level(false)
        .with_target(false)
        .with_ansi(false)
        .with_writer(move || writer.clone())
        .with_filter(own)
        .with_filter(LevelFilter::from_level(level));
    Some(tracing_subscriber::registry().with(lines).set_default())
}

fn conclude(
    screen: &Screen,
    outcome: anyhow::Result<Outcome>,
    back: Option<&UndoHint>,
) -> ExitCode {
    let outcome = match outcome {
        Ok(outcome) => outcome,
        Err(error) => return report_failure(screen, &error, back),
    };
    screen.end_progress();
    if let Some(report) = &outcome.report
        && let Err(error) = screen.report(report.as_ref())
    {
        let is_jq = error.get_ref().and_then(|inner| inner.downcast_ref::<JqError>()).is_some();
        let message = if is_jq {
            "the command is done, but its result cannot be filtered"
        } else {
            "cannot write the result to standard output"
        };
        let mut failure = ErrorReport::new(ExitCode::Failure, message);
        failure.causes.push(error.to_string());
        match &outcome.failure {
            Some(error) => {
                let line = error_report::to_failure(error).message;
                failure.causes.push(format!("the command failed, too: {line}"));
            }
            None if back.is_some() => {
                failure.causes.push("the changes of this command were made".to_owned());
            }
            None => {}
        }
        add_journal_hint(&mut failure, back);
        screen.failure(&failure);
        return ExitCode::Failure;
    }
    match &outcome.failure {
        Some(error) => report_failure(screen, error, back),
        None => outcome.exit,
    }
}

fn report_failure(screen: &Screen, error: &anyhow::Error, back: Option<&UndoHint>) -> ExitCode {
    let mut failure = error_report::to_failure(error);
    if failure.exit_code == ExitCode::HalfDone {
        add_journal_hint(&mut failure, back);
    }
    screen.failure(&failure);
    failure.exit_code
}

fn add_journal_hint(failure: &mut ErrorReport, back: Option<&UndoHint>) {
    let Some(UndoHint { run, command }) = back else { return };
    failure.causes.push(format!("journal run: {run}"));
    let Some(command) = command else { return };
    if failure.hint.as_ref().is_some_and(|hint| hint.contains("undo: `")) {
        return;
    }
    let undo = format!("undo: `{command}`");
    failure.hint = Some(match failure.hint.take() {
        Some(hint) => format!("{hint}\n{undo}"),
        None => undo,
    });
}

/// In order; steps of the same name are counted.
fn counted(steps: &[&str]) -> Vec<String> {
    let mut names: Vec<&str> = Vec::new();
    for step in steps {
        if !names.contains(step) {
            names.push(step);
        }
    }
    let count = |name: &str| steps.iter().filter(|step| **step == name).count();
    names
        .into_iter()
        .map(|name| match count(name) {
            1 => name.to_owned(),
            several => format!("{name} ({several})"),
        })
        .collect()
}

fn interruption(context: &Context, args: &[OsString]) -> ErrorReport {
    let mut failure = ErrorReport::new(ExitCode::Interrupted, "interrupted");
    let done = context.steps_done();
    if !done.is_empty() {
        failure.causes.push(format!("done before: {}", counted(&done).join(", ")));
    }
    let note = context.interrupted_note();
    failure.causes.extend(note.map(str::to_owned));
    let unanswered = context.unanswered();
    let has_begun = !done.is_empty() || note.is_some() || !unanswered.is_empty();
    if unanswered.is_empty() {
        failure.causes.push("no change was in progress".to_owned());
    }
    for request in unanswered {
        failure
            .causes
            .push(format!("`{request}` was sent without a response; it may have been applied"));
    }
    let line: Vec<_> = args.iter().skip(1).map(|arg| arg.to_string_lossy()).collect();
    let again = format!("cfsso {}", line.join(" "));
    failure.hint = Some(if has_begun {
        format!("`{}` resumes", context.resume_command().unwrap_or(again))
    } else {
        format!("`{again}` starts again")
    });
    failure.retryable = true;
    add_journal_hint(&mut failure, context.undo_hint().as_ref());
    error_report::masked(failure)
}

/// Reports an invalid command line, or prints the requested help.
fn report_startup_error(
    error: &clap::Error,
    args: &[OsString],
    env: &Environment,
    terminal: Terminal,
    clock: Clock,
    mut streams: Streams,
) -> ExitCode {
    let is_help = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    let format = format_of(args)
        .unwrap_or_else(|| settings::format_without_profile(&Options::default(), env));
    let other_words = cli::usage::other_words(error, args).filter(|_| !is_help);
    if !is_help && (format.is_structured() || other_words.is_some()) {
        let options = ScreenOptions {
            format,
            stderr_colour: use_color(ColorChoice::Auto, env, terminal.stderr),
            ..ScreenOptions::default()
        };
        let screen = Screen::new(options, streams.stdin, streams.stdout, streams.stderr, clock);
        let failure = other_words.unwrap_or_else(|| cli::usage::usage_error(error, args));
        screen.failure(&error_report::masked(failure));
        return ExitCode::Usage;
    }
    let (stream, is_terminal) = if is_help {
        (&mut streams.stdout, terminal.stdout)
    } else {
        (&mut streams.stderr, terminal.stderr)
    };
    let text = if use_color(ColorChoice::Auto, env, is_terminal) {
        error.render().ansi().to_string()
    } else {
        error.render().to_string()
    };
    let written = stream.write_all(mask(&text).as_bytes()).and_then(|()| stream.flush());
    match written {
        _ if !is_help => ExitCode::Usage,
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            // If this write fails too, the error cannot be reported anywhere.
            let _ =
                writeln!(streams.stderr, "error: cannot write to standard output\ncause: {error}");
            ExitCode::Failure
        }
        _ => ExitCode::Done,
    }
}

/// The requested format of a command line that cannot be parsed.
fn format_of(args: &[OsString]) -> Option<Format> {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let pairs = args.iter().zip(args.iter().skip(1).map(AsRef::as_ref).chain([""]));
    pairs
        .filter_map(|(arg, next)| match arg.as_ref() {
            "-o" | "--output" => Some(next),
            arg => arg.strip_prefix("--output=").or_else(|| arg.strip_prefix("-o")),
        })
        .find_map(|word| word.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_one_name_are_counted() {
        for (steps, expected) in [
            (&[][..], vec![]),
            (&["a"][..], vec!["a"]),
            (&["a", "b", "a", "a"][..], vec!["a (3)", "b"]),
        ] {
            assert_eq!(counted(steps), expected);
        }
    }
}
