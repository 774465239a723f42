use schemars::JsonSchema;
use serde::Serialize;

use super::super::Outcome;
use crate::api::organization;
use crate::context::Context;
use crate::flow::{FlowError, idp, idp_test};
use crate::output::{ExitCode, Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp test oidc
  cfsso idp test Okta --open

Cloudflare has no API for this test: a browser shows whether it succeeds. On a
terminal the answer is recorded in the journal of this machine; `status` and
`preflight` show it, and do not count it as proof. Exit code 10 if it failed.")]
pub struct Args {
    /// Name, ID or type of the identity provider
    idp: String,

    /// Open the link in the browser
    #[arg(long)]
    open: bool,
}

/// The result of `cfsso idp test`.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// The ID of the identity provider.
    id: String,
    /// The name of the identity provider.
    name: String,
    /// The URL of the test; open it in a browser.
    url: String,
    /// Whether the user reported success; `null` if cfsso did not ask.
    succeeded: Option<bool>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let organization = organization::get(env.account);
    let (idp, organization) =
        tokio::join!(idp::find(&env, &args.idp), env.client.send(&organization));
    let idp = idp?;
    let Some(auth_domain) = organization?.auth_domain.clone() else {
        let message = "the Zero Trust organization has no team domain";
        return Err(FlowError::conflict(message).hint("`cfsso team show`").into());
    };
    let url = idp_test::link(&auth_domain, &idp);
    if args.open {
        context.open_in_browser(&url);
    }
    let options = &context.settings.options;
    let asks = context.screen.can_ask() && !options.yes && !options.dry_run;
    let mut succeeded = None;
    if asks {
        context.screen.show(&|page| page.line(Text::plain("Test: ") + Text::strong(&url)));
        let question = Text::plain("Did the sign-in succeed? Type ")
            + Text::strong("yes")
            + " or "
            + Text::strong("no")
            + ":";
        let said = context.ask_until(&question, "`yes` or `no`", answer).await?;
        idp_test::record(&env, &idp, said)?;
        succeeded = Some(said);
    }
    let exit = if succeeded == Some(false) { ExitCode::Findings } else { ExitCode::Done };
    let (id, name) = (idp.id.to_string(), idp.name.clone());
    let report = Report { schema: "cfsso/idp-test/v1", id, name, url, succeeded };
    Ok(Outcome::done(report).exit(exit))
}

fn answer(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" => Some(true),
        "n" | "no" => Some(false),
        _ => None,
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        match self.succeeded {
            None => page.line(&self.url),
            Some(true) => page.status_line(Status::Done, format!("{}: tested by hand", self.name)),
            Some(false) => {
                page.status_line(Status::Failed, format!("{}: the test failed", self.name));
                page.fix("", &format!("`cfsso idp check {}`", self.id));
            }
        }
    }

    fn names(&self) -> Vec<String> {
        vec![self.url.clone()]
    }
}
