//! Lockout recovery: allows one-time PINs for the dashboard's sign-in, ends
//! enforcement, and undoes just these changes. Keeps round trips to a minimum: a
//! locked-out user waits for each of them.

pub mod disable;
pub mod otp;
pub mod pin_delivery;
pub mod status;
pub mod undo;

use std::fmt;

use crate::flow::journal::{Cause, Title};

/// The title of a bypass's entry, marked as one: `bypass undo` finds it by that.
fn title(deed: impl Into<String>) -> Title {
    Title { text: deed.into(), cause: Some(Cause::Bypass) }
}

/// Where one option failed: how to take the other one.
#[derive(Clone, Debug)]
pub struct AlternativeHint(pub String);

impl fmt::Display for AlternativeHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "alternative: {}", self.0)
    }
}
