use serde::Serialize;

use super::super::Outcome;
use super::{paging, view};
use crate::api::share::{Filter, Include, ResourceType, Share};
use crate::context::Context;
use crate::flow::federation::shares;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso share list
  cfsso share list --kind received --status active
  cfsso share list --resource-type idp-federation-grant --resources --counts -o json
  cfsso share list --tag env=production --order created --direction desc")]
pub struct Args {
    /// Filter by status
    #[arg(long, value_parser = ["active", "deleting", "deleted"])]
    status: Option<String>,

    /// Filter by direction: sent or received
    #[arg(long, value_parser = ["sent", "received"])]
    kind: Option<String>,

    /// Filter by target: account or organization
    #[arg(long, value_parser = ["account", "organization"])]
    target_type: Option<String>,

    /// Filter by resource type (repeatable)
    #[arg(long, value_name = "TYPE")]
    resource_type: Vec<String>,

    /// Filter by tag, KEY or KEY=VALUE (up to 20)
    #[arg(long, value_name = "TAG")]
    tag: Vec<String>,

    /// Sort by name or creation time
    #[arg(long, value_parser = ["name", "created"])]
    order: Option<String>,

    /// Sort direction
    #[arg(long, value_parser = ["asc", "desc"], requires = "order")]
    direction: Option<String>,

    /// Include resources
    #[arg(long)]
    resources: bool,

    /// Include recipient counts
    #[arg(long)]
    counts: bool,

    #[command(flatten)]
    paging: paging::Args,
}

#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<Share>);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let paging = args.paging.paging();
    let filter = Filter {
        status: args.status,
        kind: args.kind,
        target_type: args.target_type,
        resource_types: args.resource_type.iter().map(|text| ResourceType::named(text)).collect(),
        order: args.order,
        direction: args.direction,
        tags: args.tag,
        include: Include { resources: args.resources, recipient_counts: args.counts },
    };
    let shares = shares::list(&env, &filter, paging).await?;
    if shares.is_empty() && env.client.odd_records(Some("share")).is_empty() {
        context.screen.note("no matching shares");
    }
    Ok(Outcome::list(env.client, "share", List(shares)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        // Only `--counts` asks for the numbers.
        let counts: Vec<_> = self.0.iter().map(|share| view::counts(share)).collect();
        let has_counts = counts.iter().any(Option::is_some);
        let rows = self.0.iter().zip(counts).map(|(share, count)| {
            let count = has_counts.then(|| Text::plain(count.unwrap_or_default()));
            [Text::strong(&share.name), view::status(share), Text::plain(view::target(share))]
                .into_iter()
                .chain(count)
                .chain([Text::dim(share.id.as_str())])
                .collect::<Vec<_>>()
        });
        let header: &[&str] = if has_counts {
            &["NAME", "STATUS", "FOR", "RECIPIENTS", "ID"]
        } else {
            &["NAME", "STATUS", "FOR", "ID"]
        };
        page.table(header, &rows.collect::<Vec<_>>());
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|share| share.id.to_string()).collect()
    }
}
