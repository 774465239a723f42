//! Whether other users can use a file that contains a secret or names a program to run.

use std::path::Path;

use crate::shell::quoted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// Other users can change it: its content may not be the user's own.
    Writable,
    Readable,
}

impl Exposure {
    /// The exposure in words, with the command that ends it.
    pub fn describe(self, path: &Path) -> String {
        let verb = match self {
            Self::Writable => "changed",
            Self::Readable => "read",
        };
        format!("{} can be {verb} by other users: {}", path.display(), self.remedy(path))
    }

    /// The command that ends it.
    pub fn remedy(self, path: &Path) -> String {
        let mode = match self {
            Self::Writable => "go-w",
            Self::Readable => "go-rwx",
        };
        format!("`chmod {mode} {}`", quoted(&path.display().to_string()))
    }
}

/// Pipes and devices have no exposure. Errors are left to the code that reads the file.
#[cfg(unix)]
pub fn exposure(path: &Path) -> Option<Exposure> {
    use std::os::unix::fs::MetadataExt as _;
    let metadata = std::fs::metadata(path).ok()?;
    if !metadata.is_file() && !metadata.is_dir() {
        return None;
    }
    // In a sticky directory, such as /tmp, others can add files but change none.
    let is_sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
    match metadata.mode() {
        mode if mode & 0o022 != 0 && !is_sticky => Some(Exposure::Writable),
        mode if mode & 0o044 != 0 => Some(Exposure::Readable),
        _ => None,
    }
}

/// Windows restricts a user's files to the user by inherited access lists.
#[cfg(not(unix))]
pub fn exposure(_path: &Path) -> Option<Exposure> {
    None
}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn what_others_may_do_is_told_by_the_mode() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("token");
        std::fs::write(&file, "x").unwrap();
        for (mode, expected) in [
            (0o600, None),
            (0o400, None),
            (0o700, None),
            (0o640, Some(Exposure::Readable)),
            (0o644, Some(Exposure::Readable)),
            (0o620, Some(Exposure::Writable)),
            (0o602, Some(Exposure::Writable)),
            (0o666, Some(Exposure::Writable)),
        ] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposure(&file), expected, "{mode:o}");
        }
        for (mode, expected) in
            [(0o700, None), (0o1777, Some(Exposure::Readable)), (0o770, Some(Exposure::Writable))]
        {
            std::fs::set_permissions(directory.path(), Permissions::from_mode(mode)).unwrap();
            assert_eq!(exposure(directory.path()), expected, "{mode:o}");
        }
        assert_eq!(exposure(Path::new("/dev/null")), None);
        assert_eq!(exposure(Path::new("/nonexistent")), None);
    }
}
