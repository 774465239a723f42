//! Lock of a state file: a locked file beside it names the owner.

use std::ffi::OsString;
use std::fs::{File, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use super::lock_owner::LockOwner;
use crate::clock::Clock;
use crate::private_file;

const RETRY_INTERVAL: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    path: PathBuf,
    holder: LockOwner,
}

impl Lock {
    /// Waits up to `patience` for another owner.
    pub(super) async fn acquire(
        state: &Path,
        command: &str,
        clock: &Clock,
        patience: Duration,
    ) -> Result<Self, Error> {
        let path = beside(state, ".lock");
        let holder = LockOwner { pid: std::process::id(), command: command.to_owned(), url: None };
        let file = open(&path).map_err(|source| failed("open", &path, source))?;
        let mut time_left = patience;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::Error(source)) => return Err(failed("lock", &path, source)),
                Err(TryLockError::WouldBlock) => {
                    let holder = read(&path);
                    // A service holds it for long, and can be used through its API.
                    if time_left.is_zero() || holder.is_service() {
                        return Err(Error::Locked { path: state.to_owned(), holder });
                    }
                    let step = time_left.min(RETRY_INTERVAL);
                    clock.sleep(step).await;
                    time_left -= step;
                }
            }
        }
        let mut lock = Self { file, path, holder };
        lock.write_owner()?;
        Ok(lock)
    }

    pub(super) fn set_url(&mut self, url: &str) -> Result<(), Error> {
        self.holder.url = Some(url.to_owned());
        self.write_owner()
    }

    fn write_owner(&mut self) -> Result<(), Error> {
        let text = serde_json::to_vec(&self.holder).expect("a holder is plain data");
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)))
            .and_then(|_| self.file.write_all(&text))
            .map_err(|source| failed("write", &self.path, source))
    }
}

/// Keeps the lock file: removing it would let two processes lock two files of one name.
impl Drop for Lock {
    fn drop(&mut self) {
        // A dead process's name in it is harmless: the file is only read while it is locked.
        let _ = self.file.set_len(0);
        // Closing is not enough: a child that is being started keeps the file open until exec.
        let _ = self.file.unlock();
    }
}

/// `FILE` plus `suffix`.
pub(super) fn beside(file: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(suffix);
    PathBuf::from(name)
}

fn open(path: &Path) -> io::Result<File> {
    private_file::options().read(true).write(true).create(true).truncate(false).open(path)
}

/// As far as readable: the file may be half written or, on Windows, unreadable while locked.
fn read(path: &Path) -> LockOwner {
    std::fs::read(path)
        .ok()
        .and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or(LockOwner { pid: 0, command: String::new(), url: None })
}

fn failed(action: &'static str, path: &Path, source: io::Error) -> Error {
    Error::File { action, path: path.to_owned(), source }
}
