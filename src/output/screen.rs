//! The only place that prints: results to standard output, everything else to standard error.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Serialize;

use super::editor::{END_EDITING, Editor};
use super::error_report::{ErrorDocument, ErrorReport};
use super::format::Format;
use super::invocation::Invocation;
use super::json::{Layout, format_json};
use super::live::Measure;
use super::mark::Status;
use super::page::Page;
use super::prompt::Input;
use super::render::Selection;
use super::report::Report;
use super::status_prompt::{StatusPrompt, message};
use super::streams::{Shared, Stderr, TraceWriter};
use super::style::Style;
use super::terminal_mode::TerminalMode;
use super::text::Text;
use super::{live, prompt, render};
use crate::clock::Clock;
use crate::mutex::lock;
use crate::shell::quoted;

#[derive(Clone, Copy, Debug, Default)]
pub struct ScreenOptions {
    pub format: Format,
    pub colour: bool,
    pub stderr_colour: bool,
    pub unicode: bool,
    /// In columns, if known.
    pub width: Option<usize>,
    pub measure: Option<Measure>,
    pub stdin_terminal: bool,
    pub stdout_terminal: bool,
    pub stderr_terminal: bool,
    /// Suppresses notes and progress.
    pub quiet: bool,
    /// Lists passed checks (`-v`).
    pub verbose: bool,
    /// Whether a line of standard error may be redrawn.
    pub live: bool,
    /// The standard streams are the process's own, so answers can be edited on its terminal.
    pub editable: bool,
}

/// The standard streams, and the rules for what goes where.
/// One thread writes at a time; no lock is held between calls.
pub struct Screen {
    options: ScreenOptions,
    clock: Clock,
    invocation: Mutex<Invocation>,
    selection: Selection,
    stdin: Input,
    editor: Editor,
    stdout: Shared,
    stderr: Stderr,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_pipe_closed: bool,
    /// A failure to write a step or an event, returned by the next report.
    unwritten: Option<io::Error>,
    waiting_for: Option<String>,
    question: Option<OpenQuestion>,
}

struct OpenQuestion {
    text: String,
    mode: TerminalMode,
}

impl Screen {
    pub fn new(
        options: ScreenOptions,
        stdin: Box<dyn Read + Send>,
        stdout: Box<dyn Write + Send>,
        stderr: Box<dyn Write + Send>,
        clock: Clock,
    ) -> Self {
        Self {
            options,
            clock,
            invocation: Mutex::default(),
            selection: Selection::default(),
            stdin: Arc::new(Mutex::new(stdin)),
            editor: Editor::default(),
            stdout: Arc::new(Mutex::new(stdout)),
            stderr: Stderr::new(stderr),
            state: Mutex::default(),
        }
    }

    /// Adds the global options of this run to printed commands.
    pub fn with_invocation(mut self, invocation: Invocation) -> Self {
        self.invocation = Mutex::new(invocation);
        self
    }

    /// The options that a printed command needs to work where this run does.
    pub fn invocation(&self) -> Invocation {
        lock(&self.invocation).clone()
    }

    /// For what the user chose during the run; `None` if printed commands need none.
    pub fn set_option(&self, flag: &'static str, value: Option<&str>) {
        let mut invocation = lock(&self.invocation);
        let others = std::mem::take(&mut *invocation).without(flag);
        *invocation = match value {
            Some(value) => others.with(flag, Some(quoted(value))),
            None => others,
        };
    }

    /// Prints only `selection` of each result, in the structured formats.
    pub fn with_selection(mut self, selection: Selection) -> Self {
        self.selection = selection;
        self
    }

    pub fn format(&self) -> Format {
        self.options.format
    }

    pub fn can_ask(&self) -> bool {
        self.options.stdin_terminal && self.options.stderr_terminal
    }

    pub fn page(&self) -> Page {
        self.blank_page(self.stdout_look())
    }

    /// A writer for traces that does not disturb the live line.
    pub fn trace_writer(&self) -> TraceWriter {
        TraceWriter(self.stderr.clone())
    }

