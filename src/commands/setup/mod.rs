//! `cfsso setup`: a checklist that a second run resumes.

mod credentials;
mod domain;
mod facts;
mod guided;
mod repair;

use std::path::PathBuf;
use std::rc::Rc;

use super::connector::enable::note_sign_in;
use super::connector::trial::{self, TrialArgs};
use super::preflight::{CheckArgs, show_checks};
use super::{Outcome, plan_output};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::connector;
use crate::flow::dns_provider::DnsProvider;
use crate::flow::publish::{RecordFormat, TxtRecord};
use crate::flow::setup::{self, Event, Options, Report, StepId};
use crate::flow::steps::StepState;
use crate::flow::trial::Subject;
use crate::flow::{Env, Error, FlowError};
use crate::interview;
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso setup
  cfsso setup cool.cats --publish-txt --enable --trial
  cfsso setup cool.cats --publish-txt --enable --confirm cool.cats -o ndjson")]
pub struct Args {
    /// Email domain of the users (asks on a terminal)
    domain: Option<EmailDomain>,

    /// Read the answers from a file (YAML), `-` for stdin
    #[arg(long, value_name = "FILE", conflicts_with_all = ["publish_txt", "enable"])]
    answers: Option<PathBuf>,

    /// Create the TXT record (if the zone is in this account)
    #[arg(long)]
    publish_txt: bool,

    /// Delete outdated verification codes that cfsso published
    #[arg(long, requires = "publish_txt")]
    replace_stale_txt: bool,

    /// Enable SSO at the end
    #[arg(long)]
    enable: bool,

    /// Do not wait for DNS or verification
    #[arg(long)]
    no_wait: bool,

    /// Ring the terminal bell when a wait is over
    #[arg(long)]
    bell: bool,

    /// Use the FedRAMP language on the sign-in page
    #[arg(long)]
    fedramp: bool,

    #[command(flatten)]
    guard: CheckArgs,

    #[command(flatten)]
    trial: TrialArgs,

    /// Skip the eligibility check
    #[arg(long)]
    force: bool,
}

/// The text after "to" in the confirmation.
const ENABLING: &str = "enable SSO";

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let is_bare = !args.publish_txt
        && !args.enable
        && !args.no_wait
        && !args.force
        && !args.trial.is_wanted()
        && args.guard.is_default();
    let dry_run = context.settings.options.dry_run;
    if args.answers.is_some() || (is_bare && context.asks() && !dry_run) {
        return guided::run(args, context).await;
    }
    let domain = match &args.domain {
        Some(domain) => domain.clone(),
        None => ask_domain(context, "`cfsso setup <DOMAIN>`").await?,
    };
    if !args.force {
        connector::ensure_eligible(&domain)?;
    }
    args.trial.ensure_within_timeout(context)?;
    if args.trial.is_wanted() && !args.enable {
        let message = "`--trial` needs `--enable`";
        return Err(FlowError::usage(message)
            .hint(format!("`cfsso setup {domain} --enable --trial`"))
            .into());
    }
    let bell = args.bell;
    let trial = args.trial;
    let options = options(domain, args, context).await?;
    let env = context.env().await?;
    if dry_run {
        let plan = setup::dry_run(&env, &options).await?;
        trial.note_dry_run(context);
        let what = format!("enabling `{}`", options.domain);
        return Ok(
            plan_output::finish_dry_run(context, plan, &what)?.unwrap_or_else(Outcome::silent)
        );
    }
    if options.enable.is_some()
        && let Err(error) = context.can_confirm(options.domain.as_str(), ENABLING)
        && !is_enabled(&env, &options.domain).await?
    {
        // Fail now rather than after a long wait.
        return Err(error.into());
    }
    let before_enabling = async || Ok(());
    let on_event = |event: &Event<'_>| show(event, bell, context);
    let (report, end) = Box::pin(steps(&env, &options, &on_event, before_enabling, context)).await;
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

