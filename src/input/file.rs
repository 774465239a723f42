//! Files that a user names.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// In bytes; the same as of standard input.
pub const MAX_SIZE: usize = 1 << 20;

/// Fails if the file is larger than 1 MiB, or is a device that never ends.
pub fn read(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(MAX_SIZE as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > MAX_SIZE {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "it is larger than 1 MiB"));
    }
    Ok(bytes)
}
