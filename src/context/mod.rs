//! What a command is given: settings, screen and clock, and the API client,
//! the name servers and the simulator, each made when first asked for.

mod accounts;
mod confirm;
mod credentials;
mod token_command;

pub use accounts::NamedAccount;

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;
use tokio::sync::OnceCell;

use crate::api::account;
use crate::api::connector::Connector;
use crate::api::ids::AccountId;
use crate::api::odd::OddRecord;
use crate::api::{Client, Config, Credentials, ErrorKind};
use crate::clock::Clock;
use crate::dns::{self, Resolver};
use crate::flow::connector::{self, Selector};
use crate::flow::journal::{Actor, Journal, SANDBOX, command_line};
use crate::flow::trial::keep::{self, TrialStatus};
use crate::flow::wait::DEFAULT_WAIT;
use crate::flow::{Env, FlowError, FlowErrorKind};
use crate::idp::{FetchLimits, Fetcher, LoopbackPolicy};
use crate::output::{Environment, Screen, Text};
use crate::process;
use crate::sandbox::{self, Access, Sandbox};
use crate::settings::{self, CredentialSource, Settings};

/// What a command is given.
pub struct Context {
    pub settings: Settings,
    /// Where results and everything else are shown.
    pub screen: Screen,
    pub clock: Clock,
    env: Environment,
    started: Timestamp,
    steps_done: RefCell<Vec<&'static str>>,
    way_back: RefCell<Option<String>>,
    meanwhile: Cell<Option<&'static str>>,
    handles_signals: Cell<bool>,
    journal: Journal<'static>,
    sandbox: OnceCell<Option<Sandbox>>,
    /// The token that the user typed in this run.
    typed_token: OnceCell<SecretString>,
    /// The user has agreed to the changes that are made now.
    agreed: Cell<bool>,
    client: OnceCell<Client>,
    account: OnceCell<AccountId>,
    resolver: OnceCell<Resolver>,
}

/// How to undo the changes of a run.
pub struct UndoHint {
    /// The run, as the journal names it.
    pub run: String,
    pub command: String,
}

impl Context {
    /// A context in which nothing is made yet, for the command line `args`.
    pub fn new(settings: Settings, screen: Screen, clock: Clock, args: &[OsString]) -> Self {
        let started = clock.now();
        let journal = journal(&settings, &clock, args);
        Self {
            settings,
            screen,
            clock,
            env: Environment::new(),
            started,
            steps_done: RefCell::default(),
            way_back: RefCell::default(),
            meanwhile: Cell::default(),
            handles_signals: Cell::default(),
            journal,
            sandbox: OnceCell::new(),
            typed_token: OnceCell::new(),
            agreed: Cell::default(),
            client: OnceCell::new(),
            account: OnceCell::new(),
            resolver: OnceCell::new(),
        }
    }

    /// The same, with the environment that variables are read from.
    pub fn with_env(mut self, env: Environment) -> Self {
        self.env = env;
        self
    }

    /// The same, with another journal.
    #[cfg(all(test, target_os = "linux"))]
    pub(crate) fn with_journal(mut self, journal: Journal<'static>) -> Self {
        self.journal = journal;
        self
    }

