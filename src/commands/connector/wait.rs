use super::super::Outcome;
use super::enable::note_foreign_trial;
use super::verify::{show_wait, wait_for_txt, with_remedy};
use super::view::Shown;
use crate::api::connector::{Connector, VerificationStatus};
use crate::context::Context;
use crate::dns::Verdict;
use crate::domain::EmailDomain;
use crate::flow::connector::{self, Selector};
use crate::flow::trial::keep;
use crate::flow::{Env, FlowError, verify};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso connector wait cool.cats --for verified --timeout 2h
  cfsso connector wait cool.cats --for txt && cfsso connector verify cool.cats")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    /// State to wait for
    #[arg(long = "for", value_name = "STATE")]
    wanted: Condition,
}

#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// Every name server returns the TXT record
    Txt,
    /// Domain verified
    Verified,
    /// SSO enabled
    Enabled,
    /// SSO disabled
    Disabled,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let connector = connector::find(&env, &selector).await?;
    let waited = match args.wanted {
        Condition::Txt => for_txt(&env, connector, context).await,
        wanted => for_state(&env, connector, wanted, context).await,
    };
    context.screen.end_progress();
    Ok(Outcome::done(Shown::from(waited?)))
}

async fn for_txt(
    env: &Env<'_>,
    connector: Connector,
    context: &Context,
) -> anyhow::Result<Connector> {
    let domain: EmailDomain = connector.email_domain.parse()?;
    let Some(code) = connector.code() else {
        return Err(FlowError::not_yet(format!(
            "the API returned no verification code for {domain}"
        ))
        .into());
    };
    let diagnosis = wait_for_txt(env, &domain, code, context).await;
    if diagnosis.verdict == Verdict::Visible {
        return Ok(connector);
    }
    Err(FlowError::not_yet(format!("timed out: TXT record of {domain}"))
        .cause(diagnosis.summary.clone())
        .hint(with_remedy(&diagnosis, &format!("`cfsso dig {domain} --connector {domain}`")))
        .into())
}

async fn for_state(
    env: &Env<'_>,
    connector: Connector,
    wanted: Condition,
    context: &Context,
) -> anyhow::Result<Connector> {
    let domain = connector.email_domain.clone();
    let is_so = |connector: &Connector| match wanted {
        Condition::Verified => connector.is_verified(),
        Condition::Enabled => connector.is_enabled(),
        Condition::Disabled => connector.enabled == Some(false),
        Condition::Txt => unreachable!("TXT record"),
    };
    let tell = |connector: &Connector| {
        let state = current_state(connector, wanted);
        let text = format!("waiting for {domain} to be {} (now {state})", wanted.label());
        show_wait(&state, &text, context);
    };
    let reached = verify::poll_until(env, connector, context.wait_deadline(), is_so, &tell).await?;
    if let (Condition::Enabled, Some(connector)) = (wanted, &reached) {
        keep::ensure_not_on_trial(env, connector)?;
        note_foreign_trial(env, connector, context);
    }
    reached.ok_or_else(|| {
        FlowError::not_yet(format!("timed out: {domain} is not {}", wanted.label()))
            .hint(format!("`cfsso connector get {domain}`"))
            .into()
    })
}

impl Condition {
    fn label(self) -> &'static str {
        match self {
            Self::Txt => "published",
            Self::Verified => "verified",
            Self::Enabled => "enabled",
            Self::Disabled => "disabled",
        }
    }
}

fn current_state(connector: &Connector, wanted: Condition) -> String {
    if wanted == Condition::Verified {
        return connector.status().map_or("unknown", VerificationStatus::as_str).to_owned();
    }
    match connector.enabled {
        Some(true) => "enabled".to_owned(),
        Some(false) => "disabled".to_owned(),
        None => "unknown".to_owned(),
    }
}
