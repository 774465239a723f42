//! Bare `cfsso bypass`: shows the state and both options, and asks which.

use std::time::Duration;

use super::super::Outcome;
use super::super::status::show_trials;
use super::report::show_sign_in;
use super::{disable, nobody_to_ask, otp, undo};
use crate::api::connector::Connector;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::bypass::otp::CurrentState;
use crate::flow::bypass::status::BypassStatus;
use crate::flow::connector::Selector;
use crate::flow::diagnose::{self, VerdictKind};
use crate::flow::sign_in::allowed_methods;
use crate::flow::trial::keep::{self, TrialStatus};
use crate::flow::{Error, bypass, connector};
use crate::output::{Page, Text};

/// The diagnosis must not delay the bypass.
const PATIENCE: Duration = Duration::from_secs(5);
const SINCE: Duration = Duration::from_hours(7 * 24);

struct State {
    connectors: Result<Vec<Connector>, Error>,
    sign_in: Result<CurrentState, Error>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    /// Offered only if a bypass is active.
    Undo,
    Otp,
    Disable,
}

pub async fn run(domain: Option<EmailDomain>, context: &Context) -> anyhow::Result<Outcome> {
    nobody_to_ask(domain.as_ref(), context)?;
    let disabling = disable::Args::of(domain.clone());
    let env = context.env().await?;
    let fetcher = context.fetcher().await.ok();
    let subject = diagnose::Subject::AllDomains { since: SINCE, assume_enabled: false };
    let diagnosis = Box::pin(diagnose::run(&env, subject, fetcher));
    // An unreadable journal does not prevent a bypass.
    let entries = super::super::journal::read(context).map(|reading| reading.entries);
    let entries = entries.unwrap_or_default();
    let (connectors, sign_in, diagnosis, bypasses) = tokio::join!(
        connector::list(&env),
        bypass::otp::read_state(&env),
        context.clock.timeout(PATIENCE, diagnosis),
        bypass::status::read_status(&env, &entries),
    );
    let is_active = bypasses.active == Some(true);
    let connectors = match (connectors, domain) {
        (Ok(all), Some(domain)) => {
            Ok(vec![connector::select(&all, &Selector::Domain(domain))?.clone()])
        }
        (connectors, _) => connectors,
    };
    let state = State { connectors, sign_in };
    if let State { connectors: Err(error), sign_in: Err(_) } = state {
        return Err(error.into());
    }
    let is_enforced =
        state.connectors.as_ref().ok().map(|all| all.iter().any(|it| it.is_enabled()));
    let sign_in = state.sign_in.as_ref().ok();
    let admits_nobody = sign_in.is_some_and(CurrentState::admits_nobody_with_pin);
    // A PIN that no user would be mailed is as good as one that is offered already.
    let offers_pin = sign_in.map(|found| admits_nobody || found.offers_pin());
    let advice = advice(is_enforced, offers_pin);
    let trials: Vec<_> = keep::open_trials(&env).into_iter().map(TrialStatus::from).collect();
    context.screen.show(&|page| {
        show_trials(page, &trials);
        show_diagnosis(page, diagnosis.as_ref());
        if is_active {
            show_active(&bypasses, page);
        }
        show(&state, advice.filter(|_| !is_active), page);
    });
    if is_enforced == Some(false) && !is_active {
        context.screen.show(&|page| page.line("No bypass is needed: SSO is off."));
        return Ok(Outcome::silent());
    }
    let methods = Text::strong("otp") + " (1) or " + Text::strong("disable") + " (2):";
    let (question, expected) = if is_active {
        let undo = Text::plain("Type ") + Text::strong("undo") + " (u), ";
        (undo + methods, "`undo`, `otp` or `disable`")
    } else {
        (Text::plain("Type ") + methods, "`otp` or `disable`")
    };
    let choose = |answer: &str| choice(answer).filter(|one| is_active || *one != Choice::Undo);
    match context.ask_until(&question, expected, choose).await? {
        Choice::Undo => undo::run(&undo::Args::default(), context).await,
        Choice::Otp => otp::run(otp::Args::default(), context).await,
        Choice::Disable => disable::run(disabling, context).await,
    }
}

fn choice(answer: &str) -> Option<Choice> {
    match answer.to_ascii_lowercase().as_str() {
        "undo" | "u" => Some(Choice::Undo),
        "otp" | "o" | "1" => Some(Choice::Otp),
        "disable" | "d" | "2" => Some(Choice::Disable),
        _ => None,
    }
}