    /// Prints a result in the chosen format. A closed pipe is not an error; a full disk is.
    pub fn report(&self, report: &dyn Report) -> io::Result<()> {
        // A ticket has neither colours nor a width.
        let page = match self.format() {
            Format::Markdown => {
                let unicode = self.options.unicode;
                self.blank_page(Style { colour: false, unicode, width: None })
            }
            _ => self.page(),
        };
        let warn = |text: String| self.warn(Text::prose(text));
        self.literal(&render::result(self.format(), report, page, &self.selection, &warn)?)
    }

    /// Prints the same bytes in every format: a man page, a script, a schema.
    pub fn literal(&self, text: &str) -> io::Result<()> {
        self.print(text)?;
        let unwritten = lock(&self.state).unwritten.take();
        unwritten.map_or(Ok(()), Err)
    }

    /// [`Screen::literal`] for what must not be lost: a closed pipe is an error.
    pub fn deliver_text(&self, text: &str) -> io::Result<()> {
        self.literal(text)?;
        self.ensure_read()
    }

    /// [`Screen::report`] for what must not be lost: a closed pipe is an error.
    pub fn deliver(&self, report: &dyn Report) -> io::Result<()> {
        self.report(report)?;
        self.ensure_read()
    }

    fn ensure_read(&self) -> io::Result<()> {
        if lock(&self.state).is_pipe_closed { Err(ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }

    /// Prints a note unless quiet; in structured formats `{"level":"note","message":…}`.
    pub fn note(&self, text: impl Into<Text>) {
        if self.shows_notes() {
            self.remark("note", Text::strong("note:"), text.into(), None);
        }
    }

    /// Prints notes from where the screen is out of reach.
    pub fn detached_notes(&self) -> impl Fn(&str) + Send + Sync + 'static {
        let (stderr, is_structured) = (self.stderr.clone(), self.format().is_structured());
        let shows_notes = self.shows_notes();
        move |text| {
            if !shows_notes {
                return;
            }
            let line = if is_structured {
                json_line(&serde_json::json!({ "level": "note", "message": text }).to_string())
            } else {
                format!("note: {text}\n")
            };
            stderr.write(&line);
        }
    }

    pub fn is_live(&self) -> bool {
        self.options.live
    }

    pub fn shows_notes(&self) -> bool {
        !self.options.quiet
    }

    /// Prints a warning; in structured formats `{"level":"warning","message":…}`.
    pub fn warn(&self, text: impl Into<Text>) {
        self.remark("warning", Text::warn("warning:"), text.into(), None);
    }

    /// Warns of a check; structured formats have its ID and its fix as fields.
    pub fn warn_of_check(&self, id: &str, message: &str, fix: Option<&str>) {
        if self.format().is_structured() {
            let (label, message) = (Text::default(), Text::prose(message));
            return self.remark("warning", label, message, Some((id, fix)));
        }
        let fix = fix.map(|fix| format!("; {fix}")).unwrap_or_default();
        self.warn(Text::prose(format!("{id}: {message}{fix}")));
    }

    fn remark(
        &self,
        level: &'static str,
        label: Text,
        text: Text,
        check: Option<(&str, Option<&str>)>,
    ) {
        #[derive(Serialize)]
        struct Remark<'a> {
            level: &'static str,
            message: String,
            #[serde(skip_serializing_if = "Option::is_none")]
            check: Option<&'a str>,
            #[serde(skip_serializing_if = "Option::is_none")]
            fix: Option<String>,
        }
        let text = text.with_invocation(&self.invocation());
        if !self.format().is_structured() {
            return self.print_labeled(label, &text);
        }
        let plain = |fix: &str| Text::prose(fix).with_invocation(&self.invocation()).render(false);
        let remark = Remark {
            level,
            message: text.render(false),
            check: check.map(|(id, _)| id),
            fix: check.and_then(|(_, fix)| fix).map(plain),
        };
        let json = serde_json::to_string(&remark).expect("strings are JSON");
        self.stderr.write(&json_line(&json));
    }

    /// Prints to standard output in the table format only.
    pub fn show(&self, draw: &dyn Fn(&mut Page)) {
        if self.format() == Format::Table {
            let mut page = self.page();
            draw(&mut page);
            self.keep_error(self.print(&page.into_string()));
        }
    }

