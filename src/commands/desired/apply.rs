//! `cfsso apply`: applies a desired-state file or a saved plan.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::Outcome;
use super::super::connector::trial::TrialArgs;
use super::super::idp::secret::{Raw, Source};
use super::super::plan_output;
use super::super::preflight::{CheckArgs, show_checks};
use super::super::setup::mark;
use super::decisions::{OptionDecisions, ensure_sign_in_kept};
use super::file;
use super::plan::{self, show_changes};

use crate::api::document::Document;
use crate::context::{Context, UndoHint};
use crate::flow::check::{Check, CheckId, CheckState};
use crate::flow::desired::apply::{self, ApplyReport, Event, Options};
use crate::flow::desired::change::{PlannedChange, Task};
use crate::flow::desired::dry_run::{self, DryRun};
use crate::flow::desired::facts::Facts;
use crate::flow::desired::plan::{ensure_bypasses_kept, idp_body};
use crate::flow::desired::{Desired, SecretPlace, parse};
use crate::flow::plan::Plan;
use crate::flow::publish::{RecordFormat, TxtRecord};
use crate::flow::steps::StepState;
use crate::flow::{Env, Error, FlowError, FlowErrorKind};
use crate::output::{Page, Render, Text};
use crate::plural::count_noun;

/// Arguments of `apply`.
#[derive(clap::Args, Debug)]
#[command(
    override_usage = "cfsso apply -f <FILE> [OPTIONS]\n       cfsso apply <PLAN> [OPTIONS]",
    after_help = "Examples:
  cfsso apply -f sso.yaml
  cfsso apply -f sso.yaml --confirm 12 -o json
  cfsso plan -f sso.yaml --out sso.plan && cfsso apply sso.plan --yes

Running it again resumes. --confirm takes the number of changes. With --trial,
domains are enabled one after the other."
)]
pub struct Args {
    /// Plan file written by `cfsso plan --out`
    #[arg(required_unless_present = "file", conflicts_with_all = ["file", "prune"])]
    plan: Option<PathBuf>,

    /// File with the desired state (YAML, JSON or TOML), `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,

    /// Delete objects that a section of the file does not list
    #[arg(long)]
    prune: bool,

    #[command(flatten)]
    guard: CheckArgs,

    #[command(flatten)]
    trial: TrialArgs,

    #[command(flatten)]
    raw: Raw,
}

struct Input {
    desired: Desired,
    prune: bool,
    kept: Option<Kept>,
    next: String,
}

