//! Tests of `api`: the client against servers that do as a script says.

mod create;
mod envelope;
mod limits;
mod list;
mod requests;
mod retry;
mod secrets;
mod server;
mod tls;
