//! `cfsso idp delete`: checks what depends on it, deletes it, and confirms the deletion.

use schemars::JsonSchema;
use serde::Serialize;

use super::super::app::idps::ensure_one_works;
use super::super::{Outcome, plan_output};
use super::view::View;
use crate::api::grant;
use crate::context::Context;
use crate::flow::preflight::is_company_idp;
use crate::flow::{FlowError, app, idp};
use crate::output::{Page, Render, Status};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp delete Okta
  cfsso idp delete Okta --confirm Okta --force")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// Delete even if it is the only allowed identity provider
    #[arg(long)]
    force: bool,
}

/// A deleted identity provider, as it was before the deletion.
#[derive(Serialize, JsonSchema)]
pub struct Deleted {
    deleted: bool,
    #[schemars(with = "crate::api::idp::IdpFields")]
    idp: View,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let grants = grant::list(env.account);
    let (found, grants, apps, idps) = tokio::join!(
        idp::find(&env, &args.idp),
        env.client.list(&grants),
        app::list(&env),
        idp::list(&env),
    );
    let found = found?;
    idp::ensure_deletable(&found)?;
    match grants {
        Ok(grants) => idp::ensure_not_granted(&found, &grants)?,
        Err(error) => {
            context.screen.warn(format!("federation grants are not checked: {}", error.line()));
        }
    }
    match (apps, idps) {
        (Ok(apps), Ok(idps)) if !args.force => {
            idp::ensure_sign_in_without(&env, &[&found], &apps, &idps).map_err(or_force)?;
            for app in apps.iter().filter(|app| app.is_dash_sso()) {
                if let Some(left) = idp::allowed_without(&[&found], app, &idps) {
                    if is_company_idp(&found) && !left.iter().any(|idp| is_company_idp(idp)) {
                        let names: Vec<_> = left.iter().map(|idp| idp.name.as_str()).collect();
                        let text = format!("{} will allow only {}", app.name, names.join(", "));
                        context.screen.warn(text);
                    }
                    ensure_one_works(context, &left, &idps).await?;
                }
            }
            for app in apps.iter().filter(|app| app.listed_idps().iter().any(|it| *it == found.id))
            {
                context
                    .screen
                    .warn(format!("{} lists it as an allowed identity provider", app.name));
            }
        }
        (Err(error), _) => {
            context
                .screen
                .warn(format!("not checked whether the SSO App needs it: {}", error.line()));
        }
        _ => {}
    }
    let changes = vec![idp::delete_action(&env, &found).change()];
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "deleting")? {
        return Ok(outcome);
    }
    context.confirm(&found.name, "delete it").await?;
    idp::delete(&env, &found).await?;
    Ok(Outcome::done(Deleted { deleted: true, idp: View::of(found) }))
}

fn or_force(error: FlowError) -> FlowError {
    let hint = match &error.hint {
        Some(hint) => format!("{hint}, or `--force` to override"),
        None => "`--force` to override".to_owned(),
    };
    error.hint(hint)
}

impl Render for Deleted {
    fn show(&self, page: &mut Page) {
        let idp = &self.idp.idp;
        page.status_line(
            Status::Done,
            format!("identity provider deleted: {} ({})", idp.name, idp.id),
        );
    }

    fn names(&self) -> Vec<String> {
        vec![self.idp.idp.name.clone()]
    }
}
