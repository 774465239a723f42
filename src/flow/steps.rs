//! The steps of a guided flow: each is told when it begins and when it ends.

use std::cell::{Cell, RefCell};

use schemars::JsonSchema;
use serde::Serialize;

use super::{Error, Stop, StopKind};

/// How far a step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// It was so before this run.
    DoneAlready,
    /// It is for later, or for somebody else.
    Todo,
    /// It is under way.
    Doing,
    /// This run did it, and saw it done.
    Done,
    /// A check stands in its way.
    Refused,
    /// It did not work.
    Failed,
}

impl StepState {
    /// How a step is that `error` ended.
    pub fn after(error: &Error) -> Self {
        match error {
            Error::Stop(Stop { kind: StopKind::NotYet, .. }) => Self::Todo,
            Error::Stop(Stop { kind: StopKind::Refused | StopKind::Declined, .. }) => Self::Refused,
            _ => Self::Failed,
        }
    }
}

/// One step, and what was seen at it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "Step")]
pub struct Step<I> {
    /// Which step.
    pub id: I,
    /// How far it is.
    pub state: StepState,
    /// What was seen.
    pub detail: String,
}

type Tell<'a, I> = dyn Fn(&Step<I>) + 'a;

/// The steps so far.
pub struct Steps<'a, I> {
    tell: Box<Tell<'a, I>>,
    current: Cell<Option<I>>,
    ended: RefCell<Vec<Step<I>>>,
}

impl<'a, I: Copy> Steps<'a, I> {
    /// Nothing done yet. `tell` hears of each step that begins or ends.
    pub fn new(tell: impl Fn(&Step<I>) + 'a) -> Self {
        Self { tell: Box::new(tell), current: Cell::new(None), ended: RefCell::default() }
    }

    /// A step begins.
    pub fn begin(&self, id: I) {
        self.current.set(Some(id));
        (self.tell)(&Step { id, state: StepState::Doing, detail: String::new() });
    }

    /// A step ended.
    pub fn end(&self, id: I, state: StepState, detail: impl Into<String>) {
        self.current.set(None);
        let step = Step { id, state, detail: detail.into() };
        (self.tell)(&step);
        self.ended.borrow_mut().push(step);
    }

    /// Marks the step that an error ended, where one was under way. What led to
    /// a stop is told with the error itself.
    pub fn conclude(&self, error: &Error) {
        let Some(id) = self.current.get() else { return };
        let detail = match error {
            Error::Stop(stop) => stop.message.clone(),
            Error::Api(_) | Error::Explained(_) => error.line(),
        };
        self.end(id, StepState::after(error), detail);
    }

    /// The steps that ended, in their order.
    pub fn into_ended(self) -> Vec<Step<I>> {
        self.ended.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::{self, Refusal};

    #[test]
    fn an_error_marks_the_step_it_ended_and_no_other() {
        let stop = |kind| Error::Stop(Stop::new(kind, "no").cause("for a reason"));
        let refusal = Refusal { status: 500, errors: Vec::new(), ray: None, retry_after: None };
        let refused = Error::Api(api::Error::refused("GET /a", refusal));
        for (error, state, detail) in [
            (stop(StopKind::NotYet), StepState::Todo, "no"),
            (stop(StopKind::Refused), StepState::Refused, "no"),
            (stop(StopKind::Declined), StepState::Refused, "no"),
            (stop(StopKind::Conflict), StepState::Failed, "no"),
            (refused, StepState::Failed, "`GET /a` failed: the API answered 500"),
        ] {
            let told = RefCell::new(Vec::new());
            let steps = Steps::new(|step: &Step<u8>| told.borrow_mut().push((step.id, step.state)));
            steps.end(1, StepState::DoneAlready, "");
            steps.conclude(&error);
            steps.begin(2);
            steps.conclude(&error);
            steps.conclude(&error);
            let ended = steps.into_ended();
            let last = ended.last().map(|step| (step.id, step.state, step.detail.as_str()));
            assert_eq!((ended.len(), last), (2, Some((2, state, detail))));
            let doing = (2, StepState::Doing);
            assert_eq!(told.into_inner(), [(1, StepState::DoneAlready), doing, (2, state)]);
        }
    }
}
