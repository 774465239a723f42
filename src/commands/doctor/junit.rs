//! The audit as JUnit XML: a suite per domain and one for the account, a case per finding.

use std::fmt::Write;

use super::{Report, is_failure};
use crate::flow::check::CheckState;
use crate::flow::doctor::Finding;
use crate::output::sanitize;

pub(super) fn render(report: &Report) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let all: Vec<_> = report.findings.iter().collect();
    let _ = writeln!(
        text,
        "<testsuites name=\"cfsso {}\" {}>",
        report.command,
        attributes(report, &all)
    );
    let domains = report.domains.iter().flatten().map(|domain| Some(domain.as_str()));
    for domain in std::iter::once(None).chain(domains) {
        // A finding about several domains is in the suite of the first.
        let of = all.iter().filter(|it| it.domains.first().map(String::as_str) == domain);
        let of: Vec<_> = of.copied().collect();
        let name = domain.unwrap_or(&report.account);
        let _ =
            writeln!(text, "  <testsuite name=\"{}\" {}>", escaped(name), attributes(report, &of));
        for finding in of {
            text.push_str(&case(report, finding, name));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn attributes(report: &Report, of: &[&Finding]) -> String {
    let failures = of.iter().filter(|finding| fails_case(report, finding)).count();
    let skipped = of.iter().filter(|finding| is_skipped(report, finding)).count();
    format!("tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\"", of.len())
}

/// Matches the exit code: a case fails if its finding makes the command fail.
fn fails_case(report: &Report, finding: &Finding) -> bool {
    is_failure(finding, report.fail_on)
}

fn is_skipped(report: &Report, finding: &Finding) -> bool {
    finding.state == CheckState::NotChecked && !fails_case(report, finding)
}

fn case(report: &Report, finding: &Finding, suite: &str) -> String {
    let words = escaped(&finding.message());
    let remedy = finding.fix.as_deref().map(|text| format!("Fix: {}", escaped(text)));
    let remedy = remedy.unwrap_or_default();
    let inner = if fails_case(report, finding) {
        format!("<failure message=\"{words}\">{remedy}</failure>")
    } else if is_skipped(report, finding) {
        format!("<skipped message=\"{words}\"/>")
    } else {
        let state = match finding.state {
            CheckState::Failed => "warning: ",
            CheckState::Accepted => "accepted: ",
            CheckState::NotChecked | CheckState::Passed => "",
        };
        let remedy = if remedy.is_empty() { remedy } else { format!("; {remedy}") };
        format!("<system-out>{state}{words}{remedy}</system-out>")
    };
    format!(
        "    <testcase classname=\"cfsso.{}\" name=\"{}\">{inner}</testcase>\n",
        escaped(suite),
        finding.id.name()
    )
}

/// Escapes XML and drops control characters, which XML 1.0 cannot represent.
fn escaped(text: &str) -> String {
    quick_xml::escape::escape(sanitize(text).as_ref()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tests::every_kind;
    use super::*;

    #[test]
    fn each_finding_is_a_case_that_fails_where_the_command_does() {
        insta::assert_snapshot!(render(&every_kind()), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="cfsso doctor" tests="5" failures="1" errors="0" skipped="1">
          <testsuite name="a1" tests="0" failures="0" errors="0" skipped="0">
          </testsuite>
          <testsuite name="cool.cats" tests="5" failures="1" errors="0" skipped="1">
            <testcase classname="cfsso.cool.cats" name="policy-duplicate"><failure message="cool.cats: 50% &lt;lost&gt; &amp;">Fix: `remove it`</failure></testcase>
            <testcase classname="cfsso.cool.cats" name="policy-duplicate"><system-out>warning: cool.cats: a|b; Fix: `remove it`</system-out></testcase>
            <testcase classname="cfsso.cool.cats" name="policy-duplicate"><skipped message="cool.cats: the token lacks it"/></testcase>
            <testcase classname="cfsso.cool.cats" name="policy-duplicate"><system-out>accepted: cool.cats: known</system-out></testcase>
            <testcase classname="cfsso.cool.cats" name="policy-duplicate"><system-out>cool.cats: well</system-out></testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
