//! What is measured, as it would be installed: a copy. A file that a linker has
//! just written lies in small pieces in the page cache, and each page of it that
//! is touched costs more than those of a copy.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::{Result, sample};

/// The copies, which go when this does.
pub struct Installed {
    /// The program.
    pub program: String,
    /// The benchmark, for its role as the least program.
    pub minimal: String,
    _dir: TempDir,
}

impl Installed {
    /// Copies both.
    pub fn new() -> Result<Self> {
        let dir = tempfile::tempdir()?;
        let copy = |from: &str, name: &str| -> Result<String> {
            let to = dir.path().join(name);
            fs::copy(Path::new(from), &to)?;
            Ok(to.to_string_lossy().into_owned())
        };
        let program = copy(env!("CARGO_BIN_EXE_cfsso"), "cfsso")?;
        let minimal = copy(&sample::itself()?, "minimal")?;
        Ok(Self { program, minimal, _dir: dir })
    }
}
