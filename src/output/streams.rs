//! Standard error, shared by messages, traces and the line that is redrawn, so
//! that none writes into another.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use super::live::StatusPrompt;

/// A stream that several may write to in turn.
pub(super) type Shared = Arc<Mutex<Box<dyn Write + Send>>>;

/// Standard error and the live line on it, if there is one now.
#[derive(Clone)]
pub(super) struct Stderr {
    pub(super) stream: Shared,
    pub(super) line: Arc<Mutex<Option<ProgressBar>>>,
    /// The status and the question that the user may be answering.
    pub(super) prompt: Arc<Mutex<Option<StatusPrompt>>>,
}

impl Stderr {
    pub(super) fn new(stream: Box<dyn Write + Send>) -> Self {
        Self { stream: Arc::new(Mutex::new(stream)), line: Arc::default(), prompt: Arc::default() }
    }

    /// Does `work` with the live line out of the way.
    pub(super) fn with_progress_hidden<R>(&self, work: impl FnOnce() -> R) -> R {
        let line = lock(&self.line).clone();
        if let Some(line) = line {
            return line.suspend(work);
        }
        let prompt = lock(&self.prompt);
        let Some(prompt) = &*prompt else { return work() };
        self.put(StatusPrompt::CLEAR);
        let result = work();
        self.put(&prompt.text());
        result
    }

    /// Writes `text`. A failure is ignored, since there is nowhere to report it.
    pub(super) fn write(&self, text: &str) {
        self.with_progress_hidden(|| self.put(text));
    }

    /// [`Stderr::write`], wherever the cursor is.
    pub(super) fn put(&self, text: &str) {
        let mut stream = lock(&self.stream);
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

/// Writes to standard error past the live line, a whole message each time: for
/// traces.
#[derive(Clone)]
pub struct TraceWriter(pub(super) Stderr);

impl Write for TraceWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(&String::from_utf8_lossy(bytes));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Locks, whatever became of the thread that held it before.
pub(super) fn lock<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
