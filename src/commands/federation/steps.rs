//! How sharing and unsharing show their steps.

use crate::commands::setup::show_step;
use crate::context::Context;
use crate::flow::federation::arrival::Arrival;
use crate::flow::federation::progress::{Event, StepId};
use crate::output::Mark;

/// Shows what happens.
pub fn show(event: &Event<'_>, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Step(step) => {
            show_step(step.state, title(step.id), &step.detail, context);
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
