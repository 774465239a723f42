use jiff::Timestamp;

use super::invocation::Invocation;
use super::mark::Status;
use super::sanitize::sanitize;
use super::style::Style;
use super::table::table_lines;
use super::text::Text;

/// In columns.
const TITLE_WIDTH: usize = 24;
/// With fewer columns beside the title, the detail goes below it.
const LEAST_DETAIL: usize = 24;
/// Wider prose is hard to read, however wide the terminal.
const PROSE_WIDTH: usize = 100;

/// Lines of text for one terminal. Without a width, lines are not wrapped.
pub struct Page {
    look: Style,
    now: Timestamp,
    invocation: Invocation,
    is_verbose: bool,
    out: String,
}

impl Page {
    pub fn new(look: Style, now: Timestamp) -> Self {
        Self { look, now, invocation: Invocation::default(), is_verbose: false, out: String::new() }
    }

    /// With `-v`, passed checks are listed.
    pub fn verbose(self, is_verbose: bool) -> Self {
        Self { is_verbose, ..self }
    }

    pub fn is_verbose(&self) -> bool {
        self.is_verbose
    }

    /// Adds the global options of this run to commands.
    pub fn with_invocation(self, invocation: Invocation) -> Self {
        Self { invocation, ..self }
    }

    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// One line, never wrapped.
    pub fn line(&mut self, text: impl Into<Text>) {
        let line = text.into().with_invocation(&self.invocation).render(self.look.colour);
        self.out.push_str(line.trim_end_matches(' '));
        self.out.push('\n');
    }

    pub fn blank(&mut self) {
        self.out.push('\n');
    }

    pub fn paragraph(&mut self, text: impl Into<Text>) {
        self.labeled(Text::default(), text.into());
    }

    /// Prose after a label; further lines start under the first word.
    pub fn labeled(&mut self, label: impl Into<Text>, text: impl Into<Text>) {
        let (label, text) = (label.into(), text.into().with_invocation(&self.invocation));
        let indent = label.width();
        let mut start = label;
        for line in self.wrap(&text, indent) {
            self.line(start + line);
            start = Text::default().padded(indent);
        }
    }

    pub fn numbered(&mut self, steps: &[impl AsRef<str>]) {
        for (index, step) in steps.iter().enumerate() {
            self.labeled(format!("  {}. ", index + 1), Text::prose(step));
        }
    }

    /// A line with a mark before it: `✓ what`.
    pub fn status_line(&mut self, mark: Status, text: impl Into<Text>) {
        self.labeled(self.mark(mark).padded(self.mark_width()), text);
    }

    /// A line of a checklist. The detail wraps under itself, or below the title if space is short.
    pub fn step(&mut self, mark: Status, title: &str, detail: impl Into<Text>) {
        let (title, detail) = (Text::plain(title), detail.into().with_invocation(&self.invocation));
        let mark_width = self.mark_width();
        let column = mark_width + TITLE_WIDTH + 2;
        let label = self.mark(mark).padded(mark_width) + title.clone();
        let beside = label.clone().padded(column - 2) + "  ";
        let width = self.look.width.unwrap_or(usize::MAX);
        if detail.is_empty() {
            self.line(label);
        } else if title.width() <= TITLE_WIDTH && width >= column + LEAST_DETAIL {
            self.labeled(beside, detail);
        } else if beside.width() + detail.width() <= width {
            self.line(beside + detail);
        } else {
            let is_narrow = width < column + LEAST_DETAIL;
            self.line(label);
            let indent = if is_narrow { mark_width } else { column };
            self.labeled(Text::default().padded(indent), detail);
        }
    }

    /// The fix of a step or check, below its title.
    pub fn fix(&mut self, indent: &str, remedy: &str) {
        let indent = Text::plain(indent).width() + self.mark_width();
        self.labeled(Text::default().padded(indent) + Text::dim("Fix: "), Text::prose(remedy));
    }

    fn mark_width(&self) -> usize {
        Status::width(self.look.unicode)
    }

    /// Symbol or word of `mark`, for a cell or a field.
    pub fn mark(&self, mark: Status) -> Text {
        mark.text(self.look.unicode)
    }

    /// Words in the colour of `mark` after its symbol: `✓ verified`.
    pub fn state(&self, mark: Status, words: &str) -> Text {
        mark.paint(&format!("{} {words}", mark.symbol(self.look.unicode)))
    }

    pub fn fields(&mut self, fields: &[(&str, Text)]) {
        let width = fields.iter().map(|(label, _)| Text::plain(label).width()).max().unwrap_or(0);
        for (label, value) in fields {
            self.labeled(Text::dim(label).padded(width + 2), value.clone());
        }
    }

