use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;

use super::Outcome;
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::FlowError;
use crate::flow::diagnose::{self, Question, Report, Step, StepState, Subject, VerdictKind};
use crate::input::time::duration;
use crate::output::{ExitCode, Page, Render, Status, Text};

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso diagnose tom@cool.cats
  cfsso diagnose
  cfsso diagnose tom@cool.cats --assume-enabled
  cfsso diagnose tom@cool.cats -o json | jq '.diagnoses[0] | {verdict, summary}'
  cfsso diagnose tom@cool.cats -o markdown

Without an address, for all users of each domain that has a connector. Nothing is
changed. Exit code 10 if a cause is found, 8 if it cannot be told.")]
pub struct Args {
    /// Email address of the user, or a domain
    email: Option<String>,

    /// How far back to look for changes
    #[arg(long, value_name = "DURATION", default_value = "7d", value_parser = duration)]
    since: Duration,

    /// Answer as if SSO were enabled
    #[arg(long)]
    assume_enabled: bool,
}

/// The result of `cfsso diagnose`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Findings {
    schema: &'static str,
    /// Whether no diagnosis found a cause that prevents a sign-in.
    ok: bool,
    /// The diagnosis of the email address, or one for each domain.
    diagnoses: Vec<Report>,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    let subject = match args.email {
        Some(email) => Subject::User(question(email, args.since, args.assume_enabled)?),
        None => Subject::AllDomains { since: args.since, assume_enabled: args.assume_enabled },
    };
    let env = context.env().await?;
    let fetcher = context.fetcher().await?;
    context.screen.start_progress("reading settings and logs");
    let diagnoses = Box::pin(diagnose::run(&env, subject, Some(fetcher))).await?;
    if diagnoses.is_empty() {
        let message = "the account has no connectors";
        return Err(FlowError::not_found(message)
            .hint("`cfsso diagnose <EMAIL>`, or `cfsso setup <DOMAIN>`")
            .into());
    }
    let has = |kind| diagnoses.iter().any(|one| one.verdict == kind);
    let exit = if has(VerdictKind::Cause) {
        ExitCode::Findings
    } else if has(VerdictKind::Unknown) {
        ExitCode::NotYet
    } else {
        ExitCode::Done
    };
    let ok = exit == ExitCode::Done;
    Ok(Outcome::done(Findings { schema: "cfsso/diagnose/v1", ok, diagnoses }).exit(exit))
}

fn question(email: String, since: Duration, assume_enabled: bool) -> Result<Question, FlowError> {
    if let (false, Ok(domain)) = (email.contains('@'), email.parse()) {
        return Ok(Question { email: None, domain, since, assume_enabled });
    }
    let domain = email.rsplit_once('@').filter(|(local, _)| !local.is_empty());
    let domain = domain.and_then(|(_, domain)| domain.parse::<EmailDomain>().ok());
    let Some(domain) = domain else {
        let message = format!("`{email}` is neither an email address nor a domain");
        return Err(FlowError::usage(message));
    };
    Ok(Question { email: Some(email), domain, since, assume_enabled })
}

fn mark(step: &Step) -> Status {
    match step.state {
        StepState::Ok => Status::Passed,
        StepState::Cause => Status::Failed,
        StepState::Suspect => Status::Warning,
        StepState::Unknown | StepState::NotChecked => Status::NotChecked,
    }
}

impl Render for Findings {
    fn show(&self, page: &mut Page) {
        for (index, one) in self.diagnoses.iter().enumerate() {
            if index > 0 {
                page.blank();
            }
            let confidence = match one.verdict {
                VerdictKind::Cause if !one.summary.contains("likely") => {
                    format!(" ({})", one.confidence.label())
                }
                _ => String::new(),
            };
            page.paragraph(Text::strong(format!("{}{confidence}", one.summary)));
            page.blank();
            for step in &one.steps {
                page.step(mark(step), step.id.label(), Text::prose(&step.detail));
                if let Some(fix) = &step.fix {
                    page.fix("", fix);
                }
            }
        }
    }

    fn names(&self) -> Vec<String> {
        self.diagnoses.iter().map(|one| one.summary.clone()).collect()
    }

    fn markdown(&self) -> Option<String> {
        Some(self.diagnoses.iter().map(markdown).collect::<Vec<_>>().join("\n"))
    }
}

fn markdown(one: &Report) -> String {
    let mut lines = vec![
        format!("## Sign-in of {}", one.who()),
        String::new(),
        escaped(&one.summary),
        String::new(),
        format!("Confidence: {}", one.confidence.label()),
        String::new(),
        "| | step | finding |".to_owned(),
        "|---|---|---|".to_owned(),
    ];
    lines.extend(one.steps.iter().map(|step| {
        let fix = step.fix.as_ref().map(|fix| format!(" Fix: {fix}")).unwrap_or_default();
        let (mark, label) = (mark(step).symbol(true), step.id.label());
        format!("| {mark} | {label} | {}{} |", escaped(&step.detail), escaped(&fix))
    }));
    if !one.changes.is_empty() {
        lines.extend(["", "Changes since the last sign-in:", ""].map(str::to_owned));
        lines.extend(one.changes.iter().map(|it| format!("- {}", escaped(&it.describe()))));
    }
    lines.push(String::new());
    lines.join("\n")
}

pub fn escaped(text: &str) -> String {
    crate::output::sanitize(text).replace('|', "\\|").replace('\n', " ")
}
