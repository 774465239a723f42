use serde::Serialize;

use super::super::Outcome;
use crate::api::grant::Grant;
use crate::context::Context;
use crate::flow::federation::grant;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation list
  cfsso federation list -o json | jq -r '.[].idp_id'")]
pub struct Args {}

#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<Grant>);

pub async fn run(_: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let grants = grant::list(&env).await?;
    if grants.is_empty() && env.client.odd_records(Some("federation grant")).is_empty() {
        context.screen.note(Text::prose(
            "No federation grants. Create one: `cfsso federation share <IDP> --to <ACCOUNT>`",
        ));
    }
    Ok(Outcome::list(env.client, "federation grant", List(grants)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let row = |grant: &Grant| {
            vec![
                Text::strong(grant.id.as_str()),
                Text::plain(grant.idp_id.as_str()),
                Text::dim(grant.created_at.as_deref().unwrap_or("unknown")),
            ]
        };
        let rows: Vec<_> = self.0.iter().map(row).collect();
        page.table(&["GRANT", "IDENTITY PROVIDER", "CREATED"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|grant| grant.id.to_string()).collect()
    }
}
