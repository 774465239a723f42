//! The steps of a guided flow, each reported when it starts and ends.

use std::cell::{Cell, RefCell};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, FlowError, FlowErrorKind};

/// The state of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// The step was already complete before this run.
    Skipped,
    /// The step remains to be done, in a later run or by another person.
    Pending,
    /// The step is in progress.
    Running,
    /// This run completed the step and confirmed the result.
    Done,
    /// A failed check or a declined confirmation prevents the step.
    Blocked,
    /// The step failed.
    Failed,
}

impl StepState {
    pub fn from_error(error: &Error) -> Self {
        match error {
            Error::Flow(FlowError { kind: FlowErrorKind::NotYet, .. }) => Self::Pending,
            Error::Flow(FlowError {
                kind: FlowErrorKind::Refused | FlowErrorKind::Declined,
                ..
            }) => Self::Blocked,
            _ => Self::Failed,
        }
    }
}

/// A step and its result.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub struct Step<I> {
    /// The ID of the step.
    pub id: I,
    /// The state of the step.
    pub state: StepState,
    /// The result of the step in words.
    pub detail: String,
}

type StepObserver<'a, I> = dyn Fn(&Step<I>) + 'a;

pub struct StepLog<'a, I> {
    observer: Box<StepObserver<'a, I>>,
    current: Cell<Option<I>>,
    finished: RefCell<Vec<Step<I>>>,
}

impl<'a, I: Copy> StepLog<'a, I> {
    /// `tell` is called for each step that starts or ends.
    pub fn new(tell: impl Fn(&Step<I>) + 'a) -> Self {
        Self { observer: Box::new(tell), current: Cell::new(None), finished: RefCell::default() }
    }

    pub fn begin(&self, id: I) {
        self.current.set(Some(id));
        (self.observer)(&Step { id, state: StepState::Running, detail: String::new() });
    }

    pub fn end(&self, id: I, state: StepState, detail: impl Into<String>) {
        self.current.set(None);
        let step = Step { id, state, detail: detail.into() };
        (self.observer)(&step);
        self.finished.borrow_mut().push(step);
    }

    /// Without causes: these are shown with the error itself.
    pub fn fail_current(&self, error: &Error) {
        let Some(id) = self.current.get() else { return };
        let detail = match error {
            Error::Flow(flow_error) => flow_error.message.clone(),
            Error::Api(_) | Error::ApiContext(_) => error.line(),
        };
        self.end(id, StepState::from_error(error), detail);
    }

    pub fn into_finished(self) -> Vec<Step<I>> {
        self.finished.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{self, ErrorResponse};

    #[test]
    fn an_error_marks_the_step_it_ended_and_no_other() {
        let flow_error = |kind| Error::Flow(FlowError::new(kind, "no").cause("for a reason"));
        let refusal =
            ErrorResponse { status: 500, errors: Vec::new(), ray: None, retry_after: None };
        let refused = Error::Api(api::Error::refused("GET /a", refusal));
        for (error, state, detail) in [
            (flow_error(FlowErrorKind::NotYet), StepState::Pending, "no"),
            (flow_error(FlowErrorKind::Refused), StepState::Blocked, "no"),
            (flow_error(FlowErrorKind::Declined), StepState::Blocked, "no"),
            (flow_error(FlowErrorKind::Conflict), StepState::Failed, "no"),
            (refused, StepState::Failed, "`GET /a` failed: the API answered 500"),
        ] {
            let observed = RefCell::new(Vec::new());
            let steps =
                StepLog::new(|step: &Step<u8>| observed.borrow_mut().push((step.id, step.state)));
            steps.end(1, StepState::Skipped, "");
            steps.fail_current(&error);
            steps.begin(2);
            steps.fail_current(&error);
            steps.fail_current(&error);
            let ended = steps.into_finished();
            let last = ended.last().map(|step| (step.id, step.state, step.detail.as_str()));
            assert_eq!((ended.len(), last), (2, Some((2, state, detail))));
            let doing = (2, StepState::Running);
            assert_eq!(observed.into_inner(), [(1, StepState::Skipped), doing, (2, state)]);
        }
    }
}
