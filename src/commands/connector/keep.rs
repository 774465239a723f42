//! `cfsso connector keep`: ends a trial with SSO on.

use super::super::{Outcome, plan_output};
use super::view::Shown;
use crate::api::connector::Connector;
use crate::api::ids::ConnectorId;
use crate::context::Context;
use crate::flow::connector::{self, Selector};
use crate::flow::trial::keep;
use crate::flow::{Env, FlowError};
use crate::output::Text;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector keep cool.cats
  cfsso connector keep cool.cats --trial-of 68ca8b1a3e6c4f8d9c1e2f3a4b5c6d70

With --trial-of, SSO is enabled once more; the machine that runs the trial sees that
in the audit log, which may be minutes late (permission: Account Settings Read).")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// The trial runs on another machine: ID of the connector
    #[arg(long, value_name = "ID")]
    trial_of: Option<ConnectorId>,
}

/// Only `--trial-of` sends a request.
fn dry_run(
    env: &Env<'_>,
    connector: &Connector,
    is_elsewhere: bool,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let domain = connector.email_domain.parse()?;
    let enable = || connector::enable_action(env, &domain, connector).change();
    let changes: Vec<_> = is_elsewhere.then(enable).into_iter().collect();
    if !is_elsewhere {
        context.screen.note(format!("dry run: the trial of {domain} was not ended"));
    }
    Ok(plan_output::finish_dry_run(context, changes, "keeping it")?.unwrap_or_else(Outcome::silent))
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    context.use_running_simulator();
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    let trials = keep::open_trials(&env);
    let domain = &connector.email_domain;
    if context.settings.options.dry_run {
        return dry_run(&env, &connector, args.trial_of.is_some(), context);
    }
    if let Some(trial) = trials.iter().find(|trial| trial.connector == connector.id) {
        let kept = keep::keep(&env, connector, trial).await?;
        context.screen.note(format!("SSO stays on for {}", kept.email_domain));
        return Ok(Outcome::done(Shown::from(kept)));
    }
    if args.trial_of.is_none()
        && trials.iter().any(|trial| trial.domain == *domain && !trial.is_live)
    {
        keep::end_obsolete(&env, &[&connector], false);
        context.screen.note("the connector of the trial was deleted: the trial is over");
        return Ok(Outcome::done(Shown::from(connector)));
    }
    match args.trial_of {
        Some(id) if id == connector.id => {
            let kept = keep::keep_elsewhere(&env, &connector).await?;
            context.screen.note(Text::prose(format!(
                "enabled once more; the trial has not confirmed it. Its machine has to find the \
                 request in the audit log, up to 8 minutes late, or disables SSO at the end. Check \
                 after that: `cfsso connector get {domain}`"
            )));
            Ok(Outcome::done(Shown::from(kept)))
        }
        Some(id) => {
            let message = format!("the connector of {domain} has another ID than {id}");
            Err(FlowError::conflict(message).hint(format!("`cfsso connector get {domain}`")).into())
        }
        None => Err(keep::no_open_trial(&env, &connector).into()),
    }
}
