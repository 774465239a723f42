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

/// How to use the other bypass after one failed.
#[derive(Clone, Debug)]
pub struct AlternativeHint(pub String);

impl fmt::Display for AlternativeHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alternative: {}", self.0)
    }
}
