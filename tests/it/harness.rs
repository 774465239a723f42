//! Whole commands, run in-process against a sandbox of their own.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Write};
use std::sync::{Arc, Mutex};

use cfsso::clock::Clock;
use cfsso::process::{Process, Terminal};
use cfsso::sandbox::{Access, Options, Sandbox, Saved, start};
use jiff::Timestamp;
use serde_json::Value;

use crate::sandbox::client::ask;

/// A sandbox and the environment that points to it.
pub struct World {
    /// The sandbox.
    pub sandbox: Sandbox,
    /// The time, which moves only when somebody waits.
    pub clock: Clock,
    env: BTreeMap<String, String>,
    terminal: Terminal,
    input: String,
    /// The journal of the commands run here.
    pub journal: tempfile::TempDir,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: u8,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// Both, in the order of a screen.
    pub screen: String,
}

/// A world at one moment, from which others start: cheaper than the commands
/// that led to it.
#[derive(Clone)]
pub struct Scene {
    state: Saved,
    time: Timestamp,
}

impl Scene {
    /// A world of its own at this moment, without a journal of what came before.
    pub async fn world(&self) -> World {
        World::start(Clock::fake(self.time), Some(self.state.clone())).await
    }
}

impl World {
    /// A fresh sandbox, in memory, at a fixed time.
    pub async fn new() -> Self {
        let time = "2026-03-01T12:00:00Z".parse::<Timestamp>().unwrap();
        Self::start(Clock::fake(time), None).await
    }

    /// The world as it is now, for others to start from.
    pub fn scene(&self) -> Scene {
        Scene { state: self.sandbox.saved(), time: self.clock.now() }
    }

    /// A sandbox at the time of `clock`, from a state or from the beginning.
    pub async fn start(clock: Clock, start_from: Option<Saved>) -> Self {
        let options = Options { clock: clock.clone(), start_from, ..Options::default() };
        let sandbox = start(options).await.unwrap();
        let journal = private_folder();
        let mut env: BTreeMap<String, String> = sandbox
            .environment()
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect();
        env.insert("CFSSO_JOURNAL".to_owned(), journal.path().display().to_string());
        env.insert("USER".to_owned(), "ada".to_owned());
        Self { sandbox, clock, env, terminal: Terminal::default(), input: String::new(), journal }
    }

    /// The same world, seen with another token.
    pub fn with_token(mut self, access: Access) -> Self {
        self.env.insert("CLOUDFLARE_API_TOKEN".to_owned(), self.sandbox.token(access).to_owned());
        self
    }

    /// The same world, with a variable set, or unset by an empty value.
    pub fn with_env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same world, with somebody at a terminal who types `input`.
    pub fn with_person(mut self, input: &str) -> Self {
        self.terminal =
            Terminal { stdin: true, stdout: true, stderr: true, width: Some(80), measure: None };
        self.env.insert("TERM".to_owned(), "dumb".to_owned());
        input.clone_into(&mut self.input);
        self
    }

    /// The same world, with something on standard input.
    pub fn with_input(mut self, input: &str) -> Self {
        input.clone_into(&mut self.input);
        self
    }

    /// Runs a command line; its words are separated by blanks.
    pub async fn run(&self, line: &str) -> Ran {
        run(line, &self.env, self.terminal, &self.input, &self.clock).await
    }

    /// Runs a command line that has to end with 0.
    pub async fn ok(&self, line: &str) -> Ran {
        let ran = self.run(line).await;
        assert_eq!(ran.code, 0, "{line}\n{ran:?}");
        ran
    }

    /// Makes something go wrong from now on, as `--fault` would.
    pub fn fault(&self, text: &str) {
        self.sandbox.inject(text.parse().unwrap());
    }

    /// Asks the sandbox past the program, with the token that may do everything.
    pub async fn ask(&self, request: &str) -> Value {
        ask(&self.sandbox, Access::Full, request, None).await.result()
    }

    /// The connectors of the account, as the sandbox has them.
    pub async fn connectors(&self) -> Vec<Value> {
        let path = format!("GET /accounts/{}/sso_connectors", self.sandbox.account());
        self.ask(&path).await.as_array().unwrap().clone()
    }

