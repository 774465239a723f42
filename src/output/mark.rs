//! The state of a step or check: a symbol, a word and a colour, of which the
//! word alone is enough.

use super::text::Text;

/// How a step or a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// It is so, and was seen.
    Done,
    Already,
    /// A check found it as it should be.
    Passed,
    Todo,
    Doing,
    Refused,
    Failed,
    Warning,
    Skipped,
}

impl Mark {
    /// The columns that the longest word takes.
    pub(super) const WORD_WIDTH: usize = 7;

    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Already => "already",
            Self::Passed => "passed",
            Self::Todo => "to do",
            Self::Doing => "doing",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Skipped => "skipped",
        }
    }

    /// The symbol for it, one column wide.
    pub fn symbol(self, unicode: bool) -> &'static str {
        let (unicode_symbol, ascii) = match self {
            Self::Done | Self::Already | Self::Passed => ("✓", "+"),
            Self::Todo => ("○", "."),
            Self::Doing => ("→", ">"),
            Self::Refused | Self::Failed => ("✗", "x"),
            Self::Warning => ("!", "!"),
            Self::Skipped => ("–", "-"),
        };
        if unicode { unicode_symbol } else { ascii }
    }

    /// Symbol and word in the mark's colour.
    pub fn text(self, unicode: bool) -> Text {
        self.paint(&format!("{} {}", self.symbol(unicode), self.word()))
    }

    /// `words` in the mark's colour.
    pub fn paint(self, words: &str) -> Text {
        match self {
            Self::Done | Self::Already | Self::Passed => Text::good(words),
            Self::Todo | Self::Skipped => Text::dim(words),
            Self::Doing => Text::strong(words),
            Self::Refused | Self::Failed => Text::bad(words),
            Self::Warning => Text::warn(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Mark; 9] = [
        Mark::Done,
        Mark::Already,
        Mark::Passed,
        Mark::Todo,
        Mark::Doing,
        Mark::Refused,
        Mark::Failed,
        Mark::Warning,
        Mark::Skipped,
    ];

    #[test]
    fn words_fit_their_column_and_symbols_are_one_wide() {
        for mark in ALL {
            assert!(mark.word().len() <= Mark::WORD_WIDTH, "{mark:?}");
            assert!(mark.symbol(false).is_ascii(), "{mark:?}");
            assert_eq!(Text::plain(mark.symbol(true)).width(), 1, "{mark:?}");
        }
    }
}
