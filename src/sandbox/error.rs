use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::lock_owner::LockOwner;
use crate::shell::quoted;

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error(
        "sandbox state `{}` is in use by {holder}; wait until it ends, or use another file with `--sandbox-state`",
        path.display()
    )]
    Locked { path: PathBuf, holder: LockOwner },
    #[error(
        "sandbox state `{}` is invalid: {reason}; `{}` deletes it",
        path.display(), reset(path)
    )]
    Corrupt { path: PathBuf, reason: String },
    #[error(
        "sandbox state `{}` has format {found}, this program reads {known}; `{}` deletes it",
        path.display(), reset(path)
    )]
    Version { path: PathBuf, found: u64, known: u64 },
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// Completes "cannot …".
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("cannot listen on {address} for the sandbox's {service}")]
    Listen {
        /// `API` or `name server`.
        service: &'static str,
        address: SocketAddr,
        source: io::Error,
    },
    /// The sandbox accepts every token, so other machines must not reach it.
    #[error("the sandbox listens on loopback addresses only, not on {0}")]
    NotLoopback(SocketAddr),
    #[error("`{0}` is in a zone of the sandbox's own: create its records through the API")]
    ZoneIsHosted(String),
    #[error("the simulator at {url} cannot be reached: {reason}")]
    Unreachable { url: String, reason: String },
    #[error("the sandbox has stopped")]
    Stopped,
}

/// Names the file: the default one may be another.
fn reset(path: &Path) -> String {
    format!("cfsso sandbox reset --sandbox-state {}", quoted(&path.display().to_string()))
}
