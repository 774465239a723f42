//! Federation: an identity provider of one account used by others. A grant
//! lets it be shared, a share names who receives it (API reference, sections 6
//! and 7). Both sides of every change are computed from what stands.

pub mod arrival;
pub mod decision;
pub mod directory;
pub mod federable;
pub mod grant;
pub mod orphan;
pub mod progress;
pub mod recipients;
pub mod records;
pub mod share;
pub mod standing;
pub mod status;
pub mod unshare;

use crate::api::idp;

/// The name of a share as the dashboard writes it (API reference, section 7).
pub fn default_name(idp: &idp::Fields) -> String {
    format!("Identity provider: {}", idp.name)
}
