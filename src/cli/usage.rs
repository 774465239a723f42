//! What is wrong with a command line, and what was probably meant.

use std::ffi::OsString;

use clap::CommandFactory;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::{Cli, lazy};
use crate::input::nearest::nearest;
use crate::output::{ErrorReport, ExitCode};

/// Words of other tools that are not commands here, and what to run instead.
const WORDS: &[(&[&str], &str, &str)] = &[
    (
        &["login", "logout", "auth", "init", "configure"],
        "cfsso keeps no login: it reads an API token on each run",
        "`export CLOUDFLARE_API_TOKEN=<TOKEN>`\nor a profile with `token_file` or `token_command`: `cfsso help environment`\n`cfsso token create-url --for setup` links to a token with the right permissions\n`cfsso whoami` tests it",
    ),
    (
        &["undo", "revert", "rollback"],
        "two commands undo changes",
        "`cfsso bypass undo` ends bypasses\n`cfsso journal undo` undoes a run of this machine",
    ),
    (
        &[
            "unlock",
            "recover",
            "rescue",
            "restore",
            "emergency",
            "outage",
            "lockout",
            "break-glass",
        ],
        "the way out of a lockout is `bypass`",
        "`cfsso bypass` shows both methods\n`cfsso help recovery` explains them",
    ),
    (
        &["list", "ls", "domains"],
        "the domains are those of the connectors",
        "`cfsso connector list`",
    ),
    (
        &["get", "show", "delete", "rm", "update", "add", "new"],
        "this verb needs a noun",
        "for example `cfsso connector get cool.cats` or `cfsso idp list`",
    ),
    (
        &["check", "test"],
        "there are three kinds of checks",
        "`cfsso preflight` checks a domain before `enable`\n`cfsso idp check` tests identity providers\n`cfsso doctor` audits the account",
    ),
    (&["diff"], "every command shows its plan with `--dry-run`", "`cfsso enable --dry-run`"),
    (
        &["log", "logs", "history", "audit"],
        "there are three records",
        "`cfsso timeline` lists changes and denied sign-ins\n`cfsso logins` lists sign-ins\n`cfsso journal list` lists the changes of this machine",
    ),
];

pub fn other_words(error: &clap::Error, args: &[OsString]) -> Option<ErrorReport> {
    let mut words = args.iter().skip(1).filter_map(|arg| arg.to_str());
    let failure = |message: String, hint: &str| {
        let mut failure = ErrorReport::new(ExitCode::Usage, message);
        failure.hint = Some(hint.to_owned());
        failure
    };
    if error.kind() == ErrorKind::InvalidSubcommand
        && named_command(args) == "cfsso"
        && let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand)
        && let Some((_, meaning, hint)) =
            WORDS.iter().find(|(known, ..)| known.contains(&word.as_str()))
    {
        return Some(failure(format!("there is no command `{word}`: {meaning}"), hint));
    }
    if let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg)
        && error.kind() == ErrorKind::UnknownArgument
        && let Some(hint) = secret_option(option)
    {
        return Some(failure("secrets are not taken on the command line".to_owned(), hint));
    }
    let tree = Cli::command();
    let is_verb = |word: &&str| ["create", "verify", "enable", "disable"].contains(word);
    let verb = words.find(|word| tree.find_subcommand(word).is_some()).filter(is_verb)?;
    let noun = words.next()?;
    let is_noun = tree.find_subcommand(noun).is_some_and(clap::Command::is_subcommand_required_set);
    is_noun.then(|| {
        let message = format!("the noun comes first: `{noun} {verb}`");
        failure(message, &format!("`cfsso {noun} {verb} --help`"))
    })
}

/// How to pass the secret, for an option that other tools have and `cfsso` does not.
fn secret_option(option: &str) -> Option<&'static str> {
    match option {
        "--client-secret" | "--secret" => {
            Some("`--client-secret-file FILE`, `-` for stdin, or `--client-secret-env NAME`")
        }
        "--token" | "--api-token" | "--api-key" => {
            Some("`export CLOUDFLARE_API_TOKEN=<TOKEN>`, `--token-file FILE` or `--token-stdin`")
        }
        _ => None,
    }
}

