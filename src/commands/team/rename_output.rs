use super::super::preflight::show_checks;
use super::super::setup::{self, mark, show_step};
use crate::context::Context;
use crate::flow::check::{Check, CheckState};
use crate::flow::rename::{
    ConnectorSnapshot, Event, IdpChange, PlannedStep, Preview, Step, StepId,
};
use crate::flow::setup::{Event as Of, Step as OfStep};
use crate::flow::steps::StepState;
use crate::output::{Page, Text};

pub(super) fn render_preview(outlook: &Preview, page: &mut Page) {
    page.fields(&[("team", Text::plain(&outlook.now)), ("new name", Text::strong(&outlook.goal))]);
    if !outlook.connectors.is_empty() {
        page.blank();
        let rows: Vec<_> = outlook.connectors.iter().map(|it| row(it, &outlook.assumed)).collect();
        page.table(&["DOMAIN", "ENABLED", "VERIFIED", "FEDRAMP"], &rows);
    }
    page.blank();
    let rows: Vec<_> = outlook.stages.iter().enumerate().map(stage).collect();
    page.table(&["STEP", "WHAT", "SSO OFF"], &rows);
    render_idp_changes(&outlook.idps, page);
    if !outlook.notes.is_empty() {
        page.blank();
        page.line(Text::strong("Other effects:"));
        for note in &outlook.notes {
            page.labeled("  - ", Text::prose(note));
        }
    }
}

fn row(wanted: &ConnectorSnapshot, assumed: &[String]) -> Vec<Text> {
    let words = |yes: bool| if yes { "yes" } else { "no" };
    let known = |value| if assumed.contains(&wanted.domain) { "unknown" } else { value };
    vec![
        Text::strong(&wanted.domain),
        Text::plain(known(words(wanted.enabled))),
        Text::plain(known(wanted.verification.as_deref().unwrap_or("unknown"))),
        Text::plain(wanted.fedramp.map_or("unknown", words)),
    ]
}

fn stage((at, stage): (usize, &PlannedStep)) -> Vec<Text> {
    vec![Text::dim((at + 1).to_string()), Text::plain(&stage.title), Text::plain(&stage.sso_off)]
}

fn render_idp_changes(idps: &[IdpChange], page: &mut Page) {
    for idp in idps {
        page.blank();
        let when = if idp.change.can_be_set_in_advance {
            "enter it now, in addition to the old value"
        } else {
            "replaces the old value: enter it after the rename"
        };
        page.labeled(
            Text::strong(format!("At {} ({}):", idp.name, idp.change.title)) + " ",
            Text::plain(when),
        );
        page.numbered(&idp.change.steps);
        for field in &idp.change.fields {
            page.line(format!("  {}", field.name));
            if let Some(before) = &field.before {
                page.line(Text::dim(format!("    was  {before}")));
            }
            page.line(Text::plain("    now  ") + Text::strong(&field.after));
        }
    }
}

pub(super) fn show(event: &Event<'_>, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Plan { .. } => {}
        Event::Step(step) => {
            note_off(step, context);
            show_step(step.state, title(step.id), &step.detail, context);
        }
        Event::Idps { idps } => screen.show(&|page| {
            render_idp_changes(idps, page);
            page.blank();
        }),
        Event::Domain { domain, of } => show_domain(domain, of, context),
        Event::Warning { text } => screen.warn(Text::prose(text)),
    }
}

pub(super) const SSO_OFF_NOTE: &str =
    "SSO may be off for some domains: users sign in with a password";

fn note_off(step: &Step, context: &Context) {
    match (step.id, step.state) {
        (StepId::Disable, StepState::Running) => context.set_interrupted_note(Some(SSO_OFF_NOTE)),
        (StepId::Restore, StepState::Done) => context.set_interrupted_note(None),
        _ => {}
    }
}

/// Prefixed with the domain, since several connectors progress at the same time.
fn show_domain(domain: &str, event: &Of<'_>, context: &Context) {
    let screen = &context.screen;
    match event {
        Of::Step(OfStep { id, state: StepState::Running, .. }) => {
            screen.start_progress(format!("{domain}: {}", setup::title(*id)));
        }
        Of::Step(step) => {
            screen.end_progress();
            let title = format!("  {}", setup::title(step.id));
            screen.step(
                mark(step.state),
                &title,
                Text::prose(format!("{domain}: {}", step.detail)),
            );
        }
        Of::Publish { record, dns_provider, .. } => {
            screen.show(&|page| setup::paste(record, *dns_provider, page));
        }
        Of::Waiting { text, .. } => screen.start_wait(format!("{domain}: {text}")),
        Of::Warning { text } => screen.warn(Text::prose(format!("{domain}: {text}"))),
        // Passed checks were shown before.
        Of::Checks { checks } => {
            let is_open = |check: &&Check| check.state != CheckState::Passed;
            let open: Vec<_> = checks.iter().filter(is_open).cloned().collect();
            screen.show(&|page| show_checks(&open, "  ", page));
        }
    }
}

pub(super) fn time(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

fn title(id: StepId) -> &'static str {
    match id {
        StepId::Snapshot => "Save the current state",
        StepId::WriteAccess => "Test write access",
        StepId::Disable => "Disable SSO",
        StepId::Delete => "Delete the connectors",
        StepId::Rename => "Rename the team",
        StepId::ShowIdpChanges => "Show the new URLs",
        StepId::ConfirmIdpChanges => "Identity providers",
        StepId::IdpCheck => "Test identity providers",
        StepId::Restore => "Restore SSO",
    }
}

#[cfg(test)]
mod tests {
    use super::time;

    #[test]
    fn a_time_is_told_in_two_units_at_most() {
        for (seconds, text) in [(0, "0 s"), (75, "1 min 15 s"), (7384, "2 h 3 min")] {
            assert_eq!(time(seconds), text);
        }
    }
}
