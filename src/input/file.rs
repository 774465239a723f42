//! Files that a user names.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

/// In bytes; the same as of standard input.
pub const MAX_SIZE: usize = 1 << 20;

/// Fails if the file has more than `most` bytes, or is a device that never ends.
pub fn read(file: &Path, most: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let (most, unit) = if most >> 20 > 0 { (most >> 20, "MiB") } else { (most >> 10, "KiB") };
        let message = format!("it is larger than {most} {unit}");
        return Err(io::Error::new(ErrorKind::FileTooLarge, message));
    }
    Ok(bytes)
}
