//! `cfsso plan`: what `apply` would change, from one round of reads.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::super::Outcome;
use super::file::{self, SCHEMA};
use crate::context::Context;
use crate::flow::bypass::status::{self, Bypass, BypassState};
use crate::flow::desired::change::{Changes, Group, PlannedChange, Task};
use crate::flow::desired::facts::{self, Facts, Parts, Unread};
use crate::flow::desired::plan;
use crate::flow::desired::{Desired, SecretPlace};
use crate::flow::{Env, FlowError, FlowErrorKind};
use crate::input;
use crate::output::{ExitCode, Page, Render, Status, Text};
use crate::plural::count_noun;
use crate::private_file;
use crate::shell::quoted;

/// Arguments of `plan`.
#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso plan -f sso.yaml
  cfsso plan -f sso.yaml --detailed-exitcode -o json
  cfsso plan -f sso.yaml --out sso.plan

Nothing is changed. With --detailed-exitcode it exits 10 if there are changes.")]
pub struct Args {
    /// File with the desired state (YAML, JSON or TOML), `-` for stdin
    #[arg(short, long, value_name = "FILE")]
    pub file: PathBuf,

    /// Delete objects that a section of the file does not list
    #[arg(long)]
    pub prune: bool,

    /// Write the plan to this file, for `cfsso apply`
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The changes that bring an account to its desired state.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ConfigPlan {
    schema: &'static str,
    /// The ID of the account.
    pub account: String,
    /// The file with the desired state.
    file: String,
    /// SHA-256 of the state that the plan was computed from.
    pub fingerprint: String,
    /// Whether objects that a section of the file does not list are deleted.
    pub prune: bool,
    /// The number of changes.
    pub count: usize,
    /// The changes, in execution order.
    pub changes: Vec<PlannedChange>,
    /// The desired state.
    pub desired: Desired,
    #[serde(skip)]
    account_name: String,
    #[serde(skip)]
    next: String,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    if let Some(out) = &args.out {
        ensure_replaceable(out)?;
    }
    let desired = file::read(context, &args.file).await?;
    let env = context.env().await?;
    let (facts, changes) = compute(&env, &desired, args.prune, context).await?;
    warn_missing_secrets(&desired, &changes, context);
    let next = match &args.out {
        Some(out) => format!("cfsso apply {}", quoted(&out.display().to_string())),
        None => apply_command(&args.file, args.prune),
    };
    let source = (desired, args.prune, args.file.as_path());
    let account = display_account(&env, &facts, context);
    let report = ConfigPlan::new(&env, &facts, changes, source, account, next);
    if let Some(out) = &args.out {
        let text = serde_json::to_string_pretty(&report)? + "\n";
        private_file::replace(out, &text).map_err(|error| {
            let message = format!("cannot write the plan `{}`", out.display());
            FlowError::usage(message).cause(error.to_string())
        })?;
    }
    Ok(report.outcome(context))
}

/// Only a warning, because `apply` may run on another machine.
fn warn_missing_secrets(desired: &Desired, changes: &Changes, context: &Context) {
    for change in &changes.changes {
        let Task::CreateIdp(at) = change.task else { continue };
        for (_, place) in desired.idps()[at].secrets() {
            let missing = match place {
                SecretPlace::Variable(name) if context.variable(&name).is_none() => {
                    format!("the environment variable `{name}` is not set")
                }
                SecretPlace::File(file) if !file.exists() => {
                    format!("there is no file {}", file.display())
                }
                _ => continue,
            };
            let text = format!("{missing}; `apply` needs it for {}", change.subject);
            context.screen.warn(Text::prose(text));
        }
    }
}

/// Fails if there is anything but a plan.
fn ensure_replaceable(out: &Path) -> Result<(), FlowError> {
    if out == Path::new("-") {
        let message = "`--out` takes the name of a file";
        return Err(FlowError::usage(message).hint("`-o json` prints the plan"));
    }
    let is_file = match fs::metadata(out) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        found => found.is_ok_and(|found| found.is_file()),
    };
    let text = if is_file {
        input::file::read(out, file::LARGEST).unwrap_or_default()
    } else {
        Vec::new()
    };
    let kept = serde_json::from_slice::<Value>(&text).unwrap_or_default();
    if kept["schema"] == SCHEMA {
        return Ok(());
    }
    let message = format!("{} exists, and is not a plan: not replaced", out.display());
    Err(FlowError::conflict(message).hint("`--out` with another name"))
}

