//! A plan: the checks before a change, and its requests. Dry runs print it.

use std::fmt;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use super::FlowError;
use super::check::{Check, CheckState};
use crate::api::document::masked;
use crate::api::request::WriteRequest;
use crate::input::secret_name::is_secret_name;
use crate::plural::count_noun;

/// The plan of a command: checks and requests.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Plan {
    schema: &'static str,
    /// The checks before the change.
    pub checks: Vec<Check>,
    /// The requests, in the order in which they are sent.
    pub changes: Vec<Change>,
}

/// A request that changes an object.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Change {
    /// The description of the change.
    pub title: String,
    /// The request, without secrets.
    #[schemars(with = "Value")]
    pub request: Box<RawValue>,
    /// The fields that change.
    pub diff: Vec<Difference>,
    /// The reason why the change cannot be undone; `null` if it can be undone.
    pub irreversible_reason: Option<String>,
}

/// A field that changes; `null` means that the field is absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Difference {
    /// The path of the field, separated by dots.
    pub field: String,
    /// The current value.
    pub before: Value,
    /// The value after the change.
    pub after: Value,
}

/// Shows for each user what a check says of all.
const DIAGNOSE: &str = "`cfsso diagnose --assume-enabled`";

impl Difference {
    /// Whether the field holds a secret, which the API never returns.
    pub fn is_of_secret(&self) -> bool {
        self.field.rsplit('.').next().is_some_and(is_secret_name)
    }
}

impl Plan {
    pub fn new(checks: Vec<Check>, changes: Vec<Change>) -> Self {
        Self { schema: "cfsso/plan/v1", checks, changes }
    }

    pub fn ensure_allowed(&self, what: &str) -> Result<(), FlowError> {
        let blocking: Vec<_> = self.checks.iter().filter(|check| check.blocks()).collect();
        let Some(first) = blocking.first() else { return Ok(()) };
        let mut error = FlowError::refused(format!("{what} is refused by a safety check"));
        for check in &blocking {
            error = error.cause(format!("{}: {}", check.id.name(), check.detail));
        }
        let diagnose = first.id.locks_users_out().then(|| DIAGNOSE.to_owned());
        let hints: Vec<_> = first.fix.iter().cloned().chain(diagnose).collect();
        error.hint = (!hints.is_empty()).then(|| hints.join("\n"));
        Err(error)
    }

    pub fn summary(&self) -> String {
        let count = |is_so: &dyn Fn(&Check) -> bool| {
            self.checks.iter().filter(|check| is_so(check)).count()
        };
        let warnings = count(&|check| check.state == CheckState::Failed && !check.blocks());
        let counts = [
            (count(&|check| check.state == CheckState::Passed), "passed"),
            (count(&Check::blocks), "failed"),
            (warnings, if warnings == 1 { "warning" } else { "warnings" }),
            (count(&|check| check.state == CheckState::Accepted), "accepted"),
            (count(&|check| check.state == CheckState::NotChecked), "not checked"),
        ];
        let counts = counts.iter().filter(|(count, _)| *count > 0);
        counts.map(|(count, word)| format!("{count} {word}")).collect::<Vec<_>>().join(", ")
    }
}

impl From<Vec<Change>> for Plan {
    fn from(changes: Vec<Change>) -> Self {
        Self::new(Vec::new(), changes)
    }
}

impl Change {
    /// Shown without the secrets in `request`.
    pub fn new<T>(
        title: impl Into<String>,
        request: &WriteRequest<T>,
        diff: Vec<Difference>,
    ) -> Self {
        let request = to_raw_value(request).expect("a request is plain data");
        Self { title: title.into(), request: masked(&request), diff, irreversible_reason: None }
    }
}

impl Difference {
    pub fn new(field: &str, before: impl Into<Value>, after: impl Into<Value>) -> Self {
        Self { field: field.to_owned(), before: before.into(), after: after.into() }
    }

