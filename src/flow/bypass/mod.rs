//! Lockout recovery: allows one-time PINs, disables SSO, and undoes just these changes.
//! Few round trips: a locked-out user waits for each of them.

pub mod disable;
pub mod otp;
pub mod pin_delivery;
pub mod status;
pub mod undo;

use std::fmt;

use crate::flow::journal::{Cause, Title};

/// The cause marks a bypass's entry: `bypass undo` finds it by that.
fn title(action: impl Into<String>) -> Title {
    Title { text: action.into(), cause: Some(Cause::Bypass) }
}

/// How to go on after a bypass failed.
#[derive(Clone, Debug)]
pub struct AlternativeHint {
    /// The same bypass.
    pub again: String,
    pub other: String,
}

impl AlternativeHint {
    /// The same bypass comes first if it may work later.
    pub fn describe(&self, is_unavailable: bool) -> String {
        let Self { again, other } = self;
        if is_unavailable {
            format!("again: {again}; alternative: {other}")
        } else {
            self.to_string()
        }
    }
}

impl fmt::Display for AlternativeHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alternative: {}", self.other)
    }
}
