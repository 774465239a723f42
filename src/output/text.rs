//! Styled text on one line, sanitised on construction.

use std::fmt::Write;
use std::ops::Add;

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use super::invocation::{Invocation, first_code};
use super::sanitize::visible;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Piece {
    tone: Color,
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Color {
    Plain,
    Good,
    Warn,
    Bad,
    Dim,
    Strong,
    Code,
    Advice,
}

impl Color {
    /// Whether it is never broken across lines, nor joined to its neighbour.
    fn is_whole(self) -> bool {
        matches!(self, Self::Code | Self::Advice)
    }

    fn style(self) -> Style {
        match self {
            Self::Plain => Style::new(),
            Self::Good => AnsiColor::Green.on_default(),
            Self::Warn => AnsiColor::Yellow.on_default(),
            Self::Bad => AnsiColor::Red.on_default(),
            Self::Dim => Style::new().dimmed(),
            Self::Strong => Style::new().bold(),
            Self::Code | Self::Advice => AnsiColor::Cyan.on_default(),
        }
    }
}

impl Text {
    /// Adds the global options of this run to each `Color::Advice` command.
    pub(super) fn with_invocation(mut self, invocation: &Invocation) -> Self {
        for piece in self.pieces.iter_mut().filter(|piece| piece.tone == Color::Advice) {
            piece.text = invocation.add_global_flags(&piece.text);
        }
        self
    }

    pub fn plain(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Plain, text.as_ref())
    }

    pub fn good(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Good, text.as_ref())
    }

    pub fn warn(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Warn, text.as_ref())
    }

    pub fn bad(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Bad, text.as_ref())
    }

    pub fn dim(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Dim, text.as_ref())
    }

    pub fn strong(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Strong, text.as_ref())
    }

    /// A command or a value, never broken across lines. Printed in backticks.
    pub fn code(text: impl AsRef<str>) -> Self {
        Self::piece(Color::Code, &format!("`{}`", text.as_ref()))
    }

    /// Parts between backticks are [`Text::code`]; `cfsso` commands get this run's global options.
    pub fn prose(sentence: impl AsRef<str>) -> Self {
        Self::with_code(sentence.as_ref(), Color::Advice)
    }

    /// `Text::prose`, with commands printed as they were run.
    pub(super) fn verbatim(sentence: &str) -> Self {
        Self::with_code(sentence, Color::Code)
    }

    fn with_code(mut rest: &str, tone: Color) -> Self {
        let mut text = Self::default();
        while let Some((before, code, after)) = first_code(rest) {
            text = text + Self::plain(before) + Self::piece(tone, &format!("`{code}`"));
            rest = after;
        }
        text + Self::plain(rest)
    }

    pub fn push(&mut self, other: impl Into<Self>) {
        for piece in other.into().pieces {
            self.push_piece(piece.tone, &piece.text);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    pub fn width(&self) -> usize {
        self.pieces.iter().map(|piece| piece.text.width()).sum()
    }

    /// With terminal styles if `colour`, else as plain text.
    pub fn render(&self, colour: bool) -> String {
        let mut out = String::new();
        for Piece { tone, text } in &self.pieces {
            let style = if colour { tone.style() } else { Style::new() };
            let _ = write!(out, "{style}{text}{style:#}");
        }
        out
    }

    /// Wraps at spaces to `width` columns. Longer words and code stay whole, so that copying works.
    pub(super) fn wrap(&self, width: usize) -> Vec<Self> {
        let mut lines = Vec::new();
        let mut line = Self::default();
        for (blanks, word) in self.words() {
            let is_full = line.width() + blanks + word.width() > width;
            if is_full && !line.is_empty() {
                lines.push(std::mem::take(&mut line));
            } else {
                line.push_spaces(blanks, &word);
            }
            line.push(word);
        }
        lines.push(line);
        lines
    }

    pub(super) fn longest_word(&self) -> usize {
        self.words().iter().map(|(_, word)| word.width()).max().unwrap_or(0)
    }

    /// The plain text; spaces inside code become non-breaking.
    pub(super) fn word_separators(&self) -> String {
        let apart = |(blanks, word): (usize, Self)| {
            " ".repeat(blanks) + &word.render(false).replace(' ', "\u{a0}")
        };
        self.words().into_iter().map(apart).collect()
    }

    /// Splits the text into lines, as [`Self::word_separators`] was wrapped into `lines`.
    pub(super) fn split_like(&self, lines: &[&str]) -> Vec<Self> {
        let mut words = self.words().into_iter();
        let broken = |line: &&str| {
            let count = line.split(' ').filter(|word| !word.is_empty()).count();
            let indent = line.len() - line.trim_start_matches(' ').len();
            let mut broken = Self::default();
            for (blanks, word) in words.by_ref().take(count) {
                broken.push_spaces(if broken.is_empty() { indent } else { blanks }, &word);
                broken.push(word);
            }
            broken
        };
        lines.iter().map(broken).collect()
    }

    pub(super) fn padded(mut self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.push_piece(Color::Plain, &" ".repeat(missing));
        self
    }

    fn piece(tone: Color, text: &str) -> Self {
        let mut made = Self::default();
        made.push_piece(tone, &visible(text));
        made
    }

    fn push_piece(&mut self, tone: Color, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(last) if last.tone == tone && !tone.is_whole() => last.text.push_str(text),
            _ => self.pieces.push(Piece { tone, text: text.to_owned() }),
        }
    }

    /// Styled like its neighbours if they agree.
    fn push_spaces(&mut self, blanks: usize, word: &Self) {
        let next = word.pieces.first().map(|piece| piece.tone);
        let tone = match self.pieces.last() {
            Some(last) if Some(last.tone) == next && !last.tone.is_whole() => last.tone,
            _ => Color::Plain,
        };
        self.push_piece(tone, &" ".repeat(blanks));
    }

    /// The words, each with the number of spaces before it.
    fn words(&self) -> Vec<(usize, Self)> {
        let mut words = Vec::new();
        let (mut blanks, mut word) = (0, Self::default());
        for Piece { tone, text } in &self.pieces {
            if tone.is_whole() {
                word.push_piece(*tone, text);
                continue;
            }
            for (index, part) in text.split(' ').enumerate() {
                if index > 0 {
                    if !word.is_empty() {
                        words.push((std::mem::take(&mut blanks), std::mem::take(&mut word)));
                    }
                    blanks += 1;
                }
                word.push_piece(*tone, part);
            }
        }
        if !word.is_empty() {
            words.push((blanks, word));
        }
        words
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::plain(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::plain(text)
    }
}

impl<T: Into<Self>> Add<T> for Text {
    type Output = Self;

    fn add(mut self, other: T) -> Self {
        self.push(other);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(text: &Text, width: usize) -> Vec<String> {
        text.wrap(width).iter().map(|line| line.render(false)).collect()
    }

    #[test]
    fn styles_are_drawn_only_where_colour_is_wanted() {
        let text = Text::good("on") + ", run " + Text::code("cfsso") + Text::dim(" now");
        assert_eq!(text.render(false), "on, run `cfsso` now");
        assert_eq!(
            text.render(true),
            "\u{1b}[32mon\u{1b}[0m, run \u{1b}[36m`cfsso`\u{1b}[0m\u{1b}[2m now\u{1b}[0m"
        );
        assert_eq!(text.width(), 19);
    }

    #[test]
    fn what_enters_is_made_safe() {
        assert_eq!(Text::from("a\u{1b}[31mb\nc\u{202e}").render(true), "ab c");
        assert_eq!(Text::code("x\u{7}").render(false), "`x`");
    }

    #[test]
    fn lines_break_at_blanks_and_never_inside_code() {
        let text = Text::plain("to go on, run ") + Text::code("cfsso connector list") + ", then";
        assert_eq!(wrapped(&text, 80), ["to go on, run `cfsso connector list`, then"]);
        assert_eq!(wrapped(&text, 30), ["to go on, run", "`cfsso connector list`, then"]);
        assert_eq!(wrapped(&text, 5), ["to go", "on,", "run", "`cfsso connector list`,", "then"]);
        assert_eq!(wrapped(&Text::default(), 10), [""]);
        assert_eq!(wrapped(&Text::from("  two  in"), 20), ["  two  in"]);
    }

    #[test]
    fn wide_characters_count_twice() {
        assert_eq!(Text::from("日本").width(), 4);
        assert_eq!(wrapped(&Text::from("日本 日本"), 8), ["日本", "日本"]);
    }

    #[test]
    fn prose_finds_code_between_backticks() {
        assert_eq!(
            Text::prose("run `a b` or `c`").render(true),
            (Text::plain("run ") + Text::code("a b") + " or " + Text::code("c")).render(true)
        );
        assert_eq!(Text::prose("a lone ` stays").render(false), "a lone ` stays");
    }

    #[test]
    fn what_is_to_be_pasted_is_made_whole_and_what_was_run_stays() {
        let invocation = Invocation::default().with("--sandbox", None);
        let text = Text::code("cfsso a") + Text::prose(" was run; `cfsso b` undoes it");
        assert_eq!(
            text.with_invocation(&invocation).render(false),
            "`cfsso a` was run; `cfsso b --sandbox` undoes it"
        );
    }

    proptest::proptest! {
        #[test]
        fn wrapping_loses_no_word_and_keeps_the_width(
            words in proptest::collection::vec("[a-zß日🐈]{1,9}", 1..12),
            width in 4_usize..40,
        ) {
            let mut text = Text::default();
            for (index, word) in words.iter().enumerate() {
                let blank = if index == 0 { "" } else { " " };
                text = text + blank + if index % 3 == 0 { Text::good(word) } else { Text::dim(word) };
            }
            let lines = wrapped(&text, width);
            proptest::prop_assert_eq!(lines.join(" "), words.join(" "));
            for line in lines {
                proptest::prop_assert!(line.width() <= width || !line.contains(' '), "{}", line);
            }
        }
    }
}
