//! The integration tests: one binary.

mod api;
mod dns;
mod harness;
mod output;
mod readme;
mod sandbox;
mod setup;
