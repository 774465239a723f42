//! `cfsso idp check`. Never claims that a sign-in works.

use futures_util::stream::{self, StreamExt as _};
use schemars::JsonSchema;
use serde::Serialize;

use super::super::{Outcome, fleet};
use crate::api::idp::{Idp, IdpType};
use crate::context::Context;
use crate::flow::update::Update;
use crate::flow::{Env, FlowError, idp};
use crate::idp::check::{self, CheckOptions, CheckState, DASHBOARD, IdpCheck, Severity, Subject};
use crate::output::{ExitCode, Page, Render, Rows, Status, Text};

/// How many identity providers are checked at the same time before a change.
const MAX_CONCURRENT: usize = 8;

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso idp check Okta
  cfsso idp check -o json | jq '.idps[].checks[] | select(.state == \"failed\")'")]
pub struct Args {
    /// Name, ID or type of the identity provider (default: the allowed ones)
    #[arg(conflicts_with = "all")]
    idp: Option<String>,

    /// Check all identity providers of the account
    #[arg(long)]
    all: bool,

    /// Warn about certificates that expire within N days
    #[arg(long, value_name = "DAYS", default_value_t = 30)]
    cert_days: u32,
}

/// The result of `cfsso idp check`.
#[derive(Serialize, JsonSchema)]
pub struct Report {
    schema: &'static str,
    /// Whether no check failed. The checks do not test a real sign-in.
    ok: bool,
    idps: Vec<IdpResult>,
    /// The dashboard page for testing a sign-in.
    dashboard_url: &'static str,
}

/// The results of the checks of one identity provider.
#[derive(Serialize, JsonSchema)]
struct IdpResult {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    checks: Vec<IdpCheck>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::run(context, "idp check", async |env| read(&args, context, env).await).await
}

async fn read(args: &Args, context: &Context, env: &Env<'_>) -> anyhow::Result<Outcome> {
    let idps = idp::list(env).await?;
    let pins = idps.iter().filter(|idp| idp.kind == IdpType::OneTimePin).count();
    let chosen: Vec<&Idp> = match &args.idp {
        Some(text) => vec![idp::pick(&idps, text)?],
        None => idps.iter().collect(),
    };
    let fetcher = context.fetcher().await?;
    if context.settings.accounts.is_one() {
        context.screen.start_progress("testing identity providers");
    }
    let thresholds =
        CheckOptions { cert_days: args.cert_days, ..CheckOptions::new(context.clock.now(), pins) };
    let checks = chosen.into_iter().map(async |idp| IdpResult {
        id: idp.id.to_string(),
        name: idp.name.clone(),
        kind: idp.kind.as_str().to_owned(),
        checks: check::check(&fetcher, Subject::of(idp), &thresholds).await,
    });
    let idps = futures_util::future::join_all(checks).await;
    let failed = idps.iter().flat_map(|idp| &idp.checks).filter(|point| point.is_failure()).count();
    let report =
        Report { schema: "cfsso/idp-check/v1", ok: failed == 0, idps, dashboard_url: DASHBOARD };
    let exit = if failed == 0 { ExitCode::Done } else { ExitCode::Findings };
    Ok(Outcome::done(report).exit(exit))
}

/// Fails if the identity provider that users sign in through would fail a check after `edit`.
/// `pins`: the number of one-time PIN providers in the account.
pub async fn ensure_still_works(
    context: &Context,
    edit: &Update,
    pins: usize,
) -> anyhow::Result<()> {
    let Ok(changed) = serde_json::from_str::<Idp>(edit.desired.to_raw().get()) else {
        return Ok(());
    };
    let message =
        format!("users sign in through `{}`, which would not work any longer", edit.name());
    ensure_works(context, &changed, pins, message).await
}

/// Fails with `message` if a check of `chosen` fails. `pins`: as in `ensure_still_works`.
pub async fn ensure_works(
    context: &Context,
    chosen: &Idp,
    pins: usize,
    message: String,
) -> anyhow::Result<()> {
    let failed = failures(context, chosen, pins).await?;
    if failed.is_empty() {
        return Ok(());
    }
    Err(FlowError::refused(message)
        .causes(failed)
        .hint(format!("`cfsso idp check {}`, or `--force` to override", chosen.id))
        .into())
}

/// Fails with `message` if a check of each of `chosen` fails. `pins`: as in `ensure_still_works`.
pub async fn ensure_any_works(
    context: &Context,
    chosen: &[&Idp],
    pins: usize,
    message: String,
) -> anyhow::Result<()> {
    let checks = chosen.iter().map(async |idp| {
        let failed = failures(context, idp, pins).await?;
        anyhow::Ok(failed.first().map(|first| format!("{}: {first}", idp.name)))
    });
    let mut results = stream::iter(checks).buffered(MAX_CONCURRENT);
    let mut causes = Vec::new();
    while let Some(failure) = results.next().await {
        let Some(failure) = failure? else { return Ok(()) };
        causes.push(failure);
    }
    let hint = "`cfsso idp check`, or `--force` to override";
    Err(FlowError::refused(message).causes(causes).hint(hint).into())
}

async fn failures(context: &Context, chosen: &Idp, pins: usize) -> anyhow::Result<Vec<String>> {
    let fetcher = context.fetcher().await?;
    let options = CheckOptions::new(context.clock.now(), pins);
    let points = check::check(&fetcher, Subject::of(chosen), &options).await;
    Ok(points.iter().filter(|point| point.is_failure()).map(IdpCheck::describe).collect())
}

fn mark(check: &IdpCheck) -> Status {
    match (check.state, check.severity) {
        (CheckState::Passed, _) => Status::Passed,
        (CheckState::NotTested, _) => Status::NotChecked,
        (CheckState::Failed, Severity::Warning) => Status::Warning,
        (CheckState::Failed, Severity::Error) => Status::Failed,
    }
}

impl IdpResult {
    /// A row per failed check, or one with the count of passed checks.
    fn rows(&self, page: &Page) -> Vec<Vec<Text>> {
        let row = |state, detail: Text| {
            vec![Text::strong(&self.name), Text::plain(&self.kind), page.mark(state), detail]
        };
        let failed = self.checks.iter().filter(|check| check.state == CheckState::Failed);
        let failed = failed.map(|check| {
            let detail = format!("{}: {}", check.id.as_str(), check.detail);
            row(mark(check), Text::prose(detail))
        });
        let rows: Vec<_> = failed.collect();
        if !rows.is_empty() {
            return rows;
        }
        let passed = self.checks.iter().filter(|check| check.state == CheckState::Passed).count();
        vec![row(Status::Passed, format!("{passed} passed (sign-in not tested)").into())]
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        for idp in &self.idps {
            page.line(Text::strong(&idp.name) + Text::dim(format!("  {}  {}", idp.kind, idp.id)));
            for point in &idp.checks {
                page.step(mark(point), point.id.as_str(), Text::prose(&point.detail));
                // The dashboard link is shown once, at the end.
                if let Some(remedy) = point.fix.as_ref().filter(|it| !it.contains(DASHBOARD)) {
                    page.fix("", remedy);
                }
            }
            page.blank();
        }
        page.paragraph(format!("Sign-in not tested. Use Test in the dashboard: {DASHBOARD}"));
    }

    fn rows(&self, page: &Page) -> Rows {
        let cells = self.idps.iter().flat_map(|idp| idp.rows(page)).collect();
        Rows { headers: vec!["IDENTITY PROVIDER", "TYPE", "STATE", "DETAIL"], cells }
    }

    fn names(&self) -> Vec<String> {
        self.idps.iter().map(|idp| idp.name.clone()).collect()
    }
}
