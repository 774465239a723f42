//! The real program: pipes, signals, homes and full disks.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use cfsso::sandbox::Access;
use clap::CommandFactory;
use serde_json::Value;

use crate::harness::World;

/// The program in an empty environment, its home in `home`.
fn program(home: &Path, line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cfsso"));
    command
        .args(line.split_whitespace())
        .env_clear()
        .env("HOME", home)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(home: &Path, line: &str) -> Output {
    program(home, line).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_readmes_first_command_works_twice() {
    let home = tempfile::tempdir().unwrap();
    let line = "--sandbox setup cool.cats --publish-txt --enable --yes";
    let first = run(home.path(), line);
    assert!(first.status.success(), "{first:?}");
    assert!(text(&first.stdout).contains("SSO is enforced for cool.cats."), "{first:?}");
    let second = run(home.path(), line);
    assert!(second.status.success(), "{second:?}");
    assert!(text(&second.stdout).contains("Nothing to do"), "{second:?}");
}

#[test]
fn one_simulator_exports_what_the_next_one_has() {
    let home = tempfile::tempdir().unwrap();
    assert!(run(home.path(), "--sandbox setup cool.cats --publish-txt").status.success());
    let exported = run(home.path(), "--sandbox export");
    std::fs::write(home.path().join("sso.yaml"), exported.stdout).unwrap();
    let [file, plan] = ["sso.yaml", "sso.plan"].map(|name| home.path().join(name));
    let (file, plan) = (file.display(), plan.display());
    let planned = run(home.path(), &format!("--sandbox plan -f {file} --out {plan}"));
    assert!(text(&planned.stdout).starts_with("No changes"), "{planned:?}");
    let applied = run(home.path(), &format!("--sandbox apply {plan}"));
    assert!(applied.status.success(), "{applied:?}");
}

#[test]
fn the_simulator_accepts_a_token_file() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("token");
    for (token, code) in [(Access::ReadOnly.token(), 0), ("cfut_unknown", 4)] {
        std::fs::write(&file, token).unwrap();
        let line = format!("--sandbox token check --token-file {}", file.display());
        let ran = run(home.path(), &line);
        assert_eq!(ran.status.code(), Some(code), "{token} {ran:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_reader_that_leaves_is_no_error() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "--help",
        "man",
        "help exit-codes",
        "schema setup",
        "--sandbox setup cool.cats --publish-txt",
    ] {
        let mut child = program(home.path(), line).spawn().unwrap();
        drop(child.stdout.take());
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{line}: {out:?}");
        assert!(!text(&out.stderr).contains("panicked"), "{out:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure() {
    let home = tempfile::tempdir().unwrap();
    for line in [
        "--help",
        "--version",
        "man",
        "help exit-codes",
        "schema",
        "completions bash",
        "--sandbox connector list -o json",
        "--sandbox create cool.cats",
        "--sandbox setup cool.dogs --publish-txt -o ndjson --no-wait",
    ] {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let out = program(home.path(), line).stdout(full).output().unwrap();
        assert_eq!(out.status.code(), Some(1), "{line}: {out:?}");
        assert!(text(&out.stderr).contains("standard output"), "{line}: {out:?}");
    }
}

/// Starts what comes to wait for a TXT record, and reads up to where it does.
#[cfg(unix)]
fn waiting(home: &Path, line: &str) -> Child {
    let mut child = program(home, line).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let is_wait =
        |line: &str| line.contains("--format bind") || line.contains(r#""event":"waiting""#);
    lines.find(|line| is_wait(line.as_ref().unwrap())).expect("it comes to wait").unwrap();
    // What is read is given up here: from now on it writes to a closed pipe.
    child
}

#[cfg(unix)]
fn signalled(child: Child, signal: &str) -> Output {
    let status = Command::new("kill").args([signal, &child.id().to_string()]).status().unwrap();
    assert!(status.success());
    child.wait_with_output().unwrap()
}

#[cfg(unix)]
#[test]
fn an_interrupt_says_what_was_done_and_how_to_go_on() {
    for signal in ["-INT", "-TERM"] {
        let home = tempfile::tempdir().unwrap();
        let line = "--sandbox setup cool.dogs --timeout 10m";
        let out = signalled(waiting(home.path(), line), signal);
        assert_eq!(out.status.code(), Some(130), "{out:?}");
        let said = text(&out.stderr);
        assert!(said.contains("error: interrupted"), "{said}");
        assert!(said.contains("Connector"), "{said}");
        assert!(said.contains("`cfsso --sandbox setup cool.dogs --timeout 10m`"), "{said}");
        let list = run(home.path(), "--sandbox connector list -o name");
        assert_eq!(text(&list.stdout), "cool.dogs\n", "nothing is lost, and the state is free");
    }
}

#[cfg(unix)]
#[test]
fn a_shell_completes_the_names_of_the_account() {
    let home = tempfile::tempdir().unwrap();
    let complete = |line: &str, env: &[(&str, &str)]| {
        let words: Vec<_> = line.split(' ').collect();
        let mut command = program(home.path(), "--");
        command.args(&words).envs(env.iter().copied());
        command.env("CFSSO_COMPLETE", "bash").env("_CLAP_IFS", "\n");
        let out = command.env("_CLAP_COMPLETE_INDEX", (words.len() - 1).to_string()).output();
        let out = out.unwrap();
        assert!(out.status.success() && out.stderr.is_empty(), "{line}: {out:?}");
        text(&out.stdout).lines().map(|it| it.trim().to_owned()).collect::<Vec<_>>()
    };
    let script = run(home.path(), "completions bash --dynamic");
    assert!(text(&script.stdout).contains(r#"CFSSO_COMPLETE="bash""#), "{script:?}");

    assert!(run(home.path(), "--sandbox create cool.cats").status.success());
    assert_eq!(complete("cfsso --sandbox connector get ", &[]), ["cool.cats"]);
    // Within a minute the last list answers, without a request.
    assert!(run(home.path(), "--sandbox create cool.dogs").status.success());
    assert_eq!(complete("cfsso --sandbox enable cool", &[]), ["cool.cats"]);
    let entries = complete("cfsso --sandbox journal show ", &[]);
    assert_eq!(entries.len(), 2, "{entries:?}");
    assert!(complete("cfsso --sandbox idp get c001", &[])[0].starts_with("c001ca75-"));
    assert_eq!(complete("cfsso bypa", &[]), ["bypass"]);
    assert!(complete("cfsso connector get --dry", &[]).contains(&"--dry-run".to_owned()));

    // It never prompts, and it is silent on failure.
    let proof = home.path().join("asked");
    let config = home.path().join("config.toml");
    let command = format!("[profiles.work]\ntoken_command = [\"touch\", {proof:?}]\n");
    std::fs::write(&config, command).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&config, mode).unwrap();
    let env = [("CFSSO_CONFIG", config.to_str().unwrap())];
    assert_eq!(complete("cfsso connector list --profile ", &env), ["work"]);
    assert_eq!(complete("cfsso --profile work enable c", &env), Vec::<String>::new());
    assert!(!proof.exists());
    let dead = [
        ("CLOUDFLARE_API_TOKEN", "planted"),
        ("CLOUDFLARE_ACCOUNT_ID", "00000000000000000000000000000001"),
        ("CLOUDFLARE_BASE_URL", "http://127.0.0.1:1/client/v4"),
    ];
    assert_eq!(complete("cfsso enable c", &dead), Vec::<String>::new());
}

/// The state of a process as `/proc` has it: `T` where it is stopped.
#[cfg(target_os = "linux")]
fn process_state(child: &Child) -> char {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap();
    stat.rsplit_once(") ").unwrap().1.chars().next().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn ctrl_z_stops_it_and_it_goes_on_but_never_during_a_trial() {
    let send = |child: &Child, signal: &str| {
        let id = child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    };
    let until = |child: &Child, is_stopped: bool| {
        while (process_state(child) == 'T') != is_stopped {
            std::thread::yield_now();
        }
    };
    let home = tempfile::tempdir().unwrap();
    let child = waiting(home.path(), "--sandbox setup cool.dogs --timeout 10m");
    send(&child, "-TSTP");
    until(&child, true);
    send(&child, "-CONT");
    until(&child, false);
    assert_eq!(signalled(child, "-INT").status.code(), Some(130));

    let home = tempfile::tempdir().unwrap();
    let (mut child, _out) = on_trial(home.path());
    let mut err = BufReader::new(child.stderr.take().unwrap()).lines();
    send(&child, "-TSTP");
    let warning = err.find(|line| line.as_ref().unwrap().contains("Ctrl-Z"));
    assert!(warning.unwrap().unwrap().contains("ignored"));
    assert_ne!(process_state(&child), 'T');
    assert_eq!(signalled(child, "-INT").status.code(), Some(130));
}

#[cfg(unix)]
#[test]
fn an_interrupt_is_told_to_programs_as_well() {
    let home = tempfile::tempdir().unwrap();
    let line = "--sandbox setup cool.dogs --timeout 10m -o ndjson";
    let out = signalled(waiting(home.path(), line), "-INT");
    assert_eq!(out.status.code(), Some(130), "{out:?}");
    let said = text(&out.stderr);
    let error: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(error["error"]["exit_code"], 130);
    assert_eq!(error["error"]["kind"], "interrupted");
}

/// Starts a trial of `cool.cats` and reads up to where it is on.
#[cfg(unix)]
fn on_trial(home: &Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let out = run(home, "--sandbox setup cool.cats --publish-txt -o json");
    assert!(out.status.success(), "{out:?}");
    let line = "--sandbox enable cool.cats --trial 10m --yes -o ndjson";
    let mut child = program(home, line).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut first = String::new();
    lines.read_line(&mut first).unwrap();
    assert!(first.contains("trial_started"), "{first}");
    (child, lines)
}

#[cfg(unix)]
fn state(home: &Path) -> Value {
    let out = run(home, "--sandbox connector get cool.cats -o json");
    serde_json::from_str(&text(&out.stdout)).unwrap()
}

#[cfg(unix)]
#[test]
fn a_signal_reverts_a_trial() {
    for (signal, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let home = tempfile::tempdir().unwrap();
        let (child, mut lines) = on_trial(home.path());
        let out = signalled(child, signal);
        assert_eq!(out.status.code(), Some(code), "{signal} {out:?}");
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        let report: Value = serde_json::from_str(rest.lines().last().unwrap()).unwrap();
        assert_eq!(report["trial"]["outcome"], "reverted_by_signal");
        let error = text(&out.stderr);
        let error: Value = serde_json::from_str(error.lines().last().unwrap()).unwrap();
        assert_eq!(error["error"]["exit_code"], code);
        assert_eq!(state(home.path())["enabled"], false);
    }
}

#[cfg(unix)]
#[test]
fn a_trial_that_is_killed_can_be_kept_or_ended() {
    let home = tempfile::tempdir().unwrap();
    let (child, _lines) = on_trial(home.path());
    let out = signalled(child, "-KILL");
    assert_eq!(out.status.code(), None);
    let told = run(home.path(), "--sandbox status");
    assert!(text(&told.stderr).contains("the trial of cool.cats was interrupted"), "{told:?}");
    assert!(text(&told.stdout).contains("trial-open"), "{told:?}");
    let ended = run(home.path(), "--sandbox bypass disable cool.cats --yes");
    assert!(ended.status.success(), "{ended:?}");
    assert_eq!(state(home.path())["enabled"], false);
    let told = run(home.path(), "--sandbox status");
    assert!(!text(&told.stderr).contains("interrupted"), "{told:?}");
}

#[cfg(unix)]
#[test]
fn a_person_signs_in_to_the_simulator_of_a_running_trial() {
    let home = tempfile::tempdir().unwrap();
    let (child, _lines) = on_trial(home.path());
    let signed_in = run(home.path(), "--sandbox sandbox login ada@cool.cats");
    assert!(signed_in.status.success(), "{signed_in:?}");
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(state(home.path())["enabled"], true);
}

#[cfg(unix)]
#[test]
fn a_running_trial_of_the_simulator_is_kept_from_another_terminal() {
    let home = tempfile::tempdir().unwrap();
    let (child, _lines) = on_trial(home.path());
    let status = run(home.path(), "--sandbox status");
    assert!(!text(&status.stderr).contains("stop it"), "{status:?}");
    let kept = run(home.path(), "--sandbox connector keep cool.cats");
    assert!(kept.status.success(), "{kept:?}");
    let out = child.wait_with_output().unwrap();
    assert_eq!(out.status.code(), Some(0), "{out:?}");
    assert_eq!(state(home.path())["enabled"], true);
}

/// Reads the lines up to the environment, and what it is.
#[cfg(unix)]
fn environment(lines: &mut BufReader<std::process::ChildStdout>) -> Vec<(String, String)> {
    let mut env = Vec::new();
    loop {
        let mut line = String::new();
        assert_ne!(lines.read_line(&mut line).unwrap(), 0, "{env:?}");
        match line.trim().strip_prefix("export ").and_then(|pair| pair.split_once('=')) {
            Some((name, value)) => env.push((name.to_owned(), value.to_owned())),
            None if env.is_empty() => {}
            None => return env,
        }
    }
}

#[cfg(unix)]
#[test]
fn a_practice_ends_when_the_user_can_sign_in() {
    let home = tempfile::tempdir().unwrap();
    for (line, words) in [
        ("bypass disable cool.cats --yes", "tom@cool.cats can sign in with a password"),
        ("idp update oidc --client-secret-env SECRET --yes", "can sign in through Company SSO"),
    ] {
        let mut child =
            program(home.path(), "drill --scenario idp-secret-rotated").spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let env = environment(&mut lines);
        let mut repair = program(home.path(), line);
        let out = repair.envs(env).env("SECRET", "a-new-client-secret").output().unwrap();
        assert!(out.status.success(), "{out:?}");
        let out = child.wait_with_output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{out:?}");
        let mut rest = String::new();
        lines.read_to_string(&mut rest).unwrap();
        assert!(rest.contains(words), "{rest}");
        assert!(rest.contains("new client secret"), "{rest}");
    }
    let out = run(home.path(), "drill --scenario not-a-member");
    assert_eq!(out.status.code(), Some(2), "{out:?}");
}

#[cfg(unix)]
#[test]
fn an_interrupted_rename_says_that_sso_is_off() {
    let home = tempfile::tempdir().unwrap();
    let set_up = run(home.path(), "--sandbox setup cool.cats --publish-txt --enable --yes");
    assert!(set_up.status.success(), "{set_up:?}");
    let rename = "--sandbox team rename cooler-cats --idps-updated --yes --timeout 10m";
    let again = "--sandbox team rename cooler-cats --idps-updated --resume --yes --timeout 10m";
    for line in [rename, again] {
        let out = signalled(waiting(home.path(), line), "-INT");
        assert_eq!(out.status.code(), Some(130), "{out:?}");
        let said = text(&out.stderr);
        assert!(said.contains("state: SSO may be off"), "{said}");
        let back = "undo: `cfsso team rename cooler-cats --rollback --sandbox`";
        assert!(said.contains(back), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_second_run_on_a_state_waits_or_says_who_holds_it() {
    let home = tempfile::tempdir().unwrap();
    let mut server = program(home.path(), "sandbox serve").spawn().unwrap();
    let mut line = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("export "), "{line}");
    let out = run(home.path(), "--sandbox connector list -o json");
    assert_eq!(out.status.code(), Some(7), "{out:?}");
    let said = text(&out.stderr);
    assert!(said.contains(&server.id().to_string()), "{said}");
    assert!(said.contains("(`cfsso sandbox serve`)"), "{said}");
    assert!(said.contains("export CLOUDFLARE_BASE_URL=http://127.0.0.1:"), "{said}");
    let ended = signalled(server, "-INT");
    assert_eq!(ended.status.code(), Some(0), "{ended:?}");
    let out = run(home.path(), "--sandbox connector list -o json");
    assert!(out.status.success(), "{out:?}");

    // Two that end soon take turns.
    let children: Vec<_> = ["ant.example", "bee.example", "cow.example"]
        .map(|domain| program(home.path(), &format!("--sandbox create {domain}")).spawn().unwrap())
        .into();
    for child in children {
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "{out:?}");
    }
    let list = run(home.path(), "--sandbox connector list -o name");
    assert_eq!(text(&list.stdout).lines().count(), 3);
}

#[test]
fn no_home_is_needed_where_nothing_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state.json");
    let bare = |line: &str| program(folder.path(), line).env_remove("HOME").output().unwrap();
    let out = bare(&format!("--sandbox connector list --sandbox-state {}", state.display()));
    assert!(out.status.success(), "{out:?}");
    let out = bare("--sandbox connector list");
    assert_eq!(out.status.code(), Some(2), "{out:?}");
    assert!(text(&out.stderr).contains("`--sandbox-state FILE`"), "{out:?}");
    let out = bare("connector list");
    assert_eq!(out.status.code(), Some(4), "{out:?}");
    assert!(bare("help environment").status.success());
}

#[cfg(unix)]
#[test]
fn a_home_that_is_no_folder_is_none() {
    // Root may write everywhere but below a file.
    let out = run(Path::new("/dev/null"), "--sandbox connector list");
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(text(&out.stderr).contains("/dev/null/.local/state"), "{out:?}");
    let out = run(Path::new("/dev/null"), "connector list");
    assert_eq!(out.status.code(), Some(4), "{out:?}");
    assert!(text(&out.stderr).contains("no API token"), "{out:?}");
}

#[cfg(unix)]
#[test]
fn a_home_that_may_not_be_written_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let home = tempfile::tempdir().unwrap();
    std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o500)).unwrap();
    let can_write_all_the_same = std::fs::create_dir(home.path().join("probe")).is_ok();
    let out = run(home.path(), "--sandbox connector list");
    if can_write_all_the_same {
        assert!(out.status.success(), "root: {out:?}");
        return;
    }
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(text(&out.stderr).contains(".local"), "{out:?}");
}

#[test]
fn a_dumb_terminal_gets_plain_text() {
    let home = tempfile::tempdir().unwrap();
    let mut command = program(home.path(), "--sandbox setup cool.cats --publish-txt");
    let out = command.env("TERM", "dumb").env("LC_ALL", "C").output().unwrap();
    assert!(out.status.success(), "{out:?}");
    for stream in [&out.stdout, &out.stderr] {
        assert!(!stream.contains(&0x1b), "{out:?}");
        assert!(stream.is_ascii(), "{out:?}");
    }
}

#[test]
fn an_argument_that_is_no_text_is_refused() {
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let home = tempfile::tempdir().unwrap();
        let mut command = program(home.path(), "create");
        command.arg(std::ffi::OsStr::from_bytes(b"cool\xff.cats"));
        let out = command.output().unwrap();
        assert_eq!(out.status.code(), Some(2), "{out:?}");
    }
}

#[test]
fn the_help_of_every_command_has_an_example() {
    fn walk(command: &clap::Command, path: &str, bare: &mut Vec<String>) {
        for verb in command.get_subcommands() {
            let path = format!("{path} {}", verb.get_name());
            if verb.has_subcommands() {
                walk(verb, &path, bare);
                continue;
            }
            let after = verb.get_after_help().map(ToString::to_string).unwrap_or_default();
            if !after.contains("Example") || !after.contains(&path.replace("cfsso ", "")) {
                bare.push(path);
            }
        }
    }
    let mut bare = Vec::new();
    let mut command = cfsso::cli::Cli::command();
    // Nouns describe their verbs late.
    command.build();
    walk(&command, "cfsso", &mut bare);
    // The short forms show the examples of the commands they stand for.
    let short = ["create", "verify", "enable", "disable"].map(|verb| format!("cfsso {verb}"));
    bare.retain(|path| !short.contains(path));
    assert_eq!(bare, [""; 0]);
}

#[test]
fn every_example_in_the_help_can_be_parsed() {
    use clap::Parser as _;
    fn walk(command: &clap::Command, examples: &mut Vec<String>) {
        let after = command.get_after_help().map(ToString::to_string).unwrap_or_default();
        let lines = after.lines().map(str::trim).filter(|line| line.starts_with("cfsso "));
        examples.extend(lines.map(str::to_owned));
        command.get_subcommands().for_each(|verb| walk(verb, examples));
    }
    let mut examples = Vec::new();
    let mut command = cfsso::cli::Cli::command();
    command.build();
    walk(&command, &mut examples);
    assert!(examples.len() > 20, "{examples:?}");
    for example in examples {
        for part in example.split("&&") {
            let command = part.split(['|', '>']).next().unwrap().trim();
            let parsed = cfsso::cli::Cli::try_parse_from(command.split_whitespace());
            assert!(parsed.is_ok(), "{command}: {}", parsed.unwrap_err());
        }
    }
}

#[cfg(unix)]
#[test]
fn a_served_sandbox_is_used_through_what_it_prints() {
    let home = tempfile::tempdir().unwrap();
    let mut server = program(home.path(), "sandbox serve").spawn().unwrap();
    let mut stdout = BufReader::new(server.stdout.take().unwrap());
    let mut exports = Vec::new();
    while exports.len() < 5 {
        let mut line = String::new();
        assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "{exports:?}");
        let (name, value) = line.trim().strip_prefix("export ").unwrap().split_once('=').unwrap();
        exports.push((name.to_owned(), value.to_owned()));
    }
    let mut command = program(home.path(), "setup cool.cats --publish-txt --enable --yes -o json");
    let out = command.envs(exports).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    signalled(server, "-TERM");
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "unset CFSSO_SANDBOX\n", "nothing but lines to paste");
}

#[cfg(unix)]
#[test]
fn a_served_sandbox_prints_paths_that_work_everywhere() {
    let home = tempfile::tempdir().unwrap();
    let mut server = program(home.path(), "sandbox serve --sandbox-state ./s.json");
    let mut server = server.current_dir(home.path()).spawn().unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines().map(|line| line.unwrap());
    let journal = lines.filter_map(|line| Some(line.split_once("CFSSO_JOURNAL=")?.1.to_owned()));
    let journal = journal.take(1).collect::<String>();
    signalled(server, "-TERM");
    assert!(Path::new(&journal).is_absolute(), "{journal}");
}

/// What a sandbox that is served prints, as an environment.
#[cfg(unix)]
fn served(home: &Path) -> (Child, Vec<(String, String)>) {
    let mut server = program(home, "sandbox serve").spawn().unwrap();
    let lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let variables = lines
        .map(|line| line.unwrap())
        .map_while(|line| {
            let (name, value) = line.strip_prefix("export ")?.split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        })
        .take(5);
    let variables = variables.collect();
    (server, variables)
}

#[cfg(unix)]
#[test]
fn a_rehearsal_with_a_served_sandbox_stays_out_of_the_real_journal() {
    let home = tempfile::tempdir().unwrap();
    let (server, variables) = served(home.path());
    assert!(variables.iter().any(|(name, _)| name == "CFSSO_JOURNAL"), "{variables:?}");
    let out = program(home.path(), "create cool.dogs").envs(variables).output().unwrap();
    assert!(out.status.success(), "{out:?}");
    assert!(!home.path().join(".local/state/cfsso/journal").exists());
    signalled(server, "-INT");
}

/// Runs a line of a shell against a served sandbox, with `$cfsso` as the program.
#[cfg(unix)]
fn shell(home: &Path, variables: &[(String, String)], script: &str) -> Output {
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env_clear()
        .env("HOME", home)
        .env("cfsso", env!("CARGO_BIN_EXE_cfsso"))
        .env("PATH", "/usr/bin:/bin")
        .envs(variables.iter().cloned());
    command.output().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn a_token_that_cannot_be_delivered_is_deleted_again() {
    let home = tempfile::tempdir().unwrap();
    let (server, variables) = served(home.path());
    for script in [
        "$cfsso token create-break-glass --yes >/dev/full",
        "$cfsso token create-break-glass --yes -o json >/dev/full",
        // The reader is gone before the token is there.
        "{ $cfsso token create-break-glass --yes; echo $? >&2; } 2>&1 >&3 3>&- | cat",
    ] {
        let out = shell(home.path(), &variables, script);
        let said = text(&out.stderr) + &text(&out.stdout);
        if script.contains("/dev/full") {
            assert_ne!(out.status.code(), Some(0), "{script}: {out:?}");
            assert!(said.contains("it was deleted again"), "{script}: {said}");
        }
    }
    let out = shell(
        home.path(),
        &variables,
        "exec 3>&1; { $cfsso token create-break-glass --yes 2>&3; echo $? >&3; } | true",
    );
    let said = text(&out.stdout);
    assert!(said.contains("it was deleted again") || said.trim().ends_with('0'), "{said}");
    signalled(server, "-INT");
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_for_the_size_of_files_is_an_error_and_nothing_is_sent() {
    let home = tempfile::tempdir().unwrap();
    let (server, variables) = served(home.path());
    let out = shell(home.path(), &variables, "ulimit -f 0; $cfsso create cool.dogs");
    assert_eq!(out.status.code(), Some(1), "{out:?}");
    assert!(text(&out.stderr).contains("nothing was sent"), "{out:?}");
    let out = shell(home.path(), &variables, "$cfsso connector list -o name");
    assert_eq!(text(&out.stdout), "", "{out:?}");
    signalled(server, "-INT");
}

#[tokio::test]
async fn the_version_is_printed_for_people_and_programs() {
    let world = World::new().await;
    assert!(world.ok("version").await.stdout.contains(env!("CARGO_PKG_VERSION")));
    let report = world.ok("version -o json").await.json();
    let schema = world.ok("schema version").await.json();
    crate::schema::assert_conforms(&schema, &report);
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(report["os"], std::env::consts::OS);
}
