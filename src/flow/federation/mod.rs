//! Federation: an identity provider of one account used by others. A grant allows
//! it to be shared, a share names who receives it (API reference, sections 6 and
//! 7). Both sides of every change are computed from the current state.

pub mod accounts;
pub mod decision;
pub mod eligibility;
pub mod grant;
pub mod orphan;
pub mod progress;
pub mod recipient_progress;
pub mod recipients;
pub mod share;
pub mod shares;
pub mod state;
pub mod status;
pub mod unshare;

use crate::api::idp;

/// The name of a share as the dashboard writes it (API reference, section 7).
pub fn default_name(idp: &idp::IdpFields) -> String {
    format!("Identity provider: {}", idp.name)
}
