//! `cfsso drill`: rehearses set-up, lockout and recovery with the real commands.

mod account;
pub mod practice;
pub mod report;
mod scenario;
mod simulator;

use std::time::Duration;

use jiff::Timestamp;

use self::report::{Event, Report, State, Step, Target};
use self::scenario::{ACTS, DrillStep, Phase};
use self::simulator::Simulator;
use super::Outcome;
use crate::context::Context;
use crate::error_report;
use crate::flow::FlowError;
use crate::output::{Format, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "A drill uses its own simulator, which is deleted afterwards. On a
terminal, press Enter for the next phase. `--timeout` limits a scenario; without a
terminal, the default is 30m.

Examples:
  cfsso drill
  cfsso drill --unattended -o json | jq '.steps[] | {command, duration_ms, requests}'
  cfsso drill --unattended --fault 500x*@PUT --max-retries 0
  cfsso drill --scenario
  cfsso drill --against-profile --profile work")]
pub struct Args {
    /// Do not pause between the phases
    #[arg(long)]
    unattended: bool,

    /// Read your account instead and preview recovery
    #[arg(long)]
    pub against_profile: bool,

    /// Find and repair a broken sign-in [default: a random, hidden one]
    #[arg(long, value_name = "NAME", num_args = 0..=1, default_missing_value = practice::HIDDEN,
        conflicts_with_all = ["against_profile", "unattended"])]
    scenario: Option<practice::Choice>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.against_profile {
        return Box::pin(account::read(context)).await;
    }
    if let Some(choice) = args.scenario {
        return Box::pin(practice::run(choice, context)).await;
    }
    let stage = Simulator::build(context).await?;
    let mut report = Report::new(Target::Simulator, stage.account().to_string());
    // Pause only if a user reads the output.
    let pauses = context.screen.can_ask()
        && context.screen.format() == Format::Table
        && !args.unattended
        && !context.settings.options.yes;
    let end = perform(&stage, context, pauses, &mut report).await;
    report.finish(end.is_ok());
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

async fn perform(
    stage: &Simulator,
    context: &Context,
    pauses: bool,
    report: &mut Report,
) -> Result<(), FlowError> {
    let mut before = None;
    for (index, act) in ACTS.iter().enumerate() {
        if pauses && index > 0 {
            pause(context, index).await?;
        }
        begin(context, index, act);
        for scene in act.scenes {
            context.screen.start_progress(scene.line.to_string());
            let step = play(stage, context, act, scene, &mut before).await;
            context.screen.end_progress();
            show_step(context, &step);
            let failed = (step.state == State::Failed).then(|| step_error(&step));
            report.steps.push(step);
            failed.map_or(Ok(()), Err)?;
        }
    }
    Ok(())
}

/// Only the command is timed, and only its requests are counted.
async fn play(
    stage: &Simulator,
    context: &Context,
    act: &Phase,
    scene: &DrillStep,
    before: &mut Option<String>,
) -> Step {
    stage.outage(scene.outage);
    let from = Counters::here(stage, context);
    let played = stage.run_step(scene).await;
    let (time, requests, writes) = from.passed(stage, context);
    let outcome = match played {
        Ok(()) => stage.observe(scene, before).await,
        Err(error) => Err(error),
    };
    let mut step = Step {
        phase: Some(act.title),
        command: scene.line.to_string(),
        state: State::Done,
        observed: String::new(),
        duration_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
        requests,
        writes,
        exit_code: None,
        result: None,
    };
    match outcome {
        Ok(observed) => step.observed = observed,
        Err(error) => step.fail(error_report::to_failure(&error)),
    }
    step
}

struct Counters {
    time: Timestamp,
    requests: u64,
    writes: u64,
}

impl Counters {
    fn here(stage: &Simulator, context: &Context) -> Self {
        let (requests, writes) = stage.request_counts();
        Self { time: context.clock.now(), requests, writes }
    }

    fn passed(&self, stage: &Simulator, context: &Context) -> (Duration, u64, u64) {
        let now = Self::here(stage, context);
        let time = self.time.duration_until(now.time).unsigned_abs();
        (time, now.requests - self.requests, now.writes - self.writes)
    }
}

fn begin(context: &Context, index: usize, act: &Phase) {
    context.screen.event(&Event::Act { act: act.title });
    context.screen.show(&|page| {
        if index > 0 {
            page.blank();
        }
        page.paragraph(Text::strong(format!("{}. {}", index + 1, act.title)));
        page.paragraph(Text::dim(act.about));
    });
}

async fn pause(context: &Context, played: usize) -> Result<(), FlowError> {
    let question = Text::plain("Press ") + Text::strong("Enter") + " for the next phase:";
    if let Ok(Some(_)) = context.screen.ask(question).await {
        return Ok(());
    }
    let message = format!("the drill was stopped after phase {played} of {}", ACTS.len());
    Err(FlowError::declined(message).hint("`cfsso drill --unattended`"))
}

fn show_step(context: &Context, step: &Step) {
    context.screen.event(&Event::Step(step));
    context.screen.show(&|page| step.show(page));
}

fn step_error(step: &Step) -> FlowError {
    let message = format!("the drill failed at `{}`", step.command);
    FlowError::not_confirmed(message)
        .cause(step.observed.clone())
        .hint("only the simulator of the drill was used; `cfsso drill --debug` shows its requests")
}
