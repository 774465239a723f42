//! Confirmation of a change: by an option, by the user, or by an earlier consent.

use super::Context;
use crate::domain::EmailDomain;
use crate::flow::{Error, FlowError};
use crate::output::{ESCAPE, Text};

/// The number of invalid answers after which the command ends.
const MAX_ATTEMPTS: usize = 3;

impl Context {
    /// Asks the user to confirm the change. `action` is the text after "to".
    pub async fn confirm(&self, domain: &str, action: &str) -> Result<(), Error> {
        if let Some(decided) = self.confirmed(domain, action) {
            return Ok(decided?);
        }
        let question = Text::plain("Type ") + Text::strong(domain) + format!(" to {action}:");
        let read = |answer: &str| same_domain(answer, domain).then_some(());
        let error = match self.ask_until(&question, &format!("`{domain}`"), read).await {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        Err(error.hint(format!("run the command again and type `{domain}`")).into())
    }

    /// Asks until `read` accepts the answer, three times at most. A wrong answer is shown with its
    /// control characters escaped. The end of the input declines.
    pub async fn ask_until<T>(
        &self,
        question: &Text,
        expected: &str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<T, FlowError> {
        let mut wrong = String::new();
        let mut attempt = 0;
        while attempt < MAX_ATTEMPTS {
            let Some(answer) = self.screen.ask(question.clone()).await.ok().flatten() else {
                break;
            };
            if let Some(value) = read(answer.trim()) {
                return Ok(value);
            }
            wrong = answer.trim().escape_debug().to_string();
            if matches!(answer.trim(), "q" | "quit" | "cancel" | ESCAPE) {
                return Err(FlowError::declined("cancelled"));
            }
            if answer.trim() == "?" {
                self.screen.note(Text::prose(format!("type {expected}; q or Esc cancels")));
                continue;
            }
            attempt += 1;
            if attempt < MAX_ATTEMPTS {
                let text = format!("expected {expected}, got `{wrong}` (q: cancel)");
                self.screen.warn(Text::prose(text));
            }
        }
        let message = format!("declined: expected {expected}, got `{wrong}`");
        Err(FlowError::declined(message))
    }

    /// Fails if a confirmation will be needed and the user cannot be asked.
    pub fn can_confirm(&self, domain: &str, action: &str) -> Result<(), FlowError> {
        self.confirmed(domain, action).unwrap_or(Ok(()))
    }

    /// Whether the user will be asked; if so, the change is shown first.
    pub fn asks(&self) -> bool {
        let options = &self.settings.options;
        !options.yes && options.confirm.is_none() && self.screen.can_ask()
    }

    /// The answer, if the options or the lack of a terminal decide it.
    fn confirmed(&self, domain: &str, action: &str) -> Option<Result<(), FlowError>> {
        let options = &self.settings.options;
        if options.yes || self.agreed.get() {
            return Some(Ok(()));
        }
        if let Some(named) = &options.confirm {
            return Some(if same_domain(named, domain) {
                Ok(())
            } else {
                Err(FlowError::declined(format!("--confirm is `{named}`, expected `{domain}`"))
                    .hint(format!("`--confirm {}` to {action}", word(domain))))
            });
        }
        (!self.screen.can_ask()).then(|| {
            Err(FlowError::declined(format!("confirmation required to {action} (no terminal)"))
                .hint(format!("`--confirm {}`", word(domain))))
        })
    }

    /// Runs `work` without confirmations, since the user has agreed to its changes.
    pub async fn agreed<T>(&self, work: impl Future<Output = T>) -> T {
        self.agreed.set(true);
        let done = work.await;
        self.agreed.set(false);
        done
    }
}

fn same_domain(a: &str, b: &str) -> bool {
    match (a.trim().parse::<EmailDomain>(), b.parse::<EmailDomain>()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a.trim() == b,
    }
}

fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || ".-_@".contains(c);
    if !text.is_empty() && text.chars().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}
