//! Questions to a user, one at a time; `back` returns to the previous one.
//!
//! After `back` or a rejected answer, [`Interview::walk`] runs the function that asks again, and
//! replays the earlier answers. So that function must not change anything.

mod answers;
mod question;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

pub use answers::Answers;
pub use question::{Choice, Question, Reply};

use crate::context::Context;
use crate::flow::FlowError;
use crate::output::{Page, Text};

/// The number of invalid answers after which the command ends.
const ATTEMPTS: usize = 3;

pub struct Interview<'a> {
    context: &'a Context,
    answers: Answers,
    /// The IDs of the questions, and their answers so far.
    given: RefCell<Vec<(String, String)>>,
    /// By question ID: the answers so far, which become defaults after a `back`, and those refused.
    earlier: RefCell<BTreeMap<String, Vec<String>>>,
    refused: RefCell<BTreeMap<String, Vec<String>>>,
    /// The index of the next question in `given`.
    at: Cell<usize>,
    /// The question that was last answered wrongly, and how often in a row.
    wrong: RefCell<(String, usize)>,
    /// Changes have begun, so earlier answers are final.
    is_settled: Cell<bool>,
}

/// Makes `Interview::walk` ask the previous question again.
#[derive(Debug, thiserror::Error)]
#[error("back")]
struct Back;

/// An answer that was found wrong after it was given.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
struct Rejected {
    id: String,
    reason: String,
}

impl<'a> Interview<'a> {
    pub fn new(context: &'a Context, answers: Answers) -> Self {
        Self {
            context,
            answers,
            given: RefCell::default(),
            earlier: RefCell::default(),
            refused: RefCell::default(),
            at: Cell::default(),
            wrong: RefCell::default(),
            is_settled: Cell::default(),
        }
    }

