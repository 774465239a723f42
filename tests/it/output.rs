//! Screens as a command uses them, on streams in memory.
#![allow(clippy::unwrap_used, reason = "a test may panic, in its helpers too")]

use std::io::{self, Cursor, ErrorKind, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cfsso::clock::Clock;
use cfsso::output::{
    ApiError, ErrorReport, ExitCode, Format, Page, Render, Screen, ScreenOptions, Status, Text, ago,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

/// A stream that keeps what is written to it.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Kept {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A stream that takes nothing.
struct Broken(ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Run {
    screen: Screen,
    stdout: Kept,
    stderr: Kept,
    clock: Clock,
}

fn run(options: ScreenOptions, stdin: &'static str) -> Run {
    let (stdout, stderr) = (Kept::default(), Kept::default());
    let clock = Clock::fake("2026-03-04T09:00:00Z".parse().unwrap());
    let screen = Screen::new(
        options,
        Box::new(Cursor::new(stdin)),
        Box::new(stdout.clone()),
        Box::new(stderr.clone()),
        clock.clone(),
    );
    Run { screen, stdout, stderr, clock }
}

fn piped(format: Format) -> Run {
    run(ScreenOptions { format, unicode: true, width: Some(80), ..ScreenOptions::default() }, "")
}

fn terminal(options: ScreenOptions, stdin: &'static str) -> Run {
    let options = ScreenOptions {
        unicode: true,
        width: Some(80),
        stdin_terminal: true,
        stdout_terminal: true,
        stderr_terminal: true,
        ..options
    };
    run(options, stdin)
}

#[derive(Serialize)]
#[serde(transparent)]
struct Connectors(Vec<Connector>);

#[derive(Serialize)]
struct Connector {
    domain: &'static str,
    created: Timestamp,
    rest: Box<RawValue>,
}

impl Render for Connectors {
    fn show(&self, page: &mut Page) {
        let now = page.now();
        let row = |connector: &Connector| {
            vec![
                Text::strong(connector.domain),
                page.state(Status::Done, "verified"),
                Text::dim(ago(connector.created, now)),
            ]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        page.table(&["DOMAIN", "STATUS", "CREATED"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|connector| connector.domain.to_owned()).collect()
    }
}

fn connectors() -> Connectors {
    let connector = |domain, rest: &str| Connector {
        domain,
        created: "2026-03-01T09:00:00Z".parse().unwrap(),
        rest: RawValue::from_string(rest.to_owned()).unwrap(),
    };
    Connectors(vec![
        connector(
            "cool.cats",
            "{\"z\":12345678901234567890123, \"price\": 3.10,\"note\":\"\u{202e}\"}",
        ),
        connector("evil\u{1b}[2J\u{202e}.cats", "[]"),
    ])
}

fn reported(format: Format) -> String {
    let run = piped(format);
    run.screen.report(&connectors()).unwrap();
    assert_eq!(run.stderr.text(), "");
    run.stdout.text()
}

#[test]
fn a_table_is_for_people() {
    insta::assert_snapshot!(reported(Format::Table), @r"
    DOMAIN     STATUS      CREATED
    cool.cats  ✓ verified  3 days ago
    evil.cats  ✓ verified  3 days ago
    ");
}

#[test]
fn a_table_in_colour_weighs_its_cells() {
    let run = terminal(ScreenOptions { colour: true, ..ScreenOptions::default() }, "");
    run.screen.report(&connectors()).unwrap();
    insta::assert_snapshot!(run.stdout.text().replace('\u{1b}', "ESC"), @r"
    ESC[2mDOMAINESC[0m     ESC[2mSTATUSESC[0m      ESC[2mCREATEDESC[0m
    ESC[1mcool.catsESC[0m  ESC[32m✓ verifiedESC[0m  ESC[2m3 days agoESC[0m
    ESC[1mevil.catsESC[0m  ESC[32m✓ verifiedESC[0m  ESC[2m3 days agoESC[0m
    ");
}

#[test]
fn json_keeps_numbers_and_order() {
    insta::assert_snapshot!(reported(Format::Json), @r#"
    [
      {
        "domain": "cool.cats",
        "created": "2026-03-01T09:00:00Z",
        "rest": {
          "z": 12345678901234567890123,
          "price": 3.10,
          "note": "\u202e"
        }
      },
      {
        "domain": "evil\u001b[2J\u202e.cats",
        "created": "2026-03-01T09:00:00Z",
        "rest": []
      }
    ]
    "#);
}

#[test]
fn ndjson_is_one_item_a_line() {
    insta::assert_snapshot!(reported(Format::Ndjson), @r#"
    {"domain":"cool.cats","created":"2026-03-01T09:00:00Z","rest":{"z":12345678901234567890123,"price":3.10,"note":"\u202e"}}
    {"domain":"evil\u001b[2J\u202e.cats","created":"2026-03-01T09:00:00Z","rest":[]}
    "#);
}

#[test]
fn yaml_is_json_where_it_has_to_escape() {
    assert_eq!(reported(Format::Yaml), reported(Format::Json));
    let run = piped(Format::Yaml);
    run.screen.report(&Connectors(Vec::new())).unwrap();
    assert_eq!(run.stdout.text(), "[]\n");
}

#[test]
fn names_are_one_a_line() {
    insta::assert_snapshot!(reported(Format::Name), @r"
    cool.cats
    evil.cats
    ");
}

#[test]
fn a_closed_pipe_is_no_error_and_a_full_disk_is() {
    let report = |kind| {
        let screen = Screen::new(
            ScreenOptions::default(),
            Box::new(io::empty()),
            Box::new(Broken(kind)),
            Box::new(io::sink()),
            Clock::fake(Timestamp::UNIX_EPOCH),
        );
        screen.step(Status::Done, "Connector", "");
        screen.report(&connectors())
    };
    report(ErrorKind::BrokenPipe).unwrap();
    assert_eq!(report(ErrorKind::StorageFull).unwrap_err().kind(), ErrorKind::StorageFull);
}

#[test]
fn a_step_that_could_not_be_written_fails_the_report() {
    struct FullOnce(bool, Kept);
    impl Write for FullOnce {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if std::mem::take(&mut self.0) {
                return Err(ErrorKind::StorageFull.into());
            }
            self.1.write(bytes)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let stdout = Kept::default();
    let screen = Screen::new(
        ScreenOptions::default(),
        Box::new(io::empty()),
        Box::new(FullOnce(true, stdout.clone())),
        Box::new(io::sink()),
        Clock::fake(Timestamp::UNIX_EPOCH),
    );
    screen.step(Status::Done, "Connector", "");
    assert_eq!(screen.literal("text\n").unwrap_err().kind(), ErrorKind::StorageFull);
    assert_eq!(stdout.text(), "text\n");
    screen.literal("more\n").unwrap();
}

#[test]
fn steps_are_for_people_and_events_for_programs() {
    #[derive(Serialize)]
    struct Event {
        event: &'static str,
    }
    for format in Format::ALL {
        let run = piped(format);
        run.screen.step(Status::Done, "Connector", "cool.cats");
        run.screen.event(&Event { event: "step" });
        let expected = match format {
            Format::Table => "✓ Connector                 cool.cats\n",
            Format::Ndjson => "{\"event\":\"step\"}\n",
            Format::Json | Format::Yaml | Format::Name | Format::Markdown => "",
        };
        assert_eq!(run.stdout.text(), expected, "{format}");
        assert_eq!(run.stderr.text(), "", "{format}");
    }
}

#[test]
fn steps_do_without_unicode_and_with_colour() {
    let ascii = run(ScreenOptions { colour: true, ..ScreenOptions::default() }, "");
    for mark in [
        Status::Done,
        Status::Running,
        Status::Pending,
        Status::Skipped,
        Status::Failed,
        Status::Warning,
    ] {
        ascii.screen.step(mark, "verify", "");
    }
    insta::assert_snapshot!(ascii.stdout.text().replace('\u{1b}', "ESC"), @"
    ESC[32mdoneESC[0m        verify
    ESC[1mrunningESC[0m     verify
    ESC[2mpendingESC[0m     verify
    ESC[32mskippedESC[0m     verify
    ESC[31mfailedESC[0m      verify
    ESC[33mwarningESC[0m     verify
    ");
}

#[test]
fn notes_and_warnings_go_to_standard_error() {
    let run = terminal(ScreenOptions::default(), "");
    run.screen.note(Text::prose(
        "the TXT record may go once the connector is verified; `cfsso connector get cool.cats` tells",
    ));
    run.screen.warn("another code is published at cool.cats\u{1b}[2J");
    assert_eq!(run.stdout.text(), "");
    insta::assert_snapshot!(run.stderr.text(), @r"
    note: the TXT record may go once the connector is verified;
          `cfsso connector get cool.cats` tells
    warning: another code is published at cool.cats
    ");
}

const JSON_REMARKS: &str = concat!(
    "{\"level\":\"note\",\"message\":\"left\"}\n",
    "{\"level\":\"warning\",\"message\":\"a \\\"b\\\"\"}\n",
);

#[test]
fn programs_get_notes_and_warnings_as_objects() {
    let table = [
        (Format::Json, JSON_REMARKS),
        (Format::Ndjson, JSON_REMARKS),
        (Format::Yaml, JSON_REMARKS),
        (Format::Name, "note: left\nwarning: a \"b\"\n"),
    ];
    for (format, expected) in table {
        let run = piped(format);
        run.screen.note("left");
        run.screen.warn("a \"b\"");
        assert_eq!(run.stderr.text(), expected, "{format}");
    }
    let quiet = run(ScreenOptions { quiet: true, ..ScreenOptions::default() }, "");
    quiet.screen.note("left out");
    quiet.screen.start_wait("left out");
    quiet.screen.warn("stays");
    assert_eq!(quiet.stderr.text(), "warning: stays\n");
}

#[test]
fn a_log_has_a_line_for_each_new_wait() {
    let run = piped(Format::Table);
    run.screen.start_wait("waiting for TXT on 3 name servers");
    run.screen.start_wait("waiting for TXT on 3 name servers");
    run.screen.start_wait("waiting for TXT on 1 name server");
    run.screen.end_progress();
    run.screen.end_progress();
    assert_eq!(
        run.stderr.text(),
        "waiting for TXT on 3 name servers\nwaiting for TXT on 1 name server\n"
    );
    let program = piped(Format::Json);
    program.screen.start_wait("waiting");
    assert_eq!(program.stderr.text(), "");
}

/// What a terminal shows in the end: a carriage return and an erased line are
/// all that the live line uses.
fn seen(raw: &str) -> Vec<String> {
    let lines = raw.split('\n').map(|line| {
        let shown = line.rsplit("\r\u{1b}[2K").next().unwrap_or_default();
        assert!(!shown.contains('\u{1b}'), "an unknown sequence in {raw:?}");
        shown.trim_end().to_owned()
    });
    lines.collect()
}

#[test]
fn a_live_line_makes_way_and_goes() {
    let run = terminal(ScreenOptions { live: true, ..ScreenOptions::default() }, "");
    run.screen.start_wait("waiting for TXT on 3 name servers");
    assert!(run.stderr.text().contains("waiting for TXT on 3 name servers 0s"));
    run.screen.warn("one answered late");
    run.screen.trace_writer().write_all(b"GET /zones 200\n").unwrap();
    run.screen.end_progress();
    assert_eq!(seen(&run.stderr.text()), ["warning: one answered late", "GET /zones 200", ""]);
    assert_eq!(run.stdout.text(), "");
}

#[tokio::test]
async fn a_live_line_says_for_how_long() {
    let run = terminal(ScreenOptions { live: true, ..ScreenOptions::default() }, "");
    run.screen.start_wait("waiting for the verdict");
    run.clock.sleep(Duration::from_secs(72)).await;
    run.screen.start_wait("still waiting for the verdict");
    run.screen.warn("redrawn after this");
    assert!(run.stderr.text().contains("1m 12s"), "{:?}", run.stderr.text());
}

#[tokio::test]
async fn questions_are_answered_a_line_each() {
    let run = terminal(ScreenOptions::default(), "cool.cats\r\n\nlast");
    assert!(run.screen.can_ask());
    let question = || Text::plain("type ") + Text::code("cool.cats") + " to go on:";
    assert_eq!(run.screen.ask(question()).await.unwrap().as_deref(), Some("cool.cats"));
    assert_eq!(run.screen.ask("again:").await.unwrap().as_deref(), Some(""));
    assert_eq!(run.screen.ask("again:").await.unwrap().as_deref(), Some("last"));
    assert_eq!(run.screen.ask("again:").await.unwrap(), None);
    let asked = "type `cool.cats` to go on: again: again: again: \n";
    assert_eq!(run.stderr.text(), asked);
    assert_eq!(run.stdout.text(), "");
}

#[test]
fn nobody_is_asked_without_a_terminal() {
    assert!(!piped(Format::Table).screen.can_ask());
    let options = ScreenOptions { stdin_terminal: true, ..ScreenOptions::default() };
    assert!(!run(options, "").screen.can_ask());
}

fn not_found() -> ErrorReport {
    ErrorReport {
        http_status: Some(404),
        api_errors: vec![ApiError {
            code: Some(1003),
            message: "not found\u{202e}".into(),
            documentation_url: None,
        }],
        ray_id: Some("8f2a6c1d2e3f4a5b-LHR".into()),
        request: Some("GET /accounts/0123/sso_connectors/68ca".into()),
        hint: Some("these exist: `cool.cats`".into()),
        ..ErrorReport::new(ExitCode::NotFound, "no connector for `hot.dogs`")
    }
}

fn failed(format: Format) -> String {
    let run = piped(format);
    run.screen.failure(&not_found());
    assert_eq!(run.stdout.text(), "");
    run.stderr.text()
}

#[test]
fn a_failure_is_told_in_the_chosen_format() {
    insta::assert_snapshot!(failed(Format::Table), @"
    error: no connector for `hot.dogs`
           GET /accounts/0123/sso_connectors/68ca returned 404
           1003 not found
           ray 8f2a6c1d2e3f4a5b-LHR
    hint:  these exist: `cool.cats`
    ");
    assert_eq!(failed(Format::Name), failed(Format::Table));
    insta::assert_snapshot!(failed(Format::Json), @r#"{"error":{"kind":"not-found","message":"no connector for `hot.dogs`","causes":[],"http_status":404,"api_errors":[{"code":1003,"message":"not found\u202e"}],"ray_id":"8f2a6c1d2e3f4a5b-LHR","request":"GET /accounts/0123/sso_connectors/68ca","retryable":false,"hint":"these exist: `cool.cats`","required_permission":null,"exit_code":6}}"#);
    assert_eq!(failed(Format::Ndjson).lines().count(), 1);
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    assert_eq!(read(&failed(Format::Ndjson)), read(&failed(Format::Json)));
    assert_eq!(failed(Format::Yaml), failed(Format::Json));
}

/// A terminal without input.
struct Silent;

impl io::Read for Silent {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        loop {
            std::thread::park();
        }
    }
}

#[tokio::test]
async fn an_interrupt_at_a_question_is_told_on_a_line_of_its_own() {
    let stderr = Kept::default();
    let options =
        ScreenOptions { stdin_terminal: true, stderr_terminal: true, ..Default::default() };
    let clock = Clock::fake("2026-03-04T09:00:00Z".parse().unwrap());
    let (stdin, stdout) = (Box::new(Silent), Box::new(Kept::default()));
    let screen = Screen::new(options, stdin, stdout, Box::new(stderr.clone()), clock);
    tokio::select! {
        biased;
        _ = screen.ask("Type yes:") => panic!("there is no input"),
        () = tokio::task::yield_now() => {}
    }
    let mut failure = ErrorReport::new(ExitCode::Interrupted, "interrupted");
    failure.causes.push("no change was in progress".to_owned());
    screen.failure(&failure);
    let expected = "Type yes: \nerror: interrupted\nstate: no change was in progress\n";
    assert_eq!(stderr.text(), expected);
    screen.failure(&failure);
    assert!(!stderr.text()[expected.len()..].starts_with('\n'));
}
