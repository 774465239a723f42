//! The drill against the real account. Always a dry run; the journal is not written.

use serde_json::value::RawValue;

use super::super::{Outcome, bypass, preflight, status};
use super::report::{Event, Report, State, Step, Target};
use crate::api::Client;
use crate::context::Context;
use crate::error_report;
use crate::flow::connector::{self, Selector};
use crate::output::Text;

pub(super) async fn read(context: &Context) -> anyhow::Result<Outcome> {
    let env = context.env().await?;
    let mut reading = AccountDrill {
        context,
        client: env.client,
        report: Report::new(Target::Account, env.account.to_string()),
        failure: None,
    };
    context.screen.show(&|page| {
        page.paragraph(Text::strong(format!("Account {} (read-only)", env.account)));
    });
    let look = Box::pin(status::run(status::Args::default(), context));
    reading.step("status", "sign-in chain read", look).await;
    // If the list cannot be read, `bypass disable` fails and reports why.
    for connector in connector::list(&env).await.unwrap_or_default() {
        let command = format!("preflight {}", connector.email_domain);
        let result = "no blocking check failed";
        let selector = Selector::Id(connector.id.clone());
        let look = Box::pin(preflight::run(preflight::Args::of(selector), context));
        reading.step(&command, result, look).await;
    }
    let result = "requests previewed, nothing was sent";
    let look = Box::pin(bypass::otp::run(bypass::otp::Args::default(), context));
    reading.step("bypass otp --dry-run", result, look).await;
    let look = Box::pin(bypass::disable::run(bypass::disable::Args::of(None), context));
    reading.step("bypass disable --all --dry-run", result, look).await;
    let AccountDrill { mut report, failure, .. } = reading;
    report.finish(failure.is_none());
    Ok(Outcome::done(report).failed(failure))
}

struct AccountDrill<'a> {
    context: &'a Context,
    client: &'a Client,
    report: Report,
    /// The first failure; the remaining steps still run.
    failure: Option<anyhow::Error>,
}

impl AccountDrill<'_> {
    async fn step(
        &mut self,
        command: &str,
        claim: &str,
        look: impl Future<Output = anyhow::Result<Outcome>>,
    ) {
        let screen = &self.context.screen;
        let (began, requests) = (self.context.clock.now(), self.client.requests());
        screen.start_progress(format!("cfsso {command}"));
        let outcome = look.await;
        screen.end_progress();
        let time = began.duration_until(self.context.clock.now()).unsigned_abs();
        let (report, failure) = match outcome {
            Ok(outcome) => (outcome.report, outcome.failure),
            Err(error) => (None, Some(error)),
        };
        let mut step = Step {
            phase: None,
            command: format!("cfsso {command}"),
            state: State::Done,
            observed: claim.to_owned(),
            duration_ms: u64::try_from(time.as_millis()).unwrap_or(u64::MAX),
            requests: self.client.requests() - requests,
            writes: 0,
            exit_code: None,
            result: report
                .as_ref()
                .and_then(|report| RawValue::from_string(report.json().ok()?).ok()),
        };
        if let Some(error) = failure {
            step.fail(error_report::to_failure(&error));
            self.failure.get_or_insert(error);
        }
        screen.event(&Event::Step(&step));
        screen.show(&|page| {
            page.blank();
            step.show(page);
            if let Some(report) = &report {
                page.blank();
                report.show(page);
            }
        });
        self.report.steps.push(step);
    }
}
