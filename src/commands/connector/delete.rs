//! `cfsso connector delete`: refuses an enabled connector, and confirms the deletion.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Outcome, plan_output};
use super::affected;
use crate::api::connector::Connector;
use crate::context::{self, Context};
use crate::flow::connector::{self, Selector};
use crate::flow::{Env, FlowError};
use crate::output::{Page, Render, Status};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector delete cool.cats
  cfsso connector delete cool.cats --disable-first --confirm cool.cats")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Disable the connector first
    #[arg(long)]
    disable_first: bool,
}

/// A deleted connector, as it was before the deletion.
#[derive(Serialize, JsonSchema)]
pub struct Deleted {
    deleted: bool,
    #[schemars(with = "crate::api::connector::ConnectorFields")]
    connector: Connector,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    // The account's only connector is not deleted by default: it must be named.
    let Some(selector) = context.named_selector(args.connector.as_ref())? else {
        return Err(context::not_specified(&[]));
    };
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    let domain = connector.email_domain.clone();
    // An unknown state does not count as disabled.
    let is_disabled = connector.enabled == Some(false);
    if !is_disabled && !args.disable_first {
        return Err(FlowError::refused(format!("the connector of `{domain}` is enabled"))
            .cause("an enabled connector cannot be deleted: its users could not sign in")
            .hint(format!("`cfsso connector delete {domain} --disable-first`"))
            .into());
    }
    let mut changes = Vec::new();
    if !is_disabled {
        changes.push(connector::disable_action(&env, &connector).change());
    }
    changes.push(connector::delete_action(&env, &connector).change());
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "deleting")? {
        return Ok(outcome);
    }
    affected::note(&domain, &env, context).await;
    context.screen.warn("a new connector for this domain gets a new verification code");
    context.confirm(&domain, "delete its connector").await?;
    if !is_disabled {
        connector::disable(&env, &connector).await?;
    }
    delete(&env, &connector, !is_disabled).await?;
    Ok(Outcome::done(Deleted { deleted: true, connector }))
}

async fn delete(env: &Env<'_>, connector: &Connector, was_disabled: bool) -> anyhow::Result<()> {
    let Err(error) = connector::delete(env, connector).await else { return Ok(()) };
    if !was_disabled {
        return Err(error.into());
    }
    let domain = &connector.email_domain;
    Err(FlowError::half_done(format!(
        "{domain} was disabled, but deleting its connector could not be confirmed"
    ))
    .causes(error.sentences())
    .hint(format!(
        "`cfsso connector delete {domain}`, or undo with `cfsso connector enable {domain}`"
    ))
    .into())
}

impl Render for Deleted {
    fn show(&self, page: &mut Page) {
        let text =
            format!("connector deleted: {} ({})", self.connector.email_domain, self.connector.id);
        page.status_line(Status::Done, text);
        page.line("Its TXT record is no longer needed and can be deleted.");
    }

    fn names(&self) -> Vec<String> {
        vec![self.connector.email_domain.clone()]
    }
}
