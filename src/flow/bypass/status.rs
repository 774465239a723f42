//! Active bypasses of this machine, by the journal and the server.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::undo::{self, BypassWrite, WriteStatus};
use crate::flow::Env;
use crate::flow::journal::Entry;
use crate::rfc3339;

/// The state of the bypasses made on this machine.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct BypassStatus {
    /// Whether a bypass is active; `null` if this could not be determined.
    pub active: Option<bool>,
    /// When the oldest bypass that is not reverted started (RFC 3339); `null` if there is none.
    #[schemars(with = "Option<String>")]
    #[serde(serialize_with = "rfc3339::optional")]
    pub since: Option<Timestamp>,
    /// The changes made by bypasses that have not been undone, newest first.
    pub bypasses: Vec<Bypass>,
}

/// A change made by a bypass.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Bypass {
    /// The ID of the journal entry.
    pub entry: String,
    /// When the change was sent (RFC 3339).
    #[schemars(with = "String")]
    #[serde(serialize_with = "rfc3339::time")]
    pub started_at: Timestamp,
    /// The local user; `null` if unknown.
    pub user: Option<String>,
    /// The description of the change.
    pub title: String,
    /// The ID of the changed object; `null` if the bypass created it.
    pub target: Option<String>,
    /// The current state of the change.
    pub state: BypassState,
    /// The details of the state, such as the fields to restore.
    pub detail: String,
}

/// The current state of a change made by a bypass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BypassState {
    /// The object is unchanged since the bypass.
    Active,
    /// Another client has changed the object since the bypass.
    Changed,
    /// The object is as it was before the bypass.
    Reverted,
    /// The change cannot be undone.
    Blocked,
    /// The object could not be checked.
    NotChecked,
}

impl BypassState {
    pub fn label(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Changed => "changed",
            Self::Reverted => "reverted",
            Self::Blocked => "blocked",
            Self::NotChecked => "not checked",
        }
    }

    fn is_open(self) -> bool {
        matches!(self, Self::Active | Self::Changed | Self::Blocked)
    }
}

/// Sends no request if there are no entries.
pub async fn read_status(env: &Env<'_>, entries: &[Entry]) -> BypassStatus {
    let open = undo::open_entries(&env.own(entries));
    summarize(undo::check_all(env, open).await)
}

fn summarize(writes: Vec<BypassWrite>) -> BypassStatus {
    let bypasses: Vec<_> = writes.into_iter().map(from_write).collect();
    let in_force = if bypasses.iter().any(|bypass| bypass.state.is_open()) {
        Some(true)
    } else {
        let is_seen = bypasses.iter().all(|bypass| bypass.state != BypassState::NotChecked);
        is_seen.then_some(false)
    };
    let open = bypasses.iter().filter(|bypass| bypass.state != BypassState::Reverted);
    BypassStatus { active: in_force, since: open.map(|bypass| bypass.started_at).min(), bypasses }
}

fn from_write(write: BypassWrite) -> Bypass {
    let target = write.target();
    let (state, detail) = match write.status {
        Ok(WriteStatus::Active(ready)) => {
            let diff: Vec<_> = ready.change.diff.iter().map(ToString::to_string).collect();
            (BypassState::Active, format!("undo: {}", diff.join(", ")))
        }
        Ok(WriteStatus::Changed(_, drift)) => (BypassState::Changed, drift.join(", ")),
        Ok(WriteStatus::Reverted(text)) => (BypassState::Reverted, text),
        Ok(WriteStatus::Blocked(error)) => (BypassState::Blocked, error.causes.join(", ")),
        Ok(WriteStatus::Refused(error)) => (BypassState::Blocked, error.message),
        Err(error) => (BypassState::NotChecked, error.line()),
    };
    let Entry { id, started_at: at, user, title, .. } = write.entry;
    Bypass { entry: id, started_at: at, user, title, target, state, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_put_back_is_certainly_no_longer_in_force() {
        let is_left = |state: BypassState| state.is_open();
        assert!(
            [BypassState::Active, BypassState::Changed, BypassState::Blocked]
                .into_iter()
                .all(is_left)
        );
        assert!(![BypassState::Reverted, BypassState::NotChecked].into_iter().any(is_left));
    }
}
