//! The typed client of the Cloudflare API. A resource's file says what can be
//! asked; [`Client`] sends it. Knows nothing of tables, terminals or flows.

pub mod connector;
pub mod ids;
pub mod object;
pub mod request;
