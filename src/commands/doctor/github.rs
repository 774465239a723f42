//! Audit output for GitHub Actions: annotations, and Markdown for the step summary.

use super::Report;
use crate::flow::check::{CheckState, Severity};
use crate::flow::doctor::Finding;
use crate::output::sanitize;

pub(super) fn annotations(report: &Report) -> String {
    let failed = report.failed().map(|finding| {
        let remedy = finding.fix.as_ref().map(|remedy| format!("; Fix: {remedy}"));
        let words = format!("{}{}", finding.message(), remedy.unwrap_or_default());
        annotation(level(finding.severity), &finding.id.name(), &words)
    });
    let not_checked =
        report.findings.iter().filter(|finding| finding.state == CheckState::NotChecked);
    let not_checked = not_checked.map(|finding| {
        annotation("notice", &finding.id.name(), &format!("not checked: {}", finding.message()))
    });
    failed.chain(not_checked).collect()
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    }
}

fn annotation(level: &str, title: &str, words: &str) -> String {
    format!("::{level} title=cfsso {title}::{}\n", escaped(words))
}

/// The data of a GitHub workflow command: one line, with `%` escaped.
fn escaped(text: &str) -> String {
    sanitize(text).replace('%', "%25")
}

pub(super) fn summary(report: &Report) -> String {
    let mut text = format!("### cfsso doctor\n\n{}\n", cell(&report.summary()));
    let rows: Vec<_> = report.failed().map(row).chain(not_checked(report)).collect();
    if !rows.is_empty() {
        text.push_str("\n| | finding | detail | fix |\n|---|---|---|---|\n");
        text.push_str(&rows.concat());
    }
    text.push('\n');
    text
}

fn row(finding: &Finding) -> String {
    let level = level(finding.severity);
    let remedy = finding.fix.as_deref().unwrap_or_default();
    let id = finding.id.name();
    format!("| {level} | `{id}` | {} | {} |\n", cell(&finding.message()), cell(remedy))
}

fn not_checked(report: &Report) -> impl Iterator<Item = String> {
    report.not_checked().into_iter().map(|(reason, ids)| {
        let ids: Vec<_> = ids.into_iter().map(|id| format!("`{id}`")).collect();
        format!("| not checked | {} | {} | |\n", ids.join(", "), cell(reason))
    })
}

/// Escapes text for a Markdown table cell: one line, no table or HTML markup.
fn cell(text: &str) -> String {
    sanitize(text).replace('|', "\\|").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::super::tests::every_kind;
    use super::*;

    #[test]
    fn each_finding_is_one_command_whatever_it_says() {
        let text = annotations(&every_kind());
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert_eq!(
            lines[0],
            "::error title=cfsso policy-duplicate::cool.cats: 50%25 <lost> &; Fix: `remove it`"
        );
        assert_eq!(
            lines[1],
            "::warning title=cfsso policy-duplicate::cool.cats: a|b; Fix: `remove it`"
        );
        assert_eq!(
            lines[2],
            "::notice title=cfsso policy-duplicate::not checked: cool.cats: the token lacks it"
        );
    }

    #[test]
    fn the_summary_is_a_table_with_a_row_a_finding() {
        insta::assert_snapshot!(summary(&every_kind()), @r"
        ### cfsso doctor

        cool.cats: 1 error, 1 warning, 1 not checked, 1 accepted, 1 passed

        | | finding | detail | fix |
        |---|---|---|---|
        | error | `policy-duplicate` | cool.cats: 50% &lt;lost> & | `remove it` |
        | warning | `policy-duplicate` | cool.cats: a\|b | `remove it` |
        | not checked | `policy-duplicate` | the token lacks it | |
        ");
    }
}