    /// Whether there are that many columns, or no limit.
    pub fn has_room(&self, columns: usize) -> bool {
        self.look.width.is_none_or(|width| width >= columns)
    }

    /// Without rows, the headers are left out as well.
    pub fn table(&mut self, headers: &[&str], rows: &[Vec<Text>]) {
        if rows.is_empty() {
            return;
        }
        for line in table_lines(headers, rows, self.look.width) {
            self.line(line);
        }
    }

    /// Never wrapped, tabs and trailing spaces kept. Other control characters are removed.
    pub fn literal(&mut self, text: &str) {
        for line in text.lines() {
            let parts: Vec<_> = line.split('\t').map(sanitize).collect();
            self.out.push_str(&parts.join("\t"));
            self.out.push('\n');
        }
    }

    pub fn into_string(self) -> String {
        self.out
    }

    fn wrap(&self, text: &Text, indent: usize) -> Vec<Text> {
        match self.look.width {
            Some(width) => text.wrap(width.min(PROSE_WIDTH).saturating_sub(indent).max(20)),
            None => vec![text.clone()],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(width: Option<usize>) -> Page {
        Page::new(Style { colour: false, unicode: true, width }, Timestamp::UNIX_EPOCH)
    }

    fn connector(page: &mut Page) {
        page.fields(&[
            ("domain", Text::strong("cool.cats")),
            ("status", page.state(Status::Done, "verified") + ", 3 days ago"),
            (
                "next",
                Text::plain("enable it with ")
                    + Text::code("cfsso connector enable cool.cats")
                    + ", which first checks that one can still get in",
            ),
        ]);
        page.blank();
        page.paragraph(
            "the record is served by two of three name servers, so the verification has not \
             been begun yet",
        );
        page.literal("cool.cats.\t300\tIN\tTXT\t\"cloudflare_dashboard_sso=123456789012345678901234567890\" \u{1b}[31m ");
    }

    #[test]
    fn fields_and_prose_wrap_and_what_is_pasted_does_not() {
        let mut page = page(Some(60));
        connector(&mut page);
        insta::assert_snapshot!(page.into_string(), @r#"
        domain  cool.cats
        status  ✓ verified, 3 days ago
        next    enable it with `cfsso connector enable cool.cats`,
                which first checks that one can still get in

        the record is served by two of three name servers, so the
        verification has not been begun yet
        cool.cats.	300	IN	TXT	"cloudflare_dashboard_sso=123456789012345678901234567890"
        "#);
    }

    #[test]
    fn nothing_wraps_without_a_width() {
        let mut page = page(None);
        connector(&mut page);
        assert_eq!(page.into_string().lines().count(), 6);
    }

    fn checklist(width: Option<usize>) -> String {
        let mut page = page(width);
        page.step(Status::Done, "Connector", "cool.cats, ID 68ca7b2e");
        page.step(
            Status::Running,
            "TXT record published",
            "TXT cool.cats \"cloudflare_dashboard_sso=123456789\"",
        );
        page.step(
            Status::Warning,
            "the policy still covers the domain",
            "not checked: the token may not read policies",
        );
        page.step(Status::Failed, "find the organisation's zone", "none is active");
        page.step(Status::Blocked, "enable", Text::default());
        page.step(Status::Pending, "read back", "");
        page.into_string()
    }

    #[test]
    fn a_checklist_lines_up_in_80_columns() {
        insta::assert_snapshot!(checklist(Some(80)), @r#"
        ✓ Connector                 cool.cats, ID 68ca7b2e
        → TXT record published      TXT cool.cats "cloudflare_dashboard_sso=123456789"
        ! the policy still covers the domain
                                    not checked: the token may not read policies
        ✗ find the organisation's zone  none is active
        ✗ enable
        ○ read back
        "#);
    }

    #[test]
    fn a_narrow_checklist_puts_details_under_titles() {
        insta::assert_snapshot!(checklist(Some(50)), @r#"
        ✓ Connector                 cool.cats, ID 68ca7b2e
        → TXT record published
          TXT cool.cats
          "cloudflare_dashboard_sso=123456789"
        ! the policy still covers the domain
          not checked: the token may not read policies
        ✗ find the organisation's zone  none is active
        ✗ enable
        ○ read back
        "#);
    }

    #[test]
    fn a_piped_checklist_is_one_line_a_step() {
        assert_eq!(checklist(None).lines().count(), 6);
    }
}
