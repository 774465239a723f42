//! A file for a secret: private before the secret is written, and never replaces another file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::private_file;

/// Dropping it without `commit` removes the file.
#[derive(Debug)]
pub struct PendingSecretFile {
    target: PathBuf,
    path: PathBuf,
    file: File,
}

impl PendingSecretFile {
    /// Creates a temporary file, so that an unwritable folder fails before a secret exists.
    pub fn create(target: &Path) -> io::Result<Self> {
        if target.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let mut name = target.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        name.push(format!(".{}.new", std::process::id()));
        let path = target.with_file_name(name);
        let file = private_file::options().write(true).create_new(true).open(&path)?;
        Ok(Self { target: target.to_owned(), path, file })
    }

    /// Writes the secret and moves the file to its target, unless that exists.
    pub fn commit(mut self, secret: &str) -> io::Result<()> {
        writeln!(self.file, "{secret}")?;
        self.file.sync_all()?;
        // Unlike renaming, linking never replaces a file.
        match fs::hard_link(&self.path, &self.target) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
            Err(_) if self.target.symlink_metadata().is_ok() => {
                Err(io::ErrorKind::AlreadyExists.into())
            }
            Err(_) => fs::rename(&self.path, &self.target),
            Ok(()) => Ok(()),
        }
    }
}

impl Drop for PendingSecretFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_kept_secret_is_private_and_alone() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("token");
        PendingSecretFile::create(&target).unwrap().commit("planted").unwrap();
        assert_eq!(fs::read_to_string(&target).unwrap(), "planted\n");
        assert_eq!(names(dir.path()), ["token"]);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn nothing_is_replaced_and_nothing_is_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("token");
        drop(PendingSecretFile::create(&target).unwrap());
        assert!(names(dir.path()).is_empty());
        let late = PendingSecretFile::create(&target).unwrap();
        fs::write(&target, "another's").unwrap();
        let refused = late.commit("planted").unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&target).unwrap(), "another's");
        assert_eq!(names(dir.path()), ["token"]);
        assert!(PendingSecretFile::create(&target).is_err());
    }
}
