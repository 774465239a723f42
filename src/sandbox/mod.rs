//! The API simulator and an authoritative name server, on loopback, for tests without an account.
//! A resource is one file in `routes/`, with its data in `state.rs`; `http.rs` handles requests; a
//! change is on disk before its response is sent. `seed.rs` has the initial content: the same
//! everywhere, IDs and tokens included.

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
pub use fault::{Fault, FaultTiming, Kind};
pub use lock_owner::{LockOwner, SERVICE};
pub use scenario::Scenario;
pub use seed::first_account;
pub use server::{Options, Sandbox, start};
pub use sign_in::sign_in_at;
pub use sign_in_attempt::{LogBehavior, LogRecords, SignInAttempt, SignInResult};
pub use state::{Membership, Role, Saved};
pub use store::reset;
pub use world::AccountRelation;
