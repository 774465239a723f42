//! The context of a command. Client, resolver and simulator are created on first use.

mod account;
mod accounts;
mod confirm;
mod connector;
mod credentials;
mod fetcher;
mod journal;
mod run_state;
mod token_command;

pub use accounts::NamedAccount;
pub use connector::not_specified;
pub use run_state::UndoHint;

use std::cell::{self, Cell, RefCell};
use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::api::ids::AccountId;
use crate::api::odd::OddRecord;
use crate::api::{Client, Config, Credentials};
use crate::clock::Clock;
use crate::dns::{self, Resolver};
use crate::flow::dry_run::Writes;
use crate::flow::journal::Journal;
use crate::flow::wait::DEFAULT_WAIT;
use crate::flow::{Env, FlowError};
use crate::input::file;
use crate::output::{Environment, Screen};
use crate::process;
use crate::sandbox::{self, Access, LockOwner, Sandbox};
use crate::settings::{self, CredentialSource, Options, Settings};

pub struct Context {
    pub settings: Settings,
    pub screen: Screen,
    pub clock: Clock,
    env: Environment,
    started: Timestamp,
    steps_done: RefCell<Vec<&'static str>>,
    undo_command: RefCell<Option<String>>,
    resume_command: RefCell<Option<String>>,
    interrupted_note: Cell<Option<&'static str>>,
    handles_signals: Cell<bool>,
    journal: Journal<'static>,
    sandbox: OnceCell<Option<Sandbox>>,
    /// The base URL of a simulator of another process that is used instead.
    running_simulator: cell::OnceCell<String>,
    may_use_running_simulator: Cell<bool>,
    typed_token: OnceCell<SecretString>,
    /// The user has agreed to the changes that are made now.
    agreed: Cell<bool>,
    client: OnceCell<Client>,
    account: OnceCell<AccountId>,
    account_name: cell::OnceCell<String>,
    resolver: OnceCell<Resolver>,
}

impl Context {
    /// For the command line `args`; creates nothing yet.
    pub fn new(settings: Settings, screen: Screen, clock: Clock, args: &[OsString]) -> Self {
        let started = clock.now();
        let journal = journal::open(&settings, &clock, args);
        Self {
            settings,
            screen,
            clock,
            env: Environment::new(),
            started,
            steps_done: RefCell::default(),
            undo_command: RefCell::default(),
            resume_command: RefCell::default(),
            interrupted_note: Cell::default(),
            handles_signals: Cell::default(),
            journal,
            sandbox: OnceCell::new(),
            running_simulator: cell::OnceCell::new(),
            may_use_running_simulator: Cell::default(),
            typed_token: OnceCell::new(),
            agreed: Cell::default(),
            client: OnceCell::new(),
            account: OnceCell::new(),
            account_name: cell::OnceCell::new(),
            resolver: OnceCell::new(),
        }
    }

