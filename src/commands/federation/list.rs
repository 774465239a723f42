use super::super::Outcome;
use crate::api::grant::Grant;
use crate::context::Context;
use crate::flow::federation::grant;
use crate::output::{List, Page, Row, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation list
  cfsso federation list -o json | jq -r '.[].idp_id'")]
pub struct Args {}

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

impl Row for Grant {
    const HEADERS: &'static [&'static str] = &["GRANT", "IDENTITY PROVIDER", "CREATED"];

    fn cells(&self, _: &Page) -> Vec<Text> {
        vec![
            Text::strong(self.id.as_str()),
            Text::plain(self.idp_id.as_str()),
            Text::dim(self.created_at.as_deref().unwrap_or("unknown")),
        ]
    }
}