    /// Prints a line to standard output in `ndjson`, nothing in other formats.
    pub fn event(&self, event: &impl Serialize) {
        if self.format() == Format::Ndjson {
            let line = serde_json::to_string(event)
                .map_err(io::Error::from)
                .and_then(|json| self.print(&(format_json(&json, Layout::Compact) + "\n")));
            self.keep_error(line);
        }
    }

    /// Prints one line of a checklist in the table format, else nothing.
    pub fn step(&self, mark: Status, title: &str, detail: impl Into<Text>) {
        if self.format() == Format::Table {
            let mut page = self.page();
            page.step(mark, title, detail);
            self.keep_error(self.print(&page.into_string()));
        }
    }

    /// Shows what is being waited for: a line that is redrawn on a live terminal, or a new line
    /// each time the text changes elsewhere. Structured formats show only the former.
    pub fn start_wait(&self, text: impl Into<Text>) {
        let text = text.into().render(false);
        if self.options.quiet {
            return;
        }
        if self.options.live {
            self.redraw(&text, Duration::ZERO);
        } else if !self.format().is_structured() {
            let mut state = lock(&self.state);
            if state.waiting_for.as_ref() != Some(&text) {
                self.stderr.write(&format!("{text}\n"));
                state.waiting_for = Some(text);
            }
        }
    }

    /// [`Screen::start_wait`] while the user may answer `question`: typed text stays on the screen.
    /// [`Screen::read_line`] returns it.
    pub fn start_prompt(&self, status: &str, question: &'static str) {
        if !(self.options.live && self.can_ask()) {
            return self.start_wait(status);
        }
        if let Some(line) = lock(&self.stderr.line).take() {
            line.finish_and_clear();
        }
        let look = self.stderr_look();
        let mut prompt = lock(&self.stderr.prompt);
        let text = match &mut *prompt {
            Some(prompt) => prompt.update(status, look),
            none => none.insert(StatusPrompt::new(status, question, look)).text(),
        };
        self.stderr.write_at_cursor(&text);
    }

    /// The user pressed Enter: the prompt scrolled up and stays there.
    pub fn leave_prompt(&self) {
        *lock(&self.stderr.prompt) = None;
    }

    /// Shows progress if it takes longer than [`live::PATIENCE`], on a live terminal only.
    pub fn start_progress(&self, text: impl Into<Text>) {
        if self.options.live && !self.options.quiet {
            self.redraw(&text.into().render(false), live::PATIENCE);
        }
    }

    /// Stops the process by `halt` (Ctrl-Z) on a clean line; redraws the prompt when it resumes.
    pub fn suspend(&self, halt: impl FnOnce()) {
        match &lock(&self.state).question {
            None => self.stderr.with_progress_hidden(halt),
            Some(question) => {
                question.mode.with_saved_mode(halt);
                self.stderr.write_at_cursor(&question.text);
            }
        }
    }

    /// Rings the terminal's bell, if standard error is one.
    pub fn ring(&self) {
        if self.options.stderr_terminal {
            self.stderr.write_at_cursor("\u{7}");
        }
    }

    /// Removes the live line.
    pub fn end_progress(&self) {
        lock(&self.state).waiting_for = None;
        let line = lock(&self.stderr.line).take();
        if let Some(line) = line {
            line.finish_and_clear();
        }
        if lock(&self.stderr.prompt).take().is_some() {
            self.stderr.write_at_cursor(StatusPrompt::CLEAR);
        }
    }

    fn edits(&self) -> bool {
        self.options.editable && self.options.live && self.can_ask()
    }

    /// Asks on standard error and reads one line, without its line end.
    /// `None` at the end of the input, [`ESCAPE`](super::ESCAPE) for the key Esc.
    pub async fn ask(&self, question: impl Into<Text>) -> io::Result<Option<String>> {
        let question = question.into();
        if !self.edits() {
            return self.ask_plainly(question, TerminalMode::save()?).await;
        }
        self.end_progress();
        let mode = TerminalMode::save()?;
        let raw = question.render(false) + " ";
        let styled = question.render(self.options.stderr_colour) + " ";
        lock(&self.state).question = Some(OpenQuestion { text: styled.clone(), mode });
        let answer = self.editor.read_line(raw, styled).await;
        lock(&self.state).question = None;
        answer
    }

