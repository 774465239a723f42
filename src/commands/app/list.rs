use serde::Serialize;

use super::super::Outcome;
use super::view;
use crate::api::app::App;
use crate::context::Context;
use crate::flow::app;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app list
  cfsso app list -o json | jq -r '.[] | select(.type == \"dash_sso\") | .id'")]
pub struct Args {}

#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<App>);

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

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let rows: Vec<_> = self.0.iter().map(row).collect();
        page.table(&["NAME", "TYPE", "ALLOWS", "INSTANT AUTH", "ID"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|app| app.name.clone()).collect()
    }
}

fn row(app: &App) -> Vec<Text> {
    let admits = match app.listed_idps() {
        [] => Text::plain("all"),
        [_] => Text::plain("1 IdP"),
        several => Text::plain(format!("{} IdPs", several.len())),
    };
    let kind = Text::plain(app.type_name());
    vec![
        if app.is_dash_sso() { Text::strong(&app.name) } else { Text::plain(&app.name) },
        kind,
        admits,
        view::instant_auth_text(app),
        Text::dim(app.id.as_str()),
    ]
}