pub fn apply_command(file: &Path, prune: bool) -> String {
    let prune = if prune { " --prune" } else { "" };
    format!("cfsso apply -f {}{prune}", quoted(&file.display().to_string()))
}

impl ConfigPlan {
    /// `next` is the command that applies the plan, `account_name` what [`display_account`] says.
    pub fn new(
        env: &Env<'_>,
        facts: &Facts,
        changes: Changes,
        (desired, prune, file): (Desired, bool, &Path),
        account_name: String,
        next: String,
    ) -> Self {
        Self {
            schema: SCHEMA,
            account: env.account.to_string(),
            account_name,
            file: file.display().to_string(),
            fingerprint: facts.fingerprint(),
            prune,
            count: changes.changes.len(),
            changes: changes.changes,
            desired,
            next,
        }
    }

    pub fn outcome(self, context: &Context) -> Outcome {
        let finds = context.settings.options.detailed_exitcode && self.count > 0;
        let exit = if finds { ExitCode::Findings } else { ExitCode::Done };
        Outcome::done(self).exit(exit)
    }
}

/// With the name, if a request that was needed anyway returned it.
pub fn display_account(env: &Env<'_>, facts: &Facts, context: &Context) -> String {
    match context.account_name() {
        Some(name) => format!("{name} ({})", env.account),
        None => facts.directory.display_name(env.account),
    }
}

pub async fn compute(
    env: &Env<'_>,
    desired: &Desired,
    prune: bool,
    context: &Context,
) -> anyhow::Result<(Facts, Changes)> {
    let mut facts = read_facts(env, desired, prune).await?;
    facts.bypasses = active_bypasses(env, context).await;
    let changes = plan::plan(&facts, desired, env.account, prune)?;
    for warning in &changes.warnings {
        context.screen.warn(Text::prose(warning.as_str()));
    }
    Ok((facts, changes))
}

/// Sends no request if the journal has no open bypass.
async fn active_bypasses(env: &Env<'_>, context: &Context) -> Vec<Bypass> {
    let entries = match super::super::journal::read(context) {
        Ok(contents) => contents.entries,
        Err(error) => {
            context.screen.warn(format!("journal not read: {}", error.message));
            return Vec::new();
        }
    };
    let status = Box::pin(status::read_status(env, &entries)).await;
    let open = status.bypasses.into_iter().filter(|it| it.state != BypassState::Reverted);
    open.collect()
}

pub async fn read_facts(env: &Env<'_>, desired: &Desired, prune: bool) -> anyhow::Result<Facts> {
    let federation =
        desired.federation.is_some() || (prune && desired.identity_providers.is_some());
    let access = federation || desired.identity_providers.is_some() || desired.sso_app.is_some();
    let (facts, unread) = facts::read(env, Parts { access, federation }).await?;
    if let Some(Unread { what, reason }) = unread.into_iter().next() {
        let message = format!("cannot read the {what} that the file names");
        return Err(FlowError::new(FlowErrorKind::Forbidden, message).cause(reason).into());
    }
    Ok(facts)
}

pub fn show_changes(account: &str, changes: &[PlannedChange], page: &mut Page) {
    page.line(Text::plain(format!("Account: {account}")));
    page.blank();
    for group in Group::ALL {
        let of_group: Vec<_> = changes.iter().filter(|change| change.group == group).collect();
        if of_group.is_empty() {
            continue;
        }
        page.line(Text::strong(group.title()));
        for change in of_group {
            page.status_line(Status::Pending, Text::plain(&change.title));
            for difference in &change.diff {
                page.line(Text::dim(format!("  {}", difference.to_string().replace('`', ""))));
            }
        }
        page.blank();
    }
}

impl Render for ConfigPlan {
    fn show(&self, page: &mut Page) {
        if self.count == 0 {
            page.line("No changes: the account is as desired.");
            return;
        }
        show_changes(&self.account_name, &self.changes, page);
        page.line(Text::strong(format!("{}. Nothing was sent.", count_noun(self.count, "change"))));
        page.line(Text::plain("Next: ") + Text::prose(format!("`{}`", self.next)));
    }

    fn names(&self) -> Vec<String> {
        self.changes.iter().map(|change| change.title.clone()).collect()
    }
}
