use schemars::JsonSchema;
use serde::Serialize;

use super::super::idp::check;
use super::super::{Outcome, update_output};
use crate::api::app::{App, AppType};
use crate::api::idp::{Idp, IdpType};
use crate::api::ids::{IdpId, IdpReference};
use crate::api::odd::OddRecord;
use crate::context::Context;
use crate::flow::app::{self, AllowedIdps};
use crate::flow::target::Target;
use crate::flow::update::Update;
use crate::flow::{FlowError, idp};
use crate::output::{Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app idps
  cfsso app idps --add onetimepin
  cfsso app idps --only Okta --dry-run
  cfsso app idps --all --yes")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,

    /// Allow this identity provider (repeatable)
    #[arg(long, value_name = "IDP", conflicts_with_all = ["only", "all"])]
    add: Vec<String>,

    /// Disallow this identity provider (repeatable)
    #[arg(long, value_name = "IDP", conflicts_with_all = ["only", "all"])]
    remove: Vec<String>,

    /// Allow only this identity provider (repeatable)
    #[arg(long, value_name = "IDP", conflicts_with = "all")]
    only: Vec<String>,

    /// Allow all identity providers, present and future
    #[arg(long)]
    all: bool,

    /// Continue even if no working identity provider remains
    #[arg(long)]
    force: bool,
}

/// The identity providers that an application allows.
#[derive(Serialize, JsonSchema)]
pub struct AppIdps {
    /// The application.
    app: AppRef,
    /// Whether all identity providers are allowed, including those created later.
    all: bool,
    /// Whether instant authentication is on: users skip the identity provider selection.
    instant_auth: Option<bool>,
    /// The allowed identity providers.
    idps: Vec<IdpRow>,
}

/// The ID and name of an application.
#[derive(Serialize, JsonSchema)]
struct AppRef {
    id: String,
    name: String,
}

/// An allowed identity provider.
#[derive(Serialize, JsonSchema)]
struct IdpRow {
    id: String,
    /// `null` if the identity provider no longer exists.
    name: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
    exists: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (app, idps) = tokio::join!(app::find(&env, args.app.as_deref()), idp::list(&env));
    let (app, idps) = (app?, idps?);
    let Some(admission) = admission(&args, &app, &idps)? else {
        return Ok(Outcome::done(AppIdps::of(&app, &idps)));
    };
    let all: Vec<_> = idps.iter().map(|idp| idp.id.clone()).collect();
    let odd = env.client.odd_records(Some("identity provider"));
    let edit = Update::prepare(&env, Target::App(app.id.clone()), |document| {
        let now: Vec<IdpReference> = document.parse_at(&["allowed_idps"]).unwrap_or_default();
        if now.is_empty() && matches!(admission, AllowedIdps::Change { .. }) && !odd.is_empty() {
            return Err(invalid_record_error(&odd));
        }
        let list = app::new_allowed_list(&now, &admission, &all)?;
        if !args.force {
            app::ensure_sign_in_possible(&list, &idps)?;
        }
        app::set_allowed_idps(document, &list)
    })
    .await?;
    if let Some(list) = edit.desired.parse_at::<Vec<IdpReference>>(&["allowed_idps"])
        && !edit.is_empty()
    {
        context.screen.note(format!("{} will allow {}", app.name, describe_list(&list, &idps)));
    }
    if !args.force && !edit.is_empty() {
        ensure_sign_in_works(context, &edit, &idps).await?;
    }
    update_output::run_update(context, &env, &edit, "change the allowed identity providers").await
}

fn invalid_record_error(odd: &[OddRecord]) -> FlowError {
    let message = "cannot determine the identity providers to keep; nothing was sent";
    FlowError::refused(message)
        .causes(odd.iter().map(OddRecord::describe))
        .hint("`cfsso app idps --only <IDP>`")
}

/// Fails if `edit` leaves identity providers of which none passes its check.
pub(in crate::commands) async fn ensure_sign_in_works(
    context: &Context,
    edit: &Update,
    idps: &[Idp],
) -> anyhow::Result<()> {
    let list: Vec<IdpReference> = edit.desired.parse_at(&["allowed_idps"]).unwrap_or_default();
    let live: Vec<_> =
        idps.iter().filter(|idp| list.iter().any(|listed| *listed == idp.id)).collect();
    // Users of another application may sign in with accounts of Cloudflare.
    if edit.desired.parse_at::<AppType>(&["type"]) == Some(AppType::DashSso) {
        return ensure_one_works(context, &live, idps).await;
    }
    ensure_any_passes(context, &live, idps, &live).await
}

