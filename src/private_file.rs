//! Files that only their owner may read.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

/// Replaces a file atomically: a reader finds the old text or the new one, never a part.
/// The text is on the disk when this returns. A link stays a link, and a device is written to.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let linked = |_| file.read_link().map(|to| folder_of(file).join(to));
    let target = file.canonicalize().or_else(linked);
    let file = target.as_deref().unwrap_or(file);
    if fs::metadata(file).is_ok_and(|target| !target.is_file() && !target.is_dir()) {
        return File::options().write(true).open(file)?.write_all(text.as_bytes());
    }
    let mut new = tempfile::NamedTempFile::new_in(folder_of(file))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map(drop).map_err(io::Error::from)
}

/// For a new file that only its owner may use.
pub fn options() -> OpenOptions {
    let mut options = File::options();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a new name in the folder durable. Only Unix opens folders.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Copies a program atomically, executable by its owner only.
pub fn copy_program(from: &Path, to: &Path) -> io::Result<()> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o700));
    let mut new = builder.tempfile_in(folder_of(to))?;
    io::copy(&mut File::open(from)?, new.as_file_mut())?;
    new.as_file().sync_all()?;
    new.persist(to).map(drop).map_err(io::Error::from)
}

/// Creates a folder that only its owner may enter, or takes an empty one.
/// Fails with `AlreadyExists` for anything else.
pub fn empty_folder(folder: &Path) -> io::Result<()> {
    ensure_empty(folder)?;
    if folder.exists() {
        #[cfg(unix)]
        fs::set_permissions(folder, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
        return Ok(());
    }
    builder().create(folder)
}

/// Creates a folder and its missing parents, for their owner only.
pub fn create_folder(folder: &Path) -> io::Result<()> {
    builder().recursive(true).create(folder)
}

fn builder() -> DirBuilder {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

pub fn folder_of(file: &Path) -> &Path {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// Fails with `AlreadyExists` if there is anything but an empty folder.
pub fn ensure_empty(folder: &Path) -> io::Result<()> {
    let mut entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries?,
    };
    match entries.next() {
        None => Ok(()),
        Some(_) => Err(io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty")),
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt as _, symlink};
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_link_leads_to_the_file_that_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("file"), dir.path().join("link"));
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        replace(&link, "new").unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        fs::remove_file(&file).unwrap();
        replace(&link, "again").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "again");
    }

    #[test]
    fn what_is_no_file_is_never_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let socket = dir.path().join("socket");
        let _listener = UnixListener::bind(&socket).unwrap();
        replace(&socket, "text").unwrap_err();
        assert!(socket.metadata().unwrap().file_type().is_socket());
    }
}
