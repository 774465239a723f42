//! The state of a step or check: a symbol or a word, and a colour.

use super::text::Text;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Done,
    Skipped,
    Passed,
    Pending,
    Running,
    Blocked,
    Failed,
    Warning,
    NotChecked,
}

impl Status {
    /// Columns of the longest word.
    const WORD_WIDTH: usize = 11;

    pub fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Passed => "passed",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Blocked => "blocked",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::NotChecked => "not checked",
        }
    }

    pub fn symbol(self, unicode: bool) -> &'static str {
        let (unicode_symbol, ascii) = match self {
            Self::Done | Self::Skipped | Self::Passed => ("✓", "+"),
            Self::Pending => ("○", "."),
            Self::Running => ("→", ">"),
            Self::Blocked | Self::Failed => ("✗", "x"),
            Self::Warning => ("!", "!"),
            Self::NotChecked => ("–", "-"),
        };
        if unicode { unicode_symbol } else { ascii }
    }

    /// The coloured symbol; without Unicode, the word.
    pub fn text(self, unicode: bool) -> Text {
        self.paint(if unicode { self.symbol(unicode) } else { self.label() })
    }

    /// The columns of [`Status::text`] and the space after it.
    pub fn width(unicode: bool) -> usize {
        if unicode { 2 } else { Self::WORD_WIDTH + 1 }
    }

    pub fn paint(self, words: &str) -> Text {
        match self {
            Self::Done | Self::Skipped | Self::Passed => Text::good(words),
            Self::Pending | Self::NotChecked => Text::dim(words),
            Self::Running => Text::strong(words),
            Self::Blocked | Self::Failed => Text::bad(words),
            Self::Warning => Text::warn(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Status; 9] = [
        Status::Done,
        Status::Skipped,
        Status::Passed,
        Status::Pending,
        Status::Running,
        Status::Blocked,
        Status::Failed,
        Status::Warning,
        Status::NotChecked,
    ];

    #[test]
    fn words_fit_their_column_and_symbols_are_one_wide() {
        for mark in ALL {
            assert!(mark.label().len() <= Status::WORD_WIDTH, "{mark:?}");
            assert!(mark.symbol(false).is_ascii(), "{mark:?}");
            assert_eq!(Text::plain(mark.symbol(true)).width(), 1, "{mark:?}");
        }
    }
}