    /// The environment variable of that name.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.env.get(name).map(String::as_str)
    }

    /// All that a flow works with.
    pub async fn tools(&self) -> anyhow::Result<Env<'_>> {
        Ok(Env {
            client: self.client().await?,
            account: self.account().await?,
            resolver: self.resolver().await?,
            clock: &self.clock,
            journal: &self.journal,
        })
    }

    /// What this machine changed, and where this run writes down what it changes.
    pub fn journal(&self) -> &Journal<'static> {
        &self.journal
    }

    /// Warns about writes to `account` by earlier runs whose outcome is unknown. Each is
    /// reported once, provided that notes are shown.
    pub fn warn_unknown_outcomes(&self, account: &AccountId) {
        let Ok(store) = self.journal.store() else { return };
        let trials = keep::open_trials_of(&self.journal, account);
        for trial in trials.iter().filter(|trial| !trial.is_live) {
            let trial = TrialStatus::from(trial.clone());
            let [keep, disable] = trial.commands();
            self.screen.warn(Text::prose(format!("{}; `{keep}`, `{disable}`", trial.describe())));
        }
        let mut unfinished = store.unfinished();
        unfinished.retain(|entry| {
            self.journal.is_own(entry, account)
                && trials.iter().all(|trial| trial.entry.run != entry.run)
        });
        for entry in &unfinished {
            self.screen.note(Text::prose(format!(
                "an earlier run was interrupted; outcome unknown: {} (entry {}); \
                 `cfsso journal show {}`, `cfsso journal undo {}`",
                entry.title, entry.id, entry.id, entry.id
            )));
        }
        if self.screen.shows_notes() && !self.settings.options.dry_run {
            for entry in &unfinished {
                store.set_aside(&entry.run);
            }
        }
    }

    /// The name servers, which need no token.
    pub async fn resolver(&self) -> anyhow::Result<&Resolver> {
        self.resolver
            .get_or_try_init(async || {
                let mut config = dns::Config {
                    servers: self.settings.servers.clone(),
                    ..dns::Config::default()
                };
                if let Some(sandbox) = self.sandbox().await? {
                    config.servers = vec![sandbox.dns_server().to_string().parse()?];
                }
                Ok(Resolver::new(config, self.clock.clone()))
            })
            .await
    }

    /// Writes whose answers did not come: what an interrupt leaves open.
    pub fn unanswered(&self) -> Vec<String> {
        self.client.get().map(Client::unanswered_writes).unwrap_or_default()
    }

    /// The records that lists of this run contained, that cannot be understood and
    /// that no result shows.
    pub fn odd_records(&self) -> Vec<OddRecord> {
        self.client.get().map(|client| client.odd_records(None)).unwrap_or_default()
    }

    /// Remembers that a step was done, for what an interrupt has to say.
    pub fn record_step(&self, title: &'static str) {
        self.steps_done.borrow_mut().push(title);
    }

    /// Sets the command that undoes the changes of this one, if that is not
    /// `cfsso journal undo`.
    pub fn record_undo_hint(&self, command: impl Into<String>) {
        *self.way_back.borrow_mut() = Some(command.into());
    }

    /// Remembers what is the case until the command has done all it does.
    pub fn set_interrupted_note(&self, what: Option<&'static str>) {
        self.meanwhile.set(what);
    }

    /// The command does not end at a signal: it has listened to them itself.
    pub fn handle_signals(&self) {
        self.handles_signals.set(true);
    }

    /// A signal ends the program again.
    pub fn release_signals(&self) {
        self.handles_signals.set(false);
    }

    /// Whether signals are the command's own affair.
    pub fn handles_signals(&self) -> bool {
        self.handles_signals.get()
    }

    /// What is the case until the command has done all it does.
    pub fn interrupted_note(&self) -> Option<&'static str> {
        self.meanwhile.get()
    }

    /// How to undo the changes of this run; `None` if it has not written anything.
    pub fn way_back(&self) -> Option<UndoHint> {
        let run = self.journal.run()?;
        let own = self.way_back.borrow().clone();
        let command = own.unwrap_or_else(|| format!("cfsso journal undo {run}"));
        Some(UndoHint { run, command })
    }

    /// The steps done so far.
    pub fn steps_done(&self) -> Vec<&'static str> {
        self.steps_done.borrow().clone()
    }

    /// When the command has to be over, where `--timeout` says so.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.settings.options.timeout.map(|timeout| self.after(timeout))
    }

    /// When a wait ends: at the command's deadline, or after half an hour.
    pub fn wait_deadline(&self) -> Timestamp {
        self.deadline().unwrap_or_else(|| self.after(DEFAULT_WAIT))
    }

    /// The connector that a command is about: as given, the default one, or the
    /// only one of the account.
    pub async fn selector(&self, given: Option<&Selector>) -> anyhow::Result<Selector> {
        match self.named_selector(given) {
            Ok(Some(selector)) => Ok(selector),
            Ok(None) => Box::pin(self.only_connector()).await,
            Err(error) => Err(error),
        }
    }

    /// The connector as given, or the default one.
    pub fn named_selector(&self, given: Option<&Selector>) -> anyhow::Result<Option<Selector>> {
        if let Some(selector) = given {
            return Ok(Some(selector.clone()));
        }
        let default = self.settings.connector.as_ref().map(|default| default.parse()).transpose();
        default.map_err(|error| {
            FlowError::new(FlowErrorKind::Usage, format!("the default connector: {error}")).into()
        })
    }

    /// An invalid record could be another connector: then none is the only one.
    async fn only_connector(&self) -> anyhow::Result<Selector> {
        let tools = self.tools().await?;
        let connectors = connector::list(&tools).await?;
        match connectors.as_slice() {
            [only] if tools.client.odd_records(Some("connector")).is_empty() => {
                Ok(Selector::Id(only.id.clone()))
            }
            [] => Err(FlowError::new(FlowErrorKind::Usage, "this account has no connectors")
                .hint("`cfsso setup <DOMAIN>`")
                .into()),
            several => Err(not_specified(several)),
        }
    }

    /// The token that a command prints.
    pub async fn token_of_command(&self, command: &[String]) -> anyhow::Result<SecretString> {
        let printed = token_command::output(command, self.remaining()).await?;
        Ok(credentials::token(&printed, "the command")?)
    }

    /// The names of the profiles in the configuration file.
    pub fn profiles(&self) -> Vec<String> {
        settings::profiles(&self.env)
    }

    /// Whether no credential was given, and the user has to be asked for one.
    pub fn lacks_credentials(&self) -> bool {
        let is_missing = matches!(self.settings.credentials, CredentialSource::Missing);
        is_missing && !self.settings.sandbox && !self.typed_token.initialized()
    }

    /// Uses a token that the user typed.
    pub fn use_token(&self, token: SecretString) {
        // A second one cannot be typed: the first was accepted.
        let _ = self.typed_token.set(token);
    }

    /// Uses an account that the user chose, unless one is in use already.
    pub fn use_account(&self, account: &AccountId) {
        if self.account.set(account.clone()).is_ok() {
            self.warn_unknown_outcomes(account);
        }
    }

    /// The simulator, where the run asks for it.
    pub async fn sandbox(&self) -> anyhow::Result<Option<&Sandbox>> {
        let sandbox = self
            .sandbox
            .get_or_try_init(async || {
                if !self.settings.sandbox {
                    return anyhow::Ok(None);
                }
                let options = sandbox::Options {
                    state: Some(self.settings.sandbox_state()?),
                    faults: self.settings.options.faults.clone(),
                    clock: self.clock.clone(),
                    ..sandbox::Options::default()
                };
                Ok(Some(sandbox::start(options).await?))
            })
            .await?;
        Ok(sandbox.as_ref())
    }

    /// The API.
    pub async fn client(&self) -> anyhow::Result<&Client> {
        self.client
            .get_or_try_init(async || {
                let credentials = match self.sandbox().await? {
                    Some(sandbox) => {
                        Credentials::Token(SecretString::from(sandbox.token(Access::Full)))
                    }
                    None => self.credentials().await?,
                };
                let client = self.client_by(credentials).await?;
                self.screen.start_progress(if self.settings.sandbox {
                    "waiting for the simulator".to_owned()
                } else {
                    format!("waiting for {}", self.settings.base.host())
                });
                Ok(client)
            })
            .await
    }

    /// The API by the token in a file, beside the one in use.
    pub async fn client_by_file(&self, file: &Path) -> anyhow::Result<Client> {
        self.client_by(self.token_in(file)?).await
    }

    /// The API by these credentials, beside those in use.
    pub async fn client_by(&self, credentials: Credentials) -> anyhow::Result<Client> {
        let options = &self.settings.options;
        let base = match self.sandbox().await? {
            Some(sandbox) => sandbox.base_url().parse()?,
            None => self.settings.base.clone(),
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

    /// What asks identity providers. This machine is asked only where the
    /// simulator stands in for the API.
    pub async fn fetcher(&self) -> anyhow::Result<Fetcher> {
        self.fetcher_of(FetchLimits::default().body).await
    }

    /// [`Context::fetcher`] of pages of up to this many bytes.
    pub async fn fetcher_of(&self, body: usize) -> anyhow::Result<Fetcher> {
        let simulator = self.simulator_url().await?;
        let loopback = match simulator {
            Some(_) => LoopbackPolicy::Allowed,
            None => LoopbackPolicy::Refused,
        };
        let limits = FetchLimits { body, loopback, ..FetchLimits::default() };
        let proxy = self.settings.proxy.checked()?;
        let fetcher = Fetcher::new(self.settings.roots.tls()?, limits).by(proxy);
        Ok(fetcher.with_simulator(simulator))
    }

    /// Where the simulator is, if it is in use: in this process or in another one.
    async fn simulator_url(&self) -> anyhow::Result<Option<url::Url>> {
        if let Some(sandbox) = self.sandbox().await? {
            return Ok(Some(sandbox.base_url().parse()?));
        }
        let base = &self.settings.base;
        Ok(base.is_plain_http().then(|| base.to_string().parse()).transpose()?)
    }

    /// The bytes of a file, or of standard input for `-`: up to one more than `most`,
    /// so that the reader can refuse what is too large.
    pub async fn read_file(
        &self,
        file: &Path,
        most: usize,
        what: &str,
    ) -> Result<Vec<u8>, FlowError> {
        let read = if file == Path::new("-") {
            self.screen.read_to_end().await
        } else {
            // A pipe may never deliver: a signal still ends the program.
            let path = file.to_owned();
            let read = tokio::task::spawn_blocking(move || {
                let mut bytes = Vec::new();
                std::fs::File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
                Ok(bytes)
            });
            read.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
        };
        read.map_err(|error| {
            let message = format!("cannot read the {what} {}", file.display());
            FlowError::new(FlowErrorKind::Usage, message).cause(error.to_string())
        })
    }

    /// Opens a page in the browser. The simulator's account has no page.
    pub fn open_in_browser(&self, url: &str) {
        if self.settings.sandbox || self.settings.base.is_plain_http() {
            self.screen.note("the simulator has no dashboard: the page was not opened");
        } else if let Err(error) = process::open_in_browser(url) {
            self.screen.warn(format!("cannot open a browser: {error}"));
        }
    }

    /// Where a team's domain publishes its keys. The simulator has them beside
    /// its API.
    pub async fn team_keys(&self, auth_domain: &str) -> anyhow::Result<url::Url> {
        let base = match self.sandbox().await? {
            Some(sandbox) => sandbox.base_url().parse()?,
            None => self.settings.base.clone(),
        };
        let place = match base.plain_http_origin() {
            Some(origin) => format!("{origin}/teams/{auth_domain}"),
            None => format!("https://{auth_domain}"),
        };
        Ok(format!("{place}/cdn-cgi/access/certs").parse()?)
    }

    /// The account, if it was named; the user is not asked for it.
    pub async fn named_account(&self) -> anyhow::Result<Option<AccountId>> {
        if let Some(given) = self.given_account().await? {
            return Ok(Some(given));
        }
        let sandbox = self.sandbox().await?;
        let account = sandbox.map(|sandbox| sandbox.account().clone());
        Ok(account.or_else(|| self.settings.account.clone()))
    }

    /// The account, found out where none was named.
    pub async fn account(&self) -> anyhow::Result<&AccountId> {
        self.account
            .get_or_try_init(async || {
                let account = match self.named_account().await? {
                    Some(account) => account,
                    None => only_account(self.client().await?).await?,
                };
                self.warn_unknown_outcomes(&account);
                Ok(account)
            })
            .await
    }

    /// What is left of the time that `--timeout` gives.
    fn remaining(&self) -> Option<Duration> {
        let left = self.deadline()?.duration_since(self.clock.now());
        Some(Duration::try_from(left).unwrap_or_default())
    }

    fn after(&self, duration: Duration) -> Timestamp {
        self.started.saturating_add(duration).unwrap_or(Timestamp::MAX)
    }
}

fn journal(settings: &Settings, clock: &Clock, args: &[OsString]) -> Journal<'static> {
    let args: Vec<_> = args.iter().map(|arg| arg.to_string_lossy().into_owned()).collect();
    let credential = if settings.sandbox {
        "the simulator".to_owned()
    } else {
        match &settings.credentials {
            CredentialSource::Inline(Credentials::Key { email, .. }) => {
                format!("the Global API Key of {email}")
            }
            source => source.to_string(),
        }
    };
    let who = Actor {
        user: settings.user.clone(),
        credential: Some(credential),
        base_url: base_url(settings),
        command: command_line(&args),
    };
    match &settings.journal {
        Some(dir) => Journal::in_directory(dir.clone(), who, clock.clone()),
        None => Journal::unavailable(who, clock.clone()),
    }
}

