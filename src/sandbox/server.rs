//! Start and stop of a sandbox.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::access::{self, Access};
use super::error::Error;
use super::fault::Fault;
use super::lock::Lock;
use super::shared::{AppState, LoggedRequest};
use super::state::{Saved, State};
use super::store::Store;
use super::{http, name_server, verification};
use crate::api::ids::AccountId;
use crate::clock::Clock;
use crate::sha256;

#[derive(Debug)]
pub struct Options {
    /// None: in memory only.
    pub state: Option<PathBuf>,
    /// Initial content of a state in memory; none: the seed.
    pub start_from: Option<Saved>,
    /// Wait for another owner of the state file.
    pub lock_wait: Duration,
    /// Shown to other processes as the owner of the state file.
    pub command: String,
    pub faults: Vec<Fault>,
    pub clock: Clock,
    /// Address of the API; port 0 for any free one.
    pub http: SocketAddr,
    /// Address of the name server, UDP and TCP.
    pub dns: SocketAddr,
    /// Limit for each account: one in the documentation, five in the API reference.
    pub federation_grants: usize,
}

impl Default for Options {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            state: None,
            start_from: None,
            lock_wait: Duration::from_secs(5),
            command: "cfsso --sandbox".to_owned(),
            faults: Vec::new(),
            clock: Clock::system(),
            http: any,
            dns: any,
            federation_grants: 5,
        }
    }
}

/// Runs until it is dropped, as tasks of the runtime that started it.
#[derive(Debug)]
pub struct Sandbox {
    pub(super) shared: Arc<AppState>,
    http: SocketAddr,
    accounts: Vec<AccountId>,
    api: JoinHandle<()>,
    name_server: Option<name_server::Running>,
}

/// Returns once the sandbox accepts requests.
pub async fn start(options: Options) -> Result<Sandbox, Error> {
    for address in [options.http, options.dns] {
        if !address.ip().is_loopback() {
            return Err(Error::NotLoopback(address));
        }
    }
    let store = Arc::new(open(&options).await?);
    let unable = |service, address| move |source| Error::Listen { service, address, source };
    let sockets = name_server::Sockets::bind(options.dns).await?;
    let dns = sockets.address().map_err(unable("name server", options.dns))?;
    let listener = listen(&options).await.map_err(unable("API", options.http))?;
    let http = listener.local_addr().map_err(unable("API", options.http))?;
    let shared = Arc::new(AppState::new(
        store.clone(),
        options.clock.clone(),
        options.federation_grants,
        http,
        dns,
    ));
    options.faults.into_iter().for_each(|fault| shared.faults().add(fault));
    let sandbox = Sandbox {
        http,
        accounts: accounts(&store),
        api: http::start(listener, &shared),
        name_server: Some(sockets.serve(store)),
        shared,
    };
    sandbox.shared.store.set_lock_url(&sandbox.base_url())?;
    Ok(sandbox)
}

/// Prefers the port in the state file, so that URLs exported by one run work in the next.
async fn listen(options: &Options) -> std::io::Result<TcpListener> {
    if let Some(state) = options.state.as_ref().filter(|_| options.http.port() == 0) {
        let state = std::path::absolute(state)?;
        let hash = sha256::of(state.as_os_str().as_encoded_bytes());
        let number = u16::from_str_radix(&hash[..4], 16).expect("the hash is hexadecimal");
        let usual = SocketAddr::new(options.http.ip(), 20_000 + number % 10_000);
        if let Ok(listener) = TcpListener::bind(usual).await {
            return Ok(listener);
        }
    }
    TcpListener::bind(options.http).await
}

async fn open(options: &Options) -> Result<Store, Error> {
    let Some(path) = &options.state else {
        let state = options.start_from.clone().map_or_else(State::seed, |snapshot| snapshot.0);
        return Ok(Store::in_memory(state));
    };
    make_folder_of(path)?;
    let lock = Lock::acquire(path, &options.command, &options.clock, options.lock_wait).await?;
    Store::open(path.clone(), lock)
}

fn make_folder_of(path: &Path) -> Result<(), Error> {
    let Some(folder) = path.parent() else { return Ok(()) };
    std::fs::create_dir_all(folder).map_err(|source| Error::File {
        action: "create the folder",
        path: folder.to_owned(),
        source,
    })
}

fn accounts(store: &Store) -> Vec<AccountId> {
    store.read(|state| {
        let ids = state.accounts.iter().map(|account| account.id.parse());
        ids.filter_map(Result::ok).collect()
    })
}

impl Sandbox {
    /// `http://127.0.0.1:PORT/client/v4`.
    pub fn base_url(&self) -> String {
        format!("http://{}{}", self.http, http::BASE)
    }

    pub fn dns_server(&self) -> SocketAddr {
        self.shared.dns
    }

    /// The first account.
    pub fn account(&self) -> &AccountId {
        &self.accounts[0]
    }

    pub fn saved(&self) -> Saved {
        Saved(self.shared.store.read(Clone::clone))
    }

    pub fn accounts(&self) -> &[AccountId] {
        &self.accounts
    }

    pub fn token(&self, access: Access) -> &'static str {
        access.token()
    }

    /// Email address and key. It has every permission.
    pub fn global_key(&self) -> (&'static str, &'static str) {
        access::GLOBAL_KEY
    }

    /// The environment for a client, with the token that has every permission.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        vec![
            ("CLOUDFLARE_API_TOKEN", Access::Full.token().to_owned()),
            ("CLOUDFLARE_ACCOUNT_ID", self.account().to_string()),
            ("CLOUDFLARE_BASE_URL", self.base_url()),
            ("CFSSO_DNS_SERVERS", self.dns_server().to_string()),
        ]
    }

    /// The latest ten thousand requests, oldest first.
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.shared.log()
    }

    pub fn inject(&self, fault: Fault) {
        self.shared.faults().add(fault);
    }

    /// Serves a TXT record in the nearest external zone, or in a new one of this name. `name` is in
    /// lower case, without a trailing dot.
    pub async fn publish(&self, name: &str, text: &str) -> Result<(), Error> {
        verification::run_due_checks(&self.shared).await;
        self.shared.store.change(|state| {
            if state.hosts(name) {
                return Err(Error::ZoneIsHosted(name.to_owned()));
            }
            state.add_txt(name, text);
            Ok(())
        })
    }

    pub async fn withdraw(&self, name: &str, text: &str) -> Result<(), Error> {
        verification::run_due_checks(&self.shared).await;
        self.shared.store.change(|state| {
            state.remove_txt(name, text);
            Ok(())
        })
    }

    /// Stops the sandbox and releases the state file. Unlike dropping, waits for sockets to close.
    pub async fn stop(mut self) {
        self.api.abort();
        // The only possible error is that it was aborted.
        let _ = (&mut self.api).await;
        if let Some(mut name_server) = self.name_server.take() {
            name_server.stop().await;
        }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.api.abort();
        // Connections may stay open for a moment; the file must not.
        self.shared.store.release();
    }
}
