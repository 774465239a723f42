use std::fmt;

use serde::{Deserialize, Serialize};

/// The process that uses a state file. Stored in the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOwner {
    pub pid: u32,
    /// Such as `cfsso sandbox serve`.
    pub command: String,
    /// API base URL, once it listens.
    pub url: Option<String>,
}

impl LockOwner {
    /// Whether it serves other programs until it is stopped.
    pub fn is_service(&self) -> bool {
        self.command == SERVICE && self.url.is_some()
    }
}

/// Command of a process that serves others.
pub const SERVICE: &str = "cfsso sandbox serve";

impl fmt::Display for LockOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.pid == 0 {
            return f.write_str("another process");
        }
        write!(f, "process {} (`{}`)", self.pid, self.command)?;
        match &self.url {
            Some(url) => write!(f, " at {url}"),
            None => Ok(()),
        }
    }
}
