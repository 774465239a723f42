//! The integration tests: one binary.

mod api;
mod dns;
mod harness;
mod output;
mod sandbox;
mod setup;
