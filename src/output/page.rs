//! The page that a result is drawn on for people.

use jiff::Timestamp;

use super::look::Look;
use super::mark::Mark;
use super::table::table_lines;
use super::text::Text;

/// Prose wider than this is hard to read, however wide the terminal.
const PROSE_WIDTH: usize = 100;

/// Lines of text, laid out for one terminal or, without a width, left whole.
pub struct Page {
    look: Look,
    now: Timestamp,
    out: String,
}

impl Page {
    /// An empty page.
    #[must_use]
    pub fn new(look: Look, now: Timestamp) -> Self {
        Self { look, now, out: String::new() }
    }

    /// The time, for [`super::ago`].
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One line, never broken.
    pub fn line(&mut self, text: impl Into<Text>) {
        let line = text.into().render(self.look.colour);
        self.out.push_str(line.trim_end_matches(' '));
        self.out.push('\n');
    }

    /// An empty line.
    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    /// Prose, broken to fit.
    pub fn paragraph(&mut self, text: impl Into<Text>) {
        self.hanging(Text::default(), text.into());
    }

    /// Prose after a label; further lines start under the first word.
    pub fn hanging(&mut self, label: impl Into<Text>, text: impl Into<Text>) {
        let (label, text) = (label.into(), text.into());
        let indent = label.width();
        let mut start = label;
        for line in self.broken(&text, indent) {
            self.line(start + line);
            start = Text::default().padded(indent);
        }
    }

    /// A line with a mark before it: `✓ done  what`.
    pub fn marked(&mut self, mark: Mark, text: impl Into<Text>) {
        let label = mark.text(self.look.unicode).padded(Mark::WORD_WIDTH + 4);
        self.hanging(label, text);
    }

    /// Symbol and word of `mark`, to stand in a cell or a field.
    #[must_use]
    pub fn mark(&self, mark: Mark) -> Text {
        mark.text(self.look.unicode)
    }

    /// Labels and values in two columns.
    pub fn fields(&mut self, fields: &[(&str, Text)]) {
        let width = fields.iter().map(|(label, _)| Text::plain(label).width()).max().unwrap_or(0);
        for (label, value) in fields {
            self.hanging(Text::dim(label).padded(width + 2), value.clone());
        }
    }

    /// A table: headers in capitals, two blanks between columns.
    pub fn table(&mut self, headers: &[&str], rows: &[Vec<Text>]) {
        for line in table_lines(headers, rows, self.look.width) {
            self.line(line);
        }
    }

    /// Text to paste: each line as it is, never broken. Control characters,
    /// line breaks excepted, are taken out.
    pub fn literal(&mut self, text: &str) {
        for line in text.lines() {
            self.line(Text::plain(line));
        }
    }

    /// What was drawn.
    #[must_use]
    pub fn into_string(self) -> String {
        self.out
    }

    fn broken(&self, text: &Text, indent: usize) -> Vec<Text> {
        match self.look.width {
            Some(width) => text.wrap(width.min(PROSE_WIDTH).saturating_sub(indent).max(20)),
            None => vec![text.clone()],
        }
    }
}
