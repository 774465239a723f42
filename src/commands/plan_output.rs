//! The steps of every change before it is sent.

use super::Outcome;
use super::preflight::show_checks;
use crate::api::document::Document;
use crate::context::Context;
use crate::flow::FlowError;
use crate::flow::check::{Check, CheckState};
use crate::flow::plan::{Change, Plan, value_text};
use crate::output::{ExitCode, Page, Render, Report, Status, Text};

/// The outcome of a dry run; `None` if the change can be sent. Fails if a check blocks it.
pub fn finish_dry_run(
    context: &Context,
    plan: impl Into<Plan>,
    what: &str,
) -> Result<Option<Outcome>, FlowError> {
    let plan = plan.into();
    if context.settings.options.dry_run {
        let passes = plan.ensure_allowed(what);
        let would_change = !plan.changes.is_empty();
        let exit = match passes {
            Err(_) => ExitCode::Refused,
            Ok(()) if context.settings.options.detailed_exitcode && would_change => {
                ExitCode::Findings
            }
            Ok(()) => ExitCode::Done,
        };
        let outcome = Outcome::done(plan).exit(exit);
        return Ok(Some(outcome.failed(passes.err().map(Into::into))));
    }
    print_warnings(context, &plan.checks);
    plan.ensure_allowed(what)?;
    for change in plan.changes.iter().filter(|_| context.asks()) {
        if let Some(reason) = &change.irreversible_reason {
            context.screen.warn(Text::prose(format!("cannot be undone: {reason}")));
        }
    }
    Ok(None)
}

pub fn already_done(
    context: &Context,
    object: impl Report + 'static,
    note: impl Into<Text>,
) -> Outcome {
    if context.settings.options.dry_run {
        return Outcome::done(Plan::from(Vec::new()));
    }
    context.screen.note(note);
    Outcome::done(object)
}

/// Prints the failed checks that do not block the change.
pub fn print_warnings(context: &Context, checks: &[Check]) {
    for check in checks.iter().filter(|check| check.state != CheckState::Passed && !check.blocks())
    {
        let state = match check.state {
            CheckState::NotChecked => " (not checked)",
            CheckState::Accepted => " (risk accepted)",
            CheckState::Failed | CheckState::Passed => "",
        };
        let fix = check.fix.as_deref().filter(|_| check.state == CheckState::Failed);
        let message = format!("{}{state}", check.detail);
        context.screen.warn_of_check(&check.id.name(), &message, fix);
    }
}

impl Render for Plan {
    fn show(&self, page: &mut Page) {
        if !self.checks.is_empty() {
            page.line(Text::plain("Checks: ") + Text::strong(self.summary()));
            show_checks(&self.checks, "", page);
            page.blank();
        }
        if self.changes.is_empty() {
            page.line("No changes.");
            return;
        }
        page.line(Text::strong("Dry run: these requests were not sent."));
        for change in &self.changes {
            page.blank();
            show_change(change, page);
        }
    }

    fn names(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.title.clone()).collect()
    }
}

/// Without the request, for a confirmation.
pub fn show_question(change: &Change, page: &mut Page) {
    page.status_line(Status::Pending, Text::strong(&change.title));
    show_details(change, page);
}

pub fn show_change(change: &Change, page: &mut Page) {
    page.status_line(Status::Pending, Text::strong(&change.title));
    let request: Document = change.request.get().parse().expect("a request is an object");
    let part = |name: &str| request.parse_at::<String>(&[name]).unwrap_or_default();
    page.line(format!("  {} {}", part("method"), part("path")));
    // The exact text that is sent: parsing it would round long numbers.
    if let Some(body) = request.get(&["body"]) {
        page.line(format!("  {body}"));
    }
    show_details(change, page);
}

fn show_details(change: &Change, page: &mut Page) {
    for difference in &change.diff {
        page.line(
            Text::plain(format!("  {}: ", difference.field))
                + Text::dim(difference.before_text())
                + " -> "
                + Text::strong(value_text(&difference.after)),
        );
    }
    if let Some(reason) = &change.irreversible_reason {
        page.line(Text::plain("  ") + Text::prose(format!("cannot be undone: {reason}")));
    }
}
