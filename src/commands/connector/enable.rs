//! `cfsso connector enable`: the guarded switch. The list and the name servers
//! are asked at once, then the PATCH, then a read-back.

use super::super::{Outcome, change};
use crate::context::Context;
use crate::dns::{self, Reach};
use crate::domain::EmailDomain;
use crate::flow::check::CheckId;
use crate::flow::connector::{self, Selector};
use crate::flow::enable::{self, Served};
use crate::flow::plan::Plan;

/// Arguments of `connector enable`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector enable cool.cats
  cfsso connector enable cool.cats --confirm cool.cats -o json
  cfsso connector enable cool.cats --dry-run")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Go on although this check fails, repeatable
    #[arg(long, value_name = "CHECK")]
    accept_risk: Vec<CheckId>,
}

/// Enables enforcement.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref())?;
    let tools = context.tools().await?;
    let (connector, survey) = match &selector {
        Selector::Domain(domain) => {
            let (connector, survey) = tokio::join!(
                connector::find(&tools, &selector),
                tools.resolver.survey(domain, None, Reach::Authoritative)
            );
            (connector?, survey)
        }
        Selector::Id(_) => {
            let connector = connector::find(&tools, &selector).await?;
            let domain: EmailDomain = connector.email_domain.parse()?;
            let survey = tools.resolver.survey(&domain, None, Reach::Authoritative).await;
            (connector, survey)
        }
    };
    if connector.is_enabled() {
        let note = format!("{} is enabled already: nothing to do", connector.email_domain);
        return Ok(change::done_already(context, connector, note));
    }
    let domain: EmailDomain = connector.email_domain.parse()?;
    let judgement = dns::judge(&survey, connector.code().map(str::as_bytes), context.clock.now());
    let checks =
        enable::checks(&connector, &domain, Served { survey: &survey, judgement: &judgement })
            .into_iter()
            .map(|check| check.accepting(&args.accept_risk))
            .collect();
    let plan = Plan::new(
        checks,
        vec![enable::enabling(&tools, &domain, &connector.id, connector.enabled)],
    );
    if let Some(outcome) = change::settle(context, plan, &format!("enabling `{domain}`"))? {
        return Ok(outcome);
    }
    context.confirm(domain.as_str(), "enforce sign-in through the identity provider").await?;
    Ok(Outcome::done(enable::enable(&tools, &connector).await?))
}
