use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Outcome;
use crate::context::Context;
use crate::flow::Env;
use crate::flow::check::{Check, CheckId, CheckState};
use crate::flow::connector::Selector;
use crate::flow::plan::Plan;
use crate::flow::preflight::{self, Preflight, RunIf, Sources, Thresholds};
use crate::flow::setup::EnableOptions;
use crate::input::time::duration;
use crate::output::{Page, Render, Status, Text};
use crate::plural::count_noun;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso preflight cool.cats
  cfsso preflight cool.cats --recovery-token-file break-glass.token
  cfsso preflight cool.cats -o json | jq '.checks[] | select(.state != \"passed\")'

Nothing is changed. It exits with 11 where `cfsso enable` would refuse.")]
pub struct Args {
    /// Domain or ID of the connector
    connector: Option<Selector>,

    #[command(flatten)]
    guard: CheckArgs,
}

impl Args {
    pub fn of(connector: Selector) -> Self {
        Self { connector: Some(connector), guard: CheckArgs::default() }
    }
}

/// The options of the checks before enforcement: accepted risks, and the options
/// of the recovery checks.
#[derive(clap::Args, Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckArgs {
    /// Ignore this failed check (repeatable)
    #[arg(long, value_name = "CHECK")]
    accept_risk: Vec<CheckId>,

    #[command(flatten)]
    proof: RecoveryTokenArgs,
}

/// The options of the checks of emergency tokens and recent sign-ins.
#[derive(clap::Args, Clone, Debug, PartialEq, Eq)]
pub struct RecoveryTokenArgs {
    /// Check the emergency token in this file as well (not stored)
    #[arg(long, value_name = "FILE")]
    recovery_token_file: Option<PathBuf>,

    /// Required remaining validity of emergency tokens, in days
    #[arg(long, value_name = "DAYS", default_value_t = Thresholds::MIN_TOKEN_DAYS)]
    pub min_token_days: u32,

    /// Maximum age of a sign-in that counts as recent
    #[arg(long, value_name = "DURATION", default_value = "30d", value_parser = duration)]
    pub login_within: Duration,
}

impl CheckArgs {
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub async fn run_checks(
        self,
        context: &Context,
        env: &Env<'_>,
        selector: &Selector,
        (wanted, audit_log): (RunIf, bool),
    ) -> anyhow::Result<Preflight> {
        let mut options = self.enable_options(context).await?;
        options.asking.audit_log = audit_log;
        context.screen.start_progress("running the preflight checks");
        let thresholds = options.thresholds(context.clock.now());
        let mut preflight =
            preflight::run(env, selector, &options.asking, (thresholds, wanted)).await?;
        let checks = preflight.checks.into_iter();
        preflight.checks = checks.map(|check| check.accept_risks(&options.accepted)).collect();
        Ok(preflight)
    }

    pub async fn enable_options(self, context: &Context) -> anyhow::Result<EnableOptions> {
        let Self { proof, accept_risk: accepted } = self;
        let sources = proof.sources(context).await?;
        let RecoveryTokenArgs { min_token_days, login_within, recovery_token_file } = proof;
        Ok(EnableOptions {
            asking: sources,
            min_token_days,
            login_within,
            accepted,
            trial: None,
            recovery_token_file,
        })
    }
}

impl Default for RecoveryTokenArgs {
    fn default() -> Self {
        Self {
            recovery_token_file: None,
            min_token_days: Thresholds::MIN_TOKEN_DAYS,
            login_within: Thresholds::LOGIN_WITHIN,
        }
    }
}

impl RecoveryTokenArgs {
    pub async fn sources(&self, context: &Context) -> anyhow::Result<Sources> {
        let recovery = match &self.recovery_token_file {
            Some(file) => Some(context.client_by_file(file).await?),
            None => None,
        };
        Ok(Sources { fetcher: Some(context.fetcher().await?), recovery, audit_log: false })
    }
}

/// The result of `cfsso preflight`.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether no check prevents enabling SSO.
    ok: bool,
    /// The email domain.
    domain: String,
    /// The ID of the connector.
    connector: String,
    /// Whether SSO is already enabled.
    enabled: Option<bool>,
    /// The number of account members at the domain; `null` if members cannot be read.
    affected_members: Option<usize>,
    /// The counts of passed checks, failed checks and warnings, in words.
    summary: String,
    /// The checks, in execution order.
    checks: Vec<Check>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let selector = context.selector(args.connector.as_ref()).await?;
    let env = context.env().await?;
    let preflight = args.guard.run_checks(context, &env, &selector, (RunIf::Always, false)).await?;
    let members = preflight.facts.as_ref().and_then(|facts| facts.members.as_ref().ok());
    let affected_members = members.map(|all| preflight::at_domain(all, &preflight.domain).count());
    let plan = Plan::new(preflight.checks, Vec::new());
    let passes = plan.ensure_allowed(&format!("enabling `{}`", preflight.domain));
    let report = Report {
        schema: "cfsso/preflight/v1",
        ok: passes.is_ok(),
        domain: preflight.domain.to_string(),
        connector: preflight.connector.id.to_string(),
        enabled: preflight.connector.enabled,
        affected_members,
        summary: plan.summary(),
        checks: plan.checks,
    };
    Ok(Outcome::done(report).failed(passes.err().map(Into::into)))
}

fn mark(check: &Check) -> Status {
    match check.state {
        CheckState::Passed => Status::Passed,
        CheckState::Failed if check.blocks() => Status::Blocked,
        CheckState::Failed | CheckState::Accepted => Status::Warning,
        CheckState::NotChecked => Status::NotChecked,
    }
}

/// Passed checks only with `-v`.
pub fn show_checks(checks: &[Check], indent: &str, page: &mut Page) {
    let is_listed = |check: &&Check| check.state != CheckState::Passed || page.is_verbose();
    for check in checks.iter().filter(is_listed).collect::<Vec<_>>() {
        let title = format!("{indent}{}", check.id.name());
        page.step(mark(check), &title, Text::prose(&check.detail));
        if let (Some(remedy), CheckState::Failed) = (&check.fix, check.state) {
            page.fix(indent, remedy);
        }
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        show_checks(&self.checks, "", page);
        if self.checks.iter().any(|check| check.state != CheckState::Passed) {
            page.blank();
        }
        page.line(Text::strong(format!("{}: {}", self.domain, self.summary)));
        let members = self.affected_members.map_or_else(
            || "unknown".to_owned(),
            |count| count_noun(count, "member") + " of this account",
        );
        page.line(Text::prose(format!("Affected: {members} (`cfsso impact {}`)", self.domain)));
        if self.ok && self.enabled != Some(true) {
            page.line(
                Text::plain("Next: ") + Text::prose(format!("`cfsso enable {}`", self.domain)),
            );
        }
    }

    fn names(&self) -> Vec<String> {
        self.checks.iter().map(|check| check.id.name()).collect()
    }
}