/// Removes misleading suggestions: simulator options, and passing an option as a value.
pub fn without_misleading_tips(mut error: clap::Error) -> clap::Error {
    if let Some(ContextValue::String(suggested)) = error.get(ContextKind::SuggestedArg)
        && ["--fault", "--sandbox-state"].contains(&suggested.as_str())
    {
        error.remove(ContextKind::SuggestedArg);
    }
    let listed = match error.get(ContextKind::SuggestedSubcommand) {
        Some(ContextValue::String(name)) => vec![name.clone()],
        Some(ContextValue::Strings(names)) => names.clone(),
        _ => Vec::new(),
    };
    let typed = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(typed)) => typed.clone(),
        _ => String::new(),
    };
    let known = listed.iter().map(String::as_str).filter(|name| !lazy::is_alias(name));
    if !listed.is_empty() {
        error.remove(ContextKind::SuggestedSubcommand);
        // clap made the selection, so no minimum similarity is needed.
        if let Some(name) = nearest(&typed, known, 0.0) {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::String(name.to_owned()));
        }
    }
    if let Some(ContextValue::String(invalid)) = error.get(ContextKind::InvalidArg)
        && invalid.starts_with('-')
    {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// Its message is clap's sentence; its hint is clap's suggestion and where the help is.
pub fn usage_error(error: &clap::Error, args: &[OsString]) -> ErrorReport {
    let text = error.render().to_string();
    let command = named_command(args);
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

/// The command that the words name, as far as they do.
fn named_command(args: &[OsString]) -> String {
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
    fn the_words_of_other_tools_are_answered_with_a_command() {
        for (line, hint) in [
            ("login", Some("cfsso whoami")),
            ("--sandbox-state x undo --yes", Some("cfsso bypass undo")),
            ("ls", Some("cfsso connector list")),
            ("unlock", Some("cfsso bypass")),
            ("diff", Some("--dry-run")),
            ("create idp", Some("cfsso idp create --help")),
            ("idp create oidc --client-secret x", Some("--client-secret-file")),
            ("whoami --token x", Some("--token-file")),
            ("connector undo", None),
            ("create x", None),
            ("nonsense", None),
        ] {
            let args: Vec<_> =
                ["cfsso"].into_iter().chain(line.split(' ')).map(Into::into).collect();
            let failure = other_words(&crate::cli::parse(&args).unwrap_err(), &args);
            let shown = failure.and_then(|failure| failure.hint);
            assert_eq!(shown.is_some(), hint.is_some(), "{line}: {shown:?}");
            assert!(shown.unwrap_or_default().contains(hint.unwrap_or_default()), "{line}");
        }
    }

    #[test]
    fn only_what_helps_is_suggested() {
        for (line, tip) in [
            ("connector list --filter x", None),
            ("connector get -z", None),
            ("connector lst", Some("'list'")),
            ("conector list", Some("'connector'")),
            ("statsu", Some("'status'")),
            ("connector list --outptu json", Some("'--output'")),
            ("--sandbox connector list --fautl 500", None),
        ] {
            let args: Vec<_> =
                ["cfsso"].into_iter().chain(line.split(' ')).map(Into::into).collect();
            let text = crate::cli::parse(&args).unwrap_err().to_string();
            assert_eq!(text.contains("tip:"), tip.is_some(), "{line}: {text}");
            assert!(text.contains(tip.unwrap_or_default()), "{line}: {text}");
        }
    }

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
                "a value is required for '--account <ACCOUNT>' but none was supplied",
                "`cfsso connector get --help` shows how it is used",
            ),
            (
                "idp delete",
                "the following required arguments were not provided: <IDP>",
                "`cfsso idp delete --help` shows how it is used",
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