/// The base URL in journal entries. A simulator that ends with the command has
/// another port each time, so that it is identified by its state file.
fn base_url(settings: &Settings) -> String {
    match settings.sandbox_state() {
        Ok(state) if settings.sandbox => {
            let state = std::path::absolute(&state).unwrap_or(state);
            format!("{SANDBOX}{}", state.display())
        }
        _ => settings.base.to_string(),
    }
}

/// The one account that the token sees.
async fn only_account(client: &Client) -> anyhow::Result<AccountId> {
    let accounts = match client.list(&account::list()).await {
        Err(error) if error.kind() == ErrorKind::Forbidden => {
            let message = "no account was specified, and this token cannot list accounts";
            return Err(FlowError::new(FlowErrorKind::Usage, message)
                .cause(error.to_string())
                .hint("`--account <ID>`, or `export CLOUDFLARE_ACCOUNT_ID=<ID>`")
                .into());
        }
        accounts => accounts?,
    };
    match accounts.as_slice() {
        [only] => Ok(only.id.clone()),
        [] => Err(FlowError::new(
            FlowErrorKind::Usage,
            "no account was specified, and this token has access to none",
        )
        .hint("`--account <ID>`, or `export CLOUDFLARE_ACCOUNT_ID=<ID>`")
        .into()),
        several => {
            let stop = FlowError::new(
                FlowErrorKind::Usage,
                format!("no account was specified, and this token has access to {}", several.len()),
            );
            let stop = several.iter().fold(stop, |stop, account| {
                stop.cause(format!(
                    "{}  {}",
                    account.id,
                    account.name.as_deref().unwrap_or_default()
                ))
            });
            Err(stop.hint(format!("add `--account {}`", several[0].id)).into())
        }
    }
}

/// The error if no connector is named; `connectors` are those to choose from.
pub fn not_specified(connectors: &[Connector]) -> anyhow::Error {
    let domains: Vec<_> = connectors.iter().map(|it| it.email_domain.as_str()).collect();
    let existing = (!domains.is_empty()).then(|| format!("existing: {}", domains.join(", ")));
    FlowError::new(FlowErrorKind::Usage, "no connector was specified")
        .causes(existing)
        .hint("pass its domain or ID, or set CLOUDFLARE_SSO_CONNECTOR_ID")
        .into()
}
