use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::str::FromStr;

use clap::ValueEnum;
use clap::builder::PossibleValue;
use serde::Serialize;

use super::super::Outcome;
use crate::context::Context;
use crate::output::{Page, Render, Text};
use crate::sandbox::{self, Scenario};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso sandbox serve
  cfsso sandbox serve --http 127.0.0.1:8080 --fault 500@POST
  cfsso sandbox serve --scenario policy-narrowed

Then, in another terminal, paste the export lines and use curl, an SDK or cfsso.")]
pub struct Args {
    /// Address of the API
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    http: SocketAddr,

    /// Address of the name server
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:0")]
    dns: SocketAddr,

    /// Start with a broken sign-in, in memory; `list` lists them
    #[arg(long, value_name = "NAME", hide_possible_values = true)]
    scenario: Option<ScenarioArg>,
}

#[derive(Clone, Copy, Debug)]
enum ScenarioArg {
    List,
    One(Scenario),
}

impl FromStr for ScenarioArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "list" {
            return Ok(Self::List);
        }
        let one = Scenario::from_str(text, false);
        one.map(Self::One).map_err(|_| format!("`{text}` is not a scenario; `list` lists them"))
    }
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct Scenarios(BTreeMap<String, String>);

#[derive(Serialize)]
#[serde(transparent)]
struct Serving(BTreeMap<&'static str, String>);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let options = &context.settings.options;
    let scenario = match args.scenario {
        Some(ScenarioArg::List) => return Ok(Outcome::done(Scenarios::all())),
        Some(ScenarioArg::One(scenario)) => Some(scenario),
        None => None,
    };
    let state = context.settings.sandbox_state()?;
    let sandbox = sandbox::start(sandbox::Options {
        state: scenario.is_none().then(|| state.clone()),
        start_from: scenario.map(|scenario| scenario.build(context.clock.now())),
        command: sandbox::SERVICE.to_owned(),
        faults: options.faults.clone(),
        clock: context.clock.clone(),
        http: args.http,
        dns: args.dns,
        ..sandbox::Options::default()
    })
    .await?;
    if let Some(slug) = scenario.and_then(Scenario::down) {
        sandbox.take_down(slug);
    }
    let mut environment: BTreeMap<_, _> = sandbox.environment().into_iter().collect();
    // Simulated changes must not enter the journal of real ones.
    let journal = crate::settings::journal_of_sandbox(&std::path::absolute(&state)?);
    environment.insert("CFSSO_JOURNAL", journal.display().to_string());
    context.screen.report(&Serving(environment))?;
    let kept = scenario.map_or_else(|| state.display().to_string(), |_| "in memory".to_owned());
    context.screen.note(format!("state: {kept} (Ctrl-C to stop)"));
    if let Some(scenario) = scenario {
        let text =
            format!("{} cannot sign in: `cfsso diagnose {}`", scenario.user(), scenario.user());
        context.screen.note(Text::prose(text));
    }
    std::future::pending::<()>().await;
    Ok(Outcome::silent())
}

impl Scenarios {
    pub fn all() -> Self {
        let all = Scenario::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let about = |it: &PossibleValue| it.get_help().map(ToString::to_string).unwrap_or_default();
        Self(all.map(|it| (it.get_name().to_owned(), about(&it))).collect())
    }
}

impl Render for Scenarios {
    fn show(&self, page: &mut Page) {
        let rows = self.0.iter().map(|(name, about)| vec![Text::strong(name), Text::plain(about)]);
        page.table(&["SCENARIO", "WHAT HAPPENED"], &rows.collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }
}

impl Render for Serving {
    fn show(&self, page: &mut Page) {
        for (name, value) in &self.0 {
            page.literal(&format!("export {name}={value}"));
        }
        // It takes precedence over the base URL of this simulator.
        page.literal("unset CFSSO_SANDBOX");
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect()
    }
}