struct Kept {
    account: String,
    fingerprint: String,
    changes: Value,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let source = read(&args, context).await?;
    context.record_resume_command(source.next.clone());
    let env = context.env().await?;
    let (facts, changes) = plan::compute(&env, &source.desired, source.prune, context).await?;
    if let Some(kept) = &source.kept {
        ensure_unchanged(kept, &env, &facts, &changes.changes)?;
    }
    let changes = changes.changes;
    ensure_bypasses_kept(&facts, &changes, args.trial.is_wanted())?;
    let dry_run = context.settings.options.dry_run;
    if changes.is_empty() && !dry_run {
        return Ok(Outcome::done(ApplyReport::without_changes()));
    }
    let bodies = bodies(&source.desired, &changes, args.raw, context).await?;
    let trial = args.trial.options(context);
    let mut enable = args.guard.enable_options(context).await?;
    enable.asking.audit_log = trial.is_some();
    ensure_sign_in_kept(&facts, &source.desired, &changes, &enable.accepted, context).await?;
    if !dry_run {
        confirm(&plan::display_account(&env, &facts, context), &changes, context).await?;
    }
    if context.asks() && !dry_run {
        let now = plan::read_facts(&env, &source.desired, source.prune).await?;
        ensure_same(&facts, &now)?;
    }
    let options = Options {
        desired: source.desired,
        bodies,
        enable: Rc::new(enable),
        deadline: wait_deadline(context),
        next: source.next,
    };
    let accepts_broken_idp = options.enable.accepted.contains(&CheckId::IdpHealthy);
    let decisions = OptionDecisions { env: &env, context, trial, accepts_broken_idp };
    if dry_run {
        let DryRun { changes, notes, refusal } =
            Box::pin(dry_run::run(&env, &options, (facts, &changes), &decisions)).await?;
        for note in notes {
            context.screen.warn(Text::prose(format!("not listed: {note}")));
        }
        let plan = Plan::new(Vec::new(), changes);
        let outcome = plan_output::finish_dry_run(context, plan, "applying it")?
            .unwrap_or_else(Outcome::silent);
        return Ok(match refusal {
            Some(error) => outcome.failed(Some(error.into())),
            None => outcome,
        });
    }
    let shown = RefCell::default();
    let on_event = |event: &Event<'_>| show(event, &shown, context);
    let (report, end) =
        Box::pin(apply::run(&env, &options, (facts, &changes), &on_event, &decisions)).await;
    context.screen.end_progress();
    let end = end.map_err(|error| with_undo(error, context));
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

/// What waits for DNS or a person is not half done, but something was written.
fn with_undo(error: Error, context: &Context) -> Error {
    match (error, context.undo_hint()) {
        (Error::Flow(error), Some(UndoHint { run, command: Some(undo) }))
            if error.kind == FlowErrorKind::NotYet =>
        {
            let hint = error.hint.clone().unwrap_or_default();
            error
                .cause(format!("journal run: {run}"))
                .hint(format!("{hint}\nundo: `{undo}`"))
                .into()
        }
        (error, _) => error,
    }
}

/// A tenth of `--timeout` is reserved for enabling what is verified.
fn wait_deadline(context: &Context) -> Timestamp {
    let reserve = context.settings.options.timeout.unwrap_or_default() / 10;
    context.wait_deadline().saturating_sub(reserve).unwrap_or(Timestamp::MIN)
}

async fn read(args: &Args, context: &Context) -> anyhow::Result<Input> {
    if let Some(file) = &args.file {
        return Ok(Input {
            desired: file::read(context, file).await?,
            prune: args.prune,
            kept: None,
            next: resume_command(context.journal().command(), None),
        });
    }
    let path = args.plan.as_deref().expect("clap requires one of them");
    let kept = file::read_object(context, path).await?;
    let text = |name: &str| kept.get(name).and_then(Value::as_str).map(str::to_owned);
    let is_plan = text("schema").as_deref() == Some(file::SCHEMA);
    let (Some(account), Some(fingerprint), Some(Value::Object(desired)), true) =
        (text("account"), text("fingerprint"), kept.get("desired"), is_plan)
    else {
        let message = format!("`{}` is not a kept plan", path.display());
        return Err(FlowError::usage(message)
            .hint("`cfsso apply -f FILE` for a file with the desired state")
            .into());
    };
    let prune = kept.get("prune") == Some(&Value::Bool(true));
    let changes = kept.get("changes").cloned().unwrap_or_default();
    Ok(Input {
        desired: parse::parse(desired).map_err(|problems| file::invalid(path, problems))?,
        prune,
        kept: Some(Kept { account, fingerprint, changes }),
        next: {
            // Used only if the account changed, so that the plan itself is refused.
            let file = text("file").unwrap_or_default();
            let replaced = (path, plan::apply_command(Path::new(&file), prune));
            resume_command(context.journal().command(), Some(replaced))
        },
    })
}

/// Refuses a plan of another account, of a changed account, or with edited changes.
fn ensure_unchanged(
    kept: &Kept,
    env: &Env<'_>,
    facts: &Facts,
    changes: &[PlannedChange],
) -> Result<(), FlowError> {
    if kept.account != env.account.as_str() {
        let message = format!("the plan is of the account {}", kept.account);
        return Err(FlowError::conflict(message).cause(format!("this one is {}", env.account)));
    }
    let message = if kept.fingerprint != facts.fingerprint() {
        "the account changed since the plan was made; nothing was sent"
    } else if serde_json::to_value(changes).is_ok_and(|changes| changes != kept.changes) {
        "the plan was edited: its changes are not those of its desired state; nothing was sent"
    } else {
        return Ok(());
    };
    Err(FlowError::conflict(message).hint("`cfsso plan -f FILE --out PLAN` makes a new one"))
}

fn ensure_same(shown: &Facts, now: &Facts) -> Result<(), FlowError> {
    if shown.fingerprint() == now.fingerprint() {
        return Ok(());
    }
    let message = "the account changed while the question was open; nothing was sent";
    Err(FlowError::conflict(message)
        .hint("run the same command again: it shows what is left to change"))
}

/// The bodies of identity providers to create, including their secrets.
async fn bodies(
    desired: &Desired,
    changes: &[PlannedChange],
    raw: Raw,
    context: &Context,
) -> anyhow::Result<BTreeMap<usize, Document>> {
    let mut bodies = BTreeMap::new();
    for change in changes {
        let Task::CreateIdp(at) = change.task else { continue };
        let entry = &desired.idps()[at];
        let mut secrets = Map::new();
        for (field, place) in entry.secrets() {
            let source = match place {
                SecretPlace::Variable(name) => Source::Variable(name),
                SecretPlace::File(file) => Source::File(file),
            };
            secrets.insert(field.to_owned(), source.read(context, raw).await?.into());
        }
        bodies.insert(at, idp_body(entry, &secrets)?);
    }
    Ok(bodies)
}

/// The command that resumes `line`: no `--confirm`, and the desired-state file for a saved plan.
fn resume_command(line: &str, kept: Option<(&Path, String)>) -> String {
    let mut words = shell_words::split(line).unwrap_or_default();
    if let Some(at) = words.iter().position(|word| word == "--confirm") {
        words.drain(at..words.len().min(at + 2));
    }
    words.retain(|word| !word.starts_with("--confirm="));
    let Some((plan, command)) = kept else { return shell_words::join(&words) };
    let is_plan = |word: &&String| Path::new(word.as_str()) == plan;
    let options = words.iter().skip(1).filter(|word| *word != "apply" && !is_plan(word));
    let options = shell_words::join(options);
    if options.is_empty() { command } else { format!("{command} {options}") }
}

async fn confirm(account: &str, changes: &[PlannedChange], context: &Context) -> Result<(), Error> {
    let count = changes.len();
    if context.asks() {
        context.screen.end_progress();
        context.screen.show(&|page| show_changes(account, changes, page));
    }
    context.confirm(&count.to_string(), &format!("make {}", count_noun(count, "change"))).await
}

/// A warning that several domains share is shown once.
fn show(event: &Event<'_>, shown: &RefCell<BTreeSet<CheckId>>, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Started { title } => screen.start_progress(*title),
        Event::Change(result) => {
            screen.end_progress();
            if result.state == StepState::Done {
                context.record_step(result.group.title());
            }
            let detail = if result.state == StepState::Done {
                result.detail.clone()
            } else {
                format!("{}: {}", result.title, result.detail)
            };
            screen.step(mark(result.state), &result.subject, Text::prose(detail));
        }
        Event::Publish { records, reasons } => {
            screen.end_progress();
            screen.show(&|page| paste(records, reasons, page));
            if screen.format().is_structured() {
                for TxtRecord { name, value, .. } in *records {
                    screen.note(format!("publish by hand: {name} TXT {value}"));
                }
            }
        }
        Event::Waiting { verified, total, .. } => {
            screen.start_wait(format!("verified: {verified} of {total}"));
        }
        Event::Checks { domain, checks } => {
            screen.end_progress();
            let is_new = |check: &&Check| {
                let is_shown = check.state != CheckState::Passed || screen.page().is_verbose();
                is_shown && (check.blocks() || shown.borrow_mut().insert(check.id))
            };
            let new: Vec<_> = checks.iter().filter(is_new).cloned().collect();
            if !new.is_empty() {
                screen.show(&|page| {
                    page.line(Text::strong(format!("Preflight of {domain}")));
                    show_checks(&new, " ", page);
                });
            }
        }
    }
}

