//! The process that uses a state file.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Who holds a state: written into the lock file, for others to read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockOwner {
    pub pid: u32,
    /// What it runs, such as `cfsso sandbox serve`.
    pub command: String,
    /// Where its API is reached, once it listens.
    pub url: Option<String>,
}

impl LockOwner {
    /// Whether it serves other programs until it is stopped.
    pub fn is_service(&self) -> bool {
        self.command == SERVICE && self.url.is_some()
    }
}

/// What a process that serves other programs runs.
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
