//! The README, held to the program: its examples are run and its tables
//! compared. A `console` block is a terminal of 80 columns: lines after `$ ` are
//! typed, the others are what comes back; `…` stands for anything within a line,
//! and alone on one for any number of lines.

use std::collections::{BTreeMap, BTreeSet};

use cfsso::cli::Cli;
use cfsso::clock::Clock;
use cfsso::output::ExitCode;
use cfsso::process::Terminal;
use clap::CommandFactory;
use jiff::Timestamp;

use crate::harness::{self, World};
use crate::sandbox::client::ask_with;

const README: &str = include_str!("../../README.md");
const CI: &str = include_str!("../../.ci/run");

#[test]
fn it_opens_with_the_two_commands_that_ci_runs() {
    let first = blocks(README).remove(0);
    assert_eq!(
        first.lines,
        ["cargo run -- --sandbox setup cool.cats --publish-txt --enable --yes", "cargo test",]
    );
    for line in first.lines {
        let (cargo, rest) =
            line.split_at(line.match_indices(' ').nth(1).map_or(line.len(), |i| i.0));
        let line = format!("step {cargo} --locked{rest}");
        assert!(CI.lines().any(|step| step == line), "`.ci/run` has no `{line}`");
    }
}

#[test]
fn what_contributors_are_sent_to_is_there() {
    let told = include_str!("../../.github/CONTRIBUTING.md");
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let paths = told.split('`').skip(1).step_by(2).filter(|code| {
        ["src/", "tests/"].iter().any(|room| code.starts_with(room)) && !code.contains('<')
    });
    let missing: Vec<_> = paths.filter(|path| !root.join(path).exists()).collect();
    assert_eq!(missing, [""; 0]);
}

/// A text with examples, and the commands that lead up to its first one.
struct Document {
    name: &'static str,
    text: &'static str,
    before: &'static [&'static str],
}

const SET_UP: &[&str] = &[USE_SANDBOX, "cfsso setup cool.cats --publish-txt --enable --yes"];
const USE_SANDBOX: &str = "export CFSSO_SANDBOX=1";
const IDENTITY_PROVIDERS: &str = include_str!("../../src/commands/help/identity-providers.md");
const SANDBOX: &str = include_str!("../../src/commands/help/sandbox.md");
const DOCUMENTS: &[Document] = &[
    Document { name: "README.md", text: README, before: &[] },
    Document {
        name: "tour.md",
        text: include_str!("../../src/commands/help/tour.md"),
        before: &[],
    },
    Document {
        name: "ci.md",
        text: include_str!("../../src/commands/help/ci.md"),
        before: &[USE_SANDBOX, "cfsso setup cool.cats --publish-txt"],
    },
    Document {
        name: "desired-state.md",
        text: include_str!("../../src/commands/help/desired-state.md"),
        before: SET_UP,
    },
    Document { name: "identity-providers.md", text: IDENTITY_PROVIDERS, before: SET_UP },
    Document {
        name: "federation.md",
        text: include_str!("../../src/commands/help/federation.md"),
        before: SET_UP,
    },
    Document {
        name: "team-rename.md",
        text: include_str!("../../src/commands/help/team-rename.md"),
        before: &[USE_SANDBOX],
    },
    Document {
        name: "accounts.md",
        text: include_str!("../../src/commands/help/accounts.md"),
        before: SET_UP,
    },
    Document { name: "sandbox.md", text: SANDBOX, before: &[USE_SANDBOX] },
];

