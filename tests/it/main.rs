//! The integration tests: one binary.

mod access;
mod api;
mod dns;
mod harness;
mod output;
mod sandbox;
mod setup;
