mod github;
mod junit;

use schemars::JsonSchema;
use serde::Serialize;

use super::preflight::RecoveryTokenArgs;
use super::{Outcome, fleet, journal};
use crate::context::Context;
use crate::domain::EmailDomain;
use crate::flow::check::{CheckState, Severity};
use crate::flow::doctor::{self, Audit, Finding, FindingId};
use crate::flow::journal::Contents;
use crate::flow::preflight::Thresholds;
use crate::flow::{Env, FlowError};
use crate::output::{ExitCode, Page, Render, Rows, Status, Text};

/// The file that GitHub Actions reads the step summary from.
const SUMMARY: &str = "GITHUB_STEP_SUMMARY";

#[derive(clap::Args, Debug)]
#[command(after_help = "Examples:
  cfsso doctor
  cfsso doctor --all-accounts
  cfsso doctor --fail-on warning -o json | jq '.findings[] | select(.state == \"failed\")'
  cfsso doctor --format github
  cfsso doctor --format junit > cfsso.xml

Read-only. Exits 10 on findings at or above --fail-on; checks that could not run
count as warnings. `cfsso help checks` explains each finding.")]
pub struct Args {
    /// Domain to audit (default: all)
    domain: Option<EmailDomain>,

    /// Exit 10 on findings of this severity or higher
    #[arg(long, value_name = "LEVEL", default_value = "error")]
    fail_on: Level,

    /// Report format for CI
    #[arg(long, value_name = "FORM", conflicts_with_all = ["output", "jq", "output_fields"])]
    format: Option<ReportFormat>,

    /// Ignore this finding (repeatable)
    #[arg(long, value_name = "FINDING", hide_possible_values = true)]
    accept_risk: Vec<FindingId>,

    #[command(flatten)]
    proof: RecoveryTokenArgs,
}

/// The lowest severity that makes the command fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Errors, warnings and checks that could not run
    #[value(alias = "warn")]
    Warning,
    /// Errors: sign-in is blocked now
    Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ReportFormat {
    /// GitHub Actions annotations and step summary
    Github,
    /// JUnit XML
    Junit,
}

/// The result of an audit: `cfsso doctor` or `cfsso recovery check`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    schema: String,
    /// The command that made it.
    #[serde(skip)]
    command: &'static str,
    /// Whether no finding is at or above `fail_on`.
    ok: bool,
    /// The lowest severity that makes the command fail.
    fail_on: Level,
    /// The ID of the account.
    account: String,
    /// The audited domains; `null` if the connectors cannot be read.
    domains: Option<Vec<String>>,
    /// The number of findings by result.
    counts: Counts,
    /// All findings, including passed checks.
    findings: Vec<Finding>,
}

/// The number of findings by result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
struct Counts {
    errors: usize,
    warnings: usize,
    not_checked: usize,
    accepted: usize,
    passed: usize,
}

pub async fn run(args: Args, context: &Context) -> anyhow::Result<Outcome> {
    fleet::ensure_one(context, args.format.is_some(), "--format")?;
    let journal = match journal::read(context) {
        Ok(reading) => reading,
        Err(error) => {
            context.screen.warn(format!("journal not read: {}", error.message));
            let damaged = vec![error.messages().join(": ")];
            Contents { damaged, remedy: error.hint, ..Contents::default() }
        }
    };
    fleet::run(context, "doctor", async |env| read(&args, context, env, &journal).await).await
}

async fn read(
    args: &Args,
    context: &Context,
    env: &Env<'_>,
    journal: &Contents,
) -> anyhow::Result<Outcome> {
    let Args { domain, fail_on, format, accept_risk, proof } = args;
    let sources = proof.sources(context).await?;
    let thresholds = Thresholds {
        now: context.clock.now(),
        min_token_days: proof.min_token_days,
        login_within: proof.login_within,
    };
    let examination =
        doctor::run_audit(env, &sources, &thresholds, journal, domain.as_ref()).await?;
    let examination = match domain {
        Some(domain) => findings_for_domain(examination, domain)?,
        None => examination,
    };
    let report = report("doctor", examination, (*fail_on, accept_risk), env.account.to_string());
    print(report, *format, context)
}

pub fn print(
    report: Report,
    format: Option<ReportFormat>,
    context: &Context,
) -> anyhow::Result<Outcome> {
    let exit = if report.ok { ExitCode::Done } else { ExitCode::Findings };
    match format {
        None => return Ok(Outcome::done(report).exit(exit)),
        Some(ReportFormat::Junit) => context.screen.literal(&junit::render(&report))?,
        Some(ReportFormat::Github) => {
            context.screen.literal(&github::annotations(&report))?;
            summarise(context, &report);
        }
    }
    Ok(Outcome::silent().exit(exit))
}

