//! Carries out what was chosen. Asks only about problems that a check finds, and before enabling.

use std::cell::RefCell;

use super::super::super::Outcome;
use super::super::super::idp::ask::NewIdp;
use super::super::repair::Repairs;
use super::super::{show, show_step, steps};
use super::{Chosen, Enabling, Guide};
use crate::flow::check::Check;
use crate::flow::setup::{Event, Report, Step};
use crate::flow::steps::StepState;
use crate::flow::{Error, FlowErrorKind, idp};
use crate::interview::declined;
use crate::output::{Page, Text};
use crate::shell;

const IDP_CREATE: [&str; 2] = ["idp", "create"];

impl Guide<'_> {
    pub(super) async fn carry_out(&self, chosen: Chosen) -> anyhow::Result<Outcome> {
        let mut lines: Vec<Vec<String>> = Vec::new();
        if let Some(new) = chosen.new_idp() {
            let created = idp::create(self.env, &new.body, |_| ()).await?;
            let detail = format!("created  {}", created.id);
            show_step(StepState::Done, "Identity provider", &detail, self.context);
            lines.push(new.words.clone());
        }
        let repairs = Repairs::new(self.context, self.interview);
        if let Some(name) = self.admission(&chosen) {
            repairs.run(["app", "idps", "--add", name].map(str::to_owned).into()).await?;
        }
        let (report, end) = self.set_up(&chosen, &repairs).await?;
        lines.extend(repairs.done());
        for line in lines.iter_mut().filter(|line| line.starts_with(&IDP_CREATE.map(str::to_owned)))
        {
            line.push("--if-not-exists".to_owned());
        }
        let mut last = chosen.setup_words();
        if chosen.enable != Enabling::Not {
            last.extend(["--confirm".to_owned(), chosen.domain.to_string()]);
        }
        lines.push(last);
        if self.context.named_account().await?.is_none() {
            let account = self.env.account.as_str();
            for line in &mut lines {
                line.extend(["--account", account].map(str::to_owned));
            }
        }
        let is_done = |step: &Step| step.state == StepState::Done;
        let has_changed = chosen.new_idp().is_some() || report.steps.iter().any(is_done);
        if end.is_ok() && has_changed {
            self.context.screen.show(&|page| show_end(&chosen, &lines, page));
        }
        Ok(Outcome::done(report).failed(end.err()))
    }

    async fn set_up(
        &self,
        chosen: &Chosen,
        repairs: &Repairs<'_>,
    ) -> anyhow::Result<(Report, anyhow::Result<()>)> {
        let checks: RefCell<Vec<Check>> = RefCell::default();
        let mut is_rerun = false;
        loop {
            let options = self.options(chosen).await?;
            // Why the steps ended before enabling: a repair was made, or one failed.
            let stopped: RefCell<Option<anyhow::Result<()>>> = RefCell::default();
            let on_event = |event: &Event<'_>| {
                if let Event::Checks { checks: latest } = event {
                    *checks.borrow_mut() = latest.to_vec();
                }
                let is_shown = match event {
                    Event::Step(step) if is_rerun => step.state != StepState::Skipped,
                    _ => true,
                };
                if is_shown && stopped.borrow().is_none() {
                    show(event, self.args.bell, self.context);
                }
            };
            let before_enabling = async || -> Result<(), Error> {
                let found = checks.borrow().clone();
                *stopped.borrow_mut() = match repairs.offer(&found).await {
                    Ok(false) => return Ok(()),
                    Ok(true) => Some(Ok(())),
                    Err(error) => Some(Err(error)),
                };
                Err(declined("nothing was sent").into())
            };
            let env = self.env;
            let steps = steps(env, &options, &on_event, before_enabling, self.context);
            let (report, end) = Box::pin(steps).await;
            match (stopped.into_inner(), end) {
                (Some(Err(error)), _) => return Ok((report, Err(error))),
                (Some(Ok(())), _) => {}
                (None, Err(Error::Flow(error))) if error.kind == FlowErrorKind::Refused => {
                    if !repairs.offer(&report.checks).await? {
                        return Ok((report, Err(error.into())));
                    }
                }
                (None, end) => return Ok((report, end.map_err(Into::into))),
            }
            is_rerun = true;
        }
    }
}

fn show_end(chosen: &Chosen, lines: &[Vec<String>], page: &mut Page) {
    page.blank();
    if let Some(NewIdp { name, .. }) = chosen.new_idp() {
        page.line(Text::prose(format!(
            "Sign in through it: `cfsso idp test {}`",
            shell::quoted(name)
        )));
        page.blank();
    }
    if chosen.enable != Enabling::Not {
        page.line(Text::strong("Keep for a lockout:"));
        let bypass = "  `cfsso bypass`: disables SSO or allows one-time PIN, with a token";
        page.line(Text::prose(bypass));
        page.line(Text::prose("  `cfsso recovery check`: tests that this would work"));
        page.blank();
    }
    page.line(Text::strong("The same without questions:"));
    for line in lines {
        page.literal(&format!("  cfsso {}", shell::line(line)));
    }
    page.blank();
    page.line(Text::strong("In GitHub Actions, these lines after `run: |`, with:"));
    page.literal("    env:");
    let secrets = lines.iter().flatten().filter(|word| word.ends_with("_SECRET"));
    for name in std::iter::once("CLOUDFLARE_API_TOKEN").chain(secrets.map(String::as_str)) {
        page.literal(&format!("      {name}: ${{{{ secrets.{name} }}}}"));
    }
    if chosen.enable == Enabling::OnTrial {
        let text =
            "With `--trial`, SSO is disabled again unless a user signs in within 10 minutes.";
        page.paragraph(Text::prose(text));
    }
}