fn paste(records: &[TxtRecord], reasons: &[String], page: &mut Page) {
    page.blank();
    page.line(Text::strong(format!(
        "Publish by hand: {}",
        count_noun(records.len(), "TXT record")
    )));
    for (record, reason) in records.iter().zip(reasons) {
        page.line(Text::plain(format!("  {}: ", record.name)) + Text::prose(reason));
    }
    for (label, format) in [
        ("zone file", RecordFormat::Bind),
        ("Terraform", RecordFormat::Terraform),
        ("Route 53", RecordFormat::Route53),
    ] {
        page.blank();
        page.line(Text::dim(format!("  {label}")));
        for record in records {
            page.literal(&record.in_format(format));
        }
    }
    page.blank();
    page.paragraph("Ctrl-C is safe: the same command resumes.");
    page.blank();
}

impl Render for ApplyReport {
    fn show(&self, page: &mut Page) {
        if self.changes.is_empty() {
            page.line("No changes: the account is as desired.");
            return;
        }
        page.blank();
        if !self.domains.is_empty() {
            let rows: Vec<_> = self.domains.iter().map(row).collect();
            page.table(&["DOMAIN", "VERIFICATION", "SSO", "RESULT"], &rows);
            page.blank();
        }
        let done = self.changes.iter().filter(|it| it.state == StepState::Done).count();
        let all = count_noun(self.changes.len(), "change");
        page.line(Text::strong(format!("{done} of {all} made.")));
    }

    fn names(&self) -> Vec<String> {
        self.domains.iter().map(|domain| domain.domain.clone()).collect()
    }
}

fn row(domain: &apply::DomainResult) -> Vec<Text> {
    let sso = match domain.enabled {
        Some(true) => "enabled",
        Some(false) => "disabled",
        None => "unknown",
    };
    let result = if domain.state == StepState::Done { "done" } else { &domain.detail };
    vec![
        Text::strong(&domain.domain),
        Text::plain(domain.verification.as_deref().unwrap_or("none")),
        Text::plain(sso),
        Text::prose(result),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_resumes_is_the_same_command_without_the_number_that_was_confirmed() {
        let plan = (Path::new("my plan"), "cfsso apply -f sso.yaml --prune".to_owned());
        for (line, kept, expected) in [
            ("cfsso apply -f a --yes", None, "cfsso apply -f a --yes"),
            ("cfsso apply -f a --confirm 3 --trial 8s", None, "cfsso apply -f a --trial 8s"),
            ("cfsso apply --confirm=3 -f 'a b'", None, "cfsso apply -f 'a b'"),
            ("cfsso apply -f a --confirm", None, "cfsso apply -f a"),
            ("cfsso apply 'my plan'", Some(plan.clone()), "cfsso apply -f sso.yaml --prune"),
            (
                "cfsso --sandbox apply 'my plan'",
                Some(plan.clone()),
                "cfsso apply -f sso.yaml --prune --sandbox",
            ),
            (
                "cfsso apply 'my plan' --timeout 5m",
                Some(plan),
                "cfsso apply -f sso.yaml --prune --timeout 5m",
            ),
        ] {
            assert_eq!(resume_command(line, kept), expected, "{line}");
        }
    }
}
