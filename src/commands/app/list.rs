use super::super::Outcome;
use super::view;
use crate::api::app::App;
use crate::context::Context;
use crate::flow::app;
use crate::output::{List, Page, Row, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app list
  cfsso app list -o json | jq -r '.[] | select(.type == \"dash_sso\") | .id'")]
pub struct Args {}

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let apps = app::list(&env).await?;
    if apps.is_empty() && env.client.odd_records(Some("application")).is_empty() {
        context
            .screen
            .note("No applications. Cloudflare creates the SSO App with the first connector.");
    }
    Ok(Outcome::list(env.client, "application", List(apps)))
}

impl Row for App {
    const HEADERS: &'static [&'static str] = &["NAME", "TYPE", "ALLOWS", "INSTANT AUTH", "ID"];

    fn cells(&self, _: &Page) -> Vec<Text> {
        let allowed = match self.listed_idps() {
            [] => Text::plain("all"),
            [_] => Text::plain("1 IdP"),
            several => Text::plain(format!("{} IdPs", several.len())),
        };
        vec![
            if self.is_dash_sso() { Text::strong(&self.name) } else { Text::plain(&self.name) },
            Text::plain(self.type_name()),
            allowed,
            view::instant_auth_text(self),
            Text::dim(self.id.as_str()),
        ]
    }
}
