//! `cfsso federation share`: grant, share and wait in one step, which a second run resumes.

use clap::ArgGroup;

use super::super::{Outcome, plan_output};
use super::steps;
use crate::api::account::Account;
use crate::api::idp::Idp;
use crate::api::ids::AccountId;
use crate::commands::share::audience::{self, AudienceArgs};
use crate::context::Context;
use crate::flow::federation::accounts::{self, AccountDirectory};
use crate::flow::federation::progress::Event;
use crate::flow::federation::share::{self, Options, Report};
use crate::flow::federation::{default_name, eligibility, state};
use crate::flow::idp;
use crate::input::value;
use crate::interview::{self, Choice, Question};
use crate::output::{Page, Render, Text};

#[derive(clap::Args, Debug)]
#[command(
    group(ArgGroup::new("recipients").args(AudienceArgs::EXCLUSIVE)),
    override_usage = "cfsso federation share <IDP> --to <ACCOUNT>... [OPTIONS]",
    after_help = "Examples:
  cfsso federation share Okta --to 01a7362d577a6c3019a474fd6f485823
  cfsso federation share Okta --to Cats --to Dogs --no-wait
  cfsso federation share Okta --entire-organization --confirm Okta
  cfsso federation share Okta --to Cats --dry-run"
)]
pub struct Args {
    /// Name, ID or (if unique) type of the identity provider (asks on a terminal)
    idp: Option<String>,

    #[command(flatten)]
    audience: AudienceArgs,

    /// Name of the share, if one is created
    #[arg(long, value_name = "NAME", value_parser = value::name)]
    name: Option<String>,

    /// Do not wait until every recipient is associated
    #[arg(long)]
    no_wait: bool,
}

pub async fn run(mut args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let (idps, directory) = tokio::join!(idp::list(&env), accounts::read(&env));
    let (idps, directory) = (idps?, directory?);
    let name = match &args.idp {
        Some(name) => name.clone(),
        None => ask_idp(&idps, context).await?,
    };
    let idp = idp::pick(&idps, &name)?.clone();
    eligibility::ensure_shareable(&idp)?;
    if args.audience.is_empty() {
        args.audience.to.push(ask_recipient(&directory, env.account, context).await?);
    }
    let audience = args.audience.resolve(env.account, &directory, context)?;
    let options = Options {
        name: args.name.unwrap_or_else(|| default_name(&idp)),
        idp,
        audience,
        wait: !args.no_wait,
        deadline: context.wait_deadline(),
    };
    let state = state::read(&env, &options.idp.id).await?;
    let plan = share::plan(&env, &options, &state);
    let changes = !plan.changes.is_empty();
    if let Some(outcome) = plan_output::finish_dry_run(context, plan, "sharing")? {
        return Ok(outcome);
    }
    if changes {
        audience::confirm(&options.audience, &options.idp.name, context).await?;
    }
    let on_event = |event: &Event<'_>| steps::show(event, context);
    let (report, end) = share::run(&env, &options, &state, &directory, &on_event).await;
    context.screen.end_progress();
    Ok(Outcome::done(report).failed(end.err().map(Into::into)))
}

const USAGE: &str = "`cfsso federation share <IDP> --to <ACCOUNT>`";

async fn ask_idp(idps: &[Idp], context: &Context) -> anyhow::Result<String> {
    let shareable = idps.iter().filter(|idp| eligibility::ensure_shareable(idp).is_ok());
    let choices = shareable
        .map(|idp| Choice::new(idp.id.as_str(), format!("{} ({})", idp.name, idp.kind.as_str())));
    let help = "Users of the other accounts can sign in through it, too";
    let question = Question::text("idp", "Identity provider", help).with_choices(choices);
    interview::ask_missing(context, &question, USAGE, |id| Ok(id.to_owned())).await
}

async fn ask_recipient(
    directory: &AccountDirectory,
    own: &AccountId,
    context: &Context,
) -> anyhow::Result<String> {
    // An identity provider can only be shared within one organization.
    let organization = directory.membership(own);
    let is_other = |account: &&Account| {
        account.id != *own && directory.membership(&account.id) == organization
    };
    let others = directory.accounts().iter().filter(is_other);
    let choices = others.map(|account| {
        let name = account.name.as_deref().unwrap_or_default();
        Choice::new(account.id.as_str(), format!("{name}  {}", account.id))
    });
    let help = "The account that gets the identity provider. `--entire-organization` shares it \
                with all accounts, present and future";
    let question = Question::text("to", "Recipient", help).with_choices(choices);
    interview::ask_missing(context, &question, USAGE, |id| Ok(id.to_owned())).await
}

impl Render for Report {
    /// The steps were shown while they ran; only the summary is left.
    fn show(&self, page: &mut Page) {
        if !self.ok {
            return;
        }
        page.blank();
        let there = self.result.recipients.iter().filter(|one| one.is_associated()).count();
        let all = self.result.recipients.len();
        page.paragraph(Text::strong(format!(
            "{} is shared; associated: {there} of {all}.",
            self.result.idp_name
        )));
        if there < all {
            page.line(Text::plain("Next: ") + Text::prose("`cfsso federation status`"));
        }
    }

    fn names(&self) -> Vec<String> {
        self.result.share_ids.clone()
    }
}
