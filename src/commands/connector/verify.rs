//! `cfsso connector verify`: looks at the name servers, begins verification
//! when it can succeed, and with --wait follows both to the verdict.

use super::super::{Outcome, change};
use crate::api::connector::{Connector, Status};
use crate::context::Context;
use crate::dns::{self, Awaited, Judgement, Reach};
use crate::domain::EmailDomain;
use crate::flow::connector::{self, Selector};
use crate::flow::plan::Plan;
use crate::flow::verify::{self, Next};
use crate::flow::{Stop, StopKind, Tools};

/// Arguments of `connector verify`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector verify cool.cats
  cfsso connector verify cool.cats --wait --timeout 2h -o json")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Wait for the TXT record and for the verdict
    #[arg(long)]
    wait: bool,
}

/// Verifies a connector's domain.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref())?;
    let tools = context.tools().await?;
    let connector = connector::find(&tools, &selector).await?;
    if connector.is_verified() {
        let note = format!("{} is verified already: nothing to do", connector.email_domain);
        return Ok(change::done_already(context, connector, note));
    }
    let domain: EmailDomain = connector.email_domain.parse()?;
    let judgement =
        look(&tools, &connector, &domain, args.wait && !context.settings.options.dry_run, context)
            .await?;
    if let Some(judgement) = judgement.filter(|judgement| !verify::can_succeed(judgement)) {
        return Err(not_published(&domain, &connector, &judgement).into());
    }
    let mut changes = Vec::new();
    if verify::next(&connector) == Next::Begin {
        changes.push(verify::beginning(&tools, domain.as_str(), &connector.id).change());
    }
    if let Some(outcome) = change::settle(context, Plan::new(Vec::new(), changes), "verifying it")?
    {
        return Ok(outcome);
    }
    let connector = if args.wait {
        follow(&tools, connector, context).await?
    } else if verify::next(&connector) == Next::Begin {
        verify::begin(&tools, &connector).await?
    } else {
        connector
    };
    let left = (!connector.is_verified()).then(|| under_way(&domain).into());
    Ok(Outcome::done(connector).failed(left))
}

fn under_way(domain: &EmailDomain) -> Stop {
    Stop::new(StopKind::NotYet, format!("the verification of `{domain}` is under way"))
        .hint(format!("`cfsso connector verify {domain} --wait` follows it"))
}

/// What the name servers serve, now or by the end of the wait. None where the
/// API tells no code to look for.
async fn look(
    tools: &Tools<'_>,
    connector: &Connector,
    domain: &EmailDomain,
    wait: bool,
    context: &Context,
) -> anyhow::Result<Option<Judgement>> {
    let Some(code) = connector.code() else { return Ok(None) };
    if !wait {
        let survey = tools.resolver.survey(domain, None, Reach::Authoritative).await;
        return Ok(Some(dns::judge(&survey, Some(code.as_bytes()), context.clock.now())));
    }
    let Awaited { judgement, .. } = dns::await_visible(
        tools.resolver,
        domain,
        Some(code.as_bytes()),
        context.wait_deadline(),
        |_, judgement| {
            context.screen.waiting(format!("the TXT record of {domain}: {}", judgement.summary));
        },
    )
    .await;
    context.screen.settled();
    Ok(Some(judgement))
}

async fn follow(
    tools: &Tools<'_>,
    connector: Connector,
    context: &Context,
) -> anyhow::Result<Connector> {
    let followed =
        verify::until_verified(tools, connector, context.wait_deadline(), &|connector| {
            let status = connector.status().map_or("unknown", Status::as_str);
            context.screen.waiting(format!(
                "Cloudflare's verification of {}, now {status}",
                connector.email_domain
            ));
        })
        .await;
    context.screen.settled();
    Ok(followed?)
}

fn not_published(domain: &EmailDomain, connector: &Connector, judgement: &Judgement) -> Stop {
    let code = connector.code().unwrap_or_default();
    let is_named = judgement.remedy.as_ref().is_some_and(|remedy| remedy.contains(code));
    let record = (!is_named).then(|| format!("the record to publish is {domain} TXT {code}"));
    Stop::new(
        StopKind::NotYet,
        format!("the TXT record of `{domain}` is not published: verification would fail"),
    )
    .cause(judgement.summary.clone())
    .causes(judgement.remedy.clone())
    .causes(record)
    .hint(format!(
        "`cfsso setup {domain} --publish-txt`, or `cfsso connector verify {domain} --wait`"
    ))
}
