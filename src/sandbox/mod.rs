//! The simulator: the API areas of this program and an authoritative name
//! server, on loopback, so that anyone can try and test without an account.
//!
//! A resource is one file in `routes/`, with its data in `state.rs` and its
//! permissions in `access.rs`. A request goes through `http.rs`: who asks, the
//! rate limit, a [`Fault`] where one is due, the looks at DNS that verification
//! owes, the route; a change is on disk before its answer leaves.
//!
//! A new sandbox holds the same everywhere, IDs and tokens included (they are
//! no secret: see [`Access::token`]):
//!
//! | account | zones | connectors |
//! |---|---|---|
//! | *Cool Cats*, the first | `cool.cats` and `both.cats`, active; `partial.cats`, a CNAME set-up, and `pending.cats`, not yet delegated, both with their DNS elsewhere | none |
//! | *Other Cats* | `both.cats`, pending since it moved to the first | `both.cats`, still enabled |
//! | *Small Cats*, *Big Cats* | none | none |
//! | *Dogs* | none | none |
//!
//! The first, *Small Cats* and *Big Cats* are in one organization of accounts.
//! All but *Other Cats* have a Zero Trust organization. The first signs in with
//! *Company SSO*, an OpenID issuer that the sandbox serves beside the API
//! (`issuer.rs`), has an application *Wiki*, and five members.

mod access;
mod answer;
mod auth;
mod error;
mod fault;
mod federation;
mod http;
mod issuer;
mod limit;
mod lock;
mod lock_owner;
mod name_server;
mod permission_group;
mod query;
mod raw;
mod routes;
mod scenario;
mod seed;
mod server;
mod shared;
mod sign_in;
mod sign_in_attempt;
mod sso_app;
mod state;
mod store;
mod txt;
mod verification;
mod wire;
mod world;

pub use access::Access;
pub use error::Error;
pub use fault::spec::InvalidFault;
pub use fault::{Fault, FaultTiming, Kind, Matcher};
pub use lock_owner::{LockOwner, SERVICE};
pub use scenario::Scenario;
pub use server::{Options, Sandbox, start};
pub use shared::LoggedRequest;
pub use sign_in::sign_in_at;
pub use sign_in_attempt::{LogBehavior, LogRecords, SignInAttempt, SignInResult};
pub use state::{Membership, Role, Saved};
pub use store::reset;
pub use world::AccountRelation;
