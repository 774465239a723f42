//! `cfsso recovery check`: needs no DNS and no identity provider, and writes nothing.

use std::path::{Path, PathBuf};

use super::super::doctor::{self, Level, ReportFormat};
use super::super::{Outcome, fleet};
use super::need_administrator;
use crate::context::Context;
use crate::flow::doctor::{check_recovery, read_recovery, writable_journal};
use crate::flow::preflight::{Sources, Thresholds};
use crate::flow::recovery::fingerprint::Fingerprint;
use crate::flow::recovery::rehearsal::{self, AccessLists};
use crate::flow::recovery::state::RecoveryState;
use crate::flow::{Env, FlowError};

/// In bytes; the card of many connectors has some tens of kilobytes.
const MAX_CARD: usize = 1024 * 1024;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso recovery check
  cfsso recovery check --token-file emergency-token --min-days 30 --fail-on warning
  cfsso recovery check --format junit > recovery.xml
  cfsso recovery check --card card.html

Run it with the emergency token itself, on a schedule. It needs no identity provider
and writes nothing. Exits 10 on findings at or above --fail-on, 4 or 5 if the API
rejects the token.")]
pub struct Args {
    /// Required remaining validity of the token, in days
    #[arg(long, value_name = "DAYS", default_value_t = Thresholds::MIN_TOKEN_DAYS)]
    min_days: u32,

    /// Exit 10 on findings of this severity or higher
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: Level,

    /// Compare this recovery card with the current state
    #[arg(long, value_name = "FILE")]
    card: Option<PathBuf>,

    /// Report format for CI
    #[arg(long, value_name = "FORM", conflicts_with_all = ["output", "jq", "output_fields"])]
    format: Option<ReportFormat>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::ensure_one(context, args.format.is_some(), "--format")?;
    fleet::ensure_one(context, args.card.is_some(), "--card")?;
    context.screen.note("write access is not tested: only a bypass shows it");
    fleet::run(context, "recovery check", async |env| read(&args, context, env).await).await
}

async fn read(args: &Args, context: &Context, env: &Env<'_>) -> anyhow::Result<Outcome> {
    let Args { min_days, fail_on, ref card, format } = *args;
    let card = match card {
        Some(file) => Some(fingerprint(file, context).await?),
        None => None,
    };
    let thresholds = Thresholds::new(context.clock.now(), min_days);
    let sources = Sources { fetcher: None, recovery: None, audit_log: false };
    let read = read_recovery(env, &sources).await?;
    let odd = env.client.odd_records(None);
    let mut audit = check_recovery(&read, &thresholds, &odd);
    let rehearsals = rehearsal::rehearse(env, &read.connectors, &AccessLists::of(&read.facts));
    audit.findings.push(rehearsal::finding(&rehearsals));
    audit.findings.push(writable_journal(env.journal.ensure_writable()));
    if context.settings.options.token_file.is_some() {
        need_administrator(&mut audit.findings);
    }
    if let Some(card) = card {
        let state = RecoveryState::of(env.account, &read, &odd);
        audit.findings.push(card.check(&state.fingerprint()));
    }
    let report = doctor::report("recovery check", audit, (fail_on, &[]), env.account.to_string());
    doctor::print(report, format, context)
}

async fn fingerprint(file: &Path, context: &Context) -> Result<Fingerprint, FlowError> {
    let bytes = context.read_file(file, MAX_CARD, "recovery card").await?;
    Fingerprint::find(&String::from_utf8_lossy(&bytes)).ok_or_else(|| {
        let message = format!("{} is not a recovery card", file.display());
        FlowError::usage(message).hint("`cfsso recovery prepare --card FILE`")
    })
}