    pub fn with_env(mut self, env: Environment) -> Self {
        self.env = env;
        self
    }

    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn with_journal(mut self, journal: Journal<'static>) -> Self {
        self.journal = journal;
        self
    }

    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    pub async fn env(&self) -> anyhow::Result<Env<'_>> {
        Ok(Env {
            client: self.client().await?,
            account: self.account().await?,
            resolver: self.resolver().await?,
            clock: &self.clock,
            journal: &self.journal,
            writes: if self.settings.options.dry_run { Writes::Refuse } else { Writes::Send },
        })
    }

    pub fn journal(&self) -> &Journal<'static> {
        &self.journal
    }

    /// The resolver, which needs no token.
    pub async fn resolver(&self) -> anyhow::Result<&Resolver> {
        self.resolver
            .get_or_try_init(async || {
                let mut config = dns::Config {
                    servers: self.settings.servers.clone(),
                    deadline: self.deadline(),
                    ..dns::Config::default()
                };
                // The variable and the profile name servers for real domains.
                if let Some(sandbox) = self.sandbox().await?
                    && self.settings.options.servers.is_empty()
                {
                    config.servers = vec![sandbox.dns_server().to_string().parse()?];
                }
                Ok(Resolver::new(config, self.clock.clone()))
            })
            .await
    }

    /// Records in lists of this run that are not understood and that no result shows.
    pub fn odd_records(&self) -> Vec<OddRecord> {
        self.client.get().map(|client| client.odd_records(None)).unwrap_or_default()
    }

    /// The end of `--timeout`, if given.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.settings.options.timeout.map(|timeout| self.after(timeout))
    }

    /// The command's deadline, or half an hour from now.
    pub fn wait_deadline(&self) -> Timestamp {
        self.deadline().unwrap_or_else(|| self.after(DEFAULT_WAIT))
    }

    /// The token that `token_command` prints.
    pub async fn token_of_command(&self, command: &[String]) -> anyhow::Result<SecretString> {
        let printed = token_command::output(command, self.remaining()).await?;
        Ok(credentials::token(&printed, "the command")?)
    }

    pub fn profiles(&self) -> Vec<String> {
        settings::profiles(&self.env)
    }

    /// Whether no credential was given, so that the user has to be asked for one.
    pub fn lacks_credentials(&self) -> bool {
        let is_missing = matches!(self.settings.credentials, CredentialSource::Missing);
        is_missing && !self.settings.sandbox && !self.typed_token.initialized()
    }

    pub fn use_token(&self, token: SecretString) {
        // A second one cannot be typed: the first was accepted.
        let _ = self.typed_token.set(token);
    }

    /// Uses the simulator of the process that has the state open, if there is one: for a command
    /// that another one offers while it runs. It has no name server for this process.
    pub fn use_running_simulator(&self) {
        self.may_use_running_simulator.set(true);
    }

    pub async fn sandbox(&self) -> anyhow::Result<Option<&Sandbox>> {
        let sandbox = self
            .sandbox
            .get_or_try_init(async || {
                if !self.settings.sandbox {
                    return anyhow::Ok(None);
                }
                let mut options = sandbox::Options {
                    state: Some(self.settings.sandbox_state()?),
                    faults: self.settings.options.faults.clone(),
                    clock: self.clock.clone(),
                    ..sandbox::Options::default()
                };
                let may_use_running = self.may_use_running_simulator.get();
                if may_use_running {
                    options.lock_wait = Duration::ZERO;
                }
                match sandbox::start(options).await {
                    Err(sandbox::Error::Locked {
                        holder: LockOwner { url: Some(url), .. },
                        ..
                    }) if may_use_running => {
                        // Only this closure sets it, once.
                        let _ = self.running_simulator.set(url);
                        Ok(None)
                    }
                    started => Ok(Some(started?)),
                }
            })
            .await?;
        Ok(sandbox.as_ref())
    }

    pub async fn client(&self) -> anyhow::Result<&Client> {
        self.client
            .get_or_try_init(async || {
                let Options { token_file, token_stdin, .. } = &self.settings.options;
                let is_simulated =
                    self.sandbox().await?.is_some() || self.running_simulator.get().is_some();
                let credentials = if is_simulated && token_file.is_none() && !token_stdin {
                    Credentials::Token(SecretString::from(Access::Full.token()))
                } else {
                    self.credentials().await?
                };
                let note = self.screen.detached_notes();
                let client = self.client_by(credentials).await?.on_first_pause(move |wait| {
                    let seconds = wait.as_secs_f64().ceil();
                    note(&format!("waiting {seconds} s for the rate limit of the API"));
                });
                self.screen.start_progress(if self.settings.sandbox {
                    "waiting for the simulator".to_owned()
                } else {
                    format!("waiting for {}", self.settings.base.host())
                });
                Ok(client)
            })
            .await
    }

    /// A client with the token in a file, in addition to the one in use.
    pub async fn client_by_file(&self, file: &Path) -> anyhow::Result<Client> {
        self.client_by(self.token_in(file)?).await
    }

    /// A client with these credentials, in addition to the one in use.
    pub async fn client_by(&self, credentials: Credentials) -> anyhow::Result<Client> {
        let options = &self.settings.options;
        let base = match self.sandbox().await? {
            Some(sandbox) => sandbox.base_url().parse()?,
            None => match self.running_simulator.get() {
                Some(url) => url.parse()?,
                None => self.settings.base.clone(),
            },
        };
        let config = Config {
            base,
            credentials,
            roots: self.settings.roots.clone(),
            proxy: self.settings.proxy.clone(),
            max_retries: options.max_retries(),
            request_timeout: options.request_timeout(),
            deadline: self.deadline(),
        };
        Ok(Client::new(config, self.clock.clone()))
    }

    /// `-` is standard input. Fails if a file has more than `most` bytes.
    pub async fn read_file(
        &self,
        file: &Path,
        most: usize,
        what: &str,
    ) -> Result<Vec<u8>, FlowError> {
        let read = if file == Path::new("-") {
            self.screen.read_to_end().await
        } else {
            // A pipe may never deliver; on a thread of its own, a signal still ends the program.
            let path = file.to_owned();
            let read = tokio::task::spawn_blocking(move || file::read(&path, most));
            read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        };
        read.map_err(|error| {
            let message = format!("cannot read the {what} {}", file.display());
            FlowError::usage(message).cause(error.to_string())
        })
    }

    /// Opens a page in the browser, unless the account is simulated: it has no page.
    pub fn open_in_browser(&self, url: &str) {
        if self.settings.sandbox || self.settings.base.is_plain_http() {
            self.screen.note("the simulator has no dashboard: the page was not opened");
        } else if let Err(error) = process::open_in_browser(url) {
            self.screen.warn(format!("cannot open a browser: {error}"));
        }
    }

    /// Whether `--timeout` has passed.
    pub fn is_out_of_time(&self) -> bool {
        self.remaining().is_some_and(|left| left.is_zero())
    }

    /// What is left of `--timeout`.
    pub fn remaining(&self) -> Option<Duration> {
        let time_left = self.deadline()?.duration_since(self.clock.now());
        Some(Duration::try_from(time_left).unwrap_or_default())
    }

    fn after(&self, duration: Duration) -> Timestamp {
        self.started.saturating_add(duration).unwrap_or(Timestamp::MAX)
    }
}
