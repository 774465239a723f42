//! Whether other users can use a file that contains a secret or names a program to run.

use std::path::Path;

use crate::shell::quoted;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposure {
    /// It belongs to another user, who can always change it.
    Foreign,
    Writable,
    Readable,
}

impl Exposure {
    /// Whether its content may not be the user's own.
    pub fn is_writable(self) -> bool {
        self != Self::Readable
    }

    /// The exposure in words, with the command that ends it.
    pub fn describe(self, path: &Path) -> String {
        let text = match self {
            Self::Foreign => "belongs to another user",
            Self::Writable => "can be changed by other users",
            Self::Readable => "can be read by other users",
        };
        format!("{} {text}: {}", path.display(), self.remedy(path))
    }

    /// The command that ends it.
    pub fn remedy(self, path: &Path) -> String {
        let command = match self {
            Self::Foreign => "sudo chown \"$(id -u)\"",
            Self::Writable => "chmod go-w",
            Self::Readable => "chmod go-rwx",
        };
        format!("`{command} {}`", quoted(&path.display().to_string()))
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
    if is_foreign(metadata.uid(), rustix::process::geteuid().as_raw()) {
        return Some(Exposure::Foreign);
    }
    // In a sticky directory, such as /tmp, others can add files but change none.
    let is_sticky = metadata.is_dir() && metadata.mode() & 0o1000 != 0;
    match metadata.mode() {
        mode if mode & 0o022 != 0 && !is_sticky => Some(Exposure::Writable),
        mode if mode & 0o044 != 0 => Some(Exposure::Readable),
        _ => None,
    }
}

/// Root can change every file anyhow, and in a container it reads the files of a user outside.
#[cfg(unix)]
fn is_foreign(owner: u32, user: u32) -> bool {
    const ROOT: u32 = 0;
    ![owner, ROOT].contains(&user) && owner != ROOT
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
    fn a_file_of_another_user_than_root_is_foreign() {
        for (owner, user, expected) in [
            (1000, 1000, false),
            (1001, 1000, true),
            (0, 1000, false),
            (1000, 0, false),
            (0, 0, false),
        ] {
            assert_eq!(is_foreign(owner, user), expected, "{owner} {user}");
        }
    }

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
