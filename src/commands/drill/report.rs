use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::output::{ErrorReport, ExitCode, Page, Render, Status, Text};

const INDENT: &str = "  ";

/// The result of `cfsso drill`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether every step had the expected result.
    pub ok: bool,
    /// Where the drill ran.
    pub target: Target,
    /// The ID of the account that the drill ran in.
    pub account: String,
    /// The steps, in execution order. In the simulator the drill stops after a step that
    /// failed.
    pub steps: Vec<Step>,
    /// The duration of all steps, in milliseconds.
    pub duration_ms: u64,
    /// The number of API requests.
    pub requests: u64,
}

/// Where a drill runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A simulator started for this drill only.
    Simulator,
    /// The account in use; nothing is written.
    Account,
}

/// A command and its observed result.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Step {
    /// The phase of the drill; `null` if the drill has no phases.
    pub phase: Option<&'static str>,
    /// The command.
    pub command: String,
    /// Whether the command had the expected result.
    pub state: State,
    /// The observed result of the command, or the error.
    pub observed: String,
    /// The duration, in milliseconds.
    pub duration_ms: u64,
    /// The number of API requests.
    pub requests: u64,
    /// The number of API requests that write.
    pub writes: u64,
    /// The exit code, if the step failed.
    pub exit_code: Option<ExitCode>,
    /// The output of the command; `null` in the simulator.
    #[schemars(with = "Option<Value>")]
    pub result: Option<Box<RawValue>>,
}

/// The outcome of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// The command had the expected result.
    Done,
    /// The command failed, or did not have the expected result.
    Failed,
}

#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    Act { act: &'a str },
    Step(&'a Step),
}

impl Report {
    pub fn new(against: Target, account: String) -> Self {
        Self {
            schema: "cfsso/drill/v1",
            ok: false,
            target: against,
            account,
            steps: Vec::new(),
            duration_ms: 0,
            requests: 0,
        }
    }

    pub fn finish(&mut self, ok: bool) {
        self.ok = ok;
        self.duration_ms = self.steps.iter().map(|step| step.duration_ms).sum();
        self.requests = self.steps.iter().map(|step| step.requests).sum();
    }
}

impl Step {
    pub fn fail(&mut self, error: ErrorReport) {
        self.state = State::Failed;
        self.exit_code = Some(error.exit_code);
        let sentences: Vec<_> = [error.message].into_iter().chain(error.causes).collect();
        self.observed = sentences.join(": ");
    }

    pub fn show(&self, page: &mut Page) {
        let mark = match self.state {
            State::Done => Status::Done,
            State::Failed => Status::Failed,
        };
        page.status_line(mark, Text::code(&self.command));
        page.labeled(INDENT, Text::dim(format!("{}: ", self.took())) + Text::prose(&self.observed));
    }

    fn took(&self) -> String {
        let counted =
            |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
        let writes = match self.writes {
            0 => String::new(),
            writes => format!(" ({})", counted(writes, "write")),
        };
        format!("{}{writes}, {}", counted(self.requests, "request"), lasting(self.duration_ms))
    }
}

fn lasting(ms: u64) -> String {
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}

impl Render for Report {
    /// The steps were shown while they ran; only the summary is left.
    fn show(&self, page: &mut Page) {
        if !self.ok {
            return;
        }
        let count = self.steps.len();
        let time = lasting(self.duration_ms);
        page.blank();
        match self.target {
            Target::Simulator => {
                page.paragraph(Text::strong(format!(
                    "All {count} steps passed in {time} ({} requests).",
                    self.requests
                )));
                page.paragraph(Text::prose(
                    "A drill does not test a real sign-in. `cfsso drill --against-profile` \
                     reads your account and previews recovery.",
                ));
            }
            Target::Account => page.paragraph(Text::strong(format!(
                "All {count} steps passed in {time} ({} requests); nothing was written.",
                self.requests
            ))),
        }
    }

    fn names(&self) -> Vec<String> {
        self.steps.iter().map(|step| step.command.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_told_as_short_as_it_can_be() {
        for (ms, words) in [(0, "0 ms"), (999, "999 ms"), (1000, "1.0 s"), (61_999, "61.9 s")] {
            assert_eq!(lasting(ms), words);
        }
    }
}
