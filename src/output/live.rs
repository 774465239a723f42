//! The line on a terminal that is redrawn while the program waits.

use std::fmt;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle, TermLike};
use jiff::Timestamp;

use super::ago::format_duration;
use super::status_prompt::{ECHO, message};
use super::streams::Shared;
use super::style::Style;
use crate::clock::Clock;
use crate::mutex::lock;

const REDRAWN_EVERY: Duration = Duration::from_millis(100);
/// Shorter waits show no line.
pub(super) const PATIENCE: Duration = Duration::from_millis(300);

/// The current width of the terminal in columns.
pub type Measure = fn() -> Option<u16>;

/// A line with `text` and the time since the wait began, shown after `delay`.
pub(super) fn spinner(
    stream: Shared,
    look: Style,
    measure: Option<Measure>,
    clock: Clock,
    (text, delay): (&str, Duration),
) -> ProgressBar {
    let shown_from = Instant::now() + delay;
    let terminal = Terminal { stream, width: look.width, measure, shown_from };
    let target = ProgressDrawTarget::term_like(Box::new(terminal));
    let bar = ProgressBar::with_draw_target(None, target)
        .with_style(style(look, clock))
        .with_message(message(text, look));
    bar.tick();
    bar.enable_steady_tick(REDRAWN_EVERY);
    bar
}

fn style(look: Style, clock: Clock) -> ProgressStyle {
    let template =
        if look.colour { "{spinner:.cyan} {msg} {since:.dim}" } else { "{spinner} {msg} {since}" };
    let ticks = if look.unicode { "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ " } else { "|/-\\ " };
    let start = clock.now();
    ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars(ticks)
        .with_key("since", move |_: &ProgressState, w: &mut dyn fmt::Write| {
            let _ = w.write_str(&elapsed(start, clock.now()));
        })
}

fn elapsed(start: Timestamp, now: Timestamp) -> String {
    format_duration(start.duration_until(now).try_into().unwrap_or_default())
}

struct Terminal {
    stream: Shared,
    width: Option<usize>,
    measure: Option<Measure>,
    shown_from: Instant,
}

impl Terminal {
    fn put(&self, text: &str) -> io::Result<()> {
        if Instant::now() < self.shown_from {
            return Ok(());
        }
        lock(&self.stream).write_all(text.as_bytes())
    }
}

impl fmt::Debug for Terminal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Terminal").field("width", &self.width).finish_non_exhaustive()
    }
}

/// Control sequences of ECMA-48 section 8.3.
impl TermLike for Terminal {
    fn width(&self) -> u16 {
        let now = self.measure.and_then(|measure| measure()).map(usize::from);
        let width = now.or(self.width).unwrap_or(80).saturating_sub(ECHO).max(1);
        width.try_into().unwrap_or(u16::MAX)
    }

    fn move_cursor_up(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(&format!("\u{1b}[{n}A")) }
    }

    fn move_cursor_down(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(&format!("\u{1b}[{n}B")) }
    }

    fn move_cursor_right(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(&format!("\u{1b}[{n}C")) }
    }

    fn move_cursor_left(&self, n: usize) -> io::Result<()> {
        if n == 0 { Ok(()) } else { self.put(&format!("\u{1b}[{n}D")) }
    }

    fn write_line(&self, text: &str) -> io::Result<()> {
        self.put(&format!("{text}\n"))
    }

    fn write_str(&self, text: &str) -> io::Result<()> {
        self.put(text)
    }

    fn clear_line(&self) -> io::Result<()> {
        self.put("\r\u{1b}[2K")
    }

    fn flush(&self) -> io::Result<()> {
        lock(&self.stream).flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn a_message_is_cut_to_fit_beside_the_time() {
        let look = |width, unicode| Style { colour: false, unicode, width };
        let long = "waiting for the TXT record at cool.cats";
        let table = [
            (long, look(Some(80), true), long),
            (long, look(Some(40), true), "waiting for the TXT reco…"),
            (long, look(Some(40), false), "waiting for the TXT re..."),
            ("日本日本", look(Some(20), true), "日本…"),
            (long, look(Some(5), true), "…"),
            (long, look(None, true), long),
        ];
        for (text, look, expected) in table {
            assert_eq!(message(text, look), expected, "{look:?}");
        }
    }

    #[test]
    fn a_line_leaves_room_for_what_a_terminal_shows_of_ctrl_c() {
        #[derive(Clone, Default)]
        struct Seen(Arc<Mutex<Vec<u8>>>);
        impl Write for Seen {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                lock(&self.0).write(bytes)
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let seen = Seen::default();
        let stream: Shared = Arc::new(Mutex::new(Box::new(seen.clone())));
        let look = Style { colour: false, unicode: true, width: Some(40) };
        let words = "waiting for the TXT record at cool.cats";
        let draw = |delay| {
            let stream = Arc::clone(&stream);
            spinner(stream, look, None, Clock::system(), (words, delay)).finish_and_clear();
        };
        draw(Duration::from_hours(1));
        assert!(lock(&seen.0).is_empty(), "it was over before it was worth a line");
        draw(Duration::ZERO);
        let text = String::from_utf8(lock(&seen.0).clone()).unwrap();
        // On a busy machine it is drawn more than once.
        let drawn = text.split("\r\u{1b}[2K").map(unicode_width::UnicodeWidthStr::width).max();
        assert_eq!(drawn, Some(37), "{text:?}");
    }
}
