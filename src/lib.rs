//! cfsso: set up, guard and recover Cloudflare dashboard SSO.

pub mod api;
pub mod clock;
pub mod dns;
pub mod domain;
pub mod output;
pub mod process;
pub mod sandbox;
