//! Shell completion with names from the account: from a cache, or from the API after a minute.

use std::ffi::{OsStr, OsString};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command};
use clap_complete::ArgValueCompleter;
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::Shells;

use crate::commands::completions::VARIABLE;
use crate::output::Environment;
use crate::private_file;
use crate::settings::{self, CredentialSource, FileUse, Settings};
use crate::{Process, cli};

/// The age from which a list is read again.
const FRESH: Duration = Duration::from_mins(1);
/// The `--timeout` of the child process that lists names.
const CHILD_TIMEOUT: Duration = Duration::from_millis(500);
/// A child that ignores its timeout is not waited for any longer.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Kind {
    Domain,
    Idp,
    App,
    JournalEntry,
    Profile,
}

/// `None` if no shell asks for completions. Errors are dropped: a shell cannot display them.
pub fn answer(process: &Process) -> Option<String> {
    let name = process.env.get(VARIABLE).filter(|name| !name.is_empty())?;
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(name) else { return Some(String::new()) };
    let words: Vec<_> =
        process.args.iter().skip_while(|word| *word != "--").skip(1).cloned().collect();
    let line = Arc::new(Line {
        globals: globals(&words),
        hides_options: !is_option(&words, &process.env),
        env: process.env.clone(),
    });
    let mut tree = cli::tree();
    tree.build();
    let mut tree = with_candidates(tree, &line);
    let mut text = Vec::new();
    let directory = std::env::current_dir().ok();
    let _ = shell.write_complete(&mut tree, words, directory.as_deref(), &mut text);
    Some(String::from_utf8_lossy(&text).into_owned())
}

/// The command line before the word to complete, and the environment.
struct Line {
    /// The options that select account and server, as they were written.
    globals: Vec<OsString>,
    /// The word is not an option, so options are not offered.
    hides_options: bool,
    env: Environment,
}

/// Adds completers to the arguments that take names.
fn with_candidates(mut tree: Command, line: &Arc<Line>) -> Command {
    let names: Vec<_> = tree.get_subcommands().map(|it| it.get_name().to_owned()).collect();
    for name in names {
        tree = tree.mut_subcommand(name, |command| with_candidates(command, line));
    }
    let path = tree.get_bin_name().unwrap_or_default().to_owned();
    tree.mut_args(|arg| {
        let arg = if arg.is_positional() { arg } else { arg.hide(line.hides_options) };
        let Some(kind) = kind(&path, &arg) else { return arg };
        let line = Arc::clone(line);
        arg.add(ArgValueCompleter::new(move |typed: &OsStr| candidates(kind, &line, typed)))
    })
}

/// Whether the word at the cursor is an option.
fn is_option(words: &[OsString], env: &Environment) -> bool {
    let index = env.get("_CLAP_COMPLETE_INDEX").and_then(|index| index.parse::<usize>().ok());
    let word = index.map_or_else(|| words.last(), |index| words.get(index));
    word.is_some_and(|word| word.to_string_lossy().starts_with('-'))
}

/// The kind of names that an argument of the command at `path` takes.
fn kind(path: &str, arg: &Arg) -> Option<Kind> {
    let noun = path.split(' ').nth(1).unwrap_or_default();
    Some(match (arg.get_id().as_str(), noun) {
        ("profile", _) => Kind::Profile,
        ("name", "journal") => Kind::JournalEntry,
        ("domain", "create" | "connector") => return None,
        ("connector" | "connectors" | "domain" | "domains" | "confirm", _) => Kind::Domain,
        ("idp", _) | ("add" | "remove" | "only", "app") => Kind::Idp,
        ("app", _) => Kind::App,
        _ => return None,
    })
}

fn globals(words: &[OsString]) -> Vec<OsString> {
    let mut found = Vec::new();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let word_text = word.to_string_lossy();
        let (name, value) = match word_text.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word_text.as_ref(), None),
        };
        match (name, value) {
            ("--sandbox", None) => found.push(word.clone()),
            ("--profile" | "--account" | "--token-file" | "--sandbox-state", value) => {
                found.push(word.clone());
                if value.is_none() {
                    found.extend(words.next().cloned());
                }
            }
            _ => {}
        }
    }
    found
}

fn candidates(kind: Kind, line: &Line, typed: &OsStr) -> Vec<CompletionCandidate> {
    let lines = lines(kind, line).unwrap_or_default();
    let typed = typed.to_string_lossy();
    let found = lines.lines().filter(|line| line.starts_with(typed.as_ref()));
    let candidate = |line: &str| match line.split_once('\t') {
        Some((value, help)) => CompletionCandidate::new(value).help(Some(help.to_owned().into())),
        None => CompletionCandidate::new(line),
    };
    found.map(candidate).collect()
}