/// Keeps the findings about this domain or about the account as a whole.
fn findings_for_domain(audit: Audit, domain: &EmailDomain) -> Result<Audit, FlowError> {
    let is_it = |name: &String| name.parse().is_ok_and(|other: EmailDomain| other == *domain);
    let Audit { mut domains, mut findings } = audit;
    if let Some(domains) = &mut domains {
        domains.retain(is_it);
        if domains.is_empty() {
            let message = format!("no connector for {domain}");
            return Err(FlowError::not_found(message).hint("`cfsso connector list`"));
        }
    }
    findings.retain(|finding| finding.domains.is_empty() || finding.domains.iter().any(is_it));
    for finding in &mut findings {
        finding.domains.retain(is_it);
    }
    Ok(Audit { domains, findings })
}

fn summarise(context: &Context, report: &Report) {
    let Some(file) = context.variable(SUMMARY).filter(|file| !file.is_empty()) else { return };
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(file);
    let text = github::summary(report);
    if let Err(error) =
        opened.and_then(|mut file| std::io::Write::write_all(&mut file, text.as_bytes()))
    {
        context.screen.warn(format!("cannot write the step summary to {file}: {error}"));
    }
}

/// Findings in `accepted` do not count as failures.
pub fn report(
    command: &'static str,
    examination: Audit,
    (fail_on, accepted): (Level, &[FindingId]),
    account: String,
) -> Report {
    let Audit { domains, findings } = examination;
    let findings: Vec<_> =
        findings.into_iter().map(|finding| finding.accept_risks(accepted)).collect();
    Report {
        schema: format!("cfsso/{}/v1", command.replace(' ', "-")),
        command,
        ok: !findings.iter().any(|finding| is_failure(finding, fail_on)),
        fail_on,
        account,
        domains,
        counts: counts(&findings),
        findings,
    }
}

pub fn is_failure(finding: &Finding, fail_on: Level) -> bool {
    match (finding.effective_severity(), fail_on) {
        (Some(Severity::Error), _) | (Some(Severity::Warning), Level::Warning) => true,
        (Some(Severity::Warning), Level::Error) | (None, _) => false,
    }
}

fn counts(findings: &[Finding]) -> Counts {
    let mut counts = Counts::default();
    for finding in findings {
        let count = match (finding.state, finding.severity) {
            (CheckState::Passed, _) => &mut counts.passed,
            (CheckState::Accepted, _) => &mut counts.accepted,
            (CheckState::NotChecked, _) => &mut counts.not_checked,
            (CheckState::Failed, Severity::Error) => &mut counts.errors,
            (CheckState::Failed, Severity::Warning) => &mut counts.warnings,
        };
        *count += 1;
    }
    counts
}

impl Report {
    /// Errors before warnings.
    fn failed(&self) -> impl Iterator<Item = &Finding> {
        let of = |severity| {
            let is_of = move |finding: &&Finding| {
                finding.state == CheckState::Failed && finding.severity == severity
            };
            self.findings.iter().filter(is_of)
        };
        of(Severity::Error).chain(of(Severity::Warning))
    }

    fn not_checked(&self) -> Vec<(&str, Vec<String>)> {
        let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
        for finding in self.findings.iter().filter(|it| it.state == CheckState::NotChecked) {
            let name = finding.id.name();
            match groups.iter_mut().find(|(reason, _)| *reason == finding.detail) {
                // One for enforced domains and one for the others.
                Some((_, ids)) if ids.contains(&name) => {}
                Some((_, ids)) => ids.push(name),
                None => groups.push((&finding.detail, vec![name])),
            }
        }
        groups
    }

    fn summary(&self) -> String {
        let subject = match self.domains.as_deref() {
            None => "account (connectors not checked)".to_owned(),
            Some([]) => "account without connectors".to_owned(),
            Some([domain]) => domain.clone(),
            Some(domains) => format!("{} domains", domains.len()),
        };
        let Counts { errors, warnings, not_checked, accepted, passed } = self.counts;
        let counted = [
            (errors, if errors == 1 { "error" } else { "errors" }),
            (warnings, if warnings == 1 { "warning" } else { "warnings" }),
            (not_checked, "not checked"),
            (accepted, "accepted"),
            (passed, "passed"),
        ];
        let counted = counted.into_iter().filter(|(count, _)| *count > 0);
        let counted: Vec<_> = counted.map(|(count, word)| format!("{count} {word}")).collect();
        format!("{subject}: {}", counted.join(", "))
    }
}