    /// The codes in the TXT records of a zone of the account.
    pub async fn codes(&self, zone: &str) -> Vec<String> {
        let zones = self.ask(&format!("GET /zones?name={zone}&status=active")).await;
        let id = zones[0]["id"].as_str().unwrap();
        let records = self.ask(&format!("GET /zones/{id}/dns_records?type=TXT")).await;
        let contents = records.as_array().unwrap().iter();
        contents
            .map(|record| record["content"].as_str().unwrap().trim_matches('"').to_owned())
            .filter(|text| text.starts_with("cloudflare_dashboard_sso="))
            .collect()
    }

    /// Creates and verifies the connector of `cool.cats`, which stays disabled.
    pub async fn verified(self) -> Self {
        self.ok("setup cool.cats --publish-txt -o json").await;
        self
    }

    /// Creates, verifies and enables the connector of `cool.cats`.
    pub async fn enabled(self) -> Self {
        self.ok("setup cool.cats --publish-txt --enable --yes -o json").await;
        self
    }

    /// Runs a command line and tells the requests that it took.
    pub async fn requests_of(&self, line: &str) -> (Ran, Vec<String>) {
        let before = self.requests().len();
        let ran = self.run(line).await;
        (ran, self.requests().split_off(before))
    }

    /// Runs a command line that has to end with `code`, in JSON: the error.
    pub async fn fails(&self, line: &str, code: u8) -> Value {
        let ran = self.run(&format!("{line} -o json")).await;
        assert_eq!(ran.code, code, "{line}\n{ran:?}");
        ran.error()
    }

    /// The requests so far, `VERB path`, below the account.
    pub fn requests(&self) -> Vec<String> {
        let account = format!("/client/v4/accounts/{}", self.sandbox.account());
        let below = |path: &str| path.strip_prefix(&account).unwrap_or(path).to_owned();
        self.sandbox
            .log()
            .iter()
            .map(|exchange| format!("{} {}", exchange.method, below(&exchange.path)))
            .collect()
    }

    /// The requests so far that write.
    pub fn writes(&self) -> Vec<String> {
        self.requests().into_iter().filter(|request| !request.starts_with("GET")).collect()
    }
}

/// A folder that no other user may use: a journal has to be in one.
fn private_folder() -> tempfile::TempDir {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    builder.tempdir().unwrap()
}

impl Ran {
    /// Standard output as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self:?}"))
    }

    /// The failure that standard error ends with, warnings before it left out.
    pub fn error(&self) -> Value {
        let documents = serde_json::Deserializer::from_str(&self.stderr).into_iter::<Value>();
        let documents: Result<Vec<_>, _> = documents.collect();
        let mut documents = documents.unwrap_or_else(|error| panic!("{error}\n{self:?}"));
        let last = documents.pop().unwrap_or_else(|| panic!("no error in {self:?}"));
        assert!(documents.iter().all(|document| document["level"].is_string()), "{self:?}");
        assert!(last["error"].is_object(), "{self:?}");
        last["error"].clone()
    }
}

/// Runs a command line in an environment of one's own.
pub async fn run(
    line: &str,
    env: &BTreeMap<String, String>,
    terminal: Terminal,
    input: &str,
    clock: &Clock,
) -> Ran {
    let screen = Buffer::default();
    let (stdout, stderr) = (Stream::onto(&screen), Stream::onto(&screen));
    let process = Process {
        args: std::iter::once("cfsso").chain(line.split_whitespace()).map(Into::into).collect(),
        env: env.clone(),
        stdin: Box::new(Cursor::new(input.to_owned().into_bytes())),
        stdout: Box::new(stdout.clone()),
        stderr: Box::new(stderr.clone()),
        terminal,
        pager: None,
        clock: clock.clone(),
    };
    let code = Box::pin(cfsso::run(process)).await.code();
    Ran { code, stdout: stdout.own.text(), stderr: stderr.own.text(), screen: screen.text() }
}

#[derive(Clone, Default)]
struct Buffer(Arc<Mutex<Vec<u8>>>);

impl Buffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// A stream that is kept alone and on the screen.
#[derive(Clone)]
struct Stream {
    own: Buffer,
    screen: Buffer,
}

impl Stream {
    fn onto(screen: &Buffer) -> Self {
        Self { own: Buffer::default(), screen: screen.clone() }
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for buffer in [&self.own, &self.screen] {
            buffer.0.lock().unwrap().extend_from_slice(bytes);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
