use serde::Serialize;

use super::super::{Outcome, fleet};
use super::view::{self, RecordArgs, Shown};
use crate::context::Context;
use crate::flow::{Env, connector};
use crate::output::{Page, Render, Rows, Screen, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector list
  cfsso connector list --format bind
  cfsso connector list -o json | jq -r '.[] | select(.enabled) | .email_domain'")]
pub struct Args {
    #[command(flatten)]
    record: RecordArgs,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<Shown>);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::ensure_one(context, args.record.is_given(), "--format")?;
    let is_alone = context.settings.accounts.is_one();
    let read = async |env: &Env<'_>| read(&args, env, is_alone.then_some(&context.screen)).await;
    fleet::run(context, "connector list", read).await
}

async fn read(args: &Args, env: &Env<'_>, screen: Option<&Screen>) -> anyhow::Result<Outcome> {
    let connectors = connector::list(env).await?;
    if connectors.is_empty()
        && env.client.odd_records(Some("connector")).is_empty()
        && let Some(screen) = screen
    {
        screen.note(Text::prose("No connectors. Create one: `cfsso setup <DOMAIN>`"));
    }
    if let Some(outcome) = args.record.records(&connectors)? {
        return Ok(outcome);
    }
    let shown = connectors.into_iter().map(Shown::from).collect();
    Ok(Outcome::list(env.client, "connector", List(shown)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        if !self.0.is_empty() {
            let Rows { headers, cells } = self.rows(page);
            page.table(&headers, &cells);
        }
    }

    fn rows(&self, page: &Page) -> Rows {
        let now = page.now();
        let cells = self
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
        Rows { headers: vec!["DOMAIN", "VERIFIED", "ENABLED", "CREATED", "ID"], cells }
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().flat_map(Render::names).collect()
    }
}
