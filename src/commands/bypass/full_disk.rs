//! A lockout on a full disk. A unit test, because only here can the journal be put on one.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use serde_json::Value;

use super::{JournalMode, disable, otp};
use crate::clock::Clock;
use crate::commands::Outcome;
use crate::context::Context;
use crate::error_report;
use crate::flow::journal::Journal;
use crate::output::{Environment, ErrorReport, ExitCode, Screen, ScreenOptions};
use crate::sandbox::{self, Sandbox};
use crate::{cli, settings};

#[derive(Clone, Default)]
struct Printed(Arc<Mutex<Vec<u8>>>);

impl Write for Printed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Machine {
    sandbox: Sandbox,
    clock: Clock,
    dir: tempfile::TempDir,
}

impl Machine {
    async fn new() -> Self {
        let clock = Clock::fake("2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap());
        let options = sandbox::Options { clock: clock.clone(), ..sandbox::Options::default() };
        let sandbox = sandbox::start(options).await.unwrap();
        let place = Self { sandbox, clock, dir: tempfile::tempdir().unwrap() };
        let (context, _) = place.context();
        let line = "cfsso setup cool.cats --publish-txt --enable";
        let words: Vec<_> = line.split(' ').map(Into::into).collect();
        let command = cli::parse(&words).unwrap().command;
        let outcome = command.run(&context).await.unwrap();
        assert!(outcome.failure.is_none());
        place
    }

    fn context(&self) -> (Context, Printed) {
        let mut env: Environment = self
            .sandbox
            .environment()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        let journal = self.dir.path().join("room").display().to_string();
        env.insert("CFSSO_JOURNAL".to_owned(), journal);
        let words = ["cfsso", "bypass", "status", "--yes"].map(Into::into);
        let options = cli::parse(&words).unwrap().options;
        let settings = settings::resolve(options, &env, settings::FileUse::Required).unwrap();
        let printed = Printed::default();
        let screen = Screen::new(
            ScreenOptions::default(),
            Box::new(io::empty()),
            Box::new(printed.clone()),
            Box::new(io::sink()),
            self.clock.clone(),
        );
        (Context::new(settings, screen, self.clock.clone(), &words), printed)
    }

    fn full(&self) -> (Context, Printed) {
        let (context, printed) = self.context();
        let dir = self.dir.path().join("full");
        (context.with_journal(Journal::with_full_disk(dir, self.clock.clone())), printed)
    }

    fn writes(&self) -> usize {
        self.sandbox.log().iter().filter(|exchange| exchange.method != "GET").count()
    }
}

fn refused(outcome: anyhow::Result<Outcome>) -> ErrorReport {
    let error = match outcome {
        Ok(outcome) => outcome.failure.expect("it cannot be done"),
        Err(error) => error,
    };
    error_report::to_failure(&error)
}

#[tokio::test]
async fn a_full_disk_stops_the_write_and_no_journal_does_without() {
    let place = Machine::new().await;
    let (before, writes) = (place.sandbox.snapshot(), place.writes());
    // Sequentially: there is only one full disk.
    for again in ["bypass otp", "bypass disable --all"] {
        let (context, _) = place.full();
        let outcome = match again {
            "bypass otp" => otp::run(otp::Args::default(), &context).await,
            _ => disable::run(disable::Args::of(None), &context).await,
        };
        let failure = refused(outcome);
        assert_eq!(failure.exit_code, ExitCode::Failure);
        assert_eq!(failure.message, "cannot write the journal; nothing was sent");
        assert!(failure.causes[0].contains("No space left"), "{failure:?}");
        let hint = failure.hint.unwrap();
        assert!(hint.contains(&format!("`cfsso {again} --no-journal`")), "{hint}");
    }
    assert_eq!(place.writes(), writes);
    assert_eq!(place.sandbox.snapshot(), before);

    let keeping = JournalMode { no_journal: true, ..JournalMode::default() };
    let (context, printed) = place.full();
    let mut args = disable::Args::of(None);
    args.keeping = keeping.clone();
    let outcome = disable::run(args, &context).await.unwrap();
    assert!(outcome.failure.is_none());
    let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    let line: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let started = &line["records"][0]["started"];
    assert_eq!(started["before"]["enabled"], true, "{text}");
    assert_eq!(place.writes(), writes + 1);

    let (context, printed) = place.full();
    let mut args = otp::Args::default();
    args.keeping = keeping;
    assert!(otp::run(args, &context).await.unwrap().failure.is_none());
    let text = String::from_utf8(printed.0.lock().unwrap().clone()).unwrap();
    assert!(text.contains(r#""method":"POST""#), "{text}");
}

#[tokio::test]
async fn whatever_else_is_written_stops_as_well() {
    let place = Machine::new().await;
    let writes = place.writes();
    let words: Vec<_> = "cfsso disable cool.cats".split(' ').map(Into::into).collect();
    let command = cli::parse(&words).unwrap().command;
    let failure = refused(command.run(&place.full().0).await);
    assert!(failure.hint.unwrap().contains("CFSSO_JOURNAL"));
    assert_eq!(place.writes(), writes);
}
