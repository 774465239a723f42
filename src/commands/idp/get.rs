use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use super::super::web::{Place, WebArgs};
use super::view::View;
use crate::api::idp::{Idp, IdpFields};
use crate::api::organization;
use crate::context::Context;
use crate::flow::{Env, Error, FlowError, idp};
use crate::idp::guide::{self, Guide, Product, Values};
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp get Okta
  cfsso idp get okta -o json | jq .config
  cfsso idp get Okta --setup")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// Also show the values to enter at the identity provider
    #[arg(long)]
    setup: bool,

    #[command(flatten)]
    web: WebArgs,
}

/// An identity provider and the values to enter there.
#[derive(Serialize, JsonSchema)]
pub struct Setup {
    #[schemars(with = "IdpFields")]
    idp: View,
    /// The values to enter, derived from the team domain.
    values: Values,
    guide: Guide,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(outcome) = args.web.open(Place::Idps, context).await? {
        return Ok(outcome);
    }
    let env = context.env().await?;
    if !args.setup {
        return Ok(Outcome::done(View::of(idp::find(&env, &args.idp).await?)));
    }
    let (found, team) = tokio::join!(idp::find(&env, &args.idp), team(&env));
    let (found, team) = (found?, team?);
    let (values, guide) = setup(&found, &team);
    Ok(Outcome::done(Setup { idp: View::of(found), values, guide }))
}

pub async fn team(env: &Env<'_>) -> Result<String, Error> {
    let organization = env.client.send(&organization::get(env.account)).await?;
    organization.auth_domain.clone().ok_or_else(|| {
        FlowError::not_found("the API did not return the domain of the organization")
            .hint("`cfsso team show`")
            .into()
    })
}

pub(super) fn setup(idp: &Idp, team: &str) -> (Values, Guide) {
    let values = guide::values(team, Some(idp.id.as_str()));
    let guide = guide::guide(Product::of_idp(idp.kind.as_str(), &idp.config), &values);
    (values, guide.without_command())
}

pub(super) fn draw(guide: &Guide, page: &mut Page) {
    page.line(Text::strong(format!("At {}:", guide.title)));
    for entry in &guide.fields {
        page.line(Text::plain(format!("  {}: ", entry.name)) + Text::code(&entry.value));
    }
    page.numbered(&guide.steps);
}

impl Render for Setup {
    fn show(&self, page: &mut Page) {
        self.idp.show(page);
        page.blank();
        draw(&self.guide, page);
    }

    fn names(&self) -> Vec<String> {
        self.idp.names()
    }
}