/// Fails if `allowed` are identity providers of the SSO App of which none signs users in.
pub(in crate::commands) async fn ensure_one_works(
    context: &Context,
    allowed: &[&Idp],
    idps: &[Idp],
) -> anyhow::Result<()> {
    ensure_any_passes(context, allowed, idps, &idp::sign_in_idps(allowed)?).await
}

/// Fails if there are `usable` ones among `allowed`, and none passes its check.
async fn ensure_any_passes(
    context: &Context,
    allowed: &[&Idp],
    idps: &[Idp],
    usable: &[&Idp],
) -> anyhow::Result<()> {
    let pins = idps.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
    match allowed {
        [] => Ok(()),
        [only] => {
            let message = format!(
                "`{}` would be the only allowed identity provider, and it does not work",
                only.name
            );
            check::ensure_works(context, only, pins, message).await
        }
        several => {
            let message = format!(
                "none of the {} identity providers that would be allowed works",
                several.len()
            );
            check::ensure_any_works(context, usable, pins, message).await
        }
    }
}

fn admission(args: &Args, app: &App, idps: &[Idp]) -> Result<Option<AllowedIdps>, FlowError> {
    let resolved = |texts: &[String]| -> Result<Vec<IdpId>, FlowError> {
        texts.iter().map(|text| resolve_idp(text, app, idps, args.force)).collect()
    };
    Ok(if args.all {
        Some(AllowedIdps::All)
    } else if !args.only.is_empty() {
        Some(AllowedIdps::Only(resolved(&args.only)?))
    } else if args.add.is_empty() && args.remove.is_empty() {
        None
    } else {
        Some(AllowedIdps::Change { add: resolved(&args.add)?, remove: resolved(&args.remove)? })
    })
}

/// A deleted identity provider is accepted if the application still lists it, or with `force`.
pub(super) fn resolve_idp(
    text: &str,
    app: &App,
    idps: &[Idp],
    force: bool,
) -> Result<IdpId, FlowError> {
    match idp::pick(idps, text) {
        Ok(idp) => Ok(idp.id.clone()),
        Err(error) => match idp::as_id(text) {
            Some(id) if force || app.listed_idps().iter().any(|listed| *listed == id) => Ok(id),
            _ => Err(error),
        },
    }
}

pub(super) fn describe_list(list: &[IdpReference], idps: &[Idp]) -> String {
    if list.is_empty() {
        return "all identity providers, present and future".to_owned();
    }
    let name = |id: &IdpReference| {
        let idp = idps.iter().find(|idp| *id == idp.id);
        idp.map_or_else(|| format!("{id} (deleted)"), |idp| idp.name.clone())
    };
    let names: Vec<_> = list.iter().map(name).collect();
    format!("{} only", names.join(", "))
}

impl AppIdps {
    fn of(app: &App, idps: &[Idp]) -> Self {
        let listed = app.listed_idps();
        let entry = |id: &IdpReference| {
            let idp = idps.iter().find(|idp| *id == idp.id);
            IdpRow {
                id: id.to_string(),
                name: idp.map(|idp| idp.name.clone()),
                kind: idp.map(|idp| idp.kind.as_str().to_owned()),
                exists: idp.is_some(),
            }
        };
        let every = listed.is_empty();
        Self {
            app: AppRef { id: app.id.to_string(), name: app.name.clone() },
            all: every,
            instant_auth: app.auto_redirect_to_identity,
            idps: if every {
                idps.iter().map(|idp| entry(&idp.id.clone().into())).collect()
            } else {
                listed.iter().map(entry).collect()
            },
        }
    }
}

impl Render for AppIdps {
    fn show(&self, page: &mut Page) {
        let which =
            if self.all { "all identity providers" } else { "only these identity providers" };
        page.line(Text::strong(&self.app.name) + format!(" allows {which}:"));
        let rows: Vec<_> = self
            .idps
            .iter()
            .map(|idp| {
                let name = idp
                    .name
                    .as_deref()
                    .map_or_else(|| Status::Failed.paint("deleted"), Text::strong);
                let kind = idp.kind.as_deref().unwrap_or("-");
                vec![name, Text::plain(kind), Text::dim(&idp.id)]
            })
            .collect();
        page.table(&["NAME", "TYPE", "ID"], &rows);
        if self.instant_auth == Some(true) {
            page.line("Instant authentication is on.");
        }
    }

    fn names(&self) -> Vec<String> {
        self.idps.iter().map(|idp| idp.name.clone().unwrap_or_else(|| idp.id.clone())).collect()
    }
}
