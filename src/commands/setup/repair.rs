//! Repairs problems that preflight found, one by one, if the user agrees.

use std::cell::RefCell;
use std::collections::BTreeSet;

use super::super::{Outcome, app, idp, parse, token};
use crate::context::Context;
use crate::flow::check::{Check, CheckId, CheckState};
use crate::interview::{Interview, Question};
use crate::output::{Page, Text};

/// Before the name of a check, the ID of the question whether to repair it.
pub const REPAIR: &str = "repair.";

/// The checks for which a repair can be offered.
pub const REPAIRABLE: [CheckId; 4] = [
    CheckId::SsoAppReachesIdp,
    CheckId::InstantAuthConsistent,
    CheckId::FallbackLogin,
    CheckId::RecoveryToken,
];

pub struct Repairs<'a> {
    pub context: &'a Context,
    pub interview: &'a Interview<'a>,
    offered: RefCell<BTreeSet<CheckId>>,
    done: RefCell<Vec<Vec<String>>>,
}

impl<'a> Repairs<'a> {
    pub fn new(context: &'a Context, interview: &'a Interview<'a>) -> Self {
        Self { context, interview, offered: RefCell::default(), done: RefCell::default() }
    }

    pub fn done(&self) -> Vec<Vec<String>> {
        self.done.borrow().clone()
    }

    /// Offers each repair once. Returns whether any was made.
    pub async fn offer(&self, checks: &[Check]) -> anyhow::Result<bool> {
        let mut repaired = false;
        for check in checks.iter().filter(|check| check.state == CheckState::Failed) {
            if !self.offered.borrow_mut().insert(check.id) {
                continue;
            }
            match check.id {
                CheckId::MembersPlusAddressed => self.show_letter(check),
                CheckId::RecoveryToken => repaired |= self.offer_token(check).await?,
                _ => {
                    let id = format!("{REPAIR}{}", check.id.name());
                    let question = Question::yes_no(&id, "", check.detail.clone());
                    let Some(words) = check.repair.clone() else {
                        if self.interview.has_answer(&question) {
                            self.context.screen.warn(format!("{id}: {}", check.detail));
                        }
                        continue;
                    };
                    let question = Question { text: repair_text(&words), ..question };
                    if self.agrees(question).await? {
                        self.run(words).await?;
                        repaired = true;
                    }
                }
            }
        }
        Ok(repaired)
    }

    /// Offered if the token in use would not work in a lockout.
    async fn offer_token(&self, check: &Check) -> anyhow::Result<bool> {
        let text = "Create an emergency token?";
        let question =
            Question::yes_no(format!("{REPAIR}{}", check.id.name()), text, check.detail.clone());
        if !self.agrees(question).await? {
            return Ok(false);
        }
        let help =
            "A new file outside of any repository, on another machine or in a safe afterwards";
        let question = Question::text("emergency_token_file", "File for the token", help)
            .with_default("cfsso-emergency.token");
        let read = |file: &str| {
            let exists = std::path::Path::new(file).exists();
            if exists { Err(format!("{file} exists")) } else { Ok(file.to_owned()) }
        };
        let file = self.interview.ask(&question, read).await?;
        let words = ["token", "create-break-glass", "--with-access", "--output-file", &file];
        self.run(words.map(str::to_owned).into()).await?;
        Ok(false)
    }

    /// False if neither the user nor an answers file can answer.
    async fn agrees(&self, question: Question) -> anyhow::Result<bool> {
        let question = question.agreeing();
        Ok(self.interview.can_ask(&question) && self.interview.confirm(&question).await?)
    }

    pub async fn run(&self, words: Vec<String>) -> anyhow::Result<()> {
        let outcome = self.context.agreed(Box::pin(run(&words, self.context))).await?;
        if let Some(report) = &outcome.report {
            self.context.screen.show(&|page| report.show(page));
        }
        if let Some(failure) = outcome.failure {
            return Err(failure);
        }
        self.done.borrow_mut().push(words);
        Ok(())
    }

    fn show_letter(&self, check: &Check) {
        self.context.screen.show(&|page: &mut Page| {
            page.blank();
            page.line(Text::strong("A text for these members (it is not sent):"));
            page.paragraph(Text::dim(&check.detail));
            page.paragraph(
                "Our Cloudflare sign-in moves to single sign-on, which does not support addresses \
                 with a plus sign. You will get a new invitation to your address without it; \
                 please accept it.",
            );
            page.blank();
        });
    }
}

async fn run(words: &[String], context: &Context) -> anyhow::Result<Outcome> {
    // `parse` expects the command without its group.
    let own = &words[1..];
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["idp", "create", ..] => idp::create::run_silently(&parse(own)?, context).await,
        ["app", "idps", ..] => app::idps::run(parse(own)?, context).await,
        ["app", "instant-auth", ..] => app::instant_auth::run(parse(own)?, context).await,
        ["token", "create-break-glass", ..] => {
            token::create_break_glass::run(parse(own)?, context).await
        }
        other => unreachable!("no repair: {other:?}"),
    }
}

fn repair_text(words: &[String]) -> String {
    match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["idp", "create", ..] => "Create one-time PIN as a fallback?".to_owned(),
        ["app", "idps", "--all"] => "Allow all identity providers in the SSO App?".to_owned(),
        ["app", "idps", ..] => "Allow one-time PIN in the SSO App as a fallback?".to_owned(),
        ["app", "instant-auth", ..] => "Turn instant authentication off?".to_owned(),
        _ => format!("Run `cfsso {}`?", crate::shell::line(words)),
    }
}
