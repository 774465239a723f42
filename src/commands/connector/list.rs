//! `cfsso connector list`: one request.

use serde::Serialize;

use super::super::Outcome;
use super::view::{self, RecordArgs, Shown};
use crate::context::Context;
use crate::flow::connector;
use crate::output::{Page, Render, Text};

/// Arguments of `connector list`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector list
  cfsso connector list --format bind
  cfsso connector list -o json | jq -r '.[] | select(.enabled) | .email_domain'")]
pub struct Args {
    #[command(flatten)]
    record: RecordArgs,
}

/// Connectors, by domain.
#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<Shown>);

/// Lists the account's connectors.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let tools = context.tools().await?;
    let connectors = connector::list(&tools).await?;
    if connectors.is_empty() && tools.client.odd_records(Some("connector")).is_empty() {
        context.screen.note(Text::prose("No connectors. Create one: `cfsso setup <DOMAIN>`"));
    }
    if let Some(outcome) = args.record.records(&connectors)? {
        return Ok(outcome);
    }
    let shown = connectors.into_iter().map(Shown::from).collect();
    Ok(Outcome::list(tools.client, "connector", List(shown)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if self.0.is_empty() {
            return;
        }
        let now = page.now();
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|Shown { connector, .. }| {
                vec![
                    Text::strong(&connector.email_domain),
                    view::verification(connector),
                    view::enabled(connector),
                    view::age(connector.created_on.as_deref(), now, false),
                    Text::dim(connector.id.as_str()),
                ]
            })
            .collect();
        page.table(&["DOMAIN", "VERIFIED", "ENABLED", "CREATED", "ID"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Render::names).collect()
    }
}
