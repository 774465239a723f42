//! What a bypass came to: what was seen, what people can do now, what to look
//! at, and how to put it back.

use schemars::JsonSchema;
use serde::Serialize;

use crate::output::{Page, Render, Status, Text};

/// What a bypass came to.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether all that was wanted is so, and was seen.
    pub ok: bool,
    /// The option: `otp` or `disable`.
    method: &'static str,
    /// What was done, in that order.
    pub steps: Vec<Step>,
    /// What people can do now.
    pub notes: Vec<String>,
    /// What to look at.
    pub status_command: Vec<String>,
    /// The commands that put it back.
    pub undo_command: Vec<String>,
}

/// One step.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// What it is.
    pub title: String,
    /// `done` or `already`.
    pub state: &'static str,
    /// What was seen.
    pub detail: String,
}

impl Report {
    /// A report of an option in which nothing was done yet.
    pub fn new(option: &'static str) -> Self {
        Self {
            schema: "cfsso/bypass/v1",
            ok: true,
            method: option,
            steps: Vec::new(),
            notes: Vec::new(),
            status_command: Vec::new(),
            undo_command: Vec::new(),
        }
    }

    /// Adds what was done and seen.
    pub fn done(&mut self, title: impl Into<String>, detail: impl Into<String>) {
        self.steps.push(Step { title: title.into(), state: "done", detail: detail.into() });
    }

    /// Adds what was so before.
    pub fn already(&mut self, title: impl Into<String>, detail: impl Into<String>) {
        self.steps.push(Step { title: title.into(), state: "already", detail: detail.into() });
    }

    /// Whether anything was changed.
    pub fn changed(&self) -> bool {
        self.steps.iter().any(|step| step.state == "done")
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        for step in &self.steps {
            let mark = if step.state == "done" { Status::Done } else { Status::Skipped };
            page.step(mark, &step.title, Text::prose(&step.detail));
        }
        for (label, lines) in [
            ("Now:   ", &self.notes),
            ("Check: ", &self.status_command),
            ("Undo:  ", &self.undo_command),
        ] {
            if lines.is_empty() {
                continue;
            }
            page.blank();
            for line in lines {
                page.labeled(Text::strong(label), Text::prose(line));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.title.clone()).collect()
    }
}
