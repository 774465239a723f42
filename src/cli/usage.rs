//! What is wrong with a command line, for programs: clap writes for people.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::ErrorKind;

use super::Cli;
use crate::output::{ErrorReport, ExitCode};

/// The failure that the refused command line `args` is. Its message is clap's
/// sentence, its hint what clap suggests and where the help is.
pub fn usage_error(error: &clap::Error, args: &[OsString]) -> ErrorReport {
    let text = error.render().to_string();
    let command = named(args);
    let message = if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        format!("'{command}' requires a subcommand but one was not provided")
    } else {
        let paragraph = text.lines().map(str::trim).take_while(|line| !line.is_empty());
        let sentence = paragraph.collect::<Vec<_>>().join(" ");
        sentence.trim_start_matches("error: ").to_owned()
    };
    let tips = text.lines().filter_map(|line| line.trim().strip_prefix("tip: "));
    let help = format!("`{command} --help` shows how it is used");
    let mut failure = ErrorReport::new(ExitCode::Usage, message);
    failure.hint = Some(tips.chain([help.as_str()]).collect::<Vec<_>>().join("\n"));
    failure
}

/// The command that the words lead to, as far as they do.
fn named(args: &[OsString]) -> String {
    let mut all = Cli::command();
    all.build();
    let mut path = vec![all.get_name()];
    let mut last = &all;
    for word in args.iter().skip(1) {
        if let Some(next) = last.find_subcommand(word) {
            path.push(next.get_name());
            last = next;
        }
    }
    path.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_line_is_told_with_what_is_wrong_and_what_is_meant() {
        for (line, message, hint) in [
            (
                "connector",
                "'cfsso connector' requires a subcommand but one was not provided",
                "`cfsso connector --help` shows how it is used",
            ),
            (
                "connector lst",
                "unrecognized subcommand 'lst'",
                "a similar subcommand exists: 'list'\n`cfsso connector --help` shows how it is used",
            ),
            (
                "connector list --outptu json",
                "unexpected argument '--outptu' found",
                "a similar argument exists: '--output'\n`cfsso connector list --help` shows how it is used",
            ),
            (
                "-o json connectors --dry-run get --account",
                "a value is required for '--account <ID>' but none was supplied",
                "`cfsso connector get --help` shows how it is used",
            ),
            (
                "connector create",
                "the following required arguments were not provided: <DOMAIN>",
                "`cfsso connector create --help` shows how it is used",
            ),
            (
                "connector wait cool.cats --for verifed",
                "invalid value 'verifed' for '--for <STATE>' [possible values: txt, verified, enabled, disabled]",
                "a similar value exists: 'verified'\n`cfsso connector wait --help` shows how it is used",
            ),
        ] {
            let args: Vec<_> =
                ["cfsso"].into_iter().chain(line.split(' ')).map(Into::into).collect();
            let failure = usage_error(&crate::cli::parse(&args).unwrap_err(), &args);
            assert_eq!(failure.message, message, "{line}");
            assert_eq!(failure.hint.as_deref(), Some(hint), "{line}");
            assert_eq!(failure.exit_code, ExitCode::Usage, "{line}");
        }
    }
}
