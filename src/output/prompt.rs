use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex};

use crate::mutex::lock;

/// Shared with a reading thread, which may outlive the question.
pub(super) type Input = Arc<Mutex<Box<dyn Read + Send>>>;

/// Longer answers are rejected.
const MAX_LINE: usize = 4096;

/// Runs `work` on its own thread: it delays no interrupt, and the process does not wait for it.
pub(super) async fn on_thread<T: Default + Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (sender, result) = tokio::sync::oneshot::channel();
    std::thread::Builder::new().spawn(move || {
        let _ = sender.send(work());
    })?;
    result.await.unwrap_or_else(|_| Ok(T::default()))
}

/// One line without its line end, or `None` at the end of the input.
pub(super) async fn read_line(stdin: Input) -> io::Result<Option<String>> {
    on_thread(move || line(&mut **lock(&stdin))).await
}

const MAX_INPUT: u64 = 1024 * 1024;

/// The rest of the input, up to 1 MiB.
pub(super) async fn read_to_end(stdin: Input) -> io::Result<Vec<u8>> {
    let read = move || {
        let mut bytes = Vec::new();
        (&mut **lock(&stdin)).take(MAX_INPUT + 1).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = on_thread(read).await?;
    if bytes.len() as u64 > MAX_INPUT {
        return Err(io::Error::new(ErrorKind::InvalidData, "the input is larger than 1 MiB"));
    }
    Ok(bytes)
}

/// Reads byte by byte, so that what follows the line is left for the next question.
fn line(stdin: &mut dyn Read) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    let mut byte = [0];
    loop {
        match stdin.read(&mut byte) {
            Ok(0) => return Ok((!line.is_empty()).then(|| text_of(&line))),
            Ok(_) if byte == *b"\n" => return Ok(Some(text_of(&line))),
            Ok(_) if line.len() == MAX_LINE => {
                return Err(io::Error::new(ErrorKind::InvalidData, "the answer is too long"));
            }
            Ok(_) => line.push(byte[0]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn text_of(line: &[u8]) -> String {
    String::from_utf8_lossy(line.strip_suffix(b"\r").unwrap_or(line)).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_taken_and_the_rest_left() {
        let mut stdin: &[u8] = b"cool.cats\r\n\nna\xefve\nlast";
        let expected = ["cool.cats", "", "na\u{fffd}ve", "last"];
        for answer in expected {
            assert_eq!(line(&mut stdin).unwrap().as_deref(), Some(answer));
        }
        assert_eq!(line(&mut stdin).unwrap(), None);
    }

    #[test]
    fn an_endless_line_is_no_answer() {
        let error = line(&mut io::repeat(b'y')).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData);
    }
}
