use super::super::preflight::CheckArgs;
use super::super::{Outcome, plan_output};
use super::trial::{self, TrialArgs};
use super::view::Shown;
use crate::api::connector::Connector;
use crate::context::Context;
use crate::flow::Env;
use crate::flow::connector::{self, Selector};
use crate::flow::plan::Plan;
use crate::flow::preflight::{Preflight, RunIf};
use crate::flow::trial::{Subject, keep};
use crate::output::ago;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector enable cool.cats
  cfsso connector enable cool.cats --trial
  cfsso connector enable cool.cats --confirm cool.cats --trial 15m -o json
  cfsso connector enable cool.cats --recovery-token-file break-glass.token
  cfsso connector enable cool.cats --dry-run

`cfsso preflight` makes the same checks and changes nothing.

`--trial` disables SSO again unless a user signs in: `cfsso help trial`.")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    #[command(flatten)]
    guard: CheckArgs,

    #[command(flatten)]
    trial: TrialArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    args.trial.ensure_within_timeout(context)?;
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let on_trial = args.trial.options(context);
    let wanted = (RunIf::Disabled, on_trial.is_some());
    let guard = args.guard.clone();
    let preflight = args.guard.run_checks(context, &env, &selector, wanted).await?;
    let Preflight { connector, domain, checks, facts } = preflight;
    if connector.is_enabled() {
        if let Some(options) = on_trial
            && !context.settings.options.dry_run
            && let Some(outcome) =
                Box::pin(trial::resume(&env, &domain, &connector, options, context)).await?
        {
            return Ok(outcome);
        }
        if on_trial.is_none() {
            keep::ensure_not_on_trial(&env, &connector)?;
        }
        note_foreign_trial(&env, &connector, context);
        let trial = if on_trial.is_some() { "; no trial was started" } else { "" };
        let note =
            format!("no change: SSO is already enabled for {}{trial}", connector.email_domain);
        return Ok(plan_output::already_done(context, Shown::from(connector), note));
    }
    if !context.settings.options.dry_run {
        keep::end_obsolete(&env, &[&connector], false);
    }
    let plan =
        Plan::new(checks, vec![connector::enable_action(&env, &domain, &connector).change()]);
    args.trial.note_dry_run(context);
    if let Some(outcome) =
        plan_output::finish_dry_run(context, plan, &format!("enabling `{domain}`"))?
    {
        return Ok(outcome);
    }
    let (Some(options), Some(facts)) = (on_trial, facts) else {
        context.confirm(domain.as_str(), "enable SSO").await?;
        if context.asks() {
            // The state may have changed while the question was open.
            let again = guard.run_checks(context, &env, &selector, wanted).await?;
            Plan::new(again.checks, Vec::new()).ensure_allowed(&format!("enabling `{domain}`"))?;
        }
        let enabled = keep::enable_for_good(&env, &domain, &connector).await?;
        note_sign_in(context);
        return Ok(Outcome::done(Shown::from(enabled)));
    };
    let subject = Subject::new(domain, connector, &facts);
    trial::check_logs(&subject, &options, context)?;
    context.confirm(subject.domain.as_str(), "enable SSO on trial").await?;
    let (report, end) = Box::pin(trial::enable(&env, &subject, options, context)).await?;
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

/// The journal of this machine does not have the trials of others.
pub fn note_foreign_trial(env: &Env<'_>, connector: &Connector, context: &Context) {
    if let Some(at) = keep::recent_foreign_change(env, connector) {
        let ago = ago(at, context.clock.now());
        context.screen.note(format!(
            "another client changed the connector {ago}; a trial on another machine would disable \
             SSO again"
        ));
    }
}

/// While the user still has a session, a sign-in that fails can be repaired.
pub fn note_sign_in(context: &Context) {
    if !context.settings.sandbox {
        context.screen.note(
            "sign in at https://dash.cloudflare.com in a private window before you close this \
             session",
        );
    }
}
