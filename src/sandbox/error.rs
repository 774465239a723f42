//! Why a simulator cannot start or its state cannot be kept.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::lock::Holder;

/// Why a simulator cannot start or its state cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else works on the state.
    #[error(
        "sandbox state `{}` is in use by {holder}; end it, or choose another file with `--sandbox-state`",
        path.display()
    )]
    Held {
        /// The state's file.
        path: PathBuf,
        /// Who has it.
        holder: Holder,
    },
    /// The file is not what this program wrote.
    #[error(
        "sandbox state `{}` cannot be understood: {reason}; `cfsso sandbox reset` starts it over",
        path.display()
    )]
    Corrupt {
        /// The state's file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The file was written by another version of this program.
    #[error(
        "sandbox state `{}` has format {found}, this program reads {known}; `cfsso sandbox reset` starts it over",
        path.display()
    )]
    Version {
        /// The state's file.
        path: PathBuf,
        /// The format it says it has.
        found: u64,
        /// The format this program reads.
        known: u64,
    },
    /// The file system refused.
    #[error("cannot {action} `{}`", path.display())]
    File {
        /// What was tried: finishes "cannot …".
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The address is not to be had.
    #[error("cannot listen on {address} for the sandbox's {service}")]
    Listen {
        /// `API` or `name server`.
        service: &'static str,
        /// Where.
        address: SocketAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The sandbox takes every token from everybody: it never leaves this machine.
    #[error("the sandbox listens on loopback addresses only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The name is not hosted elsewhere.
    #[error("`{0}` is in a zone of the sandbox's own: create its records through the API")]
    HostedHere(String),
    /// The change came while the sandbox was being stopped.
    #[error("the sandbox has stopped")]
    Stopped,
}
