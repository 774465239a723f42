use std::rc::Rc;

use super::super::preflight::{CheckArgs, show_checks};
use super::super::{Outcome, plan_output};
use super::rename_output as view;
use crate::api::connector::Connector;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::check::Check;
use crate::flow::plan::Plan;
use crate::flow::rename::{
    self, Event, Mode, NameAvailability, Options, RenamePlan, Report, StepId, TeamName,
};
use crate::flow::{Env, Error, FlowError, preflight};
use crate::interview::{self, Question};
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso team rename cooler-cats --dry-run
  cfsso team rename cooler-cats --publish-txt --idps-updated --confirm cooler-cats
  cfsso team rename cooler-cats --resume
  cfsso team rename cooler-cats --resume --domains cool.cats,dogs.example

SSO is off once the connectors are disabled. If an identity provider allows two
redirect URIs, enter the new one in advance and pass `--idps-updated`. Without
a journal, all `--domains` are enabled, also one that was off: leave it out.")]
pub struct Args {
    /// New team name (the label before `.cloudflareaccess.com`)
    #[arg(value_name = "NEW-NAME")]
    name: Option<String>,

    /// Resume the rename, optionally with another name
    #[arg(long, conflicts_with = "rollback")]
    resume: bool,

    /// Undo the rename, including the name
    #[arg(long)]
    rollback: bool,

    /// Domains to restore and enable (without a journal)
    #[arg(long, value_name = "DOMAIN", value_delimiter = ',')]
    domains: Vec<EmailDomain>,

    /// Also rename the organization
    #[arg(long)]
    also_name: bool,

    /// Create the TXT records (if the zones are in this account)
    #[arg(long)]
    publish_txt: bool,

    /// Delete outdated verification codes that cfsso published
    #[arg(long, requires = "publish_txt")]
    replace_stale_txt: bool,

    /// The identity providers already have the new URLs
    #[arg(long)]
    idps_updated: bool,

    /// Do not enable SSO at the end
    #[arg(long)]
    no_enable: bool,