pub fn show_finding(finding: &Finding, page: &mut Page) {
    let mark = match finding.state {
        CheckState::Passed | CheckState::Accepted => Status::Passed,
        CheckState::Failed => severity_mark(finding.severity),
        CheckState::NotChecked => Status::NotChecked,
    };
    page.step(mark, &finding.id.name(), Text::prose(finding.message()));
    if let Some(fix) = &finding.fix {
        page.fix("", fix);
    }
}

fn severity_mark(severity: Severity) -> Status {
    match severity {
        Severity::Error => Status::Failed,
        Severity::Warning => Status::Warning,
    }
}

impl Render for Report {
    fn show(&self, page: &mut Page) {
        for finding in self.failed() {
            show_finding(finding, page);
        }
        if page.is_verbose() {
            let passed = self.findings.iter().filter(|one| one.state == CheckState::Passed);
            for finding in passed {
                show_finding(finding, page);
            }
        }
        for (reason, ids) in self.not_checked() {
            let words = format!("not checked ({reason}): {}", ids.join(", "));
            page.status_line(Status::NotChecked, Text::prose(words));
        }
        if self.failed().next().is_some() || self.counts.not_checked > 0 {
            page.blank();
        }
        page.paragraph(Text::strong(self.summary()));
        if self.failed().next().is_some() {
            page.line(Text::plain("Explain: ") + Text::code("cfsso help checks"));
        }
    }

    fn rows(&self, page: &Page) -> Rows {
        let failed = self.failed().map(|finding| {
            let mark = page.mark(severity_mark(finding.severity));
            vec![mark, Text::plain(finding.id.name()), Text::prose(finding.message())]
        });
        let mut cells: Vec<_> = failed.collect();
        if self.counts.not_checked > 0 || cells.is_empty() {
            let is_checked = self.counts.not_checked == 0;
            let mark = page.mark(if is_checked { Status::Passed } else { Status::NotChecked });
            cells.push(vec![mark, Text::default(), Text::plain(self.summary())]);
        }
        Rows { headers: vec!["STATE", "FINDING", "DETAIL"], cells }
    }

    fn names(&self) -> Vec<String> {
        self.failed().map(|finding| finding.id.name()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::doctor::AuditId;

    pub(super) fn every_kind() -> Report {
        let finding = |state, severity, evidence: &str| Finding {
            id: FindingId::Audit(AuditId::PolicyDuplicate),
            severity,
            state,
            domains: vec!["cool.cats".to_owned()],
            detail: evidence.to_owned(),
            fix: (state == CheckState::Failed).then(|| "`remove it`".to_owned()),
            required_permission: None,
        };
        let findings = vec![
            finding(CheckState::Failed, Severity::Error, "50% <lost>\n\u{1b}[1m&"),
            finding(CheckState::Failed, Severity::Warning, "a|b"),
            finding(CheckState::NotChecked, Severity::Error, "the token lacks it"),
            finding(CheckState::Accepted, Severity::Error, "known"),
            finding(CheckState::Passed, Severity::Error, "well"),
        ];
        let domains = Some(vec!["cool.cats".to_owned()]);
        report("doctor", Audit { domains, findings }, (Level::Error, &[]), "a1".to_owned())
    }

    #[test]
    fn findings_at_or_above_the_level_fail() {
        let finding =
            |state, severity| Finding { severity, state, ..every_kind().findings.swap_remove(0) };
        for (state, severity, on_warn, on_error) in [
            (CheckState::Failed, Severity::Error, true, true),
            (CheckState::Failed, Severity::Warning, true, false),
            (CheckState::NotChecked, Severity::Error, true, false),
            (CheckState::Accepted, Severity::Error, false, false),
            (CheckState::Passed, Severity::Error, false, false),
        ] {
            let finding = finding(state, severity);
            assert_eq!(is_failure(&finding, Level::Warning), on_warn, "{finding:?}");
            assert_eq!(is_failure(&finding, Level::Error), on_error, "{finding:?}");
        }
    }

    #[test]
    fn each_kind_is_counted_and_named() {
        let report = every_kind();
        let one = Counts { errors: 1, warnings: 1, not_checked: 1, accepted: 1, passed: 1 };
        assert_eq!(report.counts, one);
        assert_eq!(
            report.summary(),
            "cool.cats: 1 error, 1 warning, 1 not checked, 1 accepted, 1 passed"
        );
        assert!(!report.ok);
    }
}
