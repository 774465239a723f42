//! Tests of `api`: the client against servers that do as a script says.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]
#![expect(clippy::disallowed_methods, reason = "the client itself is tested")]

mod create;
mod envelope;
mod limits;
mod list;
mod requests;
mod retry;
mod secrets;
pub mod server;
mod tls;
