//! Line editing with rustyline, which uses `/dev/tty` whatever the standard streams are.

use std::io;
use std::sync::{Arc, Mutex};

use rustyline::error::ReadlineError;
use rustyline::{Behavior, Cmd, Config, DefaultEditor, KeyCode, KeyEvent, Modifiers};

use super::prompt::on_thread;
use crate::mutex::lock;

/// The answer for the key Esc.
pub const ESCAPE: &str = "\u{1b}";

/// Ends the line of an open question, and bracketed paste mode (xterm, control sequences).
pub(super) const END_EDITING: &str = "\u{1b}[?2004l\n";

/// How long the rest of a cursor key's sequence may take after Esc, in milliseconds.
const SEQUENCE_TIMEOUT: u16 = 50;

/// Its history is the answers of this run.
#[derive(Clone, Default)]
pub(super) struct Editor(Arc<Mutex<Option<DefaultEditor>>>);

impl Editor {
    /// `None` after Ctrl-D.
    pub(super) async fn read_line(
        &self,
        raw: String,
        styled: String,
    ) -> io::Result<Option<String>> {
        let editor = Arc::clone(&self.0);
        on_thread(move || read(&mut lock(&editor), &(raw, styled))).await
    }
}

fn read(
    editor: &mut Option<DefaultEditor>,
    prompt: &(String, String),
) -> io::Result<Option<String>> {
    let editor = match editor {
        Some(editor) => editor,
        none => none.insert(new().map_err(io::Error::other)?),
    };
    match editor.readline(prompt) {
        Ok(line) => {
            editor.add_history_entry(line.as_str()).map_err(io::Error::other)?;
            Ok(Some(line))
        }
        // Only Esc arrives here: Ctrl-C is a signal.
        Err(ReadlineError::Interrupted) => Ok(Some(ESCAPE.to_owned())),
        Err(ReadlineError::Eof) => Ok(None),
        Err(ReadlineError::Io(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

fn new() -> rustyline::Result<DefaultEditor> {
    let config = Config::builder()
        .behavior(Behavior::PreferTerm)
        .enable_signals(true)
        .keyseq_timeout(Some(SEQUENCE_TIMEOUT))
        .build();
    let mut editor = DefaultEditor::with_config(config)?;
    editor.bind_sequence(KeyEvent(KeyCode::Esc, Modifiers::NONE), Cmd::Interrupt);
    Ok(editor)
}
