//! `cfsso federation unshare`: shows who loses access before it ends the sharing.

use super::super::{Outcome, plan_output};
use super::steps;
use crate::context::Context;
use crate::flow::federation::accounts::{self, AccountDirectory};
use crate::flow::federation::progress::Event;
use crate::flow::federation::recipients::resolve;
use crate::flow::federation::state;
use crate::flow::federation::unshare::{self, Options, Report};
use crate::flow::idp;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation unshare Okta
  cfsso federation unshare Okta --from Cats --confirm Okta
  cfsso federation unshare Okta --dry-run")]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider
    idp: String,

    /// ID or name of a recipient account (repeatable; default: all)
    #[arg(long, value_name = "ACCOUNT", num_args = 1..)]
    from: Vec<String>,

    /// Do not wait until every recipient is removed
    #[arg(long)]
    no_wait: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (idp, directory) = tokio::join!(idp::find(&env, &args.idp), accounts::read(&env));
    let (idp, directory) = (idp?, directory?);
    let from = if args.from.is_empty() { None } else { Some(resolve(&args.from, &directory)?) };
    let state = state::read(&env, &idp.id).await?;
    let options = Options { idp, from, wait: !args.no_wait, deadline: context.wait_deadline() };
    let actions = unshare::decide(&state, &options.idp, options.from.as_deref())?;
    let losing = unshare::affected_recipients(&state, &actions, &directory);
    let plan = unshare::plan(&env, &options.idp, &actions);
    for one in &losing {
        context.screen.warn(format!(
            "{} loses {}; its policies that use it stop matching",
            account_name(one.account_id.as_deref(), one.name(), &directory),
            options.idp.name
        ));
    }
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "unsharing")? {
        return Ok(outcome);
    }
    if !actions.is_empty() {
        context.confirm(&options.idp.name, "stop sharing it").await?;
    }
    let on_event = |event: &Event<'_>| steps::show(event, context);
    let (report, end) = unshare::run(&env, &options, &actions, losing, &on_event).await;
    context.screen.end_progress();
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

fn account_name(id: Option<&str>, name: &str, directory: &AccountDirectory) -> String {
    id.and_then(|id| id.parse().ok())
        .map_or_else(|| name.to_owned(), |id| directory.display_name(&id))
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        if !self.ok {
            return;
        }
        page.blank();
        let text = match self.result.len() {
            0 => "It was not shared.".to_owned(),
            1 => "Removed from 1 account.".to_owned(),
            several => format!("Removed from {several} accounts."),
        };
        page.paragraph(Text::strong(text));
    }

    fn names(&self) -> Vec<String> {
        self.result.iter().filter_map(|one| one.account_id.clone()).collect()
    }
}
