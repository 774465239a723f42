//! `cfsso connector verify`: starts verification only if it can succeed.

use serde::Serialize;

use super::super::{Outcome, dig, plan_output};
use super::view::Shown;
use crate::api::connector::{Connector, VerificationStatus};
use crate::context::Context;
use crate::dns::{self, Diagnosis, Scope};
use crate::domain::EmailDomain;
use crate::flow::connector::{self, Selector};
use crate::flow::verify::{self, VerifyAction};
use crate::flow::{Env, FlowError};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector verify cool.cats
  cfsso connector verify cool.cats --wait --timeout 2h -o json")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// Wait for the TXT record and the verification
    #[arg(long)]
    wait: bool,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    if connector.is_verified() {
        let note = format!("no change: {} is already verified", connector.email_domain);
        return Ok(plan_output::already_done(context, Shown::from(connector), note));
    }
    let domain: EmailDomain = connector.email_domain.parse()?;
    let diagnosis = check_txt(
        &env,
        &connector,
        &domain,
        args.wait && !context.settings.options.dry_run,
        context,
    )
    .await?;
    if let Some(diagnosis) = diagnosis.filter(|diagnosis| !verify::can_succeed(diagnosis)) {
        return Err(not_published_error(&domain, &connector, &diagnosis).into());
    }
    let mut changes = Vec::new();
    if verify::next_action(&connector) == VerifyAction::Begin {
        changes.push(verify::begin_action(&env, domain.as_str(), &connector.id).change());
    }
    if let Some(outcome) = plan_output::finish_dry_run(context, changes, "verifying")? {
        return Ok(outcome);
    }
    let connector = if args.wait {
        wait_for_result(&env, connector, context).await?
    } else if verify::next_action(&connector) == VerifyAction::Begin {
        verify::begin(&env, &connector).await?
    } else {
        connector
    };
    let in_progress = (!connector.is_verified()).then(|| in_progress_error(&domain).into());
    Ok(Outcome::done(Shown::from(connector)).failed(in_progress))
}

fn in_progress_error(domain: &EmailDomain) -> FlowError {
    FlowError::not_yet(format!("verification of {domain} is in progress"))
        .hint(format!("`cfsso connector verify {domain} --wait`"))
}

/// `None` if the API returned no verification code.
async fn check_txt(
    env: &Env<'_>,
    connector: &Connector,
    domain: &EmailDomain,
    wait: bool,
    context: &Context,
) -> anyhow::Result<Option<Diagnosis>> {
    let Some(code) = connector.code() else { return Ok(None) };
    if !wait {
        let lookup = env.resolver.lookup(domain, None, Scope::Authoritative).await;
        return Ok(Some(dns::diagnose(&lookup, Some(code.as_bytes()), context.clock.now())));
    }
    let diagnosis = wait_for_txt(env, domain, code, context).await;
    context.screen.end_progress();
    Ok(Some(diagnosis))
}

pub(super) async fn wait_for_txt(
    env: &Env<'_>,
    domain: &EmailDomain,
    code: &str,
    context: &Context,
) -> Diagnosis {
    let (code, deadline) = (Some(code.as_bytes()), context.wait_deadline());
    let found = dns::wait_until_visible(env.resolver, domain, code, deadline, |diagnosis| {
        dig::show_wait(diagnosis, &format!("TXT record of {domain}"), context);
    });
    found.await.diagnosis
}

async fn wait_for_result(
    env: &Env<'_>,
    connector: Connector,
    context: &Context,
) -> anyhow::Result<Connector> {
    let resume = format!("cfsso connector verify {} --wait", connector.email_domain);
    let on_look = |connector: &Connector| {
        let status = connector.status().map_or("unknown", VerificationStatus::as_str);
        let text = format!("verification of {}: {status}", connector.email_domain);
        show_wait(status, &text, context);
    };
    let deadline = context.wait_deadline();
    let followed = verify::wait_until_verified(env, connector, deadline, &resume, &on_look).await;
    context.screen.end_progress();
    Ok(followed?)
}

#[derive(Serialize)]
struct StateEvent<'a> {
    event: &'static str,
    state: &'a str,
    text: &'a str,
}

pub(super) fn show_wait(state: &str, text: &str, context: &Context) {
    context.screen.event(&StateEvent { event: "waiting", state, text });
    context.screen.start_wait(text);
}

pub fn with_remedy(diagnosis: &Diagnosis, hint: &str) -> String {
    let remedy = diagnosis.remedy.iter().map(String::as_str);
    remedy.chain([hint]).collect::<Vec<_>>().join("\n")
}

fn not_published_error(
    domain: &EmailDomain,
    connector: &Connector,
    diagnosis: &Diagnosis,
) -> FlowError {
    let code = connector.code().unwrap_or_default();
    let is_named = diagnosis.remedy.as_ref().is_some_and(|remedy| remedy.contains(code));
    let record = (!is_named).then(|| format!("record: {domain} TXT {code}"));
    FlowError::not_yet(format!(
        "the TXT record of {domain} is not published; verification would fail"
    ))
    .cause(diagnosis.summary.clone())
    .causes(record)
    .hint(with_remedy(
        diagnosis,
        &format!(
            "`cfsso setup {domain} --publish-txt`, or `cfsso connector verify {domain} --wait`"
        ),
    ))
}
