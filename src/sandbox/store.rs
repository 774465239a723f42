//! The state and its file: read once, and written before a change becomes visible.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::error::Error;
use super::lock::{self, Lock};
use super::state::State;
use crate::clock::Clock;
use crate::{mutex, private_file};

/// File format; raised if an older program would misread it.
const VERSION: u64 = 1;

#[derive(Debug)]
pub(super) struct Store(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    state: State,
    file: Option<(PathBuf, Lock)>,
    is_released: bool,
}

#[derive(Serialize)]
struct StateFile<'a> {
    version: u64,
    #[serde(flatten)]
    state: &'a State,
}

#[derive(Deserialize)]
struct Version {
    version: u64,
}

impl Store {
    pub(super) fn in_memory(state: State) -> Self {
        Self(Mutex::new(Inner { state, file: None, is_released: false }))
    }

    /// Reads the state in `path`, or creates one.
    pub(super) fn open(path: PathBuf, lock: Lock) -> Result<Self, Error> {
        let state = match std::fs::read(&path) {
            Ok(text) => parse(&path, &text)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let state = State::seed();
                save(&path, &state)?;
                state
            }
            Err(source) => return Err(Error::File { action: "read", path, source }),
        };
        let file = Some((path, lock));
        Ok(Self(Mutex::new(Inner { state, file, is_released: false })))
    }

    pub(super) fn read<T>(&self, look: impl FnOnce(&State) -> T) -> T {
        look(&mutex::lock(&self.0).state)
    }

    /// Changes the state, on disk first; on an error, nothing changes.
    pub(super) fn change<T, E: From<Error>>(
        &self,
        change: impl FnOnce(&mut State) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut kept = mutex::lock(&self.0);
        if kept.is_released {
            return Err(Error::Stopped.into());
        }
        let mut next = kept.state.clone();
        let outcome = change(&mut next)?;
        next.revision = next.revision.wrapping_add(1);
        if let Some((path, _)) = &kept.file {
            save(path, &next)?;
        }
        kept.state = next;
        Ok(outcome)
    }

    /// Records the address for processes that wait for the state.
    pub(super) fn set_lock_url(&self, url: &str) -> Result<(), Error> {
        match &mut mutex::lock(&self.0).file {
            Some((_, lock)) => lock.set_url(url),
            None => Ok(()),
        }
    }

    /// Releases the file: no changes from now on.
    pub(super) fn release(&self) {
        let mut kept = mutex::lock(&self.0);
        kept.file = None;
        kept.is_released = true;
    }
}

/// Deletes the state in `path` once no process uses it; `false` if there was none.
pub async fn reset(path: &Path, clock: &Clock, lock_wait: Duration) -> Result<bool, Error> {
    if !path.parent().is_none_or(|parent| parent.as_os_str().is_empty() || parent.is_dir()) {
        return Ok(false);
    }
    let _lock = Lock::acquire(path, "cfsso sandbox reset", clock, lock_wait).await?;
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(source) => Err(Error::File { action: "remove", path: path.to_owned(), source }),
    }
}

fn parse(path: &Path, text: &[u8]) -> Result<State, Error> {
    let corrupt = |error: serde_json::Error| Error::Corrupt {
        path: path.to_owned(),
        reason: error.to_string(),
    };
    let Version { version: found } = serde_json::from_slice(text).map_err(corrupt)?;
    if found != VERSION {
        return Err(Error::Version { path: path.to_owned(), found, known: VERSION });
    }
    serde_json::from_slice(text).map_err(corrupt)
}

/// Atomic: after a crash, the file has the old state or the new one.
fn save(path: &Path, state: &State) -> Result<(), Error> {
    let written = StateFile { version: VERSION, state };
    let text = serde_json::to_vec_pretty(&written).expect("a state is plain data");
    let new = lock::beside(path, ".new");
    replace(path, &new, &text).map_err(|source| Error::File {
        action: "write",
        path: path.to_owned(),
        source,
    })
}

fn replace(path: &Path, new: &Path, text: &[u8]) -> io::Result<()> {
    // Left by a crash; because of the lock, no other process is writing it now.
    match std::fs::remove_file(new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = private_file::options().write(true).create_new(true).open(new)?;
    file.write_all(text)?;
    file.sync_all()?;
    std::fs::rename(new, path)?;
    private_file::sync_folder(private_file::folder_of(path))
}