    /// [`Self::ask`] without line editing. `mode`: the terminal's mode before the question.
    async fn ask_plainly(&self, question: Text, mode: TerminalMode) -> io::Result<Option<String>> {
        self.end_progress();
        let text = question.render(self.options.stderr_colour) + " ";
        self.stderr.write(&text);
        lock(&self.state).question = Some(OpenQuestion { text, mode });
        let answer = self.read_line().await?;
        lock(&self.state).question = None;
        if answer.is_none() {
            self.stderr.write("\n");
        }
        Ok(answer)
    }

    /// [`Self::ask`] without echo. Fails if the terminal's echo cannot be turned off.
    pub async fn ask_hidden(&self, question: impl Into<Text>) -> io::Result<Option<String>> {
        let mode = TerminalMode::hide_input()?;
        let answer = self.ask_plainly(question.into(), mode).await;
        self.stderr.write("\n");
        answer
    }

    pub async fn read_to_end(&self) -> io::Result<Vec<u8>> {
        prompt::read_to_end(Arc::clone(&self.stdin)).await
    }

    /// One line of standard input, without its line end; `None` at the end of the input.
    pub async fn read_line(&self) -> io::Result<Option<String>> {
        prompt::read_line(Arc::clone(&self.stdin)).await
    }

    pub fn failure(&self, failure: &ErrorReport) {
        self.end_progress();
        if lock(&self.state).question.take().is_some() {
            self.stderr.write(if self.edits() { END_EDITING } else { "\n" });
        }
        let failure = &failure.clone().with_invocation(&self.invocation());
        let json = serde_json::to_string(&ErrorDocument { error: failure })
            .ok()
            .filter(|_| self.format().is_structured());
        let text = json.map_or_else(|| self.failure_text(failure), |json| json_line(&json));
        self.stderr.write(&text);
    }

    fn failure_text(&self, failure: &ErrorReport) -> String {
        let mut page = self.stderr_page();
        failure.show(&mut page);
        page.into_string()
    }

    fn stderr_page(&self) -> Page {
        self.blank_page(self.stderr_look())
    }

    fn blank_page(&self, look: Style) -> Page {
        Page::new(look, self.clock.now())
            .with_invocation(self.invocation())
            .verbose(self.options.verbose)
    }

    fn print_labeled(&self, label: Text, text: &Text) {
        let mut page = self.stderr_page();
        page.labeled(label + " ", text.clone());
        self.stderr.write(&page.into_string());
    }

    fn redraw(&self, text: &str, delay: Duration) {
        let mut line = lock(&self.stderr.line);
        if let Some(line) = &*line {
            line.set_message(message(text, self.stderr_look()));
            return;
        }
        let stream = Arc::clone(&self.stderr.stream);
        let (look, measure) = (self.stderr_look(), self.options.measure);
        *line = Some(live::spinner(stream, look, measure, self.clock.clone(), (text, delay)));
    }

    fn print(&self, text: &str) -> io::Result<()> {
        let mut state = lock(&self.state);
        if state.is_pipe_closed {
            return Ok(());
        }
        let written = self.stderr.with_progress_hidden(|| {
            let mut stdout = lock(&self.stdout);
            stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush())
        });
        match written {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                state.is_pipe_closed = true;
                Ok(())
            }
            written => written,
        }
    }

    fn keep_error(&self, written: io::Result<()>) {
        if let Err(error) = written {
            lock(&self.state).unwritten.get_or_insert(error);
        }
    }

    fn stdout_look(&self) -> Style {
        let ScreenOptions { colour, unicode, width, stdout_terminal, .. } = self.options;
        Style { colour, unicode, width: width.filter(|_| stdout_terminal) }
    }

    fn stderr_look(&self) -> Style {
        let ScreenOptions { stderr_colour, unicode, measure, stderr_terminal, .. } = self.options;
        let now = measure.and_then(|measure| measure()).map(usize::from);
        let width = now.or(self.options.width);
        Style { colour: stderr_colour, unicode, width: width.filter(|_| stderr_terminal) }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.end_progress();
    }
}

/// Each line of standard error is a JSON object in every structured format, YAML included.
fn json_line(json: &str) -> String {
    format_json(json, Layout::Compact) + "\n"
}
