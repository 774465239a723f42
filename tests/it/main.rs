//! The integration tests: one binary.

mod access;
mod api;
mod dns;
mod harness;
mod idp;
mod output;
mod sandbox;
mod setup;
