//! Standard error, shared by messages, traces and the live line without mixing them.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use indicatif::ProgressBar;

use super::status_prompt::StatusPrompt;
use crate::mutex::lock;

pub(super) type Shared = Arc<Mutex<Box<dyn Write + Send>>>;

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

    /// Hides the live line during `work`.
    pub(super) fn with_progress_hidden<R>(&self, work: impl FnOnce() -> R) -> R {
        let line = lock(&self.line).clone();
        if let Some(line) = line {
            return line.suspend(work);
        }
        let prompt = lock(&self.prompt);
        let Some(prompt) = &*prompt else { return work() };
        self.write_at_cursor(StatusPrompt::CLEAR);
        let result = work();
        self.write_at_cursor(&prompt.text());
        result
    }

    /// Writes `text`. A failure is ignored, since there is nowhere to report it.
    pub(super) fn write(&self, text: &str) {
        self.with_progress_hidden(|| self.write_at_cursor(text));
    }

    /// Writes at the cursor, without hiding the live line.
    pub(super) fn write_at_cursor(&self, text: &str) {
        let mut stream = lock(&self.stream);
        let _ = stream.write_all(text.as_bytes()).and_then(|()| stream.flush());
    }
}

/// Writes traces to standard error, a whole message each time, and keeps the live line intact.
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
