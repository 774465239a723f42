//! Files that only their owner may read.

use std::io::{self, Write as _};
use std::path::Path;

/// Writes a file so that a reader finds the old text or the new one, never a part.
/// The text is on the disk when this returns.
pub fn replace(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let mut new = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))?;
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map(drop).map_err(io::Error::from)
}