/// `before_enabling` is called after the checks passed and before the confirmation.
async fn steps(
    env: &Env<'_>,
    options: &Options,
    on_event: &dyn Fn(&Event<'_>),
    before_enabling: impl AsyncFnOnce() -> Result<(), Error>,
    context: &Context,
) -> (Report, Result<(), Error>) {
    let on_trial = options.enable.as_ref().and_then(|enable| enable.trial);
    let approve = async |subject: &Subject| {
        if let Some(options) = &on_trial {
            trial::check_logs(subject, options, context)?;
        }
        before_enabling().await?;
        context.confirm(subject.domain.as_str(), ENABLING).await?;
        let Some(options) = on_trial else { return Ok(None) };
        context.screen.end_progress();
        trial::enable(env, subject, options, context).await.map(Some)
    };
    let (mut report, end) = Box::pin(setup::run(env, options, on_event, approve)).await;
    context.screen.end_progress();
    let invocation = context.screen.invocation();
    report.next = report.next.map(|command| invocation.with_global_flags(&command));
    let mut steps = report.steps.iter();
    let is_enabled = steps.any(|it| it.id == StepId::Enable && it.state == StepState::Done);
    if is_enabled && report.trial.is_none() {
        note_sign_in(context);
    }
    (report, end)
}

pub async fn ask_domain(context: &Context, usage: &str) -> anyhow::Result<EmailDomain> {
    interview::ask_missing(context, &domain::domain_question(), usage, domain::read_domain).await
}

async fn is_enabled(env: &Env<'_>, domain: &EmailDomain) -> anyhow::Result<bool> {
    let connectors = connector::list(env).await?;
    let existing = connector::select_by_domain(&connectors, domain)?;
    Ok(existing.is_some_and(|connector| connector.is_enabled()))
}

async fn options(domain: EmailDomain, args: Args, context: &Context) -> anyhow::Result<Options> {
    let enable = if args.enable {
        let mut options = args.guard.enable_options(context).await?;
        options.trial = args.trial.options(context);
        options.asking.audit_log = options.trial.is_some();
        Some(Rc::new(options))
    } else {
        None
    };
    Ok(Options {
        domain,
        publish_txt: args.publish_txt,
        replace_stale_txt: args.replace_stale_txt,
        enable,
        wait: !args.no_wait,
        fedramp: args.fedramp.then_some(true),
        deadline: context.wait_deadline(),
        connectors: None,
        facts: Rc::default(),
    })
}

/// `bell`: ring when a wait is over.
pub fn show(event: &Event<'_>, bell: bool, context: &Context) {
    let screen = &context.screen;
    screen.event(event);
    match event {
        Event::Step(step) => {
            let waits = matches!(step.id, StepId::TxtVisible | StepId::Verify);
            if bell && waits && matches!(step.state, StepState::Done | StepState::Failed) {
                screen.ring();
            }
            show_step(step.state, title(step.id), &step.detail, context);
        }
        Event::Publish { record, dns_provider, .. } => screen.show(&|page| {
            paste(record, *dns_provider, page);
            page.paragraph("Ctrl-C is safe: the same command resumes.");
            page.blank();
        }),
        Event::Waiting { text, .. } => screen.start_wait(*text),
        Event::Warning { text } => screen.warn(*text),
        Event::Checks { checks } => {
            screen.end_progress();
            screen.show(&|page| show_checks(checks, " ", page));
        }
    }
}

pub fn show_step(state: StepState, title: &'static str, detail: &str, context: &Context) {
    let screen = &context.screen;
    if state == StepState::Running {
        return screen.start_progress(title);
    }
    screen.end_progress();
    if state == StepState::Done {
        context.record_step(title);
    }
    // The error itself is printed once, at the end.
    let detail = if state == StepState::Failed { "failed" } else { detail };
    screen.step(mark(state), title, Text::prose(detail));
}

pub fn paste(record: &TxtRecord, provider: Option<&DnsProvider>, page: &mut Page) {
    page.blank();
    page.line(Text::strong("Publish this TXT record:"));
    page.blank();
    page.fields(&[
        ("  type", Text::plain(record.kind)),
        ("  name", Text::plain(&record.name) + Text::dim("  (or @, if the zone has this name)")),
        ("  value", Text::strong(&record.value)),
    ]);
    page.blank();
    let (place, text) = match provider {
        Some(provider) => (provider.name, provider.instruction(record)),
        None => ("zone file", record.in_format(RecordFormat::Bind)),
    };
    page.line(Text::dim(format!("  {place}")));
    page.literal(&text);
    page.blank();
    let name = &record.name;
    page.paragraph(Text::prose(format!(
        "For another tool: `cfsso connector get {name} --format bind|terraform|route53|gcloud`"
    )));
}

pub fn title(id: StepId) -> &'static str {
    match id {
        StepId::Create => "Connector",
        StepId::PublishTxt => "TXT record",
        StepId::TxtVisible => "TXT visibility",
        StepId::Verify => "Verification",
        StepId::Preflight => "Preflight",
        StepId::Enable => "SSO",
    }
}

pub fn mark(state: StepState) -> Status {
    match state {
        StepState::Skipped => Status::Skipped,
        StepState::Done => Status::Done,
        StepState::Pending => Status::Pending,
        StepState::Running => Status::Running,
        StepState::Blocked => Status::Blocked,
        StepState::Failed => Status::Failed,
    }
}

impl Render for Report {
    /// The steps were shown while they ran; only the summary is left.
    fn show(&self, page: &mut Page) {
        if !self.ok {
            return;
        }
        page.blank();
        let is_enabled = self.result.as_ref().is_some_and(|connector| connector.is_enabled());
        let was_so = self.steps.iter().all(|step| step.state == StepState::Skipped);
        let text = match (is_enabled, was_so) {
            (true, true) => format!("Nothing to do: SSO is enforced for {}.", self.domain),
            (true, false) => format!("SSO is enforced for {}.", self.domain),
            (false, _) => {
                format!("{} is verified; SSO is not enabled yet.", self.domain)
            }
        };
        page.paragraph(Text::strong(text));
        if let Some(next) = &self.next {
            page.line(Text::plain("Next: ") + Text::prose(format!("`{next}`")));
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.domain.clone()]
    }
}
