use super::super::Outcome;
use crate::api::grant::Grant;
use crate::api::ids::GrantId;
use crate::context::Context;
use crate::flow::federation::grant;
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso federation get 023e105f4ecef8ad9ca31a8372d0c353")]
pub struct Args {
    /// ID of the grant
    grant: GrantId,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    Ok(Outcome::done(grant::find(&env, &args.grant).await?))
}

impl Render for Grant {
    fn show(&self, page: &mut Page) {
        page.fields(&[
            ("grant", Text::strong(self.id.as_str())),
            ("identity provider", Text::plain(self.idp_id.as_str())),
            ("created", Text::plain(self.created_at.as_deref().unwrap_or("unknown"))),
        ]);
    }

    fn names(&self) -> Vec<String> {
        vec![self.id.to_string()]
    }
}
