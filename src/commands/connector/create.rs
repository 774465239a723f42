//! `cfsso connector create`: lists first, so that none is created twice, then POSTs.

use super::super::setup::ask_domain;
use super::super::{Outcome, plan_output};
use super::view::{RecordArgs, Shown};
use crate::api::connector::{BeginVerification, Connector};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::{FlowError, connector};
use crate::output::Text;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector create cool.cats
  cfsso connector create cool.cats --if-not-exists -o json | jq -r .txt.value")]
pub struct Args {
    /// Email domain of the users (asks on a terminal)
    domain: Option<EmailDomain>,

    /// Return the existing connector if there is one
    #[arg(long)]
    if_not_exists: bool,

    /// Create without starting verification
    #[arg(long)]
    no_verification: bool,

    /// Use the FedRAMP language on the sign-in page
    #[arg(long)]
    fedramp: bool,

    /// Skip the eligibility check
    #[arg(long)]
    force: bool,

    #[command(flatten)]
    record: RecordArgs,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let domain = match &args.domain {
        Some(domain) => domain.clone(),
        None => ask_domain(context, "`cfsso connector create <DOMAIN>`").await?,
    };
    if !args.force {
        connector::ensure_eligible(&domain)?;
    }
    let env = context.env().await?;
    let connectors = connector::list(&env).await?;
    if let Some(existing) = connector::select_by_domain(&connectors, &domain)? {
        return already_exists(existing, &args, context);
    }
    let begin =
        if args.no_verification { BeginVerification::Later } else { BeginVerification::Now };
    let fedramp = args.fedramp.then_some(true);
    let changes = vec![connector::create_action(&env, &domain, begin, fedramp).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "creating")? {
        return Ok(outcome);
    }
    let created = connector::create(&env, &domain, begin, fedramp).await?;
    if let Some(outcome) = args.record.records(std::slice::from_ref(&created))? {
        return Ok(outcome);
    }
    if let Some(code) = created.code() {
        context.screen.note(Text::prose(format!(
            "publish this TXT record at {domain}, or run `cfsso setup {domain} --publish-txt`: {code}"
        )));
    }
    Ok(Outcome::done(result_of(created, &args, true)))
}

fn already_exists(
    connector: &Connector,
    args: &Args,
    context: &Context,
) -> anyhow::Result<Outcome> {
    if !args.if_not_exists {
        return Err(FlowError::conflict(format!(
            "connector already exists for {} ({})",
            connector.email_domain, connector.id
        ))
        .hint(format!("`cfsso connector get {}`, or add `--if-not-exists`", connector.email_domain))
        .into());
    }
    if args.fedramp && connector.use_fedramp_language != Some(true) {
        context.screen.warn(format!(
            "the existing connector does not use the FedRAMP language: `cfsso connector update {} --fedramp`",
            connector.email_domain
        ));
    }
    let note = format!("no change: connector already exists for {}", connector.email_domain);
    if !context.settings.options.dry_run
        && let Some(outcome) = args.record.records(std::slice::from_ref(connector))?
    {
        return Ok(outcome);
    }
    Ok(plan_output::already_done(context, result_of(connector.clone(), args, false), note))
}

fn result_of(connector: Connector, args: &Args, created: bool) -> Shown {
    let result = Shown::from(connector);
    if args.if_not_exists { result.created(created) } else { result }
}
