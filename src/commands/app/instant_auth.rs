use super::super::{Outcome, update_output};
use super::idps::{ensure_sign_in_works, resolve_idp};
use crate::api::ids::IdpReference;
use crate::context::Context;
use crate::flow::app;
use crate::flow::idp;
use crate::flow::target::Target;
use crate::flow::update::Update;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app instant-auth on --only Okta
  cfsso app instant-auth off")]
pub struct Args {
    /// Instant authentication: on or off
    #[arg(value_enum)]
    switch: Switch,

    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,

    /// Allow only this identity provider, in the same update
    #[arg(long, value_name = "IDP")]
    only: Option<String>,

    /// Continue even if no working identity provider remains
    #[arg(long)]
    force: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Switch {
    /// Skip the selection; requires exactly one identity provider
    On,
    /// Show the identity provider selection
    Off,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (app, idps) = tokio::join!(app::find(&env, args.app.as_deref()), idp::list(&env));
    let (app, idps) = (app?, idps?);
    let only =
        args.only.as_deref().map(|text| resolve_idp(text, &app, &idps, args.force)).transpose()?;
    let edit = Update::prepare(&env, Target::App(app.id.clone()), |document| {
        if let Some(only) = &only {
            app::set_allowed_idps(document, &[only.clone().into()])?;
        }
        match args.switch {
            Switch::Off => app::disable_instant_auth(document),
            Switch::On => {
                let list: Vec<IdpReference> =
                    document.parse_at(&["allowed_idps"]).unwrap_or_default();
                if !args.force {
                    app::ensure_sign_in_possible(&list, &idps)?;
                }
                app::enable_instant_auth(document, &idps)
            }
        }
    })
    .await?;
    let action = match args.switch {
        Switch::On => "turn instant authentication on",
        Switch::Off => "turn instant authentication off",
    };
    if args.switch == Switch::On && !args.force && !edit.is_empty() {
        ensure_sign_in_works(context, &edit, &idps).await?;
    }
    update_output::run_update(context, &env, &edit, action).await
}
