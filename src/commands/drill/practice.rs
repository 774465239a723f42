//! `drill --scenario`: a broken simulator to repair, against the clock.

use std::str::FromStr;
use std::time::Duration;

use clap::ValueEnum;
use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use super::super::sandbox::serve::Scenarios;
use crate::context::Context;
use crate::flow::FlowError;
use crate::output::{Page, Render, Status, Text, format_duration};
use crate::sandbox::{self, Sandbox, Scenario, SignInAttempt};

const LOOK: Duration = Duration::from_millis(500);

pub const HIDDEN: &str = "random";

#[derive(Clone, Copy, Debug)]
pub enum Choice {
    /// A random repairable scenario, revealed at the end.
    Hidden,
    /// Lists the scenario names.
    List,
    One(Scenario),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            HIDDEN => return Ok(Self::Hidden),
            "list" => return Ok(Self::List),
            _ => {}
        }
        let one = Scenario::from_str(text, false).map(Self::One);
        one.map_err(|_| format!("`{text}` is not a scenario; `list` lists them"))
    }
}

/// The result of `cfsso drill --scenario`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// The cause of the lockout, in words.
    scenario: String,
    /// The email address of the user who could not sign in.
    user: &'static str,
    /// The name of the identity provider that the user signs in with after the repair; `null` if
    /// the user signs in with a password.
    idp: Option<String>,
    /// The time until the user could sign in again, in seconds.
    seconds: u64,
    /// The number of API requests that were sent.
    requests: usize,
}

pub async fn run(choice: Choice, context: &Context) -> anyhow::Result<Outcome> {
    let scenario = match choice {
        Choice::List => return Ok(Outcome::done(Scenarios::all())),
        Choice::One(scenario) if !scenario.can_be_repaired() => {
            let message = "this cause cannot be repaired in the simulator";
            return Err(FlowError::usage(message)
                .hint("`cfsso sandbox serve --scenario <NAME>` serves it")
                .into());
        }
        Choice::One(scenario) => scenario,
        Choice::Hidden => {
            let all = Scenario::repairable();
            all[fastrand::usize(..all.len())]
        }
    };
    let options = sandbox::Options {
        start_from: Some(scenario.build(context.clock.now())),
        clock: context.clock.clone(),
        ..sandbox::Options::default()
    };
    let sandbox = sandbox::start(options).await?;
    if let Some(slug) = scenario.down() {
        sandbox.take_down(slug);
    }
    let journal = tempfile::Builder::new().prefix("cfsso-drill-").tempdir()?;
    brief(&sandbox, scenario, &journal.path().join("journal").display().to_string(), context);
    let attempt = SignInAttempt::from(scenario);
    let began = context.clock.now();
    // A script cannot stop a practice that it does not repair.
    let deadline =
        if context.screen.can_ask() { context.deadline() } else { Some(context.wait_deadline()) };
    let result = loop {
        let result = sandbox.would_sign_in(&attempt);
        if result.is_signed_in {
            break result;
        }
        if deadline.is_some_and(|deadline| context.clock.now() >= deadline) {
            let message = format!("{} still cannot sign in: time limit reached", scenario.user());
            return Err(FlowError::not_yet(message)
                .cause(scenario.about())
                .hint("`cfsso drill --scenario --timeout 1h`")
                .into());
        }
        context.screen.start_wait(format!("{} cannot sign in", scenario.user()));
        context.clock.sleep(LOOK).await;
    };
    let elapsed = began.duration_until(context.clock.now()).unsigned_abs();
    Ok(Outcome::done(Report {
        schema: "cfsso/drill-scenario/v1",
        scenario: scenario.about(),
        user: scenario.user(),
        idp: result.idp,
        seconds: elapsed.as_secs(),
        requests: sandbox.log().len(),
    }))
}

fn brief(sandbox: &Sandbox, scenario: Scenario, journal: &str, context: &Context) {
    let mut lines: Vec<_> = sandbox
        .environment()
        .into_iter()
        .map(|(name, value)| format!("export {name}={value}"))
        .collect();
    lines.push(format!("export CFSSO_JOURNAL={journal}"));
    // It takes precedence over the base URL of this simulator.
    lines.push("unset CFSSO_SANDBOX".to_owned());
    context.screen.show(&|page| {
        page.paragraph(Text::strong(format!("{} cannot sign in.", scenario.user())));
        page.paragraph("Find the cause and repair it. Paste this into another terminal:");
        page.blank();
        for line in &lines {
            page.literal(line);
        }
        page.blank();
    });
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        let how = match &self.idp {
            Some(idp) => format!("through {idp}"),
            None => "with a password: SSO is off".to_owned(),
        };
        let time = format_duration(Duration::from_secs(self.seconds));
        let text = format!("{} can sign in {how}, after {time}", self.user);
        page.status_line(Status::Done, Text::strong(text));
        page.line(format!("What had happened: {}.", self.scenario));
    }

    fn names(&self) -> Vec<String> {
        vec![self.scenario.clone()]
    }
}
