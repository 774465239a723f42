//! Federation: other accounts use an identity provider. A grant allows sharing, a share names
//! the recipients (API reference, sections 6 and 7). Changes start from the current state.

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

/// As the dashboard names shares (API reference, section 7).
pub fn default_name(idp: &idp::IdpFields) -> String {
    format!("Identity provider: {}", idp.name)
}
