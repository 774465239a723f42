use std::path::{Path, PathBuf};

use super::Options;
use crate::output::Environment;

/// `CFSSO_CONFIG`, or `cfsso/config.toml` in the platform's configuration directory.
pub fn config_path(env: &Environment) -> Option<PathBuf> {
    if let Some(file) = path(env, "CFSSO_CONFIG") {
        return Some(file);
    }
    Some(directory(env, Purpose::Configuration)?.join("cfsso").join("config.toml"))
}

pub(super) fn sandbox_state(options: &Options, env: &Environment) -> Option<PathBuf> {
    let named = options.sandbox_state.clone().or_else(|| path(env, "CFSSO_SANDBOX_STATE"));
    named.or_else(|| Some(directory(env, Purpose::State)?.join("cfsso").join("sandbox.json")))
}

/// The simulator's journal is beside its state, apart from the journal of real changes.
pub(super) fn journal(sandbox: bool, options: &Options, env: &Environment) -> Option<PathBuf> {
    if sandbox {
        return Some(journal_of_sandbox(&sandbox_state(options, env)?));
    }
    let named = path(env, "CFSSO_JOURNAL");
    named.or_else(|| Some(directory(env, Purpose::State)?.join("cfsso").join("journal")))
}

pub(super) fn path(env: &Environment, name: &str) -> Option<PathBuf> {
    env.get(name).filter(|value| !value.is_empty()).map(PathBuf::from)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Configuration,
    State,
    Cache,
}

pub fn journal_of_sandbox(state: &Path) -> PathBuf {
    let mut name = state.as_os_str().to_owned();
    name.push(".journal");
    PathBuf::from(name)
}

/// Lists for shell completion.
pub fn cache_directory(env: &Environment) -> Option<PathBuf> {
    Some(directory(env, Purpose::Cache)?.join("cfsso"))
}

/// The user's directory for a purpose: of the XDG Base Directory Specification, or of Windows'
/// application data. A service may have none.
fn directory(env: &Environment, purpose: Purpose) -> Option<PathBuf> {
    let (xdg, under_home, windows) = match purpose {
        Purpose::Configuration => ("XDG_CONFIG_HOME", ".config", "APPDATA"),
        Purpose::State => ("XDG_STATE_HOME", ".local/state", "LOCALAPPDATA"),
        Purpose::Cache => ("XDG_CACHE_HOME", ".cache", "LOCALAPPDATA"),
    };
    // The specification requires that relative paths are ignored.
    if let Some(dir) = path(env, xdg).filter(|dir| dir.is_absolute()) {
        return Some(dir);
    }
    if cfg!(windows) {
        path(env, windows)
    } else {
        path(env, "HOME").map(|home| home.join(under_home))
    }
}
