//! `cfsso federation create`: lists first, so that an existing grant is reused, then POSTs.

use super::super::{Outcome, plan_output};
use crate::context::Context;
use crate::flow::federation::{eligibility, grant};
use crate::flow::idp;
use crate::output::Text;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation create Okta
  cfsso federation create Okta --dry-run")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let idp = idp::find(&env, &args.idp).await?;
    eligibility::ensure_shareable(&idp)?;
    let grants = grant::list(&env).await?;
    let existing = grants.into_iter().find(|grant| grant.idp_id == idp.id);
    if let Some(grant) = existing {
        let note = format!("no change: {} already has a grant", idp.name);
        return Ok(plan_output::already_done(context, grant, note));
    }
    let changes = vec![grant::create_action(&env, &idp).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "creating it")? {
        return Ok(outcome);
    }
    let created = grant::create(&env, &idp).await?;
    context.screen.note(Text::prose(format!(
        "not shared yet: `cfsso federation share {} --to <ACCOUNT>`",
        idp.id
    )));
    Ok(Outcome::done(created))
}
