//! The steps of sharing and unsharing, told as they go.

use std::cell::{Cell, RefCell};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::arrival::Arrival;
use crate::flow::setup::StepState;
use crate::flow::{Error, Stop, StopKind};

/// The steps, both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StepId {
    /// The grant exists.
    Grant,
    /// The share exists, with every recipient.
    Share,
    /// Every recipient has the identity provider.
    Associate,
    /// A grant made in this run is taken back.
    TakeBack,
    /// Recipients are taken out of the share.
    RemoveRecipients,
    /// The grant is gone.
    DeleteGrant,
    /// The share is gone.
    DeleteShare,
}

/// One step, and what was seen at it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Step {
    /// Which step.
    pub id: StepId,
    /// How far it is.
    pub state: StepState,
    /// What was seen.
    pub detail: String,
}

/// What happens meanwhile.
#[derive(Debug, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event<'a> {
    /// A step began or ended.
    Step(&'a Step),
    /// A recipient has come further.
    Recipient(&'a Arrival),
    /// Something is waited for.
    Waiting {
        /// What, in words.
        text: &'a str,
        /// Since when.
        since: Timestamp,
    },
    /// Something to take care of.
    Warning {
        /// What.
        text: &'a str,
    },
}

/// The steps so far.
pub struct Progress<'a> {
    on_event: &'a dyn Fn(&Event<'_>),
    current: Cell<Option<StepId>>,
    steps: RefCell<Vec<Step>>,
}

impl<'a> Progress<'a> {
    /// Nothing done yet.
    #[must_use]
    pub fn new(on_event: &'a dyn Fn(&Event<'_>)) -> Self {
        Self { on_event, current: Cell::new(None), steps: RefCell::default() }
    }

    /// Tells of something.
    pub fn tell(&self, event: &Event<'_>) {
        (self.on_event)(event);
    }

    /// A step begins.
    pub fn begin(&self, id: StepId) {
        self.current.set(Some(id));
        self.tell(&Event::Step(&Step { id, state: StepState::Doing, detail: String::new() }));
    }

    /// A step ended.
    pub fn end(&self, id: StepId, state: StepState, detail: impl Into<String>) {
        self.current.set(None);
        let step = Step { id, state, detail: detail.into() };
        self.tell(&Event::Step(&step));
        self.steps.borrow_mut().push(step);
    }

    /// Marks the step that an error ended.
    pub fn conclude(&self, error: &Error) {
        let Some(id) = self.current.get() else { return };
        let state = match error {
            Error::Stop(Stop { kind: StopKind::NotYet, .. }) => StepState::Todo,
            Error::Stop(Stop { kind: StopKind::Refused | StopKind::Declined, .. }) => {
                StepState::Refused
            }
            _ => StepState::Failed,
        };
        self.end(id, state, error.to_string());
    }

    /// The steps, in their order.
    #[must_use]
    pub fn into_steps(self) -> Vec<Step> {
        self.steps.into_inner()
    }
}