/// One name a line, with its description after a tab.
fn lines(kind: Kind, line: &Line) -> Option<String> {
    let Line { globals, env, .. } = line;
    let command = match kind {
        Kind::Profile => return Some(settings::profiles(env).join("\n")),
        Kind::JournalEntry => "journal list -o name",
        Kind::Domain => "connector list -o name",
        Kind::Idp => "idp list -o ndjson --fields id,name",
        Kind::App => "app list -o ndjson --fields id,name",
    };
    if kind == Kind::JournalEntry {
        return listed(command, globals, env);
    }
    let args =
        [OsString::from("cfsso"), "whoami".into()].into_iter().chain(globals.iter().cloned());
    let options = cli::parse(&args.collect::<Vec<_>>()).ok()?.options;
    let settings = settings::resolve(options, env, FileUse::Required).ok()?;
    let cache = cache_file(kind, &settings, env);
    let is_fresh = |file: &Path| {
        let changed = file.metadata().and_then(|metadata| metadata.modified()).ok();
        changed.is_some_and(|time| time.elapsed().is_ok_and(|age| age < FRESH))
    };
    let cached = |file: &Path| std::fs::read_to_string(file).ok();
    if let Some(file) = cache.as_deref().filter(|file| is_fresh(file)) {
        return cached(file);
    }
    // A token command may ask the user, and standard input belongs to the shell.
    let asks =
        matches!(settings.credentials, CredentialSource::Command(_) | CredentialSource::Stdin);
    let read = (settings.sandbox || !asks).then(|| listed(command, globals, env)).flatten();
    let Some(text) = read else { return cached(&cache?) };
    let text = names(&text);
    if let Some(file) = cache {
        // Without a cache the next run asks again.
        let folder = private_file::folder_of(&file);
        let _ = std::fs::create_dir_all(folder).and_then(|()| private_file::replace(&file, &text));
    }
    Some(text)
}

/// Formats objects as `id`, tab, `name`; other lines stay as they are.
fn names(text: &str) -> String {
    let line = |line: &str| {
        let object: Option<serde_json::Value> = serde_json::from_str(line).ok();
        let part = |name: &str| object.as_ref()?[name].as_str().map(crate::output::sanitize);
        match (part("id"), part("name")) {
            (Some(id), Some(name)) => format!("{id}\t{name}"),
            _ => line.to_owned(),
        }
    };
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The output of a command in a child process, which cannot ask the user.
fn listed(command: &str, globals: &[OsString], env: &Environment) -> Option<String> {
    let limit = format!("{}ms", CHILD_TIMEOUT.as_millis());
    let mut child = std::process::Command::new(std::env::current_exe().ok()?);
    child.args(command.split(' ')).args(["--max-retries", "0", "--timeout", &limit]).args(globals);
    child.env_clear().envs(env).env_remove(VARIABLE);
    child.stdin(std::process::Stdio::null()).stderr(std::process::Stdio::null());
    let (sender, output) = std::sync::mpsc::channel();
    // A slow child is left running: the shell must not wait for it.
    std::thread::spawn(move || sender.send(child.output()));
    let output = output.recv_timeout(OUTPUT_TIMEOUT).ok()?.ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn cache_file(kind: Kind, settings: &Settings, env: &Environment) -> Option<PathBuf> {
    let mut key = DefaultHasher::new();
    let state = settings.sandbox.then(|| settings.sandbox_state().ok());
    (
        kind,
        settings.base.to_string(),
        settings.account.as_ref().map(ToString::to_string),
        &settings.options.account,
        settings.options.profile.as_ref().or(env.get("CFSSO_PROFILE")),
        state,
    )
        .hash(&mut key);
    let folder = settings::cache_directory(env)?.join("completions");
    Some(folder.join(format!("{:016x}", key.finish())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_that_name_something_are_known() {
        let mut tree = cli::tree();
        tree.build();
        let mut found = Vec::new();
        walk(&tree, &mut |path, arg| {
            if let Some(kind) = kind(path, arg) {
                found.push(format!("{path} {} {kind:?}", arg.get_id()));
            }
        });
        for expected in [
            "cfsso connector get connector Domain",
            "cfsso enable connector Domain",
            "cfsso bypass domain Domain",
            "cfsso bypass disable connectors Domain",
            "cfsso idp check idp Idp",
            "cfsso federation share idp Idp",
            "cfsso app idps only Idp",
            "cfsso app get app App",
            "cfsso journal show name JournalEntry",
            "cfsso status profile Profile",
        ] {
            assert!(found.iter().any(|one| one == expected), "{expected}: {found:#?}");
        }
        for new in ["cfsso connector create domain", "cfsso create domain", "cfsso idp create name"]
        {
            assert!(!found.iter().any(|one| one.starts_with(new)), "{new}: {found:#?}");
        }
    }

    fn walk(command: &Command, look: &mut impl FnMut(&str, &Arg)) {
        let path = command.get_bin_name().unwrap_or_default();
        command.get_arguments().for_each(|arg| look(path, arg));
        command.get_subcommands().for_each(|command| walk(command, look));
    }

    #[test]
    fn only_options_that_say_where_are_taken_over() {
        let words = |line: &str| line.split(' ').map(OsString::from).collect::<Vec<_>>();
        for (line, expected) in [
            ("cfsso connector get c", ""),
            ("cfsso --sandbox connector get --profile work -y c", "--sandbox --profile work"),
            ("cfsso --profile=work connector get --sandbox c", "--profile=work --sandbox"),
            ("cfsso enable --dry-run --account 01 --token-file /t", "--account 01 --token-file /t"),
        ] {
            let found = globals(&words(line));
            let found: Vec<_> = found.iter().map(|word| word.to_string_lossy()).collect();
            assert_eq!(found.join(" "), expected, "{line}");
        }
    }

    #[test]
    fn objects_are_named_by_their_id() {
        let text = "cool.cats\n{\"id\":\"i1\",\"name\":\"My\\u001b Okta\"}\n{\"id\":1}";
        let expected = "cool.cats\ni1\tMykta\n{\"id\":1}";
        assert_eq!(names(text).replace('\u{fffd}', ""), expected);
    }
}
