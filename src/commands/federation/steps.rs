//! How sharing and unsharing show their steps.

use crate::commands::setup::mark;
use crate::context::Context;
use crate::flow::federation::arrival::Arrival;
use crate::flow::federation::progress::{Event, Step, StepId};
use crate::flow::setup::StepState;
use crate::output::{Mark, Text};

/// Shows what happens.
pub fn show(event: &Event<'_>, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Step(Step { id, state: StepState::Doing, .. }) => screen.doing(title(*id)),
        Event::Step(step) => {
            screen.settled();
            if step.state == StepState::Done {
                context.note_done(title(step.id));
            }
            screen.step(mark(step.state), title(step.id), Text::prose(&step.detail));
        }
        Event::Recipient(arrival) => {
            screen.settled();
            screen.step(standing(arrival), &format!("  {}", arrival.name()), &*arrival.state);
        }
        Event::Waiting { text, .. } => screen.waiting(*text),
        Event::Warning { text } => screen.warn(*text),
    }
}

/// The mark of a recipient.
#[must_use]
pub fn standing(arrival: &Arrival) -> Mark {
    if !arrival.failures.is_empty() {
        Mark::Failed
    } else if !arrival.retrying.is_empty() {
        Mark::Warning
    } else if arrival.is_there() {
        Mark::Done
    } else if arrival.association_status.as_deref() == Some("disassociated") {
        Mark::Skipped
    } else {
        Mark::Doing
    }
}

fn title(id: StepId) -> &'static str {
    match id {
        StepId::Grant => "create the grant",
        StepId::Share => "share it",
        StepId::Associate => "see it arrive",
        StepId::TakeBack => "take the grant back",
        StepId::RemoveRecipients => "take recipients out",
        StepId::DeleteGrant => "delete the grant",
        StepId::DeleteShare => "delete the share",
    }
}
