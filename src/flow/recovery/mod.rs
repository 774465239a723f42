//! Preparation for a lockout: the state that recovery depends on, a rehearsal, the card.

pub mod card;
mod commands;
pub mod fingerprint;
pub mod rehearsal;
pub mod state;
