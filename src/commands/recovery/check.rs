//! `cfsso recovery check`: two rounds of reads with the credential that would be
//! used in a lockout; no DNS, no identity provider, no write.

use super::super::Outcome;
use super::super::doctor::{self, Level, ReportFormat};
use crate::context::Context;
use crate::flow::doctor::check_recovery;
use crate::flow::preflight::Thresholds;

/// Arguments of `recovery check`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso recovery check
  cfsso recovery check --token-file emergency-token --min-days 30 --fail-on warning
  cfsso recovery check --format junit > recovery.xml

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

    /// Report format for CI
    #[arg(long, value_name = "FORM")]
    format: Option<ReportFormat>,
}

/// Checks, and reports as `doctor` does.
pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let Args { min_days, fail_on, format } = args;
    let tools = context.tools().await?;
    let terms = Thresholds {
        now: context.clock.now(),
        min_token_days: min_days,
        login_within: Thresholds::LOGIN_WITHIN,
    };
    let audit = check_recovery(&tools, &terms).await?;
    let report = doctor::report("recovery check", audit, (fail_on, &[]), tools.account.to_string());
    context.screen.note("write access is not tested: only a bypass shows it");
    doctor::print(report, format, context)
}
