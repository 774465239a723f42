//! Bare `cfsso bypass`: the state, both options, a recommendation, a question.

use std::time::Duration;

use super::super::Outcome;
use super::super::status::show_trials;
use super::{disable, nobody_to_ask, otp};
use crate::api::connector::Connector;
use crate::context::Context;
use crate::flow::bypass::otp::CurrentState;
use crate::flow::diagnose::{self, VerdictKind};
use crate::flow::trial::keep::{self, TrialStatus};
use crate::flow::{Error, bypass, connector};
use crate::output::{Page, Text};

/// How long the diagnosis may take: the way out comes first.
const PATIENCE: Duration = Duration::from_secs(5);
/// How far back changes are looked for.
const SINCE: Duration = Duration::from_hours(7 * 24);

/// What was seen, or why it was not.
struct State {
    connectors: Result<Vec<Connector>, Error>,
    sign_in: Result<CurrentState, Error>,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Choice {
    Otp,
    Disable,
}

/// Guides.
pub async fn run(context: &Context) -> anyhow::Result<Outcome> {
    nobody_to_ask(context)?;
    let tools = context.tools().await?;
    let fetcher = context.fetcher().ok();
    let subject = diagnose::Subject::AllDomains { since: SINCE, assume_enabled: false };
    let diagnosis = Box::pin(diagnose::run(&tools, subject, fetcher));
    let (connectors, sign_in, diagnosis) = tokio::join!(
        connector::list(&tools),
        bypass::otp::read_state(&tools),
        context.clock.timeout(PATIENCE, diagnosis),
    );
    let state = State { connectors, sign_in };
    let Some(advice) = advice(state.connectors.is_ok(), state.sign_in.is_ok()) else {
        state.connectors?;
        state.sign_in?;
        return Ok(Outcome::silent());
    };
    let trials: Vec<_> = keep::open_trials(&tools).into_iter().map(TrialStatus::from).collect();
    context.screen.show(&|page| {
        show_trials(page, &trials);
        show_diagnosis(page, diagnosis.as_ref());
        show(&state, advice, page);
    });
    let question =
        Text::plain("Type ") + Text::strong("otp") + " (1) or " + Text::strong("disable") + " (2):";
    match context.ask_until(&question, "`otp` or `disable`", choice).await? {
        Choice::Otp => otp::run(otp::Args::plain(), context).await,
        Choice::Disable => disable::run(disable::Args::all(), context).await,
    }
}

/// A method by its name, its first letter or its number.
fn choice(answer: &str) -> Option<Choice> {
    match answer.to_ascii_lowercase().as_str() {
        "otp" | "o" | "1" => Some(Choice::Otp),
        "disable" | "d" | "2" => Some(Choice::Disable),
        _ => None,
    }
}

/// The PIN leaves SSO enforced, and so comes first where the token reaches it.
fn advice(sees_connectors: bool, sees_sign_in: bool) -> Option<Choice> {
    match (sees_connectors, sees_sign_in) {
        (_, true) => Some(Choice::Otp),
        (true, false) => Some(Choice::Disable),
        (false, false) => None,
    }
}

/// Draws what stops sign-ins, in one line; nothing where nothing was found.
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

fn show(state: &State, advice: Choice, page: &mut Page) {
    page.line(Text::plain("SSO enabled for: ") + Text::strong(enforced(&state.connectors)));
    page.line(Text::plain("One-time PIN:    ") + Text::strong(pin(&state.sign_in)));
    for (choice, name, lines, error) in [
        (
            Choice::Otp,
            "1  otp",
            "Allow sign-in with a one-time PIN by email. SSO stays enabled; policies still apply.",
            state.sign_in.as_ref().err(),
        ),
        (
            Choice::Disable,
            "2  disable",
            "Disable SSO. Users sign in with a password, or reset it by email.",
            state.connectors.as_ref().err(),
        ),
    ] {
        page.blank();
        let recommended = if choice == advice { " (recommended)" } else { "" };
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
        Some(Error::Flow(stop)) => format!("Not possible: {stop}."),
        Some(Error::ApiContext(explained)) => format!("Not available: {explained}."),
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
    fn the_gentler_option_is_recommended_where_the_token_reaches_it() {
        for (connectors, sign_in, expected) in [
            (true, true, Some(Choice::Otp)),
            (false, true, Some(Choice::Otp)),
            (true, false, Some(Choice::Disable)),
            (false, false, None),
        ] {
            assert_eq!(advice(connectors, sign_in), expected);
        }
    }
}
