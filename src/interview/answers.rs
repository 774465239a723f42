//! Answers from a file, without secrets: keys in `_env` or `_file` say where the secret is.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Question;
use crate::context::Context;
use crate::flow::FlowError;
use crate::input::nearest::nearest;
use crate::input::text;

/// In bytes.
const LARGEST: usize = 64 * 1024;

/// By question ID; empty without a file.
#[derive(Debug, Default)]
pub struct Answers {
    file: Option<PathBuf>,
    given: BTreeMap<String, String>,
    asked: RefCell<BTreeSet<String>>,
}

impl Answers {
    pub async fn read(context: &Context, file: &Path) -> Result<Self, FlowError> {
        let bytes = context.read_file(file, LARGEST, "answers file").await?;
        let unusable = |cause: String| {
            let message = format!("{} is not a file of answers", file.display());
            FlowError::usage(message).cause(cause).hint("a line per answer: `domain: cool.cats`")
        };
        let text = text::decode(&bytes).map_err(|error| unusable(error.to_string()))?;
        let given = parse(&text).map_err(unusable)?;
        Ok(Self { file: Some(file.to_owned()), given, asked: RefCell::default() })
    }

    pub(super) fn has(&self, question: &Question) -> bool {
        self.given.contains_key(&question.id)
    }

    pub(super) async fn of(
        &self,
        question: &Question,
        context: &Context,
    ) -> Result<Option<String>, FlowError> {
        let get = |key: &str| {
            self.asked.borrow_mut().insert(key.to_owned());
            self.given.get(key)
        };
        let id = &question.id;
        if !question.secret {
            return Ok(get(id).cloned());
        }
        if get(id).is_some() {
            let reason = "a secret does not belong into this file";
            return Err(self.not_usable(id, reason).hint(format!("`{id}_env` or `{id}_file`")));
        }
        let (variable, file) = (format!("{id}_env"), format!("{id}_file"));
        if let Some(name) = get(&variable) {
            let Some(secret) = context.variable(name) else {
                return Err(self.not_usable(&variable, &format!("the variable {name} is not set")));
            };
            return Ok(Some(secret.to_owned()));
        }
        let Some(path) = get(&file).map(Path::new) else { return Ok(None) };
        context.ensure_private(path, "secret")?;
        let bytes = context.read_file(path, LARGEST, "secret").await?;
        let secret = text::decode(&bytes);
        secret.map(Some).map_err(|error| self.not_usable(&file, &error.to_string()))
    }

    /// The error for a question that the file does not answer.
    pub(super) fn missing(&self, question: &Question) -> FlowError {
        let key =
            if question.secret { format!("{}_env", question.id) } else { question.id.clone() };
        let message = match &self.file {
            Some(file) => format!("no answer `{key}` in {}", file.display()),
            None => format!("cannot ask for `{}` (no terminal)", question.text),
        };
        let error = FlowError::usage(message);
        if question.agrees && self.file.is_some() {
            let error = error.cause("consent to a change has no default in a file");
            return error.hint(format!("`{key}: yes`, after reading what `--dry-run` lists"));
        }
        error.cause(question.help.clone())
    }

    pub(super) fn not_usable(&self, id: &str, reason: &str) -> FlowError {
        let place =
            self.file.as_ref().map(|file| format!(" in {}", file.display())).unwrap_or_default();
        FlowError::usage(format!("the answer `{id}`{place} cannot be used")).cause(reason)
    }

    /// Fails if the file answers a question that is neither among those asked nor among `other`.
    pub(super) fn ensure_known(&self, other: &[String]) -> Result<(), FlowError> {
        let asked = self.asked.borrow();
        // A warning that asks for confirmation does not occur in each run.
        let is_known = |key: &&String| other.contains(key) || key.ends_with(".anyway");
        let unused = self.unused();
        let Some(unknown) = unused.iter().find(|key| !is_known(key)) else { return Ok(()) };
        let error = self.not_usable(unknown, "no question asks for it");
        Err(match nearest(unknown, asked.iter().chain(other).map(String::as_str), 0.8) {
            Some(suggestion) => error.hint(format!("`{suggestion}`")),
            None => error,
        })
    }

    pub(super) fn unused(&self) -> Vec<String> {
        let asked = self.asked.borrow();
        self.given.keys().filter(|key| !asked.contains(*key)).cloned().collect()
    }

    pub(super) fn is_from_file(&self) -> bool {
        self.file.is_some()
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, String> {
    let values: BTreeMap<String, Value> =
        serde_saphyr::from_str(text).map_err(|error| error.to_string())?;
    let answer = |(key, value): (String, Value)| match value {
        Value::String(text) => Ok((key, text)),
        Value::Bool(yes) => Ok((key, if yes { "yes" } else { "no" }.to_owned())),
        Value::Number(number) => Ok((key, number.to_string())),
        Value::Null | Value::Array(_) | Value::Object(_) => {
            Err(format!("the answer `{key}` is not a text"))
        }
    };
    values.into_iter().map(answer).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_scalars() {
        for (text, expected) in [
            (
                "domain: cool.cats\npublish: yes\n",
                Ok(vec![("domain", "cool.cats"), ("publish", "yes")]),
            ),
            ("publish: true\nport: 3\n", Ok(vec![("port", "3"), ("publish", "yes")])),
            ("{\"domain\": \"cool.cats\"}", Ok(vec![("domain", "cool.cats")])),
            ("idp: {product: okta}", Err("the answer `idp` is not a text")),
            ("idp:", Err("the answer `idp` is not a text")),
        ] {
            let parsed = parse(text);
            let parsed = parsed.as_ref().map(|answers| {
                answers
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.as_str()))
                    .collect::<Vec<_>>()
            });
            assert_eq!(parsed.map_err(String::as_str), expected, "{text}");
        }
        assert!(parse("- a").is_err() && parse("a: 1\na: 2").is_err());
    }
}
