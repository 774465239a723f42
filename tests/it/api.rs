//! Tests of `api`: the client against servers that do as a script says.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod create;
mod envelope;
mod limits;
mod list;
mod requests;
mod retry;
mod secrets;
pub mod server;
mod tls;
