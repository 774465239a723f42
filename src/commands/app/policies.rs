use serde::Serialize;

use super::super::Outcome;
use super::rule;
use crate::api::policy::{self, Policy};
use crate::context::Context;
use crate::flow::app;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso app policies
  cfsso app policies -o json | jq '.[].include'")]
pub struct Args {
    /// Name or ID of the application (default: the SSO App)
    app: Option<String>,
}

/// In the order in which they are applied.
#[derive(Serialize)]
#[serde(transparent)]
pub struct List(Vec<Policy>);

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let app = app::find(&env, args.app.as_deref()).await?;
    let mut policies = env.client.list(&policy::list(env.account, &app.id)).await?;
    policies.sort_by(|a, b| {
        let place = |policy: &Policy| policy.precedence.unwrap_or(i64::MAX);
        (place(a), a.id.as_str()).cmp(&(place(b), b.id.as_str()))
    });
    if policies.is_empty() {
        context.screen.warn(format!("{} has no policies: access is denied to all users", app.name));
    }
    Ok(Outcome::done(List(policies)))
}

impl Render for List {
    fn show(&self, page: &mut Page) {
        let rows: Vec<_> = self
            .0
            .iter()
            .map(|policy| {
                let place = policy.precedence.map_or_else(|| "-".to_owned(), |at| at.to_string());
                vec![
                    Text::plain(place),
                    Text::strong(&policy.name),
                    Text::plain(rule::describe_policy(policy)),
                    Text::dim(policy.id.as_str()),
                ]
            })
            .collect();
        page.table(&["ORDER", "POLICY", "RULES", "ID"], &rows);
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|policy| policy.name.clone()).collect()
    }
}
