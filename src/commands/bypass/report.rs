use schemars::JsonSchema;
use serde::Serialize;

use crate::flow::sign_in::{DomainSignIn, describe_methods};
use crate::output::{Page, Render, Status, Text};

/// The result of `cfsso bypass otp` or `cfsso bypass disable`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether the requested state was reached and confirmed.
    pub ok: bool,
    /// The method of the bypass: `otp` or `disable`.
    method: &'static str,
    /// The steps, in execution order.
    pub steps: Vec<Step>,
    /// The effect on users, one sentence each.
    pub notes: Vec<String>,
    /// Instructions to confirm the result.
    pub status_command: Vec<String>,
    /// The commands that undo the bypass.
    undo_command: Vec<String>,
}

/// A step of a bypass.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// The description of the step.
    pub title: String,
    /// `done`, or `already` if the step was already complete.
    pub state: &'static str,
    /// The observed result.
    pub detail: String,
}

pub fn show_sign_in(label: impl Into<Text>, all: &[DomainSignIn], page: &mut Page) {
    let label = label.into();
    for line in describe_methods(all) {
        page.labeled(label.clone(), Text::prose(line));
    }
}

impl Report {
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

    pub fn done(&mut self, title: impl Into<String>, detail: impl Into<String>) {
        self.steps.push(Step { title: title.into(), state: "done", detail: detail.into() });
    }

    pub fn already(&mut self, title: impl Into<String>, detail: impl Into<String>) {
        self.steps.push(Step { title: title.into(), state: "already", detail: detail.into() });
    }

    /// `commands` are in backticks; scripts take them without.
    pub fn undo_by(&mut self, commands: Vec<String>) {
        self.undo_command =
            commands.into_iter().map(|command| command.trim_matches('`').to_owned()).collect();
    }

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
            ("Undo:  ", &self.undo_command.iter().map(|undo| format!("`{undo}`")).collect()),
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
