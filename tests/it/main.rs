//! The integration tests: one binary.

mod api;
mod confirm;
mod connector;
mod dns;
mod errors;
mod harness;
mod output;
mod sandbox;
mod setup;