/// Prefers the one-time PIN, which leaves SSO enforced, unless it is offered. `None` means unknown.
fn advice(is_enforced: Option<bool>, offers_pin: Option<bool>) -> Option<Choice> {
    match (is_enforced, offers_pin) {
        (Some(false), _) | (None, Some(true) | None) => None,
        (_, Some(false)) => Some(Choice::Otp),
        (Some(true), Some(true) | None) => Some(Choice::Disable),
    }
}

fn show_diagnosis(page: &mut Page, diagnosis: Option<&Result<Vec<diagnose::Report>, Error>>) {
    let found = match diagnosis {
        Some(Ok(reports)) => reports.iter().find(|one| one.verdict == VerdictKind::Cause),
        Some(Err(_)) => None,
        None => return page.line(Text::prose("Diagnosis: not finished; `cfsso diagnose`")),
    };
    if let Some(report) = found {
        let words = format!("Diagnosis: {}; `cfsso diagnose`", report.summary);
        page.paragraph(Text::prose(words));
        page.blank();
    }
}

fn show_active(active: &BypassStatus, page: &mut Page) {
    page.line(Text::strong("u  undo") + Text::good(" (a bypass is active)"));
    for bypass in &active.bypasses {
        let text = format!("{}: {}", bypass.title, bypass.state.label());
        page.paragraph(Text::prose(text));
    }
    page.blank();
}

fn show(state: &State, advice: Option<Choice>, page: &mut Page) {
    if let Ok(connectors) = &state.connectors {
        let all = allowed_methods(connectors, state.sign_in.as_ref().ok());
        show_sign_in("Now:             ", &all, page);
    }
    page.line(Text::plain("SSO enabled for: ") + Text::strong(enforced(&state.connectors)));
    page.line(Text::plain("One-time PIN:    ") + Text::strong(pin(&state.sign_in)));
    let otp = match &state.sign_in {
        Ok(found) if found.admits_nobody_with_pin() => {
            "Not usable now: no policy allows a user to sign in with a one-time PIN."
        }
        _ => "Allow sign-in with a one-time PIN by email. SSO stays enabled; policies still apply.",
    };
    for (choice, name, lines, error) in [
        (Choice::Otp, "1  otp", otp, state.sign_in.as_ref().err()),
        (
            Choice::Disable,
            "2  disable",
            "Disable SSO. Users sign in with a password, or reset it by email.",
            state.connectors.as_ref().err(),
        ),
    ] {
        page.blank();
        let recommended = if Some(choice) == advice { " (recommended)" } else { "" };
        page.line(Text::strong(name) + Text::good(recommended));
        page.paragraph(lines);
        page.paragraph(Text::dim(token(error)));
    }
    page.blank();
}

fn token(error: Option<&Error>) -> String {
    match error {
        None => "Read access confirmed. Write access is not tested.".to_owned(),
        Some(Error::Api(error)) => match crate::api::permission::required(&error.request) {
            Some(permission) if error.status() == Some(403) => {
                format!("This token lacks the permission {permission}.")
            }
            _ => format!("Not available: {error}."),
        },
        Some(Error::Flow(error)) => format!("Not possible: {error}."),
        Some(Error::ApiContext(api_error)) => format!("Not available: {api_error}."),
    }
}

fn enforced(connectors: &Result<Vec<Connector>, Error>) -> String {
    let Ok(connectors) = connectors else { return "not checked".to_owned() };
    let domains: Vec<_> =
        connectors.iter().filter(|it| it.is_enabled()).map(|it| it.email_domain.as_str()).collect();
    if domains.is_empty() { "no domain".to_owned() } else { domains.join(", ") }
}

fn pin(sign_in: &Result<CurrentState, Error>) -> &'static str {
    let Ok(found) = sign_in else { return "not checked" };
    match &found.pin {
        None => "none",
        Some(pin) if found.app.admits(pin) => "allowed",
        Some(_) => "exists, not allowed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gentlest_option_that_changes_something_is_recommended() {
        for (is_enforced, offers_pin, expected) in [
            (Some(true), Some(false), Some(Choice::Otp)),
            (None, Some(false), Some(Choice::Otp)),
            (Some(true), Some(true), Some(Choice::Disable)),
            (Some(true), None, Some(Choice::Disable)),
            (Some(false), Some(false), None),
            (Some(false), None, None),
            (None, Some(true), None),
            (None, None, None),
        ] {
            assert_eq!(advice(is_enforced, offers_pin), expected);
        }
    }
}
