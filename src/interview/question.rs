//! A question as a value, and how a typed answer is read. Pure.

use crate::output::{ESCAPE, Page, Text};

#[derive(Clone, Debug, Default)]
pub struct Question {
    /// The key of its answer in an answers file.
    pub id: String,
    pub text: String,
    /// Shown for `?`.
    pub help: String,
    /// Empty: any text is possible.
    pub choices: Vec<Choice>,
    /// The answer if the user only presses Enter.
    pub default: Option<String>,
    /// The answer is not echoed.
    pub secret: bool,
    /// The answer is consent to a change: without a terminal, the default does not apply.
    pub agrees: bool,
    /// The answer without a terminal, where it is not the default.
    pub unattended: Option<&'static str>,
}

#[derive(Clone, Debug)]
pub struct Choice {
    /// Also its name in an answers file.
    pub answer: String,
    pub label: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Answer(String),
    Help,
    /// The user wants to change the previous answer.
    Back,
    Cancel,
    /// An impossible answer; the text says what was expected.
    Wrong(String),
}

impl Choice {
    pub fn new(answer: impl Into<String>, label: impl Into<String>) -> Self {
        Self { answer: answer.into(), label: label.into() }
    }
}

impl Question {
    pub fn text(id: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), help: help.into(), ..Self::default() }
    }

    pub fn yes_no(id: impl Into<String>, text: impl Into<String>, help: impl Into<String>) -> Self {
        Self::text(id, text, help).with_choices([Choice::new("yes", ""), Choice::new("no", "")])
    }

    pub fn with_choices(mut self, choices: impl IntoIterator<Item = Choice>) -> Self {
        self.choices = choices.into_iter().collect();
        self
    }

    pub fn with_default(mut self, answer: impl Into<String>) -> Self {
        self.default = Some(answer.into());
        self
    }

    /// For an answer that changes something: it is the default only for a user who sees it.
    pub fn unattended(mut self, answer: &'static str) -> Self {
        self.unattended = Some(answer);
        self
    }

    /// Makes the answer the consent to a change; Enter gives it.
    pub fn agreeing(mut self) -> Self {
        self.agrees = true;
        self.with_default("yes")
    }

    pub fn hidden(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Reads a typed line. A choice is given by number, name, or an unambiguous prefix of its name.
    pub fn read(&self, typed: &str) -> Reply {
        // Spaces around a secret are kept; they are checked where it is used.
        let answer = if self.secret { typed } else { typed.trim() };
        match typed.trim() {
            "?" => return Reply::Help,
            "back" | ESCAPE => return Reply::Back,
            "q" => return Reply::Cancel,
            "quit" | "cancel" if !self.secret => return Reply::Cancel,
            "" => {
                let expected = || Reply::Wrong("an answer".to_owned());
                return self.default.clone().map_or_else(expected, Reply::Answer);
            }
            _ if self.choices.is_empty() => return Reply::Answer(answer.to_owned()),
            _ => {}
        }
        let number = answer.parse::<usize>().ok();
        let number = number.filter(|_| !self.is_yes_no());
        let by_number = number.and_then(|number| self.choices.get(number.checked_sub(1)?));
        let lower = answer.to_lowercase();
        let is = |choice: &&Choice| choice.answer.to_lowercase() == lower;
        let begins = |choice: &&Choice| {
            [&choice.answer, &choice.label].iter().any(|it| it.to_lowercase().starts_with(&lower))
        };
        let only = || {
            let mut found = self.choices.iter().filter(begins);
            found.next().filter(|_| found.next().is_none())
        };
        match by_number.or_else(|| self.choices.iter().find(is)).or_else(only) {
            Some(choice) => Reply::Answer(choice.answer.clone()),
            None => Reply::Wrong(self.expected()),
        }
    }

    fn is_yes_no(&self) -> bool {
        self.choices.iter().map(|choice| choice.answer.as_str()).eq(["yes", "no"])
    }

    pub fn expected(&self) -> String {
        match self.choices.len() {
            0 => "an answer".to_owned(),
            _ if self.is_yes_no() => "`y` or `n`".to_owned(),
            count => format!("a number from 1 to {count}"),
        }
    }

    /// [`Self::expected`] in an answers file.
    pub fn expected_names(&self) -> String {
        let names: Vec<_> =
            self.choices.iter().map(|choice| format!("`{}`", choice.answer)).collect();
        if names.is_empty() { self.expected() } else { names.join(", ") }
    }

    pub fn draw(&self, page: &mut Page) {
        if self.choices.is_empty() || self.is_yes_no() {
            return;
        }
        page.blank();
        page.line(Text::strong(format!("{}:", self.text)));
        let digits = self.choices.len().to_string().len();
        for (index, choice) in self.choices.iter().enumerate() {
            let label = if choice.label.is_empty() { &choice.answer } else { &choice.label };
            page.line(format!("  {:>digits$}  {label}", index + 1));
        }
    }

    pub fn prompt(&self) -> Text {
        let default = self.default.as_deref();
        if self.is_yes_no() {
            let keys = match default {
                Some("yes") => " [Y/n]",
                Some("no") => " [y/N]",
                _ => " [y/n]",
            };
            return Text::strong(&self.text) + keys;
        }
        let position = self.choices.iter().position(|choice| Some(&*choice.answer) == default);
        let shown = position.map(|index| (index + 1).to_string());
        let shown = shown.or_else(|| default.map(str::to_owned));
        let shown = shown.map(|default| format!(" [{default}]")).unwrap_or_default();
        if self.choices.is_empty() {
            Text::strong(&self.text) + format!("{shown}:")
        } else {
            Text::plain(format!("Number{shown}:"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_taken_by_number_name_or_start() {
        let question =
            Question::text("idp", "Identity provider", "").with_default("okta").with_choices([
                Choice::new("okta", "Okta"),
                Choice::new("onelogin", "OneLogin"),
                Choice::new("azureAD", "Microsoft Entra ID"),
            ]);
        let answer = |text: &str| Reply::Answer(text.to_owned());
        let wrong = || Reply::Wrong("a number from 1 to 3".to_owned());
        for (typed, expected) in [
            ("", answer("okta")),
            ("  2 ", answer("onelogin")),
            ("OKTA", answer("okta")),
            ("m", answer("azureAD")),
            ("on", answer("onelogin")),
            ("o", wrong()),
            ("0", wrong()),
            ("4", wrong()),
            ("\u{1b}[A", wrong()),
            ("?", Reply::Help),
            ("back", Reply::Back),
            (ESCAPE, Reply::Back),
            ("q", Reply::Cancel),
        ] {
            assert_eq!(question.read(typed), expected, "{typed:?}");
        }
    }

    #[test]
    fn an_empty_line_is_the_default_or_no_answer() {
        let question = Question::yes_no("publish", "Publish now?", "");
        assert_eq!(question.read(""), Reply::Wrong("an answer".to_owned()));
        assert_eq!(question.read("Y"), Reply::Answer("yes".to_owned()));
        assert_eq!(question.clone().with_default("no").read(" "), Reply::Answer("no".to_owned()));
        for wrong in ["maybe", "1", "2"] {
            assert_eq!(question.read(wrong), Reply::Wrong("`y` or `n`".to_owned()));
        }
    }

    #[test]
    fn a_secret_is_a_command_only_where_the_screen_says_so() {
        let question = Question::text("secret", "Client secret", "").hidden();
        for (typed, expected) in [
            ("q", Reply::Cancel),
            ("quit", Reply::Answer("quit".to_owned())),
            (" s3cret ", Reply::Answer(" s3cret ".to_owned())),
            ("?", Reply::Help),
        ] {
            assert_eq!(question.read(typed), expected);
        }
    }

    #[test]
    fn the_prompt_names_the_default() {
        let plain = |question: &Question| question.prompt().render(false);
        let yes = Question::yes_no("publish", "Publish now?", "").with_default("yes");
        assert_eq!(plain(&yes), "Publish now? [Y/n]");
        let text = Question::text("domain", "Domain", "").with_default("cool.cats");
        assert_eq!(plain(&text), "Domain [cool.cats]:");
        let choices = [Choice::new("a", "A"), Choice::new("b", "B")];
        let choice = Question::text("x", "Which", "").with_choices(choices).with_default("b");
        assert_eq!(plain(&choice), "Number [2]:");
    }
}
