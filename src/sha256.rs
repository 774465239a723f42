use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use ring::digest::{Context, Digest, SHA256, digest};

pub fn of(bytes: &[u8]) -> String {
    hex(&digest(&SHA256, bytes))
}

pub fn of_file(file: &Path) -> io::Result<String> {
    let mut file = File::open(file)?;
    let mut context = Context::new(&SHA256);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&context.finish())),
            count => context.update(&buffer[..count]),
        }
    }
}

fn hex(digest: &Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_hash_of_its_bytes() {
        // FIPS 180-4, as published with its examples.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "abc").unwrap();
        assert_eq!(of(b"abc"), expected);
        assert_eq!(of_file(file.path()).unwrap(), expected);
    }
}
