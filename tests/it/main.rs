//! The integration tests: one binary.

mod api;
mod dns;
mod harness;
mod idp;
mod output;
mod sandbox;
mod setup;
