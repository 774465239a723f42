//! `cfsso federation status`: source → grant → share → recipients, and orphaned objects.

use super::super::Outcome;
use super::graph::{self, Language};
use super::steps;
use crate::context::Context;
use crate::flow::federation::status::{self, ShareStatus, Source, Status};
use crate::output::{self, Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation status
  cfsso federation status --format mermaid > federation.mmd
  cfsso federation status -o json | jq '.orphans[].remedy'")]
pub struct Args {
    /// Print a graph in this language
    #[arg(long, value_name = "LANGUAGE", conflicts_with_all = ["output", "jq", "output_fields"])]
    format: Option<Language>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let status = status::read(&env).await?;
    for what in &status.not_checked {
        context.screen.warn(format!("not checked: {what}"));
    }
    if let Some(language) = args.format {
        context.screen.literal(&graph::render(&status, language))?;
        return Ok(Outcome::silent());
    }
    if status.sources.is_empty() {
        context
            .screen
            .note(Text::prose("nothing is shared: `cfsso federation share <IDP> --to <ACCOUNT>`"));
    }
    Ok(Outcome::done(status))
}

impl Render for Status {
    fn show(&self, page: &mut Page) {
        for source in &self.sources {
            show_source(source, page);
        }
        if self.orphans.is_empty() {
            return;
        }
        if !self.sources.is_empty() {
            page.blank();
        }
        for orphan in &self.orphans {
            page.status_line(
                output::Status::Warning,
                Text::plain(format!("{}: ", orphan.id)) + Text::prose(&orphan.problem),
            );
            page.line(Text::plain("  Fix: ") + Text::prose(&orphan.fix));
        }
    }

    fn names(&self) -> Vec<String> {
        self.sources.iter().map(|source| source.idp_id.clone()).collect()
    }
}

fn show_source(source: &Source, page: &mut Page) {
    let name = source.idp_name.as_deref().unwrap_or("deleted identity provider");
    let kind = source.idp_type.as_deref().map(|kind| format!(" ({kind})")).unwrap_or_default();
    page.line(Text::strong(name) + kind + Text::dim(format!("  {}", source.idp_id)));
    let since = source.granted_at.as_deref().map(|at| format!("  since {at}")).unwrap_or_default();
    page.line(Text::plain(format!("  grant {}", source.grant_id)) + Text::dim(since));
    for shared in &source.shares {
        show_share(shared, page);
    }
}

fn show_share(shared: &ShareStatus, page: &mut Page) {
    let whom = if shared.entire_organization { ", with the whole organization" } else { "" };
    page.line(
        Text::plain(format!("    share {}{whom}", shared.name))
            + Text::dim(format!("  {}", shared.id)),
    );
    for recipient in &shared.recipients {
        let state = page.state(steps::recipient_mark(recipient), &recipient.state);
        let id = recipient.account_id.as_deref().filter(|id| *id != recipient.name());
        let id = Text::dim(id.map(|id| format!("  {id}")).unwrap_or_default());
        page.line(Text::plain(format!("      {}  ", recipient.name())) + state + id);
    }
}