    /// Runs `ask`, again after each `back` and each rejected answer.
    pub async fn walk<T>(&self, ask: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
        loop {
            self.at.set(0);
            let error = match Box::pin(ask()).await {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if error.is::<Back>() {
                self.given.borrow_mut().pop();
                continue;
            }
            let Rejected { id, reason } = error.downcast::<Rejected>()?;
            let place = self.given.borrow().iter().position(|(given, _)| *given == id);
            let Some(place) = place else { return Err(self.not_usable(&id, &reason).into()) };
            self.count_wrong(&id, &reason)?;
            let removed = self.given.borrow_mut().split_off(place);
            self.refuse(removed.into_iter().next());
        }
    }

    /// Asks until `read` accepts the answer, three times at most.
    pub async fn ask<T>(
        &self,
        question: &Question,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        if let Some(answer) = self.answers.of(question, self.context).await? {
            let answer = match question.read(&answer) {
                Reply::Answer(answer) => read(&answer),
                _ if question.secret => Err("expected a secret".to_owned()),
                _ => Err(format!("expected {}, got `{answer}`", question.expected_names())),
            };
            return Ok(answer.map_err(|reason| self.not_usable(&question.id, &reason))?);
        }
        let given = self.given.borrow().get(self.at.get()).cloned();
        if let Some((id, answer)) = given
            && id == question.id
            && let Ok(value) = read(&answer)
        {
            self.at.set(self.at.get() + 1);
            return Ok(value);
        }
        self.given.borrow_mut().truncate(self.at.get());
        if !self.context.screen.can_ask() {
            let default = question.unattended.or(question.default.as_deref());
            let Some(default) = default.filter(|_| !question.agrees) else {
                return Err(self.answers.missing(question).into());
            };
            return Ok(read(default).map_err(|reason| self.not_usable(&question.id, &reason))?);
        }
        self.ask_user(question, read).await
    }

    /// The last answer that was not refused, or the question's own default.
    fn default_answer(&self, question: &Question) -> Option<String> {
        if question.secret || question.agrees {
            return question.default.clone();
        }
        let (earlier, refused) = (self.earlier.borrow(), self.refused.borrow());
        let earlier = earlier.get(&question.id).into_iter().flatten().rev();
        let is_refused = |answer: &&String| {
            refused.get(&question.id).is_some_and(|refused| refused.contains(answer))
        };
        earlier.chain(&question.default).find(|answer| !is_refused(answer)).cloned()
    }

    fn accept(&self, id: &str, answer: &str) {
        if let Some(refused) = self.refused.borrow_mut().get_mut(id) {
            refused.retain(|other| other != answer);
        }
        self.earlier.borrow_mut().entry(id.to_owned()).or_default().push(answer.to_owned());
    }

    fn refuse(&self, answer: Option<(String, String)>) {
        if let Some((id, answer)) = answer {
            self.refused.borrow_mut().entry(id).or_default().push(answer);
        }
    }

    async fn ask_user<T>(
        &self,
        question: &Question,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> anyhow::Result<T> {
        let screen = &self.context.screen;
        let original = question;
        let mut question = question.clone();
        screen.show(&|page| question.draw(page));
        loop {
            question.default = self.default_answer(original);
            let prompt = question.prompt();
            let typed = if question.secret {
                screen.ask_hidden(prompt).await?
            } else {
                screen.ask(prompt).await?
            };
            let Some(typed) = typed else { return Err(declined("the input ended").into()) };
            match question.read(&typed) {
                Reply::Help => screen.show(&|page| {
                    page.paragraph(Text::prose(&question.help));
                    page.line(Text::dim("back or Esc: the question before; q: leave"));
                }),
                Reply::Back if self.is_settled.get() => {
                    screen.warn("changes were made already; q leaves, the same command resumes");
                }
                Reply::Back if self.given.borrow().is_empty() => {
                    screen.warn("this is the first question; q leaves");
                }
                Reply::Back => return Err(Back.into()),
                Reply::Cancel => return Err(declined("cancelled").into()),
                Reply::Wrong(expected) => {
                    let shown = if question.secret { "" } else { typed.trim() };
                    let got = match shown {
                        "" => "nothing".to_owned(),
                        shown => format!("`{}`", shown.escape_debug()),
                    };
                    let reason = format!("expected {expected}, got {got}");
                    self.count_wrong(&question.id, &reason)?;
                }
                Reply::Answer(answer) => match read(&answer) {
                    Ok(value) => {
                        if !question.secret {
                            self.accept(&question.id, &answer);
                        }
                        self.given.borrow_mut().push((question.id.clone(), answer));
                        self.at.set(self.at.get() + 1);
                        return Ok(value);
                    }
                    Err(reason) => {
                        self.count_wrong(&question.id, &reason)?;
                        if !question.secret {
                            self.refuse(Some((question.id.clone(), answer)));
                        }
                    }
                },
            }
        }
    }

    /// Whether a user or a file can answer the question.
    pub fn can_ask(&self, question: &Question) -> bool {
        self.context.screen.can_ask() || self.has_answer(question)
    }

    /// Whether a file answers the question.
    pub fn has_answer(&self, question: &Question) -> bool {
        self.answers.has(question)
    }

    pub async fn confirm(&self, question: &Question) -> anyhow::Result<bool> {
        self.ask(question, |answer| Ok(answer == "yes")).await
    }

    /// The error that makes [`Self::walk`] ask the question `id` again.
    pub fn rejected(id: impl Into<String>, reason: impl Into<String>) -> anyhow::Error {
        Rejected { id: id.into(), reason: reason.into() }.into()
    }

    /// Shows something before the next question, unless that is replayed.
    pub fn show(&self, draw: &dyn Fn(&mut Page)) {
        if self.is_new() {
            self.context.screen.show(draw);
        }
    }

    /// Whether the next question has not been answered yet.
    pub fn is_new(&self) -> bool {
        self.at.get() == self.given.borrow().len()
    }

    /// Changes begin: the answers before them can no longer be changed.
    pub fn settle(&self) {
        self.begin();
        self.is_settled.set(true);
    }

    /// A new part begins: `back` does not lead to the part before.
    pub fn begin(&self) {
        self.given.borrow_mut().clear();
        self.at.set(0);
    }

    /// Fails if a file answers an unknown question. `other` are the IDs of questions that are
    /// asked later, or only in other states of the account.
    pub fn ensure_known(&self, other: &[String]) -> Result<(), FlowError> {
        self.answers.ensure_known(other)
    }

    /// Whether a file gives the answers.
    pub fn has_file(&self) -> bool {
        self.answers.is_from_file()
    }

    /// The answers of a file that no question used.
    pub fn unused(&self) -> Vec<String> {
        self.answers.unused()
    }

    /// Reports why the answer to question `id` was wrong; with an empty `reason` the user knows it.
    fn count_wrong(&self, id: &str, reason: &str) -> Result<(), FlowError> {
        if reason.is_empty() {
            return Ok(());
        }
        let mut wrong = self.wrong.borrow_mut();
        let times = if wrong.0 == id { wrong.1 + 1 } else { 1 };
        *wrong = (id.to_owned(), times);
        if times >= ATTEMPTS {
            return Err(declined(reason));
        }
        let last = if times + 1 == ATTEMPTS { "last attempt; " } else { "" };
        self.context.screen.warn(Text::prose(format!("{reason} ({last}?: help, q: leave)")));
        Ok(())
    }

    fn not_usable(&self, id: &str, reason: &str) -> FlowError {
        self.answers.not_usable(id, reason)
    }
}

/// Asks for a missing argument. Without a terminal it fails, with the hint `usage`.
pub async fn ask_missing<T>(
    context: &Context,
    question: &Question,
    usage: &str,
    read: impl Fn(&str) -> Result<T, String>,
) -> anyhow::Result<T> {
    if !context.screen.can_ask() {
        let message = format!("missing: {}", question.text.to_lowercase());
        return Err(FlowError::usage(message).hint(usage).into());
    }
    let interview = Interview::new(context, Answers::default());
    interview.walk(async || interview.ask(question, &read).await).await
}

/// The error if the user does not agree.
pub fn declined(reason: &str) -> FlowError {
    FlowError::declined(format!("declined: {reason}"))
}
