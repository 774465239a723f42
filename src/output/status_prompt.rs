//! A status above an open question, and the length of a status.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::Style;

/// In columns: spinner, two spaces, a time such as `59m 59s`, and [`ECHO`].
const BESIDE_MESSAGE: usize = 12 + ECHO;
/// Room for the `^C` that a terminal shows at Ctrl-C: a line that wraps could not be cleared.
pub(super) const ECHO: usize = 3;

/// Cuts `text` to one line beside spinner and time: a line that wraps could not be redrawn.
pub(super) fn message(text: &str, look: Style) -> String {
    let room = look.width.unwrap_or(80).saturating_sub(BESIDE_MESSAGE);
    if text.width() <= room {
        return text.to_owned();
    }
    let ellipsis = if look.unicode { "…" } else { "..." };
    let mut cut = String::new();
    for c in text.chars() {
        if cut.width() + c.width().unwrap_or(0) + ellipsis.width() > room {
            break;
        }
        cut.push(c);
    }
    cut.trim_end().to_owned() + ellipsis
}

/// A status line above an open question. Updating it leaves the typed text in place.
pub(super) struct StatusPrompt {
    status: String,
    question: &'static str,
}

impl StatusPrompt {
    /// Clears both lines (ECMA-48 section 8.3).
    pub(super) const CLEAR: &'static str = "\r\u{1b}[2K\u{1b}[1A\u{1b}[2K";

    pub(super) fn new(status: &str, question: &'static str, look: Style) -> Self {
        Self { status: message(status, look), question }
    }

    /// Both lines; the cursor ends after the question.
    pub(super) fn text(&self) -> String {
        format!("{}\n{} ", self.status, self.question)
    }

    /// Replaces the status; the cursor returns to its position.
    pub(super) fn update(&mut self, status: &str, look: Style) -> String {
        self.status = message(status, look);
        format!("\u{1b}7\u{1b}[1A\r\u{1b}[2K{}\u{1b}8", self.status)
    }
}