#[tokio::test]
async fn every_example_prints_what_is_shown() {
    let mut wrong = Vec::new();
    for Document { name, text, before } in DOCUMENTS {
        let mut shell = Shell::new();
        for line in *before {
            shell.run(line).await;
        }
        let (mut corrected, mut rest, mut is_wrong) = (String::new(), *text, false);
        let console = blocks(text).into_iter().filter(|block| block.language == "console");
        for (line, expected) in console.flat_map(Block::typed) {
            let printed = shell.run(line).await;
            let printed: Vec<_> = printed.trim_end().lines().collect();
            let (before, after) = rest.split_once(&shown(line, &expected)).expect("in the text");
            rest = after;
            corrected.push_str(before);
            if fits(&expected, &printed) {
                corrected.push_str(&shown(line, &expected));
            } else {
                corrected.push_str(&shown(line, &printed));
                wrong.push(format!("{name}: $ {line}\n{}", printed.join("\n")));
                is_wrong = true;
            }
        }
        corrected.push_str(rest);
        if is_wrong {
            std::fs::write(format!("{}/{name}", env!("CARGO_TARGET_TMPDIR")), corrected).unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "the examples print something else; {} has it:\n{}",
        env!("CARGO_TARGET_TMPDIR"),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn the_sandbox_answers_what_curl_is_shown_to_ask() {
    let world = World::new().await;
    let shell = blocks(SANDBOX).into_iter().filter(|block| block.language == "sh");
    let lines: Vec<_> = shell
        .flat_map(|block| {
            let text = block.lines.join("\n").replace("\\\n", "");
            text.lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter(|line| line.starts_with("curl "))
        .collect();
    assert_eq!(lines.len(), 2, "{lines:#?}");
    for mut line in lines {
        for (name, value) in world.sandbox.environment() {
            line = line.replace(&format!("${name}"), &value);
        }
        let words = words(&line);
        let after =
            |flag: &str| Some(words[words.iter().position(|word| word == flag)? + 1].as_str());
        let path = words[1].strip_prefix(&world.sandbox.base_url()).expect("the sandbox's address");
        let request = format!("{} {path}", after("--request").unwrap_or("GET"));
        let header = format!("{}\r\n", after("--header").expect("a token"));
        let body = after("--json").map(|json| serde_json::from_str(json).unwrap());
        ask_with(&world.sandbox, &header, &request, body).await.result();
    }
}

#[tokio::test]
async fn the_walk_through_for_authentik_finds_one() {
    let world = World::new().await.with_env("CLIENT_SECRET", "planted-s3cret-0123456789-planted");
    let block = blocks(IDENTITY_PROVIDERS)
        .into_iter()
        .find(|block| block.lines.iter().any(|line| line.contains("--preset authentik")))
        .expect("a walk-through");
    let text = block.lines.join("\n").replace("\\\n", "").replace('"', "");
    let text = text.replace("${CLOUDFLARE_BASE_URL%/client/v4}", &world.sandbox.origin());
    let mut lines = text.lines().map(|line| line.strip_prefix("cfsso ").expect("a command"));
    let created = world.ok(&format!("{} -o json", lines.next().unwrap())).await.json();
    let endpoints = format!("{}/application/o", world.sandbox.origin());
    assert_eq!(created["config"]["auth_url"], format!("{endpoints}/authorize/"));
    assert_eq!(created["config"]["certs_url"], format!("{endpoints}/cloudflare/jwks/"));
    let report = world.ok(&format!("{} -o json", lines.next().unwrap())).await.json();
    let points = report["idps"][0]["checks"].as_array().unwrap();
    let proven = points.iter().filter(|point| point["state"] == "passed").count();
    assert_eq!((proven, points.len()), (7, 8), "all but the login: {report}");
    assert_eq!(lines.next(), None);
}

#[test]
fn the_exit_codes_are_all_there() {
    let rows: Vec<_> = ExitCode::ALL
        .iter()
        .map(|code| format!("| {} | {} | {} |", code.code(), code.name(), code.meaning()))
        .collect();
    let section = section("## In CI");
    let shown: Vec<_> = section
        .lines()
        .filter(|line| line.starts_with('|') && line.contains(|c: char| c.is_ascii_digit()))
        .collect();
    assert_eq!(shown, rows);
}

#[tokio::test]
async fn every_variable_is_explained_by_the_help() {
    let help = Shell::new().run("cfsso help environment").await;
    let names = README.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let names: BTreeSet<_> = names
        .filter(|name| ["CLOUDFLARE_", "CFSSO_"].iter().any(|start| name.starts_with(start)))
        .collect();
    assert!(names.len() > 3, "{names:?}");
    for name in names {
        assert!(help.contains(name), "{name}");
    }
}

#[test]
fn the_commands_have_the_summaries_of_the_help() {
    let tree = Cli::command();
    let rows: Vec<_> = section("## Commands")
        .lines()
        .filter_map(|line| line.strip_prefix("| `cfsso ")?.strip_suffix(" |")?.split_once("` | "))
        .collect();
    assert!(rows.len() > 15, "{rows:?}");
    for (name, about) in rows {
        let command = tree.find_subcommand(name).expect(name);
        assert_eq!(command.get_about().map(ToString::to_string).as_deref(), Some(about), "{name}");
    }
}

#[test]
fn it_is_read_in_one_sitting() {
    assert!(README.lines().count() <= 250);
}

#[test]
fn dots_stand_for_anything_and_the_rest_for_itself() {
    let cases: [(&[&str], &[&str], bool); 9] = [
        (&["a"], &["a"], true),
        (&["a"], &["b"], false),
        (&["a"], &["a", "b"], false),
        (&["a …z"], &["a to z"], true),
        (&["a …z"], &["a to y"], false),
        (&["…a…"], &["bab"], true),
        (&["a", "…", "z"], &["a", "b", "c", "z"], true),
        (&["a", "…", "z"], &["a", "z"], true),
        (&["a", "…", "z"], &["a", "b"], false),
    ];
    for (expected, printed, is_fit) in cases {
        assert_eq!(fits(expected, printed), is_fit, "{expected:?} {printed:?}");
    }
}

/// A fenced block.
struct Block {
    language: &'static str,
    lines: Vec<&'static str>,
}

impl Block {
    /// Each line that is typed, and what comes back.
    fn typed(self) -> Vec<(&'static str, Vec<&'static str>)> {
        self.lines
            .chunk_by(|_, next| !next.starts_with("$ "))
            .map(|chunk| {
                let line = chunk[0].strip_prefix("$ ").expect("what is typed comes first");
                let end = chunk.iter().rposition(|line| !line.is_empty()).unwrap_or(0);
                (line, chunk[1..=end].to_vec())
            })
            .collect()
    }
}

fn blocks(text: &'static str) -> Vec<Block> {
    // What stands between fences has an odd place.
    let fenced = text.split("\n```").skip(1).step_by(2);
    fenced
        .map(|block| {
            let mut lines = block.lines();
            Block { language: lines.next().unwrap_or_default(), lines: lines.collect() }
        })
        .collect()
}

fn section(heading: &str) -> &'static str {
    let (_, rest) = README.split_once(&format!("\n{heading}\n")).expect(heading);
    rest.split("\n## ").next().unwrap_or(rest)
}

fn shown(line: &str, output: &[&str]) -> String {
    let mut text = format!("$ {line}\n");
    for line in output {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn fits(expected: &[&str], printed: &[&str]) -> bool {
    match expected.split_first() {
        None => printed.is_empty(),
        Some((&"…", rest)) => (0..=printed.len()).any(|skip| fits(rest, &printed[skip..])),
        Some((line, rest)) => printed
            .split_first()
            .is_some_and(|(first, more)| line_fits(line, first) && fits(rest, more)),
    }
}

fn line_fits(expected: &str, printed: &str) -> bool {
    let Some((head, tail)) = expected.split_once('…') else { return expected == printed };
    let Some(rest) = printed.strip_prefix(head) else { return false };
    let mut ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
    ends.any(|at| line_fits(tail, &rest[at..]))
}

/// A command line taken apart as a shell does: quotes keep blanks together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for character in line.chars() {
        match (quote, character) {
            (None, '"' | '\'') => quote = Some(character),
            (Some(open), _) if open == character => quote = None,
            (None, ' ') => words.push(String::new()),
            _ => words.last_mut().expect("never empty").push(character),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// What types the examples: one user, one simulator, one clock.
struct Shell {
    env: BTreeMap<String, String>,
    clock: Clock,
    exit: u8,
    home: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let dir = home.path().to_str().unwrap();
        let env = [
            ("XDG_STATE_HOME", dir),
            ("XDG_CONFIG_HOME", dir),
            ("LANG", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("CI", "1"),
        ];
        Self {
            env: env.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            clock: Clock::fake("2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap()),
            exit: 0,
            home,
        }
    }

    /// What a line leaves on the screen.
    async fn run(&mut self, line: &str) -> String {
        match line.split_once(' ') {
            Some(("export", setting)) => {
                let (name, value) = setting.split_once('=').expect("a value");
                self.env.insert(name.to_owned(), value.to_owned());
                String::new()
            }
            Some(("echo", "$?")) => format!("{}\n", self.exit),
            Some(("cfsso", rest)) => {
                let terminal = Terminal {
                    stdin: false,
                    stdout: true,
                    stderr: true,
                    width: Some(80),
                    measure: None,
                };
                let ran = harness::run(rest, &self.env, terminal, "", &self.clock).await;
                self.exit = ran.code;
                // The state's place is another one in each run.
                ran.screen.replace(self.home.path().to_str().unwrap(), "~/.local/state")
            }
            _ => panic!("`{line}` cannot be run here"),
        }
    }
}