    /// An absent secret may exist: the API leaves it out.
    pub fn before_text(&self) -> String {
        match &self.before {
            Value::Null if self.is_of_secret() => {
                "not shown (secrets are never returned)".to_owned()
            }
            before => value_text(before),
        }
    }
}

/// Longer values are shortened in errors, in characters.
const LONGEST_VALUE: usize = 200;

impl Difference {
    /// For errors: a long value is shortened, and a long list is counted.
    pub fn brief(&self) -> String {
        let (before, after) = (self.before_text(), value_text(&self.after));
        let is_short = |text: &str| text.chars().nth(LONGEST_VALUE).is_none();
        if is_short(&before) && is_short(&after) {
            return self.to_string();
        }
        if let (Value::Array(before), Value::Array(after)) = (&self.before, &self.after) {
            let missing = |from: &[Value], of: &[Value]| {
                of.iter().filter(|item| !from.contains(item)).count()
            };
            return format!(
                "`{}`: {} -> {} ({} removed or changed, {} added or changed)",
                self.field,
                count_noun(before.len(), "item"),
                count_noun(after.len(), "item"),
                missing(after, before),
                missing(before, after)
            );
        }
        format!("`{}`: {} -> {}", self.field, shorten(&before), shorten(&after))
    }
}

/// With its length, if it is too long for an error.
pub fn shorten(text: &str) -> String {
    match text.char_indices().nth(LONGEST_VALUE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}… ({} characters)", &text[..end], text.chars().count()),
    }
}

/// `config.client_id`: a -> b, with the field in backticks.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = self.before_text();
        write!(f, "`{}`: {before} -> {}", self.field, value_text(&self.after))
    }
}

pub fn value_text(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::FlowErrorKind;
    use crate::flow::check::{CheckId, Severity};

    #[test]
    fn a_long_value_is_short_in_an_error() {
        let list = |range: std::ops::Range<usize>| {
            range.map(|at| format!("policy number {at}")).collect::<Vec<_>>()
        };
        for (difference, expected) in [
            (Difference::new("a", "x", "y"), "`a`: x -> y".to_owned()),
            (
                Difference::new("a", list(0..2), list(0..1)),
                r#"`a`: ["policy number 0","policy number 1"] -> ["policy number 0"]"#.to_owned(),
            ),
            (
                Difference::new("a", list(0..40), list(1..42)),
                "`a`: 40 items -> 41 items (1 removed or changed, 2 added or changed)".to_owned(),
            ),
            (
                Difference::new("a", "é".repeat(201), ()),
                format!("`a`: {}… (201 characters) -> none", "é".repeat(200)),
            ),
        ] {
            assert_eq!(difference.brief(), expected);
        }
    }

    #[test]
    fn a_secret_before_is_not_said_to_be_absent() {
        for (field, before, expected) in [
            ("config.client_secret", Value::Null, "not shown (secrets are never returned)"),
            ("config.client_secret", "[masked]".into(), "[masked]"),
            ("config.client_id", Value::Null, "none"),
        ] {
            assert_eq!(Difference::new(field, before, "b").before_text(), expected, "{field}");
        }
    }

    #[test]
    fn a_refusal_names_every_check_in_the_way_and_the_first_remedy() {
        let failed =
            |id| Check::failed(id, "seen", format!("fix {id:?}")).with_severity(Severity::Error);
        let plan = Plan::new(
            vec![
                Check::passed(CheckId::DomainEligible, "seen"),
                failed(CheckId::DomainVerified),
                failed(CheckId::ForeignClaim),
            ],
            Vec::new(),
        );
        let error = plan.ensure_allowed("enabling `cool.cats`").unwrap_err();
        assert_eq!(error.kind, FlowErrorKind::Refused);
        assert_eq!(error.causes, ["domain-verified: seen", "foreign-claim: seen"]);
        assert_eq!(error.hint.as_deref(), Some("fix DomainVerified"));
    }
}
