use crate::commands::setup::show_step;
use crate::context::Context;
use crate::flow::federation::progress::{Event, StepId};
use crate::flow::federation::recipient_progress::RecipientProgress;
use crate::output::Status;

pub fn show(event: &Event<'_>, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Step(step) => {
            show_step(step.state, title(step.id), &step.detail, context);
        }
        Event::Recipient(arrival) => {
            screen.end_progress();
            screen.step(recipient_mark(arrival), &format!("  {}", arrival.name()), &*arrival.state);
        }
        Event::Waiting { text, .. } => screen.start_wait(*text),
    }
}

pub fn recipient_mark(arrival: &RecipientProgress) -> Status {
    if !arrival.errors.is_empty() {
        Status::Failed
    } else if !arrival.retryable_errors.is_empty() {
        Status::Warning
    } else if arrival.is_associated() {
        Status::Done
    } else if arrival.association_status.as_deref() == Some("disassociated") {
        Status::NotChecked
    } else {
        Status::Running
    }
}

fn title(id: StepId) -> &'static str {
    match id {
        StepId::Grant => "Grant",
        StepId::Share => "Share",
        StepId::Associate => "Association",
        StepId::TakeBack => "Grant rolled back",
        StepId::RemoveRecipients => "Recipients removed",
        StepId::DeleteGrant => "Grant deleted",
        StepId::DeleteShare => "Share deleted",
    }
}
