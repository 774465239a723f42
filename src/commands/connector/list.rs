use super::super::{Outcome, fleet};
use super::view::{self, RecordArgs, Shown};
use crate::context::Context;
use crate::flow::{Env, connector};
use crate::output::{List, Page, Row, Screen, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector list
  cfsso connector list --format bind
  cfsso connector list -o json | jq -r '.[] | select(.enabled) | .email_domain'")]
pub struct Args {
    #[command(flatten)]
    record: RecordArgs,
}

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

impl Row for Shown {
    const HEADERS: &'static [&'static str] = &["DOMAIN", "VERIFIED", "ENABLED", "CREATED", "ID"];

    fn cells(&self, page: &Page) -> Vec<Text> {
        let connector = &self.connector;
        vec![
            Text::strong(&connector.email_domain),
            view::verification(connector),
            view::enabled(connector),
            view::age(connector.created_on.as_deref(), page.now(), false),
            Text::dim(connector.id.as_str()),
        ]
    }
}