    #[command(flatten)]
    guard: CheckArgs,
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if args.name.is_none() && !args.resume && !args.rollback {
        let help = "The label before `.cloudflareaccess.com`. Users of every application see it; \
                    SSO is off while the team is renamed";
        let question = Question::text("name", "New team name", help);
        let read = |name: &str| match name.parse::<TeamName>() {
            Ok(_) => Ok(name.to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let usage = "`cfsso team rename <NEW-NAME>`";
        args.name = Some(interview::ask_missing(context, &question, usage, read).await?);
    }
    let ask = mode(&args)?;
    let options = options(args, context).await?;
    let env = context.env().await?;
    rename::check_origin(&env, &ask)?;
    let found = rename::read_state(&env).await?;
    let task = rename::plan_rename(env.account, &ask, found, &options)?;
    let mut plan = Plan::new(checks(&env, context, &task, &options).await?, Vec::new());
    if task.is_unchanged() {
        return finish_unchanged(context, &task, plan);
    }
    let outlook = rename::preview(&task, &options);
    context.screen.event(&Event::Plan { outlook: &outlook, checks: &plan.checks });
    context.screen.show(&|page| {
        view::render_preview(&outlook, page);
        page.blank();
    });
    let what = format!("renaming the team to {}", task.word());
    if context.settings.options.dry_run {
        let (checks, changes) = Box::pin(rename::dry_run(&env, &options, &task)).await?;
        let is_new = |check: &Check| {
            plan.checks.iter().all(|one| (one.id, &one.detail) != (check.id, &check.detail))
        };
        let new: Vec<_> = checks.into_iter().filter(is_new).collect();
        plan = Plan::new([plan.checks, new].concat(), changes);
        return Ok(
            plan_output::finish_dry_run(context, plan, &what)?.unwrap_or_else(Outcome::silent)
        );
    }
    context.screen.show(&|page| {
        show_checks(&plan.checks, "", page);
        page.blank();
    });
    plan.ensure_allowed(&what)?;
    ensure_can_prompt(&task, &options, context)?;
    context.confirm(&task.word(), &confirm_prompt(&task)).await?;
    context.set_interrupted_note(task.is_sso_off().then_some(view::SSO_OFF_NOTE));
    let on_event = |event: &Event<'_>| {
        // Before, nothing has been changed.
        let is_change = matches!(event, Event::Step(step) if step.id > StepId::WriteAccess);
        if is_change || task.is_sso_off() {
            context.record_undo_hint(task.undo_command());
        }
        view::show(event, context);
    };
    let updated = async || wait_for_confirmation(context).await;
    let (report, end) = rename::run(&env, &options, &task, &on_event, updated).await;
    context.screen.end_progress();
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

fn finish_unchanged(context: &Context, task: &RenamePlan, plan: Plan) -> anyhow::Result<Outcome> {
    let what = format!("renaming the team to {}", task.word());
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, &what)? {
        return Ok(outcome);
    }
    context.screen.note(format!("no change: the team name is already {}", task.word()));
    let is_off = |connector: &&Connector| connector.enabled == Some(false);
    for connector in task.connectors.iter().filter(is_off) {
        context.screen.note(format!("SSO is not enabled for {}", connector.email_domain));
    }
    Ok(Outcome::done(Report::unchanged(task)))
}

fn mode(args: &Args) -> Result<Mode, FlowError> {
    let name = match &args.name {
        Some(text) => Some(text.parse::<TeamName>().map_err(|error| invalid(&error))?),
        None => None,
    };
    Ok(match (args.resume, args.rollback, name) {
        (_, true, name) => Mode::Rollback(name),
        (false, false, Some(name)) => Mode::Rename(name),
        (_, false, name) => Mode::Resume(name),
    })
}

fn invalid(error: &rename::InvalidName) -> FlowError {
    let failure = FlowError::usage(error.to_string());
    match error {
        rename::InvalidName::Whole { name, .. } => {
            failure.hint(format!("`cfsso team rename {name}`"))
        }
        rename::InvalidName::Label { .. } => failure.hint(
            "use the letters a to z, digits and hyphens, such as `cfsso team rename cooler-cats`",
        ),
    }
}

async fn options(args: Args, context: &Context) -> anyhow::Result<Options> {
    Ok(Options {
        also_name: args.also_name,
        publish_txt: args.publish_txt,
        replace_stale_txt: args.replace_stale_txt,
        no_enable: args.no_enable,
        idps_updated: args.idps_updated,
        domains: args.domains,
        enabling: Rc::new(args.guard.enable_options(context).await?),
        deadline: context.deadline(),
    })
}

async fn checks(
    env: &Env<'_>,
    context: &Context,
    task: &RenamePlan,
    options: &Options,
) -> anyhow::Result<Vec<Check>> {
    let keys = context.team_keys(&task.goal).await?;
    let fetcher = options.enabling.asking.fetcher.as_ref();
    let free = async {
        if task.needs_rename() {
            rename::probe(fetcher, &keys).await
        } else {
            NameAvailability::NoTeamFound
        }
    };
    let (facts, free, places) = tokio::join!(
        Box::pin(preflight::gather(env, &options.enabling.asking)),
        free,
        rename::places(env, &task.snapshot.connectors)
    );
    Ok(rename::checks(task, options, &facts, &free, &places?))
}

fn confirm_prompt(task: &RenamePlan) -> String {
    if task.is_back {
        "undo the rename".to_owned()
    } else if task.needs_rename() {
        "rename the team (SSO is off until it is complete)".to_owned()
    } else {
        "resume the rename".to_owned()
    }
}

fn ensure_can_prompt(
    task: &RenamePlan,
    options: &Options,
    context: &Context,
) -> Result<(), FlowError> {
    if task.idps.is_empty() || options.idps_updated || context.screen.can_ask() {
        return Ok(());
    }
    let message =
        "confirmation required that the identity providers have the new URLs (no terminal)";
    Err(FlowError::declined(message)
        .cause("nothing was changed")
        .hint("enter the new values in advance if two are possible, and pass `--idps-updated`"))
}

async fn wait_for_confirmation(context: &Context) -> Result<(), Error> {
    loop {
        let question = Text::plain("Type ") + Text::strong("done") + " after changing them:";
        let answer = context.screen.ask(question).await.ok().flatten();
        match answer.as_deref().map(str::trim) {
            Some("done") => return Ok(()),
            Some(_) => {}
            None => {
                let message = "not confirmed: the identity providers have the new URLs";
                return Err(FlowError::declined(message).into());
            }
        }
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        // Without a step, nothing had to be done, and a note says so.
        if !self.ok || self.steps.is_empty() {
            return;
        }
        page.blank();
        let off = match (self.sso_off_seconds, &self.next) {
            (_, Some(_)) => " SSO stays off, as requested.".to_owned(),
            (Some(seconds), None) => format!(" SSO was off for {}.", view::time(seconds)),
            (None, None) => String::new(),
        };
        page.paragraph(Text::strong(format!("The team is {}.{off}", self.new_domain)));
        if let Some(next) = &self.next {
            for command in next.split("; ") {
                page.line(Text::plain("Next: ") + Text::prose(format!("`{command}`")));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.new_domain.clone()]
    }
}
