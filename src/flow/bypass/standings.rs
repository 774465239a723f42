//! Which bypasses of this machine are in force, as anybody may ask: the journal
//! says what was done, the server what is left of it.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::undo::{self, Measure, Standing};
use crate::flow::Tools;
use crate::flow::journal::Entry;

/// What bypasses of this machine left behind.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Standings {
    /// Whether any is in force; null where that was not seen.
    pub in_force: Option<bool>,
    /// Since when.
    #[schemars(with = "Option<String>")]
    pub since: Option<Timestamp>,
    /// What they changed and nobody put back, latest first.
    pub bypasses: Vec<Bypass>,
}

/// One write of a bypass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Bypass {
    /// The journal's entry.
    pub entry: String,
    /// When.
    #[schemars(with = "String")]
    pub at: Timestamp,
    /// Who.
    pub user: Option<String>,
    /// What it did.
    pub title: String,
    /// The identifier of what it changed; null where it made something.
    pub target: Option<String>,
    /// How it stands.
    pub state: State,
    /// What was seen.
    pub detail: String,
}

/// How a write of a bypass stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As the bypass left it.
    InForce,
    /// Changed by somebody since.
    Changed,
    /// As it was before.
    PutBack,
    /// It cannot be put back.
    Blocked,
    /// It could not be looked at.
    NotChecked,
}

impl State {
    /// It in a word or two.
    pub fn words(self) -> &'static str {
        match self {
            Self::InForce => "in force",
            Self::Changed => "changed",
            Self::PutBack => "put back",
            Self::Blocked => "blocked",
            Self::NotChecked => "not checked",
        }
    }

    fn is_left(self) -> bool {
        matches!(self, Self::InForce | Self::Changed | Self::Blocked)
    }
}

/// Looks at what the bypasses among `entries` left behind. Where there are
/// none, nobody is asked.
pub async fn look(tools: &Tools<'_>, entries: &[Entry]) -> Standings {
    let open = undo::open(&tools.own(entries));
    told(undo::survey(tools, open).await)
}

fn told(measures: Vec<Measure>) -> Standings {
    let bypasses: Vec<_> = measures.into_iter().map(bypass).collect();
    let in_force = if bypasses.iter().any(|bypass| bypass.state.is_left()) {
        Some(true)
    } else {
        let is_seen = bypasses.iter().all(|bypass| bypass.state != State::NotChecked);
        is_seen.then_some(false)
    };
    let left = bypasses.iter().filter(|bypass| bypass.state != State::PutBack);
    Standings { in_force, since: left.map(|bypass| bypass.at).min(), bypasses }
}

fn bypass(measure: Measure) -> Bypass {
    let target = measure.target();
    let (state, detail) = match measure.standing {
        Ok(Standing::InForce(ready)) => {
            let diff: Vec<_> = ready.change.diff.iter().map(ToString::to_string).collect();
            (State::InForce, format!("undoing it: {}", diff.join(", ")))
        }
        Ok(Standing::Changed(_, drift)) => (State::Changed, drift.join(", ")),
        Ok(Standing::PutBack(text)) => (State::PutBack, text),
        Ok(Standing::Blocked(stop)) => (State::Blocked, stop.causes.join(", ")),
        Err(error) => (State::NotChecked, error.line()),
    };
    let Entry { id, at, user, title, .. } = measure.entry;
    Bypass { entry: id, at, user, title, target, state, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_put_back_is_certainly_no_longer_in_force() {
        let is_left = |state: State| state.is_left();
        assert!([State::InForce, State::Changed, State::Blocked].into_iter().all(is_left));
        assert!(![State::PutBack, State::NotChecked].into_iter().any(is_left));
    }
}
