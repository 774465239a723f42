//! Preparation for a lockout: the state that recovery depends on, a rehearsal with
//! the emergency token, and the card that says what to do.

pub mod card;
mod commands;
pub mod fingerprint;
pub mod rehearsal;
pub mod state;
